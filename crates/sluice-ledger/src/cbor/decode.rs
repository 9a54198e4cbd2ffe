//! Reading, and refusing every spelling but the one.

use minicbor::data::Type;
use minicbor::decode::Decoder;
use thiserror::Error;

use super::encode::encode;
use super::map::{Key, Map};
use super::value::{Integer, Value};

/// How much a text may ask of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, in bytes; it also bounds the number of values.
    pub bytes: usize,
    /// How deep arrays and maps may lie in each other; the reader recurses that often.
    pub depth: usize,
}

impl Limits {
    /// For the entry of a log: what a tlog-tiles bundle can hold, and shallow enough for a person.
    pub const ENTRY: Self = Self { bytes: crate::entry::ENTRY_BYTES_MAX, depth: 16 };
    /// For what is sealed beside an entry: values of a workflow, so as deep as those.
    pub const PAYLOAD: Self = Self { bytes: 16 << 20, depth: 128 };
}

/// Reads one value that fills the whole of `bytes`.
///
/// # Errors
/// [`CborError`]: too much, not CBOR, not of the subset, or not the deterministic spelling.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Value, CborError> {
    if bytes.len() > limits.bytes {
        return Err(CborError::TooLong { limit: limits.bytes });
    }
    let mut reader = Reader { decoder: Decoder::new(bytes) };
    let value = reader.value(limits.depth)?;
    let end = reader.decoder.position();
    if end != bytes.len() {
        return Err(CborError::Trailing { at: end });
    }
    let canonical = encode(&value);
    match canonical.iter().zip(bytes).position(|(ours, theirs)| ours != theirs) {
        Some(at) => Err(CborError::NotDeterministic { at }),
        None if canonical.len() != bytes.len() => Err(CborError::NotDeterministic { at: canonical.len() }),
        None => Ok(value),
    }
}

struct Reader<'b> {
    decoder: Decoder<'b>,
}

impl Reader<'_> {
    /// `depth` is how many arrays or maps may still be opened.
    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        let at = self.decoder.position();
        let malformed = |_| CborError::Malformed { at };
        match self.decoder.datatype().map_err(malformed)? {
            Type::Null => self.decoder.null().map(|()| Value::Null).map_err(malformed),
            Type::Bool => self.decoder.bool().map(Value::Bool).map_err(malformed),
            Type::Bytes => self.decoder.bytes().map(|bytes| Value::Bytes(bytes.to_vec())).map_err(malformed),
            Type::String => self.decoder.str().map(Value::from).map_err(malformed),
            Type::Array => self.array(depth),
            Type::Map => self.map(depth),
            number if is_integer(number) => {
                let number = self.decoder.int().map_err(malformed)?;
                Integer::new(number.into()).map(Value::Int).ok_or(CborError::Unsupported { at })
            }
            Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef => {
                Err(CborError::NotDeterministic { at })
            }
            _ => Err(CborError::Unsupported { at }),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, CborError> {
        let at = self.decoder.position();
        let depth = depth.checked_sub(1).ok_or(CborError::TooDeep { at })?;
        let len = definite(self.decoder.array(), at)?;
        // No capacity in advance: the length is the author's claim, the bytes are what they paid.
        let mut values = Vec::new();
        for _ in 0..len {
            values.push(self.value(depth)?);
        }
        Ok(Value::Array(values))
    }

    fn map(&mut self, depth: usize) -> Result<Value, CborError> {
        let at = self.decoder.position();
        let depth = depth.checked_sub(1).ok_or(CborError::TooDeep { at })?;
        let len = definite(self.decoder.map(), at)?;
        let mut map = Map::new();
        for _ in 0..len {
            let at = self.decoder.position();
            let key = self.key()?;
            if map.last_key().is_some_and(|last| *last >= key) {
                return Err(CborError::KeyOrder { at });
            }
            let value = self.value(depth)?;
            map.insert(key, value);
        }
        Ok(Value::Map(map))
    }

    fn key(&mut self) -> Result<Key, CborError> {
        let at = self.decoder.position();
        let malformed = |_| CborError::Malformed { at };
        match self.decoder.datatype().map_err(malformed)? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => self.decoder.u64().map(Key::Int).map_err(malformed),
            Type::String => self.decoder.str().map(Key::from).map_err(malformed),
            _ => Err(CborError::Unsupported { at }),
        }
    }
}

fn is_integer(kind: Type) -> bool {
    matches!(
        kind,
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int
    )
}

fn definite(len: Result<Option<u64>, minicbor::decode::Error>, at: usize) -> Result<u64, CborError> {
    len.map_err(|_| CborError::Malformed { at })?.ok_or(CborError::NotDeterministic { at })
}

/// Why bytes are not a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CborError {
    /// SL604. Help: the bytes were written by something that does not keep the format's rules, or changed.
    #[error("byte {at}: not the shortest spelling that deterministic CBOR asks for")]
    NotDeterministic {
        /// The first byte that would have been written otherwise.
        at: usize,
    },
    /// SL604. Help: as above.
    #[error("byte {at}: a map key is out of order or there twice")]
    KeyOrder {
        /// Where the key begins.
        at: usize,
    },
    /// SL605. Help: the bytes were cut or changed.
    #[error("byte {at}: not CBOR, or cut short")]
    Malformed {
        /// Where reading stopped.
        at: usize,
    },
    /// SL605. Help: as above.
    #[error("byte {at}: bytes left over after the value")]
    Trailing {
        /// Where the value ended.
        at: usize,
    },
    /// SL605. Help: no floats, tags, undefined values or streamed strings; whole numbers from −2⁶³ to 2⁶⁴−1.
    #[error("byte {at}: a kind of value that the format does not have")]
    Unsupported {
        /// Where the value begins.
        at: usize,
    },
    /// SL606. Help: put large values into the payload.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// SL606. Help: put nested values into the payload.
    #[error("byte {at}: arrays and maps lie too deep in each other")]
    TooDeep {
        /// Where the value begins that is one too many.
        at: usize,
    },
}

impl CborError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotDeterministic { .. } | Self::KeyOrder { .. } => "SL604",
            Self::Malformed { .. } | Self::Trailing { .. } | Self::Unsupported { .. } => "SL605",
            Self::TooLong { .. } | Self::TooDeep { .. } => "SL606",
        }
    }
}
