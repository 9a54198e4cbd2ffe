//! `sluice import`: what is written of a workflow of another engine, and what is told of the rest.

use std::fs;

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

fn node(name: &str, kind: &str, parameters: Json) -> Json {
    json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "typeVersion": 3.4, "parameters": parameters })
}

/// A webhook that tells a channel; `last` is what comes after it.
fn export(last: Json) -> String {
    let name = last["name"].clone();
    let tell = json!({ "select": "channel", "channelId": "#sales", "text": "=Order of {{ $json.body.customer }}" });
    json!({
        "name": "Orders",
        "nodes": [node("Order", "webhook", json!({ "path": "orders" })), node("Tell", "slack", tell), last],
        "connections": {
            "Order": { "main": [[{ "node": "Tell", "type": "main", "index": 0 }]] },
            "Tell": { "main": [[{ "node": name, "type": "main", "index": 0 }]] },
        },
    })
    .to_string()
}

fn whole() -> String {
    export(node("Pause", "wait", json!({ "amount": 2, "unit": "minutes" })))
}

fn with_a_program() -> String {
    export(node("Sum \u{1b}[2J", "code", json!({ "jsCode": "return items" })))
}

#[test]
fn a_step_that_nothing_leads_to_is_said_to_be_left_out() {
    let sandbox = Sandbox::new();
    let misspelled = whole().replace(r#""node":"Pause""#, r#""node":"Pauze""#);
    let file = sandbox.write("export.json", misspelled);
    let told = sandbox.sluice(&["import", &file]).with(0).err.replace("\n    ", " ");
    assert!(told.contains("nothing leads there in the original, and it is left out: `Pause`"), "{told}");
    let file = sandbox.write("export.json", whole());
    assert!(!sandbox.sluice(&["import", &file]).with(0).err.contains("left out"));
}

#[test]
fn a_definition_is_shown_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("export.json", whole());
    let ended = sandbox.sluice(&["import", &file]).with(0);
    for words in [
        "call: slack.message.post",
        "${ [$context.Order.body.customer] | join(\"\") }",
        "wait: { milliseconds: 120000 }",
    ] {
        assert!(ended.out.contains(words), "{words} in {}", ended.out);
    }
    for words in ["3 of 3 steps have an equivalent", "`--out FILE` writes it"] {
        assert!(ended.err.replace('\n', " ").contains(words), "{words} in {}", ended.err);
    }
    let report = sandbox.sluice(&["import", "--format", "json", &file]).with(0).json();
    assert_eq!((&report["version"], &report["gaps"]), (&json!(1), &json!([])));
    assert_eq!(report["starts"], json!(["Order"]));
    assert!(report["contracts"]["connectors/slack.yaml"].as_str().unwrap().contains("effect: notify"));
    assert_eq!(report["written"], json!([]));
}

#[test]
fn what_is_written_is_loaded_by_a_workspace_and_checked() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", whole());
    let ended = sandbox.sluice(&["import", &file, "--out", "workflows/orders.yaml"]).with(0);
    assert!(ended.out.contains("registers/destinations.yaml"), "{}", ended.out);
    let entries = "  slack: { owner: owners, region: here, cleared: [] }";
    assert!(ended.out.contains(entries), "{}", ended.out);
    let entries = format!("{entries}\n");
    sandbox.edit("ws/registers/destinations.yaml", |text| {
        text.replace("destinations: {}", &format!("destinations:\n{entries}"))
    });
    sandbox.sign("ana").with(0);
    let listed = sandbox.sluice(&["connector", "list"]).with(0);
    assert!(listed.out.contains("slack.message.post") && listed.out.contains("webhook.event"), "{}", listed.out);
    let report = sandbox.sluice(&["check", "--format", "json", "workflows/orders.yaml"]).with(0).json();
    let found = &report["files"][0];
    assert_eq!(found["status"], "checked", "{report:#}");
    let steps: Vec<&Json> = found["steps"].as_array().unwrap().iter().map(|step| &step["action"]).collect();
    assert_eq!(steps, ["webhook.event", "slack.message.post"]);
}

#[test]
fn a_step_without_an_equivalent_is_told_with_its_place_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("export.json", with_a_program());
    let ended = sandbox.sluice(&["import", &file, "--out", "flow.yaml"]).with(1);
    for words in
        ["SL840", "has no equivalent: a program", "export.json:1:", "2 of 3 steps", "nothing was written", "--partial"]
    {
        assert!(ended.out.replace('\n', " ").contains(words), "{words} in {}", ended.out);
    }
    assert!(!ended.out.contains('\u{1b}'), "an outsider's words command no terminal");
    assert!(!sandbox.path("flow.yaml").exists() && !sandbox.path("connectors").exists());
    let report = sandbox.sluice(&["import", "--format", "json", &file]).with(1).json();
    let gap = &report["gaps"][0];
    assert_eq!((&gap["code"], &gap["path"]), (&json!("SL840"), &json!("nodes[2].name")));
    assert_eq!((&report["definition"], &report["flows"]), (&Json::Null, &Json::Null));
}

#[test]
fn a_partial_definition_says_so_and_is_refused_before_it_starts() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", with_a_program());
    sandbox.sluice(&["import", &file, "--out", "orders.yaml", "--partial"]).with(1);
    let written = fs::read_to_string(sandbox.path("ws/orders.yaml"))
        .unwrap_or_else(|_| fs::read_to_string(sandbox.path("orders.yaml")).unwrap());
    for words in ["NOT COMPLETE: 2 of 3 steps", "call: no-equivalent.code", "has no equivalent: a program"] {
        assert!(written.contains(words), "{words} in {written}");
    }
    assert!(!written.contains('\u{1b}'));
    let entries = "destinations:\n  slack: { owner: owners, region: here, cleared: [] }\n";
    sandbox.edit("ws/registers/destinations.yaml", |text| text.replace("destinations: {}", entries));
    sandbox.sign("ana").with(0);
    let ended = sandbox.sluice(&["check", "orders.yaml"]).with(1);
    assert!(ended.out.contains("no-equivalent.code"), "{}", ended.out);
    let run = sandbox.sluice(&["run", "orders.yaml"]);
    assert!(run.code != 0 && run.code != 6, "it never starts: {run:?}");
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("export.json", whole());
    sandbox.write("out/flow.yaml", "mine");
    let out = sandbox.path("out/flow.yaml").display().to_string();
    let ended = sandbox.sluice(&["import", &file, "--out", &out]).with(2);
    assert!(ended.err.contains("is there already"), "{}", ended.err);
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    assert!(!sandbox.path("out/connectors").exists(), "all of it is written, or nothing");
    let other = sandbox.path("out/other.yaml").display().to_string();
    sandbox.sluice(&["import", &file, "--out", &other]).with(0);
    // The same once more is no other content.
    sandbox.sluice(&["import", &file, "--out", &other]).with(0);
}

#[test]
fn of_several_starts_one_is_named() {
    let sandbox = Sandbox::new();
    let mut export: Json = serde_json::from_str(&whole()).unwrap();
    export["nodes"].as_array_mut().unwrap().push(node("Daily", "scheduleTrigger", json!({})));
    export["connections"]["Daily"] = json!({ "main": [[{ "node": "Pause", "type": "main", "index": 0 }]] });
    let file = sandbox.write("export.json", export.to_string());
    let ended = sandbox.sluice(&["import", &file]).with(1);
    assert!(ended.out.contains("SL843") && ended.out.contains("--start NAME"), "{}", ended.out);
    let daily = sandbox.sluice(&["import", &file, "--start", "Daily"]).with(0);
    assert!(!daily.out.contains("slack") && daily.out.contains("wait:"), "{}", daily.out);
    sandbox.sluice(&["import", &file, "--start", "Order"]).with(0);
    let unknown = sandbox.sluice(&["import", &file, "--start", "Weekly"]).with(1);
    assert!(unknown.out.contains("`Order`") && unknown.out.contains("`Daily`"), "{}", unknown.out);
}

#[test]
fn what_cannot_be_imported_is_refused_with_a_reason() {
    let sandbox = Sandbox::new();
    let native = sandbox.write("flow.yaml", "document: { dsl: '1.0.0' }\ndo: []\n");
    let ended = sandbox.sluice(&["import", &native]).with(2);
    assert!(ended.err.contains("no workflow of an engine"), "{}", ended.err);
    let actions =
        sandbox.write("w.yaml", "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n");
    let ended = sandbox.sluice(&["import", &actions]).with(1);
    assert!(ended.out.contains("SL840") && ended.out.contains("a script, which runs on a machine"), "{}", ended.out);
    sandbox.sluice(&["import", "nowhere.json"]).with(2);
}

#[test]
fn a_state_machine_is_written_loaded_and_checked() {
    let sandbox = Sandbox::with_workspace();
    let tell = json!({ "Type": "Task", "End": true, "Resource": "arn:aws:states:::sns:publish",
        "Parameters": { "TopicArn": "arn:aws:sns:eu-west-1:1:orders", "Message.$": "$.text" } });
    let choice = json!({ "Type": "Choice", "Default": "Done",
        "Choices": [{ "Variable": "$.kind", "StringEquals": "order", "Next": "Tell" }] });
    let machine = |tell: Json| {
        json!({ "StartAt": "Kind?", "States": { "Kind?": choice, "Tell": tell, "Done": { "Type": "Succeed" } } })
            .to_string()
    };
    let file = sandbox.write("ws/orders.asl.json", machine(tell.clone()));
    let ended = sandbox.sluice(&["import", &file, "--out", "workflows/orders.yaml"]).with(0);
    assert!(ended.out.replace('\n', " ").contains("4 of 4 steps have an equivalent"), "{}", ended.out);
    let entries = "destinations:\n  sns: { owner: owners, region: here, cleared: [] }\n";
    sandbox.edit("ws/registers/destinations.yaml", |text| text.replace("destinations: {}", entries));
    sandbox.sign("ana").with(0);
    let report = sandbox.sluice(&["check", "--format", "json", "workflows/orders.yaml"]).with(0).json();
    let found = &report["files"][0];
    assert_eq!(found["status"], "checked", "{report:#}");
    let steps: Vec<&Json> = found["steps"].as_array().unwrap().iter().map(|step| &step["action"]).collect();
    assert_eq!(steps, ["executions.input", "sns.publish"]);

    let mut waits = tell;
    waits["Resource"] = "arn:aws:states:::sns:publish.waitForTaskToken".into();
    let file = sandbox.write("ws/waits.asl.json", machine(waits));
    let ended = sandbox.sluice(&["import", &file, "--out", "waits.yaml"]).with(1);
    for words in
        ["SL840", "waits until somebody calls back", "waits.asl.json:1:", "3 of 4 steps", "nothing was written"]
    {
        assert!(ended.out.replace('\n', " ").contains(words), "{words} in {}", ended.out);
    }
    assert!(!sandbox.path("waits.yaml").exists() && !sandbox.path("ws/waits.yaml").exists());
}
