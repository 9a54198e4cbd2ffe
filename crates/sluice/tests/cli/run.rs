//! `sluice run`, `resume` and `runs`: how they end, and with which exit code.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn a_run_completes_and_is_listed_shown_and_audited() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/input.json", r#"{"name": "Ada"}"#);
    let arguments = ["run", "workflows/hello.yaml", "--input", "input.json", "--author", "ana", "--format", "json"];
    let ran = sandbox.sluice(&arguments).with(0).json();
    assert_eq!((&ran["status"], &ran["held"]), (&"completed".into(), &serde_json::json!([])));
    assert!(ran["output"].is_object(), "{ran}");
    let run = ran["run"].as_str().unwrap();
    assert!(sandbox.sluice(&["runs", "list"]).with(0).out.contains(run));
    sandbox.sluice(&["runs", "show", &run[..8]]).with(0);
    let shown = sandbox.sluice(&["audit", "show", run, "--format", "json"]).with(0).json();
    let kinds: Vec<&str> = shown["entries"].as_array().unwrap().iter().filter_map(|e| e["kind"].as_str()).collect();
    assert_eq!(kinds, ["run-started", "decision", "intent", "outcome", "run-completed"]);
    let greetings = std::fs::read_to_string(sandbox.path("ws/data/greetings.jsonl")).unwrap();
    assert!(greetings.contains("Hello, Ada!"), "{greetings}");
}

#[test]
fn people_see_how_a_run_ended() {
    let sandbox = Sandbox::with_two_people();
    let fetch = sandbox
        .workflow("fetch.yaml", "  - fetch: { call: http, with: { method: get, endpoint: https://x.example/n } }\n");
    let refused = sandbox.sluice(&["run", &fetch]).with(5);
    assert_snapshot!(sandbox.redacted(&refused.out), @r"
    high[SL209]: no contract covers `GET https://x.example/n`
     --> fetch.yaml:3:20
      |
    3 |   - fetch: { call: http, with: { method: get, endpoint: https://x.example...
      |                    ^^^^
      = help: `sluice connector list` shows what there is; or have a contract
              written for it

    refused  not started
      SL221  policy refuses `do/0/fetch` in every run
    solo workspace: one person alone may change its rules
    ");
    let raise = sandbox.workflow(
        "raise.yaml",
        "  - stop: { raise: { error: { type: https://e.example/no, status: 400, title: Nope } } }\n",
    );
    let faulted = sandbox.sluice(&["run", &raise]).with(6);
    assert_snapshot!(sandbox.redacted(&faulted.out), @r#"
    faulted  run HEX
      {
        "type": "https://e.example/no",
        "status": 400,
        "title": "Nope",
        "instance": "/do/0/stop"
      }
    solo workspace: one person alone may change its rules
    "#);
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben"]).with(4);
    assert_snapshot!(sandbox.redacted(&held.out), @r"
    held  run HEX
      A-HEX  do/1/keep: whoever reads the dataset later would not see that
                    author wrote to it; needs approval by the data owner `owners`
      sluice approvals show A-HEX
      sluice resume HEX   once it is decided
    solo workspace: one person alone may change its rules
    ");
}

#[test]
fn programs_read_how_a_run_ended() {
    let sandbox = Sandbox::with_two_people();
    let fetch = sandbox
        .workflow("fetch.yaml", "  - fetch: { call: http, with: { method: get, endpoint: https://x.example/n } }\n");
    let refused = sandbox.sluice(&["run", &fetch, "--format", "json"]).with(5).json();
    assert_eq!((&refused["status"], &refused["run"]), (&"refused".into(), &serde_json::Value::Null));
    let unreadable = sandbox.write("ws/x.yaml", "do: 1\n");
    let refused = sandbox.sluice(&["run", &unreadable, "--format", "json"]).with(5).json();
    assert_eq!(refused["status"], "refused");
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    assert_eq!((held["status"].as_str(), held["held"].as_array().map(Vec::len)), (Some("held"), Some(1)));
    assert!(held["held"][0]["approval"].is_string() && held["held"][0]["why"].is_string(), "{held}");
}

#[test]
fn what_cannot_be_started_is_usage() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/input.json", "{");
    for (arguments, words) in [
        (vec!["run", "nowhere.yaml"], "the workflow `nowhere.yaml` is missing"),
        (vec!["run", "workflows/hello.yaml", "--as", "nobody"], "`nobody` is not in"),
        (vec!["run", "workflows/hello.yaml", "--input", "input.json"], "is no JSON"),
        (vec!["run", "workflows/hello.yaml", "--author", "ana", "--model", "m"], "cannot be used with"),
        (vec!["resume", "ffff"], "SL520"),
        (vec!["runs", "resolve", "ffff"], "required"),
    ] {
        let ended = sandbox.sluice(&arguments).with(2);
        assert!(ended.err.contains(words), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn nobody_resolves_a_call_that_is_not_in_doubt() {
    let sandbox = Sandbox::with_two_people();
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let ended = sandbox.sluice(&["runs", "resolve", held["run"].as_str().unwrap(), "--repeat"]).with(2);
    assert!(ended.err.contains("SL524"), "{}", ended.err);
}
