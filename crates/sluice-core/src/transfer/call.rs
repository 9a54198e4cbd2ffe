//! Calls: found in the catalogue, held against the contract's bounds, labelled by role; then their replies.

use std::collections::BTreeMap;
use std::fmt;

use crate::catalogue::{Action, Catalogue, Resource};
use crate::found::Found;
use crate::gate::Role;
use crate::label::{Atom, Label, Name, Universe};
use crate::program::{CallTarget, Handle, NodeId, NodeKind, PlaceId, Program, Use};
use crate::transfer::error::{FaultKind, raise_at};
use crate::transfer::flow::Walk;
use crate::transfer::state::{Moves, State, Step};
use crate::transfer::{builtin, http};
use crate::value::{Data, Kinds, Value};

/// A call that stands at its gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The action, if the catalogue has it.
    pub action: Option<(Name, Name)>,
    /// The arguments by name, without what decided that the call is made.
    pub arguments: Value,
    /// Deep labels by role, without `pc`; every role is present.
    pub roles: BTreeMap<Role, Label>,
    /// `pc`.
    pub control: Label,
    /// `a`: control and all arguments.
    pub joined: Label,
    /// What the written dataset does not already hold, lineage ignored.
    pub excess: Label,
    /// The destination or dataset, if it is known.
    pub resource: Option<Name>,
    /// Objects that reference arguments name: kind, argument, and the id if it is known.
    pub references: Vec<Reference>,
    /// Why the call may not be made whatever policy says. A breach is never an edge of the graph.
    pub breaches: Vec<Breach>,
    /// The error edge of computing the arguments.
    pub failing: Moves,
}

/// An object that an argument names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The argument.
    pub argument: Name,
    /// What kind of object: `group`, `file`.
    pub kind: Name,
    /// Its id, if it is known.
    pub id: Option<Name>,
}

/// A way in which a call does not fit its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// No contract covers it.
    Uncatalogued {
        /// What was called, as far as it is known.
        what: String,
    },
    /// Several contracts cover it.
    Ambiguous {
        /// Their actions.
        actions: Vec<String>,
    },
    /// Which action it is depends on data that is not known before the run.
    UnknownEndpoint,
    /// The contract has no such argument.
    UnknownArgument {
        /// The argument.
        argument: String,
    },
    /// The contract requires it.
    MissingArgument {
        /// The argument.
        argument: Name,
    },
    /// A value outside the contract's list.
    NotAllowed {
        /// The argument.
        argument: Name,
        /// The value.
        value: String,
    },
    /// The value is not known before the run, and the contract bounds it.
    UnknownValue {
        /// The argument.
        argument: Name,
    },
    /// The arguments are not an object.
    NotAnObject,
    /// The contract does not let this secret fill the argument.
    SecretNotGranted {
        /// The argument.
        argument: Name,
        /// The secret's name.
        secret: Name,
    },
    /// The argument takes a secret, and the definition gives it a value.
    SecretFromData {
        /// The argument.
        argument: Name,
        /// The name of the secret that it takes.
        secret: Name,
    },
}

impl Breach {
    /// Whether it is certain, or only not excluded before the run.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        !matches!(self, Self::UnknownEndpoint | Self::UnknownValue { .. })
    }
}

/// For people, before the run and in it.
impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncatalogued { what } => write!(f, "no contract covers `{what}`"),
            Self::Ambiguous { actions } => write!(f, "several contract actions cover it: {}", actions.join(", ")),
            Self::UnknownEndpoint => {
                f.write_str("which action is called cannot be told: its method or endpoint is not a known text")
            }
            Self::UnknownArgument { argument } => write!(f, "the contract has no argument `{argument}`"),
            Self::MissingArgument { argument } => write!(f, "the contract requires `{argument}`"),
            Self::NotAllowed { argument, value } => write!(f, "the contract does not allow {value} for `{argument}`"),
            Self::UnknownValue { argument } => write!(f, "the contract bounds `{argument}`, whose value is not known"),
            Self::NotAnObject => f.write_str("the arguments are not an object"),
            Self::SecretNotGranted { argument, secret } => {
                write!(f, "the contract does not let the secret `{secret}` fill `{argument}`")
            }
            Self::SecretFromData { argument, secret } => {
                write!(f, "`{argument}` takes the handle of the secret `{secret}`, and the definition gives it a value")
            }
        }
    }
}

pub(super) struct Site<'a> {
    pub(super) target: &'a CallTarget,
    pub(super) arguments: &'a Use,
    pub(super) handles: &'a [Handle],
    pub(super) reply: PlaceId,
    pub(super) next: NodeId,
}

/// The arguments of a call, without what decided that it is made; `None` where they surely cannot be computed.
#[must_use]
pub fn arguments(program: &Program, state: &State, at: NodeId) -> Option<Value> {
    match &program.node(at)?.kind {
        NodeKind::Call { arguments, .. } => state.evaluate(arguments).value,
        _ => None,
    }
}

/// Evaluates the arguments of a call and holds them against the catalogue.
pub(super) fn prepare(walk: &Walk<'_>, catalogue: &Catalogue, universe: &Universe, site: &Site<'_>) -> Step {
    let computed = walk.compute_apart(site.arguments);
    let told = computed.told;
    let Some(arguments) = computed.value.clone() else {
        let state = walk.decided(told);
        return Step::Moves(walk.failing(&state, &computed));
    };
    if let CallTarget::Builtin(function) = site.target {
        let state = walk.decided(told);
        let failing = walk.failing(&state, &computed);
        let arguments = arguments.raised(walk.control);
        let (function, reply, next) = (*function, site.reply, site.next);
        let release = builtin::Call { function, arguments, told, reply, next, failing };
        return builtin::apply(walk, catalogue, universe, release);
    }
    let failing = {
        let state = walk.decided(told.join(arguments.deep_label()));
        walk.failing(&state, &computed)
    };
    // Where an error is caught, that a call is made tells that its arguments could be computed.
    let arguments = arguments.raised(walk.learnt(computed.fallible));
    let (found, arguments, breach) = find(catalogue, site.target, arguments);
    let mut prepared = Prepared {
        action: found.map(|a| (a.connector.clone(), a.name.clone())),
        roles: Role::ALL.into_iter().map(|r| (r, Label::BOTTOM)).collect(),
        control: walk.control,
        joined: walk.control.join(arguments.deep_label()).join(told),
        excess: Label::BOTTOM,
        resource: None,
        references: Vec::new(),
        breaches: breach.into_iter().collect(),
        failing,
        arguments,
    };
    match found {
        Some(action) => {
            hold_against(&mut prepared, universe, action);
            hold_handles(&mut prepared, site.handles, action);
        }
        None => unknown_roles(&mut prepared),
    }
    Step::Calls(Box::new(prepared))
}

/// A call of `action` that no node of the program makes, as its gate sees it: a read on behalf of another call.
/// No definition names a secret for it.
#[must_use]
pub fn prepare_action(universe: &Universe, action: &Action, arguments: Value, control: Label) -> Prepared {
    let mut prepared = Prepared {
        action: Some((action.connector.clone(), action.name.clone())),
        roles: Role::ALL.into_iter().map(|r| (r, Label::BOTTOM)).collect(),
        control,
        joined: control.join(arguments.deep_label()),
        excess: Label::BOTTOM,
        resource: None,
        references: Vec::new(),
        breaches: Vec::new(),
        failing: Moves::default(),
        arguments,
    };
    hold_against(&mut prepared, universe, action);
    hold_handles(&mut prepared, &[], action);
    prepared
}

/// The action that a call names, and the arguments as its contract names them.
fn find<'a>(
    catalogue: &'a Catalogue,
    target: &CallTarget,
    arguments: Value,
) -> (Option<&'a Action>, Value, Option<Breach>) {
    match target {
        CallTarget::Action { connector, action } => match catalogue.action(connector, action) {
            Some(found) => (Some(found), arguments, None),
            None => {
                let what = format!("{connector}.{action}");
                (None, arguments, Some(Breach::Uncatalogued { what }))
            }
        },
        CallTarget::Http => http::find(catalogue, arguments),
        CallTarget::Builtin(function) => {
            (None, arguments, Some(Breach::Uncatalogued { what: function.name().to_owned() }))
        }
    }
}

/// Bounds and roles.
fn hold_against(prepared: &mut Prepared, universe: &Universe, action: &Action) {
    let root = prepared.arguments.label;
    let Data::Object(given) = prepared.arguments.data.clone() else {
        prepared.breaches.push(Breach::NotAnObject);
        unknown_roles(prepared);
        return;
    };
    for name in given.keys().filter(|name| !action.arguments.contains_key(*name)) {
        prepared.breaches.push(Breach::UnknownArgument { argument: name.to_string() });
    }
    if action.arguments.values().all(|argument| argument.role.is_none()) {
        raise_role(prepared, Role::Payload, root);
    }
    for (name, argument) in &action.arguments {
        let value = given.get(name);
        if let Some(role) = argument.role {
            // An argument that is not there tells something too: what decided that it is not.
            raise_role(prepared, role, value.map_or(Label::BOTTOM, Value::deep_label).join(root));
        }
        let Some(value) = value.filter(|v| !matches!(v.data, Data::Null)) else {
            if argument.required {
                prepared.breaches.push(Breach::MissingArgument { argument: name.clone() });
            }
            continue;
        };
        if let Some(kind) = &argument.reference {
            let id = value.as_text().map(Name::from);
            prepared.references.push(Reference { argument: name.clone(), kind: kind.clone(), id });
        }
        if let Some(allow) = &argument.allow {
            let ok = |text: Option<&str>| text.is_some_and(|t| allow.contains(t));
            let bad = match &value.data {
                Data::Array(items) => items.iter().find(|v| !ok(v.as_text())),
                _ => Some(value).filter(|v| !ok(v.as_text())),
            };
            prepared.breaches.extend(bad.map(|v| match v.to_json() {
                Some(json) => Breach::NotAllowed { argument: name.clone(), value: json.to_string() },
                None => Breach::UnknownValue { argument: name.clone() },
            }));
        }
    }
    prepared.resource = match &action.resource {
        Resource::Destination(id) | Resource::Dataset { name: id, .. } => Some(id.clone()),
        Resource::DestinationArgument(name) => given.get(name).and_then(Value::as_text).map(Name::from),
    };
    if let (Resource::Dataset { .. }, true) = (&action.resource, action.effect != crate::gate::Effect::Read) {
        let lineage = universe.select(|a| matches!(a, Atom::Dataset(_)));
        prepared.excess = prepared.joined.without(action.stored).without(lineage);
    }
}

/// A secret fills only what the contract says it fills, and nothing but its handle in the definition's text does.
///
/// So neither a definition can send a secret where it likes, nor can a reply or an input pass for a handle.
fn hold_handles(prepared: &mut Prepared, handles: &[Handle], action: &Action) {
    let secret_of = |argument: &Name| action.arguments.get(argument).and_then(|a| a.secret.as_ref());
    for Handle { argument, secret, .. } in handles.iter().filter(|h| secret_of(&h.argument) != Some(&h.secret)) {
        let (argument, secret) = (argument.clone(), secret.clone());
        prepared.breaches.push(Breach::SecretNotGranted { argument, secret });
    }
    for (argument, secret) in action.arguments.iter().filter_map(|(name, a)| Some((name, a.secret.as_ref()?))) {
        let is_given = matches!(&prepared.arguments.data, Data::Object(given) if given.contains_key(argument));
        if is_given && !handles.iter().any(|handle| handle.argument == *argument) {
            let (argument, secret) = (argument.clone(), secret.clone());
            prepared.breaches.push(Breach::SecretFromData { argument, secret });
        }
    }
}

fn raise_role(prepared: &mut Prepared, role: Role, by: Label) {
    let slot = prepared.roles.entry(role).or_default();
    *slot = slot.join(by);
}

/// A call that nothing describes: every argument may decide anything.
fn unknown_roles(prepared: &mut Prepared) {
    let all = prepared.arguments.deep_label();
    for slot in prepared.roles.values_mut() {
        *slot = all;
    }
}

/// What came back from a call.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyValue {
    /// The reply of a run.
    Came {
        /// What came back.
        reply: serde_json::Value,
        /// What inspection found in it that its contract does not say.
        found: Vec<Found>,
    },
    /// The connector said no, or could not be reached, and the effect surely did not happen.
    Failed {
        /// Shown to handlers as `$error.detail`, and as `status`.
        detail: serde_json::Value,
    },
    /// Any reply and any failure: the verifier's.
    Predicted,
}

/// Goes on from a call.
#[must_use]
pub fn reply(
    program: &Program,
    catalogue: &Catalogue,
    universe: &Universe,
    state: &State,
    at: NodeId,
    prepared: &Prepared,
    came: &ReplyValue,
) -> Moves {
    let Some(NodeKind::Call { reply: place, next, .. }) = program.node(at).map(|n| &n.kind) else {
        return Moves::default();
    };
    let action = prepared.action.as_ref().and_then(|(c, a)| catalogue.action(c, a));
    let fault = action.map_or(Label::TOP, Action::fault_label);
    let told = prepared.joined.join(fault);
    let mut state = state.clone();
    state.decide(program, at, told);
    let fails = |detail: Value| raise_at(program, &state, at, FaultKind::Communication, detail, told);
    let success = |value: Value| {
        let learnt = if program.control.decides(at) { told } else { Label::BOTTOM };
        let mut state = state.clone();
        state.set(*place, value.raised(prepared.control).raised(learnt));
        Moves::to(*next, state)
    };
    let base = action.map_or(Label::TOP, |a| a.reply.keeps(universe, prepared.joined).join(a.source));
    let unknown = || Value::unknown(Label::TOP, Kinds::ALL);
    match came {
        ReplyValue::Came { reply, found } => success(action.map_or_else(
            || Value::from_json(reply, Label::TOP),
            |a| a.labels.labelled_with(reply, base, &catalogue.findings.raised(found)),
        )),
        ReplyValue::Failed { detail } => fails(Value::from_json(detail, told)),
        ReplyValue::Predicted => success(action.map_or_else(unknown, |a| a.labels.predicted(base)))
            .and(fails(Value::unknown(told, Kinds::ALL)))
            .and(crate::transfer::flow::timeouts(program, &state, at, told))
            .and(prepared.failing.clone()),
    }
}

#[cfg(test)]
mod tests;
