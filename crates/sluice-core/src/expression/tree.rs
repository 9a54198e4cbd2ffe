//! The expression tree: small, total, and the same for every surface syntax.
//!
//! Each node knows, from its shape alone, how many outputs it has and whether it may fail. The
//! evaluator stands on both: the labels that decide between the outputs of an expression that always
//! has exactly one may live in that output, and need not rise into whatever collects it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::label::Label;
use crate::text::Span;
use crate::value::Value;

use super::function::Function;

/// A node of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) outputs: Outputs,
    pub(super) fails: bool,
    pub(super) depth: usize,
}

/// How many outputs an expression has, whatever its input, if it does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outputs {
    One,
    AtMostOne,
    Any,
}

impl Outputs {
    /// The outputs of running one thing for each output of another.
    fn times(self, other: Self) -> Self {
        self.max(other)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// What an ordering by a key does with the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Sort,
    Group,
    Min,
    Max,
}

type Child = Box<Expr>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `.`
    Input,
    Literal(Value),
    /// The name has no `$`.
    Variable(Arc<str>),
    Index {
        base: Child,
        key: Child,
        optional: bool,
    },
    Slice {
        base: Child,
        from: Option<Child>,
        to: Option<Child>,
        optional: bool,
    },
    Iterate {
        base: Child,
        optional: bool,
    },
    /// `[e]`: all outputs of `e`.
    Collect(Child),
    /// A list whose every item is one expression's [`Kind::Single`].
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    /// The concatenation of texts.
    Text(Vec<Expr>),
    Negate(Child),
    Math(Math, Child, Child),
    Compare(Compare, Child, Child),
    /// `and` (stops at false) and `or` (stops at true).
    Logic {
        stop: bool,
        left: Child,
        right: Child,
    },
    /// `l // r`
    Otherwise(Child, Child),
    Pipe(Child, Child),
    Bind {
        source: Child,
        name: Arc<str>,
        body: Child,
    },
    /// `a, b, …`; without items, `empty`.
    Comma(Vec<Expr>),
    If(Child, Child, Child),
    Try(Child, Option<Child>),
    Reduce {
        source: Child,
        name: Arc<str>,
        init: Child,
        update: Child,
    },
    Foreach {
        source: Child,
        name: Arc<str>,
        init: Child,
        update: Child,
        extract: Child,
    },
    /// `path |= f`; other assignments are written with it.
    Modify(Child, Child),
    Limit(Child, Child),
    Skip(Child, Child),
    First(Child),
    Last(Child),
    IsEmpty(Child),
    Range(Child, Child, Child),
    Order(Order, Child),
    Call(Function, Vec<Expr>),
    /// `error(e)`
    Fail(Child),
    /// The first output, or `null`: what a whole expression means to the workflow.
    Single(Child),
    /// Something that an importer could not translate: anything at all, made from what these give. Never in a program
    /// that runs.
    Opaque(Vec<Expr>),
}

impl Expr {
    pub(super) fn new(kind: Kind, span: Span) -> Self {
        let (outputs, fails) = (outputs(&kind), fails(&kind));
        let mut depth = 0;
        kind.each_child(&mut |child| depth = depth.max(child.depth));
        Self { kind, span, outputs, fails, depth: depth + 1 }
    }

    pub(super) fn boxed(kind: Kind, span: Span) -> Box<Self> {
        Box::new(Self::new(kind, span))
    }

    pub(super) fn input(span: Span) -> Self {
        Self::new(Kind::Input, span)
    }

    pub(super) fn literal(value: Value, span: Span) -> Self {
        Self::new(Kind::Literal(value), span)
    }

    pub(super) fn text(text: &str, span: Span) -> Self {
        Self::literal(Value::text(Label::BOTTOM, text), span)
    }

    pub(super) fn int(value: i64, span: Span) -> Self {
        Self::literal(Value::int(Label::BOTTOM, value), span)
    }

    pub(super) fn empty(span: Span) -> Self {
        Self::new(Kind::Comma(Vec::new()), span)
    }

    pub(super) fn pipe(self, then: Self) -> Self {
        let span = self.span.to(then.span);
        Self::new(Kind::Pipe(Box::new(self), Box::new(then)), span)
    }

    pub(super) fn call(function: Function, arguments: Vec<Self>, span: Span) -> Self {
        Self::new(Kind::Call(function, arguments), span)
    }

    /// Exactly one output: itself if it already has, else its first or `null`.
    pub(super) fn single(self) -> Self {
        if self.outputs == Outputs::One {
            return self;
        }
        let span = self.span;
        Self::new(Kind::Single(Box::new(self)), span)
    }

    /// Calls `found` for every variable that is not bound inside.
    pub(super) fn free_variables<'e>(
        &'e self,
        bound: &mut Vec<&'e str>,
        seen: &mut BTreeSet<&'e str>,
        found: &mut dyn FnMut(&'e Arc<str>, Span),
    ) {
        let scoped = |names: &mut Vec<&'e str>, name: &'e Arc<str>| names.push(name);
        match &self.kind {
            Kind::Variable(name) => {
                if !bound.contains(&name.as_ref()) && seen.insert(name) {
                    found(name, self.span);
                }
            }
            Kind::Bind { source, name, body } => {
                source.free_variables(bound, seen, found);
                scoped(bound, name);
                body.free_variables(bound, seen, found);
                bound.pop();
            }
            Kind::Reduce { source, name, init, update } => {
                source.free_variables(bound, seen, found);
                init.free_variables(bound, seen, found);
                scoped(bound, name);
                update.free_variables(bound, seen, found);
                bound.pop();
            }
            Kind::Foreach { source, name, init, update, extract } => {
                source.free_variables(bound, seen, found);
                init.free_variables(bound, seen, found);
                scoped(bound, name);
                update.free_variables(bound, seen, found);
                extract.free_variables(bound, seen, found);
                bound.pop();
            }
            kind => kind.each_child(&mut |child| child.free_variables(bound, seen, found)),
        }
    }
}

impl Kind {
    fn each_child<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match self {
            Self::Input | Self::Literal(_) | Self::Variable(_) => {}
            Self::Slice { base, from, to, .. } => {
                visit(base);
                from.iter().chain(to).for_each(|bound| visit(bound));
            }
            Self::Iterate { base: e, .. }
            | Self::Collect(e)
            | Self::Negate(e)
            | Self::First(e)
            | Self::Last(e)
            | Self::IsEmpty(e)
            | Self::Order(_, e)
            | Self::Fail(e)
            | Self::Single(e) => visit(e),
            Self::Object(fields) => fields.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            Self::List(items) | Self::Text(items) | Self::Comma(items) | Self::Opaque(items) | Self::Call(_, items) => {
                items.iter().for_each(visit);
            }
            Self::Index { base: l, key: r, .. }
            | Self::Math(_, l, r)
            | Self::Compare(_, l, r)
            | Self::Logic { left: l, right: r, .. }
            | Self::Otherwise(l, r)
            | Self::Pipe(l, r)
            | Self::Bind { source: l, body: r, .. }
            | Self::Modify(l, r)
            | Self::Limit(l, r)
            | Self::Skip(l, r) => {
                visit(l);
                visit(r);
            }
            Self::If(a, b, c) | Self::Range(a, b, c) | Self::Reduce { source: a, init: b, update: c, .. } => {
                visit(a);
                visit(b);
                visit(c);
            }
            Self::Foreach { source, init, update, extract, .. } => {
                visit(source);
                visit(init);
                visit(update);
                visit(extract);
            }
            Self::Try(body, handler) => {
                visit(body);
                handler.iter().for_each(|h| visit(h));
            }
        }
    }
}

fn product<'e>(parts: impl IntoIterator<Item = &'e Expr>) -> Outputs {
    parts.into_iter().fold(Outputs::One, |all, e| all.times(e.outputs))
}

fn outputs(kind: &Kind) -> Outputs {
    use Outputs::{Any, AtMostOne, One};
    let optionally = |outputs: Outputs, optional: bool| if optional { outputs.max(AtMostOne) } else { outputs };
    match kind {
        Kind::Input | Kind::Literal(_) | Kind::Variable(_) | Kind::Collect(_) | Kind::List(_) => One,
        Kind::Order(..) | Kind::IsEmpty(_) | Kind::Single(_) | Kind::Opaque(_) => One,
        Kind::Iterate { .. } | Kind::Range(..) | Kind::Foreach { .. } => Any,
        Kind::Index { base, key, optional } => optionally(base.outputs.times(key.outputs), *optional),
        Kind::Slice { base, from, to, optional } => {
            let bounds = from.iter().chain(to).fold(One, |all, e| all.times(e.outputs));
            optionally(base.outputs.times(bounds), *optional)
        }
        Kind::Object(fields) => product(fields.iter().flat_map(|(key, value)| [key, value])),
        Kind::Text(items) | Kind::Call(_, items) => product(items),
        Kind::Negate(e) | Kind::Fail(e) => e.outputs,
        Kind::Math(_, l, r)
        | Kind::Compare(_, l, r)
        | Kind::Logic { left: l, right: r, .. }
        | Kind::Pipe(l, r)
        | Kind::Bind { source: l, body: r, .. } => l.outputs.times(r.outputs),
        Kind::Otherwise(l, r) => {
            if l.outputs == Any {
                Any
            } else {
                r.outputs
            }
        }
        Kind::Comma(items) => match items.as_slice() {
            [] => AtMostOne,
            [only] => only.outputs,
            _ => Any,
        },
        Kind::If(condition, then, other) => condition.outputs.times(then.outputs.max(other.outputs)),
        Kind::Try(body, None) => body.outputs.max(AtMostOne),
        Kind::Try(body, Some(handler)) => body.outputs.max(handler.outputs),
        Kind::Reduce { init, .. } => init.outputs,
        Kind::Modify(path, f) => modified(path, f.outputs),
        Kind::Limit(n, e) | Kind::Skip(n, e) => n.outputs.times(e.outputs.max(AtMostOne)),
        Kind::First(e) | Kind::Last(e) => e.outputs.min(AtMostOne),
    }
}

/// The outputs of updating at `path` with something that has `f` outputs.
fn modified(path: &Expr, f: Outputs) -> Outputs {
    match &path.kind {
        Kind::Input => f,
        Kind::Index { base, .. } | Kind::Slice { base, .. } | Kind::Iterate { base, .. } => {
            modified(base, Outputs::One)
        }
        Kind::Pipe(l, r) => modified(l, modified(r, f)),
        Kind::If(condition, then, other) => {
            if condition.outputs == Outputs::One {
                modified(then, f).max(modified(other, f))
            } else {
                Outputs::Any
            }
        }
        Kind::Comma(items) => items.iter().fold(Outputs::One, |all, item| all.times(modified(item, f))),
        _ => Outputs::Any,
    }
}

fn fails(kind: &Kind) -> bool {
    match kind {
        Kind::Try(_, None) | Kind::Opaque(_) => false,
        Kind::Try(_, Some(handler)) => handler.fails,
        Kind::Index { .. } | Kind::Slice { .. } | Kind::Iterate { .. } => true,
        Kind::Math(..) | Kind::Negate(_) | Kind::Range(..) | Kind::Order(..) | Kind::Fail(_) => true,
        Kind::Modify(..) | Kind::Limit(..) | Kind::Skip(..) => true,
        Kind::Call(function, arguments) => function.fails() || arguments.iter().any(|a| a.fails),
        Kind::Object(fields) => fields.iter().any(|(key, value)| {
            let constant = matches!(&key.kind, Kind::Literal(v) if v.as_text().is_some());
            !constant || value.fails
        }),
        kind => {
            let mut any = false;
            kind.each_child(&mut |child| any |= child.fails);
            any
        }
    }
}
