//! Whose data a reply is: what must become unreadable when one of them is erased.
//!
//! A contract says where a reply names its data subjects (`output.subject`). What is sealed later of the run that
//! read it is sealed under a key of each of them, so the rule here is one-sided: where it cannot be told whose data
//! something is, it counts as anybody's, and is erased with whoever is erased first.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::catalogue::{Pattern, Segment};
use crate::label::Name;
use crate::limits::SUBJECTS_MAX;

/// Whose data something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// Of these, as their source names them; of nobody, if there are none.
    Named(BTreeSet<Name>),
    /// It cannot be told, or they are more than [`SUBJECTS_MAX`].
    Anybody,
}

impl Default for Subjects {
    fn default() -> Self {
        Self::NOBODY
    }
}

impl Subjects {
    /// Nobody's.
    pub const NOBODY: Self = Self::Named(BTreeSet::new());

    /// Whose data a reply is by its contract's word: the texts and numbers at `pattern`, a number as JSON writes it.
    ///
    /// A record without its subject, or with one that names nobody (`null`, an empty text, a truth value, a list), is
    /// anybody's. A list without elements, and a `null` in place of a record, are nobody's.
    #[must_use]
    pub fn at(pattern: &Pattern, reply: &Json) -> Self {
        let mut named = BTreeSet::new();
        if collect(&pattern.0, reply, &mut named) { Self::Named(named) } else { Self::Anybody }
    }

    /// The data of both together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Named(mut ours), Self::Named(theirs)) => {
                ours.extend(theirs);
                if ours.len() > SUBJECTS_MAX { Self::Anybody } else { Self::Named(ours) }
            }
            _ => Self::Anybody,
        }
    }
}

/// Gathers those that are named below; `false` if one could not be told, or they are too many.
fn collect(rest: &[Segment], value: &Json, named: &mut BTreeSet<Name>) -> bool {
    let Some((segment, rest)) = rest.split_first() else {
        return name_of(value).is_some_and(|name| {
            named.insert(name);
            named.len() <= SUBJECTS_MAX
        });
    };
    match (segment, value) {
        (_, Json::Null) => true,
        (Segment::Any, Json::Array(items)) => items.iter().all(|item| collect(rest, item, named)),
        (Segment::Any, Json::Object(fields)) => fields.values().all(|field| collect(rest, field, named)),
        (Segment::Key(key), Json::Object(fields)) => {
            fields.get(key.as_ref()).is_some_and(|field| collect(rest, field, named))
        }
        (Segment::Key(key), Json::Array(items)) => {
            key.parse().ok().and_then(|at: usize| items.get(at)).is_some_and(|item| collect(rest, item, named))
        }
        _ => false,
    }
}

fn name_of(value: &Json) -> Option<Name> {
    match value {
        Json::String(text) if !text.is_empty() => Some(text.as_str().into()),
        Json::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(pattern: &str, reply: &Json) -> Subjects {
        Subjects::at(&Pattern::parse(pattern).unwrap(), reply)
    }

    fn named(names: &[&str]) -> Subjects {
        Subjects::Named(names.iter().map(|&name| name.into()).collect())
    }

    #[test]
    fn texts_and_numbers_at_the_pattern_name_the_subjects() {
        for (pattern, reply, names) in [
            ("/*/id", json!([{"id": 7, "n": "x"}, {"id": "ann"}, {"id": 7}]), vec!["7", "ann"]),
            ("/accounts/*/id", json!({"accounts": [{"id": -1}, {"id": 1.5}], "next": null}), vec!["-1", "1.5"]),
            ("/requester", json!({"requester": "emil@example.com"}), vec!["emil@example.com"]),
            ("", json!("ann"), vec!["ann"]),
            ("/0", json!(["ann", "bob"]), vec!["ann"]),
            ("/*/id", json!({"a": {"id": "ann"}}), vec!["ann"]),
            ("/*/id", json!([]), vec![]),
            ("/*/id", json!([null]), vec![]),
            ("/accounts/*/id", Json::Null, vec![]),
        ] {
            assert_eq!(at(pattern, &reply), named(&names), "{pattern} of {reply}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_anybodys() {
        for (pattern, reply) in [
            ("/*/id", json!([{"id": "ann"}, {"name": "Bob"}])),
            ("/*/id", json!([{"id": "ann"}, {"id": null}])),
            ("/*/id", json!([{"id": ""}])),
            ("/*/id", json!([{"id": true}])),
            ("/*/id", json!([{"id": ["ann"]}])),
            ("/*/id", json!([{"id": {"id": "ann"}}])),
            ("/*/id", json!(["ann"])),
            ("/accounts/*/id", json!({"error": "ann is not here"})),
            ("/id", json!("ann")),
            ("", Json::Null),
        ] {
            assert_eq!(at(pattern, &reply), Subjects::Anybody, "{pattern} of {reply}");
        }
    }

    #[test]
    fn more_than_can_be_told_apart_are_anybody() {
        let ids = |range: std::ops::Range<usize>| json!(range.map(|id| json!({ "id": id })).collect::<Vec<_>>());
        let most = at("/*/id", &ids(0..SUBJECTS_MAX));
        assert!(matches!(&most, Subjects::Named(named) if named.len() == SUBJECTS_MAX));
        assert_eq!(at("/*/id", &ids(0..SUBJECTS_MAX + 1)), Subjects::Anybody);
        assert_eq!(most.clone().join(most.clone()), most);
        assert_eq!(most.join(named(&["one more"])), Subjects::Anybody);
        assert_eq!(Subjects::Anybody.join(Subjects::NOBODY), Subjects::Anybody);
    }
}
