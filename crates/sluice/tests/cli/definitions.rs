//! A definition that people must sign: proposed, shown, signed by somebody else, run; and signed anew after any change.

use insta::assert_snapshot;

use crate::sandbox::{Ended, Sandbox};

const RUN: [&str; 6] = ["run", "workflows/hello.yaml", "--as", "ben", "--author", "ben"];

/// Proposes on behalf of ben what ben wrote, and gives its id.
fn proposed(sandbox: &Sandbox) -> String {
    let propose = ["propose", "workflows/hello.yaml", "--as", "ben", "--author", "ben", "--format", "json"];
    sandbox.sluice(&propose).with(0).json()["proposal"].as_str().unwrap().to_owned()
}

fn decide(sandbox: &Sandbox, word: &str, id: &str, person: &str) -> Ended {
    sandbox.sluice(&["approvals", word, id, "--as", person, "--key", &sandbox.key_of(person)])
}

fn greetings(sandbox: &Sandbox) -> usize {
    std::fs::read_to_string(sandbox.path("ws/data/greetings.jsonl")).map_or(0, |text| text.lines().count())
}

#[test]
fn a_definition_runs_once_somebody_else_has_signed_it() {
    let sandbox = Sandbox::signed_by_two();
    let id = proposed(&sandbox);
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&["approvals", "list"]).with(0).out), @r"
    P-HEX  the definition `workflows/hello.yaml`
        asked by  ben
        why       the workspace asks people to sign definitions
        needs     `owners`
    ");
    let shown = sandbox.sluice(&["approvals", "show", &id]).with(0);
    let definition = std::fs::read_to_string(sandbox.path("ws/workflows/hello.yaml")).unwrap();
    assert!(definition.lines().all(|line| shown.out.contains(line)), "not all of it is shown: {}", shown.out);
    let head = shown.out.split_once("\n\n").unwrap().0;
    assert_snapshot!(sandbox.redacted(head), @r"
    P-HEX  the definition `workflows/hello.yaml`
      asked by    ben
      why         the workspace asks people to sign definitions
      needs       `owners`
      written by  ben (a person)
      signs       HEX
      state       waits
    ");
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&RUN).with(4).out), @r"
    held  not started
      P-HEX  the definition: the definition must be signed by `owners`
      sluice approvals show P-HEX
      run it again once it is signed
    ");
    assert_snapshot!(decide(&sandbox, "approve", &id, "ben").with(5).err, @r"
    error[SL403]: this approval would not count: `ben` asked for it and cannot
    approve it
    ");
    sandbox.sluice(&RUN).with(4);
    assert_eq!(greetings(&sandbox), 0);
    assert_snapshot!(sandbox.redacted(&decide(&sandbox, "approve", &id, "ana").with(0).out), @"approved  P-HEX  the definition `workflows/hello.yaml`");
    sandbox.sluice(&RUN).with(0);
    assert_eq!(greetings(&sandbox), 1);
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[test]
fn a_signature_is_over_every_byte_and_for_one_requester() {
    let sandbox = Sandbox::signed_by_two();
    let id = proposed(&sandbox);
    decide(&sandbox, "approve", &id, "ana").with(0);
    sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ana", "--author", "ben"]).with(4);
    sandbox.edit("ws/workflows/hello.yaml", |text| format!("{text}#"));
    sandbox.sluice(&RUN).with(4);
    assert_eq!(greetings(&sandbox), 0);
    let changed = proposed(&sandbox);
    assert_ne!(id, changed);
    decide(&sandbox, "approve", &changed, "ana").with(0);
    sandbox.sluice(&RUN).with(0);
    assert_eq!(greetings(&sandbox), 1);
}

#[test]
fn a_signature_is_over_the_rules_of_that_day() {
    let sandbox = Sandbox::signed_by_two();
    decide(&sandbox, "approve", &proposed(&sandbox), "ana").with(0);
    sandbox.edit("ws/connectors/greetings.yaml", |text| format!("{text}\n# reviewed\n"));
    sandbox.sluice(&RUN).with(2);
    for person in ["ana", "ben"] {
        sandbox.sign(person).with(0);
    }
    sandbox.sluice(&RUN).with(4);
    assert_eq!(greetings(&sandbox), 0);
}

#[test]
fn a_denied_definition_does_not_run() {
    let sandbox = Sandbox::signed_by_two();
    let id = proposed(&sandbox);
    decide(&sandbox, "approve", &id, "ana").with(0);
    decide(&sandbox, "deny", &id, "ana").with(0);
    sandbox.sluice(&RUN).with(4);
    assert_eq!(greetings(&sandbox), 0);
}
