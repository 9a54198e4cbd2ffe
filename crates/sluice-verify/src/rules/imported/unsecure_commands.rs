//! Any program's output can change the environment of later steps.
//!
//! `ACTIONS_ALLOW_UNSECURE_COMMANDS` brings back `::set-env`, which GitHub took out because log lines could set `PATH`.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: ./report
//!         env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: true }
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: echo "A=b" >> "$GITHUB_ENV"
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(271),
        name: "unsecure-commands",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("unsecure_commands.rs"),
    },
    says: "commands in any program's output can change the environment",
    help: "take the variable out, and write to `$GITHUB_ENV` and `$GITHUB_PATH`",
};
