//! What policy says of one call: text in, decisions out.
//!
//! A [`Bundle`] is a set of Cedar policies, strictly validated against one fixed schema, with the remedies that its
//! forbids name. It answers a typed [`GateRequest`] with an [`Answer`]: permit, forbid, or hold, and why, in words.
//! The same question is asked three times (predicted, at the gate, afterwards), so a request has canonical bytes.
//!
//! In scope: the gate request and its Cedar form, remedies, reasons, the syntactic check that more label never helps,
//! the default bundle. Out of scope: reading files and checking their signatures (the caller), who manages or owns what
//! (the principals register), what a label is (`sluice-core`), proofs with a solver.
//!
//! Three rules hold for every answer: what no permit covers is forbidden; any evaluation error is a forbid, because
//! Cedar skips a policy that errs and an erring `forbid` would let the call through; a hold is only said when the gate,
//! asked again with its remedies assumed, permits.

mod answer;
mod atoms;
mod bundle;
pub mod cases;
mod cedar;
mod condition;
mod decide;
mod default_bundle;
mod difference;
mod explain;
mod flaw;
pub mod guest;
pub mod own;
mod packs;
mod polarity;
mod remedy;
mod request;
mod scope;
mod words;

pub use answer::{Answer, Decision, PolicyId, Reason};
pub use atoms::{AtomSet, Category, Rule};
pub use bundle::{Bundle, PolicyInfo};
pub use cedar::Question;
pub use decide::Said;
pub use default_bundle::{DEFAULT_SOURCES, DEFAULT_TESTS, SCHEMA};
pub use difference::{Aspect, Growth, PolicyDifference};
pub use explain::{InWords, Stand, Stood};
pub use flaw::Flaw;
pub use packs::{PACKS, Pack};
pub use polarity::Polarity;
pub use remedy::{Approvers, Holder, Party, Remedy, RemedyKind, TicketRule};
pub use request::{
    Acting, AtomsOf, FACT_MAX, Facts, GateRequest, Principal, PrincipalKind, REQUEST_VERSION, RequestBytesError,
    Resource, Standing,
};

#[cfg(test)]
mod tests;
