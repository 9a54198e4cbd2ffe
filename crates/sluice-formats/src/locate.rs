//! Places inside a text of a JSON document: what stands between the quotes is escaped in the file.

use sluice_core::text::{Span, Text};

/// Maps byte offsets of an unescaped text to spans of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Locator<'t> {
    /// The scalar in the file, quotes included.
    span: Span,
    raw: &'t str,
}

impl<'t> Locator<'t> {
    /// For the scalar at `span`.
    pub(crate) fn new(text: &'t Text, span: Span) -> Self {
        Self { span, raw: text.content.get(span.start..span.end).unwrap_or_default() }
    }

    /// The span of bytes `start..end` of the unescaped text.
    pub(crate) fn at(&self, start: usize, end: usize) -> Span {
        let (first, line, column) = self.position(start);
        let (last, end_line, end_column) = self.position(end.max(start));
        Span { start: self.span.start + first, end: self.span.start + last, line, column, end_line, end_column }
    }

    /// Raw offset, line and column of an unescaped offset.
    fn position(&self, offset: usize) -> (usize, u32, u32) {
        let quoted = self.raw.starts_with('"');
        let (mut raw, mut plain) = (usize::from(quoted), 0);
        let (mut line, mut column) = (self.span.line, self.span.column.saturating_add(u32::from(quoted)));
        let mut rest = self.raw.get(raw..).unwrap_or_default().chars();
        while plain < offset {
            let Some(c) = rest.next() else { break };
            let (written, stands_for) = if c == '\\' && quoted { escape(rest.as_str()) } else { (0, c.len_utf8()) };
            for _ in 0..written {
                rest.next();
            }
            raw += c.len_utf8() + written;
            plain += stands_for;
            if c == '\n' {
                line += 1;
                column = 1;
            } else {
                column = column.saturating_add(1 + u32::try_from(written).unwrap_or_default());
            }
        }
        (raw, line, column)
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
