//! Parts of streams, folds and orders: what runs an expression several times.

use std::sync::Arc;

use crate::label::Label;
use crate::value::{Data, Kinds, Value};

use super::evaluate::{Evaluator, Scoped, bound, size};
use super::kinds::{self, compare, is_known, kind_name};
use super::operator;
use super::stream::{Event, First, Outcome, Stream, joined};
use super::tree::{Expr, Math, Order};

/// Rounds of a loop over unknown values before its result counts as unknown.
const ROUNDS_MAX: usize = 16;

impl Evaluator<'_> {
    pub(super) fn limit(&mut self, n: &Expr, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let counts = self.run(n, input, scope);
        self.for_each(counts, true, &mut |this, n| {
            this.may_fail_by(n.label);
            let most = match limit_of(&n) {
                Ok(Some(0)) => return Stream::none().counting(n.label),
                Ok(most) => most,
                Err(error) => return error.into(),
            };
            let stream = this.run(e, input, scope);
            this.may_fail_by(stream.count);
            taken(stream, most).counting(n.label)
        })
    }

    pub(super) fn skip(&mut self, n: &Expr, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let counts = self.run(n, input, scope);
        self.for_each(counts, true, &mut |this, n| {
            this.may_fail_by(n.label);
            let least = match limit_of(&n) {
                Ok(least) => least,
                Err(error) => return error.into(),
            };
            dropped(this.run(e, input, scope), least).counting(n.label)
        })
    }

    pub(super) fn first(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let stream = self.run(e, input, scope);
        let count = stream.count;
        if e.fails {
            self.may_fail_by(count);
        }
        let First { value, absent, error } = stream.first();
        part(value, error, absent, count)
    }

    pub(super) fn last(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let stream = self.run(e, input, scope);
        let count = stream.count;
        let (mut value, mut error, mut absent) = (None, None, true);
        for event in stream.events {
            match event {
                Event::Value { value: v, certain: true } => (value, absent) = (Some(v), false),
                Event::Value { value: v, .. } => value = joined(value, Some(v)),
                Event::Error { value: v, certain: false } => error = joined(error, Some(v)),
                Event::Error { value: v, .. } => {
                    return part(None, joined(error, Some(v)), false, count);
                }
            }
        }
        part(value, error, absent, count)
    }

    pub(super) fn is_empty(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let stream = self.run(e, input, scope);
        let count = stream.count;
        if e.fails {
            self.may_fail_by(count);
        }
        let First { value, absent, error } = stream.first();
        let answer = |b: bool| Value::bool(count, b);
        let value = joined(value.map(|_| answer(false)), absent.then(|| answer(true)));
        Outcome { value, error }.into()
    }

    pub(super) fn range(&mut self, (from, to, by): (&Expr, &Expr, &Expr), input: &Value, scope: Scoped<'_>) -> Stream {
        let starts = self.run(from, input, scope);
        self.for_each(starts, true, &mut |this, from| {
            this.pairs((to, by), true, input, scope, &mut |this, to, by| {
                let label = from.deep_label().join(to.deep_label()).join(by.deep_label());
                this.may_fail_by(label);
                this.steps_of_range(&from, &to, &by, label).counting(label)
            })
        })
    }

    fn steps_of_range(&mut self, from: &Value, to: &Value, by: &Value, label: Label) -> Stream {
        if ![from, to, by].iter().all(|v| v.is_concrete()) {
            let mut stream = Stream::none();
            let any = kinds_of_range(from, by);
            stream.push(Event::Value { value: Value::unknown(label, any), certain: false });
            stream.push(Event::Error { value: Value::unknown(label, Kinds::TEXT), certain: false });
            return stream;
        }
        let direction = compare(by, &Value::int(label, 0));
        let mut stream = Stream::none();
        let mut at = from.clone().raised(label);
        loop {
            let order = compare(&at, to);
            let inside = match direction {
                std::cmp::Ordering::Greater => order.is_lt(),
                std::cmp::Ordering::Less => order.is_gt(),
                std::cmp::Ordering::Equal => order.is_ne(),
            };
            if !inside || !self.spend(1 + size(&at) / 16, size(&at)) {
                return stream;
            }
            stream.push(Event::Value { value: at.clone(), certain: true });
            let next = operator::math(Math::Add, &at, by);
            match (next.value, next.error) {
                (Some(next), _) => at = next,
                (None, error) => {
                    stream.events.extend(error.map(|value| Event::Error { value, certain: true }));
                    return stream;
                }
            }
        }
    }

    /// `reduce` and, with something to extract at each step, `foreach`.
    pub(super) fn fold(
        &mut self,
        source: &Expr,
        name: &Arc<str>,
        (init, update, extract): (&Expr, &Expr, Option<&Expr>),
        input: &Value,
        scope: Scoped<'_>,
    ) -> Stream {
        let items = self.run(source, input, scope);
        let starts = self.run(init, input, scope);
        let fails = update.fails || extract.is_some_and(|e| e.fails);
        self.for_each(starts, fails || source.fails, &mut |this, start| {
            if fails {
                this.may_fail_by(items.count);
            }
            this.folded(&items, name, (start, update, extract), scope)
        })
    }

    fn folded(
        &mut self,
        items: &Stream,
        name: &Arc<str>,
        (start, update, extract): (Value, &Expr, Option<&Expr>),
        scope: Scoped<'_>,
    ) -> Stream {
        let mut out = Stream::none().counting(items.count);
        let mut state = start;
        for event in &items.events {
            let (item, certain) = match event {
                Event::Value { value, certain } => (value, *certain),
                error @ Event::Error { .. } => {
                    if !out.push(error.clone()) {
                        return out;
                    }
                    continue;
                }
            };
            let (next, error) = if certain {
                let First { value, error, .. } = self.step(name, item, (&state, update), scope);
                (value, error)
            } else {
                self.stable(name, item, (&state, update), scope)
            };
            if self.exhausted {
                return out;
            }
            let ends = next.is_none();
            out.events.extend(error.map(|value| Event::Error { value, certain: ends && certain }));
            let Some(next) = next else { return out };
            state = next;
            if let Some(extract) = extract {
                let extracted = self.run(extract, &state, Some(&bound(name, item.clone(), scope)));
                if !out.append(extracted, certain) {
                    return out;
                }
            }
        }
        if extract.is_none() {
            out.push(Event::Value { value: state, certain: true });
        }
        out
    }

    fn step(&mut self, name: &Arc<str>, item: &Value, (state, update): (&Value, &Expr), scope: Scoped<'_>) -> First {
        self.run(update, state, Some(&bound(name, item.clone(), scope))).first()
    }

    /// The least state known to this domain that any number of steps with `item` leads to.
    fn stable(
        &mut self,
        name: &Arc<str>,
        item: &Value,
        (start, update): (&Value, &Expr),
        scope: Scoped<'_>,
    ) -> (Option<Value>, Option<Value>) {
        let mut state = start.clone();
        let mut errors = None;
        for round in 0..2 * ROUNDS_MAX {
            let First { value, error, .. } = self.step(name, item, (&state, update), scope);
            errors = joined(errors, error);
            let Some(value) = value else { return (Some(state), errors) };
            let mut next = kinds::join(&state, &value);
            if round >= ROUNDS_MAX {
                let label = if round + 1 == 2 * ROUNDS_MAX { Label::TOP } else { next.deep_label() };
                next = Value::unknown(label, Kinds::ALL);
            }
            if next == state {
                return (Some(state), errors);
            }
            state = next;
        }
        let First { error, .. } = self.step(name, item, (&state, update), scope);
        (Some(state), joined(errors, error))
    }

    /// `sort_by`, `group_by`, `min_by`, `max_by`: the order depends on every key, and on which elements there are.
    pub(super) fn ordered(&mut self, order: Order, key: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let mut all = Outcome::default();
        let mut stream = Stream::none();
        self.may_fail_by(input.label);
        for case in kinds::cases(input) {
            if order == Order::Sort && matches!(&case.data, Data::Array(items) if items.len() < 2) {
                // As in jaq, the key of a lone element is not asked for, so it cannot fail.
                all = all.or(Outcome::value(case));
                continue;
            }
            match self.keyed(&case, key, scope) {
                Ok((label, errors, Some(keyed))) => {
                    let error = errors.clone();
                    all = all.or(Outcome { value: Some(arranged(order, keyed, label)), error });
                }
                Ok((label, errors, None)) => {
                    let value = Some(arranged_unknown(order, &case, label));
                    all = all.or(Outcome { value, error: errors });
                }
                Err(error) => all = all.or(Outcome { value: None, error: Some(error) }),
            }
        }
        stream.append(all.into(), true);
        stream
    }

    /// Each element with its keys; none if they are not all known.
    #[expect(clippy::type_complexity, reason = "label, possible error, and what is known are one answer")]
    fn keyed(
        &mut self,
        array: &Value,
        key: &Expr,
        scope: Scoped<'_>,
    ) -> Result<(Label, Option<Value>, Option<Vec<(Vec<Value>, Value)>>), Value> {
        let items: Vec<Value> = match &array.data {
            Data::Array(items) => items.iter().map(|item| item.clone().raised(array.label)).collect(),
            Data::Unknown(shape) if shape.kinds == Kinds::ARRAY => array.any_child().into_iter().collect(),
            _ => return Err(Value::text(array.label, format!("cannot sort {}", kind_name(array)))),
        };
        let mut known = is_known(array);
        let (mut label, mut errors, mut keyed) = (array.label, None, Vec::with_capacity(items.len()));
        for item in items {
            let stream = self.run(key, &item, scope);
            label = label.join(stream.count);
            let mut keys = Vec::new();
            for event in stream.events {
                match event {
                    Event::Value { value, certain } => {
                        label = label.join(value.deep_label());
                        known &= certain && value.is_concrete();
                        keys.push(value);
                    }
                    Event::Error { value, certain: true } if known => return Err(value),
                    Event::Error { value, .. } => {
                        known = false;
                        errors = joined(errors, Some(value));
                    }
                }
            }
            self.spend(1 + keys.len(), 0);
            keyed.push((keys, item));
        }
        Ok((label, errors, known.then_some(keyed)))
    }
}

/// The number of outputs that `limit` and `skip` mean; none if it is not known.
fn limit_of(n: &Value) -> Result<Option<u64>, Outcome> {
    if !n.is_concrete() {
        return Ok(None);
    }
    if compare(n, &Value::int(Label::BOTTOM, 0)).is_le() {
        return Ok(Some(0));
    }
    match &n.data {
        Data::Int(i) => Ok(Some(i.unsigned_abs())),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and saturating is right"
        )]
        Data::Float(f) => Ok(Some(f.ceil() as u64)),
        _ => Err(Outcome::error(format!("cannot count to {}", kind_name(n)), n.label)),
    }
}

/// The first outputs of a stream; some of them if it is not known how many.
fn taken(stream: Stream, most: Option<u64>) -> Stream {
    let mut out = Stream::none().counting(stream.count);
    let mut left = most.unwrap_or(u64::MAX);
    let mut exact = most.is_some();
    for event in stream.events {
        if left == 0 {
            break;
        }
        match event {
            Event::Value { value, certain } => {
                exact &= certain;
                left -= u64::from(certain);
                out.push(Event::Value { value, certain: exact });
            }
            Event::Error { value, certain } => {
                out.push(Event::Error { value, certain: certain && exact });
                if certain {
                    break;
                }
            }
        }
    }
    out
}

/// A stream without its first outputs.
fn dropped(stream: Stream, least: Option<u64>) -> Stream {
    let mut out = Stream::none().counting(stream.count);
    let mut left = least.unwrap_or(u64::MAX);
    let mut exact = least.is_some();
    for event in stream.events {
        match event {
            Event::Value { value, certain } => {
                exact &= certain || left == 0;
                if !exact {
                    out.push(Event::Value { value, certain: false });
                } else if left > 0 {
                    left -= 1;
                } else {
                    out.push(Event::Value { value, certain });
                }
            }
            error @ Event::Error { .. } => {
                if !out.push(error) {
                    break;
                }
            }
        }
    }
    out
}

/// At most one output of a stream.
fn part(value: Option<Value>, error: Option<Value>, absent: bool, count: Label) -> Stream {
    let mut out = Stream::none().counting(count);
    let certain = value.is_none() && !absent;
    out.events.extend(error.map(|value| Event::Error { value, certain }));
    out.events.extend(value.map(|value| Event::Value { value, certain: !absent }));
    out
}

fn kinds_of_range(from: &Value, by: &Value) -> Kinds {
    // The first output is `from` itself, whatever it is; further ones are sums.
    from.kinds().or(if from.kinds().has(Kinds::NULL) { by.kinds() } else { Kinds::NONE })
}

fn arranged(order: Order, keyed: Vec<(Vec<Value>, Value)>, label: Label) -> Value {
    let by_keys = |a: &[Value], b: &[Value]| compare_lists(a, b);
    let mut keyed = keyed;
    match order {
        Order::Sort => {
            keyed.sort_by(|(a, _), (b, _)| by_keys(a, b));
            Value::array(label, keyed.into_iter().map(|(_, item)| item).collect())
        }
        Order::Group => {
            keyed.sort_by(|(a, _), (b, _)| by_keys(a, b));
            let mut groups: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
            for (keys, item) in keyed {
                match groups.last_mut() {
                    Some((last, group)) if by_keys(last, &keys).is_eq() => group.push(item),
                    _ => groups.push((keys, vec![item])),
                }
            }
            Value::array(label, groups.into_iter().map(|(_, group)| Value::array(label, group)).collect())
        }
        Order::Min | Order::Max => {
            let mut best: Option<(Vec<Value>, Value)> = None;
            for (keys, item) in keyed {
                let better = best.as_ref().is_none_or(|(least, _)| match order {
                    Order::Min => by_keys(&keys, least).is_lt(),
                    _ => by_keys(&keys, least).is_ge(),
                });
                if better {
                    best = Some((keys, item));
                }
            }
            best.map_or(Value::null(label), |(_, item)| item.raised(label))
        }
    }
}

fn arranged_unknown(order: Order, array: &Value, label: Label) -> Value {
    let child = array.any_child();
    match order {
        Order::Sort => kinds::each(label, Kinds::ARRAY, child),
        Order::Group => {
            let group = child.map(|child| kinds::each(label, Kinds::ARRAY, Some(child)));
            kinds::each(label, Kinds::ARRAY, group)
        }
        Order::Min | Order::Max => {
            let null = Value::null(label);
            child.map_or_else(|| null.clone(), |child| child.join(&null)).raised(label)
        }
    }
}

fn compare_lists(a: &[Value], b: &[Value]) -> std::cmp::Ordering {
    let pairs = a.iter().zip(b).map(|(x, y)| compare(x, y)).find(|order| order.is_ne());
    pairs.unwrap_or_else(|| a.len().cmp(&b.len()))
}
