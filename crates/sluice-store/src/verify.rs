//! Checking a ledger from its first entry to its last, and naming the first that does not fit.
//!
//! Everything that can be computed is computed again: leaf hashes, the tree and its frontier, the
//! chain of each run, the tables that follow from entries, the commitments of payloads that open, and
//! the signed checkpoints. What this cannot see is said in the report: the entries that no checkpoint
//! covers yet could have been written by anyone who holds the file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};
use sluice_ledger::merkle::NodeId;
use sluice_ledger::note::VerifierKey;
use sluice_ledger::{Checkpoint, Entry, Frontier, Hash, LeafIndex, RunId, RunLink, TreeSize, leaf_hash};
use thiserror::Error;

use crate::database;
use crate::derived::{ApprovalRow, Index, RunRow, approval_of, counts_of, uses_of};
use crate::error::{File, StoreError};
use crate::keys::PayloadKeys;
use crate::record::PayloadState;
use crate::seal::{self, Sealed};
use crate::tables::{self, APPROVAL_COLUMNS, LEDGER, NODE_LEVEL_MIN, RUN_COLUMNS, column, number};

/// What a check of the whole ledger has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many entries were read.
    pub entries: u64,
    /// The size of the tree over them.
    pub size: TreeSize,
    /// The root over them, computed from their bytes.
    pub root: Hash,
    /// The entries that no trusted checkpoint covers; empty if all are covered.
    pub unsigned_tail: Range<u64>,
    /// How many checkpoints a trusted key has signed, and agree with the entries.
    pub checkpoints: u64,
    /// How many checkpoints were not looked at, as no key was trusted.
    pub checkpoints_unchecked: u64,
    /// What became of the payloads.
    pub payloads: PayloadCounts,
    /// What does not fit, from the front; later ones are often its consequences.
    pub first_misfit: Option<Misfit>,
    /// How many things do not fit.
    pub misfits: u64,
}

impl VerifyReport {
    /// Whether everything that could be looked at agrees.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        self.first_misfit.is_none()
    }
}

/// How many payloads came to which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadCounts {
    /// Opened, and what the entry commits to.
    pub opened: u64,
    /// A key was destroyed on purpose.
    pub erased: u64,
    /// Not there, changed, or not what the entry commits to.
    pub missing: u64,
    /// The key file does not have the key.
    pub wrong_key: u64,
    /// There and of the right length; without keys no more can be said.
    pub sealed: u64,
}

/// Something in the ledger that cannot be as Sluice has written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The entry that it was seen at.
    pub index: LeafIndex,
    /// What is wrong.
    pub why: MisfitKind,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MisfitKind {
    /// SL670. Help: entries were removed; compare with a copy.
    #[error("the entry is not there")]
    Gone,
    /// SL671. Help: the file is damaged here; compare with a copy.
    #[error("the entry cannot be read: {0}")]
    Unreadable(String),
    /// SL672. Help: entry or hash was changed after it was written.
    #[error("the stored leaf hash is not that of the entry's bytes")]
    Leaf,
    /// SL673. Help: the entry was not written by Sluice.
    #[error("the bytes are not an entry: {0}")]
    NotAnEntry(String),
    /// SL674. Help: the entry was moved here from elsewhere.
    #[error("the entry says that it is entry {stated}")]
    Place {
        /// What it says.
        stated: u64,
    },
    /// SL675. Help: an entry of this run was removed, added or changed.
    #[error("the entry does not continue its run `{run}`: it must be number {seq}, after {prev}")]
    Chain {
        /// The run.
        run: RunId,
        /// Which entry of the run it must be.
        seq: u64,
        /// The leaf hash that it must name, or `none`.
        prev: String,
    },
    /// SL676. Help: only the copy is wrong, not the entry; `sluice audit log` reads the entry.
    #[error("the column `{column}` does not say what the entry says")]
    Column {
        /// The column.
        column: &'static str,
    },
    /// SL677. Help: the payload was removed or changed; the entry still commits to it.
    #[error("the payload is gone, or is not the one that the entry commits to")]
    Payload,
    /// SL677. Help: a payload was put beside an entry that has none.
    #[error("there is a payload that no entry knows of")]
    StrayPayload,
    /// SL678. Help: the tree's stored hashes can be computed from the entries.
    #[error("a stored hash of the tree is not that of the entries (level {level})")]
    Node {
        /// How high above the leaves.
        level: u8,
    },
    /// SL678. Help: as above.
    #[error("the stored frontier is not that of the entries")]
    Frontier,
    /// SL679. Help: the log is not the one that was signed; ask whoever kept an older checkpoint.
    #[error("the entries from here to {size} are not those that the checkpoint of {size} entries was signed over")]
    SignedOver {
        /// The size of the checkpoint.
        size: u64,
    },
    /// SL679. Help: entries were cut off the end.
    #[error("the checkpoint of {size} entries covers entries that are not there")]
    CutOff {
        /// The size of the checkpoint.
        size: u64,
    },
    /// SL620 to SL631. Help: the note was changed, or is not by a key that you trust.
    #[error("the checkpoint of {size} entries does not open: {why}")]
    Checkpoint {
        /// The size of the checkpoint.
        size: u64,
        /// Why.
        why: String,
    },
    /// SL680. Help: this table follows from the entries; it was changed by itself.
    #[error("the table `{table}` does not say what follows from the entries (`{key}`)")]
    Derived {
        /// The table.
        table: &'static str,
        /// The row.
        key: String,
    },
}

impl MisfitKind {
    /// The stable code of this misfit.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Gone => "SL670",
            Self::Unreadable(_) => "SL671",
            Self::Leaf => "SL672",
            Self::NotAnEntry(_) => "SL673",
            Self::Place { .. } => "SL674",
            Self::Chain { .. } => "SL675",
            Self::Column { .. } => "SL676",
            Self::Payload | Self::StrayPayload => "SL677",
            Self::Node { .. } | Self::Frontier => "SL678",
            Self::SignedOver { .. } | Self::CutOff { .. } | Self::Checkpoint { .. } => "SL679",
            Self::Derived { .. } => "SL680",
        }
    }
}

/// Checks the whole ledger at `path`, reading only.
///
/// Without `keys` payloads are not opened; without `trusted` keys checkpoints are not checked, and the
/// unsigned tail is the whole log. What does not fit is in the report, not an error.
///
/// # Errors
/// [`StoreError`] if the file cannot be opened as a ledger, or belongs to other keys.
pub fn verify_all(
    path: &Path,
    keys: Option<&PayloadKeys>,
    trusted: &[VerifierKey],
) -> Result<VerifyReport, StoreError> {
    let (mut conn, file) = database::open_for_reading(path, &LEDGER)?;
    // One snapshot: what others append meanwhile is the next check's.
    let tx = conn.transaction_with_behavior(TransactionBehavior::Deferred).map_err(file.deed("read"))?;
    if let Some(keys) = keys {
        crate::records::check_keys(&tx, &file, keys)?;
    }
    let mut check = Check::new(&tx, &file, keys, trusted);
    check.load_checkpoints()?;
    check.entries()?;
    check.ends()?;
    check.derived()?;
    Ok(check.report())
}

struct Check<'a> {
    conn: &'a Transaction<'a>,
    file: &'a File,
    keys: Option<&'a PayloadKeys>,
    trusted: &'a [VerifierKey],
    frontier: Frontier,
    runs: BTreeMap<RunId, RunRow>,
    approvals: BTreeMap<String, ApprovalRow>,
    facts: BTreeMap<String, u64>,
    /// Not yet reached; the smallest last.
    checkpoints: Vec<(u64, String)>,
    covered: u64,
    checked: u64,
    unchecked: u64,
    payloads: PayloadCounts,
    first: Option<Misfit>,
    misfits: u64,
}

/// A row of `entries`, with the payload beside it.
struct RawEntry {
    log: u64,
    leaf: Vec<u8>,
    bytes: Vec<u8>,
    run: Option<Vec<u8>>,
    seq: Option<i64>,
    kind: i64,
    time_ms: i64,
    index: Index,
    sealed: Option<Sealed>,
}

impl<'a> Check<'a> {
    fn new(
        conn: &'a Transaction<'a>,
        file: &'a File,
        keys: Option<&'a PayloadKeys>,
        trusted: &'a [VerifierKey],
    ) -> Self {
        Self {
            conn,
            file,
            keys,
            trusted,
            frontier: Frontier::new(),
            runs: BTreeMap::new(),
            approvals: BTreeMap::new(),
            facts: BTreeMap::new(),
            checkpoints: Vec::new(),
            covered: 0,
            checked: 0,
            unchecked: 0,
            payloads: PayloadCounts::default(),
            first: None,
            misfits: 0,
        }
    }

    fn misfit(&mut self, index: u64, why: MisfitKind) {
        self.misfits += 1;
        self.first.get_or_insert(Misfit { index: LeafIndex::new(index), why });
    }

    /// How many entries have been read.
    fn at(&self) -> u64 {
        self.frontier.size().get()
    }

    fn load_checkpoints(&mut self) -> Result<(), StoreError> {
        self.checkpoints = self
            .conn
            .prepare("SELECT size, note FROM checkpoints ORDER BY size DESC")
            .and_then(|mut select| select.query_map((), |row| Ok((number(row, "size")?, row.get("note")?)))?.collect())
            .map_err(self.file.deed("read"))?;
        self.reach_checkpoints();
        Ok(())
    }

    fn entries(&mut self) -> Result<(), StoreError> {
        let conn = self.conn;
        let mut select = conn
            .prepare(
                "SELECT entries.log, leaf, entry, run, seq, kind, time_ms, node, action, decision,
                        approval, outcome, code, keys, sealed
                 FROM entries LEFT JOIN payloads USING (log) ORDER BY entries.log",
            )
            .map_err(self.file.deed("read"))?;
        let mut rows = select.query(()).map_err(self.file.deed("read"))?;
        loop {
            let raw = match rows.next() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => raw_entry(row),
                Err(error) => Err(error),
            };
            let raw = match raw {
                Ok(raw) => raw,
                Err(error) => {
                    self.misfit(self.at(), MisfitKind::Unreadable(error.to_string()));
                    return Ok(());
                }
            };
            if raw.log != self.at() {
                self.misfit(self.at(), MisfitKind::Gone);
                return Ok(());
            }
            self.entry(&raw)?;
        }
    }

    fn entry(&mut self, raw: &RawEntry) -> Result<(), StoreError> {
        let leaf = leaf_hash(&raw.bytes);
        if raw.leaf != leaf.as_bytes() {
            self.misfit(raw.log, MisfitKind::Leaf);
        }
        match Entry::decode(&raw.bytes) {
            Ok(entry) if entry.log.get() == raw.log => {
                self.columns(raw, &entry);
                self.chain(&entry);
                self.payload(raw, &entry)?;
                self.fold(&entry, leaf);
            }
            Ok(entry) => self.misfit(raw.log, MisfitKind::Place { stated: entry.log.get() }),
            Err(error) => self.misfit(raw.log, MisfitKind::NotAnEntry(error.to_string())),
        }
        self.grow(leaf)?;
        self.reach_checkpoints();
        Ok(())
    }

    fn columns(&mut self, raw: &RawEntry, entry: &Entry) {
        let index = Index::of(entry);
        let run = entry.run.map(|link| link.id().as_bytes().to_vec());
        let pairs = [
            ("run", raw.run == run),
            ("seq", raw.seq == entry.run.map(|link| column(link.seq()))),
            ("kind", raw.kind == i64::from(entry.kind.code())),
            ("time_ms", raw.time_ms == column(entry.time_ms)),
            ("node", raw.index.node == index.node),
            ("action", raw.index.action == index.action),
            ("decision", raw.index.decision == index.decision),
            ("approval", raw.index.approval == index.approval),
            ("outcome", raw.index.outcome == index.outcome),
            ("code", raw.index.code == index.code),
        ];
        for (column, _) in pairs.iter().filter(|(_, fits)| !fits) {
            self.misfit(raw.log, MisfitKind::Column { column });
        }
    }

    fn chain(&mut self, entry: &Entry) {
        let Some(link) = entry.run else { return };
        let (seq, prev) = match self.runs.get(&link.id()) {
            None => (0, None),
            Some(row) => (row.entries, Some(row.last_leaf)),
        };
        if link.seq() != seq || link.prev() != prev.as_ref() {
            self.misfit(
                entry.log.get(),
                MisfitKind::Chain {
                    run: link.id(),
                    seq,
                    prev: prev.map_or_else(|| "none".to_owned(), |hash| hash.to_string()),
                },
            );
        }
    }

    fn payload(&mut self, raw: &RawEntry, entry: &Entry) -> Result<(), StoreError> {
        let Some(reference) = entry.payload else {
            if raw.sealed.is_some() {
                self.misfit(raw.log, MisfitKind::StrayPayload);
            }
            return Ok(());
        };
        let state = match self.keys {
            Some(keys) => seal::open(keys, entry, raw.sealed.as_ref())?,
            None if raw.sealed.as_ref().is_some_and(|sealed| seal::fits(sealed, &reference)) => {
                self.payloads.sealed += 1;
                return Ok(());
            }
            None => PayloadState::Missing,
        };
        match state {
            PayloadState::None => {}
            PayloadState::Opened(_) => self.payloads.opened += 1,
            PayloadState::Erased => self.payloads.erased += 1,
            PayloadState::WrongKey => self.payloads.wrong_key += 1,
            PayloadState::Missing => {
                self.payloads.missing += 1;
                self.misfit(raw.log, MisfitKind::Payload);
            }
        }
        Ok(())
    }

    fn fold(&mut self, entry: &Entry, leaf: Hash) {
        if let Some(run) = entry.run.as_ref().map(RunLink::id) {
            let row = RunRow::after(self.runs.get(&run), run, entry, leaf);
            self.runs.insert(run, row);
        }
        if let Some(id) = approval_of(entry) {
            let row = ApprovalRow::after(self.approvals.get(id), id, entry);
            self.approvals.insert(id.to_owned(), row);
        }
        for id in uses_of(entry) {
            match self.approvals.get_mut(id).filter(|row| row.is_in_force()) {
                Some(row) => row.used_by = Some(entry.log),
                // An approval used twice, or never given, was never appended by us.
                None => {
                    let key = id.to_owned();
                    self.misfit(entry.log.get(), MisfitKind::Derived { table: "approvals", key });
                }
            }
        }
        for (key, add) in counts_of(entry) {
            let total = self.facts.entry(key).or_default();
            *total = total.saturating_add(add);
        }
    }

    fn grow(&mut self, leaf: Hash) -> Result<(), StoreError> {
        let at = self.at();
        let mut nodes: Vec<(NodeId, Hash)> = Vec::new();
        self.frontier
            .append_with(leaf, |id, hash| nodes.push((id, hash)))
            .map_err(|error| self.file.damaged(error.to_string()))?;
        nodes.retain(|(id, _)| id.level >= NODE_LEVEL_MIN);
        for (id, hash) in nodes {
            if tables::node(self.conn, id) != Ok(hash) {
                self.misfit(at, MisfitKind::Node { level: id.level });
            }
        }
        Ok(())
    }

    /// Compares the checkpoints of exactly as many entries as have been read.
    fn reach_checkpoints(&mut self) {
        while let Some((size, note)) = self.checkpoints.pop_if(|(size, _)| *size == self.frontier.size().get()) {
            if self.trusted.is_empty() {
                self.unchecked += 1;
                continue;
            }
            match Checkpoint::open(note.as_bytes(), self.trusted) {
                Ok(checkpoint) if checkpoint.size().get() == size && *checkpoint.root() == self.frontier.root() => {
                    self.checked += 1;
                    self.covered = size;
                }
                Ok(_) => self.misfit(self.covered, MisfitKind::SignedOver { size }),
                Err(error) => {
                    self.misfit(size.saturating_sub(1), MisfitKind::Checkpoint { size, why: error.to_string() })
                }
            }
        }
    }

    /// What the last entry must agree with.
    fn ends(&mut self) -> Result<(), StoreError> {
        let stored = tables::frontier_bytes(self.conn).map_err(self.file.deed("read"))?;
        if stored != self.frontier.to_bytes() {
            let stated = Frontier::from_bytes(&stored).map(|frontier| frontier.size().get());
            let why = match stated {
                Ok(stated) if stated > self.at() => MisfitKind::Gone,
                _ => MisfitKind::Frontier,
            };
            let index = stated.unwrap_or(self.at()).min(self.at());
            self.misfit(index, why);
        }
        for (size, _) in std::mem::take(&mut self.checkpoints).into_iter().rev() {
            self.misfit(self.at(), MisfitKind::CutOff { size });
        }
        let stray: Option<i64> = self
            .conn
            .query_row("SELECT min(log) FROM payloads WHERE log NOT IN (SELECT log FROM entries)", (), |row| row.get(0))
            .map_err(self.file.deed("read"))?;
        if let Some(log) = stray {
            self.misfit(u64::try_from(log).unwrap_or(0), MisfitKind::StrayPayload);
        }
        let nodes: i64 =
            self.conn.query_row("SELECT count(*) FROM nodes", (), |row| row.get(0)).map_err(self.file.deed("read"))?;
        if nodes != column(nodes_of(self.at())) {
            self.misfit(self.at(), MisfitKind::Node { level: NODE_LEVEL_MIN });
        }
        Ok(())
    }

    /// Compares the tables that follow from entries.
    fn derived(&mut self) -> Result<(), StoreError> {
        let end = self.at();
        let runs = std::mem::take(&mut self.runs);
        let sql = format!("SELECT {RUN_COLUMNS} FROM runs");
        let stored = self.rows(&sql, tables::run_row, |row| row.run)?;
        self.compare("runs", &runs, &stored, |row| row.last.get());
        let approvals = std::mem::take(&mut self.approvals);
        let sql = format!("SELECT {APPROVAL_COLUMNS} FROM approvals");
        let stored = self.rows(&sql, tables::approval_row, |row| row.id.clone())?;
        self.compare("approvals", &approvals, &stored, |row| row.last.get());
        let facts = std::mem::take(&mut self.facts)
            .into_iter()
            .map(|(key, total)| (key.clone(), (key, column(total))))
            .collect();
        let stored = self.rows(
            "SELECT key, total FROM facts",
            |row| Ok((row.get("key")?, row.get("total")?)),
            |(key, _): &(String, i64)| key.clone(),
        )?;
        self.compare("facts", &facts, &stored, |_| end);
        Ok(())
    }

    fn rows<K: Ord, R>(
        &mut self,
        sql: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<R>,
        key: impl Fn(&R) -> K,
    ) -> Result<BTreeMap<K, R>, StoreError> {
        let rows: Vec<rusqlite::Result<R>> = Connection::prepare(self.conn, sql)
            .and_then(|mut select| Ok(select.query_map((), read)?.collect()))
            .map_err(self.file.deed("read"))?;
        let mut by_key = BTreeMap::new();
        for row in rows {
            match row {
                Ok(row) => {
                    by_key.insert(key(&row), row);
                }
                Err(error) => self.misfit(self.at(), MisfitKind::Unreadable(error.to_string())),
            }
        }
        Ok(by_key)
    }

    fn compare<K: Ord + std::fmt::Display, R: PartialEq>(
        &mut self,
        table: &'static str,
        ours: &BTreeMap<K, R>,
        stored: &BTreeMap<K, R>,
        index: impl Fn(&R) -> u64,
    ) {
        let keys = ours.keys().chain(stored.keys());
        let mut wrong: Vec<(u64, String)> = keys
            .filter(|key| ours.get(key) != stored.get(key))
            .filter_map(|key| {
                let row = ours.get(key).or_else(|| stored.get(key))?;
                Some((index(row), key.to_string()))
            })
            .collect();
        wrong.sort();
        wrong.dedup();
        for (index, key) in wrong {
            self.misfit(index, MisfitKind::Derived { table, key });
        }
    }

    fn report(self) -> VerifyReport {
        let size = self.frontier.size();
        VerifyReport {
            entries: size.get(),
            size,
            root: self.frontier.root(),
            unsigned_tail: self.covered..size.get(),
            checkpoints: self.checked,
            checkpoints_unchecked: self.unchecked,
            payloads: self.payloads,
            first_misfit: self.first,
            misfits: self.misfits,
        }
    }
}

/// How many nodes are stored for a tree of this size.
fn nodes_of(size: u64) -> u64 {
    (u32::from(NODE_LEVEL_MIN)..u64::BITS).map(|level| size >> level).sum()
}

fn raw_entry(row: &Row<'_>) -> rusqlite::Result<RawEntry> {
    let keys: Option<Vec<u8>> = row.get("keys")?;
    let sealed: Option<Vec<u8>> = row.get("sealed")?;
    Ok(RawEntry {
        log: number(row, "log")?,
        leaf: row.get("leaf")?,
        bytes: row.get("entry")?,
        run: row.get("run")?,
        seq: row.get("seq")?,
        kind: row.get("kind")?,
        time_ms: row.get("time_ms")?,
        index: Index {
            node: row.get("node")?,
            action: row.get("action")?,
            decision: row.get("decision")?,
            approval: row.get("approval")?,
            outcome: row.get("outcome")?,
            code: row.get("code")?,
        },
        sealed: keys.zip(sealed).map(|(keys, bytes)| Sealed { keys, bytes }),
    })
}
