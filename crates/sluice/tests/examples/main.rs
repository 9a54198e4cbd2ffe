//! The workspaces that people start from: those under `examples/`, and the one that `sluice init` writes.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on says so")]

mod demo;
mod folders;
mod read;
mod verdicts;
