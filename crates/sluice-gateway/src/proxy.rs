//! One agent, one server, standard input and output: frames pass as without us, but for calls of tools.

mod agent;
mod call;
mod ladder;
mod listing;
mod offer;
mod offers;
mod server;
mod tasks;
mod words;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sluice_connectors::canary::Canary;
use sluice_connectors::mcp::StartError;
use sluice_connectors::secret::SecretStore;
use sluice_core::label::Name;
use sluice_runtime::drift::Drift;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::session::{AgentSession, Mandate, SessionError};
use sluice_runtime::workspace::Workspace;
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, Notify};

use crate::confined::Beside;
use crate::frame::Id;
use crate::mirrored::Heads;
use crate::note::note;
use crate::pending::Pending;
use crate::several::said::Saying;
use crate::several::{Names, NamesError};
use crate::upstream::{self, Upstream};
use ladder::Ladder;
use offers::Offers;
use tasks::Tasks;

/// How long a server may take to list its tools.
const LISTS_WITHIN: Duration = Duration::from_secs(30);
/// How long a server that did not list its tools in time may take from then on: calls must not queue up behind it.
const LISTS_AGAIN_WITHIN: Duration = Duration::from_secs(1);
/// How long a server may go on once its agent has left.
const SPEAKS_WITHIN: Duration = Duration::from_secs(2);
/// Most pages of a list of tools.
const PAGES_MAX: usize = 100;
/// Messages of an agent that are read ahead. Further ones stay in its pipe.
const QUEUED_MAX: usize = 64;

/// JSON-RPC's own codes.
const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
const METHOD_NOT_FOUND: i64 = -32_601;
const INVALID_PARAMS: i64 = -32_602;
const SERVER_ERROR: i64 = -32_000;
/// The protocol's code for a head that says something else than its body.
const HEADER_MISMATCH: i64 = -32_020;

pub(crate) const UNREADABLE: &str = "SL907: the answer of the server cannot be read";
pub(crate) const ENDED: &str = "SL908: the server ended before it answered";
const REPEATS_A_SECRET: &str = "SL939: the answer of the server repeats a secret, and is withheld";

/// What stands on both sides of the gateway.
pub struct Setup<'a> {
    /// Whose rules hold.
    pub workspace: &'a Workspace,
    /// Where entries go.
    pub ledger: &'a Ledger,
    /// The name of the server in contracts and entries.
    pub connector: Name,
    /// The server.
    pub upstream: Upstream,
    /// For whom the agent works.
    pub mandate: Mandate,
    /// The address of a console where people decide about held calls, if there is one.
    pub console: Option<String>,
}

/// Under whose rules an agent works, and for whom.
pub struct Terms<'a> {
    /// Whose rules hold.
    pub workspace: &'a Workspace,
    /// Where entries go.
    pub ledger: &'a Ledger,
    /// For whom the agent works.
    pub mandate: Mandate,
    /// The address of a console where people decide about held calls, if there is one.
    pub console: Option<String>,
}

/// What stands behind the gateway.
pub(crate) struct Behind {
    /// The servers: their names, and the transport of each as a contract writes it.
    pub(crate) servers: Vec<(Name, String)>,
    /// What their names are outside, if there are several.
    pub(crate) names: Option<Names>,
    /// Who said what.
    pub(crate) saying: Saying,
    /// What else is known of them.
    pub(crate) beside: Beside,
}

/// Why the gateway ended.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// SL916. The servers cannot be told apart.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// The server.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A pipe.
    #[error("SL903: the pipe to the agent broke: {0}")]
    Pipe(#[from] std::io::Error),
    /// The session cannot go on: without a ledger nothing passes.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Starts the server, and runs until it or the agent leaves.
///
/// # Errors
/// [`ProxyError`].
pub async fn run(
    setup: Setup<'_>,
    secrets: &SecretStore,
    from_agent: impl AsyncBufRead + Unpin,
    to_agent: impl AsyncWrite + Unpin,
) -> Result<(), ProxyError> {
    let (connector, server) = (setup.connector.clone(), setup.upstream.clone());
    upstream::with(&connector, &server, secrets, async |from, to, beside| {
        guarded(setup, beside, (from_agent, to_agent), (from, to)).await
    })
    .await?
}

/// Stands between an agent and a server that runs already, each a pair of what it says and what it is told, until one of
/// them leaves.
///
/// # Errors
/// [`ProxyError`].
pub async fn between(
    setup: Setup<'_>,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    server: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    guarded(setup, Beside::default(), agent, server).await
}

/// The same of a server of which more is known than what it says.
pub(crate) async fn guarded(
    setup: Setup<'_>,
    beside: Beside,
    agent: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    server: (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    let Setup { workspace, ledger, connector, upstream, mandate, console } = setup;
    let saying = Saying::One(connector.clone());
    let behind = Behind { servers: vec![(connector, upstream.transport())], names: None, saying, beside };
    stand_between(Terms { workspace, ledger, mandate, console }, behind, agent, server).await
}

/// The same of one server or of several that speak through one pipe.
pub(crate) async fn stand_between(
    terms: Terms<'_>,
    behind: Behind,
    (from_agent, to_agent): (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    (from_server, to_server): (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    let offers = Offers::of(terms.workspace, behind.servers, behind.names);
    let ladder = Ladder::of(terms.console.clone())?;
    let proxy = Proxy {
        terms,
        ladder,
        tasks: Tasks::default(),
        heads: behind.beside.heads,
        canary: behind.beside.canary,
        saying: behind.saying,
        to_agent: Mutex::new(to_agent),
        to_server: Mutex::new(Some(to_server)),
        asked: RefCell::default(),
        asking: RefCell::default(),
        waiting: RefCell::default(),
        left: Notify::new(),
        has_left: Cell::new(false),
        patience: Cell::new(LISTS_WITHIN),
        own: Cell::new(0),
        offers: RefCell::new(offers),
        is_stale: Cell::new(true),
        has_read: RefCell::default(),
        wants_input: Cell::new(false),
        session: Mutex::new(None),
    };
    let going = async {
        let mut agent = std::pin::pin!(proxy.serve_agent(from_agent));
        let mut server = std::pin::pin!(proxy.listen_to_server(from_server));
        tokio::select! {
            ended = &mut agent => {
                // No more input: servers leave by themselves, after they have answered what was asked.
                if let Some(mut to) = proxy.to_server.lock().await.take() {
                    // It may have left already.
                    let _ = to.shutdown().await;
                }
                match tokio::time::timeout(SPEAKS_WITHIN, server).await {
                    Ok(last) => ended.and(last),
                    Err(_) => ended,
                }
            }
            ended = &mut server => {
                // What the agent said before it could know is answered still, and no call is left half recorded. At once:
                // the one may hold the session that the other waits for.
                let ((), heard) = tokio::join!(proxy.server_left(), agent);
                ended.and(heard)
            }
        }
    };
    let ended = tokio::select! {
        ended = going => ended,
        failed = proxy.watch(behind.beside.attempts) => failed,
    };
    let closed = proxy.close().await;
    ended.and(closed)
}

pub(crate) struct Proxy<'a, W, S> {
    terms: Terms<'a>,
    /// How a client hears that a call waits for a person.
    ladder: Ladder,
    /// Calls that wait for a person as tasks.
    tasks: Tasks,
    /// What the heads of calls say of their arguments, where there are heads.
    heads: Option<Heads>,
    /// Whose words the server's lines are.
    saying: Saying,
    /// The secrets of the servers: nothing that they say may repeat one.
    canary: Canary,
    to_agent: Mutex<W>,
    to_server: Mutex<Option<S>>,
    /// What the agent asked.
    asked: RefCell<Pending>,
    /// What the server asked.
    asking: RefCell<Pending>,
    /// Requests of the agent that were read and are not done with, and whether it withdrew them meanwhile.
    waiting: RefCell<BTreeMap<Id, bool>>,
    /// Tells whoever listens to the agent that the server left.
    left: Notify,
    has_left: Cell<bool>,
    /// How long the server may take to list its tools.
    patience: Cell<Duration>,
    own: Cell<u64>,
    offers: RefCell<Offers>,
    /// Whether the tools must be listed before the next call.
    is_stale: Cell<bool>,
    /// Whose words the agent read before there was a session.
    has_read: RefCell<BTreeSet<Name>>,
    /// Whether the server asked for something in the middle of a call.
    wants_input: Cell<bool>,
    pub(crate) session: Mutex<Option<AgentSession<'a>>>,
}

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    async fn tell_agent(&self, text: &str) -> Result<(), ProxyError> {
        // The line in one piece: of two the first would wake the agent for half a message.
        let line = [text.as_bytes(), b"\n"].concat();
        let mut to = self.to_agent.lock().await;
        to.write_all(&line).await?;
        Ok(to.flush().await?)
    }

    /// A server that does not listen any more has left: its own pump says so.
    async fn tell_server(&self, text: &str) -> Result<(), ProxyError> {
        if let Some(to) = self.to_server.lock().await.as_mut() {
            let line = [text.as_bytes(), b"\n"].concat();
            if to.write_all(&line).await.is_ok() {
                let _ = to.flush().await;
            }
        }
        Ok(())
    }

    async fn server_left(&self) {
        self.has_left.set(true);
        self.left.notify_one();
        self.nobody_answers().await;
    }

    /// Whoever still waits is told that nobody answers.
    async fn nobody_answers(&self) {
        let open = self.asked.borrow_mut().drain();
        for (id, awaited) in open {
            // The agent may be gone as well.
            let _ = self.unanswered(&id, awaited, ENDED).await;
        }
    }

    /// The session is over.
    async fn close(self) -> Result<(), ProxyError> {
        self.nobody_answers().await;
        match self.session.into_inner() {
            Some(session) => Ok(session.end().await?),
            None => Ok(()),
        }
    }

    /// Each tool that is not offered, once. What a server says instead of what people have seen is recorded, for whoever
    /// compares the two; the tool is withheld whether that can be recorded or not.
    fn note_withheld(&self) {
        let untold = self.offers.borrow_mut().untold();
        untold.iter().for_each(|text| self.note(text));
        let drifts = self.offers.borrow_mut().unrecorded();
        if let Err(error) = Drift::record(&drifts, self.terms.ledger) {
            self.note(&format!("that tools drifted cannot be recorded: {error}"));
        }
    }

    /// For people: hosts keep what servers write to their standard error.
    #[expect(clippy::unused_self, reason = "a session's notes will carry its id")]
    pub(crate) fn note(&self, text: &str) {
        note(text);
    }
}
