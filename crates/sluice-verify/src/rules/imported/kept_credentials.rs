//! The token stays in the workspace after a checkout.
//!
//! Every later step can read it from `.git/config`, and an artifact of the whole workspace publishes it. `sluice check --fix` switches
//! it off where no later step can need it.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567
//!         with: { persist-credentials: false }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(273),
        name: "kept-credentials",
        severity: Severity::Info,
        confidence: Confidence::High,
        page: include_str!("kept_credentials.rs"),
    },
    says: "the token stays in the workspace after this checkout",
    help: "set `persist-credentials: false` unless a later step pushes",
};
