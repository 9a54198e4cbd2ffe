//! Conditions that say what a value is: the few forms that surely hold values back.

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, Expression as E};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};

use super::bound;
use crate::guard::is_of_one;

/// Deeper conditions are not looked at.
const DEPTH_MAX: usize = 40;

/// What has to hold for a condition to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    /// The value of this text is one of constants.
    Listed(String),
    /// What it is written as is one of constants.
    Written(String),
    /// What the value of this text is written as matches a pattern.
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

impl Predicate {
    /// The only value that it is about, if it is sure to be true or false of any.
    ///
    /// An expression that fails has no value, and an engine may take that for false: `a.b !== 'x' || c.d !== 'y'` fails where
    /// `a` is missing, and says nothing of `c.d`. Comparing as texts fails of objects that cannot be written.
    pub(crate) fn decided(&self) -> Option<&str> {
        match self {
            Self::Listed(subject) => Some(subject),
            Self::Not(inner) => inner.decided(),
            Self::All(parts) | Self::Any(parts) => {
                let (first, others) = parts.split_first()?;
                let subject = first.decided()?;
                others.iter().all(|part| part.decided() == Some(subject)).then_some(subject)
            }
            Self::Written(_) | Self::Matches { .. } | Self::Unknown => None,
        }
    }
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
            let subject = match (is_constant(&b.left), is_constant(&b.right)) {
                (false, true) => text(source, &b.left),
                (true, false) => text(source, &b.right),
                _ => return Predicate::Unknown,
            };
            // `==` also holds of what is only written alike: `['a'] == 'a'`. Where the value is used it is written so again.
            // Of a number it holds of many texts.
            let of_one = is_one_text(&b.left) || is_one_text(&b.right);
            match b.operator {
                ast::BinaryOperator::StrictEquality => Predicate::Listed(subject),
                ast::BinaryOperator::StrictInequality => Predicate::Not(Box::new(Predicate::Listed(subject))),
                ast::BinaryOperator::Equality if of_one => Predicate::Written(subject),
                ast::BinaryOperator::Inequality if of_one => Predicate::Not(Box::new(Predicate::Written(subject))),
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
    matches!(e.without_parentheses(), E::StringLiteral(_) | E::NumericLiteral(_) | E::BooleanLiteral(_))
}

fn is_one_text(e: &E<'_>) -> bool {
    matches!(e.without_parentheses(), E::StringLiteral(text) if is_of_one(text.value.as_str()))
}

fn text(source: &str, e: &E<'_>) -> String {
    let span = e.without_parentheses().span();
    source.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
}
