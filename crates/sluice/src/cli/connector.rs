//! What can be typed after `sluice connector` and `sluice secret`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, List, Place};

/// `sluice connector`
#[derive(Subcommand)]
pub enum Connector {
    /// Every action that a contract declares.
    List(List),
    /// Draft a contract from what a server or a description says of itself.
    #[command(subcommand)]
    Add(AddConnector),
    /// What a server says of its tools now, beside what was pinned; exit code 1 if something differs.
    Diff(DiffConnector),
    /// Take what a server says of its tools now into `sluice.lock`; the bundle must be signed anew.
    Pin(PinConnector),
    /// What is too wide, unpinned, unsigned or unused; exit code 1 if something should be mended.
    Audit(List),
    /// What the contracts call and are made of, as CycloneDX 1.6.
    Sbom(Place),
}

/// `sluice connector add`
#[derive(Subcommand)]
pub enum AddConnector {
    /// Of a server of the Model Context Protocol: it is started without any secret that is not named here, and asked for its tools.
    Mcp(AddMcp),
    /// Of an HTTP service, from its OpenAPI description (3.0 or 3.1).
    Openapi(AddOpenapi),
}

/// `sluice connector add openapi`
#[derive(Args)]
pub struct AddOpenapi {
    /// The connector's name in contracts and entries.
    pub name: String,
    /// The description, YAML or JSON.
    pub file: PathBuf,
    /// Where the service is, if its description does not say it, or says something else.
    #[arg(long, value_name = "URL")]
    pub base: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice connector add mcp`
#[derive(Args)]
pub struct AddMcp {
    /// The connector's name in contracts and entries.
    pub name: String,
    /// A variable of its environment and the secret of the store that fills it; may be said more than once.
    #[arg(long = "secret", value_name = "VARIABLE=NAME")]
    pub secrets: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The server's endpoint, if it is not started but reached by streamable HTTP.
    #[arg(long, value_name = "URL", conflicts_with = "secrets")]
    pub url: Option<String>,
    /// The URL leads to this machine or network on purpose.
    #[arg(long, requires = "url")]
    pub allow_private: bool,
    /// A header that each request to the URL shows, and the secret of the store that it holds; may be said more than once.
    #[arg(long = "header", value_name = "HEADER=NAME", requires = "url")]
    pub headers: Vec<String>,
    /// The server that is started, and what it is given.
    #[arg(last = true, required_unless_present = "url", conflicts_with = "url", value_name = "CMD")]
    pub command: Vec<std::ffi::OsString>,
}

/// `sluice connector diff`
#[derive(Args)]
pub struct DiffConnector {
    /// The connector.
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice connector pin`
#[derive(Args)]
pub struct PinConnector {
    /// The connector.
    pub name: String,
    /// Only these tools; one that is withheld for what it says is taken only if it is named here.
    #[arg(value_name = "TOOL")]
    pub tools: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice secret`
#[derive(Subcommand)]
pub enum Secret {
    /// Keep a secret; its value is read from the standard input.
    Set(SetSecret),
    /// The names of those that are kept.
    List(List),
}

/// `sluice secret set`
#[derive(Args)]
pub struct SetSecret {
    /// Its name, as contracts use it.
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
