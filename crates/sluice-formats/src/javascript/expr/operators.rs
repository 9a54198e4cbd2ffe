//! Operators, and what they are of known values.

use oxc_ast::ast;
use serde_json::Value as Json;

use super::Walker;
use crate::javascript::term::Term;

impl<'a> Walker<'a> {
    pub(super) fn conditional(&mut self, c: &'a ast::ConditionalExpression<'a>) -> Term {
        let test = self.expr(&c.test);
        self.note(&test);
        // What a name holds may be another thing when it is asked: only what is written here is surely so.
        match truth(&test).filter(|_| is_written(&c.test)) {
            Some(true) => return self.expr(&c.consequent),
            Some(false) => return self.expr(&c.alternate),
            None => {}
        }
        let (then, other) = (self.expr(&c.consequent), self.expr(&c.alternate));
        // In a program, which way it takes is no data, as everywhere in an import; in an expression it is all there is.
        let test = self.mode.is_none().then(|| Term::harmless([test]));
        Term::opaque([then, other].into_iter().chain(test))
    }

    pub(super) fn logical(&mut self, l: &'a ast::LogicalExpression<'a>) -> Term {
        let left = self.expr(&l.left);
        let right = self.expr(&l.right);
        match (l.operator.as_str(), truth(&left)) {
            ("||", Some(false)) | ("&&", Some(true)) => right,
            ("??", _) if left == Term::UNDEFINED => right,
            ("&&", _) => Term::opaque([Term::harmless([left]), right]),
            _ => Term::opaque([left, right]),
        }
    }

    pub(super) fn binary(&mut self, b: &'a ast::BinaryExpression<'a>) -> Term {
        let (left, right) = (self.expr(&b.left), self.expr(&b.right));
        let operator = b.operator.as_str();
        if let (Term::Literal(l), Term::Literal(r)) = (&left, &right)
            && let Some(folded) = folded(operator, l, r)
        {
            return folded;
        }
        if operator != "+" {
            return Term::harmless([left, right]);
        }
        let is_text = |t: &Term| matches!(t, Term::Literal(Json::String(_)) | Term::Text(_));
        if is_text(&left) || is_text(&right) {
            let mut parts = Vec::new();
            for side in [left, right] {
                match side {
                    Term::Text(more) => parts.extend(more),
                    other => parts.push(other),
                }
            }
            return Term::Text(parts);
        }
        match (left, right) {
            (l @ Term::Harmless(_), r @ Term::Harmless(_)) => Term::harmless([l, r]),
            (l, r) => Term::opaque([l, r]),
        }
    }

    pub(super) fn unary(&mut self, u: &'a ast::UnaryExpression<'a>) -> Term {
        let of = self.expr(&u.argument);
        match (u.operator.as_str(), &of) {
            ("void", _) => {
                self.note(&of);
                Term::UNDEFINED
            }
            ("-", Term::Literal(Json::Number(n))) => n.as_f64().map_or(Term::UNDEFINED, |n| number(-n)),
            ("!", _) if truth(&of).is_some() && is_written(&u.argument) => {
                Term::Literal((truth(&of) == Some(false)).into())
            }
            _ => Term::harmless([of]),
        }
    }
}

/// Whether a constant stands there itself, not the name of one.
pub(super) fn is_written(e: &ast::Expression<'_>) -> bool {
    match e.without_parentheses() {
        ast::Expression::UnaryExpression(u) => is_written(&u.argument),
        e => e.is_literal(),
    }
}

/// The longest text that is put together of known ones: doubled often enough, a short one fills all memory.
const FOLDED_BYTES_MAX: usize = 4 << 10;

pub(super) fn number(n: f64) -> Term {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and exact in 53 bits")]
    let whole = n as i64;
    if n.fract() == 0.0 && n.abs() < 9e15 {
        return Term::Literal(whole.into());
    }
    serde_json::Number::from_f64(n).map_or(Term::Opaque(Vec::new()), |n| Term::Literal(n.into()))
}

/// Whether JavaScript takes a known value for true.
pub(super) fn truth(term: &Term) -> Option<bool> {
    match term {
        Term::Literal(json) => Some(match json {
            Json::Null => false,
            Json::Bool(b) => *b,
            Json::Number(n) => n.as_f64().is_some_and(|n| n != 0.0),
            Json::String(s) => !s.is_empty(),
            Json::Array(_) | Json::Object(_) => true,
        }),
        _ => None,
    }
}

pub(super) fn folded(operator: &str, l: &Json, r: &Json) -> Option<Term> {
    if let (Json::Number(l), Json::Number(r)) = (l, r) {
        let (l, r) = (l.as_f64()?, r.as_f64()?);
        return match operator {
            "+" => Some(number(l + r)),
            "-" => Some(number(l - r)),
            "*" => Some(number(l * r)),
            "/" if r != 0.0 => Some(number(l / r)),
            "===" | "==" => Some(Term::Literal((l == r).into())),
            _ => None,
        };
    }
    match (operator, l, r) {
        ("+", Json::String(l), Json::String(r)) if l.len() + r.len() > FOLDED_BYTES_MAX => None,
        ("+", Json::String(l), Json::String(r)) => Some(Term::Literal(format!("{l}{r}").into())),
        ("===" | "==", Json::String(l), Json::String(r)) => Some(Term::Literal((l == r).into())),
        ("+", Json::String(l), Json::Number(r)) => Some(Term::Literal(format!("{l}{r}").into())),
        ("+", Json::Number(l), Json::String(r)) => Some(Term::Literal(format!("{l}{r}").into())),
        _ => None,
    }
}
