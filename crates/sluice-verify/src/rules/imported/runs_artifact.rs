//! A step runs what another run has left behind.
//!
//! The run before may have been started by a stranger's pull request, who then chose every file of its artifacts.
//!
//! ```bad
//! on: { workflow_run: { workflows: [CI], types: [completed] } }
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: gh run download ${{ github.event.workflow_run.id }}
//!       - run: ./report.sh
//! ```
//! ```good
//! on: { workflow_run: { workflows: [CI], types: [completed] } }
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: gh run download ${{ github.event.workflow_run.id }}
//!       - run: cat report.txt
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(269),
        name: "runs-artifact",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("runs_artifact.rs"),
    },
    says: "this step runs files that came as the artifact of another run",
    help: "read artifacts as data, and run only what the repository itself holds",
};
