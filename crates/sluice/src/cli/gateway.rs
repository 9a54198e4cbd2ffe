//! What can be typed after `sluice gateway`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, List, Place, RevokeToken};

/// `sluice gateway`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Gateway {
    /// Another face than standard input and output.
    #[command(subcommand)]
    pub face: Option<Face>,
    /// A server of the Model Context Protocol.
    #[command(flatten)]
    pub stdio: Stdio,
}

/// Other faces of the gateway.
#[derive(Subcommand)]
pub enum Face {
    /// For engines that speak HTTP: they call `/<connector>/<path>` with a token of ours.
    Http(HttpFace),
    /// The tokens of those engines: add, list, revoke.
    #[command(subcommand)]
    Token(Token),
}

/// `sluice gateway http`
#[derive(Args)]
pub struct HttpFace {
    /// Where the rules and the ledger are.
    #[command(flatten)]
    pub place: Place,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8642")]
    pub listen: std::net::SocketAddr,
    /// An identity provider whose access tokens count beside our own; its address as its tokens have it in `iss`.
    #[arg(long, value_name = "URL", requires = "resource")]
    pub issuer: Option<String>,
    /// The address by which clients know this gateway: access tokens must be given out for it.
    #[arg(long, value_name = "URL", requires = "issuer", value_parser = console)]
    pub resource: Option<String>,
    /// A name by which agents call it, beside addresses and `localhost`; may be said more than once.
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// The address of a console where people decide: held calls of agents are told with a link to it.
    #[arg(long, value_name = "URL", value_parser = console)]
    pub console: Option<String>,
}

/// `sluice gateway token`
#[derive(Subcommand)]
pub enum Token {
    /// Give one out. It is shown once.
    Add(AddToken),
    /// Which there are.
    List(List),
    /// Take one back.
    Revoke(RevokeToken),
}

/// `sluice gateway token add`
#[derive(Args)]
pub struct AddToken {
    /// The workflow or agent that it is for.
    pub name: String,
    /// In whose name it calls; else the one signer of a solo workspace.
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// What it may call; everything if it is not said.
    #[arg(long, value_name = "CONNECTOR")]
    pub connector: Vec<String>,
    /// For how many days.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub days: u64,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice gateway -- CMD`
#[derive(Args)]
pub struct Stdio {
    /// Where the rules and the ledger are.
    #[command(flatten)]
    pub place: Place,
    /// The user's own request: a file of text that is trusted.
    #[arg(long, value_name = "FILE")]
    pub request: Option<PathBuf>,
    /// In whose name the agent calls; else the one signer of a solo workspace.
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// The address of a console where people decide: held calls are told with a link to it.
    #[arg(long, value_name = "URL", value_parser = console)]
    pub console: Option<String>,
    /// The connector that the server is in contracts and entries; else the one whose contract has this command. Without a
    /// command, the server that the connector's contract starts; several of them stand behind one gateway.
    #[arg(long, value_name = "NAME")]
    pub connector: Vec<String>,
    /// The server's endpoint, if it is not started but reached by streamable HTTP.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The URL leads to this machine or network on purpose.
    #[arg(long, requires = "url")]
    pub allow_private: bool,
    /// The server that is started, and what it is given.
    #[arg(
        last = true,
        required_unless_present_any = ["connector", "url"],
        conflicts_with = "url",
        value_name = "CMD"
    )]
    pub command: Vec<std::ffi::OsString>,
}

/// An address on the web, which agents and their hosts are shown.
fn console(text: &str) -> Result<String, String> {
    let is_address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && !rest.contains(['?', '#'])
    });
    if is_address && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("give the address of the console, as `https://sluice.example/`".to_owned())
    }
}
