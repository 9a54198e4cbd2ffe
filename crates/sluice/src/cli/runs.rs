//! What can be typed after `sluice run`, `resume` and `runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Author, Format, List, Place};

/// `sluice run`
#[derive(Args)]
pub struct Run {
    /// The definition.
    pub file: PathBuf,
    /// Its input as JSON; else `{}`.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// On whose behalf; else the one signer of a solo workspace.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub requester: Option<String>,
    /// Who wrote it.
    #[command(flatten)]
    pub author: Author,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice resume`
#[derive(Args)]
pub struct Resume {
    /// The run, or the beginning of its id.
    pub run: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice runs`
#[derive(Subcommand)]
pub enum Runs {
    /// Every run, newest first.
    List(List),
    /// How one stands.
    Show(Resume),
    /// Say what became of a call in doubt, and go on.
    Resolve(Resolve),
}

/// `sluice runs resolve`
#[derive(Args)]
pub struct Resolve {
    /// The run, or the beginning of its id.
    pub run: String,
    /// Which call, if several are in doubt: `D-…`.
    #[arg(long, value_name = "ID")]
    pub call: Option<String>,
    /// What was found.
    #[command(flatten)]
    pub found: Found,
    /// Who found it; else the one signer of a solo workspace.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What a person found about a call in doubt.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Found {
    /// It happened; the file holds its reply as JSON.
    #[arg(long, value_name = "FILE")]
    pub happened: Option<PathBuf>,
    /// It did not happen: do it now, under the same key.
    #[arg(long)]
    pub repeat: bool,
    /// It did not happen and shall not: the workflow sees a failed call.
    #[arg(long)]
    pub abandon: bool,
}
