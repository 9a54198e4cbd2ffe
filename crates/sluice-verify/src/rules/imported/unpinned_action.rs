//! Somebody else's action is used by a name that its owner can move.
//!
//! A tag or branch can point to other code tomorrow; a commit's digest cannot.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: some/action@v1
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: some/action@0123456789abcdef0123456789abcdef01234567 # v1
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(262),
        name: "unpinned-action",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("unpinned_action.rs"),
    },
    says: "this step uses another owner's action that is not pinned to a commit",
    help: "pin it to the full digest of a commit, with the version in a comment",
};
