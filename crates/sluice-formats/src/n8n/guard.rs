//! Conditions of `if`, `switch` and `filter`: what they know of the items that leave by each port.
//!
//! Read is what surely holds values back: equality to constants, lists of them, patterns for the whole of a text, strict
//! comparisons of numbers. Everything else (`contains`, `exists`, comparisons with other data) knows nothing. A guard that
//! is switched off, goes on after errors or puts out an empty item where none is left is none.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::{Base, Expression, Path};
use sluice_core::program::PlaceId;

use super::lower::{Lowering, Sight};
use super::parameters::{at, is_expression, text_at};
use crate::guard::{self, Admits, Guard, either, read_pattern};
use crate::javascript::predicate::{self, Predicate};
use crate::javascript::{self, Root};
use crate::wiring::variable_place;

/// Triggers whose one event is one item, so that a name that stands for them stands for what was checked.
const ONE_ITEM: [&str; 3] =
    ["n8n-nodes-base.webhook", "n8n-nodes-base.formTrigger", "@n8n/n8n-nodes-langchain.chatTrigger"];

/// Nodes that change no item that they let through.
const KEEPERS: [&str; 8] = ["if", "switch", "filter", "noOp", "limit", "sort", "removeDuplicates", "splitInBatches"];

/// What a condition speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    /// The node whose output it is; `None` of the current item.
    place: Option<PlaceId>,
    path: Path,
}

/// What a port knows.
pub(super) type Known = guard::Known<Subject>;

type Condition = guard::Condition<Subject>;

impl Lowering<'_, '_> {
    /// By port: what is known of the items that leave by it.
    pub(super) fn guarded(&self, i: usize) -> BTreeMap<usize, Known> {
        let Some(node) = self.workflow.nodes.get(i) else { return BTreeMap::new() };
        if node.disabled || node.errors.handled || node.never_empty {
            return BTreeMap::new();
        }
        match node.node_type.as_ref() {
            "n8n-nodes-base.if" => {
                let condition = self.conditions(i, node.version < 2.0);
                [(0, condition.known(true)), (1, condition.known(false))].into()
            }
            "n8n-nodes-base.filter" => [(0, self.conditions(i, node.version < 2.0).known(true))].into(),
            "n8n-nodes-base.switch" => self.switched(i),
            _ => BTreeMap::new(),
        }
    }

    /// The checks of a port, for the place that its items go to. Where the item is surely that of a trigger, what holds of
    /// the one holds of the other.
    pub(super) fn checks(&self, i: usize, known: Option<&Known>, to: PlaceId) -> Vec<Guard> {
        let step = self.room(i).step;
        let entry = known.filter(|known| !known.is_empty()).and_then(|_| self.only_source(i)).map(|t| self.room(t).out);
        let mut checks = Vec::new();
        for (subject, admits) in known.into_iter().flatten() {
            let of_item = subject.place.is_none() || subject.place == entry;
            let places = [of_item.then_some(to), if of_item { entry } else { subject.place }];
            let guard = |place| Guard { step, place, path: subject.path.clone(), admits: admits.clone() };
            checks.extend(places.into_iter().flatten().map(guard));
        }
        checks
    }

    /// Whether what a node lets through is what came in, but for the fields that it sets.
    pub(super) fn keeps_values(&self, i: usize) -> bool {
        let Some(node) = self.workflow.nodes.get(i) else { return false };
        let own = node.node_type.strip_prefix("n8n-nodes-base.");
        match own {
            // Without it a dot in a name is a dot in a name, and not a field of a field.
            Some("set") => text_at(node.parameters, "options.dotNotation").is_none_or(|dots| dots == "true"),
            Some(short) => KEEPERS.contains(&short),
            None => false,
        }
    }

    /// The trigger of one item that every item of a node is, unchanged.
    pub(super) fn only_source(&self, i: usize) -> Option<usize> {
        let (mut found, mut seen, mut open) = (None, BTreeSet::from([i]), vec![i]);
        while let Some(at) = open.pop() {
            for n in self.graph.before(at) {
                let node = self.workflow.nodes.get(n)?;
                if ONE_ITEM.contains(&node.node_type.as_ref()) && !node.disabled {
                    if found.is_some_and(|other| other != n) {
                        return None;
                    }
                    found = Some(n);
                } else if node.disabled || self.keeps_values(n) && !node.node_type.ends_with(".set") {
                    if node.errors.handled || node.never_empty {
                        return None;
                    }
                    if seen.insert(n) {
                        open.push(n);
                    }
                } else {
                    return None;
                }
            }
        }
        found
    }

    fn switched(&self, i: usize) -> BTreeMap<usize, Known> {
        let parameters = self.parameters(i);
        let is_old = self.version(i) < 3.0;
        if text_at(parameters, "mode").is_some_and(|mode| mode != "rules") {
            return BTreeMap::new();
        }
        let by_text = text_at(parameters, "dataType").is_some_and(|kind| kind == "string");
        let rules = list(at(parameters, if is_old { "rules.rules" } else { "rules.values" }));
        let mut ports: BTreeMap<usize, Known> = BTreeMap::new();
        for (n, rule) in rules.iter().enumerate() {
            let (port, known) = if is_old {
                let port = text_at(Some(rule), "output").filter(|_| self.version(i) < 2.0);
                let port = match port {
                    Some(port) => port.parse().ok(),
                    None => Some(if self.version(i) < 2.0 { 0 } else { n }),
                };
                let Some(port) = port else { return BTreeMap::new() };
                let value = parameters.and_then(|p| p.get("value1")).filter(|_| by_text);
                (port, self.old_text(i, value, rule).known(true))
            } else {
                (n, self.new_conditions(i, rule.get("conditions")).known(true))
            };
            let all = match ports.remove(&port) {
                Some(other) => either(other, known),
                None => known,
            };
            ports.insert(port, all);
        }
        // What no rule fits may be sent to a port of the rules.
        for path in ["fallbackOutput", "options.fallbackOutput"] {
            if let Some(port) = text_at(parameters, path) {
                match port.parse::<i64>() {
                    Ok(port) => ports.retain(|known, _| i64::try_from(*known) != Ok(port)),
                    Err(_) if port == "none" || port == "extra" => {}
                    Err(_) => return BTreeMap::new(),
                }
            }
        }
        ports
    }

    fn conditions(&self, i: usize, is_old: bool) -> Condition {
        let parameters = self.parameters(i);
        if is_old {
            let kinds = ["string", "number", "boolean", "dateTime"];
            let each = kinds.iter().flat_map(|kind| {
                let listed = list(at(parameters, &format!("conditions.{kind}")));
                listed.iter().map(|condition| self.old_condition(i, kind, condition))
            });
            let each: Vec<Condition> = each.collect();
            let how = ["combineOperation", "combineConditions"].iter().find_map(|key| text_at(parameters, key));
            return match how.as_deref() {
                None | Some("all" | "AND") => Condition::All(each),
                _ => Condition::Any(each),
            };
        }
        self.new_conditions(i, parameters.and_then(|p| p.get("conditions")))
    }

    fn old_condition(&self, i: usize, kind: &str, condition: &Tree) -> Condition {
        let operation = text_at(Some(condition), "operation");
        let wanted = condition.get("value2").map(|v| &v.value);
        match (kind, operation.as_deref().unwrap_or("equal")) {
            ("string", _) => self.old_text(i, condition.get("value1"), condition),
            ("number", "equal") if operation.is_some() => {
                let is_number = matches!(wanted, Some(Data::Int(_) | Data::Float(_)));
                self.is(i, condition.get("value1"), Admits::Listed).filter(is_number)
            }
            ("boolean", "equal") => {
                let holds = matches!(wanted, Some(Data::Bool(true)));
                let Some(Data::Bool(_)) = wanted.or(Some(&Data::Bool(false))) else { return Condition::Unknown };
                if holds { self.stated(i, condition.get("value1")) } else { self.denied(i, condition.get("value1")) }
            }
            ("boolean", "notEqual") => match wanted {
                Some(Data::Bool(true)) => self.stated(i, condition.get("value1")).not(),
                Some(Data::Bool(false)) => self.denied(i, condition.get("value1")).not(),
                _ => Condition::Unknown,
            },
            _ => Condition::Unknown,
        }
    }

    /// A comparison of texts, as the first versions have it.
    fn old_text(&self, i: usize, value: Option<&Tree>, rule: &Tree) -> Condition {
        let Some(wanted) = rule.get("value2").and_then(Tree::as_text).filter(|t| !is_expression(t)) else {
            return Condition::Unknown;
        };
        match text_at(Some(rule), "operation").as_deref().unwrap_or("equal") {
            "equal" => self.is(i, value, Admits::Listed),
            "notEqual" => self.is(i, value, Admits::Listed).not(),
            "regex" => self.matches(i, value, wanted, Tested::AsText),
            "notRegex" => self.matches(i, value, wanted, Tested::AsText).not(),
            _ => Condition::Unknown,
        }
    }

    fn new_conditions(&self, i: usize, conditions: Option<&Tree>) -> Condition {
        let each = list(conditions.and_then(|c| c.get("conditions")));
        let options = conditions.and_then(|c| c.get("options"));
        let is = |key: &str, wanted: &str| text_at(options, key).is_some_and(|found| found == wanted);
        let is_on = |path: &str| text_at(self.parameters(i), path).is_some_and(|found| found != "false");
        let how = How {
            exact: is("caseSensitive", "true") && !is_on("options.ignoreCase"),
            strict: is("typeValidation", "strict")
                && !is_on("looseTypeValidation")
                && !is_on("options.looseTypeValidation"),
        };
        let each: Vec<Condition> = each.iter().map(|condition| self.new_condition(i, condition, how)).collect();
        match text_at(conditions, "combinator").as_deref() {
            None | Some("and") => Condition::All(each),
            _ => Condition::Any(each),
        }
    }

    fn new_condition(&self, i: usize, condition: &Tree, how: How) -> Condition {
        let (left, right) = (condition.get("leftValue"), condition.get("rightValue"));
        let kind = text_at(Some(condition), "operator.type").unwrap_or_default();
        let operation = text_at(Some(condition), "operator.operation").unwrap_or_default();
        let wanted = right.and_then(Tree::as_text).filter(|t| !is_expression(t));
        let is_number = matches!(right.map(|r| &r.value), Some(Data::Int(_) | Data::Float(_)));
        let listed = if how.exact { Admits::Listed } else { Admits::ListedInAnyCase };
        match (kind.as_str(), operation.as_str()) {
            ("string", "equals") => self.is(i, left, listed).filter(wanted.is_some() || is_number),
            ("string", "notEquals") => self.is(i, left, listed).filter(wanted.is_some() || is_number).not(),
            ("string", "regex" | "notRegex") => {
                let Some(pattern) = wanted.filter(|_| how.exact) else { return Condition::Unknown };
                let matches = self.matches(i, left, pattern, if how.strict { Tested::AsItIs } else { Tested::AsText });
                if operation == "regex" { matches } else { matches.not() }
            }
            ("number", "equals") => self.is(i, left, Admits::Listed).filter(is_number && how.strict),
            ("number", "gt" | "gte" | "lt" | "lte") => self.is(i, left, Admits::Number).filter(is_number && how.strict),
            ("boolean", "true") => self.stated(i, left),
            ("boolean", "false") => self.stated(i, left).not(),
            ("array", "contains") if self.is_constant_list(i, left) => self.is(i, right, listed),
            _ => Condition::Unknown,
        }
    }

    /// That a parameter's value is so.
    fn is(&self, i: usize, value: Option<&Tree>, admits: Admits) -> Condition {
        match value.and_then(|tree| self.subject(i, tree.as_text()?, tree)) {
            Some(subject) => Condition::Is(subject, admits),
            None => Condition::Unknown,
        }
    }

    /// That it matches a pattern as n8n reads one: `/…/flags`, or without.
    fn matches(&self, i: usize, value: Option<&Tree>, pattern: &str, tested: Tested) -> Condition {
        let flagged = pattern.strip_prefix('/').and_then(|rest| {
            let is_flag = |c: char| matches!(c, 'g' | 'i' | 'm' | 'u' | 's' | 'y');
            let ends =
                rest.match_indices('/').find(|(at, _)| rest.get(at + 1..).is_some_and(|f| f.chars().all(is_flag)));
            ends.and_then(|(at, _)| Some((rest.get(..at)?, rest.get(at + 1..)?)))
        });
        let (inner, flags) = flagged.unwrap_or((pattern, ""));
        let admits = read_pattern(inner, flags);
        let admits = if tested == Tested::AsItIs { admits } else { admits.and_then(|admits| admits.if_of_one(inner)) };
        admits.map_or(Condition::Unknown, |admits| self.is(i, value, admits))
    }

    /// That an expression is true. Where it is not, it can be false, have failed, or be what only n8n takes for false
    /// (`'false'`, `'0'`).
    fn stated(&self, i: usize, value: Option<&Tree>) -> Condition {
        let Some((condition, is_decided)) = self.expression(i, value) else { return Condition::Unknown };
        let not = if is_decided { condition.known(false) } else { Known::new() };
        Condition::Told { so: condition.known(true), not }
    }

    /// That it is false and nothing else. Where it is not, it can be anything.
    fn denied(&self, i: usize, value: Option<&Tree>) -> Condition {
        let Some((condition, is_decided)) = self.expression(i, value) else { return Condition::Unknown };
        let not = if is_decided { condition.known(true) } else { Known::new() };
        Condition::Told { so: condition.known(false), not }
    }

    /// What an expression asks, and whether it has an answer for any value.
    fn expression(&self, i: usize, value: Option<&Tree>) -> Option<(Condition, bool)> {
        let tree = value?;
        let predicate = predicate::read(inside(tree.as_text()?)?);
        let is_decided = predicate.decided().is_some();
        Some((self.of_predicate(i, predicate, tree), is_decided))
    }

    fn of_predicate(&self, i: usize, predicate: Predicate, tree: &Tree) -> Condition {
        let all = |parts: Vec<Predicate>| parts.into_iter().map(|part| self.of_predicate(i, part, tree)).collect();
        let is = |subject: &str, admits: Admits| {
            let subject = self.subject(i, &format!("={{{{ {subject} }}}}"), tree);
            subject.map_or(Condition::Unknown, |subject| Condition::Is(subject, admits))
        };
        match predicate {
            Predicate::Listed(subject) | Predicate::Written(subject) => is(&subject, Admits::Listed),
            Predicate::Matches { subject, pattern, flags } => {
                let admits = read_pattern(&pattern, &flags).and_then(|admits| admits.if_of_one(&pattern));
                admits.map_or(Condition::Unknown, |admits| is(&subject, admits))
            }
            Predicate::Not(inner) => self.of_predicate(i, *inner, tree).not(),
            Predicate::All(parts) => Condition::All(all(parts)),
            Predicate::Any(parts) => Condition::Any(all(parts)),
            Predicate::Unknown => Condition::Unknown,
        }
    }

    /// What a text reads, if it does nothing else: a field of the item, or of the one item of a trigger.
    fn subject(&self, i: usize, text: &str, tree: &Tree) -> Option<Subject> {
        let source = inside(text)?;
        let expression = self.read(i, text, tree);
        let (base, path) = expression.path()?;
        let place = match base {
            // A call means another item than the current one: `$input.first()`.
            Base::Input if source.contains('(') => return None,
            Base::Input => None,
            Base::Variable(name) => Some(variable_place(&name)?),
        };
        let is_one = |n: usize| {
            let node = self.workflow.nodes.get(n);
            node.is_some_and(|n| ONE_ITEM.contains(&n.node_type.as_ref()) && !n.disabled)
        };
        let of_one = |place: PlaceId| self.rooms.iter().enumerate().any(|(n, room)| room.out == place && is_one(n));
        (!path.is_empty() && place.is_none_or(of_one)).then_some(Subject { place, path })
    }

    fn is_constant_list(&self, i: usize, value: Option<&Tree>) -> bool {
        let constant = value.and_then(|tree| self.read(i, tree.as_text()?, tree).constant());
        constant.is_some_and(|list| list.as_array().is_some_and(|items| items.iter().all(|item| !item.is_object())))
    }

    /// What a text of a condition is. It is read for its own sake: nothing is told of it again.
    fn read(&self, i: usize, text: &str, tree: &Tree) -> Expression {
        let sight = Sight { item: self.room(i).item, words: None };
        let resolve = |root: &Root| self.stands_for(i, root, sight, tree.span);
        javascript::parameter(text, false, &|_, _| tree.span, &resolve).expression
    }
}

/// How values are compared.
#[derive(Clone, Copy)]
struct How {
    /// Capitals matter.
    exact: bool,
    /// A value of another kind is an error.
    strict: bool,
}

/// What a pattern is held against.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tested {
    /// The value: one that is no text is an error.
    AsItIs,
    /// What it is written as. The first versions write lists as `a,b`, the later ones as JSON.
    AsText,
}

/// What stands between the braces of a text that is nothing else.
fn inside(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('=')?.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}")).then(|| inside.trim())
}

fn list(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}
