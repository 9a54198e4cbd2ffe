//! A proof file proves its entry, and nothing once a byte of it changed.

use std::convert::Infallible;

use super::*;
use crate::checkpoint::TreeHead;
use crate::merkle::{Frontier, Leaves, prove_inclusion};
use crate::note::{KeyName, SignerKey};

fn log_key() -> SignerKey {
    SignerKey::from_seed(KeyName::new("log.example").unwrap(), &[1; 32]).unwrap()
}

fn sample() -> Evidence {
    let entries: Vec<Vec<u8>> = (0..5_u8).map(|entry| vec![entry; 3]).collect();
    let mut frontier = Frontier::new();
    for entry in &entries {
        frontier.append(leaf_hash(entry)).unwrap();
    }
    let origin = KeyName::new("log.example").unwrap();
    let head = TreeHead { origin, size: frontier.size(), root: frontier.root() };
    let index = LeafIndex::new(2);
    let mut leaves = Leaves(|at: LeafIndex| Ok::<_, Infallible>(leaf_hash(&entries[at.get() as usize])));
    Evidence {
        entry: Some(entries[2].clone()),
        index,
        path: prove_inclusion(&mut leaves, index, frontier.size()).unwrap(),
        checkpoint: head.sign(&log_key()).unwrap(),
    }
}

fn trusted() -> [VerifierKey; 1] {
    [log_key().verifier().clone()]
}

#[test]
fn a_proof_file_proves_the_entry_that_it_carries() {
    let text = sample().to_string();
    insta::assert_snapshot!(text, @"
    c2sp.org/tlog-proof@v1
    extra AgIC
    index 2
    nifF4HFRolsZMElFLu1T2GEoYkZh85gRP5mmApCRkZg=
    oqkOWEePKMv0XpHqKZO0yzGapyvTS9NNz0MQ7RZ84p8=
    2QfYIKSKgXcMmtTPJNLgJOPYFIQ9WIKeJYliudNTX8c=

    log.example
    5
    z+GZD736rBg6R3kmjlaMhBOIMp/L2z/OA1NBCBvgwRU=

    — log.example HMdY+fS8CkbkEcoeSQNh2xf8+4yGWCF+F7ezH2aNqWeR8HxqjschxsHQn14sk3Y+MXuV51uJhO+0DZFz2t44HDaE6gw=
    ");
    let read: Evidence = text.parse().unwrap();
    assert_eq!(read, sample());
    let (checkpoint, entry) = read.open(&trusted()).unwrap();
    assert_eq!((entry, checkpoint.size().get()), (&[2_u8; 3][..], 5));
}

#[test]
fn an_entry_can_be_handed_over_beside_the_file() {
    let without = Evidence { entry: None, ..sample() };
    let read: Evidence = without.to_string().parse().unwrap();
    assert_eq!(read.open(&trusted()).unwrap_err(), EvidenceError::NoEntry);
    assert!(read.open_for(&[2; 3], &trusted()).is_ok());
    assert_eq!(read.open_for(&[3; 3], &trusted()).unwrap_err().code(), "SL611");
}

#[test]
fn no_changed_byte_leaves_a_proof_of_something_else() {
    let text = sample().to_string().into_bytes();
    let trusted = trusted();
    for place in 0..text.len() {
        for mask in [1, 2, 4, 8, 16, 32, 64, 128] {
            let mut changed = text.clone();
            changed[place] ^= mask;
            let Ok(changed) = String::from_utf8(changed) else {
                continue;
            };
            let Ok(read) = changed.parse::<Evidence>() else {
                continue;
            };
            assert!(read.open(&trusted).is_err(), "byte {place}: {changed}");
        }
    }
}

#[test]
fn every_other_spelling_is_refused() {
    let text = sample().to_string();
    let changes = [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 2", "index 02"),
        ("index 2", "index +2"),
        ("index 2", "Index 2"),
        ("index 2\n", ""),
        ("extra ", "extra  "),
        ("extra ", "more "),
        ("=\n", "\n"),
        ("\n\n", "\n"),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "{from:?}");
        let changed = if from == "\n\n" { text.replace(from, to) } else { text.replacen(from, to, 1) };
        assert_eq!(changed.parse::<Evidence>().unwrap_err().code(), "SL640", "{from:?} to {to:?}");
    }
}

#[test]
fn a_proof_file_has_limits() {
    let long = Evidence { path: vec![leaf_hash(b""); PROOF_HASHES_MAX + 1], ..sample() };
    assert_eq!(long.to_string().parse::<Evidence>(), Err(EvidenceError::TooLong));
    let large = Evidence { entry: Some(vec![0; ENTRY_BYTES_MAX + 1]), ..sample() };
    assert_eq!(large.to_string().parse::<Evidence>(), Err(EvidenceError::TooLong));
    let largest = Evidence { entry: Some(vec![0; ENTRY_BYTES_MAX]), ..sample() };
    assert_eq!(largest.to_string().parse::<Evidence>(), Ok(largest));
    let huge = "a".repeat(EVIDENCE_BYTES_MAX + 1);
    assert_eq!(huge.parse::<Evidence>(), Err(EvidenceError::TooLong));
}
