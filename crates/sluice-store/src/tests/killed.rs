//! A process that is killed in the middle of its work, for real.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::support::*;
use crate::{Epoch, Mode, PayloadKeys, Records};

const FOLDER: &str = "SLUICE_STORE_TEST_FOLDER";

/// Not a test: what the test below starts. It appends, and says after each commit which one it was.
#[test]
fn appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let folder = std::path::Path::new(&folder);
    let random = Box::new(crate::OsRandom);
    let keys = PayloadKeys::open(&folder.join("keys.db"), Mode::Existing, random).unwrap();
    let mut records = Records::open(&folder.join("ledger.db"), keys, Mode::Existing).unwrap();
    let begun = records.run(run(1)).unwrap().len() as u64;
    for seq in begun.. {
        records.append(&[step(1, "x")], &at(1, seq, Epoch::FIRST)).unwrap();
        println!("\ncommitted {seq}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn what_was_said_to_be_committed_survives_the_kill() {
    let (workspace, records) = Workspace::new();
    drop(records);
    let mut committed = 0;
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::killed::appends_until_it_is_killed"])
            .args(["--nocapture", "--test-threads=1"])
            .env(FOLDER, workspace.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut commits =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("committed ")?.parse::<u64>().ok());
        committed = commits.nth(3 * round).expect("the child appends");
        child.kill().unwrap();
        // What it still said before the signal came counts as well.
        committed = commits.last().unwrap_or(committed);
        child.wait().unwrap();
        let records = workspace.open();
        let kept = records.run(run(1)).unwrap().len() as u64;
        assert!(kept > committed, "round {round}: {kept} of {committed}");
        assert!(workspace.verify().agrees());
    }
    assert!(committed >= 4 + 7 + 10);
}
