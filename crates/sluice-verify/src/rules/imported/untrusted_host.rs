//! An outsider chooses which host is called.
//!
//! The request leaves from inside your network, with what it carries: metadata services, internal hosts, and any host
//! that wants to answer.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(233),
        name: "untrusted-host",
        severity: Severity::High,
        page: include_str!("untrusted_host.rs"),
    },
    kind: FlowKind::UrlHost,
    says: "the host that is called is chosen by outsiders in",
    help: "write the host into the workflow, or check it against a list before the call",
};
