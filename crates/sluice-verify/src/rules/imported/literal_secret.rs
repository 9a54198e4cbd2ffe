//! A credential stands in the workflow's text.
//!
//! Exports are shared, versioned and pasted into models; whoever reads one has the credential.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "https://api.example.com/v1", "sendHeaders": true, "headerParameters": {"parameters": [{"name": "X-Api-Key", "value": "4f7c2b9e81d04a6f9c3e5b7a1d2f8e60"}]}}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "https://api.example.com/v1", "authentication": "genericCredentialType", "genericAuthType": "httpHeaderAuth"}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(251),
        name: "literal-secret",
        severity: Severity::High,
        confidence: Confidence::Medium,
        page: include_str!("literal_secret.rs"),
    },
    says: "a credential stands in the text",
    help: "move it into a credential of the engine, and change it: it has been read",
};
