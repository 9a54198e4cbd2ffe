//! Reads the ledger back: what a run did and why, and whether the log is whole.
//!
//! [`verify`] recomputes everything from the entries, and asks policy again: a recorded decision must be what
//! its recorded bundle says to its recorded request.

mod approval;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use sluice_core::contract::bundle::BundleFiles;
use sluice_engine::Fact;
use sluice_ledger::note::VerifierKey;
use sluice_ledger::{EntryKind, Evidence, LeafIndex, RunId};
use sluice_policy::{Bundle as Policies, GateRequest};
use sluice_store::{Mode, OsRandom, PayloadKeys, PayloadState, Query, Recorded, StoreError, VerifyReport, verify_all};
use thiserror::Error;

use crate::approvals::Reviews;
use crate::home::{Home, HomeError};
use crate::incident::Incident;
use crate::ledger::{Ledger, LedgerError, open_records};
use crate::rules::kept_files;
use crate::search::{self, Begin, Inside};
use crate::what_if;
use crate::workspace::{LEDGER_FILE, OpenError, read_bundle, read_policies};

pub use approval::{
    APPROVAL_PROOF_BYTES_MAX, ApprovalProof, ApprovalProofError, ProvenApproval, ProvenWord, ShownBy, prove_approval,
    read_approval_proof, verify_approval,
};

/// Why the ledger could not be audited. That something in it does not fit is a result, not an error.
#[derive(Debug, Error)]
pub enum AuditError {
    /// Keys.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file.
    #[error("{code}: {0}", code = .0.code())]
    Store(#[from] StoreError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] OpenError),
    /// SL690. There is nothing to prove it by.
    #[error("SL690: the ledger has no checkpoint that covers entry {index} yet")]
    NoCheckpoint {
        /// The entry.
        index: u64,
    },
}

/// One entry, as people read it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the log.
    pub index: u64,
    /// When.
    pub time_ms: u64,
    /// What kind.
    pub kind: String,
    /// The run.
    pub run: Option<RunId>,
    /// What is in its sealed payload; `None` if it cannot be opened.
    pub payload: Option<Json>,
    /// Whether there is a payload that cannot be opened, and why.
    pub sealed: Option<&'static str>,
    /// The incident that it tells, if it tells one.
    pub incident: Option<Incident>,
}

/// Whether the log is whole, and whether its decisions are what its bundle says.
#[derive(Clone, Debug)]
pub struct AuditReport {
    /// Entries, tree, checkpoints, payloads, derived rows.
    pub store: VerifyReport,
    /// Decisions that were asked again.
    pub decisions: Decisions,
    /// How checkpoints were checked.
    pub has_pinned_key: bool,
}

/// What came of asking policy again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// The same answer.
    pub agree: u64,
    /// Another answer, or glass that was broken as it must not be: each with the entry and what differs.
    pub differ: Vec<(u64, String)>,
    /// Made under a bundle that neither the log nor the folder has.
    pub other_bundle: u64,
    /// Whose payload cannot be opened.
    pub unopened: u64,
}

impl AuditReport {
    /// Whether everything agrees.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.store.agrees() && self.decisions.differ.is_empty()
    }
}

/// Every entry of a run, in order.
///
/// # Errors
/// [`AuditError::Ledger`].
pub fn show(ledger: &Ledger, run: RunId) -> Result<Vec<Line>, AuditError> {
    Ok(ledger.run(run)?.iter().map(line).collect())
}

/// The last `count` entries that match a question, in order.
///
/// # Errors
/// [`AuditError::Ledger`].
pub fn find(ledger: &Ledger, query: &Query, inside: &Inside, count: u64) -> Result<Vec<Line>, AuditError> {
    let mut lines = Vec::new();
    let mut from = Some(Begin::Before(None));
    while let Some(at) = from.filter(|_| (lines.len() as u64) < count) {
        let found = search::find(ledger, query, inside, at, count.saturating_sub(lines.len() as u64))?;
        lines.extend(found.entries.iter().map(line));
        from = found.go_on;
    }
    lines.reverse();
    Ok(lines)
}

/// One entry.
#[must_use]
pub fn line(recorded: &Recorded) -> Line {
    let entry = &recorded.entry;
    let sealed = match recorded.payload {
        PayloadState::None | PayloadState::Opened(_) => None,
        PayloadState::Erased => Some("erased"),
        PayloadState::Missing => Some("missing or changed"),
        PayloadState::WrongKey => Some("under another key"),
    };
    Line {
        index: entry.log.get(),
        time_ms: entry.time_ms,
        kind: entry.kind.name().unwrap_or("unknown").to_owned(),
        run: entry.run.as_ref().map(sluice_ledger::RunLink::id),
        payload: recorded.payload.opened().and_then(|bytes| serde_json::from_slice(bytes).ok()),
        sealed,
        incident: Incident::of(entry),
    }
}

/// A proof that an entry is in the log that its latest checkpoint commits to: a C2SP tlog-proof file.
///
/// # Errors
/// [`AuditError::NoCheckpoint`] if none covers it yet.
pub fn prove(ledger: &Ledger, index: u64) -> Result<Evidence, AuditError> {
    let found = ledger.read(move |records| {
        let entry = records.entry(LeafIndex::new(index))?;
        let Some((size, note)) = records.checkpoint_latest()?.filter(|(size, _)| size.get() > index) else {
            return Ok(None);
        };
        let path = records.inclusion(LeafIndex::new(index), size)?;
        Ok(Some((entry, path, note)))
    })?;
    let (recorded, path, checkpoint) = found.ok_or(AuditError::NoCheckpoint { index })?;
    let entry = recorded.entry.encode().map_err(|_| AuditError::NoCheckpoint { index })?;
    Ok(Evidence { entry: Some(entry), index: LeafIndex::new(index), path, checkpoint })
}

/// Checks the whole ledger of the workspace in `folder`, and asks policy again for every decision that opens.
///
/// # Errors
/// [`AuditError`] if it cannot be read at all.
pub fn verify(folder: &Path) -> Result<AuditReport, AuditError> {
    verify_with(folder, &Home::of(folder)?)
}

/// The same with the home that the caller found: for a copy of a ledger beside the keys of the original.
///
/// # Errors
/// As [`verify`].
pub fn verify_with(folder: &Path, home: &Home) -> Result<AuditReport, AuditError> {
    let trusted: Vec<VerifierKey> = pinned(home);
    let keys_file = home.payload_keys();
    let keys = if keys_file.exists() {
        Some(PayloadKeys::open(&keys_file, Mode::Existing, Box::new(OsRandom))?)
    } else {
        None
    };
    let store = verify_all(&folder.join(LEDGER_FILE), keys.as_ref(), &trusted)?;
    drop(keys);
    let decisions = if store.agrees() && keys_file.exists() { ask_again(folder, home)? } else { Decisions::default() };
    Ok(AuditReport { store, decisions, has_pinned_key: !trusted.is_empty() })
}

/// The public keys of the workspace's log that this machine has.
#[must_use]
pub fn pinned(home: &Home) -> Vec<VerifierKey> {
    let text = std::fs::read_to_string(home.ledger_verifier()).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn ask_again(folder: &Path, home: &Home) -> Result<Decisions, AuditError> {
    const PAGE: u64 = 1_000;
    let mut bundles: BTreeMap<String, Policies> = BTreeMap::new();
    let files: BundleFiles = read_bundle(folder)?;
    if let Ok(policies) = read_policies(&files) {
        bundles.insert(files.digest().to_string(), policies);
    }
    let records = open_records(folder, home)?;
    let size = records.head()?.size.get();
    let (mut decisions, mut reviews) = (Decisions::default(), Reviews::default());
    let mut at = 0;
    while at < size {
        for recorded in records.entries(at..at.saturating_add(PAGE))? {
            match recorded.entry.kind {
                EntryKind::BUNDLE_CHANGED => bundles.extend(kept_bundle(&recorded)),
                EntryKind::DECISION | EntryKind::HELD => judge(&bundles, &recorded, &mut decisions),
                EntryKind::BREAK_GLASS | EntryKind::REVIEWED => {
                    let wrong = reviews.after(&recorded);
                    decisions.differ.extend(wrong.map(|wrong| (recorded.entry.log.get(), wrong)));
                }
                _ => {}
            }
        }
        at = at.saturating_add(PAGE);
    }
    Ok(decisions)
}

/// A bundle that the log kept, under the digest of what it really holds.
fn kept_bundle(recorded: &Recorded) -> Option<(String, Policies)> {
    let files = kept_files(recorded)?;
    Some((files.digest().to_string(), read_policies(&files).ok()?))
}

/// One recorded decision: the recorded request, asked again, must give the recorded answer.
fn judge(bundles: &BTreeMap<String, Policies>, recorded: &Recorded, decisions: &mut Decisions) {
    let Some(Fact::Decided { answer, .. }) = recorded.payload.opened().and_then(|b| Fact::from_bytes(b).ok()) else {
        decisions.unopened += 1;
        return;
    };
    let (receipt, said) = (answer.receipt(), answer.name());
    let Some(request) = receipt.get("request").and_then(Json::as_str) else {
        // Policy was not asked: a limit, a call that no contract covers, or a value for which an entry's people speak.
        decisions.agree += 1;
        return;
    };
    let Some(policies) = receipt.get("bundle").and_then(Json::as_str).and_then(|digest| bundles.get(digest)) else {
        decisions.other_bundle += 1;
        return;
    };
    let index = recorded.entry.log.get();
    match GateRequest::from_bytes(request.as_bytes()) {
        Err(error) => decisions.differ.push((index, format!("the recorded request cannot be read: {error}"))),
        Ok(request) => {
            let again = policies.decide(&request);
            let says = what_if::said(&again.decision);
            if says == said {
                decisions.agree += 1;
            } else {
                decisions.differ.push((index, format!("recorded `{said}`, the bundle says `{says}`")));
            }
        }
    }
}
