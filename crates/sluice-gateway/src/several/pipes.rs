//! The pipes between the proxy and several servers. A server that does not read, or says nothing, holds up nobody else.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures_util::future::join_all;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, Notify, mpsc};

use super::Upstream;
use super::names::Names;
use super::router::{Router, Step};
use super::said::Lines;
use crate::frame::Frame;
use crate::lines::{self, Line};
use crate::note::note;

/// Most bytes that wait for a server that does not read.
const QUEUED_BYTES_MAX: usize = 32 << 20;

/// What waits to be written to a server.
struct Queue {
    /// `None` once nothing more will be said.
    lines: RefCell<Option<mpsc::UnboundedSender<String>>>,
    bytes: Cell<usize>,
}

struct Pipes<W> {
    router: RefCell<Router>,
    saying: Lines,
    to_agent: Mutex<W>,
    queues: Vec<Queue>,
    /// Tells that what is awaited changed.
    changed: Notify,
    /// Whether the agent has left.
    has_left: Cell<bool>,
}

/// Runs until every server has left.
pub(super) async fn run(
    names: Names,
    saying: Lines,
    (from_agent, to_agent): (impl AsyncBufRead + Unpin, impl AsyncWrite + Unpin),
    upstreams: Vec<Upstream>,
) {
    let (mut queues, mut readers, mut writers) = (Vec::new(), Vec::new(), Vec::new());
    for Upstream { from, to, .. } in upstreams {
        let (lines, queued) = mpsc::unbounded_channel();
        queues.push(Queue { lines: RefCell::new(Some(lines)), bytes: Cell::new(0) });
        readers.push(from);
        writers.push((to, queued));
    }
    let router = RefCell::new(Router::of(names));
    let to_agent = Mutex::new(to_agent);
    let pipes = Pipes { router, saying, to_agent, queues, changed: Notify::new(), has_left: Cell::new(false) };
    let heard = join_all(readers.into_iter().enumerate().map(|(server, from)| pipes.listen_to(server, from)));
    let written =
        join_all(writers.into_iter().enumerate().map(|(server, (to, queued))| pipes.write(server, to, queued)));
    let beside = async {
        tokio::join!(pipes.listen_to_agent(from_agent), written, pipes.watch());
    };
    tokio::select! {
        _ = heard => {}
        () = beside => {}
    }
}

impl<W: AsyncWrite + Unpin> Pipes<W> {
    /// Until the agent has left: then every server is told so by the end of its input.
    async fn listen_to_agent(&self, mut from: impl AsyncBufRead + Unpin) {
        while let Ok(Line::Whole(bytes)) = lines::next(&mut from).await {
            if let Ok(frame) = Frame::read(&bytes) {
                let steps = self.router.borrow_mut().agent_says(&frame, Instant::now());
                self.perform(steps).await;
            }
        }
        self.has_left.set(true);
        self.queues.iter().for_each(|queue| drop(queue.lines.borrow_mut().take()));
    }

    async fn listen_to(&self, server: usize, mut from: impl AsyncBufRead + Unpin) {
        loop {
            // A pipe that breaks is a server that left.
            let steps = match lines::next(&mut from).await.unwrap_or(Line::End) {
                Line::End => break,
                Line::TooLong(stray) => self.router.borrow_mut().unreadable(server, &stray, "it is too long"),
                Line::Whole(bytes) => match Frame::read(&bytes) {
                    Ok(frame) => self.router.borrow_mut().server_says(server, frame),
                    Err(error) => {
                        // Why it is none may quote it, and with it what nobody may see.
                        self.router.borrow_mut().unreadable(server, &error.stray, "it is no message of the protocol")
                    }
                },
            };
            self.perform(steps).await;
        }
        if !self.has_left.get() {
            let connector = self.router.borrow().connector(server);
            note(&format!("SL908: `{connector}` ended; the others go on"));
        }
        let steps = self.router.borrow_mut().server_left(server);
        self.perform(steps).await;
    }

    async fn write(&self, server: usize, mut to: impl AsyncWrite + Unpin, mut queued: mpsc::UnboundedReceiver<String>) {
        while let Some(line) = queued.recv().await {
            // One that does not listen any more has left: its own pump says so.
            if to.write_all(line.as_bytes()).await.is_ok() {
                let _ = to.flush().await;
            }
            if let Some(queue) = self.queues.get(server) {
                queue.bytes.set(queue.bytes.get().saturating_sub(line.len()));
            }
        }
        let _ = to.shutdown().await;
    }

    /// Goes on without those that are late.
    async fn watch(&self) {
        loop {
            let deadline = self.router.borrow().next_deadline();
            let sleep = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {
                    let steps = self.router.borrow_mut().overdue(Instant::now());
                    self.perform(steps).await;
                }
                () = self.changed.notified() => {}
            }
        }
    }

    async fn perform(&self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Note(text) => note(&text),
                Step::ToServer { server, line, id } => {
                    if !self.is_queued(server, line)
                        && let Some(id) = id
                    {
                        let steps = self.router.borrow_mut().not_sent(server, &id);
                        Box::pin(self.perform(steps)).await;
                    }
                }
                Step::ToAgent { line, said } => {
                    let mut to = self.to_agent.lock().await;
                    // In the order in which lines are written, and before they can be read.
                    self.saying.borrow_mut().push_back(said);
                    let line = [line.as_bytes(), b"\n"].concat();
                    // The proxy is gone: then all of this is over.
                    if to.write_all(&line).await.is_ok() {
                        let _ = to.flush().await;
                    }
                }
            }
        }
        self.changed.notify_one();
    }

    /// Whether a line will be written to a server, or it has left anyway.
    fn is_queued(&self, server: usize, line: String) -> bool {
        let Some(queue) = self.queues.get(server) else { return false };
        let bytes = queue.bytes.get().saturating_add(line.len()).saturating_add(1);
        if bytes > QUEUED_BYTES_MAX {
            return false;
        }
        let is_sent = queue.lines.borrow().as_ref().is_some_and(|lines| lines.send(line + "\n").is_ok());
        if is_sent {
            queue.bytes.set(bytes);
        }
        is_sent
    }
}
