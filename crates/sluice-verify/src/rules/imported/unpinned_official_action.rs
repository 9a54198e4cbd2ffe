//! An action of GitHub itself is used by a name that can be moved.
//!
//! The risk is smaller than with other owners; a digest still makes runs repeatable.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/setup-node@v4
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/setup-node@0123456789abcdef0123456789abcdef01234567
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(263),
        name: "unpinned-official-action",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("unpinned_official_action.rs"),
    },
    says: "this step uses an action of GitHub that is not pinned to a commit",
    help: "pin it to the full digest of a commit, with the version in a comment",
};
