//! Making proofs from stored hashes.

use thiserror::Error;

use super::{LeafIndex, TreeSize, empty_root, node_hash};
use crate::hash::Hash;

/// A full subtree: the leaves from `index << level` on, `1 << level` of them. Level 0 is a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// How high above the leaves.
    pub level: u8,
    /// Which of the nodes of that height, from the left.
    pub index: u64,
}

impl NodeId {
    /// The node one level up that this one is part of.
    #[must_use]
    pub const fn parent(self) -> Self {
        Self { level: self.level.saturating_add(1), index: self.index >> 1 }
    }
}

/// Stored hashes of full subtrees, as [`super::Frontier::append_with`] names them.
///
/// Any `FnMut(NodeId) -> Result<Hash, E>` is one. A store that keeps leaf hashes alone wraps its
/// reader in [`Leaves`].
pub trait Nodes {
    /// What can go wrong in reading.
    type Error;

    /// The hash of a full subtree.
    ///
    /// # Errors
    /// Whatever the store says when it has no such hash.
    fn node(&mut self, id: NodeId) -> Result<Hash, Self::Error>;
}

impl<F: FnMut(NodeId) -> Result<Hash, E>, E> Nodes for F {
    type Error = E;

    fn node(&mut self, id: NodeId) -> Result<Hash, E> {
        self(id)
    }
}

/// Computes nodes from leaf hashes: right for any log, and linear in its size.
#[derive(Debug)]
pub struct Leaves<F>(pub F);

impl<F: FnMut(LeafIndex) -> Result<Hash, E>, E> Nodes for Leaves<F> {
    type Error = E;

    fn node(&mut self, id: NodeId) -> Result<Hash, E> {
        let Some(level) = id.level.checked_sub(1) else {
            return (self.0)(LeafIndex::new(id.index));
        };
        let left = self.node(NodeId { level, index: id.index << 1 })?;
        let right = self.node(NodeId { level, index: id.index << 1 | 1 })?;
        Ok(node_hash(&left, &right))
    }
}

/// The hashes that lead from the leaf at `index` up to the root of the tree of `size` leaves.
///
/// From the leaf's sibling to the child of the root: at most ⌈log₂ size⌉ hashes.
///
/// # Errors
/// [`ProveError::OutsideTree`] if the tree has no such leaf, [`ProveError::Read`] if the store fails.
///
/// Source: RFC 9162 §2.1.3.1.
pub fn prove_inclusion<N: Nodes>(
    nodes: &mut N,
    index: LeafIndex,
    size: TreeSize,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    if !size.has(index) {
        return Err(ProveError::OutsideTree { index, size });
    }
    let mut span = Span { from: 0, to: size.get() };
    let mut path = Vec::new();
    while let Some((left, right)) = span.split() {
        let (inside, beside) = if index.get() < left.to { (left, right) } else { (right, left) };
        path.push(beside.root(nodes)?);
        span = inside;
    }
    path.reverse();
    Ok(path)
}

/// The hashes that show the tree of `older` leaves to be the beginning of that of `newer` leaves.
///
/// Empty if the sizes are equal, or if the older tree has no leaf.
///
/// # Errors
/// [`ProveError::SizesReversed`] if `older` is the larger, [`ProveError::Read`] if the store fails.
///
/// Source: RFC 9162 §2.1.4.1.
pub fn prove_consistency<N: Nodes>(
    nodes: &mut N,
    older: TreeSize,
    newer: TreeSize,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    if older > newer {
        return Err(ProveError::SizesReversed { older, newer });
    }
    if older == TreeSize::EMPTY {
        return Ok(Vec::new());
    }
    let mut span = Span { from: 0, to: newer.get() };
    let mut path = Vec::new();
    while span.to != older.get() {
        let Some((left, right)) = span.split() else {
            break;
        };
        let (inside, beside) = if older.get() <= left.to { (left, right) } else { (right, left) };
        path.push(beside.root(nodes)?);
        span = inside;
    }
    // A verifier already has the root of the older tree; any other last part it must be given.
    if span.from != 0 {
        path.push(span.root(nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`ProveError::Read`] if the store fails.
pub fn root_at<N: Nodes>(nodes: &mut N, size: TreeSize) -> Result<Hash, ProveError<N::Error>> {
    if size == TreeSize::EMPTY {
        return Ok(empty_root());
    }
    Span { from: 0, to: size.get() }.root(nodes)
}

/// The leaves of one subtree of the RFC's recursion; never empty.
#[derive(Clone, Copy)]
struct Span {
    from: u64,
    to: u64,
}

impl Span {
    /// At the largest power of two below its length; a single leaf has no parts.
    fn split(self) -> Option<(Self, Self)> {
        let len = self.to - self.from;
        if len <= 1 {
            return None;
        }
        let middle = self.from + (1 << (len - 1).ilog2());
        Some((Self { to: middle, ..self }, Self { from: middle, ..self }))
    }

    /// Reads one stored hash per bit that is set in the length.
    fn root<N: Nodes>(self, nodes: &mut N) -> Result<Hash, ProveError<N::Error>> {
        let len = self.to - self.from;
        match self.split() {
            Some((left, right)) if !len.is_power_of_two() => Ok(node_hash(&left.root(nodes)?, &right.root(nodes)?)),
            _ => {
                let level = len.trailing_zeros();
                let id = NodeId { level: level as u8, index: self.from >> level };
                nodes.node(id).map_err(ProveError::Read)
            }
        }
    }
}

/// Why a proof was not made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProveError<E> {
    /// SL612. Help: `sluice audit log` shows how many entries there are.
    #[error("no entry {index} in a log of {size}")]
    OutsideTree {
        /// The leaf asked for.
        index: LeafIndex,
        /// The size of the tree it was asked of.
        size: TreeSize,
    },
    /// SL613. Help: name the older checkpoint first.
    #[error("a log of {older} entries is not older than one of {newer}")]
    SizesReversed {
        /// The size given as the older one.
        older: TreeSize,
        /// The size given as the newer one.
        newer: TreeSize,
    },
    /// SL614. Help: a stored hash cannot be read; `sluice audit verify` rebuilds the tree from the entries.
    #[error("cannot read a stored hash of the log")]
    Read(E),
}

impl<E> ProveError<E> {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutsideTree { .. } => "SL612",
            Self::SizesReversed { .. } => "SL613",
            Self::Read(_) => "SL614",
        }
    }
}
