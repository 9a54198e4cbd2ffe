//! The gate request in Cedar's form: typed pairs, every attribute present.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression};
use serde::Serialize;
use sluice_core::gate::Role;
use sluice_core::label::Name;

use crate::atoms::AtomSet;
use crate::request::{Acting, AtomsOf, FACT_MAX, GateRequest, PrincipalKind, REQUEST_VERSION, Resource};

/// Attributes of the context that carry a label. The polarity check reads this list.
pub(crate) const LABELLED: [&str; 4] = ["roles", "arguments", "control", "write_excess"];

/// The attributes of a label that are sets, which a reason may print.
pub(crate) const SETS: [&str; 8] =
    ["categories", "owners", "uncleared", "outside", "models", "persons", "datasets", "rule_owners"];

/// The name in `categories`, `uncleared` and `outside` for what came without a contract's word.
pub(crate) const UNKNOWN: &str = "unknown";

/// What policies see of one label. Every field grows with the label.
#[derive(Debug)]
pub(crate) struct Seen {
    sets: [BTreeSet<Name>; SETS.len()],
    bools: [(&'static str, bool); 3],
}

impl Seen {
    pub(crate) fn of(request: &GateRequest, atoms: &AtomSet) -> Self {
        let unknown = || atoms.unknown.then(|| Name::from(UNKNOWN));
        let classes = || atoms.categories.iter().map(|c| c.class.clone()).chain(unknown());
        let rules = || atoms.purposes.iter().chain(&atoms.regions);
        let outside = || atoms.origins.iter().filter(|o| !request.is_person(o)).cloned();
        let persons = atoms.origins.iter().filter(|o| request.is_person(o)).map(|origin| person(request, origin));
        Self {
            sets: [
                classes().collect(),
                atoms.categories.iter().map(|c| c.owner.clone()).collect(),
                classes().filter(|class| !request.is_cleared(class)).collect(),
                outside().chain(unknown()).collect(),
                outside().filter(|origin| is_model(request, origin)).collect(),
                persons.collect(),
                atoms.datasets.iter().cloned().chain(unknown()).collect(),
                rules().map(|r| r.owner.clone()).collect(),
            ],
            bools: [
                ("unknown", atoms.unknown),
                ("purpose_forbidden", atoms.unknown || atoms.purposes.iter().any(|r| request.refuses_purpose(r))),
                ("region_forbidden", atoms.unknown || atoms.regions.iter().any(|r| request.refuses_region(r))),
            ],
        }
    }

    /// The set attribute of that name.
    pub(crate) fn set(&self, name: &str) -> Option<&BTreeSet<Name>> {
        SETS.iter().zip(&self.sets).find(|(n, _)| **n == name).map(|(_, set)| set)
    }
}

/// The person behind an origin: `author` is spelled out.
fn person(request: &GateRequest, origin: &Name) -> Name {
    match &request.author {
        Acting::Person { id } if &**origin == "author" => Name::from(format!("person:{id}")),
        _ => origin.clone(),
    }
}

fn is_model(request: &GateRequest, origin: &str) -> bool {
    origin.starts_with("model:") || (origin == "author" && matches!(request.author, Acting::Model { .. }))
}

/// A request ready for the authorizer.
pub(crate) struct Question {
    pub(crate) request: Request,
    pub(crate) entities: Entities,
}

/// Builds the question, or says in words why there is none. The caller forbids then.
pub(crate) fn question(request: &GateRequest) -> Result<Question, String> {
    check_facts(request)?;
    let principal_type = match request.principal.kind {
        PrincipalKind::Person => "Person",
        PrincipalKind::Service => "Service",
    };
    let principal = uid(principal_type, &request.principal.id)?;
    let groups = request.principal.groups.iter().map(|group| uid("Group", group)).collect::<Result<Vec<_>, _>>()?;
    let resource = resource(&request.resource)?;
    let context = Context::from_pairs(context(request)?).map_err(|e| format!("cannot build the context: {e}"))?;
    let asked = Request::new(principal.clone(), uid("Action", request.effect.name())?, resource.uid(), context, None)
        .map_err(|e| format!("cannot build the request: {e}"))?;
    let entities = groups.iter().map(|group| Entity::new_no_attrs(group.clone(), [].into()));
    let person = Entity::new_no_attrs(principal, groups.iter().cloned().collect());
    let entities = Entities::from_entities(entities.chain([person, resource]), None)
        .map_err(|e| format!("cannot build the entities: {e}"))?;
    Ok(Question { request: asked, entities })
}

fn check_facts(request: &GateRequest) -> Result<(), String> {
    let facts = &request.facts;
    let numbers = [
        ("calls_this_run", Some(facts.calls_this_run)),
        ("calls_this_hour", Some(facts.calls_this_hour)),
        ("amount", facts.amount),
    ];
    for (name, number) in numbers {
        if number.is_some_and(|n| !(-FACT_MAX..=FACT_MAX).contains(&n)) {
            return Err(format!("`{name}` is beyond what a gate compares ({FACT_MAX})"));
        }
    }
    Ok(())
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind = EntityTypeName::from_str(kind).map_err(|e| format!("no entity type `{kind}`: {e}"))?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn resource(resource: &Resource) -> Result<Entity, String> {
    let region = string(resource.region().map_or("", AsRef::as_ref));
    let common = [("owner".to_owned(), string(resource.owner())), ("region".to_owned(), region)];
    let (kind, own) = match resource {
        Resource::Dataset { .. } => ("Dataset", vec![]),
        Resource::Destination { cleared, registered, .. } => (
            "Destination",
            vec![
                ("cleared".to_owned(), set(cleared)),
                ("registered".to_owned(), RestrictedExpression::new_bool(*registered)),
            ],
        ),
    };
    Entity::new(uid(kind, resource.id())?, common.into_iter().chain(own).collect(), [].into())
        .map_err(|e| format!("cannot build the resource: {e}"))
}

type Pair = (String, RestrictedExpression);

fn context(request: &GateRequest) -> Result<Vec<Pair>, String> {
    let (author_kind, author) = match &request.author {
        Acting::Person { id } => ("person", &**id),
        Acting::Model { id } => ("model", &**id),
        Acting::Unknown => ("unknown", ""),
    };
    let seen = |of| record(Seen::of(request, &request.atoms(of)).pairs());
    let roles = Role::ALL.into_iter().map(|role| Ok((role.name().to_owned(), seen(AtomsOf::Role(role))?)));
    let mut facts = vec![
        pair("calls_this_run", RestrictedExpression::new_long(request.facts.calls_this_run)),
        pair("calls_this_hour", RestrictedExpression::new_long(request.facts.calls_this_hour)),
        pair("first_seen", RestrictedExpression::new_bool(request.facts.first_seen)),
    ];
    facts.extend(request.facts.amount.map(|amount| pair("amount", RestrictedExpression::new_long(amount))));
    Ok(vec![
        pair("connector", string(&request.connector)),
        pair("operation", string(&request.action)),
        pair("privileged", RestrictedExpression::new_bool(request.privileged || request.effect.is_privileged())),
        pair("author", record(vec![pair("kind", string(author_kind)), pair("id", string(author))])?),
        pair("acting_models", set(&request.acting_models)),
        pair("reference_classes", set(&request.reference)),
        pair("roles", record(roles.collect::<Result<_, String>>()?)?),
        pair("arguments", seen(AtomsOf::Arguments)?),
        pair("control", seen(AtomsOf::Control)?),
        pair("write_excess", seen(AtomsOf::WriteExcess)?),
        pair("purpose", string(request.purpose.as_deref().unwrap_or_default())),
        pair("region", string(request.region.as_deref().unwrap_or_default())),
        pair("standing", string(request.standing.name())),
        pair("solo", RestrictedExpression::new_bool(request.solo)),
        pair("satisfied", RestrictedExpression::new_set(satisfied(request).iter().map(|id| string(id)))),
        pair("facts", record(facts)?),
        pair("now_ms", RestrictedExpression::new_long(request.now_ms)),
    ])
}

impl Seen {
    fn pairs(&self) -> Vec<Pair> {
        let sets = SETS.iter().zip(&self.sets).map(|(name, names)| pair(name, set(names)));
        let bools = self.bools.iter().map(|(name, value)| pair(name, RestrictedExpression::new_bool(*value)));
        sets.chain(bools).collect()
    }
}

/// The satisfied requirements, each with all that it implies: three approvals are also two.
fn satisfied(request: &GateRequest) -> BTreeSet<String> {
    let mut all = request.satisfied.clone();
    for id in &request.satisfied {
        if let Some((approvers, quorum)) = id.rsplit_once('/')
            && let Ok(quorum) = quorum.parse::<u8>()
        {
            all.extend((1..quorum).map(|n| format!("{approvers}/{n}")));
        }
    }
    all
}

fn pair(name: &str, value: RestrictedExpression) -> Pair {
    (name.to_owned(), value)
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn set(names: &BTreeSet<Name>) -> RestrictedExpression {
    RestrictedExpression::new_set(names.iter().map(|name| string(name)))
}

fn record(pairs: Vec<Pair>) -> Result<RestrictedExpression, String> {
    RestrictedExpression::new_record(pairs).map_err(|e| format!("cannot build the context: {e}"))
}

/// The entity slice of a request: what policy could look at besides the request's context.
#[derive(Serialize)]
struct Slice<'a> {
    version: u32,
    principal: &'a crate::request::Principal,
    resource: &'a Resource,
}

/// Canonical bytes of the entity slice.
pub(crate) fn entities_bytes(request: &GateRequest) -> Vec<u8> {
    let slice = Slice { version: REQUEST_VERSION, principal: &request.principal, resource: &request.resource };
    #[expect(clippy::expect_used, reason = "every map key is a string and no field can fail to serialize")]
    serde_json::to_vec(&slice).expect("an entity slice serializes")
}
