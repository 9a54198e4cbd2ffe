//! A step gets all secrets at once.
//!
//! `toJSON(secrets)` and an index that is computed bring every secret of the repository to the runner, also those that the step
//! never needs.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./deploy
//!         env: { ALL: "${{ toJSON(secrets) }}" }
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./deploy
//!         env: { ONE: "${{ secrets.DEPLOY }}" }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(267),
        name: "all-secrets",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("all_secrets.rs"),
    },
    says: "this step gets every secret at once",
    help: "name each secret that it needs",
};
