use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::{path_at, read};
use super::*;

fn tree(text: &str) -> Node {
    read_json(&Text::new("t", text)).unwrap()
}

fn refused(text: &str) -> String {
    line(&read_json(&Text::new("t", text)).unwrap_err())
}

fn line(found: &[Diagnostic]) -> String {
    let line = |d: &Diagnostic| {
        let Span { line, column, end_line, end_column, .. } = d.span;
        format!("{} {line}:{column}-{end_line}:{end_column} {}", d.code, d.message)
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
        "[a\"\\\\\n\t\u{0}žč😀]{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            proptest::collection::btree_map("[a-z ž\"]{0,3}", inner, 0..20)
                .prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

/// Equal, where a number is its value, to the last digit but one: `serde_json` alone does not round exactly.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() <= a.abs() * 1e-15
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

fn written(text: &Text, span: Span) -> &str {
    text.content.get(span.start..span.end).unwrap()
}

/// Each span is the one that counting from the start gives, and its raw text alone is the value again.
fn stands_at(node: &Node, text: &Text) {
    assert_eq!(node.span, text.span(node.span.start, node.span.end));
    let raw: Json = serde_json::from_str(written(text, node.span)).unwrap();
    assert!(same(&raw, &node.to_json()), "{raw} is not {:?}", node.value);
    match &node.value {
        Data::Float(x) => assert_eq!(written(text, node.span).parse(), Ok(*x)),
        Data::List(items) => items.iter().for_each(|n| stands_at(n, text)),
        Data::Map(entries) => {
            for entry in entries {
                let span = entry.key_span;
                assert_eq!(span, text.span(span.start, span.end));
                let raw: Json = serde_json::from_str(written(text, span)).unwrap();
                assert_eq!(raw, json!(entry.key.as_ref()));
                stands_at(&entry.value, text);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn it_reads_what_serde_json_reads(value in any_json()) {
        for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let text = Text::new("t", text);
            let node = read_json(&text).unwrap();
            prop_assert!(same(&node.to_json(), &value), "{} is not {value}", node.to_json());
            stands_at(&node, &text);
        }
    }

    #[test]
    fn it_takes_and_refuses_what_serde_json_does(text in "[\\[\\]{}:,\"0-9.eE+\\-a \n\\\\unltr]{0,24}") {
        let ours = read_json_with(&Text::new("t", text.as_str()), JsonRules::IMPORT);
        match (serde_json::from_str::<Json>(&text), ours) {
            (Ok(theirs), Ok((node, _))) => prop_assert!(same(&node.to_json(), &theirs), "{text}"),
            // Half a surrogate pair is theirs to refuse and ours to replace.
            (Err(_), Ok(_)) => prop_assert!(text.contains("\\u"), "we took {text:?}"),
            (Ok(_), Err(found)) => prop_assert!(false, "we refused {text:?}: {found:?}"),
            (Err(_), Err(found)) => prop_assert!(!found.is_empty()),
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_each_fault_has_a_place(text in any::<String>()) {
        let text = Text::new("t", text);
        if let Err(found) = read_json(&text) {
            let span = found[0].span;
            prop_assert_eq!(span, text.span(span.start, span.end));
        }
    }
}

#[test]
fn it_gives_the_tree_of_the_yaml_reader() {
    for text in [
        r#"{"a": [1, -2, 2.5, 1e3, true, false, null, "x"], "b": {}, "c": []}"#,
        "{\n  \"ž\": \"č\\n\\u0041\",\n  \"deep\": [[{\"x\": \"y\"}], {}]\n}\n",
        "[]",
        "\"text\"",
        "-0",
        "[\"on\", \"010\", \"\"]",
        "[\"a\",\"šč\",{\"k\":[3]}]",
    ] {
        let text = Text::new("t", text);
        assert_eq!(read_json(&text).unwrap(), read(&text).unwrap(), "{}", text.content);
    }
}

#[test]
fn what_is_malformed_is_refused_at_its_place() {
    let cases = [
        "",
        " \n",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\" 1}",
        "{a: 1}",
        "{'a': 1}",
        "[1, // x\n]",
        "# x\n1",
        "[1",
        "{\"a\":",
        "\"abc",
        "[\"ž\\q\"]",
        "\"\\u12\"",
        "\"a\nb\"",
        "01",
        "-",
        "1.",
        "1e",
        "+1",
        ".5",
        "NaN",
        "[nul]",
        "truex",
        "1 2",
        "]",
        "[,1]",
        "{\"a\":1 \"b\":2}",
        "1e999",
        "{\"a\":1,\"ž\":2,\"a\":3}",
        "\"\\",
        "[\"ž\", č]",
    ];
    let table: Vec<String> = cases.iter().map(|text| format!("{text:?}: {}", refused(text))).collect();
    assert_snapshot!(table.join("\n"), @r###"
    "": SL101 1:1-1:1 the text ends where a value is expected
    " \n": SL101 2:1-2:1 the text ends where a value is expected
    "[1,]": SL101 1:3-1:4 one `,` too many before the closing `]`
    "{\"a\":1,}": SL101 1:7-1:8 one `,` too many before the closing `}`
    "[1 2]": SL101 1:4-1:5 expected `,` or `]`, found `2`
    "{\"a\" 1}": SL101 1:6-1:7 expected `:` after the key, found `1`
    "{a: 1}": SL101 1:2-1:3 expected a key in double quotes, found `a`
    "{'a': 1}": SL101 1:2-1:3 JSON puts texts and keys in double quotes
    "[1, // x\n]": SL101 1:5-1:6 JSON has no comments
    "# x\n1": SL101 1:1-1:2 JSON has no comments
    "[1": SL101 1:3-1:3 the text ends where `,` or `]` is expected
    "{\"a\":": SL101 1:6-1:6 the text ends where a value is expected
    "\"abc": SL101 1:1-1:2 this text is not closed by `"`
    "[\"ž\\q\"]": SL101 1:4-1:6 `\q` is no escape of JSON
    "\"\\u12\"": SL101 1:2-1:4 `\u` needs four hexadecimal digits
    "\"a\nb\"": SL101 1:3-2:1 this text holds a bare control character; write it as `\u000a`
    "01": SL101 1:1-1:3 a number of JSON does not start with `0`
    "-": SL101 1:2-1:2 the text ends where a digit after `-` is expected
    "1.": SL101 1:3-1:3 the text ends where a digit after `.` is expected
    "1e": SL101 1:3-1:3 the text ends where a digit of the exponent is expected
    "+1": SL101 1:1-1:2 expected a value, found `+`
    ".5": SL101 1:1-1:2 expected a value, found `.`
    "NaN": SL101 1:1-1:4 expected a value, found `NaN`
    "[nul]": SL101 1:2-1:5 expected a value, found `nul`
    "truex": SL101 1:1-1:6 expected a value, found `truex`
    "1 2": SL101 1:3-1:4 expected the end of the text, found `2`
    "]": SL101 1:1-1:2 expected a value, found `]`
    "[,1]": SL101 1:2-1:3 expected a value, found `,`
    "{\"a\":1 \"b\":2}": SL101 1:8-1:9 expected `,` or `}`, found `"`
    "1e999": SL111 1:1-1:6 `1e999` is outside the numbers of 64 bits
    "{\"a\":1,\"ž\":2,\"a\":3}": SL102 1:14-1:17 key `a` appears twice
    "\"\\": SL101 1:2-1:3 `\` is no escape of JSON
    "[\"ž\", č]": SL101 1:7-1:8 expected a value, found `č`
    "###);
}

#[test]
fn a_fault_that_ends_a_line_ends_on_the_next() {
    for content in ["\"a\nb\"", "\"a\\\nb\""] {
        let text = Text::new("t", content);
        let span = read_json(&text).unwrap_err()[0].span;
        assert_eq!((span, span.end_line), (text.span(span.start, span.end), 2));
    }
}

#[test]
fn every_fault_says_what_to_do() {
    let found = read_json(&Text::new("t", "[1,]")).unwrap_err();
    assert_snapshot!(found[0].help, @"correct the YAML or JSON at this place; what follows it was not read");
}

#[test]
fn the_last_of_two_keys_counts_where_javascript_wrote_them() {
    let text = Text::new("t", r#"{"a": 1, "b": 2, "a": [3]}"#);
    let (root, warnings) = read_json_with(&text, JsonRules::IMPORT).unwrap();
    assert_eq!(root.to_json(), json!({"a": [3], "b": 2}));
    assert_eq!((warnings[0].severity, warnings[0].annotations.len()), (Severity::Medium, 1));
    assert_snapshot!(line(&warnings), @"SL102 1:18-1:21 key `a` appears twice");
    assert_eq!(path_at(&root, 23), "a[0]");
}

#[test]
fn a_large_map_knows_its_duplicates_too() {
    let keys: Vec<String> = (0..100).map(|i| format!("\"k{}\":{i}", i % 99)).collect();
    assert!(refused(&format!("{{{}}}", keys.join(","))).contains("key `k0` appears twice"));
    for at in 1..40 {
        let keys: Vec<String> = (0..40).map(|i| format!("\"k{}\":{i}", if i == at { 0 } else { i })).collect();
        assert!(refused(&format!("{{{}}}", keys.join(","))).contains("key `k0` appears twice"), "{at}");
    }
}

#[test]
fn duplicates_beyond_count_are_not_all_reported() {
    let text = Text::new("t", format!("{{{}\"a\":0}}", "\"a\":1,".repeat(1_000)));
    assert_eq!(read_json(&text).unwrap_err().len(), DUPLICATES_REPORTED_MAX);
    let (root, warnings) = read_json_with(&text, JsonRules::IMPORT).unwrap();
    assert_eq!((root.to_json(), warnings.len()), (json!({"a": 0}), DUPLICATES_REPORTED_MAX));
}

#[test]
fn half_a_surrogate_pair_is_replaced() {
    let text = r#""\ud83d\ude00 \ud83d \ude00 \ud83d\u0041 \ud83d\ud83d\ude00""#;
    assert_eq!(tree(text).as_text().unwrap().as_ref(), "😀 \u{fffd} \u{fffd} \u{fffd}A \u{fffd}😀");
}

#[test]
fn numbers_keep_what_they_can() {
    let list = tree("[9223372036854775807, -9223372036854775808, 9223372036854775808, 1.0, 1e2, 1e-400]");
    let Data::List(items) = list.value else { panic!("a list") };
    let values: Vec<Data> = items.into_iter().map(|n| n.value).collect();
    let expected = [
        Data::Int(i64::MAX),
        Data::Int(i64::MIN),
        Data::Float(9_223_372_036_854_775_808.0),
        Data::Float(1.0),
        Data::Float(100.0),
        Data::Float(0.0),
    ];
    assert_eq!(values, expected);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let text = Text::new("t", "\u{feff}{\"a\": 1}");
    let root = read_json(&text).unwrap();
    assert_eq!(root.to_json(), json!({"a": 1}));
    assert_eq!(root.span, text.span(3, 11));
}

#[test]
fn depth_is_a_bound_and_not_a_stack_overflow() {
    for text in ["[".repeat(1_000_000), "{\"a\":".repeat(500_000)] {
        assert!(refused(&text).starts_with("SL105"), "{}", refused(&text));
    }
    let fits = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    assert!(read_json(&Text::new("t", fits)).is_ok());
}

#[test]
fn size_is_a_bound_of_the_rules() {
    let text = Text::new("t", format!("\"{}\"", "a".repeat(TEXT_BYTES_MAX)));
    assert_eq!(read_json(&text).unwrap_err()[0].code.0, 104);
    assert!(read_json_with(&text, JsonRules::IMPORT).is_ok());
    let many = Text::new("t", format!("[{}0]", "0,".repeat(TEXT_NODES_MAX)));
    assert_eq!(read_json(&many).unwrap_err()[0].code.0, 106);
    assert!(read_json_with(&many, JsonRules::IMPORT).is_ok());
}

#[test]
fn a_place_in_one_line_has_a_path() {
    let text = r#"{"nodes":[{"name":"a"},{"a b":{"":1},"parameters":{"url":"https://x"}}]}"#;
    let root = tree(text);
    let path = |part: &str| path_at(&root, text.find(part).unwrap());
    assert_eq!(path("\"https"), "nodes[1].parameters.url");
    assert_eq!(path("\"url\""), "nodes[1].parameters.url");
    assert_eq!(path("{\"a b"), "nodes[1]");
    assert_eq!(path("1}"), "nodes[1][\"a b\"][\"\"]");
    assert_eq!((path_at(&root, 0), path_at(&root, 1_000)), (String::new(), String::new()));
}
