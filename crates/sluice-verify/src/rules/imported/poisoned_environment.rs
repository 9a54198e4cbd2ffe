//! Outsiders' text is written to the environment of later steps.
//!
//! A line break in it begins another variable: `LD_PRELOAD` or `NODE_OPTIONS` makes later programs run whatever the outsider wants.
//!
//! ```bad
//! on: issues
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: echo "TITLE=$TITLE" >> "$GITHUB_ENV"
//!         env: { TITLE: "${{ github.event.issue.title }}" }
//! ```
//! ```good
//! on: issues
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: echo "NUMBER=$NUMBER" >> "$GITHUB_ENV"
//!         env: { NUMBER: "${{ github.event.issue.number }}" }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

pub(super) const RULE: FlowRule = FlowRule {
    meta: RuleMeta {
        code: Code(272),
        name: "poisoned-environment",
        severity: Severity::High,
        confidence: Confidence::High,
        page: include_str!("poisoned_environment.rs"),
    },
    kind: FlowKind::Code,
    says: "text of outsiders is written to the environment of later steps by",
    help: "hand it on as an output of the step, or check that it is one line of an expected form first",
};
