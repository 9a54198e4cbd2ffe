//! JSON from outside, read strictly.
//!
//! Two readers that disagree about one text are a way around a gate: with a duplicate key, one sees the harmless value and
//! the other the harmful one. So duplicate keys are refused, at any depth, and size, depth and count are bounded before
//! anything is built.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Deepest nesting: below `serde_json`'s own limit of 128, above anything people write.
pub const DEPTH_MAX: usize = 64;
/// Most values in one text, so that a small text of `[[],[],…]` cannot become a tree many times its size.
pub const VALUES_MAX: usize = 1 << 20;

/// Why a text is not accepted as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// Not JSON; line and column where it ceases to be.
    Syntax(usize, usize),
    /// An object names this key twice.
    DuplicateKey(String),
    /// Deeper than [`DEPTH_MAX`].
    TooDeep,
    /// More values than [`VALUES_MAX`].
    TooMany,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(line, column) => write!(f, "it is not JSON at line {line}, column {column}"),
            Self::DuplicateKey(key) => write!(f, "it names the key `{}` twice", key.escape_debug()),
            Self::TooDeep => write!(f, "it nests deeper than {DEPTH_MAX}"),
            Self::TooMany => write!(f, "it has more than {VALUES_MAX} values"),
        }
    }
}

/// Reads one JSON text.
///
/// # Errors
/// [`JsonFault`] says what is wrong and where; it quotes nothing of the text but a doubled key.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonFault> {
    let bounds = Bounds { fault: Cell::new(None), values: Cell::new(0) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { bounds: &bounds, depth: 0 }.deserialize(&mut reader);
    match read.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(bounds.fault.take().unwrap_or(JsonFault::Syntax(error.line(), error.column()))),
    }
}

/// What one reading has used up, and why it was given up if it was.
struct Bounds {
    fault: Cell<Option<JsonFault>>,
    values: Cell<usize>,
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    bounds: &'a Bounds,
    depth: usize,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, fault: JsonFault) -> E {
        self.bounds.fault.set(Some(fault));
        E::custom("refused")
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.refuse(JsonFault::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        let values = self.bounds.values.get() + 1;
        self.bounds.values.set(values);
        if values > VALUES_MAX {
            return Err(self.refuse(JsonFault::TooMany));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number of JSON"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                self.bounds.fault.set(Some(JsonFault::DuplicateKey(key)));
                return Err(A::Error::custom("refused"));
            }
            let value = map.next_value_seed(seed)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_doubled_key_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"x":2,"\u0061":3}}]"#] {
            assert_eq!(parse(text.as_bytes()), Err(JsonFault::DuplicateKey("a".into())), "{text}");
        }
        assert!(parse(br#"[{"a":1},{"a":2}]"#).is_ok());
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(JsonFault::TooDeep));
        assert_eq!(parse("[".repeat(100_000).as_bytes()), Err(JsonFault::TooDeep));
        assert_eq!(parse(format!("[{}1]", "1,".repeat(VALUES_MAX)).as_bytes()), Err(JsonFault::TooMany));
    }

    #[test]
    fn what_is_not_json_is_located() {
        for text in
            ["", "{", "nul", "[1,]", "{'a':1}", "1 2", "NaN", "1e999", "\u{feff}1", "\"\\ud800\"", "01", "\"\n\""]
        {
            assert!(matches!(parse(text.as_bytes()), Err(JsonFault::Syntax(..))), "{text:?}");
        }
        assert!(matches!(parse(b"\"\xff\""), Err(JsonFault::Syntax(..))));
    }

    proptest! {
        #[test]
        fn whatever_serde_json_writes_reads_back_the_same(keys in proptest::collection::btree_map("\\PC{0,5}", any::<(i64, bool)>(), 0..5)) {
            let value = serde_json::json!({ "a": keys, "b": [null, 1.5, "x"] });
            prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value));
        }
    }
}
