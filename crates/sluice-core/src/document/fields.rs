//! Typed access to a tree, with a located diagnostic for whatever is missing, unknown or of the wrong kind.
//!
//! Every accessor reports into `out` and gives `None`, so that a reader goes on and reports all errors of a
//! text at once:
//! ```
//! # use sluice_core::{document::{self, Fields}, text::Text};
//! let text = Text::new("t", "name: crm\nregoin: eu\n");
//! let node = document::read(&text).unwrap();
//! let mut out = Vec::new();
//! if let Some(mut fields) = Fields::of(&node, "a dataset", &mut out) {
//!     let name = fields.required("name", &mut out).and_then(|n| n.expect_text("name", &mut out));
//!     let region = fields.optional("region").and_then(|n| n.expect_text("region", &mut out));
//!     fields.finish(&mut out);
//!     assert_eq!((name, region), (Some("crm".into()), None));
//! }
//! assert_eq!(out[0].message, "unknown key `regoin` in a dataset; did you mean `region`?");
//! ```

use std::sync::Arc;

use super::codes::{BAD_VALUE, MISSING_KEY, UNKNOWN_KEY, WRONG_TYPE};
use super::{Data, Entry, Node, closest};
use crate::diagnostic::Diagnostic;
use crate::text::Span;

/// The entries of one map, and which of them somebody asked for.
#[derive(Debug)]
pub struct Fields<'n> {
    what: &'static str,
    span: Span,
    entries: &'n [Entry],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The fields of a map; anything else is `SL118`. `what` names it in messages: `a task`.
    pub fn of(node: &'n Node, what: &'static str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.value {
            Data::Map(entries) => Some(Self { what, span: node.span, entries, asked: Vec::new() }),
            _ => {
                out.push(WRONG_TYPE.at(node.span, format!("{what} must be a map, found {}", node.kind())));
                None
            }
        }
    }

    /// A value that must be there: `SL116` if not.
    pub fn required(&mut self, key: &'static str, out: &mut Vec<Diagnostic>) -> Option<&'n Node> {
        let found = self.optional(key);
        if found.is_none() {
            out.push(MISSING_KEY.at(self.span, format!("{} has no `{key}`", self.what)));
        }
        found
    }

    /// A value that may be there.
    pub fn optional(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// An entry that may be there, with the place of its key.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.asked.push(key);
        self.entries.iter().find(|e| e.key.as_ref() == key)
    }

    /// Whether a key is there; does not count as asking for it.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.key.as_ref() == key)
    }

    /// Reports every key that nobody asked for as `SL117`.
    pub fn finish(self, out: &mut Vec<Diagnostic>) {
        for entry in self.entries.iter().filter(|e| !self.asked.contains(&e.key.as_ref())) {
            let mut message = format!("unknown key `{}` in {}", entry.key, self.what);
            if let Some(word) = closest(&entry.key, self.asked.iter().copied()) {
                message.push_str(&format!("; did you mean `{word}`?"));
            }
            out.push(UNKNOWN_KEY.at(entry.key_span, message));
        }
    }
}

impl Node {
    /// Text; anything else is `SL118`. `what` is the key that holds it.
    pub fn expect_text(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<Arc<str>> {
        self.expect(what, "text", self.as_text().cloned(), out)
    }

    /// Text that is not empty; else `SL118` or `SL119`.
    pub fn expect_name(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<Arc<str>> {
        let text = self.expect_text(what, out)?;
        if text.trim().is_empty() {
            out.push(BAD_VALUE.at(self.span, format!("`{what}` is empty")));
            return None;
        }
        Some(text)
    }

    /// `true` or `false`; anything else is `SL118`.
    pub fn expect_bool(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<bool> {
        self.expect(what, "`true` or `false`", if let Data::Bool(b) = self.value { Some(b) } else { None }, out)
    }

    /// A whole number that is not negative; anything else is `SL118`.
    pub fn expect_count(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<u64> {
        let count = if let Data::Int(n) = self.value { u64::try_from(n).ok() } else { None };
        self.expect(what, "a whole number of 0 or more", count, out)
    }

    /// A list; anything else is `SL118`.
    pub fn expect_list(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<&[Self]> {
        self.expect(
            what,
            "a list",
            if let Data::List(items) = &self.value { Some(items.as_slice()) } else { None },
            out,
        )
    }

    /// A map with keys of the author's choice; anything else is `SL118`.
    pub fn expect_map(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<&[Entry]> {
        self.expect(
            what,
            "a map",
            if let Data::Map(entries) = &self.value { Some(entries.as_slice()) } else { None },
            out,
        )
    }

    /// A list of texts; whatever is no text in it is `SL118` and left out.
    pub fn expect_texts(&self, what: &str, out: &mut Vec<Diagnostic>) -> Option<Vec<Arc<str>>> {
        let items = self.expect_list(what, out)?;
        Some(items.iter().filter_map(|item| item.expect_text(what, out)).collect())
    }

    /// One of some words; else `SL118` or `SL119`.
    pub fn expect_word<T: Copy>(&self, what: &str, words: &[(&str, T)], out: &mut Vec<Diagnostic>) -> Option<T> {
        let text = self.expect_text(what, out)?;
        let found = words.iter().find(|(word, _)| *word == text.as_ref()).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            out.push(BAD_VALUE.at(self.span, format!("`{what}` is `{text}`; allowed are {}", names.join(", "))));
        }
        found
    }

    fn expect<T>(&self, what: &str, wanted: &str, found: Option<T>, out: &mut Vec<Diagnostic>) -> Option<T> {
        if found.is_none() {
            out.push(WRONG_TYPE.at(self.span, format!("`{what}` must be {wanted}, found {}", self.kind())));
        }
        found
    }
}
