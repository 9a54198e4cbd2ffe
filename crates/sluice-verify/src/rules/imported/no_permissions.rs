//! Nothing says which rights the token has.
//!
//! Then the repository's default counts, which in older repositories is to write everything. `sluice check --fix` writes
//! `contents: read` where every step is known to need no more.
//!
//! ```bad
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(265),
        name: "no-permissions",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("no_permissions.rs"),
    },
    says: "a job says nothing of its token's rights, and neither does the workflow",
    help: "begin the workflow with `permissions: {}`, and give each job what it needs",
};
