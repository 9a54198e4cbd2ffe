//! Anybody may start the workflow without showing who they are.
//!
//! A webhook, a form, a public chat or a tool server without authentication is found by scanners within days.
//! Where nothing behind it calls, changes or reads anything, whoever comes in gains nothing: then it is worth knowing only.
//! ```bad
//! { "nodes": [
//!     {"name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "parameters": {"path": "x"}},
//!     {"name": "Do", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1, "parameters": {"workflowId": "nightly"}} ],
//!   "connections": {"Hook": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "parameters": {"path": "x", "authentication": "headerAuth"}},
//!     {"name": "Do", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1, "parameters": {"workflowId": "nightly"}} ],
//!   "connections": {"Hook": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(250),
        name: "open-entrance",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("open_entrance.rs"),
    },
    says: "anybody may start the workflow here",
    help: "set an authentication on the entry, or check a signature or token right behind it",
};
