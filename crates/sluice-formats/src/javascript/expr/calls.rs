//! Calls: of the engine, of methods, of functions of the text itself.

use oxc_ast::ast::{self, Expression as E};
use oxc_ast_visit::Visit as _;
use oxc_syntax::scope::ScopeFlags;
use serde_json::Value as Json;

use super::operators::is_written;
use super::{Callable, Walker};
use crate::javascript::facts::{MOVERS, Written, only_gives, written_by};
use crate::javascript::term::{At, Term};
use crate::javascript::{Root, scan};

impl<'a> Walker<'a> {
    pub(super) fn arguments(&mut self, arguments: &'a [ast::Argument<'a>]) -> Vec<Term> {
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

    pub(super) fn call(&mut self, call: &'a ast::CallExpression<'a>) -> Term {
        let at = self.at(call);
        if let Some(name) = written(&call.callee).filter(|name| scan::is_of_note(name)) {
            self.calls.push((name.as_str().into(), at));
        }
        match call.callee.without_parentheses() {
            E::StaticMemberExpression(m) => self.method(m, call),
            callee => {
                if let Some(name) = self.engine_name(callee) {
                    return self.engine_call(name, call, at);
                }
                if let Some(callable) = self.callable(callee) {
                    let mut arguments = self.arguments(&call.arguments);
                    if call.arguments.iter().any(|a| matches!(a, ast::Argument::SpreadElement(_))) {
                        let all = Term::opaque(arguments);
                        arguments = vec![all; callable.params().items.len().max(1)];
                    }
                    return self.invoke(callee, callable, &arguments);
                }
                let name = callee;
                let callee = self.expr(callee);
                let arguments = self.arguments(&call.arguments);
                arguments.iter().for_each(|argument| self.note(argument));
                if !matches!(name, E::Identifier(_)) || self.loose.is_some() {
                    // It may be any method, `push` too, by another name if something was bound.
                    self.loosen([callee.clone()].into_iter().chain(arguments.iter().cloned()));
                }
                Term::opaque([callee].into_iter().chain(arguments))
            }
        }
    }

    pub(super) fn engine_call(&mut self, name: &'a str, call: &'a ast::CallExpression<'a>, at: At) -> Term {
        let arguments = self.arguments(&call.arguments);
        let is_sure = |a: &ast::Argument<'_>| self.loose.is_none() || a.as_expression().is_some_and(is_written);
        let first = match arguments.first() {
            Some(Term::Literal(Json::String(text))) if call.arguments.first().is_some_and(is_sure) => {
                Some(text.as_str())
            }
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
            ("String", _) if arguments.iter().all(|a| matches!(a, Term::Harmless(_))) => Term::harmless(arguments),
            _ => {
                let callee = self.global(name, at);
                Term::opaque([callee].into_iter().chain(arguments))
            }
        }
    }

    pub(super) fn method(&mut self, m: &'a ast::StaticMemberExpression<'a>, call: &'a ast::CallExpression<'a>) -> Term {
        let name = m.property.name.as_str();
        match written_by(call) {
            Some(Written::Receiver) => return self.writer(m, call),
            Some(Written::Argument(target)) => {
                let arguments = self.arguments(&call.arguments);
                match self.written_into(target) {
                    Some(holder) => self.put(holder, None, false, arguments),
                    None => self.loosen(arguments),
                }
            }
            Some(Written::Unknown) => {
                let receiver = self.expr(&m.object);
                let arguments = self.arguments(&call.arguments);
                self.loosen([receiver].into_iter().chain(arguments));
            }
            None => {}
        }
        if matches!(self.engine_name(&m.object), Some("Math" | "Number")) {
            let arguments = self.arguments(&call.arguments);
            return Term::harmless(arguments);
        }
        if name == "all"
            && self.engine_name(&m.object) == Some("Promise")
            && let [ast::Argument::ArrayExpression(list)] = call.arguments.as_slice()
        {
            return self.list(list);
        }
        let receiver = self.expr(&m.object);
        let constant = |a: &ast::Argument<'_>| a.as_expression().is_some_and(|e| e.is_literal());
        if let Some(term) = receiver.items_call(name).filter(|_| call.arguments.iter().all(constant)) {
            return term;
        }
        let arguments = self.given_to(name, &receiver, &call.arguments);
        let is_seen = call.arguments.iter().all(|a| a.as_expression().is_some_and(|e| self.callable(e).is_some()));
        let given = self.applied(receiver, name, arguments, is_seen);
        // What is thrown comes out here.
        if matches!(name, "catch" | "then" | "finally" | "allSettled" | "any" | "race") {
            return Term::opaque([given, self.anything()]);
        }
        given
    }

    /// `list.push(value)`, `list.sort()`: what is put into the receiver or moved in it, and what that gives.
    fn writer(&mut self, m: &'a ast::StaticMemberExpression<'a>, call: &'a ast::CallExpression<'a>) -> Term {
        let name = m.property.name.as_str();
        let receiver = self.expr(&m.object);
        let arguments = self.given_to(name, &receiver, &call.arguments);
        let moves = MOVERS.contains(&name);
        // Where nothing is known of single elements, it is all the same in which order they are.
        let is_ordered = !matches!(
            receiver,
            Term::Opaque(_)
                | Term::Harmless(_)
                | Term::Text(_)
                | Term::Literal(_)
                | Term::Items(..)
                | Term::List(_, true)
        );
        match self.written_into(&m.object) {
            Some(holder) => self.put(holder, None, name == "push", arguments.clone()),
            None if moves && !is_ordered => self.loosen_some(&arguments),
            None if moves => self.loosen([receiver.clone()].into_iter().chain(arguments.clone())),
            None => self.loosen(arguments.clone()),
        }
        match name {
            "push" | "unshift" => Term::harmless([receiver]),
            _ => self.applied(receiver, name, arguments, false),
        }
    }

    /// What is put in where nothing is known of single elements; most of those that move put nothing in.
    fn loosen_some(&mut self, arguments: &[Term]) {
        if arguments.iter().any(|term| !matches!(term, Term::Literal(_) | Term::Harmless(_))) {
            self.loosen(arguments.iter().cloned());
        }
    }

    /// What a method gives.
    ///
    /// `is_seen`: whether a function that it is given is one of the text, which was walked with the receiver's elements.
    pub(super) fn applied(&mut self, receiver: Term, name: &str, arguments: Vec<Term>, is_seen: bool) -> Term {
        let mapped = is_seen && matches!((&receiver, arguments.as_slice()), (Term::Items(..), [_]));
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
            _ if is_of_time(name) && !matches!(receiver, Term::Object(_)) => {
                Term::harmless([receiver].into_iter().chain(arguments))
            }
            "toString" | "trim" | "valueOf" if matches!(receiver, Term::Harmless(_)) => receiver,
            "padStart" | "padEnd"
                if matches!(receiver, Term::Harmless(_)) && arguments.iter().all(|a| matches!(a, Term::Literal(_))) =>
            {
                receiver
            }
            "filter" | "sort" | "reverse" | "slice" if matches!(receiver, Term::Items(..)) => receiver,
            _ => Term::opaque([receiver].into_iter().chain(arguments)),
        }
    }

    /// Arguments, where functions among them get the receiver's elements.
    pub(super) fn given_to(&mut self, name: &str, receiver: &Term, arguments: &'a [ast::Argument<'a>]) -> Vec<Term> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(match argument.as_expression() {
                Some(e) if self.callable(e).is_some() => None,
                Some(e) => Some(self.expr(e)),
                None => self.arguments(std::slice::from_ref(argument)).pop(),
            });
        }
        let others: Vec<Term> = values.iter().flatten().cloned().collect();
        let mut terms = Vec::with_capacity(arguments.len());
        for (argument, value) in arguments.iter().zip(values) {
            let callable = argument.as_expression().and_then(|e| Some((e, self.callable(e)?)));
            terms.push(match (value, callable) {
                (Some(value), _) => value,
                (None, Some((e, callable))) => {
                    let given = self.given_by(name, receiver, &others, callable);
                    self.invoke(e, callable, &given)
                }
                (None, None) => Term::UNDEFINED,
            });
        }
        terms
    }

    /// What a method gives to a function that it is given: a list's elements, or what nobody knows. Where the function only gives
    /// something, what it gets is in what the method gives.
    fn given_by(&mut self, method: &str, receiver: &Term, others: &[Term], callable: Callable<'a>) -> Vec<Term> {
        const OF_EACH: [&str; 10] =
            ["map", "forEach", "filter", "find", "findIndex", "findLast", "some", "every", "flatMap", "sort"];
        const FOLDING: [&str; 2] = ["reduce", "reduceRight"];
        let whole = || Term::opaque([receiver.clone()]);
        let all = || Term::opaque([receiver.clone()].into_iter().chain(others.iter().cloned()));
        if OF_EACH.contains(&method) {
            let each = if others.is_empty() { receiver.each() } else { whole() };
            let second = if method == "sort" { each.clone() } else { whole() };
            return vec![each, second, whole()];
        }
        let count = callable.params().items.len().max(3);
        let is_thrown = matches!(method, "catch" | "then" | "finally");
        let any = if self.only_gives(callable) && !is_thrown { all() } else { Term::opaque([all(), self.anything()]) };
        if FOLDING.contains(&method) {
            return [any, receiver.each()].into_iter().chain(std::iter::repeat_with(whole)).take(count).collect();
        }
        vec![any; count]
    }

    pub(super) fn callable(&self, e: &'a E<'a>) -> Option<Callable<'a>> {
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

    pub(in crate::javascript) fn declare_function(&mut self, name: &'a str, callable: Callable<'a>) {
        self.functions.insert(name, callable);
    }

    pub(super) fn invoke(&mut self, callee: &'a E<'a>, callable: Callable<'a>, arguments: &[Term]) -> Term {
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

    /// What a function that stands in a record gives to whoever calls it, beside what it is called with; none if it may do
    /// more than give something.
    pub(super) fn given(&mut self, e: &'a E<'a>) -> Option<Term> {
        let callable = self.callable(e).filter(|_| !matches!(e, E::Identifier(_)))?;
        let (params, only) = (callable.params(), self.only_gives(callable));
        (only && params.rest.is_none())
            .then(|| self.closure(callable, &vec![Term::Opaque(Vec::new()); params.items.len()]))
    }

    fn only_gives(&self, callable: Callable<'a>) -> bool {
        match callable {
            Callable::Arrow(f) => only_gives(&self.facts, |gives| gives.visit_arrow_function_expression(f)),
            Callable::Function(f) => only_gives(&self.facts, |gives| gives.visit_function(f, ScopeFlags::Function)),
        }
    }

    /// What a function gives for these arguments; without any, for whatever it may get.
    pub(in crate::javascript) fn closure(&mut self, callable: Callable<'a>, arguments: &[Term]) -> Term {
        let params = callable.params();
        // It may call itself by a name that nobody else knows, with anything.
        let calls_itself = matches!(callable, Callable::Function(f) if f.is_expression() && f.id.is_some());
        let scope = self.scopes.len();
        arguments.iter().for_each(|a| self.note(a));
        for (i, param) in params.items.iter().enumerate() {
            let unknown = if arguments.is_empty() { self.anything() } else { Term::UNDEFINED };
            let mut given = arguments.get(i).cloned().unwrap_or(unknown);
            if calls_itself {
                given = Term::opaque([given, self.anything()]);
            }
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

    pub(super) fn body(&mut self, statements: &'a [ast::Statement<'a>]) -> Term {
        self.returns.push(Vec::new());
        self.statements(statements);
        let mut returned = self.returns.pop().unwrap_or_default();
        match returned.len() {
            0 => Term::UNDEFINED,
            1 => returned.pop().unwrap_or(Term::UNDEFINED),
            _ => Term::opaque(returned),
        }
    }
}

/// A dotted name as it is written.
pub(super) fn written(e: &E<'_>) -> Option<String> {
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

/// Whether a method tells of a moment: a number, or a text in which none but the letters of times stand.
fn is_of_time(method: &str) -> bool {
    const PARTS: [&str; 8] = ["Date", "Day", "FullYear", "Hours", "Milliseconds", "Minutes", "Month", "Seconds"];
    let part = method.strip_prefix("get").map(|rest| rest.strip_prefix("UTC").unwrap_or(rest));
    part.is_some_and(|part| PARTS.contains(&part))
        || matches!(method, "toISO" | "toISODate" | "toISOString" | "toISOTime")
}
