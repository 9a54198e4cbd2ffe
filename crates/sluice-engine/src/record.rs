//! What a run leaves in the ledger: facts from which it can be rebuilt, and the part of each that everyone may read.
//!
//! The entry's body holds no value of the workflow and no identity; those are in the payload, which the
//! store seals. The payload's layout is versioned by [`crate::INTERPRETER_VERSION`] in the first fact.

use serde::{Deserialize, Serialize};
use sluice_core::subject::Subjects;
use sluice_ledger::cbor::Map;
use sluice_ledger::{EntryKind, RunId};
use thiserror::Error;

use crate::state::{CallOutcome, GateAnswer, Resolution, Start, TokenId};

/// One durable transition of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which run.
    pub run: RunId,
    /// When, by the engine's clock.
    pub time_ms: u64,
    /// What happened.
    pub fact: Fact,
    /// Whose data the fact may hold: what the store seals it under. Not stored; a replay finds it anew.
    pub subjects: Subjects,
}

/// What happened, in the words that replay reads back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fact")]
pub enum Fact {
    /// The run began.
    Started(Box<Start>),
    /// An agent laid down what it will call.
    Planned {
        /// As it wrote it.
        plan: serde_json::Value,
    },
    /// The gate answered.
    Decided {
        /// Whose question.
        token: TokenId,
        /// The node that calls.
        node: u32,
        /// `connector.action`; of a value, `release` or `endorse`.
        action: String,
        /// The effect key, in hex.
        key: String,
        /// The answer with its receipt.
        answer: GateAnswer,
    },
    /// A person is asked.
    ApprovalRequested {
        /// Whose question.
        token: TokenId,
        /// The approval's id.
        approval: String,
    },
    /// A held line of control goes on: its gate was asked again and gave another answer.
    Resumed {
        /// Which.
        token: TokenId,
    },
    /// The call is about to be made. Never without the permit before it, in the same commit.
    Intended {
        /// Whose call.
        token: TokenId,
        /// The node that calls.
        node: u32,
        /// `connector.action`.
        action: String,
        /// The effect key, in hex.
        key: String,
        /// What is sent.
        arguments: serde_json::Value,
    },
    /// The connector was done.
    Finished {
        /// Whose call.
        token: TokenId,
        /// The effect key, in hex.
        key: String,
        /// How.
        outcome: CallOutcome,
    },
    /// A person looked at a call in doubt, or a look-up told.
    Resolved {
        /// Whose call.
        token: TokenId,
        /// What was found.
        resolution: Resolution,
        /// Who says so; nobody if a look-up told. In the open body a pseudonym stands for them, which whoever commits adds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A person denied.
    Denied {
        /// Whose question.
        token: TokenId,
        /// In words.
        why: String,
    },
    /// Time alone moved something.
    Time,
    /// Another process went on with the run.
    Recovered,
    /// Somebody ended it.
    Cancelled {
        /// In words.
        why: String,
    },
    /// The end: it completed.
    Completed {
        /// Its output.
        output: serde_json::Value,
    },
    /// The end: it was refused.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        why: String,
        /// Where.
        node: u32,
    },
    /// The end: an error that nothing caught.
    Faulted {
        /// The error object.
        error: serde_json::Value,
    },
}

/// SL510. A stored record that cannot be read back.
#[derive(Debug, Error)]
#[error("SL510: cannot read a stored record of a run: {0}")]
pub struct RecordError(#[from] serde_json::Error);

impl Fact {
    /// The kind of its entry.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Started(_) => EntryKind::RUN_STARTED,
            Self::Planned { .. } => EntryKind::PLAN,
            Self::Decided { answer: GateAnswer::Hold { .. }, .. } => EntryKind::HELD,
            Self::Decided { .. } => EntryKind::DECISION,
            Self::ApprovalRequested { .. } => EntryKind::APPROVAL_REQUESTED,
            Self::Resumed { .. } => EntryKind::RESUMED,
            Self::Intended { .. } => EntryKind::INTENT,
            Self::Finished { outcome: CallOutcome::InDoubt { .. }, .. } => EntryKind::IN_DOUBT,
            Self::Finished { .. } => EntryKind::OUTCOME,
            Self::Resolved { .. } => EntryKind::IN_DOUBT_RESOLVED,
            Self::Denied { .. } => EntryKind::DENIED,
            Self::Time => EntryKind::TIMER_FIRED,
            Self::Recovered => EntryKind::RECOVERY,
            Self::Cancelled { .. } => EntryKind::WITHDRAWN,
            Self::Completed { .. } => EntryKind::RUN_COMPLETED,
            Self::Refused { .. } => EntryKind::RUN_REFUSED,
            Self::Faulted { .. } => EntryKind::RUN_FAULTED,
        }
    }

    /// What everyone who holds the log may read.
    #[must_use]
    pub fn body(&self) -> Map {
        let map = Map::new();
        match self {
            Self::Started(start) => {
                map.with("closure", start.closure.to_vec()).with("interpreter", u64::from(start.interpreter))
            }
            Self::Decided { node, action, key, answer, .. } => {
                let map = named(map, *node, action, key).with("decision", answer.name());
                match answer {
                    GateAnswer::Hold { hold, .. } => map.with("step", hold.digest.to_vec()),
                    GateAnswer::Forbid { code, .. } => map.with("code", code.as_str()),
                    GateAnswer::Permit { .. } | GateAnswer::Unchanged { .. } => map,
                }
            }
            Self::ApprovalRequested { approval, .. } => map.with("approval", approval.as_str()),
            Self::Intended { node, action, key, .. } => named(map, *node, action, key),
            Self::Finished { key, outcome, .. } => {
                let word = match outcome {
                    CallOutcome::Replied { .. } => "replied",
                    CallOutcome::Failed { .. } => "failed",
                    CallOutcome::InDoubt { .. } => "in-doubt",
                    CallOutcome::Breach { .. } => "breach",
                };
                map.with("key", key.as_str()).with("outcome", word)
            }
            Self::Resolved { resolution, .. } => map.with("resolution", resolution.name()),
            Self::Refused { code, node, .. } => map.with("code", code.as_str()).with("node", u64::from(*node)),
            Self::Denied { .. }
            | Self::Planned { .. }
            | Self::Resumed { .. }
            | Self::Time
            | Self::Recovered
            | Self::Cancelled { .. }
            | Self::Completed { .. }
            | Self::Faulted { .. } => map,
        }
    }

    /// Whether it can hold what somebody's data was made into: then it is sealed as that data is.
    #[must_use]
    pub const fn holds_values(&self) -> bool {
        match self {
            Self::ApprovalRequested { .. } | Self::Resumed { .. } | Self::Time | Self::Recovered => false,
            Self::Started(_)
            | Self::Planned { .. }
            | Self::Decided { .. }
            | Self::Intended { .. }
            | Self::Finished { .. }
            | Self::Resolved { .. }
            | Self::Denied { .. }
            | Self::Cancelled { .. }
            | Self::Completed { .. }
            | Self::Refused { .. }
            | Self::Faulted { .. } => true,
        }
    }

    /// The bytes that the store seals.
    ///
    /// # Errors
    /// [`RecordError`] if a value cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads them back.
    ///
    /// # Errors
    /// [`RecordError`] if they are not a fact that this version knows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

fn named(map: Map, node: u32, action: &str, key: &str) -> Map {
    map.with("node", u64::from(node)).with("action", action).with("key", key)
}
