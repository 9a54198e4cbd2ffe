//! Ed25519 keys and their one-line text format.
//!
//! ```text
//! sluice-public-key-1 ana ed25519 <64 hexadecimal digits>
//! sluice-secret-key-1 ana ed25519 <64 hexadecimal digits>
//! ```
//! The name says whose key it is, for people; what a key may do is said by the register or signers file
//! that lists it. Key files approve only in workspaces marked `demo` or `test`: a file that a shell can
//! read is no person.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::contract::digest::{from_hex, to_hex};
use crate::label::Name;

const PUBLIC: &str = "sluice-public-key-1";
const SECRET: &str = "sluice-secret-key-1";

/// A key that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// SL430. Help: a key is one line, `sluice-public-key-1 NAME ed25519 HEX`.
    // The line is not repeated: it may be a secret.
    #[error("this is no Sluice key line")]
    Malformed,
    /// SL431. Help: give the file of the other kind, or make a pair with `sluice policy key`.
    #[error("this is a {found} key where a {wanted} key belongs")]
    WrongKind {
        /// What the line says.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// SL432. Help: make a new pair.
    #[error("the public key of `{0}` is no usable point of the curve")]
    Weak(Name),
}

impl KeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> crate::diagnostic::Code {
        crate::diagnostic::Code(match self {
            Self::Malformed => 430,
            Self::WrongKind { .. } => 431,
            Self::Weak(_) => 432,
        })
    }
}

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Whether `signature` over `message` was made with its secret key. Strict: weak keys and second spellings of a signature fail.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.0) else { return false };
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
    }

    /// Its line, under the name of its holder.
    #[must_use]
    pub fn to_line(&self, name: &str) -> String {
        format!("{PUBLIC} {name} ed25519 {}", to_hex(&self.0))
    }

    /// Reads a line: whose key, and the key.
    ///
    /// # Errors
    /// [`KeyError`] if it is no public key's line or the key is weak.
    pub fn from_line(line: &str) -> Result<(Name, Self), KeyError> {
        let (name, bytes) = parse_line(line, PUBLIC)?;
        let usable = VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak());
        if usable { Ok((name, Self(bytes))) } else { Err(KeyError::Weak(name)) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", to_hex(&self.0))
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", to_hex(&self.0))
    }
}

/// A secret key. Never printed, never compared; wiped when dropped.
pub struct SecretKey {
    name: Name,
    key: SigningKey,
}

impl SecretKey {
    /// The key of a seed; the caller brings 32 random bytes.
    pub fn from_seed(name: impl Into<Name>, seed: [u8; 32]) -> Self {
        Self { name: name.into(), key: SigningKey::from_bytes(&seed) }
    }

    /// Whose it is.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.key.sign(message).to_bytes())
    }

    /// Its line, for a file that only its holder can read.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{SECRET} {} ed25519 {}", self.name, to_hex(self.key.as_bytes()))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`KeyError`] if it is no secret key's line.
    pub fn from_line(line: &str) -> Result<Self, KeyError> {
        let (name, seed) = parse_line(line, SECRET)?;
        Ok(Self::from_seed(name, seed))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.name)
    }
}

fn parse_line(line: &str, wanted: &'static str) -> Result<(Name, [u8; 32]), KeyError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [kind, name, "ed25519", hex] = words.as_slice() else { return Err(KeyError::Malformed) };
    let kind_of = |word: &str| if word == PUBLIC { "public" } else { "secret" };
    match *kind {
        kind if kind == wanted => {}
        PUBLIC | SECRET => return Err(KeyError::WrongKind { found: kind_of(kind), wanted: kind_of(wanted) }),
        _ => return Err(KeyError::Malformed),
    }
    Ok(((*name).into(), from_hex(hex).ok_or(KeyError::Malformed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ana() -> SecretKey {
        SecretKey::from_seed("ana", [7; 32])
    }

    #[test]
    fn a_key_is_read_from_the_line_it_wrote() {
        assert_eq!(PublicKey::from_line(&ana().public().to_line("ana")), Ok(("ana".into(), ana().public())));
        assert_eq!(SecretKey::from_line(&ana().to_line()).unwrap().public(), ana().public());
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let signature = ana().sign(b"yes");
        assert!(ana().public().verifies(b"yes", &signature));
        assert!(!ana().public().verifies(b"no", &signature));
        assert!(!SecretKey::from_seed("ben", [8; 32]).public().verifies(b"yes", &signature));
    }

    #[test]
    fn an_error_never_repeats_a_secret() {
        let line = ana().to_line();
        let truncated = line.get(..line.len() - 2).unwrap();
        assert_eq!(SecretKey::from_line(truncated).unwrap_err(), KeyError::Malformed);
        assert_eq!(
            PublicKey::from_line(truncated).unwrap_err(),
            KeyError::WrongKind { found: "secret", wanted: "public" }
        );
        assert!(!format!("{:?}", ana()).contains("0707"));
        let swapped = PublicKey::from_line(&line).unwrap_err();
        assert_eq!(swapped.to_string(), "this is a secret key where a public key belongs");
    }

    #[test]
    fn a_weak_key_is_refused() {
        // The neutral element: every message would verify under it.
        let line = format!("{PUBLIC} eve ed25519 01{}", "00".repeat(31));
        assert_eq!(PublicKey::from_line(&line), Err(KeyError::Weak("eve".into())));
    }
}
