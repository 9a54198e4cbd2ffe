//! What is not translated is said, at its place.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::{parsed, result, run};
use crate::expression::{Environment, Expression, TextPart, evaluate};
use crate::label::{Atom, Label, Universe};
use crate::text::Span;
use crate::value::{Kinds, Value};

/// Each problem of a program: code, column, message.
fn problems(program: &str) -> String {
    let problems = parsed(program).expect_err(program);
    let line = |p: &crate::expression::Problem| {
        let shown: String = program.chars().skip(p.span.start).take(p.span.end - p.span.start).collect();
        format!("{} `{shown}`: {}", p.kind.code(), p.message)
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_translated_is_named_with_its_place() {
    assert_snapshot!(problems(".a | .. | .b"), @"SL121 `..`: not translated, and so not run: `..`");
    assert_snapshot!(problems("def f: 1; f"), @"SL121 `f`: not translated, and so not run: a definition with `def`");
    assert_snapshot!(problems("[.a, nope(.b), input]"), @r#"
    SL121 `nope`: not translated, and so not run: `nope/1`
    SL121 `input`: not translated, and so not run: `input/0`
    "#);
    assert_snapshot!(problems("$ENV.HOME + env.HOME"), @r#"
    SL121 `$ENV`: not translated, and so not run: `$ENV`
    SL121 `env`: not translated, and so not run: `env/0`
    "#);
    assert_snapshot!(problems("label $out | break $out"), @"SL121 `$out`: not translated, and so not run: `label` and `break`");
    assert_snapshot!(problems("reduce .[] as $x (0; empty)"), @"SL121 `empty`: not translated, and so not run: `reduce` with an update that may have no output or several");
    assert_snapshot!(problems("(.a | tostring) = 1"), @"SL121 `a | tostring`: not translated, and so not run: an assignment to something that is no simple path");
    assert_snapshot!(problems("@csv \"\\(.a)\""), @"SL121 `@csv`: not translated, and so not run: `@csv`");
    assert_snapshot!(problems("12345678901234567890"), @"SL121 `12345678901234567890`: not translated, and so not run: `12345678901234567890`, beyond 64 bits");
}

#[test]
fn clocks_are_problems_of_their_own() {
    assert_snapshot!(problems("{at: now, day: (.t | strftime(\"%d\"))}"), @r#"
    SL122 `now`: `now` reads or formats the time
    SL122 `strftime`: `strftime` reads or formats the time
    "#);
}

#[test]
fn broken_text_is_told_with_its_place() {
    assert_snapshot!(problems(".a +"), @"SL120 ``: expected a value such as `.field`, `$name` or a literal, found the end");
    assert_snapshot!(problems("if .a then 1"), @"SL120 ``: expected `elif`, `else` or `end`, found the end");
    assert_snapshot!(problems("{a: 1"), @"SL120 ``: expected a closing `}` here");
    assert_snapshot!(problems("\"abc"), @r#"SL120 ``: expected a closing `"` here"#);
    assert_snapshot!(problems(".a & .b"), @"SL120 `&`: expected a name, a number, a text or an operator of jq here");
    assert_snapshot!(problems(""), @"SL120 ``: expected a value such as `.field`, `$name` or a literal, found the end");
    assert_snapshot!(problems("1 2"), @"SL120 `2`: expected the end of the expression, found `2`");
    assert_snapshot!(problems("\"\\q\""), @r#"SL120 `q`: expected an escape such as `\n`, `\"` or `\(` here"#);
}

#[test]
fn size_and_depth_are_bounded_before_anything_recurses() {
    let nested = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    assert!(problems(&nested("(", ")", 8_000)).starts_with("SL108"));
    assert!(problems(&nested("[", "]", 8_000)).starts_with("SL108"));
    assert!(problems(&nested("\"\\(", ")\"", 3_000)).starts_with("SL108"));
    assert!(problems(&format!("{}1", "-".repeat(8_000))).starts_with("SL1"));
    assert!(problems(&format!("{}1", "- ".repeat(4_000))).starts_with("SL108"));
    assert!(problems(&format!("1{}", "|1".repeat(4_000))).starts_with("SL108"));
    assert!(problems(&format!("1{}", "+1".repeat(4_000))).starts_with("SL108"));
    assert!(problems(&format!("1{}", ",1".repeat(8_000))).starts_with("SL108"));
    assert!(problems(&format!("{}1", "try ".repeat(4_000))).starts_with("SL108"));
    assert!(problems(&format!(".{}", "?".repeat(16_000))).starts_with("SL108"));
    assert!(problems(&format!("{}1{}", "if 1 then ".repeat(900), " end".repeat(900))).starts_with("SL108"));
    assert!(problems(&" ".repeat(20_000)).starts_with("SL108"));
    assert!(parsed(&nested("[", "]", 40)).is_ok());
    assert!(parsed(&format!("[1{}]", ",1".repeat(300))).is_ok());
}

#[test]
fn an_evaluation_is_bounded() {
    let exhausted = |program: &str| {
        let result = run(&parsed(program).unwrap(), &Value::null(Label::BOTTOM));
        result.exhausted && result.value.is_none() && result.error.is_some()
    };
    assert!(exhausted("[range(1e12)]"));
    assert!(exhausted("range(0; 1; 0)"));
    assert!(exhausted("[range(2000)] | [.[] as $x | .[] as $y | $x] | length"));
    assert!(exhausted("reduce range(60) as $x (\"ab\"; . + .)"));
    assert!(exhausted("reduce range(60) as $x ([1]; . + .)"));
    assert!(exhausted("reduce range(100000) as $x (null; [.])"));
    assert!(exhausted("reduce range(100000) as $x (null; {a: [[.]]})"));
    assert!(exhausted("try [range(1e12)] catch 1"));
    assert!(exhausted(&vec!["{a: ., b: .}"; 60].join(" | ")));
    assert!(exhausted("reduce range(60) as $x (1; [., .])"));
    assert!(!exhausted("reduce range(1000) as $x (0; . + $x)"));
}

#[test]
fn free_variables_are_named_once() {
    let expression = parsed("$a + (1 as $b | $b + $c) + $a + $b + reduce $d[] as {$e} (0; . + $e)").unwrap();
    let names: Vec<String> = expression.variables().into_iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["a", "c", "b", "d"]);
    assert!(parsed(".a += 1 | with_entries(.) | inside([1])").unwrap().variables().is_empty());
}

#[test]
fn variables_are_read_from_the_environment() {
    let expression = parsed("$context.user + .suffix").unwrap();
    let input = Value::from_json(&json!({"suffix": "!"}), Label::BOTTOM);
    let variables = |name: &str| (name == "context").then(|| Value::from_json(&json!({"user": "ana"}), Label::BOTTOM));
    let result = evaluate(&expression, &Environment { input: &input, variables: &variables });
    assert_eq!(result.value.and_then(|v| v.to_json()), Some(json!("ana!")));
    assert!(run(&expression, &input).error.is_some());
}

#[test]
fn the_lowering_builds_structures_around_expressions() {
    let span = Span::default();
    let e = |program: &str| parsed(program).unwrap();
    let built = Expression::object(
        vec![
            ("a".into(), Expression::literal(&json!({"x": [1]}), span)),
            (
                "b".into(),
                Expression::array(vec![e(".[]"), e("empty"), Expression::field(Expression::input(span), "q")], span),
            ),
            (
                "c".into(),
                Expression::text(vec![TextPart::Literal("n=".into()), TextPart::Expression(e(".n, 2"))], span),
            ),
        ],
        span,
    );
    let input = Value::from_json(&json!({"n": 5, "q": null}), Label::BOTTOM);
    let result = run(&built, &input);
    assert_eq!(
        result.value.and_then(|v| v.to_json()),
        Some(json!({"a": {"x": [1]}, "b": [5, null, null], "c": "n=5"}))
    );
}

#[test]
fn constants_are_folded() {
    assert_eq!(parsed("\"a\" + (1 + 1 | tostring)").unwrap().constant(), Some(json!("a2")));
    assert_eq!(parsed("{a: .b}").unwrap().constant(), None);
    assert_eq!(parsed("$x | length").unwrap().constant(), None);
    assert_eq!(parsed("1 / 0").unwrap().constant(), None);
}

fn labels() -> (Label, Label) {
    let mut universe = Universe::new();
    let mut label = |name: &str| Label::of(universe.intern(Atom::Origin(name.into())).unwrap());
    (label("a"), label("b"))
}

#[test]
fn an_object_keeps_the_labels_of_its_fields_apart() {
    let (money, health) = labels();
    let customer = Value::object(
        Label::BOTTOM,
        [("balance".into(), Value::int(money, 5)), ("note".into(), Value::text(health, "flu"))],
    );
    let label = |program: &str| run(&parsed(program).unwrap(), &customer).value.unwrap().deep_label();
    assert_eq!(label("{balance}"), money);
    assert_eq!(label(".balance + 1"), money);
    assert_eq!(label("{balance, n: (.note | length)}"), money.join(health));
    assert_eq!(label("{balance, n: (. | length)} | .n"), Label::BOTTOM);
    assert_eq!(label("del(.note)"), money);
    assert_eq!(label("{balance: (if .note == \"flu\" then 1 else 2 end), x: 1} | .x"), Label::BOTTOM);
    assert_eq!(label("[.[] | select(. == 5)] | length"), money.join(health));
    assert_eq!(label("[.balance, .note] | .[0]"), money);
    assert_eq!(label("(.note == \"flu\" | select(.)) // 3"), health);
    assert_eq!(label("try (.note | error) catch 1"), Label::BOTTOM);
    // Comparing containers looks at all of both, and what `//` drops tells what it was.
    assert_eq!(label("[.note] == [.balance]"), money.join(health));
    assert_eq!(label("[(.note | startswith(\"x\")), .balance | . // empty] | length"), money.join(health));
    assert_eq!(label("[((.note | startswith(\"x\")), .balance) // 1] | length"), money.join(health));
}

#[test]
fn what_decides_a_failure_is_known_to_the_handler() {
    let (secret, _) = labels();
    let input = Value::object(Label::BOTTOM, [("s".into(), Value::int(secret, 5))]);
    let fallible = |program: &str| run(&parsed(program).unwrap(), &input).fallible;
    assert_eq!(fallible(".s + 1"), secret);
    assert_eq!(fallible("if .s == 6 then error(\"x\") else 1 end"), secret);
    assert_eq!(fallible("if .s == 6 then 2 else 1 end"), Label::BOTTOM);
    assert_eq!(fallible("(.s + 1)?"), Label::BOTTOM);
    assert_eq!(result("try (.s + 1) catch 0", &json!({"s": "x"})), Some(Json::from(0)));
    let caught = run(&parsed("try (.s + 1 | 7) catch 0").unwrap(), &input).value.unwrap();
    assert_eq!(caught.label, secret);
}

#[test]
fn a_text_with_an_unknown_part_keeps_its_known_beginning() {
    let (stranger, vendor) = labels();
    let input = Value::object(
        Label::BOTTOM,
        [
            ("words".into(), Value::unknown(stranger, Kinds::TEXT)),
            ("any".into(), Value::unknown(stranger, Kinds::ALL)),
            ("base".into(), Value::beginning(vendor, Value::text(vendor, "https://a.example/").known_head())),
        ],
    );
    let head = |program: &str| {
        let value = run(&parsed(program).unwrap(), &input).value.unwrap();
        assert!(value.head().1.flows_to(value.label), "{program}");
        value.head()
    };
    let nothing = |label| ("".into(), label);
    let host = |label| ("https://a.example/".into(), label);
    // Who writes the rest does not choose the beginning.
    assert_eq!(head("\"https://a.example/\" + .words"), host(Label::BOTTOM));
    assert_eq!(head("\"https://a.example/\\(.any)/x\""), host(Label::BOTTOM));
    assert_eq!(head("\"https://a.example/\" + .any"), host(Label::BOTTOM));
    assert_eq!(head("\"https://\" + (\"a.example/\" + .words)"), host(Label::BOTTOM));
    assert_eq!(head(".base + .words"), host(vendor));
    assert_eq!(head("\"\\(.base)\\(.words)\""), host(vendor));
    // Two ways to begin have in common what both begin with.
    assert_eq!(head("if .any then \"https://a.example/x\" else \"https://a.example/y\" + .words end"), host(stranger));
    assert_eq!(head("if .any then \"https://\" + .words else .base end").0.as_ref(), "https://");
    // And nothing where one is unknown from its first byte.
    assert_eq!(head(".words + \"https://a.example/\""), nothing(stranger));
    assert_eq!(head("if .any then .words else .base end"), nothing(stranger.join(vendor)));
    assert_eq!(head("\"https://a.example/\" + .words | ascii_downcase"), nothing(stranger));
    // What raises the whole raises the beginning.
    assert_eq!(head("{url: (\"https://a.example/\" + .words)} | .url"), host(Label::BOTTOM));
    assert_eq!(head("[.words | select(. == \"x\") | \"https://a.example/\" + .] | .[0]").1, stranger);
}
