//! The append-only log: its entries, tree, checkpoints and proofs.
//!
//! A log that its operator can quietly change proves nothing. Here every entry is a leaf of a Merkle
//! tree whose root the log signs; whoever kept an older checkpoint, or asks a witness that did, can
//! show that nothing in it was changed since. This crate alone is enough to check that, offline,
//! without trusting whoever runs Sluice.
//!
//! In scope: the permanent bytes of an entry ([`Entry`], [`cbor`]), commitments to values that are
//! not in it ([`commit`]), the tree with its frontier and proofs ([`merkle`]), signed notes
//! ([`note`]), checkpoints ([`Checkpoint`]), proof files ([`Evidence`]) and
//! tiles for publishing ([`tile`]).
//! `docs/ledger-format.md` is the reference of all these formats, with test vectors.
//!
//! Not in scope: storing (`sluice-store`), what the bodies of entries say (`sluice-engine`), and
//! when to sign (`sluice-runtime`). This crate reads no clock, file, socket or random source, and
//! depends on no other crate of Sluice.

pub mod cbor;
mod checkpoint;
mod commitment;
mod entry;
mod evidence;
#[cfg(test)]
mod format_page;
mod hash;
pub mod merkle;
pub mod note;
pub mod tile;

pub use checkpoint::{Checkpoint, CheckpointError, TreeHead};
pub use commitment::{Commitment, Salt, commit};
pub use entry::{
    BODY_KEY_BYTES_MAX, ENTRY_BYTES_MAX, ENTRY_VERSION, Entry, EntryError, EntryKind, PayloadRef, RunId, RunLink,
};
pub use evidence::{EVIDENCE_BYTES_MAX, Evidence, EvidenceError};
pub use hash::{Hash, HashError};
pub use merkle::{Frontier, LeafIndex, TreeSize, leaf_hash};
