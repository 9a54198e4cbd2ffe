//! What is written into records, lists and items after they were made.

use oxc_ast::ast::{self, Expression as E};
use serde_json::Value as Json;

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
        match &a.left {
            ast::AssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.merge(name.name.as_str(), Term::opaque([value.clone()]));
            }
            ast::AssignmentTarget::StaticMemberExpression(m) => {
                let key = m.property.name.as_str();
                match self.written_into(&m.object) {
                    Some(holder) => self.put(holder, Some(key).filter(|_| plain), false, vec![value.clone()]),
                    None => self.put_into_item(&m.object, Some(key), value.clone()),
                }
            }
            ast::AssignmentTarget::ComputedMemberExpression(m) => {
                let key = self.expr(&m.expression);
                self.note(&key);
                let holder = self.written_into(&m.object);
                match (holder, &key) {
                    (Some(holder), Term::Literal(Json::String(key))) if plain => {
                        self.put(holder, Some(key), false, vec![value.clone()]);
                    }
                    (Some(holder), _) => self.put(holder, None, false, vec![key, value.clone()]),
                    (None, Term::Literal(Json::String(key))) => self.put_into_item(&m.object, Some(key), value.clone()),
                    (None, _) => self.put_into_item(&m.object, None, value.clone()),
                }
            }
            _ => return self.beyond(),
        }
        if plain { value } else { Term::opaque([value, self.anything()]) }
    }

    /// `item.json.key = value`: the items of a node are one value here, whichever of them it is, and whenever it is read.
    pub(super) fn put_into_item(&mut self, object: &'a E<'a>, key: Option<&str>, value: Term) {
        let object = self.expr(object);
        self.note(&object);
        if matches!((&object, key), (Term::Item(..), Some("pairedItem"))) {
            return;
        }
        let place = object.within_item().map(|(root, field)| (root.clone(), field.or(key.map(str::to_owned))));
        let Some((root, Some(field))) = place else {
            self.facts.wild = true;
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
