use insta::assert_snapshot;

use super::*;

fn tree(text: &str) -> Node {
    read(&Text::new("t", text)).unwrap()
}

fn refused(text: &str) -> String {
    let found = read(&Text::new("t", text)).unwrap_err();
    let line = |d: &Diagnostic| {
        let Span { line, column, end_line, end_column, .. } = d.span;
        format!("{} {line}:{column}-{end_line}:{end_column} {}", d.code, d.message)
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Every node with its place and raw text.
fn listing(text: &str) -> String {
    fn walk(node: &Node, raw: &str, depth: usize, out: &mut String) {
        let Span { line, column, end_line, end_column, start, end } = node.span;
        let raw_text = raw.get(start..end).unwrap_or("?");
        let value = match &node.value {
            Data::List(_) => "list".to_owned(),
            Data::Map(_) => "map".to_owned(),
            other => format!("{other:?}"),
        };
        out.push_str(&format!("{:depth$}{value} {line}:{column}-{end_line}:{end_column} {raw_text:?}\n", ""));
        match &node.value {
            Data::List(items) => items.iter().for_each(|n| walk(n, raw, depth + 2, out)),
            Data::Map(entries) => entries.iter().for_each(|e| walk(&e.value, raw, depth + 2, out)),
            _ => {}
        }
    }
    let mut out = String::new();
    walk(&tree(text), text, 0, &mut out);
    out
}

#[test]
fn every_value_knows_its_place() {
    assert_snapshot!(listing("a: one  # why\nb:\n  - 'two'\n  - \"thr\\u00e9e\"\nč: {x: 1.5, y: [true, ~]}\nd: |\n  line\n  more\ne: >-\n  folded\nf:\n"), @r#"
    map 1:1-11:2 "a: one  # why\nb:\n  - 'two'\n  - \"thr\\u00e9e\"\nč: {x: 1.5, y: [true, ~]}\nd: |\n  line\n  more\ne: >-\n  folded\nf"
      Text("one") 1:4-1:7 "one"
      list 3:3-4:17 "- 'two'\n  - \"thr\\u00e9e\""
        Text("two") 3:5-3:10 "'two'"
        Text("thrée") 4:5-4:17 "\"thr\\u00e9e\""
      map 5:4-5:26 "{x: 1.5, y: [true, ~]}"
        Float(1.5) 5:8-5:11 "1.5"
        list 5:16-5:25 "[true, ~]"
          Bool(true) 5:17-5:21 "true"
          Null 5:23-5:24 "~"
      Text("line\nmore\n") 7:3-9:1 "line\n  more\n"
      Text("folded") 10:3-11:1 "folded\n"
      Null 11:2-11:2 ""
    "#);
}

#[test]
fn a_carriage_return_alone_is_refused_and_one_before_a_line_feed_is_not() {
    assert_snapshot!(refused("a: 1\nb: 2\rc: 3\n"), @"SL101 2:5-2:6 a carriage return without a line feed: readers disagree whether it ends a line");
    assert_eq!(tree("a: 1\r\nb: 2\r\n").get("b").unwrap().span.line, 2);
}

#[test]
fn json_reads_as_yaml_does() {
    let json = "{\n\t\"a\": \"\\ud83d\\ude00 \\/ x\",\n\t\"b\": [1, -2.5e3, null],\n\t\"c\": {}\n}\n";
    assert_eq!(tree(json).to_json(), serde_json::from_str::<serde_json::Value>(json).unwrap());
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    let value = |text: &str| tree(&format!("- {text}")).to_json()[0].clone();
    for (text, expected) in [
        ("true", serde_json::json!(true)),
        ("12", serde_json::json!(12)),
        ("+3", serde_json::json!(3)),
        ("-0", serde_json::json!(0)),
        ("0x1F", serde_json::json!(31)),
        ("1e3", serde_json::json!(1000.0)),
        (".5", serde_json::json!(0.5)),
        ("1.0.3", serde_json::json!("1.0.3")),
        ("2024-01-01", serde_json::json!("2024-01-01")),
        ("PT5S", serde_json::json!("PT5S")),
        ("...x", serde_json::json!("...x")),
        ("- a", serde_json::json!(["a"])),
        ("-", serde_json::json!([null])),
        ("~", serde_json::json!(null)),
        ("'on'", serde_json::json!("on")),
        ("'010'", serde_json::json!("010")),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn scalars_that_readers_disagree_about_are_refused() {
    for text in [
        "on",
        "Yes",
        "n",
        "010",
        "-010",
        "1_000",
        "0o17",
        "0b11",
        "12:30",
        "1:30:00",
        ".inf",
        "-.NaN",
        "9223372036854775808",
        "1e999",
        "-0x1",
    ] {
        assert!(refused(&format!("a: {text}")).starts_with("SL111 1:4"), "{text}");
    }
    assert!(read(&Text::new("t", "on: 1\nyes: 2")).is_ok(), "keys are text");
}

#[test]
fn every_error_of_a_text_is_reported_at_once() {
    assert_snapshot!(refused("a: on\nb: 1\nb: 2\nc: !!str x\n<<: {d: 1}\n5: x\ne: *nowhere\nf: [1\n"), @r#"
    SL111 1:4-1:6 `on` is text in YAML 1.2 and a boolean in YAML 1.1
    SL102 3:1-3:2 key `b` appears twice
    SL112 4:4-4:9 tag `!!str` is not supported
    SL113 5:1-5:3 merge key `<<` is not supported
    SL114 6:1-6:2 a key must be text, found a number
    SL115 7:4-7:12 alias `*nowhere` names no anchor before it
    SL101 8:4-8:4 unclosed bracket '['
    "#);
}

#[test]
fn one_text_is_one_document() {
    assert_snapshot!(refused("a: 1\n---\nb: 2\n"), @"SL103 2:1-2:4 the text holds a second document");
}

#[test]
fn aliases_stand_for_their_anchor() {
    assert_eq!(tree("a: &x [1, 2]\nb: *x\n").to_json(), serde_json::json!({"a": [1, 2], "b": [1, 2]}));
    assert_snapshot!(refused("a: &x [1, *x]"), @"SL115 1:11-1:13 the alias stands inside what it names");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let uses = vec![format!("*l{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("l{level}: &l{level} [{uses}]\n"));
    }
    assert_snapshot!(refused(&bomb), @"SL106 6:20-6:23 the text has more than 250000 values, aliases expanded");
    let many = format!("a: &a 1\nb: [{}]\n", vec!["*a"; ALIASES + 1].join(", "));
    assert!(refused(&many).contains("SL106"));
}
const ALIASES: usize = crate::limits::ALIASES_MAX;

#[test]
fn deep_nesting_is_refused_without_recursion() {
    for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert!(refused(&text).contains("SL105"), "{}", refused(&text));
    }
    let fits = format!("{}{}", "[".repeat(crate::limits::DEPTH_MAX), "]".repeat(crate::limits::DEPTH_MAX));
    assert!(read(&Text::new("t", fits)).is_ok());
}

#[test]
fn an_alias_does_not_hide_depth() {
    let mut text = "a0: &a0 [[[[[[[[[[1]]]]]]]]]]\n".to_owned();
    for level in 1..9 {
        text.push_str(&format!("a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n", level - 1));
    }
    assert!(refused(&text).contains("SL105"));
}

#[test]
fn a_large_text_is_refused_before_it_is_read() {
    let bytes = vec![b'a'; 100 << 20];
    let found = read_bytes("big.yaml", &bytes).unwrap_err();
    assert_snapshot!(found[0].message, @"`big.yaml` has more than the 4194304 bytes that are read");
}

#[test]
fn invalid_utf8_is_located() {
    let found = read_bytes("t", b"a: 1\nb: \xff\xfe").unwrap_err();
    assert_eq!((found[0].code.0, found[0].span.line, found[0].span.column), (109, 2, 4));
}

#[test]
fn an_empty_text_is_null() {
    assert_eq!(tree("# only a comment\n").value, Data::Null);
}

#[test]
fn a_long_text_is_read_in_linear_time() {
    let text: String = (0..40_000).map(|i| format!("- {{name: n{i}, value: {i}}}\n")).collect();
    let Data::List(items) = tree(&text).value else { panic!("a list") };
    assert_eq!(items.len(), 40_000);
}

#[test]
fn fields_report_all_that_is_wrong() {
    let node = tree("nmae: x\nage: old\nkind: dog\nflag: 1\n");
    let mut out = Vec::new();
    let mut fields = Fields::of(&node, "a person", &mut out).unwrap();
    fields.required("name", &mut out);
    fields.optional("age").and_then(|n| n.expect_count("age", &mut out));
    fields.optional("kind").and_then(|n| n.expect_word("kind", &[("cat", 1), ("bird", 2)], &mut out));
    fields.optional("flag").and_then(|n| n.expect_bool("flag", &mut out));
    fields.finish(&mut out);
    let lines: Vec<String> =
        out.iter().map(|d| format!("{} {}:{} {}", d.code, d.span.line, d.span.column, d.message)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    SL116 1:1 a person has no `name`
    SL118 2:6 `age` must be a whole number of 0 or more, found text
    SL119 3:7 `kind` is `dog`; allowed are `cat`, `bird`
    SL118 4:7 `flag` must be `true` or `false`, found a number
    SL117 1:1 unknown key `nmae` in a person
    "#);
    assert!(Fields::of(&tree("[]"), "a person", &mut out).is_none());
}

#[test]
fn codes_are_unique_and_in_order() {
    assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn what_is_wrong_with_json_is_said_in_its_own_words() {
    let refused = |name: &str, text: &str| {
        let found = read(&Text::new(name, text)).unwrap_err();
        found.first().map(|d| (d.span.line, d.span.column, d.message.clone())).unwrap()
    };
    let unclosed = "{\n  \"a\": [1, 2,\n  \"b\": 3\n}\n";
    let (line, column, message) = refused("export.json", unclosed);
    assert_eq!((line, column), (3, 6), "{message}");
    // A text that is not named so may be anything that YAML is.
    assert_ne!(refused("flow.yaml", unclosed), (line, column, message));
    assert_eq!(read(&Text::new("x.json", "{a: 1}")).unwrap().to_json(), serde_json::json!({ "a": 1 }));
}
