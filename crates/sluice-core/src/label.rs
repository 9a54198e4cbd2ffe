//! Labels: what is known of one value.
//!
//! A label is one bitset over interned [`Atom`]s. Join is OR, `flows_to` is subset, so all four kinds of
//! knowledge (categories, origins, forbidden purposes and regions) grow the same way: more label never helps.
//! Atoms are written by name and never by index; an index means something only inside its [`Universe`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::limits::ATOMS_MAX;

/// An identifier from a contract or register.
pub type Name = Arc<str>;

/// One thing that can be known of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// A kind of data and who owns it.
    Category {
        /// A person or group of the principals register.
        owner: Name,
        /// `pii`, `phi`, `financial`, …
        class: Name,
    },
    /// An untrusted place that influenced the value: `crm`, `person:ana`, `model:m`, `author`.
    Origin(Name),
    /// The owner's rule on purposes; every purpose not listed is forbidden, also one registered later.
    PurposesOnly {
        /// Whose rule.
        owner: Name,
        /// What the owner allows.
        allowed: BTreeSet<Name>,
    },
    /// The owner's rule on regions; every region not listed is forbidden, also one registered later.
    RegionsOnly {
        /// Whose rule.
        owner: Name,
        /// What the owner allows.
        allowed: BTreeSet<Name>,
    },
    /// Lineage: the dataset that a value was read from. Never cleared.
    Dataset(Name),
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &BTreeSet<Name>| names.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
        match self {
            Self::Category { owner, class } => write!(f, "category:{class}@{owner}"),
            Self::Origin(place) => write!(f, "origin:{place}"),
            Self::PurposesOnly { owner, allowed } => write!(f, "purposes:{owner} only {{{}}}", list(allowed)),
            Self::RegionsOnly { owner, allowed } => write!(f, "regions:{owner} only {{{}}}", list(allowed)),
            Self::Dataset(name) => write!(f, "dataset:{name}"),
        }
    }
}

/// The index of an atom inside one [`Universe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtomId(u8);

/// More atoms than one analysis can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more than {ATOMS_MAX} categories, origins, rules and datasets meet in one analysis")]
pub struct TooManyAtoms;

/// The atoms that one analysis or run knows, in the order they were interned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Universe {
    atoms: Vec<Atom>,
    ids: BTreeMap<Atom, AtomId>,
}

impl Universe {
    /// An empty universe.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of `atom`, new or known.
    ///
    /// # Errors
    /// [`TooManyAtoms`] at the bound [`ATOMS_MAX`].
    pub fn intern(&mut self, atom: Atom) -> Result<AtomId, TooManyAtoms> {
        if let Some(id) = self.ids.get(&atom) {
            return Ok(*id);
        }
        if self.atoms.len() >= ATOMS_MAX {
            return Err(TooManyAtoms);
        }
        let id = AtomId(u8::try_from(self.atoms.len()).map_err(|_| TooManyAtoms)?);
        self.atoms.push(atom.clone());
        self.ids.insert(atom, id);
        Ok(id)
    }

    /// The id of a known atom.
    #[must_use]
    pub fn id(&self, atom: &Atom) -> Option<AtomId> {
        self.ids.get(atom).copied()
    }

    /// The label of one atom; ⊤ for an atom this universe does not know, so that forgetting to intern one cannot launder.
    #[must_use]
    pub fn label(&self, atom: &Atom) -> Label {
        self.id(atom).map_or(Label::TOP, Label::of)
    }

    /// The known atoms of a label, in interning order. ⊤ lists all of them; see also [`Label::is_unknown`].
    pub fn atoms(&self, label: Label) -> impl Iterator<Item = &Atom> {
        self.atoms.iter().zip(0_u8..).filter(move |(_, i)| label.contains(AtomId(*i))).map(|(a, _)| a)
    }

    /// Every atom.
    pub fn all(&self) -> impl Iterator<Item = &Atom> {
        self.atoms.iter()
    }

    /// The label that holds exactly the known atoms for which `keep` says yes.
    #[must_use]
    pub fn select(&self, keep: impl Fn(&Atom) -> bool) -> Label {
        self.atoms
            .iter()
            .zip(0_u8..)
            .filter(|(a, _)| keep(a))
            .fold(Label::BOTTOM, |l, (_, i)| l.join(Label::of(AtomId(i))))
    }

    /// The origins of a label: its known origin atoms, and the "unknown" bit if it is set.
    #[must_use]
    pub fn origins(&self, label: Label) -> Label {
        label.meet(self.select(|a| matches!(a, Atom::Origin(_))).join(Label::UNKNOWN))
    }

    /// The names of a label's atoms, sorted, with `unknown` for what no contract vouched for.
    #[must_use]
    pub fn names(&self, label: Label) -> Vec<String> {
        if label.is_unknown() {
            return vec!["unknown".to_owned()];
        }
        let mut names: Vec<String> = self.atoms(label).map(ToString::to_string).collect();
        names.sort();
        names
    }
}

const WORDS: usize = 4;
/// The bit that no atom gets: set in ⊤, and in whatever ⊤ was joined into.
const UNKNOWN_BIT: u8 = 255;

/// A set of atoms.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label([u64; WORDS]);

impl Label {
    /// Public, trusted, usable anywhere.
    pub const BOTTOM: Self = Self([0; WORDS]);
    /// Everything, and what cannot be named: the label of what enters without a contract's word.
    pub const TOP: Self = Self([u64::MAX; WORDS]);
    /// The bit alone that says "no contract vouched for this".
    pub const UNKNOWN: Self = Self([0, 0, 0, 1 << 63]);

    /// The label of one atom.
    #[must_use]
    pub const fn of(id: AtomId) -> Self {
        let bit = 1_u64 << (id.0 & 63);
        match id.0 >> 6 {
            0 => Self([bit, 0, 0, 0]),
            1 => Self([0, bit, 0, 0]),
            2 => Self([0, 0, bit, 0]),
            _ => Self([0, 0, 0, bit]),
        }
    }

    /// The least upper bound.
    #[must_use]
    pub const fn join(self, other: Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        Self([a | e, b | f, c | g, d | h])
    }

    /// What both have.
    #[must_use]
    pub const fn meet(self, other: Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        Self([a & e, b & f, c & g, d & h])
    }

    /// Without the atoms of `other`. Only a permitted release may call this on what it writes.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        let (Self([a, b, c, d]), Self([e, f, g, h])) = (self, other);
        Self([a & !e, b & !f, c & !g, d & !h])
    }

    /// `self ⊑ other`: whatever may see `other` may see `self`.
    #[must_use]
    pub fn flows_to(self, other: Self) -> bool {
        self.without(other) == Self::BOTTOM
    }

    /// Whether it holds the atom.
    #[must_use]
    pub fn contains(self, id: AtomId) -> bool {
        Self::of(id).flows_to(self)
    }

    /// Whether something without a contract's word is in it.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        self.contains(AtomId(UNKNOWN_BIT))
    }

    /// The join of many.
    #[must_use]
    pub fn join_all(labels: impl IntoIterator<Item = Self>) -> Self {
        labels.into_iter().fold(Self::BOTTOM, Self::join)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(words) = self;
        match *self {
            Self::TOP => f.write_str("⊤"),
            Self::BOTTOM => f.write_str("⊥"),
            _ => {
                let ids = (0..=UNKNOWN_BIT)
                    .filter(|i| words.get(usize::from(i >> 6)).is_some_and(|w| w >> (i & 63) & 1 == 1));
                f.debug_set().entries(ids).finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label() -> impl Strategy<Value = Label> {
        proptest::collection::vec(any::<u8>(), 0..20)
            .prop_map(|ids| Label::join_all(ids.into_iter().map(|i| Label::of(AtomId(i)))))
    }

    proptest! {
        #[test]
        fn join_is_the_least_upper_bound(a in label(), b in label(), c in label()) {
            prop_assert!(a.flows_to(a.join(b)) && b.flows_to(a.join(b)));
            prop_assert!(!(a.flows_to(c) && b.flows_to(c)) || a.join(b).flows_to(c));
        }

        #[test]
        fn flows_to_is_a_partial_order(a in label(), b in label(), c in label()) {
            prop_assert!(a.flows_to(a));
            prop_assert!(!(a.flows_to(b) && b.flows_to(a)) || a == b);
            prop_assert!(!(a.flows_to(b) && b.flows_to(c)) || a.flows_to(c));
        }

        #[test]
        fn everything_flows_to_top(a in label()) {
            prop_assert!(a.flows_to(Label::TOP) && Label::BOTTOM.flows_to(a));
        }
    }

    #[test]
    fn the_unknown_bit_is_no_atom() {
        let mut universe = Universe::new();
        for i in 0..ATOMS_MAX {
            universe.intern(Atom::Origin(format!("o{i}").into())).unwrap();
        }
        assert_eq!(universe.intern(Atom::Origin("one too many".into())), Err(TooManyAtoms));
        assert!(!universe.select(|_| true).is_unknown());
        assert!(Label::TOP.is_unknown());
        assert_eq!(universe.select(|_| true).join(Label::UNKNOWN), Label::TOP);
    }

    #[test]
    fn an_atom_that_was_never_interned_is_top() {
        assert_eq!(Universe::new().label(&Atom::Origin("x".into())), Label::TOP);
    }
}
