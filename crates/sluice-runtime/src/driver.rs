//! The loop between the engine and the world: commands out, events in.
//!
//! One call of [`drive`] takes a run as far as it goes without a person: to its end, or to where it is
//! held. What the loop guarantees is the order of things: what was appended is durable before a call
//! goes out, and before the run is left waiting.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, pending};

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use sluice_core::label::Name;
use sluice_engine::{
    Call, CallOutcome, Command, EffectKey, Event, Fact, GateAnswer, Hold, OutOfOrder, Permitted, Plan, Question,
    Record, Resolution, RunState, Status, TokenId, ValueQuestion, apply,
};
use thiserror::Error;

use crate::budgets::charges;

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

    /// The time of these approvals ran out before enough was said: what is committed next tells so.
    fn ran_out(&self, _approvals: Vec<String>) {}

    /// Makes records durable, all or none. `Ok` means that they survive a crash from here on.
    fn commit(&self, records: &[Record]) -> impl Future<Output = Result<(), NotCommitted<Self::Error>>>;

    /// Performs a permitted call. Never fails: what goes wrong is an outcome.
    fn call(&self, call: Permitted<Call>) -> impl Future<Output = CallOutcome>;

    /// Asks a connector's look-up action whether a call in doubt happened; `None` if it cannot be told now.
    fn look_up(&self, action: Name, call: Call) -> impl Future<Output = Option<Resolution>>;

    /// Returns when it is as late as `at_ms`.
    fn sleep_until(&self, at_ms: u64) -> impl Future<Output = ()>;

    /// Returns when somebody said something about one of these approvals, for which these lines of control wait, with what
    /// follows for it. By default nobody does.
    fn hear(&self, _held: &[(TokenId, String)]) -> impl Future<Output = Event> {
        pending()
    }
}

/// Why records were not taken.
#[derive(Debug)]
pub enum NotCommitted<E> {
    /// What a gate counted has changed since it answered. Nothing was written; it must be asked again.
    Moved(E),
    /// Anything else.
    Failed(E),
}

impl<E> From<E> for NotCommitted<E> {
    fn from(error: E) -> Self {
        Self::Failed(error)
    }
}

/// How often in a row gates are asked again because others were faster. Each time one of them got on, so that this
/// ends by itself where a limit is near; a policy that reads counts could be kept waiting for as long as others call.
const ASKED_AGAIN_MAX: u32 = 64;

/// Why a run could not be driven on. What is in the ledger is whole; another process can go on from there.
#[derive(Debug, Error)]
pub enum DriveError<E: std::error::Error + 'static> {
    /// The ledger did not take a commit: nothing that depended on it was done.
    #[error(transparent)]
    Commit(E),
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
    // What the ledger says that a line of control waits for, of those that asked their gates again.
    let mut waited: BTreeMap<TokenId, Hold> = BTreeMap::new();
    let mut asked_again = 0;
    loop {
        while let Some(event) = events.pop_front() {
            if *state.status() != Status::Running {
                break;
            }
            let now_ms = host.now_ms();
            if event == Event::Time {
                host.ran_out(state.overdue(now_ms).map(|hold| hold.approval.clone()).collect());
            }
            let applied = apply(plan, state, now_ms, event)?;
            state = applied.state;
            for command in applied.commands {
                match command {
                    Command::Ask(question) => {
                        waited.remove(&question.token);
                        waited.extend(question.before.clone().map(|before| (question.token, before)));
                        match host.ask(&question) {
                            Some(answer) => events.push_back(Event::Decided { token: question.token, answer }),
                            None => under_way.push(Work::Ask(question).perform(host)),
                        }
                    }
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
                let moved = commit(host, &mut pending, &waited, &mut asked_again).await?;
                must_commit = !moved.is_empty();
                if must_commit {
                    // At once: until they ask again, their calls look as if they were permitted.
                    moved.into_iter().rev().for_each(|event| events.push_front(event));
                } else if *state.status() == Status::Running {
                    events.push_back(Event::Committed);
                }
            }
        }
        // Before anything is waited for, what happened so far is durable.
        let moved = commit(host, &mut pending, &waited, &mut asked_again).await?;
        if !moved.is_empty() {
            must_commit = true;
            events.extend(moved);
            continue;
        }
        if *state.status() != Status::Running {
            return Ok(state);
        }
        if under_way.is_empty() && state.wakes_at().is_none() {
            return Ok(state);
        }
        // While a timeout runs, or a connector is at work, people go on deciding.
        let held: Vec<(TokenId, String)> =
            state.held().map(|(token, _, hold)| (token, hold.approval.clone())).collect();
        match wait(host, &mut under_way, state.wakes_at(), &held).await {
            Some(Some(event)) => events.push_back(event),
            Some(None) => {}
            None => events.push_back(Event::Time),
        }
    }
}

/// Commits what is pending. If what a gate counted has moved, tells those who must ask again, and leaves in `pending`
/// what happened without them.
async fn commit<H: Host>(
    host: &H,
    pending: &mut Vec<Record>,
    waited: &BTreeMap<TokenId, Hold>,
    asked_again: &mut u32,
) -> Result<Vec<Event>, DriveError<H::Error>> {
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    match host.commit(pending).await {
        Ok(()) => {
            pending.clear();
            *asked_again = 0;
            Ok(Vec::new())
        }
        Err(NotCommitted::Failed(error)) => Err(DriveError::Commit(error)),
        Err(NotCommitted::Moved(error)) => {
            let moved = take_back(pending, waited);
            *asked_again += 1;
            if moved.is_empty() || *asked_again > ASKED_AGAIN_MAX {
                return Err(DriveError::Commit(error));
            }
            Ok(moved)
        }
    }
}

/// Takes permits and their intents out of records that were not written, and holds that budgets count, and tells those
/// whose they were. What the same line of control was told before, such as that somebody vouches for a value, stays.
fn take_back(records: &mut Vec<Record>, waited: &BTreeMap<TokenId, Hold>) -> Vec<Event> {
    let mut moved = Vec::new();
    let mut kept: Vec<Record> = Vec::with_capacity(records.len());
    for record in records.drain(..) {
        if let Fact::ApprovalRequested { token: whose, .. } = record.fact {
            // The engine appends them in one go: the hold, and that people are asked.
            let is_counted = kept.pop_if(|last| {
                matches!(&last.fact, Fact::Decided { token, answer, .. } if *token == whose && !charges(answer).is_empty())
            });
            match is_counted {
                Some(_) => moved.push(Event::HoldMoved { token: whose, before: waited.get(&whose).cloned() }),
                None => kept.push(record),
            }
            continue;
        }
        let Fact::Intended { token: whose, .. } = record.fact else {
            kept.push(record);
            continue;
        };
        // The engine appends them in one go: the permit, that it is gone on, the intent.
        kept.pop_if(|last| matches!(last.fact, Fact::Resumed { token } if token == whose));
        kept.pop_if(|last| {
            matches!(last.fact, Fact::Decided { token, answer: GateAnswer::Permit { .. }, .. } if token == whose)
        });
        moved.push(Event::Moved { token: whose });
    }
    *records = kept;
    moved
}

/// The next thing that happens: `Some` of an event of a work (if it has one) or of a person, or `None` if it is time.
async fn wait<H: Host, F: Future<Output = Option<Event>>>(
    host: &H,
    under_way: &mut FuturesUnordered<F>,
    wakes_at: Option<u64>,
    held: &[(TokenId, String)],
) -> Option<Option<Event>> {
    let works = !under_way.is_empty();
    let work = std::pin::pin!(async { if works { under_way.next().await.flatten() } else { pending().await } });
    let time = std::pin::pin!(async {
        match wakes_at {
            Some(at_ms) => host.sleep_until(at_ms).await,
            None => pending().await,
        }
    });
    let heard = std::pin::pin!(async { if held.is_empty() { pending().await } else { host.hear(held).await } });
    match select(select(work, time), heard).await {
        Either::Left((Either::Left((event, _)), _)) => Some(event),
        Either::Left((Either::Right(((), _)), _)) => None,
        Either::Right((event, _)) => Some(Some(event)),
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
                Some(Event::Resolved { token, resolution, by: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use sluice_core::subject::Subjects;
    use sluice_ledger::RunId;

    use super::*;

    const RUN: RunId = RunId::from_bytes([1; 16]);

    fn record(fact: Fact) -> Record {
        Record { run: RUN, time_ms: 1, fact, subjects: Subjects::NOBODY }
    }

    fn decided(token: u32, action: &str, answer: GateAnswer) -> Record {
        record(Fact::Decided { token: TokenId(token), node: 1, action: action.to_owned(), key: String::new(), answer })
    }

    fn permit(token: u32, action: &str) -> Record {
        decided(token, action, GateAnswer::Permit { receipt: Json::Null })
    }

    fn resumed(token: u32) -> Record {
        record(Fact::Resumed { token: TokenId(token) })
    }

    fn intended(token: u32) -> Record {
        let (token, action) = (TokenId(token), "bank.pay".to_owned());
        record(Fact::Intended { token, node: 1, action, key: String::new(), arguments: json!({}) })
    }

    #[test]
    fn what_is_taken_back_is_the_permit_of_the_call_and_not_the_word_before_it() {
        let word = || [permit(1, "release"), resumed(1)];
        for (call, tokens) in [
            (vec![permit(1, "bank.pay"), intended(1)], vec![1]),
            (vec![permit(1, "bank.pay"), resumed(1), intended(1)], vec![1]),
            (vec![permit(2, "bank.pay"), intended(2), permit(1, "bank.pay"), resumed(1), intended(1)], vec![2, 1]),
            (vec![], vec![]),
        ] {
            let mut records: Vec<Record> = word().into_iter().chain(call.clone()).collect();
            let taken = take_back(&mut records, &BTreeMap::new());
            let moved: Vec<Event> = tokens.into_iter().map(|token| Event::Moved { token: TokenId(token) }).collect();
            assert_eq!((taken, records), (moved, word().to_vec()), "{call:?}");
        }
    }

    #[test]
    fn a_hold_that_a_budget_counts_is_taken_back_and_another_stays() {
        let hold =
            |approval: &str| Hold { approval: approval.to_owned(), why: String::new(), digest: [1; 32], salt: None };
        let held = |token: u32, receipt: Json| {
            let hold = hold("A-2");
            let asked = record(Fact::ApprovalRequested { token: TokenId(token), approval: hold.approval.clone() });
            [decided(token, "bank.pay", GateAnswer::Hold { receipt, hold }), asked]
        };
        let counted = json!({ "more": { "budgets": [{ "key": "budget/a", "limit": 3 }] } });
        let others: Vec<Record> = held(2, json!({ "more": {} })).into_iter().chain([resumed(3)]).collect();
        let waited: BTreeMap<TokenId, Hold> = [(TokenId(4), hold("A-1"))].into();
        let mut records: Vec<Record> =
            held(1, counted.clone()).into_iter().chain(others.clone()).chain(held(4, counted)).collect();
        let told = |token, before| Event::HoldMoved { token: TokenId(token), before };
        assert_eq!(take_back(&mut records, &waited), [told(1, None), told(4, Some(hold("A-1")))]);
        assert_eq!(records, others);
    }
}
