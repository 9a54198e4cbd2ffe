//! A workspace's own catalogues of what the nodes of other engines do.

use serde_json::json;

use crate::sandbox::Sandbox;

const OWN: &str = "connectors/n8n/own.yaml";

fn export() -> String {
    let node = |name: &str, kind: &str, parameters: serde_json::Value| json!({ "name": name, "type": kind, "typeVersion": 2, "parameters": parameters });
    json!({
        "nodes": [
            node("Mail", "n8n-nodes-base.gmailTrigger", json!({})),
            node("Ask", "@n8n/n8n-nodes-langchain.chainLlm", json!({ "promptType": "define", "text": "=Answer: {{ $json.text }}" })),
        ],
        "connections": { "Mail": { "main": [[{ "node": "Ask", "type": "main", "index": 0 }]] } },
    })
    .to_string()
}

fn machine() -> String {
    let parameters = json!({ "ModelId": "m", "Body": { "prompt.$": "$.q" } });
    let ask = json!({ "Type": "Task", "Resource": "arn:aws:states:::bedrock:invokeModel", "Parameters": parameters, "End": true });
    json!({ "StartAt": "Ask", "States": { "Ask": ask } }).to_string()
}

/// The chain says nothing to a model, says the workspace.
fn harmless() -> &'static str {
    "version: 1\nformat: n8n\nnodes:\n  \"@n8n/n8n-nodes-langchain.chainLlm\": { kind: flow }\n"
}

fn sign(sandbox: &Sandbox) {
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
}

/// The codes of the findings of a file, and what its report says was not shown.
fn checked(sandbox: &Sandbox, file: &str) -> (Vec<String>, String) {
    let report = sandbox.sluice(&["check", "--format", "json", file]).json();
    let found = &report["files"][0];
    let codes = found["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap().to_owned());
    (codes.collect(), found["not_shown"].to_string())
}

#[test]
fn what_signers_say_of_a_node_replaces_what_comes_with_sluice_and_is_told() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", export());
    let (codes, said) = checked(&sandbox, &file);
    assert!(codes.contains(&"SL230".to_owned()) && !said.contains("own catalogue"), "{codes:?} {said}");
    sandbox.write(&format!("ws/{OWN}"), harmless());
    sign(&sandbox);
    let (codes, said) = checked(&sandbox, &file);
    assert!(!codes.contains(&"SL230".to_owned()), "{codes:?}");
    let told = "that `@n8n/n8n-nodes-langchain.chainLlm` does what the workspace's own catalogue says of it";
    assert!(said.contains(told), "{said}");
    let out = sandbox.sluice(&["check", &file]).out;
    let words: Vec<&str> = out.split_whitespace().collect();
    assert!(words.join(" ").contains("the workspace's own catalogue"), "{out}");
    let other = sandbox.write("elsewhere/export.json", export());
    let beside = sandbox.path(&other).display().to_string();
    assert!(checked(&sandbox, &beside).0.contains(&"SL230".to_owned()), "a file outside of the workspace");
}

#[test]
fn what_nobody_signed_does_not_count() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", export());
    sandbox.write(&format!("ws/{OWN}"), harmless());
    let unsigned = sandbox.sluice(&["check", &file]).with(2);
    assert!(unsigned.err.contains("SL420"), "{}", unsigned.err);
    std::fs::remove_file(sandbox.keys().join("signers")).unwrap();
    let (codes, said) = checked(&sandbox, &file);
    assert!(codes.contains(&"SL230".to_owned()), "{codes:?}");
    assert!(said.contains(&format!("what `{OWN}` says of nodes: it does not count")), "{said}");
    let alone = Sandbox::new();
    alone.write(&format!("ws/{OWN}"), harmless());
    let file = alone.write("ws/export.json", export());
    let file = alone.path(&format!("ws/{file}")).display().to_string();
    assert!(checked(&alone, &file).0.contains(&"SL230".to_owned()), "a folder that is no workspace");
}

#[test]
fn a_picture_goes_by_what_signers_say_and_by_nothing_else() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", export());
    let found = |svg: &str| svg.contains("something was found in");
    assert!(found(&sandbox.sluice(&["draw", &file]).with(0).out));
    sandbox.write(&format!("ws/{OWN}"), harmless());
    assert!(sandbox.sluice(&["draw", &file]).with(2).err.contains("SL420"), "what waits for signatures is not read");
    sign(&sandbox);
    let svg = sandbox.sluice(&["draw", &file]).with(0).out;
    assert!(svg.contains("nothing found in any of them"), "{svg}");
    std::fs::remove_file(sandbox.keys().join("signers")).unwrap();
    let ended = sandbox.sluice(&["draw", &file]).with(0);
    let said = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(found(&ended.out) && said.contains(&format!("`{OWN}` says of nodes: it does not count")), "{said}");
}

#[test]
fn services_of_other_formats_are_replaced_in_the_same_way() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/machine.json", machine());
    assert!(checked(&sandbox, &file).0.contains(&"SL230".to_owned()));
    let own = "version: 1\nformat: step-functions\nservices:\n  bedrock:\n    operations: { invokeModel: { effect: read } }\n";
    sandbox.write("ws/connectors/step-functions/own.yaml", own);
    sign(&sandbox);
    let (codes, said) = checked(&sandbox, &file);
    assert!(!codes.contains(&"SL230".to_owned()), "{codes:?}");
    assert!(said.contains("that `bedrock` does what the workspace's own catalogue says of it"), "{said}");
    let export = sandbox.write("ws/export.json", export());
    let (codes, said) = checked(&sandbox, &export);
    assert!(codes.contains(&"SL230".to_owned()) && !said.contains("own catalogue"), "it says nothing of n8n: {said}");
}

#[test]
fn words_that_count_for_every_node_are_told_for_each_file() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", export());
    sandbox.write(&format!("ws/{OWN}"), "version: 1\nformat: n8n\nverbs: [{ words: [frobnicate], effect: read }]\n");
    sign(&sandbox);
    let (_, said) = checked(&sandbox, &file);
    assert!(said.contains("that what the workspace's own catalogue says of verbs, names and hosts holds"), "{said}");
}

#[test]
fn what_an_entry_cannot_mean_is_an_error_at_its_place() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", export());
    for (content, place, words) in [
        ("version: 1\nformat: n8n\nnodes:\n  a: { kind: flow, sinc: x }\n", "4:20", "unknown key `sinc`"),
        ("version: 1\nformat: n8n\nnodes:\n  a: { kind: magic }\n", "4:14", "`kind` is `magic`"),
        ("version: 1\nformat: dify\n", "2:9", "`format`"),
        ("nodes: [\n", "1:8", "unclosed bracket"),
    ] {
        sandbox.write(&format!("ws/{OWN}"), content);
        sign(&sandbox);
        let refused = sandbox.sluice(&["check", &file]).with(2);
        let said = refused.err.replace('\n', " ");
        assert!(said.contains(&format!("{OWN}:{place}")) && said.contains(words), "{content}: {}", refused.err);
    }
    let twice = "version: 1\nformat: n8n\nnodes: { a: { kind: flow } }\n";
    sandbox.write(&format!("ws/{OWN}"), twice);
    sandbox.write("ws/connectors/n8n/second.yaml", twice);
    sign(&sandbox);
    let refused = sandbox.sluice(&["check", &file]).with(2);
    assert!(refused.err.contains("`a` is in `connectors/n8n/own.yaml` already"), "{}", refused.err);
}
