//! The append-only log: its entries, tree, checkpoints and proofs.

mod hash;
pub mod merkle;

pub use hash::{Hash, HashError};
pub use merkle::{Frontier, LeafIndex, TreeSize, leaf_hash};
