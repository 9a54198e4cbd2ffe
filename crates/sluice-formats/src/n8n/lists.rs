//! Nodes that make lists of items, or items of lists: what comes out has other fields than what goes in, and whoever
//! reads them reads what stood in the old ones.
//!
//! Where a node is set in a way that is not known here, it gives its item or anything made of it and of all that its
//! parameters name: a field that is said to hold a constant must hold it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::text::Span;

use super::lower::{Lowering, Sight};
use super::parameters::{at, is_expression, text_at};

/// Operations of the old node for all of this that leave each item as it is.
const KEEPING: [&str; 3] = ["limit", "removeDuplicates", "sort"];

/// Options that change no field; of any other one it is not known.
const AGGREGATE_OPTIONS: [&str; 3] = ["mergeLists", "keepOnlyUnique", "keepMissing"];
const SPLIT_OPTIONS: [&str; 1] = ["destinationFieldName"];

impl Lowering<'_, '_> {
    /// What a node puts out whose items are not those that it takes; `None` of any other node.
    pub(super) fn regrouped(&mut self, i: usize, sight: Sight, span: Span) -> Option<Expression> {
        let parameters = self.parameters(i);
        let known = match self.short_type(i) {
            "aggregate" => aggregated(parameters, span),
            "splitOut" => split_out(parameters, span),
            "summarize" => summarized(parameters, span),
            "renameKeys" => renamed(parameters, span),
            "itemLists" if !text_at(parameters, "operation").is_some_and(|it| KEEPING.contains(&it.as_str())) => None,
            _ => return None,
        };
        let mut read = self.expressions(i, sight);
        if let Some(known) = known.filter(|_| read.is_empty()) {
            return Some(known);
        }
        let input = Expression::input(span);
        read.push(input.clone());
        Some(Expression::one_of(vec![input, Expression::opaque(read, span)], span))
    }
}

/// One item with lists of what all items had.
fn aggregated(parameters: Option<&Tree>, span: Span) -> Option<Expression> {
    only_options(parameters, &AGGREGATE_OPTIONS)?;
    match text_at(parameters, "aggregate").as_deref() {
        Some("aggregateAllItemData") => {}
        None | Some("aggregateIndividualFields") => return gathered(parameters, span),
        Some(_) => return None,
    }
    let items = match text_at(parameters, "include").as_deref() {
        Some("specifiedFields") => read_of(&names(parameters, "fieldsToInclude")?, span),
        None | Some("allFields" | "allFieldsExcept") => vec![Expression::input(span)],
        Some(_) => return None,
    };
    let name = text_at(parameters, "destinationFieldName").filter(|name| !name.is_empty());
    let name = plain(name.as_deref().unwrap_or("data"))?;
    Some(Expression::object(vec![(name, Expression::opaque(items, span))], span))
}

/// Each field as a list of its own.
fn gathered(parameters: Option<&Tree>, span: Span) -> Option<Expression> {
    let mut fields: Vec<(Arc<str>, Expression)> = Vec::new();
    for field in list(at(parameters, "fieldsToAggregate.fieldToAggregate")) {
        let of = text_at(Some(field), "fieldToAggregate")?;
        let new = text_at(Some(field), "outputFieldName").filter(|name| !name.is_empty());
        let is_renamed = text_at(Some(field), "renameField").map(|is| is == "true");
        let values = || Expression::opaque(read_of(std::slice::from_ref(&of), span), span);
        // What is left of a name that is not used any more may count or not.
        if is_renamed != Some(true) || new.is_none() {
            fields.push((plain(&of)?, values()));
        }
        if let Some(new) = new.filter(|_| is_renamed != Some(false)) {
            fields.push((plain(&new)?, values()));
        }
    }
    (!fields.is_empty() && !has_twins(&fields)).then(|| Expression::object(fields, span))
}

/// An item for each element of a list.
fn split_out(parameters: Option<&Tree>, span: Span) -> Option<Expression> {
    only_options(parameters, &SPLIT_OPTIONS)?;
    let lists = names(parameters, "fieldToSplitOut")?;
    let new = match text_at(parameters, "options.destinationFieldName") {
        Some(text) if !text.is_empty() => names(parameters, "options.destinationFieldName")?,
        _ => Vec::new(),
    };
    let element = |of: &String| Expression::opaque(read_of(std::slice::from_ref(of), span), span);
    let mut fields = Vec::new();
    for (place, of) in lists.iter().enumerate() {
        fields.push((plain(new.get(place).unwrap_or(of))?, element(of)));
    }
    if has_twins(&fields) {
        return None;
    }
    match (text_at(parameters, "include").as_deref(), lists.as_slice()) {
        // An object in the list is the item itself; anything else stands under the list's name.
        (None | Some("noOtherFields"), [one]) => {
            Some(Expression::one_of(vec![element(one), Expression::object(fields, span)], span))
        }
        (None | Some("noOtherFields"), _) => Some(Expression::object(fields, span)),
        (Some("allOtherFields"), [_]) => Some(Expression::input(span).merged(Expression::object(fields, span))),
        (Some("selectedOtherFields"), _) => {
            let others = names(parameters, "fieldsToInclude")?;
            for (name, value) in others.iter().zip(read_of(&others, span)) {
                fields.push((plain(name)?, value));
            }
            (!has_twins(&fields)).then(|| Expression::object(fields, span))
        }
        // Lists are not as long as each other: what stays of the item below the shorter one is not known.
        _ => None,
    }
}

/// One item for each group, with what is counted or listed of it under names that are made for it.
fn summarized(parameters: Option<&Tree>, span: Span) -> Option<Expression> {
    let values = list(at(parameters, "fieldsToSummarize.values"));
    let mut read = values.map(|value| text_at(Some(value), "field")).collect::<Option<Vec<_>>>()?;
    if text_at(parameters, "fieldsToSplitBy").is_some_and(|text| !text.is_empty()) {
        read.extend(names(parameters, "fieldsToSplitBy")?);
    }
    (!read.is_empty()).then(|| Expression::opaque(read_of(&read, span), span))
}

/// The item, some of whose fields have other names. Where there is no field of the old name, that of the new one may stay.
fn renamed(parameters: Option<&Tree>, span: Span) -> Option<Expression> {
    let has_options = match at(parameters, "additionalOptions").map(|tree| &tree.value) {
        None => false,
        Some(Data::Map(entries)) => !entries.is_empty(),
        Some(_) => true,
    };
    if has_options {
        return None;
    }
    let mut fields: BTreeMap<Arc<str>, Vec<Expression>> = BTreeMap::new();
    for key in list(at(parameters, "keys.key")) {
        let of = text_at(Some(key), "currentKey")?;
        let name = plain(&text_at(Some(key), "newKey")?)?;
        let values =
            fields.entry(name.clone()).or_insert_with(|| vec![Expression::member(Expression::input(span), &name)]);
        values.extend(read_of(&[of], span));
    }
    // What got a new name may get another one after it.
    let is_chain = list(at(parameters, "keys.key"))
        .any(|key| text_at(Some(key), "currentKey").is_some_and(|of| fields.contains_key(of.as_str())));
    let fields = fields.into_iter().map(|(name, values)| (name, Expression::one_of(values, span))).collect();
    (!is_chain).then(|| Expression::input(span).merged(Expression::object(fields, span)))
}

/// `None` if an option is set that is none of these.
fn only_options(parameters: Option<&Tree>, known: &[&str]) -> Option<()> {
    match at(parameters, "options").map(|tree| &tree.value) {
        None => Some(()),
        Some(Data::Map(entries)) => entries.iter().all(|entry| known.contains(&entry.key.as_ref())).then_some(()),
        Some(_) => None,
    }
}

/// The names of fields that are listed with commas; `None` if there are none.
fn names(parameters: Option<&Tree>, path: &str) -> Option<Vec<String>> {
    let text = text_at(parameters, path)?;
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).filter(|n| !n.is_empty()).collect();
    (!names.is_empty()).then_some(names)
}

/// What the item has under each of these names. A dot leads into a field, or is a part of its name; what else leads
/// somewhere may lead anywhere.
fn read_of(names: &[String], span: Span) -> Vec<Expression> {
    let input = || Expression::input(span);
    let value = |name: &String| match plain(name) {
        Some(name) => Expression::member(input(), &name),
        None if name.contains(['[', ']', '$', '"', '\'', '=']) => Expression::opaque(vec![input()], span),
        None => {
            let inside = name.split('.').fold(input(), |base, key| match key.parse() {
                Ok(index) => Expression::element(base, index),
                Err(_) => Expression::member(base, key),
            });
            Expression::one_of(vec![inside, Expression::member(input(), name)], span)
        }
    };
    names.iter().map(value).collect()
}

/// A name under which a field certainly stands: neither computed, nor led to by dots, nor a file's.
fn plain(name: &str) -> Option<Arc<str>> {
    (!is_expression(name) && !name.contains(['.', '[', ']', '$', '"', '\''])).then(|| name.into())
}

fn has_twins(fields: &[(Arc<str>, Expression)]) -> bool {
    fields.iter().enumerate().any(|(at, (name, _))| fields.iter().skip(at + 1).any(|(other, _)| other == name))
}

fn list(tree: Option<&Tree>) -> impl Iterator<Item = &Tree> {
    let items = tree.and_then(|tree| if let Data::List(items) = &tree.value { Some(items) } else { None });
    items.into_iter().flatten()
}
