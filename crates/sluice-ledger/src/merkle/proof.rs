//! Checking proofs: all that someone needs who does not trust the operator.

use thiserror::Error;

use super::{LeafIndex, TreeSize, empty_root, node_hash};
use crate::hash::Hash;

/// No proof for any tree is longer: one hash per level, and one more for a consistency proof.
pub const PROOF_HASHES_MAX: usize = 65;

/// Checks that `leaf` is at `index` in the tree of `size` leaves with this `root`.
///
/// `path` runs from the leaf's sibling up to the child of the root: at most ⌈log₂ size⌉ hashes.
/// Take `size` and `root` from a [`crate::Checkpoint`]: they say nothing unless somebody signed them.
///
/// # Errors
/// [`ProofError::OutsideTree`] if the tree has no such leaf, [`ProofError::Length`] if the path does
/// not fit index and size, [`ProofError::Mismatch`] if it leads elsewhere.
///
/// Source: RFC 9162 §2.1.3.2.
pub fn verify_inclusion(
    leaf: &Hash,
    index: LeafIndex,
    size: TreeSize,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if !size.has(index) {
        return Err(ProofError::OutsideTree);
    }
    let mut climb = Climb { node: index.get(), last: size.get() - 1 };
    let mut hash = *leaf;
    for beside in path {
        hash = match climb.step()? {
            Side::Left => node_hash(beside, &hash),
            Side::Right => node_hash(&hash, beside),
        };
    }
    climb.finish()?;
    matches(&hash, root)
}

/// Checks that the tree of `older` leaves is the beginning of the tree of `newer` leaves.
///
/// A tree without leaves is the beginning of every tree; equal sizes ask for equal roots. Both need
/// an empty path.
///
/// # Errors
/// [`ProofError::SizesReversed`] if `older` is the larger, [`ProofError::Length`] if the path does
/// not fit the sizes, [`ProofError::Mismatch`] if it leads to other roots.
///
/// Source: RFC 9162 §2.1.4.2.
pub fn verify_consistency(
    older: TreeSize,
    older_root: &Hash,
    newer: TreeSize,
    newer_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    if older > newer {
        return Err(ProofError::SizesReversed);
    }
    if older == newer || older == TreeSize::EMPTY {
        if !path.is_empty() {
            return Err(ProofError::Length);
        }
        let known = if older == newer { *newer_root } else { empty_root() };
        return matches(older_root, &known);
    }
    // The largest full subtree at the right edge of the older tree is where both roots meet.
    let edge = (older.get() - 1).trailing_ones();
    let mut climb = Climb { node: (older.get() - 1) >> edge, last: (newer.get() - 1) >> edge };
    let (first, rest) = match (older.get().is_power_of_two(), path) {
        (true, rest) => (older_root, rest),
        (false, [first, rest @ ..]) => (first, rest),
        (false, []) => return Err(ProofError::Length),
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for beside in rest {
        match climb.step()? {
            Side::Left => {
                old_hash = node_hash(beside, &old_hash);
                new_hash = node_hash(beside, &new_hash);
            }
            Side::Right => new_hash = node_hash(&new_hash, beside),
        }
    }
    climb.finish()?;
    matches(&old_hash, older_root)?;
    matches(&new_hash, newer_root)
}

fn matches(found: &Hash, claimed: &Hash) -> Result<(), ProofError> {
    if found == claimed { Ok(()) } else { Err(ProofError::Mismatch) }
}

/// On which side of the node that we stand on the next hash of the path lies.
enum Side {
    Left,
    Right,
}

/// A way up from a node to the root: our node and the last one of its level (`fn` and `sn` of the RFC).
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    fn step(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::Length);
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node of a level has no sibling there: it moves up until it has one.
            while self.node & 1 == 0 && self.node != 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Ok(side)
    }

    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    fn finish(self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::Length) }
    }
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// SL610. Help: the proof was cut, or belongs to another entry or checkpoint.
    #[error("the proof does not have the length that its index and sizes ask for")]
    Length,
    /// SL611. Help: the entry, the proof or the log was changed.
    #[error("the proof leads to another root")]
    Mismatch,
    /// SL612. Help: the checkpoint is older than the entry; take a later one.
    #[error("the entry lies outside the log that the checkpoint commits to")]
    OutsideTree,
    /// SL613. Help: name the older checkpoint first.
    #[error("the older log is larger than the newer one")]
    SizesReversed,
}

impl ProofError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length => "SL610",
            Self::Mismatch => "SL611",
            Self::OutsideTree => "SL612",
            Self::SizesReversed => "SL613",
        }
    }
}
