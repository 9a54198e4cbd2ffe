//! Another workflow is called that is not among the files.
//!
//! What it does with the data is not known here.

use super::{Code, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(258),
        name: "unresolved-workflow",
        severity: Severity::Info,
        page: include_str!("unresolved_workflow.rs"),
    },
    says: "the workflow that is called is not among the files",
    help: "check both files together",
};
