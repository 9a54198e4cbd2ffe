//! YAML and JSON texts as a tree in which every key and value knows its place.
//!
//! One reader for definitions, contracts and registers. It is stricter than YAML: what two readers could
//! take for different things (`on`, `010`, `1_000`, duplicate keys, merge keys, tags, several documents) is
//! refused with its place, so that the person who reviews a file and the machine that runs it read the same.
//! JSON is read by the same reader; [`read_json`] reads JSON alone, to the same tree, where thousands of exports are read.
//!
//! Not here: what the keys mean ([`crate::dsl`](crate) for definitions).

mod build;
mod codes;
mod fields;
mod json;
mod path;
mod scalar;
mod suggest;

use std::sync::Arc;

pub(crate) use codes::UNKNOWN_KEY;
pub use codes::{BAD_VALUE, CODES, CodeInfo};
use codes::{INVALID_UTF8, TEXT_TOO_LARGE};
pub use fields::Fields;
pub use json::{Duplicates, JsonRules, read_json, read_json_with};
pub use path::path_at;
pub use suggest::closest;

use crate::diagnostic::Diagnostic;
use crate::limits::TEXT_BYTES_MAX;
use crate::text::{Span, Text};

/// A value and its place.
///
/// The span of a scalar covers its raw text, quotes included; that of a map or list goes to the end of its
/// last child (block style) or its closing bracket. What an alias stands for keeps the place of its definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where.
    pub span: Span,
    /// What.
    pub value: Data,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`, `~`, or nothing.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; always finite.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Vec<Node>),
    /// A map, in the author's order; no key twice.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// Reads a text.
///
/// # Errors
/// Everything that is wrong with the text: faults of content (`SL102`, `SL111`–`SL115`) up to the first fault of
/// syntax (`SL101`) or bound (`SL104`–`SL106`), after which the rest has no structure to speak of. Of a text that is named
/// `.json` they are those of JSON: in YAML's words an unclosed bracket is at the beginning of everything.
pub fn read(text: &Text) -> Result<Node, Vec<Diagnostic>> {
    if let Some(refusal) = too_large(&text.name, text.content.len(), TEXT_BYTES_MAX) {
        return Err(vec![refusal]);
    }
    build::tree(text).map_err(|errors| in_words_of_json(text).unwrap_or(errors))
}

/// What is wrong with a text as JSON, if it is meant to be one.
fn in_words_of_json(text: &Text) -> Option<Vec<Diagnostic>> {
    let is_named = text.name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("json"));
    let begins = text.content.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    if is_named && begins { read_json(text).err() } else { None }
}

/// Reads bytes that may not even be text.
///
/// # Errors
/// As [`read`]; `SL109` with the line and column of the first byte that is not UTF-8.
pub fn read_bytes(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<(Text, Node), Vec<Diagnostic>> {
    let text = decode(name, bytes).map_err(|d| vec![*d])?;
    let node = read(&text)?;
    Ok((text, node))
}

/// Bytes as a text of bounded size.
///
/// # Errors
/// `SL104` if there are more than [`TEXT_BYTES_MAX`], `SL109` at the first byte that is not UTF-8.
pub fn decode(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Text, Box<Diagnostic>> {
    decode_within(name, bytes, TEXT_BYTES_MAX)
}

/// Bytes as a text of at most `bytes_max` bytes.
///
/// # Errors
/// As [`decode`].
pub fn decode_within(name: impl Into<Arc<str>>, bytes: &[u8], bytes_max: usize) -> Result<Text, Box<Diagnostic>> {
    let name = name.into();
    if let Some(refusal) = too_large(&name, bytes.len(), bytes_max) {
        return Err(Box::new(refusal));
    }
    match std::str::from_utf8(bytes) {
        Ok(content) => Ok(Text::new(name, content)),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = Text::new(name, String::from_utf8_lossy(valid).as_ref());
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let at = before.span(valid.len(), valid.len() + error.error_len().unwrap_or(1));
            Err(Box::new(INVALID_UTF8.at(at, format!("byte `0x{byte:02X}` is not UTF-8"))))
        }
    }
}

fn too_large(name: &str, bytes: usize, bytes_max: usize) -> Option<Diagnostic> {
    let message = || format!("`{name}` has more than the {bytes_max} bytes that are read");
    (bytes > bytes_max).then(|| {
        TEXT_TOO_LARGE.at(Span { line: 1, column: 1, end_line: 1, end_column: 1, ..Span::default() }, message())
    })
}

impl Node {
    /// The value under a key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key, if this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Data::Map(entries) => entries.iter().find(|e| e.key.as_ref() == key),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&Arc<str>> {
        match &self.value {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The kind of value in words: `text`, `a list`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match &self.value {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Int(_) | Data::Float(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The same value without places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.value {
            Data::Null => Value::Null,
            Data::Bool(b) => Value::Bool(*b),
            Data::Int(n) => Value::from(*n),
            Data::Float(x) => Value::from(*x),
            Data::Text(t) => Value::String(t.to_string()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(entries) => {
                Value::Object(entries.iter().map(|e| (e.key.to_string(), e.value.to_json())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
