//! Names: what one stands for, and what a member of it is.

use oxc_ast::ast::{self, Expression as E};
use serde_json::Value as Json;

use super::Walker;
use crate::javascript::term::{At, Term};
use crate::javascript::{Mode, Root, scan};

impl<'a> Walker<'a> {
    pub(super) fn name(&mut self, name: &str, at: At) -> Term {
        if let Some((_, term)) = self.scopes.iter().rev().find(|(n, _)| *n == name) {
            return term.clone();
        }
        if let Some(uses) = self.facts.names.get(name) {
            return match (uses.declared, uses.assigned, uses.written) {
                // An engine's name that the text changes.
                (0, ..) => Term::opaque([self.global(name, at), self.anything()]),
                (1, 0, 0) => match self.constants.get(name) {
                    Some(known) => known.clone(),
                    None => {
                        self.is_early = true;
                        self.anything()
                    }
                },
                (1, 0, _) => self.tracked.get(name).cloned().unwrap_or_else(|| self.anything()),
                (_, 0, 0) => self.merged.get(name).cloned().unwrap_or_else(|| self.anything()),
                // What is put into an item is known by the item, not by its names.
                (_, 0, _) => match self.merged.get(name) {
                    Some(item @ (Term::Item(..) | Term::Place(..))) => item.clone(),
                    _ => self.anything(),
                },
                (_, _, 0) => Term::opaque([self.merged.get(name).cloned().unwrap_or_else(|| self.anything())]),
                _ => self.anything(),
            };
        }
        self.global(name, at)
    }

    pub(super) fn global(&self, name: &str, at: At) -> Term {
        match (name, self.mode) {
            ("$json" | "$data", _) => Term::Place(Root::Item, at),
            ("$binary", _) => Term::Place(Root::Binary, at),
            ("$input", _) => Term::Handle(Root::Item, at),
            ("$response" | "$request", _) => Term::Place(Root::ResponseOf, at),
            ("$getWorkflowStaticData" | "getWorkflowStaticData", _) => Term::Place(Root::StaticData, at),
            ("items", Some(_)) => Term::Items(Root::Item, at),
            ("item", Some(Mode::FunctionItem)) => Term::Place(Root::Item, at),
            ("item", Some(_)) => Term::Item(Root::Item, at),
            ("query", Some(Mode::Tool)) => Term::Place(Root::FromAi("query".into()), at),
            ("getNodeParameter", Some(_)) => Term::Place(Root::Parameter("".into()), at),
            ("getInputData", Some(_)) => Term::Items(Root::Item, at),
            ("undefined", _) => Term::UNDEFINED,
            ("$env" | "$vars" | "$secrets" | "$credentials", _) => Term::Place(Root::Env("".into()), at),
            ("$parameter", _) => Term::Place(Root::Parameter("".into()), at),
            (name, _) if name.starts_with('$') => match scan::known(name) {
                Some(Some(root)) => Term::Place(root, at),
                Some(None) => Term::Opaque(Vec::new()),
                None => Term::Place(Root::Unknown, at),
            },
            _ => Term::Opaque(Vec::new()),
        }
    }

    /// A name that is nobody's own: a root or a function of the engine.
    pub(super) fn engine_name(&self, e: &'a E<'a>) -> Option<&'a str> {
        let E::Identifier(name) = e else { return None };
        let name = name.name.as_str();
        let own = self.facts.names.contains_key(name) || self.scopes.iter().any(|(n, _)| *n == name);
        (!own).then_some(name)
    }

    pub(super) fn static_member(&mut self, m: &'a ast::StaticMemberExpression<'a>) -> Term {
        let key = m.property.name.as_str();
        self.member_of(&m.object, key, self.at(m))
    }

    pub(super) fn member_of(&mut self, object: &'a E<'a>, key: &str, at: At) -> Term {
        match self.engine_name(object) {
            Some("$node") => Term::Handle(Root::Node(key.into()), at),
            Some("$parameter") => Term::Place(Root::Parameter(key.into()), at),
            Some("$env" | "$vars" | "$secrets" | "$credentials") => Term::Place(Root::Env(key.into()), at),
            _ if matches!(object, E::ThisExpression(_)) && key == "helpers" => Term::Opaque(Vec::new()),
            _ if key.starts_with('$') && matches!(object, E::CallExpression(_)) => {
                // `$item(0).$node`: the same names, at another index.
                let of = self.expr(object);
                Term::opaque([of, Term::Place(Root::Unknown, at)])
            }
            _ => self.expr(object).member(key),
        }
    }

    pub(super) fn computed_member(&mut self, m: &'a ast::ComputedMemberExpression<'a>) -> Term {
        match &m.expression {
            E::StringLiteral(key) => self.member_of(&m.object, key.value.as_str(), self.at(m)),
            E::NumericLiteral(n) if n.value.fract() == 0.0 && (0.0..1e9).contains(&n.value) => {
                #[expect(clippy::cast_possible_truncation, reason = "whole, and less than a billion")]
                let index = n.value as i64;
                self.expr(&m.object).element(index)
            }
            key => {
                let object = match self.engine_name(&m.object) {
                    Some("$node") => Term::Place(Root::Unknown, self.at(m)),
                    _ => self.expr(&m.object),
                };
                let key = self.expr(key);
                let key = self.sure(&m.expression, key);
                match (&object, &key) {
                    // Which item it is, is decided elsewhere: a loop's counter.
                    (Term::Items(root, at), Term::Opaque(_) | Term::Harmless(_)) => Term::Item(root.clone(), *at),
                    (_, Term::Literal(Json::String(key))) => object.member(key),
                    // Which of the author's own values it is, is a choice and no data.
                    _ if object.is_table() => Term::opaque([object]),
                    _ => Term::opaque([object, key]),
                }
            }
        }
    }
}
