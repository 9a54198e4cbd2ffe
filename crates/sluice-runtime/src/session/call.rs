//! One call of a session: what it is, what it depends on, and what its reply tells.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sluice_core::catalogue::Action;
use sluice_core::contract::closure::{Closure, ConnectorElement};
use sluice_core::contract::{Contract, Digest};
use sluice_core::label::{Label, Universe};
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

fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(fields) => {
            let fields: BTreeMap<&String, Json> = fields.iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        other => other.clone(),
    }
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
