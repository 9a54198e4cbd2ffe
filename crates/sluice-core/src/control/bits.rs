//! Sets of small indexes: one that grows, and closed ones without their empty ends.

/// A set that grows, and is emptied when it is taken.
pub(super) struct Bits {
    words: Vec<u64>,
    /// The words that may hold a bit.
    used: std::ops::Range<usize>,
    /// Words read and written so far: what a test holds against a bound.
    pub(super) work: u64,
}

/// A closed set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    first: usize,
    words: Box<[u64]>,
}

impl Bits {
    /// The empty set of indexes below `length`.
    pub(super) fn new(length: usize) -> Self {
        Self { words: vec![0; length.div_ceil(64)], used: 0..0, work: 0 }
    }

    /// Whether it was new.
    pub(super) fn insert(&mut self, index: u32) -> bool {
        let (at, bit) = place(index);
        self.work += 1;
        let Some(word) = self.words.get_mut(at) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        self.use_words(at, at + 1);
        new
    }

    pub(super) fn union(&mut self, row: &Row) {
        for (word, more) in self.words.iter_mut().skip(row.first).zip(&row.words) {
            *word |= more;
        }
        self.work += row.words.len() as u64;
        self.use_words(row.first, row.first + row.words.len());
    }

    /// Closes the set and starts an empty one.
    pub(super) fn take(&mut self) -> Row {
        let used = std::mem::replace(&mut self.used, 0..0);
        let first = used.start;
        let Some(words) = self.words.get_mut(used) else { return Row::default() };
        let row = Row { first, words: (&*words).into() };
        words.fill(0);
        self.work += row.words.len() as u64;
        row
    }

    fn use_words(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        self.used = if self.used.is_empty() { from..to } else { self.used.start.min(from)..self.used.end.max(to) };
    }
}

impl Row {
    pub(super) fn contains(&self, index: u32) -> bool {
        let (at, bit) = place(index);
        at.checked_sub(self.first).and_then(|at| self.words.get(at)).is_some_and(|word| word & bit != 0)
    }

    /// In ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (self.first..).zip(&self.words).flat_map(|(at, word)| {
            let base = u32::try_from(at * 64).unwrap_or(u32::MAX);
            let rests = std::iter::successors(Some(*word), |rest| Some(rest & rest.wrapping_sub(1)));
            rests.take_while(|rest| *rest != 0).map(move |rest| base + rest.trailing_zeros())
        })
    }
}

fn place(index: u32) -> (usize, u64) {
    ((index / 64) as usize, 1 << (index % 64))
}
