//! What can be typed after `sluice propose` and `sluice approvals`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Author, BreakGlass, Delegate, Format, List, ListServed, Place, Review, Server, Undelegate};

/// `sluice propose`
#[derive(Args)]
pub struct Propose {
    /// The definition.
    pub file: PathBuf,
    /// On whose behalf it will run; with `--server` whoever the token is for, or whom a model's token names here.
    #[arg(long = "as", value_name = "PRINCIPAL", required_unless_present = "server")]
    pub requester: Option<String>,
    /// Who wrote it.
    #[command(flatten)]
    pub author: Author,
    /// What the model was asked; its digest is recorded.
    #[arg(long, value_name = "FILE", requires = "model", conflicts_with = "server")]
    pub prompt_file: Option<PathBuf>,
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

/// `sluice approvals`
#[derive(Subcommand)]
pub enum Approvals {
    /// What waits, oldest first.
    List(ListServed),
    /// All that a person would sign.
    Show(ShowApproval),
    /// Sign that it may be done.
    Approve(Decide),
    /// Sign that it may not.
    Deny(Decide),
    /// Take back what you said, as long as nothing has used it.
    Withdraw(Decide),
    /// Let one held step pass at once, without those who would have had to approve. Two of them are told.
    BreakGlass(BreakGlass),
    /// What passed so and nobody has reviewed: as long as there is something, nobody breaks the glass again.
    Reviews(List),
    /// Close such a review.
    Review(Review),
    /// Let somebody else speak in your place, until a date.
    Delegate(Delegate),
    /// Who speaks in whose place now.
    Delegations(List),
    /// Take a delegation back.
    Undelegate(Undelegate),
}

/// `sluice approvals show`
#[derive(Args)]
pub struct ShowApproval {
    /// As `sluice approvals list` names it.
    pub id: String,
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

/// `sluice approvals approve` and `deny`
#[derive(Args)]
pub struct Decide {
    /// As `sluice approvals list` names it.
    pub id: String,
    /// Who signs.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "server")]
    pub person: Option<String>,
    /// Their key file. With `--server` it can be left out: then the page is named where a passkey says it.
    #[arg(long, value_name = "FILE", required_unless_present = "server", requires = "person")]
    pub key: Option<PathBuf>,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Or where it is served.
    #[command(flatten)]
    pub server: Server,
}
