//! A step handles a secret, and the history of runs shows it to everybody who may look at runs.
//! ```bad
//! {"definition": {"triggers": {}, "actions": {"Read": {"type": "ApiConnection", "inputs": {"method": "get",
//!   "host": {"connection": {"name": "@parameters('$connections')['keyvault']['connectionId']"}},
//!   "path": "/secrets/@{encodeURIComponent('api')}/value"}}}}}
//! ```
//! ```good
//! {"definition": {"triggers": {}, "actions": {"Read": {"type": "ApiConnection", "inputs": {"method": "get",
//!   "host": {"connection": {"name": "@parameters('$connections')['keyvault']['connectionId']"}},
//!   "path": "/secrets/@{encodeURIComponent('api')}/value"},
//!   "runtimeConfiguration": {"secureData": {"properties": ["inputs", "outputs"]}}}}}}
//! ```

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(291),
        name: "unsecured-secret",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("unsecured_secret.rs"),
    },
    says: "the history of runs shows a secret of this step",
    help: "switch on secure inputs and secure outputs in the settings of the step",
};
