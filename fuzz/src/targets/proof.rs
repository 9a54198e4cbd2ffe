//! Proofs and stored frontiers: no bytes prove an entry that the log does not have.

use std::convert::Infallible;

use sluice_ledger::merkle::{
    Leaves, ProofError, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};
use sluice_ledger::note::{KeyName, SignerKey};
use sluice_ledger::{Evidence, Frontier, Hash, LeafIndex, TreeHead, TreeSize, leaf_hash};

use sluice_ledger::tile::{TILE_WIDTH, Tile, TileKind, decode_bundle, encode_bundle};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "proof", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"c2sp.org/tlog-proof@v1\n",
    b"extra ",
    b"index ",
    b"index 18446744073709551615\n",
    b"\n\n",
    b"=\n",
    b"00",
    b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
];

/// How many entries the log has, of which proofs are made.
const SIZE: u64 = 7;

fn run(data: &[u8]) -> String {
    if let Ok(frontier) = Frontier::from_bytes(data) {
        assert_eq!(frontier.to_bytes(), data, "a frontier has a second spelling");
        let _ = (frontier.root(), frontier.clone().append(leaf_hash(b"")));
    }
    if let Some((sizes, hashes)) = data.split_first_chunk::<16>() {
        numbers(sizes, hashes);
    }
    if let Ok(entries) = decode_bundle(data) {
        assert_eq!(encode_bundle(&entries).as_deref(), Ok(data), "a bundle has a second spelling");
    }
    let Ok(text) = std::str::from_utf8(data) else { return "not text".to_owned() };
    if let Ok(tile) = text.parse::<Tile>() {
        assert_eq!(tile.to_string(), text, "a path has a second spelling");
        return format!("tile {:?} {}", tile.kind(), tile.width() == TILE_WIDTH);
    }
    match text.parse::<Evidence>() {
        Ok(evidence) => {
            assert_eq!(evidence.to_string(), text, "a proof file has a second spelling");
            opened(&evidence)
        }
        Err(error) => error.code().to_owned(),
    }
}

/// What a proof file proves must be so.
fn opened(evidence: &Evidence) -> String {
    match evidence.open(&[signer().verifier().clone()]) {
        Ok((checkpoint, entry)) => {
            let index = evidence.index.get();
            assert!(index < checkpoint.size().get() && entry == entry_at(index), "proved {entry:?} at {index}");
            "proved".to_owned()
        }
        Err(error) => format!("{} {}", error.code(), evidence.path.len()),
    }
}

/// Proofs with numbers that nobody chose: they end, and prove nothing of an empty path but sameness.
fn numbers(sizes: &[u8; 16], hashes: &[u8]) {
    let sizes = u128::from_be_bytes(*sizes);
    let (one, two) = ((sizes >> 64) as u64, sizes as u64);
    let path: Vec<Hash> = hashes.as_chunks::<32>().0.iter().copied().map(Hash::from_bytes).collect();
    let root = leaf_hash(b"root");
    let leaf = leaf_hash(b"leaf");
    let inclusion = verify_inclusion(&leaf, LeafIndex::new(one), TreeSize::new(two), &path, &root);
    assert!(inclusion.is_err(), "a leaf was proved under a root that is no node");
    let consistency = verify_consistency(TreeSize::new(one), &leaf, TreeSize::new(two), &root, &path);
    assert!(matches!(consistency, Err(ProofError::Length | ProofError::Mismatch | ProofError::SizesReversed)));
}

fn entry_at(index: u64) -> Vec<u8> {
    vec![index as u8; 1 + index as usize]
}

fn signer() -> SignerKey {
    KeyName::new("log.example").and_then(|name| SignerKey::from_seed(name, &[1; 32])).expect("the seed gives a key")
}

fn leaf(at: LeafIndex) -> Result<Hash, Infallible> {
    Ok(leaf_hash(&entry_at(at.get())))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut frontier = Frontier::new();
    let mut seeds = Vec::new();
    for index in 0..SIZE {
        frontier.append(leaf_hash(&entry_at(index))).expect("seven entries fit");
        seeds.push(frontier.to_bytes());
    }
    for (level, index) in [(0, 1_234_067), (1, 17), (7, 0)] {
        for size in [TreeSize::new(u64::MAX >> 1), TreeSize::new(70_000)] {
            let tile = Tile::in_tree(TileKind::Hashes { level }, index, size);
            seeds.extend(tile.map(|tile| tile.to_string().into_bytes()));
        }
    }
    seeds.push(b"tile/entries/x001/000.p/17".to_vec());
    seeds.extend(encode_bundle(&[entry_at(1), entry_at(2)]));
    let origin = signer().verifier().name().clone();
    let head = TreeHead { origin, size: frontier.size(), root: frontier.root() };
    let checkpoint = head.sign(&signer()).expect("the key has the log's name");
    for index in 0..SIZE {
        let path =
            prove_inclusion(&mut Leaves(leaf), LeafIndex::new(index), frontier.size()).expect("it is in the log");
        let evidence = Evidence {
            entry: Some(entry_at(index)),
            index: LeafIndex::new(index),
            path,
            checkpoint: checkpoint.clone(),
        };
        seeds.push(evidence.to_string().into_bytes());
        let older = TreeSize::new(index);
        let growth = prove_consistency(&mut Leaves(leaf), older, frontier.size()).expect("it has grown");
        let numbers = [index.to_be_bytes(), SIZE.to_be_bytes()].concat();
        seeds.push(growth.iter().fold(numbers, |bytes, hash| [bytes, hash.as_bytes().to_vec()].concat()));
    }
    seeds
}
