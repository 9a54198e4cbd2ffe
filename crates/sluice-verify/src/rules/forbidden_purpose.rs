//! Data is used for a purpose that its owner does not allow.
//!
//! ```bad
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: marketing } }
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, health_note }) }" }
//! ```
//! ```good
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: reporting } }
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use super::{Atom, Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(213),
    name: "forbidden-purpose",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("forbidden_purpose.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites.iter().filter(|site| site.action.is_some()) {
        let Some(purpose) = cx.world.program.purpose_of(site.node.step) else { continue };
        let refuses = |atom: &Atom| matches!(atom, Atom::PurposesOnly { allowed, .. } if !allowed.contains(purpose));
        let atoms = site.prepared.joined.meet(cx.world.analysis.universe().select(refuses));
        if atoms == Label::BOTTOM || site.prepared.joined.is_unknown() {
            continue;
        }
        let owners = cx.rule_owners_in_words(atoms);
        let message = format!("data in `{}` is used for `{purpose}`, against the rules of {owners}", site.name());
        let end = End {
            sink: if atoms.flows_to(site.prepared.control) { Sink::Control } else { Sink::Arguments },
            roles: &Role::ALL,
            atoms,
            otherwise: "leave the data out, or state the purpose that it is really used for",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
