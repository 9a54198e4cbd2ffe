//! What changed between two versions of an object, for the people who approved the first one.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Every difference, one line each: where, and what is there now. Nothing is left out.
#[must_use]
pub(crate) fn difference(before: &Json, after: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", before, after, &mut lines);
    lines
}

fn compare(at: &str, before: &Json, after: &Json, lines: &mut Vec<String>) {
    let place = if at.is_empty() { "/" } else { at };
    match (before, after) {
        (before, after) if before == after => {}
        (Json::Object(old), Json::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let at = format!("{at}/{key}");
                match (old.get(key), new.get(key)) {
                    (Some(old), Some(new)) => compare(&at, old, new, lines),
                    (Some(old), None) => lines.push(format!("{at}: {old} is gone")),
                    (None, Some(new)) => lines.push(format!("{at}: {new} is new")),
                    (None, None) => {}
                }
            }
        }
        // Members of a group: who came and who went, wherever in the list. An order alone is a difference too.
        (Json::Array(old), Json::Array(new)) => {
            let gone = old.iter().filter(|item| !new.contains(item)).map(|item| format!("{place}: {item} is gone"));
            let came = new.iter().filter(|item| !old.contains(item)).map(|item| format!("{place}: {item} is new"));
            let found = lines.len();
            lines.extend(gone.chain(came));
            if lines.len() == found {
                lines.push(format!("{place}: the order or number of its entries changed"));
            }
        }
        _ => lines.push(format!("{place}: {before} became {after}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(before: &Json, after: &Json) -> String {
        difference(before, after).join("; ")
    }

    #[test]
    fn members_that_came_and_went_are_named() {
        let (before, after) = (json!({"members": ["ana", "ben"], "v": 1}), json!({"members": ["ben", "eve"], "v": 2}));
        assert_eq!(changed(&before, &after), "/members: \"ana\" is gone; /members: \"eve\" is new; /v: 1 became 2");
    }

    #[test]
    fn no_difference_is_silent() {
        assert_eq!(changed(&json!({"a": 1}), &json!({"a": 1})), "");
        assert_eq!(changed(&json!(["a", "b"]), &json!(["b", "a"])), "/: the order or number of its entries changed");
        assert_eq!(changed(&json!({"a": 1}), &json!({"b": [1]})), "/a: 1 is gone; /b: [1] is new");
        assert_eq!(changed(&json!("a"), &json!(null)), "/: \"a\" became null");
    }
}
