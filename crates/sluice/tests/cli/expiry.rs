//! A held step whose time runs out: the run goes on as its definition says, and an entry of its own tells so, once.

use crate::sandbox::Sandbox;

#[test]
fn a_question_whose_time_ran_out_is_told_once_and_decided_by_nobody() {
    let sandbox = Sandbox::with_two_people();
    let keep = "  - keep: { call: greetings.append, with: { rows: [{ greeting: 'hello' }] }, timeout: { after: { seconds: 1 } } }\n";
    let file = sandbox.workflow("slow.yaml", keep);
    let ended = sandbox.sluice(&["run", &file, "--as", "ben", "--format", "json"]).with(6).json();
    let run = ended["run"].as_str().unwrap();
    let log = || {
        let log = sandbox.sluice(&["audit", "log", "--last", "1000", "--format", "json"]).with(0).json();
        log["entries"].as_array().unwrap().clone()
    };
    let expired = log().iter().filter(|entry| entry["kind"] == "expired").count();
    assert_eq!(expired, 1, "{:?}", log());
    sandbox.sluice(&["resume", run]).with(6);
    assert_eq!(log().iter().filter(|entry| entry["kind"] == "expired").count(), 1);

    let entries = sandbox.sluice(&["audit", "show", run, "--format", "json"]).with(0).out;
    let id = entries.split("\"A-").nth(1).unwrap();
    let id = format!("A-{}", id.split('"').next().unwrap());
    assert_eq!(sandbox.sluice(&["approvals", "list"]).with(0).out, "nothing waits for anybody\n");
    let shown = sandbox.sluice(&["approvals", "show", &id]).with(0).out;
    assert!(shown.contains("expired: its time ran out"), "{shown}");
    let late = sandbox.sluice(&["approvals", "approve", &id, "--as", "ana", "--key", &sandbox.key()]).with(5);
    assert!(late.err.contains("SL445"), "{}", late.err);
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn a_held_run_that_was_left_alone_runs_out_when_somebody_goes_on_with_it() {
    let sandbox = Sandbox::with_two_people();
    let keep = "  - keep: { call: greetings.append, with: { rows: [{ greeting: 'hello' }] }, timeout: { after: { seconds: 2 } } }\n";
    let file = sandbox.workflow("slow.yaml", keep);
    // The process ends while it waits.
    let mut child = sandbox.start(&["run", &file, "--as", "ben"]);
    let waits = || {
        let listed = sandbox.sluice(&["approvals", "list", "--format", "json"]).with(0).json();
        !listed.as_array().unwrap().is_empty()
    };
    while !waits() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    let run = runs[0]["run"].as_str().unwrap();
    sandbox.sluice(&["resume", run]).with(6);
    let log = sandbox.sluice(&["audit", "log", "--last", "1000", "--format", "json"]).with(0).json();
    assert_eq!(log["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "expired").count(), 1);
    assert!(!waits());
}

#[test]
fn who_speaks_while_the_time_runs_is_heard_at_once() {
    let sandbox = Sandbox::with_two_people();
    let keep = "  - keep: { call: greetings.append, with: { rows: [{ greeting: 'hello' }] }, timeout: { after: { minutes: 9 } } }\n";
    let file = sandbox.workflow("slow.yaml", keep);
    for (word, code) in [("approve", 0), ("deny", 5)] {
        let child = sandbox.start(&["run", &file, "--as", "ben"]);
        let id = loop {
            let listed = sandbox.sluice(&["approvals", "list", "--format", "json"]).with(0).json();
            match listed[0]["approval"].as_str() {
                Some(id) => break id.to_owned(),
                None => std::thread::sleep(std::time::Duration::from_millis(50)),
            }
        };
        sandbox.sluice(&["approvals", word, &id, "--as", "ana", "--key", &sandbox.key()]).with(0);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{word}: {}", String::from_utf8_lossy(&ended.stdout));
    }
    sandbox.sluice(&["audit", "verify"]).with(0);
}
