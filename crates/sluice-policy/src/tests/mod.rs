//! One quiet call that every default policy lets through, and small changes to it.

mod attributes;
mod cases;
mod default_policies;
mod difference;
mod explain;
mod laws;
mod loading;
mod packs;
mod slices;
mod stories;
mod traps;

use std::collections::BTreeSet;

use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;

use crate::{
    Acting, Answer, AtomSet, Bundle, Category, Decision, Facts, GateRequest, Principal, PrincipalKind, Resource, Rule,
    Standing,
};

pub(super) fn names(list: &[&str]) -> BTreeSet<Name> {
    list.iter().map(|name| Name::from(*name)).collect()
}

pub(super) fn sheets() -> Resource {
    Resource::Destination {
        id: "sheets".into(),
        owner: "finance-lead".into(),
        region: Some("us".into()),
        cleared: names(&["financial"]),
        registered: true,
    }
}

pub(super) fn store() -> Resource {
    Resource::Dataset { id: "crm.accounts".into(), owner: "crm-owner".into(), region: Some("eu".into()) }
}

/// A call of that effect by a verified workflow, with public and trusted arguments.
pub(super) fn call(effect: Effect) -> GateRequest {
    let outbound = effect.is_outbound();
    GateRequest {
        principal: Principal { kind: PrincipalKind::Person, id: "ana".into(), groups: names(&["support"]) },
        author: Acting::Model { id: "m".into() },
        acting_models: BTreeSet::new(),
        connector: "crm".into(),
        action: "accounts.use".into(),
        effect,
        privileged: effect.is_privileged(),
        resource: if outbound { sheets() } else { store() },
        reference: BTreeSet::new(),
        roles: Role::ALL.into_iter().map(|role| (role, AtomSet::default())).collect(),
        control: AtomSet::default(),
        write_excess: AtomSet::default(),
        purpose: Some("monthly-report".into()),
        region: None,
        standing: Standing::Verified,
        satisfied: BTreeSet::new(),
        cleared: BTreeSet::new(),
        facts: Facts::default(),
        now_ms: 1_700_000_000_000,
        solo: false,
    }
}

impl GateRequest {
    pub(super) fn arg(mut self, role: Role, atoms: AtomSet) -> Self {
        let old = self.roles.remove(&role).unwrap_or_default();
        self.roles.insert(role, old.join(&atoms));
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

pub(super) fn category(class: &str, owner: &str) -> AtomSet {
    AtomSet { categories: [Category { class: class.into(), owner: owner.into() }].into(), ..AtomSet::default() }
}

pub(super) fn from(origin: &str) -> AtomSet {
    AtomSet { origins: names(&[origin]), ..AtomSet::default() }
}

pub(super) fn only_regions(owner: &str, allowed: &[&str]) -> AtomSet {
    AtomSet { regions: [Rule { owner: owner.into(), allowed: names(allowed) }].into(), ..AtomSet::default() }
}

pub(super) fn only_purposes(owner: &str, allowed: &[&str]) -> AtomSet {
    AtomSet { purposes: [Rule { owner: owner.into(), allowed: names(allowed) }].into(), ..AtomSet::default() }
}

pub(super) fn unknown() -> AtomSet {
    AtomSet { unknown: true, ..AtomSet::default() }
}

pub(super) fn default_bundle() -> Bundle {
    Bundle::default_bundle().expect("the default bundle loads")
}

pub(super) fn bundle(text: &str) -> Bundle {
    Bundle::load(&[("test.cedar", text)]).expect("the policies load")
}

/// What Cedar itself says: of the whole bundle, with every entity that the request speaks of.
pub(super) fn ask_cedar(bundle: &Bundle, request: &GateRequest) -> cedar_policy::Response {
    use cedar_policy::{Entities, Entity, EntityUid, PolicySet, Request};
    let policies = bundle.rules.values().map(|rule| rule.policy.clone());
    let set = PolicySet::from_policies(policies).expect("each policy has an id of its own");
    let question = crate::Question::of(request).expect("a question");
    let group = |id: &Name| {
        EntityUid::from_type_name_and_id("Group".parse().expect("a name"), cedar_policy::EntityId::new(&**id))
    };
    let groups = request.principal.groups.iter().map(|id| Entity::new_no_attrs(group(id), [].into()));
    let entities = Entities::from(question.entities).add_entities(groups, None).expect("groups are nothing else");
    cedar_policy::Authorizer::new().is_authorized(&Request::from(question.request), &set, &entities)
}

/// One line for the decision, one for each reason.
pub(super) fn told(answer: &Answer) -> String {
    let ids = |policies: &[crate::PolicyId]| policies.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(", ");
    let mut lines = vec![match &answer.decision {
        Decision::Permit { policies } => format!("permit: {}", ids(policies)),
        Decision::Forbid { policies, errors } if policies.is_empty() && errors.is_empty() => {
            "forbid by default".to_owned()
        }
        Decision::Forbid { policies, errors } if errors.is_empty() => format!("forbid: {}", ids(policies)),
        Decision::Forbid { errors, .. } => format!("forbid: {} errors", errors.len()),
        Decision::Hold { policies, .. } => format!("hold: {}", ids(policies)),
    }];
    lines.extend(answer.reasons.iter().map(|reason| format!("- {}", reason.words)));
    lines.join("\n")
}
