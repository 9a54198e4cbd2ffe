//! Canonical bytes: one way to write each thing that is signed or hashed.
//!
//! Every item starts with a tag byte, numbers are eight bytes big-endian, and everything of variable
//! length is preceded by its length, so no two different sequences of items give the same bytes. A text
//! that names the format stands first: bytes made for one purpose never pass for another. The format
//! and its test vectors are published in `docs/closure-digest.md`; it is permanent per domain text.

use sha2::{Digest as _, Sha256};

use crate::contract::digest::Digest;
use crate::label::Universe;
use crate::value::{Data, Value};

/// Tag of a byte string: length, bytes.
const BYTES: u8 = 1;
/// Tag of a UTF-8 text: length, bytes.
const TEXT: u8 = 2;
/// Tag of a number: eight bytes.
const NUMBER: u8 = 3;
/// Tag of a list: count; the items follow.
const LIST: u8 = 4;
/// Tag of something that is not there.
const ABSENT: u8 = 5;
/// Tag before an optional thing that is there.
const PRESENT: u8 = 6;

/// Writes canonical bytes.
#[derive(Debug)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Starts with the text that names the format.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut encoder = Self(Vec::new());
        encoder.text(domain);
        encoder
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.tagged(BYTES, bytes)
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.tagged(TEXT, text.as_bytes())
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.push(NUMBER);
        self.0.extend(number.to_be_bytes());
        self
    }

    /// A list of `count` items; the caller writes them next.
    pub fn list(&mut self, count: usize) -> &mut Self {
        self.0.push(LIST);
        self.0.extend((count as u64).to_be_bytes());
        self
    }

    /// An optional thing: `write` writes it if it is there.
    pub fn optional<T>(&mut self, item: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        match item {
            None => self.0.push(ABSENT),
            Some(item) => {
                self.0.push(PRESENT);
                write(self, item);
            }
        }
        self
    }

    /// A list of texts, in the order given.
    pub fn texts<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a str>) -> &mut Self {
        self.list(texts.len());
        for text in texts {
            self.text(text);
        }
        self
    }

    /// All of it.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// The SHA-256 of all of it.
    #[must_use]
    pub fn digest(self) -> Digest {
        Digest(Sha256::digest(&self.0).into())
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) -> &mut Self {
        self.0.push(tag);
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend(bytes);
        self
    }
}

/// Reads what [`Encoder`] wrote. Every method gives `None` where the bytes say something else.
#[derive(Debug)]
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Starts; the bytes must name this format.
    #[must_use]
    pub fn new(domain: &str, bytes: &'a [u8]) -> Option<Self> {
        let mut decoder = Self(bytes);
        (decoder.text()? == domain).then_some(decoder)
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        self.tagged(BYTES)
    }

    /// A byte string of exactly this length.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.tagged(TEXT)?).ok()
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        self.expect_tag(NUMBER)?;
        self.eight()
    }

    /// An optional thing: `Some(None)` if it is written as absent.
    pub fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.tag()? {
            ABSENT => Some(None),
            PRESENT => read(self).map(Some),
            _ => None,
        }
    }

    /// Checks that nothing is left.
    #[must_use]
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn tag(&mut self) -> Option<u8> {
        let (tag, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*tag)
    }

    fn expect_tag(&mut self, wanted: u8) -> Option<()> {
        (self.tag()? == wanted).then_some(())
    }

    fn eight(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn tagged(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.expect_tag(tag)?;
        let length = usize::try_from(self.eight()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// A labelled value as canonical bytes: every node's data and its atoms by name, sorted; object keys sorted.
///
/// `None` if a part is unknown: only what is resolved can be approved.
#[must_use]
pub fn labelled_value(value: &Value, universe: &Universe) -> Option<Vec<u8>> {
    let mut encoder = Encoder::new("sluice labelled value 1");
    write_value(&mut encoder, value, universe)?;
    Some(encoder.finish())
}

fn write_value(out: &mut Encoder, value: &Value, universe: &Universe) -> Option<()> {
    let labels = universe.names(value.label);
    out.texts(labels.iter().map(String::as_str));
    match &value.data {
        Data::Null => _ = out.text("null"),
        Data::Bool(b) => _ = out.text(if *b { "true" } else { "false" }),
        Data::Int(i) => _ = out.text("int").bytes(&i.to_be_bytes()),
        Data::Float(f) => _ = out.text("float").bytes(&f.to_bits().to_be_bytes()),
        Data::Text(t) => _ = out.text("text").text(t),
        Data::Array(items) => {
            out.text("array").list(items.len());
            for item in items.iter() {
                write_value(out, item, universe)?;
            }
        }
        Data::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.text("object").list(sorted.len());
            for (key, item) in sorted {
                out.text(key);
                write_value(out, item, universe)?;
            }
        }
        Data::Unknown(_) => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::label::{Atom, Label};

    proptest! {
        #[test]
        fn what_was_written_is_read(text in ".*", bytes: Vec<u8>, number: u64, there: bool) {
            let mut out = Encoder::new("d");
            out.text(&text).bytes(&bytes).number(number).optional(there.then_some(7), |o, n| _ = o.number(n));
            let written = out.finish();
            let mut input = Decoder::new("d", &written).unwrap();
            prop_assert_eq!(input.text(), Some(text.as_str()));
            prop_assert_eq!(input.bytes(), Some(bytes.as_slice()));
            prop_assert_eq!(input.number(), Some(number));
            prop_assert_eq!(input.optional(Decoder::number), Some(there.then_some(7)));
            prop_assert!(input.end().is_some());
            prop_assert!(Decoder::new("e", &written).is_none());
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
            let mut input = Decoder(&bytes);
            while input.bytes().is_some() || input.text().is_some() || input.number().is_some() {}
        }

        #[test]
        fn a_boundary_between_items_is_part_of_the_bytes(a in ".{0,8}", b in ".{0,8}", c in ".{0,8}", d in ".{0,8}") {
            let pair = |x: &str, y: &str| { let mut e = Encoder::new("d"); e.text(x).text(y); e.finish() };
            prop_assert_eq!(pair(&a, &b) == pair(&c, &d), (&a, &b) == (&c, &d));
        }
    }

    #[test]
    fn labels_are_written_by_name_so_interning_order_does_not_matter() {
        let (a, b) = (Atom::Origin("a".into()), Atom::Origin("b".into()));
        let value_in = |atoms: [&Atom; 2]| {
            let mut universe = Universe::new();
            let labels = atoms.map(|atom| Label::of(universe.intern(atom.clone()).unwrap()));
            let both = Label::join_all(labels);
            let value = Value::object(both, [("k".into(), Value::int(universe.label(&a), 1))]);
            labelled_value(&value, &universe).unwrap()
        };
        assert_eq!(value_in([&a, &b]), value_in([&b, &a]));
    }

    #[test]
    fn a_label_deep_inside_changes_the_bytes() {
        let mut universe = Universe::new();
        let label = Label::of(universe.intern(Atom::Origin("a".into())).unwrap());
        let with = |l| labelled_value(&Value::array(Label::BOTTOM, vec![Value::int(l, 1)]), &universe);
        assert_ne!(with(label), with(Label::BOTTOM));
    }

    #[test]
    fn an_unknown_value_has_no_bytes() {
        let unknown = Value::unknown(Label::BOTTOM, crate::value::Kinds::ALL);
        assert_eq!(labelled_value(&Value::array(Label::BOTTOM, vec![unknown]), &Universe::new()), None);
    }
}
