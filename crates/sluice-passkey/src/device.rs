//! A device in software, for tests of whoever asks for passkeys: it says yes to everything, at every address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use sha2::{Digest as _, Sha256};

use crate::{Assertion, Passkey, PasskeyKey, Registration, RelyingParty, signed};

/// Somebody is there, and was verified.
const PRESENT_AND_VERIFIED: u8 = 0x05;
/// Somebody is there.
const PRESENT: u8 = 0x01;
/// They were verified, and a key comes along.
const WITH_KEY: u8 = 0x45;

/// A device with one key of P-256, for one console.
pub struct Device {
    key: p256::ecdsa::SigningKey,
    id: Vec<u8>,
    party: RelyingParty,
}

impl Device {
    /// The device whose key follows from `seed`; `None` if no key does (one seed in 2³²).
    #[must_use]
    pub fn of_seed(seed: [u8; 32], party: RelyingParty) -> Option<Self> {
        let key = p256::ecdsa::SigningKey::from_slice(&seed).ok()?;
        Some(Self { key, id: Sha256::digest(seed).to_vec(), party })
    }

    /// The passkey that it makes, having signed `counter` times.
    #[must_use]
    pub fn passkey(&self, counter: u32) -> Option<Passkey> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let half = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok();
        let key = PasskeyKey::Es256(half(point.x()?)?, half(point.y()?)?);
        Some(Passkey { id: self.id.clone(), key, counter })
    }

    /// Makes a passkey for `challenge`.
    #[must_use]
    pub fn register(&self, challenge: &[u8]) -> Option<Registration> {
        self.register_with(challenge, WITH_KEY)
    }

    /// Vouches for the statement of which `challenge` is the digest.
    #[must_use]
    pub fn answer(&self, challenge: &[u8]) -> Assertion {
        let client_data = self.client_data("webauthn.get", challenge, r#","crossOrigin":false"#);
        self.sign(client_data, self.data(PRESENT_AND_VERIFIED, 0, &[]))
    }

    /// The same by somebody whom the device did not verify: whoever found it.
    #[must_use]
    pub fn answer_unverified(&self, challenge: &[u8]) -> Assertion {
        let client_data = self.client_data("webauthn.get", challenge, r#","crossOrigin":false"#);
        self.sign(client_data, self.data(PRESENT, 0, &[]))
    }

    pub(crate) fn register_with(&self, challenge: &[u8], flags: u8) -> Option<Registration> {
        let passkey = self.passkey(0)?;
        let length = u16::try_from(passkey.id.len()).ok()?.to_be_bytes();
        let key = [&[0; 16][..], &length, &passkey.id, &passkey.key.to_cose()].concat();
        let data = self.data(flags, 0, &key);
        let mut object = Vec::new();
        let mut encoder = minicbor::Encoder::new(&mut object);
        encoder.map(3).ok()?.str("fmt").ok()?.str("none").ok()?;
        encoder.str("attStmt").ok()?.map(0).ok()?.str("authData").ok()?.bytes(&data).ok()?;
        let client_data = self.client_data("webauthn.create", challenge, "");
        Some(Registration { client_data, attestation_object: object })
    }

    pub(crate) fn data(&self, flags: u8, counter: u32, rest: &[u8]) -> Vec<u8> {
        let domain = Sha256::digest(self.party.id.as_bytes());
        [domain.as_slice(), &[flags], &counter.to_be_bytes(), rest].concat()
    }

    pub(crate) fn client_data(&self, ceremony: &str, challenge: &[u8], more: &str) -> Vec<u8> {
        let (challenge, origin) = (URL_SAFE_NO_PAD.encode(challenge), &self.party.origin);
        format!(r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{origin}"{more}}}"#).into_bytes()
    }

    pub(crate) fn sign(&self, client_data: Vec<u8>, authenticator_data: Vec<u8>) -> Assertion {
        let mut answer = Assertion { client_data, authenticator_data, signature: Vec::new() };
        let signature: p256::ecdsa::Signature = self.key.sign(&signed(&answer));
        answer.signature = signature.to_der().as_bytes().to_vec();
        answer
    }
}
