//! A state machine changes something outside, and nothing catches the error of the state that does it.
//!
//! The execution ends there: what the states before it did stays done, and nobody is told.
//! ```bad
//! {"StartAt": "Save", "States": {"Save": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem",
//!   "Parameters": {"TableName": "orders", "Item": {"id": {"S.$": "$.id"}}}, "End": true}}}
//! ```
//! ```good
//! {"StartAt": "Save", "States": {"Save": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem",
//!   "Parameters": {"TableName": "orders", "Item": {"id": {"S.$": "$.id"}}}, "End": true,
//!   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(280),
        name: "uncaught-effect",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("uncaught_effect.rs"),
    },
    says: "this state changes something outside and has no `Catch`",
    help: "add a `Catch` that undoes what was done or tells somebody",
};
