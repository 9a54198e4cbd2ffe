//! From the author's scalars and structures to expressions over places.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{BAD_VALUE, CodeInfo, Data, Node, closest};
use crate::dsl::codes::{CLOCK, DESCRIPTOR, EXPRESSION_SYNTAX, SECRET_OUTSIDE_CALL, UNKNOWN_VARIABLE};
use crate::dsl::locate::Locator;
use crate::dsl::template::{Part, parts, whole};
use crate::dsl::workflow::Lower;
use crate::expression::{self, Expression, Problem, TextPart};
use crate::program::{PlaceId, Use};
use crate::text::Span;

/// What an expression sees: `.` and its variables.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) input: PlaceId,
    pub(super) variables: BTreeMap<Arc<str>, PlaceId>,
}

impl Sight {
    pub(super) fn of(&self, input: PlaceId) -> Self {
        Self { input, ..self.clone() }
    }

    pub(super) fn and(mut self, name: impl Into<Arc<str>>, place: PlaceId) -> Self {
        self.variables.insert(name.into(), place);
        self
    }
}

impl Lower<'_> {
    /// `.` of a place.
    pub(super) fn identity(place: PlaceId, span: Span) -> Use {
        Use { expression: Arc::new(Expression::input(span)), input: place, variables: BTreeMap::new() }
    }

    /// A constant.
    pub(super) fn constant(value: &serde_json::Value, input: PlaceId, span: Span) -> Use {
        Use { expression: Arc::new(Expression::literal(value, span)), input, variables: BTreeMap::new() }
    }

    /// An expression that stands where the DSL wants one, with or without `${ }`: `if`, `when`, `for.in`.
    pub(super) fn condition(&mut self, node: &Node, what: &str, sight: &Sight) -> Option<Use> {
        let text = node.expect_text(what, &mut self.out)?;
        let (source, at) = whole(&text).unwrap_or((&text, 0));
        let expression = self.parse(&Locator::of(self.text, node), source, at)?;
        self.bound(expression, sight)
    }

    /// What transforms data: an expression with or without `${ }`, or a structure with `${ }` anywhere in it.
    pub(super) fn transform(&mut self, node: &Node, what: &str, sight: &Sight) -> Option<Use> {
        if node.as_text().is_some() { self.condition(node, what, sight) } else { self.structure(node, sight) }
    }

    /// A structure with `${ }` anywhere in it, as one expression; text without `${ }` is literal.
    pub(super) fn structure(&mut self, node: &Node, sight: &Sight) -> Option<Use> {
        let expression = self.value(node)?;
        self.bound(expression, sight)
    }

    /// An expression that Sluice writes itself; every problem in it stands at `span`.
    pub(super) fn generated(&mut self, source: &str, sight: &Sight, span: Span) -> Option<Use> {
        let expression = self.parsed(source, &|_, _| span)?;
        self.bound(expression, sight)
    }

    pub(super) fn parsed(&mut self, source: &str, locate: &dyn Fn(usize, usize) -> Span) -> Option<Expression> {
        match expression::parse(source, locate) {
            Ok(expression) => Some(expression),
            Err(problems) => {
                self.out.extend(problems.into_iter().map(reported));
                None
            }
        }
    }

    /// The places of an expression's variables; one that has none is `SL124`.
    pub(super) fn bound(&mut self, expression: Expression, sight: &Sight) -> Option<Use> {
        let mut variables = BTreeMap::new();
        let mut complete = true;
        for (name, span) in expression.variables() {
            match (sight.variables.get(&name), name.as_ref()) {
                (Some(place), _) => drop(variables.insert(name, *place)),
                // Reported where the text was read.
                (None, "secret" | "secrets" | "authorization") => complete = false,
                (None, _) => {
                    complete = false;
                    let mut message = format!("`${name}` is not known here");
                    if let Some(word) = closest(&name, sight.variables.keys().map(AsRef::as_ref)) {
                        message.push_str(&format!("; did you mean `${word}`?"));
                    }
                    self.out.push(UNKNOWN_VARIABLE.at(span, message));
                }
            }
        }
        complete.then(|| Use { expression: Arc::new(expression), input: sight.input, variables })
    }

    pub(super) fn value(&mut self, node: &Node) -> Option<Expression> {
        match &node.value {
            Data::Text(text) => self.text(node, text),
            Data::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                Some(Expression::array(items.into_iter().collect::<Option<_>>()?, node.span))
            }
            Data::Map(entries) => {
                let fields: Vec<_> = entries.iter().map(|e| Some((e.key.clone(), self.value(&e.value)?))).collect();
                Some(Expression::object(fields.into_iter().collect::<Option<_>>()?, node.span))
            }
            _ => Some(Expression::literal(&node.to_json(), node.span)),
        }
    }

    /// Text: an expression, a literal, or a mixture.
    pub(super) fn text(&mut self, node: &Node, text: &str) -> Option<Expression> {
        if let Some((source, at)) = whole(text) {
            return self.parse(&Locator::of(self.text, node), source, at);
        }
        if !text.contains("${") {
            return Some(Expression::literal(&text.into(), node.span));
        }
        let locator = Locator::of(self.text, node);
        let parts: Vec<Option<TextPart>> = parts(text)
            .into_iter()
            .map(|part| match part {
                Part::Literal(text) => Some(TextPart::Literal(text.into())),
                Part::Expression(source, at) => self.parse(&locator, source, at).map(TextPart::Expression),
                Part::Open(at) => {
                    let span = locator.span(at, at + 2);
                    self.out.push(EXPRESSION_SYNTAX.at(span, "`${` has no `}`"));
                    None
                }
            })
            .collect();
        Some(Expression::text(parts.into_iter().collect::<Option<_>>()?, node.span))
    }

    /// One expression of a scalar, at byte `at` of its value.
    fn parse(&mut self, locator: &Locator, source: &str, at: usize) -> Option<Expression> {
        let locate = |start: usize, end: usize| locator.span(at + start, at + end);
        let refused = self.check_descriptors(source, &locate);
        let expression = self.parsed(source, &locate)?;
        (!refused).then_some(expression)
    }

    /// The declared secret that a text is the handle of: `${ $secrets.NAME }` and nothing else.
    pub(super) fn handle(&self, node: &Node) -> Option<Arc<str>> {
        let (source, _) = whole(node.as_text()?)?;
        let source = source.trim();
        let name = source.strip_prefix("$secrets.").or_else(|| source.strip_prefix("$secret."))?;
        self.components.secrets.get(name).cloned()
    }

    /// Reports what the DSL's descriptors have and a run of Sluice does not. Whether it found any.
    fn check_descriptors(&mut self, source: &str, locate: &dyn Fn(usize, usize) -> Span) -> bool {
        let before = self.out.len();
        for Mention { path, start, end } in mentions(source) {
            let words: Vec<&str> = path.split('.').collect();
            let found: Option<(&CodeInfo, String)> = match words.as_slice() {
                ["secrets" | "secret", ..] => {
                    Some((&SECRET_OUTSIDE_CALL, format!("`${path}` is no declared secret, or cannot be read here")))
                }
                ["authorization", ..] => Some((&DESCRIPTOR, "`$authorization` is not supported".to_owned())),
                ["task" | "workflow", "startedAt", ..] => Some((&CLOCK, format!("`${path}` is a clock"))),
                ["task"]
                | ["task", "name" | "reference" | "definition", ..]
                | ["workflow", "id" | "input", ..]
                | ["workflow", "definition", "document", ..]
                | ["runtime", ..] => None,
                ["task" | "workflow", ..] => Some((&DESCRIPTOR, format!("`${path}` is not supported"))),
                _ => None,
            };
            if let Some((code, message)) = found {
                self.out.push(code.at(locate(start, end), message));
            }
        }
        self.out.len() > before
    }

    /// Text that may not hold an expression, because the DSL reads it before the run.
    pub(super) fn fixed(&mut self, node: &Node, what: &str) -> Option<Arc<str>> {
        let text = node.expect_name(what, &mut self.out)?;
        if text.contains("${") {
            self.out.push(BAD_VALUE.at(node.span, format!("`{what}` must be fixed text, found an expression")));
            return None;
        }
        Some(text)
    }
}

/// A variable and the fields read from it: `workflow.definition.document`.
struct Mention {
    path: String,
    start: usize,
    end: usize,
}

fn mentions(source: &str) -> Vec<Mention> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    source
        .match_indices('$')
        .filter_map(|(start, _)| {
            let rest = source.get(start + 1..)?;
            let path = rest.get(..rest.find(|c| !word(c)).unwrap_or(rest.len()))?.trim_end_matches('.');
            (!path.is_empty()).then(|| Mention { path: path.to_owned(), start, end: start + 1 + path.len() })
        })
        .collect()
}

fn reported(problem: Problem) -> Diagnostic {
    let (code, name) = (problem.kind.code(), problem.kind.name());
    Diagnostic::new(code, name, Severity::High, problem.span, problem.message, problem.help)
}
