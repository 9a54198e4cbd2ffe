//! A value that waits for a person's word: `release` and `endorse` with an entry that vouches for nothing in advance.

use crate::label::{Label, Name};
use crate::program::Builtin;
use crate::transfer::state::Moves;
use crate::value::Value;

/// A value on which a person must look before it may lose a label.
///
/// Nobody knows before the run what they will say, so a prediction goes on with [`Vouching::predicted`]: the labels stay.
/// A run goes on with `vouched` or `unchanged`, as its gate was told; it never says so to itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Vouching {
    /// `release` or `endorse`.
    pub function: Builtin,
    /// The entry of the releases register.
    pub entry: Name,
    /// The person or group who vouches.
    pub by: Name,
    /// The atoms that go if they do.
    pub clears: Label,
    /// `Allow(D, ℓ, pc)` on the labels before the step. If not, no word of theirs changes anything.
    pub is_allowed: bool,
    /// Whether the value has any of those atoms. If not, there is nothing to ask.
    pub is_needed: bool,
    /// The value as it is given, with its labels.
    pub value: Value,
    /// `pc`, and what chose the entry.
    pub control: Label,
    /// What it tells that a timeout came before the word.
    pub told: Label,
    /// On with the value, without the cleared atoms.
    pub vouched: Moves,
    /// On with the value as it was.
    pub unchanged: Moves,
    pub(super) late: Moves,
    pub(super) failing: Moves,
}

impl Vouching {
    /// Everything that may happen here, as far as it is known before the run.
    #[must_use]
    pub fn predicted(self) -> Moves {
        self.unchanged.and(self.late).and(self.failing)
    }
}
