//! What expressions read: the contexts of a step, as places.

use std::collections::BTreeMap;

use sluice_core::document::Node as Tree;
use sluice_core::expression::{Expression, TextPart};
use sluice_core::program::PlaceId;
use sluice_core::text::{Span, Text};

use super::expression::{Ast, parse};
use super::knowledge::Knowledge;
use super::template::{Piece, pieces};
use crate::guard::Who;
use crate::wiring::place_variable;

/// Contexts that hold what somebody wrote.
const ROOTS: [&str; 7] = ["github", "inputs", "env", "steps", "needs", "matrix", "jobs"];

/// Where the contexts of one step lie.
#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    pub(super) file: &'a Text,
    pub(super) knowledge: &'a Knowledge,
    /// The events that may start this step.
    pub(super) events: Vec<Heard>,
    /// Contexts that conditions have held to constants, by path.
    pub(super) listed: BTreeMap<String, PlaceId>,
    /// `github.ref`, where somebody chose it.
    pub(super) refs: Option<PlaceId>,
    /// Inputs of a caller or of a person.
    pub(super) inputs: Inputs,
    /// `github.event.inputs`: those of whoever started the run.
    pub(super) event_inputs: Inputs,
    /// Secrets that a caller has filled by expressions of its own.
    pub(super) secrets: BTreeMap<String, PlaceId>,
    /// Variables, the nearest level last; each level with all of it in one place.
    pub(super) env: Vec<Level>,
    /// How many levels lie around a step: what is behind them is the step's own.
    pub(super) around: usize,
    /// What steps have written to `$GITHUB_ENV`.
    pub(super) written: PlaceId,
    pub(super) steps: BTreeMap<String, PlaceId>,
    pub(super) all_steps: PlaceId,
    pub(super) needs: BTreeMap<String, PlaceId>,
    pub(super) matrix: PlaceId,
    /// Files that an outsider may have written.
    pub(super) workspace: PlaceId,
}

/// The variables of a workflow, a job, or a step.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) named: BTreeMap<String, PlaceId>,
    pub(super) all: PlaceId,
}

/// An event, as the conditions on the way have let it through.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// Which.
    pub(super) event: usize,
    /// Where what it carries lies.
    pub(super) place: PlaceId,
    /// Who can have sent it; `None` of anybody.
    pub(super) who: Option<Who>,
    /// Parts that somebody with rights wrote, and where those lie.
    pub(super) parts: BTreeMap<String, PlaceId>,
}

impl Heard {
    /// Whether what it is about is made by somebody with rights.
    pub(super) fn is_insiders(&self) -> bool {
        self.who == Some(Who::Insider)
    }

    /// What conditions of both have let through.
    pub(super) fn join(&mut self, other: &Self) {
        if other.who > self.who {
            (self.who, self.place) = (other.who, other.place);
        }
        for (part, place) in &other.parts {
            self.parts.entry(part.clone()).or_insert(*place);
        }
    }
}

/// What a workflow or an action is given.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    /// All of them.
    pub(super) all: Option<PlaceId>,
    /// Each, where the caller is known: others are empty.
    pub(super) named: Option<BTreeMap<String, PlaceId>>,
    /// Those that can only be fixed words.
    pub(super) fixed: Vec<String>,
    /// What the caller wrote, in lower case, for what is decided by the text of an expression.
    pub(super) texts: BTreeMap<String, String>,
}

impl Inputs {
    fn get(&self, key: Option<&str>, span: Span) -> Expression {
        let is_fixed = key.is_some_and(|key| self.fixed.iter().any(|fixed| fixed == key));
        let place = match (&self.named, key) {
            (Some(named), Some(key)) => named.get(key).copied(),
            _ => self.all,
        };
        place.filter(|_| !is_fixed).map_or_else(|| plain(span), |place| place_variable(place, span))
    }
}

/// What a text was read as.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// The text with its expressions in it.
    pub(super) whole: Expression,
    /// The expressions alone.
    pub(super) parts: Vec<Expression>,
    /// Texts that are no expressions of the language.
    pub(super) unread: Vec<String>,
}

impl Scope<'_> {
    /// A text in lower case, with what callers wrote for the inputs that it names.
    pub(super) fn with_inputs(&self, text: &str) -> String {
        let mut all = text.to_lowercase();
        for (name, given) in &self.inputs.texts {
            if all.contains(&format!("inputs.{name}")) {
                all.push(' ');
                all.push_str(given);
            }
        }
        all
    }

    /// Reads a text with `${{ }}` in it.
    pub(super) fn text(&self, tree: &Tree) -> Read {
        match tree.as_text() {
            Some(text) => self.within(tree, text),
            None => {
                Read { whole: Expression::literal(&tree.to_json(), tree.span), parts: Vec::new(), unread: Vec::new() }
            }
        }
    }

    /// The same of a part of a scalar's text.
    pub(super) fn within(&self, tree: &Tree, text: &str) -> Read {
        let (mut parts, mut whole, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for piece in pieces(self.file, tree, text) {
            match piece {
                Piece::Literal(text) => whole.push(TextPart::Literal(text.into())),
                Piece::Expression(source, span) => {
                    let expression = self.expression(source, span).unwrap_or_else(|| {
                        unread.push(source.trim().chars().take(60).collect());
                        self.roots(source, span)
                    });
                    parts.push(expression.clone());
                    whole.push(TextPart::Expression(expression));
                }
            }
        }
        let whole = match whole.pop() {
            Some(TextPart::Expression(only)) if whole.is_empty() => only,
            Some(last) => {
                whole.push(last);
                Expression::text(whole, tree.span)
            }
            None => plain(tree.span),
        };
        Read { whole, parts, unread }
    }

    /// `None` of what is no expression.
    pub(super) fn expression(&self, source: &str, span: Span) -> Option<Expression> {
        Some(self.translate(&parse(source)?, span))
    }

    /// Anything made from every context that a text names.
    fn roots(&self, source: &str, span: Span) -> Expression {
        let lower = source.to_lowercase();
        let named = ROOTS.iter().filter(|root| lower.contains(**root));
        Expression::opaque(named.map(|root| self.context(&[(*root).to_owned()], span)).collect(), span)
    }

    fn translate(&self, ast: &Ast, span: Span) -> Expression {
        if let Some(path) = ast.path() {
            return self.context(&path, span);
        }
        // A fixed field of each of a list.
        let keys = ast.keys().unwrap_or_default();
        if keys.first().is_some_and(|root| root == "github") && keys.get(1).is_some_and(|key| key == "event") {
            return self.github(&keys, span);
        }
        match ast {
            Ast::Text(text) => Expression::literal(&serde_json::Value::String(text.clone()), span),
            // What only decides is no text of anybody.
            Ast::Plain | Ast::Not(_) | Ast::Compare(..) => plain(span),
            Ast::Call(name, _) if is_plain_call(name) => plain(span),
            Ast::And(_, b) => Expression::one_of(vec![plain(span), self.translate(b, span)], span),
            // `(a || b).key` is `a.key || b.key`.
            Ast::Member(base, key) if matches!(base.as_ref(), Ast::Or(..) | Ast::And(..)) => {
                let under = |part: &Ast| self.translate(&Ast::Member(Box::new(part.clone()), key.clone()), span);
                Expression::one_of(base.parts().into_iter().map(under).collect(), span)
            }
            Ast::Or(a, b) => Expression::one_of(vec![self.translate(a, span), self.translate(b, span)], span),
            _ => Expression::opaque(ast.parts().into_iter().map(|part| self.translate(part, span)).collect(), span),
        }
    }

    pub(super) fn context(&self, path: &[String], span: Span) -> Expression {
        if let Some(place) = self.listed.get(&path.join(".")) {
            return place_variable(*place, span);
        }
        let key = |n: usize| path.get(n).map(String::as_str);
        match key(0).unwrap_or_default() {
            "github" => self.github(path, span),
            "inputs" => self.inputs.get(key(1), span),
            "secrets" => match key(1).and_then(|key| self.secrets.get(key)) {
                Some(place) => place_variable(*place, span),
                None => plain(span),
            },
            "env" => self.variable(key(1), span),
            "steps" => match (key(1), key(2)) {
                (_, Some("outcome" | "conclusion")) => plain(span),
                (Some(id), Some("outputs")) => self.field(self.steps.get(id), key(3), span),
                (Some(id), _) => self.field(self.steps.get(id), None, span),
                (None, _) => place_variable(self.all_steps, span),
            },
            "needs" | "jobs" => match (key(1), key(2)) {
                (_, Some("result")) => plain(span),
                (Some(id), Some("outputs")) => self.field(self.needs.get(id), key(3), span),
                (Some(id), _) => self.field(self.needs.get(id), None, span),
                (None, _) => either(self.needs.values(), span),
            },
            "matrix" => self.field(Some(&self.matrix), key(1), span),
            _ => plain(span),
        }
    }

    fn github(&self, path: &[String], span: Span) -> Expression {
        let rest = path.get(2..).unwrap_or_default();
        match path.get(1).map(String::as_str) {
            None => self.event(span),
            Some("event") if rest.first().is_some_and(|key| key == "inputs") => {
                self.event_inputs.get(rest.get(1).map(String::as_str), span)
            }
            Some("event") if self.knowledge.is_fixed(rest) => plain(span),
            Some("event") => self.part(rest.first().map(String::as_str), span),
            Some(key) if self.knowledge.lists("refs", key) => {
                self.refs.map_or_else(|| plain(span), |p| place_variable(p, span))
            }
            // The branch is named by whoever opened the pull request.
            Some("head_ref") => self.part(Some("pull_request"), span),
            Some(key) if self.knowledge.lists("github", key) => self.event(span),
            Some(_) => plain(span),
        }
    }

    /// Everything that the event carries.
    pub(super) fn event(&self, span: Span) -> Expression {
        self.part(None, span)
    }

    /// A part of what the event carries.
    fn part(&self, part: Option<&str>, span: Span) -> Expression {
        let place = |heard: &Heard| part.and_then(|part| heard.parts.get(part).copied()).unwrap_or(heard.place);
        let places: Vec<PlaceId> = self.events.iter().map(place).collect();
        either(places.iter(), span)
    }

    /// A variable, or all of them.
    pub(super) fn variable(&self, key: Option<&str>, span: Span) -> Expression {
        let written = place_variable(self.written, span);
        let Some(key) = key else { return self.environment(span) };
        let key = key.to_lowercase();
        let found = self.env.iter().enumerate().rev().find_map(|(n, level)| Some((n, *level.named.get(&key)?)));
        match found {
            // A step's own variables win over what was written; what was written wins over the rest.
            Some((n, place)) if n >= self.around => place_variable(place, span),
            Some((_, place)) => Expression::one_of(vec![place_variable(place, span), written], span),
            None if key == "github_head_ref" => self.part(Some("pull_request"), span),
            None => written,
        }
    }

    /// Everything that a program of this step finds in its environment.
    pub(super) fn environment(&self, span: Span) -> Expression {
        let all = self.env.iter().map(|level| place_variable(level.all, span));
        Expression::opaque(all.chain([place_variable(self.written, span)]).collect(), span)
    }

    fn field(&self, place: Option<&PlaceId>, key: Option<&str>, span: Span) -> Expression {
        let Some(place) = place else { return plain(span) };
        let whole = place_variable(*place, span);
        match key {
            Some(key) => Expression::member(whole, key),
            None => Expression::opaque(vec![whole], span),
        }
    }
}

/// Functions whose results are booleans or digests.
fn is_plain_call(name: &str) -> bool {
    matches!(
        name,
        "contains" | "startswith" | "endswith" | "hashfiles" | "success" | "always" | "failure" | "cancelled"
    )
}

/// Words of the author or the host.
pub(super) fn plain(span: Span) -> Expression {
    Expression::literal(&serde_json::Value::Null, span)
}

pub(super) fn either<'p>(places: impl Iterator<Item = &'p PlaceId>, span: Span) -> Expression {
    Expression::opaque(places.map(|place| place_variable(*place, span)).collect(), span)
}
