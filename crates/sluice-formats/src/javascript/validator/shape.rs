//! Which parts of the item at hand are where in the item that is returned.

use std::sync::Arc;

use oxc_ast::ast::{self, Expression as E};
use sluice_core::expression::Path;

use super::names::{Meaning, Names, key};
use crate::guard::Known;
use crate::javascript::Mode;

/// Fields of an item besides its data. An object with one of these may be taken for an item.
const OF_ITEMS: [&str; 5] = ["json", "binary", "pairedItem", "error", "index"];

/// A part that is copied.
struct Copied {
    to: Path,
    from: Path,
    /// Fields of it that are not.
    except: Vec<Arc<str>>,
}

/// What is known of the item that an expression makes, by what is known of the one at hand.
pub(super) fn of_item(names: &Names, e: &E<'_>, known: &Known<Path>) -> Known<Path> {
    let mut found = Known::new();
    for copied in item(names, e) {
        for (path, admits) in known {
            let Some(rest) = path.strip_prefix(copied.from.as_slice()) else { continue };
            if rest.first().is_none_or(|key| !copied.except.contains(key)) {
                found.insert([copied.to.as_slice(), rest].concat(), admits.clone());
            }
        }
    }
    found
}

fn item(names: &Names, e: &E<'_>) -> Vec<Copied> {
    if names.mode() == Mode::FunctionItem {
        return data(names, e, &Path::new());
    }
    match e.without_parentheses() {
        E::ArrayExpression(list) if names.mode() != Mode::EachItem => match list.elements.as_slice() {
            [only] => only.as_expression().map(|only| one(names, only)).unwrap_or_default(),
            _ => Vec::new(),
        },
        other => one(names, other),
    }
}

fn one(names: &Names, e: &E<'_>) -> Vec<Copied> {
    let whole = e.without_parentheses();
    if names.meaning(whole) == Meaning::Item {
        return vec![Copied { to: Path::new(), from: Path::new(), except: Vec::new() }];
    }
    let E::ObjectExpression(object) = whole else { return Vec::new() };
    let fields: Option<Vec<(Arc<str>, &E<'_>)>> = object.properties.iter().map(field).collect();
    let Some(fields) = fields else { return behind_spread(names, object) };
    match fields.iter().filter(|(key, _)| key.as_ref() == "json").map(|(_, value)| value).collect::<Vec<_>>().as_slice()
    {
        [json] => data(names, json, &Path::new()),
        [] if fields.iter().all(|(key, _)| !OF_ITEMS.contains(&key.as_ref())) => data(names, e, &Path::new()),
        _ => Vec::new(),
    }
}

/// `{ ...item, json: … }`: what is written last counts.
fn behind_spread(names: &Names, object: &ast::ObjectExpression<'_>) -> Vec<Copied> {
    let last = object.properties.last().and_then(field);
    last.filter(|(key, _)| key.as_ref() == "json").map(|(_, json)| data(names, json, &Path::new())).unwrap_or_default()
}

/// The name and value of a field; none of a spread, of a computed name, and of what is none but sets the prototype.
fn field<'f>(property: &'f ast::ObjectPropertyKind<'f>) -> Option<(Arc<str>, &'f E<'f>)> {
    let ast::ObjectPropertyKind::ObjectProperty(p) = property else { return None };
    let name = key(&p.key, p.computed).filter(|name| name.as_ref() != "__proto__")?;
    Some((name, &p.value))
}

fn data(names: &Names, e: &E<'_>, to: &Path) -> Vec<Copied> {
    match (names.meaning(e), e.without_parentheses()) {
        (Meaning::Json(from), _) => vec![Copied { to: to.clone(), from, except: Vec::new() }],
        (_, E::ObjectExpression(object)) => fields(names, object, to),
        _ => Vec::new(),
    }
}

/// Of fields with the same name the last counts. What a spread gives may be missing there: then a field that was written
/// before it shows, so that of such nothing is known.
fn fields(names: &Names, object: &ast::ObjectExpression<'_>, to: &Path) -> Vec<Copied> {
    let spreads = object.properties.iter().filter(|p| p.is_spread()).count();
    let written: Vec<Arc<str>> = object.properties.iter().filter_map(field).map(|(name, _)| name).collect();
    if spreads > 1 || written.len() + spreads < object.properties.len() {
        return Vec::new();
    }
    let mut copies: Vec<Copied> = Vec::new();
    for property in &object.properties {
        if let ast::ObjectPropertyKind::SpreadProperty(spread) = property {
            copies.clear();
            if let Meaning::Json(from) = names.meaning(&spread.argument) {
                copies.push(Copied { to: to.clone(), from, except: written.clone() });
            }
        } else if let Some((name, value)) = field(property) {
            copies.retain(|copied| copied.to.get(to.len()) != Some(&name));
            let mut below = to.clone();
            below.push(name);
            copies.extend(data(names, value, &below));
        }
    }
    copies
}
