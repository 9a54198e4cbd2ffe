//! One entry's proof in one text file (C2SP tlog-proof): what `sluice audit prove` hands out.
//!
//! The file carries the entry's bytes as its extra data, its place, the way up to the root, and the
//! signed checkpoint. With the log's public key it can be checked on a machine without a network.
//!
//! Source: <https://c2sp.org/tlog-proof>.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError, decimal};
use crate::entry::ENTRY_BYTES_MAX;
use crate::hash::Hash;
use crate::merkle::{LeafIndex, PROOF_HASHES_MAX, ProofError, leaf_hash};
use crate::note::{NOTE_BYTES_MAX, VerifierKey};

/// The longest proof file: an entry in base64, the hashes, a note, and room for line heads.
pub const EVIDENCE_BYTES_MAX: usize = ENTRY_BYTES_MAX / 3 * 4 + 64 * PROOF_HASHES_MAX + NOTE_BYTES_MAX + 1024;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";

/// The parts of a proof file. Nothing in it is true until [`Evidence::open`] has said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The entry's bytes, if the file carries them.
    pub entry: Option<Vec<u8>>,
    /// Where in the log it is said to be.
    pub index: LeafIndex,
    /// The hashes from its sibling up to the child of the root.
    pub path: Vec<Hash>,
    /// The signed checkpoint, as it was published.
    pub checkpoint: String,
}

impl Evidence {
    /// Checks everything, and gives the checkpoint and the bytes of the entry that it proves.
    ///
    /// # Errors
    /// [`EvidenceError`]: no trusted checkpoint, no entry in the file, or a path that leads elsewhere.
    pub fn open(&self, trusted: &[VerifierKey]) -> Result<(Checkpoint, &[u8]), EvidenceError> {
        let entry = self.entry.as_deref().ok_or(EvidenceError::NoEntry)?;
        Ok((self.open_for(entry, trusted)?, entry))
    }

    /// Checks everything for an entry whose bytes the caller has from elsewhere.
    ///
    /// # Errors
    /// [`EvidenceError`]: no trusted checkpoint, or a path that leads elsewhere.
    pub fn open_for(&self, entry: &[u8], trusted: &[VerifierKey]) -> Result<Checkpoint, EvidenceError> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), trusted)?;
        checkpoint.verify_inclusion(&leaf_hash(entry), self.index, &self.path)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Evidence {
    /// The text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(entry) = &self.entry {
            writeln!(f, "{EXTRA}{}", STANDARD.encode(entry))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Evidence {
    type Err = EvidenceError;

    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        if text.len() > EVIDENCE_BYTES_MAX {
            return Err(EvidenceError::TooLong);
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(EvidenceError::Form)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(EvidenceError::Form);
        }
        let entry = match lines.next_if(|line| line.starts_with(EXTRA)) {
            Some(line) => Some(base64_after(line, EXTRA)?),
            None => None,
        };
        let index = lines.next().and_then(|line| decimal(line.strip_prefix(INDEX)?));
        let index = LeafIndex::new(index.ok_or(EvidenceError::Form)?);
        let path: Vec<Hash> =
            lines.map(Hash::from_base64).collect::<Result<_, _>>().map_err(|_| EvidenceError::Form)?;
        if path.len() > PROOF_HASHES_MAX {
            return Err(EvidenceError::TooLong);
        }
        Ok(Self { entry, index, path, checkpoint: checkpoint.to_owned() })
    }
}

fn base64_after(line: &str, start: &str) -> Result<Vec<u8>, EvidenceError> {
    let base64 = line.strip_prefix(start).ok_or(EvidenceError::Form)?;
    let bytes = STANDARD.decode(base64).map_err(|_| EvidenceError::Form)?;
    if bytes.len() > ENTRY_BYTES_MAX { Err(EvidenceError::TooLong) } else { Ok(bytes) }
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// SL640. Help: take the file as `sluice audit prove` wrote it.
    #[error("not a proof file")]
    Form,
    /// SL641. Help: as above.
    #[error("longer than any proof file")]
    TooLong,
    /// SL642. Help: hand over the entry's bytes beside the file.
    #[error("the proof file does not carry the entry that it is about")]
    NoEntry,
    /// SL620 to SL631, as the checkpoint's own error says.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// SL610 to SL612, as the proof's own error says.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl EvidenceError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "SL640",
            Self::TooLong => "SL641",
            Self::NoEntry => "SL642",
            Self::Checkpoint(error) => error.code(),
            Self::Proof(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests;
