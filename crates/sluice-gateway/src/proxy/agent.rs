//! What an agent says: read ahead, answered at once where it can be, and otherwise in its order.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::sync::mpsc;

use super::ladder::HeldCall;
use super::{
    ENDED, INVALID_REQUEST, LISTS_WITHIN, METHOD_NOT_FOUND, PARSE_ERROR, Proxy, ProxyError, QUEUED_MAX, SERVER_ERROR,
    words,
};
use crate::frame::{Frame, Id, Kind};
use crate::lines::{self, Line};
use crate::pending::Awaited;
use crate::reply;
use crate::stray::Stray;

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    /// Reads on while calls are decided: the agent's answers to the server, and what it withdraws, must not wait behind
    /// them.
    pub(super) async fn serve_agent(&self, from: impl AsyncBufRead + Unpin) -> Result<(), ProxyError> {
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

    pub(super) async fn listen_to_agent(
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
    pub(super) async fn refuse(&self, stray: &Stray, code: i64, why: &str) -> Result<(), ProxyError> {
        let id = match stray.ids.as_slice() {
            [id] if stray.asks && !self.is_in_use(id) => Some(id),
            _ => None,
        };
        self.tell_agent(&reply::error(id, code, why)).await
    }

    pub(super) fn is_in_use(&self, id: &Id) -> bool {
        id.is_own() || self.waiting.borrow().contains_key(id) || self.asked.borrow().is_open(id)
    }

    /// What need not wait for what the agent said before.
    pub(super) async fn is_done_at_once(&self, frame: &Frame) -> Result<bool, ProxyError> {
        match &frame.kind {
            Kind::Response { id, .. } => {
                if self.ladder.hears(id, frame) {
                    return Ok(true);
                }
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

    pub(super) async fn work(&self, mut queued: mpsc::Receiver<Frame>) -> Result<(), ProxyError> {
        let mut held = FuturesUnordered::new();
        loop {
            let frame = tokio::select! {
                Some(ended) = held.next() => {
                    ended?;
                    continue;
                }
                frame = queued.recv() => frame,
            };
            let Some(frame) = frame else { return Ok(()) };
            let mut doing = std::pin::pin!(self.deal_with(frame));
            let waits = loop {
                tokio::select! {
                    // What waits may hold a pipe or the session, and must go on to let go of it.
                    Some(ended) = held.next() => ended?,
                    done = &mut doing => break done?,
                }
            };
            held.extend(waits.map(|call| self.wait(call)));
        }
    }

    /// Deals with one message, and gives the call that now waits for a person: it lets nothing else wait.
    async fn deal_with(&self, frame: Frame) -> Result<Option<HeldCall>, ProxyError> {
        match frame.kind.clone() {
            Kind::Request { id, method } => {
                if !self.is_withdrawn(&id) {
                    self.request(frame, id.clone(), &method).await?;
                }
                let held = self.ladder.held.borrow_mut().pop();
                // A task is an answer: nothing waits under its request's id any more.
                if held.as_ref().is_none_or(|held| held.task.is_some()) {
                    self.waiting.borrow_mut().remove(&id);
                }
                return Ok(held);
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
        Ok(None)
    }

    pub(super) fn is_withdrawn(&self, id: &Id) -> bool {
        self.waiting.borrow().get(id).copied().unwrap_or_default()
    }

    pub(super) async fn request(&self, frame: Frame, id: Id, method: &str) -> Result<(), ProxyError> {
        if method == "initialize" {
            self.ladder.greets(&frame);
        }
        if method == "tools/call" {
            return self.call(frame, id).await;
        }
        if matches!(method, "resources/read" | "prompts/get") {
            return self.read(frame, id, method).await;
        }
        if method.starts_with("tasks/") && self.asks_about_task(&frame, &id, method).await? {
            return Ok(());
        }
        match words::awaited(method) {
            Some(awaited) => self.forward(&frame, id, awaited).await,
            // What the protocol does not know a server may take for anything, a call too.
            None => self.tell_agent(&reply::error(Some(&id), METHOD_NOT_FOUND, "Method not found")).await,
        }
    }

    /// Sends on what the server is to answer. What cannot be sent is answered here.
    pub(super) async fn forward(&self, frame: &Frame, id: Id, awaited: Awaited) -> Result<(), ProxyError> {
        if self.has_left.get() {
            return self.unanswered(&id, awaited, ENDED).await;
        }
        let opened = self.asked.borrow_mut().open(id.clone(), awaited);
        match opened {
            Ok(()) => self.tell_server(frame.raw()).await,
            Err(_) => self.too_many(&id).await,
        }
    }

    pub(super) async fn too_many(&self, id: &Id) -> Result<(), ProxyError> {
        self.tell_agent(&reply::error(Some(id), SERVER_ERROR, "SL905: too many requests have no answer yet")).await
    }
}

/// The request that a notification takes back.
pub(super) fn withdrawn(method: &str, frame: &Frame) -> Option<Id> {
    let params = if method == "notifications/cancelled" { frame.member("params") } else { None };
    Id::of(params?.get("requestId")?)
}
