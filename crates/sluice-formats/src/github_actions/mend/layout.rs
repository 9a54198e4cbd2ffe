//! New lines and entries in a YAML text, as its author has laid it out.

use sluice_core::document::{Data, Entry, Node as Tree};
use sluice_core::edit::Edit;
use sluice_core::text::Text;

/// A text that something is put into.
pub(super) struct Layout<'a> {
    file: &'a Text,
}

impl<'a> Layout<'a> {
    pub(super) const fn of(file: &'a Text) -> Self {
        Self { file }
    }

    fn raw(&self, start: usize, end: usize) -> &'a str {
        self.file.content.get(start..end).unwrap_or_default()
    }

    /// How lines end here.
    fn line_end(&self) -> &'static str {
        if self.file.content.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// Whether a map is written in braces.
    pub(super) fn is_flow(&self, tree: &Tree) -> bool {
        self.raw(tree.span.start, tree.span.end).starts_with('{')
    }

    /// The spaces that a key of a block stands behind; `None` where something else stands there.
    fn indent(&self, entry: &Entry) -> Option<String> {
        let start = entry.key_span.start;
        let line = self.raw(0, start).rfind('\n').map_or(0, |at| at + 1);
        let before = self.raw(line, start);
        let behind_dash = before.trim_start_matches(' ');
        let is_block = behind_dash.is_empty()
            || behind_dash.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c == ' '));
        is_block.then(|| " ".repeat(before.len()))
    }

    fn insert(at: usize, text: String) -> Edit {
        Edit { start: at, end: at, was: String::new(), text }
    }

    /// Lines of a block above one of its keys.
    pub(super) fn above(&self, entry: &Entry, lines: &[&str]) -> Option<Edit> {
        let indent = self.indent(entry)?;
        let end = self.line_end();
        let mut text = String::new();
        for (n, line) in lines.iter().enumerate() {
            if n > 0 && !line.is_empty() {
                text.push_str(&indent);
            }
            text.push_str(line);
            text.push_str(end);
        }
        text.push_str(&indent);
        Some(Self::insert(entry.key_span.start, text))
    }

    /// Lines of a block below one of its keys, whose value ends on its own line.
    pub(super) fn below(&self, entry: &Entry, lines: &[&str]) -> Option<Edit> {
        let indent = self.indent(entry)?;
        let value = entry.value.span;
        let is_one_line = entry.key_span.line == value.line && value.line == value.end_line;
        let rest = self.file.content.get(value.end..)?;
        let line = rest.split('\n').next().unwrap_or_default();
        let behind = line.trim_end_matches('\r');
        let is_comment = behind.trim_start().starts_with('#') && behind.starts_with([' ', '\t']);
        if !is_one_line || !(behind.trim().is_empty() || is_comment) {
            return None;
        }
        let end = self.line_end();
        let text: String = lines.iter().map(|line| format!("{end}{indent}{line}")).collect();
        Some(Self::insert(value.end + behind.len(), text))
    }

    /// Text right behind a value that has no line of its own.
    pub(super) fn behind(&self, value: &Tree, text: &str) -> Option<Edit> {
        (value.span.line == value.span.end_line).then(|| Self::insert(value.span.end, text.to_owned()))
    }

    /// An entry before the first one of a map that has some.
    pub(super) fn first_in(&self, map: &Tree, entry: &str) -> Option<Edit> {
        let Data::Map(entries) = &map.value else { return None };
        let first = entries.first()?;
        if !self.is_flow(map) {
            return self.above(first, &[entry]);
        }
        // As far from the brace as the first one was.
        let gap = self.raw(map.span.start + 1, first.key_span.start);
        gap.chars().all(|c| c == ' ').then(|| Self::insert(first.key_span.start, format!("{entry}, ")))
    }
}
