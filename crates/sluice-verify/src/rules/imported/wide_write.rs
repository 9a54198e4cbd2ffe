//! Every job of the workflow may write.
//!
//! A right at the top counts for each job, also for those that only test.
//!
//! ```bad
//! on: push
//! permissions: { contents: write }
//! jobs:
//!   a:
//!     runs-on: ubuntu-latest
//!     steps: [{ run: make test }]
//!   b:
//!     runs-on: ubuntu-latest
//!     steps: [{ run: make release }]
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   a:
//!     runs-on: ubuntu-latest
//!     steps: [{ run: make test }]
//!   b:
//!     runs-on: ubuntu-latest
//!     permissions: { contents: write }
//!     steps: [{ run: make release }]
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(277),
        name: "wide-write",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("wide_write.rs"),
    },
    says: "every job of this workflow gets a right to write",
    help: "give the right to the job that needs it",
};
