//! What an expression puts out: values and errors in order, exact in a run and approximate in the verifier.

use crate::label::Label;
use crate::value::{Kinds, Value};

use super::kinds;

/// One thing that an expression puts out.
///
/// A certain value is there exactly once; an uncertain one stands for any number of values, none
/// included, each admitted by it. A certain error ends the stream; an uncertain one may.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Value { value: Value, certain: bool },
    Error { value: Value, certain: bool },
}

impl Event {
    fn settle(&mut self, sure: bool, count: Label) {
        let (Self::Value { value, certain } | Self::Error { value, certain }) = self;
        *certain = sure;
        if count != Label::BOTTOM {
            *value = std::mem::replace(value, Value::null(Label::BOTTOM)).raised(count);
        }
    }
}

/// The outputs of one expression for one input.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub(super) events: Vec<Event>,
    /// Everything that decided how many outputs there are, and which.
    pub(super) count: Label,
}

/// What a function of known arguments gives: in a run exactly one of both.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) value: Option<Value>,
    pub(super) error: Option<Value>,
}

/// What is first in a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct First {
    /// The first value, if there may be one.
    pub(super) value: Option<Value>,
    /// Whether there may be none, without an error.
    pub(super) absent: bool,
    /// The error that may come before it.
    pub(super) error: Option<Value>,
}

impl Outcome {
    pub(super) fn value(value: Value) -> Self {
        Self { value: Some(value), error: None }
    }

    pub(super) fn error(message: impl Into<std::sync::Arc<str>>, label: Label) -> Self {
        Self { value: None, error: Some(Value::text(label, message)) }
    }

    /// A value, or a failure with a message that is not known.
    pub(super) fn perhaps(value: Value, label: Label) -> Self {
        Self { value: Some(value), error: Some(Value::unknown(label, Kinds::TEXT)) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { value: joined(self.value, other.value), error: joined(self.error, other.error) }
    }

    pub(super) fn raised(self, by: Label) -> Self {
        Self { value: self.value.map(|v| v.raised(by)), error: self.error.map(|v| v.raised(by)) }
    }
}

/// The join of two things that may be missing.
pub(super) fn joined(a: Option<Value>, b: Option<Value>) -> Option<Value> {
    match (a, b) {
        (Some(a), Some(b)) => Some(kinds::join(&a, &b)),
        (a, b) => a.or(b),
    }
}

impl From<Outcome> for Stream {
    fn from(outcome: Outcome) -> Self {
        let mut events = Vec::with_capacity(1);
        let certain = outcome.value.is_none();
        if let Some(value) = outcome.error {
            events.push(Event::Error { value, certain });
        }
        if let Some(value) = outcome.value {
            events.push(Event::Value { value, certain: true });
        }
        Self { events, count: Label::BOTTOM }
    }
}

impl Stream {
    pub(super) fn none() -> Self {
        Self::default()
    }

    pub(super) fn one(value: Value) -> Self {
        Self { events: vec![Event::Value { value, certain: true }], count: Label::BOTTOM }
    }

    pub(super) fn counting(mut self, label: Label) -> Self {
        self.count = self.count.join(label);
        self
    }

    /// Whether it is one value, and nothing decided that.
    pub(super) fn is_one(&self) -> bool {
        self.count == Label::BOTTOM && matches!(self.events.as_slice(), [Event::Value { certain: true, .. }])
    }

    pub(super) fn into_values(self) -> impl Iterator<Item = Value> {
        self.events.into_iter().filter_map(|event| match event {
            Event::Value { value, .. } => Some(value),
            Event::Error { .. } => None,
        })
    }

    pub(super) fn has_values(&self) -> bool {
        self.events.iter().any(|e| matches!(e, Event::Value { .. }))
    }

    pub(super) fn has_errors(&self) -> bool {
        self.events.iter().any(|e| matches!(e, Event::Error { .. }))
    }

    /// The same, its errors only where `other` puts something out.
    pub(super) fn showing_errors_where(mut self, other: &Self) -> Self {
        let surely = other
            .events
            .iter()
            .any(|e| matches!(e, Event::Value { certain: true, .. } | Event::Error { certain: true, .. }));
        if other.events.is_empty() {
            self.events.retain(|e| matches!(e, Event::Value { .. }));
        }
        for event in &mut self.events {
            if let Event::Error { certain, .. } = event {
                *certain &= surely;
            }
        }
        self
    }

    /// Appends an event; `false` once nothing can follow.
    pub(super) fn push(&mut self, event: Event) -> bool {
        let ends = matches!(event, Event::Error { certain: true, .. });
        self.events.push(event);
        !ends
    }

    /// Appends a whole stream, which runs surely or perhaps; `false` once nothing can follow.
    pub(super) fn append(&mut self, other: Self, surely: bool) -> bool {
        self.count = self.count.join(other.count);
        other.events.into_iter().all(|event| {
            self.push(match event {
                Event::Value { value, certain } => Event::Value { value, certain: certain && surely },
                Event::Error { value, certain } => Event::Error { value, certain: certain && surely },
            })
        })
    }

    /// One of two streams, it is not known which.
    pub(super) fn either(self, other: Self) -> Self {
        let count = self.count.join(other.count);
        if let ([Event::Value { value: a, certain: true }], [Event::Value { value: b, certain: true }]) =
            (self.events.as_slice(), other.events.as_slice())
        {
            return Self::one(kinds::join(a, b)).counting(count);
        }
        let mut both = Self { events: Vec::new(), count };
        both.append(self, false);
        both.append(other, false);
        both
    }

    /// The stream of an expression that has exactly one output unless it fails.
    ///
    /// The labels that decided between its outputs move into the output: how many there are is no secret.
    pub(super) fn settled(mut self) -> Self {
        let count = std::mem::replace(&mut self.count, Label::BOTTOM);
        match self.events.as_mut_slice() {
            [event] => {
                event.settle(true, count);
                return self;
            }
            [error @ Event::Error { .. }, value @ Event::Value { .. }] => {
                error.settle(false, count);
                value.settle(true, count);
                return self;
            }
            _ => {}
        }
        let [mut value, mut error] = [None, None];
        for event in self.events {
            match event {
                Event::Value { value: v, .. } => value = joined(value, Some(v)),
                Event::Error { value: v, .. } => error = joined(error, Some(v)),
            }
        }
        Outcome { value, error }.raised(count).into()
    }

    /// What comes first, each part raised by what decided it.
    pub(super) fn first(self) -> First {
        let count = self.count;
        let mut first = First { value: None, absent: true, error: None };
        for event in self.events {
            match event {
                Event::Value { value, certain } => {
                    first.value = joined(first.value, Some(value));
                    if certain {
                        first.absent = false;
                        break;
                    }
                }
                Event::Error { value, certain } => {
                    first.error = joined(first.error, Some(value));
                    if certain {
                        first.absent = false;
                        break;
                    }
                }
            }
        }
        first.value = first.value.map(|v| v.raised(count));
        first.error = first.error.map(|v| v.raised(count));
        first
    }
}
