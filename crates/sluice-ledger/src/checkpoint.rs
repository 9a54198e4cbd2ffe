//! C2SP tlog-checkpoints: what a log signs about itself.
//!
//! [`Checkpoint::open`] is the only way to a [`Checkpoint`]; no function here takes a size and a root
//! that "should have been checked".
//!
//! Source: <https://c2sp.org/tlog-checkpoint>.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::hash::Hash;
use crate::merkle::{LeafIndex, ProofError, TreeSize, verify_consistency, verify_inclusion};
use crate::note::{self, KeyName, NoteError, Signer, SignerKey, VerifierKey};

/// What a log claims: nothing until it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// The name of the log, which is also the name of the key that signs for it.
    pub origin: KeyName,
    /// How many entries it has.
    pub size: TreeSize,
    /// The root over them.
    pub root: Hash,
}

impl TreeHead {
    /// Signs the head as a note; `signer` must bear the name of the log.
    ///
    /// # Errors
    /// [`CheckpointError::Signer`] if it does not.
    pub fn sign(&self, signer: &SignerKey) -> Result<String, CheckpointError> {
        if *signer.verifier().name() != self.origin {
            return Err(CheckpointError::Signer);
        }
        Ok(note::sign(&self.to_string(), &[signer])?)
    }
}

impl fmt::Display for TreeHead {
    /// The text of the note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }
}

/// A tree head that the log itself signed, under a key that the caller trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    head: TreeHead,
    extensions: Vec<String>,
    signers: Vec<Signer>,
}

impl Checkpoint {
    /// Opens a checkpoint that one of the `trusted` keys signed, whose name is the checkpoint's origin.
    ///
    /// `trusted` may hold keys of witnesses too; their word alone makes no checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`]: no note, no trusted signature of the log, or no checkpoint in it.
    pub fn open(note: &[u8], trusted: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let note = note::open(note, trusted)?;
        let (head, extensions) = body(note.text())?;
        let is_the_logs = |signer: &Signer| signer.name == head.origin && signer.witnessed_at_s.is_none();
        if !note.signers().iter().any(is_the_logs) {
            return Err(CheckpointError::Signer);
        }
        Ok(Self { head, extensions, signers: note.signers().to_vec() })
    }

    /// The name of the log.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        &self.head.origin
    }

    /// How many entries it commits to.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        self.head.size
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.head.root
    }

    /// Further lines of the signed text; this log writes none.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// The trusted keys that signed it: the log's, and witnesses'.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// The witnesses among the signers, and when each last saw this head, in seconds since 1970.
    pub fn witnesses(&self) -> impl Iterator<Item = (&KeyName, u64)> {
        self.signers.iter().filter_map(|signer| Some((&signer.name, signer.witnessed_at_s?)))
    }

    /// Checks that the log has the entry with this leaf hash at `index`.
    ///
    /// # Errors
    /// As [`verify_inclusion`].
    pub fn verify_inclusion(&self, leaf: &Hash, index: LeafIndex, path: &[Hash]) -> Result<(), ProofError> {
        verify_inclusion(leaf, index, self.size(), path, self.root())
    }

    /// Checks that the log of this checkpoint has grown from the one of an `older` checkpoint.
    ///
    /// # Errors
    /// As [`verify_consistency`]. That both are of one log is for the caller to have asked: trust the
    /// keys of one log at a time.
    pub fn verify_growth_from(&self, older: &Self, path: &[Hash]) -> Result<(), ProofError> {
        verify_consistency(older.size(), older.root(), self.size(), self.root(), path)
    }
}

fn body(text: &str) -> Result<(TreeHead, Vec<String>), CheckpointError> {
    let lines = text.strip_suffix('\n').ok_or(CheckpointError::Body)?;
    let mut lines = lines.split('\n');
    let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(CheckpointError::Body);
    };
    let head = TreeHead {
        origin: KeyName::new(origin).map_err(|_| CheckpointError::Body)?,
        size: decimal(size).map(TreeSize::new).ok_or(CheckpointError::Body)?,
        root: Hash::from_base64(root).map_err(|_| CheckpointError::Body)?,
    };
    let extensions: Vec<String> = lines.map(str::to_owned).collect();
    if extensions.iter().any(String::is_empty) {
        return Err(CheckpointError::Body);
    }
    Ok((head, extensions))
}

/// Reads a decimal number in its one spelling: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    u64::from_str(text).ok().filter(|number| number.to_string() == text)
}

/// Why a checkpoint was not opened or signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// SL620 to SL624, as the note's own error says.
    #[error("cannot open the checkpoint: {0}")]
    Note(#[from] NoteError),
    /// SL630. Help: origin, size and root, each on a line, in their only spelling.
    #[error("the signed text is not a checkpoint")]
    Body,
    /// SL631. Help: trust the log's own key, which has the name of the log.
    #[error("the checkpoint is not signed by a key with the name of its log")]
    Signer,
}

impl CheckpointError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Note(error) => error.code(),
            Self::Body => "SL630",
            Self::Signer => "SL631",
        }
    }
}

#[cfg(test)]
mod tests;
