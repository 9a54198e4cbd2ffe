//! `Map` and `Parallel`: machines inside a machine.

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::program::PlaceId;

use super::lower::{Frame, Goto, Lowering};
use super::read::{State, StateKind};
use super::resource::target;
use super::scope::{Ground, Scope};
use crate::wiring::place_variable;

impl<'t> Lowering<'t> {
    pub(super) fn container(&mut self, state: &'t State<'t>, frame: &Frame, input: &Ground) {
        let step = self.wires.code.step;
        let scope = self.scope(state, frame, input.clone());
        let told = self.wires.code.place(format!("error in {}", state.name));
        let failed = self.wires.code.label();
        let result = self.wires.code.place(format!("result of {}", state.name));
        if state.kind == StateKind::Map {
            self.map(state, &scope, result, (told, failed));
        } else {
            self.parallel(state, frame, &scope, result, (told, failed));
        }
        // An error inside ends here too: it is caught, goes further out, or is tried again.
        self.wires.code.bind(failed);
        self.wires.code.step = step;
        self.errors(state, frame, input, told, None);
        let selected = self.selected(state, &scope, result);
        self.settle(state, frame, input, Some(selected));
        self.go_on(state, frame, step);
    }

    fn parallel(
        &mut self,
        state: &'t State<'t>,
        frame: &Frame,
        scope: &Scope,
        result: PlaceId,
        raised: (PlaceId, Goto),
    ) {
        let (span, step) = (state.span, self.wires.code.step);
        let given = self.wires.code.place(format!("given to {}", state.name));
        let arguments = state.get(if state.is_jsonata { "Arguments" } else { "Parameters" });
        let value = match arguments {
            Some(tree) => self.template(tree, scope),
            None => scope.input.all(span),
        };
        self.set(given, value);
        let mut outs = Vec::new();
        for branch in &state.inner {
            self.wires.code.step = step;
            // A branch runs also where one before it fails.
            let (done, fails) = (self.wires.code.label(), self.wires.code.label());
            let data = self.machine(branch, place_variable(given, span), frame.item, done, Some((raised.0, fails)));
            let next = self.wires.code.label();
            self.wires.code.bind(fails);
            self.wires.code.step = step;
            self.wires.fork(&[raised.1], next, span);
            self.wires.code.bind(done);
            let out = self.wires.code.place(format!("branch of {}", state.name));
            self.set(out, data.all(span));
            self.wires.code.bind(next);
            outs.push(place_variable(out, span));
        }
        let list = scope.list(outs, span);
        self.set(result, list);
    }

    fn map(&mut self, state: &'t State<'t>, scope: &Scope, result: PlaceId, raised: (PlaceId, Goto)) {
        let (span, step) = (state.span, self.wires.code.step);
        let items = self.items(state, scope);
        let item = self.wires.code.place(format!("item of {}", state.name));
        self.set(item, Expression::opaque(vec![items], span));
        let inside = Scope { item: Some(item), ..scope.clone() };
        let selector = state.get("ItemSelector").or_else(|| state.get("Parameters").filter(|_| !state.is_jsonata));
        let mut value = match selector {
            Some(tree) => self.template(tree, &inside),
            None => place_variable(item, span),
        };
        if let Some(batch) = state.get("ItemBatcher").and_then(|b| b.get("BatchInput")) {
            let batch = self.template(batch, scope);
            value = Expression::opaque(vec![value, batch], span);
        }
        let given = self.wires.code.place(format!("given to {}", state.name));
        self.set(given, value);
        let (head, after) = (self.wires.code.label(), self.wires.code.label());
        self.wires.code.bind(head);
        let bodies: Vec<_> = state.inner.iter().map(|_| self.wires.code.label()).collect();
        self.wires.fork(&bodies, after, span);
        for (machine, body) in state.inner.iter().zip(bodies) {
            self.wires.code.bind(body);
            let done = self.wires.code.label();
            let data = self.machine(machine, place_variable(given, span), Some(item), done, Some(raised));
            self.wires.code.bind(done);
            self.wires.code.step = step;
            let both = vec![place_variable(result, span), data.all(span)];
            self.set(result, Expression::opaque(both, span));
            self.wires.code.goto(head);
        }
        self.wires.code.bind(after);
        self.wires.code.step = step;
        self.writer(state, scope, result);
    }

    /// What a `Map` goes through: a list of the data, or what its reader fetches.
    fn items(&mut self, state: &'t State<'t>, scope: &Scope) -> Expression {
        let span = state.span;
        let listed = match (state.get("ItemsPath"), state.get("Items")) {
            (Some(path), _) if !state.is_jsonata => self.picked(path, scope),
            (_, Some(items)) if state.is_jsonata => self.template(items, scope),
            _ => scope.input.all(span),
        };
        let Some(reader) = state.get("ItemReader") else { return listed };
        let place = self.wires.code.place(format!("read by {}", state.name));
        self.part(state, reader, "reader", scope, Vec::new());
        let name = self.room_name(state);
        let origin = self.wires.origin(&name);
        self.wires.receive(&name, (sluice_core::label::Label::BOTTOM, origin), place, span);
        self.see(place, span);
        place_variable(place, span)
    }

    /// The results of a `Map` may be written into a bucket.
    fn writer(&mut self, state: &'t State<'t>, scope: &Scope, result: PlaceId) {
        if let Some(writer) = state.get("ResultWriter") {
            self.part(state, writer, "writer", scope, vec![place_variable(result, state.span)]);
        }
    }

    /// A call that a `Map` makes beside its machine.
    fn part(&mut self, state: &'t State<'t>, part: &'t Tree, what: &str, scope: &Scope, written: Vec<Expression>) {
        let arguments = part.get("Arguments").or_else(|| part.get("Parameters"));
        let called = target(part.get("Resource").and_then(Tree::as_text).map(AsRef::as_ref), arguments);
        let found = self.services.look_up(&called.service, &called.operation);
        let mut sent = if arguments.is_some() { self.sent(arguments, scope, &found, state) } else { Vec::new() };
        for value in written {
            sent.push(crate::wiring::Sent {
                name: "results".into(),
                usage: sluice_core::catalogue::Usage::Payload,
                value,
            });
        }
        let name = format!("{} ({what})", self.room_name(state)).into();
        self.call(&name, &found, sent, state);
    }
}
