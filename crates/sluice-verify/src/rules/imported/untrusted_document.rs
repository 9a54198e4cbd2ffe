//! An outsider's text is pasted into a JSON or XML document.
//!
//! A quote in it ends the value that it was meant to be; what follows adds or replaces fields.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"method": "POST", "url": "https://crm.example.com/notes", "sendBody": true, "specifyBody": "json", "jsonBody": "={ \"note\": \"{{ $json.text }}\" }"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"method": "POST", "url": "https://crm.example.com/notes", "sendBody": true, "specifyBody": "json", "jsonBody": "{ \"note\": \"a mail came in\" }"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(242),
        name: "untrusted-document",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("untrusted_document.rs"),
    },
    kind: FlowKind::BodyInject,
    says: "text of outsiders is pasted into the document that is sent by",
    help: "build the document from values (`JSON.stringify`), not from text",
};
