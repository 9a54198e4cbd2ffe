//! Sealing a payload to its place in the log, and opening it.
//!
//! XChaCha20-Poly1305. Sealed are a random salt and the bytes; the entry commits to the bytes under
//! that salt, which also makes up for the cipher's not committing to its key. The place (log index,
//! run, sequence number) and the ids of the keys are authenticated with it: a sealed payload cannot be
//! moved to another entry.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload as Sealable};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sluice_ledger::{Commitment, Entry, LeafIndex, PayloadRef, RunLink, Salt, commit};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keys::{Lookup, PayloadKeys, SealKey};
use crate::random::{Random, RandomError, draw};
use crate::record::PayloadState;

/// What the commitment is a commitment of.
const FIELD: &str = "payload";

const DOMAIN: &[u8] = b"sluice.payload.v1\n";
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// A payload as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// The ids of its keys, one after another.
    pub(crate) keys: Vec<u8>,
    /// Nonce and cipher text.
    pub(crate) bytes: Vec<u8>,
}

/// Seals `bytes` to the entry that will stand at `log`.
pub(crate) fn seal(
    random: &mut dyn Random,
    key: SealKey,
    log: LeafIndex,
    run: Option<&RunLink>,
    bytes: &[u8],
) -> Result<(Sealed, PayloadRef), RandomError> {
    let nonce: [u8; NONCE_BYTES] = draw(random)?;
    let salt = Salt::from_bytes(draw(random)?);
    let mut clear = Zeroizing::new(Vec::with_capacity(Salt::BYTES + bytes.len()));
    clear.extend_from_slice(salt.as_bytes());
    clear.extend_from_slice(bytes);
    let text = Sealable { msg: &clear, aad: &place(log, run, &key.ids) };
    // It refuses only texts of 256 GiB and more.
    let cipher =
        XChaCha20Poly1305::new(&(*key.key).into()).encrypt(&XNonce::from(nonce), text).map_err(|_| RandomError)?;
    let bytes_sealed = [nonce.as_slice(), &cipher].concat();
    let reference =
        PayloadRef { commitment: *commit(&salt, FIELD, bytes).as_hash(), sealed_len: bytes_sealed.len() as u64 };
    let sealed = Sealed { keys: key.ids, bytes: bytes_sealed };
    Ok((sealed, reference))
}

/// A payload in the clear, with the salt under which its entry commits to it: both together show a stranger that the
/// entry was written with these very bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// The salt.
    pub salt: Salt,
    /// The payload.
    pub bytes: Vec<u8>,
}

impl Opening {
    /// Whether the entry commits to it.
    #[must_use]
    pub fn fits(&self, entry: &Entry) -> bool {
        let commitment = |payload: &PayloadRef| Commitment::from_hash(payload.commitment);
        entry.payload.as_ref().is_some_and(|payload| commitment(payload).opens_to(&self.salt, FIELD, &self.bytes))
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({} bytes)", self.bytes.len())
    }
}

/// What became of the payload of an entry.
pub(crate) fn open(keys: &PayloadKeys, entry: &Entry, stored: Option<&Sealed>) -> Result<PayloadState, StoreError> {
    Ok(match opening(keys, entry, stored)? {
        Ok(opening) => PayloadState::Opened(opening.bytes),
        Err(state) => state,
    })
}

/// The same with the salt; without a payload that opens, why there is none.
pub(crate) fn opening(
    keys: &PayloadKeys,
    entry: &Entry,
    stored: Option<&Sealed>,
) -> Result<Result<Opening, PayloadState>, StoreError> {
    let Some(reference) = entry.payload else {
        return Ok(Err(PayloadState::None));
    };
    let Some(sealed) = stored.filter(|sealed| fits(sealed, &reference)) else {
        return Ok(Err(PayloadState::Missing));
    };
    Ok(match keys.lookup(&sealed.keys)? {
        Lookup::Erased => Err(PayloadState::Erased),
        Lookup::Unknown => Err(PayloadState::WrongKey),
        Lookup::Found(key) => {
            let key = SealKey { ids: sealed.keys.clone(), key };
            unseal(&key, entry, &sealed.bytes).ok_or(PayloadState::Missing)
        }
    })
}

/// All that can be said of a sealed payload without its key.
pub(crate) fn fits(sealed: &Sealed, reference: &PayloadRef) -> bool {
    sealed.bytes.len() as u64 == reference.sealed_len && sealed.bytes.len() >= NONCE_BYTES + Salt::BYTES + TAG_BYTES
}

fn unseal(key: &SealKey, entry: &Entry, sealed: &[u8]) -> Option<Opening> {
    let (nonce, cipher) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let text = Sealable { msg: cipher, aad: &place(entry.log, entry.run.as_ref(), &key.ids) };
    let clear =
        XChaCha20Poly1305::new(&(*key.key).into()).decrypt(&XNonce::from(*nonce), text).ok().map(Zeroizing::new)?;
    let (salt, bytes) = clear.split_first_chunk::<{ Salt::BYTES }>()?;
    let opening = Opening { salt: Salt::from_bytes(*salt), bytes: bytes.to_vec() };
    opening.fits(entry).then_some(opening)
}

/// Where a payload belongs, in one spelling.
fn place(log: LeafIndex, run: Option<&RunLink>, keys: &[u8]) -> Vec<u8> {
    let mut bytes = [DOMAIN, &log.get().to_be_bytes()].concat();
    match run {
        None => bytes.push(0),
        Some(run) => {
            bytes.push(1);
            bytes.extend_from_slice(run.id().as_bytes());
            bytes.extend_from_slice(&run.seq().to_be_bytes());
        }
    }
    bytes.extend_from_slice(keys);
    bytes
}
