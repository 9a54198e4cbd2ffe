//! What stands behind the gateway, and how it is reached.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use sluice_connectors::address::Host;
use sluice_connectors::canary::Canary;
use sluice_connectors::egress::EgressError;
use sluice_connectors::http::Base;
use sluice_connectors::mcp::{Program, Server, StartError, Variable};
use sluice_connectors::sandbox::Sandbox;
use sluice_connectors::secret::SecretStore;
use sluice_connectors::tls::CertificatePin;
use sluice_core::contract::connector::{McpTransport, Shown as Named, Transport, Variable as Held};
use sluice_core::contract::sandbox::HostPort;
use sluice_core::contract::{self, Contract};
use sluice_core::label::Name;
use tokio::io::{AsyncBufRead, AsyncWrite};

use crate::confined::Beside;
pub use crate::streamable::server::{Service, Shown};
use crate::{draft, streamable};

/// What a server says.
pub type FromServer = Box<dyn AsyncBufRead + Unpin>;
/// What a server is told.
pub type ToServer = Box<dyn AsyncWrite + Unpin>;

/// A server, before it is reached.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// A program that is started.
    Program(Program),
    /// A service that speaks streamable HTTP.
    Service(Box<Service>),
}

impl Upstream {
    /// The server of a contract; `None` if it is of none.
    #[must_use]
    pub fn of(contract: &Contract) -> Option<Self> {
        let Transport::Mcp(mcp) = &contract.transport else { return None };
        match mcp {
            McpTransport::Command { command, environment, sandbox } => {
                let command = command.iter().map(|word| OsString::from(word.as_ref())).collect();
                let sandbox = sandbox.as_ref().map(bounds_of);
                Some(Self::Program(Program { command, environment: environment_of(environment), sandbox }))
            }
            McpTransport::Url { http, headers } => {
                let shown = headers.iter().map(|(name, shown)| {
                    let shown = match shown {
                        Named::Text(text) => Shown::Text(text.to_string()),
                        Named::Secret(secret) => Shown::Secret(secret.to_string()),
                    };
                    (name.to_string(), shown)
                });
                let mut service = Self::service(&http.base.value, http.allow_private, shown.collect()).ok()?;
                service.pin = http.pin.map(|digest| CertificatePin(digest.0));
                Some(Self::Service(Box::new(service)))
            }
        }
    }

    /// A service at a URL.
    ///
    /// # Errors
    /// [`EgressError`] if the URL has another form than contracts give it.
    pub fn service(url: &str, allow_private: bool, headers: BTreeMap<String, Shown>) -> Result<Service, EgressError> {
        Ok(Service { url: url.to_owned(), base: Base::parse(url)?, allow_private, pin: None, headers })
    }

    /// The transport as a contract writes it.
    #[must_use]
    pub fn transport(&self) -> String {
        match self {
            Self::Program(program) => {
                let words: Vec<String> =
                    program.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
                let secrets = program.environment.iter().filter_map(|(name, value)| match value {
                    Variable::Secret(secret) => Some((name.clone(), secret.clone())),
                    Variable::Plain(_) => None,
                });
                draft::command(&words, &secrets.collect())
            }
            Self::Service(service) => draft::url(service),
        }
    }
}

/// Reaches a server, and stays with it until `work` is done with its pipes.
///
/// # Errors
/// [`StartError`] if it cannot be reached at all.
pub async fn with<T>(
    connector: &Name,
    upstream: &Upstream,
    secrets: &SecretStore,
    work: impl AsyncFnOnce(FromServer, ToServer, Beside) -> T,
) -> Result<T, StartError> {
    match upstream {
        Upstream::Program(program) => {
            let server = Server::start(program, secrets)?;
            let canary = server.canary();
            let (to, from, mut running) = server.split();
            let attempts = running.attempts().map(|attempts| (connector.clone(), attempts)).into_iter().collect();
            let done = work(Box::new(from), Box::new(to), Beside { canary, attempts, heads: None }).await;
            running.leave().await;
            Ok(done)
        }
        Upstream::Service(service) => {
            let beside = Beside { canary: canary(service, secrets)?, attempts: Vec::new(), heads: None };
            Ok(streamable::server::with(service, secrets, async |from, to| work(from, to, beside).await).await)
        }
    }
}

/// The secrets that requests to a service show.
pub(crate) fn canary(service: &Service, secrets: &SecretStore) -> Result<Canary, StartError> {
    let mut shown = Vec::new();
    for header in service.headers.values() {
        if let Shown::Secret(secret) = header {
            shown.push(secrets.open(secret)?);
        }
    }
    Ok(Canary::of(&shown))
}

/// The bounds that a contract sets. A host that is none is never connected to.
fn bounds_of(named: &contract::sandbox::Sandbox) -> Sandbox {
    let host = |named: &HostPort| Some((Host::parse(&named.host).ok()?, named.port));
    let paths = |paths: &[Name]| paths.iter().map(|path| PathBuf::from(path.as_ref())).collect();
    Sandbox {
        hosts: named.hosts.iter().filter_map(host).collect(),
        allow_private: named.allow_private,
        read: paths(&named.read),
        write: paths(&named.write),
    }
}

/// What the contract names, and the search path: nothing else of the gateway's own.
fn environment_of(named: &BTreeMap<Name, Held>) -> BTreeMap<String, Variable> {
    let inherited = |name: &str| std::env::var_os(name).map(Variable::Plain);
    let mut environment: BTreeMap<String, Variable> = BTreeMap::new();
    environment.extend(inherited("PATH").map(|path| ("PATH".to_owned(), path)));
    for (name, variable) in named {
        let value = match variable {
            Held::Text(text) => Some(Variable::Plain(OsString::from(text.as_ref()))),
            Held::Inherited => inherited(name),
            Held::Secret(secret) => Some(Variable::Secret(secret.to_string())),
        };
        environment.extend(value.map(|value| (name.to_string(), value)));
    }
    environment
}
