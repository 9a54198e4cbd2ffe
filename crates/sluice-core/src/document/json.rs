//! JSON alone, with the places of the YAML reader, fast enough for folders of minified exports.
//!
//! A reader of our own, because no library gives what the tree needs: `serde_json` has no positions of values, and
//! `jiter`, which has byte offsets, refuses the lone surrogates that JavaScript exports contain and knows no columns.
//! Lines and columns are kept while reading: a minified file is one line, and counting from its start for each value
//! would be quadratic.
//!
//! Source: RFC 8259. Strict: no comments, trailing commas, `NaN` or single quotes. A byte order mark is passed over (§8.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codes::{AMBIGUOUS_SCALAR, CodeInfo, DUPLICATE_KEY, SYNTAX, TOO_DEEP, TOO_MANY_NODES};
use super::{Data, Entry, Node, too_large};
use crate::diagnostic::{Diagnostic, Severity};
use crate::limits::{
    DEPTH_MAX, DUPLICATES_REPORTED_MAX, IMPORT_BYTES_MAX, IMPORT_NODES_MAX, TEXT_BYTES_MAX, TEXT_NODES_MAX,
};
use crate::text::{Span, Text};

/// Maps with fewer entries are searched for a duplicate key one by one.
const SEARCHED_MAX: usize = 16;
/// Most characters of the author's that a message quotes.
const QUOTED_CHARS_MAX: usize = 40;

/// How a JSON text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonRules {
    /// Most bytes. SL104.
    pub bytes_max: usize,
    /// Most values and keys. SL106.
    pub nodes_max: usize,
    /// What a key that stands twice in one map means.
    pub duplicates: Duplicates,
}

/// What a key that stands twice in one map means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The text is refused: readers disagree.
    Refuse,
    /// The last value counts, at the place of the first in the map's order, as in JavaScript; each is a warning.
    KeepLast,
}

impl JsonRules {
    /// For our own files: the bounds of [`super::read`].
    pub const NATIVE: Self =
        Self { bytes_max: TEXT_BYTES_MAX, nodes_max: TEXT_NODES_MAX, duplicates: Duplicates::Refuse };
    /// For exports of other engines, which JavaScript wrote and will read.
    pub const IMPORT: Self =
        Self { bytes_max: IMPORT_BYTES_MAX, nodes_max: IMPORT_NODES_MAX, duplicates: Duplicates::KeepLast };
}

/// Reads a JSON text of our own: the same tree as [`super::read`] gives, under the same bounds.
///
/// # Errors
/// `SL102` for duplicate keys and `SL111` for numbers that do not fit, up to the first fault of syntax (`SL101`) or
/// bound (`SL104`–`SL106`).
pub fn read_json(text: &Text) -> Result<Node, Vec<Diagnostic>> {
    read_json_with(text, JsonRules::NATIVE).map(|(root, _)| root)
}

/// Reads a JSON text by other rules; beside the tree stand the warnings.
///
/// # Errors
/// As [`read_json`].
pub fn read_json_with(text: &Text, rules: JsonRules) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    if let Some(refusal) = too_large(&text.name, text.content.len(), rules.bytes_max) {
        return Err(vec![refusal]);
    }
    let mut reader = Reader::new(&text.content, rules);
    match reader.document() {
        Ok(root) if reader.out.is_empty() => Ok((root, reader.warnings)),
        _ => Err(reader.out),
    }
}

/// Reading cannot go on; why is in `out`.
struct Stop;

/// A byte offset with its line and column.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    line: usize,
    column: usize,
}

impl Mark {
    fn to(self, end: Self) -> Span {
        Span {
            start: self.at,
            end: end.at,
            line: small(self.line),
            column: small(self.column),
            end_line: small(end.line),
            end_column: small(end.column),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: usize,
    /// The offset of the line's first byte, plus the bytes since then that begin no character.
    base: usize,
    nodes: usize,
    duplicates: usize,
    rules: JsonRules,
    out: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, rules: JsonRules) -> Self {
        let bytes = text.as_bytes();
        let (out, warnings) = (Vec::new(), Vec::new());
        Self { text, bytes, at: 0, line: 1, base: 0, nodes: 0, duplicates: 0, rules, out, warnings }
    }

    fn document(&mut self) -> Result<Node, Stop> {
        if self.text.starts_with('\u{feff}') {
            self.pass(3);
        }
        self.blank();
        let root = self.value(0)?;
        self.blank();
        if self.at < self.bytes.len() { Err(self.unexpected("the end of the text")) } else { Ok(root) }
    }

    /// The value that starts here, inside `depth` lists and maps: at most [`DEPTH_MAX`] calls deep.
    fn value(&mut self, depth: usize) -> Result<Node, Stop> {
        self.count()?;
        match self.peek() {
            Some(b'"') => {
                let (text, span) = self.string()?;
                Ok(Node { span, value: Data::Text(text) })
            }
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Data::Bool(true)),
            Some(b'f') => self.word("false", Data::Bool(false)),
            Some(b'n') => self.word("null", Data::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Stop> {
        let start = self.open(depth)?;
        let mut items = Vec::new();
        while self.more(b']', "`,` or `]`", items.is_empty())? {
            items.push(self.value(depth + 1)?);
        }
        Ok(Node { span: start.to(self.mark()), value: Data::List(items) })
    }

    fn map(&mut self, depth: usize) -> Result<Node, Stop> {
        let start = self.open(depth)?;
        let mut fields = Fields::default();
        let mut first = true;
        while self.more(b'}', "`,` or `}`", first)? {
            first = false;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            self.count()?;
            let (key, key_span) = self.string()?;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:` after the key"));
            }
            self.at += 1;
            self.blank();
            let value = self.value(depth + 1)?;
            self.enter(&mut fields, Entry { key, key_span, value })?;
        }
        Ok(Node { span: start.to(self.mark()), value: Data::Map(fields.entries) })
    }

    fn open(&mut self, depth: usize) -> Result<Mark, Stop> {
        let start = self.mark();
        self.at += 1;
        if depth >= DEPTH_MAX {
            let span = start.to(self.mark());
            return Err(self.stop(&TOO_DEEP, span, format!("values are nested deeper than {DEPTH_MAX}")));
        }
        Ok(start)
    }

    /// Whether another element follows; passes the comma before it, or the closing bracket.
    fn more(&mut self, close: u8, wanted: &str, first: bool) -> Result<bool, Stop> {
        self.blank();
        match self.peek() {
            Some(b) if b == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                let comma = self.mark();
                self.at += 1;
                let span = comma.to(self.mark());
                self.blank();
                if self.peek() == Some(close) {
                    let message = format!("one `,` too many before the closing `{}`", char::from(close));
                    return Err(self.stop(&SYNTAX, span, message));
                }
                Ok(true)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn enter(&mut self, fields: &mut Fields, entry: Entry) -> Result<(), Stop> {
        let Some(earlier) = fields.position(&entry.key) else {
            fields.push(entry);
            return Ok(());
        };
        let Some(earlier) = fields.entries.get_mut(earlier) else { return Ok(()) };
        let message = format!("key `{}` appears twice", quoted(&entry.key));
        let found = DUPLICATE_KEY.at(entry.key_span, message).also(earlier.key_span, "it stands here first");
        self.duplicates += 1;
        match self.rules.duplicates {
            Duplicates::Refuse => {
                self.out.push(found);
                if self.duplicates >= DUPLICATES_REPORTED_MAX { Err(Stop) } else { Ok(()) }
            }
            Duplicates::KeepLast => {
                *earlier = entry;
                if self.duplicates <= DUPLICATES_REPORTED_MAX {
                    let help = "remove one of the two: here the last one counts, as in JavaScript".to_owned();
                    self.warnings.push(Diagnostic { severity: Severity::Medium, help, ..found });
                }
                Ok(())
            }
        }
    }

    fn word(&mut self, word: &str, value: Data) -> Result<Node, Stop> {
        let start = self.mark();
        if !self.rest().starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        if self.peek().is_some_and(|b| b.is_ascii_alphanumeric()) {
            self.at = start.at;
            return Err(self.unexpected("a value"));
        }
        Ok(Node { span: start.to(self.mark()), value })
    }

    fn number(&mut self) -> Result<Node, Stop> {
        let start = self.mark();
        self.take(b"-");
        let zero = self.peek() == Some(b'0');
        let whole = self.digits("a digit after `-`")?;
        if zero && whole > 1 {
            let span = start.to(self.mark());
            return Err(self.stop(&SYNTAX, span, "a number of JSON does not start with `0`"));
        }
        let mut decimal = false;
        if self.take(b".") {
            decimal = true;
            self.digits("a digit after `.`")?;
        }
        if self.take(b"eE") {
            decimal = true;
            self.take(b"+-");
            self.digits("a digit of the exponent")?;
        }
        let span = start.to(self.mark());
        let raw = self.text.get(span.start..span.end).unwrap_or_default();
        let int = if decimal { None } else { raw.parse().ok().map(Data::Int) };
        let value = int.or_else(|| raw.parse().ok().filter(|x: &f64| x.is_finite()).map(Data::Float));
        let value = value.unwrap_or_else(|| {
            self.out.push(AMBIGUOUS_SCALAR.at(span, format!("`{}` is outside the numbers of 64 bits", quoted(raw))));
            Data::Null
        });
        Ok(Node { span, value })
    }

    fn digits(&mut self, wanted: &str) -> Result<usize, Stop> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected(wanted)) } else { Ok(self.at - start) }
    }

    fn take(&mut self, any: &[u8]) -> bool {
        let taken = self.peek().is_some_and(|b| any.contains(&b));
        self.at += usize::from(taken);
        taken
    }

    fn string(&mut self) -> Result<(Arc<str>, Span), Stop> {
        let start = self.mark();
        self.at += 1;
        let first = self.chunk();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok((first.into(), start.to(self.mark())));
        }
        let mut out = first.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => out.push(self.escape()?),
                Some(control) => {
                    let message = format!("this text holds a bare control character; write it as `\\u{control:04x}`");
                    return Err(self.here(1, message));
                }
                None => {
                    let opening = Span { end: start.at + 1, ..start.to(Mark { column: start.column + 1, ..start }) };
                    return Err(self.stop(&SYNTAX, opening, "this text is not closed by `\"`"));
                }
            }
            out.push_str(self.chunk());
        }
        self.at += 1;
        Ok((out.into(), start.to(self.mark())))
    }

    /// The characters up to the next quote, escape or control character.
    fn chunk(&mut self) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
        let chunk = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.pass(length);
        chunk
    }

    /// The character of the escape that starts here. Half of a surrogate pair becomes U+FFFD, as JavaScript writes it.
    fn escape(&mut self) -> Result<char, Stop> {
        let simple = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                let shown: String = self.rest().chars().take(2).collect();
                return Err(self.here(shown.len(), format!("`{}` is no escape of JSON", quoted(&shown))));
            }
        };
        self.at += 2;
        Ok(simple)
    }

    fn unicode(&mut self) -> Result<char, Stop> {
        let Some(high) = self.hex(self.at) else {
            return Err(self.here(2, "`\\u` needs four hexadecimal digits"));
        };
        self.at += 6;
        if !(0xD800..0xDC00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        match self.hex(self.at) {
            Some(low) if (0xDC00..0xE000).contains(&low) => {
                self.at += 6;
                let pair = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => Ok(char::REPLACEMENT_CHARACTER),
        }
    }

    /// The number of a `\uXXXX` at an offset.
    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| all)
    }

    fn blank(&mut self) {
        while let Some(b) = self.peek() {
            match b {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.base = self.at;
                }
                _ => return,
            }
        }
    }

    /// Goes on over bytes of which some may begin no character.
    fn pass(&mut self, length: usize) {
        let passed = self.bytes.get(self.at..self.at + length).unwrap_or_default();
        if !passed.is_ascii() {
            self.base += passed.iter().filter(|b| **b & 0xC0 == 0x80).count();
        }
        self.at += length;
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > self.rules.nodes_max {
            let span = self.mark().to(self.mark());
            let message = format!("the text has more than {} values", self.rules.nodes_max);
            return Err(self.stop(&TOO_MANY_NODES, span, message));
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn mark(&self) -> Mark {
        Mark { at: self.at, line: self.line, column: (self.at + 1).saturating_sub(self.base) }
    }

    fn unexpected(&mut self, wanted: &str) -> Stop {
        let rest = self.rest();
        let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let found = rest.get(..word).filter(|w| !w.is_empty()).or_else(|| rest.get(..rest.chars().next()?.len_utf8()));
        match found {
            None => self.here(0, format!("the text ends where {wanted} is expected")),
            Some("/" | "#") => self.here(1, "JSON has no comments"),
            Some("'" | "`") => self.here(1, "JSON puts texts and keys in double quotes"),
            Some(found) => self.here(found.len(), format!("expected {wanted}, found `{}`", quoted(found))),
        }
    }

    /// A fault of syntax in the bytes that come next.
    fn here(&mut self, length: usize, message: impl Into<String>) -> Stop {
        let start = self.mark();
        self.pass(length);
        if self.text.get(start.at..self.at).is_some_and(|passed| passed.ends_with('\n')) {
            self.line += 1;
            self.base = self.at;
        }
        let span = start.to(self.mark());
        self.stop(&SYNTAX, span, message)
    }

    fn stop(&mut self, code: &CodeInfo, span: Span, message: impl Into<String>) -> Stop {
        self.out.push(code.at(span, message));
        Stop
    }
}

/// The entries of a map that is not closed yet.
#[derive(Default)]
struct Fields {
    entries: Vec<Entry>,
    /// Where each key is, of a large map.
    positions: BTreeMap<Arc<str>, usize>,
}

impl Fields {
    fn position(&self, key: &str) -> Option<usize> {
        if self.entries.len() < SEARCHED_MAX {
            return self.entries.iter().position(|e| e.key.as_ref() == key);
        }
        self.positions.get(key).copied()
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        // All at once when the map turns out to be large, then one by one.
        let from = match self.entries.len() {
            ..SEARCHED_MAX => return,
            SEARCHED_MAX => 0,
            more => more - 1,
        };
        let added = self.entries.iter().enumerate().skip(from);
        self.positions.extend(added.map(|(i, e)| (e.key.clone(), i)));
    }
}

/// The author's words for a message, cut to a readable length; what cannot be seen is spelled out.
fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(QUOTED_CHARS_MAX) {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(QUOTED_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
