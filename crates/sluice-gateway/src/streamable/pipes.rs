//! Pipes of lines: of what requests bring, and of what becomes events or requests.

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
    writer: Option<Waker>,
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
        if let Some(writer) = lines.writer.take() {
            writer.wake();
        }
        self.room.notify_waiters();
    }

    /// The next line, with its end; `None` once no more come.
    pub(super) async fn next(&self) -> Option<Bytes> {
        std::future::poll_fn(|cx| self.poll_line(cx)).await
    }

    fn poll_line(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut lines = self.lines.borrow_mut();
        if let Some(line) = lines.waiting.pop_front() {
            self.room.notify_one();
            if let Some(writer) = lines.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Some(line));
        }
        if lines.is_closed {
            return Poll::Ready(None);
        }
        lines.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_room(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut lines = self.lines.borrow_mut();
        if lines.is_closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if lines.waiting.len() < LINES_MAX {
            return Poll::Ready(Ok(()));
        }
        lines.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The end of a pipe where lines are read. Once nobody reads, nobody need write.
pub(super) struct LinesOut {
    lines: Rc<Inbox>,
    line: Bytes,
}

impl LinesOut {
    pub(super) const fn of(lines: Rc<Inbox>) -> Self {
        Self { lines, line: Bytes::new() }
    }
}

impl Drop for LinesOut {
    fn drop(&mut self) {
        self.lines.close();
    }
}

impl AsyncBufRead for LinesOut {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.line.is_empty() {
            this.line = std::task::ready!(this.lines.poll_line(cx)).unwrap_or_default();
        }
        Poll::Ready(Ok(&this.line))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let line = &mut self.get_mut().line;
        line.advance(amount.min(line.len()));
    }
}

impl AsyncRead for LinesOut {
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

/// The end of a pipe where lines are written.
pub(super) struct LinesIn {
    lines: Rc<Inbox>,
    line: Vec<u8>,
}

impl LinesIn {
    pub(super) const fn of(lines: Rc<Inbox>) -> Self {
        Self { lines, line: Vec::new() }
    }
}

impl Drop for LinesIn {
    fn drop(&mut self) {
        self.lines.close();
    }
}

impl AsyncWrite for LinesIn {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        std::task::ready!(this.lines.poll_room(cx))?;
        // Up to the end of one line: there may be no room for the next.
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        this.line.extend_from_slice(part);
        if end.is_some() {
            // The proxy writes what it has read, and that is text.
            this.lines.push(std::str::from_utf8(&std::mem::take(&mut this.line)).unwrap_or_default());
        }
        Poll::Ready(Ok(part.len() + usize::from(end.is_some())))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lines.close();
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
