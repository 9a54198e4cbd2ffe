//! An outsider sets off or shapes a change of rights or money, or one that cannot be undone.
//!
//! Nobody but the workflow stands between a stranger and accounts, payments, deletions, infrastructure.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.gmail", "typeVersion": 2.1, "parameters": {"resource": "message", "operation": "delete", "messageId": "={{ $json.text }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.gmail", "typeVersion": 2.1, "parameters": {"resource": "message", "operation": "getAll"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(237),
        name: "untrusted-privileged",
        severity: Severity::High,
        confidence: Confidence::Medium,
        page: include_str!("untrusted_privileged.rs"),
    },
    kind: FlowKind::Privileged,
    says: "outsiders set off or shape",
    help: "put an approval step or a check of who asks before it",
};
