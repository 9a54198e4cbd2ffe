//! A step runs a shell command.
//!
//! It has the rights of the engine's own process or of the account that it logs in with.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.executeCommand", "typeVersion": 1, "parameters": {"command": "uptime"}} ],
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
        code: Code(253),
        name: "command-step",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("command_step.rs"),
    },
    says: "this step runs a shell command",
    help: "use a node for the service instead where there is one",
};
