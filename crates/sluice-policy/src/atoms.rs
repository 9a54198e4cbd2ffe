//! The atoms of a label, written by name, as a gate request keeps them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sluice_core::label::{Atom, Label, Name, Universe};

/// A kind of data and who owns it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// `pii`, `phi`, …
    pub class: Name,
    /// A person or group of the principals register.
    pub owner: Name,
}

/// An owner's rule: only these purposes, or only these regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Whose rule.
    pub owner: Name,
    /// What the owner allows.
    pub allowed: BTreeSet<Name>,
}

/// A label by name. The rules are kept whole, so that what they refuse is worked out from the request's own purpose and
/// region, then and whenever the decision is checked again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtomSet {
    /// Kinds of data.
    pub categories: BTreeSet<Category>,
    /// Untrusted places that had a part in it.
    pub origins: BTreeSet<Name>,
    /// Lineage.
    pub datasets: BTreeSet<Name>,
    /// Owners' rules on purposes.
    pub purposes: BTreeSet<Rule>,
    /// Owners' rules on regions.
    pub regions: BTreeSet<Rule>,
    /// Something in it came without a contract's word.
    pub unknown: bool,
}

impl AtomSet {
    /// The atoms of `label`, which means something only inside `universe`.
    #[must_use]
    pub fn from_label(universe: &Universe, label: Label) -> Self {
        let mut set = Self { unknown: label.is_unknown(), ..Self::default() };
        for atom in universe.atoms(label) {
            set.insert(atom);
        }
        set
    }

    /// Adds one atom.
    pub fn insert(&mut self, atom: &Atom) {
        match atom {
            Atom::Category { owner, class } => {
                self.categories.insert(Category { class: class.clone(), owner: owner.clone() });
            }
            Atom::Origin(place) => {
                self.origins.insert(place.clone());
            }
            Atom::PurposesOnly { owner, allowed } => {
                self.purposes.insert(Rule { owner: owner.clone(), allowed: allowed.clone() });
            }
            Atom::RegionsOnly { owner, allowed } => {
                self.regions.insert(Rule { owner: owner.clone(), allowed: allowed.clone() });
            }
            Atom::Dataset(name) => {
                self.datasets.insert(name.clone());
            }
        }
    }

    /// Whether nothing is known against it: public, trusted, usable anywhere.
    #[must_use]
    pub fn is_bottom(&self) -> bool {
        *self == Self::default()
    }

    /// The least upper bound.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self {
            categories: &self.categories | &other.categories,
            origins: &self.origins | &other.origins,
            datasets: &self.datasets | &other.datasets,
            purposes: &self.purposes | &other.purposes,
            regions: &self.regions | &other.regions,
            unknown: self.unknown || other.unknown,
        }
    }

    /// Without these origins. What came without a contract's word stays unknown: nobody can vouch for what has no name.
    #[must_use]
    pub(crate) fn without_origins(&self, cleared: &BTreeSet<Name>) -> Self {
        Self { origins: &self.origins - cleared, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_keeps_every_known_atom_and_says_that_there_is_more() {
        let mut universe = Universe::new();
        universe.intern(Atom::Origin("tickets".into())).unwrap();
        let set = AtomSet::from_label(&universe, Label::TOP);
        assert!(set.unknown && set.origins.contains("tickets"));
        assert!(AtomSet::from_label(&universe, Label::BOTTOM).is_bottom());
    }
}
