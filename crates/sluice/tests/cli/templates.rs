//! Templates: signed once, filled often, and with nothing outside of what was signed.

use serde_json::{Value as Json, json};

use crate::sandbox::{Ended, Sandbox};

const CREWS: &str = r#"version: 1
connector: crews
transport: { files: { folder: data/crews, format: jsonl } }
owner: owners
actions:
  add:
    effect: write
    request: { file: "{crew}.jsonl", operation: append }
    arguments:
      crew: { role: reference, required: true, reference: crew }
      rows: { role: payload, required: true }
    output: { from: replace, trust: { "": trusted }, labels: { "": [internal] }, dataset: crews }
"#;

const TEMPLATE: &str = r#"document:
  dsl: '1.0.3'
  namespace: t
  name: crew
  version: '1.0.0'
  metadata:
    purpose: operations
    holes:
      crew: { type: text, enum: [day, night], description: "which crew" }
      who: { type: text, max_chars: 20, pattern: "[a-z]+" }
      times: { type: integer, minimum: 1, maximum: 3, default: 1 }
do:
  - add: { call: crews.add, with: { crew: '${ $workflow.input.crew }', rows: [{ who: '${ $workflow.input.who }', times: '${ $workflow.input.times }' }] } }
"#;

/// A workspace in which ana signs definitions, and a template that ben proposed.
fn workspace(template: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/workspace.yaml", |text| text + "\ndefinitions: { approvers: owners }\n");
    sandbox.write("ws/connectors/crews.yaml", CREWS);
    sandbox.write("ws/data/crews/night.jsonl", "{\"who\": \"eve\"}\n");
    sandbox.write("ws/data/crews/day.jsonl", "{\"who\": \"eve\"}\n");
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    let file = sandbox.write("ws/crew.yaml", template);
    let proposed = sandbox.sluice(&["propose", &file, "--as", "ben", "--author", "ben", "--format", "json"]).with(0);
    let id = proposed.json()["proposal"].as_str().unwrap().to_owned();
    (sandbox, id)
}

fn sign(sandbox: &Sandbox, id: &str) {
    sandbox.sluice(&["approvals", "approve", id, "--as", "ana", "--key", &sandbox.key()]).with(0);
}

fn fill(sandbox: &Sandbox, id: &str, values: &[&str]) -> Ended {
    let set = values.iter().flat_map(|value| ["--set", value]);
    let words: Vec<&str> = ["template", "run", id, "--format", "json"].into_iter().chain(set).collect();
    sandbox.sluice(&words)
}

fn crew(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(&format!("ws/data/crews/{name}.jsonl"))).unwrap()
}

#[test]
fn a_template_is_signed_once_and_filled_often() {
    let (sandbox, id) = workspace(TEMPLATE);
    let listed = sandbox.sluice(&["template", "list"]).with(0).out;
    assert!(listed.contains(&id) && listed.contains("waits for signatures"), "{listed}");
    assert_eq!(fill(&sandbox, &id, &["crew=night", "who=fay"]).with(4).json()["held"][0]["approval"], json!(id));
    sign(&sandbox, &id);
    assert!(sandbox.sluice(&["template", "list"]).with(0).out.contains("open"));
    let shown = sandbox.sluice(&["template", "show", &id, "--format", "json"]).with(0).json();
    assert_eq!(shown["holes"][0]["takes"], "one of `day`, `night`", "{shown}");
    assert_eq!(sandbox.sluice(&["template", "show", "crew.yaml"]).with(0).out.matches("by requester").count(), 3);
    for (values, name, row) in [
        (&["crew=night", "who=fay"][..], "night", r#"{"times":1,"who":"fay"}"#),
        (&["crew=day", "who=gus", "times=3"], "day", r#"{"times":3,"who":"gus"}"#),
    ] {
        fill(&sandbox, &id, values).with(0);
        let kept = crew(&sandbox, name);
        let found = kept.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        assert!(found.into_iter().any(|line| line == serde_json::from_str::<Json>(row).unwrap()), "{kept}");
    }
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn what_is_outside_of_a_hole_starts_nothing_however_it_is_run() {
    let (sandbox, id) = workspace(TEMPLATE);
    sign(&sandbox, &id);
    let runs = || sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    let before = runs();
    for (values, why) in [
        (&["crew=dusk", "who=fay"][..], "`crew` takes one of `day`, `night`, and not \"dusk\""),
        (&["crew=../night", "who=fay"], "`crew` takes one of `day`, `night`"),
        (&["crew=night", "who=Fay Wray"], "`who` takes a text of at most 20 characters like `[a-z]+`"),
        (&["crew=night", "who=fay", "times=4"], "`times` takes a whole number from 1 to 3, and not 4"),
        (&["crew=night", "who=fay", "times=many"], "`times` takes a whole number from 1 to 3"),
        (&["crew=night", "who=fay", "more=1"], "`more` is no hole of this template"),
        (&["crew=night"], "`who` is not filled"),
    ] {
        let refused = fill(&sandbox, &id, values).with(5).json();
        assert_eq!((&refused["refusal"]["code"], &refused["run"]), (&json!("SL454"), &Json::Null), "{refused}");
        assert!(refused["refusal"]["why"].as_str().unwrap().contains(why), "{why}: {refused}");
    }
    let input = sandbox.write("ws/input.json", r#"{"crew": "dusk", "who": "fay"}"#);
    let run = ["run", "crew.yaml", "--as", "ben", "--author", "ben", "--input", &input, "--format", "json"];
    assert_eq!(sandbox.sluice(&run).with(5).json()["refusal"]["code"], "SL454");
    assert_eq!(runs(), before);
    let unknown = sandbox.sluice(&["template", "run", "P-0000000000"]).with(2);
    assert!(unknown.err.contains("SL455"), "{}", unknown.err);
}

#[test]
fn an_approval_of_a_step_is_for_the_values_that_filled_it() {
    // What a model may write in words of its own is the model's, whoever fills it: the step waits for the owner.
    let by_model = TEMPLATE.replace("pattern: \"[a-z]+\"", "by: [requester, \"model:gpt\"]");
    let (sandbox, id) = workspace(&by_model);
    sign(&sandbox, &id);
    let held = |who: &str| {
        let held = fill(&sandbox, &id, &["crew=night", who]).with(4).json();
        held["held"][0]["approval"].as_str().unwrap().to_owned()
    };
    let first = held("who=fay");
    let shown = sandbox.sluice(&["approvals", "show", &first]).with(0).out;
    assert!(shown.contains("model:gpt"), "{shown}");
    assert_ne!(first, held("who=mallory"));
    // A hole that lists its values was chosen by whoever signed: nobody is asked.
    let listed = TEMPLATE.replace("enum: [day, night]", "enum: [day, night], by: [requester, \"model:gpt\"]");
    let (sandbox, id) = workspace(&listed);
    sign(&sandbox, &id);
    fill(&sandbox, &id, &["crew=night", "who=fay"]).with(0);
}

#[test]
fn a_hole_that_cannot_be_meant_is_a_finding_of_its_own() {
    for (from, to, why) in [
        ("type: integer, minimum: 1", "type: integer", "`minimum`"),
        ("minimum: 1", "minimum: 9", "`minimum` is above `maximum`"),
        ("default: 1", "default: 7", "`default` is not what the hole takes"),
        ("pattern: \"[a-z]+\"", "pattern: \"a)|(.*\"", "`pattern` is none"),
        ("enum: [day, night]", "enum: []", "`enum` lists the texts"),
        ("enum: [day, night]", "enum: [day], max_chars: 3", "either `enum` or"),
        ("type: text, max_chars", "type: number, max_chars", "`type` is `number`"),
        ("max_chars: 20", "max_chars: 20, by: [anybody]", "`anybody` fills no hole"),
        ("      who:", "      who-ever:", "is no name of a hole"),
    ] {
        let sandbox = Sandbox::with_workspace();
        let text = TEMPLATE.replace(from, to);
        assert_ne!(text, TEMPLATE, "{from}");
        let file = sandbox.write("ws/crew.yaml", text);
        let checked = sandbox.sluice(&["check", &file]);
        let said = format!("{}{}", checked.out, checked.err).replace('\n', " ");
        assert!(checked.code != 0 && said.contains(why), "{why}: {said}");
    }
}
