//! The endpoints of agents that speak HTTP: `/<connector>/mcp`, and `/mcp` for all of them.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode, Uri};
use sluice_connectors::secret::SecretStore;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::workspace::Workspace;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::events::{self, Events};
use super::headers::{self, Accepts};
use super::outbox::EAR;
use super::place::{At, Place};
pub(crate) use super::reply::Reply;
use super::reply::{self, Refusal};
use super::session::{Reader, Refused, Session};
use super::table::{Table, Task};
use super::{LAST_EVENT_HEADER, SESSION_HEADER, VERSION_HEADER, WITHOUT_SESSIONS};
use crate::frame::{FRAME_BYTES_MAX, Frame, Kind};
use crate::http::caller::Caller;
use crate::http::sessions::{SESSION_HEADER as EXECUTION_HEADER, check_name};

/// How long a caller may take for its body.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// An answer that comes within this is one message; whoever waits longer gets a stream that says that it is alive.
const SOON: Duration = Duration::from_secs(1);

/// Where agents speak HTTP.
pub(crate) struct Endpoint<'a> {
    table: Rc<Table<'a>>,
    /// Names by which it is called beside addresses and `localhost`.
    hosts: Vec<String>,
}

impl<'a> Endpoint<'a> {
    /// The endpoint, and what must run for its sessions to go on.
    pub(crate) fn new(
        workspace: &'a Workspace,
        ledger: &'a Ledger,
        secrets: &'a SecretStore,
        hosts: Vec<String>,
        console: Option<String>,
    ) -> (Self, UnboundedReceiver<Task<'a>>) {
        let (start, started) = unbounded_channel();
        (Self { table: Table::new(workspace, ledger, secrets, console, start), hosts }, started)
    }

    /// The endpoint that a request is for, if it is for one.
    pub(crate) fn at(&self, uri: &Uri) -> Option<At> {
        At::of(uri, self.table.workspace.governance())
    }

    /// What its caller finds there; `None` if they may call nothing of it.
    pub(crate) fn place(&self, at: &At, caller: &Caller) -> Option<Place> {
        at.place(self.table.workspace.governance(), caller)
    }

    /// Whether a request comes from where it may.
    ///
    /// # Errors
    /// The answer, if not.
    pub(crate) fn check_place(&self, headers: &HeaderMap) -> Result<(), Box<Reply>> {
        if headers::is_from_here(headers, &self.hosts) { Ok(()) } else { Err(Box::new(Refusal::foreign().into())) }
    }

    /// No session goes on. What is under way comes to its end.
    pub(crate) fn close(&self) {
        self.table.close();
    }

    /// Answers a request of somebody who may call what is there.
    pub(crate) async fn answer(&self, caller: &Caller, place: &Place, head: &Parts, body: Incoming) -> Reply {
        let answered = match head.method {
            Method::POST => self.post(caller, place, &head.headers, body).await,
            Method::GET => self.listen(caller, place, &head.headers),
            Method::DELETE => self.end(caller, place, &head.headers),
            _ => Ok(reply::not_allowed()),
        };
        answered.unwrap_or_else(Reply::from)
    }

    async fn post(&self, caller: &Caller, place: &Place, head: &HeaderMap, body: Incoming) -> Result<Reply, Refusal> {
        if !headers::is_json(head) {
            return Err(Refusal::not_json());
        }
        let accepts = headers::accepts(head);
        if !accepts.json && !accepts.events {
            return Err(Refusal::not_acceptable());
        }
        let body = read(body).await?;
        let frame = Frame::read(&body).map_err(|error| {
            let refusal = Refusal::no_message(&error.to_string(), error.is_json);
            match error.stray.ids.as_slice() {
                [id] if error.stray.asks => refusal.to(id),
                _ => refusal,
            }
        })?;
        let taken = if is_alone(head, &frame)? {
            self.alone(caller, place, head, &frame, accepts).await
        } else {
            self.in_session(caller, place, head, &frame, accepts).await
        };
        taken.map_err(|refusal| match &frame.kind {
            Kind::Request { id, .. } => refusal.to(id),
            _ => refusal,
        })
    }

    /// A message of a session.
    async fn in_session(
        &self,
        caller: &Caller,
        place: &Place,
        head: &HeaderMap,
        frame: &Frame,
        accepts: Accepts,
    ) -> Result<Reply, Refusal> {
        if matches!(&frame.kind, Kind::Request { method, .. } if method == "initialize") {
            let (id, session) = self.table.begin(caller, place)?;
            let reader = ask(&session, head, frame, accepts).await?;
            let Told { reply, is_error } = told(reader, accepts, |_| StatusCode::OK).await?;
            if is_error {
                session.close();
                return Ok(reply);
            }
            return Ok(reply::with_session(reply, &id));
        }
        let session = self.session(caller, place, head)?;
        match &frame.kind {
            Kind::Request { .. } => {
                let reader = ask(&session, head, frame, accepts).await?;
                Ok(told(reader, accepts, |_| StatusCode::OK).await?.reply)
            }
            _ if session.tell(frame).await => Ok(reply::bare(StatusCode::ACCEPTED)),
            _ => Err(Refusal::no_session()),
        }
    }

    /// A request that stands alone.
    async fn alone(
        &self,
        caller: &Caller,
        place: &Place,
        head: &HeaderMap,
        frame: &Frame,
        accepts: Accepts,
    ) -> Result<Reply, Refusal> {
        let named = headers::one(head, EXECUTION_HEADER).map_err(|why| Refusal::mismatch(&why))?.unwrap_or_default();
        check_name(named).map_err(|_| Refusal::mismatch("`sluice-session` is too long"))?;
        match &frame.kind {
            Kind::Request { method, .. } => {
                headers::envelope(frame).map_err(|why| Refusal::no_envelope(&why))?;
                headers::agree(head, frame).map_err(|why| Refusal::mismatch(&why))?;
                match headers::version(frame) {
                    Some(WITHOUT_SESSIONS) => {}
                    other => return Err(Refusal::unsupported(other.unwrap_or_default())),
                }
                if method == "initialize" {
                    return Err(Refusal::no_handshake());
                }
                let session = self.table.shared(caller, named, place)?;
                let reader = ask(&session, head, frame, accepts).await?;
                Ok(told(reader, accepts, reply::status_of).await?.reply)
            }
            // Whoever takes a request back closes its stream; some say it as well.
            Kind::Notification { method } if method == "notifications/cancelled" => {
                let session = self.table.shared(caller, named, place)?;
                if let Some(id) = frame.member("params").and_then(|params| params.get("requestId")) {
                    session.cancel(frame.slice(id));
                }
                Ok(reply::bare(StatusCode::ACCEPTED))
            }
            _ => Err(Refusal::no_message("SL900: nothing but requests is sent where every request stands alone", true)),
        }
    }

    /// The stream of what the server says by itself, or the rest of one that broke.
    fn listen(&self, caller: &Caller, place: &Place, head: &HeaderMap) -> Result<Reply, Refusal> {
        if headers::one(head, VERSION_HEADER).is_ok_and(|version| version == Some(WITHOUT_SESSIONS)) {
            return Ok(reply::not_allowed());
        }
        if !headers::accepts(head).events {
            return Err(Refusal::not_acceptable());
        }
        let session = self.session(caller, place, head)?;
        let last = headers::one(head, LAST_EVENT_HEADER).map_err(|why| Refusal::mismatch(&why))?;
        let (stream, after) = match last {
            None => (EAR, None),
            Some(id) => {
                events::place(id).map(|(stream, number)| (stream, Some(number))).ok_or_else(Refusal::no_session)?
            }
        };
        // Of a stream that is forgotten nothing is left to tell.
        let reader = session.read(stream, after, true).or_else(|| session.read(EAR, None, true));
        Ok(reply::events(Events::of(reader.ok_or_else(Refusal::no_session)?, None)))
    }

    fn end(&self, caller: &Caller, place: &Place, head: &HeaderMap) -> Result<Reply, Refusal> {
        if headers::one(head, VERSION_HEADER).is_ok_and(|version| version == Some(WITHOUT_SESSIONS)) {
            return Ok(reply::not_allowed());
        }
        let session = self.session(caller, place, head)?;
        session.close();
        self.table.forget(&session);
        Ok(reply::bare(StatusCode::NO_CONTENT))
    }

    /// The session that a request names.
    fn session(&self, caller: &Caller, place: &Place, head: &HeaderMap) -> Result<Rc<Session>, Refusal> {
        let id = headers::one(head, SESSION_HEADER).map_err(|why| Refusal::mismatch(&why))?;
        let session = self.table.find(id.ok_or_else(Refusal::unnamed)?, caller, place);
        let session = session.ok_or_else(Refusal::no_session)?;
        let shown = headers::one(head, VERSION_HEADER).map_err(|why| Refusal::mismatch(&why))?;
        match (shown, session.version()) {
            (Some(shown), Some(agreed)) if shown != agreed => Err(Refusal::other_version()),
            _ => Ok(session),
        }
    }
}

/// Whether a message is of the era in which each stands alone: its body says so, or at least its head. A handshake is of the
/// other one, whatever its head says, for it agrees on the revision first.
fn is_alone(head: &HeaderMap, frame: &Frame) -> Result<bool, Refusal> {
    let shown = headers::one(head, VERSION_HEADER).map_err(|why| Refusal::mismatch(&why))?;
    let is_handshake = matches!(&frame.kind, Kind::Request { method, .. } if method == "initialize");
    Ok(headers::version(frame).is_some() || (!is_handshake && shown == Some(WITHOUT_SESSIONS)))
}

async fn ask(session: &Rc<Session>, head: &HeaderMap, frame: &Frame, accepts: Accepts) -> Result<Reader, Refusal> {
    session.ask(head, frame, accepts.events).await.map_err(|refused| match refused {
        Refused::InUse => Refusal::in_use(),
        Refused::TooMany => Refusal::busy("SL905: too many requests have no answer yet"),
        Refused::Over => Refusal::ended(),
    })
}

struct Told {
    reply: Reply,
    is_error: bool,
}

/// What is said to a request: one message if that is all and comes soon, else a stream.
async fn told(mut reader: Reader, accepts: Accepts, status: fn(&[u8]) -> StatusCode) -> Result<Told, Refusal> {
    let first = match accepts.json {
        false => None,
        true if accepts.events => tokio::time::timeout(SOON, reader.next()).await.ok(),
        true => Some(reader.next().await),
    };
    match first {
        Some(None) => Err(Refusal::ended()),
        Some(Some(message)) if message.is_last => {
            reader.forget();
            let is_error = reply::error_code(&message.text).is_some();
            Ok(Told { reply: reply::whole(status(&message.text), message.text), is_error })
        }
        first => Ok(Told { reply: reply::events(Events::of(reader, first.flatten())), is_error: false }),
    }
}

/// The whole body, if it is neither too long nor too slow.
async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_WITHIN, Limited::new(body, FRAME_BYTES_MAX).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Refusal::body(StatusCode::PAYLOAD_TOO_LARGE, "SL955: the body is too long"))
        }
        Ok(Err(_)) => Err(Refusal::body(StatusCode::BAD_REQUEST, "SL954: the body broke off")),
        Err(_) => Err(Refusal::body(StatusCode::REQUEST_TIMEOUT, "SL954: the body takes too long")),
    }
}
