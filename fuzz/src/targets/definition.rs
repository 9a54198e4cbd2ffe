//! Definition texts: whatever the bytes, reading and lowering end with a program or with places.

use sluice_core::control::normal_successors;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::program::Program;
use sluice_core::text::Text;
use sluice_core::{document, dsl};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "definition", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\n- ",
    b"\n  ",
    b": ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"&a ",
    b"*a",
    b"!!str ",
    b"<<: ",
    b"---\n",
    b"'",
    b"\"\\u",
    b"|\n",
    b">-\n",
    b"${ ",
    b"\\(",
    b"$secrets.key",
    b"$context",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"then: ",
    b"end",
    b"retry: ",
    b"timeout: { after: PT1S }",
];

fn run(data: &[u8]) -> String {
    agrees_with_json(data);
    let lowered = dsl::lower_bytes("definition", data);
    for found in &lowered.diagnostics {
        stands_in(found, data.len());
    }
    match lowered.program {
        None => {
            assert!(!lowered.diagnostics.is_empty(), "a definition was refused without a word");
            lowered.diagnostics.iter().map(|d| d.code.to_string()).collect::<Vec<_>>().join(" ")
        }
        Some(program) => {
            assert!(lowered.diagnostics.is_empty(), "a program with diagnostics");
            is_whole(&program);
            let text = String::from_utf8_lossy(data);
            assert!(!program.render(&Text::new("definition", text.as_ref())).is_empty(), "an empty listing");
            format!("{} nodes", program.nodes.len().ilog2())
        }
    }
}

/// A JSON text that both readers take means the same to both.
fn agrees_with_json(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(data) else { return };
    let Ok((_, node)) = document::read_bytes("json", data) else { return };
    let read = node.to_json();
    assert!(same(&read, &json), "read {read} where JSON means {json}");
}

/// Equal, where a number is its value: `1` and `1.0` are written differently.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

fn stands_in(found: &Diagnostic, length: usize) {
    let span = found.span;
    assert!(span.line >= 1 && span.column >= 1, "no place: {found:?}");
    assert!(span.start <= span.end && span.end <= length, "outside the text: {found:?}");
    assert!(!found.message.is_empty() && !found.help.is_empty(), "without words: {found:?}");
}

/// Everything that a program names is in it.
fn is_whole(program: &Program) {
    for (_, node) in program.nodes() {
        let targets = normal_successors(&node.kind);
        assert!(targets.iter().all(|id| program.node(*id).is_some()), "a node goes nowhere");
        assert!(node.handler.is_none_or(|h| program.handler(h).is_some()), "a handler is missing");
        assert!(node.deadline.is_none_or(|d| program.deadline(d).is_some()), "a timeout is missing");
    }
    assert!(program.handlers.iter().all(|h| program.node(h.entry).is_some()), "a handler goes nowhere");
    assert!(program.node(program.entry).is_some() && program.node(program.exit).is_some(), "no way in or out");
}

fn seeds() -> Vec<Vec<u8>> {
    const HEAD: &str = "document: { dsl: '1.0.3', namespace: a, name: b, version: '0.1.0' }\n";
    let bodies = [
        "do:\n- a: { if: .x, set: { y: '${ .z }' }, export: { as: '$context + .' }, then: end }\n- b: { set: '${ $input }', then: a }\n",
        "use: { secrets: [key], retries: { r: { delay: PT1S, limit: { attempt: { count: 2 } } } } }\ndo:\n- t:\n    try:\n    - c: { call: crm.get, with: { k: '${ $secrets.key }', t: 'a ${ .b } c' } }\n    catch: { errors: { with: { status: 404 } }, as: e, when: $e.status > 1, retry: r, do: [{ s: { set: { a: 1 } } }] }\n",
        "timeout: { after: PT1H }\ndo:\n- f:\n    fork: { branches: [{ a: { wait: '${ .w }' } }, { b: { for: { each: i, in: . }, while: $i > 1, do: [] } }] }\n    timeout: { after: { seconds: 1 } }\n- s: { switch: [{ x: { when: .a, then: f } }, { d: { then: exit } }] }\n",
        "do:\n- h: { call: http, with: { method: get, endpoint: 'https://a.example/{id}', query: { q: '${ .q }' } } }\n- r: { raise: { error: { type: t, status: 400, detail: |\n    ${ .d }\n } } }\n",
        "x: &a [1, 0x2, 3.5e1, ~, \"\\ud83d\\ude00\"]\ny: *a\n",
    ];
    let mut seeds: Vec<Vec<u8>> = bodies.iter().map(|body| format!("{HEAD}{body}").into_bytes()).collect();
    seeds.push(br#"{"document": {"dsl": "1.0.3", "namespace": "a", "name": "b", "version": "1"}, "do": [{"a": {"set": {"n": [1, -2.5, true, null, "t\n"]}}}]}"#.to_vec());
    seeds
}
