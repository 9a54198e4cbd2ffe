//! An outsider's text stands in a shell command.
//!
//! A `;` or a backtick in it ends the command that was meant and begins another.

use super::{Code, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(236),
        name: "command-injection",
        severity: Severity::Critical,
        page: include_str!("command_injection.rs"),
    },
    kind: FlowKind::Command,
    says: "text of outsiders stands in the command of",
    help: "pass it as a file or over standard input, or let only values of a fixed list through",
};
