//! What the description of a tool says that it does.

use super::guess::{is_deed, words};
use super::lexicon::{List, THINGS, TOLD};

/// Longest description that is read for what it says; more of it says nothing good.
const CHARS_MAX: usize = 16_000;

/// Whether a description says of the tool that it does something: a word of change where a clause begins (`and sends`, `or
/// creates`, `it books`), or behind `is`, `are` and `be` (`is put`). A word that is also a thing is a deed where it is done to
/// something (`emails the`). What is done by a word that nobody thought of (`is programmed`) is done all the same.
pub(super) fn says_that_it_acts(description: &str) -> bool {
    if description.len() > CHARS_MAX {
        return true;
    }
    let ends_clause = |c: char| !(c.is_alphanumeric() || c == ' ' || matches!(c, '-' | '\'' | '_' | '`' | '*'));
    description.split(ends_clause).map(words).any(|clause| acts(&clause))
}

fn acts(clause: &[String]) -> bool {
    const BEFORE_DEEDS: List = List::of("also and automatically can it or that then tool which will");
    const BEFORE_DONE: List = List::of("are automatically be being gets is then");
    const SOMETHING: List = List::of("a an it its one the them this to");
    let is_done = |stem: &str, next: Option<&String>| {
        is_deed(stem) && (!THINGS.has(stem) || next.is_some_and(|next| SOMETHING.has(next)))
    };
    clause.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).and_then(|at| clause.get(at));
        let begins = before.is_none_or(|before| BEFORE_DEEDS.has(before));
        let does = || third_person(word).is_some_and(|stem| is_done(&stem, clause.get(at + 1)));
        // What is exported as a text is read as one, and a long one is cut short.
        let is_put = || {
            participle(word)
                .iter()
                .any(|stem| is_deed(stem) && !matches!(stem.as_str(), "convert" | "export" | "truncate"))
        };
        let is_done_to = before.is_some_and(|before| BEFORE_DONE.has(before)) && is_put();
        if is_done_to || is_unheard_of(clause, at) {
            return true;
        }
        begins && does()
    })
}

/// Whether something is done at this place by a word that is none of reading or telling: `a new one is programmed`, `the lock is
/// then brought in line`. What only says which things are meant does not count (`changes that are staged`), nor what may be
/// (`can be staged`).
fn is_unheard_of(clause: &[String], at: usize) -> bool {
    const DONE: List = List::of("are gets is");
    const AFTER: List = List::of("also automatically being now then");
    const ASKED: List = List::of("how if what when where whether whose");
    const MEANT: List = List::of("as that which who");
    if !clause.get(at).is_some_and(|word| is_participle(word) && !TOLD.has(word)) {
        return false;
    }
    let word_before = |at: usize| at.checked_sub(1).and_then(|at| clause.get(at).map(|word| (at, word)));
    let between = |word: &str| AFTER.has(word) || word.ends_with("ly");
    let done =
        word_before(at).and_then(|(at, before)| if between(before) { word_before(at) } else { Some((at, before)) });
    let Some((at, _)) = done.filter(|(_, done)| DONE.has(done)) else { return false };
    let is_asked = clause.iter().take(at).any(|word| ASKED.has(word));
    !is_asked && word_before(at).is_none_or(|(_, subject)| !MEANT.has(subject))
}

fn is_participle(word: &str) -> bool {
    const IRREGULAR: List = List::of(
        "bound brought built cut drawn driven fed frozen laid lent let moved put run sent set shut spent struck sunk taken \
         thrown torn wiped withdrawn woken written wound",
    );
    word.len() > 4 && word.ends_with("ed") || IRREGULAR.has(word)
}

/// `sends`, `pushes`, `notifies` without their ending.
fn third_person(word: &str) -> Option<String> {
    let stem = word.strip_suffix('s')?;
    match (stem.strip_suffix("ie"), stem.strip_suffix('e')) {
        (Some(stem), _) => Some(format!("{stem}y")),
        (None, Some(short)) if ["sh", "ch", "ss", "x"].iter().any(|end| short.ends_with(end)) => Some(short.to_owned()),
        _ => Some(stem.to_owned()),
    }
}

/// What a word may be the participle of: `sent`, `posted`, `created`, `dropped`, `notified`.
fn participle(word: &str) -> Vec<String> {
    const IRREGULAR: [(&str, &str); 10] = [
        ("sent", "send"),
        ("put", "put"),
        ("set", "set"),
        ("paid", "pay"),
        ("bought", "buy"),
        ("sold", "sell"),
        ("written", "write"),
        ("made", "make"),
        ("told", "notify"),
        ("withdrawn", "withdraw"),
    ];
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return vec![(*stem).to_owned()];
    }
    let Some(stem) = word.strip_suffix("ed") else { return Vec::new() };
    let mut stems = vec![stem.to_owned(), format!("{stem}e")];
    stems.extend(stem.strip_suffix('i').map(|stem| format!("{stem}y")));
    let mut letters = stem.chars().rev();
    if letters.next() == letters.next() {
        stems.extend(stem.char_indices().next_back().map(|(last, _)| stem.split_at(last).0.to_owned()));
    }
    stems
}

/// Whether a description says of something that it is done: `creates`, `posted to`. A word that is also a thing counts
/// where it is no thing.
pub(super) fn speaks_of_change(description: &str) -> bool {
    words(description).iter().any(|word| {
        let ended = ["ed", "d", "es", "s", "ped", "ted"].iter().filter_map(|end| word.strip_suffix(end));
        is_deed(word) && !THINGS.has(word) || ended.filter(|stem| !THINGS.has(stem) || word.ends_with('d')).any(is_deed)
    })
}
