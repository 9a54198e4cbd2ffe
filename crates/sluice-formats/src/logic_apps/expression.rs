//! The workflow definition language's expressions: `@f(…)` alone, `@{…}` inside a text.
//!
//! A read of an output, an item, a variable with names behind it is exact; a function whose result is another value is
//! made from its arguments. A text that does not parse is made from everything that it could see.

use sluice_core::expression::{Expression, TextPart};
use sluice_core::text::Span;

/// Deepest nesting of calls.
const DEPTH_MAX: usize = 64;

/// What the functions of a workflow give.
pub(super) trait Sight {
    /// `outputs('A')`, `body('A')`, `variables('x')`, `items('loop')`, …; `None` of a function that reads nothing by
    /// itself. Names are as written.
    fn root(&mut self, function: &str, name: Option<&str>, span: Span) -> Option<Expression>;
    /// Everything that an expression could see.
    fn everything(&mut self, span: Span) -> Expression;
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it is.
    Whole,
    /// As far as it can carry what somebody wrote: what is encoded, counted or compared is a constant.
    Injectable,
}

/// An expression, and whether it is made from what its text names because nothing better is known.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) expression: Expression,
    pub(super) is_opaque: bool,
}

/// Whether a text holds an expression.
pub(super) fn is_expression(text: &str) -> bool {
    (text.starts_with('@') && !text.starts_with("@@")) || text.contains("@{")
}

/// Reads a text.
pub(super) fn read(text: &str, sight: &mut dyn Sight, reading: Reading, span: Span) -> Read {
    let mut parser = Parser { rest: "", sight, reading, span, is_opaque: false };
    let expression = parser.whole(text);
    Read { expression, is_opaque: parser.is_opaque }
}

struct Parser<'s, 'a> {
    rest: &'s str,
    sight: &'a mut dyn Sight,
    reading: Reading,
    span: Span,
    is_opaque: bool,
}

impl<'s> Parser<'s, '_> {
    fn whole(&mut self, text: &'s str) -> Expression {
        if let Some(rest) = text.strip_prefix("@@") {
            return self.constant(&format!("@{rest}"));
        }
        if let Some(rest) = text.strip_prefix('@').filter(|rest| !rest.starts_with('{')) {
            self.rest = rest;
            let found = self.expression(0);
            return match found {
                Some(found) if self.rest.trim().is_empty() => found,
                _ => self.lost(),
            };
        }
        self.interpolated(text)
    }

    fn interpolated(&mut self, text: &'s str) -> Expression {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("@{") {
            // `@@{` is the text `@{`.
            if let Some(escaped) = before.strip_suffix('@') {
                parts.push(TextPart::Literal(format!("{escaped}@{{").into()));
                rest = after;
                continue;
            }
            if !before.is_empty() {
                parts.push(TextPart::Literal(before.into()));
            }
            self.rest = after;
            let found = self.expression(0);
            self.rest = self.rest.trim_start();
            match (found, self.rest.strip_prefix('}')) {
                (Some(found), Some(behind)) => {
                    parts.push(TextPart::Expression(found));
                    rest = behind;
                }
                _ => {
                    let lost = self.lost();
                    parts.push(TextPart::Expression(lost));
                    rest = "";
                }
            }
        }
        if parts.is_empty() {
            return self.constant(text);
        }
        if let ([TextPart::Expression(_)], true) = (parts.as_slice(), rest.is_empty()) {
            return Expression::text(parts, self.span);
        }
        parts.push(TextPart::Literal(rest.into()));
        Expression::text(parts, self.span)
    }

    fn constant(&self, text: &str) -> Expression {
        Expression::literal(&serde_json::Value::String(text.to_owned()), self.span)
    }

    fn lost(&mut self) -> Expression {
        self.is_opaque = true;
        self.sight.everything(self.span)
    }

    fn expression(&mut self, depth: usize) -> Option<Expression> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('\'') {
            let text = self.quoted()?;
            let constant = self.constant(&text);
            return self.behind(constant, depth);
        }
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '+' | '.')));
        let (word, after) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        if word.is_empty() {
            return None;
        }
        let trimmed = after.trim_start();
        if let Some(inside) = trimmed.strip_prefix('(') {
            self.rest = inside;
            let called = self.call(word, depth)?;
            return self.behind(called, depth);
        }
        let value = match word.to_lowercase().as_str() {
            "true" => serde_json::Value::Bool(true),
            "false" => serde_json::Value::Bool(false),
            "null" => serde_json::Value::Null,
            _ => serde_json::from_str(word).ok()?,
        };
        self.rest = after;
        Some(Expression::literal(&value, self.span))
    }

    /// `'it''s'`
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.rest.strip_prefix('\'')?;
        loop {
            let (before, after) = rest.split_once('\'')?;
            text.push_str(before);
            match after.strip_prefix('\'') {
                Some(more) => {
                    text.push('\'');
                    rest = more;
                }
                None => {
                    self.rest = after;
                    return Some(text);
                }
            }
        }
    }

    /// `?['a']`, `.b`, `[0]`, `[f()]`.
    fn behind(&mut self, base: Expression, depth: usize) -> Option<Expression> {
        let mut found = base;
        loop {
            let rest = self.rest.trim_start();
            let rest = rest.strip_prefix('?').unwrap_or(rest);
            if let Some(inside) = rest.strip_prefix('[') {
                self.rest = inside;
                let index = self.expression(depth + 1)?;
                self.rest = self.rest.trim_start().strip_prefix(']')?;
                found = indexed(found, index, self.span);
            } else if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(after.len());
                let (name, after) = after.split_at_checked(end)?;
                if name.is_empty() {
                    return None;
                }
                found = Expression::member(found, name);
                self.rest = after;
            } else {
                return Some(found);
            }
        }
    }

    fn call(&mut self, name: &str, depth: usize) -> Option<Expression> {
        let mut arguments = Vec::new();
        self.rest = self.rest.trim_start();
        while !self.rest.starts_with(')') {
            arguments.push(self.expression(depth + 1)?);
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest.trim_start(),
                None if self.rest.starts_with(')') => {}
                None => return None,
            }
        }
        self.rest = self.rest.strip_prefix(')')?;
        Some(self.called(&name.to_lowercase(), arguments))
    }

    fn called(&mut self, name: &str, arguments: Vec<Expression>) -> Expression {
        let span = self.span;
        let first = arguments.first().and_then(Expression::constant).and_then(|c| c.as_str().map(str::to_owned));
        if is_root(name) {
            if arguments.len() > 1 || (first.is_none() && !arguments.is_empty()) {
                // Which output is read is itself computed, or a part of a form is picked by name.
                let base = match first.as_deref() {
                    Some(first) => self.sight.root(name, Some(first), span),
                    None => None,
                };
                let base = base.unwrap_or_else(|| self.sight.everything(span));
                self.is_opaque |= first.is_none();
                return Expression::opaque(std::iter::once(base).chain(arguments).collect(), span);
            }
            return match self.sight.root(name, first.as_deref(), span) {
                Some(found) => found,
                None => Expression::opaque(arguments, span),
            };
        }
        if self.reading == Reading::Injectable && is_harmless(name) {
            return self.constant("x");
        }
        function(name, arguments, span)
    }
}

/// `base[index]`.
fn indexed(base: Expression, index: Expression, span: Span) -> Expression {
    match index.constant() {
        // `triggerOutputs()?['body/from']`: flows name a field of the body so.
        Some(serde_json::Value::String(name)) if name.starts_with("body/") => {
            name.split('/').fold(base, Expression::member)
        }
        Some(serde_json::Value::String(name)) => Expression::member(base, &name),
        Some(serde_json::Value::Number(n)) if n.as_i64().is_some_and(|n| n >= 0) => {
            Expression::element(base, n.as_i64().unwrap_or_default())
        }
        _ => Expression::opaque(vec![base, index], span),
    }
}

/// Functions that read the run.
pub(super) fn is_root(name: &str) -> bool {
    matches!(
        name,
        "triggerbody"
            | "triggeroutputs"
            | "trigger"
            | "triggerformdatavalue"
            | "triggerformdatamultivalues"
            | "triggermultipartbody"
            | "body"
            | "outputs"
            | "actions"
            | "actionbody"
            | "actionoutputs"
            | "formdatavalue"
            | "formdatamultivalues"
            | "multipartbody"
            | "result"
            | "items"
            | "item"
            | "variables"
            | "parameters"
            | "agentparameters"
            | "action"
    )
}

/// Functions whose result carries nothing that somebody wrote: encoded, counted, compared.
fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "encodeuricomponent"
            | "uricomponent"
            | "base64"
            | "length"
            | "int"
            | "float"
            | "decimal"
            | "bool"
            | "equals"
            | "greater"
            | "greaterorequals"
            | "less"
            | "lessorequals"
            | "and"
            | "or"
            | "not"
            | "contains"
            | "empty"
            | "startswith"
            | "endswith"
            | "add"
            | "sub"
            | "mul"
            | "div"
            | "mod"
            | "indexof"
            | "lastindexof"
            | "ticks"
            | "formatdatetime"
            | "converttimezone"
            | "convertfromutc"
            | "adddays"
            | "addhours"
            | "addminutes"
    )
}

fn function(name: &str, arguments: Vec<Expression>, span: Span) -> Expression {
    let mut arguments = arguments;
    match (name, arguments.len()) {
        ("concat", _) => Expression::text(arguments.into_iter().map(TextPart::Expression).collect(), span),
        ("coalesce", 1..) => Expression::one_of(arguments, span),
        ("string" | "trim", 1) => Expression::text(arguments.into_iter().map(TextPart::Expression).collect(), span),
        // Which of the two is taken tells nothing.
        ("if", 3) => Expression::one_of(arguments.split_off(1), span),
        ("createarray", _) => Expression::array(arguments, span),
        ("setproperty" | "addproperty", 3) => {
            let key = arguments.get(1).and_then(Expression::constant).and_then(|c| c.as_str().map(str::to_owned));
            match (key, arguments.first().cloned(), arguments.get(2).cloned()) {
                (Some(key), Some(base), Some(value)) => {
                    base.merged(Expression::object(vec![(key.as_str().into(), value)], span))
                }
                _ => Expression::opaque(arguments, span),
            }
        }
        _ => Expression::opaque(arguments, span),
    }
}
