//! What a token is good for, and for whom each of it is.

use sluice_core::contract::principals::Kind;

/// One thing that a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To see what its principal may see.
    Read,
    /// To put definitions before people.
    Propose,
    /// To start and cancel runs of its principal.
    Run,
    /// To bring a person's word, which their passkey or key signs.
    Approve,
    /// To stop calls.
    Stop,
    /// To let calls go on that were stopped. A token that stops does not let go on.
    GoOn,
    /// To ask what policy says (AuthZEN).
    Evaluate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Propose, Self::Run, Self::Approve, Self::Stop, Self::GoOn, Self::Evaluate];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Propose => "propose",
            Self::Run => "run",
            Self::Approve => "approve",
            Self::Stop => "stop",
            Self::GoOn => "go-on",
            Self::Evaluate => "evaluate",
        }
    }

    /// The scope of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == word)
    }
}

/// Whether a scope is for a kind of principal. Only people decide, stop and let go on; a model proposes and reads, and starts nothing.
#[must_use]
pub const fn is_for(scope: Scope, kind: Kind) -> bool {
    match kind {
        Kind::Person => true,
        Kind::Service => matches!(scope, Scope::Read | Scope::Propose | Scope::Run | Scope::Evaluate),
        Kind::Model => matches!(scope, Scope::Read | Scope::Propose),
        Kind::Group => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_people_approve_and_stop() {
        for kind in [Kind::Service, Kind::Model, Kind::Group] {
            for scope in [Scope::Approve, Scope::Stop, Scope::GoOn] {
                assert!(!is_for(scope, kind), "{kind:?}: {scope:?}");
            }
        }
        assert!(Scope::ALL.into_iter().all(|scope| is_for(scope, Kind::Person) && !is_for(scope, Kind::Group)));
        assert!(!is_for(Scope::Run, Kind::Model));
        assert!(Scope::ALL.into_iter().all(|scope| Scope::named(scope.name()) == Some(scope)));
    }
}
