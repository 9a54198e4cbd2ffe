//! A plan that is written as a definition of the workflow language: which calls it can make, and how often at most.
//!
//! It is lowered as any definition is. What is constant in a call's arguments is fixed, what an expression finds out is a
//! hole. Conditions and order take nothing from a plan, for it says what may be called and not when; but what would make
//! a call more often than anybody can say beforehand is refused, and so is what an agent cannot do.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sluice_core::catalogue::Catalogue;
use sluice_core::control::{caught_by, normal_successors};
use sluice_core::document::{self, Data, Node as Tree};
use sluice_core::dsl;
use sluice_core::expression::{Environment, evaluate};
use sluice_core::label::{Label, Name};
use sluice_core::program::{CallTarget, Node, NodeId, NodeKind, PlaceId, Program, Step, Use};
use sluice_core::text::{Span, Text};
use sluice_core::value::{self, Kinds, Value};

use super::{CALLS_MAX, PlanError, Planned, TIMES_MAX, Tools, Where, slots};

/// Under this key of a `for` task's metadata stands how often it goes round at most.
const TIMES: &str = "times";
/// Under this one of a call's stands what bounds the holes among its arguments.
const HOLES: &str = "holes";

/// What a document plans, in the order of its text.
pub(super) fn planned(written: &str, catalogue: &Catalogue, tools: &Tools<'_>) -> Result<Vec<Planned>, PlanError> {
    let text = Text::new("plan", written);
    let lowered = dsl::lower(&text);
    let Some(program) = lowered.program else {
        let first = lowered.diagnostics.first();
        return Err(
            first.map_or_else(|| bad(None, "it is no workflow"), |problem| bad(Some(problem.span), &problem.message))
        );
    };
    let tree = document::read(&text).map_err(|_| bad(None, "it is no workflow"))?;
    let document = Document { program: &program, tree: &tree, catalogue, tools };
    document.refuse_goto()?;
    let mut calls = Vec::new();
    for (id, node) in program.nodes() {
        if let (NodeKind::Call { target, arguments, handles, .. }, Some(step)) = (&node.kind, program.step_of(id)) {
            if let Some(handle) = handles.first() {
                return Err(bad(Some(handle.span), "an agent has no secrets: a connector's contract names its own"));
            }
            document.call(step, node, target, arguments, &mut calls)?;
        }
    }
    if calls.is_empty() {
        return Err(bad(None, "it calls nothing"));
    }
    Ok(calls)
}

struct Document<'d> {
    program: &'d Program,
    tree: &'d Tree,
    catalogue: &'d Catalogue,
    tools: &'d Tools<'d>,
}

/// What is known of places: the element and the index of each loop whose list is written out.
type Known = BTreeMap<PlaceId, Value>;

impl Document<'_> {
    fn call(
        &self,
        step: &Step,
        node: &Node,
        target: &CallTarget,
        arguments: &Use,
        calls: &mut Vec<Planned>,
    ) -> Result<(), PlanError> {
        let refuse = |why: &str| Err(bad(Some(node.span), why));
        let (tool, (connector, action)) = match target {
            CallTarget::Action { connector, action } => {
                (format!("{connector}.{action}"), (self.tools.of_connector)(connector, action))
            }
            CallTarget::Http => return refuse("an agent calls tools: `call: http` is none of them"),
            CallTarget::Builtin(builtin) => {
                return refuse(&format!("`{}` changes labels, which an agent's plan cannot", builtin.name()));
            }
        };
        let Some(known) = self.catalogue.action(&connector, &action) else {
            return refuse(&format!("there is no tool `{tool}`"));
        };
        let (rounds, times) = self.rounds(step)?;
        let bounds = self.metadata(step).and_then(|metadata| metadata.get(HOLES));
        for round in rounds {
            if calls.len() >= CALLS_MAX {
                return refuse(&format!("a plan has at most {CALLS_MAX} calls"));
            }
            let found = self.value(arguments, &round);
            let value::Data::Object(fields) = found.data else { return refuse("its arguments are no object") };
            let mut written = serde_json::Map::new();
            for (name, value) in fields.iter() {
                written.insert(
                    name.to_string(),
                    as_written(name, value, bounds).map_err(|why| bad(Some(node.span), &why))?,
                );
            }
            let at = calls.len() + 1;
            let arguments = slots(&written, at, &tool, known)?;
            calls.push(Planned { connector: connector.clone(), action: action.clone(), arguments, left: times });
        }
        Ok(())
    }

    /// How often a step comes about: once for each element of the lists around it that are written out, and each of those
    /// so often as other loops and repetitions allow.
    fn rounds(&self, step: &Step) -> Result<(Vec<Known>, u64), PlanError> {
        let (mut rounds, mut times) = (vec![Known::new()], 1_u64);
        for (id, node) in self.program.nodes() {
            let Some(outer) = self.program.step_of(id) else { continue };
            let is_inside = |part: &str| step.path.starts_with(&format!("{}/{part}/", outer.path));
            match &node.kind {
                NodeKind::Next { items, item, index, .. } if is_inside("do") => match self.elements(*items, outer)? {
                    Elements::Written(elements) => {
                        rounds = each(&rounds, &elements, *item, *index, node.span)?;
                    }
                    Elements::AtMost(count) => times = times.saturating_mul(count),
                },
                NodeKind::Retry { policy, .. } if is_inside("try") => {
                    times = times.saturating_mul(u64::from(policy.attempts_max).saturating_add(1));
                }
                _ => {}
            }
        }
        if times > TIMES_MAX {
            let why = format!("it could be called {times} times, and a plan allows {TIMES_MAX}");
            return Err(bad(Some(step.span), &why));
        }
        Ok((rounds, times))
    }

    /// What a loop goes through.
    fn elements(&self, items: PlaceId, step: &Step) -> Result<Elements, PlanError> {
        let list = self.program.nodes.iter().find_map(|node| match &node.kind {
            NodeKind::Assign { target, value, .. } if *target == items => Some(self.value(value, &Known::new())),
            _ => None,
        });
        if let Some(Value { data: value::Data::Array(elements), .. }) = &list {
            return Ok(if elements.iter().all(Value::is_concrete) {
                Elements::Written(elements.to_vec())
            } else {
                Elements::AtMost(u64::try_from(elements.len()).unwrap_or(u64::MAX))
            });
        }
        let times = self.metadata(step).and_then(|metadata| metadata.get(TIMES)).map(|node| &node.value);
        match times {
            Some(Data::Int(times)) if *times > 0 => Ok(Elements::AtMost(times.unsigned_abs())),
            Some(_) => Err(bad(Some(step.span), "`times` is a whole number from 1")),
            None => {
                let why = "nobody knows how often it goes round: write the list out, or how often at most, as \
                           `metadata: { times: N }` of the task";
                Err(bad(Some(step.span), why))
            }
        }
    }

    /// The value of an expression of which only what is written down is known.
    fn value(&self, what: &Use, known: &Known) -> Value {
        let anything = || Value::unknown(Label::BOTTOM, Kinds::ALL);
        let of = |place: &PlaceId| known.get(place).cloned().unwrap_or_else(anything);
        let variables = |name: &str| what.variables.get(name).map(of);
        let evaluated = evaluate(&what.expression, &Environment { input: &of(&what.input), variables: &variables });
        evaluated.value.unwrap_or_else(anything)
    }

    /// What the author says of a task beside what it does.
    fn metadata(&self, step: &Step) -> Option<&Tree> {
        step.path.split('/').try_fold(self.tree, child)?.get("metadata")
    }

    /// What leads back is a loop without a bound, unless it is one of a `for` or of repetitions.
    fn refuse_goto(&self) -> Result<(), PlanError> {
        let mut state = vec![Visit::New; self.program.nodes.len()];
        for (start, _) in self.program.nodes() {
            let mut path = vec![(start, self.onward(start), 0)];
            if !enter(&mut state, start) {
                continue;
            }
            while let Some((node, onward, at)) = path.last_mut() {
                let Some(next) = onward.get(*at).copied() else {
                    leave(&mut state, *node);
                    path.pop();
                    continue;
                };
                *at += 1;
                match state.get(next.0 as usize) {
                    Some(Visit::New) => {
                        enter(&mut state, next);
                        path.push((next, self.onward(next), 0));
                    }
                    Some(Visit::Open) => {
                        let span = self.program.step_of(*node).map(|step| step.span);
                        let why = "it leads back, and nobody knows how often: a plan has `for` for what happens again";
                        return Err(bad(span, why));
                    }
                    Some(Visit::Done) | None => {}
                }
            }
        }
        Ok(())
    }

    /// Where control goes from a node, without what goes round in a loop that is counted.
    fn onward(&self, id: NodeId) -> Vec<NodeId> {
        let Some(node) = self.program.node(id) else { return Vec::new() };
        let caught = caught_by(self.program, node);
        let handlers = caught.into_iter().filter_map(|handler| Some(self.program.handler(handler)?.entry));
        let is_onward = |next: &NodeId| match &node.kind {
            NodeKind::Retry { again, .. } => next != again,
            _ => !self.goes_round(id, *next),
        };
        normal_successors(&node.kind).into_iter().chain(handlers).filter(is_onward).collect()
    }

    /// Whether this is the way from the end of a loop's body to its head.
    fn goes_round(&self, from: NodeId, to: NodeId) -> bool {
        let is_head = self.program.node(to).is_some_and(|node| matches!(node.kind, NodeKind::Next { .. }));
        let (Some(inner), Some(outer)) = (self.program.step_of(from), self.program.step_of(to)) else { return false };
        is_head && (from == to || inner.path.starts_with(&format!("{}/do/", outer.path)))
    }
}

enum Elements {
    /// All of them are written out.
    Written(Vec<Value>),
    /// Only how many there can be is known.
    AtMost(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

/// Whether it was new.
fn enter(state: &mut [Visit], id: NodeId) -> bool {
    let Some(visit) = state.get_mut(id.0 as usize).filter(|visit| **visit == Visit::New) else { return false };
    *visit = Visit::Open;
    true
}

fn leave(state: &mut [Visit], id: NodeId) {
    if let Some(visit) = state.get_mut(id.0 as usize) {
        *visit = Visit::Done;
    }
}

/// Every round once for each element.
fn each(
    rounds: &[Known],
    elements: &[Value],
    item: PlaceId,
    index: PlaceId,
    span: Span,
) -> Result<Vec<Known>, PlanError> {
    if rounds.len().saturating_mul(elements.len()) > CALLS_MAX {
        return Err(bad(Some(span), &format!("a plan has at most {CALLS_MAX} calls")));
    }
    let mut all = Vec::new();
    for round in rounds {
        for (at, element) in (0_i64..).zip(elements) {
            let mut round = round.clone();
            round.insert(item, element.clone());
            round.insert(index, Value::int(Label::BOTTOM, at));
            all.push(round);
        }
    }
    Ok(all)
}

/// An argument as the short list writes it: a value, or a hole with what bounds it.
fn as_written(name: &Name, value: &Value, bounds: Option<&Tree>) -> Result<Json, String> {
    let bound = bounds.and_then(|bounds| bounds.get(name)).map(Tree::to_json);
    match (value.to_json(), bound) {
        // What looks like a hole and is written out is a value: only expressions leave anything open.
        (Some(value), None) if !super::has_hole(&value) => Ok(value),
        (Some(_), None) => Err(format!("`{name}` has a field `hole`: that is how a plan's short list writes holes")),
        (Some(_), Some(_)) => Err(format!("`{name}` is written out: `{HOLES}` bounds what an expression finds")),
        (None, bound) => {
            let mut hole = match bound {
                None => serde_json::Map::new(),
                Some(Json::Object(bound)) => bound,
                Some(_) => return Err(format!("`{HOLES}` says `min`, `max`, `items` or `one_of` of `{name}`")),
            };
            hole.insert("hole".to_owned(), Json::from("what the workflow finds out"));
            Ok(Json::Object(hole))
        }
    }
}

fn child<'t>(tree: &'t Tree, part: &str) -> Option<&'t Tree> {
    match &tree.value {
        Data::List(items) => items.get(part.parse::<usize>().ok()?),
        _ => tree.get(part),
    }
}

fn bad(span: Option<Span>, why: &str) -> PlanError {
    let why = match span {
        Some(span) => format!("line {}, column {}: {why}", span.line, span.column),
        None => why.to_owned(),
    };
    PlanError::Malformed { at: Where { call: 0, argument: None }, why: format!("the workflow: {why}") }
}
