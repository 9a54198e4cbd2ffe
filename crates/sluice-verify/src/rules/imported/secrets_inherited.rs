//! A workflow of another repository gets every secret.
//!
//! `secrets: inherit` hands over all that the caller can read, now and in future.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   call:
//!     uses: some/where/.github/workflows/deploy.yml@0123456789abcdef0123456789abcdef01234567
//!     secrets: inherit
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   call:
//!     uses: some/where/.github/workflows/deploy.yml@0123456789abcdef0123456789abcdef01234567
//!     secrets: { TOKEN: "${{ secrets.TOKEN }}" }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(268),
        name: "secrets-inherited",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("secrets_inherited.rs"),
    },
    says: "a workflow of another repository gets every secret",
    help: "name each secret that it needs",
};
