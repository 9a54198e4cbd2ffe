//! An outsider sets off or shapes a change of rights or money, or one that cannot be undone.
//!
//! Nobody but the workflow stands between a stranger and accounts, payments, deletions, infrastructure.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(237),
        name: "untrusted-privileged",
        severity: Severity::High,
        page: include_str!("untrusted_privileged.rs"),
    },
    kind: FlowKind::Privileged,
    says: "outsiders set off or shape",
    help: "put an approval step or a check of who asks before it",
};
