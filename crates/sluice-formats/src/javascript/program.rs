//! The program of a code node: statements, and what is returned per item.

use oxc_allocator::Allocator;
use oxc_ast::ast::{self, Expression as E, Statement as S};
use oxc_ast_visit::Visit;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;
use serde_json::Value as Json;

use super::expr::{Callable, Walker, rounds};
use super::facts::Facts;
use super::term::Term;
use super::{Called, Mode, Root, bound, scan};

pub(super) fn read(source: &str, mode: Mode) -> (Term, Vec<Called>) {
    parsed(source, mode).unwrap_or_else(|| {
        let unknown = Term::Place(Root::Unknown, (0, source.len()));
        let term = Term::opaque([scan::opaque(source, 0, scan::Names::Program), unknown]);
        (term, scan::calls(source, 0))
    })
}

/// None if it is no JavaScript that can be followed.
fn parsed(source: &str, mode: Mode) -> Option<(Term, Vec<Called>)> {
    if !bound::is_parsable(source) {
        return None;
    }
    let allocator = Allocator::default();
    let tree = tree(&allocator, source)?;
    let facts = Facts::of(|facts| facts.visit_program(&tree));
    rounds(facts, 0, Some(mode), &|walker| {
        walker.returns.push(Vec::new());
        walker.statements(&tree.body);
        let returned = walker.returns.pop().unwrap_or_default();
        returned.iter().for_each(|term| walker.note(term));
        per_item(returned)
    })
}

/// The statements of a text that may be parsed.
pub(super) fn tree<'a>(allocator: &'a Allocator, source: &'a str) -> Option<ast::Program<'a>> {
    // A module may wait at its top, a script may use the words that modules reserve.
    let parse = |kind: SourceType| {
        let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
        let parsed = Parser::new(allocator, source, kind).with_options(options).parse();
        (!parsed.panicked && parsed.diagnostics.is_empty()).then_some(parsed.program)
    };
    parse(SourceType::mjs()).or_else(|| parse(SourceType::script()))
}

/// The JSON of an item of what is returned.
fn per_item(returned: Vec<Term>) -> Term {
    let mut items: Vec<Term> = Vec::new();
    for term in returned {
        for item in item(term) {
            if !items.contains(&item) {
                items.push(item);
            }
        }
    }
    match items.len() {
        0 => Term::UNDEFINED,
        1 => items.pop().unwrap_or(Term::UNDEFINED),
        _ => Term::opaque(items),
    }
}

fn item(term: Term) -> Vec<Term> {
    match term {
        Term::List(items, _) => items.into_iter().flat_map(item).collect(),
        Term::Literal(Json::Null) => Vec::new(),
        Term::Items(root, at) | Term::Item(root, at) | Term::Handle(root, at) => vec![Term::Place(root, at)],
        Term::Object(fields) => {
            let json = fields.iter().rev().find(|(key, _)| key.as_ref() == "json").map(|(_, value)| value.clone());
            // Files of the item are not its JSON: whoever reads them reads the item.
            let files = fields.iter().filter(|(key, _)| key.as_ref() == "binary").map(|(_, v)| v.clone());
            match json {
                Some(json) => {
                    let files: Vec<Term> = files.filter(|f| !matches!(f, Term::Literal(_))).collect();
                    if files.is_empty() { vec![json] } else { vec![Term::opaque(files.into_iter().chain([json]))] }
                }
                None => vec![Term::Object(fields)],
            }
        }
        // `{ ...item, json: … }`: what lies on top says what the item's JSON is.
        Term::Merged(mut layers) => match layers.pop() {
            Some(Term::Object(fields)) if fields.iter().any(|(key, _)| key.as_ref() == "json") => {
                item(Term::Object(fields))
            }
            Some(top) => {
                layers.push(top);
                let has_json = |layer: &Term| matches!(layer, Term::Object(fields) if fields.iter().any(|(key, _)| key.as_ref() == "json"));
                let is_item = layers.iter().any(has_json);
                let merged = Term::Merged(layers);
                // A layer above may have another one, or none.
                if is_item { vec![merged.clone().member("json"), merged] } else { vec![merged] }
            }
            None => Vec::new(),
        },
        other => vec![other],
    }
}

impl<'a> Walker<'a> {
    pub(super) fn statements(&mut self, statements: &'a [S<'a>]) {
        // Functions are there before the first statement runs.
        for statement in statements {
            if let S::FunctionDeclaration(f) = statement
                && let Some(name) = &f.id
            {
                self.declare_function(name.name.as_str(), Callable::Function(f));
            }
        }
        statements.iter().for_each(|s| self.statement(s));
    }

    fn statement(&mut self, s: &'a S<'a>) {
        match s {
            S::BlockStatement(block) => self.statements(&block.body),
            S::EmptyStatement(_) | S::BreakStatement(_) | S::ContinueStatement(_) | S::DebuggerStatement(_) => {}
            S::ExpressionStatement(e) => self.effect(&e.expression),
            S::ReturnStatement(r) => {
                let term = r.argument.as_ref().map_or(Term::UNDEFINED, |e| self.expr(e));
                self.note(&term);
                if let Some(returns) = self.returns.last_mut() {
                    returns.push(term);
                }
            }
            S::IfStatement(i) => {
                self.effect(&i.test);
                self.statement(&i.consequent);
                i.alternate.iter().for_each(|s| self.statement(s));
            }
            S::ForOfStatement(f) => self.for_of(f),
            S::ForInStatement(f) => {
                let over = self.expr(&f.right);
                self.for_left(&f.left, Term::opaque([over]));
                self.statement(&f.body);
            }
            S::ForStatement(f) => {
                match &f.init {
                    Some(ast::ForStatementInit::VariableDeclaration(d)) => self.declaration(d),
                    Some(other) => other.as_expression().into_iter().for_each(|e| self.effect(e)),
                    None => {}
                }
                f.test.iter().for_each(|e| self.effect(e));
                f.update.iter().for_each(|e| self.effect(e));
                self.statement(&f.body);
            }
            S::WhileStatement(w) => {
                self.effect(&w.test);
                self.statement(&w.body);
            }
            S::DoWhileStatement(w) => {
                self.effect(&w.test);
                self.statement(&w.body);
            }
            S::LabeledStatement(l) => self.statement(&l.body),
            S::SwitchStatement(switch) => {
                self.effect(&switch.discriminant);
                for case in &switch.cases {
                    case.test.iter().for_each(|e| self.effect(e));
                    self.statements(&case.consequent);
                }
            }
            S::ThrowStatement(t) => self.effect(&t.argument),
            S::TryStatement(t) => self.try_statement(t),
            S::VariableDeclaration(d) => self.declaration(d),
            S::FunctionDeclaration(f) => {
                // Once for whatever it may get, should it be called in a way that is not seen.
                let term = self.closure(Callable::Function(f), &[]);
                self.note(&term);
            }
            _ => {
                self.beyond();
            }
        }
    }

    fn try_statement(&mut self, t: &'a ast::TryStatement<'a>) {
        self.statements(&t.block.body);
        if let Some(handler) = &t.handler {
            if let Some(param) = &handler.param {
                let failure = self.read_so_far();
                self.bind(&param.pattern, failure);
            }
            self.statements(&handler.body.body);
        }
        if let Some(last) = &t.finalizer {
            self.statements(&last.body);
        }
    }

    fn for_of(&mut self, f: &'a ast::ForOfStatement<'a>) {
        let over = self.expr(&f.right);
        if !matches!(over, Term::Items(..)) {
            self.note(&over);
        }
        self.for_left(&f.left, over.each());
        self.statement(&f.body);
    }

    fn for_left(&mut self, left: &'a ast::ForStatementLeft<'a>, each: Term) {
        match left {
            ast::ForStatementLeft::VariableDeclaration(d) => {
                d.declarations.iter().for_each(|v| self.bind(&v.id, each.clone()));
            }
            _ => self.note(&each),
        }
    }

    fn declaration(&mut self, d: &'a ast::VariableDeclaration<'a>) {
        for v in &d.declarations {
            let callable = match v.init.as_ref() {
                Some(E::ArrowFunctionExpression(f)) => Some(Callable::Arrow(f)),
                Some(E::FunctionExpression(f)) => Some(Callable::Function(f)),
                _ => None,
            };
            if let (Some(callable), ast::BindingPattern::BindingIdentifier(name)) = (callable, &v.id) {
                self.declare_function(name.name.as_str(), callable);
            }
            let term = v.init.as_ref().map_or(Term::UNDEFINED, |e| self.expr(e));
            self.bind(&v.id, term);
        }
    }
}
