//! The append-only log: its entries, tree, checkpoints and proofs.

pub mod cbor;
mod commitment;
mod entry;
mod hash;
pub mod merkle;

pub use commitment::{Commitment, Salt, commit};
pub use entry::{
    BODY_KEY_BYTES_MAX, ENTRY_BYTES_MAX, ENTRY_VERSION, Entry, EntryError, EntryKind, PayloadRef,
    RunId, RunLink,
};
pub use hash::{Hash, HashError};
pub use merkle::{Frontier, LeafIndex, TreeSize, leaf_hash};
