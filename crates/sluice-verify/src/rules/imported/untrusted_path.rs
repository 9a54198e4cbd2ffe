//! An outsider writes a part of a URL's path or query.
//!
//! `../` and `?` in it lead to another resource of the same host, read with the workflow's own rights.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(234),
        name: "untrusted-path",
        severity: Severity::Medium,
        page: include_str!("untrusted_path.rs"),
    },
    kind: FlowKind::UrlPath,
    says: "text of outsiders stands unencoded in the URL of",
    help: "encode it (`encodeURIComponent`), send it as a query parameter of the node, or check its form before",
};
