//! Places inside a text of a JSON document: what stands between the quotes is escaped in the file.

use std::cell::RefCell;

use sluice_core::text::{Span, Text};

/// Bytes of the unescaped text between two marks: a program has thousands of places, and is not walked from its start for each.
const BETWEEN_MARKS: usize = 24;

/// Maps byte offsets of an unescaped text to spans of the file.
#[derive(Clone, Debug)]
pub(crate) struct Locator<'t> {
    /// The scalar in the file, quotes included.
    span: Span,
    raw: &'t str,
    start: Point,
    /// Points of the text behind it, [`BETWEEN_MARKS`] apart, as far as anybody asked.
    marks: RefCell<Vec<Point>>,
}

/// A point of a text, before a character.
#[derive(Clone, Copy, Debug)]
struct Point {
    raw: usize,
    plain: usize,
    line: u32,
    column: u32,
}

impl<'t> Locator<'t> {
    /// For the scalar at `span`.
    pub(crate) fn new(text: &'t Text, span: Span) -> Self {
        let raw = text.content.get(span.start..span.end).unwrap_or_default();
        let quoted = raw.starts_with('"');
        let start = Point {
            raw: usize::from(quoted),
            plain: 0,
            line: span.line,
            column: span.column.saturating_add(u32::from(quoted)),
        };
        Self { span, raw, start, marks: RefCell::default() }
    }

    /// The span of bytes `start..end` of the unescaped text.
    pub(crate) fn at(&self, start: usize, end: usize) -> Span {
        let (first, last) = (self.position(start), self.position(end.max(start)));
        Span {
            start: self.span.start + first.raw,
            end: self.span.start + last.raw,
            line: first.line,
            column: first.column,
            end_line: last.line,
            end_column: last.column,
        }
    }

    /// The first point at an unescaped offset, or behind it; the end if there is none.
    fn position(&self, offset: usize) -> Point {
        let mut marks = self.marks.borrow_mut();
        let behind = marks.partition_point(|mark| mark.plain <= offset);
        let mut at = behind.checked_sub(1).and_then(|last| marks.get(last)).copied().unwrap_or(self.start);
        let is_last = behind == marks.len();
        let quoted = self.raw.starts_with('"');
        let mut rest = self.raw.get(at.raw..).unwrap_or_default().chars();
        let mut marked = at.plain;
        while at.plain < offset {
            let Some(c) = rest.next() else { break };
            let (written, stands_for) = if c == '\\' && quoted { escape(rest.as_str()) } else { (0, c.len_utf8()) };
            for _ in 0..written {
                rest.next();
            }
            at.raw += c.len_utf8() + written;
            at.plain += stands_for;
            if c == '\n' {
                at.line += 1;
                at.column = 1;
            } else {
                at.column = at.column.saturating_add(1 + u32::try_from(written).unwrap_or_default());
            }
            if is_last && at.plain >= marked + BETWEEN_MARKS {
                marks.push(at);
                marked = at.plain;
            }
        }
        at
    }
}

/// How many more characters an escape has after its backslash, and how many bytes it stands for.
fn escape(rest: &str) -> (usize, usize) {
    let Some(digits) = rest.strip_prefix('u') else { return (1, 1) };
    let code = digits.get(..4).and_then(|d| u32::from_str_radix(d, 16).ok()).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&code) && digits.get(4..6) == Some("\\u") {
        return (11, 4);
    }
    (5, char::from_u32(code).map_or(3, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_of_the_unescaped_text_is_found_behind_escapes() {
        let text = Text::new("t", "{\n \"a\": \"x\\n\\u00e9y\\uD83D\\uDE00z\"}");
        let span = text.span(8, 32);
        let unescaped = "x\né y😀z".replace(' ', "");
        let locator = Locator::new(&text, span);
        for (what, raw) in [("x", "x"), ("y", "y"), ("z", "z"), ("é", "\\u00e9"), ("😀", "\\uD83D\\uDE00")] {
            let start = unescaped.find(what).unwrap();
            let found = locator.at(start, start + what.len());
            assert_eq!(text.content.get(found.start..found.end), Some(raw));
            assert_eq!(found, text.span(found.start, found.end));
        }
    }
}
