//! States, events and commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sluice_core::found::Found;
use sluice_core::label::{Label, Name};
use sluice_core::program::{DeadlineId, NodeId};
use sluice_core::subject::Subjects;
use sluice_core::transfer::{Moves, Prepared, State, Vouching};
use sluice_ledger::RunId;
use thiserror::Error;

use crate::key::EffectKey;
use crate::record::Record;

/// One line of control: the run itself, or a branch of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenId(pub u32);

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    pub(crate) run: RunId,
    pub(crate) status: Status,
    pub(crate) tokens: BTreeMap<TokenId, Token>,
    pub(crate) forks: BTreeMap<u32, ForkFrame>,
    pub(crate) next_token: u32,
    pub(crate) next_fork: u32,
    pub(crate) visits: BTreeMap<NodeId, u64>,
    pub(crate) generation: u64,
    pub(crate) calls: BTreeMap<(Name, Name), u64>,
    /// Whose data the run has read so far.
    pub(crate) subjects: Subjects,
    /// Whether inspection raised a label of the run: then it may leave its prediction, and stops.
    pub(crate) is_raised: bool,
    pub(crate) now_ms: u64,
}

/// How a run stands towards the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Something is under way, or waits for time or a person.
    Running,
    /// It reached its end.
    Completed {
        /// What it computed.
        output: serde_json::Value,
    },
    /// The gate, or the engine's own checks, said no.
    Refused {
        /// Stable code.
        code: String,
        /// In words for the owner; never for the workflow.
        why: String,
        /// The node where it happened.
        node: NodeId,
    },
    /// An error that nothing caught.
    Faulted {
        /// The error object.
        error: serde_json::Value,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) node: NodeId,
    pub(crate) values: State,
    pub(crate) phase: Phase,
    /// Timeouts that run, innermost last, with their ends.
    pub(crate) deadlines: Vec<(DeadlineId, u64)>,
    /// The fork it is a branch of, and which.
    pub(crate) branch: Option<(u32, usize)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// About to do what its node says.
    Ready,
    /// The gate has been asked.
    Asking { about: About, key: EffectKey, again: Option<Hold> },
    /// A person must decide.
    Held { about: About, key: EffectKey, hold: Hold },
    /// Permit and intent are being made durable; `again` is what was waited for before the permit.
    Committing { prepared: Box<Prepared>, key: EffectKey, repeats: u32, again: Option<Hold> },
    /// The connector is at work, or was when the process ended.
    Calling { prepared: Box<Prepared>, key: EffectKey, repeats: u32 },
    /// Nobody knows whether the effect happened; a person must say.
    InDoubt { prepared: Box<Prepared>, key: EffectKey },
    /// Time must pass.
    Sleeping { until_ms: u64, after: Moves, told: Label },
}

/// What an answer of the gate is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum About {
    /// A call that may be made.
    Call(Box<Prepared>),
    /// A value that may lose labels.
    Value(Box<Vouching>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ForkFrame {
    pub(crate) join: NodeId,
    pub(crate) start: State,
    pub(crate) ends: Vec<Option<State>>,
    pub(crate) deadlines: Vec<(DeadlineId, u64)>,
    pub(crate) branch: Option<(u32, usize)>,
}

/// How a run begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Sixteen bytes that the driver drew.
    pub run: [u8; 16],
    /// The raw input.
    pub input: serde_json::Value,
    /// `$workflow`'s definition part.
    pub definition: serde_json::Value,
    /// The closure digest that was approved.
    pub closure: [u8; 32],
    /// The interpreter's version.
    pub interpreter: u32,
    /// On whose behalf.
    pub requester: String,
    /// How they had come in when they started it; nothing where nobody logs in, as on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
}

/// How somebody showed who they are. Names of people are not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// `passkey`, `provider`, `demo` or `token`.
    pub by: String,
    /// The level that the identity provider said (`acr`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub acr: String,
    /// How they showed it there (`amr`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub amr: BTreeSet<String>,
}

/// What comes from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first event of a run.
    Started(Box<Start>),
    /// The gate answered the question of a token.
    Decided {
        /// Whose question.
        token: TokenId,
        /// The answer.
        answer: GateAnswer,
    },
    /// Everything appended so far is durable.
    Committed,
    /// A connector is done.
    Finished {
        /// Whose call.
        token: TokenId,
        /// The key of the call, so that an answer to an older one cannot count.
        key: EffectKey,
        /// How.
        outcome: CallOutcome,
    },
    /// A person looked at a call in doubt, or a look-up told.
    Resolved {
        /// Whose call.
        token: TokenId,
        /// What was found.
        resolution: Resolution,
        /// Who says so; nobody if a look-up told.
        by: Option<String>,
    },
    /// An approval arrived, or something else changed: a held token asks its gate again.
    Recheck {
        /// Which.
        token: TokenId,
    },
    /// What the gate counted has changed before its permit was durable: neither permit nor intent was written, and the
    /// gate is asked again. Leaves no record.
    Moved {
        /// Whose permit.
        token: TokenId,
    },
    /// The same of a hold: that people are asked was not written. Leaves no record.
    HoldMoved {
        /// Whose question to people.
        token: TokenId,
        /// What it waits for in the ledger.
        before: Option<Hold>,
    },
    /// A person denied what a token waits for.
    Denied {
        /// Which.
        token: TokenId,
        /// In words, for the owner.
        why: String,
    },
    /// It is as late as [`crate::apply`] was told: timers fire.
    Time,
    /// The process that drove the run is gone; another goes on. Follows a replay.
    Recovered,
    /// Somebody ended the run.
    Cancelled {
        /// In words, for the owner.
        why: String,
    },
}

/// The gate's answer, as the engine needs it. The whole of it is in the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
pub enum GateAnswer {
    /// Go on.
    Permit {
        /// The sealed receipt: request, entity slice, determining policies.
        receipt: serde_json::Value,
    },
    /// A person must decide.
    Hold {
        /// As above.
        receipt: serde_json::Value,
        /// What is asked.
        hold: Hold,
    },
    /// No.
    Forbid {
        /// As above.
        receipt: serde_json::Value,
        /// Stable code.
        code: String,
        /// In words, for the owner.
        why: String,
    },
    /// Of a value: nobody's word changes its labels, and it goes on with those that it had.
    Unchanged {
        /// As above.
        receipt: serde_json::Value,
        /// In words, for the owner.
        why: String,
    },
}

impl GateAnswer {
    /// The sealed receipt.
    #[must_use]
    pub const fn receipt(&self) -> &serde_json::Value {
        match self {
            Self::Permit { receipt }
            | Self::Hold { receipt, .. }
            | Self::Forbid { receipt, .. }
            | Self::Unchanged { receipt, .. } => receipt,
        }
    }

    /// The word in entries.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Permit { .. } => "permit",
            Self::Hold { .. } => "hold",
            Self::Forbid { .. } => "forbid",
            Self::Unchanged { .. } => "unchanged",
        }
    }
}

/// What a held token waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The approval's id.
    pub approval: String,
    /// In words.
    pub why: String,
    /// The step's closure digest: what a signature must name.
    pub digest: [u8; 32],
    /// Of a value: the salt of the commitment to it that the digest covers. The same one when the gate is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<[u8; 32]>,
}

/// What a connector reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum CallOutcome {
    /// It happened, and this came back.
    Replied {
        /// The reply.
        reply: serde_json::Value,
        /// What inspection found in it that its contract does not say: recorded, and never looked for again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<Found>,
    },
    /// It surely did not happen.
    Failed {
        /// What handlers see.
        detail: serde_json::Value,
    },
    /// Nobody knows: a timeout, a lost connection, a crash.
    InDoubt {
        /// In words.
        why: String,
    },
    /// The reply breaks the contract or a bound: the run stops.
    Breach {
        /// In words.
        why: String,
    },
}

/// What became of a call in doubt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "resolution")]
pub enum Resolution {
    /// It happened, with this reply.
    Happened {
        /// The reply.
        reply: serde_json::Value,
        /// As of a reply that came.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<Found>,
    },
    /// It did not happen, and may be done now under the same key.
    Repeat,
    /// It did not happen and shall not: the workflow sees a failed call.
    Abandon,
}

impl CallOutcome {
    /// A reply in which inspection found nothing.
    #[must_use]
    pub const fn replied(reply: serde_json::Value) -> Self {
        Self::Replied { reply, found: Vec::new() }
    }
}

impl Resolution {
    /// It happened, with a reply in which inspection found nothing.
    #[must_use]
    pub const fn happened(reply: serde_json::Value) -> Self {
        Self::Happened { reply, found: Vec::new() }
    }

    /// The word in entries.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Happened { .. } => "happened",
            Self::Repeat => "repeat",
            Self::Abandon => "abandon",
        }
    }
}

/// What must happen outside.
#[derive(Debug)]
pub enum Command {
    /// Ask the gate, then [`Event::Decided`].
    Ask(Box<Question>),
    /// Ask whether somebody vouches for a value, then [`Event::Decided`].
    AskForWord(Box<ValueQuestion>),
    /// Append to the ledger with the next commit.
    Append(Box<Record>),
    /// Commit what was appended, then [`Event::Committed`].
    Commit,
    /// Perform the call, then [`Event::Finished`].
    Call(Permitted<Call>),
    /// Ask the connector's look-up action whether the effect happened; then [`Event::Resolved`].
    LookUp {
        /// Whose call.
        token: TokenId,
        /// The look-up action of the same connector.
        action: Name,
        /// The call in doubt.
        call: Box<Call>,
    },
    /// Send [`Event::Time`] when it is this late.
    WakeAt {
        /// Milliseconds since 1970.
        at_ms: u64,
    },
    /// The run is over; commit and forget it.
    Ended,
}

/// A question for the gate.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose.
    pub token: TokenId,
    /// The node that calls.
    pub node: NodeId,
    /// The call.
    pub prepared: Prepared,
    /// Its key.
    pub key: EffectKey,
    /// Calls of this action that this run has made.
    pub calls: u64,
    /// What it waits for already.
    pub before: Option<Hold>,
}

/// Whether somebody vouches for a value.
#[derive(Clone, Debug)]
pub struct ValueQuestion {
    /// Whose.
    pub token: TokenId,
    /// The node that calls `release` or `endorse`.
    pub node: NodeId,
    /// The value.
    pub vouching: Vouching,
    /// Tells this visit of the node from every other.
    pub key: EffectKey,
    /// What it waits for already.
    pub before: Option<Hold>,
}

/// One call, as a connector performs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The run.
    pub run: RunId,
    /// Whose.
    pub token: TokenId,
    /// The connector.
    pub connector: Name,
    /// The action.
    pub action: Name,
    /// Its arguments, without labels.
    pub arguments: serde_json::Value,
    /// The idempotency key.
    pub key: EffectKey,
    /// Whether it may have been made before, under the same key.
    pub repeated: bool,
}

/// Something that the gate permitted and whose intent is durable. Only the engine makes one, and it cannot be copied.
pub struct Permitted<T>(T);

impl<T> Permitted<T> {
    pub(crate) const fn mint(inner: T) -> Self {
        Self(inner)
    }

    /// What was permitted. Consumes the permission: one permit, one call.
    #[must_use]
    pub fn take(self) -> T {
        self.0
    }

    /// A look at it, for a log.
    #[must_use]
    pub const fn peek(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Permitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permitted").field(&self.0).finish()
    }
}

/// SL501. An event that does not fit the state: a defect of the driver or a foreign log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("SL501: the event `{event}` does not fit the state of the run: {why}")]
pub struct OutOfOrder {
    /// The event's kind.
    pub event: &'static str,
    /// Why not.
    pub why: &'static str,
}

impl RunState {
    /// Which run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// How it stands.
    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// What it waits for a person to decide.
    pub fn held(&self) -> impl Iterator<Item = (TokenId, NodeId, &Hold)> {
        self.tokens.iter().filter_map(|(id, t)| match &t.phase {
            Phase::Held { hold, .. } => Some((*id, t.node, hold)),
            _ => None,
        })
    }

    /// What people were asked whose time has run out at `now_ms`: the next [`Event::Time`] goes on without them.
    pub fn overdue(&self, now_ms: u64) -> impl Iterator<Item = &Hold> {
        self.tokens.values().filter_map(move |token| match &token.phase {
            Phase::Held { hold, .. } if token.deadlines.iter().any(|(_, at)| *at <= now_ms) => Some(hold),
            _ => None,
        })
    }

    /// Calls that nobody knows the outcome of.
    pub fn in_doubt(&self) -> impl Iterator<Item = (TokenId, NodeId, EffectKey)> {
        self.tokens.iter().filter_map(|(id, t)| match &t.phase {
            Phase::InDoubt { key, .. } => Some((*id, t.node, *key)),
            _ => None,
        })
    }

    /// The next moment at which time alone changes something.
    #[must_use]
    pub fn wakes_at(&self) -> Option<u64> {
        let token_wakes = |t: &Token| {
            let sleep = if let Phase::Sleeping { until_ms, .. } = &t.phase { Some(*until_ms) } else { None };
            let waits = matches!(t.phase, Phase::Sleeping { .. } | Phase::Held { .. });
            let deadline = t.deadlines.iter().map(|(_, at)| *at).min().filter(|_| waits);
            sleep.into_iter().chain(deadline).min()
        };
        self.tokens.values().filter_map(token_wakes).min()
    }

    /// Whether nothing happens before an event from outside: every token waits for time, a person or a connector.
    #[must_use]
    pub fn is_waiting_for_people(&self) -> bool {
        self.status == Status::Running
            && self.tokens.values().all(|t| matches!(t.phase, Phase::Held { .. } | Phase::InDoubt { .. }))
    }

    /// The engine's clock: the latest time it was told.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }
}
