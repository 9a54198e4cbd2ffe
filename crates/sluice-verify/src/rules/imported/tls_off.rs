//! Certificates are not checked.
//!
//! Whoever sits on the way reads and changes what is sent, credentials included.

use super::{Code, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta { code: Code(252), name: "tls-off", severity: Severity::Medium, page: include_str!("tls_off.rs") },
    says: "certificates are not checked here",
    help: "give the server a certificate that can be checked, and switch the check on",
};
