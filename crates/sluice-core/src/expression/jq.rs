//! jq text to expression tree: jaq parses, this translates, and what it does not know it says.

use std::sync::Arc;

use jaq_core::load::lex::{self, Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::{self, BinaryOp, Parser, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

use crate::label::Label;
use crate::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};
use crate::text::Span;
use crate::value::{Data, Value};

use super::function::Function;
use super::tree::{Compare, Expr, Kind, Math, Outputs};
use super::{Problem, ProblemKind};

/// Most operators and brackets open at once, counted before anything recurses over them.
const PENDING_MAX: usize = 4 * EXPRESSION_DEPTH_MAX;

type Locate<'l> = &'l dyn Fn(usize, usize) -> Span;

/// Parses and translates the inside of one `${ }`.
pub(super) fn parse(source: &str, locate: Locate<'_>) -> Result<Expr, Vec<Problem>> {
    let whole = locate(0, source.len());
    if source.len() > EXPRESSION_BYTES_MAX {
        return Err(vec![too_long(whole)]);
    }
    if brackets(source) > EXPRESSION_DEPTH_MAX {
        return Err(vec![too_deep(whole)]);
    }
    let place = |part: &str| offsets(source, part).map_or(whole, |(start, end)| locate(start, end));
    let tokens = Lexer::new(source).lex().map_err(|errors| {
        errors.into_iter().map(|(expected, at)| unreadable(&expected, &place(first_character(at)))).collect::<Vec<_>>()
    })?;
    if pending(&tokens) > PENDING_MAX {
        return Err(vec![too_deep(whole)]);
    }
    let term = Parser::new(&tokens).parse(Parser::term).map_err(|errors| {
        let end = source.get(source.len()..).unwrap_or_default();
        let problem = |(expected, found): (parse::Expect<&str>, Option<&Token<&str>>)| {
            let at = found.map_or(end, |token| token.as_str());
            misplaced(&expected, found.map(|t| t.as_str()), place(at))
        };
        errors.into_iter().map(problem).collect::<Vec<_>>()
    })?;
    let mut recursions = Vec::new();
    find_recursions(&tokens, &mut recursions);
    recursions.reverse();
    let mut translator = Translator { place: &place, whole, recursions, problems: Vec::new(), fresh: 0 };
    let expr = translator.term(&term);
    if translator.problems.is_empty() && expr.depth > EXPRESSION_DEPTH_MAX {
        translator.problems.push(too_deep(whole));
    }
    if translator.problems.is_empty() { Ok(expr) } else { Err(translator.problems) }
}

/// The byte offsets of a part of the source, by where it lies in memory; jaq's tree holds such parts.
fn offsets(source: &str, part: &str) -> Option<(usize, usize)> {
    let start = part.as_ptr().addr().checked_sub(source.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= source.len()).then_some((start, end))
}

fn first_character(text: &str) -> &str {
    text.chars().next().and_then(|c| text.get(..c.len_utf8())).unwrap_or(text)
}

/// The deepest nesting of brackets, texts with their interpolations included.
///
/// Read before the lexer, which recurses over brackets.
fn brackets(source: &str) -> usize {
    let (mut open, mut deepest) = (Vec::new(), 0);
    let mut characters = source.chars();
    while let Some(c) = characters.next() {
        let in_text = open.last() == Some(&'"');
        match c {
            '\\' if in_text => open.extend(characters.next().filter(|c| *c == '(')),
            '"' if in_text => {
                open.pop();
            }
            _ if in_text => {}
            '(' | '[' | '{' | '"' => open.push(c),
            ')' | ']' | '}' => {
                open.pop();
            }
            _ => {}
        }
        deepest = deepest.max(open.len());
    }
    deepest
}

/// Most tokens that a recursive parser may have pending at once: along the brackets, every token that
/// can nest what follows it.
fn pending(tokens: &[Token<&str>]) -> usize {
    let mut operators = 0;
    let mut deepest = 0;
    for Token(text, kind) in tokens {
        match kind {
            Tok::Block(inner) => deepest = deepest.max(pending(inner)),
            Tok::Str(parts) => {
                for part in parts {
                    if let StrPart::Term(token) = part {
                        deepest = deepest.max(pending(std::slice::from_ref(token)));
                    }
                }
            }
            Tok::Sym => {
                operators += usize::from(!matches!(*text, ":" | ";" | "," | "]" | ")" | "}") && !text.starts_with('.'))
            }
            Tok::Word => {
                let nests = ["if", "elif", "try", "reduce", "foreach", "def", "label", "as", "and", "or", "catch"];
                operators += usize::from(nests.contains(text));
            }
            Tok::Var | Tok::Fmt | Tok::Num => {}
        }
    }
    let commas = tokens.iter().filter(|Token(text, _)| *text == ",").count();
    operators + commas / 8 + deepest + 1
}

/// The places of `..`, which jaq's tree does not tell, in order.
fn find_recursions<'s>(tokens: &[Token<&'s str>], found: &mut Vec<&'s str>) {
    for Token(text, kind) in tokens {
        match kind {
            Tok::Block(inner) => find_recursions(inner, found),
            Tok::Str(parts) => {
                for part in parts {
                    if let StrPart::Term(token) = part {
                        find_recursions(std::slice::from_ref(token), found);
                    }
                }
            }
            Tok::Sym if *text == ".." => found.push(text),
            _ => {}
        }
    }
}

fn too_long(span: Span) -> Problem {
    Problem {
        kind: ProblemKind::TooLong,
        span,
        message: format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes"),
        help: "compute parts of it in steps of their own".to_owned(),
    }
}

fn too_deep(span: Span) -> Problem {
    Problem {
        kind: ProblemKind::TooDeep,
        span,
        message: format!("the expression nests more than {EXPRESSION_DEPTH_MAX} levels deep"),
        help: "compute parts of it in steps of their own".to_owned(),
    }
}

fn unreadable(expected: &lex::Expect<&str>, span: &Span) -> Problem {
    let what = match expected {
        lex::Expect::Digit => "a digit",
        lex::Expect::Ident => "a name",
        lex::Expect::Delim("(") => "a closing `)`",
        lex::Expect::Delim("[") => "a closing `]`",
        lex::Expect::Delim("{") => "a closing `}`",
        lex::Expect::Delim(_) => "a closing `\"`",
        lex::Expect::Escape => "an escape such as `\\n`, `\\\"` or `\\(`",
        lex::Expect::Unicode => "four hexadecimal digits of a character that stands alone",
        _ => "a name, a number, a text or an operator of jq",
    };
    syntax(format!("expected {what} here"), *span)
}

fn misplaced(expected: &parse::Expect<&str>, found: Option<&str>, span: Span) -> Problem {
    let what = match expected {
        parse::Expect::Just(token) => format!("expected `{token}`"),
        parse::Expect::Nothing => "expected the end of the expression".to_owned(),
        parse::Expect::Term => "expected a value such as `.field`, `$name` or a literal".to_owned(),
        parse::Expect::ElseOrEnd => "expected `elif`, `else` or `end`".to_owned(),
        other => format!("expected a {}", other.as_str()),
    };
    let found = found.map_or_else(|| "the end".to_owned(), |token| format!("`{}`", shortened(token)));
    syntax(format!("{what}, found {found}"), span)
}

fn shortened(token: &str) -> String {
    token.chars().take(40).collect()
}

fn syntax(message: String, span: Span) -> Problem {
    let help = "expressions inside `${ }` are jq; literal text needs quotes there".to_owned();
    Problem { kind: ProblemKind::Syntax, span, message, help }
}

struct Translator<'l> {
    place: &'l dyn Fn(&str) -> Span,
    whole: Span,
    /// Places of `..`, the last first.
    recursions: Vec<&'l str>,
    problems: Vec<Problem>,
    fresh: usize,
}

type Bounds<'t, 's> = (&'t Option<Term<&'s str>>, &'t Option<Term<&'s str>>);

impl Translator<'_> {
    /// Reports something that is not translated, and stands in for it.
    fn refuse(&mut self, construct: impl Into<String>, span: Span, help: &str) -> Expr {
        let construct = construct.into();
        self.problems.push(Problem {
            message: format!("not translated, and so not run: {construct}"),
            kind: ProblemKind::NotTranslated { construct },
            span,
            help: help.to_owned(),
        });
        Expr::literal(Value::null(Label::BOTTOM), span)
    }

    fn clock(&mut self, name: &str, span: Span) -> Expr {
        self.problems.push(Problem {
            kind: ProblemKind::Clock,
            span,
            message: format!("`{name}` reads or formats the time"),
            help: "a run must be repeatable: take the time from the input, an event or a connector".to_owned(),
        });
        Expr::literal(Value::null(Label::BOTTOM), span)
    }

    fn fresh(&mut self) -> Arc<str> {
        self.fresh += 1;
        // No jq variable has such a name.
        format!("%{}", self.fresh).into()
    }

    fn term(&mut self, term: &Term<&str>) -> Expr {
        match term {
            Term::Id => Expr::input(self.whole),
            Term::Recurse => {
                let span = self.recursions.pop().map_or(self.whole, |at| (self.place)(at));
                self.refuse("`..`", span, "name the fields, or iterate with `.[]`")
            }
            Term::Num(text) => self.number(text),
            Term::Str(format, parts) => self.string(*format, parts),
            Term::Arr(None) => Expr::new(Kind::Collect(Box::new(Expr::empty(self.whole))), self.whole),
            Term::Arr(Some(items)) => {
                let items = self.term(items);
                let span = items.span;
                Expr::new(Kind::Collect(Box::new(items)), span)
            }
            Term::Obj(entries) => self.object(entries),
            Term::Neg(e) => self.negation(e),
            Term::BinOp(l, op, r) => self.binary(l, op, r),
            Term::Label(name, _) | Term::Break(name) => {
                self.refuse("`label` and `break`", (self.place)(name), "use `first(…)` or `limit(n; …)`")
            }
            Term::Fold(name, source, pattern, arguments) => self.fold(name, source, pattern, arguments),
            Term::TryCatch(body, handler) => {
                let body = self.term(body);
                let handler = handler.as_ref().map(|h| Box::new(self.term(h)));
                let span = body.span;
                Expr::new(Kind::Try(Box::new(body), handler), span)
            }
            Term::IfThenElse(branches, other) => {
                let branches: Vec<(Expr, Expr)> =
                    branches.iter().map(|(condition, then)| (self.term(condition), self.term(then))).collect();
                let other = other.as_ref().map_or(Expr::input(self.whole), |e| self.term(e));
                branches.into_iter().rev().fold(other, |other, (condition, then)| {
                    let span = condition.span.to(then.span);
                    Expr::new(Kind::If(Box::new(condition), Box::new(then), Box::new(other)), span)
                })
            }
            Term::Def(definitions, _) => {
                let span = definitions.first().map_or(self.whole, |d| (self.place)(d.name));
                self.refuse("a definition with `def`", span, "write what it does in its place")
            }
            Term::Call(name, arguments) => self.call(name, arguments),
            Term::Var(name) => self.variable(name),
            Term::Path(base, path) => self.path(base, path),
        }
    }

    fn number(&mut self, text: &str) -> Expr {
        let span = (self.place)(text);
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return match text.parse::<i64>() {
                Ok(i) => Expr::int(i, span),
                Err(_) => self.refuse(format!("`{}`, beyond 64 bits", shortened(text)), span, "write it as a text"),
            };
        }
        match text.parse::<f64>() {
            Ok(f) if f.is_finite() => Expr::literal(Value::new(Label::BOTTOM, Data::Float(f)), span),
            _ => self.refuse(format!("the number `{}`", shortened(text)), span, "write a number that a float can hold"),
        }
    }

    fn negation(&mut self, e: &Term<&str>) -> Expr {
        let e = self.term(e);
        let span = e.span;
        match &e.kind {
            Kind::Literal(Value { data: Data::Int(i), .. }) => Expr::int(-*i, span),
            Kind::Literal(Value { data: Data::Float(f), .. }) => {
                Expr::literal(Value::new(Label::BOTTOM, Data::Float(-f)), span)
            }
            _ => Expr::new(Kind::Negate(Box::new(e)), span),
        }
    }

    fn string(&mut self, format: Option<&str>, parts: &[StrPart<&str, Term<&str>>]) -> Expr {
        let mut out: Vec<Expr> = Vec::new();
        let mut literal = String::new();
        let mut span: Option<Span> = None;
        let mut cover = |more: Span| span = Some(span.map_or(more, |s: Span| s.to(more)));
        for part in parts {
            match part {
                StrPart::Str(text) => {
                    cover((self.place)(text));
                    literal.push_str(text);
                }
                StrPart::Char(c) => literal.push(*c),
                StrPart::Term(term) => {
                    if !literal.is_empty() {
                        out.push(Expr::text(&std::mem::take(&mut literal), self.whole));
                    }
                    let value = self.term(term);
                    cover(value.span);
                    out.push(self.formatted(format, value));
                }
            }
        }
        let span = span.unwrap_or(self.whole);
        if out.is_empty() {
            return Expr::text(&literal, span);
        }
        if !literal.is_empty() {
            out.push(Expr::text(&literal, self.whole));
        }
        Expr::new(Kind::Text(out), span)
    }

    fn formatted(&mut self, format: Option<&str>, value: Expr) -> Expr {
        let span = value.span;
        match format.map(|f| (f, format_function(f))) {
            None => Expr::call(Function::ToText, vec![value], span),
            Some((_, Some(function))) => Expr::call(function, vec![value], span),
            Some((name, None)) => self.unknown_format(name),
        }
    }

    fn unknown_format(&mut self, name: &str) -> Expr {
        let known = "known are `@text`, `@json`, `@uri`, `@base64`, `@base64d`, `@html` and `@sh`";
        self.refuse(format!("`{name}`"), (self.place)(name), known)
    }

    fn object(&mut self, entries: &[(Term<&str>, Option<Term<&str>>)]) -> Expr {
        let mut fields = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let field = match (key, value) {
                (Term::Var(name), None) => {
                    let span = (self.place)(name);
                    (Expr::text(name.trim_start_matches('$'), span), self.variable(name))
                }
                (key, None) => {
                    let key = self.term(key);
                    let span = key.span;
                    let base = Box::new(Expr::input(span));
                    let value = Kind::Index { base, key: Box::new(key.clone()), optional: false };
                    (key, Expr::new(value, span))
                }
                (key, Some(value)) => (self.term(key), self.term(value)),
            };
            fields.push(field);
        }
        let span = fields.iter().map(|(k, v)| k.span.to(v.span)).reduce(Span::to).unwrap_or(self.whole);
        Expr::new(Kind::Object(fields), span)
    }

    fn variable(&mut self, name: &str) -> Expr {
        let span = (self.place)(name);
        let bare = name.trim_start_matches('$');
        if matches!(bare, "ENV" | "__loc__" | "__prog_args") || bare.contains("::") {
            return self.refuse(format!("`{name}`"), span, "a workflow reads no environment and no files");
        }
        Expr::new(Kind::Variable(bare.into()), span)
    }

    fn path(&mut self, base: &Term<&str>, Path(parts): &Path<Term<&str>>) -> Expr {
        let base = self.term(base);
        let mut iterates = false;
        let mut several = false;
        let mut path = base;
        for (part, opt) in parts {
            let optional = matches!(opt, Opt::Optional);
            path = match part {
                Part::Index(key) => {
                    let key = self.term(key);
                    several |= key.outputs != Outputs::One;
                    let span = path.span.to(key.span);
                    let span = if matches!(path.kind, Kind::Input) { key.span } else { span };
                    Expr::new(Kind::Index { base: Box::new(path), key: Box::new(key), optional }, span)
                }
                Part::Range(None, None) => {
                    iterates = true;
                    let span = path.span;
                    Expr::new(Kind::Iterate { base: Box::new(path), optional }, span)
                }
                Part::Range(from, to) => {
                    let (from, to) = self.bounds((from, to));
                    several |= from.iter().chain(&to).any(|e| e.outputs != Outputs::One);
                    let span = path.span;
                    Expr::new(Kind::Slice { base: Box::new(path), from, to, optional }, span)
                }
            };
        }
        if several && (iterates || parts.len() > 1) {
            // jaq runs through all combinations of indexes first; a chain of single parts would not.
            return self.refuse(
                "a longer path with several indexes at one place",
                path.span,
                "bind them with `as` first",
            );
        }
        path
    }

    fn bounds(&mut self, (from, to): Bounds<'_, '_>) -> (Option<Box<Expr>>, Option<Box<Expr>>) {
        let from = from.as_ref().map(|e| Box::new(self.term(e)));
        (from, to.as_ref().map(|e| Box::new(self.term(e))))
    }

    fn binary(&mut self, l: &Term<&str>, op: &BinaryOp<&str>, r: &Term<&str>) -> Expr {
        if let BinaryOp::Comma = op {
            return self.commas(l, r);
        }
        if let BinaryOp::Pipe(Some(pattern)) = op {
            let source = self.term(l);
            return self.binding(source, pattern, |this| this.term(r));
        }
        let (l, r) = (self.term(l), self.term(r));
        let span = l.span.to(r.span);
        let (left, right) = (Box::new(l), Box::new(r));
        let kind = match op {
            BinaryOp::Pipe(_) => Kind::Pipe(left, right),
            BinaryOp::Comma => Kind::Comma(vec![*left, *right]),
            BinaryOp::Alt => Kind::Otherwise(left, right),
            BinaryOp::Or => Kind::Logic { stop: true, left, right },
            BinaryOp::And => Kind::Logic { stop: false, left, right },
            BinaryOp::Math(op) => Kind::Math(math(*op), left, right),
            BinaryOp::Cmp(op) => Kind::Compare(comparison(*op), left, right),
            BinaryOp::Assign => return self.assignment(*left, *right, |_, new| new),
            BinaryOp::Update => return self.modification(*left, *right),
            BinaryOp::UpdateMath(op) => {
                let op = math(*op);
                return self.assignment(*left, *right, |old, new| {
                    let span = new.span;
                    Expr::new(Kind::Math(op, Box::new(old), Box::new(new)), span)
                });
            }
            BinaryOp::UpdateAlt => {
                return self.assignment(*left, *right, |old, new| {
                    let span = new.span;
                    Expr::new(Kind::Otherwise(Box::new(old), Box::new(new)), span)
                });
            }
        };
        Expr::new(kind, span)
    }

    /// `a, b, c` as one list, however long.
    fn commas(&mut self, l: &Term<&str>, r: &Term<&str>) -> Expr {
        let (mut terms, mut left) = (vec![r], l);
        while let Term::BinOp(l, BinaryOp::Comma, r) = left {
            terms.push(r);
            left = l;
        }
        terms.push(left);
        let items: Vec<Expr> = terms.into_iter().rev().map(|term| self.term(term)).collect();
        let span = items.iter().map(|e| e.span).reduce(Span::to).unwrap_or(self.whole);
        Expr::new(Kind::Comma(items), span)
    }

    /// `source as pattern | body`.
    fn binding(&mut self, source: Expr, pattern: &Pattern<&str>, body: impl FnOnce(&mut Self) -> Expr) -> Expr {
        let mut parts = Vec::new();
        let name = self.names(pattern, &mut parts);
        let body = body(self);
        let body = wrapped(parts, body);
        let span = source.span.to(body.span);
        Expr::new(Kind::Bind { source: Box::new(source), name, body: Box::new(body) }, span)
    }

    /// The variable that holds what a pattern matches, and the variables taken out of it, outermost first.
    fn names(&mut self, pattern: &Pattern<&str>, parts: &mut Vec<(Arc<str>, Expr)>) -> Arc<str> {
        match pattern {
            Pattern::Var(name) => name.trim_start_matches('$').into(),
            Pattern::Arr(patterns) => {
                let whole = self.fresh();
                for (i, inner) in (0_i64..).zip(patterns) {
                    let key = Expr::int(i, self.whole);
                    self.part(&whole, key, inner, parts);
                }
                whole
            }
            Pattern::Obj(entries) => {
                let whole = self.fresh();
                for (key, inner) in entries {
                    let mut key = self.term(key);
                    if !matches!(key.kind, Kind::Literal(_)) {
                        key = self.refuse("a pattern with a computed key", key.span, "write the key, or use a path");
                    }
                    self.part(&whole, key, inner, parts);
                }
                whole
            }
        }
    }

    fn part(&mut self, whole: &Arc<str>, key: Expr, inner: &Pattern<&str>, parts: &mut Vec<(Arc<str>, Expr)>) {
        let span = key.span;
        let base = Expr::boxed(Kind::Variable(whole.clone()), span);
        let value = Expr::new(Kind::Index { base, key: Box::new(key), optional: false }, span);
        let at = parts.len();
        let mut below = Vec::new();
        let name = self.names(inner, &mut below);
        parts.insert(at, (name, value));
        parts.extend(below);
    }

    /// `path = value` and its kin: the value is taken first, then put in place.
    fn assignment(&mut self, path: Expr, value: Expr, new: impl FnOnce(Expr, Expr) -> Expr) -> Expr {
        let name = self.fresh();
        let span = path.span.to(value.span);
        let variable = Expr::new(Kind::Variable(name.clone()), value.span);
        let new = new(Expr::input(value.span), variable);
        let body = self.modification(path, new);
        Expr::new(Kind::Bind { source: Box::new(value), name, body: Box::new(body) }, span)
    }

    pub(super) fn modification(&mut self, path: Expr, f: Expr) -> Expr {
        let span = path.span.to(f.span);
        if !is_path(&path) {
            return self.refuse(
                "an assignment to something that is no simple path",
                path.span,
                "assign to a path such as `.a.b` or `.[]`",
            );
        }
        Expr::new(Kind::Modify(Box::new(path), Box::new(f)), span)
    }

    fn fold(&mut self, name: &str, source: &Term<&str>, pattern: &Pattern<&str>, arguments: &[Term<&str>]) -> Expr {
        let span = (self.place)(name);
        let (init, update, extract) = match (name, arguments) {
            ("reduce", [init, update]) => (init, update, None),
            ("foreach", [init, update]) => (init, update, Some(None)),
            ("foreach", [init, update, extract]) => (init, update, Some(Some(extract))),
            _ => {
                let message = format!("`{name}` has the wrong number of arguments");
                self.problems.push(syntax(message, span));
                return Expr::input(span);
            }
        };
        let source = Box::new(self.term(source));
        let mut parts = Vec::new();
        let item = self.names(pattern, &mut parts);
        let init = Box::new(self.term(init));
        let update = wrapped(parts.clone(), self.term(update));
        if update.outputs != Outputs::One {
            return self.refuse(
                format!("`{name}` with an update that may have no output or several"),
                update.span,
                "make the update give exactly one value, for example with `if … then … else . end`",
            );
        }
        let update = Box::new(update);
        let kind = match extract {
            None => Kind::Reduce { source, name: item, init, update },
            Some(extract) => {
                let extract = extract.map_or(Expr::input(span), |e| self.term(e));
                let extract = Box::new(wrapped(parts, extract));
                Kind::Foreach { source, name: item, init, update, extract }
            }
        };
        Expr::new(kind, span)
    }

    fn call(&mut self, name: &str, arguments: &[Term<&str>]) -> Expr {
        let span = (self.place)(name);
        if is_clock(name) {
            return self.clock(name, span);
        }
        if name.starts_with('@') && arguments.is_empty() {
            return match format_function(name) {
                Some(function) => Expr::call(function, vec![Expr::input(span)], span),
                None => self.unknown_format(name),
            };
        }
        let translated: Vec<Expr> = arguments.iter().map(|a| self.term(a)).collect();
        if let Some(expr) = super::call::known(name, &translated, span, &mut |path, f| self.modification(path, f)) {
            return expr;
        }
        let construct = format!("`{name}/{}`", arguments.len());
        self.refuse(construct, span, "the functions that are translated are listed in the expression reference")
    }
}

/// `$a as … | $b as … | body`.
fn wrapped(parts: Vec<(Arc<str>, Expr)>, body: Expr) -> Expr {
    parts.into_iter().rev().fold(body, |body, (name, value)| {
        let span = body.span;
        Expr::new(Kind::Bind { source: Box::new(value), name, body: Box::new(body) }, span)
    })
}

/// Whether the evaluator can modify at it.
fn is_path(path: &Expr) -> bool {
    let one = |e: &Expr| e.outputs == Outputs::One;
    match &path.kind {
        Kind::Input => true,
        Kind::Index { base, key, .. } => is_path(base) && one(key),
        Kind::Slice { base, from, to, .. } => is_path(base) && from.iter().chain(to).all(|e| one(e)),
        Kind::Iterate { base, .. } => is_path(base),
        Kind::Pipe(l, r) => is_path(l) && is_path(r),
        Kind::Comma(paths) => paths.iter().all(is_path),
        Kind::If(condition, then, other) => one(condition) && is_path(then) && is_path(other),
        _ => false,
    }
}

fn math(op: jaq_core::ops::Math) -> Math {
    use jaq_core::ops::Math as Jaq;
    match op {
        Jaq::Add => Math::Add,
        Jaq::Sub => Math::Sub,
        Jaq::Mul => Math::Mul,
        Jaq::Div => Math::Div,
        Jaq::Rem => Math::Rem,
    }
}

fn comparison(op: jaq_core::ops::Cmp) -> Compare {
    use jaq_core::ops::Cmp as Jaq;
    match op {
        Jaq::Lt => Compare::Less,
        Jaq::Le => Compare::LessOrEqual,
        Jaq::Gt => Compare::Greater,
        Jaq::Ge => Compare::GreaterOrEqual,
        Jaq::Eq => Compare::Equal,
        Jaq::Ne => Compare::NotEqual,
    }
}

fn format_function(name: &str) -> Option<Function> {
    Some(match name {
        "@text" => Function::ToText,
        "@json" => Function::ToJson,
        "@uri" => Function::Uri,
        "@base64" => Function::Base64,
        "@base64d" => Function::Base64Decode,
        "@html" => Function::Html,
        "@sh" => Function::Shell,
        _ => return None,
    })
}

fn is_clock(name: &str) -> bool {
    matches!(
        name,
        "now"
            | "localtime"
            | "gmtime"
            | "mktime"
            | "strftime"
            | "strflocaltime"
            | "strptime"
            | "todate"
            | "fromdate"
            | "date"
            | "dateadd"
            | "datesub"
            | "todateiso8601"
            | "fromdateiso8601"
            | "dateiso8601"
    )
}
