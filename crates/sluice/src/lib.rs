//! The `sluice` command: configuration, wiring, one file per command.
//!
//! In scope: what a person types and sees. Not in scope: deciding, running and recording, which
//! live in the crates below this one.

pub mod demo;
pub mod init;
