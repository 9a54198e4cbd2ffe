//! The open ledger of a workspace: its writer, its keys, its checkpoints.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sluice_core::contract::bundle::{SignedBundle, Signers};
use sluice_ledger::cbor::Map;
use sluice_ledger::note::{KeyName, SignerKey};
use sluice_ledger::{EntryKind, RunId, TreeHead};
use sluice_store::{
    AppendError, Appended, Batch, CheckpointSigner, Count, Expect, FactExpect, Mode, NewRecord, OsRandom, Payload,
    PayloadKeys, Random as _, Recorded, Records, StoreError, Writer,
};
use thiserror::Error;

use crate::clock::{LedgerClock, now_ms};
use crate::home::{Home, HomeError, write_new};
use crate::kept::KeptOf;
use crate::workspace::LEDGER_FILE;

/// How often another bundle came into force.
const BUNDLE_CHANGES: &str = "bundle/changes";

/// Between checkpoints, but for run ends and recoveries.
const CHECKPOINT_MS: u64 = 1_000;

/// The ledger of a workspace, open for reading and appending.
pub struct Ledger {
    writer: Writer,
    /// A connection of its own: a gate that looks something up neither waits for the commits of other runs, nor
    /// stands between their batches. Where there are no others the writer's is used, which need not read again what it
    /// has just written.
    reader: Mutex<Records>,
    checkpoint_due: Arc<AtomicBool>,
    clock: LedgerClock,
    kept: KeptOf,
}

/// Why the ledger cannot be used.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// Keys.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The file.
    #[error("{code}: {0}", code = .0.code())]
    Store(#[from] StoreError),
    /// A write.
    #[error("{code}: {0}", code = .0.code())]
    Append(#[from] AppendError),
    /// SL544. The key that signs checkpoints cannot be read.
    #[error("SL544: `{file}` does not hold the key that signs checkpoints; restore it from a backup")]
    Key {
        /// The file.
        file: String,
    },
    /// SL545. No random bytes.
    #[error("SL545: the operating system has no random bytes to give")]
    Random,
}

impl Ledger {
    /// Makes the ledger and the keys of a new workspace, and writes its first entry: who may change the bundle.
    ///
    /// # Errors
    /// [`LedgerError`] if something of it exists or cannot be written.
    pub fn create(folder: &Path, home: &Home, name: &str, signers: &Signers) -> Result<Self, LedgerError> {
        let seed: [u8; 32] = random()?;
        let bad_name = |_| LedgerError::Key { file: origin(name) };
        let signer = SignerKey::from_seed(KeyName::new(&origin(name)).map_err(bad_name)?, &seed).map_err(bad_name)?;
        write_new(&home.ledger_key(), format!("{}\n", signer.to_secret_text()).as_bytes())?;
        write_new(&home.ledger_verifier(), format!("{}\n", signer.verifier()).as_bytes())?;
        let payload_keys = PayloadKeys::open(&home.payload_keys(), Mode::Create, Box::new(OsRandom))?;
        let records = Records::open(&folder.join(LEDGER_FILE), payload_keys, Mode::Create)?;
        let ledger = Self::serve(records, open_records(folder, home)?, signer)?;
        let count = u64::try_from(signers.names().count()).unwrap_or(u64::MAX);
        let body = Map::new().with("signers", count).with("solo", signers.is_solo());
        let record = NewRecord::new(EntryKind::WORKSPACE_CREATED, now_ms(), body)
            .with_payload(Payload::of_run(signers.to_text().into_bytes()));
        ledger.append(vec![record])?;
        Ok(ledger)
    }

    /// Opens the ledger of a workspace.
    ///
    /// # Errors
    /// [`LedgerError`]: a key file or the ledger is missing, foreign or damaged.
    pub fn open(folder: &Path, home: &Home) -> Result<Self, LedgerError> {
        let file = home.ledger_key();
        if !file.exists() {
            return Err(HomeError::NoKey { file }.into());
        }
        let bad_key = || LedgerError::Key { file: file.display().to_string() };
        let text = std::fs::read_to_string(&file).map_err(|_| bad_key())?;
        let signer: SignerKey = text.trim().parse().map_err(|_| bad_key())?;
        Self::serve(open_records(folder, home)?, open_records(folder, home)?, signer)
    }

    fn serve(mut records: Records, reader: Records, signer: SignerKey) -> Result<Self, LedgerError> {
        let checkpoint_due = Arc::new(AtomicBool::new(true));
        let clock = LedgerClock::not_before(latest_ms(&reader)?);
        records.sign_with(checkpoints(signer, Arc::clone(&checkpoint_due)));
        let writer = Writer::start(records).map_err(|_| AppendError::Stopped)?;
        Ok(Self { writer, reader: Mutex::new(reader), checkpoint_due, clock, kept: KeptOf::default() })
    }

    /// Appends records outside of runs, durably.
    ///
    /// # Errors
    /// [`LedgerError::Append`].
    pub fn append(&self, records: Vec<NewRecord>) -> Result<Appended, LedgerError> {
        Ok(self.writer.submit(Batch { records, expect: Expect::ANYTHING }).wait()?)
    }

    /// The same, if these counts are still what they were.
    ///
    /// # Errors
    /// [`LedgerError::Append`]; of a count that moved a [`sluice_store::Conflict::Fact`].
    pub fn append_if(&self, records: Vec<NewRecord>, facts: Vec<FactExpect>) -> Result<Appended, LedgerError> {
        let expect = Expect { facts, ..Expect::ANYTHING };
        Ok(self.writer.submit(Batch { records, expect }).wait()?)
    }

    /// Keeps the signed bundle in the log when it comes into force: decisions made under it can be asked again when it is
    /// long gone. One that comes back is kept again, so that the latest is the one in force.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn keep_bundle(&self, bundle: &SignedBundle) -> Result<(), LedgerError> {
        let digest = bundle.digest().to_string();
        let (changes, is_latest) = {
            let digest = digest.clone();
            self.read(move |records| {
                let changes = records.fact(BUNDLE_CHANGES)?;
                Ok((changes, records.fact(&format!("bundle/{changes}/{digest}"))? > 0))
            })?
        };
        if is_latest {
            return Ok(());
        }
        let files: serde_json::Map<String, serde_json::Value> = bundle
            .files()
            .iter()
            .map(|(path, bytes)| (path.to_owned(), String::from_utf8_lossy(bytes).into_owned().into()))
            .collect();
        let payload = serde_json::json!({ "version": 1, "files": files, "signers": signers_of(bundle) });
        let body = Map::new().with("bundle", bundle.digest().0.0.to_vec()).with("solo", bundle.is_solo());
        let mut record = NewRecord::new(EntryKind::BUNDLE_CHANGED, self.clock.now_ms(), body)
            .with_payload(Payload::of_run(payload.to_string().into_bytes()));
        let key = format!("bundle/{}/{digest}", changes.saturating_add(1));
        record.counts.extend([Count { key: BUNDLE_CHANGES.to_owned(), add: 1 }, Count { key, add: 1 }]);
        self.append(vec![record])?;
        Ok(())
    }

    /// The time that entries get and expiries are judged by: the machine's, but never earlier than the latest entry's.
    #[must_use]
    pub const fn clock(&self) -> &LedgerClock {
        &self.clock
    }

    /// What was read of it for whoever only looks.
    pub(crate) const fn kept(&self) -> &KeptOf {
        &self.kept
    }

    /// The writer, for a run's own batches.
    #[must_use]
    pub const fn writer(&self) -> &Writer {
        &self.writer
    }

    /// From here on whoever writes waits for the disk, and reads see what the writer's connection has in memory: for a
    /// process that does one thing at a time.
    pub fn commit_in_place(&self) {
        self.writer.commit_in_place();
    }

    /// Lets the next commit carry a checkpoint: at the end of a run and after a recovery.
    pub fn want_checkpoint(&self) {
        self.checkpoint_due.store(true, Ordering::Relaxed);
    }

    /// Looks something up in what is durable at this moment. The deed asks `records` and nothing else of this ledger.
    ///
    /// # Errors
    /// [`LedgerError`] if the file cannot be read.
    pub fn look<R>(&self, deed: impl FnOnce(&Records) -> Result<R, StoreError>) -> Result<R, LedgerError> {
        let deed = match self.writer.look(deed) {
            Ok(found) => return Ok(found?),
            Err(deed) => deed,
        };
        // A reader that panicked has changed nothing.
        let records = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(deed(&records)?)
    }

    /// Reads something, after all that was handed in before.
    ///
    /// # Errors
    /// [`LedgerError`] if the file cannot be read.
    pub fn read<R: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Records) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, LedgerError> {
        Ok(self.writer.with(deed)??)
    }

    /// Every entry about an approval or proposal.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn about(&self, id: &str) -> Result<Vec<Recorded>, LedgerError> {
        self.look(|records| records.entries_about(id))
    }

    /// Every entry of a run.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn run(&self, run: RunId) -> Result<Vec<Recorded>, LedgerError> {
        self.look(|records| records.run(run))
    }
}

/// The ledger for reading only.
///
/// # Errors
/// As [`Ledger::open`].
pub fn open_records(folder: &Path, home: &Home) -> Result<Records, LedgerError> {
    let file = home.payload_keys();
    if !file.exists() {
        return Err(HomeError::NoKey { file }.into());
    }
    let keys = PayloadKeys::open(&file, Mode::Existing, Box::new(OsRandom))?;
    Ok(Records::open(&folder.join(LEDGER_FILE), keys, Mode::Existing)?)
}

/// Random bytes of the machine.
///
/// # Errors
/// [`LedgerError::Random`].
pub fn random<const N: usize>() -> Result<[u8; N], LedgerError> {
    let mut bytes = [0; N];
    OsRandom.fill(&mut bytes).map_err(|_| LedgerError::Random)?;
    Ok(bytes)
}

/// When the latest entry was written; zero for a log without entries.
fn latest_ms(records: &Records) -> Result<u64, StoreError> {
    let size = records.head()?.size.get();
    Ok(records.entries(size.saturating_sub(1)..size)?.last().map_or(0, |recorded| recorded.entry.time_ms))
}

/// The name of the log in checkpoints: its origin.
#[must_use]
pub fn origin(workspace: &str) -> String {
    format!("sluice.local/{workspace}")
}

/// Signs when a second has passed since the last checkpoint, or when one is wanted.
fn checkpoints(signer: SignerKey, due: Arc<AtomicBool>) -> CheckpointSigner {
    let mut last_ms = 0_u64;
    Box::new(move |size, root| {
        let now = now_ms();
        if !due.swap(false, Ordering::Relaxed) && now.saturating_sub(last_ms) < CHECKPOINT_MS {
            return None;
        }
        last_ms = now;
        let head = TreeHead { origin: signer.verifier().name().clone(), size, root: root() };
        head.sign(&signer).ok()
    })
}

/// The signers of a bundle, by name.
fn signers_of(bundle: &SignedBundle) -> Vec<String> {
    bundle.signers().iter().map(ToString::to_string).collect()
}
