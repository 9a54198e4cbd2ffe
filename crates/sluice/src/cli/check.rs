//! What can be typed after `sluice check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sluice_core::diagnostic::{Code, Confidence, Severity};

use super::{Author, Place};

/// `sluice check`
#[derive(Args)]
pub struct Check {
    /// Workflow files, or folders of them.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Where the rules are.
    #[command(flatten)]
    pub place: Place,
    /// On whose behalf it would run; else for anybody of the register.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub requester: Option<String>,
    /// Who wrote it.
    #[command(flatten)]
    pub author: Author,
    /// For whom it is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
    /// With `--format json`: the facts of imported workflows, under the names that outside checks read.
    #[arg(long)]
    pub facts: bool,
    /// How many files are checked at once; as many as there are processors if it is not said.
    #[arg(long, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Into this file instead of the standard output; not for `text`.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which findings are shown and counted.
    #[command(flatten)]
    pub filters: Filters,
    /// Known findings, which are not counted; in a workspace only its signed `policies/baseline.json` is.
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    pub baseline: Option<PathBuf>,
    /// Write what is found into a list of known findings, and end well.
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Mend what can be mended without thinking in workflows of other engines, and check again.
    #[arg(long, conflicts_with_all = ["write_baseline", "output", "facts"])]
    pub fix: bool,
    /// With `--fix`: show what would be changed, and write nothing.
    #[arg(long, requires = "fix")]
    pub diff: bool,
}

/// How the result of a check is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
    /// Workflow commands, which GitHub shows beside the lines of a change.
    Github,
    /// One page that needs nothing else.
    Html,
}

/// Which findings are shown and counted. What could not be read or analysed always is.
#[derive(Args, Clone, Debug, Default)]
pub struct Filters {
    /// Only these and worse ones.
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    pub min_severity: Option<Severity>,
    /// Only what is at least this sure: low, medium, high.
    #[arg(long, value_name = "LEVEL", value_parser = confidence)]
    pub min_confidence: Option<Confidence>,
    /// Only these: `SL203,SL204`.
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = code)]
    pub code: Vec<Code>,
    /// All but these.
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = code)]
    pub ignore: Vec<Code>,
    /// Do not count what authors allow in their workflows, `sluice: allow SL260 because …`; not in a workspace.
    #[arg(long)]
    pub accept_inline: bool,
}

impl Filters {
    /// Whether text shows each finding that is only worth knowing, too.
    pub fn ask_for_all(&self) -> bool {
        self.min_severity.is_some() || !self.code.is_empty()
    }
}

fn severity(word: &str) -> Result<Severity, String> {
    const LEVELS: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let found = LEVELS.into_iter().find(|level| level.name() == word);
    found.ok_or_else(|| format!("levels are {}", LEVELS.map(Severity::name).join(", ")))
}

fn confidence(word: &str) -> Result<Confidence, String> {
    const LEVELS: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];
    let found = LEVELS.into_iter().find(|level| level.name() == word);
    found.ok_or_else(|| format!("levels are {}", LEVELS.map(Confidence::name).join(", ")))
}

fn code(word: &str) -> Result<Code, String> {
    let upper = word.trim().to_uppercase();
    let number = upper.strip_prefix("SL").filter(|digits| digits.len() == 3);
    number.and_then(|digits| digits.parse().ok()).map(Code).ok_or_else(|| "a code is like SL204".to_owned())
}
