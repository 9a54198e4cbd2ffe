//! One action of a contract as the catalogue knows it.

use std::collections::BTreeMap;

use super::Resolver;
use crate::catalogue::{Action, Endpoint, LabelTree, Pattern, Resource};
use crate::contract::connector::{ActionContract, Contract, DestinationRule, Request, Transport, Trust};
use crate::gate::Role;
use crate::label::{Atom, Label, Name};

type Actions = BTreeMap<(Name, Name), Action>;

impl Resolver<'_> {
    pub(super) fn action(&mut self, contract: &Contract, name: &Name, written: &ActionContract) -> Action {
        let origin = self.origin(contract);
        let labels = LabelTree {
            labels: self.labels(contract, written),
            trust: written
                .output
                .trust
                .iter()
                .map(|(pattern, trust)| (pattern.clone(), trusted(*trust, origin)))
                .collect(),
            origin,
        };
        let arguments = written.arguments.iter().map(|(name, a)| (name.clone(), a.value.clone())).collect();
        Action {
            connector: contract.connector.value.clone(),
            name: name.clone(),
            effect: written.effect,
            privileged: written.privileged,
            arguments,
            endpoint: endpoint(contract, written),
            reply: written.output.from,
            labels,
            source: self.source(contract, written),
            subject: written.output.subject.clone(),
            idempotency: written.idempotency.value.clone(),
            resource: resource(contract, written),
            region: contract.region.as_ref().map(|r| r.value.clone()),
            stored: Label::BOTTOM,
            limits: written.limits.clone(),
        }
    }

    /// Where a reply's untrusted parts come from.
    fn origin(&mut self, contract: &Contract) -> Label {
        let place = match &contract.transport {
            Transport::Model { name, .. } => format!("model:{name}").into(),
            _ => contract.connector.value.clone(),
        };
        self.atom(Atom::Origin(place), &contract.file, contract.connector.span)
    }

    /// Categories by path. A model has no data of its own: what it knows is its prompt, which stays with the reply.
    fn labels(&mut self, contract: &Contract, written: &ActionContract) -> Vec<(Pattern, Label)> {
        let model = matches!(contract.transport, Transport::Model { .. });
        if model && written.output.labels.is_empty() {
            return vec![(Pattern::default(), Label::BOTTOM)];
        }
        let label = |cx: &mut Self, classes: &[crate::contract::read::Located<Name>]| {
            classes.iter().fold(Label::BOTTOM, |label, class| label.join(cx.class(&class.value)))
        };
        written.output.labels.iter().map(|(pattern, classes)| (pattern.clone(), label(self, classes))).collect()
    }

    /// `src_k`: lineage, a model's origin, and the owner's rules on the whole output.
    fn source(&mut self, contract: &Contract, written: &ActionContract) -> Label {
        let (file, output) = (&contract.file, &written.output);
        let mut source = Label::BOTTOM;
        if let Some(dataset) = &output.dataset {
            source = source.join(self.atom(Atom::Dataset(dataset.value.clone()), file, dataset.span));
        }
        if let Transport::Model { .. } = contract.transport {
            source = source.join(self.origin(contract));
        }
        if let Some(owner) = &contract.owner {
            let rules =
                self.rule(&owner.value, output.regions.as_deref(), output.purposes.as_deref(), file, owner.span);
            source = source.join(rules);
        }
        source
    }
}

const fn trusted(trust: Trust, origin: Label) -> Label {
    match trust {
        Trust::Trusted => Label::BOTTOM,
        Trust::Origin => origin,
    }
}

fn endpoint(contract: &Contract, written: &ActionContract) -> Option<Endpoint> {
    let Request::Http(http) = &written.request.as_ref()?.value else { return None };
    let base = contract.transport.http()?.base.value.clone();
    Some(Endpoint { method: http.method.clone(), base, path: http.path.clone() })
}

fn resource(contract: &Contract, written: &ActionContract) -> Resource {
    match &written.destination {
        Some(DestinationRule::Fixed(id)) => return Resource::Destination(id.value.clone()),
        Some(DestinationRule::Argument(name)) => return Resource::DestinationArgument(name.value.clone()),
        None => {}
    }
    let named = written.arguments.iter().find(|(_, a)| a.value.role == Some(Role::Destination));
    if let Some((name, _)) = named {
        return Resource::DestinationArgument(name.clone());
    }
    let value = |name: &Option<crate::contract::read::Located<Name>>| name.as_ref().map(|n| n.value.clone());
    Resource::Dataset {
        name: dataset_name(contract, written),
        owner: value(&contract.owner),
        region: value(&contract.region),
    }
}

/// The dataset that an action reads or changes; one that names none means the connector as a whole.
fn dataset_name(contract: &Contract, written: &ActionContract) -> Name {
    written.output.dataset.as_ref().map_or_else(|| contract.connector.value.clone(), |d| d.value.clone())
}

/// What each dataset may hold already: the join of what any action declares to read from it. An uncovered path
/// adds nothing here: it is ⊤ when it is read, and what is written is compared with what somebody declared.
pub(super) fn fill_stored(actions: &mut Actions, contracts: &[Contract]) {
    let mut holds: BTreeMap<Name, Label> = BTreeMap::new();
    let mut dataset_of = BTreeMap::new();
    for contract in contracts {
        for (name, written) in &contract.actions {
            let (key, dataset) = ((contract.connector.value.clone(), name.clone()), dataset_name(contract, written));
            if let Some(action) = actions.get(&key) {
                let held = holds.entry(dataset.clone()).or_default();
                *held = held.join(declared(action));
            }
            dataset_of.insert(key, dataset);
        }
    }
    for (key, action) in actions.iter_mut() {
        let held = dataset_of.get(key).and_then(|dataset| holds.get(dataset));
        action.stored = held.copied().unwrap_or_default();
    }
}

fn declared(action: &Action) -> Label {
    let parts = action.labels.labels.iter().chain(&action.labels.trust).map(|(_, label)| *label);
    Label::join_all(parts).join(action.labels.origin).join(action.source)
}
