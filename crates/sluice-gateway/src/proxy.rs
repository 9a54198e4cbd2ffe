//! One agent, one server, standard input and output: frames pass as without us, but for calls of tools.

mod offer;
mod words;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use sluice_connectors::mcp::{Program, Server, StartError};
use sluice_connectors::secret::SecretStore;
use sluice_core::document::{Data, Node};
use sluice_core::label::Name;
use sluice_core::text::is_unseen;
use sluice_engine::CallOutcome;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::session::{AgentSession, CameBack, Mandate, SessionError, Verdict};
use sluice_runtime::workspace::Workspace;
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use crate::frame::{Frame, Id, Kind};
use crate::lines::{self, Line};
use crate::pending::{Awaited, Pending};
use crate::stray::Stray;
use crate::tools::{self, Tool};
use crate::{planning, reply};
use offer::{Offer, OfferError};

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

const UNREADABLE: &str = "SL907: the answer of the server cannot be read";
const ENDED: &str = "SL908: the server ended before it answered";

/// What stands on both sides of the gateway.
pub struct Setup<'a> {
    /// Whose rules hold.
    pub workspace: &'a Workspace,
    /// Where entries go.
    pub ledger: &'a Ledger,
    /// The name of the server in contracts and entries.
    pub connector: Name,
    /// The server.
    pub program: Program,
    /// For whom the agent works.
    pub mandate: Mandate,
}

/// Why the gateway ended.
#[derive(Debug, Error)]
pub enum ProxyError {
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
    let server = Server::start(&setup.program, secrets)?;
    let (to_server, from_server, running) = server.split();
    let ended = between(setup, (from_agent, to_agent), (from_server, to_server)).await;
    running.leave().await;
    ended
}

/// Stands between an agent and a server that runs already, each a pair of what it says and what it is told, until one of
/// them leaves.
///
/// # Errors
/// [`ProxyError`].
pub async fn between(
    setup: Setup<'_>,
    (from_agent, to_agent): (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    (from_server, to_server): (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
) -> Result<(), ProxyError> {
    let offer = Offer::of(setup.workspace, &setup.connector, &setup.program);
    let proxy = Proxy {
        setup,
        to_agent: Mutex::new(to_agent),
        to_server: Mutex::new(Some(to_server)),
        asked: RefCell::default(),
        asking: RefCell::default(),
        waiting: RefCell::default(),
        left: Notify::new(),
        has_left: Cell::new(false),
        patience: Cell::new(LISTS_WITHIN),
        own: Cell::new(0),
        offer: RefCell::new(offer),
        is_stale: Cell::new(true),
        has_read: Cell::new(false),
        session: Mutex::new(None),
    };
    let ended = {
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
    let closed = proxy.close().await;
    ended.and(closed)
}

struct Proxy<'a, W, S> {
    setup: Setup<'a>,
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
    offer: RefCell<Offer>,
    /// Whether the tools must be listed before the next call.
    is_stale: Cell<bool>,
    /// Whether the agent read words of the server before there was a session.
    has_read: Cell<bool>,
    session: Mutex<Option<AgentSession<'a>>>,
}

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    /// Reads on while calls are decided: the agent's answers to the server, and what it withdraws, must not wait behind
    /// them.
    async fn serve_agent(&self, from: impl AsyncBufRead + Unpin) -> Result<(), ProxyError> {
        let (queue, queued) = mpsc::channel(QUEUED_MAX);
        let mut work = std::pin::pin!(self.work(queued));
        tokio::select! {
            heard = self.listen_to_agent(from, queue) => {
                // All that it said before it left is done still.
                let done = tokio::time::timeout(LISTS_WITHIN, work).await;
                heard.and(done.unwrap_or(Ok(())))
            }
            done = &mut work => done,
        }
    }

    async fn listen_to_agent(
        &self,
        mut from: impl AsyncBufRead + Unpin,
        queue: mpsc::Sender<Frame>,
    ) -> Result<(), ProxyError> {
        loop {
            let line = tokio::select! {
                line = lines::next(&mut from) => line?,
                () = self.left.notified() => return Ok(()),
            };
            let frame = match line {
                Line::End => return Ok(()),
                Line::TooLong(stray) => {
                    self.refuse(&stray, INVALID_REQUEST, "SL900: the message is too long").await?;
                    continue;
                }
                Line::Whole(bytes) => match Frame::read(&bytes) {
                    Ok(frame) => frame,
                    Err(error) => {
                        let is_request = error.is_json || error.stray.asks;
                        let code = if is_request { INVALID_REQUEST } else { PARSE_ERROR };
                        self.refuse(&error.stray, code, &error.to_string()).await?;
                        continue;
                    }
                },
            };
            if !self.is_done_at_once(&frame).await? && queue.send(frame).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Under the id of the request that it was meant to be, unless another one of that id waits for its answer.
    async fn refuse(&self, stray: &Stray, code: i64, why: &str) -> Result<(), ProxyError> {
        let id = match stray.ids.as_slice() {
            [id] if stray.asks && !self.is_in_use(id) => Some(id),
            _ => None,
        };
        self.tell_agent(&reply::error(id, code, why)).await
    }

    fn is_in_use(&self, id: &Id) -> bool {
        id.is_own() || self.waiting.borrow().contains_key(id) || self.asked.borrow().is_open(id)
    }

    /// What need not wait for what the agent said before.
    async fn is_done_at_once(&self, frame: &Frame) -> Result<bool, ProxyError> {
        match &frame.kind {
            Kind::Response { id, .. } => {
                // An answer to nothing is not the server's business.
                let is_asked = self.asking.borrow_mut().close(id).is_some();
                if is_asked {
                    self.tell_server(frame.raw()).await?;
                }
                Ok(true)
            }
            Kind::Request { id, .. } if self.is_in_use(id) => {
                let error = reply::error(Some(id), INVALID_REQUEST, "SL904: a request with this id has no answer yet");
                self.tell_agent(&error).await?;
                Ok(true)
            }
            Kind::Request { id, .. } => {
                self.waiting.borrow_mut().insert(id.clone(), false);
                Ok(false)
            }
            Kind::Notification { method } => {
                if let Some(id) = withdrawn(method, frame)
                    && let Some(is_withdrawn) = self.waiting.borrow_mut().get_mut(&id)
                {
                    *is_withdrawn = true;
                }
                Ok(false)
            }
        }
    }

    async fn work(&self, mut queued: mpsc::Receiver<Frame>) -> Result<(), ProxyError> {
        while let Some(frame) = queued.recv().await {
            match frame.kind.clone() {
                Kind::Request { id, method } => {
                    if !self.is_withdrawn(&id) {
                        self.request(frame, id.clone(), &method).await?;
                    }
                    self.waiting.borrow_mut().remove(&id);
                }
                // A call that wants no answer would still be made by some servers.
                Kind::Notification { method } if !method.starts_with("notifications/") => {
                    self.note(&format!("dropped: a notification called `{method}`"));
                }
                Kind::Notification { method } => {
                    // Of what the server was never asked there is nothing to cancel.
                    let id = withdrawn(&method, &frame);
                    let is_known = id.is_none_or(|id| !id.is_own() && self.asked.borrow().is_open(&id));
                    if is_known {
                        self.tell_server(frame.raw()).await?;
                    }
                }
                Kind::Response { .. } => {}
            }
        }
        Ok(())
    }

    fn is_withdrawn(&self, id: &Id) -> bool {
        self.waiting.borrow().get(id).copied().unwrap_or_default()
    }

    async fn request(&self, frame: Frame, id: Id, method: &str) -> Result<(), ProxyError> {
        if method == "tools/call" {
            return self.call(frame, id).await;
        }
        if matches!(method, "resources/read" | "prompts/get") {
            return self.read(frame, id, method).await;
        }
        match words::awaited(method) {
            Some(awaited) => self.forward(&frame, id, awaited).await,
            // What the protocol does not know a server may take for anything, a call too.
            None => self.tell_agent(&reply::error(Some(&id), METHOD_NOT_FOUND, "Method not found")).await,
        }
    }

    /// Sends on what the server is to answer. What cannot be sent is answered here.
    async fn forward(&self, frame: &Frame, id: Id, awaited: Awaited) -> Result<(), ProxyError> {
        if self.has_left.get() {
            return self.unanswered(&id, awaited, ENDED).await;
        }
        let opened = self.asked.borrow_mut().open(id.clone(), awaited);
        match opened {
            Ok(()) => self.tell_server(frame.raw()).await,
            Err(_) => self.too_many(&id).await,
        }
    }

    async fn too_many(&self, id: &Id) -> Result<(), ProxyError> {
        self.tell_agent(&reply::error(Some(id), SERVER_ERROR, "SL905: too many requests have no answer yet")).await
    }

    async fn call(&self, frame: Frame, id: Id) -> Result<(), ProxyError> {
        let params = frame.member("params");
        let named = params.and_then(|params| params.get("name")?.as_text().cloned());
        let arguments = match params.and_then(|params| params.get("arguments")) {
            None => Some(serde_json::json!({})),
            Some(node) if matches!(node.value, Data::Map(_)) => Some(node.to_json()),
            Some(_) => None,
        };
        let node = params.and_then(|params| params.get("arguments"));
        if frame.has_half_characters() || node.is_some_and(|node| frame.has_longer_numbers(node)) {
            let why = "SL900: half a character, or a number with more digits than readers keep: these are taken for \
                       different things";
            return self.tell_agent(&reply::error(Some(&id), INVALID_PARAMS, why)).await;
        }
        let (Some(name), Some(arguments)) = (named, arguments) else {
            let why = "a call names its tool, and its arguments are an object";
            return self.tell_agent(&reply::error(Some(&id), INVALID_PARAMS, &format!("SL900: {why}"))).await;
        };
        if let Err(error) = self.know_tools(&frame).await {
            self.note(&error.to_string());
            return self.tell_agent(&reply::denied(&frame, &id, error.code())).await;
        }
        if self.is_withdrawn(&id) {
            return Ok(());
        }
        // Before a permit, which is recorded: one that cannot be used would look like a call in doubt.
        if self.asked.borrow().is_full() {
            return self.too_many(&id).await;
        }
        if &*name == planning::PLAN && self.setup.mandate.request.is_some() {
            return self.plan(&frame, &id, &arguments).await;
        }
        let action = self.offer.borrow().action_of(&name);
        let verdict = match self.ask(&action, &arguments).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.tell_agent(&reply::denied(&frame, &id, "SL906")).await?;
                return Err(error);
            }
        };
        match verdict {
            Verdict::Permitted(call) => {
                let token = call.take().token;
                self.forward(&frame, id, Awaited::Call(token)).await
            }
            Verdict::Held { approval, why } => {
                self.note(&format!("held: `{name}` waits for a person ({approval}): {why}"));
                self.tell_agent(&reply::held(&frame, &id, &approval)).await
            }
            Verdict::Denied { code, why } => {
                let (code, why) = self.offer.borrow().refusal(&name).unwrap_or((code, why));
                self.note(&format!("denied: `{name}`: {code}: {why}"));
                self.tell_agent(&reply::denied(&frame, &id, &code)).await
            }
        }
    }

    /// A resource or a prompt is read: a call like any other, of an action that every server has.
    async fn read(&self, frame: Frame, id: Id, method: &str) -> Result<(), ProxyError> {
        let refused = |text: &str| reply::error(Some(&id), SERVER_ERROR, text);
        if let Err(error) = self.know_tools(&frame).await {
            self.note(&error.to_string());
            let is_begun = self.session.lock().await.is_some();
            // A server may have resources and no tools: then nothing but reading is at stake, and no plan.
            return if is_begun {
                self.tell_agent(&refused(&format!("denied by policy: {}", error.code()))).await
            } else {
                self.forward(&frame, id, Awaited::Words).await
            };
        }
        if self.is_withdrawn(&id) {
            return Ok(());
        }
        if self.asked.borrow().is_full() {
            return self.too_many(&id).await;
        }
        let what = frame.member("params").map(Node::to_json).unwrap_or_default();
        let verdict = match self.ask(method, &without_meta(what)).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.tell_agent(&refused("denied by policy: SL906")).await?;
                return Err(error);
            }
        };
        match verdict {
            Verdict::Permitted(call) => {
                let token = call.take().token;
                self.forward(&frame, id, Awaited::Call(token)).await
            }
            Verdict::Held { approval, .. } => {
                self.tell_agent(&refused(&format!("approval required: approval_id={approval}"))).await
            }
            Verdict::Denied { code, why } => {
                self.note(&format!("denied: `{method}`: {code}: {why}"));
                self.tell_agent(&refused(&format!("denied by policy: {code}"))).await
            }
        }
    }

    /// The agent lays down its plan.
    async fn plan(&self, frame: &Frame, id: &Id, arguments: &serde_json::Value) -> Result<(), ProxyError> {
        let laid = {
            let mut session = self.session.lock().await;
            let Some(session) = session.as_mut() else {
                return self.tell_agent(&reply::denied(frame, id, "SL906")).await;
            };
            let action_of = |tool: &str| (self.setup.connector.clone(), self.offer.borrow().action_of(tool).into());
            session.lay_down(arguments, action_of).await?
        };
        let (text, is_error) = planning::told(&laid);
        self.tell_agent(&reply::result(frame, id, &text, is_error)).await
    }

    /// Nobody else may wait for the session once this returns: whoever then writes to the server may wait for it to read.
    async fn ask(&self, action: &str, arguments: &serde_json::Value) -> Result<Verdict, ProxyError> {
        let mut session = self.session.lock().await;
        let Some(session) = session.as_mut() else {
            return Ok(Verdict::Denied { code: "SL906".to_owned(), why: "there is no session".to_owned() });
        };
        Ok(session.ask(&self.setup.connector, action, arguments).await?)
    }

    /// Lists the server's tools, if it is not known what they are, and begins the session with the first list.
    async fn know_tools(&self, call: &Frame) -> Result<(), OfferError> {
        // Before the list: what changes while it is read makes it stale again.
        if !self.is_stale.replace(false) {
            return Ok(());
        }
        let learned = match tokio::time::timeout(self.patience.get(), self.list_all(call)).await {
            Ok(Ok(listed)) => self.learn(&listed).await,
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.asked.borrow_mut().forget_own();
                self.patience.set(LISTS_AGAIN_WITHIN);
                Err(OfferError::NotListed)
            }
        };
        match &learned {
            Ok(()) => self.patience.set(LISTS_WITHIN),
            Err(_) => self.is_stale.set(true),
        }
        learned
    }

    /// Every page of the list.
    async fn list_all(&self, call: &Frame) -> Result<Vec<Tool>, OfferError> {
        let mut listed = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let answer = self.list(call, cursor.as_deref()).await?;
            let page = tools::page(&answer).ok_or(OfferError::NotListed)?;
            listed.extend(page.tools);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(listed);
            }
        }
        Err(OfferError::TooMany)
    }

    async fn learn(&self, listed: &[Tool]) -> Result<(), OfferError> {
        let governance = self.offer.borrow_mut().list(self.setup.workspace, listed)?;
        self.note_withheld();
        let mut session = self.session.lock().await;
        match session.as_mut() {
            Some(session) => session.offer(&governance).map_err(|_| OfferError::NotListed)?,
            None => {
                let Setup { workspace, ledger, connector, mandate, .. } = &self.setup;
                let connectors = [connector.clone()].into();
                let begun = AgentSession::begin(workspace, ledger, &governance, &connectors, mandate.clone()).await;
                let mut begun = begun.map_err(|error| OfferError::NotRecorded(error.to_string()))?;
                if self.has_read.get() {
                    begun.has_read(connector);
                }
                *session = Some(begun);
            }
        }
        Ok(())
    }

    /// One page of the list, asked for in the gateway's own name but in the protocol that the agent speaks.
    async fn list(&self, call: &Frame, cursor: Option<&str>) -> Result<Frame, OfferError> {
        let id = Id::own(self.own.replace(self.own.get() + 1));
        let meta = call.member("params").and_then(|params| params.get("_meta")).filter(|meta| speaks(meta));
        let meta = meta.map(|meta| format!(r#""_meta":{}"#, without_progress(call, meta)));
        let cursor = cursor.map(|cursor| format!(r#""cursor":{cursor}"#));
        let params = meta.into_iter().chain(cursor).collect::<Vec<_>>().join(",");
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":{},"method":"tools/list","params":{{{params}}}}}"#, id.as_json());
        let (tell, told) = oneshot::channel();
        let opened = self.asked.borrow_mut().open(id, Awaited::Own(tell));
        if self.has_left.get() || opened.is_err() || self.tell_server(&request).await.is_err() {
            return Err(OfferError::NotListed);
        }
        told.await.map_err(|_| OfferError::NotListed)
    }

    async fn listen_to_server(&self, mut from: impl AsyncBufRead + Unpin) -> Result<(), ProxyError> {
        loop {
            // A pipe that breaks is a server that left.
            match lines::next(&mut from).await.unwrap_or(Line::End) {
                Line::End => return Ok(()),
                Line::TooLong(stray) => self.unreadable(&stray, "it is too long").await?,
                Line::Whole(bytes) => match Frame::read(&bytes) {
                    Ok(frame) => self.server_says(frame).await?,
                    Err(error) => self.unreadable(&error.stray, &error.why).await?,
                },
            }
        }
    }

    /// Whoever waits for an answer that cannot be read is told so, and not left waiting.
    async fn unreadable(&self, stray: &Stray, why: &str) -> Result<(), ProxyError> {
        self.note(&format!("the server sent something that cannot be read, and it was dropped: {why}"));
        // Its own question, whose id says nothing of the agent's.
        if stray.asks {
            return Ok(());
        }
        for id in &stray.ids {
            let awaited = self.asked.borrow_mut().close(id);
            if let Some(awaited) = awaited {
                self.unanswered(id, awaited, UNREADABLE).await?;
            }
        }
        Ok(())
    }

    async fn unanswered(&self, id: &Id, awaited: Awaited, why: &str) -> Result<(), ProxyError> {
        // The gateway's own request: whoever made it learns that it is gone.
        if id.is_own() {
            return Ok(());
        }
        if let Awaited::Call(token) = awaited
            && let Some(session) = self.session.lock().await.as_mut()
        {
            let outcome = CallOutcome::InDoubt { why: why.to_owned() };
            session.finished(token, CameBack { outcome, labelled: None })?;
        }
        self.tell_agent(&reply::error(Some(id), SERVER_ERROR, why)).await
    }

    async fn server_says(&self, frame: Frame) -> Result<(), ProxyError> {
        match frame.kind.clone() {
            Kind::Notification { method } => {
                if method == "notifications/tools/list_changed" {
                    self.is_stale.set(true);
                }
                if let Some(id) = withdrawn(&method, &frame) {
                    self.asking.borrow_mut().close(&id);
                }
                if words::are_told(&method, &frame) {
                    self.has_read().await;
                }
                self.tell_agent(frame.raw()).await
            }
            Kind::Request { id, method } => {
                let awaited =
                    if matches!(method.as_str(), "ping" | "roots/list") { Awaited::Plain } else { Awaited::Words };
                if matches!(awaited, Awaited::Words) {
                    self.has_read().await;
                }
                let opened = self.asking.borrow_mut().open(id, awaited);
                if opened.is_err() {
                    self.note("the server asked too much, or twice under one id; it was dropped");
                    return Ok(());
                }
                self.tell_agent(frame.raw()).await
            }
            Kind::Response { id, .. } => {
                let awaited = self.asked.borrow_mut().close(&id);
                match awaited {
                    Some(awaited) => self.answer(frame, awaited).await,
                    None => {
                        self.note("the server answered what nobody asked, or answered twice; it was dropped");
                        Ok(())
                    }
                }
            }
        }
    }

    async fn answer(&self, frame: Frame, awaited: Awaited) -> Result<(), ProxyError> {
        match awaited {
            Awaited::Own(tell) => {
                // Whoever asked has given up.
                let _ = tell.send(frame);
                return Ok(());
            }
            Awaited::Call(token) => {
                if let Some(session) = self.session.lock().await.as_mut() {
                    session.finished(token, came_back(&frame))?;
                }
            }
            Awaited::Tools => {
                let page = tools::page(&frame);
                for tool in page.iter().flat_map(|page| &page.tools) {
                    if self.offer.borrow_mut().see(tool) {
                        self.is_stale.set(true);
                    }
                }
                let is_last = page.is_some_and(|page| page.next.is_none());
                let own = (is_last && self.setup.mandate.request.is_some()).then(planning::definition);
                self.note_withheld();
                let shown = {
                    let offer = self.offer.borrow();
                    tools::offered(&frame, |name| offer.has(name), own.as_ref())
                };
                return self.tell_agent(&shown).await;
            }
            Awaited::Words => self.has_read().await,
            Awaited::Listed => {
                if words::are_listed(&frame) {
                    self.has_read().await;
                }
            }
            Awaited::Plain => {}
        }
        self.tell_agent(frame.raw()).await
    }

    async fn has_read(&self) {
        match self.session.lock().await.as_mut() {
            Some(session) => session.has_read(&self.setup.connector),
            None => self.has_read.set(true),
        }
    }

    async fn tell_agent(&self, text: &str) -> Result<(), ProxyError> {
        let mut to = self.to_agent.lock().await;
        to.write_all(text.as_bytes()).await?;
        to.write_all(b"\n").await?;
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

    /// Each tool that is not offered, once.
    fn note_withheld(&self) {
        let untold = self.offer.borrow_mut().untold();
        untold.iter().for_each(|text| self.note(text));
    }

    /// For people: hosts keep what servers write to their standard error.
    #[expect(clippy::unused_self, reason = "a session's notes will carry its id")]
    fn note(&self, text: &str) {
        let safe: String = text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect();
        eprintln!("sluice gateway: {safe}");
    }
}

/// The parameters that a server reads; what stands in `_meta` is the protocol's own.
fn without_meta(mut params: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = params.as_object_mut() {
        fields.remove("_meta");
    }
    params
}

/// The request that a notification takes back.
fn withdrawn(method: &str, frame: &Frame) -> Option<Id> {
    let params = if method == "notifications/cancelled" { frame.member("params") } else { None };
    Id::of(params?.get("requestId")?)
}

/// Whether this is what the protocol without sessions puts into every request.
fn speaks(meta: &Node) -> bool {
    meta.get("io.modelcontextprotocol/protocolVersion").is_some()
}

/// The same without the token under which progress of the agent's own request is told.
fn without_progress(call: &Frame, meta: &Node) -> String {
    let Data::Map(entries) = &meta.value else { return "{}".to_owned() };
    let kept = entries.iter().filter(|entry| entry.key.starts_with("io.modelcontextprotocol/"));
    let pairs: Vec<String> =
        kept.map(|entry| format!("{}:{}", serde_json::Value::from(&*entry.key), call.slice(&entry.value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// What came back, and the part of it that a contract's paths speak of.
fn came_back(answer: &Frame) -> CameBack {
    let Some(result) = answer.member("result") else {
        let detail = answer.member("error").map(Node::to_json).unwrap_or_default();
        return CameBack { outcome: CallOutcome::Failed { detail }, labelled: None };
    };
    CameBack { outcome: CallOutcome::Replied { reply: result.to_json() }, labelled: labelled(result) }
}

/// The value that a reply is, if it is one: structured content, or one text that is JSON or nothing else.
fn labelled(result: &Node) -> Option<serde_json::Value> {
    let structured = result.get("structuredContent").map(Node::to_json);
    let texts: Vec<&Node> = match result.get("content").map(|content| &content.value) {
        Some(Data::List(items)) => items.iter().collect(),
        Some(_) => return None,
        None => Vec::new(),
    };
    match (structured, texts.as_slice()) {
        (Some(value), []) => Some(value),
        (structured, [one]) => {
            let text = one.get("text")?.as_text()?;
            let read: serde_json::Value =
                serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text.as_ref()));
            // Words beside the structured part are read as well.
            structured.is_none_or(|value| value == read).then_some(read)
        }
        _ => None,
    }
}
