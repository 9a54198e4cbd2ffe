//! Questions about this workspace: may somebody of the register call an action on a destination or dataset?
//!
//! The subject is a `person` or `service` by its id in the register (`principal` is either), the action `connector.action`, the
//! resource a `destination` or `dataset`. What is sent is told in `context`: `data` (classes of data), `origins` (whose words are in
//! it), `purpose`, `amount`; which objects an argument refers to in the action's property `references`. Of a call that sends
//! something of which nothing is told, nothing is known, and policies judge it so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use sluice_core::catalogue::{Action, Resource as Target};
use sluice_core::contract::digest::to_hex;
use sluice_core::contract::principals::Kind;
use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;
use sluice_policy::guest::Properties;
use sluice_policy::{
    Acting, Answer as Said, AtomSet, Category, Decision, Facts, GateRequest, Resource, Rule, Standing,
};
use sluice_render::time::written;
use sluice_runtime::approvals::in_words;
use sluice_runtime::ledger::random;
use sluice_runtime::stop::Stop;
use sluice_verify::principal;
use sluice_verify::question::{classes_of, destination, is_satisfiable, requirement};

use super::binding::Denial;
use super::wire::{Answer, Asked};
use crate::rest::Asking;

/// The obligation of whoever is told "yes": the call passes its gate.
const THROUGH_THE_GATE: &str = "sluice:through-the-gate";

/// What a person is told who could ask for it.
const PROPOSE_IT: &str = "People approve of one call with its arguments: propose the workflow that makes it, and start it. It waits \
                          at this step until they have.";

/// Whether resources of this type are this workspace's.
pub(super) fn is_ours(kind: &str) -> bool {
    matches!(kind, "destination" | "dataset")
}

/// Why a question is denied without asking policy.
struct Denied(&'static str, String);

/// Predicts what the gate would say.
pub(super) fn decide(asking: &Asking, asked: &Asked) -> Answer {
    match request(asking, asked) {
        Err(Denied(reason, words)) => Answer::of(false, json!({ "reason": reason, "reason_admin": { "en": words } })),
        Ok(request) => answer(asking, asked, &request.principal.id, &asking.workspace.policies().decide(&request)),
    }
}

/// Whether it would be allowed as it is: for searches.
pub(super) fn is_allowed(asking: &Asking, asked: &Asked) -> bool {
    request(asking, asked).is_ok_and(|request| asking.workspace.policies().decide(&request).decision.is_permit())
}

fn answer(asking: &Asking, asked: &Asked, requester: &Name, said: &Said) -> Answer {
    let words: Vec<&str> = said.reasons.iter().map(|reason| reason.words.as_str()).collect();
    let policies: Vec<String> = said.decision.policies().iter().map(ToString::to_string).collect();
    let admin = json!({ "en": words.join("; ") });
    let denied = |reason: &str, more: Json| {
        let mut context = json!({ "reason": reason, "reason_admin": admin, "policies": policies });
        if let (Some(context), Json::Object(more)) = (context.as_object_mut(), more) {
            context.extend(more);
        }
        Answer::of(false, context)
    };
    match &said.decision {
        Decision::Permit { .. } => {
            let obligation = json!({ "id": "gate", "type": "custom", "name": THROUGH_THE_GATE });
            Answer::of(true, json!({ "policies": policies, "obligations": [obligation] }))
        }
        Decision::Forbid { .. } => denied("forbidden", Json::Null),
        Decision::Hold { remedies, .. } if !said.decision.can_be_approved() => {
            let remedies: Vec<String> = remedies.iter().map(ToString::to_string).collect();
            denied("workflow_must_change", json!({ "remedies": remedies }))
        }
        Decision::Hold { remedies, .. } if !is_satisfiable(asking.workspace.principals(), requester, remedies) => {
            denied("nobody_can_approve", Json::Null)
        }
        Decision::Hold { remedies, .. } => {
            let needs: BTreeSet<String> =
                remedies.iter().filter_map(requirement).map(|needed| in_words(&needed)).collect();
            denied("approval_required", requestable(asking, asked, &needs))
        }
    }
}

/// How it can be asked for, where a token can bind what is asked to this denial.
fn requestable(asking: &Asking, asked: &Asked, needs: &BTreeSet<String>) -> Json {
    let (origin, now_ms) = (&asking.house.party().origin, asking.house.ledger().clock().now_ms());
    let made = || {
        let evaluation = to_hex(&random::<16>().ok()?);
        let denial = Denial::of(origin, &evaluation, asked, now_ms).ok()??;
        let token = asking.house.binding.token(&denial).ok()??;
        Some((evaluation, denial.expires_s(), token))
    };
    let Some((evaluation, expires_s, token)) = made() else { return json!({ "needs": needs }) };
    json!({
        "evaluation_id": evaluation,
        "evaluated_at": written(now_ms / 1_000),
        "access_request": {
            "endpoint": format!("{origin}/api/v1/proposals"),
            "template": "sluice:proposal",
            "expires_at": written(expires_s),
            "binding_token": token,
            "needs": needs,
            "display": { "title": "Propose it", "description": PROPOSE_IT },
        },
    })
}

/// The gate's question, as far as what is asked tells it.
fn request(asking: &Asking, asked: &Asked) -> Result<GateRequest, Denied> {
    let (workspace, context) = (&asking.workspace, &asked.deed.context);
    let principals = workspace.principals();
    let who = subject(asking, asked)?;
    let none = || Denied("unknown_action", format!("no connector here has `{}`", asked.deed.name));
    let (connector, name) = asked.deed.name.split_once('.').ok_or_else(none)?;
    let action = workspace.governance().catalogue.action(connector, name).ok_or_else(none)?;
    stopped(asking, action, &who)?;
    let resource = resource(asking, action, asked)?;
    let atoms = atoms(asking, action, context)?;
    let roles: BTreeMap<Role, AtomSet> =
        action.arguments.values().filter_map(|argument| Some((argument.role?, atoms.clone()))).collect();
    let write_excess = excess(asking, action, &resource, &atoms);
    Ok(GateRequest {
        author: if principals.persons.entries.contains_key(&who) {
            Acting::Person { id: who.clone() }
        } else {
            Acting::Unknown
        },
        acting_models: BTreeSet::new(),
        connector: action.connector.clone(),
        action: action.name.clone(),
        effect: action.effect,
        privileged: action.privileged,
        reference: references(asking, action, &asked.deed.properties),
        roles,
        control: AtomSet::default(),
        write_excess,
        purpose: text(context, "purpose")?.map(Name::from),
        region: action.region.clone(),
        standing: Standing::Verified,
        satisfied: BTreeSet::new(),
        cleared: BTreeSet::new(),
        facts: Facts { amount: amount(context)?, first_seen: true, ..Facts::default() },
        now_ms: i64::try_from(asking.house.ledger().clock().now_ms()).unwrap_or(i64::MAX),
        solo: workspace.is_solo(),
        principal: principal(principals, &who),
        resource,
    })
}

fn subject(asking: &Asking, asked: &Asked) -> Result<Name, Denied> {
    let (kind, id) = (asked.subject.kind.as_str(), asked.subject.id.as_str());
    let is_one = matches!(
        (kind, asking.workspace.principals().kind(id)),
        ("person" | "principal", Some(Kind::Person)) | ("service" | "principal", Some(Kind::Service))
    );
    let none = || Denied("unknown_subject", format!("the register has no {kind} `{id}`"));
    is_one.then(|| id.into()).ok_or_else(none)
}

fn stopped(asking: &Asking, action: &Action, who: &Name) -> Result<(), Denied> {
    let (connector, name) = (action.connector.clone(), action.name.clone());
    let all = [
        Stop::Everything,
        Stop::Connector(connector.clone()),
        Stop::Action(connector, name),
        Stop::Principal(who.clone()),
    ];
    match all.into_iter().find(|stop| stop.holds(asking.house.ledger())) {
        Some(stop) => Err(Denied("stopped", format!("SL518: {stop} was stopped"))),
        None => Ok(()),
    }
}

/// What the action acts on, if it is what is asked about.
fn resource(asking: &Asking, action: &Action, asked: &Asked) -> Result<Resource, Denied> {
    let (kind, id) = (asked.resource.kind.as_str(), Name::from(asked.resource.id.as_str()));
    match (kind, &action.resource) {
        ("destination", Target::Destination(fixed)) if *fixed == id => {}
        ("destination", Target::DestinationArgument(_)) => {}
        ("dataset", Target::Dataset { name, owner, region }) if *name == id => {
            let owner = owner.clone().unwrap_or_else(|| "".into());
            return Ok(Resource::Dataset { id, owner, region: region.clone() });
        }
        _ => {
            let why = format!("`{}` does not act on the {kind} `{id}`", action.full_name());
            return Err(Denied("other_resource", why));
        }
    }
    Ok(destination(&asking.workspace.governance().catalogue, &id))
}

/// What the arguments carry, as it is told. Of what is sent without a word about it nothing is known.
fn atoms(asking: &Asking, action: &Action, context: &Properties) -> Result<AtomSet, Denied> {
    let register = &asking.workspace.governance().registers.classification;
    let (data, origins) = (list(context, "data")?, list(context, "origins")?);
    let is_told = data.is_some() || action.effect == Effect::Read;
    let mut atoms = AtomSet { unknown: !is_told, ..AtomSet::default() };
    for class in data.unwrap_or_default() {
        let known = register.get(&class);
        let known = known.ok_or_else(|| Denied("unknown_data", format!("the register has no class `{class}`")))?;
        let owner = known.owner.value.clone();
        let rule = |allowed: BTreeSet<Name>| Rule { owner: owner.clone(), allowed };
        let purposes = known.purposes.as_ref().map(|all| all.iter().map(|one| one.value.clone()).collect());
        let regions = known.regions.as_ref().map(|all| all.iter().map(|one| one.value.clone()).collect());
        atoms.purposes.extend(purposes.map(rule));
        atoms.regions.extend(regions.map(rule));
        atoms.categories.insert(Category { class: class.as_str().into(), owner });
    }
    atoms.origins.extend(origins.unwrap_or_default().into_iter().map(Name::from));
    Ok(atoms)
}

/// What a dataset that is written to does not declare.
fn excess(asking: &Asking, action: &Action, resource: &Resource, atoms: &AtomSet) -> AtomSet {
    if action.effect != Effect::Write || !matches!(resource, Resource::Dataset { .. }) {
        return AtomSet::default();
    }
    let declared = AtomSet::from_label(&asking.workspace.governance().catalogue.universe, action.stored);
    AtomSet {
        categories: &atoms.categories - &declared.categories,
        purposes: &atoms.purposes - &declared.purposes,
        regions: &atoms.regions - &declared.regions,
        origins: &atoms.origins - &declared.origins,
        datasets: BTreeSet::new(),
        unknown: atoms.unknown,
    }
}

/// Classes of the objects that arguments refer to. One that is not told may be any.
fn references(asking: &Asking, action: &Action, properties: &Properties) -> BTreeSet<Name> {
    let told = properties.get("references").and_then(Json::as_object);
    let classes = action.arguments.iter().filter_map(|(name, argument)| {
        let id = told.and_then(|told| told.get(&**name)?.as_str()).unwrap_or("");
        Some(classes_of(asking.workspace.principals(), argument.reference.as_ref()?, id))
    });
    classes.flatten().collect()
}

fn unfit(key: &str, what: &str) -> Denied {
    Denied("unfit_context", format!("`{key}` in the context is {what}"))
}

fn text<'c>(context: &'c Properties, key: &str) -> Result<Option<&'c str>, Denied> {
    let value = context.get(key).filter(|value| !value.is_null());
    value.map(|value| value.as_str().ok_or_else(|| unfit(key, "a text"))).transpose()
}

fn list(context: &Properties, key: &str) -> Result<Option<Vec<String>>, Denied> {
    let Some(value) = context.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let texts = value.as_array().map(|all| all.iter().map(|one| one.as_str().map(str::to_owned)));
    texts.and_then(Iterator::collect).map(Some).ok_or_else(|| unfit(key, "a list of texts"))
}

fn amount(context: &Properties) -> Result<Option<i64>, Denied> {
    let value = context.get("amount").filter(|value| !value.is_null());
    value.map(|value| value.as_i64().ok_or_else(|| unfit("amount", "a whole number"))).transpose()
}
