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
pub(crate) mod splice;

use futures_util::future::join_all;
use sluice_connectors::canary::Canary;
use sluice_connectors::mcp::{Running, Server};
use sluice_connectors::secret::SecretStore;
use sluice_core::label::Name;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _, BufReader, DuplexStream, duplex, split};

use crate::confined::Beside;
use crate::mirrored::Heads;
use crate::note::note;
use crate::proxy::{self, ProxyError, Terms};
use crate::{streamable, upstream};
pub use names::{Names, NamesError};

/// Bytes between the proxy and the servers that are under way at once.
const BUFFER_BYTES: usize = 1 << 16;

/// One of several servers that run already.
pub struct Upstream {
    /// Its name in contracts, entries and outside names.
    pub connector: Name,
    /// Its transport, as a drafted contract writes it.
    pub transport: String,
    /// What it says.
    pub from: Box<dyn AsyncBufRead + Unpin>,
    /// What it is told.
    pub to: Box<dyn AsyncWrite + Unpin>,
}

/// Reaches all of them, and runs until they or the agent leave.
///
/// # Errors
/// [`ProxyError`]; none of them runs on if one cannot be started.
pub async fn run(
    terms: Terms<'_>,
    servers: Vec<(Name, upstream::Upstream)>,
    secrets: &SecretStore,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    run_with(terms, servers, secrets, (Unstarted::Fails, None), agent).await
}

/// What becomes of the others if a server cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unstarted {
    /// None of them runs: whoever started the gateway is told.
    Fails,
    /// They go on without it: whoever calls could do nothing about it.
    IsLeftOut,
}

/// The same, perhaps without those that cannot be started, and where calls may have heads.
pub(crate) async fn run_with(
    terms: Terms<'_>,
    servers: Vec<(Name, upstream::Upstream)>,
    secrets: &SecretStore,
    (unstarted, heads): (Unstarted, Option<Heads>),
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    let names = Names::of(servers.iter().map(|(connector, _)| connector.clone()))?;
    let (mut upstreams, mut running, mut attempts, mut services) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut canary = Canary::default();
    for (connector, server) in servers {
        let transport = server.transport();
        match server {
            upstream::Upstream::Program(program) => {
                let server = match Server::start(&program, secrets) {
                    Ok(server) => server,
                    Err(error) if unstarted == Unstarted::IsLeftOut => {
                        note(&format!("`{connector}` is left out: {error}"));
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                canary = canary.and(&server.canary());
                let (to, from, mut child) = server.split();
                attempts.extend(child.attempts().map(|attempts| (connector.clone(), attempts)));
                running.push(child);
                upstreams.push(Upstream { connector, transport, from: Box::new(from), to: Box::new(to) });
            }
            upstream::Upstream::Service(service) => {
                canary = canary.and(&upstream::canary(&service, secrets)?);
                let (ours, theirs) = duplex(BUFFER_BYTES);
                let (from, to) = split(ours);
                upstreams.push(Upstream {
                    connector,
                    transport,
                    from: Box::new(BufReader::new(from)),
                    to: Box::new(to),
                });
                services.push(async move {
                    streamable::server::with(&service, secrets, async |from, to| carry(from, to, theirs).await).await;
                });
            }
        }
    }
    let names = if unstarted == Unstarted::Fails { names } else { Names::of(started(&upstreams))? };
    let between = stand_between(terms, names, Beside { canary, attempts, heads }, agent, upstreams);
    let (ended, _) = tokio::join!(between, join_all(services));
    join_all(running.into_iter().map(Running::leave)).await;
    ended
}

fn started(upstreams: &[Upstream]) -> impl Iterator<Item = Name> {
    upstreams.iter().map(|upstream| upstream.connector.clone())
}

/// Between a service and the pipe that stands for it, until one of them has nothing more to say.
async fn carry(mut from: upstream::FromServer, mut to: upstream::ToServer, pipe: DuplexStream) {
    let (mut told, mut says) = split(pipe);
    let inward = async {
        // Whoever breaks off has left, and its own side says so.
        let _ = tokio::io::copy(&mut told, &mut to).await;
        let _ = to.shutdown().await;
    };
    let outward = async {
        let _ = tokio::io::copy_buf(&mut from, &mut says).await;
        let _ = says.shutdown().await;
    };
    tokio::join!(inward, outward);
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
    stand_between(terms, names, Beside::default(), agent, upstreams).await
}

async fn stand_between(
    terms: Terms<'_>,
    names: Names,
    beside: Beside,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    upstreams: Vec<Upstream>,
) -> Result<(), ProxyError> {
    let (ours, theirs) = duplex(BUFFER_BYTES);
    let (from_servers, to_servers) = split(ours);
    let saying = said::Lines::default();
    let servers = upstreams.iter().map(|upstream| (upstream.connector.clone(), upstream.transport.clone())).collect();
    let saying_of = said::Saying::Several(saying.clone());
    let behind = proxy::Behind { servers, names: Some(names.clone()), saying: saying_of, beside };
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
