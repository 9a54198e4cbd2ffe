//! JavaScript of n8n expressions and code nodes, translated into the one expression tree.
//!
//! Paths into items stay paths; what else an expression does becomes *opaque*: anything at all, made from every path that
//! it reads. What is not understood (a syntax error, `eval`, a text beyond the bounds) is opaque over every root that its
//! text names. So a translation may say too much and never too little.
//!
//! Out of scope: which step a root stands for (the caller's [`Resolve`]), and running anything.

use std::sync::Arc;

use sluice_core::expression::Expression;
use sluice_core::text::Span;

mod bound;
mod expr;
mod facts;
pub(crate) mod jq;
mod path;
pub(crate) mod predicate;
mod program;
mod scan;
mod template;
mod term;
pub(crate) mod validator;

#[cfg(test)]
mod tests;

use term::Term;

/// What an expression can read besides its literals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The current item of the direct predecessor.
    Item,
    /// The files of the current item.
    Binary,
    /// The items of a node, by its name.
    Node(Arc<str>),
    /// What a model chooses, by the key.
    FromAi(Arc<str>),
    /// A parameter of the node itself.
    Parameter(Arc<str>),
    /// The parameters of a node, by its name.
    ParametersOf(Arc<str>),
    /// Facts of the engine: the execution's id, the index of the item, the time.
    Workflow,
    /// A variable or secret of the installation.
    Env(Arc<str>),
    /// The data that a workflow keeps between runs.
    StaticData,
    /// The last reply, in the paging of an HTTP request.
    ResponseOf,
    /// Anything that a run has: a name that is not known here.
    Unknown,
}

/// One place where an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What.
    pub root: Root,
    /// Where.
    pub span: Span,
}

/// A call of something that rules look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// As the text names it: `$helpers.httpRequest`.
    pub name: Arc<str>,
    /// Where.
    pub span: Span,
}

/// What a text means.
#[derive(Clone, Debug, PartialEq)]
pub struct Translated {
    /// Its value.
    pub expression: Expression,
    /// Everything that it reads.
    pub reads: Vec<Reading>,
    /// Whether any part of it is opaque.
    pub opaque: bool,
    /// The calls of note.
    pub calls: Vec<Call>,
    injectable: Option<Expression>,
}

impl Translated {
    /// The expression as far as it can carry words into a path, a query or a command: numbers, truth values, hashes and
    /// percent-encoded texts in it are replaced by harmless constants.
    #[must_use]
    pub fn injectable(&self) -> Expression {
        self.injectable.clone().unwrap_or_else(|| self.expression.clone())
    }
}

/// The place that stands for a root; none if there is no such thing.
pub type Resolve<'a> = dyn Fn(&Root) -> Option<Expression> + 'a;

/// Maps byte offsets of a text to a span.
pub type Locate<'a> = dyn Fn(usize, usize) -> Span + 'a;

/// What a program is given and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Once for all items.
    AllItems,
    /// Once for each item.
    EachItem,
    /// The old function node: `items`.
    Function,
    /// The old function node for each item: `item` is the item's JSON.
    FunctionItem,
    /// A tool of an agent: `query` is what the model says.
    Tool,
}

/// A parameter's text as n8n evaluates it: behind `=` the `{{ }}` in it are expressions, else it is a literal.
///
/// `always`: the `{{ }}` are evaluated without `=`, too, as in SQL queries and HTML templates.
#[must_use]
pub fn parameter(text: &str, always: bool, locate: &Locate<'_>, resolve: &Resolve<'_>) -> Translated {
    let (term, calls) = template::read(text, always);
    finish(&term, &calls, text.len(), locate, resolve)
}

/// The program of a code node. Its expression is what it returns per item.
#[must_use]
pub fn program(source: &str, mode: Mode, locate: &Locate<'_>, resolve: &Resolve<'_>) -> Translated {
    let (term, calls) = program::read(source, mode);
    finish(&term, &calls, source.len(), locate, resolve)
}

/// A text in another language: anything, made from every root that it names.
#[must_use]
pub fn opaque_text(source: &str, locate: &Locate<'_>, resolve: &Resolve<'_>) -> Translated {
    let term = scan::opaque(source, 0, scan::Names::Program);
    finish(&term, &scan::calls(source, 0), source.len(), locate, resolve)
}

/// A call before its place is known.
type Called = (Arc<str>, (usize, usize));

fn finish(term: &Term, calls: &[Called], end: usize, locate: &Locate<'_>, resolve: &Resolve<'_>) -> Translated {
    let whole = locate(0, end);
    let mut build = term::Build::new(locate, resolve, whole);
    let expression = build.expression(term);
    let (reads, opaque) = (std::mem::take(&mut build.reads), build.opaque);
    let injectable = term.has_harmless().then(|| {
        build.without_harmless = true;
        build.expression(term)
    });
    let calls = calls.iter().map(|(name, at)| Call { name: name.clone(), span: locate(at.0, at.1) }).collect();
    Translated { expression, reads, opaque, calls, injectable }
}
