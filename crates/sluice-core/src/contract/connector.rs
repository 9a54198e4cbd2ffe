//! A connector's contract as it is written: what each operation reads, reveals, changes, trusts and needs.
//!
//! The contract is data and is believed: it counts only from the signed bundle. [`crate::contract::resolve`]
//! turns it into labels; the connectors read from it how to make the call. The reference page is
//! `docs/contracts.md`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Argument, CallLimits, Idempotency, Pattern, ReplyRule};
use crate::contract::digest::Digest;
use crate::contract::read::Located;
use crate::contract::sandbox::Sandbox;
use crate::gate::Effect;
use crate::label::Name;
use crate::text::Span;
use crate::ticket::Ticket;

/// A connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// Path inside the workspace.
    pub file: Name,
    /// The digest of the file's bytes: one element of the closure digest.
    pub digest: Digest,
    /// Its name.
    pub connector: Located<Name>,
    /// How it is reached.
    pub transport: Transport,
    /// What it authenticates with.
    pub credential: Option<Credential>,
    /// Where its data lies.
    pub region: Option<Located<Name>>,
    /// Who owns its datasets and the rules that its outputs carry.
    pub owner: Option<Located<Name>>,
    /// Its operations, by name.
    pub actions: BTreeMap<Name, ActionContract>,
}

/// How a connector is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// An HTTP service.
    Http(HttpTransport),
    /// A database with the statements of the contract.
    Sql {
        /// Its name in the workspace's own configuration; never a path or URL from a definition.
        database: Name,
    },
    /// Files in one folder.
    Files {
        /// The folder, relative to the workspace.
        folder: Name,
        /// What the files hold.
        format: FileFormat,
    },
    /// A model behind an HTTP service: replies carry the whole prompt and the origin `model:<name>`.
    Model {
        /// The model's name, the connector's if none is given.
        name: Name,
        /// Where it answers.
        http: HttpTransport,
    },
    /// A server of the Model Context Protocol, whose tools agents call through the gateway.
    Mcp(McpTransport),
}

/// A server of the Model Context Protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum McpTransport {
    /// A program.
    Command {
        /// The program that is started, and what it is given.
        command: Vec<Name>,
        /// What its environment holds beside the search path: nothing else of the gateway's own reaches it.
        environment: BTreeMap<Name, Variable>,
        /// What it may reach; everything that the gateway may if there is none.
        sandbox: Option<Sandbox>,
    },
    /// A service that speaks streamable HTTP.
    Url {
        /// Where it answers: its endpoint.
        http: HttpTransport,
        /// What each request shows.
        headers: BTreeMap<Name, Shown>,
    },
}

/// What a header of a request to a server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// This very text.
    Text(Name),
    /// A secret of the sealed store, by its name there.
    Secret(Name),
}

/// What a variable of a server's environment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// This very text.
    Text(Name),
    /// A secret of the sealed store, by its name there.
    Secret(Name),
    /// What it holds in the gateway's own environment.
    Inherited,
}

impl Transport {
    /// The HTTP service behind it, if there is one.
    #[must_use]
    pub const fn http(&self) -> Option<&HttpTransport> {
        match self {
            Self::Http(http) | Self::Model { http, .. } => Some(http),
            Self::Sql { .. } | Self::Files { .. } | Self::Mcp(_) => None,
        }
    }
}

/// An HTTP service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTransport {
    /// `https://host[:port][/path]`, no trailing slash.
    pub base: Located<Name>,
    /// SHA-256 of the server's public key (SPKI), if pinned.
    pub pin: Option<Digest>,
    /// Whether private and loopback addresses are meant; metadata addresses are refused all the same.
    pub allow_private: bool,
}

/// What a folder's files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON value per line.
    JsonLines,
}

/// What a connector authenticates with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Name in the secret store. Never the secret.
    pub secret: Located<Name>,
    /// What the credential is good for.
    pub scopes: BTreeSet<Name>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionContract {
    /// What it does to the world.
    pub effect: Effect,
    /// Whether it hands out rights or runs code.
    pub privileged: bool,
    /// How it is called.
    pub request: Option<Located<Request>>,
    /// How a repeated call behaves.
    pub idempotency: Located<Idempotency>,
    /// By name.
    pub arguments: BTreeMap<Name, Located<Argument>>,
    /// What comes back.
    pub output: Output,
    /// Where data goes.
    pub destination: Option<DestinationRule>,
    /// Bounds.
    pub limits: CallLimits,
    /// How it shows a ticket to a gate that asks for one.
    pub ticket: Option<Located<Ticket>>,
    /// For people.
    pub description: Option<Name>,
    /// Where its name stands.
    pub span: Span,
}

/// How an operation is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// One HTTP request.
    Http(HttpRequest),
    /// One prepared statement; `:name` takes the argument of that name.
    Sql {
        /// The statement.
        statement: Name,
    },
    /// One operation on one file.
    Files {
        /// Its name; `{argument}` stands for a whole argument.
        file: Name,
        /// What is done.
        operation: FileOperation,
    },
    /// One tool of a server.
    Tool {
        /// Its name there.
        name: Name,
    },
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Upper case.
    pub method: Name,
    /// A template: `/accounts/{id}`.
    pub path: Name,
    /// Where every argument goes. Complete: the defaults are filled in.
    pub placement: BTreeMap<Name, Placement>,
}

/// Where an argument goes in an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placement {
    /// Into the path template.
    Path,
    /// As a query parameter of its name; a list joined with commas.
    Query,
    /// As a field of the JSON body.
    Body,
    /// As the whole JSON body.
    WholeBody,
    /// As this header.
    Header(Name),
}

/// What is done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// Reads all of it.
    Read(FileFormat),
    /// Adds records at its end.
    Append(RowLayout),
    /// Writes it anew.
    Replace(RowLayout),
}

/// How rows are written. Unlike [`FileFormat`] it says what a writer must know beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowLayout {
    /// Comma-separated values under these columns.
    Csv {
        /// In order; at least one, each once, none that a spreadsheet would run.
        columns: Vec<Name>,
        /// What becomes of a text that a spreadsheet would run as a formula.
        formulas: Formulas,
    },
    /// One JSON value per line.
    JsonLines,
}

/// What becomes of a text that a spreadsheet would run as a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// It gets a leading apostrophe, which spreadsheets show as plain text.
    Quote,
    /// It stays as it is, for files that only programs read.
    Keep,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it keeps of the arguments' labels.
    pub from: ReplyRule,
    /// Whether a part is the connector's own word (`trusted`) or an outsider's (`origin`).
    pub trust: Vec<(Pattern, Trust)>,
    /// The dataset that is read or changed.
    pub dataset: Option<Located<Name>>,
    /// Classes by path.
    pub labels: Vec<(Pattern, Vec<Located<Name>>)>,
    /// Whose data it is.
    pub subject: Option<Pattern>,
    /// Regions that the owner allows.
    pub regions: Option<Vec<Located<Name>>>,
    /// Purposes that the owner allows.
    pub purposes: Option<Vec<Located<Name>>>,
    /// What it means that inspection finds a class that `labels` does not name.
    pub undeclared: Undeclared,
}

/// What it means that a reply holds what its contract does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// The contract is broken, and the connector is stopped.
    #[default]
    Stops,
    /// Labels rise and nothing more: the contract does not claim to know what comes, as where outsiders write.
    Raises,
}

impl Default for Output {
    /// Nothing is vouched for: every label stays, everything is ⊤.
    fn default() -> Self {
        Self {
            from: ReplyRule::Merge,
            trust: Vec::new(),
            dataset: None,
            labels: Vec::new(),
            subject: None,
            regions: None,
            purposes: None,
            undeclared: Undeclared::Stops,
        }
    }
}

/// Whose words a part of a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The connector's own.
    Trusted,
    /// An outsider's, through the connector.
    Origin,
}

/// Where data goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationRule {
    /// Always this one of the register.
    Fixed(Located<Name>),
    /// The one that an argument names.
    Argument(Located<Name>),
}
