//! Programs of code nodes that let only checked items on.
//!
//! A program counts only where every statement of it is understood: names for constants and for parts of the item, checks
//! that throw or return nothing, and at the end what is returned. Nothing in such a program writes anywhere or runs
//! anything that does, so what was tested is what is there at the end. With one statement of any other kind nothing is
//! known: a check in a branch, in a function or in a `try` may never be made, and a name that is written again may stand
//! for something else.

mod names;
mod pure;
mod shape;

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, Expression as E, Statement as S};
use sluice_core::expression::Path;

use super::{Mode, bound, program};
use crate::guard::{Condition, InOrder, Known, both};
use names::{Meaning, Names};
use pure::is_pure;

/// Longer programs are not looked at: each name in them would be looked for among all others.
const STATEMENTS_MAX: usize = 100;
/// Deeper conditions are not looked at.
const DEPTH_MAX: usize = 40;

/// What surely holds where a program has returned something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Of the item that it was given, if that was one alone.
    pub(crate) input: Known<Path>,
    /// Of each item that it returns.
    pub(crate) output: Known<Path>,
}

/// What a program checks.
pub(crate) fn read(source: &str, mode: Mode) -> Checked {
    // Most programs check nothing, and need not be parsed for it.
    let may_test = ["test(", "includes(", "has(", "==", "!="].iter().any(|test| source.contains(test));
    let may_hold = ["throw", "filter(", "return"].iter().any(|hold| source.contains(hold));
    if mode == Mode::Tool || !may_test || !may_hold || !bound::is_parsable(source) {
        return Checked::default();
    }
    let allocator = Allocator::default();
    let tree = program::tree(&allocator, source);
    tree.and_then(|tree| Reader::new(mode).read(&tree.body)).unwrap_or_default()
}

struct Reader {
    names: Names,
    /// What was checked of the item at hand: the only one, or of all items the first.
    at_hand: InOrder<Path>,
    /// What was checked of each item.
    each: InOrder<Path>,
}

/// Items that are returned.
struct Items {
    /// What was checked of those they are made from.
    checked: InOrder<Path>,
    /// What holds of them, if they were made anew.
    made: Option<Known<Path>>,
}

impl Reader {
    fn new(mode: Mode) -> Self {
        Self { names: Names::new(mode), at_hand: InOrder::new(), each: InOrder::new() }
    }

    /// None if anything is not understood. What stands behind a `return` may declare names that hold before it.
    fn read(mut self, statements: &[S<'_>]) -> Option<Checked> {
        let (S::ReturnStatement(last), before) = statements.split_last()? else { return None };
        if before.len() > STATEMENTS_MAX {
            return None;
        }
        for statement in before {
            match statement {
                S::ForOfStatement(each) => self.loop_over(each)?,
                other => self.names.declares(other).or_else(|| {
                    let condition = stops_if(&self.names, other)?;
                    self.at_hand.next(&condition);
                    Some(())
                })?,
            }
        }
        self.returned(last.argument.as_ref()?)
    }

    /// `for (const item of items) { … }` with nothing in it but names and checks that end the program.
    fn loop_over(&mut self, each: &ast::ForOfStatement<'_>) -> Option<()> {
        let (ast::ForStatementLeft::VariableDeclaration(left), S::BlockStatement(body)) = (&each.left, &each.body)
        else {
            return None;
        };
        let ([item], Meaning::Items, false) =
            (left.declarations.as_slice(), self.names.meaning(&each.right), each.r#await)
        else {
            return None;
        };
        if body.body.len() > STATEMENTS_MAX {
            return None;
        }
        let mut names = self.names.of_another();
        names.bind(&item.id, Meaning::Item)?;
        for statement in &body.body {
            if names.declares(statement).is_none() {
                self.each.next(&stops_if(&names, statement)?);
            }
        }
        Some(())
    }

    fn returned(self, e: &E<'_>) -> Option<Checked> {
        let at_hand = self.at_hand.clone().otherwise();
        if let Some(items) = self.items(e) {
            let each = items.checked.otherwise();
            let output = items.made.unwrap_or_else(|| each.clone());
            return Some(Checked { input: both(at_hand, each), output });
        }
        let output = is_pure(e).then(|| shape::of_item(&self.names, e, &at_hand))?;
        Some(Checked { input: both(at_hand, self.each.otherwise()), output })
    }

    /// All items, those of them that pass a test, or what is made from each of these.
    fn items(&self, e: &E<'_>) -> Option<Items> {
        if self.names.meaning(e) == Meaning::Items {
            return Some(Items { checked: self.each.clone(), made: None });
        }
        let E::CallExpression(call) = e.without_parentheses() else { return None };
        let E::StaticMemberExpression(callee) = call.callee.without_parentheses() else { return None };
        let mut items = self.items(&callee.object).filter(|items| items.made.is_none())?;
        let (names, result) = self.callback(call)?;
        match callee.property.name.as_str() {
            "filter" => {
                items.checked.next(&condition(&names, result, 0)?.not());
            }
            "map" => {
                let known = items.checked.clone().otherwise();
                items.made = Some(is_pure(result).then(|| shape::of_item(&names, result, &known))?);
            }
            _ => return None,
        }
        Some(items)
    }

    /// What the only argument, a function of one item, returns, and the names there.
    fn callback<'c>(&self, call: &'c ast::CallExpression<'_>) -> Option<(Names, &'c E<'c>)> {
        let [ast::Argument::ArrowFunctionExpression(arrow)] = call.arguments.as_slice() else { return None };
        let [item] = arrow.params.items.as_slice() else { return None };
        if arrow.r#async || arrow.params.rest.is_some() || item.initializer.is_some() {
            return None;
        }
        let mut names = self.names.of_another();
        names.bind(&item.pattern, Meaning::Item)?;
        let ast::ArrowFunctionBody::FunctionBody(body) = &arrow.body else {
            return Some((names, arrow.body.as_expression()?));
        };
        let (S::ReturnStatement(last), before) = body.statements.split_last()? else { return None };
        if before.len() > STATEMENTS_MAX {
            return None;
        }
        before.iter().try_for_each(|statement| names.declares(statement))?;
        Some((names, last.argument.as_ref()?))
    }
}

/// The condition on which a statement ends the program with nothing returned.
fn stops_if(names: &Names, statement: &S<'_>) -> Option<Condition<Path>> {
    let S::IfStatement(branch) = statement else { return None };
    let stops = branch.alternate.is_none() && is_end(&branch.consequent);
    stops.then(|| condition(names, &branch.test, 0)).flatten()
}

fn is_end(statement: &S<'_>) -> bool {
    match statement {
        S::BlockStatement(block) => matches!(block.body.split_last(), Some((last, before))
            if is_end(last) && before.iter().all(pure::is_log)),
        S::ThrowStatement(thrown) => is_pure(&thrown.argument),
        S::ReturnStatement(returned) => returned.argument.as_ref().is_none_or(is_nothing),
        _ => false,
    }
}

fn is_nothing(e: &E<'_>) -> bool {
    match e.without_parentheses() {
        E::NullLiteral(_) => true,
        E::ArrayExpression(list) => list.elements.is_empty(),
        _ => false,
    }
}

/// What has to hold for an expression to be true; none if it could change anything.
fn condition(names: &Names, e: &E<'_>, depth: usize) -> Option<Condition<Path>> {
    let inner = |e: &E<'_>| condition(names, e, depth + 1);
    match e.without_parentheses() {
        _ if depth > DEPTH_MAX => None,
        E::UnaryExpression(u) if u.operator == ast::UnaryOperator::LogicalNot => Some(inner(&u.argument)?.not()),
        E::LogicalExpression(l) if l.operator == ast::LogicalOperator::And => {
            Some(Condition::All(vec![inner(&l.left)?, inner(&l.right)?]))
        }
        E::LogicalExpression(l) if l.operator == ast::LogicalOperator::Or => {
            Some(Condition::Any(vec![inner(&l.left)?, inner(&l.right)?]))
        }
        e if !is_pure(e) => None,
        E::BinaryExpression(b) => Some(names.equal(b)),
        E::CallExpression(call) => Some(names.tests(call).unwrap_or(Condition::Unknown)),
        _ => Some(Condition::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Admits;

    fn shown(known: &Known<Path>) -> String {
        let each = known.iter().map(|(path, admits)| {
            let kind = match admits {
                Admits::Text(_) => "text",
                Admits::Listed => "listed",
                Admits::ListedInAnyCase => "listed in any case",
                Admits::Number => "number",
            };
            format!("{} {kind}", path.join("."))
        });
        each.collect::<Vec<_>>().join(", ")
    }

    /// What is known of the item that came in, and of those that leave.
    fn checked(source: &str, mode: Mode) -> String {
        let checked = read(source, mode);
        format!("{} -> {}", shown(&checked.input), shown(&checked.output))
    }

    #[test]
    fn what_leaves_has_what_was_checked_where_it_is_copied_to() {
        let stop = "if (!/^[a-z]+$/.test($json.b.x)) throw new Error('no');";
        let first = "const x = $input.first().json.b.x; if (!['a'].includes(x)) throw new Error('no');";
        for (what, mode, source, expected) in [
            ("the item", Mode::EachItem, format!("{stop} return $input.item;"), "b.x text -> b.x text"),
            ("its data", Mode::EachItem, format!("{stop} return {{ json: $json }};"), "b.x text -> b.x text"),
            ("a part", Mode::EachItem, format!("{stop} return {{ json: $json.b }};"), "b.x text -> x text"),
            ("a field", Mode::EachItem, format!("{stop} return {{ json: {{ y: $json.b.x }} }};"), "b.x text -> y text"),
            ("a field alone", Mode::EachItem, format!("{stop} return {{ y: $json.b.x }};"), "b.x text -> y text"),
            (
                "a field of a field",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ c: {{ y: $json.b.x }} }} }};"),
                "b.x text -> c.y text",
            ),
            (
                "all fields and another",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ ...$json, n: 1 }} }};"),
                "b.x text -> b.x text",
            ),
            (
                "all fields but the one",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ ...$json, b: $json.c }} }};"),
                "b.x text -> ",
            ),
            (
                "fields that can be missing",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ ...$json.c, ...$json.b }} }};"),
                "b.x text -> ",
            ),
            (
                "a field that can be missing",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ x: $json.c, ...$json.b }} }};"),
                "b.x text -> ",
            ),
            (
                "a field written twice",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ y: $json.b.x, y: $json.c }} }};"),
                "b.x text -> ",
            ),
            (
                "a prototype",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ ...$json, __proto__: $json.c }} }};"),
                "b.x text -> ",
            ),
            (
                "a computed name",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ y: $json.b.x, [$json.c]: 1 }} }};"),
                "b.x text -> ",
            ),
            ("data that may be taken for an item", Mode::EachItem, format!("{stop} return $json;"), "b.x text -> "),
            (
                "fields that may be taken for an item",
                Mode::EachItem,
                format!("{stop} return {{ ...$json }};"),
                "b.x text -> ",
            ),
            (
                "what is made from it",
                Mode::EachItem,
                format!("{stop} return {{ json: {{ y: $json.b.x.trim() }} }};"),
                "b.x text -> ",
            ),
            ("another part", Mode::EachItem, format!("{stop} return {{ json: $json.c }};"), "b.x text -> "),
            (
                "the first item",
                Mode::AllItems,
                format!("{first} return [{{ json: {{ x }} }}];"),
                "b.x listed -> x listed",
            ),
            ("all items, the first checked", Mode::AllItems, format!("{first} return $input.all();"), "b.x listed -> "),
            (
                "those that pass",
                Mode::AllItems,
                "return items.filter((item) => item.json.x === 'a' || item.json.x === 'b');".to_owned(),
                "x listed -> x listed",
            ),
            (
                "made from those that pass",
                Mode::Function,
                "return items.filter(i => ['a'].includes(i.json.x)).map(({ json }) => ({ json: { y: json.x } }));"
                    .to_owned(),
                "x listed -> y listed",
            ),
            (
                "an item's data",
                Mode::FunctionItem,
                "if (item.x !== 'a') return null; return item;".to_owned(),
                "x listed -> x listed",
            ),
            ("a tool", Mode::Tool, format!("{stop} return $input.item;"), " -> "),
        ] {
            assert_eq!(checked(&source, mode), expected, "{what}");
        }
    }
}
