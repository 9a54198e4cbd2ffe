//! Records on SQLite: the ledger's file, the payloads sealed beside its entries, and their keys.
//!
//! The engine recovers from the same entries that an auditor reads, so there is one store and one
//! truth: a commit writes entries, leaf hashes, the tree's frontier and sealed payloads together or
//! not at all. What else is stored follows from the entries, and `verify` computes it again.
//!
//! In scope: the ledger's file ([`Records`]), appending under comparison ([`Expect`]) and claims
//! ([`Epoch`]), group commit ([`Writer`]), the key file and pseudonyms ([`PayloadKeys`]), checking a
//! file from end to end ([`verify_all`]), and the seam where a simulator loses commits
//! ([`Durability`]).
//!
//! Not in scope: the bytes of entries, the tree and its proofs (`sluice-ledger`), what bodies say
//! (`sluice-engine`), when to sign and whom to trust (`sluice-runtime`). No other crate knows SQL for
//! Sluice itself. This one reads no clock.

mod append;
mod database;
mod derived;
mod error;
mod fault;
mod keys;
mod random;
mod record;
mod records;
mod seal;
mod tables;
mod verify;
mod writer;

pub use append::Head;
pub use database::{Mode, Sync};
pub use derived::{ApprovalRow, RunRow, RunStatus};
pub use error::{AppendError, Conflict, StoreError};
pub use fault::{Commit, Durability, Fault};
pub use keys::{PayloadKeys, Pseudonym};
pub use random::{OsRandom, Random, RandomError};
pub use record::{
    Appended, Batch, Count, Epoch, Expect, FIELD_APPROVAL, FIELD_COUNTS, FIELD_USES, FactExpect, FactIs, NewRecord,
    PAYLOAD_BYTES_MAX, Payload, PayloadState, Recorded, RunExpect, Subjects,
};
pub use records::{CheckpointSigner, Page, Query, Records, Stand};
pub use seal::Opening;
pub use verify::{Misfit, MisfitKind, PayloadCounts, VerifyReport, verify_all};
pub use writer::{Receipt, Writer};

#[cfg(test)]
mod tests;
