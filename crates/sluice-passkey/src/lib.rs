//! Passkeys: a person's word over a statement, given by a device that verified the person.
//!
//! The challenge is the digest of the statement itself, so that an assertion that is kept proves offline, to whoever has the
//! public key, which statement was meant. Source: W3C Web Authentication Level 3, §7.1 (registration), §7.2 (assertion).
//! Stricter than there: the user must have been verified, frames of other origins are refused, and only ES256 and `EdDSA` are
//! known. How a device was made (attestation) is not asked.

mod authenticator_data;
mod client_data;
#[cfg(any(test, feature = "device"))]
pub mod device;
mod key;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use authenticator_data::AuthenticatorData;
use client_data::Ceremony;
pub use key::PasskeyKey;

/// Longest part of an answer. Real ones have a few hundred bytes.
pub const PART_BYTES_MAX: usize = 16 << 10;
/// Longest name of a passkey (§4, credential id).
const ID_BYTES_MAX: usize = 1_023;

/// Who asks for an assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The domain that passkeys are for.
    pub id: String,
    /// The one origin at which people answer, as browsers write it: `https://sluice.example.com`.
    pub origin: String,
}

/// A passkey, as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its name, made by the device.
    pub id: Vec<u8>,
    /// What its signatures are checked with.
    pub key: PasskeyKey,
    /// How often it has signed, if its device counts.
    pub counter: u32,
}

/// What a device answers when a passkey is made.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What the browser says that it was asked.
    pub client_data: Vec<u8>,
    /// What the device says of itself and of the key.
    pub attestation_object: Vec<u8>,
}

/// What a device answers when a person vouches for a statement. Whole, so that it can be kept and checked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// What the browser says that it was asked.
    pub client_data: Vec<u8>,
    /// What the device says of the moment.
    pub authenticator_data: Vec<u8>,
    /// Over both.
    pub signature: Vec<u8>,
}

/// SL985. Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("SL985: the passkey's answer does not count: {0}")]
pub struct PasskeyError(&'static str);

impl PasskeyError {
    /// In words.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.0
    }
}

type Checked<T> = Result<T, PasskeyError>;

impl RelyingParty {
    /// Takes a new passkey, made for `challenge`.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn register(&self, answer: &Registration, challenge: &[u8]) -> Checked<Passkey> {
        is_bounded([&answer.client_data, &answer.attestation_object])?;
        client_data::check(&answer.client_data, Ceremony::Create, challenge, &self.origin)?;
        let bytes = authenticator_data::of_attestation(&answer.attestation_object)?;
        let data = AuthenticatorData::read(&bytes)?;
        self.check(&data)?;
        let (id, key) = data.credential.ok_or(PasskeyError("it brings no key"))?;
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(PasskeyError("its name is empty or too long"));
        }
        Ok(Passkey { id, key, counter: data.counter })
    }

    /// Checks a person's word over the statement of which `challenge` is the digest. Gives the device's counter, which the
    /// next word must exceed.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn verify(&self, passkey: &Passkey, answer: &Assertion, challenge: &[u8]) -> Checked<u32> {
        is_bounded([&answer.client_data, &answer.authenticator_data, &answer.signature])?;
        client_data::check(&answer.client_data, Ceremony::Get, challenge, &self.origin)?;
        let data = AuthenticatorData::read(&answer.authenticator_data)?;
        self.check(&data)?;
        if data.credential.is_some() {
            return Err(PasskeyError("it brings a key where none was asked for"));
        }
        passkey.key.verify(&signed(answer), &answer.signature)?;
        // Zero on both sides: a device that does not count.
        let counts = data.counter != 0 || passkey.counter != 0;
        if counts && data.counter <= passkey.counter {
            return Err(PasskeyError("its device has signed more often than it says: there may be a copy"));
        }
        Ok(data.counter)
    }

    fn check(&self, data: &AuthenticatorData) -> Checked<()> {
        if data.domain != <[u8; 32]>::from(Sha256::digest(self.id.as_bytes())) {
            return Err(PasskeyError("it is for another domain"));
        }
        if !data.is_present {
            return Err(PasskeyError("nobody touched the device"));
        }
        if !data.is_verified {
            return Err(PasskeyError("the device did not verify who used it"));
        }
        Ok(())
    }
}

/// What the device signs.
fn signed(answer: &Assertion) -> Vec<u8> {
    [answer.authenticator_data.as_slice(), &Sha256::digest(&answer.client_data)].concat()
}

fn is_bounded<const N: usize>(parts: [&Vec<u8>; N]) -> Checked<()> {
    if parts.iter().any(|part| part.len() > PART_BYTES_MAX) {
        return Err(PasskeyError("it is too long"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
