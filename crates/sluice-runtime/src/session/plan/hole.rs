//! What a plan leaves open, and within which bounds.

use serde_json::{Number, Value as Json};

/// The keys of a hole as it is written.
const KEYS: [&str; 5] = ["hole", "min", "max", "items", "one_of"];

/// A value that the agent finds out later.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hole {
    /// Of a number: the smallest; nothing below 0 where only `max` is said.
    min: Option<Number>,
    /// Of a number: the largest.
    max: Option<Number>,
    /// The only values.
    one_of: Option<Vec<Json>>,
    /// It is a list, which has so many elements at most; the other bounds are those of each.
    items: Option<usize>,
}

impl Hole {
    /// Reads one as it is written: `{"hole": "words", "max": 500}`.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(super) fn read(written: &Json) -> Result<Self, String> {
        super::known(written, &KEYS)
            .map_err(|key| format!("a hole has no `{key}`; it has `min`, `max`, `items` and `one_of`"))?;
        if !written.get("hole").is_some_and(Json::is_string) {
            return Err("`hole` says in words what fills it".to_owned());
        }
        let number = |key: &str| match written.get(key) {
            None => Ok(None),
            Some(Json::Number(bound)) => Ok(Some(bound.clone())),
            Some(_) => Err(format!("`{key}` is a number")),
        };
        let (min, max) = (number("min")?, number("max")?);
        let least = min.as_ref().map_or(Some(0.0), Number::as_f64);
        if max.as_ref().is_some_and(|max| least > max.as_f64()) {
            return Err("`max` is below `min`, which is 0 where it is not said".to_owned());
        }
        let items = match written.get("items") {
            None => None,
            Some(bound) => {
                let bound = bound.as_u64().and_then(|bound| usize::try_from(bound).ok());
                Some(bound.ok_or("`items` is a whole number: how many the list has at most")?)
            }
        };
        let one_of = match written.get("one_of") {
            None => None,
            Some(listed) => Some(listed.as_array().filter(|l| !l.is_empty()).ok_or("`one_of` lists values")?.clone()),
        };
        Ok(Self { min, max, items, one_of })
    }

    /// Whether it may be filled with this. What is no number lies within no bounds of one; an element of a bounded list is no list.
    pub(super) fn takes(&self, value: &Json) -> bool {
        match (self.items, value) {
            (None, value) => self.is_within(value),
            (Some(items), Json::Array(list)) => {
                list.len() <= items && list.iter().all(|item| !item.is_array() && self.is_within(item))
            }
            (Some(_), _) => false,
        }
    }

    fn is_within(&self, value: &Json) -> bool {
        let bound = |bound: &Option<Number>, without| bound.as_ref().and_then(Number::as_f64).unwrap_or(without);
        let range = bound(&self.min, 0.0)..=bound(&self.max, f64::INFINITY);
        let is_number = self.min.is_none() && self.max.is_none() || value.as_f64().is_some_and(|n| range.contains(&n));
        is_number && self.one_of.as_ref().is_none_or(|listed| listed.contains(value))
    }

    /// Whether it says how much at most.
    pub(super) const fn is_bounded_above(&self) -> bool {
        self.max.is_some() || self.one_of.is_some()
    }

    /// Something that fills it.
    pub(super) fn example(&self) -> Json {
        if self.items.is_some() {
            return Json::Array(Vec::new());
        }
        match (&self.one_of, &self.min, &self.max) {
            (Some(listed), ..) => listed.first().cloned().unwrap_or_default(),
            (None, Some(least), _) => Json::Number(least.clone()),
            (None, None, Some(_)) => Json::from(0),
            (None, None, None) => Json::from("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hole_takes_what_lies_within_all_of_its_bounds() {
        let takes = |bounds: Json, value: Json| {
            let mut written = json!({ "hole": "x" });
            written.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
            let hole = Hole::read(&written).unwrap();
            assert!(hole.one_of.is_some() || hole.takes(&hole.example()), "{written}");
            hole.takes(&value)
        };
        for (bounds, value, expected) in [
            (json!({}), json!([1, "x"]), true),
            (json!({ "max": 5 }), json!(5), true),
            (json!({ "max": 5 }), json!(5.5), false),
            (json!({ "max": 5 }), json!(-1), false),
            (json!({ "max": 5 }), json!("5"), false),
            (json!({ "min": 400, "max": 500 }), json!(450), true),
            (json!({ "min": 400, "max": 500 }), json!(40), false),
            (json!({ "min": -5 }), json!(-5), true),
            (json!({ "min": -5 }), json!(1e9), true),
            (json!({ "items": 2 }), json!([1, 2]), true),
            (json!({ "items": 2 }), json!([1, 2, 3]), false),
            (json!({ "items": 2 }), json!("ab"), false),
            (json!({ "one_of": ["a", "b"], "items": 1 }), json!("a"), false),
            (json!({ "one_of": ["a", "b"], "items": 1 }), json!(["b"]), true),
            (json!({ "one_of": ["a", "b"], "items": 1 }), json!(["c"]), false),
            (json!({ "max": 6, "items": 3 }), json!([1, 6]), true),
            (json!({ "max": 6, "items": 3 }), json!([1, 7]), false),
            (json!({ "items": 1 }), json!([["a", "b", "c"]]), false),
            (json!({ "one_of": ["a", 7], "max": 9 }), json!(7), true),
            (json!({ "one_of": ["a", 7], "max": 9 }), json!("a"), false),
        ] {
            assert_eq!(takes(bounds.clone(), value.clone()), expected, "{bounds} {value}");
        }
    }

    #[test]
    fn a_bound_that_means_nothing_is_told() {
        let told = |written: Json| Hole::read(&written).unwrap_err();
        assert_eq!(told(json!({ "hole": 1 })), "`hole` says in words what fills it");
        assert_eq!(told(json!({ "hole": "x", "max": "5" })), "`max` is a number");
        for bounds in [json!({ "hole": "x", "min": 6, "max": 5 }), json!({ "hole": "x", "max": -5 })] {
            assert_eq!(told(bounds), "`max` is below `min`, which is 0 where it is not said");
        }
        assert_eq!(
            told(json!({ "hole": "x", "items": -1 })),
            "`items` is a whole number: how many the list has at most"
        );
        assert_eq!(told(json!({ "hole": "x", "one_of": [] })), "`one_of` lists values");
        assert_eq!(
            told(json!({ "hole": "x", "most": 5 })),
            "a hole has no `most`; it has `min`, `max`, `items` and `one_of`"
        );
    }
}
