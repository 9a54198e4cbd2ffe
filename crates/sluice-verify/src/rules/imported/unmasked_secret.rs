//! A part of a secret is taken out.
//!
//! Logs hide only the whole text of a secret; a field of a JSON secret is shown as it is.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./deploy
//!         env: { KEY: "${{ fromJSON(secrets.ALL).key }}" }
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./deploy
//!         env: { KEY: "${{ secrets.KEY }}" }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(275),
        name: "unmasked-secret",
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        page: include_str!("unmasked_secret.rs"),
    },
    says: "a part of a secret is taken out, which logs do not hide",
    help: "keep each value as a secret of its own",
};
