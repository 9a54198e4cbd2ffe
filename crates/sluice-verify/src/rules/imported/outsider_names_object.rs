//! An outsider names the object that is read with the workflow's own rights.
//!
//! An id of somebody else's file, order or record is as easy to send as one's own.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(239),
        name: "outsider-names-object",
        severity: Severity::Medium,
        page: include_str!("outsider_names_object.rs"),
    },
    kind: FlowKind::ObjectRef,
    says: "outsiders name the object that is read by",
    help: "check that the object belongs to who asks, or look it up by what is known of them",
};
