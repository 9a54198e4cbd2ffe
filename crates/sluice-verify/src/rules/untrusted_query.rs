//! Words that an outsider or a model wrote choose what is looked up.
//!
//! Whoever chooses the question chooses whose data comes back.
//! ```bad
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - look: { call: crm.accounts.find, with: { q: "${ .body }" } }
//! ```
//! ```good
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - look: { call: crm.accounts.find, with: { q: "open" } }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(206),
    name: "untrusted-query",
    severity: Severity::Medium,
    confidence: Confidence::High,
    page: include_str!("untrusted_query.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let label = site.prepared.roles.get(&Role::Query).copied().unwrap_or_default();
        let atoms = cx.outside(label);
        if site.action.is_none() || atoms == Label::BOTTOM {
            continue;
        }
        let message = format!("what `{}` looks up is chosen by {}", site.name(), cx.origins_in_words(atoms));
        let end = End {
            sink: Sink::Role(Role::Query),
            roles: &[Role::Query],
            atoms,
            otherwise: "take the query from the requester, or add an `endorse` entry that lists the values it may have",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
