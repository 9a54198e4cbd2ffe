//! Nothing happens when a step fails.
//!
//! Runs that fail half-way leave half of their effects, and nobody hears of it.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "x"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "x"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}},
//!   "settings": {"errorWorkflow": "w1"} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(257),
        name: "no-error-handling",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("no_error_handling.rs"),
    },
    says: "no step handles errors, and no workflow is named for them",
    help: "name an error workflow in the settings, or handle errors at the steps that change something",
};
