//! Nodes that act on items alone: set, merge, branches.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::catalogue::ReplyRule as From;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::text::Span;

use super::lower::{Lowering, Sight};
use super::parameters::{at, is_expression, text_at};
use crate::wiring::place_variable;

impl Lowering<'_, '_> {
    /// A node without an effect.
    pub(super) fn reshape(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let out = self.room(i).out;
        let short = self.short_type(i);
        let value = match short {
            "set" => self.set(i, sight, span),
            // A later page of a form: a field is filled in there, or the item had it.
            _ if self.source(i).is_some() => {
                self.receive(i, out, span);
                Expression::one_of(vec![Expression::input(span), place_variable(out, span)], span)
            }
            _ => match self.regrouped(i, sight, span) {
                Some(regrouped) => regrouped,
                None => self.passed_on(i, sight, span),
            },
        };
        if self.keeps_values(i) {
            self.wires.copies();
        }
        self.assign(out, value, sight);
    }

    /// What a node of a known shape puts out: its items as they are, or something made from all that it reads.
    fn passed_on(&mut self, i: usize, sight: Sight, span: Span) -> Expression {
        let from = self.known(i).map_or(From::Merge, |known| known.output);
        let input = Expression::input(span);
        if from == From::Echo {
            return input;
        }
        let mut read: Vec<Expression> = self.expressions(i, sight);
        read.push(input.clone());
        let made = Expression::opaque(read, span);
        if from == From::Merge { Expression::one_of(vec![input, made], span) } else { made }
    }

    /// Every expression among the parameters.
    pub(super) fn expressions(&mut self, i: usize, sight: Sight) -> Vec<Expression> {
        let leaves = self.leaves_of(i);
        let evaluated = leaves.iter().filter(|leaf| leaf.text().is_some_and(|t| is_expression(t)));
        evaluated.map(|leaf| self.translate(i, leaf.tree, false, sight).expression).collect()
    }

    /// `set`, in each of its versions: fields are added to the item, or are all of it.
    fn set(&mut self, i: usize, sight: Sight, span: Span) -> Expression {
        let Some(parameters) = self.parameters(i) else { return Expression::input(span) };
        let mut fields: Vec<(Arc<str>, Expression)> = Vec::new();
        let mut is_any = false;
        for (name, value) in assignments(parameters) {
            is_any |= is_expression(&name);
            let value = match value.as_text() {
                Some(_) => self.translate(i, value, false, sight).expression,
                None => Expression::literal(&value.to_json(), value.span),
            };
            // One field that fails tells nothing of the others.
            nest(&mut fields, &name, value.lenient());
        }
        let raw = text_at(Some(parameters), "mode").is_some_and(|mode| mode == "raw" || mode == "json");
        let whole = ["jsonOutput", "jsonObject"].iter().find_map(|key| parameters.get(key));
        let made = match whole.filter(|_| raw || fields.is_empty()) {
            Some(tree) => self.json(i, tree, sight),
            None => Expression::object(fields, span),
        };
        // A field whose name is computed can be any of them.
        let made = if is_any { Expression::opaque(vec![made], span) } else { made };
        if keeps_item(parameters, self.version(i)) { Expression::input(span).merged(made) } else { made }
    }

    /// The fields that a `set` node gives the item; none of another node.
    pub(super) fn set_fields(&self, i: usize) -> Option<BTreeSet<Arc<str>>> {
        let parameters = self.parameters(i).filter(|_| self.short_type(i) == "set" && !self.is_off(i))?;
        let outer = |name: Arc<str>| name.split('.').next().map_or_else(|| name.clone(), Arc::from);
        Some(assignments(parameters).into_iter().map(|(name, _)| outer(name)).collect())
    }

    /// Whether nothing of an item is left behind a node.
    pub(super) fn sets_whole_item(&self, i: usize) -> bool {
        let parameters = self.parameters(i).filter(|_| self.short_type(i) == "set" && !self.is_off(i));
        parameters.is_some_and(|parameters| !keeps_item(parameters, self.version(i)))
    }

    /// A JSON text with expressions in it: its fields where it can be read, else everything it names.
    pub(super) fn json(&mut self, i: usize, tree: &Tree, sight: Sight) -> Expression {
        let span = tree.span;
        let constant = tree.as_text().filter(|t| !is_expression(t)).and_then(|t| serde_json::from_str(t).ok());
        if let Some(value) = constant {
            return Expression::literal(&value, span);
        }
        let translated = self.translate(i, tree, false, sight).expression;
        let is_whole = tree.as_text().is_some_and(|t| t.trim().starts_with("={{") && t.trim().ends_with("}}"));
        if is_whole { translated } else { Expression::opaque(vec![translated], span) }
    }
}

/// `{name, value}` pairs of every version.
pub(super) fn assignments(parameters: &Tree) -> Vec<(Arc<str>, &Tree)> {
    let mut lists: Vec<&Tree> = Vec::new();
    lists.extend(at(Some(parameters), "assignments.assignments"));
    lists.extend(at(Some(parameters), "fields.values"));
    if let Some(Data::Map(kinds)) = parameters.get("values").map(|v| &v.value) {
        lists.extend(kinds.iter().map(|kind| &kind.value));
    }
    let items =
        lists.into_iter().filter_map(|list| if let Data::List(items) = &list.value { Some(items) } else { None });
    items.flatten().filter_map(pair).collect()
}

fn pair(item: &Tree) -> Option<(Arc<str>, &Tree)> {
    const VALUES: [&str; 6] = ["value", "stringValue", "numberValue", "booleanValue", "arrayValue", "objectValue"];
    let name = item.get("name").and_then(Tree::as_text)?;
    // A text that is evaluated and has nothing to evaluate in it is itself.
    let name = match name.strip_prefix('=') {
        Some(constant) if !constant.contains("{{") => Arc::from(constant),
        _ => name.clone(),
    };
    Some((name, VALUES.iter().find_map(|key| item.get(key))?))
}

pub(super) fn keeps_item(parameters: &Tree, version: f64) -> bool {
    let is =
        |key: &str, wanted: bool| matches!(parameters.get(key).map(|v| &v.value), Some(Data::Bool(b)) if *b == wanted);
    if version < 3.0 {
        return !is("keepOnlySet", true);
    }
    if version < 3.3 {
        let include = text_at(Some(parameters), "include");
        return include.is_none_or(|i| i != "none");
    }
    is("includeOtherFields", true)
}

/// Adds a field; `a.b` is a field of a field.
fn nest(fields: &mut Vec<(Arc<str>, Expression)>, name: &str, value: Expression) {
    let span = value.span;
    match name.split_once('.') {
        Some((outer, inner)) if !inner.is_empty() => {
            let mut below = Vec::new();
            nest(&mut below, inner, value);
            let object = Expression::object(below, span);
            match fields.iter_mut().find(|(n, _)| n.as_ref() == outer) {
                Some((_, known)) => *known = known.clone().merged(object),
                None => fields.push((outer.into(), object)),
            }
        }
        _ => {
            fields.retain(|(n, _)| n.as_ref() != name);
            fields.push((name.into(), value));
        }
    }
}
