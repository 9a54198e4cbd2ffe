//! Expressions: jq text, parsed into one small total tree, evaluated over labelled values.
//!
//! The text is parsed by jaq's parser; the tree, and what it means, is ours. There is one evaluator for
//! both readers of a program: in a run every value is known and the result is jaq's; in the verifier
//! values may be unknown and the result admits whatever a run can give ([`Value::admits`]), labels
//! included. What is not translated is a [`Problem`] with its place, never an approximation.
//!
//! Where results differ from jaq's on purpose: whole numbers have 64 bits and overflow is an error, as is
//! a division by zero and an `implode` of what is no code point; decimal literals are floats; keys of
//! objects are texts; `fromjson` and `tonumber` read strict JSON; messages of built-in errors are ours and
//! never contain data.
//!
//! An evaluation is bounded ([`EVALUATION_STEPS_MAX`](crate::limits::EVALUATION_STEPS_MAX),
//! [`EVALUATION_BYTES_MAX`](crate::limits::EVALUATION_BYTES_MAX)); meeting a bound ends it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::Code;
use crate::label::Label;
use crate::text::Span;
use crate::value::Value;

mod access;
mod call;
mod copy;
mod evaluate;
mod function;
mod jq;
mod json;
mod kinds;
mod modify;
mod operator;
mod repeat;
mod stream;
mod tree;

#[cfg(test)]
mod tests;

pub use copy::{Base, Path, Used};
pub use tree::Expr;

use function::Function;
use tree::Kind;

/// A whole expression: what stands in one `${ }`, or what the lowering builds around several.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Its tree.
    pub root: Expr,
    /// Where it stands.
    pub span: Span,
}

/// Why a text is no expression that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of problem.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// Lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The kinds of [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// No jq. SL120.
    Syntax,
    /// jq that is not translated. SL121.
    NotTranslated {
        /// What it is, in words.
        construct: String,
    },
    /// Reads or formats the time. SL122.
    Clock,
    /// Reads `$secrets` outside the arguments of a connector; found by the lowering, see [`Expression::variables`]. SL123.
    Secret,
    /// Longer than [`EXPRESSION_BYTES_MAX`](crate::limits::EXPRESSION_BYTES_MAX). SL108.
    TooLong,
    /// Deeper than [`EXPRESSION_DEPTH_MAX`](crate::limits::EXPRESSION_DEPTH_MAX). SL108.
    TooDeep,
}

impl ProblemKind {
    /// The code that people and machines see.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Syntax => Code(120),
            Self::NotTranslated { .. } => Code(121),
            Self::Clock => Code(122),
            Self::Secret => Code(123),
            Self::TooLong | Self::TooDeep => Code(108),
        }
    }

    /// The stable name that goes with the code.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Syntax => "expression-syntax",
            Self::NotTranslated { .. } => "expression-not-translated",
            Self::Clock => "expression-reads-clock",
            Self::Secret => "expression-reads-secret",
            Self::TooLong | Self::TooDeep => "expression-too-large",
        }
    }
}

/// Parses the inside of one `${ }`. `locate` maps byte offsets in `source` to a span in the file.
///
/// # Errors
/// Every problem found, each with its place.
pub fn parse(source: &str, locate: &dyn Fn(usize, usize) -> Span) -> Result<Expression, Vec<Problem>> {
    let root = jq::parse(source, locate)?;
    Ok(Expression { root, span: locate(0, source.len()) })
}

/// A part of a text that the lowering puts together.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// As it stands.
    Literal(Arc<str>),
    /// The result of an expression; what is no text is written as JSON.
    Expression(Expression),
}

impl Expression {
    /// Whether it is `.`: its value is its input, as it is.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        matches!(self.root.kind, Kind::Input)
    }

    /// The free variables without `$`, each once, where it is first read.
    #[must_use]
    pub fn variables(&self) -> Vec<(Arc<str>, Span)> {
        let mut found = Vec::new();
        self.root.free_variables(&mut Vec::new(), &mut BTreeSet::new(), &mut |name, span| {
            found.push((name.clone(), span));
        });
        found
    }

    /// A constant.
    #[must_use]
    pub fn literal(value: &serde_json::Value, span: Span) -> Self {
        Self { root: Expr::literal(Value::from_json(value, Label::BOTTOM), span), span }
    }

    /// `.`
    #[must_use]
    pub fn input(span: Span) -> Self {
        Self { root: Expr::input(span), span }
    }

    /// `$name`
    #[must_use]
    pub fn variable(name: &str, span: Span) -> Self {
        Self { root: Expr::new(Kind::Variable(name.into()), span), span }
    }

    /// `base.key`
    #[must_use]
    pub fn field(base: Self, key: &str) -> Self {
        let span = base.span;
        let key = Box::new(Expr::text(key, span));
        let root = Expr::new(Kind::Index { base: Box::new(base.root.single()), key, optional: false }, span);
        Self { root, span }
    }

    /// `base.key` as scripting languages read it: `null` where there is no such thing, also of what is no object.
    #[must_use]
    pub fn member(base: Self, key: &str) -> Self {
        let span = base.span;
        let key = Box::new(Expr::text(key, span));
        let root = Expr::new(Kind::Index { base: Box::new(base.root.single()), key, optional: true }, span);
        Self { root: root.single(), span }
    }

    /// `base[index]` as scripting languages read it: an element, or what an object has under that number.
    #[must_use]
    pub fn element(base: Self, index: i64) -> Self {
        let span = base.span;
        let at = |key| Kind::Index { base: Expr::boxed(Kind::Input, span), key: Box::new(key), optional: true };
        let element = Expr::new(at(Expr::int(index, span)), span);
        let field = Expr::new(at(Expr::text(&index.to_string(), span)), span);
        let either = Expr::boxed(Kind::Comma(vec![field, element]), span);
        let root = base.root.single().pipe(Expr::new(Kind::First(either), span));
        Self { root: root.single(), span }
    }

    /// An object of expressions, each standing for its first output.
    #[must_use]
    pub fn object(fields: Vec<(Arc<str>, Self)>, span: Span) -> Self {
        let fields = fields.into_iter().map(|(key, e)| (Expr::text(&key, e.span), e.root.single())).collect();
        Self { root: Expr::new(Kind::Object(fields), span), span }
    }

    /// A list of expressions, each standing for its first output.
    #[must_use]
    pub fn array(items: Vec<Self>, span: Span) -> Self {
        let items = items.into_iter().map(|e| e.root.single()).collect();
        Self { root: Expr::new(Kind::List(items), span), span }
    }

    /// A text of literals and expressions, each standing for its first output.
    #[must_use]
    pub fn text(parts: Vec<TextPart>, span: Span) -> Self {
        let part = |part: TextPart| match part {
            TextPart::Literal(text) => Expr::text(&text, span),
            TextPart::Expression(e) => Expr::call(Function::ToText, vec![e.root.single()], e.span),
        };
        Self { root: Expr::new(Kind::Text(parts.into_iter().map(part).collect()), span), span }
    }

    /// Anything at all, made from what the parts give: what an importer says of a text that it cannot translate.
    ///
    /// Only for programs that are verified and never run: its value is never known.
    #[must_use]
    pub fn opaque(parts: Vec<Self>, span: Span) -> Self {
        Self { root: Expr::new(Kind::Opaque(parts.into_iter().map(|e| e.root).collect()), span), span }
    }

    /// An object of which nothing is known but what it is made from: neither its keys nor what they hold.
    ///
    /// Only for programs that are verified and never run, as [`Self::opaque`].
    #[must_use]
    pub fn opaque_object(parts: Vec<Self>, span: Span) -> Self {
        let anything = Self::opaque(parts, span);
        let key = Self::text(vec![TextPart::Expression(anything.clone())], span);
        Self { root: Expr::new(Kind::Object(vec![(key.root, anything.root)]), span), span }
    }

    /// A text in two: what stands before the first literal part that begins so, and the rest. `None` of what is no such text.
    #[must_use]
    pub fn text_before(&self, begins: &str) -> Option<(Self, Self)> {
        let Kind::Text(parts) = &self.root.kind else { return None };
        let begins = |e: &Expr| match &e.kind {
            Kind::Literal(value) => value.as_text().is_some_and(|text| text.starts_with(begins)),
            _ => false,
        };
        let at = parts.iter().skip(1).position(begins)? + 1;
        let (before, rest) = parts.split_at_checked(at)?;
        let text = |parts: &[Expr]| Self { root: Expr::new(Kind::Text(parts.to_vec()), self.span), span: self.span };
        Some((text(before), text(rest)))
    }

    /// One of them, and nothing tells which: the join of what they give. For programs that are verified and never run.
    #[must_use]
    pub fn one_of(alternatives: Vec<Self>, span: Span) -> Self {
        let mut alternatives = alternatives.into_iter().rev();
        let last = alternatives.next().map_or_else(|| Expr::literal(Value::null(Label::BOTTOM), span), |e| e.root);
        let root = alternatives.fold(last, |other, e| {
            let whichever = Expr::new(Kind::Opaque(Vec::new()), span);
            Expr::new(Kind::If(Box::new(whichever), Box::new(e.root.single()), Box::new(other.single())), span)
        });
        Self { root, span }
    }

    /// The same, but where it fails it gives anything at all, made from what it has read: other languages than jq shrug
    /// where jq fails. A field that fails says nothing of the fields beside it. For programs that are verified and never
    /// run.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self { root: lenient(self.root), span: self.span }
    }

    /// The fields of both objects, those of `other` where both have one.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let span = self.span;
        let (left, right) = (Box::new(self.root.single()), Box::new(other.root.single()));
        Self { root: Expr::new(Kind::Math(tree::Math::Add, left, right), span), span }
    }

    /// The JSON it always gives, if it is a constant.
    #[must_use]
    pub fn constant(&self) -> Option<serde_json::Value> {
        let environment =
            Environment { input: &Value::null(Label::TOP), variables: &|_| Some(Value::null(Label::TOP)) };
        let result = evaluate(self, &environment);
        // Whatever depends on the input or a variable carries their label.
        result.value.filter(|v| result.error.is_none() && v.deep_label() == Label::BOTTOM)?.to_json()
    }
}

/// See [`Expression::lenient`].
fn lenient(e: Expr) -> Expr {
    if !e.fails {
        return e;
    }
    let span = e.span;
    match e.kind {
        Kind::Object(fields) if fields.iter().all(|(key, _)| matches!(key.kind, Kind::Literal(_))) => {
            let fields = fields.into_iter().map(|(key, value)| (key, lenient(value))).collect();
            Expr::new(Kind::Object(fields), span)
        }
        Kind::Single(inner) => lenient(*inner).single(),
        kind => {
            let body = Expr::new(kind, span);
            let anything = Expr::new(Kind::Opaque(vec![body.clone()]), span);
            Expr::new(Kind::Try(Box::new(body), Some(Box::new(anything))), span)
        }
    }
}

/// What an expression can read.
pub struct Environment<'a> {
    /// `.`
    pub input: &'a Value,
    /// The value of a variable, by its name without `$`.
    pub variables: &'a dyn Fn(&str) -> Option<Value>,
}

/// What an expression gives.
///
/// In a run exactly one of `value` and `error` is there. In the verifier `value` is what it may give
/// (none: it surely fails) and `error` what it may fail with (none: it cannot fail).
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The first output; `null` if there is none, labelled with what decided that.
    pub value: Option<Value>,
    /// What it fails with.
    pub error: Option<Value>,
    /// Everything that decided whether it fails, also where it did not: a handler learns it.
    pub fallible: Label,
    /// A bound was met (SL503). This ends a run: handlers do not see it, since no label covers how much work was done.
    pub exhausted: bool,
}

/// Evaluates an expression. Total: it always ends, and never panics.
#[must_use]
pub fn evaluate(e: &Expression, environment: &Environment<'_>) -> Evaluated {
    evaluate::evaluate(&e.root, environment)
}
