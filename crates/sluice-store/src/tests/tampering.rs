use rusqlite::Connection;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;

use super::support::*;
use crate::{Count, Expect, NewRecord};

/// Two runs, an approval, a count, payloads, a checkpoint after each commit: every column is in use.
fn signed() -> Workspace {
    let (workspace, mut records) = Workspace::new();
    sign_all(&mut records);
    let body = Map::new()
        .with("node", "n1")
        .with("action", "mail.send")
        .with("decision", "permit")
        .with("outcome", "ok")
        .with("code", "SL300");
    let mut counted = NewRecord::new(EntryKind::DECISION, 5, body).of_run(run(2));
    counted.counts = vec![Count { key: "sent".to_owned(), add: 1 }];
    let batches = [
        vec![record(EntryKind::RUN_STARTED).of_run(run(1)), step(1, "a")],
        vec![counted, about(EntryKind::APPROVED, "ok")],
        vec![uses(1, "ok"), step(2, "b")],
        (0..30).map(|_| step(1, "more")).collect(),
    ];
    for batch in batches {
        records.append(&batch, &Expect::ANYTHING).unwrap();
    }
    workspace
}

/// What `verify` says after `deed` was done to the file.
fn after(deed: impl FnOnce(&Connection)) -> String {
    let workspace = signed();
    let conn = Connection::open(workspace.ledger_path()).unwrap();
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    deed(&conn);
    assert!(conn.changes() > 0, "something was changed");
    drop(conn);
    let report = workspace.verify();
    match report.first_misfit {
        None => "agrees".to_owned(),
        Some(misfit) => format!("{} at {}: {}", misfit.why.code(), misfit.index, misfit.why),
    }
}

fn after_sql(sql: &str) -> String {
    after(|conn| conn.execute_batch(sql).unwrap())
}

/// Flips one bit in the middle of a value.
fn after_flip(table: &str, column: &str, which: &str) -> String {
    after(|conn| {
        let (id, mut bytes): (i64, Vec<u8>) = conn
            .query_row(&format!("SELECT {which}, CAST({column} AS BLOB) FROM {table} WHERE {which}"), (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(id, 1);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let is_text = column == "note";
        conn.execute(
            &format!("UPDATE {table} SET {column} = {} WHERE {which}", if is_text { "CAST(?1 AS TEXT)" } else { "?1" }),
            [bytes],
        )
        .unwrap();
    })
}

#[test]
fn an_untouched_ledger_agrees() {
    let workspace = signed();
    let report = workspace.verify();
    assert!(report.agrees(), "{report:?}");
    assert_eq!((report.entries, report.checkpoints), (36, 4));
    assert!(report.unsigned_tail.is_empty());
    assert_eq!(report.payloads.opened, 32);
}

#[test]
fn a_flipped_bit_is_named_in_each_stored_value() {
    for (table, column, which, said) in [
        ("entries", "entry", "log = 3", "SL672 at 3: the stored leaf hash is not that of the entry's bytes"),
        ("entries", "leaf", "log = 3", "SL672 at 3: the stored leaf hash is not that of the entry's bytes"),
        ("entries", "run", "log = 2", "SL676 at 2: the column `run` does not say what the entry says"),
        (
            "payloads",
            "sealed",
            "log = 5",
            "SL677 at 5: the payload is gone, or is not the one that the entry commits to",
        ),
        (
            "nodes",
            "hash",
            "level = 4 AND place = 0",
            "SL678 at 15: a stored hash of the tree is not that of the entries (level 4)",
        ),
        ("head", "frontier", "one = 1", "SL678 at 36: the stored frontier is not that of the entries"),
        (
            "runs",
            "last_leaf",
            "entries = 2",
            "SL680 at 5: the table `runs` does not say what follows from the entries (`02020202020202020202020202020202`)",
        ),
    ] {
        assert_eq!(after_flip(table, column, which), said, "{table}.{column}");
    }
    let said = after_flip("checkpoints", "note", "size = 4");
    assert!(said.starts_with("SL679 at 3: the checkpoint of 4 entries does not open"), "{said}");
}

#[test]
fn a_changed_column_is_named_even_if_the_entry_is_whole() {
    for (column, value) in [
        ("seq", "17"),
        ("kind", "99"),
        ("time_ms", "6"),
        ("node", "'n2'"),
        ("action", "NULL"),
        ("decision", "'forbid'"),
        ("approval", "'ok'"),
        ("outcome", "'bad'"),
        ("code", "'SL301'"),
    ] {
        let said = after_sql(&format!("UPDATE entries SET {column} = {value} WHERE log = 2"));
        let expected = format!("SL676 at 2: the column `{column}` does not say what the entry says");
        assert_eq!(said, expected);
    }
}

#[test]
fn a_changed_row_of_what_follows_from_entries_is_named() {
    for (sql, table) in [
        ("UPDATE approvals SET used_by = NULL", "approvals"),
        ("UPDATE approvals SET last_kind = 11", "approvals"),
        ("DELETE FROM approvals", "approvals"),
        ("INSERT INTO approvals VALUES ('mine', NULL, NULL, 1, 10, 1, NULL)", "approvals"),
        ("UPDATE facts SET total = 0", "facts"),
        ("INSERT INTO facts VALUES ('other', 7)", "facts"),
        ("UPDATE runs SET status = 'completed' WHERE entries = 2", "runs"),
        ("DELETE FROM runs WHERE entries = 2", "runs"),
    ] {
        let said = after_sql(sql);
        assert!(said.starts_with("SL680"), "{sql}: {said}");
        assert!(said.contains(&format!("`{table}`")), "{sql}: {said}");
    }
}

#[test]
fn entries_and_payloads_that_are_gone_or_too_many_are_named() {
    for (sql, said) in [
        ("DELETE FROM payloads WHERE log = 1", "SL677 at 1"),
        ("DELETE FROM entries WHERE log = 0", "SL670 at 0"),
        ("DELETE FROM entries WHERE log = 7", "SL670 at 7"),
        ("DELETE FROM entries WHERE log >= 34", "SL670 at 34"),
        ("INSERT INTO payloads VALUES (0, x'00', x'00')", "SL677 at 0"),
        ("INSERT INTO payloads VALUES (50, x'00', x'00')", "SL677 at 50"),
        ("INSERT INTO nodes VALUES (4, 9, x'00')", "SL678 at 36"),
        ("DELETE FROM nodes WHERE level = 5", "SL678 at 31"),
        ("UPDATE entries SET log = 99 WHERE log = 35", "SL670 at 35"),
    ] {
        let found = after_sql(sql);
        assert!(found.starts_with(said), "{sql}: {found}");
    }
}

#[test]
fn a_log_that_was_rolled_back_whole_is_caught_by_a_checkpoint_that_stayed() {
    let workspace = signed();
    let conn = Connection::open(workspace.ledger_path()).unwrap();
    let newest: (i64, String) = conn
        .query_row("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let (shorter, mut records) = Workspace::new();
    records.append(&[step(1, "a")], &Expect::ANYTHING).unwrap();
    let conn = Connection::open(shorter.ledger_path()).unwrap();
    conn.execute("INSERT INTO checkpoints VALUES (?1, ?2)", newest).unwrap();
    let misfit = shorter.verify().first_misfit.unwrap();
    assert_eq!(misfit.index.get(), 1);
    assert_eq!(misfit.why.to_string(), "the checkpoint of 36 entries covers entries that are not there");
}

#[test]
fn a_history_that_was_written_anew_is_caught_by_what_was_signed() {
    let workspace = signed();
    let note: String = Connection::open(workspace.ledger_path())
        .unwrap()
        .query_row("SELECT note FROM checkpoints WHERE size = 2", (), |row| row.get(0))
        .unwrap();
    // All of it fits together, and none of it is what was signed.
    let (forged, mut records) = Workspace::new();
    records.append(&[step(1, "a"), step(1, "b"), step(1, "c")], &Expect::ANYTHING).unwrap();
    let size = sluice_ledger::TreeSize::new(2);
    records.put_checkpoint(size, &note).unwrap();
    let report = forged.verify();
    let misfit = report.first_misfit.unwrap();
    assert_eq!((misfit.index.get(), misfit.why.code()), (0, "SL679"));
    assert_eq!(report.unsigned_tail, 0..3);
}

#[test]
fn the_unsigned_tail_is_what_no_checkpoint_covers() {
    let (workspace, mut records) = Workspace::new();
    sign_all(&mut records);
    records.append(&[step(1, "a")], &Expect::ANYTHING).unwrap();
    drop(records);
    let mut records = workspace.open();
    records.append(&[step(1, "b"), step(1, "c")], &Expect::ANYTHING).unwrap();
    let report = workspace.verify();
    assert_eq!((report.unsigned_tail, report.checkpoints), (1..3, 1));
    assert_eq!(records.checkpoint_latest().unwrap().unwrap().0.get(), 1);
    let untrusting = crate::verify_all(&workspace.ledger_path(), None, &[]).unwrap();
    assert!(untrusting.agrees());
    assert_eq!((untrusting.unsigned_tail, untrusting.checkpoints_unchecked), (0..3, 1));
    let beyond = sluice_ledger::TreeSize::new(4);
    assert_eq!(records.put_checkpoint(beyond, "").unwrap_err().code(), "SL660");
}

#[test]
fn checking_changes_no_byte() {
    let workspace = signed();
    let before = std::fs::read(workspace.ledger_path()).unwrap();
    workspace.verify();
    assert_eq!(std::fs::read(workspace.ledger_path()).unwrap(), before);
}
