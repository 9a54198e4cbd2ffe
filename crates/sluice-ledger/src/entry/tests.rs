//! The envelope holds its laws, and refuses what is not its only spelling.

use proptest::prelude::*;

use super::*;
use crate::cbor::CborError;

fn sample() -> Entry {
    Entry {
        log: LeafIndex::new(42),
        run: Some(RunLink::after(RunId::from_bytes([0x11; 16]), 3, Hash::from_bytes([0x22; 32])).unwrap()),
        time_ms: 1_790_000_000_000,
        kind: EntryKind::INTENT,
        body: Map::new().with("action", "crm.invoices.send").with("step", 7_u64),
        payload: Some(PayloadRef { commitment: Hash::from_bytes([0x33; 32]), sealed_len: 512 }),
    }
}

/// The sample's bytes after a change to its map.
fn changed(change: impl FnOnce(&mut Map)) -> Result<Entry, EntryError> {
    let mut map = sample().to_map();
    change(&mut map);
    Entry::decode(&cbor::encode(&Value::Map(map)))
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let entry = sample();
    assert_eq!(Entry::decode(&entry.encode().unwrap()), Ok(entry));
    let about_the_workspace = Entry { run: None, payload: None, ..sample() };
    assert_eq!(Entry::decode(&about_the_workspace.encode().unwrap()), Ok(about_the_workspace));
}

#[test]
fn a_newer_layout_is_refused_by_its_number() {
    let error = changed(|map| {
        map.insert(field::VERSION, 2_u64);
        map.insert(field::BODY, "quite another layout");
    });
    assert_eq!(error, Err(EntryError::UnknownVersion { version: 2 }));
    assert_eq!(error.unwrap_err().code(), "SL601");
}

#[test]
fn a_field_that_is_missing_unknown_or_of_another_type_is_refused() {
    for key in [field::VERSION, field::LOG, field::SEQ_IN_RUN, field::TIME_MS, field::KIND, field::BODY] {
        let missing = changed(|map| drop(map.remove(key)));
        assert_eq!(missing, Err(EntryError::MissingField { key }), "{key}");
    }
    for key in 1..=9 {
        let odd = changed(|map| drop(map.insert(key, true)));
        assert_eq!(odd, Err(EntryError::FieldType { key }), "{key}");
    }
    for key in [Key::Int(0), Key::Int(10), Key::from("note")] {
        let more = changed(|map| drop(map.insert(key.clone(), 1_u64)));
        assert_eq!(more, Err(EntryError::UnknownField { key }));
    }
    let short = changed(|map| drop(map.insert(field::RUN, vec![0x11; 15])));
    assert_eq!(short, Err(EntryError::FieldType { key: field::RUN }));
    let large = changed(|map| drop(map.insert(field::KIND, 65_536_u64)));
    assert_eq!(large, Err(EntryError::FieldType { key: field::KIND }));
    let extra = changed(|map| {
        let mut payload = map.remove(field::PAYLOAD).unwrap().as_map().unwrap().clone();
        payload.insert(3, 1_u64);
        map.insert(field::PAYLOAD, payload);
    });
    assert_eq!(extra, Err(EntryError::FieldType { key: field::PAYLOAD }));
    assert_eq!(Entry::decode(&cbor::encode(&Value::Null)), Err(EntryError::NotAMap));
}

#[test]
fn a_run_is_a_chain_from_its_first_entry() {
    let id = RunId::from_bytes([1; 16]);
    let first = RunLink::first(id);
    assert_eq!((first.seq(), first.prev()), (0, None));
    let leaf = Hash::from_bytes([2; 32]);
    assert_eq!(Ok(first.next(leaf)), RunLink::after(id, 1, leaf));
    assert_eq!(RunLink::after(id, 0, leaf), Err(EntryError::RunChain));
    let no_prev = changed(|map| drop(map.remove(field::PREV_IN_RUN)));
    assert_eq!(no_prev, Err(EntryError::MissingField { key: field::PREV_IN_RUN }));
    let first_with_prev = changed(|map| drop(map.insert(field::SEQ_IN_RUN, 0_u64)));
    assert_eq!(first_with_prev, Err(EntryError::UnknownField { key: Key::Int(field::PREV_IN_RUN) }));
    let no_run = changed(|map| drop(map.remove(field::RUN)));
    assert_eq!(no_run, Err(EntryError::UnknownField { key: Key::Int(field::SEQ_IN_RUN) }));
}

#[test]
fn a_payload_is_the_one_that_was_sealed_with_the_entry() {
    let payload = PayloadRef::to_sealed(b"sealed");
    assert!(payload.is_to(b"sealed"));
    assert!(!payload.is_to(b"Sealed"));
    assert!(!PayloadRef { sealed_len: 7, ..payload }.is_to(b"sealed"));
}

#[test]
fn body_fields_have_short_plain_names() {
    for key in [Key::from(""), "Name".into(), "ä".into(), "a b".into(), "a".repeat(33).into(), Key::Int(1)] {
        let entry = Entry { body: Map::new().with(key.clone(), 1_u64), ..sample() };
        assert_eq!(entry.encode(), Err(EntryError::BodyKey { key: key.clone() }));
        let read = changed(|map| drop(map.insert(field::BODY, entry.body.clone())));
        assert_eq!(read, Err(EntryError::BodyKey { key }));
    }
    let longest = Entry { body: Map::new().with("a".repeat(32), 1_u64), ..sample() };
    assert!(longest.encode().is_ok());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let long = Entry { body: Map::new().with("blob", vec![0_u8; ENTRY_BYTES_MAX]), ..sample() };
    let error = long.encode().unwrap_err();
    assert_eq!(error, EntryError::Cbor(CborError::TooLong { limit: 65_535 }));
    assert_eq!(error.code(), "SL606");
    let nest = |depth| (0..depth).fold(Value::Null, |value, _| Value::Array(vec![value]));
    let with_nest = |depth| Entry { body: Map::new().with("nest", nest(depth)), ..sample() };
    // The entry's own map and its body are two of the levels.
    let deepest = with_nest(Limits::ENTRY.depth - 2);
    assert_eq!(Entry::decode(&deepest.encode().unwrap()), Ok(deepest));
    assert_eq!(with_nest(Limits::ENTRY.depth - 1).encode().unwrap_err().code(), "SL606");
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let run = prop::option::of((any::<[u8; 16]>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(id, seq, prev)| {
        let id = RunId::from_bytes(id);
        RunLink::after(id, seq, Hash::from_bytes(prev)).unwrap_or(RunLink::first(id))
    }));
    let body = prop::collection::vec(("[a-z0-9_.-]{1,32}", crate::cbor::any_value()), 0..5);
    let payload = prop::option::of((any::<[u8; 32]>(), any::<u64>()));
    (any::<u64>(), run, any::<u64>(), any::<u16>(), body, payload).prop_map(
        |(log, run, time_ms, kind, body, payload)| Entry {
            log: LeafIndex::new(log),
            run,
            time_ms,
            kind: EntryKind::from_code(kind),
            body: body.into_iter().collect(),
            payload: payload
                .map(|(commitment, sealed_len)| PayloadRef { commitment: Hash::from_bytes(commitment), sealed_len }),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_entry_is_read_as_it_was_written(entry in any_entry()) {
        let bytes = entry.encode().unwrap();
        prop_assert_eq!(leaf_hash(&bytes), entry.leaf_hash().unwrap());
        prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
    }

    #[test]
    fn a_flipped_bit_fails_or_is_another_entry_in_its_only_spelling(entry in any_entry()) {
        let bytes = entry.encode().unwrap();
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            if let Ok(other) = Entry::decode(&flipped) {
                prop_assert_ne!(&other, &entry);
                prop_assert_eq!(other.encode(), Ok(flipped));
            }
        }
    }
}
