//! Numbers under which states know people, of those that carry a check digit.
//!
//! Where shape and check alone would be met by chance, a number counts only where its field or the words right before it name
//! it. Sources: Decreto ministeriale 23/12/1976 (codice fiscale); INSEE (NIR); Receita Federal (CPF); Skatteverket SKV 704
//! (personnummer); Orden INT/2058/2008 (DNI); Ministry of Digital Affairs of Poland (PESEL); RvIG (BSN); NHS Data Dictionary;
//! UIDAI and J. Verhoeff 1969 (Aadhaar); BZSt and ISO 7064 MOD 11,10 (steuerliche Identifikationsnummer).

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use sluice_core::found::Finder;

use crate::Tell;
use crate::digits::{begins, digits_of, ends, luhn, value_of, weighted};

/// Digits of the one with the fewest.
pub(crate) const DIGITS_MIN: usize = 7;
/// How far before a number the word that names it may stand.
const NAMED_WITHIN: usize = 40;
/// A name longer than this may go on: `steuerliche`.
const LONG: usize = 4;

/// One kind of number.
struct Rule {
    name: &'static str,
    shape: &'static str,
    /// One of these names it, in lower case; none, if it needs no name.
    named: &'static [&'static str],
    check: fn(&str) -> bool,
    compiled: OnceLock<Option<Regex>>,
}

const fn rule(
    name: &'static str,
    shape: &'static str,
    named: &'static [&'static str],
    check: fn(&str) -> bool,
) -> Rule {
    Rule { name, shape, named, check, compiled: OnceLock::new() }
}

static RULES: [Rule; 11] = [
    rule("it-codice-fiscale", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", &[], codice_fiscale),
    rule("fr-nir", r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", &[], nir),
    rule("br-cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", &[], cpf),
    rule("br-cpf", r"\d{11}", &["cpf"], cpf),
    rule("se-personnummer", r"(?:\d\d)?\d{6}[-+]\d{4}", &[], personnummer),
    rule("es-dni", r"(?:\d{8}|[XYZ]\d{7})-?[A-Z]", &["dni", "nif", "nie"], dni),
    rule("pl-pesel", r"\d{11}", &["pesel"], pesel),
    rule("nl-bsn", r"\d{9}", &["bsn", "burgerservicenummer"], bsn),
    rule("uk-nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", &["nhs"], nhs),
    rule("in-aadhaar", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", &["aadhaar", "aadhar"], |text| verhoeff(&digits_of(text))),
    rule("de-idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", &["steuer", "idnr", "tax_id", "taxid"], idnr),
];

pub(crate) fn look(text: &str, named: &str, tell: &mut Tell<'_>) {
    for rule in &RULES {
        rule.look(text, named, tell);
    }
}

impl Rule {
    fn look(&self, text: &str, named: &str, tell: &mut Tell<'_>) {
        let Some(shape) = self.compiled.get_or_init(|| compiled(self.shape)) else { return };
        let is_named = self.named.is_empty() || self.names(named.as_bytes());
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(found) = shape.find_at(bytes, at) {
            let before = bytes.get(found.start().saturating_sub(NAMED_WITHIN)..found.start()).unwrap_or_default();
            let is_whole = begins(bytes, found.start()) && ends(bytes, found.end());
            let it = text.get(found.range()).filter(|_| is_whole && (is_named || self.names(before)));
            match it.filter(|it| (self.check)(it)) {
                Some(it) => {
                    tell(Finder::NationalId, self.name, it);
                    at = found.end();
                }
                // What begins inside of it may be one.
                None => at = found.start() + 1,
            }
        }
    }

    /// Whether one of its names stands there, and no longer word that begins so: `customer_bsn`, `NHS number`, not `niece`.
    fn names(&self, bytes: &[u8]) -> bool {
        let stands = |name: &&str| {
            let is_it = |(at, window): (usize, &[u8])| {
                let goes_on = bytes.get(at + name.len()).is_some_and(u8::is_ascii_lowercase);
                window.eq_ignore_ascii_case(name.as_bytes()) && (!goes_on || name.len() > LONG)
            };
            bytes.windows(name.len()).enumerate().any(is_it)
        };
        self.named.iter().any(stands)
    }
}

fn compiled(shape: &str) -> Option<Regex> {
    RegexBuilder::new(&format!(r"\b(?:{shape})\b")).unicode(false).build().ok()
}

fn codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let place = |byte: u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte.saturating_sub(b'A') });
    let value = |(at, byte): (usize, u8)| match at % 2 {
        0 => ODD.get(place(byte)).copied().unwrap_or_default(),
        _ => u32::try_from(place(byte)).unwrap_or_default(),
    };
    let sum: u32 = text.bytes().take(15).enumerate().map(value).sum();
    text.as_bytes().get(15).is_some_and(|last| u32::from(last.saturating_sub(b'A')) == sum % 26)
}

/// The key is 97 less the rest of the number; Corsica's departments count as 19 and 18.
fn nir(text: &str) -> bool {
    let plain: String = text.split(' ').collect();
    let plain = plain.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let digits = digits_of(&plain);
    let (number, key) = digits.split_at_checked(13).unwrap_or_default();
    digits.len() == 15 && 97 - value_of(number) % 97 == value_of(key)
}

fn cpf(text: &str) -> bool {
    let digits = digits_of(text);
    let check = |weights: &[u32]| match weighted(&digits, weights) * 10 % 11 {
        10 => 0,
        rest => rest,
    };
    let is_one = |at: usize, weights: &[u32]| digits.get(at).is_some_and(|digit| u32::from(*digit) == check(weights));
    digits.iter().any(|digit| Some(digit) != digits.first())
        && is_one(9, &[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && is_one(10, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn personnummer(text: &str) -> bool {
    let digits = digits_of(text);
    let last = digits.get(digits.len().saturating_sub(10)..).unwrap_or_default();
    is_day(last.get(2..6)) && luhn(last)
}

/// A month and a day of it.
fn is_day(digits: Option<&[u8]>) -> bool {
    let (month, day) = digits.and_then(|digits| digits.split_at_checked(2)).unwrap_or_default();
    (1..=12).contains(&value_of(month)) && (1..=31).contains(&value_of(day))
}

fn dni(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let digits = digits_of(text);
    // A foreigner's begins with a letter that counts as a digit.
    let first = match text.as_bytes().first() {
        Some(b'Y') => 10_000_000,
        Some(b'Z') => 20_000_000,
        _ => 0,
    };
    let letter = usize::try_from((first + value_of(&digits)) % 23).ok().and_then(|at| LETTERS.get(at));
    text.as_bytes().last() == letter
}

fn pesel(text: &str) -> bool {
    let digits = digits_of(text);
    // The month tells the century too: 20 is added for each after the twentieth.
    let month = value_of(digits.get(2..4).unwrap_or_default()) % 20;
    let day = value_of(digits.get(4..6).unwrap_or_default());
    let check = (10 - weighted(&digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    (1..=12).contains(&month) && (1..=31).contains(&day) && digits.last().is_some_and(|last| u32::from(*last) == check)
}

fn bsn(text: &str) -> bool {
    let digits = digits_of(text);
    let last = digits.last().copied().map_or(0, u32::from);
    let sum = weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum != 0 && sum % 11 == last % 11
}

fn nhs(text: &str) -> bool {
    let digits = digits_of(text);
    let check = 11 - weighted(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check != 10 && digits.last().is_some_and(|last| u32::from(*last) == check % 11)
}

/// J. Verhoeff's check: the dihedral group of the pentagon, and one permutation applied once more at each place.
fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTATION: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8, times: usize| {
        (0..times % 8).fold(digit, |digit, _| PERMUTATION.get(usize::from(digit)).copied().unwrap_or_default())
    };
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + (b - 5)) % 5,
        (false, true) => 5 + ((a - 5) + 5 - b) % 5,
        (false, false) => (5 + (a - 5) - (b - 5)) % 5,
    };
    digits.iter().rev().enumerate().fold(0, |sum, (at, digit)| product(sum, permuted(*digit, at))) == 0
}

/// One digit of the first ten stands there twice or three times, and the check is that of ISO 7064 MOD 11,10.
fn idnr(text: &str) -> bool {
    let digits = digits_of(text);
    let Some((last, number)) = digits.split_last() else { return false };
    let most = (0..10).map(|digit| number.iter().filter(|other| **other == digit).count()).max();
    let product = number.iter().fold(10_u32, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    number.first() != Some(&0) && matches!(most, Some(2 | 3)) && (11 - product) % 10 == u32::from(*last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str, named: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        look(text, named, &mut |_, rule, _| found.push(rule));
        found
    }

    #[test]
    fn every_shape_compiles() {
        assert!(RULES.iter().all(|rule| compiled(rule.shape).is_some()));
    }

    /// As their issuers, or pages about them, give them as examples.
    const EXAMPLES: [(&str, &str, &str); 13] = [
        ("it-codice-fiscale", "RSSMRA85T10A562S", ""),
        ("fr-nir", "2 55 08 14 168 025 38", ""),
        ("fr-nir", "255081416802538", ""),
        ("br-cpf", "111.444.777-35", ""),
        ("br-cpf", "11144477735", "cpf"),
        ("se-personnummer", "811218-9876", ""),
        ("es-dni", "12345678Z", "dni"),
        ("es-dni", "X1234567L", "NIE"),
        ("pl-pesel", "02070803628", "pesel"),
        ("nl-bsn", "111222333", "bsn"),
        ("uk-nhs", "943 476 5919", "nhs"),
        ("in-aadhaar", "2341 2341 2346", "aadhaar"),
        ("de-idnr", "86095742719", "steuer_id"),
    ];

    #[test]
    fn each_is_found_by_its_check_where_it_is_named_if_it_must_be() {
        for (rule, example, named) in EXAMPLES {
            assert!(ids(example, named).contains(&rule), "{rule} {example}");
            let text = format!("the {named}: {example}, as told");
            assert!(ids(&text, "").contains(&rule), "{text}");
            if !named.is_empty() {
                assert!(!ids(example, "order").contains(&rule), "{example} without a name");
            }
            let at = example.rfind(|c: char| c.is_ascii_digit()).unwrap();
            let mut other = example.to_owned();
            let digit = (u32::from(example.as_bytes()[at] - b'0') + 1) % 10;
            other.replace_range(at..=at, &digit.to_string());
            assert!(!ids(&other, named).contains(&rule), "{rule} {other}");
            assert!(!ids(&format!("7{example}"), named).contains(&rule), "{rule} 7{example}");
        }
    }

    #[test]
    fn a_name_is_no_part_of_another_word() {
        for named in ["customer_bsn", "BSN", "bsn_number", "burgerservicenummer"] {
            assert_eq!(ids("111222333", named), ["nl-bsn"], "{named}");
        }
        assert_eq!(ids("111222333", "bsnx"), [""; 0]);
        assert_eq!(ids("111.111.111-11", "cpf"), [""; 0], "all the same");
    }
}
