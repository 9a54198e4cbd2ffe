//! One call of a session: what it is, what it depends on, and what its reply tells.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use sluice_core::catalogue::{
    Action, Argument, CallLimits, Catalogue, Idempotency, LabelTree, Pattern, ReplyRule, Resource,
};
use sluice_core::contract::closure::{Closure, ConnectorElement};
use sluice_core::contract::lock::sorted;
use sluice_core::contract::{Contract, Digest};
use sluice_core::gate::{Effect, Role};
use sluice_core::label::{Atom, Label, Name, Universe};
use sluice_core::transfer::{Breach, Moves, Prepared};
use sluice_core::value::Value;

use crate::workspace::Workspace;

/// What the agent knows after a reply that it did not know before.
pub(super) fn read(universe: &Universe, action: Option<&Action>, prepared: &Prepared, reply: Option<&Json>) -> Label {
    let Some(action) = action else { return Label::TOP };
    let base = action.reply.keeps(universe, prepared.joined).join(action.source);
    match reply {
        Some(reply) => action.labels.labelled(reply, base).deep_label(),
        None => action.labels.predicted(base).deep_label(),
    }
}

/// A call that no contract covers, as its refusal is recorded.
pub(super) fn uncatalogued(connector: &str, action: &str, arguments: &Json, label: Label) -> Prepared {
    let arguments = Value::from_json(arguments, label);
    Prepared {
        action: Some((connector.into(), action.into())),
        roles: BTreeMap::new(),
        control: label,
        joined: label,
        excess: Label::BOTTOM,
        resource: None,
        references: Vec::new(),
        breaches: vec![Breach::Uncatalogued { what: format!("{connector}.{action}") }],
        failing: Moves::default(),
        arguments,
    }
}

/// Tells one call from another: the same tool with the same arguments, in whatever order their keys stand.
pub(super) fn call_digest(connector: &str, action: &str, arguments: &Json) -> Digest {
    let whole = json!([connector, action, sorted(arguments)]);
    Digest::of(whole.to_string().as_bytes())
}

pub(super) fn closure<'c>(
    workspace: &Workspace,
    contracts: impl Iterator<Item = &'c Contract>,
    request: Option<&str>,
) -> Closure {
    let element = |contract: &Contract| ConnectorElement {
        contract: contract.digest,
        connector: Digest::of(concat!("sluice ", env!("CARGO_PKG_VERSION")).as_bytes()),
        scopes: contract.credential.as_ref().map(|c| c.scopes.clone()).unwrap_or_default(),
    };
    Closure {
        // The request is all that a session has of a definition.
        definition: Digest::of(request.unwrap_or_default().as_bytes()),
        sub_workflows: BTreeMap::new(),
        connectors: contracts.map(|c| (c.connector.value.clone(), element(c))).collect(),
        bundle: workspace.bundle().digest(),
        template: None,
        ticket: None,
        step: None,
    }
}

/// What every server of tools has beside them: resources and prompts, whose words are an outsider's.
const READS: [(&str, &[&str]); 2] = [
    ("resources/read", &["uri", "inputResponses", "requestState"]),
    ("prompts/get", &["name", "arguments", "inputResponses", "requestState"]),
];

/// A catalogue with these reads as actions of each connector. No contract can take their names, which have a slash.
pub(super) fn with_reads(mut catalogue: Catalogue, connectors: &BTreeSet<Name>) -> Catalogue {
    for connector in connectors {
        let origin = catalogue.universe.label(&Atom::Origin(connector.clone()));
        for (name, arguments) in READS {
            let argument = |name: &&str| {
                let role = Some(if *name == "arguments" { Role::Query } else { Role::Reference });
                (Name::from(*name), Argument { role, ..Argument::default() })
            };
            let root = |label| vec![(Pattern::default(), label)];
            let action = Action {
                connector: connector.clone(),
                name: name.into(),
                effect: Effect::Read,
                privileged: false,
                arguments: arguments.iter().map(argument).collect(),
                endpoint: None,
                reply: ReplyRule::Merge,
                labels: LabelTree { labels: root(Label::BOTTOM), trust: root(origin), origin },
                source: Label::BOTTOM,
                subject: None,
                idempotency: Idempotency::Natural,
                resource: Resource::Dataset { name: connector.clone(), owner: None, region: None },
                region: None,
                stored: Label::BOTTOM,
                limits: CallLimits::default(),
            };
            catalogue.actions.insert((connector.clone(), name.into()), action);
        }
    }
    catalogue
}
