//! What a service says: one message, or a stream of events, which is asked for again where it broke.

use std::time::Duration;

use sluice_connectors::egress::{EgressStream, Method};

use super::super::parser::Parser;
use super::super::{SESSION_HEADER, one_line};
use super::{End, Line};
use crate::frame::{FRAME_BYTES_MAX, Frame, Id, Kind};
use crate::tools;

/// Longest id of a session.
const SESSION_BYTES_MAX: usize = 1_024;
/// Most bytes of a refusal that are read: it holds one error.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// How often in a row a stream is asked for again that says nothing more.
const TRIES_MAX: u32 = 4;
/// How long to wait before it is, where the server does not say it.
const WAITS: Duration = Duration::from_secs(1);

/// How far a stream came.
enum Heard {
    /// To the answer that was waited for.
    Answer,
    /// It broke off; whether anything came of it, and where it goes on.
    Broken { came: bool, last: Option<String>, retry: Option<Duration> },
    /// It says what nobody may hear.
    Unfit,
}

impl Line<'_> {
    /// The reply to a request.
    pub(super) async fn hear(&self, mut reply: EgressStream, id: &Id) -> End {
        let is_handshake = self.is_asked(id, "initialize");
        match reply.status {
            200..=299 => {}
            404 if self.session.borrow().is_some() && !is_handshake && !self.is_alone(id) => {
                self.note("the server says that the session is over (HTTP 404)");
                return End::Over;
            }
            _ => return self.hear_refusal(reply, id).await,
        }
        if is_handshake {
            let is_fit =
                |id: &&str| !id.is_empty() && id.len() <= SESSION_BYTES_MAX && id.bytes().all(|b| b.is_ascii_graphic());
            *self.session.borrow_mut() = reply.header(SESSION_HEADER).filter(is_fit).map(str::to_owned);
            *self.version.borrow_mut() = None;
        }
        match kind(&reply).as_str() {
            "application/json" => {
                let whole = whole(&mut reply, FRAME_BYTES_MAX).await;
                match whole {
                    Some(whole) if !reply.echoes(&whole) && self.pass(&whole, Some(id)).await => {}
                    _ => self.lost(id).await,
                }
                End::Done
            }
            "text/event-stream" => self.follow(reply, id).await,
            other => {
                self.note(&format!("the server answers a request with HTTP {} and `{other}`", reply.status));
                self.lost(id).await;
                End::Done
            }
        }
    }

    /// What the server refuses. Where it says so in the protocol's own words, they pass; where it failed, nobody knows.
    async fn hear_refusal(&self, mut reply: EgressStream, id: &Id) -> End {
        let status = reply.status;
        let said = whole(&mut reply, REFUSAL_BYTES_MAX).await.filter(|said| !reply.echoes(said));
        let error = said.as_deref().and_then(|said| error_of(said, id));
        match error {
            Some(error) => _ = self.says.send(&error).await,
            None if status < 500 => {
                self.note(&format!("the server refuses a request: HTTP {status}"));
                self.refuse(id, &format!("SL975: the server refused the request: HTTP {status}")).await;
            }
            None => {
                self.note(&format!("the server failed: HTTP {status}"));
                self.lost(id).await;
            }
        }
        End::Done
    }

    /// Reads a stream to the answer of a request. One that breaks is asked for again, as far as the server can.
    async fn follow(&self, mut reply: EgressStream, id: &Id) -> End {
        let (mut tries, mut place) = (0, None);
        loop {
            match self.read(&mut reply, Some(id)).await {
                Heard::Answer => return End::Done,
                Heard::Unfit => break,
                Heard::Broken { came, last, retry } => {
                    tries = if came { 0 } else { tries + 1 };
                    place = last.or(place);
                    let can = place.is_some() && !self.is_alone(id);
                    if !can || tries >= TRIES_MAX {
                        break;
                    }
                    match self.again(place.as_deref(), retry).await {
                        Again::Stream(next) => reply = *next,
                        Again::No => break,
                        Again::Over => return End::Over,
                    }
                }
            }
        }
        self.note("a stream of the server broke off before the answer");
        self.lost(id).await;
        End::Done
    }

    /// Listens to what the server says by itself, if it offers that.
    pub(super) async fn listen(&self) -> End {
        let (mut tries, mut place, mut wait) = (0, None, Some(Duration::ZERO));
        while tries < TRIES_MAX {
            match self.again(place.as_deref(), wait).await {
                Again::Over => return End::Over,
                Again::No if tries == 0 => return End::Done,
                Again::No => tries += 1,
                Again::Stream(mut reply) => match self.read(&mut reply, None).await {
                    Heard::Unfit => return End::Done,
                    Heard::Answer => {}
                    Heard::Broken { came, last, retry } => {
                        tries = if came { 1 } else { tries + 1 };
                        place = last.or(place);
                        wait = retry;
                    }
                },
            }
        }
        End::Done
    }

    async fn again(&self, last: Option<&str>, wait: Option<Duration>) -> Again {
        tokio::time::sleep(wait.unwrap_or(WAITS)).await;
        match self.open(Method::Get, None, last).await {
            Ok(reply) if reply.status == 200 && kind(&reply) == "text/event-stream" => Again::Stream(Box::new(reply)),
            Ok(reply) if reply.status == 404 && self.session.borrow().is_some() => Again::Over,
            Ok(_) | Err(_) => Again::No,
        }
    }

    async fn read(&self, reply: &mut EgressStream, awaited: Option<&Id>) -> Heard {
        let (mut parser, mut came) = (Parser::default(), false);
        loop {
            let Ok(Some(bytes)) = reply.chunk().await else { break };
            let mut found = Vec::new();
            let is_fit = parser.feed(&bytes, &mut found).is_ok();
            for message in found {
                came = true;
                if reply.echoes(&message) {
                    self.note("SL717: the server sent the credential of the request back");
                    return Heard::Unfit;
                }
                if self.pass(&message, awaited).await {
                    return Heard::Answer;
                }
            }
            if !is_fit {
                self.note("the server sent an event that is longer than any message");
                return Heard::Unfit;
            }
        }
        Heard::Broken { came, last: parser.last().map(str::to_owned), retry: parser.retry() }
    }

    /// Passes on a message; whether it is the answer that is waited for. Of one that cannot be read it is said whose answer
    /// it was meant to be.
    async fn pass(&self, message: &[u8], awaited: Option<&Id>) -> bool {
        match Frame::read(message) {
            Ok(frame) => {
                let is_it = matches!(&frame.kind, Kind::Response { id, .. } if Some(id) == awaited);
                if is_it && awaited.is_some_and(|id| self.is_asked(id, "initialize")) {
                    *self.version.borrow_mut() = agreed(&frame);
                }
                if is_it && awaited.is_some_and(|id| self.is_asked(id, "tools/list")) {
                    self.learn(&frame);
                }
                self.says.send(&one_line(frame.raw())).await;
                is_it
            }
            Err(error) => {
                self.note(&format!("the server sent something that cannot be read, and it was dropped: {}", error.why));
                let meant: &[Id] = if error.stray.asks { &[] } else { &error.stray.ids };
                for id in meant {
                    self.lost(id).await;
                }
                awaited.is_some_and(|id| meant.contains(id))
            }
        }
    }

    /// What tools want to see in the head of calls. Of one that says it as nobody can follow no call gets here.
    fn learn(&self, list: &Frame) {
        let mut known = self.mirrored.borrow_mut();
        for tool in tools::page(list).map(|page| page.tools).unwrap_or_default() {
            match tool.mirrored() {
                Ok(mirrored) if !mirrored.is_empty() => _ = known.insert(tool.name, mirrored),
                _ => _ = known.remove(&tool.name),
            }
        }
    }

    fn is_asked(&self, id: &Id, method: &str) -> bool {
        self.asked.borrow().get(id).is_some_and(|asked| asked.method == method)
    }

    fn is_alone(&self, id: &Id) -> bool {
        self.asked.borrow().get(id).is_some_and(|asked| asked.is_alone)
    }
}

/// What comes of asking for a stream again.
enum Again {
    Stream(Box<EgressStream>),
    No,
    Over,
}

/// What a body is, without its parameters.
fn kind(reply: &EgressStream) -> String {
    let shown = reply.header("content-type").unwrap_or_default();
    shown.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The whole body, if it is not too long.
async fn whole(reply: &mut EgressStream, bytes_max: usize) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(bytes) = reply.chunk().await.ok()? {
        if bytes.len() > bytes_max.saturating_sub(all.len()) {
            return None;
        }
        all.extend_from_slice(&bytes);
    }
    Some(all)
}

fn agreed(answer: &Frame) -> Option<String> {
    let version = answer.member("result")?.get("protocolVersion")?.as_text()?;
    // It is shown in a header from now on.
    version.bytes().all(|byte| byte.is_ascii_graphic()).then(|| version.to_string())
}

/// The error that a refusal holds, under the id of the request that it refuses: servers that did not read so far say none.
fn error_of(said: &[u8], id: &Id) -> Option<String> {
    if let Ok(frame) = Frame::read(said) {
        let is_its = matches!(&frame.kind, Kind::Response { id: to, is_error: true } if to == id);
        return is_its.then(|| one_line(frame.raw()));
    }
    let json: serde_json::Value = serde_json::from_slice(said).ok()?;
    let error = json.get("error").filter(|_| json.get("id").is_none_or(serde_json::Value::is_null))?;
    error.get("code")?.as_i64()?;
    error.get("message")?.as_str()?;
    Some(format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.as_json()))
}
