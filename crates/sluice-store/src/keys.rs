//! The workspace's key file: what makes payloads readable, and whom a pseudonym means.
//!
//! It lies beside the ledger and never in it, so that destroying a key destroys the data in every
//! copy of the ledger. One random key per run and data subject; a payload is sealed under all of its
//! keys at once, so that the end of any one of them is the end of it.
//!
//! Whose a key is stands here as a keyed hash: the file can be asked for one subject, and does not
//! list them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use sha2::{Digest as _, Sha256};
use sluice_ledger::RunId;
use zeroize::Zeroizing;

use crate::database::{self, Layout, Mode, Sync};
use crate::error::{File, StoreError};
use crate::random::{Random, draw};
use crate::record::Subjects;

const LAYOUT: Layout = Layout {
    what: "the key file",
    // "SLKY"
    application_id: 0x534c_4b59,
    // 1 held subjects in clear. No release wrote it.
    version: 2,
    tables: "
        CREATE TABLE workspace (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            id BLOB NOT NULL,
            -- What subjects are hashed with.
            secret BLOB NOT NULL
        ) STRICT;
        -- A destroyed key leaves its id, so that erased can be told from lost.
        CREATE TABLE keys (
            id BLOB PRIMARY KEY,
            run BLOB NOT NULL,
            -- x'' the run itself, '*' anybody, else a subject's tag.
            subject BLOB,
            key BLOB
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX current_keys ON keys (run, subject) WHERE key IS NOT NULL;
        CREATE INDEX keys_by_subject ON keys (subject) WHERE subject IS NOT NULL;
        CREATE TABLE pseudonyms (
            person TEXT PRIMARY KEY,
            pseudonym BLOB NOT NULL UNIQUE
        ) STRICT, WITHOUT ROWID;
    ",
    // Of every destroyed key, so that how many there are is counted at once.
    indexes: "CREATE INDEX IF NOT EXISTS erased_keys ON keys (id) WHERE key IS NULL;",
};

/// How long a key, a key's id and a pseudonym are.
const KEY_BYTES: usize = 32;
pub(crate) const KEY_ID_BYTES: usize = 16;

/// Keeps the keys that are derived here apart from everything else made of the same bytes.
const SEAL_DOMAIN: &[u8] = b"sluice.payload-key.v1\n";

/// Keeps the tags of subjects apart from everything else made of the same secret.
const TAG_DOMAIN: &[u8] = b"sluice.subject-tag.v1\n";

/// More keys than this are not kept in memory; they are read again.
const CACHED_KEYS_MAX: usize = 4_096;

pub(crate) type KeyId = [u8; KEY_ID_BYTES];
type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Whose key one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    /// The run's own.
    Run,
    /// Of whoever is erased first.
    Anybody,
    /// A subject's, by its tag.
    Subject([u8; 32]),
}

impl Owner {
    /// As the table has it. A tag is longer than the other two, so that no subject can be taken for them.
    const fn column(&self) -> &[u8] {
        match self {
            Self::Run => b"",
            Self::Anybody => b"*",
            Self::Subject(tag) => tag,
        }
    }
}

/// The name under which a key is kept.
pub(crate) type Place = (Option<RunId>, Owner);

/// What stands for a person in the log: random, so that without the key file it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym([u8; 16]);

impl Pseudonym {
    /// Takes 16 bytes that were read from an entry.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The open key file.
pub struct PayloadKeys {
    conn: Connection,
    file: File,
    random: Box<dyn Random>,
    id: [u8; 16],
    secret: Key,
    cache: HashMap<Place, (KeyId, Key)>,
    /// What SQLite says whenever another process has changed the file.
    seen: i64,
    commits: u64,
}

/// A key for one payload, and the ids of the keys that it was made of.
pub(crate) struct SealKey {
    pub(crate) ids: Vec<u8>,
    pub(crate) key: Key,
}

/// What the key file knows of the keys of a payload.
pub(crate) enum Lookup {
    Found(Key),
    Erased,
    Unknown,
}

impl PayloadKeys {
    /// Opens the key file, or makes one.
    ///
    /// # Errors
    /// [`StoreError`]: no file where one must be, one where none may be, or one that is not ours.
    pub fn open(path: &Path, mode: Mode, random: Box<dyn Random>) -> Result<Self, StoreError> {
        Self::open_with(path, mode, random, Sync::Full)
    }

    /// The same; a simulation may do without waiting for the disk.
    ///
    /// # Errors
    /// As [`PayloadKeys::open`].
    pub fn open_with(path: &Path, mode: Mode, mut random: Box<dyn Random>, sync: Sync) -> Result<Self, StoreError> {
        let fresh: [u8; 16] = draw(random.as_mut())?;
        let secret: Key = Zeroizing::new(draw(random.as_mut())?);
        let (conn, file) = database::open(path, &LAYOUT, mode, sync, |conn| {
            conn.execute("INSERT INTO workspace (one, id, secret) VALUES (1, ?1, ?2)", (fresh, *secret))?;
            Ok(())
        })?;
        // What is deleted is overwritten in the file, not only forgotten.
        conn.pragma_update(None, "secure_delete", true).map_err(file.deed("set up"))?;
        let (id, secret) = conn
            .query_row("SELECT id, secret FROM workspace", (), |row| Ok((row.get(0)?, Zeroizing::new(row.get(1)?))))
            .optional()
            .map_err(file.deed("read"))?
            .ok_or_else(|| file.damaged("it does not say which workspace it belongs to"))?;
        Ok(Self { conn, file, random, id, secret, cache: HashMap::new(), seen: 0, commits: 0 })
    }

    /// What the ledger and its key file have in common, so that they cannot be mixed up.
    pub(crate) const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    pub(crate) fn random(&mut self) -> &mut dyn Random {
        self.random.as_mut()
    }

    /// How often this handle has waited for the disk: once for all keys that a group of batches needs anew.
    #[must_use]
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    /// The pseudonym of a person, made when it is asked for the first time.
    ///
    /// # Errors
    /// [`StoreError`] if the key file cannot be read or written.
    pub fn pseudonym(&mut self, person: &str) -> Result<Pseudonym, StoreError> {
        let deed = self.file.deed("read");
        let known = self
            .conn
            .prepare_cached("SELECT pseudonym FROM pseudonyms WHERE person = ?1")
            .and_then(|mut select| select.query_row([person], |row| row.get(0)).optional())
            .map_err(&deed)?;
        if let Some(bytes) = known {
            return Ok(Pseudonym(bytes));
        }
        let fresh: [u8; 16] = draw(self.random.as_mut())?;
        self.conn
            .execute(
                "INSERT INTO pseudonyms (person, pseudonym) VALUES (?1, ?2) ON CONFLICT (person) DO NOTHING",
                (person, fresh),
            )
            .map_err(self.file.deed("write"))?;
        self.commits += 1;
        // Another process may have been first; what is stored counts.
        self.conn
            .query_row("SELECT pseudonym FROM pseudonyms WHERE person = ?1", [person], |row| row.get(0))
            .map(Pseudonym)
            .map_err(self.file.deed("read"))
    }

    /// Whom a pseudonym means, unless that was never known or is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] if the key file cannot be read.
    pub fn person(&self, pseudonym: Pseudonym) -> Result<Option<String>, StoreError> {
        self.conn
            .query_row("SELECT person FROM pseudonyms WHERE pseudonym = ?1", [pseudonym.0], |row| row.get(0))
            .optional()
            .map_err(self.file.deed("read"))
    }

    /// Forgets whom a pseudonym means. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] if the key file cannot be written.
    pub fn forget_person(&mut self, person: &str) -> Result<bool, StoreError> {
        let deleted =
            self.conn.execute("DELETE FROM pseudonyms WHERE person = ?1", [person]).map_err(self.file.deed("write"))?;
        self.wipe_wal()?;
        Ok(deleted > 0)
    }

    /// Destroys every key of a data subject, in all runs, and every key of [`Subjects::Anybody`], whose payloads may
    /// be about this one too. Says how many there were.
    ///
    /// What later entries say of the same subject is sealed under a new key.
    ///
    /// # Errors
    /// [`StoreError`] if the key file cannot be written, or another process is reading it.
    pub fn erase_subject(&mut self, subject: &str) -> Result<usize, StoreError> {
        let owner = self.tag(subject);
        let erased = self
            .conn
            .execute(
                "UPDATE keys SET key = NULL, subject = NULL WHERE subject IN (?1, ?2)",
                (owner.column(), Owner::Anybody.column()),
            )
            .map_err(self.file.deed("write"))?;
        self.wipe_wal()?;
        Ok(erased)
    }

    /// Destroys every key of a run. Says how many there were.
    ///
    /// # Errors
    /// As [`PayloadKeys::erase_subject`].
    pub fn erase_run(&mut self, run: RunId) -> Result<usize, StoreError> {
        let erased = self
            .conn
            .execute("UPDATE keys SET key = NULL, subject = NULL WHERE run = ?1 AND key IS NOT NULL", [run.as_bytes()])
            .map_err(self.file.deed("write"))?;
        self.wipe_wal()?;
        Ok(erased)
    }

    /// The keys in memory, and those that SQLite's log still holds, are as destroyed as the rest.
    fn wipe_wal(&mut self) -> Result<(), StoreError> {
        self.cache.clear();
        self.commits += 1;
        let is_busy: bool = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
            .map_err(self.file.deed("write"))?;
        if is_busy {
            return Err(StoreError::Busy { path: self.file.path.clone() });
        }
        Ok(())
    }

    /// What a subject is called in the file. The secret is hashed with text of a fixed length, so that one tag does not
    /// lead to another.
    fn tag(&self, subject: &str) -> Owner {
        let mut sha = Sha256::new_with_prefix(TAG_DOMAIN);
        sha.update(self.secret.as_slice());
        sha.update(Sha256::digest(subject.as_bytes()));
        Owner::Subject(sha.finalize().into())
    }

    /// The names under which a payload's keys are kept: the run's own, and one per subject. None twice.
    pub(crate) fn places(&self, run: Option<RunId>, subjects: &Subjects) -> BTreeSet<Place> {
        let mut places = BTreeSet::from([(run, Owner::Run)]);
        match subjects {
            Subjects::Named(named) => places.extend(named.iter().map(|subject| (run, self.tag(subject)))),
            Subjects::Anybody => {
                places.insert((run, Owner::Anybody));
            }
        }
        places
    }

    /// Makes the keys that are not there yet, all in one commit, durable before anything is sealed.
    pub(crate) fn ensure(&mut self, wanted: &BTreeSet<Place>) -> Result<(), StoreError> {
        if wanted.is_empty() {
            return Ok(());
        }
        self.forget_if_changed()?;
        let missing: Vec<Place> = wanted.iter().filter(|place| !self.cache.contains_key(place)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.add(&missing)
    }

    fn add(&mut self, missing: &[Place]) -> Result<(), StoreError> {
        let deed = self.file.deed("write");
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&deed)?;
        let mut found = Vec::new();
        let mut is_changed = false;
        for place in missing {
            let known = select_current(&tx, place).map_err(&deed)?;
            let pair = if let Some(pair) = known {
                pair
            } else {
                let id: KeyId = draw(self.random.as_mut())?;
                let key = Zeroizing::new(draw(self.random.as_mut())?);
                tx.prepare_cached("INSERT INTO keys (id, run, subject, key) VALUES (?1, ?2, ?3, ?4)")
                    .and_then(|mut insert| insert.execute((id, run_column(place.0), place.1.column(), *key)))
                    .map_err(&deed)?;
                is_changed = true;
                (id, key)
            };
            found.push((*place, pair));
        }
        tx.commit().map_err(&deed)?;
        self.cache.extend(found);
        self.commits += u64::from(is_changed);
        Ok(())
    }

    /// The key for a payload of a run about these subjects; [`PayloadKeys::ensure`] has made them.
    pub(crate) fn key_for(&mut self, run: Option<RunId>, subjects: &Subjects) -> Result<SealKey, StoreError> {
        let places = self.places(run, subjects);
        // The commit has asked for all of its keys at once; whether others changed the file is not asked for each record.
        if !places.iter().all(|place| self.cache.contains_key(place)) {
            self.ensure(&places)?;
        }
        let mut parts: Vec<(KeyId, Key)> = Vec::with_capacity(places.len());
        for place in &places {
            let part = self.cache.get(place).ok_or_else(|| self.file.damaged("a key that was just written is gone"))?;
            parts.push(part.clone());
        }
        parts.sort_by_key(|(id, _)| *id);
        Ok(SealKey {
            key: combine(parts.iter().map(|(_, key)| key)),
            ids: parts.iter().flat_map(|(id, _)| *id).collect(),
        })
    }

    /// The key of a payload that was sealed under the keys with these ids.
    pub(crate) fn lookup(&self, ids: &[u8]) -> Result<Lookup, StoreError> {
        let (ids, rest) = ids.as_chunks::<KEY_ID_BYTES>();
        if ids.is_empty() || !rest.is_empty() {
            return Ok(Lookup::Unknown);
        }
        let mut select =
            self.conn.prepare_cached("SELECT key FROM keys WHERE id = ?1").map_err(self.file.deed("read"))?;
        let mut keys = Vec::new();
        let mut is_unknown = false;
        for id in ids {
            let key: Option<Option<[u8; KEY_BYTES]>> =
                select.query_row([id], |row| row.get(0)).optional().map_err(self.file.deed("read"))?;
            match key {
                Some(Some(key)) => keys.push(Zeroizing::new(key)),
                Some(None) => return Ok(Lookup::Erased),
                None => is_unknown = true,
            }
        }
        if is_unknown {
            return Ok(Lookup::Unknown);
        }
        Ok(Lookup::Found(combine(keys.iter())))
    }

    /// How many keys were ever destroyed. Each leaves its id, so the number only grows.
    pub(crate) fn erasures(&self) -> Result<u64, StoreError> {
        self.conn
            .prepare_cached("SELECT count(*) FROM keys WHERE key IS NULL")
            .and_then(|mut select| select.query_row((), |row| row.get::<_, i64>(0)))
            .map(|count| u64::try_from(count).unwrap_or(0))
            .map_err(self.file.deed("read"))
    }

    /// A key that another process has destroyed must not go on living in our memory.
    fn forget_if_changed(&mut self) -> Result<(), StoreError> {
        let now: i64 = self
            .conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut pragma| pragma.query_row((), |row| row.get(0)))
            .map_err(self.file.deed("read"))?;
        if now != self.seen || self.cache.len() > CACHED_KEYS_MAX {
            self.cache.clear();
            self.seen = now;
        }
        Ok(())
    }
}

impl fmt::Debug for PayloadKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadKeys({}, secret)", self.file.path.display())
    }
}

fn run_column(run: Option<RunId>) -> Vec<u8> {
    run.map(|run| run.as_bytes().to_vec()).unwrap_or_default()
}

fn select_current(conn: &Connection, (run, owner): &Place) -> rusqlite::Result<Option<(KeyId, Key)>> {
    conn.prepare_cached("SELECT id, key FROM keys WHERE run = ?1 AND subject = ?2 AND key IS NOT NULL")?
        .query_row((run_column(*run), owner.column()), |row| Ok((row.get(0)?, Zeroizing::new(row.get(1)?))))
        .optional()
}

/// All keys are needed to make it, and none can be had from it.
fn combine<'k>(keys: impl Iterator<Item = &'k Key>) -> Key {
    let mut sha = Sha256::new_with_prefix(SEAL_DOMAIN);
    for key in keys {
        sha.update(key.as_slice());
    }
    Zeroizing::new(sha.finalize().into())
}
