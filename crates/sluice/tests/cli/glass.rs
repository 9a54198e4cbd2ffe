//! `sluice approvals break-glass`: what cannot wait passes once, two people are told, and somebody else looks at it before it
//! happens again.

use insta::assert_snapshot;

use crate::sandbox::{Ended, Sandbox};

/// Where eve, ben and ana may break the glass.
fn with_glass() -> Sandbox {
    let sandbox = Sandbox::with_five_people();
    sandbox.edit("ws/workspace.yaml", |text| text + "break_glass: oncall\n");
    sandbox.sign("ana").with(0);
    sandbox
}

/// A run of ben's that waits for an owner, and what it waits for.
fn held(sandbox: &Sandbox) -> (String, String) {
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&held["run"]), text(&held["held"][0]["approval"]))
}

fn breaks(sandbox: &Sandbox, person: &str, id: &str) -> Ended {
    let key = sandbox.key_of(person);
    let because = ["--because", "the nightly report is due"];
    sandbox.sluice(&[&["approvals", "break-glass", id, "--as", person, "--key", key.as_str()][..], &because].concat())
}

fn reviews(sandbox: &Sandbox, person: &str, id: &str) -> Ended {
    let key = sandbox.key_of(person);
    let finding = ["--finding", "it was due, and it was a greeting"];
    sandbox.sluice(&[&["approvals", "review", id, "--as", person, "--key", key.as_str()][..], &finding].concat())
}

#[track_caller]
fn refused(ended: Ended, exit: i32, code: &str) {
    let ended = ended.with(exit);
    assert!(ended.err.contains(code), "{code}: {}", ended.err);
}

fn kinds(sandbox: &Sandbox, kind: &str) -> usize {
    let log = sandbox.sluice(&["audit", "log", "--last", "1000", "--format", "json"]).with(0).json();
    log["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind).count()
}

#[test]
fn one_step_passes_two_people_are_told_and_the_next_waits_for_a_review() {
    let sandbox = with_glass();
    let (run, first) = held(&sandbox);
    let (other, second) = held(&sandbox);
    assert_snapshot!(sandbox.redacted(&breaks(&sandbox, "eve", &first).with(0).out), @r"
    broke the glass  A-HEX
      ana and cleo are told, and nobody breaks it again before somebody reviewed it
      sluice resume HEX   goes on, within the hour
    ");
    let shown = sandbox.sluice(&["approvals", "show", &first]).with(0).out;
    assert!(shown.contains("eve: broke the glass") && shown.contains("the nightly report is due"), "{shown}");
    sandbox.sluice(&["resume", &other]).with(4);
    sandbox.sluice(&["resume", &run]).with(0);
    let told = sandbox.sluice(&["runs", "show", &run]).with(0).out;
    assert!(told.contains("eve broke the glass") || kinds(&sandbox, "break-glass") == 1, "{told}");

    refused(breaks(&sandbox, "eve", &second), 5, "SL446");
    refused(reviews(&sandbox, "eve", &first), 5, "SL450");
    refused(reviews(&sandbox, "ben", &first), 5, "SL450");
    refused(reviews(&sandbox, "dora", &first), 5, "SL450");
    refused(reviews(&sandbox, "cleo", &second), 2, "SL449");
    assert_eq!(kinds(&sandbox, "reviewed"), 0);
    let open = sandbox.sluice(&["approvals", "reviews", "--format", "json"]).with(0).json();
    assert_eq!((&open[0]["approval"], &open[0]["by"]), (&first.clone().into(), &"eve".into()), "{open}");
    assert_eq!(open[0]["told"], serde_json::json!(["ana", "cleo"]));

    reviews(&sandbox, "cleo", &first).with(0);
    refused(reviews(&sandbox, "cleo", &first), 2, "SL449");
    assert_eq!(sandbox.sluice(&["approvals", "reviews"]).with(0).out, "no review is open\n");
    breaks(&sandbox, "eve", &second).with(0);
    sandbox.sluice(&["resume", &other]).with(0);
    assert_eq!((kinds(&sandbox, "break-glass"), kinds(&sandbox, "reviewed")), (2, 1));
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn nobody_breaks_it_whom_the_rules_do_not_name_nor_for_what_they_asked() {
    let without = Sandbox::with_five_people();
    let (_, id) = held(&without);
    refused(breaks(&without, "eve", &id), 5, "SL416");

    let sandbox = with_glass();
    let (run, id) = held(&sandbox);
    refused(breaks(&sandbox, "ben", &id), 5, "SL403");
    refused(breaks(&sandbox, "dora", &id), 5, "SL416");
    refused(breaks(&sandbox, "eve", "A-0000000000"), 2, "SL440");
    // One who is left would be told, and nobody else would know.
    refused(breaks(&sandbox, "ana", &id), 5, "SL448");
    sandbox.sluice(&["approvals", "deny", &id, "--as", "ana", "--key", &sandbox.key()]).with(0);
    refused(breaks(&sandbox, "eve", &id), 5, "SL447");
    sandbox.sluice(&["resume", &run]).with(5);
    assert_eq!(kinds(&sandbox, "break-glass"), 0);
}

#[test]
fn broken_glass_passes_no_stop_and_outlives_nobody_who_left() {
    let sandbox = with_glass();
    let (run, id) = held(&sandbox);
    breaks(&sandbox, "eve", &id).with(0);
    // Whoever is on call no more let nothing through.
    let register = "ws/registers/principals.yaml";
    sandbox.edit(register, |text| text.replace("members: [eve, ben, ana]", "members: [ben, ana]"));
    sandbox.sluice(&["resume", &run]).with(4);
    sandbox.edit(register, |text| text.replace("members: [ben, ana]", "members: [eve, ben, ana]"));
    sandbox.sluice(&["stop", "--connector", "greetings", "--as", "ana"]).with(0);
    let ended = sandbox.sluice(&["resume", &run, "--format", "json"]).with(5);
    assert!(ended.out.contains("SL518"), "{}", ended.out);
}

#[test]
fn in_a_real_workspace_no_key_file_breaks_it() {
    let sandbox = with_glass();
    sandbox.edit("ws/workspace.yaml", |text| text.replace("\nmode: test", "\nmode: production"));
    sandbox.sign("ana").with(0);
    let (_, id) = held(&sandbox);
    refused(breaks(&sandbox, "eve", &id), 5, "SL409");
}

#[test]
fn those_who_break_it_at_once_break_it_once() {
    let sandbox = with_glass();
    let ids: Vec<String> = (0..3).map(|_| held(&sandbox).1).collect();
    let key = sandbox.key_of("eve");
    let start = |id: &String| {
        sandbox.start(&["approvals", "break-glass", id, "--as", "eve", "--key", &key, "--because", "it is due"])
    };
    let children: Vec<_> = ids.iter().map(start).collect();
    let done =
        children.into_iter().map(|child| child.wait_with_output().unwrap()).filter(|ended| ended.status.success());
    assert_eq!((done.count(), kinds(&sandbox, "break-glass")), (1, 1));
    sandbox.sluice(&["audit", "verify"]).with(0);
}
