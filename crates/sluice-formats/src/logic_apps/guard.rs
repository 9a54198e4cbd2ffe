//! Conditions of `If` and `Switch`: what is surely true of the values in each block.
//!
//! Read is what holds values back: equality to constants, membership in a list of them, comparisons of numbers. That a text
//! contains, starts or ends with something, that it is not empty, or equals other data says nothing. A variable that some
//! action writes again is no subject: another one that runs at the same time could write it behind the check.

use serde_json::Value as Json;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::Span;

use super::expression::is_expression;
use super::lower::Lowering;
use super::read::{Action, Arm, entries, list};
use crate::guard::{self, Admits, Known};
use crate::wiring::{Part, part_of};

type Condition = guard::Condition<Part>;

/// Deeper conditions are not read.
const DEPTH_MAX: usize = 32;

/// What is known in the blocks of an action.
pub(super) struct Ways {
    /// By block.
    pub(super) inside: Vec<Known<Part>>,
    /// Where none of them is run; `None` if one always is.
    pub(super) past: Option<Known<Part>>,
}

/// What stands on a side of a comparison.
#[derive(Clone, Copy)]
enum Side<'t> {
    /// A value of the definition.
    Tree(&'t Tree),
    /// A part of an expression.
    Text(&'t str),
}

/// What that is.
enum Is {
    /// Something that is read, and nothing is made of it.
    Part(Part),
    Constant(Json),
    /// A parameter: the same in every run of a deployment, and a list if the flag says so.
    Given {
        is_list: bool,
    },
    Other,
}

impl Lowering<'_> {
    /// What is known in each block of an `If` or a `Switch`.
    pub(super) fn known_in(&self, action: &Action<'_>) -> Ways {
        let expression = action.get("expression");
        if action.kind == "if" {
            let condition = expression.map_or(Condition::Unknown, |tree| self.condition(tree, 0));
            let has = |wanted: bool| action.arms.iter().any(|arm| matches!(arm, Arm::Body) == wanted);
            let known = |holds: bool| self.everywhere(condition.known(holds));
            let inside = action.arms.iter().map(|arm| known(matches!(arm, Arm::Body))).collect();
            let past = (!has(true) || !has(false)).then(|| known(!has(true)));
            return Ways { inside, past };
        }
        let subject = expression.and_then(|tree| match self.side(Side::Tree(tree), tree.span) {
            Is::Part(part) => Some(part),
            _ => None,
        });
        let is_case = |arm: &Arm<'_>| match (arm, &subject) {
            (Arm::Case(Some(case)), Some(part)) if is_plain(case) => Condition::Is(part.clone(), Admits::Listed),
            _ => Condition::Unknown,
        };
        let inside = action.arms.iter().map(|arm| self.everywhere(is_case(arm).known(true))).collect();
        let has_default = action.arms.iter().any(|arm| matches!(arm, Arm::Default));
        Ways { inside, past: (!has_default).then(Known::new) }
    }

    /// The body of a trigger is a part of its outputs: what holds of the one holds of the other.
    fn everywhere(&self, known: Known<Part>) -> Known<Part> {
        let (outputs, body) = self.trigger;
        let other = |(place, path): &Part| match path.split_first() {
            _ if *place == body => {
                Some((outputs, std::iter::once("body".into()).chain(path.iter().cloned()).collect()))
            }
            Some((first, rest)) if *place == outputs && first.as_ref() == "body" => Some((body, rest.to_vec())),
            _ => None,
        };
        let others: Vec<_> = known.iter().filter_map(|(part, admits)| Some((other(part)?, admits.clone()))).collect();
        known.into_iter().chain(others).collect()
    }

    /// `{"and": […]}`, `{"equals": […]}`, or a text that is one expression.
    fn condition(&self, tree: &Tree, depth: usize) -> Condition {
        if let Some(text) = tree.as_text() {
            let program = text.strip_prefix('@').filter(|rest| !rest.starts_with(['@', '{']));
            return program.map_or(Condition::Unknown, |program| self.stated(program, tree.span, depth));
        }
        let [only] = entries(Some(tree)) else { return Condition::Unknown };
        if depth > DEPTH_MAX {
            return Condition::Unknown;
        }
        let name = only.key.to_lowercase();
        let listed = list(Some(&only.value));
        let inner = || listed.iter().map(|tree| self.condition(tree, depth + 1)).collect();
        match name.as_str() {
            "and" => Condition::All(inner()),
            "or" => Condition::Any(inner()),
            "not" => self.condition(listed.first().unwrap_or(&only.value), depth + 1).not(),
            name => match listed {
                [left, right] => self.compares(name, (Side::Tree(left), Side::Tree(right)), tree.span, depth),
                _ => Condition::Unknown,
            },
        }
    }

    /// `and(equals(…), …)`
    fn stated(&self, program: &str, span: Span, depth: usize) -> Condition {
        let Some((name, arguments)) = call(program).filter(|_| depth <= DEPTH_MAX) else { return Condition::Unknown };
        let inner = || arguments.iter().map(|argument| self.stated(argument, span, depth + 1)).collect();
        match (name.as_str(), arguments.as_slice()) {
            ("and", _) => Condition::All(inner()),
            ("or", _) => Condition::Any(inner()),
            ("not", [only]) => self.stated(only, span, depth + 1).not(),
            (name, [left, right]) => self.compares(name, (Side::Text(left), Side::Text(right)), span, depth),
            _ => Condition::Unknown,
        }
    }

    fn compares(&self, name: &str, sides: (Side<'_>, Side<'_>), span: Span, depth: usize) -> Condition {
        let (left, right) = (self.side(sides.0, span), self.side(sides.1, span));
        match (name, left, right) {
            ("equals", Is::Part(part), Is::Constant(_) | Is::Given { .. })
            | ("equals", Is::Constant(_) | Is::Given { .. }, Is::Part(part)) => Condition::Is(part, Admits::Listed),
            // That another condition is true, or false.
            ("equals", _, Is::Constant(Json::Bool(holds))) => self.turned_out(sides.0, holds, span, depth),
            ("equals", Is::Constant(Json::Bool(holds)), _) => self.turned_out(sides.1, holds, span, depth),
            // Values of two kinds cannot be compared so: the action fails.
            (
                "greater" | "greaterorequals" | "less" | "lessorequals",
                Is::Part(part),
                Is::Constant(Json::Number(_)),
            )
            | (
                "greater" | "greaterorequals" | "less" | "lessorequals",
                Is::Constant(Json::Number(_)),
                Is::Part(part),
            ) => Condition::Is(part, Admits::Number),
            ("contains", Is::Constant(Json::Array(_)) | Is::Given { is_list: true }, Is::Part(part)) => {
                Condition::Is(part, Admits::Listed)
            }
            _ => Condition::Unknown,
        }
    }

    fn turned_out(&self, side: Side<'_>, holds: bool, span: Span, depth: usize) -> Condition {
        let condition = match side {
            Side::Tree(tree) if tree.as_text().is_some() => self.condition(tree, depth + 1),
            Side::Tree(_) => Condition::Unknown,
            Side::Text(program) => self.stated(program, span, depth + 1),
        };
        if holds { condition } else { condition.not() }
    }

    fn side(&self, side: Side<'_>, span: Span) -> Is {
        let text = match side {
            Side::Text(text) => text.to_owned(),
            Side::Tree(tree) => match tree.as_text().filter(|text| is_expression(text)) {
                Some(text) => match text.strip_prefix('@').filter(|rest| !rest.starts_with('{')) {
                    Some(program) => program.to_owned(),
                    None => return Is::Other,
                },
                None => return constant(tree).map_or(Is::Other, Is::Constant),
            },
        };
        if let Some(given) = self.given(&text) {
            return given;
        }
        let expression = self.peek(&format!("@{text}"), span);
        match (part_of(&expression), expression.constant()) {
            (Some((place, _)), _) if self.rewritten.contains(&place) => Is::Other,
            (Some(part), _) => Is::Part(part),
            (None, Some(constant)) => Is::Constant(constant),
            (None, None) => Is::Other,
        }
    }

    /// `parameters('x')`
    fn given(&self, text: &str) -> Option<Is> {
        let (name, arguments) = call(text).filter(|(name, _)| name == "parameters")?;
        let [only] = arguments.as_slice() else { return None };
        let wanted = only.strip_prefix('\'')?.strip_suffix('\'').filter(|_| name == "parameters")?;
        let declared = entries(self.workflow.definition.get("parameters")).iter();
        let found = declared.filter(|entry| entry.key.eq_ignore_ascii_case(wanted)).find_map(|e| e.value.get("type"));
        let kind = found.and_then(Tree::as_text)?;
        Some(Is::Given { is_list: kind.eq_ignore_ascii_case("array") })
    }
}

/// A value of the definition that is nothing but itself.
fn constant(tree: &Tree) -> Option<Json> {
    let is_constant = match &tree.value {
        Data::List(items) => items.iter().all(is_plain),
        _ => is_plain(tree),
    };
    is_constant.then(|| tree.to_json())
}

fn is_plain(tree: &Tree) -> bool {
    match &tree.value {
        Data::Text(text) => !is_expression(text),
        Data::Int(_) | Data::Float(_) | Data::Bool(_) => true,
        _ => false,
    }
}

/// The name, in lower case, and the arguments of a text that is one call and nothing else.
fn call(text: &str) -> Option<(String, Vec<&str>)> {
    let (name, rest) = text.trim().split_once('(')?;
    let inside = rest.strip_suffix(')')?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let (mut arguments, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, c) in inside.char_indices() {
        match c {
            // A quote that is written twice closes and opens again.
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' | '{' => depth += 1,
            // What closes more than was opened is not one call.
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                arguments.push(inside.get(start..at)?.trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.push(inside.get(start..)?.trim());
    (depth == 0 && !is_quoted).then(|| (name.trim().to_lowercase(), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_its_name_and_its_arguments() {
        for (text, expected) in [
            ("equals(a, 'b, c')", Some("equals: a | 'b, c'")),
            (" And( equals(a,b) , or(c, d) ) ", Some("and: equals(a,b) | or(c, d)")),
            ("f('it''s (', x['y,z'])", Some("f: 'it''s (' | x['y,z']")),
            ("empty()", Some("empty: ")),
            ("f(a)(b)", None),
            ("f(a) and g(b)", None),
            ("f(a)['b']", None),
            ("f('a)", None),
            ("f(a", None),
            ("a", None),
        ] {
            let found = call(text).map(|(name, arguments)| format!("{name}: {}", arguments.join(" | ")));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
