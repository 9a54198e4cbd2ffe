//! Keys that sign notes: their names, ids and text forms.
//!
//! A verifier key is written `name+id+base64(type || public key)`, a private key
//! `PRIVATE+KEY+name+id+base64(type || seed)`, as Go's `sumdb/note` introduced them. The type says
//! what is signed: a note's text (1), or that text with the time at which a witness saw it (4). Key
//! ids differ by type, so that a witness's word is never taken for a log's.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::hash::Hash;

/// The longest name of a key: a host name and a path.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// What a key signs, as a byte of its id and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    /// Ed25519 over the text itself.
    Text = 0x01,
    /// Ed25519 over the text and a time: a witness's cosignature.
    TextAndTime = 0x04,
}

/// How long the time in front of a cosignature is.
const TIME_BYTES: usize = 8;

const PRIVATE_START: &str = "PRIVATE+KEY+";

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

    fn of(name: &KeyName, kind: Type, public: &[u8; 32]) -> Self {
        let hash = Hash::of(&[name.0.as_bytes(), b"\n", &[kind as u8], public]);
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
    kind: Type,
    key: VerifyingKey,
}

/// What a signature that is right says.
pub(super) enum Signed {
    /// The text.
    Text,
    /// The text, and when: in seconds since 1970.
    At(u64),
}

impl VerifierKey {
    /// The key of a log from its 32 public bytes.
    ///
    /// # Errors
    /// [`KeyTextError::Key`] if they are no Ed25519 key, or one under which anybody can sign.
    pub fn new(name: KeyName, public: &[u8; 32]) -> Result<Self, KeyTextError> {
        Self::of_type(name, Type::Text, public)
    }

    /// The key of a witness from its 32 public bytes.
    ///
    /// # Errors
    /// As [`VerifierKey::new`].
    pub fn witness(name: KeyName, public: &[u8; 32]) -> Result<Self, KeyTextError> {
        Self::of_type(name, Type::TextAndTime, public)
    }

    fn of_type(name: KeyName, kind: Type, public: &[u8; 32]) -> Result<Self, KeyTextError> {
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyTextError::Key)?;
        if key.is_weak() {
            return Err(KeyTextError::Key);
        }
        let id = KeyId::of(&name, kind, public);
        Ok(Self { name, id, kind, key })
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

    /// What this key said of `text` with these bytes, if it did say anything.
    pub(super) fn check(&self, text: &str, signature: &[u8]) -> Option<Signed> {
        match self.kind {
            Type::Text => self.has_signed(text.as_bytes(), signature).then_some(Signed::Text),
            Type::TextAndTime => {
                let (time, signature) = signature.split_first_chunk::<TIME_BYTES>()?;
                let time_s = u64::from_be_bytes(*time);
                let is_said = time_s <= TIME_S_MAX && self.has_signed(cosigned(text, time_s).as_bytes(), signature);
                is_said.then_some(Signed::At(time_s))
            }
        }
    }

    fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

/// The latest time that a cosignature can state; the specification's bound.
pub const TIME_S_MAX: u64 = i64::MAX as u64;

/// What a witness signs. Source: <https://c2sp.org/tlog-cosignature>.
fn cosigned(text: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode(typed(self.kind, self.key.as_bytes()));
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
        let (name, id, kind, public) = key_parts(text)?;
        let key = Self::of_type(name, kind, &public)?;
        if key.id.to_string() == id { Ok(key) } else { Err(KeyTextError::Id) }
    }
}

/// The private key of a log. Its bytes are wiped when it is dropped, and never printed.
pub struct SignerKey(PrivateKey);

/// The private key of a witness, which signs what it saw together with the time.
pub struct WitnessKey(PrivateKey);

struct PrivateKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    /// A key from a seed of 32 random bytes.
    ///
    /// # Errors
    /// [`KeyTextError::Key`] if the seed gives a key that nobody should use; no random one does.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyTextError> {
        PrivateKey::from_seed(name, Type::Text, seed).map(Self)
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.0.verifier
    }

    /// The text form, for a key file; whoever reads it can sign.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        self.0.to_secret_text()
    }

    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        self.0.key.sign(text.as_bytes()).to_vec()
    }
}

impl WitnessKey {
    /// A key from a seed of 32 random bytes, which no other key is made of.
    ///
    /// # Errors
    /// As [`SignerKey::from_seed`].
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyTextError> {
        PrivateKey::from_seed(name, Type::TextAndTime, seed).map(Self)
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.0.verifier
    }

    /// The text form, for a key file; whoever reads it can sign.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        self.0.to_secret_text()
    }

    pub(super) fn sign(&self, text: &str, time_s: u64) -> Vec<u8> {
        let signature = self.0.key.sign(cosigned(text, time_s).as_bytes()).to_bytes();
        [time_s.to_be_bytes().as_slice(), &signature].concat()
    }
}

impl PrivateKey {
    fn from_seed(name: KeyName, kind: Type, seed: &[u8; 32]) -> Result<Self, KeyTextError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::of_type(name, kind, key.verifying_key().as_bytes())?;
        Ok(Self { verifier, key })
    }

    fn to_secret_text(&self) -> String {
        let key = STANDARD.encode(typed(self.verifier.kind, self.key.as_bytes()));
        format!("{PRIVATE_START}{}+{}+{key}", self.verifier.name, self.verifier.id)
    }

    fn read(text: &str, expected: Type) -> Result<Self, KeyTextError> {
        let text = text.strip_prefix(PRIVATE_START).ok_or(KeyTextError::Form)?;
        let (name, id, kind, seed) = key_parts(text)?;
        if kind != expected {
            return Err(KeyTextError::Type);
        }
        let key = Self::from_seed(name, kind, &seed)?;
        if key.verifier.id.to_string() == id { Ok(key) } else { Err(KeyTextError::Id) }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({} {}, secret)", self.0.verifier.name, self.0.verifier.id)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({} {}, secret)", self.0.verifier.name, self.0.verifier.id)
    }
}

impl FromStr for SignerKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        PrivateKey::read(text, Type::Text).map(Self)
    }
}

impl FromStr for WitnessKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        PrivateKey::read(text, Type::TextAndTime).map(Self)
    }
}

/// The 32 bytes of a key behind the byte that says what they are for.
fn typed(kind: Type, bytes: &[u8; 32]) -> Vec<u8> {
    [&[kind as u8], bytes.as_slice()].concat()
}

/// Splits `name+id+base64`; the base64 may itself contain `+`.
fn key_parts(text: &str) -> Result<(KeyName, &str, Type, [u8; 32]), KeyTextError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyTextError::Form);
    };
    let name = KeyName::new(name)?;
    let bytes = STANDARD.decode(base64).map_err(|_| KeyTextError::Form)?;
    let (kind, key) = match bytes.split_first() {
        Some((0x01, key)) => (Type::Text, key),
        Some((0x04, key)) => (Type::TextAndTime, key),
        _ => return Err(KeyTextError::Type),
    };
    Ok((name, id, kind, key.try_into().map_err(|_| KeyTextError::Key)?))
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
    /// Help: Ed25519 keys alone are used here: type 1 for logs, type 4 for witnesses.
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
