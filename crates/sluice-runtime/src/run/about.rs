//! Finding a run, and saying what it is of.

use std::sync::Arc;

use sluice_core::label::Name;
use sluice_engine::Fact;
use sluice_ledger::RunId;
use sluice_store::Stand;

use super::{RunError, facts};
use crate::ledger::Ledger;

/// Reads a run's id as people write it: 32 hexadecimal digits, or the beginning of one that is in the ledger.
///
/// # Errors
/// [`RunError::Unknown`] if no run, or more than one, begins so.
pub fn find(ledger: &Ledger, text: &str) -> Result<RunId, RunError> {
    let digits = text.to_owned();
    let fitting = ledger.read(move |records| records.runs_beginning(&digits, 2))?;
    match fitting.as_slice() {
        [run] if !text.is_empty() => Ok(*run),
        _ => Err(RunError::Unknown { run: text.to_owned() }),
    }
}

/// What a run is of, and in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The workflow's name; none of an agent's session.
    pub workflow: Option<String>,
    /// In whose name.
    pub requester: Name,
}

/// What a run is of, read from how it began; `None` if there is none.
///
/// # Errors
/// [`RunError`] if its beginning cannot be read any more.
pub fn about(ledger: &Ledger, run: RunId) -> Result<Option<Arc<About>>, RunError> {
    read(ledger, run, ledger.look(|records| records.stand(None, None))?)
}

/// The same for whoever asks of many runs at one moment. A run whose beginning cannot be read any more is `None`.
///
/// # Errors
/// [`RunError::Ledger`] if the ledger cannot be read.
pub fn about_each(ledger: &Ledger) -> Result<impl Fn(RunId) -> Option<Arc<About>>, RunError> {
    let stand = ledger.look(|records| records.stand(None, None))?;
    Ok(move |run| read(ledger, run, stand).ok().flatten())
}

fn read(ledger: &Ledger, run: RunId, stand: Stand) -> Result<Option<Arc<About>>, RunError> {
    // How it began stays as it is; only an erasure takes it away.
    if let Some(about) = ledger.kept().runs.get(&run, &[stand]) {
        return Ok(Some(about));
    }
    let first = facts(&ledger.look(|records| records.run_beginning(run, 1))?)?;
    let Some(Fact::Started(start)) = first.first().map(|record| &record.fact) else { return Ok(None) };
    let name = start.definition.pointer("/document/name").and_then(|name| name.as_str());
    let about = Arc::new(About { workflow: name.map(str::to_owned), requester: start.requester.as_str().into() });
    let bytes = 256 + about.workflow.as_ref().map_or(0, String::len);
    ledger.kept().runs.put(run, &[stand], &about, bytes);
    Ok(Some(about))
}
