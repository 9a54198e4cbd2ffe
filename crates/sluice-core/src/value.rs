//! Labelled JSON trees, concrete and abstract.
//!
//! There is one value type for both readers of a program. A run holds only concrete nodes; the
//! verifier also holds [`Data::Unknown`] ones. So one evaluator and one transfer table serve both, and
//! "the run stays below its prediction" is a plain comparison of two trees ([`Value::admits`]).
//!
//! A node's own label covers its shape, keys, length or scalar; children carry theirs. Reading a child
//! joins the parent's own label into what is read ([`Value::child`]), so raising a root raises all
//! that can be reached through it.

mod head;
mod join;

pub use head::Head;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::label::Label;
use crate::limits::ABSTRACT_CHILDREN_MAX;

/// A JSON value in which every node has a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The node's own label.
    pub label: Label,
    /// What is there.
    pub data: Data,
}

/// The payload of a node.
#[derive(Clone, Debug)]
pub enum Data {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number. Never NaN or infinite.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A list whose length is known.
    Array(Arc<Vec<Value>>),
    /// An object whose keys are known, in insertion order.
    Object(Arc<IndexMap<Arc<str>, Value>>),
    /// Abstract only: some value of one of these kinds.
    Unknown(Arc<Shape>),
}

impl PartialEq for Data {
    /// What two values share is equal without a look into it: states are copied along edges, and differ in little.
    fn eq(&self, other: &Self) -> bool {
        if self.shares(other) {
            return true;
        }
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Unknown(a), Self::Unknown(b)) => a == b,
            _ => false,
        }
    }
}

impl Data {
    /// Whether both are one and the same list, object or shape in memory.
    fn shares(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b),
            (Self::Unknown(a), Self::Unknown(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// The JSON kinds a value can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kinds(u8);

impl Kinds {
    /// None: no value.
    pub const NONE: Self = Self(0);
    /// `null`.
    pub const NULL: Self = Self(1);
    /// Booleans.
    pub const BOOL: Self = Self(2);
    /// Numbers.
    pub const NUMBER: Self = Self(4);
    /// Strings.
    pub const TEXT: Self = Self(8);
    /// Arrays.
    pub const ARRAY: Self = Self(16);
    /// Objects.
    pub const OBJECT: Self = Self(32);
    /// Anything.
    pub const ALL: Self = Self(63);

    /// Both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every kind of `other` is in `self`.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What both have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Without the kinds of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What is known of an unknown value.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its possible kinds.
    pub kinds: Kinds,
    /// How it begins wherever it is a text; `None` if that is not known, or it is never one.
    pub head: Option<Head>,
    /// Children by key; array elements have decimal keys. A key listed here may still be absent.
    pub fields: BTreeMap<Arc<str>, Value>,
    /// Every other child.
    pub rest: Rest,
}

/// The children that a [`Shape`] does not list.
#[derive(Clone, Debug, PartialEq)]
pub enum Rest {
    /// There is none.
    None,
    /// Each is admitted by this value.
    Each(Box<Value>),
    /// Everything below, at any depth, carries at most this label.
    Deep(Label),
}

impl Value {
    /// A node with its label.
    #[must_use]
    pub const fn new(label: Label, data: Data) -> Self {
        Self { label, data }
    }

    /// `null` under a label.
    #[must_use]
    pub const fn null(label: Label) -> Self {
        Self::new(label, Data::Null)
    }

    /// A boolean under a label.
    #[must_use]
    pub const fn bool(label: Label, value: bool) -> Self {
        Self::new(label, Data::Bool(value))
    }

    /// A whole number under a label.
    #[must_use]
    pub const fn int(label: Label, value: i64) -> Self {
        Self::new(label, Data::Int(value))
    }

    /// A text under a label.
    pub fn text(label: Label, value: impl Into<Arc<str>>) -> Self {
        Self::new(label, Data::Text(value.into()))
    }

    /// An array.
    #[must_use]
    pub fn array(label: Label, items: Vec<Self>) -> Self {
        Self::new(label, Data::Array(Arc::new(items)))
    }

    /// An object.
    pub fn object(label: Label, fields: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        Self::new(label, Data::Object(Arc::new(fields.into_iter().collect())))
    }

    /// Some value of the given kinds whose every part, at any depth, carries at most `label`.
    #[must_use]
    pub fn unknown(label: Label, kinds: Kinds) -> Self {
        let rest = if kinds.and(Kinds::ARRAY.or(Kinds::OBJECT)).is_empty() { Rest::None } else { Rest::Deep(label) };
        Self::new(label, Data::Unknown(Arc::new(Shape { kinds, head: None, fields: BTreeMap::new(), rest })))
    }

    /// A plain JSON value, every node under the same label.
    #[must_use]
    pub fn from_json(json: &serde_json::Value, label: Label) -> Self {
        Self::from_json_with(json, &mut Vec::new(), &|_| label)
    }

    /// A plain JSON value; `label_at` names each node's label by its path (object keys, and decimal array indexes).
    pub fn from_json_with(
        json: &serde_json::Value,
        path: &mut Vec<Arc<str>>,
        label_at: &dyn Fn(&[Arc<str>]) -> Label,
    ) -> Self {
        let label = label_at(path);
        let mut child = |key: Arc<str>, json: &serde_json::Value| {
            path.push(key);
            let value = Self::from_json_with(json, path, label_at);
            path.pop();
            value
        };
        let data = match json {
            serde_json::Value::Null => Data::Null,
            serde_json::Value::Bool(b) => Data::Bool(*b),
            serde_json::Value::Number(n) => number(n),
            serde_json::Value::String(s) => Data::Text(s.as_str().into()),
            serde_json::Value::Array(items) => Data::Array(Arc::new(
                items.iter().enumerate().map(|(i, item)| child(i.to_string().into(), item)).collect(),
            )),
            serde_json::Value::Object(fields) => Data::Object(Arc::new(
                fields.iter().map(|(k, v)| (Arc::from(k.as_str()), child(k.as_str().into(), v))).collect(),
            )),
        };
        Self::new(label, data)
    }

    /// The JSON without labels; `None` if any part is unknown.
    #[must_use]
    pub fn to_json(&self) -> Option<serde_json::Value> {
        Some(match &self.data {
            Data::Null => serde_json::Value::Null,
            Data::Bool(b) => (*b).into(),
            Data::Int(i) => (*i).into(),
            Data::Float(f) => serde_json::Number::from_f64(*f).map_or(serde_json::Value::Null, Into::into),
            Data::Text(t) => t.as_ref().into(),
            Data::Array(items) => items.iter().map(Self::to_json).collect::<Option<Vec<_>>>()?.into(),
            Data::Object(fields) => serde_json::Value::Object(
                fields.iter().map(|(k, v)| Some((k.to_string(), v.to_json()?))).collect::<Option<_>>()?,
            ),
            Data::Unknown(_) => return None,
        })
    }

    /// The kinds it can have.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        match &self.data {
            Data::Null => Kinds::NULL,
            Data::Bool(_) => Kinds::BOOL,
            Data::Int(_) | Data::Float(_) => Kinds::NUMBER,
            Data::Text(_) => Kinds::TEXT,
            Data::Array(_) => Kinds::ARRAY,
            Data::Object(_) => Kinds::OBJECT,
            Data::Unknown(shape) => shape.kinds,
        }
    }

    /// Whether no part of it is unknown.
    #[must_use]
    pub fn is_concrete(&self) -> bool {
        match &self.data {
            Data::Unknown(_) => false,
            Data::Array(items) => items.iter().all(Self::is_concrete),
            Data::Object(fields) => fields.values().all(Self::is_concrete),
            _ => true,
        }
    }

    /// The text, if it is a known one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Data::Text(t) = &self.data { Some(t) } else { None }
    }

    /// The join of every label in the tree: what a sink sees.
    #[must_use]
    pub fn deep_label(&self) -> Label {
        let below = match &self.data {
            Data::Array(items) => Label::join_all(items.iter().map(Self::deep_label)),
            Data::Object(fields) => Label::join_all(fields.values().map(Self::deep_label)),
            Data::Unknown(shape) => {
                Label::join_all(shape.fields.values().map(Self::deep_label)).join(match &shape.rest {
                    Rest::None => Label::BOTTOM,
                    Rest::Each(value) => value.deep_label(),
                    Rest::Deep(label) => *label,
                })
            }
            _ => Label::BOTTOM,
        };
        self.label.join(below)
    }

    /// The same tree with every node's label mapped. Only releases and redactions may lower.
    #[must_use]
    pub fn map_labels(&self, map: &dyn Fn(Label) -> Label) -> Self {
        let data = match &self.data {
            Data::Array(items) => Data::Array(Arc::new(items.iter().map(|v| v.map_labels(map)).collect())),
            Data::Object(fields) => {
                Data::Object(Arc::new(fields.iter().map(|(k, v)| (k.clone(), v.map_labels(map))).collect()))
            }
            Data::Unknown(shape) => Data::Unknown(Arc::new(Shape {
                kinds: shape.kinds,
                head: shape.head.as_ref().map(|head| head.map_label(map)),
                fields: shape.fields.iter().map(|(k, v)| (k.clone(), v.map_labels(map))).collect(),
                rest: match &shape.rest {
                    Rest::None => Rest::None,
                    Rest::Each(v) => Rest::Each(Box::new(v.map_labels(map))),
                    Rest::Deep(l) => Rest::Deep(map(*l)),
                },
            })),
            other => other.clone(),
        };
        Self::new(map(self.label), data)
    }

    /// The child at `key` (decimal for arrays), raised by this node's own label; `None` where there surely is none.
    ///
    /// Of an unknown container the child may be absent: the answer then also admits `null`.
    #[must_use]
    pub fn child(&self, key: &str) -> Option<Self> {
        match &self.data {
            Data::Array(items) => items.get(key.parse::<usize>().ok()?).map(|v| v.clone().raised(self.label)),
            Data::Object(fields) => fields.get(key).map(|v| v.clone().raised(self.label)),
            Data::Unknown(shape) => {
                let found = match (shape.fields.get(key), &shape.rest) {
                    (Some(v), _) => v.clone(),
                    (None, Rest::Each(v)) => (**v).clone(),
                    (None, Rest::Deep(l)) => Self::unknown(*l, Kinds::ALL),
                    (None, Rest::None) => return None,
                };
                Some(found.join(&Self::null(Label::BOTTOM)).raised(self.label))
            }
            _ => None,
        }
    }

    /// The join of all children, raised by this node's own label; `None` where there surely is none.
    #[must_use]
    pub fn any_child(&self) -> Option<Self> {
        let joined = match &self.data {
            Data::Array(items) => join_all(items.iter()),
            Data::Object(fields) => join_all(fields.values()),
            Data::Unknown(shape) => {
                let rest = match &shape.rest {
                    Rest::None => None,
                    Rest::Each(v) => Some((**v).clone()),
                    Rest::Deep(l) => Some(Self::unknown(*l, Kinds::ALL)),
                };
                join_all(shape.fields.values().chain(rest.iter()))
            }
            _ => None,
        };
        joined.map(|v| v.raised(self.label))
    }

    fn known_shape(&self) -> Cow<'_, Shape> {
        if let Data::Unknown(shape) = &self.data { Cow::Borrowed(shape) } else { Cow::Owned(self.shape()) }
    }

    /// What is known of it as a shape. Exact for unknown values, a summary for others.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let listed = |fields: BTreeMap<Arc<str>, Self>| Shape {
            kinds: self.kinds(),
            head: self.known_head(),
            fields,
            rest: Rest::None,
        };
        match &self.data {
            Data::Unknown(shape) => (**shape).clone(),
            Data::Array(items) => Shape {
                kinds: Kinds::ARRAY,
                head: None,
                fields: BTreeMap::new(),
                rest: join_all(items.iter()).map_or(Rest::None, |v| Rest::Each(Box::new(v))),
            },
            Data::Object(fields) if fields.len() > ABSTRACT_CHILDREN_MAX => Shape {
                kinds: Kinds::OBJECT,
                head: None,
                fields: BTreeMap::new(),
                rest: join_all(fields.values()).map_or(Rest::None, |v| Rest::Each(Box::new(v))),
            },
            Data::Object(fields) => listed(fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
            _ => listed(BTreeMap::new()),
        }
    }

    /// Whether the concrete `value` is one of those that `self` stands for, labels included: `g ⊑ G`.
    #[must_use]
    pub fn admits(&self, value: &Self) -> bool {
        if !value.label.flows_to(self.label) {
            return false;
        }
        match (&self.data, &value.data) {
            (Data::Unknown(shape), _) => {
                shape.kinds.has(value.kinds()) && shape.admits_head(value) && shape.admits_children(value)
            }
            (Data::Array(a), Data::Array(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.admits(y)),
            (Data::Object(a), Data::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(k, x)| b.get(k).is_some_and(|y| x.admits(y)))
            }
            (a, b) => scalar_eq(a, b),
        }
    }
}

impl Shape {
    fn admits_children(&self, value: &Value) -> bool {
        let admits = |key: &str, child: &Value| match (self.fields.get(key), &self.rest) {
            (Some(v), _) => v.admits(child),
            (None, Rest::Each(v)) => v.admits(child),
            (None, Rest::Deep(l)) => child.deep_label().flows_to(*l),
            (None, Rest::None) => false,
        };
        match &value.data {
            Data::Array(items) => items.iter().enumerate().all(|(i, v)| admits(&i.to_string(), v)),
            Data::Object(fields) => fields.iter().all(|(k, v)| admits(k, v)),
            Data::Unknown(other) => self.admits_shape(other),
            _ => true,
        }
    }

    /// Whether everything that `other` stands for is admitted: for comparing two predictions.
    fn admits_shape(&self, other: &Self) -> bool {
        let listed = other.fields.iter().all(|(k, v)| self.at(k).is_some_and(|mine| mine.admits(v)));
        let rest = match &other.rest {
            Rest::None => true,
            Rest::Each(v) => self.rest_admits(v) && self.fields.values().all(|m| m.admits(v)),
            Rest::Deep(theirs) => {
                let anything = Value::unknown(*theirs, Kinds::ALL);
                self.rest_admits(&anything) && self.fields.values().all(|m| m.admits(&anything))
            }
        };
        listed && rest
    }

    fn rest_admits(&self, child: &Value) -> bool {
        match &self.rest {
            Rest::None => false,
            Rest::Each(v) => v.admits(child),
            Rest::Deep(l) => child.deep_label().flows_to(*l),
        }
    }

    /// What a child may be.
    fn at(&self, key: &str) -> Option<Cow<'_, Value>> {
        match (self.fields.get(key), &self.rest) {
            (Some(v), _) => Some(Cow::Borrowed(v)),
            (None, Rest::Each(v)) => Some(Cow::Borrowed(v)),
            (None, Rest::Deep(l)) => Some(Cow::Owned(Value::unknown(*l, Kinds::ALL))),
            (None, Rest::None) => None,
        }
    }

    fn children_label(&self) -> Label {
        Label::join_all(self.fields.values().map(Value::deep_label)).join(match &self.rest {
            Rest::None => Label::BOTTOM,
            Rest::Each(v) => v.deep_label(),
            Rest::Deep(l) => *l,
        })
    }
}

/// The join of at least one value.
pub fn join_all<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<Value> {
    let mut values = values.into_iter();
    let first = values.next()?.clone();
    Some(values.fold(first, |joined, v| joined.join(v)))
}

fn scalar_eq(a: &Data, b: &Data) -> bool {
    match (a, b) {
        (Data::Null, Data::Null) => true,
        (Data::Bool(x), Data::Bool(y)) => x == y,
        (Data::Int(x), Data::Int(y)) => x == y,
        (Data::Float(x), Data::Float(y)) => x.to_bits() == y.to_bits(),
        (Data::Text(x), Data::Text(y)) => x == y,
        _ => false,
    }
}

fn number(n: &serde_json::Number) -> Data {
    match (n.as_i64(), n.as_f64()) {
        (Some(i), _) => Data::Int(i),
        (None, Some(f)) => Data::Float(f),
        (None, None) => Data::Null,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::label::{Atom, Universe};
    use crate::limits::ABSTRACT_DEPTH_MAX;

    fn labels() -> [Label; 3] {
        let mut universe = Universe::new();
        ["a", "b", "c"].map(|o| Label::of(universe.intern(Atom::Origin(o.into())).unwrap()))
    }

    fn value() -> impl Strategy<Value = Value> {
        let label = proptest::bits::u8::between(0, 3).prop_map(|bits| {
            Label::join_all(labels().into_iter().zip(0..).filter(|(_, i)| bits >> i & 1 == 1).map(|(l, _)| l))
        });
        let leaf = (label.clone(), 0..6_i64).prop_map(|(l, n)| match n {
            0 => Value::null(l),
            1 => Value::text(l, "t"),
            2 => Value::bool(l, true),
            _ => Value::int(l, n),
        });
        leaf.prop_recursive(3, 12, 3, move |inner| {
            let label = label.clone();
            prop_oneof![
                (label.clone(), proptest::collection::vec(inner.clone(), 0..3)).prop_map(|(l, v)| Value::array(l, v)),
                (label, proptest::collection::btree_map("[xyz]", inner, 0..3))
                    .prop_map(|(l, m)| Value::object(l, m.into_iter().map(|(k, v)| (Arc::from(k), v)))),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_join_admits_both(a in value(), b in value(), c in value()) {
            let joined = a.join(&b).join(&c);
            prop_assert!(joined.admits(&a) && joined.admits(&b) && joined.admits(&c));
            prop_assert!(a.join(&b.join(&c)).admits(&a.join(&b)));
        }

        #[test]
        fn a_join_never_loses_a_label(a in value(), b in value()) {
            prop_assert!(a.deep_label().join(b.deep_label()).flows_to(a.join(&b).deep_label()));
        }

        #[test]
        fn a_child_of_the_prediction_admits_the_child_of_the_run(a in value(), b in value()) {
            let joined = a.join(&b);
            for key in ["x", "y", "0", "1"] {
                if let Some(child) = a.child(key) {
                    prop_assert!(joined.child(key).is_some_and(|j| j.admits(&child)));
                }
            }
        }

        #[test]
        fn what_two_values_share_is_joined_and_compared_as_if_they_did_not(
            a in value(), b in value(), n in 0..=2 * ABSTRACT_DEPTH_MAX
        ) {
            let joined = a.join(&b);
            let deep = (0..n).fold(joined.clone(), |inner, _| Value::array(Label::BOTTOM, vec![inner]));
            for one in [a, b, joined, deep] {
                let copy = one.map_labels(&|label| label);
                prop_assert_eq!(&one, &copy);
                let other = one.clone().raised(labels()[2]);
                let other_copy = copy.clone().raised(labels()[2]);
                prop_assert_eq!(one.join(&other), one.join(&other_copy));
                prop_assert_eq!(one.join(&one.clone()), one.join(&copy));
                let (null, maybe) = (Value::null(labels()[1]), one.join(&Value::null(Label::BOTTOM)));
                prop_assert_eq!(maybe.join(&null), one.join(&null));
                prop_assert_eq!(null.join(&maybe), null.join(&one));
            }
        }

        #[test]
        fn the_label_of_the_tree_bounds_an_unknown(a in value()) {
            prop_assert!(Value::unknown(a.deep_label(), Kinds::ALL).admits(&a));
        }
    }

    #[test]
    fn reading_a_child_reveals_the_shape_of_its_parent() {
        let [a, b, _] = labels();
        let value = Value::object(a, [("x".into(), Value::int(b, 1))]);
        assert_eq!(value.child("x").unwrap().label, a.join(b));
    }

    #[test]
    fn json_survives_labelling() {
        let json = json!({"a": [1, 2.5, "x", null, true], "b": {}});
        assert_eq!(Value::from_json(&json, Label::TOP).to_json(), Some(json));
    }
}
