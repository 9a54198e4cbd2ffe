//! From triggers and actions to the one program.
//!
//! Each action has a place for its outputs and one for their body. Actions run in an order that `runAfter` allows; where
//! any of them may also run after a failure, each may be left out. Actions that nothing orders run at the same time: where
//! one of them sets a variable, the block is run again and again, so that each order is covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::label::Name;
use sluice_core::program::assemble::{Ends, Label as Goto};
use sluice_core::program::{Document, NodeKind, PlaceId, Step, StepId};
use sluice_core::text::Span;

use super::blocks::order;
use super::connector::{Called, called};
use super::expression::{self, Reading, Sight, is_expression};
use super::read::{Action, Workflow, entries, key, list};
use crate::catalogues::{by_own_entry, by_own_words};
use crate::import::{Format, Import, Observed};
use crate::links::LinkKind;
use crate::services::{Found, Services};
use crate::wiring::{Wiring, place_variable};

/// Most actions whose outputs `result('…')` is kept apart from everything.
const RESULTS_MAX: usize = 64;

/// What is known of an action beside the file.
pub(super) struct Room {
    pub(super) step: StepId,
    /// Unique in the file.
    pub(super) name: Name,
    pub(super) out: PlaceId,
    pub(super) body: PlaceId,
    /// The item of a loop, what an agent says.
    pub(super) own: PlaceId,
    pub(super) called: Called,
    pub(super) found: Found,
    /// The actions inside.
    pub(super) inner: Vec<usize>,
}

pub(super) struct Lowering<'t> {
    pub(super) workflow: &'t Workflow<'t>,
    services: &'t Services,
    pub(super) wires: Wiring,
    /// By index.
    pub(super) rooms: Vec<Room>,
    /// Actions by what expressions call them.
    pub(super) by_key: BTreeMap<String, usize>,
    pub(super) variables: BTreeMap<String, PlaceId>,
    /// Variables that some action writes again: another one that runs at the same time may do so at any moment.
    pub(super) rewritten: BTreeSet<PlaceId>,
    pub(super) trigger: (PlaceId, PlaceId),
    /// Where the run ends.
    exit: Goto,
    /// Whether nothing else runs beside what is written.
    pub(super) is_alone: bool,
    /// Loops and agents around the action that is written, outermost first.
    pub(super) items: Vec<PlaceId>,
    pub(super) words: Vec<PlaceId>,
    /// Anything made from all that came back so far: what an expression that is not understood is made from.
    pub(super) seen: PlaceId,
    pub(super) opaque: usize,
}

/// Lowers a workflow.
pub(super) fn lower<'t>(workflow: &'t Workflow<'t>, services: &'t Services) -> Import {
    let (mut lowering, ends) = prepared(workflow, services);
    lowering.set_apart(&workflow.block, &BTreeSet::new());
    lowering.write(&ends)
}

/// What is known of each action before anything is written.
pub(super) fn prepared<'t>(workflow: &'t Workflow<'t>, services: &'t Services) -> (Lowering<'t>, Ends) {
    let mut wires = Wiring::new(Format::LogicApps);
    let trigger = (wires.code.place("trigger"), wires.code.place("trigger's body"));
    let seen = wires.code.place("all that came back");
    let ends = wires.ends();
    let mut lowering = Lowering {
        workflow,
        services,
        wires,
        rooms: Vec::new(),
        by_key: BTreeMap::new(),
        variables: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        trigger,
        exit: ends.exit,
        is_alone: true,
        items: Vec::new(),
        words: Vec::new(),
        seen,
        opaque: 0,
    };
    let mut names = BTreeSet::new();
    let mut rooms = BTreeMap::new();
    for action in workflow.triggers.iter().chain(&workflow.block) {
        lowering.furnish(action, &mut names, &mut rooms);
    }
    lowering.rooms = rooms.into_values().collect();
    let triggers = workflow.triggers.iter().filter_map(|t| Some((lowering.room(t)?.step, LinkKind::Next))).collect();
    lowering.link(&workflow.block, triggers);
    lowering.describe();
    if services.has_own_words() {
        lowering.wires.assumed.insert(by_own_words(Format::LogicApps));
    }
    (lowering, ends)
}

impl<'t> Lowering<'t> {
    /// Steps and places, in the order of the file.
    fn furnish(&mut self, action: &Action<'_>, names: &mut BTreeSet<Name>, rooms: &mut BTreeMap<usize, Room>) {
        let mut name = action.name.clone();
        if !names.insert(name.clone()) {
            name = format!("{name} #{}", action.index).into();
            names.insert(name.clone());
        }
        let called = called(action, self.workflow, self.services);
        let found = self.services.look_up(&called.service, &called.operation);
        if let Some(entry) = self.services.own_entry(&called.service) {
            self.wires.assumed.insert(by_own_entry(entry));
        }
        let kind = if action.is_trigger { "trigger" } else { "action" };
        let step = Step { name: name.clone(), path: name.clone(), kind, span: action.span, purpose: None };
        let step = self.wires.code.step(step);
        let out = self.wires.code.place(format!("outputs of {name}"));
        let body = self.wires.code.place(format!("body of {name}"));
        let own = self.wires.code.place(format!("item of {name}"));
        if !action.is_trigger {
            self.by_key.entry(key(&action.name)).or_insert(action.index);
        }
        self.declare(action);
        let mut inner = Vec::new();
        for child in action.blocks.iter().flatten() {
            inner.push(child.index);
            self.furnish(child, names, rooms);
            inner.extend(rooms.get(&child.index).map(|r| r.inner.clone()).unwrap_or_default());
        }
        rooms.insert(action.index, Room { step, name, out, body, own, called, found, inner });
    }

    fn declare(&mut self, action: &Action<'_>) {
        let listed = action.inputs().and_then(|i| i.get("variables"));
        let names =
            list(listed).iter().filter_map(|v| v.get("name")).chain(action.inputs().and_then(|i| i.get("name")));
        if !action.kind.ends_with("variable") {
            return;
        }
        for name in names.filter_map(Tree::as_text) {
            let key = name.trim().to_lowercase();
            let wires = &mut self.wires;
            let new = || wires.code.place(format!("variable {name}"));
            let place = *self.variables.entry(key).or_insert_with(new);
            if action.kind != "initializevariable" {
                self.rewritten.insert(place);
            }
        }
    }

    /// What runs after what: the block comes after `before`. Gives the steps that it ends with.
    fn link(&mut self, block: &[Action<'_>], before: Vec<(StepId, LinkKind)>) -> Vec<StepId> {
        let mut ends: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
        for action in order(block) {
            let Some(step) = self.room(action).map(|room| room.step) else { continue };
            let after = action.after.iter().filter_map(|(name, success)| Some((ends.get(&**name)?, *success)));
            let kind = |success| if success { LinkKind::Next } else { LinkKind::OnError };
            let mut from: Vec<(StepId, LinkKind)> =
                after.flat_map(|(ends, success)| ends.iter().map(move |end| (*end, kind(success)))).collect();
            if from.is_empty() {
                from.clone_from(&before);
            }
            from.into_iter().for_each(|(from, kind)| self.wires.link(from, step, kind));
            // An `If` without an `else`, and a loop over nothing, are passed.
            let always = action.kind == "scope" || action.blocks.len() > 1;
            let mut last = if always && action.blocks.iter().any(|b| !b.is_empty()) { Vec::new() } else { vec![step] };
            for inner in &action.blocks {
                last.extend(self.link(inner, vec![(step, LinkKind::Next)]));
            }
            ends.insert(&action.name, last);
        }
        let awaited: BTreeSet<&str> = block.iter().flat_map(|a| a.after.iter().map(|(name, _)| &**name)).collect();
        let open = ends.into_iter().filter(|(name, _)| !awaited.contains(name));
        open.flat_map(|(_, ends)| ends).collect()
    }

    pub(super) fn room(&self, action: &Action<'_>) -> Option<&Room> {
        self.rooms.get(action.index)
    }

    fn write(mut self, ends: &Ends) -> Import {
        let workflow = self.workflow;
        let span = workflow.definition.span;
        let begin = self.wires.code.label();
        self.wires.code.bind(ends.entry);
        let starts: Vec<Goto> = workflow.triggers.iter().map(|_| self.wires.code.label()).collect();
        self.wires.fork(&starts, begin, span);
        for (trigger, start) in workflow.triggers.iter().zip(starts) {
            self.wires.code.bind(start);
            self.trigger(trigger);
            self.wires.code.goto(begin);
        }
        self.wires.code.bind(begin);
        self.block(&workflow.block, false);
        self.wires.code.goto(ends.exit);
        self.wires.code.bind(ends.exit);
        self.wires.code.emit(NodeKind::Exit, span);
        self.wires.opaque = self.opaque;
        if self.opaque > 0 {
            let said = format!("{} expressions: they count as anything made from what they name", self.opaque);
            self.wires.assumed.insert(said);
        }
        if workflow.further > 0 {
            let said = format!("{} further workflows of the template: only the first is read", workflow.further);
            self.wires.assumed.insert(said);
        }
        let document = Document { name: String::new(), span, ..Document::default() };
        self.wires.finish(document, ends)
    }

    pub(super) fn action(&mut self, action: &'t Action<'t>, skips: bool) {
        match action.kind.as_str() {
            "compose" => self.compose(action),
            "initializevariable" => {
                for variable in list(action.inputs().and_then(|i| i.get("variables"))) {
                    self.set_variable(variable, false);
                }
            }
            "setvariable" => self.set_variable_of(action, false),
            "appendtostringvariable" | "appendtoarrayvariable" | "incrementvariable" | "decrementvariable" => {
                self.set_variable_of(action, true);
            }
            "select" => self.select(action),
            "foreach" => self.repeat(action, action.get("foreach"), skips),
            "until" => self.repeat(action, None, skips),
            "if" | "switch" => self.branches(action, skips),
            "scope" => action.blocks.iter().for_each(|block| self.block(block, skips)),
            "agent" => self.agent(action, skips),
            "javascriptcode" | "csharpscriptcode" | "powershellcode" => self.code(action),
            "wait" => {}
            // What runs beside it may be done already, or be cancelled: so it goes on as if this ended nothing.
            "terminate" if self.is_alone => self.wires.code.goto(self.exit),
            "terminate" => {}
            _ if self.room(action).is_some_and(|r| r.found.kind == crate::import::Kind::Flow) => self.reshape(action),
            _ => self.effect(action),
        }
    }

    fn set_variable_of(&mut self, action: &Action<'_>, keeps: bool) {
        if let Some(inputs) = action.inputs() {
            self.set_variable(inputs, keeps);
        }
    }

    /// `{name, value}`; `keeps`: what was in it stays.
    fn set_variable(&mut self, tree: &Tree, keeps: bool) {
        let name = tree.get("name").and_then(Tree::as_text).map(|n| n.trim().to_lowercase());
        let Some(place) = name.and_then(|n| self.variables.get(&n).copied()) else { return };
        let span = tree.span;
        let value = match tree.get("value") {
            Some(value) => self.template(value, Reading::Whole),
            None => Expression::literal(&serde_json::Value::Null, span),
        };
        let value = if keeps { Expression::opaque(vec![place_variable(place, span), value], span) } else { value };
        self.set(place, value);
    }

    /// `place := expression`. What is read exactly is copied so.
    pub(super) fn set(&mut self, place: PlaceId, expression: Expression) {
        let nowhere = self.wires.nowhere;
        if !self.rewritten.contains(&place) {
            self.wires.copies();
        }
        self.wires.assign(place, expression, nowhere);
    }

    /// The value of a text.
    pub(super) fn read(&mut self, text: &str, reading: Reading, span: Span) -> Expression {
        let mut view = View { lowering: self, missing: Vec::new() };
        let read = expression::read(text, &mut view, reading, span);
        let missing = view.missing;
        let step = self.wires.code.step;
        if reading == Reading::Whole {
            self.opaque += usize::from(read.is_opaque);
            for name in missing {
                self.wires.observe(step, Observed::DanglingReference { name }, None, span);
            }
        }
        read.expression
    }

    /// What a text of a condition is. It is read for its own sake: nothing is told of it.
    pub(super) fn peek(&self, text: &str, span: Span) -> Expression {
        let mut view = View { lowering: self, missing: Vec::new() };
        expression::read(text, &mut view, Reading::Whole, span).expression
    }

    /// The value of a template.
    pub(super) fn template(&mut self, tree: &Tree, reading: Reading) -> Expression {
        match &tree.value {
            // Which field a computed name is nobody knows.
            Data::Map(fields) if fields.iter().any(|e| is_expression(&e.key)) => {
                let names = fields.iter().filter(|e| is_expression(&e.key)).map(|e| (e.key.clone(), e.key_span));
                let names: Vec<_> = names.map(|(name, span)| self.read(&name, reading, span)).collect();
                let values = fields.iter().map(|e| self.template(&e.value, reading)).collect::<Vec<_>>();
                Expression::opaque(names.into_iter().chain(values).collect(), tree.span)
            }
            Data::Map(fields) if !fields.is_empty() => {
                let fields: Vec<(Arc<str>, Expression)> =
                    fields.iter().map(|e| (e.key.clone(), self.template(&e.value, reading))).collect();
                Expression::object(fields, tree.span)
            }
            Data::List(items) if !items.is_empty() => {
                let items = items.iter().map(|item| self.template(item, reading)).collect();
                Expression::array(items, tree.span)
            }
            // Alone it shrugs; inside an object it would tell of itself in every field.
            Data::Text(text) => self.read(text, reading, tree.span).lenient(),
            _ => Expression::literal(&tree.to_json(), tree.span),
        }
    }
}

/// What the expressions of an action see.
struct View<'l, 't> {
    lowering: &'l Lowering<'t>,
    missing: Vec<String>,
}

impl View<'_, '_> {
    fn room(&mut self, name: &str) -> Option<&Room> {
        let found = self.lowering.by_key.get(&key(name)).and_then(|i| self.lowering.rooms.get(*i));
        if found.is_none() {
            self.missing.push(name.to_owned());
        }
        found
    }

    fn named(&mut self, name: Option<&str>, place: fn(&Room) -> PlaceId, span: Span) -> Option<Expression> {
        let place = self.room(name?).map(place);
        Some(place.map_or_else(|| Expression::opaque(Vec::new(), span), |p| place_variable(p, span)))
    }
}

impl Sight for View<'_, '_> {
    fn root(&mut self, function: &str, name: Option<&str>, span: Span) -> Option<Expression> {
        let (outputs, body) = self.lowering.trigger;
        let object = |out| Expression::object(vec![("outputs".into(), place_variable(out, span))], span);
        match function {
            "triggerbody" => Some(place_variable(body, span)),
            "triggeroutputs" => Some(place_variable(outputs, span)),
            "trigger" => Some(object(outputs)),
            "triggerformdatavalue" | "triggerformdatamultivalues" | "triggermultipartbody" => {
                Some(Expression::opaque(vec![place_variable(body, span)], span))
            }
            "body" | "actionbody" => self.named(name, |room| room.body, span),
            "formdatavalue" | "formdatamultivalues" | "multipartbody" => self.named(name, |room| room.body, span),
            "outputs" | "actionoutputs" => self.named(name, |room| room.out, span),
            "actions" => {
                let out = self.room(name?).map(|room| room.out);
                Some(out.map_or_else(|| Expression::opaque(Vec::new(), span), object))
            }
            "result" => {
                let inner = self.room(name?).map(|room| room.inner.clone()).unwrap_or_default();
                if inner.len() > RESULTS_MAX {
                    return Some(self.everything(span));
                }
                let outs = inner.into_iter().filter_map(|i| self.lowering.rooms.get(i)).map(|room| room.out);
                Some(Expression::opaque(outs.map(|p| place_variable(p, span)).collect(), span))
            }
            "items" => self.named(name, |room| room.own, span),
            "item" => {
                let item = self.lowering.items.last().map(|p| place_variable(*p, span));
                Some(item.unwrap_or_else(|| self.everything(span)))
            }
            "variables" => {
                let place = self.lowering.variables.get(&name?.trim().to_lowercase());
                Some(place.map_or_else(|| Expression::opaque(Vec::new(), span), |p| place_variable(*p, span)))
            }
            "parameters" => Some(self.parameter(name?, span)),
            "agentparameters" => {
                let words = self.lowering.words.last().map(|p| place_variable(*p, span));
                Some(words.unwrap_or_else(|| Expression::opaque(Vec::new(), span)))
            }
            _ => Some(self.everything(span)),
        }
    }

    fn everything(&mut self, span: Span) -> Expression {
        Expression::opaque(vec![place_variable(self.lowering.seen, span)], span)
    }
}

impl View<'_, '_> {
    /// A parameter is given at deployment; its default is a constant.
    fn parameter(&self, name: &str, span: Span) -> Expression {
        let declared = entries(self.lowering.workflow.definition.get("parameters"));
        let found = declared.iter().find(|e| e.key.eq_ignore_ascii_case(name));
        match found.and_then(|e| e.value.get("defaultValue")).filter(|v| v.as_text().is_some()) {
            Some(default) => Expression::literal(&default.to_json(), span),
            None => Expression::opaque(Vec::new(), span),
        }
    }
}
