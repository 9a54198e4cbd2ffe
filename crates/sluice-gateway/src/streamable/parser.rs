//! Server-sent events, as a server tells them: read strictly, and no more at once than one message may be.
//!
//! Source: HTML, 9.2.6 (interpreting an event stream).

use std::time::Duration;

use crate::frame::FRAME_BYTES_MAX;

/// Longest id of an event: it is sent back in a header.
const ID_BYTES_MAX: usize = 1_024;
/// The shortest and the longest that a server may have us wait before its stream is asked for again.
const RETRY_MS: std::ops::RangeInclusive<u64> = 100..=30_000;

/// Reads a stream piece by piece.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_message: Option<bool>,
    /// Whether the last byte ended a line and a line feed after it belongs to that end.
    after_return: bool,
    is_begun: bool,
    id: Option<String>,
    /// Where to go on if it breaks: the id of the last event that was whole.
    last: Option<String>,
    retry: Option<Duration>,
}

/// A line or an event is longer than any message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Parser {
    /// Reads on; whole messages are put into `found`.
    ///
    /// # Errors
    /// [`TooLong`]: nothing more of it can be read.
    pub(super) fn feed(&mut self, bytes: &[u8], found: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        for byte in bytes {
            let is_rest = std::mem::take(&mut self.after_return) && *byte == b'\n';
            match byte {
                _ if is_rest => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    found.extend(self.line(&line)?);
                }
                _ if self.line.len() > FRAME_BYTES_MAX => return Err(TooLong),
                _ => self.line.push(*byte),
            }
        }
        Ok(())
    }

    /// Where to go on if it breaks.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// How long to wait before it is asked for again.
    pub(super) const fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Vec<u8>>, TooLong> {
        // The mark of the byte order may stand before all of it.
        let line = if self.is_begun { line } else { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) };
        self.is_begun = true;
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.data.len() + value.len() > FRAME_BYTES_MAX {
                    return Err(TooLong);
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => self.is_message = Some(value == b"message" || value.is_empty()),
            b"id" => {
                let id = std::str::from_utf8(value).ok();
                self.id = id
                    .filter(|id| id.len() <= ID_BYTES_MAX && id.bytes().all(|b| (0x20..0x7f).contains(&b)))
                    .map(str::to_owned);
            }
            b"retry" => {
                let ms = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
                self.retry = ms.map(|ms| Duration::from_millis(ms.clamp(*RETRY_MS.start(), *RETRY_MS.end())));
            }
            _ => {}
        }
        Ok(None)
    }

    /// An event is whole. One without data only says where to go on; one of another kind is no message.
    fn dispatch(&mut self) -> Option<Vec<u8>> {
        if let Some(id) = self.id.take() {
            self.last = Some(id).filter(|id| !id.is_empty());
        }
        self.has_data = false;
        let data = std::mem::take(&mut self.data);
        (self.is_message.take().unwrap_or(true) && !data.is_empty()).then_some(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], piece: usize) -> (Vec<String>, Parser) {
        let (mut parser, mut found) = (Parser::default(), Vec::new());
        stream.chunks(piece).for_each(|piece| parser.feed(piece, &mut found).unwrap());
        (found.into_iter().map(|data| String::from_utf8(data).unwrap()).collect(), parser)
    }

    #[test]
    fn messages_are_the_same_however_lines_end_and_pieces_are_cut() {
        let stream = "\u{feff}: hello\nid: 1\ndata:\n\nevent: message\nid:2\ndata: {\ndata:  \"a\":1}\n\nevent: endpoint\ndata: x\n\n\n\nretry: 5\nid: a\0b\nnothing\ndata\n\ndata: {}\n\ndata: half\n";
        for ends in ["\n", "\r\n", "\r"] {
            let stream = stream.replace('\n', ends);
            for piece in [1, 2, 3, 7, stream.len()] {
                let (found, parser) = read(stream.as_bytes(), piece);
                assert_eq!(found, ["{\n \"a\":1}", "{}"], "{ends:?} {piece}");
                assert_eq!((parser.last(), parser.retry()), (Some("2"), Some(Duration::from_millis(100))));
            }
        }
    }

    #[test]
    fn what_no_message_can_be_is_not_kept() {
        let mut parser = Parser::default();
        let part = vec![b'x'; 1 << 20];
        let mut found = Vec::new();
        assert!((0..32).any(|_| parser.feed(&part, &mut found) == Err(TooLong)));
        let mut parser = Parser::default();
        let line = [b"data: ", part.as_slice(), b"\n"].concat();
        assert!((0..32).any(|_| parser.feed(&line, &mut found) == Err(TooLong)));
        assert!(found.is_empty());
    }
}
