//! A condition does not keep out what it seems to.
//!
//! Text around `${{ }}` in an `if`, be it only a line break, makes a text that is not empty, and so is always true. `contains` of
//! a text finds every part of it. `github.actor` is whoever acted last, who may have been made to act on a stranger's commit.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     if: ${{ github.ref_name == 'main' }} && ${{ github.event.forced }}
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     if: contains('main develop', github.ref_name)
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     if: contains(fromJSON('["main", "develop"]'), github.ref_name) && github.event.forced
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(279),
        name: "weak-condition",
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        page: include_str!("weak_condition.rs"),
    },
    says: "this condition does not keep out what it seems to",
    help: "write one expression without text around it, compare with `==` or with a list, and ask who wrote the commit",
};
