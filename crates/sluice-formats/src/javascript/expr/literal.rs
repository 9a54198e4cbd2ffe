//! Lists and records as they are written.

use std::sync::Arc;

use oxc_ast::ast;
use serde_json::Value as Json;

use super::Walker;
use crate::javascript::term::Term;

impl<'a> Walker<'a> {
    pub(super) fn list(&mut self, list: &'a ast::ArrayExpression<'a>) -> Term {
        let (mut items, mut exact) = (Vec::new(), true);
        for element in &list.elements {
            match element {
                ast::ArrayExpressionElement::SpreadElement(spread) => {
                    exact = false;
                    match self.expr(&spread.argument) {
                        Term::List(parts, _) => items.extend(parts),
                        other => items.push(Term::opaque([other])),
                    }
                }
                ast::ArrayExpressionElement::Elision(_) => items.push(Term::UNDEFINED),
                other => items.push(other.as_expression().map_or(Term::UNDEFINED, |e| self.expr(e))),
            }
        }
        Term::List(items, !exact)
    }

    pub(super) fn object(&mut self, object: &'a ast::ObjectExpression<'a>) -> Term {
        let (mut layers, mut rest): (Vec<Term>, Vec<Term>) = (Vec::new(), Vec::new());
        let mut fields: Vec<(Arc<str>, Term)> = Vec::new();
        for property in &object.properties {
            match property {
                ast::ObjectPropertyKind::ObjectProperty(p) => {
                    let key = self.key(&p.key);
                    let value = self.given(&p.value).unwrap_or_else(|| self.expr(&p.value));
                    match key {
                        Ok(key) => set(&mut fields, key, value),
                        Err(key) => rest.extend([key, value]),
                    }
                }
                ast::ObjectPropertyKind::SpreadProperty(spread) => match self.expr(&spread.argument) {
                    Term::Object(more) => {
                        // A field that was put in later may never have been: then what lies below shows.
                        let is_sure =
                            matches!(spread.argument.without_parentheses(), ast::Expression::ObjectExpression(_));
                        for (key, value) in more {
                            let value = if is_sure { value } else { self.or_below(&fields, &layers, &key, value) };
                            set(&mut fields, key, value);
                        }
                    }
                    Term::Literal(Json::Null) => {}
                    record => {
                        let record = if record.is_record() { record } else { Term::opaque([record]) };
                        let below = std::mem::take(&mut fields);
                        layers.extend((!below.is_empty()).then_some(Term::Object(below)));
                        layers.push(record);
                    }
                },
            }
        }
        if rest.is_empty() && layers.is_empty() {
            return Term::Object(fields);
        }
        if !rest.is_empty() {
            return Term::opaque(layers.into_iter().chain(fields.into_iter().map(|(_, v)| v)).chain(rest));
        }
        layers.extend((!fields.is_empty()).then_some(Term::Object(fields)));
        Term::Merged(layers)
    }

    /// A field that may be there, over what lies below it.
    fn or_below(&self, fields: &[(Arc<str>, Term)], layers: &[Term], key: &Arc<str>, value: Term) -> Term {
        let below = match fields.iter().rev().find(|(known, _)| known == key) {
            Some((_, below)) => Some(below.clone()),
            None if layers.is_empty() => None,
            None => Some(Term::Merged(layers.to_vec()).member(key)),
        };
        match below {
            Some(below) if below != value => Term::opaque([below, value]),
            _ => value,
        }
    }

    /// The name of a field, or what it is made from.
    pub(super) fn key(&mut self, key: &'a ast::PropertyKey<'a>) -> Result<Arc<str>, Term> {
        match key {
            ast::PropertyKey::StaticIdentifier(key) => Ok(key.name.as_str().into()),
            ast::PropertyKey::StringLiteral(key) => Ok(key.value.as_str().into()),
            ast::PropertyKey::NumericLiteral(key) => Ok(key.value.to_string().into()),
            other => match other.as_expression().map_or(Term::UNDEFINED, |e| self.expr(e)) {
                Term::Literal(Json::String(key)) if self.loose.is_none() => Ok(key.as_str().into()),
                made => Err(made),
            },
        }
    }
}

/// The later of two fields of one name counts.
pub(super) fn set(fields: &mut Vec<(Arc<str>, Term)>, key: Arc<str>, value: Term) {
    fields.retain(|(known, _)| *known != key);
    fields.push((key, value));
}
