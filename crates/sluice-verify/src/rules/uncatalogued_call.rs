//! A call that no contract covers, or several.
//!
//! A call that none covers does not exist: nothing says what it would reveal, change or trust.
//! ```bad
//! do:
//!   - fetch: { call: crm.accounts.steal, with: {} }
//! ```
//! ```good
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//! ```

use sluice_core::transfer::Breach;

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(209),
    name: "uncatalogued-call",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("uncatalogued_call.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let wanted = |b: &&Breach| matches!(b, Breach::Uncatalogued { .. } | Breach::Ambiguous { .. });
        for breach in site.prepared.breaches.iter().filter(wanted) {
            let known = cx.world.catalogue.actions.keys().map(|(connector, action)| format!("{connector}.{action}"));
            let closest = known.max_by_key(|name| shared_prefix(name, &site.name()));
            let help = match closest.filter(|name| shared_prefix(name, &site.name()) > 2) {
                Some(name) => format!("the closest action of the catalogue is `{name}`; or have a contract written"),
                None => "`sluice connector list` shows what there is; or have a contract written for it".to_owned(),
            };
            let finding = META.finding(site.span(), breach.to_string(), help);
            findings.push(finding.at_step(site.step.path.to_string()));
        }
    }
}

fn shared_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count()
}
