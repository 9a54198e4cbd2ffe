//! An outsider chooses who gets a message.
//!
//! Your mailbox or bot sends what the workflow has to whomever a stranger names.
//! ```bad
//! { "nodes": [
//!     {"name": "Form", "type": "n8n-nodes-base.formTrigger", "typeVersion": 2.2, "parameters": {"authentication": "none", "formTitle": "x"}},
//!     {"name": "Do", "type": "n8n-nodes-base.emailSend", "typeVersion": 2.1, "parameters": {"toEmail": "={{ $json.address }}", "subject": "Hello", "text": "Hello"}} ],
//!   "connections": {"Form": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Form", "type": "n8n-nodes-base.formTrigger", "typeVersion": 2.2, "parameters": {"authentication": "basicAuth", "formTitle": "x"}},
//!     {"name": "Do", "type": "n8n-nodes-base.emailSend", "typeVersion": 2.1, "parameters": {"toEmail": "desk@example.com", "subject": "Hello", "text": "Hello"}} ],
//!   "connections": {"Form": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(238),
        name: "outsider-chooses-recipient",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("outsider_chooses_recipient.rs"),
    },
    kind: FlowKind::Recipient,
    says: "the recipient is chosen by outsiders in",
    help: "take the recipient from the workflow or from a directory, or check it against a list",
};
