//! A server that is reached by its URL: lines become requests, and what they are answered with becomes lines.
//!
//! Every request goes through the rules of all egress: one signed place, addresses judged after one look-up, no redirect
//! followed, nothing compressed, everything bounded. What surely never left is answered with an error; of what may have
//! arrived and has no answer nobody knows, and the proxy is told so: the call is in doubt.

mod ask;
mod hear;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use futures_util::stream::FuturesUnordered;
use sluice_connectors::egress::{EgressClient, Method};
use sluice_connectors::http::Base;
use sluice_connectors::secret::SecretStore;
use sluice_connectors::tls::CertificatePin;
use tokio::sync::Notify;

use super::headers;
use super::pipes::{Inbox, LinesIn, LinesOut};
use crate::frame::{Frame, Id, Kind};
use crate::mirrored::Mirrored;
use crate::note::note;
use crate::reply;
use crate::upstream::{FromServer, ToServer};

/// Requests that may be under way at once: each has a connection.
const ASKED_MAX: usize = 256;
/// How long a server may go on once its agent has left, and how long it may take to hear of it.
const SPEAKS_WITHIN: Duration = Duration::from_secs(2);
/// How long everything else waits for a server to take a notification.
const TAKES_WITHIN: Duration = Duration::from_secs(30);

/// Where a server answers, and what each request shows it.
#[derive(Clone, Debug)]
pub struct Service {
    /// As it was written.
    pub url: String,
    /// The same, read.
    pub base: Base,
    /// Whether an address inside the network is meant.
    pub allow_private: bool,
    /// The certificate that it must show.
    pub pin: Option<CertificatePin>,
    /// Headers beside the protocol's own.
    pub headers: BTreeMap<String, Shown>,
}

/// What a header shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// This.
    Text(String),
    /// The secret of this name. It is opened for each request, and kept nowhere.
    Secret(String),
}

/// Stands between two pipes and a service until `work` is done with them.
pub(crate) async fn with<T>(
    service: &Service,
    secrets: &SecretStore,
    work: impl AsyncFnOnce(FromServer, ToServer) -> T,
) -> T {
    let (told, says) = (Rc::<Inbox>::default(), Rc::<Inbox>::default());
    let pipes = (LinesOut::of(Rc::clone(&says)), LinesIn::of(Rc::clone(&told)));
    let line = Line {
        service,
        secrets,
        client: EgressClient::default(),
        says,
        asked: RefCell::default(),
        session: RefCell::default(),
        version: RefCell::default(),
        is_ready: Cell::new(false),
        mirrored: RefCell::default(),
    };
    let ((), done) = tokio::join!(line.run(&told), work(Box::new(pipes.0), Box::new(pipes.1)));
    done
}

/// The line to a service.
struct Line<'a> {
    service: &'a Service,
    secrets: &'a SecretStore,
    client: EgressClient,
    /// What the server says.
    says: Rc<Inbox>,
    /// Requests without an answer yet.
    asked: RefCell<BTreeMap<Id, Asked>>,
    /// The session's id there, if it has one.
    session: RefCell<Option<String>>,
    /// The revision that was agreed on with the session.
    version: RefCell<Option<String>>,
    /// Whether the session has just begun: then it may say something by itself.
    is_ready: Cell<bool>,
    /// Arguments that stand in the head of calls too, by tool.
    mirrored: RefCell<BTreeMap<String, Vec<Mirrored>>>,
}

struct Asked {
    method: String,
    /// Whether it stands alone: then whoever takes it back closes its stream.
    is_alone: bool,
    withdrawn: Rc<Notify>,
}

/// What becomes of everything else when a request is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing.
    Done,
    /// What had to wait for it goes on.
    Released,
    /// The session is over, and so is all that is under way.
    Over,
}

impl Line<'_> {
    async fn run(&self, told: &Inbox) {
        let mut under_way = FuturesUnordered::new();
        let mut waits = false;
        let is_over = loop {
            tokio::select! {
                line = told.next(), if !waits => match line {
                    Some(line) => {
                        let (work, holds) = self.take(&line);
                        waits = holds;
                        under_way.push(work);
                    }
                    None => break false,
                },
                Some(end) = under_way.next(), if !under_way.is_empty() => match end {
                    End::Done => {}
                    End::Released => waits = false,
                    End::Over => break true,
                },
            }
            if self.is_ready.take() {
                under_way.push(self.listen().boxed_local());
            }
        };
        if !is_over {
            // What was asked is answered still, if that does not take long.
            let last = async { while !self.asked.borrow().is_empty() && under_way.next().await.is_some() {} };
            let _ = tokio::time::timeout(SPEAKS_WITHIN, last).await;
        }
        drop(under_way);
        told.close();
        self.says.close();
        if !is_over && self.session.borrow().is_some() {
            // A server that does not hear of it lets the session grow old.
            let _ = tokio::time::timeout(SPEAKS_WITHIN, self.open(Method::Delete, None, None)).await;
        }
    }

    /// What a line has us do, and whether the next one waits for it.
    fn take(&self, line: &[u8]) -> (LocalBoxFuture<'_, End>, bool) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let nothing = std::future::ready(End::Done).boxed_local();
        // The proxy writes what it has read, or made.
        let Ok(frame) = Frame::read(line) else { return (nothing, false) };
        match frame.kind.clone() {
            Kind::Request { id, method } => {
                let is_handshake = method == "initialize";
                (self.request(frame, id, method).boxed_local(), is_handshake)
            }
            Kind::Notification { method } => {
                let is_taken_back = method == "notifications/cancelled" && self.withdraw(&frame);
                if is_taken_back { (nothing, false) } else { (self.tell(frame, method).boxed_local(), true) }
            }
            Kind::Response { .. } => (self.tell(frame, String::new()).map(|_| End::Done).boxed_local(), false),
        }
    }

    /// Where every request stands alone, one is taken back by closing its stream; whether this was one.
    fn withdraw(&self, frame: &Frame) -> bool {
        let id = frame.member("params").and_then(|params| Id::of(params.get("requestId")?));
        let asked = self.asked.borrow();
        let found = id.and_then(|id| asked.get(&id)).filter(|asked| asked.is_alone);
        found.inspect(|asked| asked.withdrawn.notify_one()).is_some()
    }

    async fn request(&self, frame: Frame, id: Id, method: String) -> End {
        let is_handshake = method == "initialize";
        let withdrawn = Rc::<Notify>::default();
        if self.asked.borrow().len() >= ASKED_MAX {
            self.refuse(&id, "SL905: too many requests have no answer yet").await;
            return End::Done;
        }
        let is_alone = headers::version(&frame).is_some();
        let asked = Asked { method, is_alone, withdrawn: Rc::clone(&withdrawn) };
        self.asked.borrow_mut().insert(id.clone(), asked);
        let end = tokio::select! {
            end = self.answered(&frame, &id) => end,
            () = withdrawn.notified() => End::Done,
        };
        self.asked.borrow_mut().remove(&id);
        if is_handshake && end == End::Done { End::Released } else { end }
    }

    async fn answered(&self, frame: &Frame, id: &Id) -> End {
        match self.open(Method::Post, Some(frame), None).await {
            Ok(reply) => self.hear(reply, id).await,
            Err(fault) => {
                self.note(&format!("the server gave no answer: {}", fault.why));
                if fault.is_sent {
                    self.lost(id).await;
                } else {
                    self.refuse(id, &format!("SL974: the server cannot be reached: {}", fault.code)).await;
                }
                End::Done
            }
        }
    }

    /// Sends what wants no answer.
    async fn tell(&self, frame: Frame, method: String) -> End {
        let taken = tokio::time::timeout(TAKES_WITHIN, self.open(Method::Post, Some(&frame), None)).await;
        match taken {
            Ok(Ok(reply)) if reply.status == 404 && self.session.borrow().is_some() => return End::Over,
            Ok(Ok(reply)) if (200..300).contains(&reply.status) => {
                self.is_ready.set(method == "notifications/initialized");
            }
            Ok(Ok(reply)) => self.note(&format!("the server does not take a notification: HTTP {}", reply.status)),
            Ok(Err(fault)) => self.note(&format!("the server does not take a notification: {}", fault.why)),
            Err(_) => self.note("the server does not take a notification in time"),
        }
        End::Released
    }

    /// Says that a request was not made.
    async fn refuse(&self, id: &Id, why: &str) {
        self.says.send(&reply::error(Some(id), -32_000, why)).await;
    }

    /// Says that nobody knows what became of a request: something under its id that is no answer.
    async fn lost(&self, id: &Id) {
        self.says.send(&format!(r#"{{"jsonrpc":"2.0","id":{}}}"#, id.as_json())).await;
    }

    /// For people.
    #[expect(clippy::unused_self, reason = "notes will carry the server's name")]
    fn note(&self, text: &str) {
        note(text);
    }
}
