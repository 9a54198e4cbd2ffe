//! The loop between the engine and the world: commands out, events in.
//!
//! One call of [`drive`] takes a run as far as it goes without a person: to its end, or to where it is
//! held. What the loop guarantees is the order of things: what was appended is durable before a call
//! goes out, and before the run is left waiting.

use std::collections::VecDeque;
use std::future::Future;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use sluice_core::label::Name;
use sluice_engine::{
    Call, CallOutcome, Command, EffectKey, Event, GateAnswer, OutOfOrder, Permitted, Plan, Question, Record,
    Resolution, RunState, Status, TokenId, ValueQuestion, apply,
};
use thiserror::Error;

/// The world, as one run sees it.
pub trait Host {
    /// Why a commit failed.
    type Error: std::error::Error + 'static;

    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Asks the gate. An error inside is a `Forbid`. `None` if something must be read first: [`Host::read_and_ask`].
    fn ask(&self, question: &Question) -> Option<GateAnswer>;

    /// Reads what the gate needs, and asks it. There is no way to not answer.
    fn read_and_ask(&self, question: &Question) -> impl Future<Output = GateAnswer>;

    /// Asks whether somebody vouches for a value. There is no way to not answer.
    fn ask_for_word(&self, question: &ValueQuestion) -> GateAnswer;

    /// Makes records durable, all or none. `Ok` means that they survive a crash from here on.
    fn commit(&self, records: Vec<Record>) -> impl Future<Output = Result<(), Self::Error>>;

    /// Performs a permitted call. Never fails: what goes wrong is an outcome.
    fn call(&self, call: Permitted<Call>) -> impl Future<Output = CallOutcome>;

    /// Asks a connector's look-up action whether a call in doubt happened; `None` if it cannot be told now.
    fn look_up(&self, action: Name, call: Call) -> impl Future<Output = Option<Resolution>>;

    /// Returns when it is as late as `at_ms`.
    fn sleep_until(&self, at_ms: u64) -> impl Future<Output = ()>;
}

/// Why a run could not be driven on. What is in the ledger is whole; another process can go on from there.
#[derive(Debug, Error)]
pub enum DriveError<E: std::error::Error + 'static> {
    /// The ledger did not take a commit: nothing that depended on it was done.
    #[error("cannot append to the ledger: {0}")]
    Commit(#[source] E),
    /// A defect of the driver or the engine.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
}

/// Drives a run until it ends or only people can move it, starting with `first`.
///
/// # Errors
/// [`DriveError::Commit`] if the ledger refuses; no call whose intent it did not take has been made.
pub async fn drive<H: Host>(
    plan: &Plan,
    state: RunState,
    first: Vec<Event>,
    host: &H,
) -> Result<RunState, DriveError<H::Error>> {
    let mut state = state;
    let mut events: VecDeque<Event> = first.into();
    let mut pending: Vec<Record> = Vec::new();
    let mut under_way = FuturesUnordered::new();
    let mut must_commit = false;
    loop {
        while let Some(event) = events.pop_front() {
            if *state.status() != Status::Running {
                break;
            }
            let applied = apply(plan, state, host.now_ms(), event)?;
            state = applied.state;
            for command in applied.commands {
                match command {
                    Command::Ask(question) => match host.ask(&question) {
                        Some(answer) => events.push_back(Event::Decided { token: question.token, answer }),
                        None => under_way.push(Work::Ask(question).perform(host)),
                    },
                    Command::AskForWord(question) => {
                        let answer = host.ask_for_word(&question);
                        events.push_back(Event::Decided { token: question.token, answer });
                    }
                    Command::Append(record) => pending.push(*record),
                    Command::Commit | Command::Ended => must_commit = true,
                    Command::Call(call) => under_way.push(Work::Call(call).perform(host)),
                    Command::LookUp { token, action, call } => {
                        under_way.push(Work::LookUp(token, action, call).perform(host));
                    }
                    // Read from the state where the loop waits: the latest one counts.
                    Command::WakeAt { .. } => {}
                }
            }
            // Decisions that are already asked for ride in the same commit: one commit per step.
            if must_commit && !events.iter().any(|e| matches!(e, Event::Decided { .. })) {
                must_commit = false;
                commit(host, &mut pending).await?;
                if *state.status() == Status::Running {
                    events.push_back(Event::Committed);
                }
            }
        }
        if *state.status() != Status::Running {
            commit(host, &mut pending).await?;
            return Ok(state);
        }
        // Before anything is waited for, what happened so far is durable.
        commit(host, &mut pending).await?;
        if under_way.is_empty() && state.wakes_at().is_none() {
            return Ok(state);
        }
        match wait(host, &mut under_way, state.wakes_at()).await {
            Some(Some(event)) => events.push_back(event),
            Some(None) => {}
            None => events.push_back(Event::Time),
        }
    }
}

async fn commit<H: Host>(host: &H, pending: &mut Vec<Record>) -> Result<(), DriveError<H::Error>> {
    if pending.is_empty() {
        return Ok(());
    }
    host.commit(std::mem::take(pending)).await.map_err(DriveError::Commit)
}

/// The next thing that happens: `Some` of a work's event (if it has one), or `None` if it is time.
async fn wait<H: Host, F: Future<Output = Option<Event>>>(
    host: &H,
    under_way: &mut FuturesUnordered<F>,
    wakes_at: Option<u64>,
) -> Option<Option<Event>> {
    match (under_way.is_empty(), wakes_at) {
        (false, Some(at_ms)) => {
            let sleep = std::pin::pin!(host.sleep_until(at_ms));
            match select(under_way.next(), sleep).await {
                Either::Left((event, _)) => Some(event.flatten()),
                Either::Right(_) => None,
            }
        }
        (false, None) => Some(under_way.next().await.flatten()),
        (true, Some(at_ms)) => {
            host.sleep_until(at_ms).await;
            None
        }
        (true, None) => Some(None),
    }
}

enum Work {
    Ask(Box<Question>),
    Call(Permitted<Call>),
    LookUp(TokenId, Name, Box<Call>),
}

impl Work {
    async fn perform<H: Host>(self, host: &H) -> Option<Event> {
        match self {
            Self::Ask(question) => {
                let answer = host.read_and_ask(&question).await;
                Some(Event::Decided { token: question.token, answer })
            }
            Self::Call(call) => {
                let (token, key): (TokenId, EffectKey) = (call.peek().token, call.peek().key);
                let outcome = host.call(call).await;
                Some(Event::Finished { token, key, outcome })
            }
            Self::LookUp(token, action, call) => {
                let resolution = host.look_up(action, *call).await?;
                Some(Event::Resolved { token, resolution })
            }
        }
    }
}
