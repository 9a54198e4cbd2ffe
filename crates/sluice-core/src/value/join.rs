//! Joins: what may be either of two values.
//!
//! A fixpoint joins the same things again and again, and nearly always for nothing. So the question that is answered first is
//! what a join adds: where that is nothing, at the root or anywhere below, nothing is made and what is there stays shared.

use std::sync::Arc;

use super::{Data, Kinds, Rest, Shape, Value, scalar_eq};
use crate::label::Label;
use crate::limits::{ABSTRACT_CHILDREN_MAX, ABSTRACT_DEPTH_MAX};

impl Value {
    /// The least value known to this domain that admits both, widened at the named depth and size bounds.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        self.grown_by(other).unwrap_or_else(|| self.clone())
    }

    /// The join with the other; `None` where that is this value itself.
    #[must_use]
    pub fn grown_by(&self, other: &Self) -> Option<Self> {
        self.grown_at(other, ABSTRACT_DEPTH_MAX)
    }

    fn grown_at(&self, other: &Self, depth: usize) -> Option<Self> {
        if depth == 0 {
            let all = Self::unknown(self.deep_label().join(other.deep_label()), self.kinds().or(other.kinds()));
            return (all != *self).then_some(all);
        }
        let label = self.label.join(other.label);
        match self.grown_data(other, depth) {
            Some(data) => Some(Self::new(label, data)),
            None => (label != self.label).then(|| Self::new(label, self.data.clone())),
        }
    }

    fn grown_data(&self, other: &Self, depth: usize) -> Option<Data> {
        match (&self.data, &other.data) {
            (a, b) if a.shares(b) && self.is_within(depth) => None,
            (Data::Unknown(shape), Data::Null) if shape.has_null_at(depth) => None,
            (Data::Null, Data::Unknown(shape)) if shape.has_null_at(depth) => Some(Data::Unknown(shape.clone())),
            (Data::Array(a), Data::Array(b)) if a.len() == b.len() => {
                let changes = changes(a.iter().zip(b.iter()), depth - 1)?;
                let mut items = (**a).clone();
                put(items.iter_mut(), changes);
                Some(Data::Array(Arc::new(items)))
            }
            (Data::Object(a), Data::Object(b)) if a.len() == b.len() && a.keys().eq(b.keys()) => {
                let changes = changes(a.values().zip(b.values()), depth - 1)?;
                let mut fields = (**a).clone();
                put(fields.values_mut(), changes);
                Some(Data::Object(Arc::new(fields)))
            }
            (a, b) if scalar_eq(a, b) => None,
            (Data::Unknown(shape), _) => shape.grown_at(&other.known_shape(), depth).map(Arc::new).map(Data::Unknown),
            _ => {
                let shape = self.shape();
                Some(Data::Unknown(Arc::new(shape.grown_at(&other.known_shape(), depth).unwrap_or(shape))))
            }
        }
    }

    /// Whether both are one and the same, as far as a look at their roots tells: no join of them needs to be made.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.label == other.label && (self.data.shares(&other.data) || scalar_eq(&self.data, &other.data))
    }

    /// Whether a join at this depth finds nothing in it to widen: joined with itself it stays as it is.
    fn is_within(&self, depth: usize) -> bool {
        let below = |value: &Self| depth > 0 && value.is_within(depth - 1);
        match &self.data {
            Data::Array(items) => depth > 0 && items.iter().all(below),
            Data::Object(fields) => depth > 0 && fields.values().all(below),
            Data::Unknown(shape) => {
                let rest = if let Rest::Each(value) = &shape.rest { below(value) } else { true };
                depth > 1 && shape.fields.len() <= ABSTRACT_CHILDREN_MAX && rest && shape.fields.values().all(below)
            }
            _ => depth > 0,
        }
    }
}

/// The places of children that grow, in order, with what they grow to; `None` if there is none.
fn changes<'v>(children: impl Iterator<Item = (&'v Value, &'v Value)>, depth: usize) -> Option<Vec<(usize, Value)>> {
    let grown = children.enumerate().filter_map(|(at, (a, b))| Some((at, a.grown_at(b, depth)?)));
    Some(grown.collect::<Vec<_>>()).filter(|grown| !grown.is_empty())
}

/// Puts changes at their places.
fn put<'v>(mut children: impl Iterator<Item = &'v mut Value>, changes: Vec<(usize, Value)>) {
    let mut next = 0;
    for (at, value) in changes {
        if let Some(child) = children.nth(at - next) {
            *child = value;
        }
        next = at + 1;
    }
}

impl Shape {
    /// The join with another; `None` where that is this shape itself.
    fn grown_at(&self, other: &Self, depth: usize) -> Option<Self> {
        let (kinds, head) = (self.kinds.or(other.kinds), self.common_head(other));
        let is_new = |key: &&Arc<str>| !self.fields.contains_key(*key);
        let same_keys = self.fields.len() == other.fields.len() && self.fields.keys().eq(other.fields.keys());
        let new: Vec<&Arc<str>> = if same_keys { Vec::new() } else { other.fields.keys().filter(is_new).collect() };
        if self.fields.len() + new.len() > ABSTRACT_CHILDREN_MAX || depth <= 1 {
            let rest = Rest::Deep(self.children_label().join(other.children_label()));
            let all = Self { kinds, head, fields: [].into(), rest };
            return (all != *self).then_some(all);
        }
        let listed = if same_keys {
            changes(self.fields.values().zip(other.fields.values()), depth - 1)
        } else {
            let both = self.fields.iter().map(|(key, mine)| (mine, other.at(key)));
            let grown = both.enumerate().filter_map(|(at, (a, b))| Some((at, a.grown_at(b?.as_ref(), depth - 1)?)));
            Some(grown.collect::<Vec<_>>()).filter(|grown| !grown.is_empty())
        };
        let rest = self.rest.grown_by(&other.rest, depth - 1);
        if listed.is_none() && new.is_empty() && rest.is_none() && kinds == self.kinds && head == self.head {
            return None;
        }
        let mut fields = self.fields.clone();
        put(fields.values_mut(), listed.unwrap_or_default());
        let added = new.into_iter().filter_map(|key| {
            let theirs = other.fields.get(key)?;
            let value = self.at(key).map_or_else(
                || theirs.clone(),
                |mine| mine.grown_at(theirs, depth - 1).unwrap_or_else(|| mine.into_owned()),
            );
            Some((key.clone(), value))
        });
        fields.extend(added);
        Some(Self { kinds, head, fields, rest: rest.unwrap_or_else(|| self.rest.clone()) })
    }

    /// Whether a join with `null` at this depth leaves it as it is: the commonest join, of what may not have happened yet.
    fn has_null_at(&self, depth: usize) -> bool {
        self.kinds.has(Kinds::NULL) && depth > 1 && self.fields.len() <= ABSTRACT_CHILDREN_MAX
    }
}

impl Rest {
    fn grown_by(&self, other: &Self, depth: usize) -> Option<Self> {
        let deeper = |mine: Label, theirs| {
            let label = mine.join(theirs);
            (label != mine).then_some(Self::Deep(label))
        };
        match (self, other) {
            (_, Self::None) => None,
            (Self::None, rest) => Some(rest.clone()),
            (Self::Each(a), Self::Each(b)) => Some(Self::Each(Box::new(a.grown_at(b, depth)?))),
            (Self::Deep(a), Self::Deep(b)) => deeper(*a, *b),
            (Self::Deep(a), Self::Each(b)) => deeper(*a, b.deep_label()),
            (Self::Each(a), Self::Deep(b)) => Some(Self::Deep(b.join(a.deep_label()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::label::{Atom, Universe};

    fn label() -> impl Strategy<Value = Label> {
        let mut universe = Universe::new();
        let [a, b] = ["a", "b"].map(|o| Label::of(universe.intern(Atom::Origin(o.into())).unwrap()));
        proptest::sample::select(vec![Label::BOTTOM, a, b, a.join(b)])
    }

    fn kinds() -> impl Strategy<Value = Kinds> {
        proptest::sample::select(vec![Kinds::ALL, Kinds::TEXT, Kinds::OBJECT, Kinds::NULL.or(Kinds::OBJECT)])
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            label().prop_map(Value::null),
            (label(), 0..3_i64).prop_map(|(l, n)| Value::int(l, n)),
            (label(), "[ab]{0,2}").prop_map(|(l, t)| Value::text(l, t)),
            (label(), kinds()).prop_map(|(l, k)| Value::unknown(l, k)),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let fields = || proptest::collection::btree_map("[xy]".prop_map(Arc::<str>::from), inner.clone(), 0..3);
            let rest = prop_oneof![
                Just(Rest::None),
                inner.clone().prop_map(|v| Rest::Each(Box::new(v))),
                label().prop_map(Rest::Deep),
            ];
            let shape = |(label, kinds, fields, rest): (Label, Kinds, BTreeMap<Arc<str>, Value>, Rest)| {
                Value::new(label, Data::Unknown(Arc::new(Shape { kinds, head: None, fields, rest })))
            };
            prop_oneof![
                (label(), proptest::collection::vec(inner.clone(), 0..3)).prop_map(|(l, v)| Value::array(l, v)),
                (label(), fields()).prop_map(|(l, f)| Value::object(l, f)),
                (label(), kinds(), fields(), rest).prop_map(shape),
            ]
        })
    }

    /// The same, nothing of it shared.
    fn copy(value: &Value) -> Value {
        value.map_labels(&|label| label)
    }

    proptest! {
        #[test]
        fn a_join_is_told_apart_from_what_it_grew_from(a in value(), b in value()) {
            let joined = a.join(&b);
            prop_assert_eq!(a.grown_by(&b).is_none(), joined == a, "{:?}\n{:?}", a, b);
            prop_assert_eq!(joined.grown_by(&a), None);
            prop_assert_eq!(joined.grown_by(&b), None);
        }

        #[test]
        fn a_join_admits_whatever_either_admits(a in value(), b in value(), run in value()) {
            let joined = a.join(&b);
            for admitting in [&a, &b] {
                prop_assert!(!run.is_concrete() || !admitting.admits(&run) || joined.admits(&run), "{a:?}\n{b:?}");
            }
        }

        #[test]
        fn what_is_shared_joins_like_a_copy_of_it(a in value(), b in value()) {
            let joined = a.join(&b);
            prop_assert_eq!(&joined, &copy(&a).join(&copy(&b)));
            prop_assert_eq!(joined.join(&a), copy(&joined).join(&copy(&a)));
        }
    }

    #[test]
    fn what_is_deeper_than_the_bound_is_cut_though_both_share_it() {
        let deep = |levels| (0..levels).fold(Value::null(Label::BOTTOM), |v, _| Value::array(Label::BOTTOM, vec![v]));
        let (within, beyond) = (deep(3), deep(ABSTRACT_DEPTH_MAX + 1));
        assert_eq!(within.grown_by(&within.clone()), None);
        let cut = beyond.grown_by(&beyond.clone()).unwrap();
        assert_eq!(cut, copy(&beyond).join(&copy(&beyond)));
        assert_eq!(cut.grown_by(&cut.clone()), None);
    }

    #[test]
    fn a_key_that_one_side_alone_lists_meets_what_the_other_says_of_every_key() {
        let shape = |fields: &[(&str, i64)], rest| {
            let fields = fields.iter().map(|(key, n)| (Arc::from(*key), Value::int(Label::BOTTOM, *n))).collect();
            let shape = Shape { kinds: Kinds::OBJECT, head: None, fields, rest };
            Value::new(Label::BOTTOM, Data::Unknown(Arc::new(shape)))
        };
        let each = Rest::Each(Box::new(Value::text(Label::BOTTOM, "t")));
        let (listed, open) = (shape(&[("x", 1)], Rest::None), shape(&[], each));
        for joined in [listed.join(&open), open.join(&listed)] {
            let x = joined.child("x").unwrap();
            assert!(x.admits(&Value::int(Label::BOTTOM, 1)) && x.admits(&Value::text(Label::BOTTOM, "t")));
            assert!(!joined.child("y").unwrap().admits(&Value::int(Label::BOTTOM, 1)));
        }
    }
}
