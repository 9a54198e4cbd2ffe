//! Whoever has the address of an HTTP trigger may start the workflow: nothing else is asked.
//!
//! The signature in the address is the only secret. It is in the history of whatever called it, never changes by itself,
//! and tells nothing of who called.
//! ```bad
//! {"definition": {"triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {}}}, "actions": {}}}
//! ```
//! ```good
//! {"definition": {"triggers": {"manual": {"type": "Request", "kind": "Http",
//!   "inputs": {"triggerAuthenticationType": "Tenant"}}}, "actions": {}}}
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(290),
        name: "anonymous-trigger",
        severity: Severity::Low,
        confidence: Confidence::High,
        page: include_str!("anonymous_trigger.rs"),
    },
    says: "whoever has the address may start the workflow here",
    help: "ask callers to sign in (a policy of Microsoft Entra ID, or only users of the tenant), or limit their addresses",
};
