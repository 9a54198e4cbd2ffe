//! A node type that no catalogue knows.
//!
//! What it does was guessed from its name.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-acme.frobnicator", "typeVersion": 1, "parameters": {}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "parameters": {}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(259),
        name: "unknown-node-type",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("unknown_node_type.rs"),
    },
    says: "what this node does was guessed from its name",
    help: "describe the type in the workspace's own catalogue",
};
