//! The envelope of an entry: what every leaf of the log says, whatever it is about. Permanent.
//!
//! A map with numbers as keys in deterministic CBOR; `docs/ledger-format.md` is its reference, and
//! its test vectors are checked against this code. A layout that changes gets a new version number;
//! version 1 stays readable as long as there are logs.

mod error;
mod kind;

use std::fmt;

pub use error::EntryError;
pub use kind::EntryKind;

use crate::cbor::{self, Key, Limits, Map, Value};
use crate::hash::Hash;
use crate::merkle::{LeafIndex, leaf_hash};

/// The layout that is written.
pub const ENTRY_VERSION: u64 = 1;

/// The longest entry: tlog-tiles bundles give its length 16 bits. What is larger is a payload.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// The longest name of a body field: it is repeated in every entry.
pub const BODY_KEY_BYTES_MAX: usize = 32;

/// Keeps the hashes of sealed payloads apart from all others.
const PAYLOAD_DOMAIN: &[u8] = b"sluice.sealed-payload.v1\n";

/// The keys of the layout, in their order on the wire.
mod field {
    pub(super) const VERSION: u64 = 1;
    pub(super) const LOG: u64 = 2;
    pub(super) const RUN: u64 = 3;
    pub(super) const SEQ_IN_RUN: u64 = 4;
    pub(super) const TIME_MS: u64 = 5;
    pub(super) const KIND: u64 = 6;
    pub(super) const BODY: u64 = 7;
    pub(super) const PAYLOAD: u64 = 8;
    pub(super) const PREV_IN_RUN: u64 = 9;
    pub(super) const PAYLOAD_COMMITMENT: u64 = 1;
    pub(super) const PAYLOAD_SEALED_LEN: u64 = 2;
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log. It stands in the entry too, so that bytes moved elsewhere do not fit.
    pub log: LeafIndex,
    /// Its place in a run; entries about the workspace have none.
    pub run: Option<RunLink>,
    /// When, in milliseconds since 1970-01-01T00:00:00Z, by the clock of the machine that wrote it.
    pub time_ms: u64,
    /// What it tells.
    pub kind: EntryKind,
    /// What it says, by short names. No identities and no values of the workflow: pseudonyms and
    /// commitments ([`crate::commit`]).
    pub body: Map,
    /// The sealed payload beside it, if there is one.
    pub payload: Option<PayloadRef>,
}

/// Which run; 16 bytes that the driver draws.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; RunId::BYTES]);

impl RunId {
    /// How long a run id is.
    pub const BYTES: usize = 16;

    /// Takes the 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

/// The place of an entry in its run: a chain of its own inside the log.
///
/// The first entry has no predecessor, every other one names the leaf hash of the entry before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLink {
    id: RunId,
    seq: u64,
    prev: Option<Hash>,
}

impl RunLink {
    /// The link of a run's first entry.
    #[must_use]
    pub const fn first(id: RunId) -> Self {
        Self { id, seq: 0, prev: None }
    }

    /// The link of entry number `seq` of a run, whose predecessor has the leaf hash `prev`.
    ///
    /// # Errors
    /// [`EntryError::RunChain`] if `seq` is 0: the first entry follows none.
    pub const fn after(id: RunId, seq: u64, prev: Hash) -> Result<Self, EntryError> {
        if seq == 0 {
            return Err(EntryError::RunChain);
        }
        Ok(Self { id, seq, prev: Some(prev) })
    }

    /// The link of the entry that follows this one, whose leaf hash is `leaf`.
    #[must_use]
    pub const fn next(&self, leaf: Hash) -> Self {
        Self { id: self.id, seq: self.seq.saturating_add(1), prev: Some(leaf) }
    }

    /// The run.
    #[must_use]
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// How many entries of the run come before.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The leaf hash of the run's entry before, unless this is the first.
    #[must_use]
    pub const fn prev(&self) -> Option<&Hash> {
        self.prev.as_ref()
    }
}

/// What an entry knows of its sealed payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadRef {
    /// Commits to the sealed bytes; it stays when they are erased.
    pub commitment: Hash,
    /// How long the sealed bytes are.
    pub sealed_len: u64,
}

impl PayloadRef {
    /// The reference to a sealed payload: `SHA-256("sluice.sealed-payload.v1\n" || sealed bytes)`.
    ///
    /// No salt: what it hashes is already encrypted under a key that can be destroyed.
    #[must_use]
    pub fn to_sealed(sealed: &[u8]) -> Self {
        Self { commitment: Hash::of(&[PAYLOAD_DOMAIN, sealed]), sealed_len: sealed.len() as u64 }
    }

    /// Whether these are the sealed bytes that the entry means.
    #[must_use]
    pub fn is_to(&self, sealed: &[u8]) -> bool {
        *self == Self::to_sealed(sealed)
    }
}

impl Entry {
    /// The bytes that are stored and hashed: the only spelling of this entry.
    ///
    /// # Errors
    /// [`EntryError::BodyKey`] for a name that a body field cannot have; [`EntryError::Cbor`] if the
    /// entry is longer than [`ENTRY_BYTES_MAX`] or nested deeper than [`Limits::ENTRY`].
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        check_body(&self.body)?;
        let value = Value::Map(self.to_map());
        if value.depth() > Limits::ENTRY.depth {
            return Err(cbor::CborError::TooDeep { at: 0 }.into());
        }
        let bytes = cbor::encode(&value);
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(cbor::CborError::TooLong { limit: ENTRY_BYTES_MAX }.into());
        }
        Ok(bytes)
    }

    /// Reads an entry; nothing but the output of [`Entry::encode`] is taken.
    ///
    /// # Errors
    /// [`EntryError`]: not deterministic CBOR, of an unknown version, or not of the layout.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let Value::Map(mut map) = cbor::decode(bytes, Limits::ENTRY)? else {
            return Err(EntryError::NotAMap);
        };
        let version = unsigned(&mut map, field::VERSION)?;
        if version != ENTRY_VERSION {
            return Err(EntryError::UnknownVersion { version });
        }
        let entry = Self {
            log: LeafIndex::new(unsigned(&mut map, field::LOG)?),
            run: run_link(&mut map)?,
            time_ms: unsigned(&mut map, field::TIME_MS)?,
            kind: kind(&mut map)?,
            body: body(&mut map)?,
            payload: payload(&mut map)?,
        };
        match map.iter().next() {
            Some((key, _)) => Err(EntryError::UnknownField { key: key.clone() }),
            None => Ok(entry),
        }
    }

    /// The hash of this entry as a leaf of the log.
    ///
    /// # Errors
    /// As [`Entry::encode`].
    pub fn leaf_hash(&self) -> Result<Hash, EntryError> {
        self.encode().map(|bytes| leaf_hash(&bytes))
    }

    fn to_map(&self) -> Map {
        let mut map = Map::new()
            .with(field::VERSION, ENTRY_VERSION)
            .with(field::LOG, self.log.get())
            .with(field::TIME_MS, self.time_ms)
            .with(field::KIND, u64::from(self.kind.code()))
            .with(field::BODY, self.body.clone());
        if let Some(run) = &self.run {
            map.insert(field::RUN, run.id.0.to_vec());
            map.insert(field::SEQ_IN_RUN, run.seq);
            if let Some(prev) = &run.prev {
                map.insert(field::PREV_IN_RUN, prev.as_bytes().to_vec());
            }
        }
        if let Some(payload) = &self.payload {
            let reference = Map::new()
                .with(field::PAYLOAD_COMMITMENT, payload.commitment.as_bytes().to_vec())
                .with(field::PAYLOAD_SEALED_LEN, payload.sealed_len);
            map.insert(field::PAYLOAD, reference);
        }
        map
    }
}

fn check_body(body: &Map) -> Result<(), EntryError> {
    let is_name = |text: &str| {
        (1..=BODY_KEY_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
    };
    for (key, _) in body.iter() {
        if !matches!(key, Key::Text(text) if is_name(text)) {
            return Err(EntryError::BodyKey { key: key.clone() });
        }
    }
    Ok(())
}

fn take(map: &mut Map, key: u64) -> Result<Value, EntryError> {
    map.remove(key).ok_or(EntryError::MissingField { key })
}

fn unsigned(map: &mut Map, key: u64) -> Result<u64, EntryError> {
    take(map, key)?.as_u64().ok_or(EntryError::FieldType { key })
}

fn hash(map: &mut Map, key: u64) -> Result<Hash, EntryError> {
    let value = take(map, key)?;
    let bytes = value.as_bytes().ok_or(EntryError::FieldType { key })?;
    Hash::from_slice(bytes).map_err(|_| EntryError::FieldType { key })
}

fn run_link(map: &mut Map) -> Result<Option<RunLink>, EntryError> {
    let Some(id) = map.remove(field::RUN) else {
        return Ok(None);
    };
    let id = id.as_bytes().and_then(|bytes| bytes.try_into().ok()).map(RunId::from_bytes);
    let id = id.ok_or(EntryError::FieldType { key: field::RUN })?;
    match unsigned(map, field::SEQ_IN_RUN)? {
        0 => Ok(Some(RunLink::first(id))),
        seq => RunLink::after(id, seq, hash(map, field::PREV_IN_RUN)?).map(Some),
    }
}

fn kind(map: &mut Map) -> Result<EntryKind, EntryError> {
    let code = unsigned(map, field::KIND)?;
    u16::try_from(code).map(EntryKind::from_code).map_err(|_| EntryError::FieldType { key: field::KIND })
}

fn body(map: &mut Map) -> Result<Map, EntryError> {
    let Value::Map(body) = take(map, field::BODY)? else {
        return Err(EntryError::FieldType { key: field::BODY });
    };
    check_body(&body)?;
    Ok(body)
}

fn payload(map: &mut Map) -> Result<Option<PayloadRef>, EntryError> {
    let wrong = EntryError::FieldType { key: field::PAYLOAD };
    let Some(value) = map.remove(field::PAYLOAD) else {
        return Ok(None);
    };
    let Value::Map(mut reference) = value else {
        return Err(wrong);
    };
    let payload = PayloadRef {
        commitment: hash(&mut reference, field::PAYLOAD_COMMITMENT).map_err(|_| wrong.clone())?,
        sealed_len: unsigned(&mut reference, field::PAYLOAD_SEALED_LEN).map_err(|_| wrong.clone())?,
    };
    if reference.is_empty() { Ok(Some(payload)) } else { Err(wrong) }
}

#[cfg(test)]
mod tests;
