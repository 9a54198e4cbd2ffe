//! What names are bound to.

use oxc_ast::ast;

use super::{TERM_MAX, Walker};
use crate::javascript::term::Term;

impl<'a> Walker<'a> {
    /// Binds a parameter that nothing else changes; any other is followed by nobody.
    pub(super) fn bind_param(&mut self, pattern: &'a ast::BindingPattern<'a>, given: Term) {
        self.destructure(pattern, given, &mut |walker, name, term| {
            let uses = walker.facts.names.get(name);
            let steady = uses.is_some_and(|u| u.assigned == 0 && u.declared == 1);
            let is_item = matches!(term, Term::Item(..) | Term::Place(..));
            if steady && (is_item || uses.is_some_and(|u| u.written == 0)) {
                walker.scopes.push((name, term));
            } else {
                walker.merge(name, term);
            }
        });
    }

    /// Binds the names of a declaration.
    pub(in crate::javascript) fn bind(&mut self, pattern: &'a ast::BindingPattern<'a>, given: Term) {
        self.destructure(pattern, given, &mut |walker, name, term| {
            let Some(uses) = walker.facts.names.get(name).cloned() else { return };
            if uses.declared != 1 || uses.assigned > 0 {
                walker.merge(name, term);
            } else if uses.written == 0 {
                if !matches!(term, Term::Place(..) | Term::Handle(..) | Term::Item(..) | Term::Items(..)) {
                    walker.note(&term);
                }
                walker.gave_up |= term.size() > TERM_MAX;
                walker.constants.insert(name, term);
            } else {
                walker.note(&term);
                walker.hold(name, term, uses.fresh);
            }
        });
    }

    /// What a name holds at first; what an earlier round saw put into it stays.
    pub(super) fn hold(&mut self, name: &'a str, term: Term, fresh: bool) {
        let now = match (self.tracked.remove(name), term) {
            (Some(Term::Object(mut fields)), Term::Object(more)) if fresh => {
                for (key, value) in more {
                    match fields.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, old)) if *old == value => {}
                        Some((_, old)) => *old = Term::opaque([old.clone(), value]),
                        None => fields.push((key, value)),
                    }
                }
                Term::Object(fields)
            }
            (Some(old), new) if fresh && old != new && !old.holds(&new) => Term::opaque([old, new]),
            (Some(old), _) if fresh => old,
            (_, new) => new,
        };
        self.tracked.insert(name, now);
    }

    /// Adds to what a name may stand for.
    pub(super) fn merge(&mut self, name: &'a str, term: Term) {
        let whole = matches!(term, Term::Place(..) | Term::Handle(..) | Term::Item(..) | Term::Items(..));
        if !whole || self.facts.names.get(name).is_none_or(|u| u.written > 0) {
            self.note(&term);
        }
        let both = match self.merged.remove(name) {
            Some(old) if old.same_read(&term) => old,
            Some(old) => Term::opaque([old, term]),
            None => term,
        };
        self.gave_up |= both.size() > TERM_MAX;
        self.merged.insert(name, both);
    }

    pub(super) fn destructure(
        &mut self,
        pattern: &'a ast::BindingPattern<'a>,
        given: Term,
        bind: &mut dyn FnMut(&mut Self, &'a str, Term),
    ) {
        match pattern {
            ast::BindingPattern::BindingIdentifier(name) => bind(self, name.name.as_str(), given),
            ast::BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let part = match &property.key {
                        ast::PropertyKey::StaticIdentifier(key) => given.clone().member(key.name.as_str()),
                        ast::PropertyKey::StringLiteral(key) => given.clone().member(key.value.as_str()),
                        _ => {
                            self.beyond();
                            return;
                        }
                    };
                    self.destructure(&property.value, part, bind);
                }
                if let Some(rest) = &object.rest {
                    self.destructure(&rest.argument, Term::opaque([given]), bind);
                }
            }
            ast::BindingPattern::ArrayPattern(list) => {
                for (index, element) in (0i64..).zip(&list.elements) {
                    if let Some(element) = element {
                        self.destructure(element, given.clone().element(index), bind);
                    }
                }
                if let Some(rest) = &list.rest {
                    self.destructure(&rest.argument, Term::opaque([given]), bind);
                }
            }
            ast::BindingPattern::AssignmentPattern(with_default) => {
                let default = self.expr(&with_default.right);
                self.destructure(&with_default.left, Term::opaque([given, default]), bind);
            }
        }
    }
}
