//! An outsider's text stands in a shell command.
//!
//! A `;` or a backtick in it ends the command that was meant and begins another.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.executeCommand", "typeVersion": 1, "parameters": {"command": "=lookup {{ $json.subject }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.executeCommand", "typeVersion": 1, "parameters": {"command": "lookup all"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(236),
        name: "command-injection",
        severity: Severity::Critical,
        confidence: Confidence::High,
        page: include_str!("command_injection.rs"),
    },
    kind: FlowKind::Command,
    says: "text of outsiders stands in the command of",
    help: "pass it as a file or over standard input, or let only values of a fixed list through",
};
