//! Rebuilds a run from its records: the same fold that made it.

use sluice_ledger::RunId;
use thiserror::Error;

use crate::apply::apply;
use crate::plan::{INTERPRETER_VERSION, Plan};
use crate::record::{Fact, Record};
use crate::state::{Command, Event, OutOfOrder, Resolution, RunState};

/// Why a run cannot be rebuilt.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// SL511. There is nothing to rebuild from.
    #[error("SL511: the run has no first entry")]
    Empty,
    /// SL512. It was written by another interpreter.
    #[error(
        "SL512: the run was started by interpreter {found}; this is {INTERPRETER_VERSION}. run it with the version that started it"
    )]
    Interpreter {
        /// The version of its first entry.
        found: u32,
    },
    /// SL513. The entries do not follow from one another.
    #[error("SL513: entry {at} of the run does not follow from those before it: {source}")]
    Broken {
        /// Its place in the run.
        at: usize,
        /// What did not fit.
        source: OutOfOrder,
    },
    /// SL514. The entries tell another story than the program does.
    #[error(
        "SL514: entry {at} of the run says `{found}` where the program gives `{expected}`: the workflow or the log was changed"
    )]
    Diverged {
        /// Its place in the run.
        at: usize,
        /// What the log says.
        found: &'static str,
        /// What replay gives.
        expected: String,
    },
}

/// Folds the records of a run into its state. Commands are dropped: their results are in the records.
///
/// # Errors
/// [`ReplayError`] if the records are not those of a run of this plan.
pub fn replay(plan: &Plan, run: RunId, records: &[Record]) -> Result<RunState, ReplayError> {
    let first = records.first().ok_or(ReplayError::Empty)?;
    if let Fact::Started(start) = &first.fact
        && start.interpreter != INTERPRETER_VERSION
    {
        return Err(ReplayError::Interpreter { found: start.interpreter });
    }
    let mut state = RunState::new(run);
    // Records that the fold itself gives: each must be the next one in the log.
    let mut expected: std::collections::VecDeque<Record> = std::collections::VecDeque::new();
    for (at, record) in records.iter().enumerate() {
        if let Some(next) = expected.pop_front() {
            if next.fact != record.fact {
                return Err(ReplayError::Diverged {
                    at,
                    found: record.fact.kind().name().unwrap_or("?"),
                    expected: next.fact.kind().name().unwrap_or("?").to_owned(),
                });
            }
        } else {
            let event = event_of(&record.fact).ok_or_else(|| ReplayError::Diverged {
                at,
                found: record.fact.kind().name().unwrap_or("?"),
                expected: "an event from outside".to_owned(),
            })?;
            let applied =
                apply(plan, state, record.time_ms, event).map_err(|source| ReplayError::Broken { at, source })?;
            state = applied.state;
            expected.extend(appended(&applied.commands));
            match expected.pop_front() {
                Some(own) if own.fact == record.fact => {}
                other => {
                    return Err(ReplayError::Diverged {
                        at,
                        found: record.fact.kind().name().unwrap_or("?"),
                        expected: other
                            .map_or_else(|| "nothing".to_owned(), |r| r.fact.kind().name().unwrap_or("?").to_owned()),
                    });
                }
            }
        }
        if matches!(record.fact, Fact::Intended { .. } | Fact::Resolved { resolution: Resolution::Repeat, .. }) {
            // An intent that is in the log was durable: the call may have been made.
            let applied = apply(plan, state, record.time_ms, Event::Committed)
                .map_err(|source| ReplayError::Broken { at, source })?;
            state = applied.state;
        }
    }
    Ok(state)
}

fn appended(commands: &[Command]) -> impl Iterator<Item = Record> + '_ {
    commands.iter().filter_map(|c| if let Command::Append(record) = c { Some((**record).clone()) } else { None })
}

/// The event that a record was made from; `None` for records that follow from another one.
fn event_of(fact: &Fact) -> Option<Event> {
    Some(match fact.clone() {
        Fact::Started(start) => Event::Started(start),
        Fact::Decided { token, answer, .. } => Event::Decided { token, answer },
        Fact::Finished { token, key, outcome } => Event::Finished { token, key: crate::key::parse(&key)?, outcome },
        Fact::Resolved { token, resolution, by } => Event::Resolved { token, resolution, by },
        Fact::Denied { token, why } => Event::Denied { token, why },
        Fact::Time => Event::Time,
        Fact::Recovered => Event::Recovered,
        Fact::Cancelled { why } => Event::Cancelled { why },
        Fact::ApprovalRequested { .. }
        | Fact::Planned { .. }
        | Fact::Resumed { .. }
        | Fact::Intended { .. }
        | Fact::Completed { .. }
        | Fact::Refused { .. }
        | Fact::Faulted { .. } => return None,
    })
}
