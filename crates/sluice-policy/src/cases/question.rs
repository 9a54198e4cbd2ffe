//! The question of a test, from words that people write.
//!
//! What a test does not say is unremarkable: somebody in no group, a verified workflow that nobody known wrote, public and
//! trusted arguments, a dataset.

use std::collections::BTreeSet;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{BAD_VALUE, Data, Entry, Fields, Node};
use sluice_core::gate::Effect;
use sluice_core::label::Name;

use super::BAD_CASE;
use super::part;
use super::read::missing_action;
use crate::request::{Acting, FACT_MAX, Facts, GateRequest, Principal, PrincipalKind, Resource, Standing};

pub(super) const ACTION_KEY: &str = "action";

/// When a test that says nothing asks: 14 November 2023.
const NOW_MS: i64 = 1_700_000_000_000;

/// A question, and the approvals that are recorded.
pub(super) struct Asked {
    pub(super) request: GateRequest,
    pub(super) approved: Vec<Node>,
}

/// Reads a question; what it does not say itself stands in `common`.
pub(super) fn read(own: &Node, common: Option<&Node>, out: &mut Vec<Diagnostic>) -> Option<Asked> {
    let node = with(own, common);
    let mut fields = Fields::of(&node, "a question", out)?;
    let principal = principal(&mut fields, out);
    let author = author(&mut fields, out);
    let acting_models = names(fields.optional("models"), "models", out);
    let effects = Effect::ALL.map(|effect| (effect.name(), effect));
    let effect = fields.optional(ACTION_KEY);
    if effect.is_none() {
        missing_action(own, out);
    }
    let effect = effect.and_then(|n| n.expect_word(ACTION_KEY, &effects, out));
    let call = fields.optional("call").map(|n| call(n, out));
    let privileged = fields.optional("privileged").and_then(|n| n.expect_bool("privileged", out));
    let resource = resource(&mut fields, out);
    let reference = names(fields.optional("reference"), "reference", out);
    let carried = fields.optional("carries").map(|n| part::carried(n, out)).unwrap_or_default();
    let purpose = fields.optional("purpose").and_then(|n| n.expect_text("purpose", out)).filter(|p| !p.is_empty());
    let region = fields.optional("region").and_then(|n| n.expect_name("region", out));
    let standings = [Standing::Proposed, Standing::Verified, Standing::Approved, Standing::Session, Standing::Planned];
    let standings = standings.map(|standing| (standing.name(), standing));
    let standing = fields.optional("standing").and_then(|n| n.expect_word("standing", &standings, out));
    let solo = fields.optional("solo").and_then(|n| n.expect_bool("solo", out));
    let approved = fields.optional("approvals").and_then(|n| n.expect_list("approvals", out)).unwrap_or_default();
    let facts = facts(&mut fields, out);
    let now_ms = fields.optional("now_ms").and_then(|n| number(n, "now_ms", i64::MAX, out));
    fields.finish(out);
    let effect = effect?;
    if effect.is_outbound() && resource.is_none() {
        out.push(BAD_CASE.at(own.span, format!("the `{effect}` does not say where it goes: `to: DESTINATION`")));
    }
    let (connector, action) = call.flatten().unwrap_or_else(|| ("connector".into(), "action".into()));
    let request = GateRequest {
        principal,
        author: author.unwrap_or(Acting::Unknown),
        acting_models,
        connector,
        action,
        effect,
        privileged: privileged.unwrap_or(false) || effect.is_privileged(),
        resource: resource.unwrap_or_else(|| dataset("dataset".into())),
        reference,
        roles: carried.roles,
        control: carried.control,
        write_excess: carried.write_excess,
        purpose,
        region,
        standing: standing.unwrap_or(Standing::Verified),
        satisfied: BTreeSet::new(),
        cleared: BTreeSet::new(),
        facts,
        now_ms: now_ms.unwrap_or(NOW_MS),
        solo: solo.unwrap_or(false),
    };
    Some(Asked { request, approved: approved.to_vec() })
}

/// The entries of a question before those of what all cases have in common.
fn with(own: &Node, common: Option<&Node>) -> Node {
    let (Data::Map(entries), Some(Node { value: Data::Map(shared), .. })) = (&own.value, common) else {
        return own.clone();
    };
    // One that goes to a place does not keep the common dataset, nor the other way round.
    let is_same = |a: &str, b: &str| {
        a == b
            || RESOURCE_KEYS.contains(&a) && RESOURCE_KEYS.contains(&b)
            || PRINCIPAL_KEYS.contains(&a) && PRINCIPAL_KEYS.contains(&b)
    };
    let is_own = |entry: &&Entry| !entries.iter().any(|own| is_same(&own.key, &entry.key));
    let all = entries.iter().chain(shared.iter().filter(is_own)).cloned().collect();
    Node { span: own.span, value: Data::Map(all) }
}

const RESOURCE_KEYS: [&str; 2] = ["to", "dataset"];
const PRINCIPAL_KEYS: [&str; 2] = ["person", "service"];

/// The one of two keys that is there; both are one too many.
fn either<'n>(
    fields: &mut Fields<'n>,
    keys: [&'static str; 2],
    out: &mut Vec<Diagnostic>,
) -> Option<(&'static str, &'n Node)> {
    let [a, b] = keys;
    let [first, second] = keys.map(|key| fields.entry(key).map(|entry| (key, entry)));
    if let (Some(_), Some((_, entry))) = (first, second) {
        out.push(BAD_CASE.at(entry.key_span, format!("there can be `{a}` or `{b}`, not both")));
    }
    first.or(second).map(|(key, entry)| (key, &entry.value))
}

fn principal(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Principal {
    let found = either(fields, PRINCIPAL_KEYS, out);
    let groups = names(fields.optional("groups"), "groups", out);
    let kind = match found {
        Some(("service", _)) => PrincipalKind::Service,
        _ => PrincipalKind::Person,
    };
    let id = found.and_then(|(key, node)| node.expect_name(key, out)).unwrap_or_else(|| "somebody".into());
    Principal { kind, id, groups }
}

/// `author: { person: ana }` or `author: { model: m }`.
fn author(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Option<Acting> {
    let said = fields.optional("author")?;
    let mut author = Fields::of(said, "an author", out)?;
    let found = either(&mut author, ["person", "model"], out);
    author.finish(out);
    let Some((key, node)) = found else {
        out.push(BAD_CASE.at(said.span, "an author is a `person` or a `model`; leave it out where nobody knows"));
        return None;
    };
    let id = node.expect_name(key, out)?;
    Some(if key == "person" { Acting::Person { id } } else { Acting::Model { id } })
}

/// `connector.action`.
fn call(node: &Node, out: &mut Vec<Diagnostic>) -> Option<(Name, Name)> {
    let text = node.expect_name("call", out)?;
    let found = text.split_once('.').filter(|(connector, action)| !connector.is_empty() && !action.is_empty());
    if found.is_none() {
        out.push(BAD_VALUE.at(node.span, format!("`{text}` is no call: write `connector.action`")));
    }
    found.map(|(connector, action)| (connector.into(), action.into()))
}

fn resource(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Option<Resource> {
    let (key, node) = either(fields, RESOURCE_KEYS, out)?;
    if let Some(id) = node.as_text() {
        return Some(if key == "to" { destination(id.clone()) } else { dataset(id.clone()) });
    }
    let mut fields = Fields::of(node, if key == "to" { "a destination" } else { "a dataset" }, out)?;
    let id = fields.required("id", out).and_then(|n| n.expect_name("id", out));
    let owner = fields.optional("owner").and_then(|n| n.expect_text("owner", out));
    let region = fields.optional("region").and_then(|n| n.expect_name("region", out));
    let resource = if key == "to" {
        let cleared = names(fields.optional("cleared"), "cleared", out);
        let registered = fields.optional("registered").map_or(Some(true), |n| n.expect_bool("registered", out));
        let owner = owner.unwrap_or_else(|| "destination-owner".into());
        Resource::Destination { id: id.clone()?, owner, region, cleared, registered: registered? }
    } else {
        Resource::Dataset { id: id.clone()?, owner: owner.unwrap_or_else(|| "dataset-owner".into()), region }
    };
    fields.finish(out);
    Some(resource)
}

fn destination(id: Name) -> Resource {
    let owner = "destination-owner".into();
    Resource::Destination { id, owner, region: None, cleared: BTreeSet::new(), registered: true }
}

fn dataset(id: Name) -> Resource {
    Resource::Dataset { id, owner: "dataset-owner".into(), region: None }
}

fn facts(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Facts {
    let amount = fields.optional("amount").and_then(|n| number(n, "amount", FACT_MAX, out));
    let first_seen = fields.optional("first_seen").and_then(|n| n.expect_bool("first_seen", out)).unwrap_or(false);
    let mut facts = Facts { amount, first_seen, ..Facts::default() };
    if let Some(mut calls) = fields.optional("calls").and_then(|n| Fields::of(n, "`calls`", out)) {
        let mut count =
            |key: &'static str| calls.optional(key).and_then(|n| number(n, key, FACT_MAX, out)).unwrap_or_default();
        (facts.calls_this_run, facts.calls_this_hour) = (count("this_run"), count("this_hour"));
        calls.finish(out);
    }
    facts
}

/// A whole number that a gate compares.
fn number(node: &Node, what: &str, most: i64, out: &mut Vec<Diagnostic>) -> Option<i64> {
    match node.value {
        Data::Int(n) if n.unsigned_abs() <= most.unsigned_abs() => Some(n),
        _ => {
            out.push(BAD_VALUE.at(node.span, format!("`{what}` is a whole number of at most {most} either way")));
            None
        }
    }
}

/// A set of names.
pub(super) fn names(node: Option<&Node>, what: &str, out: &mut Vec<Diagnostic>) -> BTreeSet<Name> {
    let Some(items) = node.and_then(|n| n.expect_list(what, out)) else { return BTreeSet::new() };
    items.iter().filter_map(|item| item.expect_name(what, out)).collect()
}
