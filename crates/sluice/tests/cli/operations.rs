//! `docs/operations.md`: a backup that is made while everything runs is one, and the unit names what the program knows.

use std::fs;

use rusqlite::Connection;

use crate::sandbox::Sandbox;

fn backed_up(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let to = to.display().to_string();
    Connection::open(from).unwrap().execute("VACUUM INTO ?1", [to]).unwrap();
}

#[test]
fn a_backup_of_a_ledger_in_use_is_whole_and_goes_on() {
    let sandbox = Sandbox::with_two_people();
    let run = |with: i32| {
        sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(with).json()
    };
    let held = run(4);
    let mut serving = sandbox.start(&["serve", "--listen", "127.0.0.1:0"]);
    backed_up(&sandbox.path("ws/.sluice/ledger.db"), &sandbox.path("kept/ledger.db"));
    backed_up(&sandbox.keys().join("payloads.keys"), &sandbox.path("kept/payloads.keys"));
    run(4);
    serving.kill().unwrap();
    serving.wait().unwrap();

    for (kept, place) in
        [("ledger.db", sandbox.path("ws/.sluice/ledger.db")), ("payloads.keys", sandbox.keys().join("payloads.keys"))]
    {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{ending}", place.display()));
        }
        fs::copy(sandbox.path("kept").join(kept), place).unwrap();
    }
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
    let rows = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 1, "the run after the backup is not in it: {rows}");
    let approval = held["held"][0]["approval"].as_str().unwrap();
    sandbox.sluice(&["approvals", "approve", approval, "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox.sluice(&["resume", held["run"].as_str().unwrap()]).with(0);
}

#[test]
fn the_unit_starts_what_there_is() {
    let unit = include_str!("../../../../packaging/sluice.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/sluice ")).unwrap();
    let mut words: Vec<&str> = start.split(' ').collect();
    assert_eq!(words.remove(0), "serve");
    let help = Sandbox::new().sluice(&["serve", "--help"]).with(0).out;
    for option in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(option), "{option}");
    }
    for hardening in
        ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "RestrictNamespaces=yes"]
    {
        assert!(unit.contains(hardening), "{hardening}");
    }
}
