//! What can be typed after `sluice import`, `draw` and `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, Place};

/// `sluice import`
#[derive(Args)]
pub struct Import {
    /// The workflow of another engine.
    pub file: PathBuf,
    /// Write the definition into this new file, and contracts of what it calls into `connectors/` of the workspace that it
    /// lies in, or beside it; else the definition is shown and nothing is written.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Of a workflow with several starts: the one that is meant.
    #[arg(long, value_name = "NAME")]
    pub start: Option<String>,
    /// Write it also where steps have no equivalent; such a definition is refused until each of them is replaced.
    #[arg(long)]
    pub partial: bool,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice draw`
#[derive(Args)]
pub struct Draw {
    /// The workflow.
    pub file: PathBuf,
    /// Where the rules are.
    #[command(flatten)]
    pub place: Place,
    /// As what.
    #[arg(long, value_enum, default_value_t)]
    pub format: DrawFormat,
    /// Whose colours.
    #[arg(long, value_enum, default_value_t)]
    pub theme: DrawTheme,
    /// Into this file instead of the standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// As what a workflow is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DrawFormat {
    /// A picture that scales.
    #[default]
    Svg,
}

/// Whose colours a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DrawTheme {
    /// As the reader's system asks.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// `sluice explain`
#[derive(Args)]
pub struct Explain {
    /// A code such as SL203, its name, or the id of a policy.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// Whose policies.
    #[command(flatten)]
    pub place: Place,
}
