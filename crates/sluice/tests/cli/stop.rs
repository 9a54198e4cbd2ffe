//! `sluice stop`: nothing that was stopped is called, by a run that waits neither.

use crate::sandbox::Sandbox;

#[test]
fn those_who_stop_it_at_once_stop_it() {
    let sandbox = Sandbox::with_workspace();
    let children: Vec<_> =
        (0..5).map(|_| sandbox.start(&["stop", "--connector", "greetings", "--as", "ana"])).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let run = sandbox.sluice(&["run", "workflows/hello.yaml", "--author", "ana", "--format", "json"]).with(5);
    assert!(run.out.contains("SL518"));
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let stops = log["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "stopped").count();
    assert_eq!(stops, 1, "{log}");
}

#[test]
fn what_was_stopped_is_not_called_until_a_signer_says_so() {
    let sandbox = Sandbox::with_workspace();
    let run =
        |code: i32| sandbox.sluice(&["run", "workflows/hello.yaml", "--author", "ana", "--format", "json"]).with(code);
    run(0);
    for what in [["--connector", "greetings"], ["--principal", "ana"], ["--everything", "--reason=drill"]] {
        let stop = [&["stop", "--as", "ana"], &what[..]].concat();
        sandbox.sluice(&stop).with(0);
        assert!(run(5).out.contains("SL518"), "{what:?}");
        let key = sandbox.key();
        let go_on = [&["go-on", "--as", "ana", "--key", key.as_str()][..], &what[..]].concat();
        sandbox.sluice(&go_on).with(0);
        run(0);
    }
    sandbox.sluice(&["stop", "--everything", "--as", "ana"]).with(0);
    sandbox.sluice(&["init", "../elsewhere", "--as", "ben"]).with(0);
    sandbox.sluice(&["go-on", "--everything", "--as", "ben", "--key", &sandbox.key_of("ben")]).with(2);
    sandbox.sluice(&["stop", "--action", "nonsense", "--as", "ana"]).with(2);
    sandbox.sluice(&["stop", "--everything", "--as", "nobody"]).with(2);
    assert!(run(5).out.contains("SL518"));
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[test]
fn a_workflow_and_whatever_an_author_wrote_are_stopped_before_they_begin_and_where_they_wait() {
    let sandbox = Sandbox::with_two_people();
    let by = |author: &str, code: i32| {
        sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ana", "--author", author]).with(code)
    };
    let waiting = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    by("ana", 0);
    let key = sandbox.key();
    for what in [["--workflow", "examples/hello"], ["--author", "ana"]] {
        sandbox.sluice(&[&["stop", "--as", "ana"], &what[..]].concat()).with(0);
        let told = by("ana", 5).out;
        assert!(told.contains("SL518"), "{told}");
        sandbox.sluice(&[&["go-on", "--as", "ana", "--key", key.as_str()][..], &what[..]].concat()).with(0);
        by("ana", 0);
    }
    sandbox.sluice(&["stop", "--author", "ben", "--as", "ana"]).with(0);
    by("ana", 0);
    for other in [["--workflow", "hello"], ["--workflow", "/hello"], ["--author", "nobody"], ["--author", "owners"]] {
        sandbox.sluice(&[&["stop", "--as", "ana"], &other[..]].concat()).with(2);
    }
    sandbox.sluice(&["stop", "--workflow", "examples/other", "--as", "ana"]).with(0);
    by("ana", 0);
    // What waits was begun before: its next gate refuses it, whoever approves.
    let (run, id) = (waiting["run"].as_str().unwrap(), waiting["held"][0]["approval"].as_str().unwrap());
    sandbox.sluice(&["stop", "--workflow", "examples/hello", "--as", "ana"]).with(0);
    sandbox.sluice(&["approvals", "approve", id, "--as", "ana", "--key", &key]).with(0);
    let ended = sandbox.sluice(&["resume", run, "--format", "json"]).with(5);
    assert!(ended.out.contains("SL518"), "{}", ended.out);
    sandbox.sluice(&["audit", "verify"]).with(0);
}
