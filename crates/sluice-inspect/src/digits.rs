//! Check digits, and where numbers begin and end in a text.

/// Whether the last digit is that of Luhn's algorithm (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let place = |(at, digit): (usize, &u8)| u32::from(if at % 2 == 1 { doubled(*digit) } else { *digit });
    !digits.is_empty() && digits.iter().rev().enumerate().map(place).sum::<u32>() % 10 == 0
}

/// The sum of digits times weights, in order.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// The digits of a text, whatever stands between them.
pub(crate) fn digits_of(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect()
}

/// A number as a whole; it saturates.
pub(crate) fn value_of(digits: &[u8]) -> u64 {
    digits.iter().fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(*digit)))
}

/// Whether a byte can be part of a word: next to it no number begins or ends.
pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Whether something that begins at `at` may be a whole: no word, decimal point or hyphen leads into it.
pub(crate) fn begins(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied();
    let further = at.checked_sub(2).and_then(|before| bytes.get(before)).copied();
    match before {
        None => true,
        Some(byte) if is_word(byte) => false,
        Some(b'.' | b'-' | b'/') => further.is_none_or(|byte| !is_word(byte)),
        Some(_) => true,
    }
}

/// The same of what ends before `at`.
pub(crate) fn ends(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at).copied() {
        None => true,
        Some(byte) if is_word(byte) => false,
        Some(b'.' | b'-' | b'/') => bytes.get(at + 1).is_none_or(|byte| !is_word(*byte)),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_digit_breaks_the_check() {
        let good = digits_of("4111 1111 1111 1111");
        assert!(luhn(&good) && !luhn(&[]));
        for at in 0..good.len() {
            let mut other = good.clone();
            other[at] = (other[at] + 1) % 10;
            assert!(!luhn(&other), "{at}");
        }
    }

    #[test]
    fn a_number_is_no_part_of_a_word_or_of_another_number() {
        for (text, is_whole) in
            [("7", true), ("(7)", true), ("a7", false), ("1.7", false), (" .7", true), ("é7", false), ("3,7", true)]
        {
            let at = text.find('7').unwrap();
            assert_eq!(begins(text.as_bytes(), at), is_whole, "{text}");
        }
        for (text, is_whole) in [("7.", true), ("7.5", false), ("7-a", false), ("7 -a", true), ("7x", false)] {
            assert_eq!(ends(text.as_bytes(), 1), is_whole, "{text}");
        }
    }
}
