//! What a device says of the moment, and of a key that it made (§6.1, §6.5).

use minicbor::Decoder;
use minicbor::data::Type;

use super::key::PasskeyKey;
use super::{Checked, PasskeyError};

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;
/// Of the device's make, which is not asked.
const AAGUID_BYTES: usize = 16;

const MALFORMED: PasskeyError = PasskeyError("the device's part cannot be read");

/// What a device says.
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    /// SHA-256 of the domain.
    pub(super) domain: [u8; 32],
    pub(super) is_present: bool,
    pub(super) is_verified: bool,
    pub(super) counter: u32,
    /// Name and key of a passkey that was made.
    pub(super) credential: Option<Named>,
}

/// A passkey's name, made by its device, and its key.
type Named = (Vec<u8>, PasskeyKey);

impl AuthenticatorData {
    /// Reads all of it: what is left over was not meant by anybody.
    pub(super) fn read(bytes: &[u8]) -> Checked<Self> {
        let (domain, rest) = bytes.split_first_chunk::<32>().ok_or(MALFORMED)?;
        let (flags, rest) = rest.split_first().ok_or(MALFORMED)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(MALFORMED)?;
        let has = |flag: u8| flags & flag != 0;
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(PasskeyError("its device says that it is backed up and cannot be"));
        }
        let mut credential = None;
        if has(HAS_CREDENTIAL) {
            let (read, after) = attested(rest)?;
            (credential, rest) = (Some(read), after);
        }
        if has(HAS_EXTENSIONS) {
            rest = after_map(rest)?;
        }
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Self {
            domain: *domain,
            is_present: has(USER_PRESENT),
            is_verified: has(USER_VERIFIED),
            counter: u32::from_be_bytes(*counter),
            credential,
        })
    }
}

/// A new passkey's name and key, and what follows.
fn attested(bytes: &[u8]) -> Checked<(Named, &[u8])> {
    let (_, rest) = bytes.split_at_checked(AAGUID_BYTES).ok_or(MALFORMED)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(MALFORMED)?;
    let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(MALFORMED)?;
    let (key, rest) = PasskeyKey::from_cose(rest)?;
    Ok(((id.to_vec(), key), rest))
}

/// What follows one map of CBOR.
fn after_map(bytes: &[u8]) -> Checked<&[u8]> {
    let mut decoder = Decoder::new(bytes);
    if !matches!(decoder.datatype(), Ok(Type::Map)) {
        return Err(MALFORMED);
    }
    decoder.skip().map_err(|_| MALFORMED)?;
    bytes.get(decoder.position()..).ok_or(MALFORMED)
}

/// The device's part of an attestation object. The statement in it, which vouches for the device's make, is passed over.
pub(super) fn of_attestation(object: &[u8]) -> Checked<Vec<u8>> {
    let mut decoder = Decoder::new(object);
    let count = decoder.map().ok().flatten().ok_or(MALFORMED)?;
    let mut found = None;
    for _ in 0..count {
        let name = decoder.str().map_err(|_| MALFORMED)?;
        if name != "authData" {
            decoder.skip().map_err(|_| MALFORMED)?;
            continue;
        }
        if found.replace(decoder.bytes().map_err(|_| MALFORMED)?.to_vec()).is_some() {
            return Err(MALFORMED);
        }
    }
    if decoder.position() != object.len() {
        return Err(MALFORMED);
    }
    found.ok_or(MALFORMED)
}
