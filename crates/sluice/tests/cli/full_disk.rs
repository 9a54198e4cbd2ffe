//! No room for the ledger: it is said, and nothing that was promised is lost or done twice.
//!
//! A limit on the size of files stands for the disk: it needs no rights, and cuts writes off anywhere. What SQLite
//! says of a disk that is truly full is shown by the store's own tests.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

const TWO_CALLS: &str = "  - one: { call: greetings.append, with: { rows: [one] } }
  - two: { call: greetings.append, with: { rows: [two] } }
";

fn greetings(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read_to_string(sandbox.path("ws/data/greetings.jsonl")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The runs that the ledger has: each with how it stands.
fn runs(sandbox: &Sandbox) -> Vec<(String, String)> {
    let list = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|run| (text(&run["run"]), text(&run["status"]))).collect()
}

#[test]
fn a_run_that_the_disk_cuts_off_anywhere_goes_on_when_there_is_room() {
    let (mut refused, mut cut_off, mut completed) = (0, 0, 0);
    let mut said = std::collections::BTreeSet::new();
    for kib in (32..=176).step_by(8) {
        let sandbox = Sandbox::with_workspace();
        let file = sandbox.workflow("two.yaml", TWO_CALLS);
        let ended = sandbox.sluice_with_files_up_to(kib, &["run", &file, "--author", "ana"]);
        if ended.code == 0 {
            completed += 1;
        } else {
            assert!(ended.code == 3 && ended.err.starts_with("error[SL6"), "{kib} KiB: {ended:?}");
            said.insert(ended.err);
        }
        sandbox.sluice(&["audit", "verify"]).with(0);
        match runs(&sandbox).as_slice() {
            [] => {
                refused += 1;
                assert!(greetings(&sandbox).is_empty(), "{kib} KiB: a call without a run");
                sandbox.sluice(&["run", &file, "--author", "ana"]).with(0);
            }
            [(run, status)] => {
                cut_off += usize::from(status != "completed");
                sandbox.sluice(&["resume", run]).with(0);
            }
            several => panic!("{kib} KiB: {several:?}"),
        }
        assert_eq!(greetings(&sandbox).len(), 2, "{kib} KiB");
        sandbox.sluice(&["audit", "verify"]).with(0);
    }
    assert!(refused > 0 && cut_off > 0 && completed > 0, "{refused} refused, {cut_off} cut off, {completed} completed");
    let lost = said.iter().find(|message| message.contains("SL662"));
    assert_snapshot!(lost.unwrap(), @r"
    error[SL662]: the store was lost during a commit: its entries are there whole,
    or not at all. look at the disk; `sluice audit verify` says what is there, and
    `sluice resume` goes on
    ");
}
