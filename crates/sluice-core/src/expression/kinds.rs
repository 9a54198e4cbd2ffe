//! Working with values of which only the kind is known, one kind at a time.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::label::Label;
use crate::value::{Data, Kinds, Rest, Shape, Value};

/// Arrays and objects.
pub(super) const CONTAINERS: Kinds = Kinds::ARRAY.or(Kinds::OBJECT);

const EACH: [Kinds; 6] = [Kinds::NULL, Kinds::BOOL, Kinds::NUMBER, Kinds::TEXT, Kinds::ARRAY, Kinds::OBJECT];

/// Most nodes of a value that is not all known; a larger one is summarized. Joins can multiply sizes.
pub(super) const UNKNOWN_NODES_MAX: usize = 4_096;

/// Takes the nodes of a value, at most `depth` deep, from what is left; `false` if they do not fit.
pub(super) fn measure(value: &Value, depth: usize, left: &mut usize) -> bool {
    let (Some(below), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else { return false };
    *left = rest;
    match &value.data {
        Data::Array(items) => items.iter().all(|v| measure(v, below, left)),
        Data::Object(fields) => fields.values().all(|v| measure(v, below, left)),
        Data::Unknown(shape) => {
            let others = if let Rest::Each(v) = &shape.rest { Some(v.as_ref()) } else { None };
            shape.fields.values().chain(others).all(|v| measure(v, below, left))
        }
        _ => true,
    }
}

/// All that is known of a large value in one label.
pub(super) fn summary(value: &Value) -> Value {
    Value::unknown(value.deep_label(), value.kinds())
}

/// What admits both, of bounded size.
pub(super) fn join(a: &Value, b: &Value) -> Value {
    let mut left = UNKNOWN_NODES_MAX;
    if measure(a, usize::MAX, &mut left) && measure(b, usize::MAX, &mut left) {
        return a.join(b);
    }
    Value::unknown(a.deep_label().join(b.deep_label()), a.kinds().or(b.kinds()))
}

/// What admits each, of bounded size.
pub(super) fn join_all<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<Value> {
    let mut values = values.into_iter();
    let first = values.next()?.clone();
    Some(values.fold(first, |joined, value| join(&joined, value)))
}

/// The value as alternatives of one kind each; together they admit all that it admits.
pub(super) fn cases(value: &Value) -> Vec<Value> {
    let Data::Unknown(shape) = &value.data else {
        return vec![value.clone()];
    };
    let of = |kinds: Kinds| match kinds {
        Kinds::NULL => Value::null(value.label),
        Kinds::ARRAY | Kinds::OBJECT => container(value.label, kinds, shape.fields.clone(), shape.rest.clone()),
        Kinds::TEXT => Value::beginning(value.label, shape.head.clone()),
        _ => Value::unknown(value.label, kinds),
    };
    EACH.into_iter().filter(|kind| shape.kinds.has(*kind)).map(of).collect()
}

/// Whether a value is "true" for jq: anything but `null` and `false`; `None` if that is not known.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match &value.data {
        Data::Null => Some(false),
        Data::Bool(b) => Some(*b),
        Data::Unknown(shape) => {
            let falsy = Kinds::NULL.or(Kinds::BOOL);
            if shape.kinds.and(falsy).is_empty() {
                Some(true)
            } else if shape.kinds == Kinds::NULL {
                Some(false)
            } else {
                None
            }
        }
        _ => Some(true),
    }
}

/// The part of a value that is "true" for jq.
pub(super) fn truthy(value: &Value) -> Value {
    match &value.data {
        Data::Unknown(shape) => {
            let shape = Shape { kinds: shape.kinds.without(Kinds::NULL), ..(**shape).clone() };
            Value::new(value.label, Data::Unknown(Arc::new(shape)))
        }
        _ => value.clone(),
    }
}

/// Whether it is one known value at its root: a known scalar, or a container whose keys are known.
pub(super) fn is_known(value: &Value) -> bool {
    !matches!(value.data, Data::Unknown(_))
}

/// An array or object of unknown keys.
pub(super) fn container(label: Label, kinds: Kinds, fields: BTreeMap<Arc<str>, Value>, rest: Rest) -> Value {
    Value::new(label, Data::Unknown(Arc::new(Shape { kinds, head: None, fields, rest })))
}

/// An array or object of unknown keys whose every child is admitted by `each`.
pub(super) fn each(label: Label, kinds: Kinds, each: Option<Value>) -> Value {
    container(label, kinds, BTreeMap::new(), each.map_or(Rest::None, |v| Rest::Each(Box::new(v))))
}

/// The labels that a comparison of the two looks at: all of both, unless one is a scalar.
pub(super) fn looked_at(a: &Value, b: &Value) -> Label {
    if a.kinds().and(CONTAINERS).is_empty() || b.kinds().and(CONTAINERS).is_empty() {
        a.label.join(b.label)
    } else {
        a.deep_label().join(b.deep_label())
    }
}

/// jq's order of concrete values: null, false, true, numbers, texts, arrays, objects.
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (&a.data, &b.data) {
        (Data::Bool(x), Data::Bool(y)) => x.cmp(y),
        (Data::Int(x), Data::Int(y)) => x.cmp(y),
        (Data::Int(_) | Data::Float(_), Data::Int(_) | Data::Float(_)) => {
            compare_floats(as_float(&a.data), as_float(&b.data))
        }
        (Data::Text(x), Data::Text(y)) => x.as_bytes().cmp(y.as_bytes()),
        (Data::Array(x), Data::Array(y)) => compare_all(x.iter(), y.iter()),
        (Data::Object(x), Data::Object(y)) => {
            let sorted = |fields: &indexmap::IndexMap<Arc<str>, Value>| {
                let mut fields: Vec<(Arc<str>, Value)> = fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                fields.sort_by(|(k, _), (l, _)| k.as_bytes().cmp(l.as_bytes()));
                fields
            };
            let (x, y) = (sorted(x), sorted(y));
            let by_size = x.is_empty().cmp(&y.is_empty()).reverse();
            let by_keys = || x.iter().map(|(k, _)| k.as_bytes()).cmp(y.iter().map(|(k, _)| k.as_bytes()));
            let by_values = || compare_all(x.iter().map(|(_, v)| v), y.iter().map(|(_, v)| v));
            by_size.then_with(by_keys).then_with(by_values)
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

fn compare_all<'v>(a: impl Iterator<Item = &'v Value>, b: impl Iterator<Item = &'v Value>) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match compare(x, y) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

fn compare_floats(a: f64, b: f64) -> Ordering {
    if a == 0.0 && b == 0.0 { Ordering::Equal } else { a.total_cmp(&b) }
}

fn rank(value: &Value) -> u8 {
    match &value.data {
        Data::Null => 0,
        Data::Bool(_) => 1,
        Data::Int(_) | Data::Float(_) => 2,
        Data::Text(_) => 3,
        Data::Array(_) => 4,
        Data::Object(_) => 5,
        Data::Unknown(_) => 6,
    }
}

/// The number as a float; 0 for what is none.
pub(super) fn as_float(data: &Data) -> f64 {
    match data {
        #[expect(clippy::cast_precision_loss, reason = "jq compares integers with decimals as floats")]
        Data::Int(i) => *i as f64,
        Data::Float(f) => *f,
        _ => 0.0,
    }
}

/// The word for a value's kind in messages.
pub(super) fn kind_name(value: &Value) -> &'static str {
    match value.kinds() {
        Kinds::NULL => "null",
        Kinds::BOOL => "a boolean",
        Kinds::NUMBER => "a number",
        Kinds::TEXT => "a text",
        Kinds::ARRAY => "an array",
        Kinds::OBJECT => "an object",
        _ => "a value",
    }
}
