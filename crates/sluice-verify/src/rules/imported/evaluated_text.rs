//! An outsider's text is evaluated as a program.
//!
//! Whoever writes the text runs code on the host of the workflow.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(235),
        name: "evaluated-text",
        severity: Severity::Critical,
        page: include_str!("evaluated_text.rs"),
    },
    kind: FlowKind::Code,
    says: "text of outsiders is evaluated as a program in",
    help: "do not evaluate text; read the values that you need from it",
};
