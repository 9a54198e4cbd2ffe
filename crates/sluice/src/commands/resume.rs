//! `sluice resume`: goes on with a run, after an approval or after a crash.

use sluice_runtime::run::{Executor, find};

use crate::cli::Resume;
use crate::commands::run::{block_on, tell};
use crate::failure::{Exit, Failure};

/// Goes on with the run.
///
/// # Errors
/// [`Failure`] if there is no such run, or anything that it depends on has changed.
pub fn run(arguments: &Resume) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let run = find(&opened.ledger, &arguments.run)?;
    let executor = Executor::open(&opened.workspace, &opened.ledger)?;
    let outcome = block_on(executor.resume(run))??;
    tell(&outcome, arguments.format, opened.workspace.is_solo())
}
