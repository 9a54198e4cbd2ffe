//! Conditions of any engine, and what is known of values where one turned out true, or false.

use std::collections::BTreeMap;

use super::Admits;

/// Most parts of which one condition, or several in a row, say something. Of further ones nothing is known: what a text can
/// list would otherwise be work for every way out of it.
const PARTS_MAX: usize = 64;

/// What surely holds, by the part that it holds of.
pub(crate) type Known<S> = BTreeMap<S, Admits>;

/// A condition about parts of what the importer names by `S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition<S> {
    /// The value there is one of these.
    Is(S, Admits),
    /// The other way round.
    Not(Box<Self>),
    /// All of them hold.
    All(Vec<Self>),
    /// Any of them holds.
    Any(Vec<Self>),
    /// What is known if it turned out so, and what if not, where the one is not the other way round.
    Told { so: Known<S>, not: Known<S> },
    /// Anything else.
    Unknown,
}

impl<S: Ord + Clone> Condition<S> {
    /// What is known if it turned out so.
    pub(crate) fn known(&self, holds: bool) -> Known<S> {
        match self {
            Self::Is(subject, admits) if holds => [(subject.clone(), admits.clone())].into(),
            Self::Is(..) | Self::Unknown => Known::new(),
            Self::Told { so, not } => if holds { so } else { not }.clone(),
            Self::Not(inner) => inner.known(!holds),
            Self::All(parts) | Self::Any(parts) => {
                let each = parts.iter().map(|part| part.known(holds));
                if matches!(self, Self::All(_)) == holds {
                    each.fold(Known::new(), both)
                } else {
                    each.reduce(either).unwrap_or_default()
                }
            }
        }
    }

    /// The other way round.
    pub(crate) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Itself, if something else holds of the text, too.
    pub(crate) fn filter(self, keep: bool) -> Self {
        if keep { self } else { Self::Unknown }
    }
}

/// What is known if both hold. The first that is known of a part will do.
pub(crate) fn both<S: Ord>(mut known: Known<S>, more: Known<S>) -> Known<S> {
    for (subject, admits) in more {
        if known.len() < PARTS_MAX {
            known.entry(subject).or_insert(admits);
        }
    }
    known
}

/// What is known if one of them holds, and nobody knows which.
pub(crate) fn either<S: Ord>(a: Known<S>, mut b: Known<S>) -> Known<S> {
    let both = a.into_iter().filter_map(|(subject, x)| {
        let y = b.remove(&subject)?;
        Some((subject, x.or(y)?))
    });
    both.collect()
}

/// Conditions that are tried in order, up to the first that holds.
#[derive(Clone, Debug)]
pub(crate) struct InOrder<S> {
    so_far: Known<S>,
}

impl<S: Ord + Clone> InOrder<S> {
    pub(crate) const fn new() -> Self {
        Self { so_far: Known::new() }
    }

    /// What is known where the next one holds, and none before it did.
    pub(crate) fn next(&mut self, condition: &Condition<S>) -> Known<S> {
        let here = both(condition.known(true), self.so_far.clone());
        self.so_far = both(std::mem::take(&mut self.so_far), condition.known(false));
        here
    }

    /// What is known where none of them held.
    pub(crate) fn otherwise(self) -> Known<S> {
        self.so_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(subject: &str) -> Condition<String> {
        Condition::Is(subject.to_owned(), Admits::Listed)
    }

    fn subjects(known: Known<String>) -> Vec<String> {
        known.into_keys().collect()
    }

    #[test]
    fn what_is_known_follows_from_how_a_condition_turned_out() {
        let number = || Condition::Is("a".to_owned(), Admits::Number);
        for (what, condition, if_true, if_false) in [
            ("one", is("a"), vec!["a"], vec![]),
            ("not one", is("a").not(), vec![], vec!["a"]),
            ("both", Condition::All(vec![is("a"), is("b")]), vec!["a", "b"], vec![]),
            ("either of two parts", Condition::Any(vec![is("a"), is("b")]), vec![], vec![]),
            ("either about one part", Condition::Any(vec![is("a"), is("a")]), vec!["a"], vec![]),
            ("either of two kinds", Condition::Any(vec![is("a"), number()]), vec![], vec![]),
            ("neither is wrong", Condition::Any(vec![is("a").not(), is("b").not()]), vec![], vec!["a", "b"]),
            ("beside what is not understood", Condition::All(vec![is("a"), Condition::Unknown]), vec!["a"], vec![]),
            ("or what is not understood", Condition::Any(vec![is("a"), Condition::Unknown]), vec![], vec![]),
            ("no condition", Condition::All(vec![]), vec![], vec![]),
        ] {
            assert_eq!(subjects(condition.known(true)), if_true, "{what}");
            assert_eq!(subjects(condition.known(false)), if_false, "{what}");
        }
    }

    #[test]
    fn the_next_of_several_holds_where_none_before_it_did() {
        let mut ways = InOrder::new();
        assert_eq!(subjects(ways.next(&is("a").not())), [""; 0]);
        assert_eq!(subjects(ways.next(&is("b"))), ["a", "b"]);
        assert_eq!(subjects(ways.otherwise()), ["a"]);
    }

    #[test]
    fn of_more_parts_than_are_kept_nothing_is_known() {
        let many = Condition::All((0..PARTS_MAX * 2).map(|n| is(&n.to_string())).collect());
        assert_eq!(many.known(true).len(), PARTS_MAX);
    }
}
