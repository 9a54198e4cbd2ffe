//! What is known of the parts of a call in a test: kinds of data, origins, owners' rules.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Fields, Node};
use sluice_core::gate::Role;
use sluice_core::label::Name;

use super::question::names;
use crate::atoms::{AtomSet, Category, Rule};

/// Who owns data of which a test does not say whose it is.
const OWNER: &str = "data-owner";

/// What each part of a call carries.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) roles: BTreeMap<Role, AtomSet>,
    pub(super) control: AtomSet,
    pub(super) write_excess: AtomSet,
}

/// `{ payload: { categories: [phi] }, control: { origins: [tickets] } }`.
pub(super) fn carried(node: &Node, out: &mut Vec<Diagnostic>) -> Carried {
    let Some(mut fields) = Fields::of(node, "`carries`", out) else { return Carried::default() };
    let mut roles = BTreeMap::new();
    for role in Role::ALL {
        if let Some(node) = fields.optional(role.name()) {
            roles.insert(role, atoms(node, out));
        }
    }
    let mut of = |key, out: &mut Vec<Diagnostic>| fields.optional(key).map(|n| atoms(n, out)).unwrap_or_default();
    let (control, write_excess) = (of("control", out), of("write_excess", out));
    fields.finish(out);
    Carried { roles, control, write_excess }
}

fn atoms(node: &Node, out: &mut Vec<Diagnostic>) -> AtomSet {
    let Some(mut fields) = Fields::of(node, "what a part carries", out) else { return AtomSet::default() };
    let atoms = AtomSet {
        categories: fields.optional("categories").map(|n| categories(n, out)).unwrap_or_default(),
        origins: names(fields.optional("origins"), "origins", out),
        datasets: names(fields.optional("datasets"), "datasets", out),
        purposes: rule(fields.optional("purposes"), "purposes", out),
        regions: rule(fields.optional("regions"), "regions", out),
        unknown: fields.optional("unknown").and_then(|n| n.expect_bool("unknown", out)).unwrap_or(false),
    };
    fields.finish(out);
    atoms
}

/// `[phi, pii]`, or with their owners: `{ phi: health-lead }`.
fn categories(node: &Node, out: &mut Vec<Diagnostic>) -> BTreeSet<Category> {
    if let Data::Map(entries) = &node.value {
        let one = |entry: &sluice_core::document::Entry, out: &mut Vec<Diagnostic>| {
            entry.value.expect_name(&entry.key, out).map(|owner| Category { class: entry.key.clone(), owner })
        };
        return entries.iter().filter_map(|entry| one(entry, out)).collect();
    }
    let classes = names(Some(node), "categories", out);
    classes.into_iter().map(|class| Category { class, owner: OWNER.into() }).collect()
}

/// An owner's rule: `[eu]`, or with whose it is: `{ health-lead: [eu] }`.
fn rule(node: Option<&Node>, what: &str, out: &mut Vec<Diagnostic>) -> BTreeSet<Rule> {
    let Some(node) = node else { return BTreeSet::new() };
    let rule =
        |owner: Name, node: &Node, out: &mut Vec<Diagnostic>| Rule { owner, allowed: names(Some(node), what, out) };
    match &node.value {
        Data::Map(entries) => entries.iter().map(|entry| rule(entry.key.clone(), &entry.value, out)).collect(),
        _ => [rule(OWNER.into(), node, out)].into(),
    }
}
