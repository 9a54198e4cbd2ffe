//! Deterministic CBOR: one value, one spelling.
//!
//! The subset of RFC 8949 that entries are written in, under its core deterministic rules (§4.2.1):
//! shortest lengths and numbers, definite lengths, map keys sorted by their encoded bytes, none
//! twice. There are no floats, tags or undefined values: none of them has one obvious spelling.
//!
//! The writer is ours, the reader a library's; [`decode`] takes a text only if writing the result
//! gives the same bytes again, so that either would have to be wrong in the same way to let a second
//! spelling of an entry pass.

mod decode;
mod encode;
mod map;
mod value;

pub use decode::{CborError, Limits, decode};
pub use encode::encode;
pub use map::{Key, Map};
pub use value::{Integer, Value};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::any_value;
