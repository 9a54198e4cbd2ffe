//! Expressions of n8n as jq, for native definitions: what means the same, and a word on everything else.
//!
//! Nothing is approximated. What jq does differently is no equivalent, or, where a person can judge the difference, noted.

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, BinaryOperator as B, Expression as E, LogicalOperator as L, UnaryOperator as U};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};
use serde_json::Value as Json;

use super::term::{At, Term};
use super::{Root, bound, expr, path};
use crate::native::{Piece, Value};
use crate::native::{member, quoted};

/// How many `}}` may turn out to stand inside an expression.
const CLOSERS_MAX: usize = 8;
/// How deep the walk goes.
const DEPTH_MAX: usize = 60;

/// Of texts that JavaScript joins.
const MISSING: &str =
    "where JavaScript joins texts, a value that is missing is written `null`, and no longer `undefined`";

/// What has no equivalent, and where in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) at: At,
    /// What it is, in words: ``the method `replace` ``.
    pub(crate) what: String,
}

/// Which item of a node is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// That of the current run of the node.
    Current,
    /// The first or last of all.
    End,
}

/// The jq of a root, or why there is none.
pub(crate) type Roots<'a> = dyn Fn(&Root, Which) -> Result<String, String> + 'a;

/// What a text is in a definition, and what differs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) value: Value,
    pub(crate) notes: Vec<String>,
}

/// A parameter's text as n8n evaluates it; `always`: also where no `=` says so.
pub(crate) fn parameter(text: &str, always: bool, roots: &Roots<'_>) -> Result<Told, Untold> {
    let (body, offset) = match text.strip_prefix('=') {
        Some(body) => (body, 1),
        None if always => (text, 0),
        None => return Ok(Told { value: Value::Constant(text.into()), notes: Vec::new() }),
    };
    let (mut pieces, mut notes, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(open) = body.get(at..).and_then(|rest| rest.find("{{")).map(|i| at + i) {
        push(&mut pieces, body.get(at..open));
        let inside = body.get(open + 2..).unwrap_or_default();
        let start = offset + open + 2;
        let ends = inside.match_indices("}}").map(|(i, _)| i).take(CLOSERS_MAX);
        let source = ends.filter_map(|end| inside.get(..end)).find(|source| expr::expression(source, start).is_some());
        let Some(source) = source else {
            return Err(Untold { at: (start, start + inside.len()), what: "a text that is no expression".to_owned() });
        };
        let mut walker = Walker { source, offset: start, roots, notes: &mut notes };
        pieces.push(Piece::Jq(walker.whole()?));
        at = open + 2 + source.len() + 2;
    }
    push(&mut pieces, body.get(at..));
    let value = match pieces.as_slice() {
        [] => Value::Constant("".into()),
        [Piece::Literal(text)] => Value::Constant(text.as_str().into()),
        _ => Value::Text(pieces),
    };
    Ok(Told { value, notes })
}

fn push(pieces: &mut Vec<Piece>, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        pieces.push(Piece::Literal(text.to_owned()));
    }
}

struct Walker<'a> {
    source: &'a str,
    offset: usize,
    roots: &'a Roots<'a>,
    notes: &'a mut Vec<String>,
}

impl Walker<'_> {
    fn whole(&mut self) -> Result<String, Untold> {
        if let Some(found) = self.path(0, self.source.len()) {
            return found;
        }
        let all = (self.offset, self.offset + self.source.len());
        if !bound::is_parsable(self.source) {
            return Err(Untold { at: all, what: "an expression that is too large".to_owned() });
        }
        let allocator = Allocator::default();
        let tree = Parser::new(&allocator, self.source, SourceType::mjs()).parse_expression();
        match tree {
            Ok(tree) => self.of(&tree, 0),
            Err(_) => Err(Untold { at: all, what: "a text that is no expression".to_owned() }),
        }
    }

    /// A plain path; `None` if the text is something else.
    fn path(&self, start: usize, end: usize) -> Option<Result<String, Untold>> {
        let text = self.source.get(start..end)?;
        let term = path::read(text, self.offset + start)?;
        let which =
            if [".first()", ".last()"].iter().any(|word| text.contains(word)) { Which::End } else { Which::Current };
        Some(self.term(&term, which))
    }

    fn term(&self, term: &Term, which: Which) -> Result<String, Untold> {
        match term {
            Term::Place(root, at) => (self.roots)(root, which).map_err(|what| Untold { at: *at, what }),
            Term::Member(base, key) => Ok(member(&self.term(base, which)?, key)),
            Term::Element(base, index) => Ok(format!("{}[{index}]", self.term(base, which)?)),
            Term::Item(_, at) | Term::Items(_, at) | Term::Handle(_, at) => {
                Err(Untold { at: *at, what: "a reference to all items of a node".to_owned() })
            }
            _ => Err(self.untold(0, self.source.len(), "a reference that is no path")),
        }
    }

    fn untold(&self, start: usize, end: usize, what: impl Into<String>) -> Untold {
        Untold { at: (self.offset + start, self.offset + end), what: what.into() }
    }

    fn no(&self, e: &impl GetSpan, what: impl Into<String>) -> Untold {
        let span = e.span();
        self.untold(span.start as usize, span.end as usize, what)
    }

    fn of(&mut self, e: &E<'_>, depth: usize) -> Result<String, Untold> {
        if depth > DEPTH_MAX {
            return Err(self.no(e, "an expression that is nested too deeply"));
        }
        let span = e.span();
        if let Some(found) = self.path(span.start as usize, span.end as usize) {
            return found;
        }
        match e {
            E::BooleanLiteral(b) => Ok(b.value.to_string()),
            E::NullLiteral(_) => Ok("null".to_owned()),
            E::StringLiteral(s) => Ok(quoted(s.value.as_str())),
            E::NumericLiteral(n) => number(n.value).ok_or_else(|| self.no(e, "a number that is no plain one")),
            E::Identifier(name) if name.name == "undefined" => Ok("null".to_owned()),
            E::ParenthesizedExpression(inner) => self.of(&inner.expression, depth + 1),
            E::TemplateLiteral(t) => self.template(t, depth),
            E::ConditionalExpression(c) => {
                let (test, yes, no) = (
                    self.truth(&c.test, depth)?,
                    self.of(&c.consequent, depth + 1)?,
                    self.of(&c.alternate, depth + 1)?,
                );
                Ok(format!("(if {test} then {yes} else {no} end)"))
            }
            E::LogicalExpression(l) => self.logical(l, depth),
            E::UnaryExpression(u) if u.operator == U::LogicalNot => {
                Ok(format!("({} | not)", self.truth(&u.argument, depth)?))
            }
            E::UnaryExpression(u) if u.operator == U::UnaryNegation => {
                Ok(format!("(0 - ({} | tonumber))", self.of(&u.argument, depth + 1)?))
            }
            E::BinaryExpression(b) => self.binary(b, depth),
            E::ArrayExpression(list) => {
                let items: Result<Vec<String>, Untold> = (list.elements.iter())
                    .map(|item| match item.as_expression() {
                        Some(item) => self.of(item, depth + 1),
                        None => Err(self.no(e, "a list that spreads another")),
                    })
                    .collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            E::ObjectExpression(object) => self.object(object, depth),
            E::ChainExpression(chain) => match &chain.expression {
                ast::ChainElement::CallExpression(call) => self.call(call, depth),
                ast::ChainElement::StaticMemberExpression(m) => self.member(m, depth),
                _ => Err(self.no(e, "an optional chain")),
            },
            E::StaticMemberExpression(m) => self.member(m, depth),
            E::CallExpression(call) => self.call(call, depth),
            E::ArrowFunctionExpression(_) | E::FunctionExpression(_) => Err(self.no(e, "a function")),
            E::NewExpression(_) => Err(self.no(e, "an object that is made by `new`")),
            E::RegExpLiteral(_) => Err(self.no(e, "a regular expression")),
            E::Identifier(name) => Err(self.no(e, format!("the name `{}`", name.name))),
            _ => Err(self.no(e, "this construct of JavaScript")),
        }
    }

    fn member(&mut self, m: &ast::StaticMemberExpression<'_>, depth: usize) -> Result<String, Untold> {
        let name = m.property.name.as_str();
        if let E::Identifier(object) = &m.object {
            return Err(self.no(m, format!("`{}.{name}`", object.name)));
        }
        let object = self.of(&m.object, depth + 1)?;
        match name {
            "length" => Ok(format!("({object} | length)")),
            "constructor" | "__proto__" => Err(self.no(m, format!("`{name}`"))),
            name => Ok(member(&object, name)),
        }
    }

    fn template(&mut self, t: &ast::TemplateLiteral<'_>, depth: usize) -> Result<String, Untold> {
        let mut parts = Vec::new();
        for (i, quasi) in t.quasis.iter().enumerate() {
            let text = quasi.value.cooked.as_ref().map_or("", |text| text.as_str());
            if !text.is_empty() {
                parts.push(quoted(text));
            }
            if let Some(e) = t.expressions.get(i) {
                // JavaScript writes `null` and `undefined` out, where a parameter's text would have nothing.
                parts.push(format!("({} | tostring)", self.of(e, depth + 1)?));
            }
        }
        if t.expressions.iter().len() > 0 {
            self.note(MISSING);
        }
        Ok(match parts.len() {
            0 => "\"\"".to_owned(),
            _ => format!("([{}] | join(\"\"))", parts.join(", ")),
        })
    }

    fn note(&mut self, words: &str) {
        if !self.notes.iter().any(|note| note == words) {
            self.notes.push(words.to_owned());
        }
    }

    /// A condition as JavaScript takes it: nothing, `false`, `0` and the empty text are false.
    fn truth(&mut self, e: &E<'_>, depth: usize) -> Result<String, Untold> {
        let value = self.of(e, depth + 1)?;
        Ok(if is_boolean(e) { value } else { truthy(&value) })
    }

    fn logical(&mut self, l: &ast::LogicalExpression<'_>, depth: usize) -> Result<String, Untold> {
        let (left, right) = (self.of(&l.left, depth + 1)?, self.of(&l.right, depth + 1)?);
        let both = is_boolean(&l.left) && is_boolean(&l.right);
        Ok(match l.operator {
            L::And if both => format!("({left} and {right})"),
            L::Or if both => format!("({left} or {right})"),
            L::And => format!("(if {} then {right} else {left} end)", truthy(&left)),
            L::Or => format!("(if {} then {left} else {right} end)", truthy(&left)),
            L::Coalesce => format!("(if {left} == null then {right} else {left} end)"),
        })
    }

    fn binary(&mut self, b: &ast::BinaryExpression<'_>, depth: usize) -> Result<String, Untold> {
        let (left, right) = (self.of(&b.left, depth + 1)?, self.of(&b.right, depth + 1)?);
        let numbers = |operator: &str| Ok(format!("(({left} | tonumber) {operator} ({right} | tonumber))"));
        let exact = is_exact(&b.left) || is_exact(&b.right);
        match b.operator {
            B::StrictEquality => Ok(format!("({left} == {right})")),
            B::StrictInequality => Ok(format!("({left} != {right})")),
            B::Equality if exact => Ok(format!("({left} == {right})")),
            B::Inequality if exact => Ok(format!("({left} != {right})")),
            B::Equality | B::Inequality => Err(self.no(b, "a loose comparison (`==`)")),
            B::LessThan => numbers("<"),
            B::LessEqualThan => numbers("<="),
            B::GreaterThan => numbers(">"),
            B::GreaterEqualThan => numbers(">="),
            B::Subtraction => numbers("-"),
            B::Multiplication => numbers("*"),
            B::Division => numbers("/"),
            B::Addition if is_text(&b.left) || is_text(&b.right) => {
                self.note(MISSING);
                let part = |e: &E<'_>, jq: String| if is_text(e) { jq } else { format!("({jq} | tostring)") };
                Ok(format!("([{}, {}] | join(\"\"))", part(&b.left, left.clone()), part(&b.right, right.clone())))
            }
            B::Addition if is_number(&b.left) && is_number(&b.right) => Ok(format!("({left} + {right})")),
            B::Addition => Err(self.no(b, "a `+` that may add numbers or join texts")),
            _ => Err(self.no(b, "this operator of JavaScript")),
        }
    }

    fn object(&mut self, object: &ast::ObjectExpression<'_>, depth: usize) -> Result<String, Untold> {
        let mut fields = Vec::new();
        for property in &object.properties {
            let ast::ObjectPropertyKind::ObjectProperty(p) = property else {
                return Err(self.no(object, "an object that spreads another"));
            };
            let key = match &p.key {
                ast::PropertyKey::StaticIdentifier(name) => name.name.to_string(),
                ast::PropertyKey::StringLiteral(text) => text.value.to_string(),
                _ => return Err(self.no(&p.key, "a computed key")),
            };
            fields.push(format!("{}: {}", quoted(&key), self.of(&p.value, depth + 1)?));
        }
        Ok(format!("{{{}}}", fields.join(", ")))
    }

    fn call(&mut self, call: &ast::CallExpression<'_>, depth: usize) -> Result<String, Untold> {
        let arguments: Vec<&E<'_>> = call.arguments.iter().filter_map(|a| a.as_expression()).collect();
        if arguments.len() != call.arguments.len() {
            return Err(self.no(call, "a call with spread arguments"));
        }
        match &call.callee {
            E::Identifier(name) => self.function(call, name.name.as_str(), &arguments, depth),
            E::StaticMemberExpression(m) => {
                let name = m.property.name.as_str();
                if let E::Identifier(object) = &m.object {
                    return self.library(call, (object.name.as_str(), name), &arguments, depth);
                }
                let object = self.of(&m.object, depth + 1)?;
                self.method(call, &object, name, &arguments, depth)
            }
            _ => Err(self.no(call, "a call of a function")),
        }
    }

    fn function(
        &mut self,
        call: &ast::CallExpression<'_>,
        name: &str,
        arguments: &[&E<'_>],
        depth: usize,
    ) -> Result<String, Untold> {
        match (name, arguments) {
            ("String", [one]) => Ok(format!("({} | tostring)", self.of(one, depth + 1)?)),
            ("Number" | "parseFloat", [one]) => Ok(format!("({} | tonumber)", self.of(one, depth + 1)?)),
            ("encodeURIComponent", [one]) => Ok(format!("({} | @uri)", self.of(one, depth + 1)?)),
            ("$ifEmpty", [one, other]) => {
                let (one, other) = (self.of(one, depth + 1)?, self.of(other, depth + 1)?);
                Ok(format!("(if ({one} | . == null or . == \"\" or . == [] or . == {{}}) then {other} else {one} end)"))
            }
            _ => Err(self.no(call, format!("the function `{name}`"))),
        }
    }

    fn library(
        &mut self,
        call: &ast::CallExpression<'_>,
        name: (&str, &str),
        arguments: &[&E<'_>],
        depth: usize,
    ) -> Result<String, Untold> {
        match (name, arguments) {
            (("JSON", "stringify"), [one]) => Ok(format!("({} | tojson)", self.of(one, depth + 1)?)),
            (("JSON", "parse"), [one]) => Ok(format!("({} | fromjson)", self.of(one, depth + 1)?)),
            (("Math", word @ ("round" | "floor" | "ceil")), [one]) => {
                Ok(format!("({} | tonumber | {word})", self.of(one, depth + 1)?))
            }
            ((object, name), _) => Err(self.no(call, format!("the function `{object}.{name}`"))),
        }
    }

    fn method(
        &mut self,
        call: &ast::CallExpression<'_>,
        object: &str,
        name: &str,
        arguments: &[&E<'_>],
        depth: usize,
    ) -> Result<String, Untold> {
        match (name, arguments) {
            ("toString", []) => Ok(format!("({object} | tostring)")),
            ("toJsonString", []) => Ok(format!("({object} | tojson)")),
            ("toNumber", []) => Ok(format!("({object} | tonumber)")),
            ("trim", []) => Ok(format!("({object} | trim)")),
            ("first", []) => Ok(format!("({object} | first)")),
            ("last", []) => Ok(format!("({object} | last)")),
            ("toLowerCase" | "toUpperCase", []) => {
                self.note("`toLowerCase` and `toUpperCase` change letters of ASCII alone here");
                let word = if name == "toLowerCase" { "ascii_downcase" } else { "ascii_upcase" };
                Ok(format!("({object} | {word})"))
            }
            ("startsWith", [one]) => Ok(format!("({object} | startswith({}))", self.of(one, depth + 1)?)),
            ("endsWith", [one]) => Ok(format!("({object} | endswith({}))", self.of(one, depth + 1)?)),
            ("includes", [one]) => Ok(format!("({object} | index({}) != null)", self.of(one, depth + 1)?)),
            ("join", []) => Ok(format!("({object} | join(\",\"))")),
            ("join", [one @ E::StringLiteral(_)]) => Ok(format!("({object} | join({}))", self.of(one, depth + 1)?)),
            ("split", [one @ E::StringLiteral(text)]) if !text.value.is_empty() => {
                Ok(format!("({object} | split({}))", self.of(one, depth + 1)?))
            }
            _ => Err(self.no(call, format!("the method `{name}`"))),
        }
    }
}

/// What JavaScript takes for true.
pub(crate) fn truthy(value: &str) -> String {
    format!("({value} | . != null and . != false and . != \"\" and . != 0)")
}

fn number(value: f64) -> Option<String> {
    let json = Json::from(value);
    let whole = value.fract() == 0.0 && value.abs() < 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small enough")]
    let text = if whole { (value as i64).to_string() } else { json.to_string() };
    (value.is_finite() && !text.contains('e')).then_some(text)
}

/// Whether it is `true` or `false` whatever it is made from.
fn is_boolean(e: &E<'_>) -> bool {
    match e {
        E::BooleanLiteral(_) => true,
        E::ParenthesizedExpression(inner) => is_boolean(&inner.expression),
        E::UnaryExpression(u) => u.operator == U::LogicalNot,
        E::LogicalExpression(l) => is_boolean(&l.left) && is_boolean(&l.right),
        E::BinaryExpression(b) => b.operator.is_equality() || b.operator.is_compare(),
        E::CallExpression(call) => match &call.callee {
            E::StaticMemberExpression(m) => matches!(m.property.name.as_str(), "includes" | "startsWith" | "endsWith"),
            _ => false,
        },
        _ => false,
    }
}

/// Whether it is a text whatever it is made from.
fn is_text(e: &E<'_>) -> bool {
    match e {
        E::StringLiteral(_) | E::TemplateLiteral(_) => true,
        E::ParenthesizedExpression(inner) => is_text(&inner.expression),
        E::BinaryExpression(b) => b.operator == B::Addition && (is_text(&b.left) || is_text(&b.right)),
        E::CallExpression(call) => match &call.callee {
            E::StaticMemberExpression(m) => {
                matches!(
                    m.property.name.as_str(),
                    "toString" | "trim" | "toLowerCase" | "toUpperCase" | "join" | "stringify"
                )
            }
            E::Identifier(name) => matches!(name.name.as_str(), "String" | "encodeURIComponent"),
            _ => false,
        },
        _ => false,
    }
}

fn is_number(e: &E<'_>) -> bool {
    match e {
        E::NumericLiteral(_) => true,
        E::ParenthesizedExpression(inner) => is_number(&inner.expression),
        E::BinaryExpression(b) => {
            matches!(b.operator, B::Subtraction | B::Multiplication | B::Division)
                || b.operator == B::Addition && is_number(&b.left) && is_number(&b.right)
        }
        E::CallExpression(call) => {
            matches!(&call.callee, E::Identifier(name) if matches!(name.name.as_str(), "Number" | "parseFloat"))
        }
        E::StaticMemberExpression(m) => m.property.name == "length",
        _ => false,
    }
}

/// Whether a loose comparison with it is a strict one: nothing else turns into it.
fn is_exact(e: &E<'_>) -> bool {
    match e {
        E::NullLiteral(_) => true,
        E::StringLiteral(s) => {
            let text = s.value.as_str().trim();
            !text.is_empty() && text.parse::<f64>().is_err() && !text.starts_with("0x")
        }
        _ => false,
    }
}
