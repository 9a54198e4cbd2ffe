//! Apps of Dify: whatever the bytes, reading and lowering end with a survey or with places.

use sluice_core::document;
use sluice_formats::Format;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "dify", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\n- ",
    b"\n  ",
    b": ",
    b"{{#sys.query#}}",
    b"{{#a.b.0#}}",
    b"{{ v }}",
    b"{% if v %}",
    b"{#",
    b"#}}",
    b"data: {type: llm}",
    b"type: iteration",
    b"type: loop",
    b"start_node_id: a",
    b"parentId: a",
    b"[sys, query]",
    b"[a, b]",
    b"&a ",
    b"*a",
    b"\xff",
];

fn run(data: &[u8]) -> String {
    let (text, tree) = match document::read_bytes("app", data) {
        Ok(read) => read,
        Err(found) => return found.iter().map(|d| d.code.to_string()).collect::<Vec<_>>().join(" "),
    };
    match sluice_formats::import(Format::Dify, &text, &tree) {
        Err(found) => {
            assert!(!found.is_empty(), "an app was refused without a word");
            assert!(found.iter().all(|d| d.span.end <= data.len()), "outside the text: {found:?}");
            found.iter().map(|d| d.code.to_string()).collect::<Vec<_>>().join(" ")
        }
        Ok(import) => {
            let survey = sluice_verify::survey::survey(&import);
            let inside = survey.findings.iter().all(|d| d.span.end <= data.len());
            assert!(inside, "outside the text: {:?}", survey.findings);
            let kinds: std::collections::BTreeSet<&str> = survey.flows.iter().map(|flow| flow.kind.name()).collect();
            kinds.into_iter().collect::<Vec<_>>().join(" ")
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    const HEAD: &str = "app: {mode: advanced-chat}\nworkflow:\n  environment_variables: [{name: k, value_type: secret, value: s}]\n  conversation_variables: [{name: c, value: 1}]\n  graph:\n    edges: [{source: s, target: a}, {source: a, target: b}, {source: b, target: a}]\n    nodes:\n    - {id: s, data: {type: start, title: S, variables: [{variable: q, type: paragraph}]}}\n";
    let bodies = [
        "    - {id: a, data: {type: llm, memory: {}, prompt_template: [{role: user, text: '{{#s.q#}} {{#env.k#}}'}]}}\n    - {id: b, data: {type: http-request, method: post, url: 'https://{{#a.text#}}/', body: {type: json, data: '{\"a\": \"{{#sys.query#}}\"}'}}}\n",
        "    - {id: a, data: {type: iteration, iterator_selector: [s, q], output_selector: [b, output], start_node_id: b}}\n    - {id: b, parentId: a, data: {type: template-transform, template: '<p>{{ v.x }}{% for y in v %}', variables: [{variable: v, value_selector: [a, item]}]}}\n",
        "    - {id: a, data: {type: loop, loop_variables: [{label: v, value_type: variable, value: [s, q]}], start_node_id: b}}\n    - {id: b, parentId: a, data: {type: assigner, items: [{variable_selector: [a, v], input_type: variable, operation: append, value: [conversation, c]}]}}\n",
        "    - {id: a, data: {type: agent, agent_parameters: {query: {type: constant, value: '{{#sys.query#}}'}, tools: {type: constant, value: [{provider_name: email, tool_name: send_mail, schemas: [{name: to, form: llm}]}]}}}}\n    - {id: b, data: {type: code, code: 'eval(x)', variables: [{variable: x, value_selector: [a, text]}], outputs: {r: {type: string}}}}\n",
    ];
    bodies.iter().map(|body| format!("{HEAD}{body}").into_bytes()).collect()
}
