//! What can be typed: what all commands have here, each group in a file of its own. What a command does is in the command's own file.

mod approvals;
mod audit;
mod check;
mod connector;
mod decide;
mod definitions;
mod gateway;
mod policy;
mod runs;
mod serve;
mod stop;
mod templates;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::demo;
pub use approvals::{Approvals, Decide, Propose, ShowApproval};
pub use audit::{Audit, Log, Prove, VerifyLedger, Wanted};
pub use check::{Check, CheckFormat, Filters};
pub use connector::{AddConnector, AddMcp, AddOpenapi, Connector, DiffConnector, PinConnector, Secret, SetSecret};
pub use decide::{BreakGlass, Delegate, Review, Undelegate, Until};
pub use definitions::{Draw, DrawFormat, DrawTheme, Explain, Import};
pub use gateway::{AddToken, Face, Gateway, HttpFace, Stdio, Token};
pub use policy::{
    AddPack, DiffPolicies, ExplainPolicy, ListSigners, Policy, ProposeSigners, Replay, Sign, SignSigners,
    SignersCommand, Span, TestPolicies,
};
pub use runs::{CancelRun, Found, Resolve, Resume, Run, Runs, ShowRun};
pub use serve::{AddApiToken, ApiToken, Serve};
pub use stop::{GoOn, Stop, What};
pub use templates::{Fill, ShowTemplate, Templates};

/// Makes workflows that an AI wrote safe to run.
#[derive(Parser)]
#[command(
    name = "sluice",
    version,
    after_help = "Exit codes: 0 fine, 1 findings, 2 usage, 3 internal; of runs 4 held, 5 refused, 6 faulted."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Subcommand)]
pub enum Command {
    /// Make a workspace with commented safe defaults, and a key for you.
    Init(Init),
    /// Say what workflows could do, without running anything.
    Check(Check),
    /// Write the native definition of a workflow of another engine, and say what has no equivalent.
    Import(Import),
    /// Draw a workflow: its steps, what they carry, where something was found.
    Draw(Draw),
    /// Say what a code means and what to do about it.
    Explain(Explain),
    /// Put a definition before the people who must sign it.
    Propose(Propose),
    /// Definitions with typed holes, signed once and filled often: list, show, run.
    #[command(subcommand)]
    Template(Templates),
    /// What waits for people: list, show, approve, deny.
    #[command(subcommand)]
    Approvals(Approvals),
    /// Verify a definition and run it through its gates.
    Run(Run),
    /// Go on with a run that was held or cut off.
    Resume(Resume),
    /// Runs of this workspace: list, show, resolve.
    #[command(subcommand)]
    Runs(Runs),
    /// Read the ledger, and check that nobody touched it.
    #[command(subcommand)]
    Audit(Audit),
    /// What workflows of this workspace can call.
    #[command(subcommand)]
    Connector(Connector),
    /// Stand between an agent and a server of the Model Context Protocol: every call of a tool is gated.
    Gateway(Gateway),
    /// Stop calls at once: of everything, a connector, one action, a workflow, an author's workflows, or in somebody's name.
    Stop(Stop),
    /// Let what was stopped go on.
    GoOn(GoOn),
    /// Secrets that connectors use: set, list.
    #[command(subcommand)]
    Secret(Secret),
    /// The rules of this workspace: check, test, explain, compare, sign.
    #[command(subcommand)]
    Policy(Policy),
    /// Serve the console where people see and decide what waits, the API beside it, and go on with runs as they do.
    Serve(Serve),
    /// How a workspace stands: its log, what waits, its runs.
    Health(ListServed),
    /// Tokens of programs that call the API of `sluice serve`: add, list, revoke.
    #[command(subcommand)]
    Token(ApiToken),
    /// Watch two stories play on this machine alone: with Sluice, and without.
    Demo(demo::play::Arguments),
    /// Go on with a run of the demo, in a process that the demo kills.
    #[command(hide = true)]
    DemoResume(demo::crash::Arguments),
    /// Start the demo's local services, print their addresses, stop on Ctrl-C.
    #[command(hide = true)]
    DemoServices(demo::serve::Arguments),
    /// Run a confined server, and hand its connections on to the way out of its sandbox.
    #[command(hide = true)]
    Inside(Inside),
}

/// `sluice inside`
#[derive(Args)]
pub struct Inside {
    /// The socket that leads out.
    #[arg(long, value_name = "SOCKET")]
    pub way_out: PathBuf,
    /// The server, and what it is given.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<std::ffi::OsString>,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The workspace that a command is about.
#[derive(Args, Clone, Debug, Default)]
pub struct Place {
    /// The workspace's folder; else the nearest one upwards.
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

/// A Sluice that is served elsewhere, in place of a folder.
#[derive(Args, Clone, Debug, Default)]
pub struct Server {
    /// The address of a served Sluice, as people type it: the command asks its API instead of a folder.
    #[arg(long, value_name = "URL", conflicts_with = "workspace")]
    pub server: Option<String>,
    /// Holds the token that it is shown; else `SLUICE_TOKEN` does.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub token_file: Option<PathBuf>,
}

/// Who wrote a definition; without it, nobody said.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub struct Author {
    /// The person who wrote it.
    #[arg(long, value_name = "PERSON")]
    pub author: Option<String>,
    /// The model that wrote it.
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
}

/// `sluice init`
#[derive(Args)]
pub struct Init {
    /// Where; made if it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// The workspace's name in reports and in the ledger; else the folder's.
    #[arg(long)]
    pub name: Option<String>,
    /// You, as the workspace knows you.
    #[arg(long = "as", value_name = "PERSON", default_value = "you")]
    pub person: String,
    /// What a service, database or server says of itself, to draft a contract from: an OpenAPI description, a schema (`CREATE
    /// TABLE`), or a list of tools (JSON of `tools/list`).
    #[arg(long, value_name = "FILE")]
    pub from: Vec<PathBuf>,
}

/// `sluice gateway token revoke`
#[derive(Args)]
pub struct RevokeToken {
    /// As it was given out.
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// A list of a workspace, here or served.
#[derive(Args)]
pub struct ListServed {
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

/// A list of the workspace.
#[derive(Args)]
pub struct List {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
