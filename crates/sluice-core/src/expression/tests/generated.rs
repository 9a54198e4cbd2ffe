//! Programs and values for the properties.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::label::{Atom, Label, Universe};
use crate::value::{Data, Kinds, Value};

/// Program texts of the translated fragment, without what jaq and we on purpose do differently.
pub(super) fn program() -> impl Strategy<Value = String> {
    // Whatever the input is, `$x` and `$y` are bound once.
    expression().prop_map(|e| format!("(.a? // 1) as $x | ([.b?] | first) as $y | ({e})"))
}

fn expression() -> BoxedStrategy<String> {
    leaf()
        .prop_recursive(4, 24, 3, |inner| {
            let e = || inner.clone();
            prop_oneof![
                3 => one(e()),
                3 => two(e()),
                1 => three(e()),
                2 => folded(e()),
                2 => modified(e()),
            ]
        })
        .boxed()
}

fn leaf() -> impl Strategy<Value = String> {
    let fixed = [
        ".",
        ".",
        ".a",
        ".b",
        ".c",
        ".a?",
        ".b.c?",
        ".[0]?",
        ".[-1]?",
        ".[]?",
        ".[1:]?",
        ".[:1]?",
        "$x",
        "$y",
        "0",
        "1",
        "2.5",
        "-3",
        "\"ab\"",
        "\"a,b\"",
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "empty",
        "error",
        "error(\"e\")",
        "[1, 2]",
        "{a: 1}",
        "[.[]?]",
        "$x.a?",
    ];
    proptest::sample::select(fixed.map(str::to_owned).to_vec())
}

fn template(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(of.to_vec())
}

fn fill(template: &str, parts: &[&str]) -> String {
    ["#1", "#2", "#3"].iter().zip(parts).fold(template.to_owned(), |text, (hole, part)| {
        let part = if part.contains(' ') { format!("({part})") } else { (*part).to_owned() };
        text.replace(hole, &part)
    })
}

fn one(e: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let of: &[&str] = &[
        "[#1]",
        "(#1)?",
        "(#1 | .a)",
        "(#1).a?",
        "(#1)[0]?",
        "[(#1)[]?]",
        "-(#1)",
        "(#1 | not)",
        "(#1 | length)",
        "(#1 | keys)",
        "(#1 | keys_unsorted)",
        "(#1 | type)",
        "(#1 | tostring)",
        "(#1 | tojson)",
        "(#1 | add)",
        "(#1 | any)",
        "(#1 | all)",
        "(#1 | sort)",
        "(#1 | unique)",
        "(#1 | min)",
        "(#1 | max)",
        "(#1 | reverse)",
        "(#1 | flatten)",
        "(#1 | flatten(1))",
        "(#1 | to_entries)",
        "(#1 | first)",
        "(#1 | last)",
        "first(#1)",
        "last(#1)",
        "isempty(#1)",
        "[limit(1; #1)]",
        "[limit(2; #1)]",
        "[skip(1; #1)]",
        "(#1 | values)",
        "(#1 | scalars)",
        "(#1 | iterables)",
        "(#1 | ascii_upcase)",
        "(#1 | explode)",
        "(#1 | has(\"a\"))",
        "(#1 | has(0))",
        "(#1 | split(\",\"))",
        "(#1 | join(\"-\"))",
        "(#1 | startswith(\"a\"))",
        "(#1 | ltrimstr(\"a\"))",
        "(#1 | floor)",
        "(#1 | select(. != \"\") | tonumber)",
        "(#1 | trim)",
        "(#1 | @base64)",
        "(#1 | @uri)",
        "\"<\\(#1)>\"",
        "(\"ab\" + #1)",
        "(\"ab\" + (#1 | tostring))",
        "(#1 + \"ab\")",
        "{a: #1}",
        "{b: #1, c: $x}",
        "{(#1 | tostring): 1}",
        "{a: (#1)} | .a",
        "try (#1) catch 7",
        "(try error(#1) catch 3)",
        "(try error({a: $x}) catch .a)",
        "(#1 | .[1:])",
        "(#1)[:1]",
        "[range(0; 3) as $x | #1]",
        "[range((#1 | length); 4)]",
        "(#1 | objects | to_entries | from_entries)",
        "(#1 | objects | with_entries(.value |= [.]))",
        "(#1 | index(\"b\"))",
        "(#1 | indices(1))",
        "(#1 | utf8bytelength)",
        // Negative numbers are left out: there `implode` differs from jaq on purpose.
        "(#1 | strings | explode | implode)",
        "(#1 | isnumber)",
        "(#1 | @json)",
        "(#1 | @html)",
        "(#1 | select(. != \"\") | toboolean)",
        "(#1 | . / 2)",
        "(#1 | . % 3)",
        "(#1 | getpath([\"a\", \"b\"]))",
        "(#1 | @base64 | @base64d)",
        "(#1 | tojson | fromjson)",
        "(#1 | @sh)",
    ];
    (template(of), e).prop_map(|(t, a)| fill(t, &[&a]))
}

fn two(e: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let of: &[&str] = &[
        "(#1 | #2)",
        "(#1, #2)",
        "(#1 + #2)",
        "(#1 - #2)",
        "(#1 * #2)",
        "(#1 / (#2 | tostring))",
        "(#1 == #2)",
        "(#1 < #2)",
        "(#1 >= #2)",
        "(#1 != #2)",
        "(#1 and #2)",
        "(#1 or #2)",
        "(#1 // #2)",
        "(#1 as $x | #2)",
        "(#1 as [$x, $y] | #2)",
        "(#1 as {a: $x} | #2)",
        "{a: #1, b: #2}",
        "[#1, #2]",
        "(#1 | select(#2))",
        "[(#1)[]? | #2]",
        "(#1 | map(#2))",
        "(#1 | sort_by(#2))",
        "(#1 | group_by(#2))",
        "(#1 | min_by(#2))",
        "(#1 | max_by(#2))",
        "(#1 | unique_by(#2))",
        "any(#1; #2)",
        "all(#1; #2)",
        "(#1 | any(#2))",
        "(#1 | contains(#2))",
        "(#1 | inside(#2))",
        "(try #1 catch (\"c\" | #2))",
        "\"\\(#1)-\\(#2)\"",
        "[limit(2; #1, #2)]",
        "(#1 | .[#2]?)",
        "(if #1 then #2 end)",
        "(#1 | map(select(#2)))",
        "add(#1, #2)",
        "[#1 | #2]",
        "(#1 | .[(#2 | length):])",
        "[range(0; (#1 | length); 2)] + #2",
        "first(#1, #2)",
        "(#1 | objects | with_entries(select(#2)))",
        "(#1 | [.[]? | #2] | length)",
    ];
    (template(of), e.clone(), e).prop_map(|(t, a, b)| fill(t, &[&a, &b]))
}

fn three(e: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let of: &[&str] = &[
        "(if #1 then #2 else #3 end)",
        "(if #1 then #2 elif #3 then 1 else 2 end)",
        "[#1, #2, #3]",
        "(#1 as $x | #2 | #3)",
        "{a: #1, b: #2, c: #3}",
        "(#1 // #2 // #3)",
        "(#1 | (#2, #3))",
        "first(#1 | select(#2) | #3)",
        "(try (#1 | #2) catch ([1, 2] | #3))",
        "[.[]? | select(#1) | #2] | #3",
    ];
    (template(of), e.clone(), e.clone(), e).prop_map(|(t, a, b, c)| fill(t, &[&a, &b, &c]))
}

fn folded(e: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let of: &[&str] = &[
        "(reduce (#1) as $x (0; . + ($x | length)))",
        "(reduce (#1) as $x (#2; [., $x]))",
        "(reduce .[]? as $x (#1; [$x, #2]))",
        "(reduce .[]? as $x (null; first((#1), 0)))",
        "(reduce .[]? as $x ({}; . + {($x | tostring): $x}))",
        "[foreach .[]? as $x (0; . + 1; #1)]",
        "[foreach (#1) as $x (#2; [$x])]",
        "(reduce (#1) as [$x, $y] (0; {a: ., b: $y}))",
        "(reduce .[]? as $x (#1; if $x == 1 then #2 | [.] | .[0] else . end))",
    ];
    // A fold whose update has several outputs is not translated: stand something else in for it.
    let translated = |text: String| if super::parsed(&text).is_ok() { text } else { "1".to_owned() };
    (template(of), e.clone(), e).prop_map(move |(t, a, b)| translated(fill(t, &[&a, &b])))
}

fn modified(e: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let paths = [
        ".",
        ".a",
        ".b",
        ".a.b",
        "(arrays | .[0])",
        "(arrays | .[-1])",
        ".[]",
        ".a?",
        ".[]?",
        ".[1:]",
        ".[]?.a?",
        "(.a, .b)",
        "(.[]? | select(. == 1))",
        "(.[]? | select(.a? // false))",
        "(if (.a? // 1) then .a else .b end)",
        ".[$x | tostring]?",
        ".[:1]?",
        "(.a | .b)",
        ".[\"c\"]",
    ];
    let operators = ["|=", "=", "+=", "//=", "*=", "-="];
    let path = proptest::sample::select(paths.to_vec());
    let operator = proptest::sample::select(operators.to_vec());
    let assigned = (path.clone(), operator, e.clone()).prop_map(|(path, op, f)| format!("({path} {op} ({f}))"));
    let deleted = path.prop_map(|path| format!("del({path})"));
    let mapped = e.clone().prop_map(|f| format!("map_values({f})"));
    let piped = (e, assigned.clone()).prop_map(|(e, update)| format!("({e} | {update})"));
    prop_oneof![3 => assigned, 1 => deleted, 1 => mapped, 2 => piped]
}

/// Small JSON, mostly objects with the keys that the programs know.
pub(super) fn json() -> BoxedStrategy<Json> {
    let [a, b, c] = [any_json(), any_json(), any_json()];
    let record = (a, b, c).prop_map(|(a, b, c)| json!({"a": a, "b": b, "c": c}));
    let list = proptest::collection::vec(prop_oneof![any_json(), record.clone()], 1..4).prop_map(Json::from);
    prop_oneof![4 => record, 1 => list, 1 => any_json()].boxed()
}

fn any_json() -> BoxedStrategy<Json> {
    let scalars = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(1.0),
        json!(-2),
        json!(2.5),
        json!("a"),
        json!("ab"),
        json!("1"),
        json!("x,yž"),
        json!(""),
    ];
    let leaf = proptest::sample::select(scalars.to_vec());
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            1 => proptest::collection::vec((proptest::sample::select(vec!["a", "b", "c"]), inner), 0..3)
                .prop_map(|fields| Json::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
    .boxed()
}

/// Three labels of one atom each.
pub(super) fn atoms() -> [Label; 3] {
    let mut universe = Universe::new();
    ["a", "b", "c"].map(|name| Label::of(universe.intern(Atom::Origin(name.into())).unwrap()))
}

/// A value whose nodes have random labels, many none; choices repeat if the value is larger.
pub(super) fn labelled() -> impl Strategy<Value = Value> {
    (json(), proptest::collection::vec(0_u8..12, 12)).prop_map(|(json, choices)| {
        let next = std::cell::Cell::new(0);
        Value::from_json_with(&json, &mut Vec::new(), &|_| {
            let choice = choices[next.get() % choices.len()];
            next.set(next.get() + 1);
            let [a, b, c] = atoms();
            match choice {
                0 | 4 => a,
                1 => b,
                2 => c,
                3 => a.join(b),
                _ => Label::BOTTOM,
            }
        })
    })
}

/// Something that admits the value, and perhaps much else.
pub(super) fn abstracted(value: &Value, choices: &[u8], next: &mut usize, other: &Value) -> Value {
    let choice = choices[*next % choices.len()];
    *next += 1;
    let [a, _, c] = atoms();
    let below = match &value.data {
        Data::Array(items) => {
            Data::Array(Arc::new(items.iter().map(|item| abstracted(item, choices, next, other)).collect()))
        }
        Data::Object(fields) => Data::Object(Arc::new(
            fields.iter().map(|(k, v)| (k.clone(), abstracted(v, choices, next, other))).collect(),
        )),
        data => data.clone(),
    };
    let same = Value::new(value.label, below);
    match choice {
        0 => Value::unknown(value.deep_label(), Kinds::ALL),
        1 | 2 => Value::unknown(value.deep_label(), value.kinds()),
        3 | 4 => same.join(other),
        5 => same.raised(a),
        6 => same.join(&Value::null(c)),
        7 => match &same.data {
            Data::Array(items) => {
                let without_first = Value::array(same.label, items.iter().skip(1).cloned().collect());
                same.join(&without_first)
            }
            Data::Object(fields) => {
                let without_first = fields.iter().skip(1).map(|(k, v)| (k.clone(), v.clone()));
                same.join(&Value::object(same.label, without_first))
            }
            _ => same,
        },
        8 | 9 => begun(&same, choices[*next % choices.len()]),
        10 => begun(&same, 1).join(other),
        _ => same,
    }
}

/// Some text that begins as this one, if it is one; what decided its first bytes is all that it shows, or nothing.
fn begun(value: &Value, kept: u8) -> Value {
    let Some(text) = value.as_text() else { return value.clone() };
    let first: String = text.chars().take(usize::from(kept % 4)).collect();
    let decided = if kept < 8 { value.label } else { Label::BOTTOM };
    Value::beginning(value.label, Value::text(decided, first).known_head())
}

/// The value with every part that `secret` labels replaced.
pub(super) fn varied(value: &Value, secret: Label, others: &[Value], next: &mut usize) -> Value {
    if secret.flows_to(value.label) {
        let other = &others[*next % others.len()];
        *next += 1;
        return other.clone().raised(value.label);
    }
    let data = match &value.data {
        Data::Array(items) => {
            Data::Array(Arc::new(items.iter().map(|item| varied(item, secret, others, next)).collect()))
        }
        Data::Object(fields) => {
            Data::Object(Arc::new(fields.iter().map(|(k, v)| (k.clone(), varied(v, secret, others, next))).collect()))
        }
        data => data.clone(),
    };
    Value::new(value.label, data)
}
