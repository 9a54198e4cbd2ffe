//! A cache goes into what is published.
//!
//! Other workflows of the repository can fill the cache; a release should be built from its own sources alone.
//!
//! ```bad
//! on: { push: { tags: ['v*'] } }
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - uses: actions/cache@0123456789abcdef0123456789abcdef01234567
//!         with: { path: deps, key: deps }
//!       - run: make release
//! ```
//! ```good
//! on: { push: { tags: ['v*'] } }
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: make release
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(278),
        name: "poisoned-cache",
        severity: Severity::Low,
        confidence: Confidence::Medium,
        page: include_str!("poisoned_cache.rs"),
    },
    says: "a workflow that publishes takes files from a cache",
    help: "build releases without a cache",
};
