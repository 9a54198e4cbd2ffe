//! How a text begins, where the rest of it is unknown.
//!
//! `"https://api.example.com/v1/" + $x` is some text, but whoever writes `$x` does not choose the host. A [`Head`] keeps
//! that: it is a fact about every text that the value may be, so it only ever shrinks where values meet.

use std::sync::Arc;

use super::{Data, Kinds, Rest, Shape, Value};
use crate::label::Label;
use crate::limits::HEAD_BYTES_MAX;

/// What every text that a value may be begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The beginning: not empty, and at most [`HEAD_BYTES_MAX`] bytes.
    text: Arc<str>,
    /// What decided these bytes, apart from what decided the rest. It flows to the value's own label.
    label: Label,
}

impl Head {
    fn new(text: &str, label: Label) -> Option<Self> {
        let text = cut(text, HEAD_BYTES_MAX);
        (!text.is_empty()).then(|| Self { text: text.into(), label })
    }

    /// What both begin with.
    fn common(&self, other: &Self) -> Option<Self> {
        let same = self.text.bytes().zip(other.text.bytes()).take_while(|(x, y)| x == y).count();
        Self::new(cut(&self.text, same), self.label.join(other.label))
    }

    fn admits(&self, other: &Self) -> bool {
        other.text.starts_with(self.text.as_ref()) && other.label.flows_to(self.label)
    }

    pub(super) fn map_label(&self, map: &dyn Fn(Label) -> Label) -> Self {
        Self { text: self.text.clone(), label: map(self.label) }
    }
}

/// The longest part of the front that has at most so many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

impl Value {
    /// Some text under `label` that begins as told.
    #[must_use]
    pub fn beginning(label: Label, head: Option<Head>) -> Self {
        let shape = Shape { kinds: Kinds::TEXT, head, fields: [].into(), rest: Rest::None };
        Self::new(label, Data::Unknown(Arc::new(shape)))
    }

    /// The known beginning, and the label of what decided it; an empty one has the label of the whole.
    ///
    /// Whatever raised the value since it was put together is in that label; what follows the beginning is not.
    #[must_use]
    pub fn head(&self) -> (Arc<str>, Label) {
        match (&self.data, self.begun()) {
            (Data::Text(text), _) => (text.clone(), self.label),
            (_, Some(head)) => (head.text.clone(), head.label),
            _ => ("".into(), self.label),
        }
    }

    fn begun(&self) -> Option<&Head> {
        if let Data::Unknown(shape) = &self.data { shape.head.as_ref() } else { None }
    }

    /// How it begins, if it is a text and that is known.
    pub(crate) fn known_head(&self) -> Option<Head> {
        match &self.data {
            Data::Text(text) => Head::new(text, self.label),
            Data::Unknown(shape) => shape.head.clone(),
            _ => None,
        }
    }

    /// The beginning of `self + next`, of texts. Behind a part that is not all known nothing is known.
    pub(crate) fn head_before(&self, next: &Self) -> Option<Head> {
        match (self.as_text(), next.known_head()) {
            (Some(text), Some(more)) => Head::new(&[text, &more.text].concat(), self.label.join(more.label)),
            _ => self.known_head(),
        }
    }

    /// The same value, its root raised. Whatever is read through the root is raised with it, and so is its beginning.
    #[must_use]
    pub fn raised(mut self, by: Label) -> Self {
        if let Data::Unknown(shape) = &mut self.data
            && shape.head.as_ref().is_some_and(|head| !by.flows_to(head.label))
        {
            let shape = Arc::make_mut(shape);
            shape.head = shape.head.take().map(|head| head.map_label(&|l| l.join(by)));
        }
        self.label = self.label.join(by);
        self
    }

    /// Whether raising it by the label changes nothing.
    #[must_use]
    pub fn is_raised(&self, by: Label) -> bool {
        by.flows_to(self.label) && self.begun().is_none_or(|head| by.flows_to(head.label))
    }
}

impl Shape {
    /// The beginning of what may be either; a side that is never a text has no say.
    pub(super) fn common_head(&self, other: &Self) -> Option<Head> {
        match (self.kinds.has(Kinds::TEXT), other.kinds.has(Kinds::TEXT)) {
            (true, true) => self.head.as_ref()?.common(other.head.as_ref()?),
            (true, false) => self.head.clone(),
            (false, _) => other.head.clone(),
        }
    }

    /// Whether `value`, if it is a text, begins as all of these do.
    ///
    /// Of a known text only its bytes are asked: its one label is that of the whole, not of how it begins.
    pub(super) fn admits_head(&self, value: &Value) -> bool {
        let Some(head) = &self.head else { return true };
        match &value.data {
            Data::Text(text) => text.starts_with(head.text.as_ref()),
            Data::Unknown(other) if other.kinds.has(Kinds::TEXT) => {
                other.head.as_ref().is_some_and(|theirs| head.admits(theirs))
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::label::{Atom, Universe};

    fn label() -> impl Strategy<Value = Label> {
        let mut universe = Universe::new();
        let [a, b] = ["a", "b"].map(|o| Label::of(universe.intern(Atom::Origin(o.into())).unwrap()));
        proptest::sample::select(vec![Label::BOTTOM, a, b, a.join(b)])
    }

    fn text() -> impl Strategy<Value = String> {
        "[aé]{0,3}"
    }

    /// Texts, known or not, and what is no text.
    fn value() -> impl Strategy<Value = Value> {
        let whole = (label(), text()).prop_map(|(l, t)| Value::text(l, t));
        let begun =
            (label(), label(), text()).prop_map(|(l, more, t)| Value::beginning(l.join(more), Head::new(&t, l)));
        let other = (label(), prop_oneof![Just(Kinds::NULL), Just(Kinds::NUMBER), Just(Kinds::ALL)])
            .prop_map(|(l, kinds)| Value::unknown(l, kinds));
        let (whole, begun, other) = (whole.boxed(), begun.boxed(), other.boxed());
        let either = (whole.clone(), begun.clone(), other.clone());
        let wide = either.prop_map(|(a, b, c)| a.join(&b).join(&c));
        prop_oneof![3 => whole, 3 => begun, 1 => other, 1 => wide]
    }

    proptest! {
        #[test]
        fn a_join_admits_both_and_its_beginning_only_shrinks(a in value(), b in value()) {
            let joined = a.join(&b);
            prop_assert!(joined.admits(&a) && joined.admits(&b), "{joined:?}");
            prop_assert!(joined.head().1.flows_to(joined.label));
            for side in [&a, &b].into_iter().filter(|v| v.kinds().has(Kinds::TEXT)) {
                prop_assert!(side.head().0.starts_with(joined.head().0.as_ref()));
                prop_assert!(joined.head().0.is_empty() || side.head().1.flows_to(joined.head().1));
            }
        }

        #[test]
        fn joining_again_changes_nothing(a in value(), b in value()) {
            let joined = a.join(&b);
            prop_assert_eq!(&joined.join(&a), &joined);
            prop_assert_eq!(&joined.join(&b), &joined);
        }

        #[test]
        fn raising_reaches_the_beginning(a in value(), by in label()) {
            let raised = a.clone().raised(by);
            prop_assert!(by.flows_to(raised.head().1) && raised.is_raised(by));
            prop_assert!(raised.admits(&a));
            prop_assert_eq!(a.is_raised(by), raised == a);
        }

        #[test]
        fn what_is_admitted_begins_as_told(a in value(), b in value()) {
            if a.admits(&b) && b.kinds() == Kinds::TEXT {
                prop_assert!(b.head().0.starts_with(a.head().0.as_ref()));
            }
        }
    }

    #[test]
    fn a_long_beginning_is_cut_between_characters() {
        let long = format!("a{}", "é".repeat(HEAD_BYTES_MAX));
        let head = Head::new(&long, Label::BOTTOM).unwrap();
        assert_eq!(head.text.len(), HEAD_BYTES_MAX - 1);
        assert!(long.starts_with(head.text.as_ref()));
    }

    #[test]
    fn two_characters_that_begin_with_the_same_byte_have_no_common_beginning() {
        let [e, o] = ["é", "ó"].map(|t| Value::text(Label::BOTTOM, t));
        assert_eq!(e.join(&o).head(), ("".into(), Label::BOTTOM));
    }
}
