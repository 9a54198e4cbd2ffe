//! An outsider's text is evaluated as a program.
//!
//! Whoever writes the text runs code on the host of the workflow.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.code", "typeVersion": 2, "parameters": {"jsCode": "return [{ json: { result: eval($json.text) } }];"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.code", "typeVersion": 2, "parameters": {"jsCode": "return [{ json: { length: Number($json.size) } }];"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(235),
        name: "evaluated-text",
        severity: Severity::Critical,
        confidence: Confidence::High,
        page: include_str!("evaluated_text.rs"),
    },
    kind: FlowKind::Code,
    says: "text of outsiders is evaluated as a program in",
    help: "do not evaluate text; read the values that you need from it",
};
