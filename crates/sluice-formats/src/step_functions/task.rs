//! Calls: what a task sends, what comes back, and where it goes when it fails.

use sluice_core::catalogue::Usage;
use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::label::{Label, Name};
use sluice_core::program::PlaceId;
use sluice_core::program::assemble::Label as Goto;
use sluice_core::text::Span;

use super::link::Waits;
use super::lower::{Frame, Lowering};
use super::read::State;
use super::scope::{Ground, Scope};
use crate::services::Found;
use crate::wiring::{Does, Sent, place_variable};

impl<'t> Lowering<'t> {
    pub(super) fn task(&mut self, state: &'t State<'t>, frame: &Frame, input: &Ground, found: &Found) {
        let span = state.span;
        let step = self.wires.code.step;
        let scope = self.scope(state, frame, input.clone());
        let again = self.wires.code.label();
        self.wires.code.bind(again);
        let mut sent =
            self.sent(state.get(if state.is_jsonata { "Arguments" } else { "Parameters" }), &scope, found, state);
        self.roles(state, &scope, &mut sent);
        let values: Vec<Expression> = sent.iter().map(|s| s.value.clone()).collect();
        let name = self.room_name(state);
        let result = self.wires.code.place(format!("result of {}", state.name));
        self.call(&name, found, sent, state);
        self.receive(&name, state, result);
        let mut told = result;
        if let Some(started) = self.rooms.get(state.index).and_then(|room| room.starts) {
            told = self.start(state, &scope, started, result);
        } else if found.reply.made_from_sent {
            let mut parts = vec![place_variable(result, span)];
            parts.extend(values);
            self.set(result, Expression::opaque(parts, span));
        }
        let tries = (!state.list("Retry").is_empty()).then_some(again);
        self.errors(state, frame, input, told, tries);
        let selected = self.selected(state, &scope, result);
        self.settle(state, frame, input, Some(selected));
        self.go_on(state, frame, step);
    }

    /// Starts the machine of another file. Whoever waits for it gets its output; given back is what an error tells.
    fn start(&mut self, state: &State<'_>, scope: &Scope, started: (usize, Waits), result: PlaceId) -> PlaceId {
        let (file, waits) = started;
        let (span, step) = (state.span, self.wires.code.step);
        let arguments = state.get(if state.is_jsonata { "Arguments" } else { "Parameters" });
        let find = |key: &str| arguments.and_then(|tree| tree.get(key));
        let given = match (find("Input"), find("Input.$").and_then(|tree| Some((tree.as_text()?, tree.span)))) {
            (Some(input), _) => self.template(input, scope),
            (None, Some((path, span))) => scope.read(path, span).expression,
            (None, None) => Expression::literal(&serde_json::Value::Object(serde_json::Map::new()), span),
        };
        let next = self.wires.code.label();
        let Some(routine) = self.routines.get_mut(file) else { return result };
        let (place, entry, out, told) = (routine.given, routine.entry, routine.out, routine.told);
        if waits != Waits::Not {
            routine.returns.push(next);
        }
        self.set(place, given);
        // Of a circle of machines that wait for each other, too, what follows is looked at.
        self.wires.fork(&[entry], next, span);
        self.wires.code.bind(next);
        self.wires.code.step = step;
        if waits == Waits::Not {
            return result;
        }
        let error = self.wires.code.place(format!("error of the one that {} starts", state.name));
        let known = vec![place_variable(result, span), place_variable(told, span)];
        self.set(error, Expression::opaque(known, span));
        let came = self.ended(result, (place, out), waits, span);
        self.set(result, came);
        error
    }

    /// What is said of an execution that has ended.
    fn ended(&self, came: PlaceId, (given, out): (PlaceId, PlaceId), waits: Waits, span: Span) -> Expression {
        const WORDS: [&str; 6] = ["ExecutionArn", "Name", "StartDate", "StopDate", "StateMachineArn", "Status"];
        let words = WORDS.map(|name| (name.into(), Expression::opaque(vec![place_variable(came, span)], span)));
        let [input, output] = [given, out].map(|place| match waits {
            Waits::ForValue => place_variable(place, span),
            _ => Expression::opaque(vec![place_variable(place, span)], span),
        });
        let fields = words.into_iter().chain([("Input".into(), input), ("Output".into(), output)]);
        Expression::object(fields.collect(), span)
    }

    /// `Credentials`: the role that the call is made with.
    fn roles(&mut self, state: &State<'_>, scope: &Scope, sent: &mut Vec<Sent>) {
        let Some(credentials) = state.get("Credentials") else { return };
        for leaf in scope.leaves(credentials) {
            let read = scope.leaf(&leaf);
            self.note(read.is_opaque);
            let name = format!("Credentials.{}", leaf.path).into();
            sent.push(Sent { name, usage: Usage::Resource, value: read.expression });
        }
    }

    /// `ResultSelector` of what came back.
    pub(super) fn selected(&mut self, state: &State<'_>, scope: &Scope, result: PlaceId) -> PlaceId {
        let Some(selector) = state.get("ResultSelector").filter(|_| !state.is_jsonata) else { return result };
        let made = Scope { input: Ground::Place(result), ..scope.clone() };
        let value = self.template(selector, &made);
        let place = self.wires.code.place(format!("selected of {}", state.name));
        self.set(place, value);
        place
    }

    /// Everything that a call sends, by parameter.
    pub(super) fn sent(
        &mut self,
        parameters: Option<&Tree>,
        scope: &Scope,
        found: &Found,
        state: &State<'_>,
    ) -> Vec<Sent> {
        let span = state.span;
        let mut sent = Vec::new();
        match parameters {
            Some(tree) => {
                for leaf in scope.leaves(tree) {
                    let read = scope.leaf(&leaf);
                    self.note(read.is_opaque);
                    let name = if leaf.path.is_empty() { "Arguments".to_owned() } else { leaf.path };
                    if let Some(usage) = found.usage(&name) {
                        sent.push(Sent { name: name.into(), usage, value: read.expression });
                    }
                }
            }
            None => {
                let usage = found.usage("input").unwrap_or(Usage::Payload);
                sent.push(Sent { name: "input".into(), usage, value: scope.input.all(span) });
            }
        }
        if found.is_powerful() {
            let event = [scope.execution, self.execution].map(|place| place_variable(place, span));
            let event = Expression::opaque(event.into(), span);
            sent.push(Sent { name: "trigger".into(), usage: Usage::Trigger, value: event });
        }
        sent
    }

    pub(super) fn call(&mut self, name: &Name, found: &Found, sent: Vec<Sent>, state: &State<'_>) {
        let does = Does { effect: found.effect, privileged: found.privileged || found.effect.is_privileged() };
        let nowhere = self.wires.nowhere;
        self.wires.call(name, does, sent, nowhere, state.span);
    }

    /// What comes back to a state: the service's own word, or that of whoever the facts name.
    fn receive(&mut self, name: &Name, state: &State<'_>, result: PlaceId) {
        let step = self.wires.code.step;
        let (has_source, classes) =
            self.wires.steps.get(&step).map(|f| (f.source.is_some(), f.categories.clone())).unwrap_or_default();
        let categories = self.wires.categories(name, &classes);
        let origin = if has_source { self.wires.origin(name) } else { Label::BOTTOM };
        self.wires.receive(name, (categories, origin), result, state.span);
        self.see(result, state.span);
    }

    /// After a call: it may have failed. `told` is what an error can tell: the service's own words.
    pub(super) fn errors(
        &mut self,
        state: &'t State<'t>,
        frame: &Frame,
        input: &Ground,
        told: PlaceId,
        again: Option<Goto>,
    ) {
        let (span, step) = (state.span, self.wires.code.step);
        let catchers = state.list("Catch");
        let ok = self.wires.code.label();
        let caught: Vec<Goto> = catchers.iter().map(|_| self.wires.code.label()).collect();
        let uncaught = frame.raised.map(|_| self.wires.code.label());
        let ways: Vec<Goto> = again.into_iter().chain(caught.iter().copied()).chain(uncaught).collect();
        self.wires.fork(&ways, ok, span);
        for (catcher, label) in catchers.iter().zip(caught) {
            self.wires.code.bind(label);
            let error = self.wires.code.place(format!("error of {}", state.name));
            self.set(error, Expression::opaque(vec![place_variable(told, span)], span));
            self.settle_by(state, catcher, frame, input, Some(error));
            match catcher.get("Next") {
                Some(next) => self.go_to(frame, next, step),
                None => self.wires.code.goto(frame.done),
            }
        }
        if let Some(label) = uncaught {
            self.wires.code.bind(label);
            self.raise(frame, Expression::opaque(vec![place_variable(told, span)], span));
        }
        self.wires.code.bind(ok);
    }

    pub(super) fn room_name(&self, state: &State<'_>) -> Name {
        self.rooms.get(state.index).map_or_else(|| state.name.clone(), |room| room.name.clone())
    }
}
