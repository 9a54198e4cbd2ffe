//! The analysis was stopped before it was done.
//!
//! It visits every node until nothing changes, at most two million times in all. A text that needs more was made to
//! stall the verifier, or should be several workflows. Nothing is said about it, and it cannot be verified.

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};
use crate::analysis::ANALYSIS_VISITS_MAX;

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(220),
    name: "analysis-bound",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("analysis_bound.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !cx.world.analysis.is_complete() {
        let message = format!("the analysis takes more than {ANALYSIS_VISITS_MAX} visits");
        findings.push(META.finding(
            cx.world.program.document.span,
            message,
            "split the definition into several workflows",
        ));
    }
}
