//! Lines of bounded length: how messages are separated on standard input and output.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use crate::frame::FRAME_BYTES_MAX;
use crate::stray::{Scan, Stray};

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// A longer one than [`FRAME_BYTES_MAX`]; all of it was passed over.
    TooLong(Stray),
    /// There is nothing more.
    End,
}

/// Reads the next line that is not blank.
///
/// # Errors
/// The pipe's own.
pub async fn next(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Line> {
    loop {
        match read(from).await? {
            Line::Whole(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {}
            line => return Ok(line),
        }
    }
}

async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut too_long: Option<Scan> = None;
    loop {
        let (taken, is_over) = {
            let buffer = from.fill_buf().await?;
            if buffer.is_empty() {
                // Half a line is no message: its sender died in the middle of it.
                return Ok(Line::End);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            if let Some(scan) = &mut too_long {
                scan.feed(part);
            } else {
                line.extend_from_slice(part);
            }
            if line.len() > FRAME_BYTES_MAX {
                too_long.get_or_insert_default().feed(&std::mem::take(&mut line));
            }
            (part.len().saturating_add(usize::from(end.is_some())), end.is_some())
        };
        from.consume(taken);
        if is_over {
            return Ok(too_long.map_or(Line::Whole(line), |scan| Line::TooLong(scan.end())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Id;

    async fn all(bytes: &[u8]) -> Vec<Line> {
        let mut from = tokio::io::BufReader::with_capacity(7, bytes);
        let mut lines = Vec::new();
        loop {
            match next(&mut from).await.unwrap() {
                Line::End => return lines,
                line => lines.push(line),
            }
        }
    }

    #[tokio::test]
    async fn lines_come_whole_blank_ones_not_at_all_and_half_ones_never() {
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(
            all(b"one\n\n \r\nlonger than the buffer\nhalf").await,
            [whole("one"), whole("longer than the buffer")]
        );
        let long = [br#"{"result":""#.to_vec(), vec![b'x'; FRAME_BYTES_MAX], b"\",\"id\":5}\nnext\n".to_vec()].concat();
        let meant = Stray { ids: vec![Id::Number(5)], asks: false };
        assert_eq!(all(&long).await, [Line::TooLong(meant), whole("next")]);
    }
}
