//! The author's text, and places in it.

use std::sync::Arc;

/// A stretch of the author's text: byte offsets, end exclusive, plus the line and column of both ends.
///
/// Lines and columns count from 1; columns count Unicode scalar values, as editors show them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the character after the last.
    pub end_line: u32,
    /// Column of the character after the last.
    pub end_column: u32,
}

impl Span {
    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        let first = if self.start <= other.start { self } else { other };
        let last = if self.end >= other.end { self } else { other };
        Self { end: last.end, end_line: last.end_line, end_column: last.end_column, ..first }
    }
}

/// A named text, as the author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Where it came from, for people: a path, or `<stdin>`.
    pub name: Arc<str>,
    /// All of it.
    pub content: Arc<str>,
}

impl Text {
    /// Wraps a text under the name that diagnostics show.
    pub fn new(name: impl Into<Arc<str>>, content: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), content: content.into() }
    }

    /// The span of the bytes `start..end`; offsets past the end or inside a character move to the next boundary before them.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        let (line, column) = self.position(start);
        let (end_line, end_column) = self.position(end.max(start));
        Span { start, end: end.max(start), line, column, end_line, end_column }
    }

    /// Line and column of a byte offset.
    fn position(&self, offset: usize) -> (u32, u32) {
        let mut at = offset.min(self.content.len());
        while !self.content.is_char_boundary(at) {
            at -= 1;
        }
        let before = self.content.get(..at).unwrap_or_default();
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// Whether a character takes no place of its own, or moves others: C1 controls, bidirectional marks, joiners, fillers, tags.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = Text::new("t", "a\nšč = 1");
        let span = text.span(7, 8);
        assert_eq!((span.line, span.column), (2, 4));
    }

    #[test]
    fn a_span_grows_to_cover_another() {
        let text = Text::new("t", "one two\nthree");
        let span = text.span(8, 13).to(text.span(0, 3));
        assert_eq!((span.start, span.end, span.end_line), (0, 13, 2));
    }
}
