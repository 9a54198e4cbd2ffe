//! An outsider's words reach an action only after a check that lets nothing harmful through.
//!
//! This is why another finding is not there: every way to the action passes the check, and it is of that very value. The words
//! are still an outsider's, and labelled so. What counts: equality to constants, membership in a list of them, a pattern
//! for the whole of the text whose characters can do nothing where they are used, a strict comparison of numbers. Which
//! conditions of which engine are read so is on the page of each format; in workflows of GitHub Actions a condition on who sent
//! the event, or wrote this part of it, counts as well.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Known", "type": "n8n-nodes-base.if", "typeVersion": 1, "parameters": {"conditions": {"string": [{"value1": "={{ $json.text }}", "operation": "regex", "value2": "^[a-z0-9-]+$"}]}}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "=https://api.example.com/{{ $json.text }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Known", "type": "main", "index": 0}]]}, "Known": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Known", "type": "n8n-nodes-base.if", "typeVersion": 1, "parameters": {"conditions": {"string": [{"value1": "={{ $json.text }}", "operation": "regex", "value2": "^[a-z0-9-]+"}]}}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "=https://api.example.com/{{ $json.text }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Known", "type": "main", "index": 0}]]}, "Known": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(245),
        name: "validated-value",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("validated_value.rs"),
    },
    says: "a check holds this back",
    help: "nothing is to be done; keep the check in front of this step, and what it lets through as narrow as it is",
};
