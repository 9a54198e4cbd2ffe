//! A message with some of its parts replaced: everything else stays byte for byte as it came.

use sluice_core::document::Node;

use crate::frame::Frame;

/// What is replaced in a message.
pub(crate) struct Splice<'f> {
    frame: &'f Frame,
    /// Where from, where to, what stands there then.
    edits: Vec<(usize, usize, String)>,
}

impl<'f> Splice<'f> {
    pub(crate) const fn of(frame: &'f Frame) -> Self {
        Self { frame, edits: Vec::new() }
    }

    /// This JSON in place of a part.
    pub(crate) fn replace(&mut self, node: &Node, json: String) {
        self.edits.push((node.span.start, node.span.end, json));
    }

    /// This text in place of another.
    pub(crate) fn say(&mut self, node: &Node, text: &str) {
        self.replace(node, serde_json::Value::from(text).to_string());
    }

    /// Something before a text, which stays as it was spelled. `plain` needs no escape.
    pub(crate) fn begin(&mut self, node: &Node, plain: &str) {
        if node.as_text().is_some() {
            let inner = node.span.start.saturating_add(1);
            self.edits.push((inner, inner, plain.to_owned()));
        }
    }

    /// All of the message.
    pub(crate) fn message(self) -> String {
        let raw = self.frame.raw();
        self.stretch(0, raw.len())
    }

    /// A part of it.
    pub(crate) fn part(self, node: &Node) -> String {
        self.stretch(node.span.start, node.span.end)
    }

    fn stretch(mut self, start: usize, end: usize) -> String {
        let raw = self.frame.raw();
        self.edits.sort_unstable();
        let mut whole = String::with_capacity(end.saturating_sub(start).saturating_add(64));
        let mut at = start;
        for (from, to, text) in self.edits {
            whole.push_str(raw.get(at..from).unwrap_or_default());
            whole.push_str(&text);
            at = to;
        }
        whole.push_str(raw.get(at..end).unwrap_or_default());
        whole
    }
}
