//! An outsider's text is rendered as HTML.
//!
//! Links, images and forms of the outsider appear under your name.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.emailSend", "typeVersion": 2.1, "parameters": {"toEmail": "desk@example.com", "subject": "New", "html": "=<p>{{ $json.text }}</p>"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.emailSend", "typeVersion": 2.1, "parameters": {"toEmail": "desk@example.com", "subject": "New", "html": "<p>A mail came in</p>"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(241),
        name: "untrusted-html",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("untrusted_html.rs"),
    },
    kind: FlowKind::Html,
    says: "text of outsiders is rendered as HTML by",
    help: "escape it, or send plain text",
};
