//! Every name that points into a register points at something.

use std::collections::BTreeSet;

use super::{Complete, Resolver, nothing};
use crate::catalogue::{Argument, Idempotency};
use crate::contract::budgets::{BudgetOf, Kind};
use crate::contract::codes::{
    BAD_LOOKUP, BAD_TICKET, BAD_VERSION, DUPLICATE, MISSING_DESTINATION, MISSING_OWNER, PLACEMENT, UNKNOWN_REFERENCE,
};
use crate::contract::connector::{ActionContract, Contract, DestinationRule, Transport};
use crate::contract::principals::unknown;
use crate::contract::read::{Located, Register};
use crate::contract::ticket::wrong;
use crate::gate::{Effect, Role};
use crate::label::Name;

pub(super) fn check(cx: &mut Resolver<'_>, contracts: &[Contract]) {
    classification(cx);
    destinations(cx);
    standings(cx, contracts);
    budgets(cx, contracts);
    let mut names = BTreeSet::new();
    for contract in contracts {
        if !names.insert(contract.connector.value.clone()) {
            let message = format!("two contracts describe connector `{}`", contract.connector.value);
            cx.report(&contract.file, DUPLICATE.at(contract.connector.span, message));
        }
        self::contract(cx, contract);
    }
}

fn contract(cx: &mut Resolver<'_>, contract: &Contract) {
    let registers = cx.registers;
    if let Some(region) = &contract.region {
        refer(cx, &contract.file, region, &registers.regions, "regions");
    }
    if let Some(owner) = &contract.owner {
        owned_by(cx, &contract.file, owner);
    }
    for action in contract.actions.values() {
        output(cx, contract, action);
        destination(cx, contract, action);
        lookup(cx, contract, action);
        versions(cx, contract, action);
        if let Some(marked) = &action.ticket
            && let Some(message) = wrong(contract, action, &marked.value)
        {
            cx.report(&contract.file, BAD_TICKET.at(marked.span, message));
        }
    }
}

fn output(cx: &mut Resolver<'_>, contract: &Contract, action: &ActionContract) {
    let (file, output, registers) = (&contract.file, &action.output, cx.registers);
    for class in output.labels.iter().flat_map(|(_, classes)| classes) {
        refer(cx, file, class, &registers.classification, "classification");
    }
    for region in output.regions.iter().flatten() {
        refer(cx, file, region, &registers.regions, "regions");
    }
    for purpose in output.purposes.iter().flatten() {
        refer(cx, file, purpose, &registers.purposes, "purposes");
    }
    let rule = output.regions.iter().chain(&output.purposes).flatten().next();
    if let (Some(rule), None) = (rule, &contract.owner) {
        let message = format!("`{}` has a rule on its output and no owner", contract.connector.value);
        cx.report(file, MISSING_OWNER.at(rule.span, message));
    }
}

fn destination(cx: &mut Resolver<'_>, contract: &Contract, action: &ActionContract) {
    let (file, registers) = (&contract.file, cx.registers);
    match &action.destination {
        Some(DestinationRule::Fixed(id)) => refer(cx, file, id, &registers.destinations, "destinations"),
        Some(DestinationRule::Argument(name)) if !action.arguments.contains_key(&name.value) => {
            let ids = action.arguments.keys().map(AsRef::as_ref);
            let message = unknown(&name.value, "is not an argument of this action", ids);
            cx.report(file, PLACEMENT.at(name.span, message));
        }
        Some(DestinationRule::Argument(_)) => {}
        None => {
            let named = action.arguments.values().any(|a| a.value.role == Some(Role::Destination));
            if action.effect.is_outbound() && !named {
                let message = format!("an action that is `{}` sends data nowhere", action.effect);
                cx.report(file, MISSING_DESTINATION.at(action.span, message));
            }
        }
    }
}

fn lookup(cx: &mut Resolver<'_>, contract: &Contract, action: &ActionContract) {
    let Idempotency::Lookup(name) = &action.idempotency.value else { return };
    let message = match contract.actions.get(name) {
        Some(found) if found.effect == Effect::Read => return,
        Some(found) => format!("`{name}` is `{}`: asking whether an effect happened must not cause one", found.effect),
        None => {
            let ids = contract.actions.keys().map(AsRef::as_ref);
            unknown(name, &format!("is not an action of `{}`", contract.connector.value), ids)
        }
    };
    cx.report(&contract.file, BAD_LOOKUP.at(action.idempotency.span, message));
}

/// How the version of what an argument refers to is found.
fn versions(cx: &mut Resolver<'_>, contract: &Contract, action: &ActionContract) {
    for (argument, written) in &action.arguments {
        let Some(name) = &written.value.version else { continue };
        if let Some(message) = wrong_version(contract, action, argument, name) {
            cx.report(&contract.file, BAD_VERSION.at(written.span, message));
        }
    }
}

/// Why `name` cannot show what `argument` refers to.
fn wrong_version(contract: &Contract, action: &ActionContract, argument: &Name, name: &Name) -> Option<String> {
    let refers = action.arguments.get(argument).is_some_and(|a| a.value.reference.is_some());
    let Some(shows) = contract.actions.get(name) else {
        let ids = contract.actions.keys().map(AsRef::as_ref);
        return Some(unknown(name, &format!("is not an action of `{}`", contract.connector.value), ids));
    };
    if !refers {
        return Some(format!("`{argument}` has a `version` and no `reference`: it refers to nothing"));
    }
    if shows.effect != Effect::Read {
        return Some(format!("`{name}` is `{}`: finding a version must change nothing", shows.effect));
    }
    if !shows.arguments.contains_key(argument) {
        return Some(format!("`{name}` takes no `{argument}`, so it cannot tell that object's version"));
    }
    if let Some((secret, _)) = shows.arguments.iter().find(|(_, a)| a.value.required && a.value.secret.is_some()) {
        return Some(format!("`{name}` requires `{secret}`, which only a handle in a definition's text fills"));
    }
    let lacking = |(name, a): &(&Name, &Located<Argument>)| a.value.required && !action.arguments.contains_key(*name);
    let (missing, _) = shows.arguments.iter().find(lacking)?;
    Some(format!("`{name}` requires `{missing}`, which this action does not have"))
}

fn classification(cx: &mut Resolver<'_>) {
    let registers = cx.registers;
    let file = &registers.classification.file;
    for category in registers.classification.entries.values().map(|e| &e.value) {
        owned_by(cx, file, &category.owner);
        for region in category.regions.iter().flatten() {
            refer(cx, file, region, &registers.regions, "regions");
        }
        for purpose in category.purposes.iter().flatten() {
            refer(cx, file, purpose, &registers.purposes, "purposes");
        }
    }
    for class in registers.inspection.values().flatten() {
        refer(cx, file, class, &registers.classification, "classification");
    }
}

fn destinations(cx: &mut Resolver<'_>) {
    let registers = cx.registers;
    let file = &registers.destinations.file;
    for destination in registers.destinations.entries.values().map(|e| &e.value) {
        owned_by(cx, file, &destination.owner);
        refer(cx, file, &destination.region, &registers.regions, "regions");
        for class in &destination.cleared {
            refer(cx, file, class, &registers.classification, "classification");
        }
    }
}

fn standings(cx: &mut Resolver<'_>, contracts: &[Contract]) {
    let registers = cx.registers;
    let principals = &registers.principals;
    let persons = principals.persons.entries.values().map(|p| &p.value.standing);
    let groups = principals.groups.entries.values().map(|g| &g.value.standing);
    let file = &principals.persons.file;
    for standing in persons.chain(groups) {
        for class in &standing.reads {
            refer(cx, file, class, &registers.classification, "classification");
        }
        for place in &standing.vouches {
            origin(cx, contracts, file, place);
        }
    }
    let file = &registers.releases.file;
    for release in registers.releases.entries.values().map(|e| &e.value) {
        owned_by(cx, file, &release.by);
        for class in &release.categories {
            refer(cx, file, class, &registers.classification, "classification");
        }
        for place in release.origins.iter().chain(release.accepts.iter().flatten()) {
            origin(cx, contracts, file, place);
        }
    }
}

fn budgets(cx: &mut Resolver<'_>, contracts: &[Contract]) {
    let registers = cx.registers;
    let file = &registers.budgets.file;
    for entry in registers.budgets.entries.values() {
        let BudgetOf::One(kind, name) = &entry.value.of else { continue };
        match kind {
            Kind::Origin => origin(cx, contracts, file, name),
            Kind::Class => refer(cx, file, name, &registers.classification, "classification"),
            Kind::Destination if registers.destinations.knows(&name.value) => {}
            Kind::Dataset | Kind::Destination => dataset(cx, contracts, file, *kind, name),
        }
    }
}

/// A dataset is what some contract calls so.
fn dataset(cx: &mut Resolver<'_>, contracts: &[Contract], file: &Name, kind: Kind, name: &Located<Name>) {
    let actions = contracts.iter().flat_map(|contract| contract.actions.values());
    let datasets: Vec<&str> = actions.filter_map(|action| Some(&*action.output.dataset.as_ref()?.value)).collect();
    // A contract that could not be read may be the one that is meant.
    if datasets.contains(&&*name.value) || cx.complete == Complete::No {
        return;
    }
    let message = match kind {
        Kind::Destination => {
            let known = datasets.into_iter().chain(cx.registers.destinations.ids());
            unknown(&name.value, "is no destination, and no dataset of a contract", known)
        }
        _ => unknown(&name.value, "is no dataset of a contract", datasets.into_iter()),
    };
    cx.report(file, UNKNOWN_REFERENCE.at(name.span, message));
}

/// An origin is a connector, `model:<name>`, `person:<id>` or `author`.
fn origin(cx: &mut Resolver<'_>, contracts: &[Contract], file: &Name, place: &Located<Name>) {
    let principals = &cx.registers.principals;
    let models = || {
        contracts.iter().filter_map(|c| match &c.transport {
            Transport::Model { name, .. } => Some(name.as_ref()),
            _ => None,
        })
    };
    let connectors = || contracts.iter().map(|c| c.connector.value.as_ref());
    let (known, message) = match place.value.split_once(':') {
        Some(("model", name)) => {
            let message = || unknown(name, "is no model that a contract reaches", models());
            (models().any(|m| m == name) || principals.models.knows(name), message())
        }
        Some(("person", id)) => (
            principals.persons.knows(id),
            unknown(id, "is not a person of the principals register", principals.persons.ids()),
        ),
        _ if place.value.as_ref() == "author" => return,
        _ => (connectors().any(|c| c == place.value.as_ref()), unknown(&place.value, "is no origin", connectors())),
    };
    // A contract that could not be read may be the one that is meant.
    if !known && cx.complete == Complete::Yes {
        let diagnostic = UNKNOWN_REFERENCE.at(place.span, message);
        cx.report(
            file,
            diagnostic.also(place.span, "an origin is a connector, `model:<name>`, `person:<id>` or `author`"),
        );
    }
}

fn refer<T>(cx: &mut Resolver<'_>, file: &Name, name: &Located<Name>, register: &Register<T>, called: &str) {
    if !register.knows(&name.value) {
        let message = nothing(&name.value, called, register.ids());
        cx.report(file, UNKNOWN_REFERENCE.at(name.span, message));
    }
}

fn owned_by(cx: &mut Resolver<'_>, file: &Name, owner: &Located<Name>) {
    let principals = &cx.registers.principals;
    if principals.may_own(&owner.value) {
        return;
    }
    let message = match principals.kind(&owner.value) {
        Some(kind) => format!("`{}` is {}: only persons and groups own things", owner.value, kind.name()),
        None => unknown(&owner.value, "is not a person or group of the principals register", principals.owners()),
    };
    cx.report(file, UNKNOWN_REFERENCE.at(owner.span, message));
}
