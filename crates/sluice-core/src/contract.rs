//! What a workspace's people vouch for: contracts, registers, and the signatures that make them count.
//!
//! - Reading: [`Contract`], [`Registers`], [`Workspace`], with located errors, all at once.
//! - Resolving: [`resolve()`] turns names into labels, [`Governance::read`] does it for a whole folder.
//! - The bundle: [`bundle`] digests the files and checks who signed them; a [`bundle::SignedBundle`] is made nowhere else.
//! - Approvals: [`closure`] digests all that a run depends on, [`approval`] counts the signatures over that digest.
//!
//! Governance is not self-made: nothing here is read from a workflow definition. Reference pages:
//! `docs/contracts.md` and `docs/closure-digest.md`.

pub mod approval;
pub mod budgets;
pub mod bundle;
pub mod canonical;
pub mod closure;
mod codes;
pub mod connector;
pub mod digest;
pub mod governance;
pub mod identity;
pub mod key;
pub mod lock;
mod parse;
pub mod principals;
mod read;
pub mod registers;
mod request;
mod resolve;
pub mod sandbox;
pub mod signers;
mod ticket;
pub mod workspace;

pub use codes::CODES;
pub use connector::Contract;
pub use digest::Digest;
pub use governance::Governance;
pub use lock::Lock;
pub use principals::Principals;
pub use read::{Located, Problem, Register, is_id};
pub use registers::Registers;
pub use resolve::resolve;
pub use workspace::{Mode, Workspace};

#[cfg(test)]
mod tests;
