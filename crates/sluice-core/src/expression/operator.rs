//! Arithmetic and comparison.
//!
//! A result's own label joins what the operator looked at. Arrays and objects are put together
//! without touching the labels of their children.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::label::Label;
use crate::value::{Data, Kinds, Value};

use super::kinds::{self, as_float, cases, compare, is_known, kind_name, looked_at};
use super::stream::Outcome;
use super::tree::{Compare, Math};

/// `a ∘ b`.
pub(super) fn math(op: Math, a: &Value, b: &Value) -> Outcome {
    let (left, right) = (cases(a), cases(b));
    let certain = left.len() == 1 && right.len() == 1;
    let mut all = Outcome::default();
    for x in &left {
        for y in &right {
            let sum = math_of_kinds(op, x, y);
            all = all.or(if certain || op != Math::Add { sum } else { loosened(sum, x, y) });
        }
    }
    all
}

/// A text that something unknown, which may be `null`, was added to: a text that begins so. As a known text, its one label
/// would say that whoever chose between `null` and more also chose how it begins.
fn loosened(sum: Outcome, a: &Value, b: &Value) -> Outcome {
    match (a.as_text(), b.kinds()) {
        (Some(_), Kinds::NULL) => Outcome::value(Value::beginning(a.label.join(b.label), a.known_head())),
        _ => sum,
    }
}

/// The labels that decide whether `math` fails.
pub(super) fn math_looks_at(op: Math, a: &Value, b: &Value) -> Label {
    if op == Math::Sub || op == Math::Mul { a.deep_label().join(b.deep_label()) } else { a.label.join(b.label) }
}

fn math_of_kinds(op: Math, a: &Value, b: &Value) -> Outcome {
    let label = a.label.join(b.label);
    let (ka, kb) = (a.kinds(), b.kinds());
    match op {
        Math::Add if ka == Kinds::NULL => return Outcome::value(b.clone().raised(a.label)),
        Math::Add if kb == Kinds::NULL && ka == Kinds::TEXT && !is_known(a) => {
            return Outcome::value(Value::beginning(label, a.known_head()));
        }
        Math::Add if kb == Kinds::NULL => return Outcome::value(a.clone().raised(b.label)),
        _ => {}
    }
    match (op, ka, kb) {
        (_, Kinds::NUMBER, Kinds::NUMBER) => numbers(op, a, b, label),
        (Math::Add, Kinds::TEXT, Kinds::TEXT) => Outcome::value(match (a.as_text(), b.as_text()) {
            (Some(x), Some(y)) => Value::text(label, [x, y].concat()),
            _ => Value::beginning(label, a.head_before(b)),
        }),
        (Math::Add, Kinds::ARRAY, Kinds::ARRAY) => Outcome::value(concatenated(a, b, label)),
        (Math::Add, Kinds::OBJECT, Kinds::OBJECT) => Outcome::value(merged(a, b, label)),
        (Math::Sub, Kinds::ARRAY, Kinds::ARRAY) => Outcome::value(without(a, b)),
        (Math::Mul, Kinds::OBJECT, Kinds::OBJECT) => Outcome::value(deeply_merged(a, b)),
        (Math::Mul, Kinds::TEXT, Kinds::NUMBER) => repeated(a, b, label),
        (Math::Mul, Kinds::NUMBER, Kinds::TEXT) => repeated(b, a, label),
        (Math::Div, Kinds::TEXT, Kinds::TEXT) => Outcome::value(match (a.as_text(), b.as_text()) {
            (Some(x), Some(y)) => split(x, y, label),
            _ => kinds::each(label, Kinds::ARRAY, Some(Value::unknown(label, Kinds::TEXT))),
        }),
        _ => {
            let what = match op {
                Math::Add => "cannot add",
                Math::Sub => "cannot subtract",
                Math::Mul => "cannot multiply",
                Math::Div => "cannot divide",
                Math::Rem => "cannot take the remainder of",
            };
            Outcome::error(format!("{what} {} and {}", kind_name(a), kind_name(b)), label)
        }
    }
}

fn numbers(op: Math, a: &Value, b: &Value, label: Label) -> Outcome {
    if !is_known(a) || !is_known(b) {
        return Outcome::perhaps(Value::unknown(label, Kinds::NUMBER), label);
    }
    let result = match (op, &a.data, &b.data) {
        (Math::Add, Data::Int(x), Data::Int(y)) => x.checked_add(*y).map(Data::Int),
        (Math::Sub, Data::Int(x), Data::Int(y)) => x.checked_sub(*y).map(Data::Int),
        (Math::Mul, Data::Int(x), Data::Int(y)) => x.checked_mul(*y).map(Data::Int),
        (Math::Rem, Data::Int(_), Data::Int(0)) => None,
        (Math::Rem, Data::Int(x), Data::Int(y)) => Some(Data::Int(x.checked_rem(*y).unwrap_or(0))),
        (_, x, y) => {
            let (x, y) = (as_float(x), as_float(y));
            let z = match op {
                Math::Add => x + y,
                Math::Sub => x - y,
                Math::Mul => x * y,
                Math::Div => x / y,
                Math::Rem => x % y,
            };
            z.is_finite().then_some(Data::Float(z))
        }
    };
    match result {
        Some(data) => Outcome::value(Value::new(label, data)),
        None => Outcome::error("the result is no number that fits: a division by zero or an overflow", label),
    }
}

fn concatenated(a: &Value, b: &Value, label: Label) -> Value {
    if let (Data::Array(x), Data::Array(y)) = (&a.data, &b.data) {
        return Value::array(label, x.iter().chain(y.iter()).cloned().collect());
    }
    let children = [a.any_child(), b.any_child()];
    kinds::each(label, Kinds::ARRAY, kinds::join_all(children.iter().flatten()))
}

/// `a + b` of objects: the fields of `b` win.
fn merged(a: &Value, b: &Value, label: Label) -> Value {
    match (&a.data, &b.data) {
        (Data::Object(x), Data::Object(y)) => {
            let mut fields: IndexMap<Arc<str>, Value> = (**x).clone();
            fields.extend(y.iter().map(|(k, v)| (k.clone(), v.clone())));
            Value::new(label, Data::Object(Arc::new(fields)))
        }
        (Data::Unknown(shape), Data::Object(y)) => {
            let mut fields: BTreeMap<Arc<str>, Value> = shape.fields.clone();
            fields.extend(y.iter().map(|(k, v)| (k.clone(), v.clone())));
            let merged = kinds::container(label, Kinds::OBJECT, fields, shape.rest.clone());
            // The bound on kept children is the join's: joining with itself applies it.
            if y.len() > crate::limits::ABSTRACT_CHILDREN_MAX { merged.join(b) } else { merged }
        }
        _ => {
            let shape = a.shape();
            let known = kinds::container(label, Kinds::OBJECT, shape.fields, shape.rest);
            known.join(b).raised(label)
        }
    }
}

fn without(a: &Value, b: &Value) -> Value {
    let label = a.deep_label().join(b.deep_label());
    if let (Data::Array(x), Data::Array(y), true) = (&a.data, &b.data, a.is_concrete() && b.is_concrete()) {
        let mut removed: Vec<&Value> = y.iter().collect();
        removed.sort_by(|p, q| compare(p, q));
        let kept = x.iter().filter(|v| removed.binary_search_by(|r| compare(r, v)).is_err());
        return Value::array(label, kept.cloned().collect());
    }
    kinds::each(label, Kinds::ARRAY, a.any_child())
}

/// `a * b` of objects: objects under the same key are merged in turn.
fn deeply_merged(a: &Value, b: &Value) -> Value {
    let label = a.label.join(b.label);
    let (Data::Object(x), Data::Object(y)) = (&a.data, &b.data) else {
        return Value::unknown(a.deep_label().join(b.deep_label()), Kinds::OBJECT);
    };
    let mut fields: IndexMap<Arc<str>, Value> = (**x).clone();
    for (key, theirs) in y.iter() {
        let merged = match fields.get(key) {
            Some(mine) => deeply_merged_child(mine, theirs),
            None => theirs.clone(),
        };
        fields.insert(key.clone(), merged);
    }
    Value::new(label, Data::Object(Arc::new(fields)))
}

fn deeply_merged_child(mine: &Value, theirs: &Value) -> Value {
    if !theirs.kinds().has(Kinds::OBJECT) {
        return theirs.clone();
    }
    // Whether theirs replaces mine or is merged into it depends on what mine is.
    match (&mine.data, &theirs.data) {
        (Data::Object(_), Data::Object(_)) => deeply_merged(mine, theirs),
        (Data::Unknown(_), _) | (_, Data::Unknown(_)) => {
            Value::unknown(mine.deep_label().join(theirs.deep_label()), theirs.kinds())
        }
        _ => theirs.clone().raised(mine.label),
    }
}

fn repeated(text: &Value, times: &Value, label: Label) -> Outcome {
    match (text.as_text(), &times.data) {
        (Some(t), Data::Int(n)) => {
            let times = usize::try_from(*n).unwrap_or(0);
            if times == 0 {
                return Outcome::value(Value::null(label));
            }
            match t.len().checked_mul(times) {
                Some(bytes) if bytes <= crate::limits::EVALUATION_BYTES_MAX => {
                    Outcome::value(Value::text(label, t.repeat(times)))
                }
                _ => Outcome::error("the repeated text is too long", label),
            }
        }
        (_, Data::Float(_)) => Outcome::error("cannot repeat a text a fractional number of times", label),
        _ => Outcome::perhaps(Value::unknown(label, Kinds::TEXT.or(Kinds::NULL)), label),
    }
}

/// The parts of a text between separators; its characters for an empty separator.
pub(super) fn split(text: &str, separator: &str, label: Label) -> Value {
    let parts: Vec<Value> = if text.is_empty() {
        Vec::new()
    } else if separator.is_empty() {
        text.chars().map(|c| Value::text(label, c.to_string())).collect()
    } else {
        text.split(separator).map(|part| Value::text(label, part)).collect()
    };
    Value::array(label, parts)
}

/// `a ⋚ b`; never fails.
pub(super) fn comparison(op: Compare, a: &Value, b: &Value) -> Value {
    let label = looked_at(a, b);
    if a.is_concrete() && b.is_concrete() {
        return Value::bool(label, holds(op, compare(a, b)));
    }
    let apart = a.kinds().and(b.kinds()).is_empty();
    match op {
        Compare::Equal if apart => Value::bool(label, false),
        Compare::NotEqual if apart => Value::bool(label, true),
        _ => Value::unknown(label, Kinds::BOOL),
    }
}

fn holds(op: Compare, order: Ordering) -> bool {
    match op {
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
    }
}

/// `-a`.
pub(super) fn negated(value: &Value) -> Outcome {
    let mut all = Outcome::default();
    for case in cases(value) {
        all = all.or(match &case.data {
            Data::Int(i) => match i.checked_neg() {
                Some(i) => Outcome::value(Value::int(case.label, i)),
                None => Outcome::error("the result is no number that fits", case.label),
            },
            Data::Float(f) => Outcome::value(Value::new(case.label, Data::Float(-f))),
            Data::Unknown(shape) if shape.kinds == Kinds::NUMBER => Outcome::perhaps(case.clone(), case.label),
            _ => Outcome::error(format!("cannot negate {}", kind_name(&case)), case.label),
        });
    }
    all
}

/// The object with one more field.
pub(super) fn with_field(object: &Value, key: &Value, value: Value) -> Outcome {
    let label = object.label.join(key.label);
    let mut all = Outcome::default();
    for key in cases(key) {
        all = all.or(match (&key.data, &object.data) {
            (Data::Text(k), Data::Object(fields)) => {
                let mut fields = fields.clone();
                Arc::make_mut(&mut fields).insert(k.clone(), value.clone());
                Outcome::value(Value::new(label, Data::Object(fields)))
            }
            (Data::Text(k), _) => {
                let one = Value::object(label, [(k.clone(), value.clone())]);
                Outcome::value(merged(object, &one, label))
            }
            (Data::Unknown(shape), _) if shape.kinds == Kinds::TEXT => {
                let one = kinds::each(label, Kinds::OBJECT, Some(value.clone()));
                Outcome::value(merged(object, &one, label))
            }
            _ => Outcome::error(format!("a key of an object must be a text, not {}", kind_name(&key)), label),
        });
    }
    all
}
