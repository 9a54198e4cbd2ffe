//! `redact`, `release` and `endorse`: the catalogued functions, the only places where a label shrinks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalogue::{Catalogue, Pattern, Release, ReleaseKind};
use crate::label::{Label, Name, Universe};
use crate::program::{Builtin, NodeId, PlaceId};
use crate::transfer::error::{FaultKind, raise_at};
use crate::transfer::flow::{Walk, timeouts};
use crate::transfer::state::{Moves, Step};
use crate::transfer::vouching::Vouching;
use crate::value::{Data, Kinds, Rest, Shape, Value};

/// What a masked part is replaced by.
const MASK: &str = "•••";
const NO_ENTRY: &str = "no such entry in the bundle's releases";
const NOT_LISTED: &str = "the value is not in the release's list";

pub(super) struct Call {
    pub(super) function: Builtin,
    pub(super) arguments: Value,
    /// What decided whether the arguments could be computed, and `pc`.
    pub(super) told: Label,
    pub(super) reply: PlaceId,
    pub(super) next: NodeId,
    /// The error edge of computing the arguments.
    pub(super) failing: Moves,
}

/// Applies the entry that the call names. Where `Allow` says no, the value passes with its label unchanged.
pub(super) fn apply(walk: &Walk<'_>, catalogue: &Catalogue, universe: &Universe, call: Call) -> Step {
    let entry = call.arguments.child("entry");
    let named = entry.as_ref().and_then(Value::as_text).and_then(|name| catalogue.releases.get(name));
    let value = call.arguments.child("value").unwrap_or_else(|| Value::null(call.arguments.label));
    let chosen = entry.map_or(Label::BOTTOM, |v| v.deep_label()).join(call.arguments.label);
    let Some(release) = named.filter(|r| fits(call.function, &r.kind)) else {
        let told = call.told.join(call.arguments.deep_label());
        let state = walk.decided(told);
        if call.arguments.child("entry").is_some_and(|e| !e.is_concrete()) {
            // Some entry of the bundle, or none: whatever it does, it adds nothing to what it was given.
            let mut passed = state.clone();
            passed.set(call.reply, Value::unknown(told, Kinds::ALL));
            let detail = Value::text(told, NO_ENTRY);
            let fails = raise_at(walk.program, &state, walk.at, FaultKind::Validation, detail, told);
            let listed = Value::text(told, NOT_LISTED);
            let refuses = raise_at(walk.program, &state, walk.at, FaultKind::Validation, listed, told);
            // And if it is one that a person must look at, a timeout may come first.
            let late = timeouts(walk.program, &state, walk.at, told);
            return Step::Moves(Moves::to(call.next, passed).and(fails).and(refuses).and(late).and(call.failing));
        }
        let detail = Value::text(told, NO_ENTRY);
        let fails = raise_at(walk.program, &state, walk.at, FaultKind::Validation, detail, told);
        return Step::Moves(fails.and(call.failing));
    };
    // Judged on the labels before the step, and never on what the step makes of them.
    let allowed = release.allows(universe, value.deep_label(), walk.control.join(chosen));
    if release.kind == ReleaseKind::Approval {
        return Step::Vouches(Box::new(vouching(walk, release, call, value, chosen, allowed)));
    }
    let done = perform(release, &value);
    let told = call.told.join(chosen).join(done.told);
    let state = walk.decided(told);
    let mut moves = Moves::default();
    if let Some(result) = done.value {
        let cleared = if allowed { release.clears } else { Label::BOTTOM };
        let result =
            clear(&result, &done.touched, cleared).raised(walk.control).raised(chosen).raised(walk.learnt(told));
        let mut state = state.clone();
        state.set(call.reply, result);
        moves = moves.and(Moves::to(call.next, state));
    }
    if done.may_fail {
        let detail = Value::text(told, NOT_LISTED);
        moves = moves.and(raise_at(walk.program, &state, walk.at, FaultKind::Validation, detail, told));
    }
    Step::Moves(moves.and(call.failing))
}

/// A value that waits for a person: both ways to go on are known, and which of them it is comes from outside.
fn vouching(walk: &Walk<'_>, release: &Release, call: Call, value: Value, chosen: Label, is_allowed: bool) -> Vouching {
    let control = walk.control.join(chosen);
    let told = call.told.join(chosen).join(value.deep_label());
    // Without a timeout around it, control goes on in one way only, whatever the value and whatever is said of it.
    let learnt = if walk.program.deadlines_of(walk.node).next().is_none() { call.told.join(chosen) } else { told };
    let state = walk.decided(learnt);
    let goes_on = |cleared: Label| {
        let result = clear(&value, &Touched::All, cleared).raised(control).raised(walk.learnt(learnt));
        let mut state = state.clone();
        state.set(call.reply, result);
        Moves::to(call.next, state)
    };
    Vouching {
        function: call.function,
        entry: release.name.clone(),
        by: release.by.clone(),
        clears: release.clears,
        is_allowed,
        is_needed: value.deep_label().meet(release.clears) != Label::BOTTOM,
        control,
        told,
        vouched: goes_on(release.clears),
        unchanged: goes_on(Label::BOTTOM),
        late: timeouts(walk.program, &state, walk.at, told),
        failing: call.failing,
        value,
    }
}

fn fits(function: Builtin, kind: &ReleaseKind) -> bool {
    match kind {
        ReleaseKind::Drop(_) | ReleaseKind::Mask(_) => function == Builtin::Redact,
        ReleaseKind::AllowList(_) | ReleaseKind::Approval => {
            matches!(function, Builtin::Release | Builtin::Endorse)
        }
    }
}

/// Which parts of the result the entry's `clears` applies to.
enum Touched {
    /// The whole value: it is one of a list that the entry vouches for.
    All,
    /// Nothing: the parts are gone, and what stays keeps its labels.
    Nothing,
    /// The masked parts.
    Parts(Vec<Pattern>),
}

struct Done {
    value: Option<Value>,
    touched: Touched,
    may_fail: bool,
    /// What "did it fail" tells.
    told: Label,
}

fn perform(release: &Release, value: &Value) -> Done {
    match &release.kind {
        ReleaseKind::Drop(patterns) => Done {
            value: Some(dropped(value, patterns, &mut Vec::new())),
            touched: Touched::Nothing,
            may_fail: false,
            told: Label::BOTTOM,
        },
        ReleaseKind::Mask(patterns) => Done {
            value: Some(masked(value, patterns, &mut Vec::new())),
            touched: Touched::Parts(patterns.clone()),
            may_fail: false,
            told: Label::BOTTOM,
        },
        ReleaseKind::AllowList(list) => listed(list, value),
        // Nothing is done to it here: a person must look first.
        ReleaseKind::Approval => {
            Done { value: Some(value.clone()), touched: Touched::Nothing, may_fail: false, told: Label::BOTTOM }
        }
    }
}

fn listed(list: &BTreeSet<Name>, value: &Value) -> Done {
    let told = value.deep_label();
    let known = value.as_text().map(|text| list.contains(text)).or_else(|| value.is_concrete().then_some(false));
    let passes = match known {
        Some(true) => Some(value.clone()),
        Some(false) => None,
        None if value.kinds().has(Kinds::TEXT) && !list.is_empty() => {
            Some(Value::unknown(value.deep_label(), Kinds::TEXT))
        }
        None => None,
    };
    Done { value: passes, touched: Touched::All, may_fail: known != Some(true), told }
}

fn clear(value: &Value, touched: &Touched, cleared: Label) -> Value {
    match touched {
        Touched::Nothing => value.clone(),
        Touched::All => value.map_labels(&|l| l.without(cleared)),
        Touched::Parts(patterns) => clear_parts(value, patterns, cleared, &mut Vec::new()),
    }
}

/// The key that stands for "any other child" while walking an unknown value: only `*` fits it.
const OTHER: &str = "\u{0}other";

fn named(patterns: &[Pattern], path: &[Arc<str>]) -> bool {
    patterns.iter().any(|p| p.names(path))
}

/// The listed children of an unknown value, and those that some pattern names at `path`: what the function does to such
/// a part of a run's value must be admitted by what it does here.
fn spelled_out(shape: &Shape, patterns: &[Pattern], path: &[Arc<str>]) -> BTreeMap<Arc<str>, Value> {
    let mut fields = shape.fields.clone();
    let rest = match &shape.rest {
        Rest::None => return fields,
        Rest::Each(v) => (**v).clone(),
        Rest::Deep(l) => Value::unknown(*l, Kinds::ALL),
    };
    for key in patterns.iter().filter_map(|p| p.key_below(path)) {
        fields.entry(key.clone()).or_insert_with(|| rest.clone());
    }
    fields
}

/// Removes the named fields. An array keeps its length: its named elements become `null`, so that no index
/// changes its meaning between a run and its prediction.
fn dropped(value: &Value, patterns: &[Pattern], path: &mut Vec<Arc<str>>) -> Value {
    let at = path.clone();
    let mut kept = |key: &Arc<str>, child: &Value| {
        path.push(key.clone());
        let result = (!named(patterns, path)).then(|| dropped(child, patterns, path));
        path.pop();
        result
    };
    let gone = || Value::null(Label::BOTTOM);
    let data = match &value.data {
        Data::Array(items) => Data::Array(Arc::new(
            items.iter().enumerate().map(|(i, v)| kept(&i.to_string().into(), v).unwrap_or_else(gone)).collect(),
        )),
        Data::Object(fields) => {
            Data::Object(Arc::new(fields.iter().filter_map(|(k, v)| Some((k.clone(), kept(k, v)?))).collect()))
        }
        Data::Unknown(shape) => Data::Unknown(Arc::new(Shape {
            kinds: shape.kinds,
            head: shape.head.clone(),
            fields: spelled_out(shape, patterns, &at)
                .iter()
                .map(|(k, v)| (k.clone(), kept(k, v).unwrap_or_else(gone)))
                .collect(),
            rest: match &shape.rest {
                Rest::Each(v) => Rest::Each(Box::new(kept(&OTHER.into(), v).unwrap_or_else(gone))),
                other => other.clone(),
            },
        })),
        other => other.clone(),
    };
    Value::new(value.label, data)
}

/// Replaces the named parts by a constant that still tells that the part was there.
fn masked(value: &Value, patterns: &[Pattern], path: &mut Vec<Arc<str>>) -> Value {
    if named(patterns, path) {
        let label = value.deep_label();
        return match value.data {
            Data::Unknown(_) => Value::unknown(label, Kinds::TEXT),
            _ => Value::text(label, MASK),
        };
    }
    map_children(value, patterns, path, &mut |child, path| masked(child, patterns, path))
}

fn clear_parts(value: &Value, patterns: &[Pattern], cleared: Label, path: &mut Vec<Arc<str>>) -> Value {
    if named(patterns, path) {
        return value.map_labels(&|l| l.without(cleared));
    }
    map_children(value, patterns, path, &mut |child, path| clear_parts(child, patterns, cleared, path))
}

type OnChild<'a> = &'a mut dyn FnMut(&Value, &mut Vec<Arc<str>>) -> Value;

fn map_children(value: &Value, patterns: &[Pattern], path: &mut Vec<Arc<str>>, map: OnChild<'_>) -> Value {
    let here = path.clone();
    let mut at = |key: Arc<str>, child: &Value| {
        path.push(key);
        let result = map(child, path);
        path.pop();
        result
    };
    let data = match &value.data {
        Data::Array(items) => {
            Data::Array(Arc::new(items.iter().enumerate().map(|(i, v)| at(i.to_string().into(), v)).collect()))
        }
        Data::Object(fields) => {
            Data::Object(Arc::new(fields.iter().map(|(k, v)| (k.clone(), at(k.clone(), v))).collect()))
        }
        Data::Unknown(shape) => Data::Unknown(Arc::new(Shape {
            kinds: shape.kinds,
            head: shape.head.clone(),
            fields: spelled_out(shape, patterns, &here).iter().map(|(k, v)| (k.clone(), at(k.clone(), v))).collect(),
            rest: match &shape.rest {
                Rest::Each(v) => Rest::Each(Box::new(at(OTHER.into(), v))),
                other => other.clone(),
            },
        })),
        other => other.clone(),
    };
    Value::new(value.label, data)
}
