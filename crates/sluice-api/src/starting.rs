//! Starting a run of a proposed definition, in the name of whoever asked for it.
//!
//! A run has an id before it begins, made of a key that whoever starts it chooses: asked for again under the same key, also
//! after a restart, it is the same run and begins once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_core::label::Name;
use sluice_engine::{Fact, Login};
use sluice_ledger::RunId;
use sluice_policy::own::{Deciding, Entry};
use sluice_runtime::admit::Proposed;
use sluice_runtime::ledger::LedgerError;
use sluice_runtime::proposal::Proposal;
use sluice_runtime::run::{Admission, Executor, RunError, RunStatus, facts};
use sluice_runtime::template::{filled, in_words};
use sluice_runtime::workspace::Workspace;
use thiserror::Error;

use crate::house::{Beginning, Deed, House};
use crate::rights::{may_start, why_not_started};

/// How long a start waits until the run is in the ledger.
const WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A run that somebody wants.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// Its id: [`run_of`] a key, or one that nobody has.
    pub run: RunId,
    /// Of its definition.
    pub proposal: &'a Proposal,
    /// An object; of a template it has every hole.
    pub input: Value,
}

/// Why no run begins.
#[derive(Debug, Error)]
pub enum StartError {
    /// It is somebody else's.
    #[error("SL471: a run is started in the name of whoever asked for its definition")]
    NotTheirs,
    /// Policies about the console do not let them, come in like that.
    #[error("{}", why_not_started(.0).unwrap_or_default())]
    Known(Deciding),
    /// The input does not fill the holes of a template.
    #[error("{0}")]
    Input(String),
    /// The id is another run's.
    #[error("SL477: another run was started under this key; a new request has a new key")]
    Other,
    /// Under the rules of today it may not run now.
    #[error("{0}")]
    NotNow(String),
    /// It cannot be done.
    #[error("{0}")]
    Broken(String),
}

impl From<LedgerError> for StartError {
    fn from(error: LedgerError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<RunError> for StartError {
    fn from(error: RunError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The run of a key: whoever sends a request again after a restart finds it in the ledger.
#[must_use]
pub fn run_of(principal: &str, key: &str) -> RunId {
    let mut hash = Sha256::new();
    for part in ["sluice run of key 1", principal, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; RunId::BYTES];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    RunId::from_bytes(id)
}

/// Starts a run for somebody who has come in like that, and waits until it is in the ledger.
///
/// # Errors
/// [`StartError`]; only after [`StartError::Broken`] may it be under way all the same.
pub fn start(
    house: &House,
    workspace: &Arc<Workspace>,
    (who, entry): (&Name, &Entry),
    wanted: NewRun<'_>,
) -> Result<(), StartError> {
    let NewRun { run, proposal, input } = wanted;
    if proposal.requester != *who {
        return Err(StartError::NotTheirs);
    }
    match may_start(workspace, who, entry) {
        Deciding::Yes => {}
        other => return Err(StartError::Known(other)),
    }
    let input = fill(proposal, input)?;
    if is_started(house, run, proposal, &input)? {
        return Ok(());
    }
    admit(house, workspace, proposal)?;
    if !house.tell(Deed::Start(Box::new(Beginning { run, proposal: proposal.id.clone(), input, login: login(entry) })))
    {
        return Err(StartError::Broken("the engine has ended; start `sluice serve` again".to_owned()));
    }
    begun(house, run)
}

/// Longest of a provider's words that is kept, and most of them.
const WORD_CHARS_MAX: usize = 200;
const WORDS_MAX: usize = 20;

/// As the run's first entry keeps it.
fn login(entry: &Entry) -> Login {
    let word = |text: &String| text.chars().take(WORD_CHARS_MAX).collect();
    Login {
        by: entry.login.to_owned(),
        acr: word(&entry.acr),
        amr: entry.amr.iter().take(WORDS_MAX).map(word).collect(),
    }
}

/// Whether this very run was started before.
fn is_started(house: &House, run: RunId, proposal: &Proposal, input: &Value) -> Result<bool, StartError> {
    let first = facts(&house.ledger().look(|records| records.run_beginning(run, 1))?)?;
    let Some(record) = first.first() else { return Ok(false) };
    match &record.fact {
        Fact::Started(start) if start.closure == proposal.closure.0.0 && start.input == *input => Ok(true),
        _ => Err(StartError::Other),
    }
}

/// The input as the run gets it: of a template every hole filled.
fn fill(proposal: &Proposal, input: Value) -> Result<Value, StartError> {
    // What cannot be read any more is told where it is admitted.
    let Ok(proposed) = Proposed::read(&proposal.name, proposal.text.as_bytes()) else { return Ok(input) };
    filled(proposed.program(), input).map_err(|faults| StartError::Input(in_words(&faults)))
}

/// Whether the definition may run now, as the engine will judge it again.
fn admit(house: &House, workspace: &Arc<Workspace>, proposal: &Proposal) -> Result<(), StartError> {
    let Ok(proposed) = Proposed::read(&proposal.name, proposal.text.as_bytes()) else {
        return Err(StartError::NotNow("under the rules of today the definition cannot be read".to_owned()));
    };
    let executor = Executor::open(workspace, house.ledger())?;
    match executor.admit(proposed, &proposal.requester, proposal.author.clone())? {
        Admission::Runnable(..) => Ok(()),
        Admission::Not(outcome) => Err(StartError::NotNow(match outcome.status {
            RunStatus::Refused { code, why, .. } => format!("{code}: {why}"),
            _ => outcome.held.first().map_or_else(
                || "it may not run now".to_owned(),
                |held| format!("SL483: {} (`{}`)", held.why, held.approval),
            ),
        })),
    }
}

/// Waits until the run is in the ledger.
fn begun(house: &House, run: RunId) -> Result<(), StartError> {
    let began = Instant::now();
    while began.elapsed() < WITHIN {
        if house.ledger().look(|records| records.run_row(run))?.is_some() {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Err(StartError::Broken("the engine has not started the run yet; ask again under the same key".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::run_of;

    #[test]
    fn the_run_of_a_key_is_its_principals() {
        assert_eq!(run_of("ana", "k"), run_of("ana", "k"));
        assert_ne!(run_of("ana", "k"), run_of("ben", "k"));
        assert_ne!(run_of("an", "ak"), run_of("ana", "k"));
    }
}
