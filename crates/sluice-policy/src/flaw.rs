//! What is wrong with a policy text.

use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_core::label::Name;
use sluice_core::text::{Span, Text};

/// One flaw of one text of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The text's name.
    pub text: Name,
    /// What and where.
    pub diagnostic: Diagnostic,
}

pub(crate) const UNREADABLE: (Code, &str) = (Code(301), "unreadable-policy");
pub(crate) const MISFIT: (Code, &str) = (Code(302), "policy-does-not-fit-schema");
pub(crate) const BAD_ID: (Code, &str) = (Code(303), "policy-without-own-id");
pub(crate) const NO_WHY: (Code, &str) = (Code(304), "policy-without-why");
pub(crate) const UNKNOWN_ANNOTATION: (Code, &str) = (Code(305), "unknown-annotation");
pub(crate) const BAD_REMEDY: (Code, &str) = (Code(306), "bad-remedy");
pub(crate) const MISPLACED_REMEDY: (Code, &str) = (Code(307), "remedy-on-permit");
pub(crate) const IDLE_REMEDY: (Code, &str) = (Code(308), "remedy-never-lifts");
pub(crate) const TEMPLATE: (Code, &str) = (Code(309), "policy-template");
pub(crate) const TOO_LARGE: (Code, &str) = (Code(310), "bundle-too-large");

/// A flaw at a place of `text`.
pub(crate) fn flaw(
    text: &Text,
    (code, name): (Code, &'static str),
    span: Span,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Flaw {
    let diagnostic = Diagnostic::new(code, name, Severity::High, span, message, help);
    Flaw { text: text.name.clone(), diagnostic }
}
