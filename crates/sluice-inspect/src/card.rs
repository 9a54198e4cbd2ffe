//! Numbers of payment cards: the issuer's range, a length that it gives out, and the check digit.
//!
//! Sources: ISO/IEC 7812-1 (the number and its check digit); the ranges as the schemes publish them.

use sluice_core::found::Finder;

use crate::Tell;
use crate::digits::{begins, ends, luhn, value_of};

/// Digits of the shortest number.
pub(crate) const DIGITS_MIN: usize = 14;
/// And of the longest.
const DIGITS_MAX: usize = 19;

/// A scheme: the first four digits from and to, and how many digits there are.
const SCHEMES: [(&str, u64, u64, &[usize]); 12] = [
    ("visa", 4000, 4999, &[16, 19]),
    ("mastercard", 5100, 5599, &[16]),
    ("mastercard", 2221, 2720, &[16]),
    ("amex", 3400, 3499, &[15]),
    ("amex", 3700, 3799, &[15]),
    ("diners", 3000, 3059, &[14]),
    ("diners", 3600, 3699, &[14]),
    ("diners", 3800, 3999, &[14]),
    ("discover", 6011, 6011, &[16]),
    ("discover", 6440, 6599, &[16]),
    ("jcb", 3528, 3589, &[16]),
    ("unionpay", 6200, 6299, &[16, 17, 18, 19]),
];

/// How people group the digits.
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3]];

pub(crate) fn look(text: &str, tell: &mut Tell<'_>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)).map(|n| at + n) {
        let groups = chain(bytes, start);
        let end = groups.last().map_or(start + 1, |group| group.1);
        of_chain(text, &groups, tell);
        at = end;
    }
}

/// Groups of digits from `start` on, as far as single blanks or single hyphens of one kind join them.
fn chain(bytes: &[u8], start: usize) -> Vec<(usize, usize)> {
    let mut groups = Vec::new();
    let mut joint = None;
    let mut from = start;
    loop {
        let mut to = from;
        while bytes.get(to).is_some_and(u8::is_ascii_digit) {
            to += 1;
        }
        groups.push((from, to));
        let between = bytes.get(to).copied().filter(|byte| matches!(byte, b' ' | b'-'));
        let goes_on = between.is_some() && joint.is_none_or(|joint| Some(joint) == between);
        if !goes_on || !bytes.get(to + 1).is_some_and(u8::is_ascii_digit) {
            return groups;
        }
        joint = between;
        from = to + 1;
    }
}

/// Blanks may stand between a card's number and another one; hyphens hold one number together.
fn of_chain(text: &str, groups: &[(usize, usize)], tell: &mut Tell<'_>) {
    let is_hyphened = groups.first().is_some_and(|first| text.as_bytes().get(first.1) == Some(&b'-'));
    let mut skip = 0;
    for at in 0..groups.len() {
        if at < skip {
            continue;
        }
        let rest = groups.get(at..).unwrap_or_default();
        let is_whole = |count: usize| {
            let is_alone = count == groups.len();
            let begins = at > 0 || rest.first().is_some_and(|first| begins(text.as_bytes(), first.0));
            let ends = at + count < groups.len() || rest.last().is_some_and(|last| ends(text.as_bytes(), last.1));
            begins && ends && (is_alone || !is_hyphened)
        };
        if let Some((scheme, count)) = found(text, rest).filter(|(_, count)| is_whole(*count)) {
            let whole = rest.first().zip(rest.get(count - 1)).and_then(|(first, last)| text.get(first.0..last.1));
            tell(Finder::Card, scheme, whole.unwrap_or_default());
            skip = at + count;
        }
    }
}

/// The scheme whose number these groups begin with, and how many of them it takes.
fn found(text: &str, groups: &[(usize, usize)]) -> Option<(&'static str, usize)> {
    let lengths: Vec<usize> = groups.iter().map(|(from, to)| to - from).take(5).collect();
    let one = lengths.first().filter(|length| (DIGITS_MIN..=DIGITS_MAX).contains(*length)).map(|_| 1);
    let several = GROUPS.iter().rev().filter(|group| lengths.starts_with(group)).map(|group| group.len());
    let digits = |count: usize| -> Vec<u8> {
        let all = groups.iter().take(count).filter_map(|(from, to)| text.as_bytes().get(*from..*to));
        all.flatten().map(|byte| byte - b'0').collect()
    };
    one.into_iter().chain(several).find_map(|count| Some((scheme(&digits(count))?, count)))
}

fn scheme(digits: &[u8]) -> Option<&'static str> {
    let first = value_of(digits.get(..4)?);
    let fits = |(_, from, to, lengths): &&(&str, u64, u64, &[usize])| {
        (*from..=*to).contains(&first) && lengths.contains(&digits.len())
    };
    let (name, ..) = SCHEMES.iter().find(fits)?;
    luhn(digits).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cards(text: &str) -> Vec<String> {
        let mut cards = Vec::new();
        look(text, &mut |finder, rule, found| cards.push(format!("{finder}/{rule} {found}")));
        cards
    }

    #[test]
    fn a_card_is_found_however_it_is_grouped() {
        for (text, card) in [
            ("4111111111111111", "visa"),
            ("pays with 4111 1111 1111 1111 05/27", "visa"),
            ("id,card\n7,5555555555554444,Bo", "mastercard"),
            ("(2223-0031-2200-3222)", "mastercard"),
            ("card:378282246310005.", "amex"),
            ("3782 822463 10005", "amex"),
            ("30569309025904", "diners"),
            ("6011111111111117", "discover"),
            ("3530111333300000", "jcb"),
            ("12 4111 1111 1111 1111", "visa"),
        ] {
            assert!(cards(text).len() == 1 && cards(text)[0].starts_with(&format!("card/{card} ")), "{text}");
        }
        assert_eq!(cards("4111111111111111 5555555555554444").len(), 2);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "4111111111111112",
            "4111-1111-1111-1111-2222",
            "order-4111111111111111",
            "x4111111111111111",
            "4111111111111111.5",
            "1.4111111111111111",
            "41111111111111111",
            "9999999999999995",
            "0000000000000000",
            "2026-11-27 15:54:12.123456",
            "1732723200000",
            "4111111-1111-1111-11111111",
            "550e8400-e29b-41d4-a716-446655440000",
            "4111  1111  1111  1111",
        ] {
            assert_eq!(cards(text), [""; 0], "{text}");
        }
    }
}
