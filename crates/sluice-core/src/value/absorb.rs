//! Whether a join adds anything, found out without making it.
//!
//! A fixpoint joins the same things again and again, and nearly always for nothing. The answer errs towards "it may":
//! where it is "no", the join is the value itself.

use super::{Data, Rest, Shape, Value, scalar_eq};
use crate::limits::{ABSTRACT_CHILDREN_MAX, ABSTRACT_DEPTH_MAX};

impl Value {
    /// Whether joining the other surely leaves this value as it is.
    #[must_use]
    pub fn absorbs(&self, other: &Self) -> bool {
        self.absorbs_at(other, ABSTRACT_DEPTH_MAX)
    }

    fn absorbs_at(&self, other: &Self, depth: usize) -> bool {
        if depth == 0 || !other.label.flows_to(self.label) {
            return false;
        }
        match (&self.data, &other.data) {
            (a, b) if a.shares(b) => self.is_within(depth),
            (Data::Array(a), Data::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.absorbs_at(y, depth - 1))
            }
            (Data::Object(a), Data::Object(b)) => {
                let same_keys = a.len() == b.len() && a.keys().eq(b.keys());
                same_keys && a.values().zip(b.values()).all(|(x, y)| x.absorbs_at(y, depth - 1))
            }
            (Data::Unknown(shape), Data::Null) => shape.has_null_at(depth),
            (Data::Unknown(a), Data::Unknown(b)) => a.absorbs_at(b, depth),
            (a, b) => scalar_eq(a, b),
        }
    }
}

impl Shape {
    fn absorbs_at(&self, other: &Self, depth: usize) -> bool {
        depth > 1
            && self.fields.len() <= ABSTRACT_CHILDREN_MAX
            && self.kinds.has(other.kinds)
            && self.absorbs_rest(&other.rest, depth - 1)
            && other.fields.keys().all(|key| self.fields.contains_key(key))
            && self.fields.iter().all(|(key, mine)| other.at(key).is_none_or(|its| mine.absorbs_at(&its, depth - 1)))
            && self.common_head(other) == self.head
    }

    fn absorbs_rest(&self, other: &Rest, depth: usize) -> bool {
        match (&self.rest, other) {
            (_, Rest::None) => true,
            (Rest::Each(a), Rest::Each(b)) => a.absorbs_at(b, depth),
            (Rest::Deep(a), Rest::Deep(b)) => b.flows_to(*a),
            (Rest::Deep(a), Rest::Each(b)) => b.deep_label().flows_to(*a),
            (Rest::None, _) | (Rest::Each(_), Rest::Deep(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::label::{Atom, Label, Universe};
    use crate::value::Kinds;

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

    proptest! {
        #[test]
        fn what_is_absorbed_adds_nothing_to_a_join(a in value(), b in value()) {
            prop_assert!(!a.absorbs(&b) || a.join(&b) == a, "{a:?}\n{b:?}");
        }
    }

    #[test]
    fn a_join_absorbs_the_shapes_that_it_was_made_of() {
        let shape = |key: &str, kinds| {
            let fields = [(key.into(), Value::unknown(Label::BOTTOM, kinds))].into();
            Value::new(
                Label::BOTTOM,
                Data::Unknown(Arc::new(Shape { kinds: Kinds::OBJECT, head: None, fields, rest: Rest::None })),
            )
        };
        let (a, b) = (shape("x", Kinds::TEXT), shape("x", Kinds::NUMBER));
        let both = a.join(&b);
        assert!(both.absorbs(&a) && both.absorbs(&b) && both.absorbs(&both.clone()));
        assert!(!a.absorbs(&b) && !both.absorbs(&shape("y", Kinds::TEXT)));
    }

    #[test]
    fn a_deep_value_is_not_absorbed_for_its_join_is_cut() {
        let deep = |levels| (0..levels).fold(Value::null(Label::BOTTOM), |v, _| Value::array(Label::BOTTOM, vec![v]));
        assert!(deep(3).absorbs(&deep(3)));
        assert!(!deep(ABSTRACT_DEPTH_MAX + 1).absorbs(&deep(ABSTRACT_DEPTH_MAX + 1)));
    }
}
