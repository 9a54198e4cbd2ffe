//! `path |= f`: the input with the parts at a path replaced.
//!
//! The containers on the way keep the labels of the children that are not touched; their own labels
//! rise by what decided where the replacement goes, and whether anything was removed.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::label::Label;
use crate::value::{Data, Kinds, Value};

use super::access::{self, Bound, position};
use super::evaluate::{Evaluator, Scoped, size};
use super::kinds::{self, cases, kind_name, truth};
use super::stream::{Event, First, Outcome, Stream, joined};
use super::tree::{Expr, Kind};

/// What to put in the place of a value.
type Replace<'r, 'e> = &'r mut dyn FnMut(&mut Evaluator<'e>, Value) -> Stream;

impl<'e> Evaluator<'e> {
    /// `path |= f` on `input`.
    pub(super) fn modify(&mut self, path: &Expr, input: &Value, scope: Scoped<'_>, f: Replace<'_, 'e>) -> Stream {
        if !self.spend(1, 0) {
            return Stream::none();
        }
        match &path.kind {
            Kind::Input => f(self, input.clone()),
            Kind::Index { base, key, optional } => {
                let keys = self.run(key, input, scope);
                self.for_each(keys, true, &mut |this, key| {
                    this.modify(base, input, scope, &mut |this, value| this.at_key(&value, &key, *optional, f))
                })
            }
            Kind::Slice { base, from, to, optional } => {
                let null = Expr::literal(Value::null(Label::BOTTOM), path.span);
                let bounds = (from.as_deref().unwrap_or(&null), to.as_deref().unwrap_or(&null));
                self.product(bounds, true, input, scope, &mut |this, from, to| {
                    this.modify(base, input, scope, &mut |this, value| {
                        this.at_slice(&value, (&from, &to), *optional, f)
                    })
                })
            }
            Kind::Iterate { base, optional } => {
                self.modify(base, input, scope, &mut |this, value| this.at_each(&value, *optional, f))
            }
            Kind::Pipe(l, r) => self.modify(l, input, scope, &mut |this, value| this.modify(r, &value, scope, f)),
            Kind::Comma(paths) => {
                let mut stream = Stream::one(input.clone());
                for path in paths {
                    stream = self.for_each(stream, true, &mut |this, value| this.modify(path, &value, scope, f));
                }
                stream
            }
            Kind::If(condition, then, other) => {
                let conditions = self.run(condition, input, scope);
                self.for_each(conditions, true, &mut |this, condition| {
                    this.may_fail_by(condition.label);
                    let stream = match truth(&condition) {
                        Some(true) => this.modify(then, input, scope, f),
                        Some(false) => this.modify(other, input, scope, f),
                        None => {
                            let then = this.modify(then, input, scope, f);
                            then.either(this.modify(other, input, scope, f))
                        }
                    };
                    stream.counting(condition.label)
                })
            }
            // The parser lets no other path through.
            _ => Outcome::error("this is no path", Label::BOTTOM).into(),
        }
    }

    /// The failure to modify, or the value as it is where the path part is optional.
    fn unmodified(&mut self, value: &Value, look: Label, optional: bool, message: String) -> Outcome {
        self.may_fail_by(look);
        if optional {
            return Outcome::value(value.clone().raised(look));
        }
        let message =
            if kinds::is_known(value) { Value::text(look, message) } else { Value::unknown(look, Kinds::TEXT) };
        Outcome { value: None, error: Some(message) }
    }

    fn at_key(&mut self, value: &Value, key: &Value, optional: bool, f: Replace<'_, 'e>) -> Stream {
        let look = access::index_looks_at(value, key);
        // Also where it is optional: it decides whether the replacement, which may fail, runs.
        self.may_fail_by(look);
        self.spend(size(value) / 16, 0);
        let mut all = Outcome::default();
        for v in cases(value) {
            for k in cases(key) {
                all = all.or(self.at_key_of_kinds(&v, &k, (look, optional), f));
            }
        }
        all.into()
    }

    fn at_key_of_kinds(
        &mut self,
        value: &Value,
        key: &Value,
        (look, optional): (Label, bool),
        f: Replace<'_, 'e>,
    ) -> Outcome {
        match (value.kinds(), key.kinds()) {
            (Kinds::OBJECT, Kinds::TEXT) => self.at_field(value, key, look, f),
            (Kinds::ARRAY, Kinds::NUMBER) => self.at_element(value, key, (look, optional), f),
            (Kinds::ARRAY | Kinds::TEXT, Kinds::OBJECT) => {
                let bound = |name: &str| {
                    let name = Value::text(Label::BOTTOM, name);
                    access::index(key, &name).value.unwrap_or(Value::null(look))
                };
                let (from, to) = (bound("start"), bound("end"));
                let stream = self.at_slice(value, (&from, &to), optional, f);
                first_of(stream.counting(look))
            }
            _ => {
                let message = format!("cannot set a part of {} by {}", kind_name(value), kind_name(key));
                self.unmodified(value, look, optional, message)
            }
        }
    }

    fn at_field(&mut self, object: &Value, key: &Value, look: Label, f: Replace<'_, 'e>) -> Outcome {
        let old = access::index(object, key).value.unwrap_or(Value::null(look));
        let stream = f(self, old);
        let count = stream.count;
        let First { value, absent, error } = stream.first();
        // Also where the field stays: that it does is what `count` decided.
        let label = object.label.join(look).join(count);
        let with = |new: Value| match (&object.data, &key.data) {
            (Data::Object(fields), Data::Text(key)) => {
                let mut fields: IndexMap<Arc<str>, Value> = (**fields).clone();
                fields.insert(key.clone(), new);
                Value::new(label, Data::Object(Arc::new(fields)))
            }
            (Data::Unknown(shape), Data::Text(key)) if shape.fields.len() < crate::limits::ABSTRACT_CHILDREN_MAX => {
                let mut fields = shape.fields.clone();
                fields.insert(key.clone(), new);
                kinds::container(label, Kinds::OBJECT, fields, shape.rest.clone())
            }
            _ => kinds::each(label, Kinds::OBJECT, joined(object.any_child(), Some(new))),
        };
        let without = || match (&object.data, &key.data) {
            (Data::Object(fields), Data::Text(key)) => {
                let mut fields: IndexMap<Arc<str>, Value> = (**fields).clone();
                // As jaq does, the last field takes the place of the removed one.
                fields.swap_remove(key);
                Value::new(label, Data::Object(Arc::new(fields)))
            }
            _ => kinds::each(label, Kinds::OBJECT, object.any_child()),
        };
        Outcome { value: joined(value.map(with), absent.then(without)), error }
    }

    fn at_element(
        &mut self,
        array: &Value,
        key: &Value,
        (look, optional): (Label, bool),
        f: Replace<'_, 'e>,
    ) -> Outcome {
        let label = array.label.join(look);
        let (Data::Array(items), Data::Int(i)) = (&array.data, &key.data) else {
            if matches!(key.data, Data::Float(_)) {
                return self.unmodified(array, look, optional, "an index must be a whole number".to_owned());
            }
            let missing = self.unmodified(array, look, optional, String::new());
            let missing = Outcome { error: missing.error.map(|_| Value::unknown(look, Kinds::TEXT)), ..missing };
            return missing.or(self.at_any(array, label, f));
        };
        let place = position(*i, items.len()).filter(|i| *i < items.len());
        let (Some(place), Some(old)) = (place, place.and_then(|i| items.get(i))) else {
            return self.unmodified(array, look, optional, format!("the index {i} is out of bounds"));
        };
        let stream = f(self, old.clone().raised(label));
        let count = stream.count;
        let First { value, absent, error } = stream.first();
        let label = label.join(count);
        let with = |new: Value| {
            let mut items = (**items).clone();
            if let Some(item) = items.get_mut(place) {
                *item = new;
            }
            Value::array(label, items)
        };
        let without = || {
            let kept = items.iter().enumerate().filter(|(i, _)| *i != place);
            Value::array(label, kept.map(|(_, item)| item.clone()).collect())
        };
        Outcome { value: joined(value.map(with), absent.then(without)), error }
    }

    /// Some element, it is not known which.
    fn at_any(&mut self, array: &Value, label: Label, f: Replace<'_, 'e>) -> Outcome {
        let Some(old) = array.any_child() else {
            return Outcome::default();
        };
        let stream = f(self, old.clone());
        let count = stream.count;
        let First { value, error, .. } = stream.first();
        Outcome { value: Some(kinds::each(label.join(count), Kinds::ARRAY, joined(Some(old), value))), error }
    }

    fn at_each(&mut self, value: &Value, optional: bool, f: Replace<'_, 'e>) -> Stream {
        self.may_fail_by(value.label);
        let mut all = Outcome::default();
        for case in cases(value) {
            let message = format!("cannot iterate over {}", kind_name(&case));
            all = all.or(match &case.data {
                Data::Array(items) => self.each_element(&case, items, f),
                Data::Object(fields) => self.each_field(&case, fields, f),
                Data::Unknown(shape) if shape.kinds == Kinds::ARRAY || shape.kinds == Kinds::OBJECT => {
                    self.each_unknown(&case, f)
                }
                _ => self.unmodified(&case, case.label, optional, message),
            });
        }
        all.into()
    }

    fn each_element(&mut self, array: &Value, items: &[Value], f: Replace<'_, 'e>) -> Outcome {
        let mut label = array.label;
        let (mut replaced, mut exact, mut error) = (Vec::with_capacity(items.len()), true, None);
        for item in items {
            let stream = f(self, item.clone().raised(array.label));
            let count = stream.count;
            label = label.join(count);
            for event in stream.events {
                match event {
                    Event::Value { value, certain } => {
                        exact &= certain;
                        replaced.push(value);
                    }
                    Event::Error { value, certain } => {
                        error = joined(error, Some(value.raised(count)));
                        if certain {
                            return Outcome { value: None, error };
                        }
                    }
                }
            }
        }
        let value = if exact {
            Value::array(label, replaced)
        } else {
            kinds::each(label, Kinds::ARRAY, kinds::join_all(replaced.iter()))
        };
        Outcome { value: Some(value), error }
    }

    fn each_field(&mut self, object: &Value, fields: &IndexMap<Arc<str>, Value>, f: Replace<'_, 'e>) -> Outcome {
        let mut label = object.label;
        let (mut replaced, mut exact, mut error) = (IndexMap::with_capacity(fields.len()), true, None);
        for (key, item) in fields {
            let stream = f(self, item.clone().raised(object.label));
            let count = stream.count;
            label = label.join(count);
            let First { value, absent, error: raised } = stream.first();
            let none = value.is_none();
            error = joined(error, raised);
            if none && !absent {
                return Outcome { value: None, error };
            }
            exact &= none || !absent;
            if let Some(value) = value {
                replaced.insert(key.clone(), value);
            }
        }
        let value = if exact {
            Value::new(label, Data::Object(Arc::new(replaced)))
        } else {
            kinds::container(label, Kinds::OBJECT, replaced.into_iter().collect(), crate::value::Rest::None)
        };
        Outcome { value: Some(value), error }
    }

    fn each_unknown(&mut self, container: &Value, f: Replace<'_, 'e>) -> Outcome {
        let kind = container.kinds();
        let Some(old) = container.any_child() else {
            return Outcome::value(container.clone());
        };
        let stream = f(self, old);
        let count = stream.count;
        let label = container.label.join(count);
        let (mut child, mut error) = (None, None);
        for event in stream.events {
            match event {
                Event::Value { value, .. } => child = joined(child, Some(value.raised(count))),
                Event::Error { value, .. } => error = joined(error, Some(value.raised(count))),
            }
        }
        Outcome { value: Some(kinds::each(label, kind, child)), error }
    }

    fn at_slice(&mut self, value: &Value, (from, to): (&Value, &Value), optional: bool, f: Replace<'_, 'e>) -> Stream {
        let look = value.label.join(from.label).join(to.label);
        let Outcome { value: part, error } = access::slice(value, Some(from), Some(to));
        let (Some(part), None) = (part, &error) else {
            let message = format!("cannot set a part of {}", kind_name(value));
            let failed = self.unmodified(value, look, optional, message);
            return if kinds::is_known(value) && kinds::is_known(from) && kinds::is_known(to) {
                failed.into()
            } else {
                self.at_unknown_slice(value, look, f).or(failed).into()
            };
        };
        if !kinds::is_known(value) {
            return self.at_unknown_slice(value, look, f).into();
        }
        self.may_fail_by(look);
        let stream = f(self, part);
        let count = stream.count;
        let First { value: new, absent, error } = stream.first();
        // A replacement of another kind fails; nothing at all removes the part.
        let mut all = Outcome { value: None, error };
        if absent {
            all = all.or(spliced(value, (from, to), look, None));
        }
        for new in new.iter().flat_map(cases) {
            self.may_fail_by(new.label);
            all = all.or(spliced(value, (from, to), look, Some(&new)));
        }
        all.raised(count).into()
    }

    fn at_unknown_slice(&mut self, value: &Value, look: Label, f: Replace<'_, 'e>) -> Outcome {
        self.may_fail_by(look);
        let old = Value::unknown(value.deep_label().join(look), Kinds::ARRAY.or(Kinds::TEXT));
        let stream = f(self, old);
        let count = stream.count;
        let First { value: new, error, .. } = stream.first();
        let new = new.map_or(Label::BOTTOM, |v| v.deep_label());
        self.may_fail_by(new);
        let label = value.deep_label().join(look).join(new).join(count);
        let error = joined(error, Some(Value::unknown(label, Kinds::TEXT)));
        Outcome { value: Some(Value::unknown(label, Kinds::ARRAY.or(Kinds::TEXT))), error }
    }
}

/// A known array or text with the part between two known bounds replaced.
fn spliced(value: &Value, (from, to): (&Value, &Value), look: Label, new: Option<&Value>) -> Outcome {
    let bound = |bound: &Value| if let Data::Int(i) = bound.data { Bound::At(i) } else { Bound::Open };
    let bounds = |len: usize| {
        let from = bound(from).clipped(len, 0).unwrap_or(0);
        (from, bound(to).clipped(len, len).unwrap_or(len).max(from))
    };
    let label = new.map_or(look, |new| look.join(new.label));
    let wrong = || Outcome::error("a part must be replaced by its own kind", label);
    match &value.data {
        Data::Array(items) => {
            let (from, to) = bounds(items.len());
            let middle: &[Value] = match new.map(|new| &new.data) {
                None => &[],
                Some(Data::Array(new)) => new,
                Some(Data::Unknown(shape)) if shape.kinds == Kinds::ARRAY => {
                    let child = new.and_then(Value::any_child);
                    return Outcome::value(kinds::each(label, Kinds::ARRAY, joined(value.any_child(), child)));
                }
                Some(_) => return wrong(),
            };
            let parts = items.iter().take(from).chain(middle).chain(items.iter().skip(to));
            Outcome::value(Value::array(label, parts.cloned().collect()))
        }
        Data::Text(text) => {
            let (from, to) = bounds(text.chars().count());
            let middle = match new.map(|new| &new.data) {
                None => "",
                Some(Data::Text(new)) => new,
                Some(Data::Unknown(shape)) if shape.kinds == Kinds::TEXT => {
                    return Outcome::value(Value::unknown(label, Kinds::TEXT));
                }
                Some(_) => return wrong(),
            };
            let parts = text.chars().take(from).chain(middle.chars()).chain(text.chars().skip(to));
            Outcome::value(Value::text(label, parts.collect::<String>()))
        }
        _ => wrong(),
    }
}

fn first_of(stream: Stream) -> Outcome {
    let First { value, error, .. } = stream.first();
    Outcome { value, error }
}
