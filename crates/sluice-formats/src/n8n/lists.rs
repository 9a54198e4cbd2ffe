//! Nodes that make lists of items, or items of lists: what comes out has other fields than what goes in, and whoever
//! reads them reads what stood in the old ones.

use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::text::Span;

use super::lower::Lowering;
use super::parameters::{at, is_expression, text_at};

/// Operations of the old node for all of this that leave each item as it is.
const KEEPING: [&str; 3] = ["limit", "removeDuplicates", "sort"];

impl Lowering<'_, '_> {
    /// What a node puts out whose items are not those that it takes; `None` of any other node.
    pub(super) fn regrouped(&self, i: usize, span: Span) -> Option<Expression> {
        let parameters = self.parameters(i);
        match self.short_type(i) {
            "aggregate" => Some(aggregated(parameters, span)),
            "splitOut" => Some(split_out(parameters, span)),
            "summarize" => Some(summarized(parameters, span)),
            "renameKeys" => Some(renamed(parameters, span)),
            "itemLists" => {
                let operation = text_at(parameters, "operation").unwrap_or_default();
                (!KEEPING.contains(&operation.as_str())).then(|| anything(span))
            }
            _ => None,
        }
    }
}

/// One item with lists of what all items had.
fn aggregated(parameters: Option<&Tree>, span: Span) -> Expression {
    if text_at(parameters, "aggregate").is_some_and(|what| what == "aggregateAllItemData") {
        let name = text_at(parameters, "destinationFieldName").filter(|name| !name.is_empty());
        let included = match text_at(parameters, "include").as_deref() {
            Some("specifiedFields") => names(parameters, "fieldsToInclude"),
            _ => None,
        };
        let items = included.map_or_else(|| vec![Expression::input(span)], |names| members(&names, span));
        let items = Expression::opaque(items, span);
        return match plain(name.as_deref().unwrap_or("data")) {
            Some(name) => Expression::object(vec![(name, items)], span),
            None => Expression::opaque(vec![items], span),
        };
    }
    let fields: Option<Vec<_>> = list(at(parameters, "fieldsToAggregate.fieldToAggregate"))
        .map(|field| {
            let of = text_at(Some(field), "fieldToAggregate").filter(|name| !is_expression(name))?;
            let new = text_at(Some(field), "outputFieldName").filter(|name| !name.is_empty());
            let name = plain(new.as_deref().unwrap_or(&of))?;
            Some((name, Expression::opaque(members(&[of], span), span)))
        })
        .collect();
    match fields {
        Some(fields) if !fields.is_empty() => Expression::object(fields, span),
        _ => anything(span),
    }
}

/// An item for each element of a list.
fn split_out(parameters: Option<&Tree>, span: Span) -> Expression {
    let Some(lists) = names(parameters, "fieldToSplitOut") else { return anything(span) };
    let new = names(parameters, "options.destinationFieldName").unwrap_or_default();
    let element = |of: &String| Expression::opaque(members(std::slice::from_ref(of), span), span);
    let called = lists.iter().enumerate().map(|(place, list)| plain(new.get(place).unwrap_or(list)));
    let Some(called) = called.collect::<Option<Vec<Arc<str>>>>() else { return anything(span) };
    let elements = Expression::object(called.into_iter().zip(lists.iter().map(element)).collect(), span);
    match (text_at(parameters, "include").as_deref(), lists.as_slice()) {
        (Some("allOtherFields"), _) => Expression::input(span).merged(elements),
        (Some("selectedOtherFields"), _) => {
            let others = names(parameters, "fieldsToInclude").and_then(|names| {
                names.iter().zip(members(&names, span)).map(|(name, value)| Some((plain(name)?, value))).collect()
            });
            others.map_or_else(|| Expression::input(span), |others| Expression::object(others, span)).merged(elements)
        }
        // An object in the list is the item itself; anything else stands under the list's name.
        (_, [one]) => Expression::one_of(vec![element(one), elements], span),
        _ => elements,
    }
}

/// One item for each group, with what is counted or listed of it under names that are made for it.
fn summarized(parameters: Option<&Tree>, span: Span) -> Expression {
    let values = list(at(parameters, "fieldsToSummarize.values"));
    let read: Option<Vec<String>> =
        values.map(|value| text_at(Some(value), "field").filter(|name| !is_expression(name))).collect();
    let groups = match text_at(parameters, "fieldsToSplitBy") {
        Some(text) if !text.is_empty() => names(parameters, "fieldsToSplitBy"),
        _ => Some(Vec::new()),
    };
    match (read, groups) {
        (Some(mut read), Some(groups)) if !read.is_empty() => {
            read.extend(groups);
            Expression::opaque(members(&read, span), span)
        }
        _ => anything(span),
    }
}

/// The item, some of whose fields have other names.
fn renamed(parameters: Option<&Tree>, span: Span) -> Expression {
    if at(parameters, "additionalOptions.regexReplacement.replacements").is_some() {
        return anything(span);
    }
    let fields: Option<Vec<_>> = list(at(parameters, "keys.key"))
        .map(|key| {
            let of = text_at(Some(key), "currentKey").filter(|name| !is_expression(name))?;
            let name = plain(&text_at(Some(key), "newKey")?)?;
            Some((name, members(&[of], span).pop()?))
        })
        .collect();
    fields.map_or_else(|| anything(span), |fields| Expression::input(span).merged(Expression::object(fields, span)))
}

/// The item, or anything made of it.
fn anything(span: Span) -> Expression {
    let input = Expression::input(span);
    Expression::one_of(vec![input.clone(), Expression::opaque(vec![input], span)], span)
}

/// The names of fields that are listed with commas; `None` if there are none, or some are computed.
fn names(parameters: Option<&Tree>, path: &str) -> Option<Vec<String>> {
    let text = text_at(parameters, path).filter(|text| !is_expression(text))?;
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).filter(|n| !n.is_empty()).collect();
    (!names.is_empty()).then_some(names)
}

/// What the item has under each of these names; a dot leads into a field.
fn members(names: &[String], span: Span) -> Vec<Expression> {
    names
        .iter()
        .map(|name| {
            name.split('.').fold(Expression::input(span), |base, key| match key.parse() {
                Ok(index) => Expression::element(base, index),
                Err(_) => Expression::member(base, key),
            })
        })
        .collect()
}

/// A name under which a field certainly stands: neither computed, nor led to by dots, nor a file's.
fn plain(name: &str) -> Option<Arc<str>> {
    (!is_expression(name) && !name.contains(['.', '[', '$'])).then(|| name.into())
}

fn list(tree: Option<&Tree>) -> impl Iterator<Item = &Tree> {
    let items = tree.and_then(|tree| if let Data::List(items) = &tree.value { Some(items) } else { None });
    items.into_iter().flatten()
}
