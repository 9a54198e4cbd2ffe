//! A person's data is erased: what was sealed as theirs opens no more, and the log still verifies.

use serde_json::Value as Json;
use sluice_store::{Mode, OsRandom, PayloadKeys};

use crate::sandbox::{Sandbox, holds};

const CUSTOMERS: &str = r#"
version: 1
connector: customers
transport: { files: { folder: data/customers, format: jsonl } }
region: here
owner: owners
actions:
  list:
    effect: read
    request: { file: "{book}.jsonl", operation: read }
    arguments: { book: { role: reference, required: true } }
    output:
      from: replace
      trust: { "": trusted }
      labels: { "": [internal] }
      dataset: greetings
      subject: "/*/id"
"#;

const ANN: &str = r#"{"id": "C-1017-ann", "name": "Ann Somebody"}"#;
const BOB: &str = r#"{"id": 1018, "name": "Bob Otherwise"}"#;
const CID: &str = r#"{"id": "C-1019-cid", "name": "Cid Elsewhere"}"#;

/// A workspace with three books of customers, and a workflow that keeps a greeting for each customer of one.
fn with_customers() -> Sandbox {
    let sandbox = Sandbox::with_two_people();
    sandbox.write("ws/connectors/customers.yaml", CUSTOMERS);
    sandbox.write("ws/data/customers/north.jsonl", format!("{ANN}\n{BOB}\n"));
    sandbox.write("ws/data/customers/south.jsonl", format!("{CID}\n"));
    sandbox.write("ws/data/customers/nameless.jsonl", "{\"name\": \"Dee Without\"}\n");
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    for book in ["north", "south", "nameless"] {
        sandbox.workflow(
            &format!("{book}.yaml"),
            &format!(
                "  - list: {{ call: customers.list, with: {{ book: {book} }} }}\n  \
                   - keep: {{ call: greetings.append, with: {{ rows: '${{ [.[] | .name] }}' }} }}\n"
            ),
        );
    }
    sandbox
}

fn ran(sandbox: &Sandbox, workflow: &str) -> String {
    let run = ["run", workflow, "--as", "ana", "--author", "ana", "--format", "json"];
    sandbox.sluice(&run).with(0).json()["run"].as_str().unwrap().to_owned()
}

/// As an erasure would, from another process.
fn erase(sandbox: &Sandbox, subject: &str) -> usize {
    let path = sandbox.keys().join("payloads.keys");
    PayloadKeys::open(&path, Mode::Existing, Box::new(OsRandom)).unwrap().erase_subject(subject).unwrap()
}

/// The kinds of a run's entries, those that were erased in brackets.
fn entries(sandbox: &Sandbox, run: &str) -> String {
    let shown = sandbox.sluice(&["audit", "show", run, "--format", "json"]).with(0).json();
    let kind = |entry: &Json| {
        let kind = entry["kind"].as_str().unwrap();
        if entry["sealed"] == "erased" { format!("[{kind}]") } else { kind.to_owned() }
    };
    shown["entries"].as_array().unwrap().iter().map(kind).collect::<Vec<_>>().join(" ")
}

#[test]
fn erasing_a_subject_erases_what_runs_made_of_their_data_and_the_log_still_verifies() {
    let sandbox = with_customers();
    let (north, south) = (ran(&sandbox, "north.yaml"), ran(&sandbox, "south.yaml"));
    assert_eq!(erase(&sandbox, "C-1017-ann"), 1);
    assert_eq!(
        entries(&sandbox, &north),
        "run-started decision intent [outcome] [decision] [intent] [outcome] [run-completed]"
    );
    assert!(!entries(&sandbox, &south).contains('['));
    let verified = sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json();
    let said = (&verified["agrees"], &verified["payloads"]["erased"], &verified["decisions"]["unopened"]);
    assert_eq!(said, (&true.into(), &5.into(), &1.into()), "{verified}");
    assert!(sandbox.sluice(&["audit", "verify"]).with(0).out.contains("opened, 5 erased"));
    let shown = sandbox.sluice(&["runs", "show", &north]).with(3);
    assert!(shown.err.contains("SL522"), "{}", shown.err);
    // A number names a subject too.
    assert_eq!(erase(&sandbox, "1018"), 1);
    assert_eq!(erase(&sandbox, "C-1019-cid"), 1);
    assert!(entries(&sandbox, &south).contains("[outcome]"));
}

#[test]
fn a_run_that_another_process_goes_on_with_is_sealed_as_before() {
    let sandbox = with_customers();
    let held = sandbox.sluice(&["run", "south.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let (run, approval) = (held["run"].as_str().unwrap(), held["held"][0]["approval"].as_str().unwrap());
    sandbox.sluice(&["approvals", "approve", approval, "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox.sluice(&["resume", run]).with(0);
    assert_eq!(erase(&sandbox, "C-1019-cid"), 1);
    assert_eq!(
        entries(&sandbox, run),
        "run-started decision intent [outcome] [held] approval-requested \
         [decision] resumed [intent] [outcome] [run-completed]"
    );
}

#[test]
fn a_record_that_does_not_say_whose_it_is_goes_with_whoever_is_erased_first() {
    let sandbox = with_customers();
    let (nameless, south) = (ran(&sandbox, "nameless.yaml"), ran(&sandbox, "south.yaml"));
    assert_eq!(erase(&sandbox, "somebody else"), 1);
    assert!(entries(&sandbox, &nameless).contains("[outcome]"));
    assert!(!entries(&sandbox, &south).contains('['));
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[test]
fn neither_subjects_nor_their_data_stand_in_clear_in_ledger_or_key_file() {
    let sandbox = with_customers();
    ran(&sandbox, "north.yaml");
    for file in sandbox.files("ws/.sluice").into_iter().chain(sandbox.files("home")) {
        for text in ["C-1017-ann", "Ann Somebody", "Bob Otherwise"] {
            assert!(!holds(&file, text), "{text} in {}", file.display());
        }
    }
}

#[test]
fn a_question_that_was_erased_waits_for_nobody_and_hides_no_other() {
    let sandbox = with_customers();
    let held = |workflow: &str| {
        let held = sandbox.sluice(&["run", workflow, "--as", "ben", "--format", "json"]).with(4).json();
        held["held"][0]["approval"].as_str().unwrap().to_owned()
    };
    let (north, hello) = (held("north.yaml"), held("workflows/hello.yaml"));
    let listed = || sandbox.sluice(&["approvals", "list"]).with(0).out;
    assert!(listed().contains(&north) && listed().contains(&hello));
    erase(&sandbox, "C-1017-ann");
    assert!(!listed().contains(&north) && listed().contains(&hello));
    let shown = sandbox.sluice(&["approvals", "show", &north]).with(5);
    assert!(shown.err.contains("SL444"), "{}", shown.err);
}
