//! The laws of labels (DESIGN §3), over random programs in random worlds.
//!
//! Cases are the same in every run, so that each mutant of `crates/xtask/mutants` is killed for certain. With
//! `SLUICE_LAW_CASES` there are as many cases as it says, and `SLUICE_LAW_SEED` draws others.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test of its own: a panic is a failure, in helpers too"
)]

mod case;
mod coverage;
mod interference;
mod permits;
mod releases;
mod soundness;
mod witness;
