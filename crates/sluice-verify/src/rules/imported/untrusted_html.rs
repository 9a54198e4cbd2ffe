//! An outsider's text is rendered as HTML.
//!
//! Links, images and forms of the outsider appear under your name.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(241),
        name: "untrusted-html",
        severity: Severity::Low,
        page: include_str!("untrusted_html.rs"),
    },
    kind: FlowKind::Html,
    says: "text of outsiders is rendered as HTML by",
    help: "escape it, or send plain text",
};
