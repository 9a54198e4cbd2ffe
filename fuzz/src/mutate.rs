//! Seeded mutations: the same seed gives the same inputs on every machine.

/// Numbers that only look random (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.roll() % (bound as u64).max(1)) as usize
    }

    fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        items.get(self.below(items.len()))
    }

    /// A range within `len`, mostly short.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let longest = if self.below(4) == 0 { len } else { 8 };
        start..(start + self.below(longest + 1)).min(len)
    }
}

/// The longest input that mutations grow to.
pub const INPUT_BYTES_MAX: usize = 64 << 10;

/// Bytes on which readers decide.
const EDGES: [u8; 12] = [0, 1, 0x17, 0x18, 0x1b, 0x1f, 0x7f, 0x80, 0xc2, 0xff, b'\n', b' '];

/// One to eight changes to a seed.
pub fn mutate(dice: &mut Dice, seeds: &[Vec<u8>], tokens: &[&[u8]]) -> Vec<u8> {
    let mut input = dice.pick(seeds).cloned().unwrap_or_default();
    for _ in 0..1 + dice.below(8).min(dice.below(8)) {
        change(dice, &mut input, seeds, tokens);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn change(dice: &mut Dice, input: &mut Vec<u8>, seeds: &[Vec<u8>], tokens: &[&[u8]]) {
    let at = dice.below(input.len());
    match dice.below(9) {
        0 => {
            let bit = dice.below(8);
            input.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
        }
        1 => {
            let edge = dice.pick(&EDGES).copied().unwrap_or(0);
            input.get_mut(at).into_iter().for_each(|byte| *byte = edge);
        }
        2 => {
            let step = if dice.below(2) == 0 { 1 } else { u8::MAX };
            input.get_mut(at).into_iter().for_each(|byte| *byte = byte.wrapping_add(step));
        }
        3 => drop(input.drain(dice.range(input.len()))),
        4 => {
            let piece = input[dice.range(input.len())].to_vec();
            let to = dice.below(input.len() + 1);
            input.splice(to..to, piece);
        }
        5 => {
            let piece = dice.pick(tokens).map_or(&[][..], |token| token);
            let to = if dice.below(2) == 0 { at..at } else { dice.range(input.len()) };
            input.splice(to, piece.iter().copied());
        }
        6 => {
            let other = dice.pick(seeds).cloned().unwrap_or_default();
            let piece = other[dice.range(other.len())].to_vec();
            input.splice(dice.range(input.len()), piece);
        }
        7 => {
            let piece: Vec<u8> = (0..dice.below(9)).map(|_| dice.roll() as u8).collect();
            input.splice(at..at, piece);
        }
        _ => {
            let times = 1 << dice.below(12);
            let piece = input[dice.range(input.len())].repeat(times);
            input.splice(at..at, piece.into_iter().take(INPUT_BYTES_MAX));
        }
    }
}
