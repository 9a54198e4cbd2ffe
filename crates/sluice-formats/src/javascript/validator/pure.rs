//! Expressions that change nothing: whatever they give, every other value stays as it was.
//!
//! Data of items is JSON: it has no functions, so a method of it is the language's own, and only those that write nowhere
//! and call nothing back are listed.

use oxc_ast::ast::{self, Expression as E, Statement as S};

const METHODS: [&str; 42] = [
    "test",
    "includes",
    "has",
    "indexOf",
    "startsWith",
    "endsWith",
    "trim",
    "trimStart",
    "trimEnd",
    "toLowerCase",
    "toUpperCase",
    "toString",
    "slice",
    "substring",
    "split",
    "join",
    "match",
    "replaceAll",
    "replace",
    "padStart",
    "padEnd",
    "charAt",
    "at",
    "concat",
    "normalize",
    "toISOString",
    "getTime",
    "toFixed",
    "isArray",
    "keys",
    "hasOwn",
    "stringify",
    "first",
    "all",
    "last",
    "isInteger",
    "isFinite",
    "isNaN",
    "floor",
    "round",
    "now",
    "parse",
];

const FUNCTIONS: [&str; 11] = [
    "String",
    "Number",
    "Boolean",
    "Error",
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "encodeURIComponent",
    "decodeURIComponent",
    "$",
];

const LOGS: [&str; 5] = ["log", "info", "warn", "error", "debug"];

/// Whether an expression changes nothing.
pub(super) fn is_pure(e: &E<'_>) -> bool {
    match e.without_parentheses() {
        E::StringLiteral(_)
        | E::NumericLiteral(_)
        | E::BooleanLiteral(_)
        | E::NullLiteral(_)
        | E::RegExpLiteral(_)
        | E::Identifier(_) => true,
        E::TemplateLiteral(text) => text.expressions.iter().all(is_pure),
        E::UnaryExpression(u) => u.operator != ast::UnaryOperator::Delete && is_pure(&u.argument),
        E::BinaryExpression(b) => is_pure(&b.left) && is_pure(&b.right),
        E::LogicalExpression(l) => is_pure(&l.left) && is_pure(&l.right),
        E::ConditionalExpression(c) => is_pure(&c.test) && is_pure(&c.consequent) && is_pure(&c.alternate),
        E::ArrayExpression(list) => list.elements.iter().all(|e| match e {
            ast::ArrayExpressionElement::SpreadElement(spread) => is_pure(&spread.argument),
            ast::ArrayExpressionElement::Elision(_) => true,
            other => other.as_expression().is_some_and(is_pure),
        }),
        E::ObjectExpression(object) => object.properties.iter().all(is_pure_field),
        E::StaticMemberExpression(m) => is_pure(&m.object),
        E::ComputedMemberExpression(m) => is_pure(&m.object) && is_pure(&m.expression),
        E::CallExpression(call) => is_pure_call(call),
        E::NewExpression(new) => is_made(&new.callee) && are_pure(&new.arguments),
        E::ChainExpression(chain) => match &chain.expression {
            ast::ChainElement::StaticMemberExpression(m) => is_pure(&m.object),
            ast::ChainElement::ComputedMemberExpression(m) => is_pure(&m.object) && is_pure(&m.expression),
            ast::ChainElement::CallExpression(call) => is_pure_call(call),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a statement only writes a log.
pub(super) fn is_log(statement: &S<'_>) -> bool {
    let S::ExpressionStatement(statement) = statement else { return false };
    let E::CallExpression(call) = statement.expression.without_parentheses() else { return false };
    let E::StaticMemberExpression(callee) = call.callee.without_parentheses() else { return false };
    let is_console = matches!(callee.object.without_parentheses(), E::Identifier(name) if name.name == "console");
    is_console && LOGS.contains(&callee.property.name.as_str()) && are_pure(&call.arguments)
}

fn is_pure_field(field: &ast::ObjectPropertyKind<'_>) -> bool {
    match field {
        ast::ObjectPropertyKind::SpreadProperty(spread) => is_pure(&spread.argument),
        ast::ObjectPropertyKind::ObjectProperty(p) => {
            let is_plain = p.kind == ast::PropertyKind::Init && !p.method;
            is_plain && (!p.computed || p.key.as_expression().is_some_and(is_pure)) && is_pure(&p.value)
        }
    }
}

/// A function that is handed over is no pure argument, so nothing is called back.
fn is_pure_call(call: &ast::CallExpression<'_>) -> bool {
    let is_known = match call.callee.without_parentheses() {
        E::Identifier(name) => FUNCTIONS.contains(&name.name.as_str()),
        E::StaticMemberExpression(callee) => {
            METHODS.contains(&callee.property.name.as_str()) && is_pure(&callee.object)
        }
        _ => false,
    };
    is_known && are_pure(&call.arguments)
}

fn is_made(callee: &E<'_>) -> bool {
    matches!(callee.without_parentheses(), E::Identifier(name)
        if matches!(name.name.as_str(), "Set" | "Date") || name.name.ends_with("Error"))
}

fn are_pure(arguments: &[ast::Argument<'_>]) -> bool {
    arguments.iter().all(|argument| argument.as_expression().is_some_and(is_pure))
}
