//! Walks a syntax tree and says what its values are made from.

mod bind;
mod calls;
mod literal;
mod names;
mod operators;
mod write;

use std::collections::BTreeMap;

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, Expression as E};
use oxc_ast_visit::Visit;
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};
use serde_json::Value as Json;

use self::operators::number;
use super::facts::Facts;
use super::term::{At, Term};
use super::{Called, Mode, Root, bound, path, scan};

/// How many expressions may be walked; functions are walked once per call.
const FUEL: usize = 40_000;
/// How deep the walk goes.
const DEPTH_MAX: usize = 200;
/// The largest term that a name may stand for.
const TERM_MAX: usize = 2_000;
/// How often a text is walked until nothing new is found.
const ROUNDS_MAX: usize = 5;

/// The term of one expression; none if it is no JavaScript.
pub(super) fn expression(source: &str, offset: usize) -> Option<(Term, Vec<Called>)> {
    if let Some(term) = path::read(source, offset) {
        return Some((term, Vec::new()));
    }
    parsed(source, offset)
}

/// The same without the short way.
pub(super) fn parsed(source: &str, offset: usize) -> Option<(Term, Vec<Called>)> {
    let blind = || (scan::opaque(source, offset, scan::Names::Expression), scan::calls(source, offset));
    if !bound::is_parsable(source) {
        return Some(blind());
    }
    let allocator = Allocator::default();
    let tree = Parser::new(&allocator, source, SourceType::mjs()).parse_expression().ok()?;
    let facts = Facts::of(|facts| facts.visit_expression(&tree));
    let walked = rounds(facts, offset, None, &|walker| walker.expr(&tree));
    Some(walked.unwrap_or_else(|| {
        let (term, calls) = blind();
        (Term::opaque([term, Term::Place(Root::Unknown, (offset, offset + source.len()))]), calls)
    }))
}

/// Walks until what the names stand for is known; none if the text is beyond it.
pub(super) fn rounds<'a>(
    facts: Facts,
    offset: usize,
    mode: Option<Mode>,
    walk: &dyn Fn(&mut Walker<'a>) -> Term,
) -> Option<(Term, Vec<Called>)> {
    if facts.dynamic {
        return None;
    }
    let mut walker = Walker::new(facts, offset, mode);
    for _ in 0..ROUNDS_MAX {
        let term = walk(&mut walker);
        if walker.gave_up {
            return None;
        }
        walker.note(&term);
        let seen = Term::opaque(std::mem::take(&mut walker.seen));
        let settled = walker.facts.names.is_empty() || (seen == walker.soup && walker.found() == walker.before);
        if settled {
            let calls = std::mem::take(&mut walker.calls);
            let term = if walker.facts.wild { Term::opaque([seen, term]) } else { term };
            return Some((walker.with_written(walker.with_loose(term)), calls));
        }
        walker.again(seen);
    }
    // Something is found anew in every round: it may be more than what was found so far.
    let all = Term::opaque([walker.soup.clone(), Term::Place(Root::Unknown, (offset, offset))]);
    Some((walker.with_written(walker.with_loose(all)), walker.calls))
}

/// Whether the term of an expression can be much larger than those that it is made from, or that a name stands for: only
/// then it is counted.
const fn may_grow(e: &E<'_>) -> bool {
    !matches!(
        e,
        E::BooleanLiteral(_)
            | E::NullLiteral(_)
            | E::NumericLiteral(_)
            | E::StringLiteral(_)
            | E::RegExpLiteral(_)
            | E::Identifier(_)
            | E::ParenthesizedExpression(_)
            | E::AwaitExpression(_)
            | E::StaticMemberExpression(_)
    )
}

/// Something that can be called.
#[derive(Clone, Copy)]
pub(super) enum Callable<'a> {
    Function(&'a ast::Function<'a>),
    Arrow(&'a ast::ArrowFunctionExpression<'a>),
}

impl<'a> Callable<'a> {
    fn params(self) -> &'a ast::FormalParameters<'a> {
        match self {
            Self::Arrow(f) => &f.params,
            Self::Function(f) => &f.params,
        }
    }
}

/// By the root of some items and a field.
type IntoItems = BTreeMap<(Root, String), Term>;

/// What a walk has found of the names of a text, and of what is written.
#[derive(Debug, Default, PartialEq)]
struct Found<'a> {
    tracked: BTreeMap<&'a str, Term>,
    merged: BTreeMap<&'a str, Term>,
    into_items: IntoItems,
    loose: Option<Vec<Term>>,
    /// Once a name was asked for what it stands for before it was bound.
    constants: Option<BTreeMap<&'a str, Term>>,
}

/// One walk through a text.
pub(super) struct Walker<'a> {
    pub(super) facts: Facts,
    offset: usize,
    pub(super) mode: Option<Mode>,
    scopes: Vec<(&'a str, Term)>,
    constants: BTreeMap<&'a str, Term>,
    tracked: BTreeMap<&'a str, Term>,
    /// What is bound to a name that is bound more than once, all of it together.
    merged: BTreeMap<&'a str, Term>,
    before: Found<'a>,
    /// What is put into the items of a node, by field.
    into_items: IntoItems,
    /// What is written into something that is neither one new object under one name nor an item, once anything is: any value
    /// of the text may hold it from then on.
    loose: Option<Vec<Term>>,
    /// Whether a name was asked for what it stands for before it was bound.
    is_early: bool,
    functions: BTreeMap<&'a str, Callable<'a>>,
    running: Vec<&'a str>,
    soup: Term,
    seen: Vec<Term>,
    pub(super) returns: Vec<Vec<Term>>,
    calls: Vec<Called>,
    fuel: usize,
    depth: usize,
    gave_up: bool,
}

impl<'a> Walker<'a> {
    fn new(facts: Facts, offset: usize, mode: Option<Mode>) -> Self {
        Self {
            facts,
            offset,
            mode,
            scopes: Vec::new(),
            constants: BTreeMap::new(),
            tracked: BTreeMap::new(),
            merged: BTreeMap::new(),
            before: Found::default(),
            into_items: BTreeMap::new(),
            loose: None,
            is_early: false,
            functions: BTreeMap::new(),
            running: Vec::new(),
            soup: Term::Opaque(Vec::new()),
            seen: Vec::new(),
            returns: Vec::new(),
            calls: Vec::new(),
            fuel: FUEL,
            depth: 0,
            gave_up: false,
        }
    }

    fn found(&self) -> Found<'a> {
        Found {
            tracked: self.tracked.clone(),
            merged: self.merged.clone(),
            into_items: self.into_items.clone(),
            loose: self.loose.clone(),
            constants: self.is_early.then(|| self.constants.clone()),
        }
    }

    /// Starts over, with what the last walk found.
    fn again(&mut self, seen: Term) {
        self.soup = seen;
        self.before = self.found();
        (self.calls, self.returns) = (Vec::new(), Vec::new());
        self.fuel = FUEL;
    }

    /// Keeps what a value was made from: it may be in any name that is not followed.
    pub(super) fn note(&mut self, term: &Term) {
        term.add_parts(&mut self.seen);
        self.gave_up |= self.seen.len() > TERM_MAX;
    }

    pub(super) fn at(&self, node: &impl GetSpan) -> At {
        let span = node.span();
        (self.offset + span.start as usize, self.offset + span.end as usize)
    }

    /// Everything that was read up to here.
    pub(super) fn read_so_far(&self) -> Term {
        Term::opaque(self.seen.iter().cloned().chain([self.anything()]))
    }

    /// Anything that any value of the text is made from.
    fn anything(&self) -> Term {
        self.soup.clone()
    }

    /// What a value is made from that is walked for its effect.
    pub(super) fn effect(&mut self, e: &'a E<'a>) {
        let term = self.expr(e);
        self.note(&term);
    }

    pub(super) fn expr(&mut self, e: &'a E<'a>) -> Term {
        if self.fuel == 0 || self.depth >= DEPTH_MAX || self.gave_up {
            self.gave_up = true;
            return Term::UNDEFINED;
        }
        self.fuel -= 1;
        self.depth += 1;
        let term = self.shape(e);
        self.depth -= 1;
        // Whoever makes one large value of another pays for it.
        if let Term::Opaque(parts) = &term {
            self.fuel = self.fuel.saturating_sub(parts.len() / 16);
        }
        self.gave_up |= may_grow(e) && term.size() > TERM_MAX;
        term
    }

    fn shape(&mut self, e: &'a E<'a>) -> Term {
        match e {
            E::BooleanLiteral(b) => Term::Literal(b.value.into()),
            E::NullLiteral(_) => Term::UNDEFINED,
            E::NumericLiteral(n) => number(n.value),
            E::StringLiteral(s) => Term::Literal(s.value.as_str().into()),
            E::TemplateLiteral(t) => self.template(t),
            E::BigIntLiteral(_) | E::RegExpLiteral(_) => Term::Opaque(Vec::new()),
            E::Identifier(name) => self.name(name.name.as_str(), self.at(e)),
            E::ParenthesizedExpression(inner) => self.expr(&inner.expression),
            E::AwaitExpression(inner) => self.expr(&inner.argument),
            E::ChainExpression(chain) => match &chain.expression {
                ast::ChainElement::CallExpression(call) => self.call(call),
                ast::ChainElement::StaticMemberExpression(m) => self.static_member(m),
                ast::ChainElement::ComputedMemberExpression(m) => self.computed_member(m),
                _ => self.beyond(),
            },
            E::StaticMemberExpression(m) => self.static_member(m),
            E::ComputedMemberExpression(m) => self.computed_member(m),
            E::CallExpression(call) => self.call(call),
            E::NewExpression(new) => {
                let callee = self.expr(&new.callee);
                let arguments = self.arguments(&new.arguments);
                // What a function is given there is called with what comes out: `resolve(value)`.
                let is_called = |a: &ast::Argument<'a>| a.as_expression().is_some_and(|e| self.callable(e).is_some());
                let resolved = new.arguments.iter().any(is_called).then(|| self.anything());
                Term::opaque([callee].into_iter().chain(arguments).chain(resolved))
            }
            E::ArrayExpression(list) => self.list(list),
            E::ObjectExpression(object) => self.object(object),
            E::ConditionalExpression(c) => self.conditional(c),
            E::LogicalExpression(l) => self.logical(l),
            E::BinaryExpression(b) => self.binary(b),
            E::UnaryExpression(u) => self.unary(u),
            E::UpdateExpression(u) => self.update(u),
            E::SequenceExpression(s) => {
                let mut last = Term::UNDEFINED;
                for part in &s.expressions {
                    last = self.expr(part);
                    self.note(&last);
                }
                last
            }
            E::AssignmentExpression(a) => self.assignment(a),
            E::ArrowFunctionExpression(f) => self.closure(Callable::Arrow(f), &[]),
            E::FunctionExpression(f) => self.closure(Callable::Function(f), &[]),
            E::TaggedTemplateExpression(t) => {
                let tag = self.expr(&t.tag);
                let quasi = self.template(&t.quasi);
                Term::opaque([tag, quasi])
            }
            E::ThisExpression(_) => match self.mode {
                Some(_) => Term::Opaque(vec![Term::Place(Root::Item, self.at(e))]),
                None => Term::Opaque(vec![Term::Place(Root::Unknown, self.at(e))]),
            },
            _ => self.beyond(),
        }
    }

    /// A construct that is not walked: the whole text is then read by its names alone.
    pub(super) fn beyond(&mut self) -> Term {
        self.gave_up = true;
        Term::UNDEFINED
    }

    fn template(&mut self, t: &'a ast::TemplateLiteral<'a>) -> Term {
        let mut parts = Vec::new();
        for (i, quasi) in t.quasis.iter().enumerate() {
            let text = quasi.value.cooked.as_ref().map_or("", |t| t.as_str());
            if !text.is_empty() {
                parts.push(Term::Literal(text.into()));
            }
            if let Some(e) = t.expressions.get(i) {
                parts.push(self.expr(e));
            }
        }
        match parts.as_slice() {
            [] => Term::Literal("".into()),
            [only @ Term::Literal(Json::String(_))] => only.clone(),
            _ => Term::Text(parts),
        }
    }
}
