//! What is said to an agent: streams of messages, each kept until it was read, and some of it longer, for whoever loses
//! their connection in the middle.
//!
//! Nothing here grows without bound. Where somebody reads, whoever says more than they take must wait; where nobody does,
//! the oldest is forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// The stream of what a server says by itself.
pub(super) const EAR: u64 = 0;
/// Most streams of a session: answers that are awaited, or that somebody may come back for.
const STREAMS_MAX: usize = 1_000;
/// From how many bytes and messages on that nobody has read nothing more is taken.
const UNREAD_BYTES_MAX: usize = 4 << 20;
const UNREAD_MAX: usize = 1_000;
/// How much of what was read is kept for somebody who lost it.
const READ_BYTES_MAX: usize = 1 << 20;
const READ_MAX: u64 = 100;
/// How many streams that are over are kept.
const ENDED_MAX: usize = 16;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Its number in the stream, from 1 on.
    pub(super) number: u64,
    pub(super) text: Bytes,
    /// Whether it is the answer, after which there is nothing.
    pub(super) is_last: bool,
}

/// Every stream of a session.
pub(super) struct Outbox {
    streams: BTreeMap<u64, Stream>,
    next: u64,
    readers: u64,
    is_over: bool,
    writer: Option<Waker>,
}

#[derive(Default)]
struct Stream {
    kept: VecDeque<Bytes>,
    /// How many messages came before those that are kept.
    gone: u64,
    /// How many were read.
    read: u64,
    unread_bytes: usize,
    read_bytes: usize,
    is_done: bool,
    reader: Option<u64>,
    waker: Option<Waker>,
}

impl Outbox {
    pub(super) fn new() -> Self {
        let streams = [(EAR, Stream::default())].into();
        Self { streams, next: EAR + 1, readers: 0, is_over: false, writer: None }
    }

    /// A stream for an answer; `None` if there are too many, or it is over.
    pub(super) fn open(&mut self) -> Option<u64> {
        if self.is_over || self.streams.len() >= STREAMS_MAX {
            return None;
        }
        let stream = self.next;
        self.next += 1;
        self.streams.insert(stream, Stream::default());
        Some(stream)
    }

    /// Says something on a stream.
    pub(super) fn say(&mut self, stream: u64, text: Bytes, is_last: bool) {
        let Some(stream) = self.streams.get_mut(&stream).filter(|stream| !stream.is_done) else { return };
        stream.unread_bytes += text.len();
        stream.kept.push_back(text);
        stream.is_done = is_last;
        stream.shed();
        stream.wake();
    }

    /// Nothing more comes on a stream.
    pub(super) fn finish(&mut self, stream: u64) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.is_done = true;
            stream.wake();
        }
    }

    /// Whether somebody reads a stream.
    pub(super) fn is_heard(&self, stream: u64) -> bool {
        self.streams.get(&stream).is_some_and(|stream| stream.reader.is_some())
    }

    /// Whether anybody reads any.
    pub(super) fn has_readers(&self) -> bool {
        self.streams.values().any(|stream| stream.reader.is_some())
    }

    /// Begins to read a stream, after the message of a number if one is given. Whoever read it before is at its end: their
    /// connection is lost, or they would get half of it each.
    pub(super) fn attach(&mut self, stream: u64, after: Option<u64>) -> Option<u64> {
        let stream = self.streams.get_mut(&stream)?;
        self.readers += 1;
        stream.wake();
        stream.reader = Some(self.readers);
        if let Some(after) = after {
            stream.rewind(after);
        }
        Some(self.readers)
    }

    /// Where a stream stands: how many of its messages were read.
    pub(super) fn position(&self, stream: u64) -> u64 {
        self.streams.get(&stream).map_or(0, |stream| stream.read)
    }

    /// Nobody reads it any more. One that nobody can come back for is forgotten; whether it was, and had no answer yet.
    pub(super) fn detach(&mut self, stream: u64, reader: u64, is_kept: bool) -> bool {
        let Some(found) = self.streams.get_mut(&stream).filter(|found| found.reader == Some(reader)) else {
            return false;
        };
        (found.reader, found.waker) = (None, None);
        let is_unanswered = !found.is_done;
        found.shed();
        if !is_kept && stream != EAR {
            self.streams.remove(&stream);
        }
        self.forget_ended();
        self.wake_writer();
        is_unanswered && !is_kept
    }

    /// The next message of a stream.
    pub(super) fn poll(&mut self, stream: u64, reader: u64, cx: &Context<'_>) -> Poll<Option<Message>> {
        let is_over = self.is_over;
        let Some(stream) = self.streams.get_mut(&stream).filter(|stream| stream.reader == Some(reader)) else {
            return Poll::Ready(None);
        };
        match stream.take() {
            Some(message) => {
                self.wake_writer();
                Poll::Ready(Some(message))
            }
            None if stream.is_done || is_over => Poll::Ready(None),
            None => {
                stream.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Ready once whoever reads has taken enough of what was said.
    pub(super) fn poll_room(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.is_over || !self.streams.values().any(Stream::is_full) {
            return Poll::Ready(());
        }
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Those who read and take nothing hold everybody else up: their streams are cut.
    pub(super) fn cut_stalled(&mut self) {
        for stream in self.streams.values_mut().filter(|stream| stream.is_full()) {
            stream.reader = None;
            stream.wake();
            stream.shed();
        }
    }

    /// Nothing more is said.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.streams.values_mut().for_each(Stream::wake);
        self.wake_writer();
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    fn forget_ended(&mut self) {
        let ended = self.streams.iter().filter(|(_, stream)| stream.is_done && stream.reader.is_none());
        let ended: Vec<u64> = ended.map(|(key, _)| *key).collect();
        let spare = ended.len().saturating_sub(ENDED_MAX);
        for key in ended.iter().take(spare) {
            self.streams.remove(key);
        }
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

impl Stream {
    fn unread(&self) -> usize {
        let read = usize::try_from(self.read - self.gone).unwrap_or(usize::MAX);
        self.kept.len().saturating_sub(read)
    }

    fn is_over_full(&self) -> bool {
        self.unread_bytes > UNREAD_BYTES_MAX || self.unread() > UNREAD_MAX
    }

    fn is_full(&self) -> bool {
        self.reader.is_some() && self.is_over_full()
    }

    fn take(&mut self) -> Option<Message> {
        let at = usize::try_from(self.read - self.gone).ok()?;
        let text = self.kept.get(at)?.clone();
        self.read += 1;
        self.unread_bytes -= text.len();
        self.read_bytes += text.len();
        let is_last = self.is_done && self.unread() == 0;
        // The latest stays however long it is: it may be on its way still.
        while self.read - self.gone > 1 && (self.read_bytes > READ_BYTES_MAX || self.read - self.gone > READ_MAX) {
            self.drop_first();
        }
        Some(Message { number: self.read, text, is_last })
    }

    /// Where nobody reads, the oldest is forgotten; the latest stays.
    fn shed(&mut self) {
        while self.reader.is_none() && self.is_over_full() && self.unread() > 1 {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some(text) = self.kept.pop_front() else { return };
        if self.gone < self.read {
            self.read_bytes -= text.len();
        } else {
            self.unread_bytes -= text.len();
            self.read += 1;
        }
        self.gone += 1;
    }

    /// As if only the first `after` messages had been read, as far as the others are kept.
    fn rewind(&mut self, after: u64) {
        let end = self.gone + self.kept.len() as u64;
        self.read = after.clamp(self.gone, end);
        let read = usize::try_from(self.read - self.gone).unwrap_or(usize::MAX);
        self.read_bytes = self.kept.iter().take(read).map(Bytes::len).sum();
        self.unread_bytes = self.kept.iter().skip(read).map(Bytes::len).sum();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: Poll<Option<Message>>) -> Option<String> {
        match message {
            Poll::Ready(Some(message)) => Some(String::from_utf8(message.text.to_vec()).unwrap()),
            Poll::Ready(None) => Some("end".to_owned()),
            Poll::Pending => None,
        }
    }

    fn next(outbox: &mut Outbox, stream: u64, reader: u64) -> Option<String> {
        text(outbox.poll(stream, reader, &Context::from_waker(Waker::noop())))
    }

    #[test]
    fn a_stream_is_read_in_order_to_its_answer_and_again_from_where_it_broke() {
        let mut outbox = Outbox::new();
        let stream = outbox.open().unwrap();
        let reader = outbox.attach(stream, None).unwrap();
        assert_eq!(next(&mut outbox, stream, reader), None);
        for (word, is_last) in [("a", false), ("b", false), ("c", true), ("d", true)] {
            outbox.say(stream, word.into(), is_last);
        }
        assert_eq!(next(&mut outbox, stream, reader).unwrap(), "a");
        assert_eq!(next(&mut outbox, stream, reader).unwrap(), "b");
        assert!(!outbox.detach(stream, reader, true), "somebody may come back");
        let again = outbox.attach(stream, Some(1)).unwrap();
        assert_eq!(next(&mut outbox, stream, reader).unwrap(), "end", "who was there before hears nothing more");
        let rest: Vec<_> = std::iter::repeat_with(|| next(&mut outbox, stream, again).unwrap()).take(3).collect();
        assert_eq!(rest, ["b", "c", "end"]);
    }

    #[test]
    fn where_nobody_reads_the_oldest_goes_and_where_somebody_does_the_writer_waits() {
        let mut outbox = Outbox::new();
        let cx = Context::from_waker(Waker::noop());
        (0..UNREAD_MAX + 5).for_each(|number| outbox.say(EAR, number.to_string().into(), false));
        assert!(outbox.poll_room(&cx).is_ready());
        let reader = outbox.attach(EAR, None).unwrap();
        assert_eq!(next(&mut outbox, EAR, reader).unwrap(), "5");
        let large = Bytes::from(vec![b'x'; UNREAD_BYTES_MAX]);
        outbox.say(EAR, large, false);
        assert!(outbox.poll_room(&cx).is_pending());
        outbox.cut_stalled();
        assert!(outbox.poll_room(&cx).is_ready());
        assert_eq!(next(&mut outbox, EAR, reader).unwrap(), "end");
    }

    #[test]
    fn what_nobody_can_come_back_for_is_forgotten_and_the_rest_is_bounded() {
        let mut outbox = Outbox::new();
        let stream = outbox.open().unwrap();
        let reader = outbox.attach(stream, None).unwrap();
        assert!(outbox.detach(stream, reader, false), "an answer that nobody waits for");
        assert_eq!(outbox.attach(stream, None), None);
        for _ in 0..100 {
            let stream = outbox.open().unwrap();
            let reader = outbox.attach(stream, None).unwrap();
            outbox.say(stream, "x".into(), true);
            outbox.detach(stream, reader, true);
        }
        assert_eq!(outbox.streams.len(), 1 + ENDED_MAX);
        while outbox.open().is_some() {}
        assert_eq!(outbox.streams.len(), STREAMS_MAX);
        outbox.end();
        assert_eq!(outbox.open(), None);
    }
}
