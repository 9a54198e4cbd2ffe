//! The HTTP face: engines that people keep call `/<connector>/<path>` here with a token of ours, and hold no credential of
//! the service behind it.
//!
//! A request is matched to one action of the connector's contract and gated as a call of a tool is; the connector makes the
//! call with the real credential. What a workflow has read is one label for each of its executions, which it names in the
//! header `Sluice-Session`; without one, for all that its token does. Agents that speak the Model Context Protocol have an
//! endpoint of their own here, `/<connector>/mcp`, and one for all that they may call, `/mcp`.

pub(crate) mod answer;
pub(crate) mod caller;
mod resource;
mod route;
pub(crate) mod sessions;

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use sluice_connectors::secret::SecretStore;
use sluice_identity::AccessTokens;
use sluice_runtime::connect::{Connectors, Performed};
use sluice_runtime::ledger::Ledger;
use sluice_runtime::session::{CameBack, SessionError, Verdict};
use sluice_runtime::workspace::Workspace;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::note::note;
use crate::streamable::agent::{Endpoint, Reply};
use crate::streamable::place::At;
use answer::{Answer, Refusal};
use caller::Bearers;
use sessions::{SESSION_HEADER, Sessions};

/// Most bytes of a request's body.
const BODY_BYTES_MAX: usize = 16 << 20;
/// How long a caller may take for the head of its request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long what was asked before the end may take to be answered.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Most connections at once.
const CONNECTIONS_MAX: usize = 4_096;
/// Most headers of a request, and about how many bytes its head may have.
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What answers.
pub struct Face<'a> {
    /// Whose rules hold.
    pub workspace: &'a Workspace,
    /// Where entries go.
    pub ledger: &'a Ledger,
    /// The only way out.
    pub connectors: &'a Connectors,
    /// Where it stands who may call. It is read for each request: a revoked token opens nothing more.
    pub tokens: PathBuf,
    /// What servers of contracts are given.
    pub secrets: &'a SecretStore,
    /// Names by which agents may call it beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// The address of a console where people decide about held calls, if there is one.
    pub console: Option<String>,
    /// Tokens of an identity provider that count beside our own, if one is named.
    pub access: Option<AccessTokens>,
}

/// Answers on `listener` until `stop` is done; then every session is over. Who asks meanwhile waits for whoever serves next.
///
/// # Errors
/// The listener's own; [`SessionError`] if the end of a session cannot be recorded.
pub async fn serve(face: Face<'_>, listener: &TcpListener, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let sessions = Sessions::new(face.workspace, face.ledger);
    let (endpoint, mut started) =
        Endpoint::new(face.workspace, face.ledger, face.secrets, face.hosts.clone(), face.console.clone());
    let mut running = FuturesUnordered::new();
    let mut open = FuturesUnordered::new();
    let (closing, closes) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept(), if open.len() < CONNECTIONS_MAX => {
                let Ok((stream, _)) = accepted else { continue };
                // Small answers would wait for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                let (face, sessions, endpoint) = (&face, &sessions, &endpoint);
                let mut closes = closes.clone();
                open.push(async move {
                    let service = service_fn(move |request| async move {
                        Ok::<_, Infallible>(face.reply(sessions, endpoint, request).await)
                    });
                    let mut http = http1::Builder::new();
                    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
                    http.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
                    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
                    tokio::select! {
                        // A caller that leaves in the middle concerns nobody else.
                        _ = connection.as_mut() => return,
                        _ = closes.wait_for(|is_closing| *is_closing) => connection.as_mut().graceful_shutdown(),
                    }
                    let _ = connection.await;
                });
            }
            Some(()) = open.next(), if !open.is_empty() => {}
            Some(task) = started.recv() => running.push(task),
            Some(()) = running.next(), if !running.is_empty() => {}
        }
    }
    closing.send_replace(true);
    endpoint.close();
    // What was asked already is answered, where that does not take for ever.
    let answered = async {
        while !open.is_empty() {
            tokio::select! {
                Some(()) = open.next() => {}
                Some(task) = started.recv() => running.push(task),
                Some(()) = running.next(), if !running.is_empty() => {}
            }
        }
    };
    let _ = tokio::time::timeout(ANSWERED_WITHIN, answered).await;
    drop(open);
    // Nor does one that began meanwhile.
    endpoint.close();
    while let Ok(task) = started.try_recv() {
        running.push(task);
    }
    while running.next().await.is_some() {}
    Ok(sessions.end().await?)
}

/// Why the face ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// SL950. The network.
    #[error("SL950: the gateway cannot listen: {0}")]
    Io(#[from] io::Error),
    /// The ledger.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl<'a> Face<'a> {
    /// Agents have an endpoint for each server, and one for all of them; everything else is an engine's.
    async fn reply(&self, sessions: &Sessions<'a>, endpoint: &Endpoint<'a>, request: Request<Incoming>) -> Reply {
        let (access, uri) = (self.access.as_ref(), request.uri());
        if let Some(said) = resource::metadata(access, self.workspace.governance(), request.method(), uri.path()) {
            return said.map(Either::Left);
        }
        let has_shown_one = request.headers().contains_key(AUTHORIZATION);
        let mut reply = match endpoint.at(uri) {
            Some(at) => self.speak(endpoint, &at, request).await,
            None => self.answer(sessions, request).await.into_response().map(Either::Left),
        };
        resource::challenge(&mut reply, access, has_shown_one);
        reply
    }

    fn bearers(&self) -> Bearers<'_> {
        Bearers { tokens: &self.tokens, access: self.access.as_ref(), register: self.workspace.principals() }
    }

    async fn speak(&self, endpoint: &Endpoint<'a>, at: &At, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        if let Err(reply) = endpoint.check_place(&head.headers) {
            return *reply;
        }
        let caller = self.bearers().of(&head.headers, self.ledger.clock().now_ms()).await;
        let placed = caller.and_then(|caller| match endpoint.place(at, &caller) {
            Some(place) => Ok((caller, place)),
            None => Err(Refusal::Connector),
        });
        match placed {
            Ok((caller, place)) => endpoint.answer(&caller, &place, &head, body).await,
            Err(refusal) => {
                let is_scope = refusal == Refusal::Connector;
                let mut reply = Answer::from(refusal).into_response().map(Either::Left);
                if is_scope {
                    resource::lacks(&mut reply, self.access.as_ref(), at);
                }
                reply
            }
        }
    }

    async fn answer(&self, sessions: &Sessions<'a>, request: Request<Incoming>) -> Answer {
        match self.call(sessions, request).await {
            Ok(answer) => answer,
            Err(refusal) => refusal.into(),
        }
    }

    async fn call(&self, sessions: &Sessions<'a>, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let (head, body) = request.into_parts();
        let now_ms = self.ledger.clock().now_ms();
        let caller = self.bearers().of(&head.headers, now_ms).await?;
        let named = head.headers.get(SESSION_HEADER).map(|value| value.to_str().unwrap_or_default());
        let body = read(body).await?;
        let is_json = head.headers.get(CONTENT_TYPE).is_none_or(|kind| kind.to_str().is_ok_and(is_json));
        let route = route::of(self.workspace.governance(), &head, &body, is_json)?;
        if !caller.may_call(&route.connector) {
            return Err(Refusal::Connector);
        }
        let session = sessions.of(&caller, named, now_ms).await?;
        let verdict = session.lock().await.ask(&route.connector, &route.action, &route.arguments).await;
        let call = match verdict.map_err(|error| Refusal::Ledger(error.to_string()))? {
            Verdict::Permitted(call) => call,
            Verdict::Held { approval, .. } => return Ok(Answer::held(&approval)),
            Verdict::Denied { code, .. } => return Err(Refusal::Denied(code)),
        };
        let (id, connector, action) = {
            let call = call.peek();
            (call.token, call.connector.clone(), call.action.clone())
        };
        let Performed { outcome, broken } = self.connectors.perform(call).await;
        let answer = Answer::of(&outcome);
        let labelled = answer.reply().cloned();
        let finished = session.lock().await.finished(id, CameBack { outcome, labelled, broken });
        let incident = finished.map_err(|error| Refusal::Ledger(format!("{connector}.{action}: {error}")))?;
        if let Some(incident) = incident {
            note(&incident.to_string());
        }
        Ok(answer)
    }
}

/// The whole body, if it is not too long.
async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLong),
        Err(_) => Err(Refusal::Malformed("the body broke off".to_owned())),
    }
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

type Whole = Response<Full<Bytes>>;
