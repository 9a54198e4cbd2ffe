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
}
