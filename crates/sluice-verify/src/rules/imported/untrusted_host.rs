//! An outsider chooses which host is called.
//!
//! The request leaves from inside your network, with what it carries: metadata services, internal hosts, and any host
//! that wants to answer.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "={{ $json.text }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "https://status.example.com/now"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(233),
        name: "untrusted-host",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("untrusted_host.rs"),
    },
    kind: FlowKind::UrlHost,
    says: "the host that is called is chosen by outsiders in",
    help: "write the host into the workflow, or check it against a list before the call",
};
