//! What an entry tells: registered codes, in an open set.

use std::fmt;

/// What an entry tells. A number that is not registered yet is kept as it is: an old reader can
/// verify a newer log without understanding all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKind(u16);

macro_rules! registered {
    ($($(#[$doc:meta])+ $constant:ident = $code:literal, $name:literal;)+) => {
        impl EntryKind {
            $($(#[$doc])+ pub const $constant: Self = Self($code);)+

            /// Every registered kind, by code. Codes are never reused.
            pub const REGISTERED: &'static [Self] = &[$(Self::$constant),+];

            /// The name it is registered under.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($name),)+
                    _ => None,
                }
            }
        }
    };
}

registered! {
    /// A run began; the body names its program and closure digest.
    RUN_STARTED = 1, "run-started";
    /// A gate was asked and answered.
    DECISION = 2, "decision";
    /// A call is about to be made; durable before it is.
    INTENT = 3, "intent";
    /// What came back from a call.
    OUTCOME = 4, "outcome";
    /// A timer was set.
    TIMER_SET = 5, "timer-set";
    /// A timer went off.
    TIMER_FIRED = 6, "timer-fired";
    /// A run waits for people.
    HELD = 7, "held";
    /// A held run goes on.
    RESUMED = 8, "resumed";
    /// People were asked.
    APPROVAL_REQUESTED = 9, "approval-requested";
    /// A person approved.
    APPROVED = 10, "approved";
    /// A person denied.
    DENIED = 11, "denied";
    /// An approval or a request ran out.
    EXPIRED = 12, "expired";
    /// An approval was taken back.
    WITHDRAWN = 13, "withdrawn";
    /// A run came to its end.
    RUN_COMPLETED = 14, "run-completed";
    /// A gate stopped a run.
    RUN_REFUSED = 15, "run-refused";
    /// A fault that nothing caught ended a run.
    RUN_FAULTED = 16, "run-faulted";
    /// Nobody knows whether a call took effect.
    IN_DOUBT = 17, "in-doubt";
    /// It is known now.
    IN_DOUBT_RESOLVED = 18, "in-doubt-resolved";
    /// Closes a run: how many entries, and the root over them.
    MANIFEST = 19, "manifest";
    /// The first entry of a log: the bundle's signers.
    WORKSPACE_CREATED = 20, "workspace-created";
    /// Another policy bundle is in force.
    BUNDLE_CHANGED = 21, "bundle-changed";
    /// A workflow was proposed.
    PROPOSAL = 22, "proposal";
    /// The log was opened after a crash.
    RECOVERY = 23, "recovery";
    /// The clock went back, or far ahead.
    CLOCK_JUMPED = 24, "clock-jumped";
    /// A subject's data was erased.
    ERASED = 25, "erased";
    /// An agent laid down what it will call.
    PLAN = 26, "plan";
    /// Calls were stopped: of a tool, a connector, in somebody's name, or all.
    STOPPED = 27, "stopped";
    /// They go on.
    GOES_ON = 28, "goes-on";
    /// A connector broke its contract.
    INCIDENT = 29, "incident";
    /// A passkey stands for a person from now on.
    PASSKEY_ENROLLED = 30, "passkey-enrolled";
    /// It no longer does.
    PASSKEY_REMOVED = 31, "passkey-removed";
    /// Other people may sign the bundle.
    SIGNERS_CHANGED = 32, "signers-changed";
    /// A person had masked data shown to them.
    REVEALED = 33, "revealed";
    /// Somebody lets another person speak in their place, until a date.
    DELEGATED = 34, "delegated";
    /// They no longer do.
    DELEGATION_ENDED = 35, "delegation-ended";
    /// Somebody let one held step pass at once, without those who would have had to approve.
    BREAK_GLASS = 36, "break-glass";
    /// Somebody else looked at what was let through so.
    REVIEWED = 37, "reviewed";
    /// A server said something else of a tool than people have seen.
    DRIFTED = 38, "drifted";
}

impl EntryKind {
    /// The kind with this code, registered or not.
    #[must_use]
    pub const fn from_code(code: u16) -> Self {
        Self(code)
    }

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "kind-{}", self.0),
        }
    }
}

impl fmt::Debug for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryKind({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_run_from_one_without_a_gap_and_names_differ() {
        let codes: Vec<u16> = EntryKind::REGISTERED.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, (1..=38).collect::<Vec<_>>());
        let names: std::collections::BTreeSet<_> = EntryKind::REGISTERED.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), codes.len());
        assert_eq!(EntryKind::from_code(900).to_string(), "kind-900");
    }
}
