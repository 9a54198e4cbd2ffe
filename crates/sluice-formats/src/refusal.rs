//! Why a text is not imported: the codes that every importer shares.

use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_core::text::Span;

/// `SL801`: it was taken for a format that it is not.
pub(crate) fn not_this_format(span: Span, format: &str, needs: &str) -> Diagnostic {
    Diagnostic::new(
        Code(801),
        "not-this-format",
        Severity::High,
        span,
        format!("this is no workflow of {format}: it has no {needs}"),
        "export the workflow again, or leave the file out",
    )
}

/// `SL802`: more of something than is read.
pub(crate) fn too_many(span: Span, what: &str, most: usize) -> Diagnostic {
    Diagnostic::new(
        Code(802),
        "workflow-too-large",
        Severity::High,
        span,
        format!("the workflow has more than the {most} {what} that are analysed"),
        "split it into workflows that call each other",
    )
}
