//! Conditions in JSONata that surely hold values back.
//!
//! Read is `$states.input.kind = 'a'`, `… in ['a', 'b']`, a number compared with a constant one, and what `and`, `or`,
//! `$not(…)` and parentheses make of them. A text with anything else in it says nothing.

use sluice_core::text::Span;

use super::choice::Condition;
use super::jsonata::{inside, path_at};
use super::scope::Scope;
use crate::guard::Admits;
use crate::wiring::{Part, part_of};

/// Deeper conditions are not read.
const DEPTH_MAX: usize = 32;

/// What stands on a side of a comparison.
enum Side {
    /// Something that is read.
    Part(Option<Part>),
    Text,
    Number,
    /// `true`, `false`, `null`.
    Word,
    /// A list of constants.
    List,
}

/// What has to hold for a condition to be true.
pub(super) fn read(text: &str, scope: &Scope, span: Span) -> Condition {
    let Some(rest) = inside(text) else { return Condition::Unknown };
    let mut reader = Reader { rest, scope, span };
    match reader.any(0) {
        Some(condition) if reader.rest.trim().is_empty() => condition,
        _ => Condition::Unknown,
    }
}

struct Reader<'s> {
    rest: &'s str,
    scope: &'s Scope,
    span: Span,
}

impl Reader<'_> {
    fn any(&mut self, depth: usize) -> Option<Condition> {
        let mut each = vec![self.all(depth)?];
        while self.eat_word("or") {
            each.push(self.all(depth)?);
        }
        Some(Condition::Any(each))
    }

    fn all(&mut self, depth: usize) -> Option<Condition> {
        let mut each = vec![self.one(depth)?];
        while self.eat_word("and") {
            each.push(self.one(depth)?);
        }
        Some(Condition::All(each))
    }

    fn one(&mut self, depth: usize) -> Option<Condition> {
        if depth > DEPTH_MAX {
            return None;
        }
        let is_not = self.eat_word("$not");
        if self.eat("(") {
            let inner = self.any(depth + 1)?;
            return self.eat(")").then(|| if is_not { inner.not() } else { inner });
        }
        if is_not { None } else { self.comparison() }
    }

    fn comparison(&mut self) -> Option<Condition> {
        let left = self.side()?;
        // The longer ones first.
        let operator = ["!=", "<=", ">=", "=", "<", ">"].into_iter().find(|operator| self.eat(operator));
        let operator = operator.or_else(|| self.eat_word("in").then_some("in"))?;
        let right = self.side()?;
        let (part, with) = match (left, right) {
            (Side::Part(part), with) | (with, Side::Part(part)) if operator != "in" => (part, with),
            (Side::Part(part), with @ Side::List) => (part, with),
            _ => return Some(Condition::Unknown),
        };
        let admits = match (operator, with) {
            ("=" | "!=", Side::Text | Side::Number | Side::Word) | ("in", Side::List) => Admits::Listed,
            // Of values of two kinds these fail, and the execution with them.
            ("<" | "<=" | ">" | ">=", Side::Number) => Admits::Number,
            _ => return Some(Condition::Unknown),
        };
        let is = part.map_or(Condition::Unknown, |part| Condition::Is(part, admits));
        Some(if operator == "!=" { is.not() } else { is })
    }

    fn side(&mut self) -> Option<Side> {
        if let Some(constant) = self.constant() {
            return Some(constant);
        }
        if self.eat("[") {
            loop {
                self.constant()?;
                if self.eat("]") {
                    return Some(Side::List);
                }
                self.eat(",").then_some(())?;
            }
        }
        let (expression, rest) = path_at(self.rest, self.scope, self.span)?;
        self.rest = rest;
        Some(Side::Part(part_of(&expression)))
    }

    fn constant(&mut self) -> Option<Side> {
        self.rest = self.rest.trim_start();
        for quote in ['\'', '"'] {
            if let Some(inside) = self.rest.strip_prefix(quote) {
                let (_, rest) = inside.split_once(quote).filter(|(text, _)| !text.contains('\\'))?;
                self.rest = rest;
                return Some(Side::Text);
            }
        }
        let is_word = ["true", "false", "null"].into_iter().any(|word| self.eat_word(word));
        if is_word {
            return Some(Side::Word);
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-')));
        let (number, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        number.parse::<f64>().ok()?;
        self.rest = rest;
        Some(Side::Number)
    }

    fn eat(&mut self, what: &str) -> bool {
        self.rest.trim_start().strip_prefix(what).map(|rest| self.rest = rest).is_some()
    }

    /// A word that is no part of a longer one.
    fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        let rest = rest.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        rest.map(|rest| self.rest = rest).is_some()
    }
}
