//! Sensitive data leaves to another service.
//!
//! What is read is personal, financial or confidential, and where it goes is outside of the workflow and of its owner.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Rows", "type": "n8n-nodes-base.mySql", "typeVersion": 2.4, "parameters": {"operation": "select", "table": {"__rl": true, "mode": "name", "value": "employees"}}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "={{ $json.salary }}"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Rows", "type": "main", "index": 0}]]}, "Rows": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Rows", "type": "n8n-nodes-base.mySql", "typeVersion": 2.4, "parameters": {"operation": "select", "table": {"__rl": true, "mode": "name", "value": "employees"}}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "done"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Rows", "type": "main", "index": 0}]]}, "Rows": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(240),
        name: "sensitive-egress",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("sensitive_egress.rs"),
    },
    kind: FlowKind::Egress,
    says: "sensitive data leaves by",
    help: "send only the fields that are needed, or mask them before",
};
