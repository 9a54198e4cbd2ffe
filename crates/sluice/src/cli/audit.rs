//! What can be typed after `sluice audit`.

use clap::{Args, Subcommand};

use super::{Format, List, Place, Resume};

/// `sluice audit`
#[derive(Subcommand)]
pub enum Audit {
    /// What a run did, and why it was let.
    Show(Resume),
    /// The latest entries.
    Log(Log),
    /// A proof that an entry is in the log, for somebody who does not trust you.
    Prove(Prove),
    /// Whether everything agrees: entries, tree, checkpoints, payloads, decisions.
    Verify(List),
}

/// `sluice audit log`
#[derive(Args)]
pub struct Log {
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub last: u64,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice audit prove`
#[derive(Args)]
pub struct Prove {
    /// The entry's place in the log.
    pub index: u64,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
