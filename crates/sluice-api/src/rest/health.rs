//! How what is served stands: the log and its checkpoints, what waits, which runs there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Asker;
use super::asking::asked;
use super::problem::Problem;
use super::scope::Scope;
use crate::house::House;

/// How it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
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
    runs: BTreeMap<&'static str, usize>,
}

/// Says how it stands.
#[utoipa::path(get, path = "/api/v1/health", tag = "health", operation_id = "health",
    responses((status = 200, description = "It answers", body = Health)))]
pub(super) async fn health(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Health>, Problem> {
    let told = asked(house, asker, Scope::Read, |asking| {
        let ledger = asking.house.ledger();
        let (head, checkpoint, rows, waiting) = ledger.look(|records| {
            Ok((records.head()?, records.checkpoint_latest()?, records.runs()?, records.held_approvals()?.len()))
        })?;
        let mut runs = BTreeMap::new();
        for row in rows {
            *runs.entry(row.status.name()).or_default() += 1;
        }
        let about = asking.workspace.bundle().workspace();
        Ok(Health {
            workspace: about.name.value.to_string(),
            mode: about.mode.name(),
            solo: asking.workspace.is_solo(),
            entries: head.size.get(),
            root: head.root.to_string(),
            checkpoint_entries: checkpoint.map(|(size, _)| size.get()),
            clock_behind_ms: ledger.clock().is_behind_by_ms(),
            waiting,
            runs,
        })
    });
    told.await.map(Json)
}
