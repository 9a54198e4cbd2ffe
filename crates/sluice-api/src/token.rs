//! Random texts that open something: shown once, kept as their digest.

use sha2::{Digest as _, Sha256};
use sluice_core::contract::digest::to_hex;
use sluice_runtime::ledger::{LedgerError, random};

/// The digest of a text under which it is kept.
pub(crate) type Kept = [u8; 32];

/// A new text of 256 random bits, in hexadecimal digits.
pub(crate) fn fresh() -> Result<String, LedgerError> {
    Ok(to_hex(&random::<32>()?))
}

/// A new text of 128 random bits, for links that people copy: it serves once, or as long as a demo.
pub(crate) fn code() -> Result<String, LedgerError> {
    Ok(to_hex(&random::<16>()?))
}

/// What is kept of a text.
pub(crate) fn kept(text: &str) -> Kept {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether two texts are the same, in a time that does not tell how much of them is.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    kept(one) == kept(other)
}
