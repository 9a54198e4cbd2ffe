//! Keys that sign notes: their names, ids and text forms.
//!
//! A verifier key is written `name+id+base64(0x01 || public key)`, a signer key
//! `PRIVATE+KEY+name+id+base64(0x01 || seed)`, as Go's `sumdb/note` introduced them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::hash::Hash;

/// The longest name of a key: a host name and a path.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// The signature type of Ed25519 over the text itself.
const ED25519: u8 = 0x01;

const SIGNER_START: &str = "PRIVATE+KEY+";

/// The name of a key: not empty, without spaces, `+` or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`KeyTextError::Name`] if no key can have it.
    pub fn new(name: &str) -> Result<Self, KeyTextError> {
        let is_long = name.len() > KEY_NAME_BYTES_MAX;
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || is_long || name.contains(is_odd) {
            return Err(KeyTextError::Name);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Four bytes that tell keys of one name apart. Easily forged: it finds a key, it proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    fn of(name: &KeyName, public: &[u8; 32]) -> Self {
        let hash = Hash::of(&[name.0.as_bytes(), b"\n", &[ED25519], public]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A public key that can check signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key from its 32 public bytes.
    ///
    /// # Errors
    /// [`KeyTextError::Key`] if they are no Ed25519 key, or one under which anybody can sign.
    pub fn new(name: KeyName, public: &[u8; 32]) -> Result<Self, KeyTextError> {
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyTextError::Key)?;
        if key.is_weak() {
            return Err(KeyTextError::Key);
        }
        Ok(Self { id: KeyId::of(&name, public), name, key })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Its 32 public bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    pub(super) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode(typed(self.key.as_bytes()));
        write!(f, "{}+{}+{key}", self.name, self.id)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        let (name, id, public) = key_parts(text)?;
        let key = Self::new(name, &public)?;
        if key.id.to_string() == id { Ok(key) } else { Err(KeyTextError::Id) }
    }
}

/// A private key that can sign notes. Its bytes are wiped when it is dropped, and never printed.
pub struct SignerKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    /// A key from a seed of 32 random bytes.
    ///
    /// # Errors
    /// [`KeyTextError::Key`] if the seed gives a key that nobody should use; no random one does.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyTextError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { verifier, key })
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The text form, for a key file; whoever reads it can sign.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let key = STANDARD.encode(typed(self.key.as_bytes()));
        format!("{SIGNER_START}{}+{}+{key}", self.verifier.name, self.verifier.id)
    }

    pub(super) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({} {}, secret)", self.verifier.name, self.verifier.id)
    }
}

impl FromStr for SignerKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        let text = text.strip_prefix(SIGNER_START).ok_or(KeyTextError::Form)?;
        let (name, id, seed) = key_parts(text)?;
        let key = Self::from_seed(name, &seed)?;
        if key.verifier.id.to_string() == id { Ok(key) } else { Err(KeyTextError::Id) }
    }
}

/// The 32 bytes of a key behind the byte that says what they are for.
fn typed(bytes: &[u8; 32]) -> Vec<u8> {
    [&[ED25519], bytes.as_slice()].concat()
}

/// Splits `name+id+base64`; the base64 may itself contain `+`.
fn key_parts(text: &str) -> Result<(KeyName, &str, [u8; 32]), KeyTextError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyTextError::Form);
    };
    let name = KeyName::new(name)?;
    let bytes = STANDARD.decode(base64).map_err(|_| KeyTextError::Form)?;
    match bytes.split_first() {
        Some((&ED25519, key)) => Ok((name, id, key.try_into().map_err(|_| KeyTextError::Key)?)),
        _ => Err(KeyTextError::Type),
    }
}

/// SL622. Why a text is no key. It never quotes the text: it may be a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyTextError {
    /// Help: `name+id+base64`, or `PRIVATE+KEY+name+id+base64` for a private key.
    #[error("not the text of a key")]
    Form,
    /// Help: 1 to 255 bytes without spaces, `+` or control characters.
    #[error("not the name of a key")]
    Name,
    /// Help: only Ed25519 (type 1) is used here.
    #[error("a key of a type that is not used here")]
    Type,
    /// Help: the text was changed, or the name does not belong to this key.
    #[error("the id of the key does not fit its name and bytes")]
    Id,
    /// Help: make a new key.
    #[error("not a usable Ed25519 key")]
    Key,
}

impl KeyTextError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "SL622"
    }
}
