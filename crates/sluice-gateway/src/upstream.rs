//! What stands behind the gateway, and how it is reached.

use std::collections::BTreeMap;
use std::ffi::OsString;

use sluice_connectors::mcp::{Program, Server, StartError, Variable};
use sluice_connectors::secret::SecretStore;
use sluice_core::contract::Contract;
use sluice_core::contract::connector::{McpTransport, Transport, Variable as Named};
use tokio::io::{AsyncBufRead, AsyncWrite};

/// What a server says.
pub type FromServer = Box<dyn AsyncBufRead + Unpin>;
/// What a server is told.
pub type ToServer = Box<dyn AsyncWrite + Unpin>;

/// A server, before it is reached.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// A program that is started.
    Program(Program),
}

impl Upstream {
    /// The server of a contract; `None` if it is of none.
    #[must_use]
    pub fn of(contract: &Contract) -> Option<Self> {
        let Transport::Mcp(mcp) = &contract.transport else { return None };
        let command = mcp.command.iter().map(|word| OsString::from(word.as_ref())).collect();
        Some(Self::Program(Program { command, environment: environment(mcp) }))
    }

    /// The words of its command.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        let Self::Program(program) = self;
        program.command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }
}

/// Reaches a server, and stays with it until `work` is done with its pipes.
///
/// # Errors
/// [`StartError`] if it cannot be reached at all.
pub async fn with<T>(
    upstream: &Upstream,
    secrets: &SecretStore,
    work: impl AsyncFnOnce(FromServer, ToServer) -> T,
) -> Result<T, StartError> {
    let Upstream::Program(program) = upstream;
    let (to, from, running) = Server::start(program, secrets)?.split();
    let done = work(Box::new(from), Box::new(to)).await;
    running.leave().await;
    Ok(done)
}

/// What the contract names, and the search path: nothing else of the gateway's own.
fn environment(mcp: &McpTransport) -> BTreeMap<String, Variable> {
    let inherited = |name: &str| std::env::var_os(name).map(Variable::Plain);
    let mut environment: BTreeMap<String, Variable> = BTreeMap::new();
    environment.extend(inherited("PATH").map(|path| ("PATH".to_owned(), path)));
    for (name, variable) in &mcp.environment {
        let value = match variable {
            Named::Text(text) => Some(Variable::Plain(OsString::from(text.as_ref()))),
            Named::Inherited => inherited(name),
            Named::Secret(secret) => Some(Variable::Secret(secret.to_string())),
        };
        environment.extend(value.map(|value| (name.to_string(), value)));
    }
    environment
}
