use std::fs;

use super::support::*;
use crate::{Expect, Mode, PayloadKeys, Records, StoreError, Sync, verify_all};

fn reopen(workspace: &Workspace) -> Result<Records, StoreError> {
    Records::open_with(&workspace.ledger_path(), workspace.keys(), Mode::Existing, Sync::None)
}

/// Closed, so that everything is in the one file.
fn filled() -> Workspace {
    let (workspace, mut records) = Workspace::new();
    for number in 0..40 {
        records.append(&[step(number, "some text")], &Expect::ANYTHING).unwrap();
    }
    drop(records);
    workspace
}

#[test]
fn a_truncated_file_is_refused_wherever_it_was_cut() {
    let workspace = filled();
    let whole = fs::read(workspace.ledger_path()).unwrap();
    for (kept, code) in [
        (0, "SL651"),
        (10, "SL650"),
        (50, "SL651"),
        (4096, "SL651"),
        (whole.len() / 2, "SL651"),
        (whole.len() - 1, "SL651"),
    ] {
        fs::write(workspace.ledger_path(), &whole[..kept]).unwrap();
        let error = reopen(&workspace).unwrap_err();
        assert_eq!(error.code(), code, "cut to {kept}: {error}");
        let error = verify_all(&workspace.ledger_path(), None, &[]).unwrap_err();
        assert_eq!(error.code(), code, "cut to {kept}: {error}");
    }
    fs::write(workspace.ledger_path(), &whole).unwrap();
    assert_eq!(reopen(&workspace).unwrap().head().unwrap().size.get(), 40);
}

#[test]
fn a_foreign_file_is_refused_and_not_touched() {
    let workspace = filled();
    fs::remove_file(workspace.ledger_path()).unwrap();
    let other = rusqlite::Connection::open(workspace.ledger_path()).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(other);
    let before = fs::read(workspace.ledger_path()).unwrap();
    let error = reopen(&workspace).unwrap_err();
    assert_eq!(error.code(), "SL650");
    assert!(error.to_string().ends_with("is not the ledger of a workspace"));
    let create = Records::open(&workspace.ledger_path(), workspace.keys(), Mode::Create);
    assert_eq!(create.unwrap_err().code(), "SL654");
    assert_eq!(fs::read(workspace.ledger_path()).unwrap(), before);

    fs::write(workspace.ledger_path(), "just a text, and no database at all").unwrap();
    assert_eq!(reopen(&workspace).unwrap_err().code(), "SL650");
    let keys = PayloadKeys::open(&workspace.ledger_path(), Mode::Existing, Box::new(Seeded(0)));
    assert_eq!(keys.unwrap_err().code(), "SL650");
}

#[test]
fn a_missing_file_is_named() {
    let workspace = filled();
    fs::remove_file(workspace.ledger_path()).unwrap();
    assert_eq!(reopen(&workspace).unwrap_err().code(), "SL653");
    assert!(!workspace.ledger_path().exists(), "looking makes no file");
    fs::remove_file(workspace.keys_path()).unwrap();
    let error = PayloadKeys::open(&workspace.keys_path(), Mode::Existing, Box::new(Seeded(0))).unwrap_err();
    assert_eq!(error.code(), "SL653");
    assert!(error.to_string().starts_with("the key file"));
    assert!(error.to_string().ends_with("is missing"));
}

#[test]
fn a_ledger_opens_only_with_its_own_keys() {
    let workspace = filled();
    fs::remove_file(workspace.keys_path()).unwrap();
    let other = PayloadKeys::open(&workspace.keys_path(), Mode::Create, Box::new(Seeded(1_000))).unwrap();
    let error = verify_all(&workspace.ledger_path(), Some(&other), &[]).unwrap_err();
    assert_eq!(error.code(), "SL655");
    let error = Records::open(&workspace.ledger_path(), other, Mode::Existing).unwrap_err();
    assert_eq!(error.code(), "SL655");
    let report = verify_all(&workspace.ledger_path(), None, &[]).unwrap();
    assert_eq!((report.agrees(), report.payloads.sealed), (true, 40));
}

#[test]
fn a_ledger_of_another_layout_is_left_alone() {
    let workspace = filled();
    let conn = rusqlite::Connection::open(workspace.ledger_path()).unwrap();
    conn.pragma_update(None, "user_version", 2).unwrap();
    drop(conn);
    let error = reopen(&workspace).unwrap_err();
    assert_eq!(error.code(), "SL652");
}

#[test]
fn nothing_is_made_over_what_is_there() {
    let workspace = filled();
    let again = Records::open(&workspace.ledger_path(), workspace.keys(), Mode::Create);
    assert_eq!(again.unwrap_err().code(), "SL654");
    assert_eq!(reopen(&workspace).unwrap().head().unwrap().size.get(), 40);
}

#[test]
fn a_creation_that_a_crash_cut_short_can_be_repeated() {
    let workspace = filled();
    for path in [workspace.ledger_path(), workspace.keys_path()] {
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
    }
    let keys = PayloadKeys::open(&workspace.keys_path(), Mode::Create, Box::new(Seeded(5)));
    // The journal mode was set, and the tables were not made.
    let conn = rusqlite::Connection::open(workspace.ledger_path()).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(conn);
    Records::open(&workspace.ledger_path(), keys.unwrap(), Mode::Create).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = filled();
    for path in [workspace.ledger_path(), workspace.keys_path()] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}

#[test]
fn a_ledger_whose_end_was_cut_off_takes_no_more() {
    let workspace = filled();
    let conn = rusqlite::Connection::open(workspace.ledger_path()).unwrap();
    conn.execute_batch("DELETE FROM payloads WHERE log = 39; DELETE FROM entries WHERE log = 39").unwrap();
    drop(conn);
    let error = reopen(&workspace).unwrap_err();
    assert_eq!(error.code(), "SL651");
    assert!(error.to_string().ends_with("it says that it has 40 entries, and has 39"));
}
