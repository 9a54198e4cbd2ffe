//! Templates: a definition with typed holes. Whoever signs it signs for every value within the types.
//!
//! A hole is a field of the run's input, so that a filled template is the very text that was signed, with another input.
//! What is outside of its type starts nothing. Who may fill a hole is its label: what a model may fill in any words carries
//! that model's origin, whoever filled it; of a hole that lists its values the signer chose every one.

use std::collections::{BTreeMap, BTreeSet};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::label::Name;

/// Most holes of a template: people who sign it read them all.
pub const HOLES_MAX: usize = 64;
/// Longest text in a hole that says nothing else.
pub const TEXT_CHARS_DEFAULT: usize = 200;
/// Longest text that a hole can allow.
pub const TEXT_CHARS_MAX: usize = 10_000;
/// Largest pattern, once it is compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Of a value that does not fit, as much as is repeated.
const TOLD_CHARS_MAX: usize = 80;

/// What a hole takes.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One of these texts.
    OneOf(BTreeSet<Name>),
    /// A text.
    Text {
        /// Most characters.
        chars_max: usize,
        /// What the whole of it must be like.
        pattern: Option<Regex>,
    },
    /// A whole number.
    Integer {
        /// The least.
        minimum: i64,
        /// The greatest.
        maximum: i64,
    },
    /// True or false.
    Boolean,
}

/// One hole.
#[derive(Clone, Debug)]
pub struct Hole {
    /// What it takes.
    pub kind: Kind,
    /// The models that may fill it, beside whoever asks.
    pub models: BTreeSet<Name>,
    /// What is filled in where nothing is given.
    pub default: Option<Json>,
    /// For people.
    pub description: Option<Name>,
}

/// The holes of a template, by name.
#[derive(Clone, Debug, Default)]
pub struct Holes(pub BTreeMap<Name, Hole>);

/// Two are the same if people read the same of them.
impl PartialEq for Holes {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// SL454. A value that a hole does not take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HoleFault {
    /// The values are no object.
    #[error("a template is filled with an object of its holes: {0}")]
    NoObject(String),
    /// There is no such hole.
    #[error("`{name}` is no hole of this template: it has {known}")]
    Unknown {
        /// What was given.
        name: String,
        /// The holes.
        known: String,
    },
    /// Nothing was given.
    #[error("`{name}` is not filled: it takes {takes}")]
    Missing {
        /// The hole.
        name: Name,
        /// What it takes.
        takes: String,
    },
    /// It is outside of its type.
    #[error("`{name}` takes {takes}, and not {given}")]
    Outside {
        /// The hole.
        name: Name,
        /// What it takes.
        takes: String,
        /// What was given.
        given: String,
    },
}

impl Kind {
    /// A text that is wholly like a pattern.
    ///
    /// # Errors
    /// In words, why the pattern is none.
    pub fn pattern(text: &str) -> Result<Regex, String> {
        let built = RegexBuilder::new(&format!("\\A(?:{text})\\z")).size_limit(PATTERN_BYTES_MAX).build();
        // A group that closes early would leave the ends open.
        let alone = RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
        alone.and(built).map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
    }

    /// Whether the signer chose each value: one of a list, of a range, or of two.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        !matches!(self, Self::Text { .. })
    }

    /// Whether it takes a value.
    #[must_use]
    pub fn takes(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::OneOf(words), Json::String(text)) => words.contains(text.as_str()),
            (Self::Text { chars_max, pattern }, Json::String(text)) => {
                text.chars().count() <= *chars_max && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            }
            (Self::Integer { minimum, maximum }, Json::Number(number)) => {
                number.as_i64().is_some_and(|number| (*minimum..=*maximum).contains(&number))
            }
            (Self::Boolean, Json::Bool(_)) => true,
            _ => false,
        }
    }

    /// What somebody typed, as a value of its kind; what is none stays a text, and is refused as such.
    #[must_use]
    pub fn typed(&self, text: &str) -> Json {
        let read = match self {
            Self::Integer { .. } | Self::Boolean => serde_json::from_str(text.trim()).ok(),
            Self::OneOf(_) | Self::Text { .. } => None,
        };
        read.unwrap_or_else(|| text.into())
    }

    /// What it takes, as people say it.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Text { chars_max, pattern: None } => format!("a text of at most {chars_max} characters"),
            Self::Text { chars_max, pattern: Some(pattern) } => {
                let shown = pattern.as_str().trim_start_matches("\\A(?:").trim_end_matches(")\\z");
                format!("a text of at most {chars_max} characters like `{shown}`")
            }
            Self::Integer { minimum, maximum } => format!("a whole number from {minimum} to {maximum}"),
            Self::Boolean => "`true` or `false`".to_owned(),
        }
    }
}

impl Holes {
    /// Whether there are any: a definition without holes takes any input.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills all of them: what is given, and defaults where nothing is.
    ///
    /// # Errors
    /// Every [`HoleFault`].
    pub fn fill(&self, given: &Json) -> Result<Json, Vec<HoleFault>> {
        let Json::Object(given) = given else {
            return Err(vec![HoleFault::NoObject(self.listed())]);
        };
        let mut faults = Vec::new();
        for name in given.keys().filter(|name| !self.0.contains_key(name.as_str())) {
            faults.push(HoleFault::Unknown { name: cut(name), known: self.listed() });
        }
        let mut filled = Map::new();
        for (name, hole) in &self.0 {
            let takes = || hole.kind.in_words();
            match given.get(name.as_ref()).or(hole.default.as_ref()) {
                None => faults.push(HoleFault::Missing { name: name.clone(), takes: takes() }),
                Some(value) if hole.kind.takes(value) => drop(filled.insert(name.to_string(), value.clone())),
                Some(value) => {
                    let given = cut(&value.to_string());
                    faults.push(HoleFault::Outside { name: name.clone(), takes: takes(), given });
                }
            }
        }
        if faults.is_empty() { Ok(Json::Object(filled)) } else { Err(faults) }
    }

    /// The models whose words can be in what fills them: those that may fill a hole in words of their own.
    pub fn models(&self) -> impl Iterator<Item = &Name> {
        self.0.values().filter(|hole| !hole.kind.is_bounded()).flat_map(|hole| &hole.models)
    }

    fn listed(&self) -> String {
        self.0.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TOLD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holes() -> Holes {
        let hole = |kind, default| Hole { kind, models: BTreeSet::new(), default, description: None };
        let pattern = Kind::pattern("[a-z]+|[0-9]{3}").unwrap();
        Holes(BTreeMap::from([
            ("crew".into(), hole(Kind::OneOf(["day".into(), "night".into()].into()), None)),
            ("who".into(), hole(Kind::Text { chars_max: 5, pattern: Some(pattern) }, None)),
            ("times".into(), hole(Kind::Integer { minimum: 1, maximum: 3 }, Some(json!(1)))),
            ("loud".into(), hole(Kind::Boolean, Some(json!(false)))),
        ]))
    }

    #[test]
    fn what_is_within_its_type_fills_a_hole_and_the_rest_has_its_default() {
        let filled = holes().fill(&json!({ "crew": "day", "who": "fay", "loud": true })).unwrap();
        assert_eq!(filled, json!({ "crew": "day", "who": "fay", "times": 1, "loud": true }));
    }

    #[test]
    fn what_is_outside_of_its_type_is_told_with_what_the_hole_takes() {
        let told = |given: Json| {
            let faults = holes().fill(&given).unwrap_err();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let with = |name: &str, value: Json| {
            let mut given = json!({ "crew": "day", "who": "fay" });
            given[name] = value;
            given
        };
        let who = "`who` takes a text of at most 5 characters like `[a-z]+|[0-9]{3}`, and not ";
        for (given, expected) in [
            (with("crew", json!("dusk")), "`crew` takes one of `day`, `night`, and not \"dusk\"".to_owned()),
            (with("crew", json!(["day"])), "`crew` takes one of `day`, `night`, and not [\"day\"]".to_owned()),
            (with("who", json!("mallory")), format!("{who}\"mallory\"")),
            (with("who", json!("fay\n")), format!("{who}\"fay\\n\"")),
            (with("who", json!("f 1")), format!("{who}\"f 1\"")),
            (with("times", json!(4)), "`times` takes a whole number from 1 to 3, and not 4".to_owned()),
            (with("times", json!(1.5)), "`times` takes a whole number from 1 to 3, and not 1.5".to_owned()),
            (with("loud", json!("true")), "`loud` takes `true` or `false`, and not \"true\"".to_owned()),
            (
                with("more", json!(1)),
                "`more` is no hole of this template: it has `crew`, `loud`, `times`, `who`".to_owned(),
            ),
            (json!({ "who": "fay" }), "`crew` is not filled: it takes one of `day`, `night`".to_owned()),
            (json!([]), "a template is filled with an object of its holes: `crew`, `loud`, `times`, `who`".to_owned()),
        ] {
            assert_eq!(told(given), expected);
        }
    }

    #[test]
    fn a_pattern_is_one_of_its_own_and_not_too_large() {
        for text in ["a)|(?:.*", "(", "[a-z]{1000}{1000}"] {
            assert!(Kind::pattern(text).is_err(), "{text}");
        }
    }
}
