//! What outsiders can send, thrown at whatever reads it.
//!
//! A target is a plain function over bytes that panics when a law is broken. It runs under two
//! drivers: `cargo run --release --manifest-path fuzz/Cargo.toml -- TARGET` needs stable Rust alone
//! (mutations of seeds, without coverage), `cargo fuzz run TARGET --features libfuzzer` has coverage
//! and needs nightly. A new target is a file under `targets/`, a line in [`TARGETS`], and a wrapper.
#![forbid(unsafe_code)]

pub mod mutate;
pub mod targets;

/// Every target, by name.
pub const TARGETS: &[Target] = &[
    targets::contract::TARGET,
    targets::definition::TARGET,
    targets::dify::TARGET,
    targets::entry::TARGET,
    targets::expression::TARGET,
    targets::frame::TARGET,
    targets::github_actions::TARGET,
    targets::inspect::TARGET,
    targets::javascript::TARGET,
    targets::json::TARGET,
    targets::logic_apps::TARGET,
    targets::n8n::TARGET,
    targets::native::TARGET,
    targets::note::TARGET,
    targets::passkey::TARGET,
    targets::proof::TARGET,
    targets::schema::TARGET,
    targets::step_functions::TARGET,
];

/// One reader of outside bytes.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads the bytes, and panics if a law is broken. The answer says how far reading came (an error's
    /// code, say): the stable driver keeps inputs with new answers as seeds, for want of coverage.
    pub run: fn(&[u8]) -> String,
    /// Well-formed inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Pieces that the format gives a meaning to.
    pub tokens: &'static [&'static [u8]],
}
