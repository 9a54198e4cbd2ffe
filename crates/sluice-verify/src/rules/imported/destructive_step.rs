//! A step deletes for good, and nobody is asked.
//!
//! A wrong condition or an outsider's word deletes what cannot be brought back.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.postgres", "typeVersion": 2.5, "parameters": {"operation": "executeQuery", "query": "DROP TABLE notes"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.postgres", "typeVersion": 2.5, "parameters": {"operation": "executeQuery", "query": "SELECT 1"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(256),
        name: "destructive-step",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("destructive_step.rs"),
    },
    says: "this step deletes for good without asking anybody",
    help: "put an approval step before it, or move to a bin instead",
};
