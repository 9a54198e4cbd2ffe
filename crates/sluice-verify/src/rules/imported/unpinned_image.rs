//! A container image is used by a name that its owner can move.
//!
//! A tag can point to another image tomorrow; a digest cannot.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     container: node:20
//!     steps:
//!       - run: make
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     container: node@sha256:abc
//!     steps:
//!       - run: make
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(276),
        name: "unpinned-image",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("unpinned_image.rs"),
    },
    says: "an image that is not pinned to a digest is used",
    help: "add the image's digest: `name@sha256:…`",
};
