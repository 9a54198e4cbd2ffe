//! How a workspace stands: the log and its checkpoints, what waits, which runs there are.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_runtime::ledger::{Ledger, LedgerError};
use sluice_runtime::workspace::Workspace;
use utoipa::ToSchema;

/// How it stands.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// The workspace's name.
    workspace: String,
    /// `demo`, `test` or `production`
    mode: &'static str,
    /// Whether one person alone may change the rules.
    solo: bool,
    /// Entries of the log.
    entries: u64,
    /// The root over them.
    root: String,
    /// How many of them the latest checkpoint covers; none if there is no checkpoint yet.
    checkpoint_entries: Option<u64>,
    /// How far the machine's clock is behind the log.
    clock_behind_ms: u64,
    /// What waits for people.
    waiting: usize,
    /// How many runs stand how.
    runs: BTreeMap<&'static str, u64>,
}

impl Health {
    /// How it stands now.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub fn of(workspace: &Workspace, ledger: &Ledger) -> Result<Self, LedgerError> {
        let (head, checkpoint, runs, waiting) = ledger.look(|records| {
            Ok((records.head()?, records.checkpoint_latest()?, records.run_counts()?, records.held_approvals()?.len()))
        })?;
        let runs = runs.into_iter().map(|(status, count)| (status.name(), count)).collect();
        let about = workspace.bundle().workspace();
        Ok(Health {
            workspace: about.name.value.to_string(),
            mode: about.mode.name(),
            solo: workspace.is_solo(),
            entries: head.size.get(),
            root: head.root.to_string(),
            checkpoint_entries: checkpoint.map(|(size, _)| size.get()),
            clock_behind_ms: ledger.clock().is_behind_by_ms(),
            waiting,
            runs,
        })
    }
}
