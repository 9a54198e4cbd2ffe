//! Words that an outsider or a model wrote choose the address of a request.
//!
//! An address decides who is called and, in its path and query, what is said to them. It must be known before the run,
//! so that exactly one contract action covers it.
//! ```bad
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - fetch:
//!       call: http
//!       with: { method: get, endpoint: "${ .body }" }
//! ```
//! ```good
//! do:
//!   - fetch:
//!       call: http
//!       with: { method: get, endpoint: "https://crm.example.com/accounts" }
//! ```

use sluice_core::program::{CallTarget, NodeKind};
use sluice_core::transfer::Breach;

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(208),
    name: "untrusted-url",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("untrusted_url.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let unknown = site.prepared.breaches.contains(&Breach::UnknownEndpoint);
        let endpoint = site.prepared.arguments.child("endpoint").map(|v| v.deep_label()).unwrap_or_default();
        let atoms = cx.outside(endpoint);
        let is_http = matches!(&site.node.kind, NodeKind::Call { target: CallTarget::Http, .. });
        if !is_http || !unknown {
            continue;
        }
        let otherwise = "write the address into the definition: `https://host/path/{id}` with the id as an argument of \
                         a contract action";
        if atoms == Label::BOTTOM {
            let message = "the address of this request is not known before the run";
            findings.push(META.finding(site.span(), message, otherwise).at_step(site.step.path.to_string()));
            continue;
        }
        let message = format!("the address of this request is chosen by {}", cx.origins_in_words(atoms));
        let end = End { sink: Sink::Arguments, roles: &[Role::Destination], atoms, otherwise };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
