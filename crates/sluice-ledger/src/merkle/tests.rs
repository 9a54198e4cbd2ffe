//! Published vectors, laws, and `tlog_tiles` as a second opinion.

use std::convert::Infallible;

use proptest::prelude::*;
use tlog_tiles::tlog;

use super::*;

/// The leaves of the reference tests of RFC 6962's own implementation, and the root after each.
const REFERENCE: [(&[u8], &str); 8] = [
    (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    (b"\x00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (b"\x10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    (b"\x20\x21", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    (b"\x30\x31", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    (b"@ABC", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    (b"PQRSTUVW", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (b"`abcdefghijklmno", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
];

/// A log in memory, kept twice: by us, and by `tlog_tiles`.
struct Twin {
    frontier: Frontier,
    nodes: std::collections::BTreeMap<NodeId, Hash>,
    leaves: Vec<Hash>,
    theirs: Vec<tlog::Hash>,
}

struct Theirs<'t>(&'t [tlog::Hash]);

impl tlog::HashReader for Theirs<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

impl Twin {
    fn new() -> Self {
        Self { frontier: Frontier::new(), nodes: Default::default(), leaves: vec![], theirs: vec![] }
    }

    fn of(size: u64) -> Self {
        let mut twin = Self::new();
        for entry in 0..size {
            twin.append(&entry.to_be_bytes());
        }
        twin
    }

    fn append(&mut self, entry: &[u8]) {
        let leaf = leaf_hash(entry);
        let nodes = &mut self.nodes;
        self.frontier.append_with(leaf, |id, hash| assert_eq!(nodes.insert(id, hash), None)).unwrap();
        let index = self.leaves.len() as u64;
        let more = tlog::stored_hashes(index, entry, &Theirs(&self.theirs)).unwrap();
        self.theirs.extend(more);
        self.leaves.push(leaf);
    }

    fn reader(&self) -> impl FnMut(NodeId) -> Result<Hash, NodeId> {
        |id| self.nodes.get(&id).copied().ok_or(id)
    }

    fn root(&self, size: u64) -> Hash {
        root_at(&mut self.reader(), TreeSize::new(size)).unwrap()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        prove_inclusion(&mut self.reader(), LeafIndex::new(index), TreeSize::new(size)).unwrap()
    }

    fn consistency(&self, older: u64, newer: u64) -> Vec<Hash> {
        prove_consistency(&mut self.reader(), TreeSize::new(older), TreeSize::new(newer)).unwrap()
    }
}

fn theirs(hashes: &[Hash]) -> Vec<tlog::Hash> {
    hashes.iter().map(|hash| tlog::Hash(*hash.as_bytes())).collect()
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hex| hex.parse().unwrap()).collect()
}

/// RFC 6962 §2.1 word for word: the naive twin of the frontier.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

fn reference() -> Twin {
    let mut twin = Twin::new();
    REFERENCE.iter().for_each(|(entry, _)| twin.append(entry));
    twin
}

#[test]
fn roots_are_those_of_the_reference_tests() {
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (index, (entry, root)) in REFERENCE.iter().enumerate() {
        assert_eq!(frontier.append(leaf_hash(entry)), Ok(LeafIndex::new(index as u64)));
        assert_eq!(frontier.root().to_string(), *root);
    }
}

#[test]
fn proofs_are_those_of_the_reference_tests() {
    let one = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    let two_three = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    let four = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    let four_five = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
    let six_seven = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    let right_half = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
    let left_half = REFERENCE[3].1;
    let twin = reference();
    assert_eq!(twin.inclusion(0, 1), []);
    assert_eq!(twin.inclusion(0, 8), hashes(&[one, two_three, right_half]));
    assert_eq!(twin.inclusion(5, 8), hashes(&[four, six_seven, left_half]));
    assert_eq!(twin.inclusion(2, 3), hashes(&[REFERENCE[1].1]));
    assert_eq!(twin.inclusion(1, 5), hashes(&[REFERENCE[0].1, two_three, four]));
    assert_eq!(twin.consistency(1, 1), []);
    assert_eq!(twin.consistency(1, 8), hashes(&[one, two_three, right_half]));
    assert_eq!(twin.consistency(6, 8), hashes(&[four_five, six_seven, left_half]));
    assert_eq!(twin.consistency(2, 5), hashes(&[two_three, four]));
}

#[test]
fn every_small_tree_agrees_with_the_other_implementation() {
    const SIZE: u64 = 40;
    let twin = Twin::of(SIZE);
    for size in 0..=SIZE {
        let root = tlog::tree_hash(size, &Theirs(&twin.theirs)).unwrap();
        assert_eq!(twin.root(size).as_bytes(), &root.0, "root of {size}");
        assert_eq!(naive_root(&twin.leaves[..size as usize]).as_bytes(), &root.0, "root of {size}");
        for index in 0..size {
            let path = twin.inclusion(index, size);
            let their_path = tlog::prove_record(size, index, &Theirs(&twin.theirs)).unwrap();
            assert_eq!(theirs(&path), their_path, "inclusion of {index} in {size}");
            assert!(verify_inclusion_at(&twin, index, size, &path).is_ok());
        }
        for older in 1..=size {
            let path = twin.consistency(older, size);
            let their_path = tlog::prove_tree(size, older, &Theirs(&twin.theirs)).unwrap();
            assert_eq!(theirs(&path), their_path, "consistency of {older} with {size}");
            assert!(verify_growth(&twin, older, size, &path).is_ok());
        }
    }
}

fn verify_inclusion_at(twin: &Twin, index: u64, size: u64, path: &[Hash]) -> Result<(), ProofError> {
    let leaf = twin.leaves[index as usize];
    verify_inclusion(&leaf, LeafIndex::new(index), TreeSize::new(size), path, &twin.root(size))
}

fn verify_growth(twin: &Twin, older: u64, newer: u64, path: &[Hash]) -> Result<(), ProofError> {
    let (old_root, new_root) = (twin.root(older), twin.root(newer));
    verify_consistency(TreeSize::new(older), &old_root, TreeSize::new(newer), &new_root, path)
}

/// Every way in which a list of hashes can be off by one thing.
fn altered(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for place in 0..path.len() {
        let mut bytes = *path[place].as_bytes();
        bytes[place % 32] ^= 1 << (place % 8);
        let flipped = Hash::from_bytes(bytes);
        all.push([&path[..place], &[flipped], &path[place + 1..]].concat());
        all.push([&path[..place], &path[place + 1..]].concat());
        all.push([&path[..=place], &path[place..]].concat());
        if place > 0 && path[place] != path[place - 1] {
            let mut swapped = path.to_vec();
            swapped.swap(place, place - 1);
            all.push(swapped);
        }
    }
    all.push([path, &[empty_root()]].concat());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_frontier_has_the_naive_root_and_survives_storing(size in 0u64..600) {
        let twin = Twin::of(size);
        prop_assert_eq!(twin.frontier.root(), naive_root(&twin.leaves));
        prop_assert_eq!(twin.frontier.root(), twin.root(size));
        let bytes = twin.frontier.to_bytes();
        prop_assert!(bytes.len() <= FRONTIER_BYTES_MAX);
        let again = Frontier::from_bytes(&bytes);
        prop_assert_eq!(again.as_ref(), Ok(&twin.frontier));
        prop_assert_eq!(Frontier::from_bytes(&bytes[1..]), Err(FrontierError::Malformed));
        prop_assert_eq!(Frontier::from_bytes(&[&bytes[..], &[0; 32]].concat()), Err(FrontierError::Malformed));
    }

    #[test]
    fn every_inclusion_proof_checks_and_no_altered_one_does(size in 1u64..400, pick: prop::sample::Index) {
        let twin = Twin::of(size);
        let index = pick.index(size as usize) as u64;
        let path = twin.inclusion(index, size);
        prop_assert_eq!(verify_inclusion_at(&twin, index, size, &path), Ok(()));
        let root = tlog::Hash(*twin.root(size).as_bytes());
        let leaf = tlog::Hash(*twin.leaves[index as usize].as_bytes());
        prop_assert!(tlog::check_record(&theirs(&path), size, root, index, leaf).is_ok());
        for path in altered(&path) {
            prop_assert!(verify_inclusion_at(&twin, index, size, &path).is_err());
        }
        for other in (0..size).filter(|other| *other != index) {
            prop_assert!(verify_inclusion_at(&twin, other, size, &path).is_err(), "at {} too", other);
        }
        let at = LeafIndex::new(index);
        let (leaf, root) = (twin.leaves[index as usize], twin.root(size));
        prop_assert!(verify_inclusion(&empty_root(), at, TreeSize::new(size), &path, &root).is_err());
        prop_assert!(verify_inclusion(&leaf, at, TreeSize::new(size), &path, &empty_root()).is_err());
        prop_assert_eq!(
            verify_inclusion(&leaf, LeafIndex::new(size), TreeSize::new(size), &path, &root),
            Err(ProofError::OutsideTree)
        );
    }

    #[test]
    fn every_consistency_proof_checks_and_no_altered_one_does(newer in 1u64..400, pick: prop::sample::Index) {
        let twin = Twin::of(newer);
        let older = 1 + pick.index(newer as usize) as u64;
        let path = twin.consistency(older, newer);
        prop_assert_eq!(verify_growth(&twin, older, newer, &path), Ok(()));
        let (old_root, new_root) = (twin.root(older), twin.root(newer));
        let [old_theirs, new_theirs] = [old_root, new_root].map(|root| tlog::Hash(*root.as_bytes()));
        prop_assert!(tlog::check_tree(&theirs(&path), newer, new_theirs, older, old_theirs).is_ok());
        for path in altered(&path) {
            prop_assert!(verify_growth(&twin, older, newer, &path).is_err());
        }
        let [older, newer] = [older, newer].map(TreeSize::new);
        prop_assert!(verify_consistency(older, &empty_root(), newer, &new_root, &path).is_err());
        prop_assert!(verify_consistency(older, &old_root, newer, &empty_root(), &path).is_err());
        if older != newer {
            prop_assert_eq!(
                verify_consistency(newer, &new_root, older, &old_root, &path),
                Err(ProofError::SizesReversed)
            );
        }
    }

    #[test]
    fn a_log_that_forgot_or_changed_an_entry_has_not_grown_from_what_it_was(
        older in 1u64..60, more in 0u64..60, pick: prop::sample::Index
    ) {
        let honest = Twin::of(older);
        let changed = pick.index(older as usize) as u64;
        let mut forged = Twin::new();
        for entry in 0..older + more {
            forged.append(&if entry == changed { u64::MAX } else { entry }.to_be_bytes());
        }
        let path = forged.consistency(older, older + more);
        let [old_size, new_size] = [older, older + more].map(TreeSize::new);
        let answer =
            verify_consistency(old_size, &honest.root(older), new_size, &forged.root(older + more), &path);
        prop_assert_eq!(answer, Err(ProofError::Mismatch));
    }
}

#[test]
fn an_empty_log_is_the_beginning_of_every_log() {
    let twin = Twin::of(5);
    assert_eq!(twin.consistency(0, 5), []);
    assert_eq!(verify_growth(&twin, 0, 5, &[]), Ok(()));
    assert_eq!(verify_growth(&twin, 0, 0, &[]), Ok(()));
    assert_eq!(verify_growth(&twin, 0, 5, &[empty_root()]), Err(ProofError::Length));
    let (root, five) = (twin.root(5), TreeSize::new(5));
    assert_eq!(verify_consistency(TreeSize::EMPTY, &root, five, &root, &[]), Err(ProofError::Mismatch));
}

#[test]
fn a_path_that_is_too_long_is_refused_even_if_it_leads_to_the_root() {
    let (leaf, beside) = (leaf_hash(b"a"), leaf_hash(b"b"));
    let (first, one) = (LeafIndex::new(0), TreeSize::new(1));
    for root in [node_hash(&beside, &leaf), node_hash(&leaf, &beside)] {
        assert_eq!(verify_inclusion(&leaf, first, one, &[beside], &root), Err(ProofError::Length));
    }
    let two = node_hash(&leaf, &beside);
    let sizes = [1, 2].map(TreeSize::new);
    for root in [node_hash(&leaf, &two), node_hash(&two, &leaf)] {
        let path = [beside, leaf];
        assert_eq!(verify_consistency(sizes[0], &leaf, sizes[1], &root, &path), Err(ProofError::Length));
    }
}

#[test]
fn leaf_hashes_alone_give_the_same_proofs() {
    let twin = Twin::of(37);
    let mut leaves = Leaves(|index: LeafIndex| Ok::<_, Infallible>(twin.leaves[index.get() as usize]));
    let (at, older, size) = (LeafIndex::new(19), TreeSize::new(21), TreeSize::new(37));
    assert_eq!(prove_inclusion(&mut leaves, at, size), Ok(twin.inclusion(19, 37)));
    assert_eq!(prove_consistency(&mut leaves, older, size), Ok(twin.consistency(21, 37)));
}

#[test]
fn a_proof_is_refused_when_it_cannot_be_made() {
    let mut missing = |id: NodeId| Err::<Hash, _>(id);
    let [three, four] = [3, 4].map(TreeSize::new);
    let outside = prove_inclusion(&mut missing, LeafIndex::new(3), three).unwrap_err();
    assert_eq!((outside.code(), outside.to_string().as_str()), ("SL612", "no entry 3 in a log of 3"));
    assert_eq!(prove_consistency(&mut missing, four, three).unwrap_err().code(), "SL613");
    let unread = prove_inclusion(&mut missing, LeafIndex::new(0), three).unwrap_err();
    assert_eq!(unread, ProveError::Read(NodeId { level: 0, index: 2 }));
    assert_eq!(unread.code(), "SL614");
}

#[test]
fn a_full_log_takes_no_entry() {
    let bytes = [&TREE_SIZE_MAX.to_be_bytes()[..], &[7; 63 * Hash::BYTES]].concat();
    assert_eq!(bytes.len(), FRONTIER_BYTES_MAX);
    let mut frontier = Frontier::from_bytes(&bytes).unwrap();
    let before = frontier.clone();
    assert_eq!(frontier.append(empty_root()), Err(FrontierError::Full));
    assert_eq!(frontier, before);
    let beyond = [&(TREE_SIZE_MAX + 1).to_be_bytes()[..], &[7; Hash::BYTES]].concat();
    assert_eq!(Frontier::from_bytes(&beyond), Err(FrontierError::Malformed));
}

#[test]
fn no_size_or_index_makes_a_verifier_panic() {
    let hash = empty_root();
    let sizes = [0, 1, 2, 1 << 62, TREE_SIZE_MAX, u64::MAX - 1, u64::MAX].map(TreeSize::new);
    for newer in sizes {
        for older in sizes {
            for len in [0, 1, 63, 64, 65, 66] {
                let path = vec![hash; len];
                let _ = verify_consistency(older, &hash, newer, &hash, &path);
                let _ = verify_inclusion(&hash, LeafIndex::new(older.get()), newer, &path, &hash);
            }
        }
    }
}
