//! What can be typed after `sluice run`, `resume` and `runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Author, Format, ListServed, Place, Server};

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
    List(ListServed),
    /// How one stands.
    Show(ShowRun),
    /// End one: nothing more of it is called.
    Cancel(CancelRun),
    /// Say what became of a call in doubt, and go on.
    Resolve(Resolve),
}

/// `sluice runs show`
#[derive(Args)]
pub struct ShowRun {
    /// The run, or the beginning of its id.
    pub run: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Or where it is served.
    #[command(flatten)]
    pub server: Server,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice runs cancel`
#[derive(Args)]
pub struct CancelRun {
    /// The run, or the beginning of its id.
    pub run: String,
    /// Why, for the record.
    #[arg(long)]
    pub reason: String,
    /// Who ends it: whoever it is for, answers for them, or manages people here.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "server")]
    pub person: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Or where it is served.
    #[command(flatten)]
    pub server: Server,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
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
