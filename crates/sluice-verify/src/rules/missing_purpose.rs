//! Data leaves, or data with an owner's rule on purposes is used, and the workflow does not say what for.
//!
//! A purpose is stated once, in `document.metadata.purpose`, or for one step in its own `metadata.purpose`; it must be
//! one that the purposes register knows.
//! ```bad
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0" }
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```
//! ```good
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: reporting } }
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use sluice_core::gate::Effect;

use super::{Atom, Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(212),
    name: "missing-purpose",
    severity: Severity::Medium,
    confidence: Confidence::High,
    page: include_str!("missing_purpose.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let catalogue = cx.world.catalogue;
    let known = catalogue.purposes.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
    let help = match known.as_str() {
        "" => "state it in `document.metadata.purpose`".to_owned(),
        known => format!("state one of {known} in `document.metadata.purpose`"),
    };
    for site in cx.sites {
        let exports = site.action.is_some_and(|a| a.effect == Effect::Export);
        let ruled = cx.world.analysis.universe().atoms(site.prepared.joined);
        let ruled = ruled.into_iter().any(|atom| matches!(atom, Atom::PurposesOnly { .. }));
        if !exports && !ruled {
            continue;
        }
        let message = match cx.world.program.purpose_of(site.node.step) {
            None => format!("`{}` needs a purpose, and the workflow states none", site.name()),
            Some(stated) if !catalogue.purposes.is_empty() && !catalogue.purposes.contains(stated) => {
                format!("the purpose `{stated}` is not in the register")
            }
            Some(_) => continue,
        };
        findings.push(META.finding(site.span(), message, help.clone()).at_step(site.step.path.to_string()));
    }
}
