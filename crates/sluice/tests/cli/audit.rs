//! `sluice audit`: a whole log verifies, and a changed one is named.

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::sandbox::Sandbox;

fn ran() -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    sandbox.sluice(&["run", "workflows/hello.yaml", "--author", "ana"]).with(0);
    sandbox
}

#[test]
fn a_whole_log_agrees() {
    let sandbox = ran();
    let verified = sandbox.sluice(&["audit", "verify"]).with(0);
    // How many checkpoints there are depends on how long things took.
    let lines: Vec<&str> = verified.out.lines().filter(|line| !line.starts_with("  checkpoints ")).collect();
    assert_snapshot!(sandbox.redacted(&lines.join("\n")), @r"
    everything agrees
      entries        8
      unsigned tail  none: a checkpoint covers every entry
      payloads       8 opened
      decisions      1 asked again, same answer
      not shown      that no older log was put back as a whole: only somebody who
                     kept a checkpoint can tell
      root  HEX
    ");
    assert!(sandbox.sluice(&["audit", "log", "--last", "2"]).with(0).out.contains("run-completed"));
}

#[test]
fn the_first_entry_that_does_not_fit_is_named() {
    let sandbox = ran();
    let ledger = Connection::open(sandbox.path("ws/.sluice/ledger.db")).unwrap();
    let entry: Vec<u8> = ledger.query_row("SELECT entry FROM entries WHERE log = 3", [], |row| row.get(0)).unwrap();
    let mut changed = entry.clone();
    *changed.last_mut().unwrap() ^= 1;
    ledger.execute("UPDATE entries SET entry = ?1 WHERE log = 3", [changed]).unwrap();
    drop(ledger);
    let verified = sandbox.sluice(&["audit", "verify"]).with(1);
    assert!(verified.out.starts_with("the log does not agree\n  entry 3  SL672"), "{}", verified.out);
    let json = sandbox.sluice(&["audit", "verify", "--format", "json"]).with(1).json();
    assert_eq!((&json["agrees"], &json["first_misfit"]["entry"]), (&false.into(), &3.into()));
}

#[test]
fn a_proof_is_a_file_of_its_own() {
    let sandbox = ran();
    let proof = sandbox.sluice(&["audit", "prove", "2"]).with(0);
    assert!(proof.out.starts_with("c2sp.org/tlog-proof@v1\n"), "{}", proof.out);
    let none = sandbox.sluice(&["audit", "prove", "999"]);
    assert!(none.code >= 2 && none.err.contains("SL"), "{none:?}");
    let file = sandbox.write("ws/two.proof", &proof.out);
    let held = sandbox.sluice(&["audit", "verify", "--proof", &file]).with(0).out;
    assert!(held.starts_with("the proof holds\n  entry  2, proposal, "), "{held}");
    let changed = sandbox.write("ws/changed.proof", proof.out.replacen("index 2", "index 3", 1));
    let refused = sandbox.sluice(&["audit", "verify", "--proof", &changed]).with(1).out;
    assert!(refused.starts_with("the proof does not hold\n  SL61"), "{refused}");
}

/// What ana said about a step of ben's, as `audit prove --approval` hands it out, and the log's public key.
fn approved(sandbox: &Sandbox) -> (String, String) {
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let approval = held["held"][0]["approval"].as_str().unwrap().to_owned();
    let early = sandbox.sluice(&["audit", "prove", "--approval", &approval]).with(2);
    assert!(early.err.contains("SL691") && early.err.contains("audit log --kind approved"), "{}", early.err);
    sandbox.sluice(&["approvals", "approve", &approval, "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox.sluice(&["resume", held["run"].as_str().unwrap()]).with(0);
    let file = sandbox.sluice(&["audit", "prove", "--approval", &approval]).with(0).out;
    let key = sandbox.files("home").into_iter().find(|file| file.ends_with("ledger.vkey")).unwrap();
    (file, key.display().to_string())
}

#[test]
fn what_people_said_is_shown_to_a_stranger_with_nothing_but_the_logs_key() {
    let sandbox = Sandbox::with_two_people();
    let (proof, key) = approved(&sandbox);
    let elsewhere = Sandbox::new();
    let key = elsewhere.write("log.vkey", std::fs::read(key).unwrap());
    let file = elsewhere.write("approval.json", &proof);
    let shown = elsewhere.sluice(&["audit", "verify", "--proof", &file, "--key", &key]).with(0);
    let (before, after) = shown.out.split_once("    6  ").unwrap();
    let (_, after) = after.split_once("  approved").unwrap();
    assert_snapshot!(elsewhere.redacted(&format!("{before}    6  TIME  approved{after}")), @r"
    the proof holds
      approval  A-HEX
      log       sluice.local/notes, 12 entries or more
      about     HEX
          6  TIME  approved  ana, as owner-of:resource, for ben
             signed with the key
             HEX; whose
             that is, the principals register says
      not shown  that nothing was left out of the file: a later withdrawal, or the
                 end of a passkey
    ");
    let keyless = elsewhere.sluice(&["audit", "verify", "--proof", &file]);
    assert!(keyless.code >= 2, "{keyless:?}");
}

#[test]
fn no_changed_file_about_an_approval_holds() {
    let sandbox = Sandbox::with_two_people();
    let (proof, _) = approved(&sandbox);
    let flaw = |name: &str, changed: String, code: &str| {
        assert_ne!(changed, proof, "{name}");
        let file = sandbox.write("ws/changed.json", &changed);
        let refused = sandbox.sluice(&["audit", "verify", "--proof", &file, "--format", "json"]).with(1).json();
        let why = refused["why"].as_str().unwrap();
        assert!(why.starts_with(code), "{name}: {why}");
    };
    flaw("another approval", proof.replacen("\"approval\": \"A-", "\"approval\": \"B-", 1), "SL693");
    flaw("another payload", proof.replacen("statement", "Statement", 1), "SL693");
    flaw("another salt", proof.replacen("\"salt\": \"", "\"salt\": \"00", 1), "SL693");
    flaw("another place", proof.replacen("index ", "index 1", 1), "SL693");
    flaw("another form", proof.replacen("\"format\"", "\"forms\"", 1), "SL692");
    let mut without: serde_json::Value = serde_json::from_str(&proof).unwrap();
    without["entries"] = serde_json::json!([]);
    flaw("nothing in it", without.to_string(), "SL692");
    let mut twice: serde_json::Value = serde_json::from_str(&proof).unwrap();
    let first = twice["entries"][0].clone();
    twice["entries"].as_array_mut().unwrap().push(first);
    flaw("one word twice", twice.to_string(), "SL693");
    let other = ran();
    let file = other.write("ws/approval.json", &proof);
    let refused = other.sluice(&["audit", "verify", "--proof", &file, "--format", "json"]).with(1).json();
    assert!(refused["why"].as_str().unwrap().starts_with("SL693"), "another log's key: {refused}");
}

#[test]
fn entries_are_found_by_what_only_their_sealed_parts_say() {
    let sandbox = Sandbox::with_two_people();
    approved(&sandbox);
    let kinds = |options: &[&str]| -> Vec<String> {
        let log = [&["audit", "log", "--format", "json"], options].concat();
        let entries = sandbox.sluice(&log).with(0).json()["entries"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&["--person", "ana"]), ["approved"]);
    assert_eq!(kinds(&["--person", "ben", "--kind", "approved"]), ["approved"], "it was said for ben");
    assert_eq!(kinds(&["--dataset", "greetings"]), ["held", "decision"]);
    assert_eq!(kinds(&["--dataset", "greetings", "--decision", "permit"]), ["decision"]);
    assert_eq!(kinds(&["--workflow", "hello", "--last", "1"]), ["run-completed"]);
    for nothing in [["--person", "an"], ["--workflow", "Hello"], ["--category", "secret"], ["--destination", "moon"]] {
        assert_eq!(kinds(&nothing), Vec::<String>::new(), "{nothing:?}");
    }
}
