//! `kind: approval`: a person vouches for one value of one run.

use insta::assert_snapshot;
use serde_json::Value as Json;

use crate::sandbox::{Ended, Sandbox};

/// The topic of each note is an outsider's word; it says which book is looked up.
const NOTES: &str = r#"version: 1
connector: notes
transport: { files: { folder: data/notes, format: jsonl } }
owner: owners
actions:
  inbox:
    effect: read
    request: { file: inbox.jsonl, operation: read }
    output: { from: replace, trust: { "": trusted, "/*/topic": origin }, labels: { "": [internal] }, dataset: notes.inbox }
  book:
    effect: read
    request: { file: "{name}.jsonl", operation: read }
    arguments: { name: { role: query, required: true } }
    output: { from: replace, trust: { "": trusted }, labels: { "": [internal] }, dataset: notes.books }
"#;

const LOOK: &str = "  - read: { call: notes.inbox }
  - seen: { call: endorse, with: { entry: seen, value: '${ .[0].topic }' } }
  - look: { call: notes.book, with: { name: '${ . }' } }
";

/// A workspace in which somebody of `by`, who may read what is internal if `reads`, vouches for words of the notes.
fn workspace(by: &str, reads: &str) -> Sandbox {
    let sandbox = Sandbox::with_two_people();
    sandbox.write("ws/connectors/notes.yaml", NOTES);
    sandbox.write("ws/data/notes/inbox.jsonl", "{\"topic\": \"garden\"}\n{\"topic\": \"kitchen\"}\n");
    sandbox.write("ws/data/notes/garden.jsonl", "{\"text\": \"roses\"}\n");
    sandbox.write("ws/data/notes/kitchen.jsonl", "{\"text\": \"stew\"}\n");
    let entry = format!("releases:\n  seen: {{ by: {by}, clears: {{ origins: [notes] }}, kind: approval }}");
    sandbox.edit("ws/registers/releases.yaml", |text| text.replace("releases: {}", &entry));
    sandbox.edit("ws/registers/principals.yaml", |text| {
        let groups = format!(
            "groups:\n  lookers: {{ members: [ana], vouches: [notes], reads: {reads} }}\n  \
             others: {{ members: [ben, cleo], vouches: [notes], reads: {reads} }}"
        );
        text.replace("persons:\n", "persons:\n  cleo: { name: \"Cleo\" }\n")
            .replace("name: \"Ben\"", "name: \"Ben\", vouches: [notes], reads: [internal]")
            .replace("groups:", &groups)
    });
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox
}

fn run(sandbox: &Sandbox, tasks: &str) -> Ended {
    let workflow = sandbox.workflow("look.yaml", tasks);
    sandbox.sluice(&["run", &workflow, "--as", "ben", "--author", "ben", "--format", "json"])
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The run, and what it waits for.
fn held(ended: Ended) -> (String, String) {
    let ended = ended.with(4).json();
    (text(&ended["run"]), text(&ended["held"][0]["approval"]))
}

fn approve(sandbox: &Sandbox, approval: &str) -> Ended {
    sandbox.sluice(&["approvals", "approve", approval, "--as", "ana", "--key", &sandbox.key()])
}

fn resume(sandbox: &Sandbox, run: &str) -> Ended {
    sandbox.sluice(&["resume", run, "--format", "json"])
}

/// The decisions of a run on `action`, in order.
fn decisions(sandbox: &Sandbox, run: &str, action: &str) -> Vec<String> {
    let shown = sandbox.sluice(&["audit", "show", run, "--format", "json"]).with(0).json();
    let facts = shown["entries"].as_array().unwrap().iter().map(|e| &e["payload"]).filter(|p| p["action"] == action);
    facts.filter_map(|fact| fact["answer"]["decision"].as_str().map(str::to_owned)).collect()
}

/// Whether the permits of a run for `action` say what was counted.
fn are_counted(sandbox: &Sandbox, run: &str, action: &str) -> Vec<bool> {
    let shown = sandbox.sluice(&["audit", "show", run, "--format", "json"]).with(0).json();
    let facts = shown["entries"].as_array().unwrap().iter().map(|e| &e["payload"]).filter(|p| p["action"] == action);
    let permits = facts.map(|fact| &fact["answer"]).filter(|answer| answer["decision"] == "permit");
    permits.map(|permit| permit["receipt"]["more"]["counted"].is_object()).collect()
}

#[test]
fn the_prediction_keeps_the_label_and_says_hold() {
    let sandbox = workspace("lookers", "[internal]");
    let workflow = sandbox.workflow("look.yaml", LOOK);
    let checked = sandbox.sluice(&["check", &workflow, "--as", "ben", "--format", "json"]).json();
    let steps = checked["files"][0]["steps"].as_array().unwrap();
    let shown: Vec<String> =
        steps.iter().map(|s| format!("{} {} {} {}", s["action"], s["verdict"], s["approvals"], s["labels"])).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    "notes.inbox" "permit" [] ["origin:author"]
    "endorse" "hold" ["approval by a member of `lookers`, who vouches for notes"] ["category:internal@owners","dataset:notes.inbox","origin:author","origin:notes"]
    "notes.book" "hold" ["a catalogued endorsement of the value"] ["category:internal@owners","dataset:notes.inbox","origin:author","origin:notes"]
    "#);
}

#[test]
fn a_value_that_somebody_vouches_for_passes_and_is_shown_to_them_whole() {
    let sandbox = workspace("lookers", "[internal]");
    let (run, approval) = held(run(&sandbox, LOOK));
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&["approvals", "show", &approval]).with(0).out), @r#"
    A-HEX  endorse `seen`  in run HEX
      asked by     ben
      why          `seen` clears a value only if a person of `lookers` vouches for
                   it
      needs        `lookers`
      vouches for  the value below, and no other
      carries      category:internal@owners, dataset:notes.inbox, origin:author,
                   origin:notes
      loses        origin:notes
      signs        HEX
      state        waits

    the value
      "garden"

    solo workspace: one person alone may change its rules
    "#);
    assert!(sandbox.sluice(&["approvals", "list"]).with(0).out.contains("endorse `seen`"));
    resume(&sandbox, &run).with(4);
    approve(&sandbox, &approval).with(0);
    let ended = resume(&sandbox, &run).with(0).json();
    assert_eq!(ended["output"][0]["text"], "roses", "{ended}");
    assert_eq!(decisions(&sandbox, &run, "endorse"), ["hold", "permit"]);
    assert_eq!(decisions(&sandbox, &run, "notes.book"), ["permit"]);
    assert_eq!(are_counted(&sandbox, &run, "endorse"), [false], "a word is no call");
    assert_eq!(are_counted(&sandbox, &run, "notes.book"), [true]);
    // What was recorded is folded again, and not asked again.
    assert!(sandbox.sluice(&["runs", "show", &run]).with(0).out.contains("completed"));
    let verified = sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json();
    assert_eq!(verified["agrees"], true);
    assert!(sandbox.sluice(&["approvals", "list"]).with(0).out.contains("nothing waits"));
}

#[test]
fn a_word_for_one_value_is_none_for_another() {
    let sandbox = workspace("lookers", "[internal]");
    let tasks = "  - read: { call: notes.inbox }
  - each:
      for: { each: note, in: '${ . }' }
      do:
        - seen: { call: endorse, with: { entry: seen, value: '${ $note.topic }' } }
        - look: { call: notes.book, with: { name: '${ . }' } }
";
    let (run_id, first) = held(run(&sandbox, tasks));
    approve(&sandbox, &first).with(0);
    let (_, second) = held(resume(&sandbox, &run_id));
    assert_ne!(first, second);
    let waiting = sandbox.sluice(&["approvals", "show", &second, "--format", "json"]).with(0).json();
    assert_eq!(waiting["value"]["value"], "kitchen");
    // Nor for the same value in another run.
    let (_, elsewhere) = held(run(&sandbox, tasks));
    assert_ne!(first, elsewhere);
    approve(&sandbox, &second).with(0);
    assert_eq!(resume(&sandbox, &run_id).with(0).json()["output"][0]["text"], "stew");
}

#[test]
fn a_denied_value_refuses_the_run() {
    let sandbox = workspace("lookers", "[internal]");
    let (run, approval) = held(run(&sandbox, LOOK));
    sandbox.sluice(&["approvals", "deny", &approval, "--as", "ana", "--key", &sandbox.key()]).with(0);
    let ended = resume(&sandbox, &run).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL506", "{ended}");
}

#[test]
fn nobody_vouches_in_the_name_of_a_group_that_they_are_not_in() {
    let sandbox = workspace("others", "[internal]");
    let (run, approval) = held(run(&sandbox, LOOK));
    let refused = approve(&sandbox, &approval).with(5);
    assert!(refused.err.contains("SL441"), "{}", refused.err);
    resume(&sandbox, &run).with(4);
    assert_eq!(decisions(&sandbox, &run, "endorse"), ["hold"]);
}

#[test]
fn where_the_group_may_not_read_the_value_nobody_is_asked_and_nothing_is_cleared() {
    let sandbox = workspace("lookers", "[]");
    let ended = run(&sandbox, LOOK).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL331", "{ended}");
    assert_eq!(decisions(&sandbox, &text(&ended["run"]), "endorse"), ["unchanged"]);
    assert!(sandbox.sluice(&["approvals", "list"]).with(0).out.contains("nothing waits"));
}

#[test]
fn a_requester_who_alone_could_vouch_is_refused_before_the_run() {
    let sandbox = workspace("ben", "[internal]");
    let ended = run(&sandbox, LOOK).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL221", "{ended}");
}
