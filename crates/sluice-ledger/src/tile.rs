//! C2SP tlog-tiles: the tree and its entries as files that never change once they are full.
//!
//! A tile holds 256 hashes of one level out of eight; a bundle holds the entries under a tile of the
//! lowest level. A static file server can publish a log in this shape, and any witness or monitor that
//! knows the specification can follow it.
//!
//! Source: <https://c2sp.org/tlog-tiles>.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::checkpoint::decimal;
use crate::entry::ENTRY_BYTES_MAX;
use crate::hash::Hash;
use crate::merkle::{NodeId, Nodes, TreeSize, node_hash};

/// How many hashes a full tile holds, and how many entries a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The highest level of tiles: above it no tree of [`crate::merkle::TREE_SIZE_MAX`] leaves has any.
pub const TILE_LEVEL_MAX: u8 = 7;

/// How many levels of the tree lie in one tile.
const TILE_HEIGHT: u8 = 8;

/// The largest index that a path can have: a tree has no more leaves.
const TILE_INDEX_MAX: u64 = crate::merkle::TREE_SIZE_MAX;

/// What a resource of the log holds: hashes of a level, or entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of full tiles of the level below; at level 0 leaf hashes. At most [`TILE_LEVEL_MAX`].
    Hashes {
        /// The level.
        level: u8,
    },
    /// Entries, each behind its length.
    Entries,
}

/// The name of a tile or bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile or bundle at `index` in the tree of `size` leaves, as wide as it is there.
    ///
    /// None if the tree has nothing at that place.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: TreeSize) -> Option<Self> {
        let level = kind.level();
        if level > TILE_LEVEL_MAX {
            return None;
        }
        let hashes = size.get() >> (level * TILE_HEIGHT);
        let before = index.checked_mul(TILE_WIDTH.into())?;
        let width = hashes.checked_sub(before)?.min(TILE_WIDTH.into());
        let width = u16::try_from(width).ok().filter(|width| *width > 0)?;
        Some(Self { kind, index, width })
    }

    /// Hashes or entries.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Which of its level, from the left.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds: 1 to [`TILE_WIDTH`].
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// The nodes whose hashes a tile holds, in order; the leaves of a bundle's entries.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let level = self.kind.level() * TILE_HEIGHT;
        let first = self.index * u64::from(TILE_WIDTH);
        (first..first + u64::from(self.width)).map(move |index| NodeId { level, index })
    }
}

impl TileKind {
    const fn level(self) -> u8 {
        match self {
            Self::Hashes { level } => level,
            Self::Entries => 0,
        }
    }
}

impl fmt::Display for Tile {
    /// The path under the log's prefix: `tile/0/x001/x234/067`, `tile/entries/000.p/17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut power = 1;
        while self.index / power >= 1000 {
            power *= 1000;
        }
        while power > 1 {
            write!(f, "x{:03}/", self.index / power % 1000)?;
            power /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for Tile {
    type Err = TileError;

    /// Reads a path in its one spelling.
    fn from_str(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError::Path)?;
        let (kind, rest) = rest.split_once('/').ok_or(TileError::Path)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: bounded(level, TILE_LEVEL_MAX.into())? },
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, bounded(width, u64::from(TILE_WIDTH) - 1)?),
            None => (rest, TILE_WIDTH),
        };
        let tile = Self { kind, index: index(number)?, width };
        // Zero width, leading zeros, a missing or spare `x`: only what we would write is a path.
        if width == 0 || tile.to_string() != path { Err(TileError::Path) } else { Ok(tile) }
    }
}

fn bounded<T: TryFrom<u64>>(text: &str, max: u64) -> Result<T, TileError> {
    let number = decimal(text).filter(|number| *number <= max);
    number.and_then(|number| number.try_into().ok()).ok_or(TileError::Path)
}

fn index(number: &str) -> Result<u64, TileError> {
    let mut index: u64 = 0;
    for part in number.split('/') {
        let part: u16 = part.strip_prefix('x').unwrap_or(part).parse().map_err(|_| TileError::Path)?;
        index = index.checked_mul(1000).and_then(|index| index.checked_add(part.into())).ok_or(TileError::Path)?;
    }
    if index > TILE_INDEX_MAX / u64::from(TILE_WIDTH) { Err(TileError::Path) } else { Ok(index) }
}

/// Reads nodes from tiles, so that proofs can be made of a published log.
#[derive(Debug)]
pub struct Tiles<F> {
    size: TreeSize,
    read: F,
}

impl<F> Tiles<F> {
    /// The tree of `size` leaves, whose tiles `read` fetches. It is asked for the same tile again and
    /// again: a reader that fetches from afar keeps what it has.
    pub const fn new(size: TreeSize, read: F) -> Self {
        Self { size, read }
    }
}

impl<F: FnMut(Tile) -> Result<Vec<Hash>, E>, E> Nodes for Tiles<F> {
    type Error = TileReadError<E>;

    fn node(&mut self, id: NodeId) -> Result<Hash, Self::Error> {
        let (level, height) = (id.level / TILE_HEIGHT, id.level % TILE_HEIGHT);
        let first = id.index << height;
        let index = first / u64::from(TILE_WIDTH);
        let tile = Tile::in_tree(TileKind::Hashes { level }, index, self.size).ok_or(TileReadError::Width)?;
        let hashes = (self.read)(tile).map_err(TileReadError::Read)?;
        if hashes.len() != usize::from(tile.width) {
            return Err(TileReadError::Width);
        }
        let from = (first % u64::from(TILE_WIDTH)) as usize;
        let part = hashes.get(from..from + (1 << height)).ok_or(TileReadError::Width)?;
        full_root(part).ok_or(TileReadError::Width)
    }
}

/// The root over a number of hashes that is a power of two; none of none.
fn full_root(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [] => None,
        [hash] => Some(*hash),
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            Some(node_hash(&full_root(left)?, &full_root(right)?))
        }
    }
}

/// The bytes of a tile.
#[must_use]
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Reads the bytes of a tile.
///
/// # Errors
/// [`TileError::Tile`] unless they are 1 to 256 hashes.
pub fn decode_tile(bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    if !rest.is_empty() || hashes.is_empty() || hashes.len() > TILE_WIDTH.into() {
        return Err(TileError::Tile);
    }
    Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
}

/// The bytes of a bundle: each entry behind its length as 2 bytes, big-endian.
///
/// # Errors
/// [`TileError::Bundle`] unless there are 1 to 256 entries of at most [`ENTRY_BYTES_MAX`] bytes.
pub fn encode_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>, TileError> {
    if entries.is_empty() || entries.len() > TILE_WIDTH.into() {
        return Err(TileError::Bundle);
    }
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let len = u16::try_from(entry.len()).map_err(|_| TileError::Bundle)?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads the entries of a bundle.
///
/// # Errors
/// [`TileError::Bundle`] unless they are 1 to 256 whole entries, and nothing else.
pub fn decode_bundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk::<2>().ok_or(TileError::Bundle)?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into()).ok_or(TileError::Bundle)?;
        entries.push(entry);
        bytes = rest;
        if entries.len() > TILE_WIDTH.into() {
            return Err(TileError::Bundle);
        }
    }
    if entries.is_empty() { Err(TileError::Bundle) } else { Ok(entries) }
}

// A bundle can hold every entry that there is.
const _: () = assert!(ENTRY_BYTES_MAX == u16::MAX as usize);

/// Why bytes or a path are no tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TileError {
    /// SL643. Help: `tile/LEVEL/NUMBER` or `tile/entries/NUMBER`, with `.p/WIDTH` if it is not full.
    #[error("not the path of a tile")]
    Path,
    /// SL644. Help: the file was cut or changed.
    #[error("a tile holds 1 to {TILE_WIDTH} whole hashes")]
    Tile,
    /// SL645. Help: the file was cut or changed.
    #[error("a bundle holds 1 to {TILE_WIDTH} whole entries")]
    Bundle,
}

impl TileError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Path => "SL643",
            Self::Tile => "SL644",
            Self::Bundle => "SL645",
        }
    }
}

/// Why a node could not be read from tiles.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TileReadError<E> {
    /// SL646. Help: the tile is of another tree size; fetch it anew.
    #[error("the tile does not have the width that the size of the log asks for")]
    Width,
    /// SL646. Help: as the reader's own error says.
    #[error("cannot read a tile")]
    Read(E),
}

impl<E> TileReadError<E> {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "SL646"
    }
}

#[cfg(test)]
mod tests;
