//! What other policies would have said: every recorded decision, asked again of them.
//!
//! The requests are as they were recorded, with the labels and approvals of then. So this answers for another policy, not
//! for another contract or classification: those change what is asked.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

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
/// More threads than this wait for each other's memory rather than work.
const THREADS_MAX: usize = 8;
/// What a gate records its answers as.
const DECISIONS: [EntryKind; 2] = [EntryKind::DECISION, EntryKind::HELD];
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
    /// The first entry of the part of the log that it is of.
    begins: u64,
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
/// The log is read in parts, by as many threads as there are processors: a part asks nothing of another.
///
/// # Errors
/// [`AuditError`] if the ledger cannot be read.
pub fn what_if(folder: &Path, policies: &Policies, since_ms: u64) -> Result<WhatIf, AuditError> {
    let home = Home::of(folder)?;
    let size = open_records(folder, &home)?.head()?.size.get();
    let next = AtomicU64::new(0);
    let reader = || -> Result<Vec<WhatIf>, AuditError> {
        let records = open_records(folder, &home)?;
        let (mut parts, mut kept) = (Vec::new(), 0);
        loop {
            let at = next.fetch_add(PAGE, Ordering::Relaxed);
            if at >= size {
                return Ok(parts);
            }
            let mut part = WhatIf { begins: at, ..WhatIf::default() };
            for recorded in records.entries_of(at..size.min(at.saturating_add(PAGE)), &DECISIONS, since_ms)? {
                part.ask(policies, &recorded, kept < CHANGES_MAX);
            }
            kept += part.changes.len();
            parts.push(part);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let read = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(reader)).collect();
        // What panicked in one of them panics here.
        let read = readers.into_iter().map(|reader| reader.join().unwrap_or_else(|why| resume_unwind(why)));
        read.collect::<Result<Vec<_>, _>>()
    })?;
    let mut parts: Vec<WhatIf> = read.into_iter().flatten().collect();
    parts.sort_unstable_by_key(|part| part.begins);
    Ok(parts.into_iter().fold(WhatIf::default(), WhatIf::and))
}

impl WhatIf {
    /// With what was found later in the log.
    fn and(mut self, later: Self) -> Self {
        let room = CHANGES_MAX.saturating_sub(self.changes.len());
        self.changes.extend(later.changes.into_iter().take(room));
        Self {
            asked: self.asked + later.asked,
            changed: self.changed + later.changed,
            beside_policy: self.beside_policy + later.beside_policy,
            unopened: self.unopened + later.unopened,
            ..self
        }
    }

    fn ask(&mut self, policies: &Policies, recorded: &Recorded, keeps: bool) {
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
        let (decision, reasons) = policies.would_say(&request);
        let (was, would_be) = (answer.name(), said(&decision));
        if was == would_be {
            return;
        }
        self.changed += 1;
        if keeps {
            self.changes.push(Change {
                index: recorded.entry.log.get(),
                time_ms: recorded.entry.time_ms,
                run: recorded.entry.run.as_ref().map(sluice_ledger::RunLink::id),
                action,
                was,
                would_be,
                why: reasons.into_iter().map(|reason| reason.words).collect(),
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
