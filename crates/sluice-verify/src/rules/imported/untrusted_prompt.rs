//! Words that an outsider wrote stand in a model's prompt.
//!
//! A model cannot tell instructions from data: whoever writes a part of its prompt can make it say anything. What it says
//! is then as untrusted as what it was told, wherever it goes.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(230),
        name: "untrusted-prompt",
        severity: Severity::High,
        page: include_str!("untrusted_prompt.rs"),
    },
    kind: FlowKind::Prompt,
    says: "text of outsiders stands in the prompt of",
    help: "treat what it says as the outsider's own words: no tool with a side effect, no address, id or query from it without a check or a person",
};
