//! A list that many states share. A state is copied along every edge of the graph and differs in few places.

use std::sync::Arc;

/// Items per shared piece: small enough that a change copies little, large enough that a copy counts little.
const PIECE: usize = 8;

/// A list in pieces. Copies share all of it until one of them changes an item, and every other piece afterwards.
#[derive(Clone, Debug)]
pub(super) struct Shared<T> {
    pieces: Arc<Vec<Piece<T>>>,
}

type Piece<T> = Arc<Vec<T>>;

impl<T: Clone + PartialEq> Shared<T> {
    /// A list of `len` equal items.
    pub(super) fn of(len: usize, item: &T) -> Self {
        let full = Arc::new(vec![item.clone(); PIECE]);
        let mut pieces = vec![full; len / PIECE];
        if !len.is_multiple_of(PIECE) {
            pieces.push(Arc::new(vec![item.clone(); len % PIECE]));
        }
        Self { pieces: Arc::new(pieces) }
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.pieces.get(at / PIECE)?.get(at % PIECE)
    }

    /// Changes one item. Nothing beyond the end.
    pub(super) fn set(&mut self, at: usize, item: T) {
        if at / PIECE >= self.pieces.len() {
            return;
        }
        let Some(piece) = Arc::make_mut(&mut self.pieces).get_mut(at / PIECE) else { return };
        if let Some(slot) = Arc::make_mut(piece).get_mut(at % PIECE) {
            *slot = item;
        }
    }

    /// Item by item. What both share, and what `same` says is one and the same, stays as it is; so does a piece to which
    /// the other adds nothing, and the whole if that is true of every piece.
    pub(super) fn zip_with(&self, other: &Self, same: impl Fn(&T, &T) -> bool, join: impl Fn(&T, &T) -> T) -> Self {
        let mut joined = self.clone();
        if Arc::ptr_eq(&self.pieces, &other.pieces) {
            return joined;
        }
        for (at, (a, b)) in self.pieces.iter().zip(other.pieces.iter()).enumerate() {
            if let Some(piece) = joined_piece(a, b, &same, &join)
                && let Some(slot) = Arc::make_mut(&mut joined.pieces).get_mut(at)
            {
                *slot = piece;
            }
        }
        joined
    }

    /// Every item mapped; a piece that the map leaves as it is stays shared.
    pub(super) fn map(&self, map: impl Fn(&T) -> T) -> Self {
        let pieces = self.pieces.iter().map(|a| kept(a, a.iter().map(&map).collect())).collect();
        Self { pieces: Arc::new(pieces) }
    }

    /// Every item.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    /// The places where two lists differ in what they hold, skipping what they share.
    pub(super) fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (usize, &'a T, &'a T)> {
        let pieces = self.pieces.iter().zip(other.pieces.iter()).enumerate();
        pieces
            .filter(|(_, (a, b))| !Arc::ptr_eq(a, b))
            .flat_map(|(i, (a, b))| a.iter().zip(b.iter()).enumerate().map(move |(j, (x, y))| (i * PIECE + j, x, y)))
    }
}

/// A piece with what another adds to it; `None` if that is nothing.
fn joined_piece<T: Clone + PartialEq>(
    a: &Piece<T>,
    b: &Piece<T>,
    same: &impl Fn(&T, &T) -> bool,
    join: &impl Fn(&T, &T) -> T,
) -> Option<Piece<T>> {
    if Arc::ptr_eq(a, b) {
        return None;
    }
    let mut changed: Option<Vec<T>> = None;
    for (at, (x, y)) in a.iter().zip(b.iter()).enumerate().filter(|(_, (x, y))| !same(x, y)) {
        let joined = join(x, y);
        if joined != *x
            && let Some(slot) = changed.get_or_insert_with(|| (**a).clone()).get_mut(at)
        {
            *slot = joined;
        }
    }
    changed.map(Arc::new)
}

/// The old piece if the new one is equal to it.
fn kept<T: PartialEq>(old: &Piece<T>, new: Vec<T>) -> Piece<T> {
    if new == **old { old.clone() } else { Arc::new(new) }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Arc<Vec<T>>, &Arc<Vec<T>>)| Arc::ptr_eq(a, b) || a == b;
        Arc::ptr_eq(&self.pieces, &other.pieces)
            || self.pieces.len() == other.pieces.len() && self.pieces.iter().zip(other.pieces.iter()).all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_its_items_when_the_original_changes() {
        let mut list = Shared::of(200, &0);
        let copy = list.clone();
        list.set(130, 7);
        list.set(200, 7);
        assert_eq!((list.get(130), copy.get(130), list.get(199), list.get(200)), (Some(&7), Some(&0), Some(&0), None));
        assert_ne!(list, copy);
    }

    #[test]
    fn joining_goes_item_by_item_and_shares_what_did_not_change() {
        let (mut a, mut b) = (Shared::of(200, &0), Shared::of(200, &0));
        a.set(1, 5);
        b.set(1, 3);
        b.set(150, 9);
        let joined = a.zip_with(&b, |x, y| x == y, |x, y| *x.max(y));
        assert_eq!((joined.get(1), joined.get(150), joined.iter().sum::<i32>()), (Some(&5), Some(&9), 14));
        assert!(Arc::ptr_eq(&joined.pieces[0], &a.pieces[0]));
        let moved: Vec<usize> = joined.differing(&a).filter(|(_, x, y)| x != y).map(|(i, _, _)| i).collect();
        assert_eq!(moved, [150]);
    }
}
