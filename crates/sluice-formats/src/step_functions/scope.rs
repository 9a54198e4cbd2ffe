//! What the expressions of a state see.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use sluice_core::document::{Data as TreeData, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::program::PlaceId;
use sluice_core::text::Span;

use super::{jsonata, path};
use crate::wiring::place_variable;

/// The data that moves from state to state.
///
/// `ResultPath` puts a result beside what was there. One place for everything would mix the two: so each name that the
/// machine ever puts something under has a place of its own, and `whole` holds the rest.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) whole: PlaceId,
    pub(super) fields: BTreeMap<Arc<str>, PlaceId>,
}

impl Data {
    /// All of it.
    pub(super) fn all(&self, span: Span) -> Expression {
        let whole = place_variable(self.whole, span);
        if self.fields.is_empty() {
            return whole;
        }
        let fields = self.fields.iter().map(|(name, place)| (name.clone(), place_variable(*place, span))).collect();
        whole.merged(Expression::object(fields, span))
    }

    /// One field of it.
    pub(super) fn field(&self, name: &str, span: Span) -> Expression {
        match self.fields.get(name) {
            Some(place) => place_variable(*place, span),
            None => Expression::member(place_variable(self.whole, span), name),
        }
    }
}

/// What `$` is.
#[derive(Clone, Debug)]
pub(super) enum Ground {
    Data(Data),
    Place(PlaceId),
}

impl Ground {
    pub(super) fn all(&self, span: Span) -> Expression {
        match self {
            Self::Data(data) => data.all(span),
            Self::Place(place) => place_variable(*place, span),
        }
    }

    pub(super) fn field(&self, name: &str, span: Span) -> Expression {
        match self {
            Self::Data(data) => data.field(name, span),
            Self::Place(place) => Expression::member(place_variable(*place, span), name),
        }
    }
}

/// What the expressions of one field of a state see.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// `$` of JSONPath, `$states.input` of JSONata.
    pub(super) input: Ground,
    /// `$states.result`.
    pub(super) result: Option<PlaceId>,
    /// `$states.errorOutput`.
    pub(super) error: Option<PlaceId>,
    /// `$$.Execution.Input`.
    pub(super) execution: PlaceId,
    /// `$$.Map.Item.Value`.
    pub(super) item: Option<PlaceId>,
    /// Anything made from all that came back so far.
    pub(super) seen: PlaceId,
    /// Variables of `Assign`.
    pub(super) variables: Arc<BTreeMap<Arc<str>, PlaceId>>,
    pub(super) is_jsonata: bool,
    /// Whether a list is kept as one thing: JSONata reads a name of a list as those of its elements.
    pub(super) is_flat: bool,
}

/// An expression, and whether it is made from what its text names because nothing better is known.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) expression: Expression,
    pub(super) is_opaque: bool,
}

/// One thing in a template: a scalar under its path.
pub(super) struct Leaf<'t> {
    /// `Message.token`; without the `.$` of its key.
    pub(super) path: String,
    pub(super) tree: &'t Tree,
    /// Whether its text is an expression.
    pub(super) is_expression: bool,
}

impl Scope {
    /// The expression that a text is.
    pub(super) fn read(&self, text: &str, span: Span) -> Read {
        if self.is_jsonata { jsonata::read(text, self, span) } else { path::read(text, self, span) }
    }

    /// Everything that an expression could see: whatever it is, it was made from what came back.
    pub(super) fn everything(&self, span: Span) -> Vec<Expression> {
        vec![place_variable(self.seen, span)]
    }

    /// `$$` of JSONPath, `$states.context` of JSONata, below some names.
    pub(super) fn context(&self, names: &[String], span: Span) -> Expression {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (base, rest) = match names.as_slice() {
            ["Execution", "Input", rest @ ..] => (place_variable(self.execution, span), rest),
            ["Map", "Item", "Value", rest @ ..] => match self.item {
                Some(item) => (place_variable(item, span), rest),
                None => return Expression::opaque(self.everything(span), span),
            },
            // Names, times, numbers, the task's token: the service's own.
            ["Task" | "State" | "StateMachine", ..]
            | ["Execution", "Id" | "Name" | "StartTime" | "RoleArn" | "RedriveCount" | "RedriveTime"]
            | ["Map", "Item", "Index"] => return Expression::opaque(Vec::new(), span),
            _ => {
                let places = [Some(self.execution), self.item].into_iter().flatten();
                return Expression::opaque(places.map(|p| place_variable(p, span)).collect(), span);
            }
        };
        rest.iter().fold(base, |e, name| Expression::member(e, name))
    }

    /// Every scalar of a template, and what it is.
    pub(super) fn leaves<'t>(&self, tree: &'t Tree) -> Vec<Leaf<'t>> {
        let mut found = Vec::new();
        self.collect(tree, String::new(), false, &mut found);
        found
    }

    fn collect<'t>(&self, tree: &'t Tree, path: String, is_expression: bool, found: &mut Vec<Leaf<'t>>) {
        match &tree.value {
            TreeData::Map(entries) => {
                for entry in entries {
                    let (key, is_expression) = self.key(&entry.key);
                    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                    self.collect(&entry.value, path, is_expression, found);
                }
            }
            TreeData::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.collect(item, format!("{path}[{i}]"), false, found);
                }
            }
            _ => found.push(Leaf { path, tree, is_expression: is_expression || self.is_query(tree) }),
        }
    }

    fn key<'k>(&self, key: &'k str) -> (&'k str, bool) {
        match key.strip_suffix(".$").filter(|_| !self.is_jsonata) {
            Some(name) => (name, true),
            None => (key, false),
        }
    }

    fn is_query(&self, tree: &Tree) -> bool {
        self.is_jsonata && tree.as_text().is_some_and(|text| jsonata::inside(text).is_some())
    }

    /// The value of one scalar.
    pub(super) fn leaf(&self, leaf: &Leaf<'_>) -> Read {
        self.scalar(leaf.tree, leaf.is_expression)
    }

    fn scalar(&self, tree: &Tree, is_expression: bool) -> Read {
        match tree.as_text().filter(|_| is_expression) {
            Some(text) => self.read(text, tree.span),
            None => Read { expression: Expression::literal(&tree.to_json(), tree.span), is_opaque: false },
        }
    }

    /// The value of a whole template.
    pub(super) fn template(&self, tree: &Tree) -> Expression {
        self.value(tree, false)
    }

    /// A list of values.
    pub(super) fn list(&self, items: Vec<Expression>, span: Span) -> Expression {
        if self.is_flat { Expression::opaque(items, span) } else { Expression::array(items, span) }
    }

    fn value(&self, tree: &Tree, is_expression: bool) -> Expression {
        match &tree.value {
            TreeData::Map(entries) if !entries.is_empty() => {
                let field = |entry: &sluice_core::document::Entry| {
                    let (key, is_expression) = self.key(&entry.key);
                    (key.into(), self.value(&entry.value, is_expression))
                };
                Expression::object(entries.iter().map(field).collect(), tree.span)
            }
            TreeData::List(items) => self.list(items.iter().map(|item| self.value(item, false)).collect(), tree.span),
            TreeData::Map(_) => Expression::literal(&Json::Object(serde_json::Map::new()), tree.span),
            // Alone it shrugs; inside an object it would tell of itself in every field.
            _ => self.scalar(tree, is_expression || self.is_query(tree)).expression.lenient(),
        }
    }
}
