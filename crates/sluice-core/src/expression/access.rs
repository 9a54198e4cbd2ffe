//! Reading parts of values: `.a`, `.[0]`, `.[1:2]`, `.[]`.

use std::sync::Arc;

use crate::label::Label;
use crate::value::{Data, Kinds, Value};

use super::kinds::{self, CONTAINERS, cases, compare, is_known, kind_name};
use super::stream::{Event, Outcome, Stream, joined};

/// The labels that decide what `value[key]` is, and whether it fails.
pub(super) fn index_looks_at(value: &Value, key: &Value) -> Label {
    if key.kinds().and(CONTAINERS).is_empty() {
        value.label.join(key.label)
    } else {
        value.deep_label().join(key.deep_label())
    }
}

/// `value[key]?` of a value that may be of several kinds, by a known name, and whether it surely does not fail: the outcome of
/// [`index`] without its error. Imported workflows do little else, and an error for each kind would be made to be dropped.
pub(super) fn field_of_unknown(value: &Value, key: &Value) -> Option<(Option<Value>, bool)> {
    let (Data::Unknown(shape), Some(name)) = (&value.data, key.as_text()) else { return None };
    let label = value.label.join(key.label);
    let null = || Value::null(label);
    let of_null = shape.kinds.has(Kinds::NULL).then(null);
    let of_object = shape.kinds.has(Kinds::OBJECT).then(|| value.child(name).unwrap_or_else(null));
    let found = joined(of_null, of_object).map(|found| found.raised(label));
    Some((found, shape.kinds.without(Kinds::NULL.or(Kinds::OBJECT)).is_empty()))
}

/// `value[key]`.
pub(super) fn index(value: &Value, key: &Value) -> Outcome {
    if is_known(value) && is_known(key) {
        return index_of_kinds(value, key).raised(index_looks_at(value, key));
    }
    let mut all = Outcome::default();
    for v in cases(value) {
        for k in cases(key) {
            all = all.or(index_of_kinds(&v, &k));
        }
    }
    all.raised(index_looks_at(value, key))
}

fn index_of_kinds(value: &Value, key: &Value) -> Outcome {
    let label = value.label.join(key.label);
    let null = || Outcome::value(Value::null(label));
    match (value.kinds(), key.kinds()) {
        (Kinds::NULL, _) => null(),
        (Kinds::OBJECT, Kinds::TEXT) => match key.as_text() {
            Some(key) => value.child(key).map_or_else(null, Outcome::value),
            None => value.any_child().map_or_else(null, |v| Outcome::value(v.join(&Value::null(label)))),
        },
        (Kinds::OBJECT, _) => null(),
        (Kinds::ARRAY, Kinds::NUMBER) => element(value, key, label),
        (Kinds::ARRAY, Kinds::ARRAY) => places(value, key),
        (Kinds::ARRAY | Kinds::TEXT, Kinds::OBJECT) => {
            let bound = |name: &str| index_of_kinds(key, &Value::text(Label::BOTTOM, name)).value;
            slice(value, bound("start").as_ref(), bound("end").as_ref())
        }
        _ => Outcome::error(format!("cannot index {} with {}", kind_name(value), kind_name(key)), label),
    }
}

fn element(array: &Value, key: &Value, label: Label) -> Outcome {
    let any = || array.any_child().map_or(Value::null(label), |v| v.join(&Value::null(label)));
    match (&key.data, &array.data) {
        (Data::Int(i), Data::Array(items)) => {
            let found = position(*i, items.len()).and_then(|i| items.get(i)).cloned();
            Outcome::value(found.unwrap_or(Value::null(label)))
        }
        (Data::Int(i), _) if *i >= 0 => Outcome::value(array.child(&i.to_string()).unwrap_or(Value::null(label))),
        (Data::Int(_), _) => Outcome::value(any()),
        (Data::Float(_), _) => Outcome::error("cannot index an array with a decimal number", label),
        _ => Outcome::perhaps(any(), label),
    }
}

/// The place of an index that counts from the end if negative; past the end for one that is in no array.
pub(super) fn position(index: i64, len: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(i) => Some(i),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// `array[part]`: where the part begins in the array. Looks at everything.
pub(super) fn places(array: &Value, part: &Value) -> Outcome {
    let label = array.deep_label().join(part.deep_label());
    let found = |at: Vec<usize>| {
        let numbers = at.into_iter().filter_map(|i| i64::try_from(i).ok());
        Outcome::value(Value::array(label, numbers.map(|i| Value::int(label, i)).collect()))
    };
    match (&array.data, &part.data) {
        (Data::Array(items), Data::Array(part_items)) if array.is_concrete() && part.is_concrete() => {
            if part_items.is_empty() {
                return found(Vec::new());
            }
            let same = |window: &[Value]| window.iter().zip(part_items.iter()).all(|(x, y)| compare(x, y).is_eq());
            let windows = items.windows(part_items.len()).enumerate();
            found(windows.filter(|(_, window)| same(window)).map(|(i, _)| i).collect())
        }
        _ => Outcome::value(kinds::each(label, Kinds::ARRAY, Some(Value::unknown(label, Kinds::NUMBER)))),
    }
}

/// `value[from:to]`.
pub(super) fn slice(value: &Value, from: Option<&Value>, to: Option<&Value>) -> Outcome {
    let null = Value::null(Label::BOTTOM);
    let (from, to) = (from.unwrap_or(&null), to.unwrap_or(&null));
    let mut all = Outcome::default();
    for v in cases(value) {
        for f in cases(from) {
            for t in cases(to) {
                all = all.or(slice_of_kinds(&v, &f, &t));
            }
        }
    }
    all.raised(value.label.join(from.label).join(to.label))
}

fn slice_of_kinds(value: &Value, from: &Value, to: &Value) -> Outcome {
    let label = value.label.join(from.label).join(to.label);
    let kind = value.kinds();
    if kind != Kinds::ARRAY && kind != Kinds::TEXT {
        return Outcome::error(format!("cannot take a part of {}", kind_name(value)), label);
    }
    let bounds = [from, to].map(|bound| match &bound.data {
        Data::Null => Bound::Open,
        Data::Int(i) => Bound::At(*i),
        Data::Unknown(shape) if shape.kinds == Kinds::NUMBER => Bound::Unknown,
        _ => Bound::Wrong,
    });
    let whole = match bounds {
        [Bound::Wrong, _] | [_, Bound::Wrong] => {
            return Outcome::error("the bounds of a part must be whole numbers", label);
        }
        [Bound::Unknown, _] | [_, Bound::Unknown] => {
            Outcome { value: None, error: Some(Value::unknown(label, Kinds::TEXT)) }
        }
        _ => Outcome::default(),
    };
    let known = |len: usize| -> Option<(usize, usize)> {
        let [from, to] = bounds;
        let from = from.clipped(len, 0)?;
        Some((from, to.clipped(len, len)?.max(from)))
    };
    let part = match &value.data {
        Data::Array(items) => known(items.len())
            .map(|(from, to)| Value::array(label, items.iter().skip(from).take(to - from).cloned().collect())),
        Data::Text(text) => known(text.chars().count())
            .map(|(from, to)| Value::text(label, text.chars().skip(from).take(to - from).collect::<String>())),
        _ => None,
    };
    let any = || match kind {
        Kinds::ARRAY => kinds::each(label, Kinds::ARRAY, value.any_child()),
        _ => Value::unknown(label, Kinds::TEXT),
    };
    Outcome { value: Some(part.unwrap_or_else(any)), ..whole }
}

/// One end of a slice.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Open,
    At(i64),
    Unknown,
    Wrong,
}

impl Bound {
    /// The absolute bound within `0..=len`, if it is known.
    pub(super) fn clipped(self, len: usize, open: usize) -> Option<usize> {
        match self {
            Self::Open => Some(open),
            Self::At(i) => Some(position(i, len).unwrap_or(0).min(len)),
            Self::Unknown | Self::Wrong => None,
        }
    }
}

/// `.[]`: every child, raised by the container's own label.
pub(super) fn iterate(value: &Value) -> Stream {
    let mut stream = Stream::none().counting(value.label);
    let mut errors = Outcome::default();
    let alternatives = cases(value);
    let surely = alternatives.len() == 1;
    for case in alternatives {
        let label = case.label;
        let mut child = |value: &Value, certain: bool| {
            stream.push(Event::Value { value: value.clone().raised(label), certain });
        };
        match &case.data {
            Data::Array(items) => items.iter().for_each(|v| child(v, surely)),
            Data::Object(fields) => fields.values().for_each(|v| child(v, surely)),
            Data::Unknown(shape) if shape.kinds.and(CONTAINERS) == shape.kinds && is_container(&case) => {
                case.any_child().iter().for_each(|v| child(v, false));
            }
            _ => errors = errors.or(Outcome::error(format!("cannot iterate over {}", kind_name(&case)), label)),
        }
    }
    if let Some(value) = errors.error {
        stream.events.insert(0, Event::Error { value, certain: surely });
    }
    stream
}

fn is_container(value: &Value) -> bool {
    !is_known(value) && !value.kinds().and(CONTAINERS).is_empty()
}

/// Keys in jq's order for `keys`, and in their own order for `keys_unsorted`; fails on what has none.
pub(super) fn keys(value: &Value, sorted: bool) -> Outcome {
    let label = value.label;
    let array = |items: Vec<Value>| Outcome::value(Value::array(label, items));
    match &value.data {
        Data::Array(items) => {
            let numbers = (0..items.len()).filter_map(|i| i64::try_from(i).ok());
            array(numbers.map(|i| Value::int(label, i)).collect())
        }
        Data::Object(fields) => {
            let mut keys: Vec<Arc<str>> = fields.keys().cloned().collect();
            if sorted {
                keys.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
            }
            array(keys.into_iter().map(|key| Value::text(label, key)).collect())
        }
        Data::Unknown(shape) if shape.kinds == Kinds::ARRAY => {
            Outcome::value(kinds::each(label, Kinds::ARRAY, Some(Value::unknown(label, Kinds::NUMBER))))
        }
        Data::Unknown(shape) if shape.kinds == Kinds::OBJECT => {
            Outcome::value(kinds::each(label, Kinds::ARRAY, Some(Value::unknown(label, Kinds::TEXT))))
        }
        _ => Outcome::error(format!("{} has no keys", kind_name(value)), label),
    }
}

/// Whether there is a child at `key`.
pub(super) fn has(value: &Value, key: &Value) -> Outcome {
    let label = value.label.join(key.label);
    let known = |there: bool| Outcome::value(Value::bool(label, there));
    match (&value.data, &key.data) {
        (Data::Null, _) => known(false),
        (Data::Object(fields), Data::Text(key)) => known(fields.contains_key(key)),
        (Data::Object(_), k) if !matches!(k, Data::Unknown(_)) => known(false),
        (Data::Array(items), Data::Int(i)) => known(position(*i, items.len()).is_some_and(|i| i < items.len())),
        (data, key) if matches!(data, Data::Unknown(_)) || matches!(key, Data::Unknown(_)) => {
            Outcome::perhaps(Value::unknown(label, Kinds::BOOL), label)
        }
        _ => Outcome::error(format!("{} has no key that is {}", kind_name(value), kind_name(key)), label),
    }
}
