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
    // A line may end in the middle of a sentence, or end one.
    let in_lines = description.split(ends_clause);
    let flowing = description.replace('\n', " ");
    in_lines.chain(flowing.split(ends_clause)).map(words).any(|clause| acts(&clause))
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
        let next = clause.get(at + 1);
        let does = || third_person(word).is_some_and(|stem| is_done(&stem, next));
        // `and mark it`, `, creating one if there is none`
        let is_told_to = before.is_none_or(|before| matches!(before.as_str(), "and" | "also"));
        let is_bid = || {
            let stems = [word.clone()].into_iter().chain(gerund(word));
            next.is_some_and(|next| SOMETHING.has(next)) && stems.into_iter().any(|stem| is_deed(&stem))
        };
        let is_put = || participle(word).iter().any(|stem| is_deed(stem) && !is_of_text(stem, next));
        let is_done_to = before.is_some_and(|before| BEFORE_DONE.has(before)) && is_put();
        if is_done_to || is_told_to && is_bid() || is_unheard_of(clause, at) {
            return true;
        }
        begins && does()
    })
}

/// What is done to a text that is read, not to what it tells of: it is exported as another, cut short, sorted, or ordered by a field.
fn is_of_text(stem: &str, next: Option<&String>) -> bool {
    matches!(stem, "convert" | "export" | "truncate" | "sort")
        || stem == "order" && next.is_some_and(|next| next == "by")
}

/// What a word may be the gerund of: `creating`, `putting`.
fn gerund(word: &str) -> Vec<String> {
    let Some(stem) = word.strip_suffix("ing") else { return Vec::new() };
    let mut stems = vec![stem.to_owned(), format!("{stem}e")];
    stems.extend(undoubled(stem));
    stems
}

/// `drop` of `dropp`.
fn undoubled(stem: &str) -> Option<String> {
    let mut letters = stem.chars().rev();
    let is_doubled = letters.next() == letters.next();
    stem.char_indices().next_back().filter(|_| is_doubled).map(|(last, _)| stem.split_at(last).0.to_owned())
}

/// Whether something is done at this place by a word that is none of reading or telling: `a new one is programmed`, `the lock is
/// then brought in line`. What only says which things are meant does not count (`changes that are staged`), nor what may be
/// (`can be staged`).
fn is_unheard_of(clause: &[String], at: usize) -> bool {
    const DONE: List = List::of("are gets is");
    const WILL: List = List::of("shall will");
    const AFTER: List = List::of("all also auto automatically being first instead now re then");
    const ASKED: List = List::of("how if what when where whether whose");
    const VERBS: List = List::of("are exist exists has have is was");
    const MEANT: List = List::of("as that which who");
    const BETWEEN_MAX: usize = 3;
    if !clause.get(at).is_some_and(|word| is_participle(word) && !TOLD.has(word)) {
        return false;
    }
    let before = |at: usize| clause.get(..at).and_then(<[String]>::last);
    let is_between = |word: &&String| AFTER.has(word) || word.ends_with("ly");
    let between = clause.get(..at).unwrap_or_default().iter().rev().take(BETWEEN_MAX).take_while(is_between).count();
    let done = at - between;
    let is_done = before(done)
        .is_some_and(|word| DONE.has(word) || word == "be" && before(done - 1).is_some_and(|before| WILL.has(before)));
    let subject = clause.get(..done.saturating_sub(1)).unwrap_or_default();
    // `if there is none a new one is programmed`: the condition has its verb already.
    let asked = subject.iter().rposition(|word| ASKED.has(word));
    let is_asked = asked.is_some_and(|asked| !subject.iter().skip(asked + 1).any(|word| VERBS.has(word)));
    let is_meant = subject.len() > 1 && subject.last().is_some_and(|word| MEANT.has(word));
    is_done && !is_asked && !is_meant
}

fn is_participle(word: &str) -> bool {
    const IRREGULAR: List = List::of(
        "begun bid bound bought broken brought cast drawn driven fed frozen given hidden laid lent let made moved overridden \
         overwritten paid put rebuilt repaid rerun resent reset rewritten run sent set shut sold spent struck sunk taken \
         thrown torn undone wiped withdrawn withheld woken wound written",
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
    stems.extend(undoubled(stem));
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
