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

    /// Joins another list into this one item by item, and says whether any item grew. Pieces in which both are the same are
    /// shared from then on.
    pub(super) fn grow(&mut self, other: &Self, join: impl Fn(&T, &T) -> Joined<T>) -> bool {
        if Arc::ptr_eq(&self.pieces, &other.pieces) {
            return false;
        }
        let mut has_grown = false;
        for at in 0..self.pieces.len().min(other.pieces.len()) {
            let (Some(mine), Some(theirs)) = (self.pieces.get(at), other.pieces.get(at)) else { break };
            let Some((piece, grew)) = joined_piece(mine, theirs, &join) else { continue };
            has_grown |= grew;
            if let Some(slot) = Arc::make_mut(&mut self.pieces).get_mut(at) {
                *slot = piece;
            }
        }
        has_grown
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

/// What a join of two items is.
pub(super) enum Joined<T> {
    /// Both are one and the same.
    Same,
    /// Both are equal, which took a look into them: once one stands for both, it will not again.
    Equal,
    /// The first: the other adds nothing.
    Kept,
    /// More than the first.
    Grown(T),
}

/// What stands in a piece's place once another is joined into it, and whether that is more; `None` if it stays.
fn joined_piece<T: Clone>(
    mine: &Piece<T>,
    theirs: &Piece<T>,
    join: &impl Fn(&T, &T) -> Joined<T>,
) -> Option<(Piece<T>, bool)> {
    if Arc::ptr_eq(mine, theirs) {
        return None;
    }
    let (mut all_same, mut has_grown, mut changed) = (true, false, None::<Vec<T>>);
    for (at, (x, y)) in mine.iter().zip(theirs.iter()).enumerate() {
        let item = match join(x, y) {
            Joined::Same => continue,
            Joined::Equal => y.clone(),
            Joined::Kept => {
                all_same = false;
                continue;
            }
            Joined::Grown(item) => {
                (all_same, has_grown) = (false, true);
                item
            }
        };
        if let Some(slot) = changed.get_or_insert_with(|| (**mine).clone()).get_mut(at) {
            *slot = item;
        }
    }
    let piece = if all_same { theirs.clone() } else { Arc::new(changed?) };
    Some((piece, has_grown))
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
    use std::cmp::Ordering;

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
        let max = |x: &i32, y: &i32| match x.cmp(y) {
            Ordering::Equal => Joined::Same,
            Ordering::Greater => Joined::Kept,
            Ordering::Less => Joined::Grown(*y),
        };
        b.set(80, 0);
        let mut joined = a.clone();
        assert!(joined.grow(&b, max));
        assert_eq!((joined.get(1), joined.get(150), joined.iter().sum::<i32>()), (Some(&5), Some(&9), 14));
        assert!(Arc::ptr_eq(&joined.pieces[0], &a.pieces[0]), "nothing is added to it");
        assert!(!Arc::ptr_eq(&a.pieces[10], &b.pieces[10]) && Arc::ptr_eq(&joined.pieces[10], &b.pieces[10]), "equal");
        assert!(!joined.clone().grow(&b, max) && !joined.grow(&a, max));
        let moved: Vec<usize> = joined.differing(&a).filter(|(_, x, y)| x != y).map(|(i, _, _)| i).collect();
        assert_eq!(moved, [150]);
    }
}
