//! One session of an agent that speaks HTTP: its requests become lines, and what it is told is put on the stream where it
//! belongs.
//!
//! In the era without sessions several callers may share one of ours, and their ids may be the same. Inside, each request
//! has an id of the gateway's own, and progress is told under it; the caller's own are put back, byte for byte.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use sluice_core::document::Node;
use sluice_core::text::Span;
use tokio::time::{Instant, sleep_until};

use super::outbox::{EAR, Message, Outbox};
use super::pipes::Inbox;
use super::{SUBSCRIPTION_FIELD, one_line};
use crate::frame::{Frame, Id, Kind};
use crate::mirrored::Heads;

/// After how long without a request or anybody who listens a session is over.
const IDLE_FOR: Duration = Duration::from_secs(60 * 60);

/// How the protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// Until 2025-11-25: a session has one agent, which named its requests.
    WithSessions,
    /// From 2026-07-28 on.
    WithoutSessions,
}

/// A session.
pub(super) struct Session {
    era: Era,
    pub(super) inbox: Rc<Inbox>,
    pub(super) outbox: RefCell<Outbox>,
    /// What the heads of calls say, where every request stands alone.
    heads: Heads,
    asked: RefCell<BTreeMap<Id, Asked>>,
    next: Cell<i64>,
    used: Cell<Instant>,
    /// The revision that both sides agreed on.
    version: RefCell<Option<String>>,
}

/// A request without an answer yet.
struct Asked {
    stream: u64,
    /// Whether whoever asked hears more than the answer.
    hears: bool,
    /// Under what progress is told, inside.
    token: Option<Id>,
    /// What the caller called them, as it wrote them.
    caller: Option<Named>,
    is_handshake: bool,
}

#[derive(Clone)]
struct Named {
    id: String,
    token: Option<String>,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another one of its id has no answer yet.
    InUse,
    /// Too many have none.
    TooMany,
    /// The session is over.
    Over,
}

impl Session {
    pub(super) fn new(era: Era) -> Rc<Self> {
        Rc::new(Self {
            era,
            inbox: Rc::default(),
            outbox: RefCell::new(Outbox::new()),
            heads: Heads::default(),
            asked: RefCell::default(),
            next: Cell::new(1),
            used: Cell::new(Instant::now()),
            version: RefCell::default(),
        })
    }

    /// The heads that whoever judges calls is to look at.
    pub(super) fn heads(&self) -> Option<Heads> {
        (self.era == Era::WithoutSessions).then(|| self.heads.clone())
    }

    /// Sends a request on, and gives the stream on which its answer comes.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) async fn ask(self: &Rc<Self>, head: &HeaderMap, frame: &Frame, hears: bool) -> Result<Reader, Refused> {
        self.use_it();
        let Kind::Request { id, method } = &frame.kind else { return Err(Refused::Over) };
        let (id, line, caller) = match self.era {
            Era::WithSessions => (id.clone(), one_line(frame.raw()), None),
            Era::WithoutSessions => self.renamed(frame),
        };
        if self.asked.borrow().contains_key(&id) {
            return Err(Refused::InUse);
        }
        let stream = {
            let mut outbox = self.outbox.borrow_mut();
            let over = if outbox.is_over() { Refused::Over } else { Refused::TooMany };
            outbox.open().ok_or(over)?
        };
        let token = match &caller {
            Some(named) => named.token.as_ref().map(|_| id.clone()),
            None => progress_token(frame, "params").and_then(Id::of),
        };
        let is_handshake = method == "initialize";
        if method == "tools/call" && self.era == Era::WithoutSessions {
            self.heads.keep(&id, head);
        }
        self.asked.borrow_mut().insert(id, Asked { stream, hears, token, caller, is_handshake });
        let reader = self.read(stream, None, self.era == Era::WithSessions).ok_or(Refused::Over)?;
        if self.inbox.send(&line).await { Ok(reader) } else { Err(Refused::Over) }
    }

    /// A request under an id of the gateway's own.
    fn renamed(&self, frame: &Frame) -> (Id, String, Option<Named>) {
        let inner = self.next.replace(self.next.get().saturating_add(1));
        let token = progress_token(frame, "params");
        let id = frame.member("id");
        let edits = id.into_iter().chain(token).map(|node| (node.span, inner.to_string()));
        let line = one_line(&spliced(frame.raw(), edits.collect()));
        let name = |node: &Node| frame.slice(node).to_owned();
        let named = Named { id: id.map(name).unwrap_or_default(), token: token.map(name) };
        (Id::Number(inner), line, Some(named))
    }

    /// Sends on what wants no answer; whether anybody will read it.
    pub(super) async fn tell(&self, frame: &Frame) -> bool {
        self.use_it();
        self.inbox.send(&one_line(frame.raw())).await
    }

    /// Takes back the request that a caller named so.
    pub(super) fn cancel(&self, named: &str) {
        let found = {
            let asked = self.asked.borrow();
            let mut found = asked.iter().filter(|(_, asked)| asked.caller.as_ref().is_some_and(|c| c.id == named));
            match (found.next(), found.next()) {
                (Some((id, _)), None) => Some(id.clone()),
                _ => None,
            }
        };
        if let Some(id) = found {
            self.withdraw(&id);
        }
    }

    fn withdraw(&self, id: &Id) {
        let id = id.as_json();
        self.inbox
            .push(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#));
    }

    /// Reads a stream, after the message of a number if one is given; `None` if there is no such stream.
    pub(super) fn read(self: &Rc<Self>, stream: u64, after: Option<u64>, is_kept: bool) -> Option<Reader> {
        self.use_it();
        let number = self.outbox.borrow_mut().attach(stream, after)?;
        Some(Reader { session: Rc::clone(self), stream, number, is_kept })
    }

    /// What the proxy says to the agent: each message on one stream, and on no other.
    pub(super) fn hears(&self, line: &[u8]) {
        // The proxy says what it has read itself, or made; an error that names no request is nobody's.
        let Ok(frame) = Frame::read(line) else { return };
        match &frame.kind {
            Kind::Response { id, .. } => {
                let Some(asked) = self.asked.borrow_mut().remove(id) else { return };
                if asked.is_handshake {
                    *self.version.borrow_mut() = agreed(&frame);
                }
                self.outbox.borrow_mut().say(asked.stream, put_back(&frame, id, &asked), true);
            }
            Kind::Request { .. } => self.say_beside(&frame, self.latest().unwrap_or(EAR)),
            Kind::Notification { method } => match self.belongs(&frame) {
                Some((id, stream)) if method == "notifications/cancelled" => {
                    self.asked.borrow_mut().remove(&id);
                    self.outbox.borrow_mut().finish(stream);
                }
                Some((id, stream)) => {
                    let text = self.asked.borrow().get(&id).map(|asked| put_back(&frame, &id, asked));
                    self.outbox.borrow_mut().say(stream, text.unwrap_or_default(), false);
                }
                None if self.outbox.borrow().is_heard(EAR) => self.say_beside(&frame, EAR),
                None => self.say_beside(&frame, self.latest().unwrap_or(EAR)),
            },
        }
    }

    fn say_beside(&self, frame: &Frame, stream: u64) {
        self.outbox.borrow_mut().say(stream, one_line(frame.raw()).into(), false);
    }

    /// The request that a notification is about: its progress, its subscription, its end.
    fn belongs(&self, frame: &Frame) -> Option<(Id, u64)> {
        let asked = self.asked.borrow();
        let named = |id: &Id| asked.get(id).filter(|asked| asked.hears).map(|asked| (id.clone(), asked.stream));
        let params = frame.member("params")?;
        if let Some(token) = params.get("progressToken").and_then(Id::of) {
            let mut fit = asked.iter().filter(|(_, asked)| asked.hears && asked.token.as_ref() == Some(&token));
            return fit.next().map(|(id, asked)| (id.clone(), asked.stream));
        }
        if self.era == Era::WithSessions {
            return None;
        }
        let subscription = params.get("_meta").and_then(|meta| meta.get(SUBSCRIPTION_FIELD));
        named(&Id::of(subscription.or_else(|| params.get("requestId"))?)?)
    }

    /// The stream of the latest request whose asker hears what comes before the answer.
    fn latest(&self) -> Option<u64> {
        let outbox = self.outbox.borrow();
        let asked = self.asked.borrow();
        let heard = asked.values().filter(|asked| asked.hears && outbox.is_heard(asked.stream));
        heard.map(|asked| asked.stream).max()
    }

    /// The revision that both sides agreed on.
    pub(super) fn version(&self) -> Option<String> {
        self.version.borrow().clone()
    }

    /// The agent says no more. What is under way comes to its end.
    pub(super) fn close(&self) {
        self.inbox.close();
    }

    /// It is over: nothing more is said.
    pub(super) fn end(&self) {
        self.inbox.close();
        self.outbox.borrow_mut().end();
    }

    pub(super) fn is_over(&self) -> bool {
        self.outbox.borrow().is_over()
    }

    fn use_it(&self) {
        self.used.set(Instant::now());
    }

    /// Done once nobody has used it for long.
    pub(super) async fn idle(&self) {
        loop {
            let until = self.used.get() + IDLE_FOR;
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
            if self.outbox.borrow().has_readers() {
                self.use_it();
            }
        }
    }
}

/// Whoever reads a stream, for as long as it does.
pub(super) struct Reader {
    session: Rc<Session>,
    pub(super) stream: u64,
    number: u64,
    /// Whether somebody may come back for the rest.
    is_kept: bool,
}

impl Reader {
    pub(super) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Message>> {
        self.session.outbox.borrow_mut().poll(self.stream, self.number, cx)
    }

    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// How many messages of the stream were read.
    pub(super) fn position(&self) -> u64 {
        self.session.outbox.borrow().position(self.stream)
    }

    /// Whether somebody may come back for the rest of the stream.
    pub(super) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    pub(super) fn version(&self) -> Option<String> {
        self.session.version()
    }

    /// Nobody comes back: all was told in one piece.
    pub(super) fn forget(mut self) {
        self.is_kept = false;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let is_left = self.session.outbox.borrow_mut().detach(self.stream, self.number, self.is_kept);
        // Where every request stands alone, whoever leaves takes it back.
        if is_left {
            let mut asked = self.session.asked.borrow_mut();
            let id = asked.iter().find(|(_, asked)| asked.stream == self.stream).map(|(id, _)| id.clone());
            if let Some(id) = id {
                asked.remove(&id);
                self.session.withdraw(&id);
            }
        }
    }
}

/// The revision that a server agreed to.
fn agreed(answer: &Frame) -> Option<String> {
    Some(answer.member("result")?.get("protocolVersion")?.as_text()?.to_string())
}

fn progress_token<'a>(frame: &'a Frame, member: &str) -> Option<&'a Node> {
    frame.member(member)?.get("_meta")?.get("progressToken")
}

/// A message with the names that its caller gave.
fn put_back(frame: &Frame, id: &Id, asked: &Asked) -> Bytes {
    let Some(named) = &asked.caller else { return one_line(frame.raw()).into() };
    let params = frame.member("params");
    let subscription = |member: &str| frame.member(member)?.get("_meta")?.get(SUBSCRIPTION_FIELD);
    let own = if matches!(frame.kind, Kind::Response { .. }) { frame.member("id") } else { None };
    let ids = [own, subscription("params"), subscription("result")];
    let token = params.and_then(|params| params.get("progressToken"));
    let ids = ids.into_iter().flatten().map(|node| (node, &named.id));
    let tokens = token.into_iter().filter_map(|node| Some((node, named.token.as_ref()?)));
    let edits = ids.chain(tokens).filter(|(node, _)| Id::of(node).as_ref() == Some(id));
    one_line(&spliced(frame.raw(), edits.map(|(node, text)| (node.span, text.clone())).collect())).into()
}

/// A text with parts of it replaced.
fn spliced(text: &str, mut edits: Vec<(Span, String)>) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    let mut made = String::with_capacity(text.len() + 32);
    let mut at = 0;
    for (span, new) in edits {
        made.push_str(text.get(at..span.start).unwrap_or_default());
        made.push_str(&new);
        at = span.end;
    }
    made.push_str(text.get(at..).unwrap_or_default());
    made
}

/// A future that is polled where it stands.
pub(super) type Beat = Pin<Box<tokio::time::Sleep>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame {
        Frame::read(text.as_bytes()).unwrap()
    }

    async fn heard(reader: &mut Reader) -> String {
        String::from_utf8(reader.next().await.unwrap().text.to_vec()).unwrap()
    }

    const CALL: &str = "{\"jsonrpc\":\"2.0\", \"id\" : \"\\u0061\",\n\"method\":\"tools/call\",\"params\":{\"_meta\":{\"progressToken\":\"t\"},\"name\":\"x\",\"arguments\":{\"id\":\"a\"}}}";

    #[tokio::test]
    async fn requests_of_one_id_are_told_apart_inside_and_get_their_own_names_back() {
        let session = Session::new(Era::WithoutSessions);
        let mut one = session.ask(&HeaderMap::new(), &frame(CALL), true).await.unwrap();
        let mut other = session.ask(&HeaderMap::new(), &frame(CALL), true).await.unwrap();
        session
            .hears(br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2,"progress":1}}"#);
        session.hears(br#"{"jsonrpc":"2.0","id":2,"result":{"id":2}}"#);
        session.hears(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        session.hears(br#"{"jsonrpc":"2.0","id":1,"result":{"again":1}}"#);
        assert_eq!(heard(&mut one).await, r#"{"jsonrpc":"2.0","id":"\u0061","result":{}}"#);
        assert_eq!(
            heard(&mut other).await,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#
        );
        assert_eq!(heard(&mut other).await, r#"{"jsonrpc":"2.0","id":"\u0061","result":{"id":2}}"#);
        assert!(one.next().await.is_none() && other.next().await.is_none());
    }

    #[tokio::test]
    async fn a_subscription_hears_what_is_its_own() {
        let session = Session::new(Era::WithoutSessions);
        let listen = frame(r#"{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{}}"#);
        let mut reader = session.ask(&HeaderMap::new(), &listen, true).await.unwrap();
        let told = |id: u64| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"_meta":{{"{SUBSCRIPTION_FIELD}":{id}}}}}}}"#
            )
        };
        session.hears(told(1).as_bytes());
        assert_eq!(heard(&mut reader).await, told(7));
        session.hears(br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
        assert!(reader.next().await.is_none());
    }

    #[tokio::test]
    async fn what_a_server_says_by_itself_is_on_one_stream_only() {
        let session = Session::new(Era::WithSessions);
        let mut reader = session.ask(&HeaderMap::new(), &frame(CALL), true).await.unwrap();
        assert!(matches!(session.ask(&HeaderMap::new(), &frame(CALL), true).await, Err(Refused::InUse)));
        let (log, asks) = (
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#,
        );
        session.hears(log.as_bytes());
        assert_eq!(heard(&mut reader).await, log, "nobody listens elsewhere");
        let mut ear = session.read(EAR, None, true).unwrap();
        session.hears(log.as_bytes());
        session.hears(asks.as_bytes());
        assert_eq!((heard(&mut ear).await, heard(&mut reader).await), (log.to_owned(), asks.to_owned()));
    }
}
