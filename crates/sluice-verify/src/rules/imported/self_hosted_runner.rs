//! Events of outsiders run on the owner's own machines.
//!
//! Such a machine keeps what a run leaves behind, and stands in the owner's network.
//!
//! ```bad
//! on: pull_request
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: [self-hosted, linux]
//!     steps:
//!       - run: make
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: [self-hosted, linux]
//!     steps:
//!       - run: make
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(270),
        name: "self-hosted-runner",
        severity: Severity::Info,
        confidence: Confidence::Medium,
        page: include_str!("self_hosted_runner.rs"),
    },
    says: "a job that outsiders can start runs on a machine of the owner",
    help: "use hosted or throw-away runners for such events, or let a person approve each run",
};
