//! One value, one spelling: published vectors, laws, and refusals.

use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "{hex}");
    hex.as_bytes()
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn read(hex: &str) -> Result<Value, CborError> {
    decode(&bytes(hex), Limits::ENTRY)
}

fn int(number: i128) -> Value {
    Value::Int(Integer::new(number).unwrap())
}

#[test]
fn the_examples_of_rfc_8949_are_read_and_written() {
    let list = |numbers: &[u64]| Value::Array(numbers.iter().map(|n| Value::from(*n)).collect());
    let vectors = [
        ("00", int(0)),
        ("0a", int(10)),
        ("17", int(23)),
        ("1818", int(24)),
        ("1864", int(100)),
        ("1903e8", int(1000)),
        ("1a000f4240", int(1_000_000)),
        ("1b000000e8d4a51000", int(1_000_000_000_000)),
        ("1bffffffffffffffff", int(18_446_744_073_709_551_615)),
        ("20", int(-1)),
        ("29", int(-10)),
        ("3863", int(-100)),
        ("3903e7", int(-1000)),
        ("3b7fffffffffffffff", int(i64::MIN.into())),
        ("f4", Value::Bool(false)),
        ("f5", Value::Bool(true)),
        ("f6", Value::Null),
        ("40", Value::Bytes(vec![])),
        ("4401020304", Value::Bytes(vec![1, 2, 3, 4])),
        ("60", Value::from("")),
        ("6161", Value::from("a")),
        ("6449455446", Value::from("IETF")),
        ("62225c", Value::from("\"\\")),
        ("62c3bc", Value::from("\u{fc}")),
        ("64f0908591", Value::from("\u{10151}")),
        ("80", list(&[])),
        ("83010203", list(&[1, 2, 3])),
        ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", list(&(1..=25).collect::<Vec<_>>())),
        ("a0", Map::new().into()),
        ("a201020304", Map::new().with(1, 2_u64).with(3, 4_u64).into()),
        ("a26161016162820203", Map::new().with("a", 1_u64).with("b", list(&[2, 3])).into()),
    ];
    for (hex, value) in vectors {
        assert_eq!(encode(&value), bytes(hex), "{hex}");
        assert_eq!(read(hex).as_ref(), Ok(&value), "{hex}");
    }
}

#[test]
fn map_keys_stand_in_the_order_of_their_bytes() {
    // RFC 8949 §4.2.1 orders 10, 100, "z", "aa" like this.
    let map = Map::new().with("aa", 4_u64).with(100, 2_u64).with("z", 3_u64).with(10, 1_u64);
    assert_eq!(encode(&map.into()), bytes("a40a0118640261 7a0362616104".replace(' ', "").as_str()));
}

#[test]
fn every_other_spelling_is_refused_with_its_reason() {
    let refused = [
        ("1800", "SL604"),               // 0 in two bytes
        ("190018", "SL604"),             // 24 in three
        ("1b00000000ffffffff", "SL604"), // 32 bits in nine
        ("3800", "SL604"),               // -1 in two
        ("5800", "SL604"),               // a length that is too long
        ("7800", "SL604"),
        ("9800", "SL604"),
        ("b800", "SL604"),
        ("9fff", "SL604"),              // streamed array
        ("bfff", "SL604"),              // streamed map
        ("a202000100", "SL604"),        // keys out of order
        ("a201000100", "SL604"),        // a key twice
        ("a2626161006162 00", "SL604"), // the longer text first
        ("a16100", "SL605"),            // cut short
        ("", "SL605"),
        ("0000", "SL605"),   // bytes left over
        ("62c328", "SL605"), // not UTF-8
        ("1c", "SL605"),     // reserved
        ("ff", "SL605"),     // break without a stream
        ("5fff", "SL604"),   // streamed bytes
        ("7fff", "SL604"),   // streamed text
        ("f7", "SL605"),     // undefined
        ("f0", "SL605"),     // simple value
        ("f814", "SL605"),   // false in two bytes
        ("f90000", "SL605"), // floats
        ("fa00000000", "SL605"),
        ("fb0000000000000000", "SL605"),
        ("c000", "SL605"),                 // tag
        ("3b8000000000000000", "SL605"),   // below the smallest i64
        ("a12000", "SL605"),               // a key below zero
        ("a1f600", "SL605"),               // a key that is neither number nor text
        ("9bffffffffffffffff00", "SL605"), // claims more than it brings
        ("5bffffffffffffffff00", "SL605"),
    ];
    for (hex, code) in refused {
        let answer = read(&hex.replace(' ', ""));
        assert_eq!(answer.map_err(|error| error.code()), Err(code), "{hex}");
    }
}

#[test]
fn an_error_says_where() {
    assert_eq!(read("a201000100"), Err(CborError::KeyOrder { at: 3 }), "a key twice");
    assert_eq!(read("a202000100"), Err(CborError::KeyOrder { at: 3 }), "out of order");
    assert_eq!(read("82001800"), Err(CborError::NotDeterministic { at: 2 }));
    assert_eq!(read("8200f7"), Err(CborError::Unsupported { at: 2 }));
    assert_eq!(read("0000"), Err(CborError::Trailing { at: 1 }));
}

#[test]
fn depth_and_length_have_limits() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
    let limits = Limits { bytes: 100, depth: 16 };
    assert_eq!(decode(&nested(16), limits).unwrap().depth(), 16);
    assert_eq!(decode(&nested(17), limits), Err(CborError::TooDeep { at: 16 }));
    let bomb = [vec![0x81; 100_000], vec![0]].concat();
    assert_eq!(decode(&bomb, Limits::PAYLOAD).unwrap_err().code(), "SL606");
    assert_eq!(decode(&[0; 101], limits), Err(CborError::TooLong { limit: 100 }));
}

pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..300).prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
    ];
    let key = prop_oneof![(0_u64..300).prop_map(Key::from), "[a-z]{0,30}".prop_map(Key::from)];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|members| Value::Map(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        prop_assert_eq!(decode(&encode(&value), Limits::PAYLOAD), Ok(value));
    }

    #[test]
    fn a_flipped_bit_fails_or_is_another_value_in_its_only_spelling(value in any_value()) {
        let bytes = encode(&value);
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            if let Ok(other) = decode(&flipped, Limits::PAYLOAD) {
                prop_assert_ne!(&other, &value);
                prop_assert_eq!(encode(&other), flipped);
            }
        }
    }

    #[test]
    fn bytes_from_anywhere_fail_or_are_the_only_spelling(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(value) = decode(&bytes, Limits::ENTRY) {
            prop_assert_eq!(encode(&value), bytes);
        }
    }

    #[test]
    fn keys_are_ordered_as_their_bytes_are(
        one in prop_oneof![any::<u64>().prop_map(Key::from), "\\PC{0,40}".prop_map(Key::from)],
        two in prop_oneof![any::<u64>().prop_map(Key::from), "\\PC{0,40}".prop_map(Key::from)],
    ) {
        let written = |key: &Key| encode(&match key {
            Key::Int(number) => Value::from(*number),
            Key::Text(text) => Value::from(text.as_str()),
        });
        prop_assert_eq!(one.cmp(&two), written(&one).cmp(&written(&two)));
    }
}
