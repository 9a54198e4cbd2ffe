//! The smallest change that would admit a call: tried on the gate's own question, not guessed.
//!
//! Each candidate changes the question as it would change the workflow, and policy is asked again. Only those that make
//! the answer a permit, or take the labels at fault away, are offered, the smallest first.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::catalogue::{Action, Argument, Pattern, Release, ReleaseKind, Segment};
use sluice_core::gate::{Role, Verdict};
use sluice_core::label::{Label, Name};
use sluice_core::value::{Data, Rest, Value};
use sluice_policy::{AtomSet, RemedyKind, Resource};

use crate::question::destination;
use crate::site::Site;
use crate::verdict::{World, verdict_of};

/// Most parts that one help text names.
const PARTS_SHOWN_MAX: usize = 6;

/// A path inside a call's arguments: the argument's name, then keys, `*` for any.
pub(crate) type Part = Vec<Name>;

/// The parts of the arguments of some roles that carry `atoms` themselves, and could be left out.
pub(crate) fn parts(site: &Site<'_>, wanted: impl Fn(Role) -> bool, atoms: Label) -> Vec<Part> {
    let mut found = BTreeSet::new();
    for (name, _) in arguments_of(site, wanted) {
        if let Some(value) = site.prepared.arguments.child(name) {
            // What the root carries, every argument carries; leaving a part out does not change that.
            let outer = site.prepared.arguments.label;
            collect(&value, atoms.without(outer), &mut vec![name.clone()], &mut found);
        }
    }
    found.into_iter().collect()
}

fn arguments_of<'a>(
    site: &'a Site<'_>,
    wanted: impl Fn(Role) -> bool,
) -> impl Iterator<Item = (&'a Name, &'a Argument)> {
    let arguments = site.action.iter().flat_map(|action| &action.arguments);
    arguments.filter(move |(_, argument)| argument.role.is_some_and(&wanted))
}

fn collect(value: &Value, atoms: Label, path: &mut Part, found: &mut BTreeSet<Part>) {
    if value.deep_label().meet(atoms) == Label::BOTTOM {
        return;
    }
    let children = children(value);
    if value.label.meet(atoms) != Label::BOTTOM || children.is_empty() {
        found.insert(path.clone());
        return;
    }
    for (key, child) in children {
        path.push(key);
        collect(&child, atoms, path, found);
        path.pop();
    }
}

/// The children that are known apart; elements of an array count as one.
fn children(value: &Value) -> Vec<(Name, Value)> {
    match &value.data {
        Data::Array(items) => items.iter().map(|item| ("*".into(), item.clone())).collect(),
        Data::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        Data::Unknown(shape) => {
            let listed = shape.fields.iter().map(|(k, v)| (k.clone(), v.clone()));
            let rest = if let Rest::Each(each) = &shape.rest { Some(("*".into(), (**each).clone())) } else { None };
            listed.chain(rest).collect()
        }
        _ => Vec::new(),
    }
}

/// The label of what is left of a value without some parts of it.
fn label_without(value: &Value, parts: &[Part], path: &mut Part) -> Label {
    if parts.iter().any(|part| part == path) {
        return Label::BOTTOM;
    }
    let children = children(value);
    if children.is_empty() || matches!(&value.data, Data::Unknown(s) if matches!(s.rest, Rest::Deep(_))) {
        return value.deep_label();
    }
    children.into_iter().fold(value.label, |label, (key, child)| {
        path.push(key);
        let below = label_without(&child, parts, path);
        path.pop();
        label.join(below)
    })
}

/// What would admit the call as far as `atoms` in these roles are concerned, smallest change first.
pub(crate) fn admitting(world: &World<'_>, site: &Site<'_>, roles: &[Role], atoms: Label) -> Vec<String> {
    let parts = parts(site, |role| roles.contains(&role), atoms);
    let mut ways = Vec::new();
    ways.extend(leaving_out(world, site, roles, atoms, &parts));
    ways.extend(redactions(world, site, atoms, &parts));
    ways.extend(endorsements(world, site, atoms, &parts));
    ways.extend(destinations(world, site, atoms));
    ways.extend(approvals(site));
    ways
}

/// The ways as one sentence for `help`.
pub(crate) fn in_words(ways: &[String], otherwise: &str) -> String {
    if ways.is_empty() { otherwise.to_owned() } else { ways.join("; or ") }
}

fn leaving_out(world: &World<'_>, site: &Site<'_>, roles: &[Role], atoms: Label, parts: &[Part]) -> Option<String> {
    // A whole argument is not a part of something: without it the call would be another. Nor is every element of a list.
    let whole = |part: &Part| part.len() < 2 || part.last().is_some_and(|key| key.as_ref() == "*");
    if parts.is_empty() || parts.iter().any(whole) {
        return None;
    }
    let labels: Vec<(Role, Label)> = roles.iter().map(|role| (*role, role_without(site, *role, parts))).collect();
    let gone = labels.iter().all(|(_, label)| label.meet(atoms) == Label::BOTTOM);
    let verdict = asked_with(world, site, &labels);
    let better = verdict.is_some_and(|v| v < site.predicted.verdict || v == Verdict::Permit);
    let rest = match verdict {
        Some(Verdict::Permit) | None => "",
        Some(_) => " (what is left still needs an answer of its own)",
    };
    (gone || better).then(|| format!("leave out {}{rest}", shown(parts)))
}

fn role_without(site: &Site<'_>, role: Role, parts: &[Part]) -> Label {
    let root = site.prepared.arguments.label;
    let of_argument = |name: &Name| {
        let value = site.prepared.arguments.child(name)?;
        Some(label_without(&value, parts, &mut vec![name.clone()]))
    };
    Label::join_all(arguments_of(site, |r| r == role).filter_map(|(name, _)| of_argument(name))).join(root)
}

/// The answer to the site's question with other labels for some roles.
fn asked_with(world: &World<'_>, site: &Site<'_>, labels: &[(Role, Label)]) -> Option<Verdict> {
    let mut request = site.predicted.request.clone()?;
    for (role, label) in labels {
        request.roles.insert(*role, AtomSet::from_label(world.analysis.universe(), *label));
    }
    Some(verdict_of(&world.bundle.decide(&request).decision))
}

/// Entries of the bundle that together drop or mask what is at fault, or as much of it as they can.
fn redactions(world: &World<'_>, site: &Site<'_>, atoms: Label, parts: &[Part]) -> Option<String> {
    let mut left: Vec<&Part> = parts.iter().collect();
    let mut entries = Vec::new();
    for release in world.catalogue.releases.values() {
        let patterns = usable(world, site, atoms, release);
        let before = left.len();
        left.retain(|part| !reached(patterns, part));
        if left.len() < before {
            entries.push(format!("`{}`", release.name));
        }
    }
    let rest = if left.is_empty() { "" } else { " (what is left still needs an answer of its own)" };
    let word = if entries.len() > 1 { "entries" } else { "entry" };
    (!entries.is_empty())
        .then(|| format!("pass it through `call: redact` with {word} {} first{rest}", entries.join(" and ")))
}

/// The patterns of an entry that takes parts out. A mask counts only where its owner may release them.
fn usable<'a>(world: &World<'_>, site: &Site<'_>, atoms: Label, release: &'a Release) -> &'a [Pattern] {
    match &release.kind {
        ReleaseKind::Drop(patterns) => patterns,
        ReleaseKind::Mask(patterns) => {
            let seen = site.prepared.arguments.deep_label();
            let allowed = release.allows(world.analysis.universe(), seen, site.prepared.control);
            if allowed && atoms.flows_to(release.clears) { patterns } else { &[] }
        }
        ReleaseKind::AllowList(_) | ReleaseKind::Approval => &[],
    }
}

/// Whether one of the patterns names the part, seen from some value that contains it.
fn reached(patterns: &[Pattern], part: &Part) -> bool {
    let suffixes = (0..part.len()).filter_map(|start| part.get(start..));
    suffixes.filter(|suffix| !suffix.is_empty()).any(|suffix| patterns.iter().any(|p| names(p, suffix)))
}

/// As [`Pattern::names`], where `*` in the path stands for any key.
fn names(pattern: &Pattern, path: &[Arc<str>]) -> bool {
    let fits = |(segment, key): (&Segment, &Arc<str>)| match segment {
        Segment::Any => true,
        Segment::Key(name) => name == key,
    };
    pattern.0.len() == path.len() && pattern.0.iter().zip(path).all(fits)
}

/// Entries that vouch for the value, or release it, and may.
fn endorsements(world: &World<'_>, site: &Site<'_>, atoms: Label, parts: &[Part]) -> Vec<String> {
    // No label tells which action a call without a known one would be.
    if site.action.is_none() {
        return Vec::new();
    }
    let universe = world.analysis.universe();
    let seen = site.prepared.joined;
    let lifts = |kind: &ReleaseKind| match kind {
        ReleaseKind::AllowList(_) => true,
        // What a person will say is not known before the run: the prediction stays what it is, and must not be a refusal.
        ReleaseKind::Approval => site.predicted.verdict == Verdict::Hold,
        ReleaseKind::Drop(_) | ReleaseKind::Mask(_) => false,
    };
    let helps = |release: &&Release| {
        lifts(&release.kind) && atoms.flows_to(release.clears) && release.allows(universe, seen, site.prepared.control)
    };
    let vouches = universe.origins(atoms) != Label::BOTTOM;
    let function = if vouches { "endorse" } else { "release" };
    let what = if parts.is_empty() { "what decides".to_owned() } else { shown(parts) };
    let through = |release: &Release| {
        let how = match &release.kind {
            ReleaseKind::AllowList(list) => {
                let listed = list.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
                format!("which lets only {listed} through")
            }
            ReleaseKind::Approval => format!("where `{}` looks at the very value in every run", release.by),
            ReleaseKind::Drop(_) | ReleaseKind::Mask(_) => String::new(),
        };
        format!("pass {what} through `call: {function}` with entry `{}`, {how}", release.name)
    };
    world.catalogue.releases.values().filter(helps).map(through).collect()
}

/// Destinations of the register for which the same question is permitted.
fn destinations(world: &World<'_>, site: &Site<'_>, atoms: Label) -> Option<String> {
    let (action, request) = site.action.zip(site.predicted.request.as_ref())?;
    let now = match (&request.resource, is_choice(action)) {
        (Resource::Destination { id, .. }, true) => id,
        _ => return None,
    };
    let secret = atoms.without(world.analysis.universe().origins(atoms)) != Label::BOTTOM;
    let admits = |id: &&Name| {
        let mut elsewhere = request.clone();
        elsewhere.resource = destination(world.catalogue, id);
        *id != now && world.bundle.decide(&elsewhere).decision.is_permit()
    };
    let found: Vec<String> = world.catalogue.destinations.keys().filter(admits).map(|id| format!("`{id}`")).collect();
    (secret && !found.is_empty()).then(|| format!("send it to {}, which may have it", found.join(" or ")))
}

const fn is_choice(action: &Action) -> bool {
    matches!(action.resource, sluice_core::catalogue::Resource::DestinationArgument(_))
}

fn approvals(site: &Site<'_>) -> Option<String> {
    let when = match site.predicted.verdict {
        Verdict::Hold => "run it as it is and get",
        Verdict::Runtime => "run it, and where policy holds it get",
        Verdict::Permit | Verdict::Forbid => return None,
    };
    let people: Vec<String> =
        site.predicted.remedies.iter().filter(|r| r.kind == RemedyKind::Approval).map(ToString::to_string).collect();
    (!people.is_empty()).then(|| format!("{when} {}", people.join(", and ")))
}

/// Parts for people: `rows/*/note`.
pub(crate) fn shown(parts: &[Part]) -> String {
    let one = |part: &Part| format!("`{}`", part.join("/"));
    let mut words: Vec<String> = parts.iter().take(PARTS_SHOWN_MAX).map(one).collect();
    if parts.len() > PARTS_SHOWN_MAX {
        words.push(format!("{} more", parts.len() - PARTS_SHOWN_MAX));
    }
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}
