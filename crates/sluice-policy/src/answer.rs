//! What the gate says.

use std::fmt;

use sluice_core::gate::{Effect, Verdict};
use sluice_core::label::Name;

use crate::remedy::{Remedy, RemedyKind};

/// The name of a policy: its `@id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(pub Name);

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happens to the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be made.
    Permit {
        /// The permits that cover it.
        policies: Vec<PolicyId>,
    },
    /// It may not.
    Forbid {
        /// The forbids that stop it; none if no permit covers it.
        policies: Vec<PolicyId>,
        /// What could not be evaluated. Not empty means forbidden, whatever the policies say.
        errors: Vec<String>,
    },
    /// It may once the remedies are applied.
    Hold {
        /// The forbids that stop it.
        policies: Vec<PolicyId>,
        /// What would lift them, all of them together.
        remedies: Vec<Remedy>,
    },
}

impl Decision {
    /// The policies that determined it.
    #[must_use]
    pub fn policies(&self) -> &[PolicyId] {
        match self {
            Self::Permit { policies } | Self::Forbid { policies, .. } | Self::Hold { policies, .. } => policies,
        }
    }

    /// Whether the call may be made now.
    #[must_use]
    pub const fn is_permit(&self) -> bool {
        matches!(self, Self::Permit { .. })
    }

    /// The word for it. Whether a prediction may say it is the verifier's to judge: see [`Bundle::antitone`] and
    /// [`Bundle::reads_run_facts`].
    ///
    /// [`Bundle::antitone`]: crate::Bundle::antitone
    /// [`Bundle::reads_run_facts`]: crate::Bundle::reads_run_facts
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Permit { .. } => Verdict::Permit,
            Self::Hold { .. } => Verdict::Hold,
            Self::Forbid { .. } => Verdict::Forbid,
        }
    }

    /// Whether people alone can lift it: every remedy is an approval, and nothing in the workflow must change.
    #[must_use]
    pub fn can_be_approved(&self) -> bool {
        matches!(self, Self::Hold { remedies, .. } if remedies.iter().all(|r| r.kind == RemedyKind::Approval))
    }
}

/// One reason, for the people who own the workflow or the data. Agents get the code and the policy's id only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The policy it comes from.
    pub policy: Option<PolicyId>,
    /// In words.
    pub words: String,
}

/// A decision with all that explains it and lets it be taken again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of which effect the question was.
    pub effect: Effect,
    /// What happens to the call.
    pub decision: Decision,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Canonical bytes of the request.
    pub request_bytes: Vec<u8>,
    /// Canonical bytes of the entities that policy could look at.
    pub entities_bytes: Vec<u8>,
}
