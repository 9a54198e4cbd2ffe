use sluice_ledger::TreeSize;

use super::support::*;
use crate::{AppendError, Commit, Durability, Epoch, Expect, Fault, Writer};

#[derive(Clone, Copy, PartialEq)]
enum When {
    Before,
    After,
}

struct CrashAt(u64, When);

impl Durability for CrashAt {
    fn before_commit(&mut self, commit: Commit) -> Fault {
        self.decide(commit, When::Before)
    }

    fn after_commit(&mut self, commit: Commit) -> Fault {
        self.decide(commit, When::After)
    }
}

impl CrashAt {
    fn decide(&self, commit: Commit, now: When) -> Fault {
        if commit.number == self.0 && self.1 == now { Fault::Crash } else { Fault::None }
    }
}

#[test]
fn a_crash_before_the_commit_loses_the_batch_and_one_after_keeps_it() {
    for (when, survives) in [(When::Before, 1), (When::After, 2)] {
        let (workspace, mut records) = Workspace::new();
        records.inject(Box::new(CrashAt(1, when)));
        records.append(&[step(1, "a")], &at(1, 0, Epoch::FIRST)).unwrap();
        let lost = records.append(&[step(1, "b")], &at(1, 1, Epoch::FIRST)).unwrap_err();
        assert!(matches!(lost, AppendError::Unknown), "the driver cannot tell which half it was");
        let stopped = records.append(&[step(1, "c")], &Expect::ANYTHING).unwrap_err();
        assert!(matches!(stopped, AppendError::Stopped));
        drop(records);

        let records = workspace.open();
        assert_eq!(records.run(run(1)).unwrap().len(), survives);
        assert_eq!(records.head().unwrap().size, TreeSize::new(survives as u64));
        assert!(workspace.verify().agrees());
    }
}

#[test]
fn a_crash_tells_all_batches_of_the_commit_that_nobody_knows() {
    let (workspace, mut records) = Workspace::new();
    records.inject(Box::new(CrashAt(0, When::After)));
    let results = records.append_all(&[batch(vec![step(1, "a")]), batch(vec![step(2, "b")])]);
    assert!(results.iter().all(|result| matches!(result, Err(AppendError::Unknown))));
    drop(records);
    assert_eq!(workspace.open().runs().unwrap().len(), 2);
}

#[test]
fn a_writer_that_crashed_says_so_to_all_who_come_later() {
    for is_in_place in [false, true] {
        let (workspace, mut records) = Workspace::new();
        records.inject(Box::new(CrashAt(0, When::Before)));
        let writer = Writer::start(records).unwrap();
        if is_in_place {
            writer.commit_in_place();
        }
        let lost = writer.submit(batch(vec![step(1, "a")])).wait();
        assert!(matches!(lost, Err(AppendError::Unknown)));
        let late = writer.submit(batch(vec![step(1, "a")])).wait();
        assert!(matches!(late, Err(AppendError::Stopped)));
        drop(writer);
        assert_eq!(workspace.open().head().unwrap().size, TreeSize::EMPTY);
    }
}

#[test]
fn a_deed_that_panics_leaves_nobody_waiting() {
    for is_in_place in [false, true] {
        let (workspace, records) = Workspace::new();
        let writer = Writer::start(records).unwrap();
        if is_in_place {
            writer.commit_in_place();
        }
        let panics = || writer.with(|_| -> () { panic!("a deed of this test") });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
        assert!(matches!(ended, Err(_) | Ok(Err(AppendError::Stopped))));
        let late = writer.submit(batch(vec![step(1, "a")])).wait();
        assert!(matches!(late, Err(AppendError::Stopped | AppendError::Unknown)));
        assert!(writer.with(|_| ()).is_err());
        drop(writer);
        assert_eq!(workspace.open().head().unwrap().size, TreeSize::EMPTY);
    }
}
