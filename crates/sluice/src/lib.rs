//! The `sluice` command: configuration, wiring, one file per command.
//!
//! In scope: what a person types and sees. Not in scope: deciding, running and recording, which
//! live in the crates below this one.

pub mod baseline;
pub mod cli;
pub mod commands;
pub mod demo;
pub mod failure;
pub mod init;
pub mod place;
pub mod render;
pub mod served;
