//! Inspection: what a reply holds, whatever its contract says of it.
//!
//! A contract names the kinds of data in a reply, and is believed. This crate looks: numbers that carry check digits (payment
//! cards, bank accounts, national ids), e-mail addresses, phone numbers in international form, coordinates, and secrets by
//! rules as data. What it finds is a hint, never a guarantee: whoever wants to hide something from it can.
//!
//! In scope: texts, numbers and keys of one JSON tree, and JSON that stands in its texts. Out of scope: what a finding means
//! (the workspace's register says which class of data it is), and what follows from it (`sluice-runtime`).

mod card;
mod coordinates;
mod digits;
mod email;
mod iban;
mod national_id;
mod phone;
mod place;
mod secret;
mod walk;

pub use place::Hit;
pub use walk::inspect;

use sluice_core::found::Finder;

/// Most different places of one reply that are told apart. What is found beyond them counts as found everywhere.
pub const PLACES_MAX: usize = 64;
/// How deep JSON that stands in a text of JSON is read.
const INNER_MAX: usize = 2;

/// What a rule found in one text: the finder, the rule's name, and the text itself.
type Tell<'t> = dyn FnMut(Finder, &'static str, &str) + 't;

/// Looks through one text. `named` is the name of the field that it stands in: some numbers are only numbers without it.
fn look(text: &str, named: &str, tell: &mut Tell<'_>) {
    let sight = Sight::of(text);
    if sight.has_at {
        email::look(text, tell);
    }
    if sight.has_plus && sight.digits >= phone::DIGITS_MIN {
        phone::look(text, tell);
    }
    if sight.digits >= card::DIGITS_MIN {
        card::look(text, tell);
    }
    if sight.digits >= iban::DIGITS_MIN && sight.letters >= 2 {
        iban::look(text, tell);
    }
    if sight.digits >= national_id::DIGITS_MIN {
        national_id::look(text, named, tell);
    }
    if sight.has_point && sight.digits >= coordinates::DIGITS_MIN {
        coordinates::look(text, tell);
    }
    if text.len() >= secret::BYTES_MIN {
        secret::look(text, tell);
    }
}

/// What one glance at a text says about what can be in it.
#[derive(Default)]
struct Sight {
    digits: usize,
    letters: usize,
    has_at: bool,
    has_plus: bool,
    has_point: bool,
}

impl Sight {
    fn of(text: &str) -> Self {
        let mut sight = Self::default();
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => sight.digits += 1,
                b'a'..=b'z' | b'A'..=b'Z' => sight.letters += 1,
                b'@' => sight.has_at = true,
                b'+' => sight.has_plus = true,
                b'.' => sight.has_point = true,
                _ => {}
            }
        }
        sight
    }
}
