//! Standard input that ends when the process is told to end: hosts close the pipe first and send a signal next, and what
//! is under way must be recorded in either case.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// A reader that is at its end once a future is done.
pub(super) struct Until<R> {
    reader: R,
    stop: Pin<Box<dyn Future<Output = ()>>>,
    is_over: bool,
}

impl<R> Until<R> {
    /// Reads from `reader` until `stop`.
    pub(super) fn new(reader: R, stop: impl Future<Output = ()> + 'static) -> Self {
        Self { reader, stop: Box::pin(stop), is_over: false }
    }
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Until<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        this.is_over = this.is_over || this.stop.as_mut().poll(cx).is_ready();
        if this.is_over { Poll::Ready(Ok(&[])) } else { Pin::new(&mut this.reader).poll_fill_buf(cx) }
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        if !this.is_over {
            Pin::new(&mut this.reader).consume(amount);
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Until<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_over { Poll::Ready(Ok(())) } else { Pin::new(&mut this.reader).poll_read(cx, buffer) }
    }
}

/// Done when the process is asked to end.
#[cfg(unix)]
pub(crate) async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => signal.recv().await,
        // Then it ends as it would without us.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        _ = wait(SignalKind::terminate()) => {}
        _ = wait(SignalKind::interrupt()) => {}
        _ = wait(SignalKind::hangup()) => {}
    }
}

/// Done when the process is asked to end.
#[cfg(not(unix))]
pub(crate) async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
