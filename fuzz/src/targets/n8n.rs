//! Exports of n8n: whatever the bytes, reading and lowering end with a survey or with places, which lie in the text.

use crate::Target;
use crate::targets::logic_apps::surveyed;

/// See the module.
pub const TARGET: Target = Target { name: "n8n", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"{\"name\":\"X\",\"type\":\"n8n-nodes-base.set\",\"parameters\":{}},",
    b"{\"name\":\"X\",\"type\":\"n8n-nodes-base.if\",\"typeVersion\":2,\"parameters\":{}},",
    b"\"parameters\":{",
    b"\"typeVersion\":4.2",
    b"\"disabled\":true",
    b"\"onError\":\"continueErrorOutput\"",
    b"\"X\":{\"main\":[[{\"node\":\"A\",\"type\":\"main\",\"index\":0}]]},",
    b"\"X\":{\"ai_tool\":[[{\"node\":\"A\",\"type\":\"ai_tool\",\"index\":0}]]},",
    b"={{ $json.a }}",
    b"={{ $('A').item.json.b }}",
    b"={{ $fromAI('k') }}",
    b"{{ $json.a }}",
    b"{\"__rl\":true,\"mode\":\"id\",\"value\":\"v\"}",
    b"const item = $input.first(); item.json.x = $('A').first().json.y; return item;",
    b"\"workflowId\":\"={{ $workflow.id }}\"",
    b"^[a-z]+$",
    b"null",
    b"[]",
    b"\xff",
];

fn run(data: &[u8]) -> String {
    surveyed(data)
}

fn seeds() -> Vec<Vec<u8>> {
    let node = |name: &str, kind: &str, parameters: &str| {
        format!("{{\"name\":\"{name}\",\"type\":\"{kind}\",\"typeVersion\":3.4,\"parameters\":{parameters}}}")
    };
    let main = |from: &str, to: &str| {
        format!("\"{from}\":{{\"main\":[[{{\"node\":\"{to}\",\"type\":\"main\",\"index\":0}}]]}}")
    };
    let export = |nodes: &[String], links: &[String]| {
        format!("{{\"id\":\"w\",\"nodes\":[{}],\"connections\":{{{}}}}}", nodes.join(","), links.join(",")).into_bytes()
    };
    let hook = || node("A", "n8n-nodes-base.webhook", "{\"path\":\"p\"}");
    vec![
        export(
            &[
                hook(),
                node(
                    "B",
                    "n8n-nodes-base.code",
                    "{\"jsCode\":\"for (const item of $input.all()) { item.json.x = 1 } return items\"}",
                ),
                node(
                    "C",
                    "n8n-nodes-base.httpRequest",
                    "{\"url\":\"=https://{{ $json.body.h }}/\",\"options\":{\"allowUnauthorizedCerts\":true}}",
                ),
            ],
            &[main("A", "B"), main("B", "C")],
        ),
        export(
            &[
                hook(),
                node(
                    "B",
                    "@n8n/n8n-nodes-langchain.agent",
                    "{\"promptType\":\"define\",\"text\":\"={{ $json.body.q }}\"}",
                ),
                node("C", "n8n-nodes-base.gmailTool", "{\"operation\":\"send\",\"sendTo\":\"={{ $fromAI('to') }}\"}"),
            ],
            &[main("A", "B"), "\"C\":{\"ai_tool\":[[{\"node\":\"B\",\"type\":\"ai_tool\",\"index\":0}]]}".to_owned()],
        ),
        export(
            &[
                hook(),
                node(
                    "B",
                    "n8n-nodes-base.if",
                    "{\"conditions\":{\"string\":[{\"value1\":\"={{ $json.body.q }}\",\"operation\":\"equal\",\"value2\":\"x\"}]}}",
                ),
                node(
                    "C",
                    "n8n-nodes-base.postgres",
                    "{\"operation\":\"executeQuery\",\"query\":\"SELECT {{ $json.body.q }}\"}",
                ),
                node("D", "n8n-nodes-base.executeWorkflow", "{\"workflowId\":\"={{ $workflow.id }}\"}"),
                node("E", "n8n-nodes-base.executeWorkflowTrigger", "{}"),
            ],
            &[main("A", "B"), main("B", "C"), main("C", "D"), main("E", "B")],
        ),
        b"[{\"nodes\":[{\"name\":1}],\"connections\":{}}]".to_vec(),
    ]
}
