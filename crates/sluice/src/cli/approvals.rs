//! What can be typed after `sluice propose` and `sluice approvals`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Author, Format, List, Place};

/// `sluice propose`
#[derive(Args)]
pub struct Propose {
    /// The definition.
    pub file: PathBuf,
    /// On whose behalf it will run.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub requester: String,
    /// Who wrote it.
    #[command(flatten)]
    pub author: Author,
    /// What the model was asked; its digest is recorded.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub prompt_file: Option<PathBuf>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice approvals`
#[derive(Subcommand)]
pub enum Approvals {
    /// What waits, oldest first.
    List(List),
    /// All that a person would sign.
    Show(ShowApproval),
    /// Sign that it may be done.
    Approve(Decide),
    /// Sign that it may not.
    Deny(Decide),
    /// Take back what you said, as long as nothing has used it.
    Withdraw(Decide),
}

/// `sluice approvals show`
#[derive(Args)]
pub struct ShowApproval {
    /// As `sluice approvals list` names it.
    pub id: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice approvals approve` and `deny`
#[derive(Args)]
pub struct Decide {
    /// As `sluice approvals list` names it.
    pub id: String,
    /// Who signs.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
