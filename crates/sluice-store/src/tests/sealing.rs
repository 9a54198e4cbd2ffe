use std::fs;

use sluice_ledger::{EntryKind, LeafIndex};

use super::support::{Workspace, record, run};
use crate::{Expect, Payload, PayloadState, Records, Subjects};

const CLEAR: &[u8] = b"the balance of somebody in particular";

fn about_people(records: &mut Records, number: u8, subjects: &[&str]) -> LeafIndex {
    about(records, number, Subjects::Named(subjects.iter().map(|&subject| subject.to_owned()).collect()))
}

fn about(records: &mut Records, number: u8, subjects: Subjects) -> LeafIndex {
    let payload = Payload { bytes: CLEAR.to_vec(), subjects };
    let record = record(EntryKind::OUTCOME).of_run(run(number)).with_payload(payload);
    records.append(&[record], &Expect::ANYTHING).unwrap().first
}

fn opened() -> PayloadState {
    PayloadState::Opened(CLEAR.to_vec())
}

#[test]
fn erasing_a_subject_erases_what_is_theirs_and_leaves_a_log_that_verifies() {
    let (workspace, mut records) = Workspace::new();
    let ann = about_people(&mut records, 1, &["ann"]);
    let both = about_people(&mut records, 1, &["bob", "ann"]);
    let bob = about_people(&mut records, 1, &["bob"]);
    let ann_elsewhere = about_people(&mut records, 2, &["ann"]);
    let nobody = about_people(&mut records, 1, &[]);

    // By another process, as `sluice erase` would.
    assert_eq!(workspace.keys().erase_subject("ann").unwrap(), 2);

    for (index, state) in [
        (ann, PayloadState::Erased),
        (both, PayloadState::Erased),
        (bob, opened()),
        (ann_elsewhere, PayloadState::Erased),
        (nobody, opened()),
    ] {
        assert_eq!(records.payload(index).unwrap(), state, "{index}");
    }
    // What comes later is sealed under a key that is not in memory of before.
    let later = about_people(&mut records, 1, &["ann"]);
    assert_eq!(records.payload(later).unwrap(), opened());

    let report = workspace.verify();
    assert!(report.agrees(), "{report:?}");
    assert_eq!((report.payloads.opened, report.payloads.erased), (3, 3));
}

#[test]
fn what_may_be_anybodys_goes_with_whoever_is_erased_first() {
    let (workspace, mut records) = Workspace::new();
    let anybody = about(&mut records, 1, Subjects::Anybody);
    let anybody_elsewhere = about(&mut records, 2, Subjects::Anybody);
    let bob = about_people(&mut records, 1, &["bob"]);
    // A person may be called as the table calls what is nobody's in particular.
    let star = about_people(&mut records, 1, &["*"]);
    assert_eq!(workspace.keys().erase_subject("somebody whom no key names").unwrap(), 2);
    for (index, state) in
        [(anybody, PayloadState::Erased), (anybody_elsewhere, PayloadState::Erased), (bob, opened()), (star, opened())]
    {
        assert_eq!(records.payload(index).unwrap(), state, "{index}");
    }
    assert!(workspace.verify().agrees());
}

#[test]
fn erasing_a_run_erases_all_its_payloads() {
    let (workspace, mut records) = Workspace::new();
    let one = about_people(&mut records, 1, &["ann"]);
    let two = about_people(&mut records, 2, &["ann"]);
    assert_eq!(records.keys().erase_run(run(1)).unwrap(), 2);
    assert_eq!(records.payload(one).unwrap(), PayloadState::Erased);
    assert_eq!(records.payload(two).unwrap(), opened());
    assert!(workspace.verify().agrees());
}

#[test]
fn the_name_of_no_subject_erases_the_keys_of_runs() {
    let (_workspace, mut records) = Workspace::new();
    let one = about_people(&mut records, 1, &[]);
    assert_eq!(records.keys().erase_subject("").unwrap(), 0);
    assert_eq!(records.payload(one).unwrap(), opened());
}

#[test]
fn neither_what_is_sealed_nor_whose_it_is_stands_in_the_ledger() {
    let (workspace, mut records) = Workspace::new();
    about_people(&mut records, 1, &["ann-in-particular"]);
    drop(records);
    let holds = |path: std::path::PathBuf, text: &[u8]| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text)
    };
    assert!(!holds(workspace.ledger_path(), CLEAR));
    assert!(!holds(workspace.ledger_path(), b"ann-in-particular"));
    assert!(!holds(workspace.keys_path(), b"ann-in-particular"));
    assert_eq!(workspace.keys().erase_subject("ann-in-particular").unwrap(), 1);
}

#[test]
fn a_key_that_the_key_file_does_not_know_is_not_called_erased() {
    let (workspace, mut records) = Workspace::new();
    let older = fs::read(workspace.keys_path()).unwrap();
    let one = about_people(&mut records, 1, &[]);
    drop(records);
    // An older copy of the key file is put back.
    fs::write(workspace.keys_path(), older).unwrap();
    let _ = fs::remove_file(workspace.folder.path().join("keys.db-wal"));
    let _ = fs::remove_file(workspace.folder.path().join("keys.db-shm"));
    assert_eq!(workspace.open().payload(one).unwrap(), PayloadState::WrongKey);
    assert_eq!(workspace.verify().payloads.wrong_key, 1);
}

#[test]
fn equal_payloads_are_sealed_and_committed_to_differently() {
    let (_workspace, mut records) = Workspace::new();
    about_people(&mut records, 1, &[]);
    about_people(&mut records, 1, &[]);
    let entries = records.entries(0..2).unwrap();
    let [one, two] = [0, 1].map(|at: usize| entries[at].entry.payload.unwrap());
    assert_ne!(one.commitment, two.commitment);
    assert_eq!(one.sealed_len, two.sealed_len);
}

#[test]
fn a_sealed_payload_does_not_open_beside_another_entry() {
    let (workspace, mut records) = Workspace::new();
    let one = about_people(&mut records, 1, &[]);
    let two = about_people(&mut records, 1, &[]);
    records
        .conn
        .execute_batch(
            "CREATE TEMP TABLE swap AS SELECT * FROM payloads;
             UPDATE payloads SET sealed = (SELECT sealed FROM swap WHERE swap.log = 1 - payloads.log)",
        )
        .unwrap();
    assert_eq!(records.payload(one).unwrap(), PayloadState::Missing);
    assert_eq!(records.payload(two).unwrap(), PayloadState::Missing);
    assert_eq!(workspace.verify().first_misfit.unwrap().index, one);
}

#[test]
fn a_person_has_one_pseudonym_until_they_are_forgotten() {
    let (workspace, mut records) = Workspace::new();
    let ann = records.keys().pseudonym("ann@example.com").unwrap();
    let mut elsewhere = workspace.keys();
    assert_eq!(elsewhere.pseudonym("ann@example.com").unwrap(), ann);
    assert_ne!(elsewhere.pseudonym("bob@example.com").unwrap(), ann);
    assert_eq!(elsewhere.person(ann).unwrap().as_deref(), Some("ann@example.com"));
    assert!(elsewhere.forget_person("ann@example.com").unwrap());
    assert!(!elsewhere.forget_person("ann@example.com").unwrap());
    assert_eq!(records.keys().person(ann).unwrap(), None);
    assert_ne!(records.keys().pseudonym("ann@example.com").unwrap(), ann);
}

#[test]
fn nothing_secret_is_printed() {
    let (_workspace, mut records) = Workspace::new();
    let one = about_people(&mut records, 1, &[]);
    let printed = format!("{:?} {:?} {:?}", records.keys(), Payload::of_run(CLEAR.to_vec()), opened());
    assert!(!printed.contains("balance") && printed.contains("secret"));
    assert!(!format!("{:?}", records.payload(one).unwrap()).contains("balance"));
}

/// The layout is permanent: what is sealed today must open in every later version.
/// `docs/store-format.md` has the same bytes.
#[test]
fn a_sealed_payload_is_spelled_as_the_format_page_says() {
    let (_workspace, mut records) = Workspace::new();
    let payload = Payload { bytes: b"hello".to_vec(), subjects: Subjects::Named(vec!["ann".to_owned()]) };
    let record = record(EntryKind::OUTCOME).of_run(run(1)).with_payload(payload);
    records.append(&[record], &Expect::ANYTHING).unwrap();
    let hex = |bytes: Vec<u8>| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let (ids, sealed): (Vec<u8>, Vec<u8>) =
        records.conn.query_row("SELECT keys, sealed FROM payloads", (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let keys: Vec<String> = ids
        .chunks(16)
        .map(|id| {
            let sql = "SELECT key FROM keys WHERE id = ?1";
            let path = records.keys().path().to_path_buf();
            let conn = rusqlite::Connection::open(path).unwrap();
            hex(conn.query_row(sql, [id], |row| row.get(0)).unwrap())
        })
        .collect();
    let commitment = records.entries(0..1).unwrap()[0].entry.payload.unwrap().commitment;
    let page = include_str!("../../../../docs/store-format.md");
    let vector = format!(
        "keys        {}\nkey bytes   {}\nsealed      {}\ncommitment  {commitment}\n",
        hex(ids),
        keys.concat(),
        hex(sealed)
    );
    assert!(page.contains(&vector), "the page says otherwise:\n{vector}");
}
