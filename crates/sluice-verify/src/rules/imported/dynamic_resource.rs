//! Whoever starts the workflow chooses which function, queue, store, role or workflow it uses.
//!
//! The workflow's own role decides what may be used, and that is often more than its author thought of.
//! ```bad
//! {"StartAt": "Run", "States": {"Run": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
//!   "Parameters": {"FunctionName.$": "$.function", "Payload": {}}, "End": true,
//!   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```
//! ```good
//! {"StartAt": "Run", "States": {"Run": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
//!   "Parameters": {"FunctionName": "${Function}", "Payload.$": "$.payload"}, "End": true,
//!   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(281),
        name: "dynamic-resource",
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        page: include_str!("dynamic_resource.rs"),
    },
    kind: FlowKind::Resource,
    says: "outsiders choose which function, queue, store, role or workflow is used by",
    help: "write the name into the workflow, or choose among constants with a `Choice`",
};
