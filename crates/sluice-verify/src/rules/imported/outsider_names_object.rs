//! An outsider names the object that is read with the workflow's own rights.
//!
//! An id of somebody else's file, order or record is as easy to send as one's own.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.googleDrive", "typeVersion": 3, "parameters": {"resource": "file", "operation": "download", "fileId": {"__rl": true, "mode": "id", "value": "={{ $json.text }}"}}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.googleDrive", "typeVersion": 3, "parameters": {"resource": "file", "operation": "download", "fileId": {"__rl": true, "mode": "id", "value": "f1"}}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(239),
        name: "outsider-names-object",
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        page: include_str!("outsider_names_object.rs"),
    },
    kind: FlowKind::ObjectRef,
    says: "outsiders name the object that is read by",
    help: "check that the object belongs to who asks, or look it up by what is known of them",
};
