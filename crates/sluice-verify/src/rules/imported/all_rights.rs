//! The token has every right that there is.
//!
//! Whatever runs in the job, a dependency for one, can push code, publish packages and change releases.
//!
//! ```bad
//! on: push
//! permissions: write-all
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```
//! ```good
//! on: push
//! permissions: { contents: read }
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(264),
        name: "all-rights",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("all_rights.rs"),
    },
    says: "the token has every right here",
    help: "name the rights that the job needs, each with `read` or `write`",
};
