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
    /// Whether something is written in a way that is not walked.
    pub(super) wild: bool,
    /// Whether it may run text, or names are not what they seem.
    pub(super) dynamic: bool,
}

impl Facts {
    pub(super) fn of(collect: impl FnOnce(&mut Self)) -> Self {
        let mut facts = Self::default();
        collect(&mut facts);
        facts
    }

    fn uses(&mut self, name: &str) -> &mut Uses {
        self.names.entry(name.to_owned()).or_default()
    }

    /// Something is written into a target: the walk finds out what that is.
    fn writes(&mut self, target: &ast::Expression<'_>) {
        if let ast::Expression::Identifier(name) = target.without_parentheses() {
            self.uses(&name.name).written += 1;
        }
    }
}

/// The methods that put their arguments, or the order of their receiver, into the receiver.
pub(super) const WRITERS: [&str; 8] = ["push", "unshift", "splice", "fill", "set", "add", "append", "copyWithin"];

/// The methods that move what their receiver holds, or take some of it out.
pub(super) const MOVERS: [&str; 7] = ["sort", "reverse", "shift", "pop", "splice", "unshift", "copyWithin"];

/// The methods of functions, by which another method may be called.
pub(super) const CALLERS: [&str; 3] = ["call", "apply", "bind"];

/// The methods of libraries, on names such as `Object`, that write nothing into their first argument.
const READERS: [&str; 5] = ["keys", "values", "entries", "fromEntries", "freeze"];

/// What a call of a method writes into.
pub(super) enum Written<'c, 'a> {
    /// What it is a method of.
    Receiver,
    /// Its first argument: `Object.assign(target, …)`.
    Argument(&'c ast::Expression<'a>),
    /// Something that is not named.
    Unknown,
}

/// What a call writes into by the name of its method; none if it is none that is known to write.
pub(super) fn written_by<'c, 'a>(call: &'c ast::CallExpression<'a>) -> Option<Written<'c, 'a>> {
    let ast::Expression::StaticMemberExpression(callee) = call.callee.without_parentheses() else { return None };
    let method = callee.property.name.as_str();
    if WRITERS.contains(&method) || MOVERS.contains(&method) {
        return Some(Written::Receiver);
    }
    if CALLERS.contains(&method) {
        return Some(Written::Unknown);
    }
    let ast::Expression::Identifier(receiver) = callee.object.without_parentheses() else { return None };
    let is_library = matches!(receiver.name.as_str(), "Object" | "Reflect" | "_" | "lodash");
    if !is_library || READERS.contains(&method) {
        return None;
    }
    match call.arguments.first()? {
        ast::Argument::SpreadElement(_) => Some(Written::Unknown),
        first => first.as_expression().filter(|first| !is_fresh(first)).map(Written::Argument),
    }
}

/// Whether a function only gives something: whoever calls it, with whatever, changes nothing by that.
pub(super) fn only_gives(facts: &Facts, body: impl FnOnce(&mut Gives<'_>)) -> bool {
    let mut gives = Gives { facts, only: true };
    body(&mut gives);
    gives.only
}

/// Looks for what writes, and for calls of functions of the text, which may.
pub(super) struct Gives<'f> {
    facts: &'f Facts,
    only: bool,
}

impl<'a> Visit<'a> for Gives<'_> {
    fn visit_assignment_expression(&mut self, _: &ast::AssignmentExpression<'a>) {
        self.only = false;
    }

    fn visit_update_expression(&mut self, _: &ast::UpdateExpression<'a>) {
        self.only = false;
    }

    fn visit_for_statement_left(&mut self, it: &ast::ForStatementLeft<'a>) {
        self.only &= matches!(it, ast::ForStatementLeft::VariableDeclaration(_));
        walk::walk_for_statement_left(self, it);
    }

    fn visit_call_expression(&mut self, it: &ast::CallExpression<'a>) {
        let is_known = match it.callee.without_parentheses() {
            ast::Expression::StaticMemberExpression(_) => written_by(it).is_none(),
            ast::Expression::Identifier(name) => !self.facts.names.contains_key(name.name.as_str()),
            _ => false,
        };
        self.only &= is_known;
        walk::walk_call_expression(self, it);
    }
}

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
            ast::AssignmentTarget::StaticMemberExpression(member) => self.writes(&member.object),
            ast::AssignmentTarget::ComputedMemberExpression(member) => self.writes(&member.object),
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
        if let ast::ForStatementLeft::AssignmentTargetIdentifier(name) = it {
            self.uses(&name.name).assigned += 1;
        }
        if !matches!(it, ast::ForStatementLeft::VariableDeclaration(_)) {
            self.wild = true;
        }
        walk::walk_for_statement_left(self, it);
    }

    fn visit_call_expression(&mut self, it: &ast::CallExpression<'a>) {
        if let ast::Expression::StaticMemberExpression(callee) = it.callee.without_parentheses() {
            let method = callee.property.name.as_str();
            match written_by(it) {
                Some(Written::Receiver) => self.writes(&callee.object),
                Some(Written::Argument(first)) => self.writes(first),
                Some(Written::Unknown) | None => {}
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

    fn visit_property_key(&mut self, it: &ast::PropertyKey<'a>) {
        if let ast::PropertyKey::StaticIdentifier(key) = it {
            self.dynamic |= matches!(key.name.as_str(), "constructor" | "__proto__" | "prototype");
        }
        walk::walk_property_key(self, it);
    }

    fn visit_template_element(&mut self, it: &ast::TemplateElement<'a>) {
        self.dynamic |= matches!(it.value.raw.as_str(), "constructor" | "__proto__" | "prototype");
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
