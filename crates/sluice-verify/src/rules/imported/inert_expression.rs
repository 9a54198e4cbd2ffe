//! `{{ … }}` that is never evaluated.
//!
//! Without `=` in front the braces are sent as they stand: no data flows, and what receives it gets the braces.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "Hello {{ $json.name }}"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.slack", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "=Hello {{ $json.name }}"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(254),
        name: "inert-expression",
        severity: Severity::Low,
        confidence: Confidence::Medium,
        page: include_str!("inert_expression.rs"),
    },
    says: "this text has `{{ … }}` but no `=` in front: it is sent as it stands",
    help: "switch the field to an expression, or remove the braces",
};
