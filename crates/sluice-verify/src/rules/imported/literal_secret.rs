//! A credential stands in the workflow's text.
//!
//! Exports are shared, versioned and pasted into models; whoever reads one has the credential.

use super::{Code, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(251),
        name: "literal-secret",
        severity: Severity::High,
        page: include_str!("literal_secret.rs"),
    },
    says: "a credential stands in the text",
    help: "move it into a credential of the engine, and change it: it has been read",
};
