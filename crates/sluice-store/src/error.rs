//! Why the store did not do what it was asked.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use sluice_ledger::{EntryError, EntryKind, RunId};
use thiserror::Error;

use crate::random::RandomError;
use crate::record::{Epoch, PAYLOAD_BYTES_MAX};

/// Why the store could not be opened, read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SL650. Help: name the workspace's own file; this one belongs to another program.
    #[error("`{}` is not {what} of a workspace", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it should have been.
        what: &'static str,
    },
    /// SL651. Help: restore it from a copy, then `sluice audit verify`; nothing was changed.
    #[error("`{}` is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// SL652. Help: open it with the Sluice that wrote it, or a newer one.
    #[error("`{}` has layout {version}, which is not known here", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// The layout that it states.
        version: i64,
    },
    /// SL653. Help: `sluice init` makes a workspace; otherwise restore the file from a copy.
    #[error("{what} `{}` is missing", path.display())]
    NoFile {
        /// Where it should be.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
    },
    /// SL654. Help: choose another folder, or open what is there.
    #[error("there is a file at `{}` already", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// SL655. Help: put back the key file that was made together with this ledger.
    #[error("the keys at `{}` are not those of this ledger", keys.display())]
    OtherKeys {
        /// The key file.
        keys: PathBuf,
    },
    /// SL656. Help: another process holds the file; try again.
    #[error("another process keeps `{}` busy", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// SL657. Help: make room and go on; what was written before is safe.
    #[error("no room left on the disk for `{}`: make room and go on; what was written before is safe", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// SL658. Help: look at the disk, the rights and the mount of this file.
    #[error("cannot {deed} `{}`: {cause}", path.display())]
    Io {
        /// What was being done.
        deed: &'static str,
        /// The file.
        path: PathBuf,
        /// What the storage said.
        cause: String,
    },
    /// SL660. Help: `sluice audit log` shows how many entries there are.
    #[error("the log has no entry {index}")]
    NoEntry {
        /// The entry asked for.
        index: u64,
    },
    /// SL610 to SL617, as the ledger's own error says.
    #[error("the log cannot prove this: {why}")]
    Proof {
        /// The code of the ledger's error.
        code: &'static str,
        /// What it says.
        why: String,
    },
    /// SL669, as the error itself says.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl StoreError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => "SL650",
            Self::Damaged { .. } => "SL651",
            Self::Layout { .. } => "SL652",
            Self::NoFile { .. } => "SL653",
            Self::Exists { .. } => "SL654",
            Self::OtherKeys { .. } => "SL655",
            Self::Busy { .. } => "SL656",
            Self::Full { .. } => "SL657",
            Self::Io { .. } => "SL658",
            Self::NoEntry { .. } => "SL660",
            Self::Proof { code, .. } => code,
            Self::Random(_) => "SL669",
        }
    }
}

/// A file, and what is being done with it: gives every error of the storage its words.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// `the ledger` or `the key file`.
    pub(crate) what: &'static str,
}

impl File {
    pub(crate) fn error(&self, deed: &'static str, error: &rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { path, what: self.what },
            Some(ErrorCode::DatabaseCorrupt) => self.damaged(error.to_string()),
            _ => StoreError::Io { deed, path, cause: error.to_string() },
        }
    }

    /// For `map_err`.
    pub(crate) fn deed(&self, deed: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        move |error| self.error(deed, &error)
    }

    pub(crate) fn io(&self, deed: &'static str, error: &std::io::Error) -> StoreError {
        StoreError::Io { deed, path: self.path.clone(), cause: error.to_string() }
    }

    pub(crate) fn damaged(&self, why: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), why: why.into() }
    }
}

/// Why a batch was not written, or why nobody knows.
#[derive(Debug, Error)]
pub enum AppendError {
    /// SL661. Help: read again, decide again; nothing of the batch was written.
    #[error("the log has moved on: {0}")]
    Conflict(Conflict),
    /// SL662. Help: open the store again and read whether the entries are there.
    #[error(
        "the store was lost during a commit: its entries are there whole, or not at all. look at the disk; `sluice audit verify` says what is there, and `sluice resume` goes on"
    )]
    Unknown,
    /// SL663. Help: open the store again.
    #[error("the store has stopped after a failed commit")]
    Stopped,
    /// SL601 to SL607, as the entry's own error says.
    #[error("record {record} of the batch is no entry: {error}")]
    Entry {
        /// Which of the batch, from 0.
        record: usize,
        /// Why.
        error: EntryError,
    },
    /// SL664. Help: give the field another name.
    #[error("record {record} of the batch writes the field `{field}`, which is the store's own")]
    ReservedField {
        /// Which of the batch, from 0.
        record: usize,
        /// The field.
        field: &'static str,
    },
    /// SL665. Help: keep large data in a dataset, and its digest in the workflow.
    #[error("record {record} of the batch has a payload of {bytes} bytes; at most {PAYLOAD_BYTES_MAX} can be sealed")]
    PayloadTooLong {
        /// Which of the batch, from 0.
        record: usize,
        /// How long it is.
        bytes: usize,
    },
    /// The storage failed, and nothing of the batch was written.
    #[error("cannot append to the ledger: {0}")]
    Store(#[from] StoreError),
}

impl AppendError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "SL661",
            Self::Unknown => "SL662",
            Self::Stopped => "SL663",
            Self::Entry { error, .. } => error.code(),
            Self::ReservedField { .. } => "SL664",
            Self::PayloadTooLong { .. } => "SL665",
            Self::Store(error) => error.code(),
        }
    }

    /// Whether the disk is full.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Store(StoreError::Full { .. }))
    }
}

/// What is no longer as a batch expected it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Conflict {
    /// Somebody else has written to the run.
    #[error("run {run} has {found} entries, not {expected}")]
    RunSeq {
        /// The run.
        run: RunId,
        /// How many were expected.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// Somebody else drives the run now.
    #[error("run {run} was claimed under epoch {current}, and epoch {given} is over")]
    Epoch {
        /// The run.
        run: RunId,
        /// The epoch of the batch.
        given: Epoch,
        /// The epoch that counts.
        current: Epoch,
    },
    /// An approval that serves once has served.
    #[error("approval `{id}` was used by entry {by}")]
    ApprovalUsed {
        /// The approval.
        id: String,
        /// The entry that used it.
        by: u64,
    },
    /// An approval is not there, or was denied or withdrawn, or ran out.
    #[error("approval `{id}` is not in force")]
    ApprovalNotInForce {
        /// The approval.
        id: String,
        /// The last entry about it.
        last: Option<EntryKind>,
    },
    /// A count that a gate used has changed.
    #[error("the count `{key}` is {found} now")]
    Fact {
        /// Which count.
        key: String,
        /// What it is.
        found: u64,
    },
}
