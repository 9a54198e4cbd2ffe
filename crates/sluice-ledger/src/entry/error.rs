//! Why an entry was not written or read.

use thiserror::Error;

use crate::cbor::{CborError, Key};

/// Why an entry was not written or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryError {
    /// SL601. Help: the log was written by a newer Sluice; read it with that one.
    #[error("entry layout {version} is not known here")]
    UnknownVersion {
        /// The version that the entry states.
        version: u64,
    },
    /// SL602. Help: the bytes were changed, or are no entry.
    #[error("an entry is a map")]
    NotAMap,
    /// SL602. Help: as above.
    #[error("field {key} of the entry is missing")]
    MissingField {
        /// Its number in the layout.
        key: u64,
    },
    /// SL602. Help: as above.
    #[error("field {key} of the entry is not of its type")]
    FieldType {
        /// Its number in the layout.
        key: u64,
    },
    /// SL602. Help: as above.
    #[error("the entry has a field `{key}` that its layout does not know")]
    UnknownField {
        /// The key as it stands there.
        key: Key,
    },
    /// SL603. Help: a name of 1 to 32 of the characters `a-z 0-9 _ - .`.
    #[error("`{key}` cannot name a field of an entry's body")]
    BodyKey {
        /// The key as it was given.
        key: Key,
    },
    /// SL607. Help: the first entry of a run follows none, and every other one follows one.
    #[error("the first entry of a run cannot follow another one")]
    RunChain,
    /// SL604 to SL606, as the text's own error says.
    #[error("the entry is not deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
}

impl EntryError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownVersion { .. } => "SL601",
            Self::NotAMap | Self::MissingField { .. } | Self::FieldType { .. } | Self::UnknownField { .. } => "SL602",
            Self::BodyKey { .. } => "SL603",
            Self::RunChain => "SL607",
            Self::Cbor(error) => error.code(),
        }
    }
}
