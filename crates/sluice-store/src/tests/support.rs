//! A workspace in a temporary folder, and records that are short to write down.

use std::path::PathBuf;

use sluice_ledger::cbor::Map;
use sluice_ledger::note::{KeyName, SignerKey};
use sluice_ledger::{EntryKind, RunId, TreeHead};
use tempfile::TempDir;

use crate::{
    Batch, Epoch, Expect, Mode, NewRecord, Payload, PayloadKeys, Random, RandomError, Records, Sync, VerifyReport,
    verify_all,
};

/// Repeatable, and no two bytes strings alike: a counter, hashed.
pub(super) struct Seeded(pub(super) u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        use sha2::Digest as _;
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            let hash = sha2::Sha256::digest(self.0.to_be_bytes());
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
        Ok(())
    }
}

pub(super) struct Workspace {
    pub(super) folder: TempDir,
}

impl Workspace {
    pub(super) fn new() -> (Self, Records) {
        let workspace = Self { folder: tempfile::tempdir().unwrap() };
        let keys =
            PayloadKeys::open_with(&workspace.keys_path(), Mode::Create, Box::new(Seeded(0)), Sync::None).unwrap();
        let records = Records::open_with(&workspace.ledger_path(), keys, Mode::Create, Sync::None).unwrap();
        (workspace, records)
    }

    pub(super) fn ledger_path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    pub(super) fn keys_path(&self) -> PathBuf {
        self.folder.path().join("keys.db")
    }

    pub(super) fn keys(&self) -> PayloadKeys {
        PayloadKeys::open_with(
            &self.keys_path(),
            Mode::Existing,
            Box::new(Seeded(u64::from(std::process::id()) << 32)),
            Sync::None,
        )
        .unwrap()
    }

    pub(super) fn open(&self) -> Records {
        Records::open_with(&self.ledger_path(), self.keys(), Mode::Existing, Sync::None).unwrap()
    }

    pub(super) fn verify(&self) -> VerifyReport {
        verify_all(&self.ledger_path(), Some(&self.keys()), &[signer().verifier().clone()]).unwrap()
    }
}

pub(super) fn signer() -> SignerKey {
    SignerKey::from_seed(KeyName::new("test.example/log").unwrap(), &[7; 32]).unwrap()
}

/// Signs every commit.
pub(super) fn sign_all(records: &mut Records) {
    let signer = signer();
    records.sign_with(Box::new(move |size, root| {
        let head = TreeHead { origin: signer.verifier().name().clone(), size, root: root() };
        Some(head.sign(&signer).unwrap())
    }));
}

pub(super) fn run(number: u8) -> RunId {
    RunId::from_bytes([number; 16])
}

pub(super) fn record(kind: EntryKind) -> NewRecord {
    NewRecord::new(kind, 1_000, Map::new())
}

pub(super) fn step(number: u8, note: &str) -> NewRecord {
    NewRecord::new(EntryKind::OUTCOME, 1_000, Map::new().with("action", "mail.send").with("note", note))
        .of_run(run(number))
        .with_payload(Payload::of_run(format!("sealed {note}").into_bytes()))
}

pub(super) fn about(kind: EntryKind, approval: &str) -> NewRecord {
    NewRecord::new(kind, 1_000, Map::new().with("approval", approval))
}

pub(super) fn uses(number: u8, approval: &str) -> NewRecord {
    let mut record = record(EntryKind::INTENT).of_run(run(number));
    record.uses = vec![approval.to_owned()];
    record
}

pub(super) fn batch(records: Vec<NewRecord>) -> Batch {
    Batch { records, expect: Expect::ANYTHING }
}

pub(super) fn at(number: u8, next_seq: u64, epoch: Epoch) -> Expect {
    Expect::run(run(number), next_seq, epoch)
}
