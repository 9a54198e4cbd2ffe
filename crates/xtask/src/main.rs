//! `cargo xtask`: work on the repository itself.
//!
//! - `graph` prints the crate graph as `ARCHITECTURE.md` must show it;
//! - `mutants` applies each patch under `crates/xtask/mutants` to a copy of the tree and runs the test
//!   that its first line names: a mutant that survives is a law without a guard;
//! - `corpus` prints what becomes of the workflows of each folder of a corpus, as `docs/formats.md` shows it;
//! - `score` holds `sluice check --facts` against workflows that people have labelled;
//! - `compare-zizmor` holds what is found in workflows of GitHub Actions against what zizmor finds there, and times both.

mod codes;
mod corpus;
mod graph;
mod mutants;
mod root;
mod score;
mod zizmor;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["graph"] => graph::print(),
        ["mutants"] => mutants::run(None),
        ["mutants", name] => mutants::run(Some(name)),
        ["corpus", folder] => corpus::run(folder, None),
        ["corpus", folder, binary] => corpus::run(folder, Some(binary)),
        ["score", labels] => score::run(labels),
        ["compare-zizmor", folder] => zizmor::run(folder),
        _ => Err("usage: cargo run -p xtask -- graph | mutants [NAME] | corpus DIR [BINARY] | score LABELS | \
                  compare-zizmor FOLDER"
            .to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
