//! Walks a syntax tree and says what its values are made from.

use std::collections::BTreeMap;

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, Expression as E};
use oxc_ast_visit::Visit;
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};
use serde_json::Value as Json;

use super::facts::{Facts, WRITERS};
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
        let settled = walker.facts.names.is_empty()
            || (seen == walker.soup
                && [&walker.tracked, &walker.merged] == walker.before.0.each_ref()
                && walker.into_items == walker.before.1);
        if settled {
            let calls = std::mem::take(&mut walker.calls);
            let term = if walker.facts.wild { Term::opaque([seen, term]) } else { term };
            return Some((walker.with_written(term), calls));
        }
        walker.again(seen);
    }
    Some((walker.with_written(walker.soup.clone()), walker.calls))
}

/// Something that can be called.
#[derive(Clone, Copy)]
pub(super) enum Callable<'a> {
    Function(&'a ast::Function<'a>),
    Arrow(&'a ast::ArrowFunctionExpression<'a>),
}

/// By the root of some items and a field.
type IntoItems = BTreeMap<(Root, String), Term>;

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
    before: ([BTreeMap<&'a str, Term>; 2], IntoItems),
    /// What is put into the items of a node, by field.
    into_items: IntoItems,
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
            before: Default::default(),
            into_items: BTreeMap::new(),
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

    /// Starts over, with what the last walk found.
    fn again(&mut self, seen: Term) {
        self.soup = seen;
        self.before = ([self.tracked.clone(), self.merged.clone()], self.into_items.clone());
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
        self.gave_up |= term.size() > TERM_MAX;
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
                Term::opaque([callee].into_iter().chain(arguments))
            }
            E::ArrayExpression(list) => self.list(list),
            E::ObjectExpression(object) => self.object(object),
            E::ConditionalExpression(c) => self.conditional(c),
            E::LogicalExpression(l) => self.logical(l),
            E::BinaryExpression(b) => self.binary(b),
            E::UnaryExpression(u) => self.unary(u),
            E::UpdateExpression(_) => self.anything(),
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

    fn name(&mut self, name: &str, at: At) -> Term {
        if let Some((_, term)) = self.scopes.iter().rev().find(|(n, _)| *n == name) {
            return term.clone();
        }
        if let Some(uses) = self.facts.names.get(name) {
            return match (uses.declared, uses.assigned, uses.written) {
                // An engine's name that the text changes.
                (0, ..) => Term::opaque([self.global(name, at), self.anything()]),
                (1, 0, 0) => self.constants.get(name).cloned().unwrap_or_else(|| self.anything()),
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

    fn global(&self, name: &str, at: At) -> Term {
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
    fn engine_name(&self, e: &'a E<'a>) -> Option<&'a str> {
        let E::Identifier(name) = e else { return None };
        let name = name.name.as_str();
        let own = self.facts.names.contains_key(name) || self.scopes.iter().any(|(n, _)| *n == name);
        (!own).then_some(name)
    }

    fn static_member(&mut self, m: &'a ast::StaticMemberExpression<'a>) -> Term {
        let key = m.property.name.as_str();
        self.member_of(&m.object, key, self.at(m))
    }

    fn member_of(&mut self, object: &'a E<'a>, key: &str, at: At) -> Term {
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

    fn computed_member(&mut self, m: &'a ast::ComputedMemberExpression<'a>) -> Term {
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

    fn arguments(&mut self, arguments: &'a [ast::Argument<'a>]) -> Vec<Term> {
        let mut terms = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let term = match argument {
                ast::Argument::SpreadElement(spread) => {
                    let term = self.expr(&spread.argument);
                    Term::opaque([term])
                }
                other => other.as_expression().map_or(Term::UNDEFINED, |e| self.expr(e)),
            };
            terms.push(term);
        }
        terms
    }

    fn call(&mut self, call: &'a ast::CallExpression<'a>) -> Term {
        let at = self.at(call);
        if let Some(name) = written(&call.callee).filter(|name| scan::is_of_note(name)) {
            self.calls.push((name.as_str().into(), at));
        }
        match &call.callee {
            E::StaticMemberExpression(m) => self.method(m, call),
            callee => {
                if let Some(name) = self.engine_name(callee) {
                    return self.engine_call(name, call, at);
                }
                if let Some(callable) = self.callable(callee) {
                    let arguments = self.arguments(&call.arguments);
                    return self.invoke(callee, callable, &arguments);
                }
                let callee = self.expr(callee);
                let arguments = self.arguments(&call.arguments);
                Term::opaque([callee].into_iter().chain(arguments))
            }
        }
    }

    fn engine_call(&mut self, name: &'a str, call: &'a ast::CallExpression<'a>, at: At) -> Term {
        let arguments = self.arguments(&call.arguments);
        let first = match arguments.first() {
            Some(Term::Literal(Json::String(text))) => Some(text.as_str()),
            _ => None,
        };
        let root = |root: Term| Term::opaque([root].into_iter().chain(arguments.clone()));
        match (name, first) {
            ("$" | "$node", Some(node)) => Term::Handle(Root::Node(node.into()), at),
            ("$items", Some(node)) => Term::Items(Root::Node(node.into()), at),
            ("$items", None) if arguments.is_empty() => Term::Items(Root::Item, at),
            ("$fromAI" | "$fromai" | "$fromAi", Some(key)) => Term::Place(Root::FromAi(key.into()), at),
            ("$" | "$node" | "$items" | "$fromAI" | "$fromai" | "$fromAi", _) => root(Term::Place(Root::Unknown, at)),
            ("$getWorkflowStaticData" | "getWorkflowStaticData", _) => Term::Place(Root::StaticData, at),
            ("getInputData", _) => self.global(name, at),
            (
                "encodeURIComponent" | "Number" | "parseInt" | "parseFloat" | "Boolean" | "isNaN" | "isFinite"
                | "BigInt",
                _,
            ) => Term::harmless(arguments),
            ("$not", _) => Term::harmless(arguments),
            _ => {
                let callee = self.global(name, at);
                Term::opaque([callee].into_iter().chain(arguments))
            }
        }
    }

    fn method(&mut self, m: &'a ast::StaticMemberExpression<'a>, call: &'a ast::CallExpression<'a>) -> Term {
        let name = m.property.name.as_str();
        if let Some(holder) = self.written_into(&m.object).filter(|_| WRITERS.contains(&name)) {
            let arguments = self.arguments(&call.arguments);
            self.put(holder, None, name == "push", arguments);
            return Term::Opaque(Vec::new());
        }
        if let Some(global @ ("Math" | "Number")) = self.engine_name(&m.object) {
            let _ = global;
            let arguments = self.arguments(&call.arguments);
            return Term::harmless(arguments);
        }
        let receiver = self.expr(&m.object);
        let constant = |a: &ast::Argument<'_>| a.as_expression().is_some_and(|e| e.is_literal());
        if let Some(term) = receiver.items_call(name).filter(|_| call.arguments.iter().all(constant)) {
            return term;
        }
        let arguments = self.given_to(&receiver, &call.arguments);
        self.applied(receiver, name, arguments)
    }

    /// What a method gives.
    fn applied(&mut self, receiver: Term, name: &str, arguments: Vec<Term>) -> Term {
        let mapped = matches!((&receiver, arguments.as_slice()), (Term::Items(..), [_]));
        match name {
            "map" if mapped => Term::List(arguments, true),
            "flatMap" | "some" | "every" | "forEach" if mapped => Term::opaque(arguments),
            "toFixed" | "getTime" | "toMillis" | "toSeconds" | "indexOf" | "lastIndexOf" | "includes"
            | "startsWith" | "endsWith" | "test" | "isEmpty" | "isNotEmpty" | "hash" | "urlEncode" | "toInt"
            | "toFloat" | "toNumber" | "charCodeAt" | "hasOwnProperty" | "localeCompare" | "isEmail" | "isUrl"
            | "isNumeric" | "isBoolean"
                if !matches!(receiver, Term::Object(_)) =>
            {
                Term::harmless([receiver].into_iter().chain(arguments))
            }
            "digest" if matches!(arguments.as_slice(), [Term::Literal(Json::String(form))] if form == "hex") => {
                Term::harmless([receiver])
            }
            "toString" | "trim" | "valueOf" if matches!(receiver, Term::Harmless(_)) => receiver,
            "filter" | "sort" | "reverse" | "slice" if matches!(receiver, Term::Items(..)) => receiver,
            _ => Term::opaque([receiver].into_iter().chain(arguments)),
        }
    }

    /// Arguments, where functions among them get the receiver's elements.
    fn given_to(&mut self, receiver: &Term, arguments: &'a [ast::Argument<'a>]) -> Vec<Term> {
        let whole = || Term::opaque([receiver.clone()]);
        let mut terms = Vec::new();
        for argument in arguments {
            let callable = argument.as_expression().and_then(|e| self.callable(e));
            let term = match (callable, argument.as_expression()) {
                (Some(callable), Some(e)) => {
                    let given = if arguments.len() == 1 { receiver.each() } else { whole() };
                    self.invoke(e, callable, &[given, whole(), whole()])
                }
                (None, Some(e)) => self.expr(e),
                (_, None) => self.arguments(std::slice::from_ref(argument)).pop().unwrap_or(Term::UNDEFINED),
            };
            terms.push(term);
        }
        terms
    }

    fn callable(&self, e: &'a E<'a>) -> Option<Callable<'a>> {
        match e {
            E::ParenthesizedExpression(inner) => self.callable(&inner.expression),
            E::ArrowFunctionExpression(f) => Some(Callable::Arrow(f)),
            E::FunctionExpression(f) => Some(Callable::Function(f)),
            E::Identifier(name) => {
                let uses = self.facts.names.get(name.name.as_str())?;
                (uses.declared == 1 && uses.assigned == 0).then(|| self.functions.get(name.name.as_str()).copied())?
            }
            _ => None,
        }
    }

    pub(super) fn declare_function(&mut self, name: &'a str, callable: Callable<'a>) {
        self.functions.insert(name, callable);
    }

    fn invoke(&mut self, callee: &'a E<'a>, callable: Callable<'a>, arguments: &[Term]) -> Term {
        let E::Identifier(name) = callee else { return self.closure(callable, arguments) };
        let name = name.name.as_str();
        if self.running.contains(&name) {
            return Term::opaque([self.anything()].into_iter().chain(arguments.iter().cloned()));
        }
        self.running.push(name);
        let term = self.closure(callable, arguments);
        self.running.pop();
        term
    }

    /// What a function gives for these arguments; without any, for whatever it may get.
    pub(super) fn closure(&mut self, callable: Callable<'a>, arguments: &[Term]) -> Term {
        let params = match callable {
            Callable::Arrow(f) => &f.params,
            Callable::Function(f) => &f.params,
        };
        let scope = self.scopes.len();
        arguments.iter().for_each(|a| self.note(a));
        for (i, param) in params.items.iter().enumerate() {
            let unknown = if arguments.is_empty() { self.anything() } else { Term::UNDEFINED };
            let mut given = arguments.get(i).cloned().unwrap_or(unknown);
            if let Some(default) = &param.initializer {
                let default = self.expr(default);
                given = Term::opaque([given, default]);
            }
            self.bind_param(&param.pattern, given);
        }
        if let Some(rest) = &params.rest {
            let all = Term::opaque(arguments.iter().cloned().chain([self.anything()]));
            self.bind_param(&rest.rest.argument, all);
        }
        let term = match callable {
            Callable::Arrow(f) => match &f.body {
                ast::ArrowFunctionBody::FunctionBody(body) => self.body(&body.statements),
                body => body.as_expression().map_or(Term::UNDEFINED, |e| self.expr(e)),
            },
            Callable::Function(f) => f.body.as_ref().map_or(Term::UNDEFINED, |b| self.body(&b.statements)),
        };
        self.scopes.truncate(scope);
        term
    }

    fn body(&mut self, statements: &'a [ast::Statement<'a>]) -> Term {
        self.returns.push(Vec::new());
        self.statements(statements);
        let mut returned = self.returns.pop().unwrap_or_default();
        match returned.len() {
            0 => Term::UNDEFINED,
            1 => returned.pop().unwrap_or(Term::UNDEFINED),
            _ => Term::opaque(returned),
        }
    }

    /// Binds a parameter that nothing else changes; any other is followed by nobody.
    fn bind_param(&mut self, pattern: &'a ast::BindingPattern<'a>, given: Term) {
        self.destructure(pattern, given, &mut |walker, name, term| {
            let uses = walker.facts.names.get(name);
            let steady = uses.is_some_and(|u| u.assigned == 0 && u.declared == 1);
            let is_item = matches!(term, Term::Item(..) | Term::Place(..));
            if steady && (is_item || uses.is_some_and(|u| u.written == 0)) {
                walker.scopes.push((name, term));
            } else {
                walker.merge(name, term);
            }
        });
    }

    /// Binds the names of a declaration.
    pub(super) fn bind(&mut self, pattern: &'a ast::BindingPattern<'a>, given: Term) {
        self.destructure(pattern, given, &mut |walker, name, term| {
            let Some(uses) = walker.facts.names.get(name).cloned() else { return };
            if uses.declared != 1 || uses.assigned > 0 {
                walker.merge(name, term);
            } else if uses.written == 0 {
                if !matches!(term, Term::Place(..) | Term::Handle(..) | Term::Item(..) | Term::Items(..)) {
                    walker.note(&term);
                }
                walker.constants.insert(name, term);
            } else {
                walker.note(&term);
                walker.hold(name, term, uses.fresh);
            }
        });
    }

    /// What a name holds at first; what an earlier round saw put into it stays.
    fn hold(&mut self, name: &'a str, term: Term, fresh: bool) {
        let now = match (self.tracked.remove(name), term) {
            (Some(Term::Object(mut fields)), Term::Object(more)) if fresh => {
                for (key, value) in more {
                    match fields.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, old)) if *old == value => {}
                        Some((_, old)) => *old = Term::opaque([old.clone(), value]),
                        None => fields.push((key, value)),
                    }
                }
                Term::Object(fields)
            }
            (Some(old), new) if fresh && old != new && !old.holds(&new) => Term::opaque([old, new]),
            (Some(old), _) if fresh => old,
            (_, new) => new,
        };
        self.tracked.insert(name, now);
    }

    /// Adds to what a name may stand for.
    fn merge(&mut self, name: &'a str, term: Term) {
        let whole = matches!(term, Term::Place(..) | Term::Handle(..) | Term::Item(..) | Term::Items(..));
        if !whole || self.facts.names.get(name).is_none_or(|u| u.written > 0) {
            self.note(&term);
        }
        let both = match self.merged.remove(name) {
            Some(old) if old.same_read(&term) => old,
            Some(old) => Term::opaque([old, term]),
            None => term,
        };
        self.gave_up |= both.size() > TERM_MAX;
        self.merged.insert(name, both);
    }

    fn destructure(
        &mut self,
        pattern: &'a ast::BindingPattern<'a>,
        given: Term,
        bind: &mut dyn FnMut(&mut Self, &'a str, Term),
    ) {
        match pattern {
            ast::BindingPattern::BindingIdentifier(name) => bind(self, name.name.as_str(), given),
            ast::BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let part = match &property.key {
                        ast::PropertyKey::StaticIdentifier(key) => given.clone().member(key.name.as_str()),
                        ast::PropertyKey::StringLiteral(key) => given.clone().member(key.value.as_str()),
                        _ => {
                            self.beyond();
                            return;
                        }
                    };
                    self.destructure(&property.value, part, bind);
                }
                if let Some(rest) = &object.rest {
                    self.destructure(&rest.argument, Term::opaque([given]), bind);
                }
            }
            ast::BindingPattern::ArrayPattern(list) => {
                for (index, element) in (0i64..).zip(&list.elements) {
                    if let Some(element) = element {
                        self.destructure(element, given.clone().element(index), bind);
                    }
                }
                if let Some(rest) = &list.rest {
                    self.destructure(&rest.argument, Term::opaque([given]), bind);
                }
            }
            ast::BindingPattern::AssignmentPattern(with_default) => {
                let default = self.expr(&with_default.right);
                self.destructure(&with_default.left, Term::opaque([given, default]), bind);
            }
        }
    }

    /// The one name that holds a new object which is written into here.
    fn written_into(&self, object: &'a E<'a>) -> Option<&'a str> {
        let E::Identifier(name) = object else { return None };
        let uses = self.facts.names.get(name.name.as_str())?;
        (uses.fresh && uses.written > 0 && uses.declared == 1 && uses.assigned == 0).then(|| name.name.as_str())
    }

    /// Adds to what a name holds.
    fn put(&mut self, holder: &'a str, key: Option<&str>, pushed: bool, values: Vec<Term>) {
        values.iter().for_each(|v| self.note(v));
        let held = self.tracked.remove(holder).unwrap_or_else(|| Term::Opaque(Vec::new()));
        let now = match (held, key) {
            (Term::Object(mut fields), Some(key)) => {
                for value in values {
                    match fields.iter_mut().find(|(k, _)| k.as_ref() == key) {
                        Some((_, old)) if *old == value => {}
                        // Written in an earlier round: the parts are there already.
                        Some((_, old)) => *old = Term::opaque([old.clone(), value]),
                        None => fields.push((key.into(), value)),
                    }
                }
                Term::Object(fields)
            }
            (held @ Term::Merged(_), Some(key)) => {
                let old = held.clone().member(key);
                let new = match values.as_slice() {
                    [only] if *only == old => old,
                    _ => Term::opaque([old].into_iter().chain(values)),
                };
                held.overlaid(key, new)
            }
            (Term::List(mut items, _), None) if pushed => {
                for value in values {
                    if !items.contains(&value) {
                        items.push(value);
                    }
                }
                Term::List(items, true)
            }
            (held, _) => Term::opaque([held].into_iter().chain(values)),
        };
        self.gave_up |= now.size() > TERM_MAX;
        self.tracked.insert(holder, now);
    }

    fn assignment(&mut self, a: &'a ast::AssignmentExpression<'a>) -> Term {
        let value = self.expr(&a.right);
        self.note(&value);
        let plain = a.operator == ast::AssignmentOperator::Assign;
        match &a.left {
            ast::AssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.merge(name.name.as_str(), Term::opaque([value.clone()]));
            }
            ast::AssignmentTarget::StaticMemberExpression(m) => {
                let key = m.property.name.as_str();
                match self.written_into(&m.object) {
                    Some(holder) => self.put(holder, Some(key).filter(|_| plain), false, vec![value.clone()]),
                    None => self.put_into_item(&m.object, Some(key), value.clone()),
                }
            }
            ast::AssignmentTarget::ComputedMemberExpression(m) => {
                let key = self.expr(&m.expression);
                self.note(&key);
                let holder = self.written_into(&m.object);
                match (holder, &key) {
                    (Some(holder), Term::Literal(Json::String(key))) if plain => {
                        self.put(holder, Some(key), false, vec![value.clone()]);
                    }
                    (Some(holder), _) => self.put(holder, None, false, vec![key, value.clone()]),
                    (None, Term::Literal(Json::String(key))) => self.put_into_item(&m.object, Some(key), value.clone()),
                    (None, _) => self.put_into_item(&m.object, None, value.clone()),
                }
            }
            _ => return self.beyond(),
        }
        if plain { value } else { Term::opaque([value, self.anything()]) }
    }

    /// `item.json.key = value`: the items of a node are one value here, whichever of them it is, and whenever it is read.
    fn put_into_item(&mut self, object: &'a E<'a>, key: Option<&str>, value: Term) {
        let object = self.expr(object);
        self.note(&object);
        if matches!((&object, key), (Term::Item(..), Some("pairedItem"))) {
            return;
        }
        let place = object.within_item().map(|(root, field)| (root.clone(), field.or(key.map(str::to_owned))));
        let Some((root, Some(field))) = place else {
            self.facts.wild = true;
            return;
        };
        let old = self.into_items.remove(&(root.clone(), field.clone()));
        let all = Term::opaque(old.clone().into_iter().chain([value.clone()]));
        let now = if old.as_ref().is_none_or(|old| *old == value) { value } else { all };
        self.gave_up |= now.size() > TERM_MAX;
        self.into_items.insert((root, field), now);
    }

    /// A value in which every item has, beside its own fields, what was put into it.
    fn with_written(&self, term: Term) -> Term {
        if self.into_items.is_empty() {
            return term;
        }
        // What was put in may itself have been read of an item that had been written into.
        let all = Term::opaque(self.into_items.values().cloned());
        let whole = |root: Root, at, key: Option<&str>| {
            let touched = self.into_items.keys().any(|(other, _)| *other == root);
            let place = Term::Place(root, at);
            let item = if touched { Term::opaque([all.clone(), place]) } else { place };
            key.map_or_else(|| item.clone(), |key| item.clone().member(key))
        };
        let put: IntoItems = self
            .into_items
            .iter()
            .map(|((root, field), value)| ((root.clone(), field.clone()), value.clone().with_items(&whole)))
            .collect();
        let field_of = |root: &Root, at, field: &str, value: &Term| {
            let own = Term::Place(root.clone(), at).member(field);
            if value.same_read(&own) { own } else { Term::opaque([own, value.clone()]) }
        };
        term.with_items(&|root, at, key| match key {
            Some(key) => match put.get(&(root.clone(), key.to_owned())) {
                Some(value) => field_of(&root, at, key, value),
                None => Term::Place(root, at).member(key),
            },
            None => put
                .iter()
                .filter(|((other, _), _)| *other == root)
                .fold(Term::Place(root.clone(), at), |item, ((_, field), value)| {
                    item.overlaid(field, field_of(&root, at, field, value))
                }),
        })
    }

    fn list(&mut self, list: &'a ast::ArrayExpression<'a>) -> Term {
        let (mut items, mut exact) = (Vec::new(), true);
        for element in &list.elements {
            match element {
                ast::ArrayExpressionElement::SpreadElement(spread) => {
                    exact = false;
                    match self.expr(&spread.argument) {
                        Term::List(parts, _) => items.extend(parts),
                        other => items.push(Term::opaque([other])),
                    }
                }
                ast::ArrayExpressionElement::Elision(_) => items.push(Term::UNDEFINED),
                other => items.push(other.as_expression().map_or(Term::UNDEFINED, |e| self.expr(e))),
            }
        }
        Term::List(items, !exact)
    }

    fn object(&mut self, object: &'a ast::ObjectExpression<'a>) -> Term {
        let (mut layers, mut rest): (Vec<Term>, Vec<Term>) = (Vec::new(), Vec::new());
        let mut fields: Vec<(std::sync::Arc<str>, Term)> = Vec::new();
        for property in &object.properties {
            match property {
                ast::ObjectPropertyKind::ObjectProperty(p) => {
                    let key = self.key(&p.key);
                    let value = self.expr(&p.value);
                    match key {
                        Ok(key) => set(&mut fields, key, value),
                        Err(key) => rest.extend([key, value]),
                    }
                }
                ast::ObjectPropertyKind::SpreadProperty(spread) => match self.expr(&spread.argument) {
                    Term::Object(more) => more.into_iter().for_each(|(key, value)| set(&mut fields, key, value)),
                    Term::Literal(Json::Null) => {}
                    record => {
                        let record = if record.is_record() { record } else { Term::opaque([record]) };
                        let below = std::mem::take(&mut fields);
                        layers.extend((!below.is_empty()).then_some(Term::Object(below)));
                        layers.push(record);
                    }
                },
            }
        }
        if rest.is_empty() && layers.is_empty() {
            return Term::Object(fields);
        }
        if !rest.is_empty() {
            return Term::opaque(layers.into_iter().chain(fields.into_iter().map(|(_, v)| v)).chain(rest));
        }
        layers.extend((!fields.is_empty()).then_some(Term::Object(fields)));
        Term::Merged(layers)
    }

    /// The name of a field, or what it is made from.
    fn key(&mut self, key: &'a ast::PropertyKey<'a>) -> Result<std::sync::Arc<str>, Term> {
        match key {
            ast::PropertyKey::StaticIdentifier(key) => Ok(key.name.as_str().into()),
            ast::PropertyKey::StringLiteral(key) => Ok(key.value.as_str().into()),
            ast::PropertyKey::NumericLiteral(key) => Ok(key.value.to_string().into()),
            other => match other.as_expression().map_or(Term::UNDEFINED, |e| self.expr(e)) {
                Term::Literal(Json::String(key)) => Ok(key.as_str().into()),
                made => Err(made),
            },
        }
    }

    fn conditional(&mut self, c: &'a ast::ConditionalExpression<'a>) -> Term {
        let test = self.expr(&c.test);
        match truth(&test) {
            Some(true) => return self.expr(&c.consequent),
            Some(false) => return self.expr(&c.alternate),
            None => {}
        }
        let (then, other) = (self.expr(&c.consequent), self.expr(&c.alternate));
        // In a program, which way it takes is no data, as everywhere in an import; in an expression it is all there is.
        let test = self.mode.is_none().then(|| Term::harmless([test]));
        Term::opaque([then, other].into_iter().chain(test))
    }

    fn logical(&mut self, l: &'a ast::LogicalExpression<'a>) -> Term {
        let left = self.expr(&l.left);
        let right = self.expr(&l.right);
        match (l.operator.as_str(), truth(&left)) {
            ("||", Some(false)) | ("&&", Some(true)) => right,
            ("??", _) if left == Term::UNDEFINED => right,
            ("&&", _) => Term::opaque([Term::harmless([left]), right]),
            _ => Term::opaque([left, right]),
        }
    }

    fn binary(&mut self, b: &'a ast::BinaryExpression<'a>) -> Term {
        let (left, right) = (self.expr(&b.left), self.expr(&b.right));
        let operator = b.operator.as_str();
        if let (Term::Literal(l), Term::Literal(r)) = (&left, &right)
            && let Some(folded) = folded(operator, l, r)
        {
            return folded;
        }
        if operator != "+" {
            return Term::harmless([left, right]);
        }
        let is_text = |t: &Term| matches!(t, Term::Literal(Json::String(_)) | Term::Text(_));
        if is_text(&left) || is_text(&right) {
            let mut parts = Vec::new();
            for side in [left, right] {
                match side {
                    Term::Text(more) => parts.extend(more),
                    other => parts.push(other),
                }
            }
            return Term::Text(parts);
        }
        match (left, right) {
            (l @ Term::Harmless(_), r @ Term::Harmless(_)) => Term::harmless([l, r]),
            (l, r) => Term::opaque([l, r]),
        }
    }

    fn unary(&mut self, u: &'a ast::UnaryExpression<'a>) -> Term {
        let of = self.expr(&u.argument);
        match (u.operator.as_str(), &of) {
            ("void", _) => Term::UNDEFINED,
            ("-", Term::Literal(Json::Number(n))) => n.as_f64().map_or(Term::UNDEFINED, |n| number(-n)),
            ("!", _) if truth(&of).is_some() => Term::Literal((truth(&of) == Some(false)).into()),
            _ => Term::harmless([of]),
        }
    }
}

/// The later of two fields of one name counts.
fn set(fields: &mut Vec<(std::sync::Arc<str>, Term)>, key: std::sync::Arc<str>, value: Term) {
    fields.retain(|(known, _)| *known != key);
    fields.push((key, value));
}

/// A dotted name as it is written.
fn written(e: &E<'_>) -> Option<String> {
    match e {
        E::Identifier(name) => Some(name.name.to_string()),
        E::ThisExpression(_) => Some("this".to_owned()),
        E::StaticMemberExpression(m) => Some(match written(&m.object) {
            Some(object) => format!("{object}.{}", m.property.name),
            None => m.property.name.to_string(),
        }),
        _ => None,
    }
}

fn number(n: f64) -> Term {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and exact in 53 bits")]
    let whole = n as i64;
    if n.fract() == 0.0 && n.abs() < 9e15 {
        return Term::Literal(whole.into());
    }
    serde_json::Number::from_f64(n).map_or(Term::Opaque(Vec::new()), |n| Term::Literal(n.into()))
}

/// Whether JavaScript takes a known value for true.
fn truth(term: &Term) -> Option<bool> {
    match term {
        Term::Literal(json) => Some(match json {
            Json::Null => false,
            Json::Bool(b) => *b,
            Json::Number(n) => n.as_f64().is_some_and(|n| n != 0.0),
            Json::String(s) => !s.is_empty(),
            Json::Array(_) | Json::Object(_) => true,
        }),
        _ => None,
    }
}

fn folded(operator: &str, l: &Json, r: &Json) -> Option<Term> {
    if let (Json::Number(l), Json::Number(r)) = (l, r) {
        let (l, r) = (l.as_f64()?, r.as_f64()?);
        return match operator {
            "+" => Some(number(l + r)),
            "-" => Some(number(l - r)),
            "*" => Some(number(l * r)),
            "/" if r != 0.0 => Some(number(l / r)),
            "===" | "==" => Some(Term::Literal((l == r).into())),
            _ => None,
        };
    }
    match (operator, l, r) {
        ("+", Json::String(l), Json::String(r)) => Some(Term::Literal(format!("{l}{r}").into())),
        ("===" | "==", Json::String(l), Json::String(r)) => Some(Term::Literal((l == r).into())),
        ("+", Json::String(l), Json::Number(r)) => Some(Term::Literal(format!("{l}{r}").into())),
        ("+", Json::Number(l), Json::String(r)) => Some(Term::Literal(format!("{l}{r}").into())),
        _ => None,
    }
}
