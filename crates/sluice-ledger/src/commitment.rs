//! Salted commitments: an entry can be held to a value without saying it.
//!
//! A plain hash of a name or an amount is guessed by hashing all names and amounts. With 32 secret
//! random bytes in front it says nothing until the salt is shown, and nothing ever again once the
//! salt is destroyed; whoever is shown salt and value can check that this very value was meant.

use std::fmt;

use crate::hash::Hash;

/// Keeps these hashes apart from all others that are ever made of the same bytes.
const FIELD_DOMAIN: &[u8] = b"sluice.field-commitment.v1\n";
/// The same for the salts that [`Salt::derive`] makes.
const SALT_DOMAIN: &[u8] = b"sluice.field-salt.v1\n";

/// 32 bytes from a random source, kept with the sealed payload and erased with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; Salt::BYTES]);

impl Salt {
    /// How long a salt is.
    pub const BYTES: usize = 32;

    /// Takes bytes that must have come from a cryptographic random source.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// A salt of its own for each field, from one random secret per entry.
    ///
    /// So an entry with ten commitments stores one secret, and a field can still be disclosed by its
    /// own salt, which gives away neither the secret nor any other field.
    #[must_use]
    pub fn derive(secret: &[u8; 32], field: &str) -> Self {
        Self(*Hash::of(&[SALT_DOMAIN, secret, &len_prefix(field), field.as_bytes()]).as_bytes())
    }

    /// The bytes, for storing them sealed or for disclosing one field.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(secret)")
    }
}

/// What an entry holds in place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(Hash);

impl Commitment {
    /// Takes a commitment that was stored.
    #[must_use]
    pub const fn from_hash(hash: Hash) -> Self {
        Self(hash)
    }

    /// The 32 bytes that are stored.
    #[must_use]
    pub const fn as_hash(&self) -> &Hash {
        &self.0
    }

    /// Whether it was made of this salt, field and value.
    #[must_use]
    pub fn opens_to(&self, salt: &Salt, field: &str, value: &[u8]) -> bool {
        *self == commit(salt, field, value)
    }
}

/// Commits to `value` as the content of `field`:
/// `SHA-256(domain || salt || length of field as 4 bytes, big-endian || field || value)`.
///
/// Values that are not bytes are given as their deterministic CBOR.
#[must_use]
pub fn commit(salt: &Salt, field: &str, value: &[u8]) -> Commitment {
    Commitment(Hash::of(&[FIELD_DOMAIN, &salt.0, &len_prefix(field), field.as_bytes(), value]))
}

/// Without it, field `a` with value `bc` and field `ab` with value `c` would be the same bytes.
fn len_prefix(field: &str) -> [u8; 4] {
    u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_opens_to_its_own_salt_field_and_value_alone() {
        let salt = Salt::from_bytes([7; 32]);
        let commitment = commit(&salt, "to", b"ann");
        assert!(commitment.opens_to(&salt, "to", b"ann"));
        assert!(!commitment.opens_to(&Salt::from_bytes([8; 32]), "to", b"ann"));
        assert!(!commitment.opens_to(&salt, "too", b"ann"));
        assert!(!commitment.opens_to(&salt, "to", b"anne"));
        assert!(!commitment.opens_to(&salt, "toa", b"nn"), "the border of field and value counts");
    }

    #[test]
    fn each_field_has_a_salt_of_its_own() {
        let secret = [9; 32];
        assert_ne!(Salt::derive(&secret, "to"), Salt::derive(&secret, "cc"));
        assert_ne!(Salt::derive(&secret, "to"), Salt::derive(&[8; 32], "to"));
    }

    #[test]
    fn a_salt_is_not_printed() {
        assert_eq!(format!("{:?}", Salt::from_bytes([7; 32])), "Salt(secret)");
    }
}
