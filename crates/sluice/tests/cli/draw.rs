//! `sluice draw`.

use serde_json::json;

use crate::sandbox::Sandbox;

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/report/workflows/report.yaml");

#[test]
fn the_picture_has_a_box_per_step_and_says_what_each_carries() {
    let sandbox = Sandbox::new();
    let svg = sandbox.sluice(&["draw", REPORT]).with(0).out;
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
    for words in
        ["aria-label=\"step do/0/", "; carries ", "class=\"badge\"", "class=\"legend\"", "prefers-color-scheme"]
    {
        assert!(svg.contains(words), "{words} in {svg}");
    }
    assert_eq!(svg, sandbox.sluice(&["draw", REPORT]).with(0).out, "the same picture each time");
    let dark = sandbox.sluice(&["draw", REPORT, "--theme", "dark"]).with(0).out;
    assert!(!dark.contains("prefers-color-scheme"), "{dark}");
}

#[test]
fn names_of_outsiders_are_no_markup() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.workflow("a.yaml", "  - \"</svg><script>\\u202e\\e\": { set: { a: 1 } }\n");
    let svg = sandbox.sluice(&["draw", &file]).with(0).out;
    assert!(!svg.contains("<script") && !svg.contains(['\u{202e}', '\x1b']), "{svg}");
    assert_eq!(svg.matches("</svg>").count(), 1);
}

#[test]
fn sixty_steps_are_drawn_and_too_many_are_refused() {
    let sandbox = Sandbox::with_workspace();
    let tasks = |count: usize| (0..count).map(|n| format!("  - s{n}: {{ set: {{ a: {n} }} }}\n")).collect::<String>();
    let file = sandbox.workflow("sixty.yaml", &tasks(60));
    let svg = sandbox.sluice(&["draw", &file]).with(0).out;
    assert_eq!(svg.matches("<g class=\"step\"").count(), 60);
    let file = sandbox.workflow("many.yaml", &tasks(401));
    assert!(sandbox.sluice(&["draw", &file]).with(2).err.contains("more than 400 steps"));
    let file = sandbox.write("ws/bad.yaml", "document: [\n");
    assert!(sandbox.sluice(&["draw", &file]).with(1).err.contains("[SL101]"));
}

/// What a screen reader is told of boxes and arrows, in the order of the picture.
fn told(svg: &str) -> Vec<String> {
    let after = |part: &str, mark: &str| part.split_once(mark).map(|(_, rest)| rest.to_owned());
    let arrows = svg.split("<path class=\"arrow").skip(1).filter_map(|part| after(part, "<title>"));
    let arrows = arrows.map(|rest| rest.split("</title>").next().unwrap_or_default().to_owned());
    let boxes = svg.split("aria-label=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned());
    arrows.filter(|words| words.contains(" of ") || words.starts_with("from ")).chain(boxes).collect()
}

#[test]
fn an_export_is_drawn_as_its_own_nodes_and_connections() {
    let sandbox = Sandbox::new();
    let node = |name: &str, kind: &str, parameters: serde_json::Value| json!({ "name": name, "type": kind, "typeVersion": 2, "parameters": parameters });
    let to = |name: &str, kind: &str| json!({ kind: [[{ "node": name, "type": kind, "index": 0 }]] });
    let export = json!({
        "nodes": [
            node("Mail", "n8n-nodes-base.gmailTrigger", json!({})),
            node("Ask", "@n8n/n8n-nodes-langchain.agent", json!({ "promptType": "define", "text": "={{ $json.text }}" })),
            node("Model", "@n8n/n8n-nodes-langchain.lmChatOpenAi", json!({})),
            node("</svg>\u{202e}", "n8n-nodes-base.noOp", json!({})),
            node("Alone", "n8n-nodes-base.noOp", json!({})),
        ],
        "connections": {
            "Mail": to("Ask", "main"), "Ask": to("</svg>\u{202e}", "main"), "Model": to("Ask", "ai_languageModel"),
        },
    });
    let file = sandbox.write("export.json", export.to_string());
    let svg = sandbox.sluice(&["draw", &file]).with(0).out;
    assert_eq!(
        told(&svg),
        [
            "from Mail to Ask; a flow that was found, high",
            r"from Ask to &lt;/svg&gt;\u{202e}",
            "Model is a part of Ask",
            "step Mail: gmailTrigger; outsiders' words come in here; reads communications",
            "step Ask: agent; it acts outside; a flow that was found passes it; 2 found, worst high",
            "step Model: lmChatOpenAi",
            r"step &lt;/svg&gt;\u{202e}: noOp",
        ]
    );
    assert_eq!(svg.matches("</svg>").count(), 1);
    assert!(!svg.contains('\u{202e}') && svg.contains("prefers-color-scheme"), "{svg}");
}

#[test]
fn jobs_states_and_edges_of_other_engines_are_drawn_in_their_order() {
    let sandbox = Sandbox::new();
    let drawn = |name: &str, text: &str| told(&sandbox.sluice(&["draw", &sandbox.write(name, text)]).with(0).out);
    let actions = "on: issues\njobs:\n  b:\n    needs: a\n    runs-on: x\n    steps:\n      - run: two\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ github.event.issue.title }}\n        name: one\n";
    let told = drawn("a.yml", actions);
    for words in [
        "from issues to a; a flow that was found, critical",
        "from a to a / one; a flow that was found, critical",
        "from a / one to b",
        "from b to b / two",
    ] {
        assert!(told.iter().any(|line| line == words), "{words} in {told:?}");
    }
    let machine = r#"{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F"}],"Next":"D"},"D":{"Type":"Succeed"},"F":{"Type":"Fail"}}}"#;
    let told = drawn("m.json", machine);
    for words in ["from execution input to M", "from M to I", "from I to D", "from M to F, if it fails"] {
        assert!(told.iter().any(|line| line == words), "{words} in {told:?}");
    }
    assert!(!told.iter().any(|line| line == "from M to D"), "{told:?}");
    let app = r#"{"definition":{"triggers":{"T":{"type":"Request"}},"actions":{"A":{"type":"If","actions":{"B":{"type":"Compose","inputs":1}},"runAfter":{}},"C":{"type":"Compose","inputs":1,"runAfter":{"A":["Failed"]}}}}}"#;
    let told = drawn("l.json", app);
    for words in ["from T to A", "from A to B", "from B to C, if it fails", "from A to C, if it fails"] {
        assert!(told.iter().any(|line| line == words), "{words} in {told:?}");
    }
}

#[test]
fn a_refused_export_is_not_drawn_and_says_why() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("m.json", r#"{"StartAt":"A","States":{"A":{"Type":"Dream"}}}"#);
    assert!(sandbox.sluice(&["draw", &file]).with(1).err.contains("[SL822]"));
}
