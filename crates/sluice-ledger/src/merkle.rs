//! The RFC 6962 (RFC 9162 §2.1) Merkle tree over SHA-256: its hashes, frontier, and proofs.
//!
//! Leaves and inner nodes are hashed under different first bytes, so that no inner node can be
//! passed off as an entry. A tree of any size has one shape: its left part is the largest full
//! binary tree that is smaller than the whole.

mod frontier;
mod proof;
mod prove;
#[cfg(test)]
mod tests;

use std::fmt;

pub use frontier::{FRONTIER_BYTES_MAX, Frontier, FrontierError, TREE_SIZE_MAX};
pub use proof::{PROOF_HASHES_MAX, ProofError, verify_consistency, verify_inclusion};
pub use prove::{Leaves, NodeId, Nodes, ProveError, prove_consistency, prove_inclusion, root_at};

use crate::hash::Hash;

/// What RFC 6962 puts before an entry when it is hashed as a leaf.
const LEAF_PREFIX: &[u8] = &[0];
/// What RFC 6962 puts before two children when they are hashed as a node.
const NODE_PREFIX: &[u8] = &[1];

/// The hash of an entry's bytes as a leaf: `SHA-256(0x00 || entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of(&[LEAF_PREFIX, entry])
}

/// The hash of a node over its children: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[NODE_PREFIX, left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: the SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// The place of a leaf in the log; the first is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

impl LeafIndex {
    /// The leaf at `index`.
    #[must_use]
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The place as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// How many leaves a tree has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl TreeSize {
    /// The tree without leaves.
    pub const EMPTY: Self = Self(0);

    /// A tree of `size` leaves.
    #[must_use]
    pub const fn new(size: u64) -> Self {
        Self(size)
    }

    /// The number of leaves.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether the tree has a leaf at `index`.
    #[must_use]
    pub const fn has(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
