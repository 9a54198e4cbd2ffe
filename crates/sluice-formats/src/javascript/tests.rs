//! Texts and what they are read as: the term before any place is known shows it shortest.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use serde_json::json;
use sluice_core::expression::Expression;
use sluice_core::text::Span;

use super::term::Term;
use super::{Mode, Root, Translated, bound, expr, parameter, path, program, scan};

fn name(root: &Root) -> String {
    match root {
        Root::Item => "item".into(),
        Root::Binary => "binary".into(),
        Root::Node(node) => format!("[{node}]"),
        Root::FromAi(key) => format!("ai:{key}"),
        Root::Parameter(key) => format!("parameter:{key}"),
        Root::ParametersOf(node) => format!("parameters of [{node}]"),
        Root::Workflow => "workflow".into(),
        Root::Env(key) => format!("env:{key}"),
        Root::StaticData => "static".into(),
        Root::ResponseOf => "response".into(),
        Root::Unknown => "unknown".into(),
    }
}

fn all(parts: &[Term]) -> String {
    parts.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn shown(term: &Term) -> String {
    match term {
        Term::Place(root, _) => name(root),
        Term::Handle(root, _) => format!("handle {}", name(root)),
        Term::Item(root, _) => format!("whole {}", name(root)),
        Term::Items(root, _) => format!("all {}", name(root)),
        Term::Member(base, key) => format!("{}.{key}", shown(base)),
        Term::Element(base, index) => format!("{}[{index}]", shown(base)),
        Term::Literal(json) => json.to_string(),
        Term::Text(parts) => format!("text({})", all(parts)),
        Term::Object(fields) => {
            let mut out = String::new();
            for (key, value) in fields {
                let _ = write!(out, "{}{key}: {}", if out.is_empty() { "" } else { ", " }, shown(value));
            }
            format!("{{{out}}}")
        }
        Term::Merged(layers) => format!("merged({})", all(layers)),
        Term::List(items, false) => format!("[{}]", all(items)),
        Term::List(items, true) => format!("[{} …]", all(items)),
        Term::Opaque(parts) => format!("?({})", all(parts)),
        Term::Harmless(parts) => format!("#({})", all(parts)),
    }
}

fn of_parameter(text: &str) -> String {
    shown(&super::template::read(text, false).0)
}

fn of_program(text: &str, mode: Mode) -> String {
    shown(&super::program::read(text, mode).0)
}

fn locate(start: usize, end: usize) -> Span {
    Span { start, end, ..Span::default() }
}

fn translated(text: &str) -> Translated {
    parameter(text, false, &locate, &|root| Some(Expression::variable(&name(root), locate(0, 0))))
}

/// Each line of a table: a text, ` => `, what it is read as.
fn holds(table: &str, read: &dyn Fn(&str) -> String) {
    let mut wrong = String::new();
    for line in table.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (text, expected) = line.rsplit_once("  =>  ").unwrap_or_else(|| panic!("no arrow: {line}"));
        let found = read(text);
        if found != expected {
            let _ = writeln!(wrong, "{text}\n  is       {found}\n  expected {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn paths_stay_paths_and_the_rest_names_what_it_reads() {
    holds(include_str!("tests/expressions.txt"), &of_parameter);
}

#[test]
fn programs_give_what_they_return_per_item() {
    holds(include_str!("tests/programs.txt"), &|text| of_program(text, Mode::AllItems));
}

#[test]
fn what_a_program_is_given_depends_on_its_mode() {
    assert_eq!(of_program("return { json: { a: item.x } }", Mode::FunctionItem), "{a: item.x}");
    assert_eq!(of_program("return { json: { a: item.json.x } }", Mode::EachItem), "{a: item.x}");
    assert_eq!(of_program("return query", Mode::Tool), "ai:query");
}

#[test]
fn what_is_not_there_is_null_and_no_failure() {
    let of = |text: &str, item: serde_json::Value| {
        let place = Expression::literal(&item, locate(0, 0));
        parameter(text, false, &locate, &|_| Some(place.clone())).expression.constant()
    };
    assert_eq!(of("={{ $json.a[0] }}", json!({ "a": ["x"] })), Some(json!("x")));
    assert_eq!(of("={{ $json.a[0] }}", json!({ "a": { "0": "y" } })), Some(json!("y")));
    assert_eq!(of("={{ $json.a.b.c }}", json!({ "a": "text" })), Some(json!(null)));
}

#[test]
fn encoded_and_numeric_parts_carry_data_but_no_words() {
    let found = translated("=https://x/{{ encodeURIComponent($json.a) }}/{{ $json.b }}");
    let read = |e: &Expression| e.variables().len();
    assert_eq!((found.reads.len(), read(&found.expression)), (2, 1), "one place, read twice");
    let injectable = translated("={{ Number($json.a) }}").injectable();
    assert_eq!(injectable.constant(), Some(0.into()));
    assert_eq!(translated("={{ Number($json.a) }}").expression.constant(), None);
}

#[test]
fn another_language_is_anything_made_from_the_roots_it_names() {
    let term = scan::opaque("for item in _input.all():\n  x = _('A').first()", 0, scan::Names::Program);
    assert_eq!(shown(&term), "?(item, binary, [A])");
}

#[test]
fn no_nesting_overflows_the_stack() {
    let deep = |open: &str, middle: &str, close: &str| {
        format!("={{{{ {}{middle}{} }}}}", open.repeat(20_000), close.repeat(20_000))
    };
    let texts = [
        deep("(", "$json.a", ")"),
        deep("[", "$json.a", "]"),
        deep("!", "$json.a", ""),
        deep("typeof ", "$json.a", ""),
        deep("`${", "$json.a", "}`"),
        deep("a=>", "$json.a", ""),
        deep("a?", "$json.a", ":b"),
        deep("", "$json.a", "+a"),
        deep("", "$json", ".a"),
        deep("", "$json.a", "()"),
        deep("if(a)", "$json.a", ""),
        deep("new ", "$json.a", ""),
        deep("{a:", "$json.a", "}"),
        deep("", "$json", "[a]"),
        deep("a**", "$json.a", ""),
        deep("/'/,(", "$json.a", ")"),
        deep("a,", "$json.a", ""),
        deep("", "$json", "?.a"),
        deep("(a)/'/'+(", "$json.a", ")"),
    ];
    for text in &texts {
        let found = translated(text);
        assert!(
            found.reads.iter().any(|r| r.root == Root::Item),
            "a read is lost in {}",
            text.get(..30).unwrap_or(text)
        );
    }
    for piece in ["if(a){}else ", "a:", "for(;;)", "while(a)", "{", "function f(){", "do ", "x=", "try{}finally{"] {
        let found = program(&piece.repeat(20_000), Mode::AllItems, &locate, &|_| None);
        assert!(found.opaque, "{piece} is understood");
    }
}

fn roots(term: &Term, into: &mut BTreeSet<Root>) {
    match term {
        Term::Place(root, _) | Term::Handle(root, _) | Term::Item(root, _) | Term::Items(root, _) => {
            into.insert(root.clone());
        }
        Term::Member(base, _) | Term::Element(base, _) => roots(base, into),
        Term::Text(parts)
        | Term::List(parts, _)
        | Term::Merged(parts)
        | Term::Opaque(parts)
        | Term::Harmless(parts) => {
            parts.iter().for_each(|p| roots(p, into));
        }
        Term::Object(fields) => fields.iter().for_each(|(_, v)| roots(v, into)),
        Term::Literal(_) => {}
    }
}

fn a_path() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec![
        "$json",
        "$('X Y')",
        "$node[\"X\"]",
        "$node.X",
        "$input",
        "$(\"Q\")",
        "$binary",
        "$vars",
        "$now",
    ]);
    let step = prop::sample::select(vec![
        ".json",
        ".item",
        ".first()",
        ".all()",
        ".last()",
        ".a",
        "[0]",
        "[12]",
        "[\"a b\"]",
        "?.b",
        "?.[1]",
        ".length",
        ".trim()",
        ".data",
        ".binary",
        "['c']",
        ".all()[0]",
        " ",
        ".params",
        "[01]",
    ]);
    (root, prop::collection::vec(step, 0..6)).prop_map(|(root, steps)| format!(" {root}{} ", steps.concat()))
}

/// Code in which every root is alive.
fn live_code() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        a_path().prop_filter("parses", |p| expr::parsed(p, 0).is_some()).prop_map(|p| p.trim().to_owned()),
        Just("a".to_owned()),
        Just("1".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let shape = prop::sample::select(vec![
            "(A + B)",
            "(A ? B : C)",
            "(A || B)",
            "(A ?? B)",
            "(A && B)",
            "f(A, B)",
            "A.map(x => x.y + B)",
            "({k: A, m: B})",
            "[A, ...B]",
            "(A - B)",
            "!A",
            "new Date(A)",
            "A.replace(/x/g, B)",
            "(() => { const v = A; return [v, B] })()",
            "A.reduce((s, i) => s + i.z, B)",
            "(A === B)",
            "({...A, z: B})",
            "B[A]",
            "JSON.stringify(A)",
        ]);
        (shape, inner.clone(), inner.clone(), inner).prop_map(|(shape, a, b, c)| {
            let mut out = String::new();
            for ch in shape.chars() {
                match ch {
                    'A' => out.push_str(&format!("({a})")),
                    'B' => out.push_str(&format!("({b})")),
                    'C' => out.push_str(&format!("({c})")),
                    ch => out.push(ch),
                }
            }
            out
        })
    })
}

proptest! {
    #[test]
    fn the_short_way_gives_what_the_parser_gives(text in a_path()) {
        if let Some(short) = path::read(&text, 3) {
            let long = expr::parsed(&text, 3).map(|(term, _)| term);
            prop_assert_eq!(long.as_ref().map(shown), Some(shown(&short)));
        }
    }

    #[test]
    fn no_root_in_live_code_is_lost(code in live_code()) {
        let Some((term, _)) = expr::parsed(&code, 0) else { return Ok(()) };
        let (mut found, mut named) = (BTreeSet::new(), BTreeSet::new());
        roots(&term, &mut found);
        roots(&scan::opaque(&code, 0, scan::Names::Expression), &mut named);
        // The files of an item are a part of it.
        if found.contains(&Root::Binary) {
            found.insert(Root::Item);
        }
        let lost: Vec<_> = named.iter().filter(|r| !matches!(r, Root::Env(_)) && !found.contains(r)).collect();
        // `1 ? a : b` and its like are decided; what is not read then is not lost.
        let decided = code.contains("(1)");
        prop_assert!(lost.is_empty() || decided, "{lost:?} in {code}");
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
        translated(&text);
        translated(&format!("={{{{{text}}}}}"));
        let _ = program(&text, Mode::AllItems, &locate, &|_| None);
        bound::is_parsable(&text);
    }
}

/// Each walk finds more in a name than the last one until nothing is new: what is made harmless twice is harmless once.
#[test]
fn a_function_that_checks_what_it_gets_leaves_its_neighbours_known() {
    let helper = "const day = (d) => { if (!d) return 'none'; return new Date(d).toISOString() };";
    let source = format!("{helper} return [{{ json: {{ name: $json.a, id: 'x' + Date.now(), on: day($json.b) }} }}];");
    let (term, _) = program::read(&source, Mode::AllItems);
    assert_eq!(shown(&term), "{name: item.a, id: text(\"x\", ?()), on: ?(#(item.b))}");
}

#[test]
fn a_call_in_a_call_in_a_call_is_walked_once() {
    let nested = (0..60).fold("$json.a".to_owned(), |inner, _| format!("x.f({inner})"));
    assert_eq!(of_program(&format!("return {{ json: {{ a: {nested} }} }}"), Mode::AllItems), "{a: ?(item.a)}");
}
