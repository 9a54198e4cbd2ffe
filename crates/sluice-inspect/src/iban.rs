//! Numbers of bank accounts: a country that gives them out, its length and structure, and the check digits.
//!
//! Sources: ISO 13616-1 (the number, and its check by ISO 7064 MOD 97-10), and the structures that the IBAN registry lists.

use sluice_core::found::Finder;

use crate::Tell;
use crate::digits::is_word;

/// Digits of the shortest number.
pub(crate) const DIGITS_MIN: usize = 4;
/// Characters of the longest number that any country gives out.
const CHARS_MAX: usize = 34;

/// By country what follows the check digits: how many characters, each `n`umbers, `a` letters, or `c` either.
const STRUCTURES: [(&str, &[(usize, u8)]); 40] = [
    ("AD", &[(8, b'n'), (12, b'c')]),
    ("AE", &[(19, b'n')]),
    ("AT", &[(16, b'n')]),
    ("BE", &[(12, b'n')]),
    ("BG", &[(4, b'a'), (6, b'n'), (8, b'c')]),
    ("CH", &[(5, b'n'), (12, b'c')]),
    ("CY", &[(8, b'n'), (16, b'c')]),
    ("CZ", &[(20, b'n')]),
    ("DE", &[(18, b'n')]),
    ("DK", &[(14, b'n')]),
    ("EE", &[(16, b'n')]),
    ("ES", &[(20, b'n')]),
    ("FI", &[(14, b'n')]),
    ("FO", &[(14, b'n')]),
    ("FR", &[(10, b'n'), (11, b'c'), (2, b'n')]),
    ("GB", &[(4, b'a'), (14, b'n')]),
    ("GI", &[(4, b'a'), (15, b'c')]),
    ("GL", &[(14, b'n')]),
    ("GR", &[(7, b'n'), (16, b'c')]),
    ("HR", &[(17, b'n')]),
    ("HU", &[(24, b'n')]),
    ("IE", &[(4, b'a'), (14, b'n')]),
    ("IL", &[(19, b'n')]),
    ("IS", &[(22, b'n')]),
    ("IT", &[(1, b'a'), (10, b'n'), (12, b'c')]),
    ("LI", &[(5, b'n'), (12, b'c')]),
    ("LT", &[(16, b'n')]),
    ("LU", &[(3, b'n'), (13, b'c')]),
    ("LV", &[(4, b'a'), (13, b'c')]),
    ("MC", &[(10, b'n'), (11, b'c'), (2, b'n')]),
    ("MT", &[(4, b'a'), (5, b'n'), (18, b'c')]),
    ("NL", &[(4, b'a'), (10, b'n')]),
    ("NO", &[(11, b'n')]),
    ("PL", &[(24, b'n')]),
    ("PT", &[(21, b'n')]),
    ("RO", &[(4, b'a'), (16, b'c')]),
    ("SA", &[(2, b'n'), (18, b'c')]),
    ("SE", &[(20, b'n')]),
    ("SI", &[(15, b'n')]),
    ("SK", &[(20, b'n')]),
];

pub(crate) fn look(text: &str, tell: &mut Tell<'_>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(four) = bytes.get(at..at + 4) {
        let is_head = matches!(four, [a, b, c, d] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic()
            && c.is_ascii_digit() && d.is_ascii_digit());
        let leads_in = at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|byte| is_word(*byte));
        match if is_head && !leads_in { number(bytes, at) } else { None } {
            Some((country, end)) => {
                tell(Finder::Iban, country, text.get(at..end).unwrap_or_default());
                at = end;
            }
            None => at += 1,
        }
    }
}

/// The country and the end of the number that begins at `at`, if one does.
fn number(bytes: &[u8], at: usize) -> Option<(&'static str, usize)> {
    let head = bytes.get(at..at + 2)?;
    let (country, structure) = STRUCTURES.iter().find(|(code, _)| code.as_bytes().eq_ignore_ascii_case(head))?;
    let length = 4 + structure.iter().map(|(count, _)| count).sum::<usize>();
    let (chars, end) = taken(bytes, at, length)?;
    let is_whole = bytes.get(end).is_none_or(|byte| !is_word(*byte));
    (is_whole && fits(chars.get(4..)?, structure) && check(&chars)).then_some((country, end))
}

/// So many characters in upper case, whole or in groups of four with a blank between, and where they end.
fn taken(bytes: &[u8], at: usize, length: usize) -> Option<(Vec<u8>, usize)> {
    let is_grouped = bytes.get(at + 4) == Some(&b' ');
    let mut chars = Vec::with_capacity(CHARS_MAX);
    let mut to = at;
    while chars.len() < length {
        if is_grouped && !chars.is_empty() && chars.len().is_multiple_of(4) {
            if bytes.get(to) != Some(&b' ') {
                return None;
            }
            to += 1;
        }
        chars.push(bytes.get(to).filter(|byte| byte.is_ascii_alphanumeric())?.to_ascii_uppercase());
        to += 1;
    }
    Some((chars, to))
}

fn fits(chars: &[u8], structure: &[(usize, u8)]) -> bool {
    let mut rest = chars;
    structure.iter().all(|(count, kind)| {
        let Some((part, after)) = rest.split_at_checked(*count) else { return false };
        rest = after;
        part.iter().all(|byte| match kind {
            b'n' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_uppercase(),
            _ => true,
        })
    })
}

/// The first four characters last, letters as 10 to 35: the whole is 1 modulo 97.
fn check(chars: &[u8]) -> bool {
    let (head, tail) = chars.split_at_checked(4).unwrap_or((chars, &[]));
    let rest = tail.iter().chain(head).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ibans(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        look(text, &mut |_, rule, text| found.push(format!("{rule} {text}")));
        found
    }

    /// The examples that the registry gives for its own structures.
    const EXAMPLES: [&str; 40] = [
        "AD1200012030200359100100",
        "AE070331234567890123456",
        "AT611904300234573201",
        "BE68539007547034",
        "BG80BNBG96611020345678",
        "CH9300762011623852957",
        "CY17002001280000001200527600",
        "CZ6508000000192000145399",
        "DE89370400440532013000",
        "DK5000400440116243",
        "EE382200221020145685",
        "ES9121000418450200051332",
        "FI2112345600000785",
        "FO6264600001631634",
        "FR1420041010050500013M02606",
        "GB29NWBK60161331926819",
        "GI75NWBK000000007099453",
        "GL8964710001000206",
        "GR1601101250000000012300695",
        "HR1210010051863000160",
        "HU42117730161111101800000000",
        "IE29AIBK93115212345678",
        "IL620108000000099999999",
        "IS140159260076545510730339",
        "IT60X0542811101000000123456",
        "LI21088100002324013AA",
        "LT121000011101001000",
        "LU280019400644750000",
        "LV80BANK0000435195001",
        "MC5811222000010123456789030",
        "MT84MALT011000012345MTLCAST001S",
        "NL91ABNA0417164300",
        "NO9386011117947",
        "PL61109010140000071219812874",
        "PT50000201231234567890154",
        "RO49AAAA1B31007593840000",
        "SA0380000000608010167519",
        "SE4550000000058398257466",
        "SI56263300012039086",
        "SK3112000000198742637541",
    ];

    #[test]
    fn every_country_is_found_whole_grouped_and_in_lower_case() {
        for (example, (country, _)) in EXAMPLES.iter().zip(STRUCTURES) {
            let groups: Vec<&str> = example.as_bytes().chunks(4).map(|c| std::str::from_utf8(c).unwrap()).collect();
            for text in [(*example).to_owned(), format!("to {}, now", groups.join(" ")), example.to_lowercase()] {
                assert!(ibans(&text).len() == 1 && ibans(&text)[0].starts_with(country), "{text}");
            }
        }
    }

    #[test]
    fn a_changed_character_or_another_length_is_none() {
        for text in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XDE89370400440532013000",
            "DE89370400440532013000a",
            "DE89 3704 0044 0532 013000",
            "XX89370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "ab12",
        ] {
            assert_eq!(ibans(text), [""; 0], "{text}");
        }
    }
}
