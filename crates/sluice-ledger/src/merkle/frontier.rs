//! The right edge of the tree: all that is needed to append, and to know the root.

use thiserror::Error;

use super::{LeafIndex, NodeId, TreeSize, empty_root, node_hash};
use crate::hash::Hash;

/// How many leaves a tree may have: what a signed 64-bit column of a database can count.
pub const TREE_SIZE_MAX: u64 = i64::MAX as u64;

/// The longest [`Frontier::to_bytes`]: the size, and one hash for each of its 63 bits.
pub const FRONTIER_BYTES_MAX: usize = SIZE_BYTES + 63 * Hash::BYTES;

/// The tree size in front of the hashes, as a big-endian number.
const SIZE_BYTES: usize = 8;

/// The roots of the full subtrees that a tree of this size consists of, the largest first.
///
/// One hash per bit that is set in the size: a log of a billion entries needs at most 30. A commit
/// that stores the frontier beside its entries can go on after a restart without reading the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// How many leaves were appended.
    #[must_use]
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// Appends a leaf by its hash, in at most 63 steps, and says where it went.
    ///
    /// # Errors
    /// [`FrontierError::Full`] at [`TREE_SIZE_MAX`] leaves; nothing is changed then.
    pub fn append(&mut self, leaf: Hash) -> Result<LeafIndex, FrontierError> {
        self.append_with(leaf, |_, _| {})
    }

    /// Appends a leaf, and names every node that it completes, the leaf itself first.
    ///
    /// A store that keeps these nodes can prove any entry in O(log n) reads: they are all that
    /// [`super::Nodes`] is asked for.
    ///
    /// # Errors
    /// [`FrontierError::Full`] at [`TREE_SIZE_MAX`] leaves; nothing is changed then.
    pub fn append_with(
        &mut self,
        leaf: Hash,
        mut completed: impl FnMut(NodeId, Hash),
    ) -> Result<LeafIndex, FrontierError> {
        if self.size >= TREE_SIZE_MAX {
            return Err(FrontierError::Full);
        }
        let index = self.size;
        let mut node = NodeId { level: 0, index };
        let mut hash = leaf;
        completed(node, hash);
        // Each bit set at the low end of the size is a peak that the new leaf makes whole.
        for _ in 0..index.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            node = node.parent();
            completed(node, hash);
        }
        self.peaks.push(hash);
        self.size = index + 1;
        Ok(LeafIndex::new(index))
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return empty_root();
        };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The one spelling of this frontier: the size as 8 bytes, big-endian, then the hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote.
    ///
    /// That the hashes are the right ones only a comparison of [`Frontier::root`] with a
    /// checkpoint can tell.
    ///
    /// # Errors
    /// [`FrontierError::Malformed`] if the size does not go with the number of hashes, or is too large.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes.split_first_chunk::<SIZE_BYTES>().ok_or(FrontierError::Malformed)?;
        let size = u64::from_be_bytes(*size);
        let (hashes, tail) = rest.as_chunks::<{ Hash::BYTES }>();
        let is_whole = tail.is_empty() && hashes.len() == size.count_ones() as usize;
        if !is_whole || size > TREE_SIZE_MAX {
            return Err(FrontierError::Malformed);
        }
        Ok(Self { size, peaks: hashes.iter().copied().map(Hash::from_bytes).collect() })
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a frontier could not be read or grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrontierError {
    /// SL615. Help: the stored frontier was changed or cut; rebuild it from the entries.
    #[error("the stored frontier is malformed")]
    Malformed,
    /// SL617. Help: start a new log; the old one stays readable.
    #[error("the log has as many entries as it can hold")]
    Full,
}

impl FrontierError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "SL615",
            Self::Full => "SL617",
        }
    }
}
