//! A reference to a node that is not in the file.
//!
//! The expression fails when it is evaluated, or silently gives nothing.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "={{ $('Gone').item.json.name }}"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "={{ $('Clock').item.json.name }}"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(255),
        name: "dangling-reference",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("dangling_reference.rs"),
    },
    says: "a node is named that is not in this workflow",
    help: "name the node that was meant",
};
