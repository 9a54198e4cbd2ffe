//! Outsiders' text is pasted into a script.
//!
//! `${{ }}` is replaced in the text of a script before any shell or interpreter reads it: a title of `$(curl …)` is a command.
//! As a variable the same text is only data. `sluice check --fix` makes one where it is plain how the shell reads the place.
//!
//! ```bad
//! on: issues
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: echo "${{ github.event.issue.title }}"
//! ```
//! ```good
//! on: issues
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: echo "$TITLE"
//!         env: { TITLE: "${{ github.event.issue.title }}" }
//! ```

use super::{Code, Confidence, FlowKind, FlowRule, RuleMeta, Severity};

const META: RuleMeta = RuleMeta {
    code: Code(260),
    name: "template-injection",
    severity: Severity::Critical,
    confidence: Confidence::High,
    page: include_str!("template_injection.rs"),
};

const HELP: &str =
    "hand it over as a variable: `env:` at the step, `\"$NAME\"` in the script (`process.env.NAME` in JavaScript)";

/// In a shell's script.
pub(super) const IN_COMMAND: FlowRule = FlowRule {
    meta: META,
    kind: FlowKind::Command,
    says: "`${{ }}` pastes text of outsiders into the script of",
    help: HELP,
};

/// In a program.
pub(super) const IN_CODE: FlowRule = FlowRule {
    meta: META,
    kind: FlowKind::Code,
    says: "`${{ }}` pastes text of outsiders into the program of",
    help: HELP,
};
