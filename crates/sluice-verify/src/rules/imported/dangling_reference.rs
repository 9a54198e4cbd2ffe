//! A reference to a node that is not in the file.
//!
//! The expression fails when it is evaluated, or silently gives nothing.

use super::{Code, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(255),
        name: "dangling-reference",
        severity: Severity::Low,
        page: include_str!("dangling_reference.rs"),
    },
    says: "a node is named that is not in this workflow",
    help: "name the node that was meant",
};
