//! Several servers behind one gateway, which an agent sees as one.
//!
//! Their tools and prompts are called `<connector>__<name>` outside, their resources `<connector>+<uri>`. Names, URIs and the
//! ids of servers' own questions are spliced into the bytes as they came; nothing else changes. Which server said what is told
//! to the proxy beside the pipe. A server that ends, hangs or lists nonsense takes nothing from the others.

mod asking;
mod gather;
mod inward;
mod names;
mod outward;
mod pipes;
mod router;
pub(crate) mod said;
mod splice;

use std::ffi::OsString;

use sluice_connectors::mcp::{Program, Server};
use sluice_connectors::secret::SecretStore;
use sluice_core::label::Name;
use tokio::io::{AsyncBufRead, AsyncWrite, BufReader, duplex, split};

use crate::confined::watch;
use crate::proxy::{self, ProxyError, Terms};
pub use names::{Names, NamesError};

/// Bytes between the proxy and the servers that are under way at once.
const BUFFER_BYTES: usize = 1 << 16;

/// One of several servers that run already.
pub struct Upstream {
    /// Its name in contracts, entries and outside names.
    pub connector: Name,
    /// How it was started, or else what leads to it: what a drafted contract says of it.
    pub command: Vec<OsString>,
    /// What it says.
    pub from: Box<dyn AsyncBufRead + Unpin>,
    /// What it is told.
    pub to: Box<dyn AsyncWrite + Unpin>,
}

/// Starts all of them, and runs until they or the agent leave.
///
/// # Errors
/// [`ProxyError`]; none of them runs on if one cannot be started.
pub async fn run(
    terms: Terms<'_>,
    programs: Vec<(Name, Program)>,
    secrets: &SecretStore,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    let names = Names::of(programs.iter().map(|(connector, _)| connector.clone()))?;
    let (mut upstreams, mut running, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
    for (connector, program) in programs {
        let (to, from, mut child) = Server::start(&program, secrets)?.split();
        attempts.extend(child.attempts().map(|attempts| (connector.clone(), attempts)));
        running.push(child);
        upstreams.push(Upstream { connector, command: program.command, from: Box::new(from), to: Box::new(to) });
    }
    let ended = tokio::select! {
        ended = stand_between(terms, names, agent, upstreams) => ended,
        never = watch(attempts) => match never {},
    };
    futures_util::future::join_all(running.into_iter().map(sluice_connectors::mcp::Running::leave)).await;
    ended
}

/// Stands between an agent and servers that run already, until they or the agent leave.
///
/// # Errors
/// [`ProxyError`].
pub async fn between(
    terms: Terms<'_>,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    upstreams: Vec<Upstream>,
) -> Result<(), ProxyError> {
    let names = Names::of(upstreams.iter().map(|upstream| upstream.connector.clone()))?;
    stand_between(terms, names, agent, upstreams).await
}

async fn stand_between(
    terms: Terms<'_>,
    names: Names,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    upstreams: Vec<Upstream>,
) -> Result<(), ProxyError> {
    let (ours, theirs) = duplex(BUFFER_BYTES);
    let (from_servers, to_servers) = split(ours);
    let saying = said::Lines::default();
    let servers = upstreams.iter().map(|upstream| (upstream.connector.clone(), upstream.command.clone())).collect();
    let behind = proxy::Behind { servers, names: Some(names.clone()), saying: said::Saying::Several(saying.clone()) };
    let pair = (BufReader::new(from_servers), to_servers);
    let mut proxy = std::pin::pin!(proxy::stand_between(terms, behind, agent, pair));
    let (from_agent, to_agent) = split(theirs);
    let pipes = pipes::run(names, saying, (BufReader::new(from_agent), to_agent), upstreams);
    tokio::select! {
        ended = &mut proxy => return ended,
        // The pipe is closed, as that of a server that leaves.
        () = pipes => {}
    }
    proxy.await
}
