//! Reading helpers that contracts and registers share.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Pattern;
use crate::contract::codes::{BAD_ID, BAD_PATTERN, BAD_QUANTITY, EMPTY_LIST, VERSION};
use crate::diagnostic::Diagnostic;
use crate::document::{Data, Entry, Fields, Node};
use crate::label::Name;
use crate::text::Span;

/// Longest id, so that a line of a report stays a line.
const ID_CHARS_MAX: usize = 80;

/// Something that was written, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Located<T> {
    /// At a place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A problem, and the file that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path inside the workspace.
    pub file: Name,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

impl Problem {
    /// Puts every diagnostic of a file under its name.
    pub(super) fn all(file: &Name, diagnostics: Vec<Diagnostic>) -> impl Iterator<Item = Self> {
        let file = file.clone();
        diagnostics.into_iter().map(move |diagnostic| Self { file: file.clone(), diagnostic })
    }
}

/// One register file: its entries by id, where each is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register<T> {
    /// Where it was read from.
    pub file: Name,
    /// What could be read.
    pub entries: BTreeMap<Name, Located<T>>,
    /// Ids whose entry has errors of its own: a reference to one is not a second error.
    pub(super) broken: BTreeSet<Name>,
    /// Whether the whole file could not be read.
    pub(super) unreadable: bool,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self::empty(&Name::default())
    }
}

impl<T> Register<T> {
    fn empty(file: &Name) -> Self {
        Self { file: file.clone(), entries: BTreeMap::new(), broken: BTreeSet::new(), unreadable: false }
    }

    /// A register about which nothing can be said: every reference into it passes, since its file is a problem already.
    pub(super) fn unreadable(file: &Name) -> Self {
        Self { unreadable: true, ..Self::empty(file) }
    }

    /// An entry.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&T> {
        self.entries.get(id).map(|entry| &entry.value)
    }

    /// Whether a reference to it is right, as far as can be known.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.unreadable || self.entries.contains_key(id) || self.broken.contains(id)
    }

    /// Every id, for "did you mean".
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().chain(&self.broken).map(AsRef::as_ref)
    }

    /// Reads `{ id: entry }`.
    pub(super) fn read(
        file: &Name,
        node: Option<&Node>,
        what: &'static str,
        out: &mut Vec<Diagnostic>,
        mut entry: impl FnMut(&Entry, &mut Vec<Diagnostic>) -> Option<T>,
    ) -> Self {
        let Some(node) = node else { return Self::empty(file) };
        let Some(entries) = node.expect_map(what, out) else { return Self::unreadable(file) };
        let mut register = Self::empty(file);
        for e in entries {
            let is_id = check_id(&e.key, e.key_span, out);
            match entry(e, out).filter(|_| is_id) {
                Some(value) => _ = register.entries.insert(e.key.clone(), Located::new(value, e.key_span)),
                None => _ = register.broken.insert(e.key.clone()),
            }
        }
        register
    }
}

/// Whether a text can be the name of a variable of an environment.
pub(super) fn is_variable(text: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    starts && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether a name can be an id: ids stand in labels, requirement ids and file names, unquoted.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    first && rest && text.len() <= ID_CHARS_MAX
}

/// Reports what cannot be an id.
pub(super) fn check_id(text: &str, span: Span, out: &mut Vec<Diagnostic>) -> bool {
    let fits = is_id(text);
    if !fits {
        out.push(BAD_ID.at(span, format!("`{text}` cannot be a name")));
    }
    fits
}

/// An id.
pub(super) fn id(node: &Node, what: &str, out: &mut Vec<Diagnostic>) -> Option<Located<Name>> {
    let text = node.expect_text(what, out)?;
    check_id(&text, node.span, out).then(|| Located::new(text, node.span))
}

/// A text that is not empty.
pub(super) fn text(node: &Node, what: &str, out: &mut Vec<Diagnostic>) -> Option<Located<Name>> {
    node.expect_name(what, out).map(|text| Located::new(text, node.span))
}

/// A list of texts.
pub(super) fn names(node: Option<&Node>, what: &str, out: &mut Vec<Diagnostic>) -> Vec<Located<Name>> {
    let Some(items) = node.and_then(|n| n.expect_list(what, out)) else { return Vec::new() };
    items.iter().filter_map(|item| text(item, what, out)).collect()
}

/// `{ only: [...] }`: a rule that lists what is allowed. An empty list would forbid everything, for ever: refused as a slip.
pub(super) fn only(node: Option<&Node>, what: &'static str, out: &mut Vec<Diagnostic>) -> Option<Vec<Located<Name>>> {
    let mut fields = Fields::of(node?, what, out)?;
    let list = fields.required("only", out);
    fields.finish(out);
    let list = list?;
    let allowed = names(Some(list), "only", out);
    if allowed.is_empty() && matches!(&list.value, Data::List(items) if items.is_empty()) {
        out.push(EMPTY_LIST.at(list.span, "`only` lists nothing"));
    }
    Some(allowed)
}

/// `version: 1`; anything else is refused, since its other keys may mean other things.
pub(super) fn version(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> bool {
    let Some(node) = fields.required("version", out) else { return true };
    if node.value == Data::Int(1) {
        return true;
    }
    let found = match &node.value {
        Data::Int(n) => format!("version {n}"),
        Data::Text(t) => format!("version `{t}`"),
        _ => node.kind().to_owned(),
    };
    out.push(VERSION.at(node.span, format!("this release reads version 1, found {found}")));
    false
}

/// A path pattern.
pub(super) fn pattern(text: &str, span: Span, out: &mut Vec<Diagnostic>) -> Option<Pattern> {
    let found = Pattern::parse(text);
    if found.is_none() {
        out.push(BAD_PATTERN.at(span, format!("`{text}` is no path")));
    }
    found
}

/// A list of path patterns.
pub(super) fn patterns(node: &Node, what: &str, out: &mut Vec<Diagnostic>) -> Option<Vec<Pattern>> {
    let items = node.expect_list(what, out)?;
    let read = |item: &Node, out: &mut Vec<Diagnostic>| pattern(&item.expect_text(what, out)?, item.span, out);
    Some(items.iter().filter_map(|item| read(item, out)).collect())
}

/// A size: a number of bytes, or `64KiB`.
pub(super) fn bytes(node: &Node, what: &str, out: &mut Vec<Diagnostic>) -> Option<u64> {
    const UNITS: [(&str, u64); 6] =
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1_000), ("MB", 1_000_000), ("B", 1)];
    quantity(node, what, &UNITS, out)
}

/// A time in milliseconds: `500ms`, `30s`, `5m`, `1h`.
pub(super) fn millis(node: &Node, what: &str, out: &mut Vec<Diagnostic>) -> Option<u64> {
    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    quantity(node, what, &UNITS, out)
}

/// A whole number and a unit. A bare number is taken only where the unit of 1 is its last resort: bytes.
fn quantity(node: &Node, what: &str, units: &[(&str, u64)], out: &mut Vec<Diagnostic>) -> Option<u64> {
    let found = match &node.value {
        Data::Int(n) if units.last() == Some(&("B", 1)) => u64::try_from(*n).ok(),
        Data::Text(text) => units.iter().find_map(|(unit, factor)| {
            let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(*factor)
        }),
        _ => None,
    };
    let found = found.filter(|n| *n > 0);
    if found.is_none() {
        let shown = match &node.value {
            Data::Text(text) => format!("`{text}`"),
            Data::Int(n) => format!("`{n}`"),
            _ => node.kind().to_owned(),
        };
        out.push(BAD_QUANTITY.at(node.span, format!("`{what}` cannot be {shown}")));
    }
    found
}
