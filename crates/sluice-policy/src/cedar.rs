//! The gate request in Cedar's form: typed pairs, every attribute present.

use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};

use cedar_policy::{Context, Entities, Entity, EntityUid, Request};
use cedar_policy_core::ast::{self, Literal, Value};
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

/// The attributes of a label that are true or false.
const BOOLS: [&str; 3] = ["unknown", "purpose_forbidden", "region_forbidden"];

/// The name in `categories`, `uncleared` and `outside` for what came without a contract's word.
pub(crate) const UNKNOWN: &str = "unknown";

/// What policies see of one label. Every field grows with the label.
#[derive(Debug)]
pub(crate) struct Seen {
    sets: [BTreeSet<Name>; SETS.len()],
    bools: [(&'static str, bool); BOOLS.len()],
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
///
/// Attributes are built as Cedar's values, not as expressions for Cedar to evaluate: every gate asks, and evaluating
/// them took twice as long as deciding.
pub(crate) fn question(request: &GateRequest) -> Result<Question, String> {
    check_facts(request)?;
    let principal = match request.principal.kind {
        PrincipalKind::Person => uid(&KINDS.person, &request.principal.id),
        PrincipalKind::Service => uid(&KINDS.service, &request.principal.id),
    };
    let groups: Vec<EntityUid> = request.principal.groups.iter().map(|group| uid(&KINDS.group, group)).collect();
    let resource = resource(&request.resource);
    let action = uid(&KINDS.action, request.effect.name());
    let asked = Request::new(principal.clone(), action, resource.uid(), context(request), None)
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

/// The names of the schema's entity types: reading a name costs more than the rest of an id.
struct Kinds {
    person: ast::EntityType,
    service: ast::EntityType,
    group: ast::EntityType,
    action: ast::EntityType,
    destination: ast::EntityType,
    dataset: ast::EntityType,
}

static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "six words of letters, which every test asks for")]
    let kind = |name: &str| ast::EntityType::from(ast::Name::from_str(name).expect("a word is a name"));
    Kinds {
        person: kind("Person"),
        service: kind("Service"),
        group: kind("Group"),
        action: kind("Action"),
        destination: kind("Destination"),
        dataset: kind("Dataset"),
    }
});

fn uid(kind: &ast::EntityType, id: &str) -> EntityUid {
    ast::EntityUID::from_components(kind.clone(), ast::Eid::new(id), None).into()
}

fn resource(resource: &Resource) -> Entity {
    let region = resource.region().map_or("", AsRef::as_ref);
    let mut attributes = vec![("owner", string(resource.owner())), ("region", string(region))];
    let kind = match resource {
        Resource::Dataset { .. } => &KINDS.dataset,
        Resource::Destination { cleared, registered, .. } => {
            attributes.extend([("cleared", set(cleared)), ("registered", Value::from(*registered))]);
            &KINDS.destination
        }
    };
    let attributes = attributes.into_iter().map(|(name, value)| (name.into(), ast::PartialValue::from(value)));
    let uid = ast::EntityUID::from_components(kind.clone(), ast::Eid::new(&**resource.id()), None);
    ast::Entity::new_with_attr_partial_value(uid, attributes, [].into(), [].into(), []).into()
}

fn context(request: &GateRequest) -> Context {
    let (author_kind, author) = match &request.author {
        Acting::Person { id } => ("person", &**id),
        Acting::Model { id } => ("model", &**id),
        Acting::Unknown => ("unknown", ""),
    };
    let mut facts = vec![
        ("calls_this_run", Value::from(request.facts.calls_this_run)),
        ("calls_this_hour", Value::from(request.facts.calls_this_hour)),
        ("first_seen", Value::from(request.facts.first_seen)),
    ];
    facts.extend(request.facts.amount.map(|amount| ("amount", Value::from(amount))));
    let pairs = [
        ("connector", string(&request.connector)),
        ("operation", string(&request.action)),
        ("privileged", Value::from(request.privileged || request.effect.is_privileged())),
        ("author", record([("kind", string(author_kind)), ("id", string(author))])),
        ("acting_models", set(&request.acting_models)),
        ("reference_classes", set(&request.reference)),
        ("roles", record(Role::ALL.map(|role| (role.name(), seen(request, AtomsOf::Role(role)))))),
        ("arguments", seen(request, AtomsOf::Arguments)),
        ("control", seen(request, AtomsOf::Control)),
        ("write_excess", seen(request, AtomsOf::WriteExcess)),
        ("purpose", string(request.purpose.as_deref().unwrap_or_default())),
        ("region", string(request.region.as_deref().unwrap_or_default())),
        ("standing", string(request.standing.name())),
        ("solo", Value::from(request.solo)),
        ("satisfied", Value::set_of_lits(satisfied(request).into_iter().map(Literal::from), None)),
        ("facts", record(facts)),
        ("now_ms", Value::from(request.now_ms)),
    ];
    let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
    ast::Context::Value(Arc::new(pairs)).into()
}

/// What policies see of a public, trusted value. Most roles of most calls have nothing else, and sharing costs nothing.
static BOTTOM: LazyLock<Value> = LazyLock::new(|| {
    let sets = SETS.map(|name| (name, Value::empty_set(None)));
    record(sets.into_iter().chain(BOOLS.map(|name| (name, Value::from(false)))))
});

fn seen(request: &GateRequest, of: AtomsOf) -> Value {
    let atoms = request.atoms(of);
    if atoms.is_bottom() { BOTTOM.clone() } else { Seen::of(request, &atoms).record() }
}

impl Seen {
    fn record(&self) -> Value {
        let sets = SETS.iter().zip(&self.sets).map(|(name, names)| (*name, set(names)));
        record(sets.chain(self.bools.iter().map(|(name, value)| (*name, Value::from(*value)))))
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

fn string(text: &str) -> Value {
    Value::from(text)
}

fn set(names: &BTreeSet<Name>) -> Value {
    Value::set_of_lits(names.iter().map(|name| Literal::from(&**name)), None)
}

fn record<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::record(pairs, None)
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
