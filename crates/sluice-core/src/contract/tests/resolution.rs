//! What names mean as labels.

use std::sync::Arc;

use super::*;
use crate::catalogue::{Action, Catalogue, Idempotency, ReplyRule, Resource};
use crate::contract::connector::{Placement, Request};
use crate::label::{Atom, Label};

fn catalogue(edits: &[(&str, &str, &str)]) -> Catalogue {
    let files = edited(edits);
    read(&files).unwrap_or_else(|_| panic!("{}", problems(&files))).catalogue
}

fn action<'c>(catalogue: &'c Catalogue, connector: &str, action: &str) -> &'c Action {
    catalogue.action(connector, action).unwrap()
}

/// The names of the own label at a path of an action's reply.
fn at(catalogue: &Catalogue, connector: &str, name: &str, path: &str) -> String {
    let path: Vec<Arc<str>> = path.split('/').filter(|s| !s.is_empty()).map(Arc::from).collect();
    catalogue.universe.names(action(catalogue, connector, name).labels.at(&path)).join(", ")
}

#[test]
fn a_class_brings_its_owner_and_the_owners_rules() {
    let c = catalogue(&[]);
    let label = |path| at(&c, "crm", "accounts.list", path);
    assert_eq!(label("accounts/0/balance"), "category:financial@finance, purposes:finance only {billing, reporting}");
    assert_eq!(
        label("accounts/0/health_note"),
        "category:phi@health-office, origin:crm, purposes:health-office only {care}, regions:health-office only {eu}"
    );
    assert_eq!(label("total"), "category:internal@sales");
}

#[test]
fn what_no_path_covers_is_top() {
    let c = catalogue(&[("connectors/crm.yaml", "        \"\": [internal]\n", "")]);
    assert_eq!(at(&c, "crm", "accounts.list", "total"), "unknown");
    assert_eq!(at(&c, "directory", "members.add", ""), "");
    let c = catalogue(&[("connectors/directory.yaml", "trust: { \"\": trusted }, labels: { \"\": [] }, ", "")]);
    assert_eq!(at(&c, "directory", "members.add", ""), "unknown");
}

#[test]
fn what_no_trust_covers_came_from_the_connector() {
    let c = catalogue(&[]);
    assert_eq!(at(&c, "tickets", "show", "body"), "category:internal@sales, origin:tickets");
    assert_eq!(at(&c, "tickets", "show", "status"), "category:internal@sales");
    assert_eq!(at(&c, "tickets", "show", ""), "category:internal@sales, origin:tickets");
}

#[test]
fn a_model_adds_itself_as_origin_and_keeps_the_prompt() {
    let c = catalogue(&[]);
    let answer = action(&c, "assistant", "answer");
    assert_eq!(c.universe.names(answer.source), ["origin:model:recorded-1"]);
    assert_eq!(at(&c, "assistant", "answer", "x"), "origin:model:recorded-1");
    assert_eq!(answer.reply, ReplyRule::Merge);
    let c = catalogue(&[
        ("connectors/assistant.yaml", "name: recorded-1, ", ""),
        ("registers/releases.yaml", ", \"model:recorded-1\"", ""),
    ]);
    assert_eq!(c.universe.names(action(&c, "assistant", "answer").source), ["origin:model:assistant"]);
}

#[test]
fn a_dataset_is_lineage_and_bounds_what_may_be_stored() {
    let c = catalogue(&[]);
    let list = action(&c, "crm", "accounts.list");
    assert_eq!(c.universe.names(list.source), ["dataset:crm.accounts"]);
    assert_eq!(
        c.universe.names(list.stored).join(", "),
        "category:financial@finance, category:internal@sales, category:location@sales, category:phi@health-office, \
         category:pii@sales, dataset:crm.accounts, origin:crm, purposes:finance only {billing, reporting}, \
         purposes:health-office only {care}, regions:health-office only {eu}, regions:sales only {eu, us}"
    );
    // Both actions of the dataset bound each other's writes.
    let stored = |name| c.universe.names(action(&c, "directory", name).stored).join(", ");
    assert_eq!(stored("members.add"), "category:internal@sales, dataset:directory.groups, origin:directory");
    assert_eq!(stored("members.add"), stored("groups.show"));
}

#[test]
fn a_rule_on_an_output_is_the_contract_owners() {
    let c = catalogue(&[]);
    let append = action(&c, "archive", "append");
    assert_eq!(c.universe.names(append.source), ["dataset:archive.reports", "regions:sales only {eu}"]);
}

#[test]
fn an_effect_is_about_a_destination_or_a_dataset() {
    let c = catalogue(&[]);
    assert_eq!(action(&c, "sheets", "rows.write").resource, Resource::Destination("sheets-us".into()));
    let dataset =
        Resource::Dataset { name: "directory.groups".into(), owner: Some("it".into()), region: Some("eu".into()) };
    assert_eq!(action(&c, "directory", "members.add").resource, dataset);
    let no_dataset = Resource::Dataset { name: "tickets".into(), owner: None, region: None };
    assert_eq!(action(&c, "tickets", "show").resource, no_dataset);
    let c = catalogue(&[
        ("connectors/sheets.yaml", "    destination: sheets-us\n", ""),
        ("connectors/sheets.yaml", "name: { role: reference }", "name: { role: destination }"),
    ]);
    assert_eq!(action(&c, "sheets", "rows.write").resource, Resource::DestinationArgument("name".into()));
}

#[test]
fn privilege_and_idempotency_have_safe_defaults() {
    let c = catalogue(&[("connectors/sheets.yaml", "    idempotency: { key: Idempotency-Key }\n", "")]);
    assert!(action(&c, "directory", "members.add").privileged && !action(&c, "sheets", "rows.write").privileged);
    assert_eq!(action(&c, "sheets", "rows.write").idempotency, Idempotency::None);
    assert_eq!(action(&c, "tickets", "show").idempotency, Idempotency::Natural);
    let c = catalogue(&[("connectors/sheets.yaml", "effect: export", "effect: export\n    privileged: true")]);
    assert!(action(&c, "sheets", "rows.write").privileged);
}

#[test]
fn arguments_get_their_places() {
    let governance = read(&workspace()).unwrap();
    let find = |name: &str| governance.contracts.iter().find(|c| c.connector.value.as_ref() == name).unwrap();
    let places = |connector: &str, action: &str| match &find(connector).actions[action].request.as_ref().unwrap().value
    {
        Request::Http(http) => http.placement.iter().map(|(k, v)| (k.to_string(), v.clone())).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let place = |name: &str, place| (name.to_owned(), place);
    assert_eq!(places("crm", "accounts.list"), ["fields", "limit", "month"].map(|n| place(n, Placement::Query)));
    assert_eq!(places("directory", "members.add"), [place("group", Placement::Path), place("member", Placement::Body)]);
    let add = &find("directory").actions["members.add"];
    assert!(add.arguments["group"].value.required, "a path argument is required");
}

#[test]
fn call_http_finds_its_action() {
    let c = catalogue(&[]);
    let found = |method, url| crate::transfer::names_of_matching(&c, method, url);
    assert_eq!(found("POST", "https://sheets.example.com/v1/sheets/q3/rows"), ["sheets.rows.write"]);
    assert_eq!(found("GET", "https://sheets.example.com/v1/sheets/q3/rows"), [""; 0]);
    assert_eq!(found("POST", "https://sheets.example.com.evil.org/v1/sheets/q3/rows"), [""; 0]);
}

#[test]
fn a_release_clears_what_its_owner_owns() {
    let c = catalogue(&[]);
    let release = &c.releases["without-health"];
    let names = |label| c.universe.names(label).join(", ");
    let phi = "category:phi@health-office, purposes:health-office only {care}, regions:health-office only {eu}";
    assert_eq!(names(release.clears), phi);
    assert_eq!(names(release.authority), phi);
    assert_eq!(names(release.accepts), "");
    let phi = c.universe.label(&Atom::Category { owner: "health-office".into(), class: "phi".into() });
    assert!(release.allows(&c.universe, phi, Label::BOTTOM));
    let steered = c.universe.label(&Atom::Origin("tickets".into()));
    assert!(!release.allows(&c.universe, phi, steered), "an outsider chose what is released");
}

#[test]
fn a_person_vouches_with_the_standing_of_their_groups() {
    let c = catalogue(&[("registers/releases.yaml", "by: it", "by: ben")]);
    let release = &c.releases["known-group"];
    let names = |label| c.universe.names(label).join(", ");
    assert_eq!(names(release.clears), "origin:model:recorded-1, origin:tickets");
    assert_eq!(
        names(release.readable),
        "category:financial@finance, category:internal@sales, purposes:finance only {billing, reporting}"
    );
    let tickets = c.universe.label(&Atom::Origin("tickets".into()));
    let internal = c.universe.label(&Atom::Category { owner: "sales".into(), class: "internal".into() });
    let phi = c.universe.label(&Atom::Category { owner: "health-office".into(), class: "phi".into() });
    assert!(release.allows(&c.universe, tickets.join(internal), Label::BOTTOM));
    assert!(!release.allows(&c.universe, tickets.join(phi), Label::BOTTOM), "ben cannot see what he would vouch for");
}

#[test]
fn a_rule_that_another_category_shares_is_not_released() {
    let c = catalogue(&[(
        "registers/classification.yaml",
        "  phi:",
        "  genes: { owner: health-office, regions: { only: [eu] } }\n  phi:",
    )]);
    let names = c.universe.names(c.releases["without-health"].clears).join(", ");
    assert_eq!(names, "category:phi@health-office, purposes:health-office only {care}");
}

#[test]
fn too_many_atoms_are_one_problem_and_never_a_catalogue() {
    let mut files = workspace();
    let categories: String = (0..300).map(|i| format!("  c{i}: {{ owner: sales }}\n")).collect();
    files.get_mut("registers/classification.yaml").unwrap().push_str(&categories);
    assert_eq!(problems(&files).lines().filter(|line| line.starts_with("SL110 ")).count(), 1);
}

#[test]
fn groups_nest_and_cycles_end() {
    let files = edited(&[
        ("registers/principals.yaml", "it: { members: [ben]", "it: { members: [ben, domain-admins]"),
        ("registers/principals.yaml", "members: [ben, backup]", "members: [it, cleo, backup]"),
    ]);
    let principals = read(&files).unwrap().registers.principals;
    let text = |names: std::collections::BTreeSet<crate::label::Name>| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(text(principals.groups_of("ben")), "domain-admins finance it");
    assert_eq!(text(principals.persons_of("domain-admins")), "ben cleo");
    assert_eq!(text(principals.persons_of("backup")), "");
}

#[test]
fn a_group_that_nobody_registered_counts_as_privileged() {
    let principals =
        read(&edited(&[("registers/principals.yaml", "privileged, ", "ordinary, ")])).unwrap().registers.principals;
    let classes = |kind, id| principals.reference_classes(kind, id).len();
    assert_eq!(
        (classes("group", "it"), classes("group", "domain-admins"), classes("group", "Domain-Admins")),
        (0, 0, 1)
    );
    assert_eq!(classes("file", "Domain-Admins"), 0);
    let principals = read(&workspace()).unwrap().registers.principals;
    assert_eq!(principals.reference_classes("group", "domain-admins"), [Arc::from("privileged-group")].into());
}
