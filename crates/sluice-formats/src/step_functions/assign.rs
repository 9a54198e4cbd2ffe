//! What a state leaves behind: `ResultPath` and `OutputPath`, or `Output`; and `Assign`.

use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::program::PlaceId;

use super::lower::{Frame, Lowering};
use super::path;
use super::read::{State, entries};
use super::scope::{Data, Ground, Scope};
use crate::wiring::place_variable;

impl Lowering<'_> {
    /// The data of a machine becomes another value.
    pub(super) fn replace(&mut self, data: &Data, value: Expression) {
        let span = value.span;
        if data.fields.is_empty() {
            self.set(data.whole, value);
            return;
        }
        // Each name reads the new value, none what another has become.
        let fresh = self.wires.code.place("new data");
        self.set(fresh, value);
        for (name, place) in &data.fields {
            self.set(*place, Expression::member(place_variable(fresh, span), name));
        }
        self.set(data.whole, place_variable(fresh, span));
    }

    /// After a state that makes a result.
    pub(super) fn settle(&mut self, state: &State<'_>, frame: &Frame, input: &Ground, result: Option<PlaceId>) {
        let mut scope = self.scope(state, frame, input.clone());
        scope.result = result;
        self.leave(state, state.tree, frame, &scope, result);
    }

    /// After a state that passes its input on.
    pub(super) fn settle_input(&mut self, state: &State<'_>, frame: &Frame, input: &Ground) {
        self.settle(state, frame, input, None);
    }

    /// By a rule of a `Choice`, or a catcher, that is given what is known of an error.
    pub(super) fn settle_by(
        &mut self,
        state: &State<'_>,
        rule: &Tree,
        frame: &Frame,
        input: &Ground,
        error: Option<PlaceId>,
    ) {
        let mut scope = self.scope(state, frame, input.clone());
        scope.error = error;
        self.leave(state, rule, frame, &scope, error);
    }

    fn leave(&mut self, state: &State<'_>, rule: &Tree, frame: &Frame, scope: &Scope, made: Option<PlaceId>) {
        if state.is_jsonata {
            self.leave_with_output(state, rule, frame, scope, made);
        } else {
            self.leave_by_paths(state, rule, frame, scope, made);
        }
    }

    fn leave_with_output(
        &mut self,
        state: &State<'_>,
        rule: &Tree,
        frame: &Frame,
        scope: &Scope,
        made: Option<PlaceId>,
    ) {
        let span = state.span;
        // A rule of a `Choice` has its own `Output`, or that of its state.
        let output = rule.get("Output").or_else(|| state.get("Output").filter(|_| scope.error.is_none()));
        let value = match (output, made) {
            (Some(output), _) => self.template(output, scope),
            (None, Some(place)) => place_variable(place, span),
            (None, None) => scope.input.all(span),
        };
        // `Output` and `Assign` see the same: what was there before either.
        let out = self.wires.code.place(format!("output of {}", state.name));
        self.set(out, value);
        self.assign_variables(rule, scope);
        self.replace(&frame.data, place_variable(out, span));
    }

    fn leave_by_paths(&mut self, state: &State<'_>, rule: &Tree, frame: &Frame, scope: &Scope, made: Option<PlaceId>) {
        let span = state.span;
        let mut seen = scope.clone();
        if let Some(place) = made {
            seen.input = Ground::Place(place);
        }
        self.assign_variables(rule, &seen);
        match made {
            Some(place) => self.put(rule.get("ResultPath"), frame, place_variable(place, span)),
            None => {
                if let Ground::Place(_) = scope.input {
                    self.replace(&frame.data, scope.input.all(span));
                }
            }
        }
        let catches = scope.error.is_some();
        if let Some(path) = state.get("OutputPath").filter(|_| !catches) {
            let data = Scope { input: Ground::Data(frame.data.clone()), ..scope.clone() };
            let picked = self.picked(path, &data);
            self.replace(&frame.data, picked);
        }
    }

    /// `ResultPath`: the result in place of the data, beside it, or nowhere.
    fn put(&mut self, path: Option<&Tree>, frame: &Frame, result: Expression) {
        let Some(path) = path else { return self.replace(&frame.data, result) };
        let Some(text) = path.as_text() else { return };
        let names = path::reference(text);
        let place = names.as_ref().and_then(|n| n.first()).and_then(|n| frame.data.fields.get(n.as_str()).copied());
        match (names.as_deref(), place) {
            (Some([]), _) => self.replace(&frame.data, result),
            (Some([_, rest @ ..]), Some(place)) => {
                let span = result.span;
                let value = inserted(place_variable(place, span), rest, result);
                self.set(place, value);
            }
            // Somewhere in the data: any part of it may be the result now.
            _ => {
                let both = Expression::opaque(vec![frame.data.all(path.span), result], path.span);
                self.note(true);
                self.replace(&frame.data, both);
            }
        }
    }

    fn assign_variables(&mut self, rule: &Tree, scope: &Scope) {
        let Some(assign) = rule.get("Assign") else { return };
        let made = self.wires.code.place("assigned");
        let value = self.template(assign, scope);
        self.set(made, value);
        for entry in entries(Some(assign)) {
            let name: Arc<str> = entry.key.strip_suffix(".$").unwrap_or(&entry.key).into();
            if let Some(place) = scope.variables.get(&name) {
                self.set(*place, Expression::member(place_variable(made, assign.span), &name));
            }
        }
    }

    /// The value of a template; what is opaque in it is counted.
    pub(super) fn template(&mut self, tree: &Tree, scope: &Scope) -> Expression {
        let opaque = scope.leaves(tree).iter().filter(|leaf| scope.leaf(leaf).is_opaque).count();
        self.opaque += opaque;
        scope.template(tree)
    }
}

/// `base` with a value at some names below it.
fn inserted(base: Expression, names: &[String], value: Expression) -> Expression {
    let Some((first, rest)) = names.split_first() else { return value };
    let span = value.span;
    let below = inserted(Expression::member(base.clone(), first), rest, value);
    base.merged(Expression::object(vec![(first.as_str().into(), below)], span))
}
