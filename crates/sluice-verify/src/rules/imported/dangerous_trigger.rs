//! Outsiders' events start runs that have the repository's rights.
//!
//! That can be right, to label a pull request for one, as long as nothing of the outsider's is run or pasted.
//!
//! ```bad
//! on: pull_request_target
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./label
//! ```
//! ```good
//! on: pull_request
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./label
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(274),
        name: "dangerous-trigger",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("dangerous_trigger.rs"),
    },
    says: "this event gives runs that outsiders start the repository's rights and secrets",
    help: "use `pull_request` where the rights are not needed",
};
