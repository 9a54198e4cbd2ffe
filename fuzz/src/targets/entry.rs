//! Entries and the CBOR they are written in: whatever is read has one spelling.

use sluice_ledger::cbor::{Limits, Map, Value, decode, encode};
use sluice_ledger::{Entry, EntryKind, Hash, LeafIndex, PayloadRef, RunId, RunLink};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "entry", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\xa0",
    b"\x80",
    b"\xf6",
    b"\xf7",
    b"\xf5",
    b"\xf9\x00\x00",
    b"\x9f",
    b"\xbf",
    b"\xff",
    b"\xc0",
    b"\x18\x17",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\x80\x00\x00\x00\x00\x00\x00\x00",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x01\x01",
    b"\x01\x02",
    b"\x61a",
    b"\x81\x81\x81\x81\x81\x81\x81\x81",
];

fn run(data: &[u8]) -> String {
    if let Ok(value) = decode(data, Limits::PAYLOAD) {
        assert_eq!(encode(&value), data, "a value has a second spelling");
    }
    match Entry::decode(data) {
        Ok(entry) => {
            assert_eq!(entry.encode().as_deref(), Ok(data), "an entry has a second spelling");
            let is_known = entry.kind.name().is_some();
            format!("{is_known} {} {}", entry.run.is_some(), entry.payload.is_some())
        }
        Err(error) => {
            // Without numbers and the author's words: which refusal it was, not of what.
            let words = error.to_string();
            let shape: String =
                words.split('`').next().into_iter().flat_map(str::chars).filter(|c| !c.is_ascii_digit()).collect();
            format!("{} {shape}", error.code())
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let run = RunId::from_bytes([1; 16]);
    let plain = Entry {
        log: LeafIndex::new(0),
        run: None,
        time_ms: 1_790_000_000_000,
        kind: EntryKind::WORKSPACE_CREATED,
        body: Map::new().with("mode", "solo").with("signers", 1_u64),
        payload: None,
    };
    let first = Entry { run: Some(RunLink::first(run)), kind: EntryKind::RUN_STARTED, ..plain.clone() };
    let link = RunLink::first(run).next(Hash::from_bytes([2; 32]));
    let list = vec![Value::from(true), (-7_i64).into(), Value::Bytes(vec![1, 2])];
    let body = Map::new().with("list", list).with("map", Map::new());
    let payload = Some(PayloadRef::to_sealed(b"sealed"));
    let later = Entry { run: Some(link), kind: EntryKind::INTENT, body, payload, ..plain.clone() };
    [plain, first, later].iter().filter_map(|entry| entry.encode().ok()).collect()
}
