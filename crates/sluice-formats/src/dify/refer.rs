//! References: `{{#node.field#}}` in texts, and selectors, which are lists of the same words.

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::{Expression, TextPart};
use sluice_core::text::Span;

use super::jinja::{self, Part};
use super::lower::Lowering;
use super::read::{list, word};
use crate::import::Observed;
use crate::locate::Locator;
use crate::wiring::place_variable;

/// Longest reference in bytes, as Dify bounds its names.
const REFERENCE_BYTES_MAX: usize = 512;
/// Deepest path that is followed; of a deeper one the whole value counts. An evaluation descends through each word.
const PATH_MAX: usize = 16;
/// Most parts of a text that keep their order, and most alternatives that are told apart.
const PARTS_MAX: usize = 500;
const ALTERNATIVES_MAX: usize = 32;

/// A part of a text: as it stands, or a reference with its place.
pub(super) enum Piece<'t> {
    Literal(&'t str),
    Reference { path: Vec<&'t str>, start: usize, end: usize },
}

impl Lowering<'_, '_> {
    /// A text with references; one that is a reference alone keeps the kind of its value.
    pub(super) fn text(&mut self, i: usize, tree: &Tree) -> Expression {
        let span = tree.span;
        let Some(text) = tree.as_text() else { return Expression::literal(&tree.to_json(), span) };
        let locator = Locator::new(self.text, span);
        let pieces = pieces(text);
        // A place inside a text is found by reading up to it.
        let is_long = pieces.len() > PARTS_MAX;
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            parts.push(match piece {
                Piece::Literal(text) => TextPart::Literal(text.into()),
                Piece::Reference { path, start, end } => {
                    let place = if is_long { span } else { locator.at(start, end) };
                    TextPart::Expression(self.reference(i, &path, place))
                }
            });
        }
        match parts.as_slice() {
            [TextPart::Expression(alone)] => alone.clone(),
            _ => joined(parts, span),
        }
    }

    /// Everything that a tree refers to, in texts at any depth and in selectors.
    pub(super) fn all_references(&mut self, i: usize, tree: &Tree) -> Vec<Expression> {
        let mut found = Vec::new();
        let mut open = vec![tree];
        while let Some(tree) = open.pop() {
            match &tree.value {
                Data::Text(text) if text.contains("{{#") => found.push(self.text(i, tree)),
                Data::List(items) if self.is_selector(items) => found.extend(self.selected(i, tree)),
                Data::List(items) => open.extend(items),
                Data::Map(entries) => open.extend(entries.iter().map(|entry| &entry.value)),
                _ => {}
            }
        }
        found
    }

    /// Whether a list of words names something that is there.
    fn is_selector(&self, items: &[Tree]) -> bool {
        let words: Option<Vec<String>> = items.iter().map(word).collect();
        let Some(words) = words.filter(|words| words.len() > 1) else { return false };
        words.first().is_some_and(|first| is_root(first) || self.app.by_id.contains_key(first.as_str()))
    }

    /// What a selector names; `None` of an empty one.
    pub(super) fn selected(&mut self, i: usize, selector: &Tree) -> Option<Expression> {
        let words: Vec<String> = list(Some(selector)).iter().filter_map(word).collect();
        let path: Vec<&str> = words.iter().map(String::as_str).collect();
        (!path.is_empty()).then(|| self.reference(i, &path, selector.span))
    }

    /// What a path names. Of a node that is not there: nothing, and it is told.
    pub(super) fn reference(&mut self, i: usize, path: &[&str], span: Span) -> Expression {
        let [root, rest @ ..] = path else { return Expression::opaque(Vec::new(), span) };
        let own = rest.first().and_then(|name| self.variables.get(&((*root).into(), (*name).into())));
        if let Some(place) = own {
            return members(place_variable(*place, span), rest.get(1..).unwrap_or_default());
        }
        let place = match *root {
            "sys" => Some(self.sys),
            "env" => return self.environment(rest.first().copied().unwrap_or_default(), i, span),
            // Facts of the engine and of the knowledge pipeline: nobody outside writes them.
            "rag" | "shared" => return Expression::opaque(Vec::new(), span),
            _ => self.app.by_id.get(*root).map(|node| self.room(*node).out),
        };
        match place {
            Some(place) => members(place_variable(place, span), rest),
            None => {
                self.observe(i, Observed::DanglingReference { name: path.join(".") }, None, span);
                Expression::literal(&serde_json::Value::Null, span)
            }
        }
    }

    /// An environment variable: what the file says that it is, or what the installation keeps secret.
    fn environment(&mut self, name: &str, i: usize, span: Span) -> Expression {
        let variable = self.app.environment.iter().find(|v| v.name.as_ref() == name);
        match variable {
            None => {
                self.observe(i, Observed::DanglingReference { name: format!("env.{name}") }, None, span);
                Expression::literal(&serde_json::Value::Null, span)
            }
            // Elsewhere a secret goes where its author means it to go; what a model reads, it can tell.
            Some(variable) if variable.is_secret && self.is_prompt => place_variable(self.secrets, span),
            Some(variable) if variable.is_secret => Expression::opaque(Vec::new(), span),
            Some(variable) => variable.value.map_or_else(
                || Expression::opaque(Vec::new(), span),
                |value| Expression::literal(&value.to_json(), span),
            ),
        }
    }

    /// A Jinja template over the variables that a node declares.
    pub(super) fn template(&mut self, i: usize, template: &Tree, variables: Option<&Tree>) -> Expression {
        let span = template.span;
        let declared = self.declared(i, variables);
        let Some(text) = template.as_text() else { return Expression::literal(&template.to_json(), span) };
        let all = || declared.iter().map(|(_, value)| value.clone()).collect();
        let mut parts = Vec::new();
        for part in jinja::parts(text) {
            parts.push(match part {
                Part::Literal(text) => TextPart::Literal(text.into()),
                Part::Computed => TextPart::Expression(Expression::opaque(all(), span)),
                Part::Path(path) => {
                    let [name, rest @ ..] = path.as_slice() else { continue };
                    let named = declared.iter().find(|(known, _)| known == name);
                    // What is not declared is empty.
                    let Some((_, value)) = named else { continue };
                    TextPart::Expression(members(value.clone(), rest))
                }
            });
        }
        joined(parts, span)
    }

    /// The variables that a node declares, and what they are.
    pub(super) fn declared(&mut self, i: usize, variables: Option<&Tree>) -> Vec<(String, Expression)> {
        let mut found = Vec::new();
        for tree in list(variables) {
            let name = tree.get("variable").and_then(word).unwrap_or_default();
            let selector = tree.get("value_selector");
            if let Some(value) = selector.and_then(|selector| self.selected(i, selector)) {
                found.push((name, value));
            }
        }
        found
    }
}

/// One text of many parts; too many are anything made from them.
fn joined(parts: Vec<TextPart>, span: Span) -> Expression {
    if parts.len() <= PARTS_MAX {
        return Expression::text(parts, span);
    }
    let values = parts.into_iter().filter_map(|part| match part {
        TextPart::Expression(e) => Some(e),
        TextPart::Literal(_) => None,
    });
    Expression::opaque(values.collect(), span)
}

/// One of the values; too many are anything made from them.
pub(super) fn one_of(values: Vec<Expression>, span: Span) -> Expression {
    if values.len() > ALTERNATIVES_MAX { Expression::opaque(values, span) } else { Expression::one_of(values, span) }
}

/// `base.a.b`
fn members(base: Expression, path: &[&str]) -> Expression {
    if path.len() > PATH_MAX {
        let span = base.span;
        return Expression::opaque(vec![base], span);
    }
    path.iter().fold(base, |base, key| match key.parse::<i64>() {
        Ok(index) => Expression::element(base, index),
        Err(_) => Expression::member(base, key),
    })
}

fn is_root(word: &str) -> bool {
    matches!(word, "sys" | "env" | "conversation")
}

/// Whether a text has a reference.
pub(super) fn refers(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Reference { .. }))
}

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut literal, mut at) = (0, 0);
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{#")).map(|open| at + open) {
        let inside = text.get(open + 3..).unwrap_or_default();
        let end = inside.find("#}}").filter(|end| *end <= REFERENCE_BYTES_MAX);
        let path = end.and_then(|end| inside.get(..end)).and_then(path);
        let (Some(end), Some(path)) = (end, path) else {
            at = open + 3;
            continue;
        };
        let end = open + 3 + end + 3;
        found.push(Piece::Literal(text.get(literal..open).unwrap_or_default()));
        found.push(Piece::Reference { path, start: open, end });
        (literal, at) = (end, end);
    }
    found.push(Piece::Literal(text.get(literal..).unwrap_or_default()));
    found.retain(|piece| !matches!(piece, Piece::Literal("")));
    found
}

/// The words of a reference: at least two, as Dify has it. `context` alone is the model's.
fn path(inside: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = inside.split('.').collect();
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (words.len() > 1 && words.iter().all(is_word)).then_some(words)
}
