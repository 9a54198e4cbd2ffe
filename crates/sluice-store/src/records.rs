//! The open ledger of a workspace, and all that can be read from it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};
use sluice_ledger::merkle::{Leaves, NodeId, Nodes, ProveError, prove_consistency, prove_inclusion};
use sluice_ledger::{Entry, EntryKind, Frontier, Hash, LeafIndex, RunId, TreeSize};

use crate::append::{Head, read_frontier};
use crate::database::{self, Mode, Sync};
use crate::derived::{ApprovalRow, RunRow, RunStatus};
use crate::error::{File, StoreError};
use crate::fault::Durability;
use crate::keys::PayloadKeys;
use crate::record::{Epoch, PayloadState, Recorded};
use crate::seal::{self, Opening, Sealed};
use crate::tables::{self, APPROVAL_COLUMNS, LEDGER, NODE_LEVEL_MIN, RUN_COLUMNS};

/// Asked with each commit for a checkpoint of the log as it will be; `None` if it is not yet time.
///
/// What it gives is stored in the same commit as the entries, so that it costs none of its own.
pub type CheckpointSigner = Box<dyn FnMut(TreeSize, &dyn Fn() -> Hash) -> Option<String> + Send>;

/// The open ledger of a workspace. Several processes may have it open.
pub struct Records {
    pub(crate) conn: Connection,
    pub(crate) file: File,
    pub(crate) keys: PayloadKeys,
    pub(crate) faults: Option<Box<dyn Durability>>,
    pub(crate) signer: Option<CheckpointSigner>,
    pub(crate) commits: u64,
    pub(crate) is_stopped: bool,
}

impl Records {
    /// Opens the ledger, or makes one that belongs to `keys`.
    ///
    /// # Errors
    /// [`StoreError`]: no file where one must be, one where none may be, one that is foreign, cut or
    /// newer, or one that belongs to other keys.
    pub fn open(path: &Path, keys: PayloadKeys, mode: Mode) -> Result<Self, StoreError> {
        Self::open_with(path, keys, mode, Sync::Full)
    }

    /// The same; a simulation may do without waiting for the disk.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub fn open_with(path: &Path, keys: PayloadKeys, mode: Mode, sync: Sync) -> Result<Self, StoreError> {
        let (conn, file) = database::open(path, &LEDGER, mode, sync, |conn| {
            conn.execute(
                "INSERT INTO head (one, frontier, keys) VALUES (1, ?1, ?2)",
                (Frontier::new().to_bytes(), keys.id()),
            )?;
            Ok(())
        })?;
        check_keys(&conn, &file, &keys)?;
        check_head(&conn, &file)?;
        Ok(Self { conn, file, keys, faults: None, signer: None, commits: 0, is_stopped: false })
    }

    /// Lets a simulator decide which commits are lost.
    pub fn inject(&mut self, faults: Box<dyn Durability>) {
        self.faults = Some(faults);
    }

    /// Lets `signer` add checkpoints to commits.
    pub fn sign_with(&mut self, signer: CheckpointSigner) {
        self.signer = Some(signer);
    }

    /// The key file that was opened with it.
    pub const fn keys(&mut self) -> &mut PayloadKeys {
        &mut self.keys
    }

    /// How many commits of the log this handle has made, each one wait for the disk.
    #[must_use]
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    /// How the log stands now.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn head(&self) -> Result<Head, StoreError> {
        let frontier = self.frontier()?;
        Ok(Head { size: frontier.size(), root: frontier.root() })
    }

    /// The frontier of the log as it stands now.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn frontier(&self) -> Result<Frontier, StoreError> {
        read_frontier(&self.conn, &self.file)
    }

    /// The entries from `range`, in order; what lies beyond the end of the log is left out.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read, or an entry is none.
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<Recorded>, StoreError> {
        self.read(
            "entries.log >= ?1 AND entries.log < ?2 ORDER BY entries.log",
            (tables::column(range.start), tables::column(range.end)),
        )
    }

    /// Those of some kinds among the entries from `range`, in order, that were not written before a moment. The payloads of
    /// others are left closed.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn entries_of(
        &self,
        range: Range<u64>,
        kinds: &[EntryKind],
        since_ms: u64,
    ) -> Result<Vec<Recorded>, StoreError> {
        let kinds: Vec<String> = kinds.iter().map(|kind| kind.code().to_string()).collect();
        let condition = format!(
            "entries.log >= ?1 AND entries.log < ?2 AND entries.time_ms >= ?3 AND +entries.kind IN ({})
             ORDER BY entries.log",
            kinds.join(", ")
        );
        self.read(&condition, (tables::column(range.start), tables::column(range.end), tables::column(since_ms)))
    }

    /// One entry.
    ///
    /// # Errors
    /// As [`Records::entries`], and [`StoreError::NoEntry`] if the log is not that long.
    pub fn entry(&self, index: LeafIndex) -> Result<Recorded, StoreError> {
        self.read("entries.log = ?1", [tables::column(index.get())])?
            .pop()
            .ok_or(StoreError::NoEntry { index: index.get() })
    }

    /// The entries of a run, in order, with what is sealed beside them. Empty if there is no such run.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn run(&self, run: RunId) -> Result<Vec<Recorded>, StoreError> {
        self.run_from(run, 0)
    }

    /// The entries of a run from one on.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn run_from(&self, run: RunId, seq: u64) -> Result<Vec<Recorded>, StoreError> {
        self.read("entries.run = ?1 AND entries.seq >= ?2 ORDER BY entries.seq", (run.as_bytes(), tables::column(seq)))
    }

    /// The first `count` entries of a run.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn run_beginning(&self, run: RunId, count: u64) -> Result<Vec<Recorded>, StoreError> {
        self.read("entries.run = ?1 AND entries.seq < ?2 ORDER BY entries.seq", (run.as_bytes(), tables::column(count)))
    }

    /// All entries that name an approval, in order.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn entries_about(&self, approval: &str) -> Result<Vec<Recorded>, StoreError> {
        self.read("entries.approval = ?1 ORDER BY entries.log", [approval])
    }

    /// What became of the payload of an entry.
    ///
    /// # Errors
    /// As [`Records::entry`].
    pub fn payload(&self, index: LeafIndex) -> Result<PayloadState, StoreError> {
        Ok(self.entry(index)?.payload)
    }

    fn read(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Recorded>, StoreError> {
        let deed = self.file.deed("read");
        let sql = format!(
            "SELECT entries.log, entry, leaf, keys, sealed FROM entries
             LEFT JOIN payloads USING (log) WHERE {condition}"
        );
        let mut select = self.conn.prepare_cached(&sql).map_err(&deed)?;
        let rows = select.query_map(values, stored).map_err(&deed)?;
        let mut entries = Vec::new();
        for row in rows {
            entries.push(self.recorded(row.map_err(&deed)?)?);
        }
        Ok(entries)
    }

    /// The payload of an entry with its salt, to hand to somebody who has the entry and no key; `None` if it has none that
    /// opens.
    ///
    /// # Errors
    /// As [`Records::entry`].
    pub fn opening(&self, index: LeafIndex) -> Result<Option<Opening>, StoreError> {
        let entry = self.entry(index)?.entry;
        let sealed = tables::payload(&self.conn, index).map_err(self.file.deed("read"))?;
        Ok(seal::opening(&self.keys, &entry, sealed.as_ref())?.ok())
    }

    fn recorded(&self, stored: Stored) -> Result<Recorded, StoreError> {
        let entry = Entry::decode(&stored.bytes)
            .ok()
            .filter(|entry| entry.log.get() == stored.log)
            .ok_or_else(|| self.file.damaged(format!("entry {} is not one", stored.log)))?;
        let payload = seal::open(&self.keys, &entry, stored.sealed.as_ref())?;
        Ok(Recorded { entry, leaf: stored.leaf, payload })
    }

    /// The entries that match a question, in order, without their payloads.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn find(&self, query: &Query) -> Result<Vec<LeafIndex>, StoreError> {
        let deed = self.file.deed("read");
        let Conditions { sql, values } = Conditions::of(query);
        let mut select =
            self.conn.prepare_cached(&format!("SELECT log FROM entries WHERE {sql} ORDER BY log")).map_err(&deed)?;
        select
            .query_map(rusqlite::params_from_iter(values), |row| tables::number(row, "log").map(LeafIndex::new))
            .and_then(Iterator::collect)
            .map_err(&deed)
    }

    /// The latest entries that match a question, the newest first, before a place in the log.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn find_page(&self, query: &Query, page: Page) -> Result<Vec<Recorded>, StoreError> {
        let Conditions { sql, mut values } = Conditions::of(query);
        values.push(Box::new(tables::column(page.before.unwrap_or(u64::MAX))));
        values.push(Box::new(tables::column(page.count)));
        let (before, count) = (values.len() - 1, values.len());
        let condition = format!("{sql} AND entries.log < ?{before} ORDER BY entries.log DESC LIMIT ?{count}");
        self.read(&condition, rusqlite::params_from_iter(values))
    }

    /// Entries that match a question from a place in the log on, the oldest first, at most `count` of them.
    ///
    /// # Errors
    /// As [`Records::entries`].
    pub fn find_upwards(&self, query: &Query, from: u64, count: u64) -> Result<Vec<Recorded>, StoreError> {
        let Conditions { sql, mut values } = Conditions::of(query);
        values.push(Box::new(tables::column(from)));
        values.push(Box::new(tables::column(count)));
        let (from, count) = (values.len() - 1, values.len());
        let condition = format!("{sql} AND entries.log >= ?{from} ORDER BY entries.log LIMIT ?{count}");
        self.read(&condition, rusqlite::params_from_iter(values))
    }

    /// All runs, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        self.conn
            .prepare_cached(&format!("SELECT {RUN_COLUMNS} FROM runs ORDER BY first DESC"))
            .and_then(|mut select| select.query_map((), tables::run_row)?.collect())
            .map_err(self.file.deed("read"))
    }

    /// The first runs whose id begins with these hexadecimal digits, at most `count` of them.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn runs_beginning(&self, digits: &str, count: u64) -> Result<Vec<RunId>, StoreError> {
        if digits.len() > 2 * RunId::BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let bound = |fill: char| -> Option<Vec<u8>> {
            let whole: String = digits.chars().chain(std::iter::repeat(fill)).take(2 * RunId::BYTES).collect();
            (0..whole.len()).step_by(2).map(|at| u8::from_str_radix(whole.get(at..at + 2)?, 16).ok()).collect()
        };
        let Some((low, high)) = bound('0').zip(bound('f')) else { return Ok(Vec::new()) };
        self.conn
            .prepare_cached("SELECT run FROM runs WHERE run BETWEEN ?1 AND ?2 ORDER BY run LIMIT ?3")
            .and_then(|mut select| {
                let read = |row: &Row<'_>| row.get("run").map(RunId::from_bytes);
                select.query_map((low, high, tables::column(count)), read)?.collect()
            })
            .map_err(self.file.deed("read"))
    }

    /// Some of the runs, the newest first: of one status, or of every one.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn runs_page(&self, status: Option<RunStatus>, page: Page) -> Result<Vec<RunRow>, StoreError> {
        let of_status = match status {
            None => "?2 IS NULL".to_owned(),
            Some(RunStatus::Completed) => "status = ?2".to_owned(),
            Some(_) => format!("status = ?2 AND {}", tables::IS_OPEN_STATUS),
        };
        let sql =
            format!("SELECT {RUN_COLUMNS} FROM runs WHERE first < ?1 AND {of_status} ORDER BY first DESC LIMIT ?3");
        let before = tables::column(page.before.unwrap_or(u64::MAX));
        let values = (before, status.map(RunStatus::name), tables::column(page.count));
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut select| select.query_map(values, tables::run_row)?.collect())
            .map_err(self.file.deed("read"))
    }

    /// How many runs stand how. A status that no run has is left out.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn run_counts(&self) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
        let read = |row: &Row<'_>| Ok((row.get::<_, String>("status")?, tables::number(row, "count")?));
        // Nearly all runs are completed: only the others are counted one by one, and all of them without reading any.
        let open =
            format!("SELECT status, count(*) AS count FROM runs WHERE {} GROUP BY status", tables::IS_OPEN_STATUS);
        let deed = self.file.deed("read");
        let snapshot = self.conn.unchecked_transaction().map_err(&deed)?;
        let rows: Vec<(String, u64)> = snapshot
            .prepare_cached(&open)
            .and_then(|mut select| select.query_map((), read)?.collect())
            .map_err(&deed)?;
        let all = snapshot
            .prepare_cached("SELECT count(*) AS count FROM runs")
            .and_then(|mut select| select.query_row((), |row| tables::number(row, "count")))
            .map_err(&deed)?;
        let completed = all.saturating_sub(rows.iter().map(|(_, count)| count).sum());
        let counts = rows.into_iter().filter_map(|(name, count)| Some((RunStatus::from_name(&name)?, count)));
        Ok(counts.chain((completed > 0).then_some((RunStatus::Completed, completed))).collect())
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn run_row(&self, run: RunId) -> Result<Option<RunRow>, StoreError> {
        tables::run(&self.conn, run).map_err(self.file.deed("read"))
    }

    /// All approvals, in the order in which something was last said about them.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn approvals(&self) -> Result<Vec<ApprovalRow>, StoreError> {
        self.conn
            .prepare_cached(&format!("SELECT {APPROVAL_COLUMNS} FROM approvals ORDER BY last"))
            .and_then(|mut select| select.query_map((), tables::approval_row)?.collect())
            .map_err(self.file.deed("read"))
    }

    /// The approvals that people were asked for and may still answer: nobody denied or used them.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn held_approvals(&self) -> Result<Vec<ApprovalRow>, StoreError> {
        let open = [EntryKind::APPROVAL_REQUESTED, EntryKind::APPROVED, EntryKind::WITHDRAWN, EntryKind::BREAK_GLASS];
        let open = open.map(EntryKind::code);
        self.conn
            .prepare_cached(&format!(
                "SELECT {APPROVAL_COLUMNS} FROM approvals
                 WHERE last_kind IN (?1, ?2, ?3, ?4) AND used_by IS NULL ORDER BY last"
            ))
            .and_then(|mut select| select.query_map(open, tables::approval_row)?.collect())
            .map_err(self.file.deed("read"))
    }

    /// What runs that began within `range` asked people for.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn approvals_of_runs(&self, range: Range<u64>) -> Result<Vec<ApprovalRow>, StoreError> {
        let columns = APPROVAL_COLUMNS.split(", ").map(|column| format!("approvals.{column} AS {column}"));
        let sql = format!(
            "SELECT {} FROM runs JOIN approvals ON approvals.run = runs.run
             WHERE runs.first >= ?1 AND runs.first < ?2 AND approvals.run IS NOT NULL",
            columns.collect::<Vec<_>>().join(", ")
        );
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut select| {
                let range = (tables::column(range.start), tables::column(range.end));
                select.query_map(range, tables::approval_row)?.collect()
            })
            .map_err(self.file.deed("read"))
    }

    /// How what was recorded stands that something is read from: as long as the stand is the same, so is what is read.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger or the key file cannot be read.
    pub fn stand(&self, run: Option<RunId>, about: Option<&str>) -> Result<Stand, StoreError> {
        let last = |sql: &str, value: &dyn rusqlite::ToSql| {
            self.conn
                .prepare_cached(sql)
                .and_then(|mut select| select.query_row([value], |row| row.get::<_, Option<i64>>(0)))
                .map_err(self.file.deed("read"))
        };
        Ok(Stand {
            erasures: self.keys.erasures()?,
            run: match run {
                Some(run) => last("SELECT max(seq) FROM entries WHERE run = ?1", run.as_bytes())?,
                None => None,
            },
            about: match about {
                Some(about) => last("SELECT max(log) FROM entries WHERE approval = ?1", &about)?,
                None => None,
            },
        })
    }

    /// The approvals that a run asked for, in the order in which something was last said about them.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn approvals_of(&self, run: RunId) -> Result<Vec<ApprovalRow>, StoreError> {
        self.conn
            .prepare_cached(&format!("SELECT {APPROVAL_COLUMNS} FROM approvals WHERE run = ?1 ORDER BY last"))
            .and_then(|mut select| select.query_map([run.as_bytes()], tables::approval_row)?.collect())
            .map_err(self.file.deed("read"))
    }

    /// One approval.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError> {
        tables::approval(&self.conn, id).map_err(self.file.deed("read"))
    }

    /// What a count stands at; 0 if nothing was ever added to it.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn fact(&self, key: &str) -> Result<u64, StoreError> {
        tables::fact(&self.conn, key).map_err(self.file.deed("read"))
    }

    /// What several counts stand at, all at one moment.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn facts<const N: usize>(&self, keys: &[String; N]) -> Result<[u64; N], StoreError> {
        tables::facts(&self.conn, keys).map_err(self.file.deed("read"))
    }

    /// The epoch under which a run is driven.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn epoch(&self, run: RunId) -> Result<Epoch, StoreError> {
        tables::epoch(&self.conn, run).map_err(self.file.deed("read"))
    }

    /// Takes over a run: whoever drove it before can append no more under its own epoch.
    ///
    /// `owner` names the process for operators. A run that one has just started needs no claim; it
    /// is at [`Epoch::FIRST`].
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be written.
    pub fn claim(&mut self, run: RunId, owner: &str) -> Result<Epoch, StoreError> {
        let deed = self.file.deed("write");
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&deed)?;
        let epoch = Epoch(tables::epoch(&tx, run).map_err(&deed)?.get() + 1);
        tables::put_epoch(&tx, run, epoch, owner).map_err(&deed)?;
        tx.commit().map_err(&deed)?;
        self.commits += 1;
        Ok(epoch)
    }

    /// Who claimed a run last, if anybody did.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn owner(&self, run: RunId) -> Result<Option<String>, StoreError> {
        self.conn
            .query_row("SELECT owner FROM owners WHERE run = ?1", [run.as_bytes()], |row| row.get(0))
            .optional()
            .map_err(self.file.deed("read"))
    }

    /// The signed note over the largest tree, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the ledger cannot be read.
    pub fn checkpoint_latest(&self) -> Result<Option<(TreeSize, String)>, StoreError> {
        self.conn
            .query_row("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1", (), |row| {
                Ok((TreeSize::new(tables::number(row, "size")?), row.get("note")?))
            })
            .optional()
            .map_err(self.file.deed("read"))
    }

    /// Stores a checkpoint of the first `size` entries, in a commit of its own.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`] if the log is not that long, or the storage's own error.
    pub fn put_checkpoint(&mut self, size: TreeSize, note: &str) -> Result<(), StoreError> {
        let deed = self.file.deed("write");
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&deed)?;
        if size > read_frontier(&tx, &self.file)?.size() {
            return Err(StoreError::NoEntry { index: size.get() });
        }
        tables::put_checkpoint(&tx, size.get(), note).map_err(&deed)?;
        tx.commit().map_err(&deed)?;
        self.commits += 1;
        Ok(())
    }

    /// Proves that the entry at `index` is in the tree of `size` entries.
    ///
    /// # Errors
    /// [`StoreError::Proof`] if there is no such entry or tree; or the storage's own error.
    pub fn inclusion(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<Hash>, StoreError> {
        self.check_size(size)?;
        prove_inclusion(&mut self.nodes(), index, size).map_err(|error| self.proof_error(error))
    }

    /// Proves that the tree of `older` entries is the beginning of that of `newer` entries.
    ///
    /// # Errors
    /// [`StoreError::Proof`] if there are no such trees; or the storage's own error.
    pub fn consistency(&self, older: TreeSize, newer: TreeSize) -> Result<Vec<Hash>, StoreError> {
        self.check_size(newer)?;
        prove_consistency(&mut self.nodes(), older, newer).map_err(|error| self.proof_error(error))
    }

    /// The root over the first `size` entries.
    ///
    /// # Errors
    /// [`StoreError::Proof`] if the log is not that long; or the storage's own error.
    pub fn root_at(&self, size: TreeSize) -> Result<Hash, StoreError> {
        self.check_size(size)?;
        sluice_ledger::merkle::root_at(&mut self.nodes(), size).map_err(|error| self.proof_error(error))
    }

    fn check_size(&self, size: TreeSize) -> Result<(), StoreError> {
        if size > self.frontier()?.size() {
            return Err(StoreError::NoEntry { index: size.get() - 1 });
        }
        Ok(())
    }

    fn nodes(&self) -> impl FnMut(NodeId) -> Result<Hash, rusqlite::Error> {
        |id| {
            if id.level >= NODE_LEVEL_MIN {
                tables::node(&self.conn, id)
            } else {
                Leaves(|index| tables::leaf(&self.conn, index)).node(id)
            }
        }
    }

    fn proof_error(&self, error: ProveError<rusqlite::Error>) -> StoreError {
        let code = error.code();
        match error {
            ProveError::Read(cause) => self.file.error("read", &cause),
            other => StoreError::Proof { code, why: other.to_string() },
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({})", self.file.path.display())
    }
}

/// Which entries are looked for; what is `None` is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of runs whose id begins with these hexadecimal digits.
    pub run_begins: Option<String>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// Whose body has this text, or this number in decimal, under `node`.
    pub node: Option<String>,
    /// Whose body has this text under `action`.
    pub action: Option<String>,
    /// Whose body has this text under `decision`.
    pub decision: Option<String>,
    /// Whose body has this text under `approval`.
    pub approval: Option<String>,
    /// Whose body has this text under `outcome`.
    pub outcome: Option<String>,
    /// Whose body has this text under `code`.
    pub code: Option<String>,
    /// Not written before this, in milliseconds since 1970.
    pub from_ms: Option<u64>,
    /// Written before this, in milliseconds since 1970.
    pub to_ms: Option<u64>,
}

/// Which of what matches is given: from the newest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Before this entry; of runs: that began before it. All of them if it is `None`.
    pub before: Option<u64>,
    /// At most so many.
    pub count: u64,
}

/// How entries stand that something was read from. They are never changed, so another entry or a destroyed key makes another
/// stand, and nothing else makes what is read another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// How many keys were ever destroyed, for whomsoever.
    erasures: u64,
    /// The place in the run of its last entry.
    run: Option<i64>,
    /// The last entry about an approval.
    about: Option<i64>,
}

impl Stand {
    /// Whether a key was destroyed between two of them.
    #[must_use]
    pub const fn is_erased_since(&self, before: &Self) -> bool {
        self.erasures != before.erasures
    }
}

/// A question in SQL.
pub(crate) struct Conditions {
    pub(crate) sql: String,
    values: Vec<Box<dyn rusqlite::ToSql>>,
}

impl Conditions {
    pub(crate) fn of(query: &Query) -> Self {
        let mut sql = String::from("1");
        let mut values: Vec<Box<dyn rusqlite::ToSql>> = Vec::new();
        let mut also = |condition: &str, value: Option<Box<dyn rusqlite::ToSql>>| {
            if let Some(value) = value {
                values.push(value);
                sql.push_str(&format!(" AND {condition} ?{}", values.len()));
            }
        };
        let text = |value: &Option<String>| value.clone().map(|value| Box::new(value) as Box<dyn rusqlite::ToSql>);
        let time = |value: Option<u64>| value.map(|value| Box::new(tables::column(value)) as Box<dyn rusqlite::ToSql>);
        also("run =", query.run.map(|run| Box::new(*run.as_bytes()) as Box<dyn rusqlite::ToSql>));
        // Digits that are none match nothing.
        let begins = query.run_begins.as_ref().map(|begin| begin.chars().filter(char::is_ascii_hexdigit).collect());
        also("lower(hex(run)) GLOB", begins.map(|begin: String| Box::new(begin + "*") as Box<dyn rusqlite::ToSql>));
        also("kind =", query.kind.map(|kind| Box::new(kind.code()) as Box<dyn rusqlite::ToSql>));
        also("node =", text(&query.node));
        also("action =", text(&query.action));
        also("decision =", text(&query.decision));
        also("approval =", text(&query.approval));
        also("outcome =", text(&query.outcome));
        also("code =", text(&query.code));
        also("time_ms >=", time(query.from_ms));
        also("time_ms <", time(query.to_ms));
        if query.kind.is_some_and(tables::is_rare) {
            // In the words of the index, without which it would not be used.
            sql.push_str(" AND ");
            sql.push_str(tables::IS_RARE_KIND);
        }
        if query.decision.as_deref().is_some_and(|decision| decision != "permit") {
            sql.push_str(" AND ");
            sql.push_str(tables::IS_RARE_DECISION);
        }
        Self { sql, values }
    }
}

/// An entry as its rows hold it.
struct Stored {
    log: u64,
    bytes: Vec<u8>,
    leaf: Hash,
    sealed: Option<Sealed>,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let keys: Option<Vec<u8>> = row.get("keys")?;
    let sealed: Option<Vec<u8>> = row.get("sealed")?;
    Ok(Stored {
        log: tables::number(row, "log")?,
        bytes: row.get("entry")?,
        leaf: tables::hash(row, "leaf")?,
        sealed: keys.zip(sealed).map(|(keys, bytes)| Sealed { keys, bytes }),
    })
}

pub(crate) fn check_keys(conn: &Connection, file: &File, keys: &PayloadKeys) -> Result<(), StoreError> {
    let expected: Vec<u8> = conn.query_row("SELECT keys FROM head", (), |row| row.get(0)).map_err(file.deed("read"))?;
    if expected != keys.id() {
        return Err(StoreError::OtherKeys { keys: keys.path().to_path_buf() });
    }
    Ok(())
}

/// The frontier must be that of as many entries as there are: nothing is appended to a log that was cut.
fn check_head(conn: &Connection, file: &File) -> Result<(), StoreError> {
    // One snapshot for both: another process may append in between, and what it wrote is no damage.
    let snapshot = conn.unchecked_transaction().map_err(file.deed("read"))?;
    let frontier = read_frontier(&snapshot, file)?;
    let entries: i64 = snapshot
        .query_row("SELECT coalesce(max(log) + 1, 0) FROM entries", (), |row| row.get(0))
        .map_err(file.deed("read"))?;
    if tables::column(frontier.size().get()) != entries {
        return Err(file.damaged(format!("it says that it has {} entries, and has {entries}", frontier.size())));
    }
    Ok(())
}
