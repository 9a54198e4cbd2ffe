//! An agent that reads an outsider's words may call a tool that changes something.
//!
//! Which tool is called, and with what, is the model's choice, and the outsider writes a part of what it chooses by.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(231),
        name: "untrusted-agent-tool",
        severity: Severity::High,
        page: include_str!("untrusted_agent_tool.rs"),
    },
    kind: FlowKind::AgentTool,
    says: "an agent that reads text of outsiders may call",
    help: "let a person confirm the call, take the tool away, or fix its arguments in the workflow",
};
