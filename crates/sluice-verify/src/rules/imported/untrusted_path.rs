//! An outsider writes a part of a URL's path or query.
//!
//! `../` and `?` in it lead to another resource of the same host, read with the workflow's own rights.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "=https://crm.example.com/orders/{{ $json.subject }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "=https://crm.example.com/orders/{{ encodeURIComponent($json.subject) }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(234),
        name: "untrusted-path",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("untrusted_path.rs"),
    },
    kind: FlowKind::UrlPath,
    says: "text of outsiders stands unencoded in the URL of",
    help: "encode it (`encodeURIComponent`), send it as a query parameter of the node, or check its form before",
};
