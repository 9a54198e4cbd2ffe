//! Approvals bind to the version of what a step refers to, as the system of record tells it.

use serde_json::Value as Json;

use crate::sandbox::{Ended, Sandbox};

/// Crews are files of people; adding one of them is what is held.
const CREWS: &str = r#"version: 1
connector: crews
transport: { files: { folder: data/crews, format: jsonl } }
owner: owners
actions:
  add:
    effect: write
    request: { file: "{crew}.jsonl", operation: append }
    arguments:
      crew: { role: reference, required: true, reference: crew VERSION}
      rows: { role: payload, required: true }
    output: { from: replace, trust: { "": trusted }, labels: { "": [internal] }, dataset: crews }
  show:
    effect: read
    request: { file: "{crew}.jsonl", operation: read }
    arguments: { crew: { role: reference, required: true } }
    output: { from: replace, trust: { "": trusted }, labels: { "": [internal] }, dataset: crews }
"#;

fn workspace(version: &str) -> Sandbox {
    let sandbox = Sandbox::with_two_people();
    sandbox.write("ws/connectors/crews.yaml", CREWS.replace("VERSION", version));
    sandbox.write("ws/data/crews/night.jsonl", "{\"who\": \"eve\"}\n");
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox
}

fn add(sandbox: &Sandbox) -> Ended {
    let tasks = "  - add: { call: crews.add, with: { crew: night, rows: [{ who: fay }] } }\n";
    let workflow = sandbox.workflow("add.yaml", tasks);
    sandbox.sluice(&["run", &workflow, "--as", "ben", "--format", "json"])
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn held(ended: Ended) -> (String, String, String) {
    let ended = ended.with(4).json();
    let held = &ended["held"][0];
    (text(&ended["run"]), text(&held["approval"]), text(&held["why"]))
}

fn approve(sandbox: &Sandbox, approval: &str) -> Ended {
    sandbox.sluice(&["approvals", "approve", approval, "--as", "ana", "--key", &sandbox.key()])
}

fn resume(sandbox: &Sandbox, run: &str) -> Ended {
    sandbox.sluice(&["resume", run, "--format", "json"])
}

#[test]
fn an_approval_of_what_has_changed_since_does_not_count_and_the_difference_is_shown() {
    let sandbox = workspace(", version: show ");
    let (run, first, _) = held(add(&sandbox));
    let shown = sandbox.sluice(&["approvals", "show", &first, "--format", "json"]).with(0).json();
    assert_eq!(shown["step"]["references"][0]["from"], "crews.show", "{shown}");
    approve(&sandbox, &first).with(0);
    sandbox.write("ws/data/crews/night.jsonl", "{\"who\": \"eve\"}\n{\"who\": \"mallory\"}\n");

    let (_, second, why) = held(resume(&sandbox, &run));
    assert_ne!(first, second);
    assert!(why.contains(&first) && why.contains("has changed"), "{why}");
    let shown = sandbox.sluice(&["approvals", "show", &second, "--format", "json"]).with(0).json();
    assert_eq!(
        shown["step"]["changed"],
        serde_json::json!(["crew `night` /: {\"who\":\"mallory\"} is new"]),
        "{shown}"
    );
    assert_eq!(shown["said"], serde_json::json!([]));

    // Nothing changed any more: it waits on, under the same id, and what it replaced is no longer asked.
    assert_eq!(held(resume(&sandbox, &run)), (run.clone(), second.clone(), why));
    let listed = sandbox.sluice(&["approvals", "list"]).with(0).out;
    assert!(listed.contains(&second) && !listed.contains(&format!("{first}  crews")), "{listed}");
    let late = approve(&sandbox, &first).with(5);
    assert!(late.err.contains("SL445"), "{}", late.err);

    approve(&sandbox, &second).with(0);
    resume(&sandbox, &run).with(0);
    let kept = std::fs::read_to_string(sandbox.path("ws/data/crews/night.jsonl")).unwrap();
    assert!(kept.contains("mallory") && kept.contains("fay"), "{kept}");
    // What a gate counted after it had read is compared at commit like what it counts at once.
    let shown = sandbox.sluice(&["audit", "show", &run, "--format", "json"]).with(0).json();
    let answers: Vec<&Json> = shown["entries"].as_array().unwrap().iter().map(|e| &e["payload"]["answer"]).collect();
    let permit = answers.iter().find(|answer| answer["decision"] == "permit").unwrap();
    assert_eq!(permit["receipt"]["more"]["counted"]["calls_this_hour"], 0, "{permit}");
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn what_names_people_is_compared_and_not_kept() {
    let sandbox = workspace(", version: show ");
    sandbox.edit("ws/connectors/crews.yaml", |text| {
        let (add, show) = text.split_once("  show:").unwrap();
        format!("{add}  show:{}", show.replace("dataset: crews", "dataset: crews, subject: \"/*/who\""))
    });
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    let (run, first, _) = held(add(&sandbox));
    sandbox.write("ws/data/crews/night.jsonl", "{\"who\": \"eve\"}\n{\"who\": \"mallory\"}\n");
    let (_, second, _) = held(resume(&sandbox, &run));
    assert_ne!(first, second);
    let shown = sandbox.sluice(&["approvals", "show", &second, "--format", "json"]).with(0).out;
    assert!(shown.contains("its difference is not kept") && !shown.contains("mallory"), "{shown}");
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).out;
    assert!(!log.contains("mallory") && !log.contains("\"eve"), "{log}");
}

#[test]
fn a_version_that_cannot_be_read_refuses_the_step() {
    let sandbox = workspace(", version: show ");
    sandbox.write("ws/data/crews/night.jsonl", "not a line of JSON\n");
    let ended = add(&sandbox).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL517", "{ended}");
}

#[test]
fn where_no_version_is_known_that_is_said() {
    let sandbox = workspace("");
    let (_, approval, _) = held(add(&sandbox));
    let shown = sandbox.sluice(&["approvals", "show", &approval, "--format", "json"]).with(0).json();
    assert_eq!(shown["step"]["references"][0]["version"], Json::Null, "{shown}");
    let shown = sandbox.sluice(&["approvals", "show", &approval]).with(0).out;
    assert!(shown.contains("no version is known"), "{shown}");
}
