//! The `sluice` binary: reads the command line and hands over to the command's file.

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sluice::demo;

/// Makes workflows that an AI wrote safe to run.
#[derive(Parser)]
#[command(name = "sluice", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the demo's local services, print their addresses, stop on Ctrl-C.
    #[command(hide = true)]
    DemoServices(demo::serve::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::DemoServices(arguments) => demo::serve::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_full(error.as_ref()));
            ExitCode::from(3)
        }
    }
}

/// An error with what caused it, on one line.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(lower) = cause {
        text.push_str(": ");
        text.push_str(&lower.to_string());
        cause = lower.source();
    }
    text
}
