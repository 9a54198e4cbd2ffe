//! The ledger's tables, and the only statements that write them.

use rusqlite::{Connection, OptionalExtension as _, Row};
use sluice_ledger::merkle::NodeId;
use sluice_ledger::{Entry, EntryKind, Frontier, Hash, LeafIndex, RunId};

use crate::database::Layout;
use crate::derived::{ApprovalRow, Index, RunRow, RunStatus};
use crate::record::Epoch;
use crate::seal::Sealed;

pub(crate) const LEDGER: Layout = Layout {
    what: "the ledger",
    // "SLUI"
    application_id: 0x534c_5549,
    version: 1,
    tables: "
        CREATE TABLE head (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            frontier BLOB NOT NULL,
            -- Which key file belongs to this ledger.
            keys BLOB NOT NULL
        ) STRICT;
        CREATE TABLE entries (
            log INTEGER PRIMARY KEY,
            leaf BLOB NOT NULL,
            entry BLOB NOT NULL,
            -- From here on: copies of what the entry says, to find it by.
            run BLOB,
            seq INTEGER,
            kind INTEGER NOT NULL,
            time_ms INTEGER NOT NULL,
            node TEXT,
            action TEXT,
            decision TEXT,
            approval TEXT,
            outcome TEXT,
            code TEXT
        ) STRICT;
        CREATE UNIQUE INDEX entries_by_run ON entries (run, seq) WHERE run IS NOT NULL;
        CREATE INDEX entries_by_approval ON entries (approval) WHERE approval IS NOT NULL;
        CREATE INDEX entries_by_action ON entries (action) WHERE action IS NOT NULL;
        CREATE TABLE payloads (
            log INTEGER PRIMARY KEY REFERENCES entries (log),
            keys BLOB NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT;
        -- Roots of full subtrees, so that a proof reads few of them instead of all leaves.
        CREATE TABLE nodes (
            level INTEGER NOT NULL,
            place INTEGER NOT NULL,
            hash BLOB NOT NULL,
            PRIMARY KEY (level, place)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE checkpoints (
            size INTEGER PRIMARY KEY,
            note TEXT NOT NULL
        ) STRICT;
        -- What follows from the entries.
        CREATE TABLE runs (
            run BLOB PRIMARY KEY,
            status TEXT NOT NULL,
            entries INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            last_leaf BLOB NOT NULL,
            last_kind INTEGER NOT NULL,
            started_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX runs_by_first ON runs (first);
        CREATE TABLE approvals (
            id TEXT PRIMARY KEY,
            run BLOB,
            requested INTEGER,
            last INTEGER NOT NULL,
            last_kind INTEGER NOT NULL,
            approved INTEGER NOT NULL,
            used_by INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE facts (
            key TEXT PRIMARY KEY,
            total INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        -- Who drives a run now: of no importance to anyone who reads the log later.
        CREATE TABLE owners (
            run BLOB PRIMARY KEY,
            epoch INTEGER NOT NULL,
            owner TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
    ",
    indexes: "
        CREATE INDEX IF NOT EXISTS entries_by_rare_kind ON entries (kind) WHERE kind NOT IN (1, 2, 3, 4, 14, 19);
        CREATE INDEX IF NOT EXISTS entries_by_rare_decision ON entries (decision) WHERE decision <> 'permit';
        CREATE INDEX IF NOT EXISTS entries_by_code ON entries (code) WHERE code IS NOT NULL;
        -- An older program's, of which this one is a part.
        DROP INDEX IF EXISTS runs_by_rare_status;
        CREATE INDEX IF NOT EXISTS runs_by_open_status ON runs (status, first) WHERE status <> 'completed';
        CREATE INDEX IF NOT EXISTS approvals_by_run ON approvals (run) WHERE run IS NOT NULL;
    ",
};

/// Holds of entries whose kind is none of those that every run has many of: these are found without an index of their own, and
/// each commit writes a page less.
pub(crate) const IS_RARE_KIND: &str = "kind NOT IN (1, 2, 3, 4, 14, 19)";

/// Whether [`IS_RARE_KIND`] holds of it.
pub(crate) fn is_rare(kind: EntryKind) -> bool {
    let common = [
        EntryKind::RUN_STARTED,
        EntryKind::DECISION,
        EntryKind::INTENT,
        EntryKind::OUTCOME,
        EntryKind::RUN_COMPLETED,
        EntryKind::MANIFEST,
    ];
    !common.contains(&kind)
}

/// Holds of decisions that let nothing pass: of these there are few, and people look for them.
pub(crate) const IS_RARE_DECISION: &str = "decision <> 'permit'";

/// Holds of runs that did not come to their end by themselves.
pub(crate) const IS_OPEN_STATUS: &str = "status <> 'completed'";

/// Nodes below this level are computed from up to sixteen leaves: an eighth of the rows, for a few
/// microseconds per proof.
pub(crate) const NODE_LEVEL_MIN: u8 = 4;

/// A number as SQLite counts. What is larger than it can count is stored as the largest; entries
/// themselves hold the exact number.
pub(crate) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was stored by [`column`].
pub(crate) fn number(row: &Row<'_>, name: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(name).map(|number| u64::try_from(number).unwrap_or(0))
}

pub(crate) fn hash(row: &Row<'_>, name: &str) -> rusqlite::Result<Hash> {
    row.get(name).map(Hash::from_bytes)
}

fn place(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<LeafIndex>> {
    Ok(row.get::<_, Option<i64>>(name)?.and_then(|number| u64::try_from(number).ok()).map(LeafIndex::new))
}

fn kind(row: &Row<'_>, name: &str) -> rusqlite::Result<EntryKind> {
    row.get(name).map(EntryKind::from_code)
}

/// A statement without a result.
pub(crate) fn execute(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute(())?;
    Ok(())
}

/// The stored bytes of the frontier.
pub(crate) fn frontier_bytes(conn: &Connection) -> rusqlite::Result<Vec<u8>> {
    conn.prepare_cached("SELECT frontier FROM head")?.query_row((), |row| row.get(0))
}

pub(crate) fn put_frontier(conn: &Connection, frontier: &Frontier) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE head SET frontier = ?1")?.execute([frontier.to_bytes()])?;
    Ok(())
}

pub(crate) fn put_entry(conn: &Connection, entry: &Entry, bytes: &[u8], leaf: &Hash) -> rusqlite::Result<()> {
    let index = Index::of(entry);
    conn.prepare_cached(
        "INSERT INTO entries (log, leaf, entry, run, seq, kind, time_ms, node, action, decision, approval, outcome, code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute((
        column(entry.log.get()),
        leaf.as_bytes(),
        bytes,
        entry.run.map(|link| *link.id().as_bytes()),
        entry.run.map(|link| column(link.seq())),
        entry.kind.code(),
        column(entry.time_ms),
        index.node,
        index.action,
        index.decision,
        index.approval,
        index.outcome,
        index.code,
    ))?;
    Ok(())
}

pub(crate) fn put_payload(conn: &Connection, log: LeafIndex, sealed: &Sealed) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO payloads (log, keys, sealed) VALUES (?1, ?2, ?3)")?.execute((
        column(log.get()),
        &sealed.keys,
        &sealed.bytes,
    ))?;
    Ok(())
}

pub(crate) fn payload(conn: &Connection, log: LeafIndex) -> rusqlite::Result<Option<Sealed>> {
    conn.prepare_cached("SELECT keys, sealed FROM payloads WHERE log = ?1")?
        .query_row([column(log.get())], |row| Ok(Sealed { keys: row.get("keys")?, bytes: row.get("sealed")? }))
        .optional()
}

pub(crate) fn put_node(conn: &Connection, id: NodeId, hash: &Hash) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO nodes (level, place, hash) VALUES (?1, ?2, ?3)")?.execute((
        id.level,
        column(id.index),
        hash.as_bytes(),
    ))?;
    Ok(())
}

pub(crate) fn node(conn: &Connection, id: NodeId) -> rusqlite::Result<Hash> {
    conn.prepare_cached("SELECT hash FROM nodes WHERE level = ?1 AND place = ?2")?
        .query_row((id.level, column(id.index)), |row| hash(row, "hash"))
}

pub(crate) fn leaf(conn: &Connection, index: LeafIndex) -> rusqlite::Result<Hash> {
    conn.prepare_cached("SELECT leaf FROM entries WHERE log = ?1")?
        .query_row([column(index.get())], |row| hash(row, "leaf"))
}

pub(crate) fn put_checkpoint(conn: &Connection, size: u64, note: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO checkpoints (size, note) VALUES (?1, ?2) ON CONFLICT (size) DO UPDATE SET note = ?2",
    )?
    .execute((column(size), note))?;
    Ok(())
}

pub(crate) const RUN_COLUMNS: &str = "run, status, entries, first, last, last_leaf, last_kind, started_ms, updated_ms";

pub(crate) fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let status: String = row.get("status")?;
    Ok(RunRow {
        run: RunId::from_bytes(row.get("run")?),
        // A status that nobody writes: `verify` names it, a list shows the run as open.
        status: RunStatus::from_name(&status).unwrap_or(RunStatus::InDoubt),
        entries: number(row, "entries")?,
        first: LeafIndex::new(number(row, "first")?),
        last: LeafIndex::new(number(row, "last")?),
        last_leaf: hash(row, "last_leaf")?,
        last_kind: kind(row, "last_kind")?,
        started_ms: number(row, "started_ms")?,
        updated_ms: number(row, "updated_ms")?,
    })
}

pub(crate) fn run(conn: &Connection, run: RunId) -> rusqlite::Result<Option<RunRow>> {
    conn.prepare_cached(&format!("SELECT {RUN_COLUMNS} FROM runs WHERE run = ?1"))?
        .query_row([run.as_bytes()], run_row)
        .optional()
}

pub(crate) fn put_run(conn: &Connection, row: &RunRow) -> rusqlite::Result<()> {
    conn.prepare_cached(&format!(
        "INSERT INTO runs ({RUN_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (run) DO UPDATE SET status = ?2, entries = ?3, last = ?5, last_leaf = ?6, last_kind = ?7,
         updated_ms = ?9"
    ))?
    .execute((
        row.run.as_bytes(),
        row.status.name(),
        column(row.entries),
        column(row.first.get()),
        column(row.last.get()),
        row.last_leaf.as_bytes(),
        row.last_kind.code(),
        column(row.started_ms),
        column(row.updated_ms),
    ))?;
    Ok(())
}

pub(crate) const APPROVAL_COLUMNS: &str = "id, run, requested, last, last_kind, approved, used_by";

pub(crate) fn approval_row(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    Ok(ApprovalRow {
        id: row.get("id")?,
        run: row.get::<_, Option<[u8; RunId::BYTES]>>("run")?.map(RunId::from_bytes),
        requested: place(row, "requested")?,
        last: LeafIndex::new(number(row, "last")?),
        last_kind: kind(row, "last_kind")?,
        approved: number(row, "approved")?,
        used_by: place(row, "used_by")?,
    })
}

pub(crate) fn approval(conn: &Connection, id: &str) -> rusqlite::Result<Option<ApprovalRow>> {
    conn.prepare_cached(&format!("SELECT {APPROVAL_COLUMNS} FROM approvals WHERE id = ?1"))?
        .query_row([id], approval_row)
        .optional()
}

pub(crate) fn put_approval(conn: &Connection, row: &ApprovalRow) -> rusqlite::Result<()> {
    let place = |index: Option<LeafIndex>| index.map(|index| column(index.get()));
    conn.prepare_cached(&format!(
        "INSERT OR REPLACE INTO approvals ({APPROVAL_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    ))?
    .execute((
        &row.id,
        row.run.map(|run| *run.as_bytes()),
        place(row.requested),
        column(row.last.get()),
        row.last_kind.code(),
        column(row.approved),
        place(row.used_by),
    ))?;
    Ok(())
}

pub(crate) fn fact(conn: &Connection, key: &str) -> rusqlite::Result<u64> {
    let total = conn
        .prepare_cached("SELECT total FROM facts WHERE key = ?1")?
        .query_row([key], |row| number(row, "total"))
        .optional()?;
    Ok(total.unwrap_or(0))
}

/// Several at once: one look at the file, and all as of one moment.
pub(crate) fn facts<const N: usize>(conn: &Connection, keys: &[String; N]) -> rusqlite::Result<[u64; N]> {
    if N == 0 {
        return Ok([0; N]);
    }
    // A list (`IN`) would have SQLite make a table of it, which takes longer than looking.
    let one = "coalesce((SELECT total FROM facts WHERE key = ?), 0)";
    let mut select = conn.prepare_cached(&format!("SELECT {}", vec![one; N].join(", ")))?;
    select.query_row(rusqlite::params_from_iter(keys), |row| {
        let mut totals = [0; N];
        for (place, total) in totals.iter_mut().enumerate() {
            *total = u64::try_from(row.get::<_, i64>(place)?).unwrap_or(0);
        }
        Ok(totals)
    })
}

/// Adds to a count, as far as SQLite can count.
pub(crate) fn add_to_fact(conn: &Connection, key: &str, add: u64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO facts (key, total) VALUES (?1, ?2) ON CONFLICT (key)
         DO UPDATE SET total = CASE WHEN total > ?3 - ?2 THEN ?3 ELSE total + ?2 END",
    )?
    .execute((key, column(add), i64::MAX))?;
    Ok(())
}

pub(crate) fn epoch(conn: &Connection, run: RunId) -> rusqlite::Result<Epoch> {
    let epoch = conn
        .prepare_cached("SELECT epoch FROM owners WHERE run = ?1")?
        .query_row([run.as_bytes()], |row| number(row, "epoch"))
        .optional()?;
    Ok(epoch.map_or(Epoch::FIRST, Epoch))
}

pub(crate) fn put_epoch(conn: &Connection, run: RunId, epoch: Epoch, owner: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO owners (run, epoch, owner) VALUES (?1, ?2, ?3)")?.execute((
        run.as_bytes(),
        column(epoch.get()),
        owner,
    ))?;
    Ok(())
}
