//! What inspection finds in a reply, and what it raises.
//!
//! A contract says what a reply holds; inspection looks whether it does. What it finds only ever raises labels. How it
//! looks is `sluice-inspect`'s; here is what the engine and the record need of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalogue::Pattern;
use crate::label::{Label, Name};

/// A kind of thing that inspection looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finder {
    /// Numbers of payment cards.
    Card,
    /// Numbers of bank accounts.
    Iban,
    /// Numbers under which states know people.
    NationalId,
    /// E-mail addresses.
    Email,
    /// Phone numbers in international form.
    Phone,
    /// Places on the globe.
    Coordinates,
    /// Keys, tokens and passwords.
    Secret,
}

impl Finder {
    /// Every one, in order.
    pub const ALL: [Self; 7] =
        [Self::Card, Self::Iban, Self::NationalId, Self::Email, Self::Phone, Self::Coordinates, Self::Secret];

    /// As registers and entries write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Iban => "iban",
            Self::NationalId => "national-id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Coordinates => "coordinates",
            Self::Secret => "secret",
        }
    }

    /// The class of data that it finds where the classification register has one of this name and says nothing else.
    #[must_use]
    pub const fn default_class(self) -> &'static str {
        match self {
            Self::Card | Self::Iban => "financial",
            Self::NationalId | Self::Email | Self::Phone => "pii",
            Self::Coordinates => "location",
            Self::Secret => "credential",
        }
    }
}

impl fmt::Display for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that a reply holds and its contract does not say of that place. Never the thing itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What kind of thing.
    pub finder: Finder,
    /// By which of the finder's rules.
    pub rule: Name,
    /// Where: indexes stand as `*`. Its keys may be somebody's data.
    #[serde(with = "written")]
    pub at: Pattern,
    /// How often.
    pub count: u64,
}

/// What each finder's findings are labelled. One that is absent finds what nobody classifies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(BTreeMap<Finder, Label>);

impl Findings {
    /// From what each raises.
    #[must_use]
    pub fn new(raises: impl IntoIterator<Item = (Finder, Label)>) -> Self {
        Self(raises.into_iter().collect())
    }

    /// Whether nobody classifies anything: then there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a finding of this finder is labelled; nothing, if nobody classifies it.
    #[must_use]
    pub fn raises(&self, finder: Finder) -> Option<Label> {
        self.0.get(&finder).copied()
    }

    /// The places of a reply that are raised by what was found in it, each with what it gets.
    #[must_use]
    pub fn raised(&self, found: &[Found]) -> Vec<(Pattern, Label)> {
        found.iter().filter_map(|one| Some((one.at.clone(), self.raises(one.finder)?))).collect()
    }
}

/// A pattern as contracts write it.
mod written {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::catalogue::Pattern;

    pub(super) fn serialize<S: Serializer>(pattern: &Pattern, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(pattern)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pattern, D::Error> {
        let text = String::deserialize(from)?;
        Pattern::parse(&text).ok_or_else(|| D::Error::custom("not a path"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::catalogue::{LabelTree, Segment};
    use crate::label::{Atom, Universe};
    use crate::value::{Data, Value};

    const PII: u8 = 0;

    fn label(bits: u8) -> Label {
        let mut universe = Universe::new();
        let ids: Vec<_> = (0..8).map(|i| universe.intern(Atom::Origin(format!("o{i}").into())).unwrap()).collect();
        Label::join_all(ids.into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, id)| Label::of(id)))
    }

    fn json_tree() -> impl Strategy<Value = Json> {
        let leaf =
            prop_oneof![Just(Json::Null), any::<i32>().prop_map(Json::from), "[ab*/~]{0,3}".prop_map(Json::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::btree_map("[ab*/~]{0,2}", inner, 0..4)
                    .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        let segment = prop_oneof![Just(Segment::Any), "[ab/~]{1,2}".prop_map(|key| Segment::Key(key.as_str().into()))];
        proptest::collection::vec(segment, 0..4).prop_map(Pattern)
    }

    /// Whether no node of `high` has less than the same one of `low`.
    fn is_above(high: &Value, low: &Value) -> bool {
        low.label.flows_to(high.label)
            && match (&high.data, &low.data) {
                (Data::Array(high), Data::Array(low)) => high.iter().zip(low.iter()).all(|(h, l)| is_above(h, l)),
                (Data::Object(high), Data::Object(low)) => low.iter().all(|(key, l)| is_above(&high[key], l)),
                (high, low) => high == low,
            }
    }

    proptest! {
        #[test]
        fn what_is_found_never_lowers_a_label(
            reply in json_tree(),
            labels in proptest::collection::vec((pattern(), any::<u8>()), 0..3),
            found in proptest::collection::vec((pattern(), any::<u8>()), 0..4),
            base in any::<u8>(),
        ) {
            let labels = labels.into_iter().map(|(pattern, bits)| (pattern, label(bits))).collect();
            let tree = LabelTree { labels, trust: Vec::new(), origin: Label::BOTTOM };
            let raised: Vec<_> = found.into_iter().map(|(pattern, bits)| (pattern, label(bits))).collect();
            let plain = tree.labelled(&reply, label(base));
            let raised_value = tree.labelled_with(&reply, label(base), &raised);
            prop_assert!(is_above(&raised_value, &plain));
            prop_assert_eq!(raised_value.to_json(), plain.to_json());
        }

        #[test]
        fn a_pattern_is_read_as_it_is_written(pattern in pattern()) {
            prop_assert_eq!(Pattern::parse(&pattern.to_string()), Some(pattern));
        }
    }

    #[test]
    fn what_was_found_is_raised_where_it_was_found_and_nowhere_else() {
        let root = vec![(Pattern::default(), Label::BOTTOM)];
        let tree = LabelTree { labels: root, trust: Vec::new(), origin: Label::BOTTOM };
        let findings = Findings::new([(Finder::Email, label(1 << PII))]);
        let at = |text: &str, finder| Found { finder, rule: "x".into(), at: Pattern::parse(text).unwrap(), count: 1 };
        let raised = findings.raised(&[at("/*/mail", Finder::Email), at("", Finder::Phone)]);
        let value = tree.labelled_with(&json!([{"mail": "a", "id": 1}]), Label::BOTTOM, &raised);
        let Data::Array(items) = &value.data else { panic!("{value:?}") };
        let Data::Object(fields) = &items[0].data else { panic!("{value:?}") };
        assert_eq!((value.label, items[0].label, fields["id"].label), (Label::BOTTOM, Label::BOTTOM, Label::BOTTOM));
        assert_eq!(fields["mail"].label, label(1 << PII));
    }

    #[test]
    fn a_finding_is_kept_with_its_place_as_contracts_write_it() {
        let found = Found {
            finder: Finder::NationalId,
            rule: "fr-nir".into(),
            at: Pattern::parse("/people/*/a~1b").unwrap(),
            count: 2,
        };
        let kept = serde_json::to_value(&found).unwrap();
        assert_eq!(kept, json!({"finder": "national-id", "rule": "fr-nir", "at": "/people/*/a~1b", "count": 2}));
        assert_eq!(serde_json::from_value::<Found>(kept).unwrap(), found);
        let names: Vec<&str> = Finder::ALL.map(Finder::name).to_vec();
        let kept: Vec<Json> = Finder::ALL.iter().map(|finder| serde_json::to_value(finder).unwrap()).collect();
        assert_eq!(kept, names, "registers and records write the same word");
    }
}
