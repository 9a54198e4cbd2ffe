//! What is written into records, lists and items after they were made.

use std::sync::Arc;

use oxc_ast::ast::{self, Expression as E};
use serde_json::Value as Json;

use super::operators::is_written;
use super::{IntoItems, TERM_MAX, Walker};
use crate::javascript::Root;
use crate::javascript::term::Term;

impl<'a> Walker<'a> {
    /// The one name that holds a new object which is written into here.
    pub(super) fn written_into(&self, object: &'a E<'a>) -> Option<&'a str> {
        let E::Identifier(name) = object else { return None };
        let uses = self.facts.names.get(name.name.as_str())?;
        (uses.fresh && uses.written > 0 && uses.declared == 1 && uses.assigned == 0).then(|| name.name.as_str())
    }

    /// Adds to what a name holds.
    pub(super) fn put(&mut self, holder: &'a str, key: Option<&str>, pushed: bool, values: Vec<Term>) {
        values.iter().for_each(|v| self.note(v));
        let held = self.tracked.remove(holder).unwrap_or_else(|| Term::Opaque(Vec::new()));
        let now = match (held, key) {
            (Term::Object(mut fields), Some(key)) => {
                for value in values {
                    match fields.iter_mut().find(|(k, _)| k.as_ref() == key) {
                        Some((_, old)) if *old == value => {}
                        // Written in an earlier round: the parts are there already.
                        Some((_, old)) => *old = Term::opaque([old.clone(), value]),
                        None => fields.push((key.into(), value)),
                    }
                }
                Term::Object(fields)
            }
            (held @ Term::Merged(_), Some(key)) => {
                let old = held.clone().member(key);
                let new = match values.as_slice() {
                    [only] if *only == old => old,
                    _ => Term::opaque([old].into_iter().chain(values)),
                };
                held.overlaid(key, new)
            }
            (Term::List(mut items, _), None) if pushed => {
                for value in values {
                    if !items.contains(&value) {
                        items.push(value);
                    }
                }
                Term::List(items, true)
            }
            (held, _) => Term::opaque([held].into_iter().chain(values)),
        };
        self.gave_up |= now.size() > TERM_MAX;
        self.tracked.insert(holder, now);
    }

    pub(super) fn assignment(&mut self, a: &'a ast::AssignmentExpression<'a>) -> Term {
        let value = self.expr(&a.right);
        self.note(&value);
        let plain = a.operator == ast::AssignmentOperator::Assign;
        let old = match &a.left {
            _ if plain => None,
            ast::AssignmentTarget::StaticMemberExpression(m) => Some(self.static_member(m)),
            ast::AssignmentTarget::ComputedMemberExpression(m) => Some(self.computed_member(m)),
            _ => None,
        };
        let value = match old {
            Some(old) => Term::opaque([old, value]),
            None => value,
        };
        match &a.left {
            ast::AssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.merge(name.name.as_str(), Term::opaque([value.clone()]));
            }
            ast::AssignmentTarget::StaticMemberExpression(m) => {
                let key = m.property.name.as_str();
                self.put_at(&m.object, Ok(key), value.clone());
            }
            ast::AssignmentTarget::ComputedMemberExpression(m) => {
                let key = self.expr(&m.expression);
                let key = self.sure(&m.expression, key);
                match self.written_into(&m.object).filter(|_| !plain) {
                    Some(holder) => self.put(holder, None, false, vec![key, value.clone()]),
                    None => self.put_keyed(&m.object, key, value.clone()),
                }
            }
            _ => return self.beyond(),
        }
        if plain { value } else { Term::opaque([value, self.anything()]) }
    }

    /// `counts[key]++`: a number, under a key that may say more.
    pub(super) fn update(&mut self, u: &'a ast::UpdateExpression<'a>) -> Term {
        match &u.argument {
            ast::SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                let number = Term::harmless([self.name(name.name.as_str(), self.at(u))]);
                self.merge(name.name.as_str(), Term::opaque([number.clone()]));
                number
            }
            ast::SimpleAssignmentTarget::StaticMemberExpression(m) => {
                let old = self.static_member(m);
                let number = Term::harmless([old]);
                self.put_at(&m.object, Ok(m.property.name.as_str()), number.clone());
                number
            }
            ast::SimpleAssignmentTarget::ComputedMemberExpression(m) => {
                let number = Term::harmless([self.computed_member(m)]);
                let key = self.expr(&m.expression);
                let key = self.sure(&m.expression, key);
                self.put_keyed(&m.object, key, number.clone());
                number
            }
            _ => self.beyond(),
        }
    }

    /// `object[key] = value`
    fn put_keyed(&mut self, object: &'a E<'a>, key: Term, value: Term) {
        self.note(&key);
        match &key {
            Term::Literal(Json::String(known)) if is_of_the_language(known) => {
                self.beyond();
            }
            Term::Literal(Json::String(known)) => self.put_at(object, Ok(known), value),
            _ => self.put_at(object, Err(key), value),
        }
    }

    /// Puts a value into what an expression stands for, under a key, or what that is made from.
    fn put_at(&mut self, object: &'a E<'a>, key: Result<&str, Term>, value: Term) {
        match (self.written_into(object), key) {
            (Some(holder), Ok(key)) => self.put(holder, Some(key), false, vec![value]),
            (Some(holder), Err(key)) => self.put(holder, None, false, vec![key, value]),
            (None, Ok(key)) => self.put_into_item(object, Some(key), value),
            (None, Err(key)) => {
                self.loosen([key]);
                self.put_into_item(object, None, value);
            }
        }
    }

    /// A key that is known by its name alone is not known any more once something was written that is not followed.
    pub(super) fn sure(&mut self, written: &E<'a>, key: Term) -> Term {
        match &key {
            Term::Literal(Json::String(known)) if is_of_the_language(known) => self.beyond(),
            Term::Literal(_) if self.loose.is_some() && !is_written(written) => Term::Opaque(Vec::new()),
            _ => key,
        }
    }

    /// Something is written that is followed by nobody.
    pub(super) fn loosen(&mut self, values: impl IntoIterator<Item = Term>) {
        let mut all = self.loose.take().unwrap_or_default();
        for value in values {
            self.note(&value);
            value.add_parts(&mut all);
        }
        self.gave_up |= all.len() > TERM_MAX;
        self.loose = Some(all);
    }

    /// A value into which, or into what it was made from, anything may have been written that was not followed. Fields stay
    /// apart: what is written comes to each, and to those that are not listed.
    pub(super) fn with_loose(&self, term: Term) -> Term {
        match &self.loose {
            Some(written) => written_over(term, written),
            None => term,
        }
    }

    /// `item.json.key = value`: the items of a node are one value here, whichever of them it is, and whenever it is read.
    pub(super) fn put_into_item(&mut self, object: &'a E<'a>, key: Option<&str>, value: Term) {
        let object = self.expr(object);
        self.note(&object);
        if matches!((&object, key), (Term::Item(..), Some("pairedItem"))) {
            return;
        }
        if object.within_item().is_some_and(|(root, _)| *root == Root::Binary) {
            self.loosen([value]);
            return;
        }
        let place = object.within_item().map(|(root, field)| (root.clone(), field.or(key.map(str::to_owned))));
        let Some((root, Some(field))) = place else {
            self.loosen([value]);
            return;
        };
        let old = self.into_items.remove(&(root.clone(), field.clone()));
        let all = Term::opaque(old.clone().into_iter().chain([value.clone()]));
        let now = if old.as_ref().is_none_or(|old| *old == value) { value } else { all };
        self.gave_up |= now.size() > TERM_MAX;
        self.into_items.insert((root, field), now);
    }

    /// A value in which every item has, beside its own fields, what was put into it.
    pub(super) fn with_written(&self, term: Term) -> Term {
        if self.into_items.is_empty() {
            return term;
        }
        // What was put in may itself have been read of an item that had been written into.
        let all = Term::opaque(self.into_items.values().cloned());
        let whole = |root: Root, at, key: Option<&str>| {
            let touched = self.into_items.keys().any(|(other, _)| *other == root);
            let place = Term::Place(root, at);
            let item = if touched { Term::opaque([all.clone(), place]) } else { place };
            key.map_or_else(|| item.clone(), |key| item.clone().member(key))
        };
        let put: IntoItems = self
            .into_items
            .iter()
            .map(|((root, field), value)| ((root.clone(), field.clone()), value.clone().with_items(&whole)))
            .collect();
        let field_of = |root: &Root, at, field: &str, value: &Term| {
            let own = Term::Place(root.clone(), at).member(field);
            if value.same_read(&own) { own } else { Term::opaque([own, value.clone()]) }
        };
        term.with_items(&|root, at, key| match key {
            Some(key) => match put.get(&(root.clone(), key.to_owned())) {
                Some(value) => field_of(&root, at, key, value),
                None => Term::Place(root, at).member(key),
            },
            None => put
                .iter()
                .filter(|((other, _), _)| *other == root)
                .fold(Term::Place(root.clone(), at), |item, ((_, field), value)| {
                    item.overlaid(field, field_of(&root, at, field, value))
                }),
        })
    }
}

/// What an object has of the language, and by which text is run.
pub(super) fn is_of_the_language(key: &str) -> bool {
    matches!(key, "constructor" | "__proto__" | "prototype")
}

fn written_over(term: Term, written: &[Term]) -> Term {
    let fields = |fields: Vec<(Arc<str>, Term)>| {
        Term::Object(fields.into_iter().map(|(key, value)| (key, written_over(value, written))).collect())
    };
    let any = || Term::Opaque(written.to_vec());
    match term {
        Term::Object(known) => Term::Merged(vec![any(), fields(known)]),
        Term::Merged(layers) => {
            let layers = layers.into_iter().map(|layer| match layer {
                Term::Object(known) => fields(known),
                other => other,
            });
            Term::Merged([any()].into_iter().chain(layers).collect())
        }
        Term::List(items, _) => {
            Term::List(items.into_iter().map(|item| written_over(item, written)).chain([any()]).collect(), true)
        }
        other => Term::opaque([any(), other]),
    }
}
