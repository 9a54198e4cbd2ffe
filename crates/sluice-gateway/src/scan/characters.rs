//! Characters that a person does not see as they are.

use std::ops::Range;

use sluice_core::text::is_unseen;

use super::Kind;

/// So many line ends, or spaces, in a row push what follows out of sight.
const LINES_FAR: usize = 12;
const SPACES_FAR: usize = 120;
/// So many characters around a mark it can be meant for.
const NEAR: usize = 3;
/// So many letters and digits without a space are no word.
const ENCODED_MIN: usize = 120;

/// Looks at each character and its neighbours.
pub(super) fn look(text: &str, put: &mut impl FnMut(Kind, Range<usize>)) {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let at = |number: usize| characters.get(number).map(|(_, c)| *c);
    let mut told: Vec<Kind> = Vec::new();
    for (number, (start, c)) in characters.iter().enumerate() {
        let before = number.checked_sub(1).and_then(at);
        let around = characters.iter().skip(number.saturating_sub(NEAR)).take(2 * NEAR + 1);
        // Beside letters that run from right to left such a mark is how they are written.
        let is_marked = matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}') && around.map(|(_, c)| *c).any(runs_left);
        let kind = kind(*c, before, at(number + 1)).filter(|_| !is_marked);
        // One of each is enough: the rest is in the same text.
        if let Some(kind) = kind.filter(|kind| !told.contains(kind)) {
            told.push(kind);
            put(kind, *start..text.len());
        }
    }
    far_away(text, put);
    for word in text.split(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '`') {
        let is_plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b));
        // Paths have short parts; what was encoded has long ones.
        let longest = word.split(['/', '-', '_']).map(str::len).max().unwrap_or_default();
        if is_plain && word.len() >= ENCODED_MIN && longest >= ENCODED_MIN / 3 {
            put(Kind::Encoded, range(text, word));
        } else if mixes(word) {
            put(Kind::MixedScript, range(text, word));
        }
    }
}

/// Where a part of a text stands in it.
pub(super) fn range(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start + part.len()
}

fn kind(c: char, before: Option<char>, after: Option<char>) -> Option<Kind> {
    match c {
        '\n' | '\r' | '\t' => None,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            Some(Kind::Bidirectional)
        }
        // Joiners belong into words of many scripts, and between pictures.
        '\u{200c}' | '\u{200d}' => {
            let is_at_home = before.is_some_and(joins) && after.is_some_and(joins);
            (!is_at_home).then_some(Kind::Invisible)
        }
        '\u{fe0e}' | '\u{fe0f}' => {
            let is_at_home = before.is_some_and(|c| !c.is_ascii_alphabetic() && !c.is_whitespace() && !is_unseen(c));
            (!is_at_home).then_some(Kind::Invisible)
        }
        '\u{2800}' => Some(Kind::Invisible),
        '\u{2028}' | '\u{2029}' => Some(Kind::Control),
        c if c.is_control() => Some(Kind::Control),
        c if is_unseen(c) => Some(Kind::Invisible),
        _ => None,
    }
}

const fn runs_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{61b}' | '\u{61d}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Whether a joiner beside it has something to join.
const fn joins(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{1fff}' | '\u{2190}'..='\u{2bff}' | '\u{fb50}'..='\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

fn far_away(text: &str, put: &mut impl FnMut(Kind, Range<usize>)) {
    let (mut lines, mut spaces) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '\n' => (lines, spaces) = (lines + 1, 0),
            c if c.is_whitespace() => spaces += 1,
            _ if lines >= LINES_FAR || spaces >= SPACES_FAR => return put(Kind::FarAway, at..text.len()),
            _ => (lines, spaces) = (0, 0),
        }
    }
}

/// Whether Latin and Cyrillic letters stand in one word.
fn mixes(word: &str) -> bool {
    let is_cyrillic = |c: char| matches!(c, '\u{400}'..='\u{52f}');
    word.split(|c: char| !c.is_alphabetic())
        .any(|part| part.chars().any(is_cyrillic) && part.chars().any(|c| c.is_ascii_alphabetic()))
}
