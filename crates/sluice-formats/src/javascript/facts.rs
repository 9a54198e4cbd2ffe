//! What becomes of the names of a text: found before it is walked, so that the walk may trust a name.

use std::collections::BTreeMap;

use oxc_ast::ast;
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::scope::ScopeFlags;

/// The uses of one name, whatever its scope: scopes only tell apart what is taken together here.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pub(super) declared: usize,
    pub(super) assigned: usize,
    /// Writes into what it holds.
    pub(super) written: usize,
    /// Whether it starts as a new object or list.
    pub(super) fresh: bool,
}

/// The names of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) names: BTreeMap<String, Uses>,
    /// Whether something is written into that is neither one new object under one name nor an item.
    pub(super) wild: bool,
    /// Whether it may run text, or names are not what they seem.
    pub(super) dynamic: bool,
    bases: Vec<String>,
}

impl Facts {
    pub(super) fn of(collect: impl FnOnce(&mut Self)) -> Self {
        let mut facts = Self::default();
        collect(&mut facts);
        let owned =
            |name: &String| facts.names.get(name).is_some_and(|u| u.fresh && u.declared == 1 && u.assigned == 0);
        facts.wild |= !facts.bases.iter().all(owned);
        facts
    }

    fn uses(&mut self, name: &str) -> &mut Uses {
        self.names.entry(name.to_owned()).or_default()
    }

    /// An assignment of a field: the walk finds out what it is a field of.
    fn puts(&mut self, target: &ast::Expression<'_>) {
        if let ast::Expression::Identifier(name) = target.without_parentheses() {
            self.uses(&name.name).written += 1;
        }
    }

    fn writes(&mut self, target: &ast::Expression<'_>) {
        if let ast::Expression::Identifier(name) = target.without_parentheses() {
            self.bases.push(name.name.to_string());
            self.uses(&name.name).written += 1;
        } else {
            self.wild = true;
        }
    }
}

/// The methods that put their arguments, or the order of their receiver, into the receiver.
pub(super) const WRITERS: [&str; 9] =
    ["push", "unshift", "splice", "fill", "set", "add", "append", "copyWithin", "sort"];

/// Whether a new object that nothing else holds.
fn is_fresh(init: &ast::Expression<'_>) -> bool {
    use ast::Expression as E;
    matches!(init, E::ObjectExpression(_) | E::ArrayExpression(_))
        || matches!(init, E::NewExpression(new) if matches!(&new.callee, E::Identifier(name)
            if matches!(name.name.as_str(), "Map" | "Set" | "URLSearchParams" | "FormData" | "Array")))
}

impl<'a> Visit<'a> for Facts {
    fn visit_binding_identifier(&mut self, it: &ast::BindingIdentifier<'a>) {
        self.uses(&it.name).declared += 1;
    }

    fn visit_variable_declarator(&mut self, it: &ast::VariableDeclarator<'a>) {
        if let ast::BindingPattern::BindingIdentifier(name) = &it.id {
            self.uses(&name.name).fresh = it.init.as_ref().is_some_and(|init| is_fresh(init));
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &ast::AssignmentExpression<'a>) {
        match &it.left {
            ast::AssignmentTarget::AssignmentTargetIdentifier(name) => self.uses(&name.name).assigned += 1,
            ast::AssignmentTarget::StaticMemberExpression(member) => self.puts(&member.object),
            ast::AssignmentTarget::ComputedMemberExpression(member) => self.puts(&member.object),
            _ => self.wild = true,
        }
        walk::walk_assignment_expression(self, it);
    }

    fn visit_update_expression(&mut self, it: &ast::UpdateExpression<'a>) {
        match &it.argument {
            ast::SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => self.uses(&name.name).assigned += 1,
            ast::SimpleAssignmentTarget::StaticMemberExpression(member) => self.writes(&member.object),
            ast::SimpleAssignmentTarget::ComputedMemberExpression(member) => self.writes(&member.object),
            _ => self.wild = true,
        }
        walk::walk_update_expression(self, it);
    }

    fn visit_for_statement_left(&mut self, it: &ast::ForStatementLeft<'a>) {
        if !matches!(it, ast::ForStatementLeft::VariableDeclaration(_)) {
            self.wild = true;
        }
        walk::walk_for_statement_left(self, it);
    }

    fn visit_call_expression(&mut self, it: &ast::CallExpression<'a>) {
        if let ast::Expression::StaticMemberExpression(callee) = it.callee.without_parentheses() {
            let method = callee.property.name.as_str();
            let on_object = matches!(&callee.object, ast::Expression::Identifier(n) if matches!(n.name.as_str(), "Object" | "Reflect" | "_" | "lodash"));
            if WRITERS.contains(&method) && !(method == "sort" && it.arguments.is_empty()) {
                self.writes(&callee.object);
            } else if on_object && !matches!(method, "keys" | "values" | "entries" | "fromEntries" | "freeze") {
                let new = it.arguments.first().and_then(|a| a.as_expression()).is_some_and(|a| is_fresh(a));
                self.wild |= !new;
            }
            self.dynamic |= method == "constructor";
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_identifier_reference(&mut self, it: &ast::IdentifierReference<'a>) {
        let runs = ["eval", "Function", "globalThis", "arguments", "$evaluateExpression", "$evaluate"];
        self.dynamic |= runs.contains(&it.name.as_str());
    }

    fn visit_static_member_expression(&mut self, it: &ast::StaticMemberExpression<'a>) {
        self.dynamic |= matches!(it.property.name.as_str(), "constructor" | "__proto__" | "prototype");
        walk::walk_static_member_expression(self, it);
    }

    fn visit_string_literal(&mut self, it: &ast::StringLiteral<'a>) {
        self.dynamic |= matches!(it.value.as_str(), "constructor" | "__proto__");
    }

    fn visit_with_statement(&mut self, _: &ast::WithStatement<'a>) {
        self.dynamic = true;
    }

    fn visit_class(&mut self, it: &ast::Class<'a>) {
        self.wild = true;
        walk::walk_class(self, it);
    }

    fn visit_function(&mut self, it: &ast::Function<'a>, flags: ScopeFlags) {
        self.wild |= it.generator;
        walk::walk_function(self, it, flags);
    }
}
