//! Sensitive data leaves to another service.
//!
//! What is read is personal, financial or confidential, and where it goes is outside of the workflow and of its owner.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(240),
        name: "sensitive-egress",
        severity: Severity::Medium,
        page: include_str!("sensitive_egress.rs"),
    },
    kind: FlowKind::Egress,
    says: "sensitive data leaves by",
    help: "send only the fields that are needed, or mask them before",
};
