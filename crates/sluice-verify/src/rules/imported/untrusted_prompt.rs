//! Words that an outsider wrote stand in a model's prompt.
//!
//! A model cannot tell instructions from data: whoever writes a part of its prompt can make it say anything. What it says
//! is then as untrusted as what it was told, wherever it goes.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "@n8n/n8n-nodes-langchain.chainLlm", "typeVersion": 1.5, "parameters": {"promptType": "define", "text": "=Summarize: {{ $json.text }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "@n8n/n8n-nodes-langchain.chainLlm", "typeVersion": 1.5, "parameters": {"promptType": "define", "text": "Write a greeting"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(230),
        name: "untrusted-prompt",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("untrusted_prompt.rs"),
    },
    kind: FlowKind::Prompt,
    says: "text of outsiders stands in the prompt of",
    help: "treat what it says as the outsider's own words: no tool with a side effect, no address, id or query from it without a check or a person",
};
