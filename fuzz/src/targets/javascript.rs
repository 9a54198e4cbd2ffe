//! JavaScript of n8n: whatever the text, reading it ends, every place lies in it, and nothing that one path of plain
//! expressions reads is lost.

use serde_json::Value as Json;
use sluice_core::expression::{Environment, Expression, evaluate};
use sluice_core::label::Label;
use sluice_core::text::Text;
use sluice_core::value::{Kinds, Value};
use sluice_formats::javascript::{Mode, Root, Translated, parameter, program};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "javascript", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"$json.a",
    b"$('N').first().json.b",
    b"$input.all()",
    b"items[0].json.x = ",
    b"...item.json",
    b"={{ ",
    b" }}",
    b" => ",
    b"return ",
    b"const o = { ",
    b"o.k = ",
    b"function f(x) { return x }",
    b"f(f(",
    b"`${",
    b"}`",
    b"/a(?=b)/g",
    b"?.",
    b" ?? ",
    b"async () => { await ",
    b"eval(",
    b"for (const x of ",
    b"try { ",
    b"class A { constructor(",
    b"label: ",
    b"\xe2\x80\xa8",
];

fn run(data: &[u8]) -> String {
    let Ok(source) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let text = Text::new("fuzz", source);
    let locate = |start: usize, end: usize| {
        assert!(start <= end && end <= source.len(), "a place outside the text: {start}..{end}");
        text.span(start, end)
    };
    let resolve = |root: &Root| match root {
        Root::Workflow => None,
        _ => Some(Expression::input(text.span(0, 0))),
    };
    let modes = [Mode::AllItems, Mode::EachItem, Mode::Function, Mode::FunctionItem, Mode::Tool];
    let mode = modes[source.len() % modes.len()];
    let parts = [parameter(source, false, &locate, &resolve), program(source, mode, &locate, &resolve)];
    parts.iter().map(shape).collect::<Vec<_>>().join(" / ")
}

/// Any evaluation ends, and what is known beforehand admits what a run has.
fn shape(translated: &Translated) -> String {
    let known = Value::from_json(&serde_json::json!({ "a": ["x", 1], "b": { "c": null } }), Label::BOTTOM);
    let unknown = Value::unknown(Label::BOTTOM, Kinds::ALL);
    for expression in [&translated.expression, &translated.injectable()] {
        let with = |input: &Value| evaluate(expression, &Environment { input, variables: &|_| Some(input.clone()) });
        let (ran, predicted) = (with(&known), with(&unknown));
        // What has an opaque part is no value of a run.
        let concrete = ran.value.as_ref().filter(|value| value.is_concrete());
        if let (Some(value), false) = (concrete, predicted.exhausted) {
            let admits = predicted.value.as_ref().is_some_and(|p| p.admits(value));
            assert!(admits, "the prediction {:?} does not admit the run {value:?}", predicted.value);
        }
    }
    let constant = translated.expression.constant().map(|json| matches!(json, Json::String(_)));
    format!(
        "{} reads, {} calls, opaque {}, {constant:?}",
        translated.reads.len(),
        translated.calls.len(),
        translated.opaque
    )
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "={{ $json.a.b[0] }} and {{ $('N').item.json.c ?? 'd' }}",
        "={{ $json.a.map(x => x.b).join(', ') }}",
        "const out = []; for (const item of $input.all()) { out.push({ json: { ...item.json, k: 1 } }) } return out",
        "for (const item of items) { item.json.x = $('N').first().json.y } return items",
        "const f = (a, b = 1) => { if (!a) return null; return `${a}-${b}` }; return [{ json: { v: f($json.a) } }]",
        "let t = 0; try { t = JSON.parse($json.s).n } catch (e) { t = e.message } return { json: { t } }",
        "const m = { a: 'x', b: 'y' }; return [{ json: { to: m[$json.k] } }]",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
