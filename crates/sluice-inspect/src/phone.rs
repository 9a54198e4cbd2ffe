//! Phone numbers in international form: `+`, a country, and as many digits as any country has.
//!
//! Source: ITU-T E.164 (at most 15 digits) and its list of assigned country codes. Numbers without `+` look like any others,
//! and are not looked for.

use sluice_core::found::Finder;

use crate::Tell;
use crate::digits::is_word;

/// Digits with the country's: fewer are extensions, years and sums.
pub(crate) const DIGITS_MIN: usize = 9;
const DIGITS_MAX: usize = 15;
/// Two digits with which no country's code begins.
const UNASSIGNED: [&[u8]; 3] = [b"28", b"83", b"89"];

pub(crate) fn look(text: &str, tell: &mut Tell<'_>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(plus) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'+')).map(|n| at + n) {
        at = plus + 1;
        let leads_in = plus.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(|b| is_word(*b) || *b == b'+');
        if let Some(end) = (!leads_in).then(|| number(bytes, at)).flatten() {
            tell(Finder::Phone, "e164", text.get(plus..end).unwrap_or_default());
            at = end;
        }
    }
}

/// Where the number whose first digit is at `start` ends, if it is one.
fn number(bytes: &[u8], start: usize) -> Option<usize> {
    let mut digits = Vec::new();
    let mut groups = vec![0_usize];
    let (mut at, mut end) = (start, start);
    let mut between: Vec<u8> = Vec::new();
    let mut marks: Vec<u8> = Vec::new();
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'0'..=b'9' => {
                if !between.is_empty() {
                    groups.push(0);
                    marks.append(&mut between);
                }
                digits.push(byte);
                *groups.last_mut()? += 1;
                end = at + 1;
            }
            // Two of them: `) `.
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if !digits.is_empty() && between.len() < 2 => between.push(byte),
            _ => break,
        }
        at += 1;
    }
    let goes_on = bytes.get(end).is_some_and(|byte| is_word(*byte));
    let is_length = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len());
    let is_country = digits.first() != Some(&b'0') && !UNASSIGNED.iter().any(|code| digits.starts_with(code));
    // A sum: `+1.234.567.890`. And a date or a time after a zone: groups of two.
    let is_sum =
        marks.iter().all(|mark| *mark == b'.') && groups.len() > 1 && groups.iter().skip(1).all(|digits| *digits == 3);
    (is_length && is_country && !goes_on && !is_sum).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phones(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        look(text, &mut |_, _, text| found.push(text.to_owned()));
        found
    }

    #[test]
    fn numbers_are_found_however_they_are_grouped() {
        for (text, phone) in [
            ("+14155552671", "+14155552671"),
            ("call +44 20 7946 0958, please", "+44 20 7946 0958"),
            ("tel:+49-30-901820", "+49-30-901820"),
            ("+1 (415) 555-2671.", "+1 (415) 555-2671"),
            ("(+420 601 123 456)", "+420 601 123 456"),
            ("+33.1.23.45.67.89", "+33.1.23.45.67.89"),
        ] {
            assert_eq!(phones(text), [phone], "{text}");
        }
        assert_eq!(phones("+14155552671,+442079460958").len(), 2);
    }

    #[test]
    fn what_only_has_a_plus_is_none() {
        for text in [
            "+1",
            "1+14155552671",
            "C++14155552671",
            "+12345678",
            "+1234567890123456",
            "+0123456789",
            "+8912345678",
            "2026-11-27T15:54:12+01:00",
            "+1.234.567.890",
            "+14155552671x",
            "UTC+0100",
            "+ 14155552671",
            "4155552671",
            "a+123456789",
        ] {
            assert_eq!(phones(text), [""; 0], "{text}");
        }
    }
}
