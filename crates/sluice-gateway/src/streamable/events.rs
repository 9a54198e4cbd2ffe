//! Server-sent events, as an agent is told them.
//!
//! Source: HTML, 9.2 (server-sent events).

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, sleep};

use super::PRIMES;
use super::outbox::Message;
use super::session::{Beat, Reader};

/// How often something is said on a stream on which nothing happens: whoever stands between closes what is silent.
const BEATS_EVERY: Duration = Duration::from_secs(15);

/// A stream of messages as the body of an answer.
pub(crate) struct Events {
    reader: Reader,
    /// What was read of it already.
    first: Option<Message>,
    is_begun: bool,
    beat: Beat,
}

impl Events {
    pub(super) fn of(reader: Reader, first: Option<Message>) -> Self {
        Self { reader, first, is_begun: false, beat: Box::pin(sleep(BEATS_EVERY)) }
    }

    /// The first bytes: where to resume, for those who know what an event without data is.
    fn beginning(&self) -> Bytes {
        let knows = self.reader.version().is_some_and(|version| version.as_str() >= PRIMES);
        let read = self.reader.position() - u64::from(self.first.is_some());
        if self.reader.is_kept() && knows {
            format!("id: {}-{read}\ndata: \n\n", self.reader.stream).into()
        } else {
            Bytes::from_static(b":\n\n")
        }
    }

    fn event(&self, message: &Message) -> Bytes {
        let id = if self.reader.is_kept() {
            format!("id: {}-{}\n", self.reader.stream, message.number)
        } else {
            String::new()
        };
        [b"event: message\n", id.as_bytes(), b"data: ", &message.text, b"\n\n"].concat().into()
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let told = |bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        if !std::mem::replace(&mut this.is_begun, true) {
            return told(this.beginning());
        }
        if let Some(first) = this.first.take() {
            return told(this.event(&first));
        }
        match this.reader.poll_next(cx) {
            Poll::Ready(Some(message)) => {
                this.beat.as_mut().reset(Instant::now() + BEATS_EVERY);
                told(this.event(&message))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                std::task::ready!(this.beat.as_mut().poll(cx));
                this.beat.as_mut().reset(Instant::now() + BEATS_EVERY);
                told(Bytes::from_static(b":\n\n"))
            }
        }
    }
}

/// What an id of an event says: the stream, and how many of its messages came until then.
pub(super) fn place(id: &str) -> Option<(u64, u64)> {
    let (stream, number) = id.split_once('-')?;
    Some((stream.parse().ok()?, number.parse().ok()?))
}
