//! The text of a parameter: literals and `{{ }}`.

use serde_json::Value as Json;

use super::term::Term;
use super::{Called, expr};

/// How many `}}` may turn out to stand inside an expression.
const CLOSERS_MAX: usize = 8;

pub(super) fn read(text: &str, always: bool) -> (Term, Vec<Called>) {
    let (body, offset) = match text.strip_prefix('=') {
        Some(body) => (body, 1),
        None if always => (text, 0),
        None => return (Term::Literal(text.into()), Vec::new()),
    };
    let mut parts: Vec<Term> = Vec::new();
    let mut calls = Vec::new();
    let mut at = 0;
    while let Some(open) = body.get(at..).and_then(|rest| rest.find("{{")).map(|i| at + i) {
        literal(&mut parts, body.get(at..open));
        let inside = body.get(open + 2..).unwrap_or_default();
        let (term, used) = code(inside, offset + open + 2, &mut calls);
        parts.push(term);
        at = open + 2 + used;
    }
    literal(&mut parts, body.get(at..));
    if parts.len() == 1 && !always {
        return (parts.pop().unwrap_or(Term::UNDEFINED), calls);
    }
    (joined(parts), calls)
}

fn literal(parts: &mut Vec<Term>, text: Option<&str>) {
    if let Some(text) = text.filter(|t| !t.is_empty()) {
        parts.push(Term::Literal(text.into()));
    }
}

/// One text, if all of it is.
fn joined(parts: Vec<Term>) -> Term {
    let text = |part: &Term| match part {
        Term::Literal(Json::String(text)) => Some(text.clone()),
        Term::Literal(Json::Null) => Some(String::new()),
        Term::Literal(json @ (Json::Number(_) | Json::Bool(_))) => Some(json.to_string()),
        _ => None,
    };
    match parts.iter().map(text).collect::<Option<String>>() {
        Some(whole) => Term::Literal(whole.into()),
        None => Term::Text(parts),
    }
}

/// The expression behind `{{`, and how many bytes it has with its `}}`.
fn code(inside: &str, offset: usize, calls: &mut Vec<Called>) -> (Term, usize) {
    let ends = inside.match_indices("}}").map(|(i, _)| i).take(CLOSERS_MAX);
    for end in ends {
        let Some(source) = inside.get(..end) else { continue };
        if let Some((term, found)) = expr::expression(source, offset) {
            calls.extend(found);
            return (term, end + 2);
        }
    }
    // Not to be parsed, wherever it ends: all that follows may belong to it.
    calls.extend(super::scan::calls(inside, offset));
    (super::scan::opaque(inside, offset, super::scan::Names::Expression), inside.len())
}
