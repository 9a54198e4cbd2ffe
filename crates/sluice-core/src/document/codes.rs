//! The codes of texts: what can be wrong with a file before anybody asks what it means.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::text::Span;

/// A code with its name and the help that goes with every use of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeInfo {
    /// The number behind `SL`.
    pub code: u16,
    /// Stable kebab-case name.
    pub name: &'static str,
    /// What to do.
    pub help: &'static str,
}

impl CodeInfo {
    /// A code, declared once where its texts are read.
    #[must_use]
    pub const fn new(code: u16, name: &'static str, help: &'static str) -> Self {
        Self { code, name, help }
    }

    /// A diagnostic with this code that stops the text from being used.
    pub fn at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code(self.code), self.name, Severity::High, span, message, self.help)
    }
}

pub(crate) const SYNTAX: CodeInfo =
    CodeInfo::new(101, "text-syntax", "correct the YAML or JSON at this place; what follows it was not read");
pub(crate) const DUPLICATE_KEY: CodeInfo =
    CodeInfo::new(102, "duplicate-key", "remove one of the two: readers disagree about which one counts");
pub(crate) const SEVERAL_DOCUMENTS: CodeInfo =
    CodeInfo::new(103, "several-documents", "put each document into a file of its own");
pub(crate) const TEXT_TOO_LARGE: CodeInfo =
    CodeInfo::new(104, "text-too-large", "split it, or move data out of the definition");
pub(crate) const TOO_DEEP: CodeInfo = CodeInfo::new(105, "text-too-deep", "nest less deeply; the bound is `DEPTH_MAX`");
pub(crate) const TOO_MANY_NODES: CodeInfo = CodeInfo::new(
    106,
    "text-too-many-nodes",
    "write less, or fewer aliases: each one counts as all that it stands for",
);
pub(crate) const INVALID_UTF8: CodeInfo = CodeInfo::new(109, "invalid-utf8", "save the file as UTF-8");
pub(crate) const AMBIGUOUS_SCALAR: CodeInfo =
    CodeInfo::new(111, "ambiguous-scalar", "quote it if it is text; else write it as JSON would");
pub(crate) const TAG: CodeInfo =
    CodeInfo::new(112, "tag", "remove the tag: quotes make text, everything else is plain");
pub(crate) const MERGE_KEY: CodeInfo =
    CodeInfo::new(113, "merge-key", "write the keys out: `<<` is not part of YAML 1.2 and readers disagree about it");
pub(crate) const KEY_NOT_TEXT: CodeInfo = CodeInfo::new(114, "key-not-text", "quote the key");
pub(crate) const BAD_ALIAS: CodeInfo =
    CodeInfo::new(115, "bad-alias", "an alias names an anchor that is complete and stands before it");
pub(crate) const MISSING_KEY: CodeInfo = CodeInfo::new(116, "missing-key", "add it");
pub(crate) const UNKNOWN_KEY: CodeInfo =
    CodeInfo::new(117, "unknown-key", "remove or rename it: a key that nothing reads would look as if it counted");
pub(crate) const WRONG_TYPE: CodeInfo =
    CodeInfo::new(118, "wrong-type", "write the expected kind of value; numbers and booleans become text in quotes");
/// A value of the right kind that is not allowed here; every reader of texts uses it.
pub const BAD_VALUE: CodeInfo = CodeInfo::new(119, "bad-value", "write one of the values that are allowed here");

/// Every code that reading a text can give, in order.
pub const CODES: [CodeInfo; 16] = [
    SYNTAX,
    DUPLICATE_KEY,
    SEVERAL_DOCUMENTS,
    TEXT_TOO_LARGE,
    TOO_DEEP,
    TOO_MANY_NODES,
    INVALID_UTF8,
    AMBIGUOUS_SCALAR,
    TAG,
    MERGE_KEY,
    KEY_NOT_TEXT,
    BAD_ALIAS,
    MISSING_KEY,
    UNKNOWN_KEY,
    WRONG_TYPE,
    BAD_VALUE,
];
