//! The known names of jq, each as a function of values or written out in smaller parts as jaq defines it.

use crate::label::Label;
use crate::text::Span;
use crate::value::{Kinds, Value};

use super::function::Function;
use super::tree::{Expr, Kind, Order};

/// The name of a variable that no author can write.
const OUTER: &str = "%outer";
const EACH: &str = "%each";

type Modification<'m> = &'m mut dyn FnMut(Expr, Expr) -> Expr;

/// The expression that a call stands for; none if it is not known.
pub(super) fn known(name: &str, arguments: &[Expr], span: Span, modification: Modification<'_>) -> Option<Expr> {
    match arguments {
        [] => constant(name, span).or_else(|| without_arguments(name, span, modification)),
        [a] => with_one(name, a, span, modification),
        [a, b] => with_two(name, a, b, span),
        [a, b, c] if name == "range" => Some(new(Kind::Range(boxed(a), boxed(b), boxed(c)), span)),
        _ => None,
    }
}

fn new(kind: Kind, span: Span) -> Expr {
    Expr::new(kind, span)
}

fn boxed(e: &Expr) -> Box<Expr> {
    Box::new(e.clone())
}

fn input(span: Span) -> Box<Expr> {
    Box::new(Expr::input(span))
}

fn bool(value: bool, span: Span) -> Expr {
    Expr::literal(Value::bool(Label::BOTTOM, value), span)
}

fn null(span: Span) -> Expr {
    Expr::literal(Value::null(Label::BOTTOM), span)
}

fn each(span: Span) -> Expr {
    new(Kind::Iterate { base: input(span), optional: false }, span)
}

fn index(key: Expr, span: Span) -> Expr {
    new(Kind::Index { base: input(span), key: Box::new(key), optional: false }, span)
}

fn collect(e: Expr, span: Span) -> Expr {
    new(Kind::Collect(Box::new(e)), span)
}

fn order(order: Order, key: Expr, span: Span) -> Expr {
    new(Kind::Order(order, Box::new(key)), span)
}

fn call(function: Function, span: Span) -> Expr {
    Expr::call(function, vec![Expr::input(span)], span)
}

/// `select(condition)`
fn select(condition: Expr, span: Span) -> Expr {
    new(Kind::If(Box::new(condition), input(span), Box::new(Expr::empty(span))), span)
}

fn of_kinds(kinds: Kinds, span: Span) -> Expr {
    select(call(Function::IsKind(kinds), span), span)
}

/// `[.[] | f]`
fn map(f: Expr, span: Span) -> Expr {
    collect(each(span).pipe(f), span)
}

/// `reduce f as $x (null; . + $x)`
fn add(f: Expr, span: Span) -> Expr {
    let item = new(Kind::Variable(EACH.into()), span);
    let update = new(Kind::Math(super::tree::Math::Add, input(span), Box::new(item)), span);
    let init = Box::new(null(span));
    new(Kind::Reduce { source: Box::new(f), name: EACH.into(), init, update: Box::new(update) }, span)
}

/// `any(g; c)` and `all(g; c)` as jaq defines them: they stop at the first that decides.
fn quantified(any: bool, generator: Expr, condition: Expr, span: Span) -> Expr {
    let stops = Kind::Logic { stop: any, left: Box::new(condition), right: Box::new(Expr::empty(span)) };
    let none = new(Kind::IsEmpty(Box::new(generator.pipe(new(stops, span)))), span);
    if any { none.pipe(call(Function::Not, span)) } else { none }
}

fn constant(name: &str, span: Span) -> Option<Expr> {
    Some(match name {
        "true" => bool(true, span),
        "false" => bool(false, span),
        "null" => null(span),
        "empty" => Expr::empty(span),
        _ => return None,
    })
}

fn without_arguments(name: &str, span: Span, modification: Modification<'_>) -> Option<Expr> {
    if let Some(function) = function(name) {
        return Some(call(function, span));
    }
    if let Some(kinds) = kinds_named(name) {
        return Some(of_kinds(kinds, span));
    }
    Some(match name {
        "error" => new(Kind::Fail(input(span)), span),
        "first" => index(Expr::int(0, span), span),
        "last" => index(Expr::int(-1, span), span),
        "add" => add(each(span), span),
        "any" => quantified(true, each(span), Expr::input(span), span),
        "all" => quantified(false, each(span), Expr::input(span), span),
        "sort" => call(Function::Sort, span),
        "min" => order(Order::Min, Expr::input(span), span),
        "max" => order(Order::Max, Expr::input(span), span),
        "unique" => unique(Expr::input(span), span),
        "from_entries" => from_entries(span, modification),
        _ => return None,
    })
}

/// `[group_by(key)[] | .[0]]`
fn unique(key: Expr, span: Span) -> Expr {
    let groups = new(Kind::Iterate { base: Box::new(order(Order::Group, key, span)), optional: false }, span);
    collect(groups.pipe(index(Expr::int(0, span), span)), span)
}

/// `reduce .[] as $x ({}; . + {($x.key): $x.value})`
fn from_entries(span: Span, _modification: Modification<'_>) -> Expr {
    let part = |name: &str| index(Expr::text(name, span), span);
    let entry = new(Kind::Object(vec![(part("key"), part("value"))]), span);
    let source = Box::new(each(span).pipe(entry));
    let item = new(Kind::Variable(EACH.into()), span);
    let update = new(Kind::Math(super::tree::Math::Add, input(span), Box::new(item)), span);
    let init = Box::new(Expr::literal(Value::object(Label::BOTTOM, []), span));
    new(Kind::Reduce { source, name: EACH.into(), init, update: Box::new(update) }, span)
}

fn with_one(name: &str, a: &Expr, span: Span, modification: Modification<'_>) -> Option<Expr> {
    let one = |kind: fn(Box<Expr>) -> Kind| new(kind(boxed(a)), span);
    if let Some(function) = function_of_one(name) {
        return Some(Expr::call(function, vec![Expr::input(span), a.clone()], span));
    }
    Some(match name {
        "error" => one(Kind::Fail),
        "first" => one(Kind::First),
        "last" => one(Kind::Last),
        "isempty" => one(Kind::IsEmpty),
        "select" => select(a.clone(), span),
        "map" => map(a.clone(), span),
        "map_values" => modification(each(span), a.clone()),
        "del" => modification(a.clone(), Expr::empty(span)),
        "add" => add(a.clone(), span),
        "any" => quantified(true, each(span), a.clone(), span),
        "all" => quantified(false, each(span), a.clone(), span),
        "range" => new(Kind::Range(Box::new(Expr::int(0, span)), boxed(a), Box::new(Expr::int(1, span))), span),
        "nth" => index(a.clone(), span),
        "sort_by" => order(Order::Sort, a.clone(), span),
        "group_by" => order(Order::Group, a.clone(), span),
        "min_by" => order(Order::Min, a.clone(), span),
        "max_by" => order(Order::Max, a.clone(), span),
        "unique_by" => unique(a.clone(), span),
        "with_entries" => {
            let mapped = call(Function::ToEntries, span).pipe(map(a.clone(), span));
            mapped.pipe(from_entries(span, modification))
        }
        "in" => swapped(Function::Has, a, span),
        "inside" => swapped(Function::Contains, a, span),
        "index" => place_of(a, 0, span),
        "rindex" => place_of(a, -1, span),
        "getpath" => path_of(a, span),
        _ => return None,
    })
}

/// `. as $x | a | f($x)`
fn swapped(function: Function, a: &Expr, span: Span) -> Expr {
    let outer = new(Kind::Variable(OUTER.into()), span);
    let body = a.clone().pipe(Expr::call(function, vec![Expr::input(span), outer], span));
    new(Kind::Bind { source: input(span), name: OUTER.into(), body: Box::new(body) }, span)
}

/// `indices(a)[i]`
fn place_of(a: &Expr, i: i64, span: Span) -> Expr {
    let base = Box::new(Expr::call(Function::Indices, vec![Expr::input(span), a.clone()], span));
    new(Kind::Index { base, key: Box::new(Expr::int(i, span)), optional: false }, span)
}

/// `a as $path | reduce $path[] as $p (.; .[$p])`
fn path_of(a: &Expr, span: Span) -> Expr {
    let variable = |name: &str| Box::new(new(Kind::Variable(name.into()), span));
    let source = Box::new(new(Kind::Iterate { base: variable(OUTER), optional: false }, span));
    let update = Kind::Index { base: input(span), key: variable(EACH), optional: false };
    let body = Kind::Reduce { source, name: EACH.into(), init: input(span), update: Box::new(new(update, span)) };
    new(Kind::Bind { source: boxed(a), name: OUTER.into(), body: Box::new(new(body, span)) }, span)
}

fn with_two(name: &str, a: &Expr, b: &Expr, span: Span) -> Option<Expr> {
    Some(match name {
        "limit" => new(Kind::Limit(boxed(a), boxed(b)), span),
        "skip" => new(Kind::Skip(boxed(a), boxed(b)), span),
        "any" => quantified(true, a.clone(), b.clone(), span),
        "all" => quantified(false, a.clone(), b.clone(), span),
        "range" => new(Kind::Range(boxed(a), boxed(b), Box::new(Expr::int(1, span))), span),
        "nth" => {
            let rest = new(Kind::Skip(boxed(a), boxed(b)), span);
            new(Kind::First(Box::new(rest)), span)
        }
        _ => return None,
    })
}

fn kinds_named(name: &str) -> Option<Kinds> {
    let containers = Kinds::ARRAY.or(Kinds::OBJECT);
    Some(match name {
        "values" => Kinds::ALL.without(Kinds::NULL),
        "nulls" => Kinds::NULL,
        "booleans" => Kinds::BOOL,
        "numbers" => Kinds::NUMBER,
        "strings" => Kinds::TEXT,
        "arrays" => Kinds::ARRAY,
        "objects" => Kinds::OBJECT,
        "iterables" => containers,
        "scalars" => Kinds::ALL.without(containers),
        _ => return None,
    })
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "not" => Function::Not,
        "length" => Function::Length,
        "utf8bytelength" => Function::Utf8ByteLength,
        "keys" => Function::Keys,
        "keys_unsorted" => Function::KeysUnsorted,
        "type" => Function::Type,
        "isboolean" => Function::IsKind(Kinds::BOOL),
        "isnumber" => Function::IsKind(Kinds::NUMBER),
        "isstring" => Function::IsKind(Kinds::TEXT),
        "isarray" => Function::IsKind(Kinds::ARRAY),
        "isobject" => Function::IsKind(Kinds::OBJECT),
        "tostring" => Function::ToText,
        "tojson" => Function::ToJson,
        "fromjson" => Function::FromJson,
        "tonumber" => Function::ToNumber,
        "toboolean" => Function::ToBoolean,
        "ascii_downcase" => Function::Lower,
        "ascii_upcase" => Function::Upper,
        "trim" => Function::Trim,
        "ltrim" => Function::TrimStart,
        "rtrim" => Function::TrimEnd,
        "explode" => Function::Explode,
        "implode" => Function::Implode,
        "reverse" => Function::Reverse,
        "flatten" => Function::Flatten,
        "to_entries" => Function::ToEntries,
        "floor" => Function::Floor,
        "ceil" => Function::Ceil,
        "round" => Function::Round,
        "sqrt" => Function::SquareRoot,
        "fabs" => Function::Fabs,
        _ => return None,
    })
}

fn function_of_one(name: &str) -> Option<Function> {
    Some(match name {
        "has" => Function::Has,
        "contains" => Function::Contains,
        "indices" => Function::Indices,
        "startswith" => Function::StartsWith,
        "endswith" => Function::EndsWith,
        "ltrimstr" => Function::StripPrefix,
        "rtrimstr" => Function::StripSuffix,
        "split" => Function::Split,
        "join" => Function::Join,
        "flatten" => Function::FlattenTo,
        _ => return None,
    })
}
