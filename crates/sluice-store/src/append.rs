//! Appending: one transaction reads where the log stands, compares, seals, and writes.

use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use sluice_ledger::{Entry, Frontier, Hash, LeafIndex, RunId, RunLink, TreeSize, leaf_hash};

use crate::derived::{ApprovalRow, RunRow, approval_of, counts_of, uses_of};
use crate::error::{AppendError, Conflict, File, StoreError};
use crate::fault::{Commit, Fault};
use crate::keys::{PayloadKeys, Place};
use crate::record::{Appended, Batch, Epoch, Expect, NewRecord, PAYLOAD_BYTES_MAX};
use crate::records::Records;
use crate::seal::{Sealed, seal};
use crate::tables::{self, NODE_LEVEL_MIN};

impl Records {
    /// Writes a batch, durably and whole, or nothing of it.
    ///
    /// # Errors
    /// [`AppendError`]. After [`AppendError::Unknown`] nobody knows, and this handle takes no more;
    /// after every other one nothing of the batch was written.
    pub fn append(&mut self, records: &[NewRecord], expect: &Expect) -> Result<Appended, AppendError> {
        let batch = Batch { records: records.to_vec(), expect: expect.clone() };
        self.append_all(std::slice::from_ref(&batch)).pop().unwrap_or(Err(AppendError::Stopped))
    }

    /// Writes several batches in one commit; each succeeds or fails for itself, in order.
    ///
    /// Returns one result per batch.
    pub fn append_all(&mut self, batches: &[Batch]) -> Vec<Result<Appended, AppendError>> {
        if self.is_stopped {
            return batches.iter().map(|_| Err(AppendError::Stopped)).collect();
        }
        match self.commit(batches) {
            Ok(results) => results,
            Err(Failure::Unknown) => {
                self.is_stopped = true;
                batches.iter().map(|_| Err(AppendError::Unknown)).collect()
            }
            Err(Failure::Store(error)) if batches.len() <= 1 => vec![Err(error.into())],
            // One of them was too much, for the disk or for SQLite: the others need not suffer.
            Err(Failure::Store(_)) => {
                batches.iter().flat_map(|batch| self.append_all(std::slice::from_ref(batch))).collect()
            }
        }
    }

    /// A savepoint costs more than an entry, and is needed only if a batch is refused once part of it is written. So the
    /// commit is tried without any, and begun again with them where that happens.
    fn commit(&mut self, batches: &[Batch]) -> Result<Vec<Result<Appended, AppendError>>, Failure> {
        match self.try_commit(batches, Undo::Everything)? {
            Some(results) => Ok(results),
            None => Ok(self.try_commit(batches, Undo::Batch)?.unwrap_or_default()),
        }
    }

    /// `None` if all was undone, because a batch was refused and could not be undone alone.
    fn try_commit(
        &mut self,
        batches: &[Batch],
        undo: Undo,
    ) -> Result<Option<Vec<Result<Appended, AppendError>>>, Failure> {
        let file = &self.file;
        let deed = file.deed("write");
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&deed)?;
        self.keys.ensure(&all_keys(&self.keys, batches))?;
        let mut state = State { frontier: read_frontier(&tx, file)?, runs: BTreeMap::new(), epochs: BTreeMap::new() };
        let size_before = state.frontier.size();
        let mut results = Vec::with_capacity(batches.len());
        for batch in batches {
            let first = LeafIndex::new(state.frontier.size().get());
            let before = undo.begin(&tx, &state).map_err(&deed)?;
            let mut writer =
                BatchWriter { conn: &tx, file, keys: &mut self.keys, state: &mut state, has_written: false };
            let (written, has_written) = (writer.write(batch), writer.has_written);
            match written {
                Ok(leaves) => {
                    let (size, root) = (state.frontier.size(), state.frontier.root());
                    results.push(Ok(Appended { first, leaves, size, root }));
                }
                Err(Refusal::Batch(_)) if has_written && before.is_none() => return Ok(None),
                Err(Refusal::Batch(error)) => {
                    undo.back(&tx, before, &mut state).map_err(&deed)?;
                    results.push(Err(error));
                }
                Err(Refusal::Store(error)) => return Err(Failure::Store(error)),
            }
            undo.end(&tx).map_err(&deed)?;
        }
        let State { frontier, runs, .. } = state;
        if frontier.size() == size_before {
            return Ok(Some(results));
        }
        for run in runs.values().filter(|run| run.is_moved) {
            tables::put_run(&tx, &run.row).map_err(&deed)?;
        }
        tables::put_frontier(&tx, &frontier).map_err(&deed)?;
        if let Some(signer) = &mut self.signer
            && let Some(note) = signer(frontier.size(), &|| frontier.root())
        {
            tables::put_checkpoint(&tx, frontier.size().get(), &note).map_err(&deed)?;
        }
        let commit = Commit { number: self.commits, entries: frontier.size().get() - size_before.get() };
        if let Some(faults) = &mut self.faults
            && faults.before_commit(commit) == Fault::Crash
        {
            return Err(Failure::Unknown);
        }
        tx.commit().map_err(|error| commit_failure(file, &error))?;
        self.commits += 1;
        if let Some(faults) = &mut self.faults
            && faults.after_commit(commit) == Fault::Crash
        {
            return Err(Failure::Unknown);
        }
        Ok(Some(results))
    }
}

/// What is undone when a batch is refused that is partly written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// The whole transaction.
    Everything,
    /// The batch alone.
    Batch,
}

impl Undo {
    /// What a batch is undone to, if it can be undone alone.
    fn begin(self, conn: &Connection, state: &State) -> rusqlite::Result<Option<State>> {
        self.execute(conn, "SAVEPOINT batch")?;
        Ok((self == Self::Batch).then(|| state.clone()))
    }

    fn back(self, conn: &Connection, before: Option<State>, state: &mut State) -> rusqlite::Result<()> {
        if let Some(before) = before {
            *state = before;
        }
        self.execute(conn, "ROLLBACK TO batch")
    }

    fn end(self, conn: &Connection) -> rusqlite::Result<()> {
        self.execute(conn, "RELEASE batch")
    }

    fn execute(self, conn: &Connection, sql: &str) -> rusqlite::Result<()> {
        match self {
            Self::Everything => Ok(()),
            Self::Batch => tables::execute(conn, sql),
        }
    }
}

/// How the log and its runs stand in the middle of a transaction. Runs are read and written back once in it, however many
/// batches they have: nobody else writes meanwhile.
#[derive(Clone)]
struct State {
    frontier: Frontier,
    runs: BTreeMap<RunId, OpenRun>,
    epochs: BTreeMap<RunId, Epoch>,
}

#[derive(Clone)]
struct OpenRun {
    row: RunRow,
    /// Whether it has entries that its row in the file does not know of.
    is_moved: bool,
}

/// Why a whole commit failed.
enum Failure {
    Unknown,
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// SQLite says these two before the commit has become durable; of every other one we do not know it.
fn commit_failure(file: &File, error: &rusqlite::Error) -> Failure {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => Failure::Store(file.error("write", error)),
        _ => Failure::Unknown,
    }
}

fn all_keys(keys: &PayloadKeys, batches: &[Batch]) -> BTreeSet<Place> {
    batches
        .iter()
        .flat_map(|batch| &batch.records)
        .filter_map(|record| Some((record.run, record.payload.as_ref()?)))
        .flat_map(|(run, payload)| keys.places(run, &payload.subjects))
        .collect()
}

pub(crate) fn read_frontier(conn: &Connection, file: &File) -> Result<Frontier, StoreError> {
    let bytes = tables::frontier_bytes(conn).map_err(file.deed("read"))?;
    Frontier::from_bytes(&bytes).map_err(|error| file.damaged(error.to_string()))
}

/// Why a batch was not written: its own fault, or everybody's.
enum Refusal {
    Batch(AppendError),
    Store(StoreError),
}

impl From<Conflict> for Refusal {
    fn from(conflict: Conflict) -> Self {
        Self::Batch(AppendError::Conflict(conflict))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes one batch inside a transaction.
struct BatchWriter<'a> {
    conn: &'a Connection,
    file: &'a File,
    keys: &'a mut PayloadKeys,
    state: &'a mut State,
    /// Whether there is something to undo.
    has_written: bool,
}

impl BatchWriter<'_> {
    fn write(&mut self, batch: &Batch) -> Result<Vec<Hash>, Refusal> {
        self.check(&batch.expect)?;
        let mut leaves = Vec::with_capacity(batch.records.len());
        for (number, record) in batch.records.iter().enumerate() {
            leaves.push(self.write_record(number, record)?);
        }
        Ok(leaves)
    }

    fn check(&mut self, expect: &Expect) -> Result<(), Refusal> {
        let deed = self.file.deed("read");
        for one in &expect.runs {
            if let Some(expected) = one.next_seq {
                let found = self.run(one.run)?.map_or(0, |row| row.entries);
                if found != expected {
                    return Err(Conflict::RunSeq { run: one.run, expected, found }.into());
                }
            }
            if let Some(given) = one.epoch {
                let current = self.epoch(one.run)?;
                if given != current {
                    return Err(Conflict::Epoch { run: one.run, given, current }.into());
                }
            }
        }
        for fact in &expect.facts {
            let found = tables::fact(self.conn, &fact.key).map_err(&deed)?;
            if !fact.is.holds(found) {
                return Err(Conflict::Fact { key: fact.key.clone(), found }.into());
            }
        }
        Ok(())
    }

    fn write_record(&mut self, number: usize, record: &NewRecord) -> Result<Hash, Refusal> {
        let (entry, sealed) = self.entry(number, record)?;
        let bytes = entry.encode().map_err(|error| Refusal::Batch(AppendError::Entry { record: number, error }))?;
        let leaf = leaf_hash(&bytes);
        let deed = self.file.deed("write");
        self.has_written = true;
        tables::put_entry(self.conn, &entry, &bytes, &leaf).map_err(&deed)?;
        if let Some(sealed) = sealed {
            tables::put_payload(self.conn, entry.log, &sealed).map_err(&deed)?;
        }
        self.grow(leaf)?;
        self.fold(&entry, leaf)?;
        Ok(leaf)
    }

    fn entry(&mut self, number: usize, record: &NewRecord) -> Result<(Entry, Option<Sealed>), Refusal> {
        let log = LeafIndex::new(self.state.frontier.size().get());
        let run = record.run.map(|run| self.link(run)).transpose()?;
        let body = record
            .written_body()
            .map_err(|field| Refusal::Batch(AppendError::ReservedField { record: number, field }))?;
        let mut entry = Entry { log, run, time_ms: record.time_ms, kind: record.kind, body, payload: None };
        let Some(payload) = &record.payload else {
            return Ok((entry, None));
        };
        if payload.bytes.len() > PAYLOAD_BYTES_MAX {
            return Err(Refusal::Batch(AppendError::PayloadTooLong { record: number, bytes: payload.bytes.len() }));
        }
        let key = self.keys.key_for(record.run, &payload.subjects)?;
        let (sealed, reference) =
            seal(self.keys.random(), key, log, run.as_ref(), &payload.bytes).map_err(StoreError::Random)?;
        entry.payload = Some(reference);
        Ok((entry, Some(sealed)))
    }

    fn link(&mut self, run: RunId) -> Result<RunLink, StoreError> {
        let file = self.file;
        match self.run(run)? {
            None => Ok(RunLink::first(run)),
            Some(row) => {
                RunLink::after(run, row.entries, row.last_leaf).map_err(|error| file.damaged(error.to_string()))
            }
        }
    }

    fn run(&mut self, run: RunId) -> Result<Option<&RunRow>, StoreError> {
        if let Vacant(place) = self.state.runs.entry(run)
            && let Some(row) = tables::run(self.conn, run).map_err(self.file.deed("read"))?
        {
            place.insert(OpenRun { row, is_moved: false });
        }
        Ok(self.state.runs.get(&run).map(|open| &open.row))
    }

    fn epoch(&mut self, run: RunId) -> Result<Epoch, StoreError> {
        match self.state.epochs.get(&run) {
            Some(epoch) => Ok(*epoch),
            None => {
                let epoch = tables::epoch(self.conn, run).map_err(self.file.deed("read"))?;
                self.state.epochs.insert(run, epoch);
                Ok(epoch)
            }
        }
    }

    fn grow(&mut self, leaf: Hash) -> Result<(), StoreError> {
        let mut nodes = Vec::new();
        self.state
            .frontier
            .append_with(leaf, |id, hash| {
                if id.level >= NODE_LEVEL_MIN {
                    nodes.push((id, hash));
                }
            })
            .map_err(|error| self.file.damaged(error.to_string()))?;
        for (id, hash) in nodes {
            tables::put_node(self.conn, id, &hash).map_err(self.file.deed("write"))?;
        }
        Ok(())
    }

    /// Updates all that follows from the entry.
    fn fold(&mut self, entry: &Entry, leaf: Hash) -> Result<(), Refusal> {
        let deed = self.file.deed("write");
        if let Some(run) = entry.run.map(|link| link.id()) {
            let before = self.state.runs.get(&run).map(|open| &open.row);
            let row = RunRow::after(before, run, entry, leaf);
            self.state.runs.insert(run, OpenRun { row, is_moved: true });
        }
        if let Some(id) = approval_of(entry) {
            let before = tables::approval(self.conn, id).map_err(&deed)?;
            let row = ApprovalRow::after(before.as_ref(), id, entry);
            tables::put_approval(self.conn, &row).map_err(&deed)?;
        }
        for id in uses_of(entry) {
            self.use_up(id, entry.log)?;
        }
        for (key, add) in counts_of(entry) {
            tables::add_to_fact(self.conn, &key, add).map_err(&deed)?;
        }
        Ok(())
    }

    /// Single use: what served once, or is no longer in force at this very moment, does not serve.
    fn use_up(&mut self, id: &str, by: LeafIndex) -> Result<(), Refusal> {
        let deed = self.file.deed("write");
        let row = tables::approval(self.conn, id).map_err(&deed)?;
        if let Some(used) = row.as_ref().and_then(|row| row.used_by) {
            return Err(Conflict::ApprovalUsed { id: id.to_owned(), by: used.get() }.into());
        }
        match row {
            Some(row) if row.is_in_force() => {
                let row = ApprovalRow { used_by: Some(by), ..row };
                tables::put_approval(self.conn, &row).map_err(&deed)?;
                Ok(())
            }
            other => {
                Err(Conflict::ApprovalNotInForce { id: id.to_owned(), last: other.map(|row| row.last_kind) }.into())
            }
        }
    }
}

/// How the log stood when something was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries it has.
    pub size: TreeSize,
    /// The root over them.
    pub root: Hash,
}
