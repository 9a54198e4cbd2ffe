//! What one gate decision costs, beside bare Cedar on the same policies and the same question: with the default bundle,
//! and by the number of policies and entities (`scale.rs`).
//!
//! `cargo bench -p sluice-policy`. Read the ratios and the number of questions; microseconds belong to this machine.
//! The bare questions are written out here, apart from the code that they are compared with, and the bench fails if
//! bare Cedar says something else than the gate.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock; the crate that it measures does not")]

mod scale;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::hint::black_box;
use std::str::FromStr;
use std::time::Instant;

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet,
    Request, RestrictedExpression, Schema,
};
use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;
use sluice_policy::{
    Acting, AtomSet, Bundle, Category, DEFAULT_SOURCES, Facts, GateRequest, Principal, PrincipalKind, Resource, Rule,
    SCHEMA, Standing,
};

type Answer<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const CALLS_PER_ROUND: usize = 400;

fn main() -> Answer<()> {
    let bundle = Bundle::default_bundle().map_err(|flaws| format!("{flaws:?}"))?;
    let policies = DEFAULT_SOURCES.map(|(_, text)| text).concat();
    let bare = Bare { set: PolicySet::from_str(&policies)?, schema: Schema::from_cedarschema_str(SCHEMA)?.0 };
    println!(
        "default bundle, {} policies; medians of {ROUNDS} rounds of {CALLS_PER_ROUND} calls, µs",
        bare.set.policies().count()
    );
    println!("                        |       gate      | bare Cedar: decide | and build | and validate | gate / bare");
    println!(
        "request  answer         |   p50     p99   |    p50      p99    |    p50    |     p50      | decide  build"
    );
    for case in cases() {
        case.compare(&bundle, &bare)?;
        let mut rounds: [Vec<Times>; 4] = Default::default();
        for _ in 0..ROUNDS {
            let (request, entities) = case.bare.build(None)?;
            let [gate, decide, build, validate] = &mut rounds;
            gate.push(Times::of(|| Ok(bundle.decide(&case.request)))?);
            decide.push(Times::of(|| Ok(bare.ask(&request, &entities)))?);
            build.push(Times::of(|| {
                let (request, entities) = case.bare.build(None)?;
                Ok(bare.ask(&request, &entities))
            })?);
            validate.push(Times::of(|| {
                let (request, entities) = case.bare.build(Some(&bare.schema))?;
                Ok(bare.ask(&request, &entities))
            })?);
        }
        let [gate, decide, build, validate] = rounds.map(median);
        println!(
            "{:<8} {:<14} | {:>6.1}  {:>6.1}   | {:>6.1}   {:>6.1}    |  {:>6.1}   |   {:>6.1}     | {:>5.1}×  {:>5.1}×",
            case.name,
            bundle.decide(&case.request).decision.verdict().name(),
            gate.p50,
            gate.p99,
            decide.p50,
            decide.p99,
            build.p50,
            validate.p50,
            gate.p50 / decide.p50,
            gate.p50 / build.p50,
        );
    }
    scale::run()
}

/// Microseconds of one call.
#[derive(Clone, Copy)]
struct Times {
    p50: f64,
    p99: f64,
}

impl Times {
    fn of<T>(mut call: impl FnMut() -> Answer<T>) -> Answer<Self> {
        let mut micros = Vec::with_capacity(CALLS_PER_ROUND);
        for _ in 0..CALLS_PER_ROUND {
            let start = Instant::now();
            drop(black_box(call()?));
            micros.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok(Self { p50: at(&mut micros, 0.5), p99: at(&mut micros, 0.99) })
    }
}

/// The value below which that share of them lies.
fn at(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length fits")]
    let place = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

fn median(rounds: Vec<Times>) -> Times {
    let of = |pick: fn(&Times) -> f64| at(&mut rounds.iter().map(pick).collect::<Vec<_>>(), 0.5);
    Times { p50: of(|t| t.p50), p99: of(|t| t.p99) }
}

struct Case {
    name: &'static str,
    request: GateRequest,
    bare: BareRequest,
}

impl Case {
    /// Fails unless bare Cedar names the policies that the gate names.
    fn compare(&self, bundle: &Bundle, bare: &Bare) -> Answer<()> {
        let decision = bundle.decide(&self.request).decision;
        let named: BTreeSet<String> = decision.policies().iter().map(ToString::to_string).collect();
        let (request, entities) = self.bare.build(Some(&bare.schema))?;
        let (said, ids) = bare.ask(&request, &entities);
        // A forbid that nothing can lift is told alone; others may have fired beside it.
        let agrees =
            if said == CedarDecision::Allow { ids == named } else { !named.is_empty() && named.is_subset(&ids) };
        let same = agrees && decision.is_permit() == (said == CedarDecision::Allow);
        if same { Ok(()) } else { Err(format!("{}: the gate names {named:?}, bare Cedar {ids:?}", self.name).into()) }
    }
}

fn cases() -> [Case; 3] {
    let names = |list: &[&str]| list.iter().map(|name| Name::from(*name)).collect::<BTreeSet<_>>();
    let permit = Case {
        name: "read",
        request: request(Effect::Read, []),
        bare: BareRequest { effect: "read", ..BareRequest::default() },
    };
    let report = AtomSet {
        categories: [("financial", "finance-lead"), ("location", "privacy-lead"), ("phi", "health-lead")]
            .map(|(class, owner)| Category { class: class.into(), owner: owner.into() })
            .into(),
        regions: [Rule { owner: "health-lead".into(), allowed: names(&["eu"]) }].into(),
        origins: names(&["crm"]),
        ..AtomSet::default()
    };
    let seen = BareAtoms {
        categories: &["financial", "location", "phi"],
        owners: &["finance-lead", "health-lead", "privacy-lead"],
        uncleared: &["location", "phi"],
        outside: &["crm"],
        rule_owners: &["health-lead"],
        region_forbidden: true,
        ..BareAtoms::default()
    };
    let hold = Case {
        name: "report",
        request: request(Effect::Export, [(Role::Payload, report)]),
        bare: BareRequest {
            effect: "export",
            roles: vec![("payload", seen)],
            arguments: seen,
            ..BareRequest::default()
        },
    };
    let words = AtomSet { origins: names(&["tickets", "model:assistant"]), ..AtomSet::default() };
    let seen =
        BareAtoms { outside: &["model:assistant", "tickets"], models: &["model:assistant"], ..BareAtoms::default() };
    let mut ticket = request(Effect::Grant, [(Role::Reference, words.clone()), (Role::Recipient, words)]);
    ticket.control = AtomSet { origins: names(&["tickets"]), ..AtomSet::default() };
    ticket.reference = names(&["privileged-group"]);
    let forbid = Case {
        name: "ticket",
        request: ticket,
        bare: BareRequest {
            effect: "grant",
            reference_classes: &["privileged-group"],
            roles: vec![("reference", seen), ("recipient", seen)],
            arguments: seen,
            control: BareAtoms { outside: &["tickets"], ..BareAtoms::default() },
            ..BareRequest::default()
        },
    };
    [permit, hold, forbid]
}

fn request(effect: Effect, roles: impl IntoIterator<Item = (Role, AtomSet)>) -> GateRequest {
    let mut all: BTreeMap<Role, AtomSet> = Role::ALL.into_iter().map(|role| (role, AtomSet::default())).collect();
    all.extend(roles);
    let resource = if effect.is_outbound() { destination("sheets") } else { dataset("crm.accounts") };
    GateRequest {
        principal: Principal { kind: PrincipalKind::Person, id: "ana".into(), groups: ["support".into()].into() },
        author: Acting::Model { id: "m".into() },
        acting_models: BTreeSet::new(),
        connector: "crm".into(),
        action: "accounts.use".into(),
        effect,
        privileged: effect.is_privileged(),
        resource,
        reference: BTreeSet::new(),
        roles: all,
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

fn dataset(id: &str) -> Resource {
    Resource::Dataset { id: id.into(), owner: "crm-owner".into(), region: Some("eu".into()) }
}

fn destination(id: &str) -> Resource {
    Resource::Destination {
        id: id.into(),
        owner: "finance-lead".into(),
        region: Some("us".into()),
        cleared: ["financial".into()].into(),
        registered: true,
    }
}

/// Cedar as its documentation shows it.
struct Bare {
    set: PolicySet,
    schema: Schema,
}

impl Bare {
    fn ask(&self, request: &Request, entities: &Entities) -> (CedarDecision, BTreeSet<String>) {
        let response = Authorizer::new().is_authorized(request, &self.set, entities);
        let named = |id| self.set.policy(id).and_then(|policy| policy.annotation("id")).unwrap_or_default().to_owned();
        (response.decision(), response.diagnostics().reason().map(named).collect())
    }
}

/// What a policy sees of one label, worked out by hand.
#[derive(Clone, Copy, Default)]
struct BareAtoms {
    categories: &'static [&'static str],
    owners: &'static [&'static str],
    uncleared: &'static [&'static str],
    outside: &'static [&'static str],
    models: &'static [&'static str],
    rule_owners: &'static [&'static str],
    region_forbidden: bool,
}

impl BareAtoms {
    fn record(&self) -> Answer<RestrictedExpression> {
        let sets = [
            ("categories", self.categories),
            ("owners", self.owners),
            ("uncleared", self.uncleared),
            ("outside", self.outside),
            ("models", self.models),
            ("persons", &[]),
            ("datasets", &[]),
            ("rule_owners", self.rule_owners),
        ];
        let bools = [("unknown", false), ("purpose_forbidden", false), ("region_forbidden", self.region_forbidden)];
        let sets = sets.into_iter().map(|(name, list)| (name, set(list)));
        let bools = bools.into_iter().map(|(name, value)| (name, RestrictedExpression::new_bool(value)));
        record(sets.chain(bools))
    }
}

struct BareRequest {
    person: String,
    groups: Vec<String>,
    /// A destination or a dataset, and its id; the one that suits the effect, if none is named.
    resource: Option<(&'static str, String)>,
    effect: &'static str,
    reference_classes: &'static [&'static str],
    roles: Vec<(&'static str, BareAtoms)>,
    arguments: BareAtoms,
    control: BareAtoms,
}

impl Default for BareRequest {
    fn default() -> Self {
        Self {
            person: "ana".to_owned(),
            groups: vec!["support".to_owned()],
            resource: None,
            effect: "read",
            reference_classes: &[],
            roles: Vec::new(),
            arguments: BareAtoms::default(),
            control: BareAtoms::default(),
        }
    }
}

impl BareRequest {
    fn build(&self, schema: Option<&Schema>) -> Answer<(Request, Entities)> {
        let role = |role: Role| {
            let given = self.roles.iter().find(|(name, _)| *name == role.name());
            Ok((role.name(), given.map_or(BareAtoms::default(), |(_, atoms)| *atoms).record()?))
        };
        let long = RestrictedExpression::new_long;
        let facts = [
            ("calls_this_run", long(0)),
            ("calls_this_hour", long(0)),
            ("first_seen", RestrictedExpression::new_bool(false)),
        ];
        let context = Context::from_pairs([
            ("connector".to_owned(), string("crm")),
            ("operation".to_owned(), string("accounts.use")),
            ("privileged".to_owned(), RestrictedExpression::new_bool(self.effect == "grant")),
            ("author".to_owned(), record([("kind", string("model")), ("id", string("m"))])?),
            ("acting_models".to_owned(), set(&[])),
            ("reference_classes".to_owned(), set(self.reference_classes)),
            ("roles".to_owned(), record(Role::ALL.into_iter().map(role).collect::<Answer<Vec<_>>>()?)?),
            ("arguments".to_owned(), self.arguments.record()?),
            ("control".to_owned(), self.control.record()?),
            ("write_excess".to_owned(), BareAtoms::default().record()?),
            ("purpose".to_owned(), string("monthly-report")),
            ("region".to_owned(), string("")),
            ("standing".to_owned(), string("verified")),
            ("solo".to_owned(), RestrictedExpression::new_bool(false)),
            ("satisfied".to_owned(), set(&[])),
            ("facts".to_owned(), record(facts)?),
            ("now_ms".to_owned(), long(1_700_000_000_000)),
        ])?;
        let person = uid("Person", &self.person)?;
        let groups = self.groups.iter().map(|group| uid("Group", group)).collect::<Answer<Vec<_>>>()?;
        let resource = self.resource()?;
        let request = Request::new(person.clone(), uid("Action", self.effect)?, resource.uid(), context, schema)?;
        let entities = groups.iter().map(|group| Entity::new_no_attrs(group.clone(), [].into()));
        let person = Entity::new_no_attrs(person, groups.iter().cloned().collect());
        let entities = Entities::from_entities(entities.chain([person, resource]), schema)?;
        Ok((request, entities))
    }

    fn resource(&self) -> Answer<Entity> {
        match &self.resource {
            Some((kind, id)) => bare_resource(kind, id),
            None if self.effect == "export" => bare_resource("Destination", "sheets"),
            None => bare_resource("Dataset", "crm.accounts"),
        }
    }
}

fn bare_resource(kind: &str, id: &str) -> Answer<Entity> {
    let attribute = |name: &str, value| (name.to_owned(), value);
    if kind == "Dataset" {
        let attributes = [attribute("owner", string("crm-owner")), attribute("region", string("eu"))];
        return Ok(Entity::new(uid("Dataset", id)?, attributes.into(), [].into())?);
    }
    let attributes = [
        attribute("owner", string("finance-lead")),
        attribute("region", string("us")),
        attribute("cleared", set(&["financial"])),
        attribute("registered", RestrictedExpression::new_bool(true)),
    ];
    Ok(Entity::new(uid("Destination", id)?, attributes.into(), [].into())?)
}

fn uid(kind: &str, id: &str) -> Answer<EntityUid> {
    Ok(EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind)?, EntityId::new(id)))
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn set(list: &[&str]) -> RestrictedExpression {
    RestrictedExpression::new_set(list.iter().map(|text| string(text)))
}

fn record<'a>(pairs: impl IntoIterator<Item = (&'a str, RestrictedExpression)>) -> Answer<RestrictedExpression> {
    Ok(RestrictedExpression::new_record(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)))?)
}
