//! `${{ … }}` in a text: where each begins and ends, there and in the file.

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::{Span, Text};

use crate::refusal;

/// Most `${{ }}` of one file. The largest seen have some hundreds.
pub const TEMPLATES_MAX: usize = 5_000;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Literal(&'t str),
    /// What stands between `${{` and `}}`, and where.
    Expression(&'t str, Span),
}

/// Whether a file has no more than is read.
///
/// # Errors
/// `SL802` if it has more.
pub(super) fn within_bounds(tree: &Tree) -> Result<(), Vec<Diagnostic>> {
    let mut count = 0_usize;
    let mut open = vec![tree];
    while let Some(node) = open.pop() {
        match &node.value {
            Data::Text(text) => count += text.matches("${{").count(),
            Data::List(items) => open.extend(items),
            Data::Map(entries) => open.extend(entries.iter().map(|e| &e.value)),
            _ => {}
        }
    }
    if count > TEMPLATES_MAX {
        return Err(vec![refusal::too_many(tree.span, "expressions", TEMPLATES_MAX)]);
    }
    Ok(())
}

/// The pieces of a text.
pub(super) fn pieces<'t>(file: &Text, tree: &Tree, text: &'t str) -> Vec<Piece<'t>> {
    let mut found = Vec::new();
    let mut places = places(file, tree.span).into_iter();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let span = places.next().unwrap_or(tree.span);
        if !before.is_empty() {
            found.push(Piece::Literal(before));
        }
        let end = end_of(after);
        found.push(Piece::Expression(after.get(..end).unwrap_or(after), span));
        rest = after.get(end + 2..).unwrap_or_default();
    }
    if !rest.is_empty() {
        found.push(Piece::Literal(rest));
    }
    found
}

/// Where `}}` stands outside of quotes.
fn end_of(text: &str) -> usize {
    let mut quoted = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if before == '}' && !quoted => return at - 1,
            _ => {}
        }
        before = c;
    }
    text.len()
}

/// The places of every `${{ … }}` in the raw text of a scalar, in one pass.
fn places(file: &Text, span: Span) -> Vec<Span> {
    let raw = file.content.get(span.start..span.end).unwrap_or_default();
    let (mut line, mut column) = (span.line, span.column);
    let mut found = Vec::new();
    let mut open: Option<(usize, Span)> = None;
    for (at, c) in raw.char_indices() {
        let here = span.start + at;
        if open.is_none() && raw.get(at..).is_some_and(|rest| rest.starts_with("${{")) {
            let length = 5 + end_of(raw.get(at + 3..).unwrap_or_default());
            let start = Span { start: here, end: here + length, line, column, end_line: line, end_column: column };
            open = Some((here + length, start));
        }
        if let Some((_, mut start)) = open.take_if(|(end, _)| here >= *end) {
            (start.end_line, start.end_column) = (line, column);
            found.push(start);
            // The next one may begin where this one ends.
            if raw.get(at..).is_some_and(|rest| rest.starts_with("${{")) {
                let length = 5 + end_of(raw.get(at + 3..).unwrap_or_default());
                let start = Span { start: here, end: here + length, line, column, end_line: line, end_column: column };
                open = Some((here + length, start));
            }
        }
        if c == '\n' {
            line = line.saturating_add(1);
            column = 1;
        } else {
            column = column.saturating_add(1);
        }
    }
    if let Some((_, start)) = open {
        let end = start.end.min(span.end);
        found.push(Span { end, end_line: line, end_column: column, ..start });
    }
    found
}
