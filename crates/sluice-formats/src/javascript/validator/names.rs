//! What the names and members of a program stand for, as far as checks need to know.

use std::sync::Arc;

use oxc_ast::ast::{self, Expression as E, Statement as S};
use sluice_core::expression::Path;

use super::pure::{is_log, is_pure};
use crate::guard::{Admits, Condition, is_of_one, read_pattern};
use crate::javascript::Mode;

/// More names than that no program has whose checks are simple.
const NAMES_MAX: usize = 100;

/// What an expression stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A part of the data of the item at hand.
    Json(Path),
    /// That item.
    Item,
    /// All items.
    Items,
    /// `$input`.
    Input,
    /// One of the author's own texts, that no list of several and no object has.
    Text,
    /// Another of the author's own values.
    Constant,
    /// A list of them.
    List,
    /// A set of them.
    Set,
    /// A regular expression, and the texts that it matches if that says anything.
    Pattern(Option<Admits>),
    /// Anything else.
    Other,
}

impl Meaning {
    const fn is_constant(&self) -> bool {
        matches!(self, Self::Text | Self::Constant)
    }
}

/// The names of a program that writes none of them again.
#[derive(Clone, Debug)]
pub(super) struct Names {
    mode: Mode,
    /// Whether the engine's names mean the item at hand.
    is_engines: bool,
    own: Vec<(String, Meaning)>,
}

impl Names {
    pub(super) const fn new(mode: Mode) -> Self {
        Self { mode, is_engines: true, own: Vec::new() }
    }

    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    /// The same names where another item is at hand.
    pub(super) fn of_another(&self) -> Self {
        let kept = |meaning: &Meaning| match meaning {
            Meaning::Json(_) | Meaning::Item => Meaning::Other,
            other => other.clone(),
        };
        let own = self.own.iter().map(|(name, meaning)| (name.clone(), kept(meaning))).collect();
        Self { mode: self.mode, is_engines: false, own }
    }

    /// A statement that only gives names, or writes a log.
    pub(super) fn declares(&mut self, statement: &S<'_>) -> Option<()> {
        let declaration = match statement {
            S::VariableDeclaration(declaration) => declaration,
            S::EmptyStatement(_) => return Some(()),
            other => return is_log(other).then_some(()),
        };
        if declaration.kind.is_using() {
            return None;
        }
        declaration.declarations.iter().try_for_each(|variable| {
            let value = variable.init.as_ref().filter(|value| is_pure(value))?;
            let meaning = self.meaning(value);
            self.bind(&variable.id, meaning)
        })
    }

    /// Gives names to what a pattern takes apart. A name can be given once: `var` may give it again.
    pub(super) fn bind(&mut self, pattern: &ast::BindingPattern<'_>, meaning: Meaning) -> Option<()> {
        match pattern {
            ast::BindingPattern::BindingIdentifier(name) => {
                let is_new = !self.own.iter().any(|(own, _)| own == name.name.as_str());
                let is_free = is_new && self.own.len() < NAMES_MAX;
                is_free.then(|| self.own.push((name.name.to_string(), meaning)))
            }
            ast::BindingPattern::ObjectPattern(object) if object.rest.is_none() => {
                object.properties.iter().try_for_each(|property| {
                    let key = key(&property.key, property.computed)?;
                    let part = self.part(meaning.clone(), &key);
                    self.bind(&property.value, part)
                })
            }
            _ => None,
        }
    }

    pub(super) fn meaning(&self, e: &E<'_>) -> Meaning {
        match e.without_parentheses() {
            E::StringLiteral(text) if is_of_one(text.value.as_str()) => Meaning::Text,
            E::StringLiteral(_) | E::NumericLiteral(_) | E::BooleanLiteral(_) => Meaning::Constant,
            E::Identifier(name) => self.named(name.name.as_str()),
            E::ArrayExpression(list) => {
                let is_constant =
                    |e: &ast::ArrayExpressionElement<'_>| e.as_expression().is_some_and(|e| self.is_constant(e));
                if list.elements.iter().all(is_constant) { Meaning::List } else { Meaning::Other }
            }
            E::RegExpLiteral(regex) => Meaning::Pattern(matched(regex)),
            E::NewExpression(new) => self.set(new).unwrap_or(Meaning::Other),
            E::StaticMemberExpression(m) => self.part(self.meaning(&m.object), m.property.name.as_str()),
            E::ComputedMemberExpression(m) => self.at(m),
            E::CallExpression(call) => self.called(call).unwrap_or(Meaning::Other),
            E::ChainExpression(chain) => match &chain.expression {
                ast::ChainElement::StaticMemberExpression(m) => {
                    self.part(self.meaning(&m.object), m.property.name.as_str())
                }
                ast::ChainElement::ComputedMemberExpression(m) => self.at(m),
                ast::ChainElement::CallExpression(call) => self.called(call).unwrap_or(Meaning::Other),
                _ => Meaning::Other,
            },
            _ => Meaning::Other,
        }
    }

    fn is_constant(&self, e: &E<'_>) -> bool {
        self.meaning(e).is_constant()
    }

    fn named(&self, name: &str) -> Meaning {
        if let Some((_, meaning)) = self.own.iter().rev().find(|(own, _)| own == name) {
            return meaning.clone();
        }
        match (name, self.mode) {
            ("$json", Mode::AllItems | Mode::EachItem) if self.is_engines => Meaning::Json(Path::new()),
            ("item", Mode::FunctionItem) => Meaning::Json(Path::new()),
            ("item", Mode::EachItem) => Meaning::Item,
            ("items", Mode::AllItems | Mode::Function) => Meaning::Items,
            ("$input", Mode::AllItems | Mode::EachItem) => Meaning::Input,
            _ => Meaning::Other,
        }
    }

    fn part(&self, whole: Meaning, key: &str) -> Meaning {
        match (whole, key) {
            (_, "__proto__") => Meaning::Other,
            (Meaning::Json(mut path), _) => {
                path.push(Arc::from(key));
                Meaning::Json(path)
            }
            (Meaning::Item, "json") => Meaning::Json(Path::new()),
            (Meaning::Input, "item") if self.mode == Mode::EachItem => Meaning::Item,
            _ => Meaning::Other,
        }
    }

    /// `$json['x']`, or the first of all items.
    fn at(&self, m: &ast::ComputedMemberExpression<'_>) -> Meaning {
        let whole = self.meaning(&m.object);
        match (m.expression.without_parentheses(), whole) {
            (E::StringLiteral(key), whole) => self.part(whole, key.value.as_str()),
            (E::NumericLiteral(n), Meaning::Items) if n.value == 0.0 && self.is_engines => Meaning::Item,
            _ => Meaning::Other,
        }
    }

    fn called(&self, call: &ast::CallExpression<'_>) -> Option<Meaning> {
        let E::StaticMemberExpression(callee) = call.callee.without_parentheses() else { return None };
        let is_input = call.arguments.is_empty() && self.meaning(&callee.object) == Meaning::Input;
        match callee.property.name.as_str() {
            "all" if is_input && self.mode == Mode::AllItems => Some(Meaning::Items),
            "first" if is_input && self.mode == Mode::AllItems && self.is_engines => Some(Meaning::Item),
            _ => None,
        }
    }

    fn set(&self, new: &ast::NewExpression<'_>) -> Option<Meaning> {
        let ([of], true) = (new.arguments.as_slice(), self.is_engines_name(&new.callee, "Set")) else { return None };
        (self.meaning(of.as_expression()?) == Meaning::List).then_some(Meaning::Set)
    }

    fn is_engines_name(&self, e: &E<'_>, name: &str) -> bool {
        let is_it = matches!(e.without_parentheses(), E::Identifier(found) if found.name.as_str() == name);
        is_it && !self.own.iter().any(|(own, _)| own == name)
    }

    /// `x === 'a'`; loosely, of a text alone: what has that text is a text, a number, or one of them in lists.
    pub(super) fn equal(&self, b: &ast::BinaryExpression<'_>) -> Condition<Path> {
        let found = [(&b.left, &b.right), (&b.right, &b.left)].into_iter().find_map(|(value, constant)| {
            let meaning = Some(self.meaning(constant)).filter(Meaning::is_constant)?;
            Some((self.subject(value)?, meaning))
        });
        let Some((path, constant)) = found else { return Condition::Unknown };
        let is = Condition::Is(path, Admits::Listed);
        match b.operator {
            ast::BinaryOperator::StrictEquality => is,
            ast::BinaryOperator::StrictInequality => is.not(),
            ast::BinaryOperator::Equality if constant == Meaning::Text => is,
            ast::BinaryOperator::Inequality if constant == Meaning::Text => is.not(),
            _ => Condition::Unknown,
        }
    }

    /// `/…/.test(x)`, `[…].includes(x)`, `new Set([…]).has(x)`.
    pub(super) fn tests(&self, call: &ast::CallExpression<'_>) -> Option<Condition<Path>> {
        let E::StaticMemberExpression(callee) = call.callee.without_parentheses() else { return None };
        let [only] = call.arguments.as_slice() else { return None };
        let value = only.as_expression()?;
        match (self.meaning(&callee.object), callee.property.name.as_str()) {
            (Meaning::List, "includes") | (Meaning::Set, "has") => {
                Some(Condition::Is(self.subject(value)?, Admits::Listed))
            }
            (Meaning::Pattern(Some(admits)), "test") => Some(Condition::Is(self.text(value)?, admits)),
            _ => None,
        }
    }

    /// The part of the item that a value is.
    fn subject(&self, e: &E<'_>) -> Option<Path> {
        match self.meaning(e) {
            Meaning::Json(path) if !path.is_empty() => Some(path),
            _ => None,
        }
    }

    /// The part of the item whose text is tested: a pattern makes a text of what it gets, as `String` does.
    fn text(&self, e: &E<'_>) -> Option<Path> {
        match e.without_parentheses() {
            E::CallExpression(call) if self.is_engines_name(&call.callee, "String") => {
                match call.arguments.as_slice() {
                    [only] => self.subject(only.as_expression()?),
                    _ => None,
                }
            }
            other => self.subject(other),
        }
    }
}

/// The texts that a regular expression matches, if it keeps nothing from one test for the next. What is tested is the text of
/// the value.
fn matched(regex: &ast::RegExpLiteral<'_>) -> Option<Admits> {
    let (pattern, flags) = regex.raw.as_ref()?.as_str().strip_prefix('/')?.rsplit_once('/')?;
    read_pattern(pattern, flags).filter(|_| matches!(flags, "" | "i"))?.if_of_one(pattern)
}

/// The name of a field, if it is written there.
pub(super) fn key(key: &ast::PropertyKey<'_>, computed: bool) -> Option<Arc<str>> {
    match key {
        ast::PropertyKey::StaticIdentifier(name) if !computed => Some(name.name.as_str().into()),
        ast::PropertyKey::StringLiteral(text) => Some(text.value.as_str().into()),
        _ => None,
    }
}
