//! The gate request in Cedar's form: typed pairs, every attribute present.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};

use cedar_policy_core::ast::{self, Literal, Value};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use serde::Serialize;
use sluice_core::gate::{Effect, Role};
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

/// A gate request in the form that policies are evaluated on.
pub struct Question<'a> {
    pub(crate) asked: &'a GateRequest,
    pub(crate) request: ast::Request,
    pub(crate) entities: Entities,
}

impl<'a> Question<'a> {
    /// Builds the question.
    ///
    /// Attributes are built as Cedar's values, not as expressions for Cedar to evaluate: every gate asks, and evaluating
    /// them took twice as long as deciding. Groups are ancestors only: they have no attributes that a policy could read.
    ///
    /// # Errors
    /// In words, why there is none. The gate forbids then.
    pub fn of(asked: &'a GateRequest) -> Result<Self, String> {
        check_facts(asked)?;
        let principal = uid(Kind::of(asked.principal.kind), &asked.principal.id);
        let groups = asked.principal.groups.iter().map(|group| uid(Kind::Group, group)).collect();
        let person = ast::Entity::new_with_attr_partial_value(principal.clone(), [], [].into(), groups, []);
        let resource = resource(&asked.resource);
        let request = ast::Request::new_unchecked(
            principal.into(),
            ast::EntityUIDEntry::Known { euid: action(asked.effect).clone(), loc: None },
            resource.uid().clone().into(),
            Some(context(asked)),
        );
        let entities = [person, resource];
        // A principal is directly in every group that it is in, so there is no closure to work out.
        let closed = TCComputation::AssumeAlreadyComputed;
        let entities =
            Entities::from_entities(entities, None::<&NoEntitiesSchema>, closed, Extensions::all_available())
                .map_err(|e| format!("cannot build the entities: {e}"))?;
        Ok(Self { asked, request, entities })
    }

    /// What evaluates expressions on it.
    pub(crate) fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(self.request.clone(), &self.entities, Extensions::all_available())
    }
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

/// The entity types of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Person,
    Service,
    Group,
    Destination,
    Dataset,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Person, Self::Service, Self::Group, Self::Destination, Self::Dataset];

    pub(crate) const fn of(principal: PrincipalKind) -> Self {
        match principal {
            PrincipalKind::Person => Self::Person,
            PrincipalKind::Service => Self::Service,
        }
    }

    pub(crate) const fn of_resource(resource: &Resource) -> Self {
        match resource {
            Resource::Destination { .. } => Self::Destination,
            Resource::Dataset { .. } => Self::Dataset,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Service => "Service",
            Self::Group => "Group",
            Self::Destination => "Destination",
            Self::Dataset => "Dataset",
        }
    }
}

/// Reading a name costs more than the rest of an id.
static KINDS: LazyLock<[ast::EntityType; Kind::ALL.len()]> = LazyLock::new(|| Kind::ALL.map(|kind| named(kind.name())));

/// The ids of actions, one for each effect.
static ACTIONS: LazyLock<[Arc<ast::EntityUID>; Effect::ALL.len()]> = LazyLock::new(|| {
    let kind = named("Action");
    Effect::ALL
        .map(|effect| Arc::new(ast::EntityUID::from_components(kind.clone(), ast::Eid::new(effect.name()), None)))
});

fn named(kind: &str) -> ast::EntityType {
    #[expect(clippy::expect_used, reason = "six words of letters, which every test asks for")]
    ast::EntityType::from(ast::Name::from_str(kind).expect("a word is a name"))
}

/// The id of the action that has this effect.
pub(crate) fn action(effect: Effect) -> &'static Arc<ast::EntityUID> {
    let [read, write, export, grant, execute, notify] = &*ACTIONS;
    match effect {
        Effect::Read => read,
        Effect::Write => write,
        Effect::Export => export,
        Effect::Grant => grant,
        Effect::Execute => execute,
        Effect::Notify => notify,
    }
}

fn uid(kind: Kind, id: &str) -> ast::EntityUID {
    let [person, service, group, destination, dataset] = &*KINDS;
    let kind = match kind {
        Kind::Person => person,
        Kind::Service => service,
        Kind::Group => group,
        Kind::Destination => destination,
        Kind::Dataset => dataset,
    };
    ast::EntityUID::from_components(kind.clone(), ast::Eid::new(id), None)
}

fn resource(resource: &Resource) -> ast::Entity {
    let region = resource.region().map_or("", AsRef::as_ref);
    let mut attributes = vec![("owner", string(resource.owner())), ("region", string(region))];
    if let Resource::Destination { cleared, registered, .. } = resource {
        attributes.extend([("cleared", set(cleared)), ("registered", Value::from(*registered))]);
    }
    let attributes = attributes.into_iter().map(|(name, value)| (name.into(), ast::PartialValue::from(value)));
    let uid = uid(Kind::of_resource(resource), resource.id());
    ast::Entity::new_with_attr_partial_value(uid, attributes, [].into(), [].into(), [])
}

/// The names in the order of the alphabet: so the record is built in one go.
fn context(request: &GateRequest) -> ast::Context {
    let (author_kind, author) = match &request.author {
        Acting::Person { id } => ("person", &**id),
        Acting::Model { id } => ("model", &**id),
        Acting::Unknown => ("unknown", ""),
    };
    let facts = [
        request.facts.amount.map(|amount| ("amount", Value::from(amount))),
        Some(("calls_this_hour", Value::from(request.facts.calls_this_hour))),
        Some(("calls_this_run", Value::from(request.facts.calls_this_run))),
        Some(("first_seen", Value::from(request.facts.first_seen))),
    ];
    let mut labels = Labels { request, seen: Vec::new() };
    let pairs = [
        ("acting_models", set(&request.acting_models)),
        ("arguments", labels.of(AtomsOf::Arguments)),
        ("author", record([("id", string(author)), ("kind", string(author_kind))])),
        ("connector", string(&request.connector)),
        ("control", labels.of(AtomsOf::Control)),
        ("facts", record(facts.into_iter().flatten())),
        ("now_ms", Value::from(request.now_ms)),
        ("operation", string(&request.action)),
        ("privileged", Value::from(request.privileged || request.effect.is_privileged())),
        ("purpose", string(request.purpose.as_deref().unwrap_or_default())),
        ("reference_classes", set(&request.reference)),
        ("region", string(request.region.as_deref().unwrap_or_default())),
        ("roles", labels.roles()),
        ("satisfied", satisfied(request)),
        ("solo", Value::from(request.solo)),
        ("standing", string(request.standing.name())),
        ("write_excess", labels.of(AtomsOf::WriteExcess)),
    ];
    let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
    ast::Context::Value(Arc::new(pairs))
}

/// What policies see of a public, trusted value. Most roles of most calls have nothing else, and sharing costs nothing.
static BOTTOM: LazyLock<Value> = LazyLock::new(|| {
    let sets = SETS.map(|name| (name, EMPTY.clone()));
    record(sets.into_iter().chain(BOOLS.map(|name| (name, Value::from(false)))))
});

/// All roles of a call whose arguments are public and trusted.
static BOTTOM_ROLES: LazyLock<Value> = LazyLock::new(|| record(Role::ALL.map(|role| (role.name(), BOTTOM.clone()))));

static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::empty_set(None));

/// What policies see of the labels of a request. Most of its parts carry the same one, which is built once.
struct Labels<'a> {
    request: &'a GateRequest,
    seen: Vec<(Cow<'a, AtomSet>, Value)>,
}

impl Labels<'_> {
    fn of(&mut self, of: AtomsOf) -> Value {
        let atoms = self.request.atoms_of(of);
        if atoms.is_bottom() {
            return BOTTOM.clone();
        }
        if let Some((_, value)) = self.seen.iter().find(|(seen, _)| *seen == atoms) {
            return value.clone();
        }
        let value = Seen::of(self.request, &atoms).record();
        self.seen.push((atoms, value.clone()));
        value
    }

    fn roles(&mut self) -> Value {
        if self.request.roles.values().all(AtomSet::is_bottom) {
            return BOTTOM_ROLES.clone();
        }
        record(Role::ALL.map(|role| (role.name(), self.of(AtomsOf::Role(role)))))
    }
}

impl Seen {
    fn record(&self) -> Value {
        let sets = SETS.iter().zip(&self.sets).map(|(name, names)| (*name, set(names)));
        record(sets.chain(self.bools.iter().map(|(name, value)| (*name, Value::from(*value)))))
    }
}

/// The satisfied requirements, each with all that it implies: three approvals are also two.
fn satisfied(request: &GateRequest) -> Value {
    if request.satisfied.is_empty() {
        return EMPTY.clone();
    }
    let mut all = request.satisfied.clone();
    for id in &request.satisfied {
        if let Some((approvers, quorum)) = id.rsplit_once('/')
            && let Ok(quorum) = quorum.parse::<u8>()
        {
            all.extend((1..quorum).map(|n| format!("{approvers}/{n}")));
        }
    }
    Value::set_of_lits(all.into_iter().map(Literal::from), None)
}

fn string(text: &str) -> Value {
    Value::from(text)
}

fn set(names: &BTreeSet<Name>) -> Value {
    if names.is_empty() {
        return EMPTY.clone();
    }
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
