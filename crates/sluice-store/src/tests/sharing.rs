use std::sync::Arc;
use std::thread;

use sluice_ledger::{EntryKind, TreeSize};

use super::support::*;
use crate::{AppendError, Batch, Conflict, Epoch, Expect, Records, Writer};

/// As another process would: a connection of its own to the same files.
fn count_up(records: &mut Records, times: u64) -> u64 {
    let mut conflicts = 0;
    for _ in 0..times {
        loop {
            let next = records.run_row(run(1)).unwrap().map_or(0, |row| row.entries);
            match records.append(&[step(1, "x")], &at(1, next, Epoch::FIRST)) {
                Ok(_) => break,
                Err(AppendError::Conflict(Conflict::RunSeq { .. })) => conflicts += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    conflicts
}

#[test]
fn several_connections_append_to_one_run_without_losing_an_entry() {
    let (workspace, records) = Workspace::new();
    drop(records);
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut records = workspace.open();
            scope.spawn(move || count_up(&mut records, 25));
        }
    });
    let records = workspace.open();
    assert_eq!(records.run(run(1)).unwrap().len(), 100);
    assert!(workspace.verify().agrees());
}

#[test]
fn of_two_that_use_one_approval_at_once_one_is_refused() {
    let (workspace, mut records) = Workspace::new();
    let ids: Vec<String> = (0..20).map(|number| format!("a{number}")).collect();
    let approved: Vec<_> = ids.iter().map(|id| about(EntryKind::APPROVED, id)).collect();
    records.append(&approved, &Expect::ANYTHING).unwrap();
    let wins: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..3u8)
            .map(|number| {
                let mut records = workspace.open();
                let ids = &ids;
                scope.spawn(move || {
                    ids.iter().filter(|id| records.append(&[uses(number, id)], &Expect::ANYTHING).is_ok()).count()
                        as u64
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(wins, 20);
    assert!(workspace.verify().agrees());
}

#[test]
fn runs_in_flight_share_commits_and_one_conflict_leaves_the_others_alone() {
    let (workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    // The thread is kept busy, so that all of these are waiting when it comes back.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let writer = Arc::new(writer);
    let keeper = Arc::clone(&writer);
    let busy = thread::spawn(move || keeper.with(move |_| wait.recv()).unwrap());
    thread::sleep(std::time::Duration::from_millis(20));
    let receipts: Vec<_> = (0..50u8)
        .map(|number| {
            let stale = u64::from(number % 10 == 9);
            writer.submit(Batch {
                records: vec![step(number, "a"), step(number, "b")],
                expect: at(number, stale, Epoch::FIRST),
            })
        })
        .collect();
    go.send(()).unwrap();
    busy.join().unwrap().unwrap();
    let fine = receipts.into_iter().map(crate::Receipt::wait).filter(Result::is_ok).count();
    assert_eq!(fine, 45);
    assert_eq!(writer.commits(), 1, "100 records fit into one commit");
    let size = writer.with(|records| records.head().unwrap().size).unwrap();
    assert_eq!(size, TreeSize::new(90));
    assert!(workspace.verify().agrees());
}

#[test]
fn a_lone_run_commits_once_per_batch() {
    let (_workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    for seq in 0..5 {
        let receipt = writer.submit(Batch { records: vec![step(1, "x")], expect: at(1, seq, Epoch::FIRST) });
        receipt.wait().unwrap();
    }
    assert_eq!(writer.commits(), 5);
    let mut records = writer.close().unwrap();
    assert_eq!(records.commits(), 5);
    assert_eq!(records.keys().commits(), 1, "one key, made once");
}

fn one(run: u8, seq: u64) -> Batch {
    Batch { records: vec![step(run, "x")], expect: at(run, seq, Epoch::FIRST) }
}

#[test]
fn what_nobody_waits_for_shares_the_next_commit_and_keeps_its_place() {
    let (workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    for turn in 0..5 {
        writer.submit_later(one(1, 2 * turn), |result| assert!(result.is_ok()));
        let appended = writer.submit(one(1, 2 * turn + 1)).wait().unwrap();
        assert_eq!(appended.first.get(), 2 * turn + 1, "the entry before it is in the log before it");
    }
    assert!(writer.commits() < 10, "at least once they shared one");
    drop(writer);
    assert!(workspace.verify().agrees());
}

#[test]
fn what_nobody_waits_for_is_written_soon_before_anything_is_read_and_at_the_end() {
    let (workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    writer.submit_later(one(1, 0), move |result| tell.send(result).unwrap());
    told.recv_timeout(std::time::Duration::from_secs(20)).unwrap().unwrap();
    writer.submit_later(one(1, 1), |_| {});
    assert_eq!(writer.with(|records| records.head().unwrap().size).unwrap(), TreeSize::new(2));
    writer.submit_later(one(1, 2), |_| {});
    drop(writer);
    assert_eq!(workspace.open().head().unwrap().size, TreeSize::new(3));
}

#[test]
fn what_nobody_waits_for_may_fail_and_leaves_what_is_waited_for_alone() {
    let (_workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    writer.submit_later(one(1, 7), |result| assert!(matches!(result, Err(AppendError::Conflict(_)))));
    writer.submit(one(2, 0)).wait().unwrap();
}

#[test]
fn in_place_whoever_hands_in_commits_what_came_before_too() {
    let (workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    writer.commit_in_place();
    let here = thread::current().id();
    for turn in 0..20 {
        writer.submit_later(one(1, 2 * turn), |result| assert!(result.is_ok()));
        let (tell, told) = std::sync::mpsc::channel();
        writer.submit_with(one(1, 2 * turn + 1), move |result| {
            tell.send((thread::current().id(), result.unwrap().first.get())).unwrap();
        });
        assert_eq!(told.try_recv(), Ok((here, 2 * turn + 1)), "it is done when it is handed in");
    }
    assert!(writer.commits() < 40, "at least once they shared one");
    assert_eq!(writer.look(|records| records.head().unwrap().size).ok(), Some(TreeSize::new(40)));
    drop(writer);
    assert!(workspace.verify().agrees());
}

#[test]
fn in_place_what_nobody_waits_for_is_written_soon_before_anything_is_read_and_at_the_end() {
    let (workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    writer.commit_in_place();
    for seq in 0..3 {
        let (tell, told) = std::sync::mpsc::channel();
        writer.submit_later(one(1, seq), move |result| tell.send(result).unwrap());
        told.recv_timeout(std::time::Duration::from_secs(20)).unwrap().unwrap();
        // Long enough for the thread to fall asleep, once.
        thread::sleep(std::time::Duration::from_millis(if seq == 1 { 300 } else { 1 }));
    }
    writer.submit_later(one(1, 3), |_| {});
    assert_eq!(writer.with(|records| records.head().unwrap().size).unwrap(), TreeSize::new(4));
    writer.submit_later(one(1, 4), |_| {});
    drop(writer);
    assert_eq!(workspace.open().head().unwrap().size, TreeSize::new(5));
}

#[test]
fn in_place_those_who_hand_in_at_once_take_turns() {
    let (workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    writer.commit_in_place();
    thread::scope(|scope| {
        for run in 0..4 {
            let writer = &writer;
            scope.spawn(move || (0..25).for_each(|seq| drop(writer.submit(one(run, seq)).wait().unwrap())));
        }
    });
    drop(writer);
    assert_eq!(workspace.open().head().unwrap().size, TreeSize::new(100));
    assert!(workspace.verify().agrees());
}

#[test]
fn nothing_is_looked_up_past_the_thread_that_commits_for_others() {
    let (_workspace, records) = Workspace::new();
    let writer = Writer::start(records).unwrap();
    assert!(writer.look(|_| ()).is_err());
}

#[test]
fn a_batch_that_is_refused_half_written_leaves_the_others_alone() {
    let (workspace, mut records) = Workspace::new();
    let half = Batch { records: vec![step(2, "a"), uses(2, "A-1")], expect: at(2, 0, Epoch::FIRST) };
    let batches = [one(1, 0), half.clone(), one(1, 1), one(2, 0), half];
    let results = records.append_all(&batches);
    let fine: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, false, true, true, false]);
    assert!(matches!(results[1], Err(AppendError::Conflict(Conflict::ApprovalNotInForce { .. }))));
    assert!(matches!(results[4], Err(AppendError::Conflict(Conflict::RunSeq { found: 1, .. }))));
    assert_eq!(records.commits(), 1);
    assert_eq!(records.head().unwrap().size, TreeSize::new(3));
    assert_eq!(records.run(run(2)).unwrap().len(), 1, "nothing of the half that was written is left");
    assert!(workspace.verify().agrees());
}
