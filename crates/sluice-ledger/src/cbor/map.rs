//! Maps in the one order that deterministic CBOR gives them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use super::value::Value;

/// The key of a map: a number for the fields of a layout, a text for named values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A field number.
    Int(u64),
    /// A name.
    Text(String),
}

impl Ord for Key {
    /// The order of the encoded bytes: numbers by size, then texts, the shorter first.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.len().cmp(&two.len()).then_with(|| one.cmp(two)),
            (Self::Int(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Int(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// Values by key, always in encoded order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map(BTreeMap<Key, Value>);

impl Map {
    /// A map without members.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Puts a value under a key, and gives back the one that was there.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// The same map with one value more (or replaced).
    #[must_use]
    pub fn with(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: impl Into<Key>) -> Option<&Value> {
        self.0.get(&key.into())
    }

    /// Takes the value under a key out of the map.
    pub fn remove(&mut self, key: impl Into<Key>) -> Option<Value> {
        self.0.remove(&key.into())
    }

    /// Keys and values in encoded order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.0.iter()
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn last_key(&self) -> Option<&Key> {
        self.0.last_key_value().map(|(key, _)| key)
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        Self(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
