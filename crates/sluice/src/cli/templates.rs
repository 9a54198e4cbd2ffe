//! What can be typed after `sluice template`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, List, Place};

/// `sluice template`
#[derive(Subcommand)]
pub enum Templates {
    /// Templates that were proposed, and whether they may be filled.
    List(List),
    /// What each hole takes, and who may fill it.
    Show(ShowTemplate),
    /// Fill a template that was proposed, and run it.
    Run(Fill),
}

/// `sluice template show`
#[derive(Args)]
pub struct ShowTemplate {
    /// A file, or the id of one that was proposed (`P-…`).
    pub template: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice template run`
#[derive(Args)]
pub struct Fill {
    /// As `sluice template list` names it: `P-…`. It runs on behalf of whoever it was proposed for.
    pub template: String,
    /// The value of one hole.
    #[arg(long, value_name = "HOLE=VALUE")]
    pub set: Vec<String>,
    /// Values as a JSON object.
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
