//! A step deletes for good, and nobody is asked.
//!
//! A wrong condition or an outsider's word deletes what cannot be brought back.

use super::{Code, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(256),
        name: "destructive-step",
        severity: Severity::Medium,
        page: include_str!("destructive_step.rs"),
    },
    says: "this step deletes for good without asking anybody",
    help: "put an approval step before it, or move to a bin instead",
};
