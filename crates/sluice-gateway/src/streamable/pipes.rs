//! The pipes of a session: lines that requests bring, and lines that become events.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use super::session::Session;

/// Lines that are taken before the first of them is read.
const LINES_MAX: usize = 8;
/// How long everybody may wait for one who reads a stream and takes nothing of it.
const STALLS_FOR: Duration = Duration::from_secs(10);

/// Lines on their way to whoever reads them.
#[derive(Default)]
pub(super) struct Inbox {
    lines: RefCell<Lines>,
    room: Notify,
}

#[derive(Default)]
struct Lines {
    waiting: VecDeque<Bytes>,
    is_closed: bool,
    reader: Option<Waker>,
}

impl Inbox {
    /// Sends a line, once there is room for it; whether anybody will read it.
    pub(super) async fn send(&self, line: &str) -> bool {
        while self.lines.borrow().waiting.len() >= LINES_MAX && !self.lines.borrow().is_closed {
            self.room.notified().await;
        }
        self.push(line)
    }

    /// Sends a line whether there is room or not: for those of which there are few.
    pub(super) fn push(&self, line: &str) -> bool {
        let mut lines = self.lines.borrow_mut();
        if lines.is_closed {
            return false;
        }
        lines.waiting.push_back(Bytes::from([line.as_bytes(), b"\n"].concat()));
        if let Some(reader) = lines.reader.take() {
            reader.wake();
        }
        true
    }

    /// No more lines come.
    pub(super) fn close(&self) {
        let mut lines = self.lines.borrow_mut();
        lines.is_closed = true;
        if let Some(reader) = lines.reader.take() {
            reader.wake();
        }
        self.room.notify_waiters();
    }

    fn poll_line(&self, cx: &Context<'_>) -> Poll<Bytes> {
        let mut lines = self.lines.borrow_mut();
        if let Some(line) = lines.waiting.pop_front() {
            self.room.notify_one();
            return Poll::Ready(line);
        }
        if lines.is_closed {
            return Poll::Ready(Bytes::new());
        }
        lines.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// What an agent says, as the proxy reads it.
pub(super) struct FromAgent {
    session: Rc<Session>,
    line: Bytes,
}

impl FromAgent {
    pub(super) const fn of(session: Rc<Session>) -> Self {
        Self { session, line: Bytes::new() }
    }
}

impl AsyncBufRead for FromAgent {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.line.is_empty() {
            this.line = std::task::ready!(this.session.inbox.poll_line(cx));
        }
        Poll::Ready(Ok(&this.line))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let line = &mut self.get_mut().line;
        line.advance(amount.min(line.len()));
    }
}

impl AsyncRead for FromAgent {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = {
            let line = std::task::ready!(self.as_mut().poll_fill_buf(cx))?;
            let part = line.get(..line.len().min(buffer.remaining())).unwrap_or_default();
            buffer.put_slice(part);
            part.len()
        };
        self.consume(read);
        Poll::Ready(Ok(()))
    }
}

/// What an agent is told, as the proxy writes it.
pub(super) struct ToAgent {
    session: Rc<Session>,
    line: Vec<u8>,
    /// Since when nothing more is taken of it.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl ToAgent {
    pub(super) const fn of(session: Rc<Session>) -> Self {
        Self { session, line: Vec::new(), stalled: None }
    }
}

impl AsyncWrite for ToAgent {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        while this.session.outbox.borrow_mut().poll_room(cx).is_pending() {
            let stalled = this.stalled.get_or_insert_with(|| Box::pin(sleep(STALLS_FOR)));
            std::task::ready!(stalled.as_mut().poll(cx));
            this.session.outbox.borrow_mut().cut_stalled();
        }
        this.stalled = None;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                None => this.line.extend_from_slice(part),
                Some(rest) => {
                    this.line.extend_from_slice(rest);
                    this.session.hears(&std::mem::take(&mut this.line));
                }
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
