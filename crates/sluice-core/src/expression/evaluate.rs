//! The one evaluator, over values that are known in a run and may be unknown in the verifier.
//!
//! Two rules hold at every node. *Concrete in, concrete out*: where everything is known, the result is
//! jaq's. *Soundness*: where inputs stand for many values, the result admits what each of them gives,
//! labels included; and whatever decided an outcome is in its label, in the stream's `count`, or, where
//! it decided only whether there is an error, in `fallible`.

use std::sync::Arc;

use crate::label::Label;
use crate::limits::{EVALUATION_BYTES_MAX, EVALUATION_STEPS_MAX};
use crate::value::{Data, Kinds, Value};

use super::access;
use super::kinds::{self, truth, truthy};
use super::operator;
use super::stream::{Event, First, Outcome, Stream, joined};
use super::tree::{Expr, Kind, Math, Outputs};
use super::{Environment, Evaluated};

/// Deepest value that an expression may build: deeper ones would overflow the stack of whoever walks them.
const VALUE_DEPTH_MAX: usize = 256;
/// Most nodes of a value that an expression may build; parts that are shared count each time.
const VALUE_NODES_MAX: usize = 4 << 20;

/// Local variables, innermost first.
pub(super) struct Scope<'s> {
    pub(super) name: &'s str,
    pub(super) value: Value,
    pub(super) outer: Option<&'s Scope<'s>>,
}

pub(super) type Scoped<'s> = Option<&'s Scope<'s>>;

/// One evaluation.
pub(super) struct Evaluator<'a> {
    environment: &'a Environment<'a>,
    steps: u64,
    bytes: usize,
    /// Everything that decided whether it fails, also where it did not.
    pub(super) fallible: Label,
    /// A bound was met; nothing computed since counts.
    pub(super) exhausted: bool,
}

/// Runs a whole expression.
pub(super) fn evaluate(root: &Expr, environment: &Environment<'_>) -> Evaluated {
    let mut evaluator = Evaluator { environment, steps: 0, bytes: 0, fallible: Label::BOTTOM, exhausted: false };
    let stream = evaluator.run(root, environment.input, None);
    if root.fails {
        evaluator.fallible = evaluator.fallible.join(stream.count);
    }
    let (count, exhausted) = (stream.count, evaluator.exhausted);
    let First { value, absent, error } = stream.first();
    let value = if absent { joined(value, Some(Value::null(count))) } else { value };
    if exhausted {
        return exhaustion(root, environment);
    }
    Evaluated { value, error, fallible: evaluator.fallible, exhausted: false }
}

/// The result of an evaluation that met a bound: nothing is known of it but what it could have read.
fn exhaustion(root: &Expr, environment: &Environment<'_>) -> Evaluated {
    let mut all = environment.input.deep_label();
    let mut known = environment.input.is_concrete();
    root.free_variables(&mut Vec::new(), &mut std::collections::BTreeSet::new(), &mut |name, _| {
        if let Some(value) = (environment.variables)(name) {
            all = all.join(value.deep_label());
            known &= value.is_concrete();
        }
    });
    let message = "the expression takes too many steps, too much memory or nests too deeply (SL503)";
    let (value, error) = if known {
        (None, Value::text(all, message))
    } else {
        (Some(Value::unknown(all, Kinds::ALL)), Value::unknown(all, Kinds::ALL))
    };
    Evaluated { value, error: Some(error), fallible: all, exhausted: true }
}

impl Evaluator<'_> {
    /// Accounts for work and memory; `false` once a bound is met.
    pub(super) fn spend(&mut self, steps: usize, bytes: usize) -> bool {
        self.steps = self.steps.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        self.bytes = self.bytes.saturating_add(bytes);
        self.exhausted |= self.steps > EVALUATION_STEPS_MAX || self.bytes > EVALUATION_BYTES_MAX;
        !self.exhausted
    }

    /// What `label` decides may be a failure.
    pub(super) fn may_fail_by(&mut self, label: Label) {
        self.fallible = self.fallible.join(label);
    }

    /// The outputs of `e` for `input`.
    pub(super) fn run(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        if !self.spend(1, 0) {
            return Stream::none();
        }
        let stream = self.run_kind(e, input, scope);
        let stream = if e.outputs == Outputs::One { stream.settled() } else { stream };
        if builds(&e.kind) { self.weighed(stream) } else { stream }
    }

    /// The same, each value within bounds: parts are shared, so small memory can be a large tree.
    fn weighed(&mut self, mut stream: Stream) -> Stream {
        for event in &mut stream.events {
            let Event::Value { value, .. } = event else { continue };
            let mut left = VALUE_NODES_MAX;
            let fits = kinds::measure(value, VALUE_DEPTH_MAX, &mut left);
            let nodes = VALUE_NODES_MAX - left;
            self.exhausted |= !fits;
            if !self.spend(nodes / 16, 0) {
                return Stream::none();
            }
            if nodes > kinds::UNKNOWN_NODES_MAX && !value.is_concrete() {
                *value = kinds::summary(value);
            }
        }
        stream
    }

    fn run_kind(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        match &e.kind {
            Kind::Input => Stream::one(input.clone()),
            Kind::Literal(value) => Stream::one(value.clone()),
            Kind::Variable(name) => self.variable(name, scope).into(),
            Kind::Index { base, key, optional } => self.index(base, key, *optional, input, scope),
            Kind::Slice { base, from, to, optional } => {
                self.slice(base, (from.as_deref(), to.as_deref()), *optional, input, scope)
            }
            Kind::Iterate { base, optional } => {
                let base = self.run(base, input, scope);
                self.for_each(base, !optional, &mut |this, value| this.iterate(&value, *optional))
            }
            Kind::Collect(items) => {
                let items = self.run(items, input, scope);
                self.collected(items)
            }
            Kind::List(items) => self.list(items, input, scope),
            Kind::Object(fields) => self.object(fields, input, scope),
            Kind::Text(parts) => self.text(parts, input, scope),
            Kind::Negate(e) => {
                let stream = self.run(e, input, scope);
                self.for_each(stream, true, &mut |this, value| {
                    this.may_fail_by(value.label);
                    operator::negated(&value).into()
                })
            }
            Kind::Math(op, l, r) => self.math(*op, (l, r), input, scope),
            Kind::Compare(op, l, r) => self.product((l, r), false, input, scope, &mut |this, a, b| {
                this.spend(size(&a).min(size(&b)), 0);
                Stream::one(operator::comparison(*op, &a, &b))
            }),
            Kind::Logic { stop, left, right } => self.logic(*stop, (left, right), input, scope),
            Kind::Otherwise(l, r) => self.otherwise(l, r, input, scope),
            Kind::Pipe(l, r) => {
                let left = self.run(l, input, scope);
                self.for_each(left, r.fails, &mut |this, value| this.run(r, &value, scope))
            }
            Kind::Bind { source, name, body } => {
                let source = self.run(source, input, scope);
                self.for_each(source, body.fails, &mut |this, value| {
                    this.run(body, input, Some(&Scope { name, value, outer: scope }))
                })
            }
            Kind::Comma(items) => self.comma(items, input, scope),
            Kind::If(condition, then, other) => self.conditional((condition, then, other), input, scope),
            Kind::Try(body, handler) => self.guarded(body, handler.as_deref(), input, scope),
            Kind::Reduce { source, name, init, update } => self.fold(source, name, (init, update, None), input, scope),
            Kind::Foreach { source, name, init, update, extract } => {
                self.fold(source, name, (init, update, Some(extract)), input, scope)
            }
            Kind::Modify(path, f) => self.modify(path, input, scope, &mut |this, value| this.run(f, &value, scope)),
            Kind::Limit(n, e) => self.limit(n, e, input, scope),
            Kind::Skip(n, e) => self.skip(n, e, input, scope),
            Kind::First(e) => self.first(e, input, scope),
            Kind::Last(e) => self.last(e, input, scope),
            Kind::IsEmpty(e) => self.is_empty(e, input, scope),
            Kind::Range(from, to, by) => self.range((from, to, by), input, scope),
            Kind::Order(order, key) => self.ordered(*order, key, input, scope),
            Kind::Call(function, arguments) => {
                self.products(arguments, input, scope, function.fails(), &mut |this, values| {
                    let weight: usize = values.iter().map(size).sum();
                    this.spend(weight / 16, weight);
                    if function.fails() {
                        this.may_fail_by(function.looks_at(values));
                    }
                    function.apply(values).into()
                })
            }
            Kind::Fail(e) => {
                let stream = self.run(e, input, scope);
                self.for_each(stream, true, &mut |_, value| Outcome { value: None, error: Some(value) }.into())
            }
            Kind::Single(e) => self.single(e, input, scope),
            Kind::Opaque(parts) => Stream::one(self.opaque(parts, input, scope)),
        }
    }

    /// Some value under everything that the parts can tell, errors included.
    fn opaque(&mut self, parts: &[Expr], input: &Value, scope: Scoped<'_>) -> Value {
        let before = std::mem::replace(&mut self.fallible, Label::BOTTOM);
        let mut told = Label::BOTTOM;
        for part in parts {
            let stream = self.run(part, input, scope);
            told = told.join(stream.count);
            for event in &stream.events {
                let (Event::Value { value, .. } | Event::Error { value, .. }) = event;
                told = told.join(value.deep_label());
            }
        }
        let told = told.join(std::mem::replace(&mut self.fallible, before));
        Value::unknown(told, Kinds::ALL)
    }

    /// Runs `f` for each value of a stream, in order. `fails`: whether `f` may fail.
    pub(super) fn for_each(
        &mut self,
        stream: Stream,
        fails: bool,
        f: &mut dyn FnMut(&mut Self, Value) -> Stream,
    ) -> Stream {
        if fails {
            self.may_fail_by(stream.count);
        }
        let mut out = Stream::none().counting(stream.count);
        for event in stream.events {
            let goes_on = match event {
                Event::Value { value, certain } => {
                    let outputs = f(self, value);
                    self.spend(outputs.events.len(), 0) && out.append(outputs, certain)
                }
                error @ Event::Error { .. } => out.push(error),
            };
            if !goes_on {
                break;
            }
        }
        out
    }

    /// Runs `f` for each pair of values, left outermost.
    pub(super) fn pairs(
        &mut self,
        (l, r): (&Expr, &Expr),
        fails: bool,
        input: &Value,
        scope: Scoped<'_>,
        f: &mut dyn FnMut(&mut Self, Value, Value) -> Stream,
    ) -> Stream {
        let left = self.run(l, input, scope);
        if fails || r.fails {
            // Also where there is nothing to pair: that there is nothing is what `count` decided.
            self.may_fail_by(left.count);
        }
        if !left.has_values() {
            return left;
        }
        let right = self.run(r, input, scope);
        self.each_pair(left, right, (fails || r.fails, fails), f)
    }

    /// `fails`: whether something may fail for a value on the left, and for a pair.
    fn each_pair(
        &mut self,
        left: Stream,
        right: Stream,
        fails: (bool, bool),
        f: &mut dyn FnMut(&mut Self, Value, Value) -> Stream,
    ) -> Stream {
        let (mut right, mut more) = (right, left.events.len());
        self.for_each(left, fails.0, &mut |this, a| {
            more -= 1;
            let right = if more == 0 { std::mem::take(&mut right) } else { right.clone() };
            this.for_each(right, fails.1, &mut |this, b| f(this, a.clone(), b))
        })
    }

    /// Runs `f` for each pair of outputs, left outermost, as jaq pairs the sides of an operator: both run,
    /// and a failure on the left shows only where the right puts something out.
    pub(super) fn product(
        &mut self,
        (l, r): (&Expr, &Expr),
        fails: bool,
        input: &Value,
        scope: Scoped<'_>,
        f: &mut dyn FnMut(&mut Self, Value, Value) -> Stream,
    ) -> Stream {
        let left = self.hidden_by(r.outputs, |this| this.run(l, input, scope));
        if fails || r.fails {
            self.may_fail_by(left.count);
        }
        if left.events.is_empty() {
            return left;
        }
        let right = self.run(r, input, scope);
        self.product_of(left, right, fails || r.fails, f)
    }

    /// The left side of a product: where the right side may put out nothing, failures on the left may not
    /// show, so what decides them decides what comes out.
    fn hidden_by(&mut self, right: Outputs, left: impl FnOnce(&mut Self) -> Stream) -> Stream {
        let before = std::mem::replace(&mut self.fallible, Label::BOTTOM);
        let stream = left(self);
        let inside = std::mem::replace(&mut self.fallible, before);
        self.may_fail_by(inside);
        if right == Outputs::One { stream } else { stream.counting(inside) }
    }

    fn product_of(
        &mut self,
        mut left: Stream,
        right: Stream,
        fails: bool,
        f: &mut dyn FnMut(&mut Self, Value, Value) -> Stream,
    ) -> Stream {
        if left.has_errors() {
            self.may_fail_by(right.count);
            left = left.showing_errors_where(&right).counting(right.count);
        }
        self.each_pair(left, right, (fails, fails), f)
    }

    /// Runs `f` for each combination of the arguments' values, the input (the first) outermost.
    fn products(
        &mut self,
        arguments: &[Expr],
        input: &Value,
        scope: Scoped<'_>,
        fails: bool,
        f: &mut dyn FnMut(&mut Self, &[Value]) -> Stream,
    ) -> Stream {
        match arguments {
            [] => f(self, &[]),
            [a] => {
                let values = self.run(a, input, scope);
                self.for_each(values, fails, &mut |this, a| f(this, &[a]))
            }
            [a, b, ..] => self.pairs((a, b), fails, input, scope, &mut |this, a, b| f(this, &[a, b])),
        }
    }

    pub(super) fn variable(&mut self, name: &str, scope: Scoped<'_>) -> Outcome {
        let mut local = scope;
        while let Some(here) = local {
            if here.name == name {
                return Outcome::value(here.value.clone());
            }
            local = here.outer;
        }
        match (self.environment.variables)(name) {
            Some(value) => Outcome::value(value),
            None => Outcome::error(format!("there is no variable `${name}` here"), Label::BOTTOM),
        }
    }

    fn index(&mut self, base: &Expr, key: &Expr, optional: bool, input: &Value, scope: Scoped<'_>) -> Stream {
        let Kind::Literal(key) = &key.kind else {
            return self.pairs((base, key), !optional, input, scope, &mut |this, value, key| {
                this.indexed(&value, &key, optional)
            });
        };
        let values = self.run(base, input, scope);
        if !self.spend(1, 0) {
            return Stream::none();
        }
        self.for_each(values, !optional, &mut |this, value| this.indexed(&value, key, optional))
    }

    fn indexed(&mut self, value: &Value, key: &Value, optional: bool) -> Stream {
        let look = access::index_looks_at(value, key);
        match access::field_of_unknown(value, key).filter(|_| optional) {
            Some((found, certain)) => {
                let events = found.map(|value| Event::Value { value, certain }).into_iter().collect();
                Stream { events, count: look }
            }
            None => self.maybe(access::index(value, key), look, optional),
        }
    }

    fn slice(
        &mut self,
        base: &Expr,
        (from, to): (Option<&Expr>, Option<&Expr>),
        optional: bool,
        input: &Value,
        scope: Scoped<'_>,
    ) -> Stream {
        let values = self.run(base, input, scope);
        let null = Expr::literal(Value::null(Label::BOTTOM), base.span);
        let bounds = (from.unwrap_or(&null), to.unwrap_or(&null));
        self.for_each(values, true, &mut |this, value| {
            this.product(bounds, true, input, scope, &mut |this, from, to| {
                this.spend(size(&value) / 16, size(&value));
                let look = value.label.join(from.label).join(to.label);
                this.maybe(access::slice(&value, Some(&from), Some(&to)), look, optional)
            })
        })
    }

    /// The outcome of something that looked at `look`; an optional failure is no output.
    fn maybe(&mut self, outcome: Outcome, look: Label, optional: bool) -> Stream {
        if !optional {
            self.may_fail_by(look);
            return outcome.into();
        }
        let certain = outcome.error.is_none();
        let events = outcome.value.map(|value| Event::Value { value, certain }).into_iter().collect();
        Stream { events, count: look }
    }

    pub(super) fn iterate(&mut self, value: &Value, optional: bool) -> Stream {
        let mut stream = access::iterate(value);
        if optional {
            stream.events.retain(|event| matches!(event, Event::Value { .. }));
        } else {
            self.may_fail_by(value.label);
        }
        stream
    }

    /// `[…]`: the array of all values, its own label covering which and how many there are.
    fn collected(&mut self, stream: Stream) -> Stream {
        let count = stream.count;
        let mut out = Stream::none();
        let (mut values, mut exact) = (Vec::new(), true);
        for event in stream.events {
            match event {
                Event::Value { value, certain } => {
                    exact &= certain;
                    values.push(value);
                }
                error @ Event::Error { .. } => {
                    if !out.push(error) {
                        return out;
                    }
                }
            }
        }
        let array = if exact {
            Value::array(count, values)
        } else {
            kinds::each(count, Kinds::ARRAY, kinds::join_all(values.iter()))
        };
        out.push(Event::Value { value: array, certain: true });
        out
    }

    fn list(&mut self, items: &[Expr], input: &Value, scope: Scoped<'_>) -> Stream {
        let mut out = Stream::none();
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let First { value, error, .. } = self.run(item, input, scope).first();
            let certain = value.is_none();
            let goes_on = error.is_none_or(|value| out.push(Event::Error { value, certain }));
            match value {
                Some(value) if goes_on => values.push(value),
                _ => return out,
            }
        }
        out.push(Event::Value { value: Value::array(Label::BOTTOM, values), certain: true });
        out
    }

    /// `{…}`: the sum of objects of one field each.
    fn object(&mut self, fields: &[(Expr, Expr)], input: &Value, scope: Scoped<'_>) -> Stream {
        if let Some(keys) = fields.iter().map(|(key, _)| constant_key(key)).collect::<Option<Vec<_>>>() {
            return self.record(&keys, fields, input, scope);
        }
        let empty = Value::object(Label::BOTTOM, []);
        let mut objects = Vec::with_capacity(fields.len());
        let mut fails = false;
        for (i, (key, value)) in fields.iter().enumerate() {
            let following = fields.iter().skip(i + 1).flat_map(|(key, value)| [key, value]);
            let following = following.fold(Outputs::One, |all, e| all.max(e.outputs));
            let constant = matches!(key.kind, Kind::Literal(_));
            fails |= !constant || value.fails;
            objects.push(self.hidden_by(following, |this| {
                this.product((key, value), !constant, input, scope, &mut |this, key, value| {
                    if !constant {
                        this.may_fail_by(key.label);
                    }
                    operator::with_field(&empty, &key, value).into()
                })
            }));
        }
        self.sum(objects, empty.clone(), fails)
    }

    /// `{a: …}`: the same where the keys are constant. Nearly always each value is there and one: then no sums are made.
    fn record(&mut self, keys: &[Arc<str>], fields: &[(Expr, Expr)], input: &Value, scope: Scoped<'_>) -> Stream {
        let empty = Value::object(Label::BOTTOM, []);
        let mut streams = Vec::with_capacity(fields.len());
        for (i, (_, value)) in fields.iter().enumerate() {
            let following = fields.iter().skip(i + 1).fold(Outputs::One, |all, (_, e)| all.max(e.outputs));
            streams.push(self.hidden_by(following, |this| this.run(value, input, scope)));
        }
        self.spend(fields.len(), 0);
        if streams.iter().all(Stream::is_one) {
            let values = streams.into_iter().flat_map(Stream::into_values);
            return Stream::one(Value::object(Label::BOTTOM, keys.iter().cloned().zip(values)));
        }
        let objects = streams.into_iter().zip(keys).map(|(stream, key)| {
            let key = Value::text(Label::BOTTOM, key.clone());
            self.for_each(stream, false, &mut |_, value| operator::with_field(&empty, &key, value).into())
        });
        let objects = objects.collect();
        self.sum(objects, empty, fields.iter().any(|(_, value)| value.fails))
    }

    /// `"…\(…)…"`: the sum of texts.
    fn text(&mut self, parts: &[Expr], input: &Value, scope: Scoped<'_>) -> Stream {
        let mut texts = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            let following = parts.iter().skip(i + 1).fold(Outputs::One, |all, e| all.max(e.outputs));
            texts.push(self.hidden_by(following, |this| this.run(part, input, scope)));
        }
        let fails = parts.iter().any(|part| part.fails);
        self.sum(texts, Value::text(Label::BOTTOM, ""), fails)
    }

    /// The sums of all combinations of objects or texts, the first outermost, added from the right as jaq does.
    fn sum(&mut self, streams: Vec<Stream>, zero: Value, fails: bool) -> Stream {
        let mut sums: Option<Stream> = None;
        for stream in streams.into_iter().rev() {
            sums = Some(match sums {
                None => stream,
                Some(sums) => self.product_of(stream, sums, fails, &mut |this, a, b| {
                    let weight = size(&a) + size(&b);
                    this.spend(weight / 4, if a.as_text().is_some() { weight } else { 0 });
                    operator::math(Math::Add, &a, &b).into()
                }),
            });
        }
        sums.unwrap_or_else(|| Stream::one(zero))
    }

    fn math(&mut self, op: Math, sides: (&Expr, &Expr), input: &Value, scope: Scoped<'_>) -> Stream {
        self.product(sides, true, input, scope, &mut |this, a, b| {
            this.may_fail_by(operator::math_looks_at(op, &a, &b));
            let weight = size(&a) + size(&b);
            if !this.spend(weight / 4, if a.as_text().is_some() { weight } else { 0 }) {
                return Stream::none();
            }
            let outcome = operator::math(op, &a, &b);
            if op == Math::Mul || op == Math::Div {
                this.spend(0, outcome.value.as_ref().map_or(0, size));
            }
            outcome.into()
        })
    }

    fn comma(&mut self, items: &[Expr], input: &Value, scope: Scoped<'_>) -> Stream {
        let mut out = Stream::none();
        for item in items {
            if item.fails {
                self.may_fail_by(out.count);
            }
            let outputs = self.run(item, input, scope);
            if !out.append(outputs, true) {
                break;
            }
        }
        out
    }

    /// `and`, `or`: the right side runs unless the left one decides.
    fn logic(&mut self, stop: bool, (l, r): (&Expr, &Expr), input: &Value, scope: Scoped<'_>) -> Stream {
        let left = self.run(l, input, scope);
        self.for_each(left, r.fails, &mut |this, a| {
            if r.fails {
                this.may_fail_by(a.label);
            }
            let decided = Stream::one(Value::bool(Label::BOTTOM, stop));
            let stream = match truth(&a) {
                Some(known) if known == stop => decided,
                Some(_) => this.truths(r, input, scope),
                None => decided.either(this.truths(r, input, scope)),
            };
            stream.counting(a.label)
        })
    }

    fn truths(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let stream = self.run(e, input, scope);
        self.for_each(stream, false, &mut |_, value| {
            Stream::one(match truth(&value) {
                Some(known) => Value::bool(value.label, known),
                None => Value::unknown(value.label, Kinds::BOOL),
            })
        })
    }

    fn otherwise(&mut self, l: &Expr, r: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let left = self.run(l, input, scope);
        let mut look = left.count;
        let mut kept = Stream::none();
        let mut decided = false;
        for event in left.events {
            match event {
                Event::Value { value, certain } => {
                    look = look.join(value.label);
                    let known = truth(&value);
                    if known != Some(false) {
                        let certain = certain && known == Some(true);
                        decided |= certain;
                        kept.push(Event::Value { value: truthy(&value), certain });
                    }
                }
                error @ Event::Error { .. } => {
                    decided |= !kept.push(error);
                }
            }
        }
        if r.fails {
            self.may_fail_by(look);
        }
        if decided {
            return kept.counting(look);
        }
        let right = self.run(r, input, scope);
        if kept.events.is_empty() { right.counting(look) } else { kept.either(right).counting(look) }
    }

    fn conditional(
        &mut self,
        (condition, then, other): (&Expr, &Expr, &Expr),
        input: &Value,
        scope: Scoped<'_>,
    ) -> Stream {
        let fails = then.fails || other.fails;
        let conditions = self.run(condition, input, scope);
        self.for_each(conditions, fails, &mut |this, value| {
            if fails {
                this.may_fail_by(value.label);
            }
            let stream = match truth(&value) {
                Some(true) => this.run(then, input, scope),
                Some(false) => this.run(other, input, scope),
                None => this.run(then, input, scope).either(this.run(other, input, scope)),
            };
            stream.counting(value.label)
        })
    }

    /// `try`: what decides whether the body fails now decides what the outputs are.
    fn guarded(&mut self, body: &Expr, handler: Option<&Expr>, input: &Value, scope: Scoped<'_>) -> Stream {
        let before = std::mem::replace(&mut self.fallible, Label::BOTTOM);
        let stream = self.run(body, input, scope);
        let inside = std::mem::replace(&mut self.fallible, before);
        let decides = inside.join(stream.count);
        if handler.is_some_and(|h| h.fails) {
            self.may_fail_by(decides);
        }
        let mut out = Stream::none().counting(decides);
        let mut surely = true;
        for event in stream.events {
            match event {
                Event::Value { value, certain } => {
                    out.push(Event::Value { value, certain: certain && surely });
                }
                Event::Error { value, certain } => {
                    let handled = handler.map_or_else(Stream::none, |h| self.run(h, &value, scope));
                    if !out.append(handled, surely && certain) || certain {
                        break;
                    }
                    surely = false;
                }
            }
        }
        out
    }

    /// The first output, or `null`.
    fn single(&mut self, e: &Expr, input: &Value, scope: Scoped<'_>) -> Stream {
        let stream = self.run(e, input, scope);
        let count = stream.count;
        if e.fails {
            self.may_fail_by(count);
        }
        let First { value, absent, error } = stream.first();
        let value = if absent { joined(value, Some(Value::null(count))) } else { value };
        Outcome { value, error }.into()
    }
}

/// A key that is the same text for everybody.
fn constant_key(key: &Expr) -> Option<Arc<str>> {
    match &key.kind {
        Kind::Literal(Value { label: Label::BOTTOM, data: Data::Text(key) }) => Some(key.clone()),
        _ => None,
    }
}

/// Whether the values of an expression can be larger than those it reads.
fn builds(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Collect(_)
            | Kind::List(_)
            | Kind::Object(_)
            | Kind::Math(..)
            | Kind::Modify(..)
            | Kind::Call(..)
            | Kind::Order(..)
            | Kind::Reduce { .. }
    )
}

/// A measure of the work that a value costs: its immediate size.
pub(super) fn size(value: &Value) -> usize {
    match &value.data {
        Data::Text(t) => t.len(),
        Data::Array(items) => items.len(),
        Data::Object(fields) => fields.len(),
        _ => 1,
    }
}

/// What a name is bound to, for whoever needs one without a source.
pub(super) fn bound<'s>(name: &'s Arc<str>, value: Value, outer: Scoped<'s>) -> Scope<'s> {
    Scope { name, value, outer }
}
