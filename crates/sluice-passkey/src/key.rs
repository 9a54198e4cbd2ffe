//! Public keys of passkeys: ES256 and `EdDSA` (RFC 9053 §2.1, §2.2, in the shapes of §5.8.5).

use minicbor::{Decoder, Encoder};
use p256::ecdsa::signature::Verifier as _;

use super::{Checked, PasskeyError};

const UNKNOWN: PasskeyError = PasskeyError("its key is none of ES256 or EdDSA");
const UNSIGNED: PasskeyError = PasskeyError("its key did not sign this");
/// Most members of a key.
const MEMBERS_MAX: u64 = 8;

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyKey {
    /// ECDSA over P-256 with SHA-256: the point's coordinates.
    Es256([u8; 32], [u8; 32]),
    /// Ed25519.
    EdDsa([u8; 32]),
}

/// The labels of a key's members (RFC 9052 §7, RFC 9053 §7).
mod label {
    pub(super) const KIND: i64 = 1;
    pub(super) const ALGORITHM: i64 = 3;
    pub(super) const CURVE: i64 = -1;
    pub(super) const X: i64 = -2;
    pub(super) const Y: i64 = -3;
}

#[derive(Default)]
struct Members {
    kind: Option<i64>,
    algorithm: Option<i64>,
    curve: Option<i64>,
    x: Option<[u8; 32]>,
    y: Option<[u8; 32]>,
}

impl PasskeyKey {
    /// Reads a key as a device writes it, and gives what follows it.
    pub(super) fn from_cose(bytes: &[u8]) -> Checked<(Self, &[u8])> {
        let mut decoder = Decoder::new(bytes);
        let members = members(&mut decoder).ok_or(UNKNOWN)?;
        let rest = bytes.get(decoder.position()..).ok_or(UNKNOWN)?;
        let key = match members {
            // EC2, ES256, P-256.
            Members { kind: Some(2), algorithm: Some(-7), curve: Some(1), x: Some(x), y: Some(y) } => Self::Es256(x, y),
            // OKP, EdDSA, Ed25519.
            Members { kind: Some(1), algorithm: Some(-8), curve: Some(6), x: Some(x), y: None } => Self::EdDsa(x),
            _ => return Err(UNKNOWN),
        };
        // A point that is on no curve would be found out at the first signature only.
        key.is_sound().then_some((key, rest)).ok_or(UNKNOWN)
    }

    /// The same bytes as a device writes for it.
    #[must_use]
    pub fn to_cose(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        // Writing into memory cannot fail.
        let _ = match self {
            Self::Es256(x, y) => {
                write(&mut encoder, &[(label::KIND, 2), (label::ALGORITHM, -7), (label::CURVE, 1)], &[x, y])
            }
            Self::EdDsa(x) => write(&mut encoder, &[(label::KIND, 1), (label::ALGORITHM, -8), (label::CURVE, 6)], &[x]),
        };
        bytes
    }

    /// Reads a key that [`PasskeyKey::to_cose`] wrote.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn parse(bytes: &[u8]) -> Checked<Self> {
        match Self::from_cose(bytes)? {
            (key, []) => Ok(key),
            _ => Err(UNKNOWN),
        }
    }

    /// Checks a signature.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Checked<()> {
        match self {
            Self::Es256(x, y) => {
                let key = p256_key(x, y).ok_or(UNKNOWN)?;
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| UNSIGNED)?;
                key.verify(message, &signature).map_err(|_| UNSIGNED)
            }
            Self::EdDsa(x) => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| UNKNOWN)?;
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| UNSIGNED)?;
                key.verify_strict(message, &signature).map_err(|_| UNSIGNED)
            }
        }
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::Es256(x, y) => p256_key(x, y).is_some(),
            Self::EdDsa(x) => ed25519_dalek::VerifyingKey::from_bytes(x).is_ok_and(|key| !key.is_weak()),
        }
    }
}

fn p256_key(x: &[u8; 32], y: &[u8; 32]) -> Option<p256::ecdsa::VerifyingKey> {
    let point = p256::Sec1Point::from_affine_coordinates(x.into(), y.into(), false);
    p256::ecdsa::VerifyingKey::from_sec1_point(&point).ok()
}

/// The members of a key; `None` if there are others, or one stands twice.
fn members(decoder: &mut Decoder<'_>) -> Option<Members> {
    let count = decoder.map().ok()?.filter(|count| *count <= MEMBERS_MAX)?;
    let mut found = Members::default();
    for _ in 0..count {
        let is_new = match decoder.i64().ok()? {
            label::KIND => found.kind.replace(decoder.i64().ok()?).is_none(),
            label::ALGORITHM => found.algorithm.replace(decoder.i64().ok()?).is_none(),
            label::CURVE => found.curve.replace(decoder.i64().ok()?).is_none(),
            label::X => found.x.replace(decoder.bytes().ok()?.try_into().ok()?).is_none(),
            label::Y => found.y.replace(decoder.bytes().ok()?.try_into().ok()?).is_none(),
            _ => false,
        };
        if !is_new {
            return None;
        }
    }
    Some(found)
}

fn write(
    encoder: &mut Encoder<&mut Vec<u8>>,
    numbers: &[(i64, i64)],
    coordinates: &[&[u8; 32]],
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    encoder.map((numbers.len() + coordinates.len()) as u64)?;
    for (label, number) in numbers {
        encoder.i64(*label)?.i64(*number)?;
    }
    for (label, coordinate) in [label::X, label::Y].iter().zip(coordinates) {
        encoder.i64(*label)?.bytes(*coordinate)?;
    }
    Ok(())
}
