//! A `*` stands where a resource, an action or a principal should be named.
//!
//! Whatever is granted or called this way is everything that there is, also what is added later.
//! ```bad
//! {"StartAt": "Grant", "States": {"Grant": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:putBucketPolicy",
//!   "Parameters": {"Bucket": "b", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}]}},
//!   "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```
//! ```good
//! {"StartAt": "Grant", "States": {"Grant": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:putBucketPolicy",
//!   "Parameters": {"Bucket": "b", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "${Reader}"}]}},
//!   "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}, "Failed": {"Type": "Fail"}}}
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(282),
        name: "wide-resource",
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        page: include_str!("wide_resource.rs"),
    },
    says: "a `*` stands where one thing should be named",
    help: "name what is meant",
};
