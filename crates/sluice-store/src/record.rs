//! What is asked of the store in one append, and what it gives back.

use std::fmt;

use sluice_ledger::cbor::{Map, Value};
use sluice_ledger::{Entry, EntryKind, Hash, LeafIndex, RunId, TreeSize};

/// The longest payload, before sealing: what `cbor::Limits::PAYLOAD` reads.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// The body field in which an entry names the approvals that it uses up.
pub const FIELD_USES: &str = "uses";
/// The body field in which an entry says what it adds to which count.
pub const FIELD_COUNTS: &str = "counts";
/// The body field that names the approval an entry is about.
pub const FIELD_APPROVAL: &str = "approval";

/// An entry that is to be written. Its place in log and run, and the sealing, are the store's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// The run it belongs to; entries about the workspace have none.
    pub run: Option<RunId>,
    /// What it tells.
    pub kind: EntryKind,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: u64,
    /// What it says. The names `uses` and `counts` are the store's own.
    pub body: Map,
    /// What is sealed beside it.
    pub payload: Option<Payload>,
    /// Approvals that serve once and are used up by this entry: each must be in force and unused when
    /// the entry is committed, or nothing is written. The entry names them in its field `uses`.
    pub uses: Vec<String>,
    /// What this entry adds to counts that gates ask for; the entry says so in its field `counts`.
    /// A window belongs into the key (`per-hour/invoices.send/494321`), a person does not.
    pub counts: Vec<Count>,
}

impl NewRecord {
    /// A record with neither run, payload, uses nor counts.
    #[must_use]
    pub const fn new(kind: EntryKind, time_ms: u64, body: Map) -> Self {
        Self { run: None, kind, time_ms, body, payload: None, uses: Vec::new(), counts: Vec::new() }
    }

    /// The same record as part of a run.
    #[must_use]
    pub const fn of_run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// The same record with bytes sealed beside it.
    #[must_use]
    pub fn with_payload(mut self, payload: Payload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// The body as it is written: with what the entry uses and counts.
    pub(crate) fn written_body(&self) -> Result<Map, &'static str> {
        let mut body = self.body.clone();
        if body.get(FIELD_USES).is_some() {
            return Err(FIELD_USES);
        }
        if body.get(FIELD_COUNTS).is_some() {
            return Err(FIELD_COUNTS);
        }
        if !self.uses.is_empty() {
            let uses: Vec<Value> = self.uses.iter().map(|id| id.as_str().into()).collect();
            body.insert(FIELD_USES, uses);
        }
        if !self.counts.is_empty() {
            let mut counts = Map::new();
            for count in &self.counts {
                let before = counts.get(count.key.as_str()).and_then(Value::as_u64);
                let sum = before.unwrap_or(0).saturating_add(count.add);
                counts.insert(count.key.as_str(), sum);
            }
            body.insert(FIELD_COUNTS, Value::Map(counts));
        }
        Ok(body)
    }
}

/// Bytes that are sealed beside an entry.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// What is sealed, at most [`PAYLOAD_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
    /// Whose data it is. Destroying the key of any of them, or of the run, makes the payload unreadable for good.
    pub subjects: Subjects,
}

/// Whose data is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subjects {
    /// Of these people, by the names under which they can be erased; of nobody, if there are none.
    Named(Vec<String>),
    /// Of people who are not known, or too many to have a key each: whoever is erased first takes it along.
    Anybody,
}

impl Subjects {
    /// Nobody's.
    pub const NOBODY: Self = Self::Named(Vec::new());
}

impl Payload {
    /// Bytes that belong to no data subject: only the run's own key seals them.
    #[must_use]
    pub const fn of_run(bytes: Vec<u8>) -> Self {
        Self { bytes, subjects: Subjects::NOBODY }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}

/// Something added to a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Which count.
    pub key: String,
    /// How much is added.
    pub add: u64,
}

/// What must still be so when a batch is committed; otherwise nothing of it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expect {
    /// Where the runs of this batch stand.
    pub runs: Vec<RunExpect>,
    /// Counts that a gate has used.
    pub facts: Vec<FactExpect>,
}

impl Expect {
    /// Nothing: the batch is written whatever else was.
    pub const ANYTHING: Self = Self { runs: Vec::new(), facts: Vec::new() };

    /// One run, at this sequence number, under this epoch.
    #[must_use]
    pub fn run(run: RunId, next_seq: u64, epoch: Epoch) -> Self {
        Self { runs: vec![RunExpect { run, next_seq: Some(next_seq), epoch: Some(epoch) }], facts: Vec::new() }
    }
}

/// Where a run must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunExpect {
    /// Which run.
    pub run: RunId,
    /// How many entries it has: the sequence number of the next one. A run that is new has 0.
    pub next_seq: Option<u64>,
    /// Under which epoch it is driven; a run that nobody claimed is at [`Epoch::FIRST`].
    pub epoch: Option<Epoch>,
}

/// What a count must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactExpect {
    /// Which count.
    pub key: String,
    /// What it must be before the batch.
    pub is: FactIs,
}

/// How a count is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactIs {
    /// Just this: another decision that moved it makes this one be taken again.
    Exactly(u64),
    /// This or less: enough for a limit, and writers of one count do not stop each other.
    AtMost(u64),
}

impl FactIs {
    pub(crate) const fn holds(self, found: u64) -> bool {
        match self {
            Self::Exactly(value) => found == value,
            Self::AtMost(value) => found <= value,
        }
    }
}

/// Counts the owners of a run. A claim raises it; whoever drove the run before can write no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub(crate) u64);

impl Epoch {
    /// The epoch of a run that whoever started it still drives: starting one needs no claim.
    pub const FIRST: Self = Self(0);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Records that are written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The records, in order.
    pub records: Vec<NewRecord>,
    /// What must still be so.
    pub expect: Expect,
}

/// A batch is in the log, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The place of its first entry; the others follow without a gap.
    pub first: LeafIndex,
    /// The leaf hash of each of its entries.
    pub leaves: Vec<Hash>,
    /// How many entries the log has after the batch.
    pub size: TreeSize,
    /// The root over them.
    pub root: Hash,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub entry: Entry,
    /// Its leaf hash.
    pub leaf: Hash,
    /// What is sealed beside it.
    pub payload: PayloadState,
}

/// What became of a payload.
#[derive(Clone, PartialEq, Eq)]
pub enum PayloadState {
    /// The entry has none.
    None,
    /// Opened, and it is what the entry commits to.
    Opened(Vec<u8>),
    /// A key that sealed it was destroyed on purpose.
    Erased,
    /// It is not there, was changed, or is not what the entry commits to: somebody tampered with it.
    Missing,
    /// The key file does not have its key: it is another one, or an older copy.
    WrongKey,
}

impl PayloadState {
    /// The bytes, if it could be opened.
    #[must_use]
    pub fn opened(&self) -> Option<&[u8]> {
        if let Self::Opened(bytes) = self { Some(bytes) } else { None }
    }
}

impl fmt::Debug for PayloadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Opened(bytes) => write!(f, "Opened({} bytes)", bytes.len()),
            Self::Erased => f.write_str("Erased"),
            Self::Missing => f.write_str("Missing"),
            Self::WrongKey => f.write_str("WrongKey"),
        }
    }
}
