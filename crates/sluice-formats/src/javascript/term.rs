//! What a piece of JavaScript is, before the places are known that it reads.

use std::sync::Arc;

use serde_json::Value as Json;
use sluice_core::expression::{Expression, TextPart};
use sluice_core::text::Span;

use super::{Locate, Reading, Resolve, Root};

/// A stretch of the text, in bytes.
pub(super) type At = (usize, usize);

/// A value of a program, as far as it is understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    /// The JSON of an item.
    Place(Root, At),
    /// `$('X')`, `$input`: not yet a value.
    Handle(Root, At),
    /// An item: `{ json, binary }`.
    Item(Root, At),
    /// All items.
    Items(Root, At),
    Member(Arc<Self>, Arc<str>),
    Element(Arc<Self>, i64),
    Literal(Json),
    Text(Vec<Self>),
    Object(Vec<(Arc<str>, Self)>),
    /// `{ ...a, k: b }`: records laid over each other, the last on top. All but the objects are read as a whole.
    Merged(Vec<Self>),
    /// A list; `true`: it has as many of these as a loop pushes.
    List(Vec<Self>, bool),
    /// Anything made from these.
    Opaque(Vec<Self>),
    /// A number, a truth value, a hash or an encoded text made from these.
    Harmless(Vec<Self>),
}

impl Term {
    pub(super) const UNDEFINED: Self = Self::Literal(Json::Null);

    /// Anything made from `parts`; nested ones are flattened, and equal ones are there once.
    pub(super) fn opaque(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        parts.into_iter().for_each(|part| part.parts_into(&mut flat));
        Self::Opaque(flat)
    }

    pub(super) fn harmless(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        parts.into_iter().for_each(|part| part.bare_parts_into(&mut flat));
        Self::Harmless(flat)
    }

    /// The same of what is harmless already, however deep that stands.
    fn bare_parts_into(self, flat: &mut Vec<Self>) {
        let mut parts = Vec::new();
        self.parts_into(&mut parts);
        for part in parts {
            match part {
                Self::Harmless(inner) => inner.into_iter().for_each(|part| part.bare_parts_into(flat)),
                other => other.parts_into(flat),
            }
        }
    }

    fn parts_into(self, flat: &mut Vec<Self>) {
        match self {
            Self::Literal(_) => {}
            Self::Opaque(parts) | Self::Text(parts) | Self::List(parts, _) | Self::Merged(parts) => {
                parts.into_iter().for_each(|part| part.parts_into(flat));
            }
            Self::Object(fields) => fields.into_iter().for_each(|(_, part)| part.parts_into(flat)),
            Self::Harmless(parts) if parts.is_empty() => {}
            Self::Handle(root, at) | Self::Item(root, at) | Self::Items(root, at) => {
                Self::Place(root, at).parts_into(flat);
            }
            other => {
                if !flat.iter().any(|known| known.same_read(&other)) {
                    flat.push(other);
                }
            }
        }
    }

    /// Adds to parts what this one is made from, where they do not have it yet: only what is new is copied.
    pub(super) fn add_parts(&self, flat: &mut Vec<Self>) {
        match self {
            Self::Literal(_) => {}
            Self::Opaque(parts) | Self::Text(parts) | Self::List(parts, _) => {
                parts.iter().for_each(|part| part.add_parts(flat));
            }
            Self::Object(fields) => fields.iter().for_each(|(_, part)| part.add_parts(flat)),
            other => {
                if !flat.iter().any(|known| known.same_read(other)) {
                    other.clone().parts_into(flat);
                }
            }
        }
    }

    /// Whether both read the same, wherever they stand.
    pub(super) fn same_read(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Place(a, _), Self::Place(b, _))
            | (Self::Handle(a, _), Self::Handle(b, _))
            | (Self::Item(a, _), Self::Item(b, _))
            | (Self::Items(a, _), Self::Items(b, _)) => a == b,
            (Self::Member(a, k), Self::Member(b, l)) => k == l && a.same_read(b),
            (Self::Element(a, k), Self::Element(b, l)) => k == l && a.same_read(b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other) && self == other,
        }
    }

    /// `self.key`
    pub(super) fn member(self, key: &str) -> Self {
        match self {
            Self::Handle(root, at) => match key {
                "json" | "data" => Self::Place(root, at),
                "item" => Self::Item(root, at),
                "binary" if root == Root::Item => Self::Place(Root::Binary, at),
                "parameter" => match root {
                    Root::Node(name) => Self::Opaque(vec![Self::Place(Root::ParametersOf(name), at)]),
                    other => Self::Opaque(vec![Self::Place(other, at)]),
                },
                _ => Self::Opaque(vec![Self::Place(root, at)]),
            },
            Self::Item(root, at) => match key {
                "json" => Self::Place(root, at),
                "binary" if root == Root::Item => Self::Place(Root::Binary, at),
                _ => Self::Opaque(vec![Self::Place(root, at)]),
            },
            Self::Items(root, at) if key == "length" => Self::Harmless(vec![Self::Place(root, at)]),
            Self::Items(root, at) => Self::Opaque(vec![Self::Place(root, at)]),
            Self::Object(fields) => {
                fields.into_iter().rev().find(|(k, _)| k.as_ref() == key).map_or(Self::UNDEFINED, |(_, v)| v)
            }
            Self::Merged(layers) => {
                let mut found = Vec::new();
                for layer in layers.into_iter().rev() {
                    match layer {
                        Self::Object(fields) => {
                            if let Some((_, value)) = fields.into_iter().rev().find(|(k, _)| k.as_ref() == key) {
                                found.push(value);
                                break;
                            }
                        }
                        // It may have the field, or leave that of a layer below.
                        other => found.push(other.member(key)),
                    }
                }
                match found.len() {
                    1 => found.pop().unwrap_or(Self::UNDEFINED),
                    _ => Self::opaque(found),
                }
            }
            Self::Text(_) | Self::List(..) if key == "length" => Self::harmless([self]),
            Self::Literal(_) | Self::Text(_) | Self::List(..) | Self::Opaque(_) | Self::Harmless(_) => {
                Self::opaque([self])
            }
            // Of a text it is a number, but who writes an item can put an object there that has a `length` of words.
            path if key == "length" => Self::opaque([path]),
            path => Self::Member(Arc::new(path), key.into()),
        }
    }

    /// `self[index]`
    pub(super) fn element(self, index: i64) -> Self {
        match self {
            Self::Items(root, at) => Self::Item(root, at),
            Self::List(items, false) if items.iter().all(|i| !matches!(i, Self::Opaque(_))) => {
                usize::try_from(index).ok().and_then(|i| items.into_iter().nth(i)).unwrap_or(Self::UNDEFINED)
            }
            Self::Place(..) | Self::Member(..) | Self::Element(..) => Self::Element(Arc::new(self), index),
            other => other.member(&index.to_string()),
        }
    }

    /// `self.name()` of what stands for a node's items.
    pub(super) fn items_call(&self, name: &str) -> Option<Self> {
        match (self, name) {
            (Self::Handle(root, at) | Self::Items(root, at), "first" | "last") => Some(Self::Item(root.clone(), *at)),
            (Self::Handle(root, at), "itemMatching" | "pairedItem") => Some(Self::Item(root.clone(), *at)),
            (Self::Handle(root, at), "all") => Some(Self::Items(root.clone(), *at)),
            _ => None,
        }
    }

    /// What a loop over it, or a function given to one of its methods, gets.
    pub(super) fn each(&self) -> Self {
        match self {
            Self::Items(root, at) => Self::Item(root.clone(), *at),
            Self::List(items, _) => match items.as_slice() {
                [only] => only.clone(),
                items => Self::opaque(items.iter().cloned()),
            },
            other => Self::opaque([other.clone()]),
        }
    }

    pub(super) fn has_harmless(&self) -> bool {
        match self {
            Self::Harmless(_) => true,
            Self::Member(base, _) | Self::Element(base, _) => base.has_harmless(),
            Self::Text(parts) | Self::List(parts, _) | Self::Opaque(parts) | Self::Merged(parts) => {
                parts.iter().any(Self::has_harmless)
            }
            Self::Object(fields) => fields.iter().any(|(_, v)| v.has_harmless()),
            Self::Place(..) | Self::Handle(..) | Self::Item(..) | Self::Items(..) | Self::Literal(_) => false,
        }
    }

    /// How many nodes it has.
    pub(super) fn size(&self) -> usize {
        1 + match self {
            Self::Member(base, _) | Self::Element(base, _) => base.size(),
            Self::Text(parts)
            | Self::List(parts, _)
            | Self::Opaque(parts)
            | Self::Harmless(parts)
            | Self::Merged(parts) => parts.iter().map(Self::size).sum(),
            Self::Object(fields) => fields.iter().map(|(_, v)| v.size()).sum(),
            _ => 0,
        }
    }

    /// Whether its fields are those of one record, each under its name.
    pub(super) fn is_record(&self) -> bool {
        match self {
            Self::Place(..) | Self::Object(_) => true,
            Self::Member(base, _) | Self::Element(base, _) => base.is_record(),
            Self::Merged(layers) => layers.iter().all(Self::is_record),
            _ => false,
        }
    }

    /// Whether it holds the author's own values and nothing else.
    pub(super) fn is_table(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Object(fields) => fields.iter().all(|(_, value)| value.is_table()),
            Self::List(items, false) => items.iter().all(Self::is_table),
            _ => false,
        }
    }

    /// Whether a list that grew, or anything, has all parts of another already.
    pub(super) fn holds(&self, other: &Self) -> bool {
        let Self::Opaque(all) = Self::opaque([self.clone()]) else { return false };
        let Self::Opaque(parts) = Self::opaque([other.clone()]) else { return false };
        parts.iter().all(|part| all.iter().any(|known| known.same_read(part)))
    }

    /// The record that lies on top gets a field.
    pub(super) fn overlaid(self, key: &str, value: Self) -> Self {
        let field = |value| Self::Object(vec![(key.into(), value)]);
        match self {
            Self::Merged(mut layers) => match layers.last_mut() {
                Some(Self::Object(fields)) => {
                    fields.retain(|(k, _)| k.as_ref() != key);
                    fields.push((key.into(), value));
                    Self::Merged(layers)
                }
                _ => {
                    layers.push(field(value));
                    Self::Merged(layers)
                }
            },
            base => Self::Merged(vec![base, field(value)]),
        }
    }

    /// The root whose item it is a part of, and the field of the item that it lies in; no field of the item itself.
    pub(super) fn within_item(&self) -> Option<(&Root, Option<String>)> {
        match self {
            Self::Place(root, _) => Some((root, None)),
            Self::Member(base, key) => match base.within_item()? {
                (root, None) => Some((root, Some(key.to_string()))),
                inner => Some(inner),
            },
            Self::Element(base, index) => match base.within_item()? {
                (root, None) => Some((root, Some(index.to_string()))),
                inner => Some(inner),
            },
            _ => None,
        }
    }

    /// The same, with something else in the place of every item: of all of it, or of the one field that is read of it.
    pub(super) fn with_items(self, instead: &dyn Fn(Root, At, Option<&str>) -> Self) -> Self {
        let all = |parts: Vec<Self>| -> Vec<Self> { parts.into_iter().map(|part| part.with_items(instead)).collect() };
        match self {
            Self::Place(root, at) => instead(root, at, None),
            Self::Item(root, at) => match instead(root.clone(), at, None) {
                Self::Place(..) => Self::Item(root, at),
                item => Self::Object(vec![("json".into(), item)]),
            },
            Self::Handle(root, at) => match instead(root.clone(), at, None) {
                Self::Place(..) => Self::Handle(root, at),
                item => Self::opaque([item]),
            },
            Self::Items(root, at) => match instead(root.clone(), at, None) {
                Self::Place(..) => Self::Items(root, at),
                item => Self::opaque([item]),
            },
            Self::Member(base, key) => match &*base {
                Self::Place(root, at) => instead(root.clone(), *at, Some(&key)),
                _ => Arc::unwrap_or_clone(base).with_items(instead).member(&key),
            },
            Self::Element(base, index) => Arc::unwrap_or_clone(base).with_items(instead).element(index),
            Self::Literal(_) => self,
            Self::Text(parts) => Self::Text(all(parts)),
            Self::Merged(parts) => Self::Merged(all(parts)),
            Self::List(parts, more) => Self::List(all(parts), more),
            Self::Opaque(parts) => Self::opaque(all(parts)),
            Self::Harmless(parts) => Self::harmless(all(parts)),
            Self::Object(fields) => {
                Self::Object(fields.into_iter().map(|(key, value)| (key, value.with_items(instead))).collect())
            }
        }
    }
}

/// Makes expressions of terms.
pub(super) struct Build<'a> {
    locate: &'a Locate<'a>,
    resolve: &'a Resolve<'a>,
    whole: Span,
    pub(super) reads: Vec<Reading>,
    pub(super) opaque: bool,
    pub(super) without_harmless: bool,
}

impl<'a> Build<'a> {
    pub(super) fn new(locate: &'a Locate<'a>, resolve: &'a Resolve<'a>, whole: Span) -> Self {
        Self { locate, resolve, whole, reads: Vec::new(), opaque: false, without_harmless: false }
    }

    pub(super) fn expression(&mut self, term: &Term) -> Expression {
        match term {
            Term::Place(root, at) => self.place(root, *at),
            Term::Handle(root, at) | Term::Items(root, at) => {
                self.opaque = true;
                Expression::opaque(vec![self.place(root, *at)], self.whole)
            }
            Term::Item(root, at) => Expression::object(vec![("json".into(), self.place(root, *at))], self.whole),
            Term::Member(base, key) => Expression::member(self.expression(base), key),
            Term::Element(base, index) => Expression::element(self.expression(base), *index),
            Term::Literal(json) => Expression::literal(json, self.whole),
            Term::Text(parts) => {
                let parts = parts.iter().map(|part| self.text_part(part)).collect();
                Expression::text(parts, self.whole)
            }
            Term::Object(fields) => {
                let fields = fields.iter().map(|(k, v)| (k.clone(), self.expression(v))).collect();
                Expression::object(fields, self.whole)
            }
            Term::Merged(layers) => {
                let layers: Vec<Expression> = layers.iter().map(|layer| self.layer(layer)).collect();
                layers
                    .into_iter()
                    .reduce(Expression::merged)
                    .unwrap_or_else(|| Expression::opaque(Vec::new(), self.whole))
            }
            Term::List(items, false) => {
                let items = items.iter().map(|item| self.expression(item)).collect();
                Expression::array(items, self.whole)
            }
            Term::List(parts, true) | Term::Opaque(parts) => self.anything(parts),
            Term::Harmless(_) if self.without_harmless => Expression::literal(&Json::from(0), self.whole),
            Term::Harmless(parts) => self.anything(parts),
        }
    }

    /// What lies under or over another record: of what is no record but its parts nothing is known.
    fn layer(&mut self, layer: &Term) -> Expression {
        match layer {
            Term::Opaque(parts) => {
                self.opaque = true;
                let parts = parts.iter().map(|part| self.expression(part)).collect();
                Expression::opaque_object(parts, self.whole)
            }
            record => self.expression(record),
        }
    }

    fn anything(&mut self, parts: &[Term]) -> Expression {
        self.opaque = true;
        let parts = parts.iter().map(|part| self.expression(part)).collect();
        Expression::opaque(parts, self.whole)
    }

    fn text_part(&mut self, part: &Term) -> TextPart {
        match part {
            Term::Literal(Json::String(text)) => TextPart::Literal(text.as_str().into()),
            // n8n writes nothing where there is nothing.
            Term::Literal(Json::Null) => TextPart::Literal("".into()),
            other => TextPart::Expression(self.expression(other)),
        }
    }

    fn place(&mut self, root: &Root, at: At) -> Expression {
        let span = (self.locate)(at.0, at.1);
        if !self.without_harmless {
            self.reads.push(Reading { root: root.clone(), span });
        }
        (self.resolve)(root).unwrap_or_else(|| Expression::opaque(Vec::new(), span))
    }
}
