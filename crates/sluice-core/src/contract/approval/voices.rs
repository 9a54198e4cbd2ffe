//! How many different voices spoke, where some speak in the place of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::label::Name;

/// Who spoke, and with whose voice: their own, or that of somebody who delegated to them.
pub(super) type Spoken<'a> = (&'a Name, &'a Name);

/// Whether so many people can be found among those who spoke that each of them differs from the others, and so does each
/// voice: neither speaks anybody twice, nor is anybody spoken for twice.
///
/// That is a matching between speakers and voices. One that is not yet as large as it can be has an augmenting path (Berge),
/// so those are looked for until there are `wanted`.
pub(super) fn are_distinct(spoken: BTreeSet<Spoken<'_>>, wanted: usize) -> bool {
    let mut voices_of: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
    for (speaker, voice) in spoken {
        voices_of.entry(speaker).or_default().push(voice);
    }
    let mut taken: BTreeMap<&Name, &Name> = BTreeMap::new();
    for speaker in voices_of.keys() {
        if taken.len() >= wanted {
            break;
        }
        augment(speaker, &voices_of, &mut taken, &mut BTreeSet::new());
    }
    taken.len() >= wanted
}

/// Finds a voice for a speaker, if need be by finding another one for whoever has it. As deep as a quorum is large.
fn augment<'a>(
    speaker: &'a Name,
    voices_of: &BTreeMap<&'a Name, Vec<&'a Name>>,
    taken: &mut BTreeMap<&'a Name, &'a Name>,
    tried: &mut BTreeSet<&'a Name>,
) -> bool {
    for voice in voices_of.get(speaker).into_iter().flatten() {
        if !tried.insert(voice) {
            continue;
        }
        let is_free = match taken.get(voice).copied() {
            None => true,
            Some(other) => augment(other, voices_of, taken, tried),
        };
        if is_free {
            taken.insert(voice, speaker);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The largest number of pairs of which no two share a speaker or a voice, by trying all.
    fn most(pairs: &[(u8, u8)]) -> usize {
        let Some(((speaker, voice), rest)) = pairs.split_first() else { return 0 };
        let without: Vec<_> = rest.iter().copied().filter(|(s, v)| s != speaker && v != voice).collect();
        most(rest).max(1 + most(&without))
    }

    proptest! {
        #[test]
        fn as_many_are_found_as_there_are(pairs in prop::collection::vec((0_u8..6, 0_u8..6), 0..9), wanted in 0_usize..6) {
            let names: Vec<(Name, Name)> =
                pairs.iter().map(|(s, v)| (s.to_string().into(), v.to_string().into())).collect();
            let spoken = names.iter().map(|(s, v)| (s, v)).collect();
            prop_assert_eq!(are_distinct(spoken, wanted), most(&pairs) >= wanted);
        }
    }
}
