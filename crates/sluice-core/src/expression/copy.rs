//! What an expression hands on unchanged: for facts that hold of a value and go with it wherever it is copied.
//!
//! Only forms that surely copy are looked through; of everything else nothing is said. So an answer may say too little and
//! never too much.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tree::{Expr, Kind, Math};
use super::{Expression, Function};

/// Where a path starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// `.`
    Input,
    /// A variable, without `$`.
    Variable(Arc<str>),
}

/// Keys, from the outermost on.
pub type Path = Vec<Arc<str>>;

/// How an expression uses something that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// As it is: all of the result, a field, or a part of a text.
    AsItIs,
    /// Something is made from it.
    Made,
}

impl Expression {
    /// What is read, if the expression does nothing but read fields by constant keys.
    #[must_use]
    pub fn path(&self) -> Option<(Base, Path)> {
        path(&self.root)
    }

    /// The expression of one field, of an object whose keys are constant.
    #[must_use]
    pub fn field_alone(&self, key: &str) -> Option<Self> {
        let Kind::Object(fields) = &bare(&self.root).kind else { return None };
        let named = |(k, _): &&(Expr, Expr)| constant_key(k).is_some_and(|k| k.as_ref() == key);
        fields.iter().rev().find(named).map(|(_, value)| Self { root: value.clone(), span: value.span })
    }

    /// The facts that hold of the parts of the result, by their paths, if those of each base are `facts`. Of alternatives
    /// only what holds of each does, and then `either` of both.
    #[must_use]
    pub fn carried<T: Clone>(
        &self,
        facts: &dyn Fn(&Base) -> BTreeMap<Path, T>,
        either: &dyn Fn(&T, &T) -> T,
    ) -> BTreeMap<Path, T> {
        carried(&self.root, facts, either)
    }

    /// The same, with something unknown that nobody wrote wherever a path is read of which `is_known` holds.
    #[must_use]
    pub fn without(&self, is_known: &mut dyn FnMut(&Base, &Path, Used) -> bool) -> Self {
        Self { root: without(&self.root, Used::AsItIs, is_known), span: self.span }
    }
}

/// What stands behind wrappers that only say what happens where it fails.
fn bare(e: &Expr) -> &Expr {
    match &e.kind {
        Kind::Single(inner) => bare(inner),
        Kind::Try(body, Some(handler)) if is_lenient(body, handler) => bare(body),
        _ => e,
    }
}

/// What [`Expression::lenient`] writes.
fn is_lenient(body: &Expr, handler: &Expr) -> bool {
    matches!(&handler.kind, Kind::Opaque(parts) if parts.as_slice() == std::slice::from_ref(body))
}

fn path(e: &Expr) -> Option<(Base, Path)> {
    match &bare(e).kind {
        Kind::Input => Some((Base::Input, Vec::new())),
        Kind::Variable(name) => Some((Base::Variable(name.clone()), Vec::new())),
        Kind::Index { base, key, .. } => {
            let (base, mut keys) = path(base)?;
            keys.push(constant_key(key)?);
            Some((base, keys))
        }
        _ => None,
    }
}

fn constant_key(e: &Expr) -> Option<Arc<str>> {
    match &e.kind {
        Kind::Literal(value) => value.as_text().map(Into::into),
        _ => None,
    }
}

fn carried<T: Clone>(
    e: &Expr,
    facts: &dyn Fn(&Base) -> BTreeMap<Path, T>,
    either: &dyn Fn(&T, &T) -> T,
) -> BTreeMap<Path, T> {
    match &bare(e).kind {
        Kind::Input => facts(&Base::Input),
        Kind::Variable(name) => facts(&Base::Variable(name.clone())),
        Kind::Index { base, key, .. } => match constant_key(key) {
            Some(key) => below(carried(base, facts, either), &key),
            None => BTreeMap::new(),
        },
        Kind::Object(fields) => object(fields, facts, either),
        Kind::Math(Math::Add, left, right) => match &bare(right).kind {
            Kind::Object(fields) => {
                let Some(keys) = fields.iter().map(|(key, _)| constant_key(key)).collect::<Option<Vec<_>>>() else {
                    return BTreeMap::new();
                };
                let mut kept = carried(left, facts, either);
                kept.retain(|path, _| path.first().is_some_and(|first| !keys.contains(first)));
                kept.extend(object(fields, facts, either));
                kept
            }
            _ => BTreeMap::new(),
        },
        Kind::If(_, then, other) => {
            let (then, other) = (carried(then, facts, either), carried(other, facts, either));
            let both = then.iter().filter_map(|(path, a)| Some((path.clone(), either(a, other.get(path)?))));
            both.collect()
        }
        _ => BTreeMap::new(),
    }
}

/// The facts of what lies under a key.
fn below<T>(facts: BTreeMap<Path, T>, key: &Arc<str>) -> BTreeMap<Path, T> {
    let under = |(path, fact): (Path, T)| {
        let (first, rest) = path.split_first()?;
        (first == key).then(|| (rest.to_vec(), fact))
    };
    facts.into_iter().filter_map(under).collect()
}

/// The last of two fields of one name is the one that is there.
fn object<T: Clone>(
    fields: &[(Expr, Expr)],
    facts: &dyn Fn(&Base) -> BTreeMap<Path, T>,
    either: &dyn Fn(&T, &T) -> T,
) -> BTreeMap<Path, T> {
    let mut all: BTreeMap<Path, T> = BTreeMap::new();
    for (key, value) in fields {
        // A key that is not known may be any of those before it.
        let Some(key) = constant_key(key) else { return BTreeMap::new() };
        all.retain(|path, _| path.first() != Some(&key));
        for (path, fact) in carried(value, facts, either) {
            all.insert(std::iter::once(key.clone()).chain(path).collect(), fact);
        }
    }
    all
}

fn without(e: &Expr, used: Used, is_known: &mut dyn FnMut(&Base, &Path, Used) -> bool) -> Expr {
    if let Some((base, path)) = path(e) {
        let known = is_known(&base, &path, used);
        return if known { Expr::new(Kind::Opaque(Vec::new()), e.span) } else { e.clone() };
    }
    let mut each = |items: &[Expr], used| items.iter().map(|item| without(item, used, is_known)).collect::<Vec<Expr>>();
    let kind = match &e.kind {
        Kind::Single(inner) => Kind::Single(Box::new(without(inner, used, is_known))),
        Kind::Try(body, Some(handler)) if is_lenient(body, handler) => {
            let body = without(body, used, is_known);
            let handler = Expr::boxed(Kind::Opaque(vec![body.clone()]), e.span);
            Kind::Try(Box::new(body), Some(handler))
        }
        Kind::Text(items) => Kind::Text(each(items, used)),
        Kind::List(items) => Kind::List(each(items, used)),
        Kind::Call(Function::ToText, items) => Kind::Call(Function::ToText, each(items, used)),
        Kind::Opaque(items) => Kind::Opaque(each(items, Used::Made)),
        Kind::Object(fields) => {
            let field = |(key, value): &(Expr, Expr)| (key.clone(), without(value, used, is_known));
            Kind::Object(fields.iter().map(field).collect())
        }
        Kind::If(condition, then, other) => Kind::If(
            condition.clone(),
            Box::new(without(then, used, is_known)),
            Box::new(without(other, used, is_known)),
        ),
        _ => return e.clone(),
    };
    Expr::new(kind, e.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn read(keys: &[&str]) -> Expression {
        keys.iter().fold(Expression::input(Span::default()), |e, key| Expression::member(e, key))
    }

    fn object(fields: &[(&str, Expression)]) -> Expression {
        Expression::object(fields.iter().map(|(k, e)| ((*k).into(), e.clone())).collect(), Span::default())
    }

    /// The paths of the result that hold what `.a.b` holds.
    fn copies(e: &Expression) -> Vec<String> {
        let facts = |base: &Base| match base {
            Base::Input => [(vec!["a".into(), "b".into()], ())].into(),
            Base::Variable(_) => BTreeMap::new(),
        };
        e.carried(&facts, &|(), ()| ()).keys().map(|path| path.join(".")).collect()
    }

    #[test]
    fn a_fact_goes_with_the_value_and_ends_where_it_is_changed() {
        let span = Span::default();
        let made = Expression::opaque(vec![read(&["a", "b"])], span);
        for (what, expression, expected) in [
            ("the whole", read(&[]), vec!["a.b"]),
            ("what is around it", read(&["a"]), vec!["b"]),
            ("itself", read(&["a", "b"]), vec![""]),
            ("another", read(&["a", "c"]), vec![]),
            ("itself, whatever fails", read(&["a", "b"]).lenient(), vec![""]),
            ("under another name", object(&[("x", read(&["a", "b"]))]), vec!["x"]),
            ("the last of two", object(&[("x", read(&["a", "b"])), ("x", read(&["c"]))]), vec![]),
            ("beside another field", read(&[]).merged(object(&[("c", read(&["c"]))])), vec!["a.b"]),
            ("written over", read(&[]).merged(object(&[("a", read(&["c"]))])), vec![]),
            ("merged with what is not known", read(&[]).merged(read(&["c"])), vec![]),
            ("made into something", made.clone(), vec![]),
            ("one of the same", Expression::one_of(vec![read(&[]), read(&[])], span), vec!["a.b"]),
            ("one of others", Expression::one_of(vec![read(&[]), read(&["c"])], span), vec![]),
        ] {
            assert_eq!(copies(&expression), expected, "{what}");
        }
    }

    #[test]
    fn what_is_known_is_taken_out_where_it_is_read_and_nothing_else() {
        let span = Span::default();
        let text = Expression::text(
            vec![super::super::TextPart::Literal("x".into()), super::super::TextPart::Expression(read(&["a"]))],
            span,
        );
        for (what, expression, uses) in [
            ("itself", read(&["a"]).lenient(), vec![Used::AsItIs]),
            ("in a text", text.lenient(), vec![Used::AsItIs]),
            ("in a field", object(&[("x", read(&["a"]).lenient())]).lenient(), vec![Used::AsItIs]),
            ("made into something", Expression::opaque(vec![read(&["a"])], span), vec![Used::Made]),
            ("a part of it", read(&["a", "b"]), vec![]),
            ("more than it", read(&[]), vec![]),
        ] {
            let mut seen = Vec::new();
            let rest = expression.without(&mut |_, path, used| {
                let known = path.len() == 1 && path[0].as_ref() == "a";
                if known {
                    seen.push(used);
                }
                known
            });
            assert_eq!(seen, uses, "{what}");
            assert_eq!(rest == expression, uses.is_empty(), "{what}");
        }
    }
}
