//! Runs a plan through the engine's own `apply`, without a driver, on a clock of its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value as Json;
use sluice_core::program::{NodeId, PlaceId};
use sluice_core::transfer::State;
use sluice_engine::{
    CallOutcome, Command, EffectKey, Event, GateAnswer, INTERPRETER_VERSION, Plan, Prediction, Question, Resolution,
    RunState, Start, Status, TokenId, ValueQuestion, apply,
};
use sluice_ledger::RunId;

/// Most events of one run. Generated programs end long before; a defect may not.
pub const EVENTS_MAX: usize = 4_000;

/// What answers a run.
pub trait Host {
    /// The gate.
    fn ask(&mut self, question: &Question) -> GateAnswer;

    /// Whether somebody vouches for a value: whenever they may.
    fn ask_for_word(&mut self, question: &ValueQuestion) -> GateAnswer {
        word(question)
    }

    /// A permitted call: its outcome, and how many milliseconds it takes.
    fn call(&mut self, question: &Question) -> (CallOutcome, u64);
}

/// A prediction made of a function: sees every point that a run comes to.
pub struct Watch<F>(pub F);

impl<F: Fn(NodeId, &State) -> Option<PlaceId> + Send + Sync> Prediction for Watch<F> {
    fn breach(&self, node: NodeId, state: &State) -> Option<PlaceId> {
        (self.0)(node, state)
    }
}

/// Runs `plan` from `input` to its end; `None` if it has none within [`EVENTS_MAX`].
///
/// # Errors
/// The engine's own word that an event did not fit: a defect.
pub fn run(plan: &Plan, input: Json, definition: Json, host: &mut impl Host) -> Result<Option<Status>, String> {
    let start = Start {
        run: [7; 16],
        input,
        definition,
        closure: [0; 32],
        interpreter: INTERPRETER_VERSION,
        requester: "requester".to_owned(),
        login: None,
    };
    let mut state = RunState::new(RunId::from_bytes([7; 16]));
    let mut now_ms = 1_000_000;
    let mut now: VecDeque<Event> = [Event::Started(Box::new(start))].into();
    let mut later: BTreeMap<(u64, usize), Event> = BTreeMap::new();
    let mut asked: BTreeMap<TokenId, Arc<Question>> = BTreeMap::new();
    let mut calls = 0;
    for _ in 0..EVENTS_MAX {
        let Some(event) = next(&mut now, &mut later, &state, &mut now_ms) else { return Ok(None) };
        let applied = apply(plan, state, now_ms, event).map_err(|e| e.to_string())?;
        state = applied.state;
        if *state.status() != Status::Running {
            return Ok(Some(state.status().clone()));
        }
        for command in applied.commands {
            match command {
                Command::Ask(question) => {
                    let (token, answer) = (question.token, host.ask(&question));
                    asked.insert(token, Arc::from(question));
                    now.push_back(Event::Decided { token, answer });
                }
                Command::AskForWord(question) => {
                    now.push_back(Event::Decided { token: question.token, answer: host.ask_for_word(&question) });
                }
                Command::Commit => now.push_back(Event::Committed),
                Command::Call(call) => {
                    let (token, key): (TokenId, EffectKey) = (call.peek().token, call.peek().key);
                    let Some(question) = asked.get(&token) else { return Err("a call that nobody asked for".into()) };
                    let (outcome, takes_ms) = host.call(question);
                    calls += 1;
                    later.insert((now_ms + takes_ms, calls), Event::Finished { token, key, outcome });
                }
                Command::LookUp { token, .. } => {
                    now.push_back(Event::Resolved { token, resolution: Resolution::Repeat, by: None });
                }
                Command::Append(_) | Command::WakeAt { .. } | Command::Ended => {}
            }
        }
    }
    Ok(None)
}

/// What happens next: first whatever needs no time, then the earlier of a reply and a timer.
fn next(
    now: &mut VecDeque<Event>,
    later: &mut BTreeMap<(u64, usize), Event>,
    state: &RunState,
    now_ms: &mut u64,
) -> Option<Event> {
    if let Some(event) = now.pop_front() {
        return Some(event);
    }
    let timer = state.wakes_at();
    let reply = later.keys().next().copied();
    match (timer, reply) {
        (Some(at), None) => {
            *now_ms = at.max(*now_ms);
            Some(Event::Time)
        }
        (Some(at), Some((reply_at, _))) if at < reply_at => {
            *now_ms = at.max(*now_ms);
            Some(Event::Time)
        }
        (_, Some(key)) => {
            *now_ms = key.0.max(*now_ms);
            later.remove(&key)
        }
        (None, None) => None,
    }
}

/// The gate that asks nothing.
#[must_use]
pub fn permit() -> GateAnswer {
    GateAnswer::Permit { receipt: Json::Null }
}

/// A person who vouches for whatever they may.
#[must_use]
pub fn word(question: &ValueQuestion) -> GateAnswer {
    if question.vouching.is_allowed && question.vouching.is_needed { permit() } else { unchanged() }
}

/// Nobody vouches.
#[must_use]
pub fn unchanged() -> GateAnswer {
    GateAnswer::Unchanged { receipt: Json::Null, why: "nobody vouches".to_owned() }
}

/// The gate's no.
#[must_use]
pub fn forbid() -> GateAnswer {
    GateAnswer::Forbid { receipt: Json::Null, code: "SL300".to_owned(), why: "the table".to_owned() }
}
