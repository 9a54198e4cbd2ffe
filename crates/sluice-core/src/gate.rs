//! The words of a gate question that every layer shares: effects, argument roles, verdicts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an action does to the world, the first thing policy asks about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing outside.
    Read,
    /// Changes data that stays with its owner.
    Write,
    /// Data leaves to a destination.
    Export,
    /// Gives somebody a right.
    Grant,
    /// Runs code or changes infrastructure.
    Execute,
    /// Tells a person something.
    Notify,
}

impl Effect {
    /// Every effect, in the order of their severity to a reader.
    pub const ALL: [Self; 6] = [Self::Read, Self::Write, Self::Export, Self::Grant, Self::Execute, Self::Notify];

    /// The word in contracts and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Export => "export",
            Self::Grant => "grant",
            Self::Execute => "execute",
            Self::Notify => "notify",
        }
    }

    /// Whether data crosses to somebody: what the export rules look at.
    #[must_use]
    pub const fn is_outbound(self) -> bool {
        matches!(self, Self::Export | Self::Notify)
    }

    /// Whether it hands out rights or runs code: what "privileged" means to the rules.
    #[must_use]
    pub const fn is_privileged(self) -> bool {
        matches!(self, Self::Grant | Self::Execute)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an argument decides about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who gets it.
    Recipient,
    /// Where it goes.
    Destination,
    /// What is sent or stored.
    Payload,
    /// What is looked up.
    Query,
    /// What is executed.
    Command,
    /// How much.
    Amount,
    /// Which object: a group, a file, an account.
    Reference,
}

impl Role {
    /// Every role; a gate question always has all of them.
    pub const ALL: [Self; 7] =
        [Self::Recipient, Self::Destination, Self::Payload, Self::Query, Self::Command, Self::Amount, Self::Reference];

    /// The word in contracts and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Destination => "destination",
            Self::Payload => "payload",
            Self::Query => "query",
            Self::Command => "command",
            Self::Amount => "amount",
            Self::Reference => "reference",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What policy is predicted to say of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every run of this version passes this gate, as far as labels go.
    Permit,
    /// Facts of the run decide.
    Runtime,
    /// It will wait for a person.
    Hold,
    /// No run passes.
    Forbid,
}

impl Verdict {
    /// The word people and machines read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Runtime => "runtime",
            Self::Hold => "hold",
            Self::Forbid => "forbid",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
