//! Paths as the specification writes them, and proofs from tiles.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::merkle::{Frontier, LeafIndex, leaf_hash, prove_consistency, prove_inclusion, root_at};

fn hashes(level: u8) -> TileKind {
    TileKind::Hashes { level }
}

fn path(kind: TileKind, index: u64, size: u64) -> Option<String> {
    Tile::in_tree(kind, index, TreeSize::new(size)).map(|tile| tile.to_string())
}

#[test]
fn paths_are_those_of_the_specification() {
    let large = u64::MAX >> 1;
    assert_eq!(path(hashes(0), 1_234_067, large).unwrap(), "tile/0/x001/x234/067");
    assert_eq!(path(TileKind::Entries, 999, large).unwrap(), "tile/entries/999");
    assert_eq!(path(TileKind::Entries, 1000, large).unwrap(), "tile/entries/x001/000");
    // The tree of 70,000 leaves of the specification.
    assert_eq!(path(hashes(0), 272, 70_000).unwrap(), "tile/0/272");
    assert_eq!(path(hashes(0), 273, 70_000).unwrap(), "tile/0/273.p/112");
    assert_eq!(path(hashes(0), 274, 70_000), None);
    assert_eq!(path(hashes(1), 0, 70_000).unwrap(), "tile/1/000");
    assert_eq!(path(hashes(1), 1, 70_000).unwrap(), "tile/1/001.p/17");
    assert_eq!(path(hashes(2), 0, 70_000).unwrap(), "tile/2/000.p/1");
    assert_eq!(path(hashes(3), 0, 70_000), None);
    assert_eq!(path(hashes(1), 0, 256).unwrap(), "tile/1/000.p/1");
    assert_eq!(path(hashes(8), 0, large), None);
}

#[test]
fn a_path_has_one_spelling() {
    let paths = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/0/+00",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x01/000",
        "tile/0/x001/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000/",
        "tile/0/000.p/1.p/1",
        "tile/entries/x999/x999/x999/x999/x999/x999/999",
        "tile/data/000",
        "tile/0/ｘ001/000",
    ];
    for path in paths {
        assert_eq!(path.parse::<Tile>(), Err(TileError::Path), "{path}");
    }
}

#[test]
fn a_path_beyond_the_largest_tree_is_refused() {
    let last: Tile = "tile/entries/x036/x028/x797/x018/x963/967".parse().unwrap();
    assert_eq!(last.index(), crate::merkle::TREE_SIZE_MAX / 256);
    assert_eq!(last.nodes().count(), 256);
    assert_eq!("tile/entries/x036/x028/x797/x018/x963/968".parse::<Tile>(), Err(TileError::Path));
}

/// A log's tiles as a file server would have them, for the tree of `size` leaves.
fn published(size: u64) -> (BTreeMap<String, Vec<u8>>, Frontier, BTreeMap<NodeId, Hash>) {
    let (mut frontier, mut nodes) = (Frontier::new(), BTreeMap::new());
    for entry in 0..size {
        let keep = |id, hash| assert_eq!(nodes.insert(id, hash), None);
        frontier.append_with(leaf_hash(&entry.to_be_bytes()), keep).unwrap();
    }
    let mut files = BTreeMap::new();
    for level in 0..=TILE_LEVEL_MAX {
        for tile in (0..).map_while(|index| Tile::in_tree(hashes(level), index, TreeSize::new(size))) {
            let hashes: Vec<Hash> = tile.nodes().map(|id| nodes[&id]).collect();
            files.insert(tile.to_string(), encode_tile(&hashes));
        }
    }
    (files, frontier, nodes)
}

#[test]
fn proofs_from_tiles_are_those_from_nodes() {
    for size in [1, 255, 256, 257, 700] {
        let (files, frontier, nodes) = published(size);
        let size = TreeSize::new(size);
        let mut tiles = Tiles::new(size, |tile: Tile| decode_tile(&files[&tile.to_string()]));
        let mut stored = |id: NodeId| Ok::<_, ()>(nodes[&id]);
        assert_eq!(root_at(&mut tiles, size), Ok(frontier.root()));
        for index in (0..size.get()).step_by(61) {
            let (at, older) = (LeafIndex::new(index), TreeSize::new(index));
            let inclusion = prove_inclusion(&mut stored, at, size).unwrap();
            assert_eq!(prove_inclusion(&mut tiles, at, size), Ok(inclusion));
            let consistency = prove_consistency(&mut stored, older, size).unwrap();
            assert_eq!(prove_consistency(&mut tiles, older, size), Ok(consistency));
        }
    }
}

#[test]
fn tiles_hold_what_the_other_implementation_puts_in_them() {
    use tlog_tiles::tlog;
    struct Stored(Vec<tlog::Hash>);
    impl tlog::HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
            Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
        }
    }
    const SIZE: u64 = 600;
    let mut stored = Stored(Vec::new());
    for entry in 0..SIZE {
        let more = tlog::stored_hashes(entry, &entry.to_be_bytes(), &stored).unwrap();
        stored.0.extend(more);
    }
    let (files, ..) = published(SIZE);
    let theirs = tlog_tiles::tile::Tile::new_tiles(TILE_HEIGHT, 0, SIZE);
    assert_eq!(theirs.len(), files.len());
    for tile in theirs {
        // Their paths name the height of a tile, which the specification fixed since.
        let path = tile.path().replacen("tile/8/", "tile/", 1);
        assert_eq!(files[&path], tile.read_data(&stored).unwrap(), "{path}");
    }
}

#[test]
fn a_tile_of_another_width_is_refused() {
    let (files, ..) = published(300);
    let size = TreeSize::new(300);
    let mut cut = Tiles::new(size, |tile: Tile| {
        decode_tile(&files[&tile.to_string()]).map(|hashes| hashes[..hashes.len() - 1].to_vec())
    });
    let error = prove_inclusion(&mut cut, LeafIndex::new(299), size).unwrap_err();
    assert_eq!(error, crate::merkle::ProveError::Read(TileReadError::Width));
    assert_eq!(decode_tile(&[]), Err(TileError::Tile));
    assert_eq!(decode_tile(&[0; 33]), Err(TileError::Tile));
    assert_eq!(decode_tile(&vec![0; 32 * 257]), Err(TileError::Tile));
}

#[test]
fn a_bundle_holds_whole_entries() {
    let entries: [&[u8]; 3] = [b"", b"a", b"bcd"];
    let bytes = encode_bundle(&entries).unwrap();
    assert_eq!(bytes, b"\0\0\0\x01a\0\x03bcd");
    assert_eq!(decode_bundle(&bytes), Ok(entries.to_vec()));
    for cut in 3..bytes.len() {
        let whole = [2, 5].contains(&cut);
        let read = decode_bundle(&bytes[..cut]);
        assert!(whole || read == Err(TileError::Bundle), "{cut}");
    }
    assert_eq!(decode_bundle(&bytes[..3]), Err(TileError::Bundle));
    assert_eq!(decode_bundle(&[]), Err(TileError::Bundle));
    assert_eq!(decode_bundle(&[0; 2 * 257]), Err(TileError::Bundle));
    assert_eq!(encode_bundle::<&[u8]>(&[]), Err(TileError::Bundle));
    assert_eq!(encode_bundle(&vec![b""; 257]), Err(TileError::Bundle));
    assert_eq!(encode_bundle(&[vec![0; ENTRY_BYTES_MAX + 1]]), Err(TileError::Bundle));
    assert!(encode_bundle(&[vec![0; ENTRY_BYTES_MAX]]).is_ok());
}

proptest! {
    #[test]
    fn every_path_is_read_as_it_was_written(level in 0..=TILE_LEVEL_MAX, index in 0_u64..1 << 40, size in 0..=crate::merkle::TREE_SIZE_MAX) {
        for kind in [hashes(level), TileKind::Entries] {
            for index in [index, size / 256, size >> (8 * level) >> 8] {
                if let Some(tile) = Tile::in_tree(kind, index, TreeSize::new(size)) {
                    prop_assert_eq!(tile.to_string().parse(), Ok(tile));
                }
            }
        }
    }
}
