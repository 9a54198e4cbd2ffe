//! An outsider chooses who gets a message.
//!
//! Your mailbox or bot sends what the workflow has to whomever a stranger names.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(238),
        name: "outsider-chooses-recipient",
        severity: Severity::High,
        page: include_str!("outsider_chooses_recipient.rs"),
    },
    kind: FlowKind::Recipient,
    says: "the recipient is chosen by outsiders in",
    help: "take the recipient from the workflow or from a directory, or check it against a list",
};
