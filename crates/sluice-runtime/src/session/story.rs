//! What an agent did in a session, read back from its entries, for people who look at it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sluice_engine::{CallOutcome, Fact, GateAnswer, Record, Start, TokenId};

/// A session.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// For whom the agent worked, their request, and what its host calls itself.
    pub mandate: Json,
    /// Its calls, as they were asked.
    pub calls: Vec<CallStory>,
    /// Whether it is over.
    pub is_over: bool,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallStory {
    /// Its place among the session's calls.
    pub number: u32,
    /// `connector.action`.
    pub action: String,
    /// What was sent, or would be; `None` of a call that was refused at once.
    pub arguments: Option<Json>,
    /// How it stands.
    pub state: CallState,
    /// The kinds of its entries, in their order.
    pub entries: Vec<&'static str>,
}

/// How a call stands.
#[derive(Clone, Debug, PartialEq)]
pub enum CallState {
    /// It waits for a person.
    Held {
        /// The approval's id.
        approval: String,
        /// In words.
        why: String,
    },
    /// It was refused.
    Denied {
        /// Stable code.
        code: String,
        /// In words.
        why: String,
    },
    /// It was sent, and nothing came back yet.
    UnderWay,
    /// It is over.
    Over(CallOutcome),
}

/// Whether a run is a session of an agent.
#[must_use]
pub fn is_session(start: &Start) -> bool {
    start.definition.get("session").is_some()
}

/// Reads a session back; `None` if the records are those of a run.
#[must_use]
pub fn story(records: &[Record]) -> Option<Story> {
    let Fact::Started(start) = &records.first()?.fact else { return None };
    if !is_session(start) {
        return None;
    }
    let mut calls: BTreeMap<TokenId, CallStory> = BTreeMap::new();
    let mut is_over = false;
    for Record { fact, .. } in records {
        is_over |= matches!(fact, Fact::Completed { .. });
        let Some(token) = token_of(fact) else { continue };
        if let Fact::Decided { action, .. } = fact {
            calls.entry(token).or_insert_with(|| CallStory {
                number: token.0,
                action: action.clone(),
                arguments: None,
                state: CallState::UnderWay,
                entries: Vec::new(),
            });
        }
        if let Some(call) = calls.get_mut(&token) {
            call.entries.extend(fact.kind().name());
            go_on(call, fact);
        }
    }
    Some(Story { mandate: start.input.clone(), calls: calls.into_values().collect(), is_over })
}

const fn token_of(fact: &Fact) -> Option<TokenId> {
    match fact {
        Fact::Decided { token, .. }
        | Fact::ApprovalRequested { token, .. }
        | Fact::Resumed { token }
        | Fact::Intended { token, .. }
        | Fact::Finished { token, .. }
        | Fact::Resolved { token, .. }
        | Fact::Denied { token, .. } => Some(*token),
        _ => None,
    }
}

fn go_on(call: &mut CallStory, fact: &Fact) {
    match fact {
        Fact::Decided { answer: GateAnswer::Hold { receipt, hold }, .. } => {
            call.arguments = receipt.pointer("/more/arguments").cloned();
            call.state = CallState::Held { approval: hold.approval.clone(), why: hold.why.clone() };
        }
        Fact::Decided { answer: GateAnswer::Forbid { code, why, .. }, .. } => {
            call.state = CallState::Denied { code: code.clone(), why: why.clone() };
        }
        Fact::Denied { why, .. } => {
            call.state = CallState::Denied { code: "SL911".to_owned(), why: why.clone() };
        }
        Fact::Intended { arguments, .. } => {
            call.arguments = Some(arguments.clone());
            call.state = CallState::UnderWay;
        }
        Fact::Finished { outcome, .. } => call.state = CallState::Over(outcome.clone()),
        _ => {}
    }
}
