//! Why a note is no note.

use thiserror::Error;

use super::key::KeyName;
use super::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};

/// Why a note was not opened or signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// SL620. Help: UTF-8 with no control characters but line breaks, the last one at the end.
    #[error("not the text of a note")]
    Text,
    /// SL620. Help: a note ends in an empty line and one or more signature lines.
    #[error("the note has no signatures")]
    NoSignatures,
    /// SL620. Help: `— name base64`, one per line.
    #[error("a signature line of the note is malformed")]
    SignatureLine,
    /// SL621. Help: notes are short; this is something else.
    #[error("longer than the {NOTE_BYTES_MAX} bytes that a note may have")]
    TooLong,
    /// SL621. Help: leave out signatures of keys that nobody here trusts.
    #[error("more than the {NOTE_SIGNATURES_MAX} signatures that a note may have")]
    TooManySignatures,
    /// SL620. Help: seconds since 1970, below 2⁶³.
    #[error("not a time that a witness can state")]
    Time,
    /// SL623. Help: compare the key you trust with the one that the log shows.
    #[error("no trusted key has signed the note")]
    NoTrustedSignature,
    /// SL624. Help: the note was changed after it was signed.
    #[error("the signature of `{name}` is false")]
    FalseSignature {
        /// The trusted key whose signature it claims to be.
        name: KeyName,
    },
}

impl NoteError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text | Self::NoSignatures | Self::SignatureLine | Self::Time => "SL620",
            Self::TooLong | Self::TooManySignatures => "SL621",
            Self::NoTrustedSignature => "SL623",
            Self::FalseSignature { .. } => "SL624",
        }
    }
}
