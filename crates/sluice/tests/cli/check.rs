//! `sluice check`.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value as Json;

use crate::sandbox::Sandbox;

const FETCH: &str = "  - fetch: { call: http, with: { method: get, endpoint: https://api.example.com/notes } }\n";

#[test]
fn a_new_workspace_passes() {
    let sandbox = Sandbox::with_workspace();
    sandbox.sluice(&["check", "workflows"]).with(0);
    let found = sandbox.sluice(&["policy", "check"]).with(0);
    assert!(found.out.contains("signed by ana"), "{}", found.out);
}

#[test]
fn init_tells_where_the_keys_are_and_replaces_nothing() {
    let sandbox = Sandbox::new();
    let made = sandbox.sluice(&["init", "notes", "--as", "ana"]).with(0);
    assert_snapshot!(sandbox.redacted(&made.out), @r"
    made notes
      your key, made now      TMP/home/keys/ana.key
      keys of this workspace  TMP/home/workspaces/HEX

    solo: `ana` alone may change the rules of this workspace, and every report says
          so. Set `solo: false` and sign with two people as soon as there are two of
          you.

    next:
      cd notes && sluice check workflows
      sluice run workflows/hello.yaml --as ana --author ana
      sluice audit verify
    ");
    let again = sandbox.sluice(&["init", "notes", "--as", "ana"]).with(2);
    assert!(again.err.contains("error[SL546]"), "{}", again.err);
    let inside = sandbox.sluice(&["init", ".", "--as", "ana"]).with(2);
    assert!(inside.err.contains("SL534"), "keys below the workspace: {}", inside.err);
}

#[test]
fn people_read_findings_first_then_steps_then_what_was_not_shown() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.workflow("flow.yaml", FETCH);
    let checked = sandbox.sluice(&["check", &file]).with(1);
    assert_snapshot!(checked.out, @r"
    high[SL209]: no contract covers `GET https://api.example.com/notes`
     --> flow.yaml:3:20
      |
    3 |   - fetch: { call: http, with: { method: get, endpoint: https://api.examp...
      |                    ^^^^
      = help: `sluice connector list` shows what there is; or have a contract
              written for it

    steps
      forbid  http do/0/fetch (line 3)
              carries  words from author
              because  no contract covers `GET https://api.example.com/notes`

    not shown
      - timing: how long a run takes may tell an observer something
      - that contracts are right, and that connectors do what they say
      - who starts the run: it was asked for anybody of the register
      - that a second person agreed to the rules: this workspace is solo

    flow.yaml: 1 high; 1 step: 1 forbid

    `sluice explain SL209` says more
    ");
    assert_eq!(checked.err, "");
}

#[test]
fn a_flow_is_shown_with_its_path_and_the_smallest_change() {
    let sandbox = Sandbox::new();
    let ticket = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/ticket");
    let checked = sandbox.sluice(&["check", ticket]).with(1);
    for words in ["critical[SL204]", "= the way it takes:", "├─ do/0/readTicket", "└─ do/2/changeDirectory", "= help: "]
    {
        assert!(checked.out.contains(words), "{words} in {}", checked.out);
    }
    assert!(checked.out.contains("that anybody signed the rules"), "{}", checked.out);
    let wide = checked.out.lines().filter(|line| !line.contains("-->")).map(|line| line.chars().count()).max();
    assert!(wide <= Some(80), "{wide:?} columns in {}", checked.out);
}

#[test]
fn without_a_workspace_the_last_line_says_what_one_would_add() {
    let sandbox = Sandbox::new();
    let file = sandbox.write(
        "flow.yaml",
        "document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }\ndo:\n  - a: { set: { b: 1 } }\n",
    );
    let checked = sandbox.sluice(&["check", &file]);
    let last = checked.out.trim_end().rsplit_once("\n\n").map(|(_, end)| end.to_owned()).unwrap_or_default();
    assert!(checked.out.contains("no workspace: with one (`sluice init`)"), "{last}");
}

#[test]
fn json_is_as_the_interface_says() {
    let sandbox = Sandbox::with_workspace();
    let good = sandbox.workflow("a.yaml", FETCH);
    let bad = sandbox.write("ws/b.yaml", "document: [\n");
    let report = sandbox.sluice(&["check", "--format", "json", &good, &bad]).with(1).json();
    assert_eq!(report["version"], 1);
    let keys = |value: &Json| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(keys(&report), set(&["version", "files"]));
    for (file, status) in report["files"].as_array().unwrap().iter().zip(["checked", "refused"]) {
        assert_eq!(keys(file), set(&["path", "format", "status", "findings", "steps", "not_shown"]));
        assert_eq!(file["status"], status);
        let finding = &file["findings"][0];
        assert_eq!(
            keys(finding),
            set(&["code", "name", "severity", "confidence", "message", "help", "span", "step", "flow"])
        );
        assert_eq!(keys(&finding["span"]), set(&["line", "column", "end_line", "end_column"]));
    }
    let file = &report["files"][0];
    assert_eq!((&file["findings"][0]["code"], &file["findings"][0]["severity"]), (&"SL209".into(), &"high".into()));
    let step = &file["steps"][0];
    assert_eq!(
        (step["step"].as_str(), step["action"].as_str(), step["verdict"].as_str()),
        (Some("do/0/fetch"), Some("http"), Some("forbid"))
    );
    assert!(keys(step).is_superset(&set(&["step", "action", "verdict", "labels", "policies"])));
}

#[test]
fn a_folder_is_searched_for_workflows_and_nothing_else() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/data/table.json", "[1, 2]");
    sandbox.write("ws/.hidden/flow.yaml", "document: {}\n");
    let report = sandbox.sluice(&["check", "--format", "json", "."]).with(0).json();
    let paths: Vec<&str> = report["files"].as_array().unwrap().iter().filter_map(|f| f["path"].as_str()).collect();
    assert_eq!(paths, ["workflows/hello.yaml"]);
}

#[test]
fn what_was_typed_wrong_is_usage() {
    let sandbox = Sandbox::with_workspace();
    for (arguments, words) in [
        (vec!["check"], "required"),
        (vec!["check", "nowhere.yaml"], "there is no file or folder `nowhere.yaml`"),
        (vec!["check", "workflows", "--as", "anna"], "do you mean `ana`?"),
        (vec!["check", "workflows", "--workspace", "data"], "is no workspace"),
        (vec!["chekc"], "unrecognized"),
    ] {
        let ended = sandbox.sluice(&arguments).with(2);
        assert!(ended.err.contains(words), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn changed_rules_are_not_read_as_if_they_were_signed() {
    let sandbox = Sandbox::with_workspace();
    sandbox.edit("ws/policies/leaving.cedar", |text| text + "\n");
    for arguments in [["check", "workflows"], ["run", "workflows/hello.yaml"]] {
        let ended = sandbox.sluice(&arguments).with(2);
        assert!(ended.err.contains("SL420"), "{}", ended.err);
    }
    sandbox.sluice(&["policy", "check"]).with(1);
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox.sluice(&["check", "workflows"]).with(0);
}
