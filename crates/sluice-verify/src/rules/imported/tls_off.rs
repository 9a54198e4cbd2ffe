//! Certificates are not checked.
//!
//! Whoever sits on the way reads and changes what is sent, credentials included. In exports of n8n `sluice check --fix` sets
//! the option to `false`.
//! ```bad
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "https://api.example.com/v1", "options": {"allowUnauthorizedCerts": true}}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```
//! ```good
//! { "nodes": [
//!     {"name": "Clock", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "parameters": {}},
//!     {"name": "Do", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "https://api.example.com/v1", "options": {}}} ],
//!   "connections": {"Clock": {"main": [[{"node": "Do", "type": "main", "index": 0}]]}} }
//! ```

use sluice_core::edit::{Edit, Fix};
use sluice_core::text::Span;
use sluice_formats::Format;

use super::{Code, Confidence, FaceRule, RuleMeta, Severity};

pub(super) const RULE: FaceRule = FaceRule {
    meta: RuleMeta {
        code: Code(252),
        name: "tls-off",
        severity: Severity::Medium,
        confidence: Confidence::High,
        page: include_str!("tls_off.rs"),
    },
    says: "certificates are not checked here",
    help: "give the server a certificate that can be checked, and switch the check on",
};

/// The option's own value, in exports of n8n. Where its span holds something else, as behind an alias, the edit does not fit.
pub(super) fn fix(format: Format, value: Span) -> Option<Fix> {
    let edit = Edit { start: value.start, end: value.end, was: "true".to_owned(), text: "false".to_owned() };
    (format == Format::N8n).then(|| Fix { edits: vec![edit] })
}
