//! Expressions: any text is one or a problem with a place, any evaluation ends, and a prediction admits the run.

use serde_json::json;
use sluice_core::expression::{Environment, Evaluated, evaluate, parse};
use sluice_core::label::Label;
use sluice_core::text::Text;
use sluice_core::value::{Kinds, Value};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "expression", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b".a", b".[]", b"[", b"]", b"{", b"}", b" | ", b", ", b"//", b"map(", b"select(", b"reduce ", b" as $x ", b"(.; ",
    b"if ", b" then ", b" else ", b" end", b"try ", b" catch ", b"\\(", b"\"", b"$x", b"..", b"-1", b"1e999", b"?",
    b" and ", b" == ", b"|=", b"range(", b"tojson", b"error", b"limit(", b"@base64",
];

fn run(data: &[u8]) -> String {
    let Ok(source) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let text = Text::new("fuzz", source);
    let expression = match parse(source, &|start, end| text.span(start, end)) {
        Ok(expression) => expression,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            return problems.iter().map(|p| p.kind.code().to_string()).collect::<Vec<_>>().join(" ");
        }
    };
    let known = Value::from_json(&json!({ "a": [1, { "b": null }, "x"], "n": 2 }), Label::BOTTOM);
    let unknown = Value::unknown(Label::BOTTOM, Kinds::ALL);
    let ran = eval(&expression, &known);
    let predicted = eval(&expression, &unknown);
    assert!(ran.value.is_some() != ran.error.is_some(), "a run has one result: {ran:?}");
    if let (Some(value), false) = (&ran.value, predicted.exhausted) {
        assert!(predicted.value.as_ref().is_some_and(|p| p.admits(value)), "the prediction does not admit the run");
    }
    match (ran.exhausted, ran.error) {
        (true, _) => "exhausted".to_owned(),
        (false, Some(_)) => "fails".to_owned(),
        (false, None) => "gives".to_owned(),
    }
}

fn eval(expression: &sluice_core::expression::Expression, input: &Value) -> Evaluated {
    let variables = |_: &str| Some(input.clone());
    evaluate(expression, &Environment { input, variables: &variables })
}

fn seeds() -> Vec<Vec<u8>> {
    [
        ".a | map(select(. != null)) | length",
        "[.a[] | tostring] | join(\", \")",
        "reduce .a[] as $x (0; . + ($x | numbers))",
        "if .n > 1 then {n, m: \"\\(.n)\"} else error(\"no\") end",
        "try (.a.b) catch .",
        ".a[1].b //= 3 | with_entries(.value |= tojson)",
    ]
    .map(|s| s.as_bytes().to_vec())
    .into()
}
