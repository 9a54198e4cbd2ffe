//! `Choice`: its ways, in order, and what is surely true of the data on each.
//!
//! Read is what holds values back: equality to constants and comparisons of numbers. That something is there, that it is a
//! text, that it fits a pattern with `*` (any characters) or equals other data says nothing.

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;

use super::condition;
use super::lower::{Frame, Goto, Lowering};
use super::read::{State, entries, list};
use super::scope::{Ground, Scope};
use crate::guard::{self, Admits, InOrder};
use crate::wiring::{Part, part_of};

pub(super) type Condition = guard::Condition<Part>;

/// Keys of a rule that are no operator.
const BESIDE: [&str; 5] = ["Variable", "Next", "Comment", "Assign", "Output"];

impl<'t> Lowering<'t> {
    pub(super) fn choice(&mut self, state: &'t State<'t>, frame: &Frame, input: &Ground) {
        let (span, step) = (state.span, self.wires.code.step);
        let scope = self.scope(state, frame, input.clone());
        let rules: Vec<&Tree> = state.list("Choices").iter().filter(|rule| rule.get("Next").is_some()).collect();
        let labels: Vec<Goto> = rules.iter().map(|_| self.wires.code.label()).collect();
        let otherwise = self.wires.code.label();
        self.wires.fork(&labels, otherwise, span);
        let mut ways = InOrder::new();
        for (rule, label) in rules.into_iter().zip(labels) {
            self.wires.code.bind(label);
            self.wires.check(ways.next(&decides(rule, &scope)), rule.span);
            self.settle_by(state, rule, frame, input, None);
            if let Some(next) = rule.get("Next") {
                self.go_to(frame, next, step);
            }
        }
        self.wires.code.bind(otherwise);
        self.wires.check(ways.otherwise(), span);
        self.settle_input(state, frame, input);
        match state.get("Default") {
            Some(default) => self.go_to(frame, default, step),
            // Without a default the machine fails.
            None => self.raise(frame, Expression::opaque(Vec::new(), span)),
        }
    }
}

/// When a rule is taken.
fn decides(rule: &Tree, scope: &Scope) -> Condition {
    if scope.is_jsonata {
        let program = rule.get("Condition").and_then(|tree| Some((tree.as_text()?, tree.span)));
        return program.map_or(Condition::Unknown, |(text, span)| condition::read(text, scope, span));
    }
    let operators: Vec<_> = entries(Some(rule)).iter().filter(|e| !BESIDE.contains(&e.key.as_ref())).collect();
    let [only] = operators.as_slice() else { return Condition::Unknown };
    let each = || list(Some(&only.value)).iter().map(|inner| decides(inner, scope)).collect();
    match only.key.as_ref() {
        "And" => Condition::All(each()),
        "Or" => Condition::Any(each()),
        "Not" => decides(&only.value, scope).not(),
        operator => compares(rule, operator, &only.value, scope),
    }
}

fn compares(rule: &Tree, operator: &str, with: &Tree, scope: &Scope) -> Condition {
    let admits = match (operator, &with.value) {
        ("StringEquals", Data::Text(_)) | ("BooleanEquals", Data::Bool(_)) => Admits::Listed,
        ("StringMatches", Data::Text(pattern)) if !has_wildcard(pattern) => Admits::Listed,
        ("NumericEquals", Data::Int(_) | Data::Float(_)) => Admits::Listed,
        (
            "NumericLessThan" | "NumericLessThanEquals" | "NumericGreaterThan" | "NumericGreaterThanEquals",
            Data::Int(_) | Data::Float(_),
        )
        | ("IsNumeric", Data::Bool(_)) => Admits::Number,
        _ => return Condition::Unknown,
    };
    let Some(part) = subject(rule, scope) else { return Condition::Unknown };
    let is = Condition::Is(part, admits);
    if operator == "IsNumeric" && with.value == Data::Bool(false) { is.not() } else { is }
}

/// What a rule speaks of.
fn subject(rule: &Tree, scope: &Scope) -> Option<Part> {
    let variable = rule.get("Variable")?;
    let read = scope.read(variable.as_text()?, variable.span);
    part_of(&read.expression).filter(|_| !read.is_opaque)
}

/// Whether a pattern has a `*` that is not escaped.
fn has_wildcard(pattern: &str) -> bool {
    let mut escaped = false;
    pattern.chars().any(|c| {
        let is_wild = c == '*' && !escaped;
        escaped = c == '\\' && !escaped;
        is_wild
    })
}
