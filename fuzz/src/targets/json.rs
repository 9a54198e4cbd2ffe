//! JSON texts: the fast reader takes what `serde_json` takes, means the same, and every place is exact.

use serde_json::Value;
use sluice_core::document::{self, Data, Duplicates, JsonRules, Node};
use sluice_core::limits::DEPTH_MAX;
use sluice_core::text::Text;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "json", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"a\":",
    b"\"\"",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"\\\"",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"9223372036854775808",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    "šč".as_bytes(),
];

fn run(data: &[u8]) -> String {
    let Ok(text) = document::decode_within("json", data, JsonRules::IMPORT.bytes_max) else {
        return "no text".to_owned();
    };
    let strict = document::read_json(&text);
    let theirs = serde_json::from_str::<Value>(&text.content);
    match document::read_json_with(&text, JsonRules::IMPORT) {
        Ok((root, warnings)) => {
            assert_eq!(strict.is_ok(), warnings.is_empty(), "a duplicate key is a warning here and a refusal there");
            stands_at(&root, &text);
            if let Ok(theirs) = theirs {
                assert!(same(&root.to_json(), &theirs), "read {root:?} where JSON means {theirs}");
            } else {
                let only_ours = text.content.contains("\\u") || text.content.starts_with('\u{feff}');
                assert!(only_ours, "took what is no JSON");
            }
            format!("{} warnings, {}", warnings.len(), root.kind())
        }
        Err(found) => {
            assert!(!found.is_empty(), "refused without a word");
            assert!(strict.is_err(), "our own files are read by looser rules");
            for d in &found {
                assert_eq!(d.span, text.span(d.span.start, d.span.end), "a wrong place: {d:?}");
            }
            let bound = found.iter().any(|d| matches!(d.code.0, 105 | 106));
            assert!(theirs.is_err() || bound, "refused JSON: {found:?}");
            found.iter().map(|d| format!("{} {}", d.code, d.message.len())).collect::<Vec<_>>().join(" ")
        }
    }
}

fn stands_at(node: &Node, text: &Text) {
    let span = node.span;
    assert_eq!(span, text.span(span.start, span.end), "a wrong place");
    let raw = text.content.get(span.start..span.end).unwrap_or_default();
    let alone = JsonRules { duplicates: Duplicates::KeepLast, ..JsonRules::IMPORT };
    if let Data::List(items) = &node.value {
        items.iter().for_each(|n| stands_at(n, text));
    } else if let Data::Map(entries) = &node.value {
        entries.iter().for_each(|e| stands_at(&e.value, text));
    } else {
        let again = document::read_json_with(&Text::new("raw", raw), alone).map(|(n, _)| n.value);
        assert_eq!(again, Ok(node.value.clone()), "the raw text of a place is another value");
    }
}

/// Equal, where a number is its value, to the last digit but one: `serde_json` alone does not round exactly.
fn same(a: &Value, b: &Value) -> bool {
    use Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= a.abs() * 1e-15,
            _ => false,
        },
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let deep = format!("{}1{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    [
        r#"{"nodes": [{"name": "a", "n": [1, -2.5e3, true, null]}], "š\n\ud83d\ude00": {}}"#,
        "{\"a\": 1,\r\n \"a\": 2}",
        r#"["\ud83d", "\\\"", "", 18446744073709551615]"#,
        "\u{feff}[]",
        &deep,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
