//! Data that no contract classifies leaves.
//!
//! What a contract says nothing about may be anything: nobody can say who may have it.
//! ```bad
//! do:
//!   - fetch: { call: crm.accounts.raw, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ . }" }
//! ```
//! ```good
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(202),
    name: "unclassified-export",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("unclassified_export.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.outbound().filter(|site| site.prepared.joined.is_unknown()) {
        let sink = if site.prepared.control.is_unknown() { Sink::Control } else { Sink::Arguments };
        let message = format!("`{}` sends data that no contract classifies", site.name());
        let end = End {
            sink,
            roles: &Role::ALL,
            atoms: Label::UNKNOWN,
            otherwise: "label the reply's paths in the connector's contract, or send only the parts that are labelled",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
