//! What a program could do, before it does anything: the promise that nothing starts which was not verified.
//!
//! [`verify`] interprets a `Program` abstractly with the evaluator and the transfer table of `sluice-core`, asks policy
//! at every call that some run may get to, and runs the [`rules`]. The result is a [`Report`] and, if nothing in it is
//! forbidden, a [`Verified`] program, which is made nowhere else. A run is held against the prediction at every point.
//!
//! In scope: the fixpoint, predicted verdicts, rules and their pages, the way a label takes and the smallest change that
//! would admit it, the JSON of `sluice check`.
//! Out of scope: what a node does to labels (`sluice-core::transfer`), what policy says (`sluice-policy`), running
//! anything (`sluice-engine`). Nothing here reads a clock, file, network or random source.

pub mod analysis;
mod assumptions;
mod builtin;
mod change;
mod provenance;
pub mod question;
mod report;
pub mod rules;
mod site;
pub mod survey;
mod verdict;
pub mod wire;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod workspace;

pub use analysis::Analysis;
pub use assumptions::{Assumptions, REQUESTER, principal};
pub use provenance::{Provenance, Sink};
pub use report::{Authority, Refused, Report, StepReport, Verification, Verified, verify};
pub use verdict::QUESTIONS_MAX;
