//! Conditions that say what a value is: the few forms that surely hold values back.

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, Expression as E};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};

use super::bound;

/// Deeper conditions are not looked at.
const DEPTH_MAX: usize = 40;

/// What has to hold for a condition to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    /// The value of this text is one of constants.
    Listed(String),
    /// The value of this text matches a pattern.
    Matches {
        subject: String,
        pattern: String,
        flags: String,
    },
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Anything else.
    Unknown,
}

/// What has to hold for an expression to be true.
pub(crate) fn read(source: &str) -> Predicate {
    if !bound::is_parsable(source) {
        return Predicate::Unknown;
    }
    let allocator = Allocator::default();
    match Parser::new(&allocator, source, SourceType::mjs()).parse_expression() {
        Ok(tree) => of(source, &tree, 0),
        Err(_) => Predicate::Unknown,
    }
}

fn of(source: &str, e: &E<'_>, depth: usize) -> Predicate {
    let inner = |e: &E<'_>| of(source, e, depth + 1);
    match e.without_parentheses() {
        _ if depth > DEPTH_MAX => Predicate::Unknown,
        E::UnaryExpression(u) if u.operator == ast::UnaryOperator::LogicalNot => {
            Predicate::Not(Box::new(inner(&u.argument)))
        }
        E::LogicalExpression(l) => match l.operator {
            ast::LogicalOperator::And => Predicate::All(vec![inner(&l.left), inner(&l.right)]),
            ast::LogicalOperator::Or => Predicate::Any(vec![inner(&l.left), inner(&l.right)]),
            ast::LogicalOperator::Coalesce => Predicate::Unknown,
        },
        E::BinaryExpression(b) => {
            let equals = match (is_constant(&b.left), is_constant(&b.right)) {
                (false, true) => Predicate::Listed(text(source, &b.left)),
                (true, false) => Predicate::Listed(text(source, &b.right)),
                _ => return Predicate::Unknown,
            };
            // `==` also holds of what is only written alike: of a text that is no matter, of a number it is.
            let of_texts = is_text(&b.left) || is_text(&b.right);
            match b.operator {
                ast::BinaryOperator::StrictEquality => equals,
                ast::BinaryOperator::StrictInequality => Predicate::Not(Box::new(equals)),
                ast::BinaryOperator::Equality if of_texts => equals,
                ast::BinaryOperator::Inequality if of_texts => Predicate::Not(Box::new(equals)),
                _ => Predicate::Unknown,
            }
        }
        E::CallExpression(call) => called(source, call).unwrap_or(Predicate::Unknown),
        _ => Predicate::Unknown,
    }
}

/// `[…].includes(x)` and `/…/.test(x)`.
fn called(source: &str, call: &ast::CallExpression<'_>) -> Option<Predicate> {
    let E::StaticMemberExpression(callee) = call.callee.without_parentheses() else { return None };
    let [only] = call.arguments.as_slice() else { return None };
    let subject = text(source, only.as_expression()?);
    match (callee.object.without_parentheses(), callee.property.name.as_str()) {
        (E::ArrayExpression(list), "includes") => {
            let all = list.elements.iter().all(|item| item.as_expression().is_some_and(is_constant));
            all.then_some(Predicate::Listed(subject))
        }
        (regex @ E::RegExpLiteral(_), "test") => {
            let whole = text(source, regex);
            let (pattern, flags) = whole.strip_prefix('/')?.rsplit_once('/')?;
            Some(Predicate::Matches { subject, pattern: pattern.to_owned(), flags: flags.to_owned() })
        }
        _ => None,
    }
}

fn is_constant(e: &E<'_>) -> bool {
    is_text(e) || matches!(e.without_parentheses(), E::NumericLiteral(_) | E::BooleanLiteral(_))
}

fn is_text(e: &E<'_>) -> bool {
    matches!(e.without_parentheses(), E::StringLiteral(_))
}

fn text(source: &str, e: &E<'_>) -> String {
    let span = e.without_parentheses().span();
    source.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
}
