//! What follows from entries: the rows that answer questions without reading the whole log.
//!
//! Appending folds each new entry into these rows; `verify` folds all entries again and compares. So
//! nothing here is evidence, and nothing here can be changed unseen.

use sluice_ledger::cbor::Value;
use sluice_ledger::{Entry, EntryKind, Hash, LeafIndex, RunId};

use crate::record::{FIELD_APPROVAL, FIELD_COUNTS, FIELD_USES};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// It goes on, or waits for a call or a timer.
    Running,
    /// It waits for people.
    Held,
    /// It waits until somebody finds out whether a call took effect.
    InDoubt,
    /// It came to its end.
    Completed,
    /// A gate stopped it.
    Refused,
    /// A fault that nothing caught ended it.
    Faulted,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Held, Self::InDoubt, Self::Completed, Self::Refused, Self::Faulted];

    /// Its name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Held => "held",
            Self::InDoubt => "in-doubt",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Faulted => "faulted",
        }
    }

    /// Whether nothing more happens in the run.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Refused | Self::Faulted)
    }

    /// The status with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The status after an entry; most kinds leave it as it is.
    fn after(self, kind: EntryKind) -> Self {
        match kind {
            EntryKind::RUN_STARTED | EntryKind::RESUMED | EntryKind::IN_DOUBT_RESOLVED => Self::Running,
            EntryKind::HELD => Self::Held,
            EntryKind::IN_DOUBT => Self::InDoubt,
            EntryKind::RUN_COMPLETED => Self::Completed,
            EntryKind::RUN_REFUSED => Self::Refused,
            EntryKind::RUN_FAULTED => Self::Faulted,
            _ => self,
        }
    }
}

/// A run, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Which run.
    pub run: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// How many entries it has.
    pub entries: u64,
    /// Its first entry.
    pub first: LeafIndex,
    /// Its last entry.
    pub last: LeafIndex,
    /// The leaf hash of its last entry.
    pub last_leaf: Hash,
    /// What its last entry tells.
    pub last_kind: EntryKind,
    /// When its first entry was written, in milliseconds since 1970.
    pub started_ms: u64,
    /// When its last entry was written, in milliseconds since 1970.
    pub updated_ms: u64,
}

impl RunRow {
    /// The row of a run after one more of its entries.
    pub(crate) fn after(before: Option<&Self>, run: RunId, entry: &Entry, leaf: Hash) -> Self {
        let status = before.map_or(RunStatus::Running, |row| row.status);
        // As large as a column can count; the entry has the exact time.
        let time_ms = entry.time_ms.min(i64::MAX as u64);
        Self {
            run,
            status: status.after(entry.kind),
            entries: before.map_or(0, |row| row.entries).saturating_add(1),
            first: before.map_or(entry.log, |row| row.first),
            last: entry.log,
            last_leaf: leaf,
            last_kind: entry.kind,
            started_ms: before.map_or(time_ms, |row| row.started_ms),
            updated_ms: time_ms,
        }
    }
}

/// An approval, or the request for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// The name that entries give it.
    pub id: String,
    /// The run that asked.
    pub run: Option<RunId>,
    /// The entry that asked for it.
    pub requested: Option<LeafIndex>,
    /// The last entry about it.
    pub last: LeafIndex,
    /// What that entry tells: asked for, approved, denied, expired, withdrawn, let through broken glass.
    pub last_kind: EntryKind,
    /// How many entries approved it.
    pub approved: u64,
    /// The entry that used it up.
    pub used_by: Option<LeafIndex>,
}

impl ApprovalRow {
    /// Whether the last word about it is an approval, or broke the glass, and nothing has used it up.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        matches!(self.last_kind, EntryKind::APPROVED | EntryKind::BREAK_GLASS) && self.used_by.is_none()
    }

    /// The row after an entry that is about this approval.
    pub(crate) fn after(before: Option<&Self>, id: &str, entry: &Entry) -> Self {
        let is_request = entry.kind == EntryKind::APPROVAL_REQUESTED;
        let is_approval = entry.kind == EntryKind::APPROVED;
        Self {
            id: id.to_owned(),
            run: before.and_then(|row| row.run).or_else(|| entry.run.map(|link| link.id())),
            requested: before.and_then(|row| row.requested).or(is_request.then_some(entry.log)),
            last: entry.log,
            last_kind: entry.kind,
            approved: before.map_or(0, |row| row.approved) + u64::from(is_approval),
            used_by: before.and_then(|row| row.used_by),
        }
    }
}

/// The approval that an entry of an approval's kind is about.
pub(crate) fn approval_of(entry: &Entry) -> Option<&str> {
    let is_about_approval = matches!(
        entry.kind,
        EntryKind::APPROVAL_REQUESTED
            | EntryKind::APPROVED
            | EntryKind::DENIED
            | EntryKind::EXPIRED
            | EntryKind::WITHDRAWN
            | EntryKind::BREAK_GLASS
    );
    is_about_approval.then(|| entry.body.get(FIELD_APPROVAL)?.as_text()).flatten()
}

/// The approvals that an entry uses up.
pub(crate) fn uses_of(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.body.get(FIELD_USES).and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_text)
}

/// What an entry adds to which count.
pub(crate) fn counts_of(entry: &Entry) -> Vec<(String, u64)> {
    let Some(counts) = entry.body.get(FIELD_COUNTS).and_then(Value::as_map) else {
        return Vec::new();
    };
    counts.iter().filter_map(|(key, add)| Some((key.to_string(), add.as_u64()?))).collect()
}

/// The columns that entries are found by: what the body says under these very names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Index {
    pub(crate) node: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) decision: Option<String>,
    pub(crate) approval: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) code: Option<String>,
}

impl Index {
    pub(crate) fn of(entry: &Entry) -> Self {
        let text = |name: &str| match entry.body.get(name)? {
            Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(number.get().to_string()),
            _ => None,
        };
        Self {
            node: text("node"),
            action: text("action"),
            decision: text("decision"),
            approval: text(FIELD_APPROVAL),
            outcome: text("outcome"),
            code: text("code"),
        }
    }
}
