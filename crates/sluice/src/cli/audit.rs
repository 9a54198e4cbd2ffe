//! What can be typed after `sluice audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Place, Resume};

/// `sluice audit`
#[derive(Subcommand)]
pub enum Audit {
    /// What a run did, and why it was let.
    Show(Resume),
    /// The latest entries.
    Log(Log),
    /// A proof that an entry is in the log, or of what people said about an approval, for somebody who does not trust you.
    Prove(Prove),
    /// Whether everything agrees: entries, tree, checkpoints, payloads, decisions; or whether one proof file holds.
    Verify(VerifyLedger),
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

/// `sluice audit verify`
#[derive(Args)]
pub struct VerifyLedger {
    /// Check this file of `sluice audit prove` instead: no ledger and no network are needed, only the log's public key.
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
    /// A file with the log's public key, if it is not the one of the workspace on this machine.
    #[arg(long, value_name = "FILE", requires = "proof")]
    pub key: Option<PathBuf>,
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
    #[arg(required_unless_present = "approval")]
    pub index: Option<u64>,
    /// What people said about an approval, with their signatures and the enrolment of their passkeys, in one file.
    #[arg(long, value_name = "ID", conflicts_with = "index")]
    pub approval: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
