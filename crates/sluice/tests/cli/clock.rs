//! The machine's clock jumps back between two commands of one workspace.

use std::path::Path;

use insta::assert_snapshot;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_runtime::clock::now_ms;
use sluice_runtime::home::Home;
use sluice_runtime::ledger::Ledger;
use sluice_store::NewRecord;

use crate::sandbox::Sandbox;

const HOUR_MS: u64 = 3_600_000;

/// What a clock leaves behind that was `hours` ahead for a while: an entry of that time.
fn was_ahead(sandbox: &Sandbox, hours: u64) {
    let workspace: &Path = &sandbox.path("ws");
    let home = Home::under(&sandbox.path("home"), workspace).unwrap();
    let ledger = Ledger::open(workspace, &home).unwrap();
    // Half a minute more, so that the hours are whole when they are told.
    let then_ms = now_ms() + hours * HOUR_MS + 30_000;
    ledger.append(vec![NewRecord::new(EntryKind::RECOVERY, then_ms, Map::new())]).unwrap();
}

#[test]
fn nothing_is_lost_and_it_is_said() {
    let sandbox = Sandbox::with_workspace();
    let run = ["run", "workflows/hello.yaml", "--author", "ana", "--format", "json"];
    assert_eq!(sandbox.sluice(&run).with(0).err, "");
    was_ahead(&sandbox, 2);
    let again = sandbox.sluice(&run).with(0);
    assert_eq!(again.json()["status"], "completed");
    assert_snapshot!(again.err, @r"
    note: this machine's clock is 2 h behind the ledger's latest entry. until it has
          caught up, entries get that entry's time, and what expired stays expired
    ");
    sandbox.sluice(&["audit", "verify"]).with(0);
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let times: Vec<u64> = log["entries"].as_array().unwrap().iter().map(|e| e["time_ms"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn an_approval_that_expired_by_the_ledger_stays_expired() {
    let sandbox = Sandbox::with_two_people();
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let (run, id) = (held["run"].as_str().unwrap(), held["held"][0]["approval"].as_str().unwrap());
    let approve = ["approvals", "approve", id, "--as", "ana", "--key", &sandbox.key()];
    sandbox.sluice(&approve).with(0);
    was_ahead(&sandbox, 9);
    let shown = sandbox.sluice(&["approvals", "show", id, "--format", "json"]).with(0).json();
    assert_eq!(shown["satisfied"], false);
    sandbox.sluice(&["resume", run]).with(4);
    assert!(!sandbox.path("ws/data/greetings.jsonl").exists(), "the call was made");
    // Somebody who signs now, by the clock that is behind, is heard.
    sandbox.sluice(&approve).with(0);
    sandbox.sluice(&["resume", run]).with(0);
    sandbox.sluice(&["audit", "verify"]).with(0);
}
