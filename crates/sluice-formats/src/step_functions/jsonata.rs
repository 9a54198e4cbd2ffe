//! JSONata: `{% … %}`, opaque over what its text names.
//!
//! A text that is nothing but a path of names is read exactly. Everything else is anything made from the roots that stand
//! in it, also inside quotes: `$eval` takes texts for programs.

use sluice_core::expression::Expression;
use sluice_core::text::Span;

use super::scope::{Read, Scope};
use crate::wiring::place_variable;

/// What stands between `{%` and `%}`, if that is all there is.
pub(super) fn inside(text: &str) -> Option<&str> {
    text.trim().strip_prefix("{%")?.strip_suffix("%}")
}

/// Reads a text with or without its marks.
pub(super) fn read(text: &str, scope: &Scope, span: Span) -> Read {
    let program = inside(text).unwrap_or(text).trim();
    if let Some((expression, "")) = path_at(program, scope, span) {
        return Read { expression, is_opaque: false };
    }
    let mut parts = Vec::new();
    let mut rest = program;
    while let Some(at) = rest.find('$') {
        rest = rest.get(at..).unwrap_or_default();
        match path_at(rest, scope, span) {
            Some((expression, after)) => {
                parts.push(expression);
                rest = after;
            }
            None => rest = rest.get(1..).unwrap_or_default(),
        }
    }
    let is_opaque = !parts.is_empty();
    Read { expression: Expression::opaque(parts, span), is_opaque }
}

/// A root that is known at the very start of a text, with the names behind it, and what follows.
pub(super) fn path_at<'s>(text: &'s str, scope: &Scope, span: Span) -> Option<(Expression, &'s str)> {
    let after = text.strip_prefix('$')?;
    if let Some(rest) = after.strip_prefix('$') {
        return Some((Expression::opaque(scope.everything(span), span), rest));
    }
    let (name, rest) = word(after);
    let (names, rest) = chain(rest);
    if name != "states" {
        let place = scope.variables.get(name)?;
        let base = place_variable(*place, span);
        return Some((names.iter().fold(base, |e, n| Expression::member(e, n)), rest));
    }
    let root = names.first().map(String::as_str);
    let below = names.get(1..).unwrap_or_default();
    let placed = |place: Option<sluice_core::program::PlaceId>| {
        let base = place.map_or_else(|| Expression::opaque(Vec::new(), span), |p| place_variable(p, span));
        below.iter().fold(base, |e, n| Expression::member(e, n))
    };
    let expression = match root {
        Some("input") => match below.split_first() {
            Some((first, more)) => more.iter().fold(scope.input.field(first, span), |e, n| Expression::member(e, n)),
            None => scope.input.all(span),
        },
        Some("result") => placed(scope.result),
        Some("errorOutput") => placed(scope.error),
        Some("context") => scope.context(below, span),
        _ => Expression::opaque(scope.everything(span), span),
    };
    Some((expression, rest))
}

/// The names `.a.b` at the start of a text. JSONata maps over lists on the way, so that a name of a list means those of
/// its elements: the labels are the same.
fn chain(text: &str) -> (Vec<String>, &str) {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix('.') {
        let (name, behind) = match after.strip_prefix('`').and_then(|quoted| quoted.split_once('`')) {
            Some(quoted) => quoted,
            None => word(after),
        };
        // `a.length(…)` is no name of the data.
        if name.is_empty() || behind.starts_with('(') {
            break;
        }
        names.push(name.to_owned());
        rest = behind;
    }
    (names, rest)
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
