//! An agent that reads an outsider's words may call a tool that changes something.
//!
//! Which tool is called, and with what, is the model's choice, and the outsider writes a part of what it chooses by.
//! ```bad
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Agent", "type": "@n8n/n8n-nodes-langchain.agent", "typeVersion": 1.7, "parameters": {"promptType": "define", "text": "=Handle this: {{ $json.text }}"}},
//!     {"name": "Send", "type": "n8n-nodes-base.slackTool", "typeVersion": 2.3, "parameters": {"resource": "message", "operation": "post", "text": "={{ $fromAI('text') }}"}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Agent", "type": "main", "index": 0}]]}, "Send": {"ai_tool": [[{"node": "Agent", "type": "ai_tool", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Mail", "type": "n8n-nodes-base.gmailTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Agent", "type": "@n8n/n8n-nodes-langchain.agent", "typeVersion": 1.7, "parameters": {"promptType": "define", "text": "=Handle this: {{ $json.text }}"}},
//!     {"name": "Look up", "type": "@n8n/n8n-nodes-langchain.toolWikipedia", "typeVersion": 1, "parameters": {}} ],
//!   "connections": {"Mail": {"main": [[{"node": "Agent", "type": "main", "index": 0}]]}, "Look up": {"ai_tool": [[{"node": "Agent", "type": "ai_tool", "index": 0}]]}} }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(231),
        name: "untrusted-agent-tool",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("untrusted_agent_tool.rs"),
    },
    kind: FlowKind::AgentTool,
    says: "an agent that reads text of outsiders may call",
    help: "let a person confirm the call, take the tool away, or fix its arguments in the workflow",
};
