//! What can be typed after `sluice audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Place, Server, ShowRun};

/// `sluice audit`
#[derive(Subcommand)]
pub enum Audit {
    /// What a run did, and why it was let.
    Show(ShowRun),
    /// The latest entries, or the latest that fit.
    Log(Box<Log>),
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
    /// Which.
    #[command(flatten)]
    pub wanted: Wanted,
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

/// Which entries are looked for; what is not said is not asked.
#[derive(Args, Clone, Debug, Default)]
pub struct Wanted {
    /// Of this kind: `decision`, `intent`, `approved`.
    #[arg(long)]
    pub kind: Option<String>,
    /// About this `connector.action`.
    #[arg(long)]
    pub action: Option<String>,
    /// That decided so: `permit`, `hold`, `forbid`.
    #[arg(long)]
    pub decision: Option<String>,
    /// About this approval or proposal: `A-…`, `P-…`.
    #[arg(long)]
    pub approval: Option<String>,
    /// Of runs whose id begins so.
    #[arg(long)]
    pub run: Option<String>,
    /// With this code: `SL518`.
    #[arg(long)]
    pub code: Option<String>,
    /// Where this person, service or model asked, wrote, approved or stopped.
    #[arg(long)]
    pub person: Option<String>,
    /// Of this workflow.
    #[arg(long)]
    pub workflow: Option<String>,
    /// Where this dataset had a part.
    #[arg(long)]
    pub dataset: Option<String>,
    /// Where data of this class had a part.
    #[arg(long)]
    pub category: Option<String>,
    /// Where data was to go there.
    #[arg(long)]
    pub destination: Option<String>,
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
    /// Or where it is served.
    #[command(flatten)]
    pub server: Server,
}
