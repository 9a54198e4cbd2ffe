//! Where in the author's text a part of a scalar's value stands, whatever quotes and line breaks it is written with.

use crate::document::Node;
use crate::text::{Span, Text};

/// Maps offsets in the value of a scalar to places in the text.
///
/// One is made per scalar, however many expressions are in it: a text of megabytes may hold thousands.
pub(super) struct Locator {
    span: Span,
    /// By byte of the value, and at its end: where it is written. `None` if the two do not line up.
    places: Option<Vec<Place>>,
}

/// A place inside the raw text.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    line: u32,
    column: u32,
}

impl Locator {
    pub(super) fn of(text: &Text, node: &Node) -> Self {
        let raw = text.content.get(node.span.start..node.span.end).unwrap_or_default();
        let offsets = node.as_text().and_then(|value| align(raw, value));
        Self { span: node.span, places: offsets.map(|offsets| places(raw, &offsets, node.span)) }
    }

    /// The place of the bytes `start..end` of the value; the whole scalar if that cannot be told.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let Some(places) = &self.places else { return self.span };
        let (Some(from), Some(to)) = (places.get(start), places.get(end)) else { return self.span };
        Span {
            start: self.span.start + from.offset,
            end: self.span.start + to.offset,
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
        }
    }
}

/// The lines and columns of ascending offsets, in one pass.
fn places(raw: &str, offsets: &[usize], span: Span) -> Vec<Place> {
    let mut at = Place { offset: 0, line: span.line, column: span.column };
    offsets
        .iter()
        .map(|offset| {
            for c in raw.get(at.offset..*offset).unwrap_or_default().chars() {
                if c == '\n' {
                    at.line = at.line.saturating_add(1);
                    at.column = 1;
                } else {
                    at.column = at.column.saturating_add(1);
                }
            }
            at.offset = *offset;
            at
        })
        .collect()
}

/// For each byte of `value` (and its end) the byte of `raw` that it is written with.
fn align(raw: &str, value: &str) -> Option<Vec<usize>> {
    let quote = raw.chars().next().filter(|c| matches!(c, '\'' | '"'));
    // A block scalar may start with a quote that is content.
    let closed = |q: char| raw.len() >= 2 && raw.ends_with(q);
    match quote {
        Some(q) if closed(q) => align_from(raw, 1, Some(q), value).or_else(|| align_from(raw, 0, None, value)),
        _ => align_from(raw, 0, None, value),
    }
}

fn align_from(raw: &str, start: usize, quote: Option<char>, value: &str) -> Option<Vec<usize>> {
    let mut offsets = Vec::with_capacity(value.len() + 1);
    let mut at = start;
    for wanted in value.chars() {
        let (from, to) = next(raw, at, quote, wanted)?;
        offsets.extend(std::iter::repeat_n(from, wanted.len_utf8()));
        at = to;
    }
    offsets.push(at);
    Some(offsets)
}

/// Where `wanted` is written at or after `at`: its first byte and the byte after it.
fn next(raw: &str, at: usize, quote: Option<char>, wanted: char) -> Option<(usize, usize)> {
    let found = raw.get(at..)?.chars().next()?;
    match (quote, found) {
        (Some('"'), '\\') => {
            let escape = raw.get(at + 1..)?.chars().next()?;
            let digits = match escape {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let mut to = at + 1 + escape.len_utf8() + digits;
            if escape == 'u' && u32::from(wanted) > 0xFFFF {
                // Beyond the first plane JSON writes two escapes.
                to += 6;
            }
            raw.is_char_boundary(to).then_some((at, to))
        }
        (Some('\''), '\'') => (wanted == '\'').then_some((at, at + 2)),
        _ if found == wanted => Some((at, at + found.len_utf8())),
        // A line break and the indentation after it are folded into one space, or cut.
        _ if found.is_ascii_whitespace() => {
            let rest = raw.get(at..)?;
            let after = at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            if wanted.is_ascii_whitespace() { Some((at, after)) } else { next(raw, after, quote, wanted) }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    /// The text that stands where `part` of the value of `a` is said to be.
    fn written(yaml: &str, part: &str) -> String {
        let text = Text::new("t", yaml);
        let tree = document::read(&text).unwrap();
        let node = tree.get("a").unwrap();
        let start = node.as_text().unwrap().find(part).unwrap();
        let span = Locator::of(&text, node).span(start, start + part.len());
        let again = text.span(span.start, span.end);
        assert_eq!(again, span, "line and column agree with the offsets");
        yaml.get(span.start..span.end).unwrap().to_owned()
    }

    #[test]
    fn parts_of_every_kind_of_scalar_are_found() {
        for yaml in [
            "a: ${ .one + .two }",
            "a: '${ .one + .two }'",
            "a: \"${ .one + .two }\"",
            "a: |\n  text ${\n    .one + .two }\n",
            "a: >-\n  text\n  ${ .one + .two }\n",
            "a: š ${ .one\n   + .two }",
            "a: 'it''s ${ .one + .two }'",
            "{\"a\": \"\\ud83d\\ude00 \\\"x\\\" ${ .one + .two }\"}",
        ] {
            assert_eq!(written(yaml, ".one"), ".one", "{yaml}");
            assert_eq!(written(yaml, ".two"), ".two", "{yaml}");
        }
    }

    #[test]
    fn an_escape_is_covered_whole() {
        assert_eq!(written("a: \"x \\\"y\\\" z\"", "\"y\""), "\\\"y\\\"");
    }

    #[test]
    fn a_long_text_of_many_expressions_is_located_once() {
        let value = "${ .a } ".repeat(20_000);
        let lowered = crate::dsl::lower(&Text::new(
            "t",
            format!(
                "document: {{ dsl: '1.0.3', namespace: t, name: d, version: '0.1.0' }}\ndo:\n- a: {{ set: {{ x: '{value}${{ .b + }}' }} }}"
            ),
        ));
        let place: Vec<_> = lowered.diagnostics.iter().map(|d| (d.span.line, d.span.column)).collect();
        assert_eq!(place, [(3, 160_027)]);
    }
}
