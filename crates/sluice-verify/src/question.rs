//! The gate's question about a call. Prediction, engine and audit ask the very same one.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Action, Catalogue, Resource as Target};
use sluice_core::contract::Principals;
use sluice_core::contract::approval::{Party as Signer, Requirement};
use sluice_core::gate::Role;
use sluice_core::label::{Atom, Label, Name, Universe};
use sluice_core::transfer::{Prepared, Vouching};
use sluice_policy::{Acting, AtomSet, Facts, GateRequest, Party, Principal, Remedy, Resource, Standing};

/// The class of an object whose possession gives power over systems.
pub const PRIVILEGED_GROUP: &str = "privileged-group";
/// The class of an object that the register does not know.
pub const UNREGISTERED: &str = "unregistered";

/// Who asks, about which step, under which circumstances.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// On whose behalf.
    pub principal: Principal,
    /// Who wrote the definition.
    pub author: Acting,
    /// The purpose that the step states.
    pub purpose: Option<Name>,
    /// How far the workflow has come.
    pub standing: Standing,
    /// Facts of the run.
    pub facts: Facts,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// One person alone may change the bundle.
    pub solo: bool,
}

/// What the call is about, of a resource and references that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    /// The destination or dataset.
    pub resource: Resource,
    /// Classes of what the arguments refer to.
    pub classes: BTreeSet<Name>,
}

/// The gate request of a prepared call.
#[must_use]
pub fn request(
    universe: &Universe,
    action: &Action,
    prepared: &Prepared,
    objects: &Objects,
    circumstances: &Circumstances,
) -> GateRequest {
    let atoms = |label: Label| AtomSet::from_label(universe, label);
    let roles: BTreeMap<Role, AtomSet> = prepared.roles.iter().map(|(role, label)| (*role, atoms(*label))).collect();
    GateRequest {
        principal: circumstances.principal.clone(),
        author: circumstances.author.clone(),
        acting_models: models(universe, prepared.joined),
        connector: action.connector.clone(),
        action: action.name.clone(),
        effect: action.effect,
        privileged: action.privileged,
        resource: objects.resource.clone(),
        reference: objects.classes.clone(),
        roles,
        control: atoms(prepared.control),
        write_excess: atoms(prepared.excess),
        purpose: circumstances.purpose.clone(),
        region: action.region.clone(),
        standing: circumstances.standing,
        satisfied: BTreeSet::new(),
        cleared: BTreeSet::new(),
        facts: circumstances.facts.clone(),
        now_ms: circumstances.now_ms,
        solo: circumstances.solo,
    }
}

/// The models that had a part in a call.
fn models(universe: &Universe, label: Label) -> BTreeSet<Name> {
    let name = |atom: &Atom| match atom {
        Atom::Origin(origin) => origin.strip_prefix("model:").map(Name::from),
        _ => None,
    };
    universe.atoms(label).filter_map(name).collect()
}

/// A destination as the register knows it. One that it does not know is cleared for nothing.
#[must_use]
pub fn destination(catalogue: &Catalogue, id: &Name) -> Resource {
    match catalogue.destinations.get(id) {
        Some(known) => Resource::Destination {
            id: known.id.clone(),
            owner: known.owner.clone(),
            region: Some(known.region.clone()),
            cleared: known.cleared.clone(),
            registered: true,
        },
        None => Resource::Destination {
            id: id.clone(),
            owner: "".into(),
            region: None,
            cleared: BTreeSet::new(),
            registered: false,
        },
    }
}

/// What a call acts on, if that is known.
#[must_use]
pub fn resource(catalogue: &Catalogue, action: &Action, prepared: &Prepared) -> Option<Resource> {
    match &action.resource {
        Target::Destination(id) => Some(destination(catalogue, id)),
        Target::DestinationArgument(_) => prepared.resource.as_ref().map(|id| destination(catalogue, id)),
        Target::Dataset { name, owner, region } => Some(Resource::Dataset {
            id: name.clone(),
            owner: owner.clone().unwrap_or_else(|| "".into()),
            region: region.clone(),
        }),
    }
}

/// The classes of one object that an argument refers to.
///
/// A group that the register does not know may be any group of the directory, so it counts as privileged.
#[must_use]
pub fn classes_of(principals: &Principals, kind: &str, id: &str) -> BTreeSet<Name> {
    match (kind, principals.groups.get(id)) {
        ("group", Some(group)) if group.privileged => [PRIVILEGED_GROUP.into()].into(),
        ("group", Some(_)) => BTreeSet::new(),
        ("group", None) => [PRIVILEGED_GROUP.into(), UNREGISTERED.into()].into(),
        _ => BTreeSet::new(),
    }
}

/// Every pair of resource and reference classes that the call may turn out to be about, and why there is more than one.
pub(crate) fn objects(
    catalogue: &Catalogue,
    principals: &Principals,
    action: &Action,
    prepared: &Prepared,
) -> (Vec<Objects>, Vec<String>) {
    let mut open = Vec::new();
    let resources = resource(catalogue, action, prepared).map_or_else(
        || {
            open.push("which destination is known only at run time".to_owned());
            let unknown = destination(catalogue, &"".into());
            catalogue.destinations.keys().map(|id| destination(catalogue, id)).chain([unknown]).collect()
        },
        |known| vec![known],
    );
    let mut classes: BTreeSet<BTreeSet<Name>> = [BTreeSet::new()].into();
    for reference in &prepared.references {
        let choices: BTreeSet<BTreeSet<Name>> = match (&reference.id, reference.kind.as_ref()) {
            (Some(id), kind) => [classes_of(principals, kind, id)].into(),
            (None, "group") => {
                open.push(format!("which group `{}` names is known only at run time", reference.argument));
                let ids = principals.groups.entries.keys().map(AsRef::as_ref).chain([""]);
                ids.map(|id| classes_of(principals, "group", id)).collect()
            }
            (None, _) => [BTreeSet::new()].into(),
        };
        classes = classes.iter().flat_map(|known| choices.iter().map(move |choice| known | choice)).collect();
    }
    let pairs = resources.into_iter().flat_map(|resource| {
        classes.iter().map(move |classes| Objects { resource: resource.clone(), classes: classes.clone() })
    });
    (pairs.collect(), open)
}

/// What a remedy asks of people.
#[must_use]
pub fn requirement(remedy: &Remedy) -> Option<Requirement> {
    let role = remedy.approvers.as_ref()?.to_string();
    let party = |p: &Party| match p {
        Party::Owner(id) | Party::Group(id) | Party::Person(id) => Signer::Principal(id.clone()),
        Party::ManagerOf(id) => Signer::ManagerOf(id.clone()),
        Party::InChargeOf(id) => Signer::InChargeOf(id.clone()),
    };
    Some(Requirement {
        role: role.into(),
        quorum: usize::from(remedy.quorum),
        parties: remedy.parties.iter().map(party).collect(),
    })
}

/// Whose word a value waits for: one person of the entry's `by`. The role names the entry, so that a signature for one
/// says nothing of another.
#[must_use]
pub fn vouching_requirement(vouching: &Vouching) -> Requirement {
    Requirement {
        role: format!("release:{}", vouching.entry).into(),
        quorum: 1,
        parties: [Signer::Principal(vouching.by.clone())].into(),
    }
}

/// Whether enough different people exist for every approval among `remedies`, the requester left out.
#[must_use]
pub fn is_satisfiable(principals: &Principals, requester: &Name, remedies: &[Remedy]) -> bool {
    let asked = remedies.iter().filter_map(requirement);
    asked.into_iter().all(|requirement| requirement.is_satisfiable(principals, requester))
}
