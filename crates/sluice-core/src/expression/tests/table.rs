//! Our own table of cases: each expectation is ours, and jaq must agree.

use serde_json::{Value as Json, json};

use super::{jaq, result};

/// What jaq does that we do on purpose differently.
const DEVIATIONS: [(&str, &str); 9] = [
    ("implode", "[-2]"),
    ("1 / 0", "null"),
    ("9223372036854775807 + 1", "null"),
    ("0 % 0.0", "null"),
    ("\"1 2\" | fromjson", "null"),
    ("\"\" | tonumber // 1", "null"),
    ("1.50 | tostring", "null"),
    ("{(1): 2}", "null"),
    ("-9223372036854775807 - 2", "null"),
];

/// Program, input, output; an output of `"!"` means that it fails.
const CASES: &str = include_str!("table.txt");

fn cases() -> impl Iterator<Item = (&'static str, Json, Option<Json>)> {
    CASES.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).map(|line| {
        let parts: Vec<&str> = line.split(" ⇒ ").map(str::trim).collect();
        let [program, input, expected] = parts.as_slice() else { panic!("three parts: {line}") };
        let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {line}"));
        (*program, json(input), (*expected != "!").then(|| json(expected)))
    })
}

#[test]
fn every_case_gives_what_we_and_jaq_expect() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (program, input, expected) in cases() {
        count += 1;
        let ours = result(program, &input);
        let theirs = jaq::first(program, &input);
        let agrees = match (&ours, &theirs) {
            (Some(a), Some(Ok(b))) => jaq::same(a, b),
            (None, Some(Err(_))) => true,
            _ => false,
        };
        let as_expected = match (&ours, &expected) {
            (Some(a), Some(b)) => jaq::same(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if !agrees || !as_expected {
            wrong.push(format!("{program} on {input}: ours {ours:?}, jaq {theirs:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 120, "only {count} cases");
}

#[test]
fn deviations_from_jaq_are_those_that_the_module_names() {
    for (program, input) in DEVIATIONS {
        let input: Json = serde_json::from_str(input).unwrap();
        let ours = result(program, &input);
        let theirs = jaq::first(program, &input);
        let agrees = matches!((&ours, &theirs), (Some(a), Some(Ok(b))) if jaq::same(a, b));
        assert!(!agrees, "{program} now agrees: {ours:?}");
    }
    assert_eq!(result("1.50 | tostring", &Json::Null), Some(json!("1.5")));
}
