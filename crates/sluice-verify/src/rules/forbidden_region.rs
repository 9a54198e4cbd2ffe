//! Data goes to a region that its owner does not allow.
//!
//! ```bad
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: us-sheets, rows: "${ map({ id, balance }) }" }
//! ```
//! ```good
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use sluice_core::catalogue::Resource;
use sluice_core::label::Name;

use super::{Atom, Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};
use crate::site::Site;

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(214),
    name: "forbidden-region",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("forbidden_region.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let Some(region) = region_of(cx, site) else { continue };
        let refuses = |atom: &Atom| matches!(atom, Atom::RegionsOnly { allowed, .. } if !allowed.contains(&region));
        let label = Label::join_all(site.prepared.roles.values().copied());
        let atoms = label.meet(cx.world.analysis.universe().select(refuses));
        if atoms == Label::BOTTOM || label.is_unknown() {
            continue;
        }
        let owners = cx.rule_owners_in_words(atoms);
        let message = format!("`{}` takes data to region `{region}`, against the rules of {owners}", site.name());
        let end = End {
            sink: if atoms.flows_to(site.prepared.control) { Sink::Control } else { Sink::Arguments },
            roles: &Role::ALL,
            atoms,
            otherwise: "leave the data out, or use a destination in a region that the owner allows",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}

/// Where the call takes its data, if that is known.
fn region_of(cx: &Context<'_>, site: &Site<'_>) -> Option<Name> {
    match &site.action?.resource {
        Resource::Dataset { region, .. } => region.clone(),
        Resource::Destination(_) | Resource::DestinationArgument(_) => {
            Some(cx.world.catalogue.destinations.get(site.destination()?)?.region.clone())
        }
    }
}
