//! A secret is pasted into a script.
//!
//! Its text becomes a part of the program: it stands in the script file and perhaps in the list of processes, and a quote in it
//! breaks the command.
//!
//! ```bad
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: deploy --token ${{ secrets.DEPLOY }}
//! ```
//! ```good
//! on: push
//! permissions: {}
//! jobs:
//!   build:
//!     runs-on: ubuntu-latest
//!     steps:
//!       - run: deploy --token "$TOKEN"
//!         env: { TOKEN: "${{ secrets.DEPLOY }}" }
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(266),
        name: "secret-in-script",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("secret_in_script.rs"),
    },
    says: "a secret is pasted into the script of this step",
    help: "hand it over as a variable: `env:` at the step, `\"$NAME\"` in the script",
};
