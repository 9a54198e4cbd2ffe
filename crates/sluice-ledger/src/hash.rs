//! The 32-byte SHA-256 values that the tree, the entries and the proofs are made of.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A SHA-256 value, in the order in which the function gives its bytes.
///
/// Shown as 64 lower-case hexadecimal digits; notes and proofs carry it as standard base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::BYTES]);

impl Hash {
    /// How long a hash is.
    pub const BYTES: usize = 32;

    /// Takes the 32 bytes as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for storing.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Takes a slice of exactly 32 bytes.
    ///
    /// # Errors
    /// [`HashError`] if the slice has any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Self).map_err(|_| HashError)
    }

    /// Standard base64 with padding, as notes and proofs write it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads standard base64 with padding; any other spelling of the same bytes is refused.
    ///
    /// # Errors
    /// [`HashError`] if the text is not the base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, HashError> {
        let bytes = STANDARD.decode(text).map_err(|_| HashError)?;
        Self::from_slice(&bytes)
    }

    /// The SHA-256 of the parts, one after another.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part);
        }
        Self(sha.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashError;

    /// Reads 64 lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, HashError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != Self::BYTES || !rest.is_empty() {
            return Err(HashError);
        }
        let mut bytes = [0; Self::BYTES];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn hex_digit(digit: u8) -> Result<u8, HashError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(HashError),
    }
}

/// SL616. The text or the bytes are not one SHA-256 value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a hash: 32 bytes, 64 lower-case hexadecimal digits or 44 characters of base64 expected")]
pub struct HashError;

impl HashError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "SL616"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling_in_each_notation() {
        let hash = Hash::of(&[b"abc"]);
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), hex);
        assert_eq!(hex.parse(), Ok(hash));
        assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
        assert_eq!(hex.to_uppercase().parse::<Hash>(), Err(HashError));
        assert_eq!(hex.trim_start_matches('b').parse::<Hash>(), Err(HashError));
        assert_eq!(format!("{hex}0").parse::<Hash>(), Err(HashError));
        // `=` missing, and spare bits set in the last digit: other decoders would take both.
        assert_eq!(Hash::from_base64(hash.to_base64().trim_end_matches('=')), Err(HashError));
        let loose = hash.to_base64().replace("0=", "1=");
        assert_ne!(loose, hash.to_base64(), "the vector must end in a digit with spare bits");
        assert_eq!(Hash::from_base64(&loose), Err(HashError));
    }
}
