use sluice_ledger::cbor::Map;
use sluice_ledger::merkle::{verify_consistency, verify_inclusion};
use sluice_ledger::{EntryKind, LeafIndex, TreeSize};

use super::support::*;
use crate::records::Conditions;
use crate::tables;
use crate::{
    AppendError, Conflict, Count, Epoch, Expect, FactExpect, FactIs, NewRecord, PayloadState, Query, Records, RunStatus,
};

#[test]
fn entries_come_back_in_order_with_what_was_sealed() {
    let (workspace, mut records) = Workspace::new();
    let first = [record(EntryKind::RUN_STARTED).of_run(run(1)), step(1, "a")];
    let done = records.append(&first, &at(1, 0, Epoch::FIRST)).unwrap();
    assert_eq!((done.first, done.size), (LeafIndex::new(0), TreeSize::new(2)));
    records.append(&[step(2, "other")], &Expect::ANYTHING).unwrap();
    records.append(&[step(1, "b")], &at(1, 2, Epoch::FIRST)).unwrap();
    drop(records);

    let records = workspace.open();
    let replay = records.run(run(1)).unwrap();
    let payloads: Vec<_> = replay.iter().map(|one| one.payload.opened().map(<[u8]>::to_vec)).collect();
    assert_eq!(payloads, [None, Some(b"sealed a".to_vec()), Some(b"sealed b".to_vec())]);
    let links: Vec<_> =
        replay.iter().map(|one| one.entry.run.unwrap()).map(|link| (link.seq(), link.prev().copied())).collect();
    assert_eq!(links, [(0, None), (1, Some(replay[0].leaf)), (2, Some(replay[1].leaf))]);
    assert_eq!(records.run_from(run(1), 2).unwrap().len(), 1);
    assert_eq!(records.entries(1..3).unwrap().len(), 2);
    assert_eq!(records.run(run(9)).unwrap(), []);
    assert!(workspace.verify().agrees());
}

#[test]
fn a_run_that_moved_on_refuses_the_whole_batch() {
    let (workspace, mut records) = Workspace::new();
    records.append(&[step(1, "a")], &at(1, 0, Epoch::FIRST)).unwrap();
    let refused = records.append(&[step(2, "b"), step(1, "late")], &at(1, 0, Epoch::FIRST)).unwrap_err();
    assert_eq!(refused.code(), "SL661");
    assert!(matches!(refused, AppendError::Conflict(Conflict::RunSeq { expected: 0, found: 1, .. })));
    assert_eq!(records.head().unwrap().size, TreeSize::new(1));
    assert_eq!(records.runs().unwrap().len(), 1);
    assert!(workspace.verify().agrees());
}

#[test]
fn a_stale_epoch_writes_nothing() {
    let (_workspace, mut records) = Workspace::new();
    records.append(&[step(1, "a")], &at(1, 0, Epoch::FIRST)).unwrap();
    let mine = records.claim(run(1), "process two").unwrap();
    assert!(mine > Epoch::FIRST);
    let refused = records.append(&[step(1, "zombie")], &at(1, 1, Epoch::FIRST)).unwrap_err();
    assert!(matches!(refused, AppendError::Conflict(Conflict::Epoch { .. })));
    records.append(&[step(1, "b")], &at(1, 1, mine)).unwrap();
    assert_eq!(records.epoch(run(1)).unwrap(), mine);
    assert_eq!(records.owner(run(1)).unwrap().as_deref(), Some("process two"));
}

#[test]
fn an_approval_serves_once_and_only_while_in_force() {
    let (workspace, mut records) = Workspace::new();
    let mut append = |record: NewRecord| records.append(&[record], &Expect::ANYTHING).map(drop);
    let conflict = |result: Result<(), AppendError>| match result {
        Err(AppendError::Conflict(conflict)) => conflict.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(conflict(append(uses(1, "a1"))), "approval `a1` is not in force");
    append(about(EntryKind::APPROVAL_REQUESTED, "a1").of_run(run(1))).unwrap();
    assert_eq!(conflict(append(uses(1, "a1"))), "approval `a1` is not in force");
    append(about(EntryKind::APPROVED, "a1")).unwrap();
    append(about(EntryKind::WITHDRAWN, "a1")).unwrap();
    assert_eq!(conflict(append(uses(1, "a1"))), "approval `a1` is not in force");
    append(about(EntryKind::APPROVED, "a1")).unwrap();
    append(uses(1, "a1")).unwrap();
    assert_eq!(conflict(append(uses(1, "a1"))), "approval `a1` was used by entry 4");

    let row = records.approval("a1").unwrap().unwrap();
    assert_eq!((row.run, row.approved), (Some(run(1)), 2));
    assert_eq!(row.used_by, Some(LeafIndex::new(4)));
    assert_eq!(records.entries_about("a1").unwrap().len(), 4);
    assert!(workspace.verify().agrees());
}

#[test]
fn one_batch_cannot_use_an_approval_twice() {
    let (_workspace, mut records) = Workspace::new();
    records.append(&[about(EntryKind::APPROVED, "a1")], &Expect::ANYTHING).unwrap();
    let refused = records.append(&[uses(1, "a1"), uses(1, "a1")], &Expect::ANYTHING);
    assert!(refused.is_err());
    assert_eq!(records.approval("a1").unwrap().unwrap().used_by, None);
}

#[test]
fn held_approvals_are_those_that_people_may_still_answer() {
    let (_workspace, mut records) = Workspace::new();
    let ask = |id| about(EntryKind::APPROVAL_REQUESTED, id);
    let all = [
        ask("open"),
        ask("denied"),
        about(EntryKind::DENIED, "denied"),
        ask("expired"),
        about(EntryKind::EXPIRED, "expired"),
        ask("used"),
        about(EntryKind::APPROVED, "used"),
        uses(1, "used"),
        ask("approved"),
        about(EntryKind::APPROVED, "approved"),
    ];
    records.append(&all, &Expect::ANYTHING).unwrap();
    let held: Vec<_> = records.held_approvals().unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(held, ["open", "approved"]);
}

#[test]
fn a_count_that_moved_refuses_what_was_decided_on_it() {
    let (workspace, mut records) = Workspace::new();
    let mut send = |is| {
        let mut record = step(1, "send");
        record.counts = vec![Count { key: "per-hour/mail.send/7".to_owned(), add: 2 }];
        let expect =
            Expect { facts: vec![FactExpect { key: "per-hour/mail.send/7".to_owned(), is }], ..Expect::default() };
        records.append(&[record], &expect)
    };
    send(FactIs::Exactly(0)).unwrap();
    assert_eq!(
        send(FactIs::Exactly(0)).unwrap_err().to_string(),
        "the log has moved on: the count `per-hour/mail.send/7` is 2 now"
    );
    send(FactIs::AtMost(3)).unwrap();
    assert_eq!(send(FactIs::AtMost(3)).unwrap_err().code(), "SL661");
    assert_eq!(records.fact("per-hour/mail.send/7").unwrap(), 4);
    assert_eq!(records.fact("another").unwrap(), 0);
    let keys =
        ["another", "per-hour/mail.send/7", "per-hour/mail.send/7", "per-hour/mail.send/"].map(ToOwned::to_owned);
    assert_eq!(records.facts(&keys).unwrap(), [0, 4, 4, 0], "in the order in which they were asked for");
    assert!(workspace.verify().agrees());
}

#[test]
fn the_status_of_a_run_follows_from_its_entries() {
    let (_workspace, mut records) = Workspace::new();
    let cases = [
        (EntryKind::RUN_STARTED, RunStatus::Running),
        (EntryKind::HELD, RunStatus::Held),
        (EntryKind::APPROVAL_REQUESTED, RunStatus::Held),
        (EntryKind::RESUMED, RunStatus::Running),
        (EntryKind::IN_DOUBT, RunStatus::InDoubt),
        (EntryKind::IN_DOUBT_RESOLVED, RunStatus::Running),
        (EntryKind::RUN_COMPLETED, RunStatus::Completed),
        (EntryKind::MANIFEST, RunStatus::Completed),
    ];
    for (kind, status) in cases {
        records.append(&[record(kind).of_run(run(1))], &Expect::ANYTHING).unwrap();
        let row = records.run_row(run(1)).unwrap().unwrap();
        assert_eq!((row.status, row.last_kind), (status, kind));
    }
    for kind in [EntryKind::RUN_REFUSED, EntryKind::RUN_FAULTED] {
        records.append(&[record(kind).of_run(run(2))], &Expect::ANYTHING).unwrap();
        assert!(records.run_row(run(2)).unwrap().unwrap().status.is_over());
    }
    let newest_first: Vec<_> = records.runs().unwrap().iter().map(|row| row.run).collect();
    assert_eq!(newest_first, [run(2), run(1)]);
}

#[test]
fn a_record_that_is_no_entry_is_refused_by_its_number() {
    let (_workspace, mut records) = Workspace::new();
    let odd = NewRecord::new(EntryKind::OUTCOME, 0, Map::new().with("Odd Key", 1u64));
    let refused = records.append(&[step(1, "a"), odd], &Expect::ANYTHING).unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().as_str()),
        ("SL603", "record 1 of the batch is no entry: `Odd Key` cannot name a field of an entry's body")
    );
    let reserved = NewRecord::new(EntryKind::OUTCOME, 0, Map::new().with("uses", 1u64));
    assert_eq!(records.append(&[reserved], &Expect::ANYTHING).unwrap_err().code(), "SL664");
    let long = record(EntryKind::OUTCOME).with_payload(crate::Payload::of_run(vec![0; crate::PAYLOAD_BYTES_MAX + 1]));
    assert_eq!(records.append(&[long], &Expect::ANYTHING).unwrap_err().code(), "SL665");
    assert_eq!(records.head().unwrap().size, TreeSize::EMPTY);
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let (workspace, mut records) = Workspace::new();
    records.append(&[step(1, "a")], &at(1, 0, Epoch::FIRST)).unwrap();
    let pages: i64 = records.conn.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
    let limit = |records: &crate::Records, pages: i64| {
        records.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(())).unwrap();
    };
    limit(&records, pages + 4);
    let big = record(EntryKind::OUTCOME).of_run(run(2)).with_payload(crate::Payload::of_run(vec![1; 100_000]));
    let refused = records.append(std::slice::from_ref(&big), &Expect::ANYTHING).unwrap_err();
    assert!(refused.is_full(), "{refused:?}");
    assert_eq!(refused.code(), "SL657");

    // In company, only the one that is too big fails.
    let results = records.append_all(&[batch(vec![step(1, "b")]), batch(vec![big.clone()]), batch(vec![step(1, "c")])]);
    let fine: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, false, true]);
    assert!(workspace.verify().agrees());

    limit(&records, 1_000_000);
    records.append(&[big], &Expect::ANYTHING).unwrap();
    assert_eq!(records.head().unwrap().size, TreeSize::new(4));
    assert!(workspace.verify().agrees());
}

#[test]
fn entries_are_found_by_what_they_say() {
    let (_workspace, mut records) = Workspace::new();
    let say = |time_ms, body: Map| NewRecord::new(EntryKind::DECISION, time_ms, body);
    let mail = || Map::new().with("action", "mail.send");
    records
        .append(
            &[
                say(1, mail().with("decision", "permit")),
                say(2, mail().with("decision", "forbid")).of_run(run(1)),
                say(3, Map::new().with("node", 7u64).with("outcome", "replied")),
            ],
            &Expect::ANYTHING,
        )
        .unwrap();
    let found = |query: Query| -> Vec<u64> {
        let found = records.find(&query).unwrap();
        found.into_iter().map(LeafIndex::get).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let all = Query::default();
    assert_eq!(found(all.clone()), [0, 1, 2]);
    assert_eq!(found(Query { action: text("mail.send"), ..all.clone() }), [0, 1]);
    assert_eq!(found(Query { action: text("mail.send"), decision: text("forbid"), ..all.clone() }), [1]);
    assert_eq!(found(Query { run: Some(run(1)), ..all.clone() }), [1]);
    assert_eq!(found(Query { node: text("7"), outcome: text("replied"), ..all.clone() }), [2]);
    assert_eq!(found(Query { from_ms: Some(2), to_ms: Some(3), ..all.clone() }), [1]);
    assert_eq!(found(Query { kind: Some(EntryKind::HELD), ..all }), []);
}

#[test]
fn proofs_from_the_store_check_out() {
    let (_workspace, mut records) = Workspace::new();
    let mut roots = vec![records.head().unwrap().root];
    let mut leaves = Vec::new();
    for number in 0..70u8 {
        let done = records.append(&[step(number, "x")], &Expect::ANYTHING).unwrap();
        roots.push(done.root);
        leaves.extend(done.leaves);
    }
    for size in 1..=70u64 {
        let root = &roots[size as usize];
        assert_eq!(records.root_at(TreeSize::new(size)).unwrap(), *root);
        for index in [0, size / 2, size - 1] {
            let path = records.inclusion(LeafIndex::new(index), TreeSize::new(size)).unwrap();
            let leaf = &leaves[index as usize];
            verify_inclusion(leaf, LeafIndex::new(index), TreeSize::new(size), &path, root).unwrap();
        }
        for older in [0, 1, size / 2, size] {
            let [old_size, new_size] = [older, size].map(TreeSize::new);
            let path = records.consistency(old_size, new_size).unwrap();
            verify_consistency(old_size, &roots[older as usize], new_size, root, &path).unwrap();
        }
    }
    let beyond = TreeSize::new(71);
    assert_eq!(records.inclusion(LeafIndex::new(0), beyond).unwrap_err().code(), "SL660");
    assert_eq!(records.inclusion(LeafIndex::new(5), TreeSize::new(5)).unwrap_err().code(), "SL612");
    assert_eq!(records.consistency(TreeSize::new(6), TreeSize::new(5)).unwrap_err().code(), "SL613");
    assert_eq!(records.entry(LeafIndex::new(70)).unwrap_err().code(), "SL660");
    assert_eq!(records.payload(LeafIndex::new(3)).unwrap(), PayloadState::Opened(b"sealed x".to_vec()));
}

#[test]
fn what_is_rare_is_found_by_an_index_and_runs_by_how_they_begin() {
    let (_workspace, mut records) = Workspace::new();
    for run in [0x1a, 0x1b, 0x2a] {
        records.append(&[step(run, "x")], &at(run, 0, Epoch::FIRST)).unwrap();
    }
    let plan = |sql: &str| -> String {
        let mut explain = records.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = vec!["x"; explain.parameter_count()];
        let lines =
            explain.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>("detail")).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let rare = format!("SELECT * FROM entries WHERE 1 AND kind = 22 AND {} ORDER BY log DESC", tables::IS_RARE_KIND);
    assert!(plan(&rare).contains("entries_by_rare_kind"), "{}", plan(&rare));
    let held = format!("SELECT * FROM runs WHERE first < 9 AND status = 'held' AND {}", tables::IS_OPEN_STATUS);
    assert!(plan(&held).contains("runs_by_open_status"), "{}", plan(&held));
    let question =
        |asked: Query| format!("SELECT * FROM entries WHERE {} ORDER BY log DESC", Conditions::of(&asked).sql);
    let of_decision = |word: &str| question(Query { decision: Some(word.to_owned()), ..Query::default() });
    assert!(plan(&of_decision("forbid")).contains("entries_by_rare_decision"), "{}", plan(&of_decision("forbid")));
    assert!(!plan(&of_decision("permit")).contains("INDEX"), "of these there are many, and the log has them in order");
    let of_code = question(Query { code: Some("SL999".to_owned()), ..Query::default() });
    assert!(plan(&of_code).contains("entries_by_code"), "{}", plan(&of_code));
    let asked = "SELECT * FROM runs JOIN approvals ON approvals.run = runs.run WHERE runs.first >= 3 AND approvals.run IS NOT NULL";
    assert!(plan(asked).contains("approvals_by_run") && !plan(asked).contains("SCAN"), "{}", plan(asked));
    let begins = |digits: &str| records.runs_beginning(digits, 9).unwrap().len();
    assert_eq!((begins("1"), begins("1a"), begins(""), begins("zz"), begins("é")), (2, 1, 3, 0, 0));
    assert_eq!(begins(&format!("{}0", "1a".repeat(16))), 0, "longer than any id");
}

#[test]
fn runs_are_counted_by_how_they_stand() {
    let (_workspace, mut records) = Workspace::new();
    assert!(records.run_counts().unwrap().is_empty());
    for (number, kind) in [
        (1, EntryKind::RUN_COMPLETED),
        (2, EntryKind::RUN_COMPLETED),
        (3, EntryKind::HELD),
        (4, EntryKind::RUN_REFUSED),
        (5, EntryKind::INTENT),
    ] {
        records.append(&[step(number, "x"), record(kind).of_run(run(number))], &Expect::ANYTHING).unwrap();
    }
    let counted: Vec<_> = records.run_counts().unwrap().into_iter().collect();
    let expected = [(RunStatus::Running, 1), (RunStatus::Held, 1), (RunStatus::Completed, 2), (RunStatus::Refused, 1)];
    assert_eq!(counted, expected);
}

#[test]
fn what_is_read_stands_otherwise_once_there_is_more_of_it_or_a_key_is_destroyed() {
    let (workspace, mut records) = Workspace::new();
    records.append(&[step(1, "x"), about(EntryKind::APPROVAL_REQUESTED, "a")], &Expect::ANYTHING).unwrap();
    let stand = |records: &Records| records.stand(Some(run(1)), Some("a")).unwrap();
    let first = stand(&records);
    records.append(&[step(2, "x"), about(EntryKind::APPROVAL_REQUESTED, "b")], &Expect::ANYTHING).unwrap();
    assert_eq!(stand(&records), first, "what is of others changes nothing");
    records.append(&[about(EntryKind::APPROVED, "a")], &Expect::ANYTHING).unwrap();
    let second = stand(&records);
    assert_ne!(second, first);
    records.append(&[step(1, "x")], &Expect::ANYTHING).unwrap();
    let third = stand(&records);
    assert!(third != second && !third.is_erased_since(&second));
    // By another process.
    assert!(workspace.keys().erase_run(run(2)).unwrap() > 0);
    let fourth = stand(&records);
    assert!(fourth != third && fourth.is_erased_since(&third));
}
