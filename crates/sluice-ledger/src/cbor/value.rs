//! What can be said in an entry.

use std::fmt;

use super::map::Map;

/// A value of the subset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(Integer),
    /// Bytes.
    Bytes(Vec<u8>),
    /// UTF-8 text, kept as it is: no normalisation.
    Text(String),
    /// Values in order.
    Array(Vec<Value>),
    /// Values by key.
    Map(Map),
}

impl Value {
    /// The number, if it is one from 0 to 2⁶⁴−1.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Int(number) = self { number.as_u64() } else { None }
    }

    /// The number, if it is one from −2⁶³ to 2⁶³−1.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self { number.as_i64() } else { None }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The bytes, if it is a byte string.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The members, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// How deep maps and arrays lie in each other: 0 for a plain value.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::Array(values) => 1 + values.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(map) => 1 + map.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<Self>> for Value {
    fn from(values: Vec<Self>) -> Self {
        Self::Array(values)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// A whole number from −2⁶³ to 2⁶⁴−1: all that fits an `i64` or a `u64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(i128);

impl Integer {
    /// Takes a number of any size that fits.
    #[must_use]
    pub fn new(number: i128) -> Option<Self> {
        let fits = i128::from(i64::MIN) <= number && number <= i128::from(u64::MAX);
        fits.then_some(Self(number))
    }

    /// The number, whatever its sign.
    #[must_use]
    pub const fn get(self) -> i128 {
        self.0
    }

    /// The number, if it is not negative.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.0.try_into().ok()
    }

    /// The number, if it is below 2⁶³.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.0.try_into().ok()
    }
}

impl From<u64> for Integer {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

impl From<i64> for Integer {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
