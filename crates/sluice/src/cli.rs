//! What can be typed. What it does is in the command's own file.

mod policy;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sluice_core::diagnostic::{Code, Confidence, Severity};

use crate::demo;
pub use policy::{
    AddPack, DiffPolicies, ExplainPolicy, ListSigners, ProposeSigners, SignSigners, SignersCommand, TestPolicies,
};

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
    /// Stop calls at once: of everything, a connector, one action, or in somebody's name.
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

/// `sluice import`
#[derive(Args)]
pub struct Import {
    /// The workflow of another engine.
    pub file: PathBuf,
    /// Write the definition into this new file, and contracts of what it calls into `connectors/` of the workspace that it
    /// lies in, or beside it; else the definition is shown and nothing is written.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Of a workflow with several starts: the one that is meant.
    #[arg(long, value_name = "NAME")]
    pub start: Option<String>,
    /// Write it also where steps have no equivalent; such a definition is refused until each of them is replaced.
    #[arg(long)]
    pub partial: bool,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice draw`
#[derive(Args)]
pub struct Draw {
    /// The workflow.
    pub file: PathBuf,
    /// Where the rules are.
    #[command(flatten)]
    pub place: Place,
    /// As what.
    #[arg(long, value_enum, default_value_t)]
    pub format: DrawFormat,
    /// Whose colours.
    #[arg(long, value_enum, default_value_t)]
    pub theme: DrawTheme,
    /// Into this file instead of the standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// As what a workflow is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DrawFormat {
    /// A picture that scales.
    #[default]
    Svg,
}

/// Whose colours a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DrawTheme {
    /// As the reader's system asks.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

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
}

/// `sluice stop`
#[derive(Args)]
pub struct Stop {
    /// What.
    #[command(flatten)]
    pub what: What,
    /// Who says so.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice go-on`
#[derive(Args)]
pub struct GoOn {
    /// What.
    #[command(flatten)]
    pub what: What,
    /// Who says so.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file: to stop is anybody's right, to let go on is not.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice serve`
#[derive(Args)]
pub struct Serve {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Where it listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7080")]
    pub listen: std::net::SocketAddr,
    /// The address under which people reach it, as their browsers write it: passkeys are for it alone. Without one, it is
    /// `http://localhost:PORT`, for people at this machine.
    #[arg(long, value_name = "ORIGIN")]
    pub origin: Option<String>,
    /// The identity provider at which people log in; whom its names mean is in the register (`identities`).
    #[arg(long, value_name = "URL", requires = "client_id")]
    pub issuer: Option<String>,
    /// What the provider calls this console.
    #[arg(long, value_name = "ID", requires = "issuer")]
    pub client_id: Option<String>,
    /// Holds what the console shows the provider, if it is given something.
    #[arg(long, value_name = "FILE", requires = "issuer")]
    pub client_secret_file: Option<PathBuf>,
    /// Tell this address, as JSON, what waits for whom; a service of yours passes it on as mail or chat.
    #[arg(long, value_name = "URL")]
    pub notify: Option<String>,
    /// Holds what that address is shown as a bearer's token.
    #[arg(long, value_name = "FILE", requires = "notify")]
    pub notify_secret_file: Option<PathBuf>,
    /// After how many hours people are reminded.
    #[arg(long, value_name = "HOURS", default_value = "24", requires = "notify", value_parser = clap::value_parser!(u16).range(1..=720))]
    pub remind: u16,
    /// Print a one-time link by which this person makes a passkey. At the first start it is for the first of those who sign the rules.
    #[arg(long, value_name = "PERSON")]
    pub invite: Option<String>,
    /// How many requests a minute the API answers each principal.
    #[arg(long, value_name = "N", default_value_t = sluice_api::rest::pace::PER_MINUTE, value_parser = clap::value_parser!(u32).range(1..))]
    pub per_minute: u32,
}

/// `sluice token`
#[derive(Subcommand)]
pub enum ApiToken {
    /// Give one out. It is shown once.
    Add(AddApiToken),
    /// Which there are.
    List(List),
    /// Take one back.
    Revoke(RevokeToken),
}

/// `sluice token add`
#[derive(Args)]
pub struct AddApiToken {
    /// The program that it is for.
    pub name: String,
    /// In whose name it calls: a person, service or model of the register.
    #[arg(long = "for", value_name = "PRINCIPAL")]
    pub principal: String,
    /// What it is good for: `read`, `propose`, `run`, `approve`, `stop`, `evaluate`; may be said more than once.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub scopes: Vec<String>,
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

/// `sluice gateway token revoke`
#[derive(Args)]
pub struct RevokeToken {
    /// As it was given out.
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
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

/// `sluice explain`
#[derive(Args)]
pub struct Explain {
    /// A code such as SL203, its name, or the id of a policy.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// Whose policies.
    #[command(flatten)]
    pub place: Place,
}

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

/// `sluice template`
#[derive(Subcommand)]
pub enum Templates {
    /// Templates that were proposed, and whether they may be filled.
    List(List),
    /// What each hole takes, and who may fill it.
    Show(ShowTemplate),
    /// Fill a template that was proposed, and run it.
    Run(Fill),
}

/// `sluice template show`
#[derive(Args)]
pub struct ShowTemplate {
    /// A file, or the id of one that was proposed (`P-…`).
    pub template: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice template run`
#[derive(Args)]
pub struct Fill {
    /// As `sluice template list` names it: `P-…`. It runs on behalf of whoever it was proposed for.
    pub template: String,
    /// The value of one hole.
    #[arg(long, value_name = "HOLE=VALUE")]
    pub set: Vec<String>,
    /// Values as a JSON object.
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
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

/// `sluice run`
#[derive(Args)]
pub struct Run {
    /// The definition.
    pub file: PathBuf,
    /// Its input as JSON; else `{}`.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// On whose behalf; else the one signer of a solo workspace.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub requester: Option<String>,
    /// Who wrote it.
    #[command(flatten)]
    pub author: Author,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice resume`
#[derive(Args)]
pub struct Resume {
    /// The run, or the beginning of its id.
    pub run: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice runs`
#[derive(Subcommand)]
pub enum Runs {
    /// Every run, newest first.
    List(List),
    /// How one stands.
    Show(Resume),
    /// Say what became of a call in doubt, and go on.
    Resolve(Resolve),
}

/// `sluice runs resolve`
#[derive(Args)]
pub struct Resolve {
    /// The run, or the beginning of its id.
    pub run: String,
    /// Which call, if several are in doubt: `D-…`.
    #[arg(long, value_name = "ID")]
    pub call: Option<String>,
    /// What was found.
    #[command(flatten)]
    pub found: Found,
    /// Who found it; else the one signer of a solo workspace.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What a person found about a call in doubt.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Found {
    /// It happened; the file holds its reply as JSON.
    #[arg(long, value_name = "FILE")]
    pub happened: Option<PathBuf>,
    /// It did not happen: do it now, under the same key.
    #[arg(long)]
    pub repeat: bool,
    /// It did not happen and shall not: the workflow sees a failed call.
    #[arg(long)]
    pub abandon: bool,
}

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

/// `sluice policy`
#[derive(Subcommand)]
pub enum Policy {
    /// Read all rules as they are on the disk, signed or not.
    Check(List),
    /// Ask the policies the questions of their tests.
    Test(TestPolicies),
    /// Say what the policies do in words, or why a question is answered as it is.
    Explain(Box<ExplainPolicy>),
    /// Say what changed in the rules, what of it allows more, and which recorded decisions would be others.
    Diff(DiffPolicies),
    /// Policies to take over, each pack with its tests.
    Packs,
    /// Write a pack of policies into the workspace.
    Add(AddPack),
    /// Sign the rules as they are on the disk.
    Sign(Sign),
    /// Who may sign the rules: list, propose others, agree.
    #[command(subcommand)]
    Signers(SignersCommand),
    /// Ask other policies about the decisions that were recorded: which would be others.
    Replay(Replay),
}

/// `sluice policy replay`
#[derive(Args)]
pub struct Replay {
    /// The folder of a workspace with the other policies; else those of this one as they are on the disk, signed or not.
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Only decisions of this long ago or less: `30d`, `12h`, `15m`.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub since: Option<Span>,
    /// Whose ledger.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A span of time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub u64);

fn span(text: &str) -> Result<Span, String> {
    const UNITS: [(char, u64); 3] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000)];
    let read = UNITS.into_iter().find_map(|(unit, ms)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(ms));
    read.map(Span).ok_or_else(|| "write a number of days, hours or minutes: `30d`, `12h`, `15m`".to_owned())
}

/// `sluice policy sign`
#[derive(Args)]
pub struct Sign {
    /// Who signs.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
