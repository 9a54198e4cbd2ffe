//! A step builds or runs an outsider's commit with the repository's rights.
//!
//! Under `pull_request_target`, `workflow_run` and `issue_comment` a run has the secrets and the token of the repository, also
//! where the event is about a stranger's fork. Whoever builds the commit runs its scripts: a changed `package.json` is enough.
//!
//! ```bad
//! on: pull_request_target
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567
//!         with: { ref: "${{ github.event.pull_request.head.sha }}" }
//!       - run: npm ci
//! ```
//! ```good
//! on: pull_request
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567
//!         with: { ref: "${{ github.event.pull_request.head.sha }}" }
//!       - run: npm ci
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(261),
        name: "runs-outsiders-code",
        severity: Severity::Critical,
        confidence: Confidence::High,
        page: include_str!("runs_outsiders_code.rs"),
    },
    says: "this step runs what an outsider's commit brings, with the repository's rights",
    help: "build outsiders' commits under `pull_request`, and hand results to a second workflow that treats them as data",
};
