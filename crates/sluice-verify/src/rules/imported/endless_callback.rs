//! A state waits for a callback, and for how long is not said.
//!
//! A callback that never comes holds the execution for up to a year, with whatever was reserved before it.
//! ```bad
//! {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
//!   "Parameters": {"TopicArn": "${Topic}", "Message.$": "$$.Task.Token"}, "End": true,
//!   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```
//! ```good
//! {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken",
//!   "TimeoutSeconds": 86400, "Parameters": {"TopicArn": "${Topic}", "Message.$": "$$.Task.Token"}, "End": true,
//!   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(283),
        name: "endless-callback",
        severity: Severity::Info,
        confidence: Confidence::Medium,
        page: include_str!("endless_callback.rs"),
    },
    says: "this state waits for a callback without a time limit",
    help: "set `TimeoutSeconds` or `HeartbeatSeconds`, and catch `States.Timeout`",
};
