//! What can be typed after `sluice stop` and `sluice go-on`.

use std::path::PathBuf;

use clap::Args;

use super::{Place, Server};

/// What is stopped, or goes on.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// Every call of this workspace.
    #[arg(long)]
    pub everything: bool,
    /// Calls of a connector.
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// Calls of one action: `connector.action`.
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Calls in the name of a person or service, by agents too.
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// Runs of a workflow: `namespace/name`.
    #[arg(long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// Runs of whatever a person or model wrote.
    #[arg(long, value_name = "PERSON|MODEL")]
    pub author: Option<String>,
}

/// `sluice stop`
#[derive(Args)]
pub struct Stop {
    /// What.
    #[command(flatten)]
    pub what: What,
    /// Who says so.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "server")]
    pub person: Option<String>,
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

/// `sluice go-on`
#[derive(Args)]
pub struct GoOn {
    /// What.
    #[command(flatten)]
    pub what: What,
    /// Who says so.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "server")]
    pub person: Option<String>,
    /// Their key file: to stop is anybody's right, to let go on is not.
    #[arg(long, value_name = "FILE", required_unless_present = "server")]
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
