//! What other policies would have said: every recorded decision, asked again of them.
//!
//! The requests are as they were recorded, with the labels and approvals of then. So this answers for another policy, not
//! for another contract or classification: those change what is asked.

use std::path::Path;

use serde_json::Value as Json;
use sluice_engine::Fact;
use sluice_ledger::{EntryKind, RunId};
use sluice_policy::{Bundle as Policies, Decision, GateRequest};
use sluice_store::Recorded;

use crate::audit::AuditError;
use crate::home::Home;
use crate::ledger::open_records;

/// Entries that are read at once.
const PAGE: u64 = 1_000;
/// Most changes that are kept to be shown; all are counted.
const CHANGES_MAX: usize = 10_000;

/// What came of asking.
#[derive(Clone, Debug, Default)]
pub struct WhatIf {
    /// Decisions that were asked again.
    pub asked: u64,
    /// Those with another answer.
    pub changed: u64,
    /// The first of them.
    pub changes: Vec<Change>,
    /// Decisions in which policy had no say: a limit, a call that no contract covers, the plan of an agent.
    pub beside_policy: u64,
    /// Those whose payload cannot be opened or read any more.
    pub unopened: u64,
}

/// A decision that would be another one.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its entry.
    pub index: u64,
    /// When it was taken.
    pub time_ms: u64,
    /// In which run.
    pub run: Option<RunId>,
    /// `connector.action`.
    pub action: String,
    /// What was said then.
    pub was: &'static str,
    /// What would be said.
    pub would_be: &'static str,
    /// Why, in words.
    pub why: Vec<String>,
}

/// Asks `policies` about every decision of the workspace in `folder` since a moment.
///
/// # Errors
/// [`AuditError`] if the ledger cannot be read.
pub fn what_if(folder: &Path, policies: &Policies, since_ms: u64) -> Result<WhatIf, AuditError> {
    let records = open_records(folder, &Home::of(folder)?)?;
    let size = records.head()?.size.get();
    let mut found = WhatIf::default();
    let mut at = 0;
    while at < size {
        for recorded in records.entries(at..at.saturating_add(PAGE))? {
            let is_decision = matches!(recorded.entry.kind, EntryKind::DECISION | EntryKind::HELD);
            if is_decision && recorded.entry.time_ms >= since_ms {
                found.ask(policies, &recorded);
            }
        }
        at = at.saturating_add(PAGE);
    }
    Ok(found)
}

impl WhatIf {
    fn ask(&mut self, policies: &Policies, recorded: &Recorded) {
        let decided = recorded.payload.opened().and_then(|bytes| Fact::from_bytes(bytes).ok());
        let Some(Fact::Decided { answer, action, .. }) = decided else {
            self.unopened += 1;
            return;
        };
        let Some(request) = answer.receipt().get("request").and_then(Json::as_str) else {
            self.beside_policy += 1;
            return;
        };
        let Ok(request) = GateRequest::from_bytes(request.as_bytes()) else {
            self.unopened += 1;
            return;
        };
        self.asked += 1;
        let again = policies.decide(&request);
        let (was, would_be) = (answer.name(), said(&again.decision));
        if was == would_be {
            return;
        }
        self.changed += 1;
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(Change {
                index: recorded.entry.log.get(),
                time_ms: recorded.entry.time_ms,
                run: recorded.entry.run.as_ref().map(sluice_ledger::RunLink::id),
                action,
                was,
                would_be,
                why: again.reasons.into_iter().map(|reason| reason.words).collect(),
            });
        }
    }
}

/// The word under which a decision is recorded.
pub(crate) fn said(decision: &Decision) -> &'static str {
    match decision {
        Decision::Permit { .. } => "permit",
        // A hold that nobody can approve is recorded as a refusal.
        Decision::Hold { .. } if decision.can_be_approved() => "hold",
        Decision::Hold { .. } | Decision::Forbid { .. } => "forbid",
    }
}
