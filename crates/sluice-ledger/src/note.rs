//! C2SP signed notes: a text, and signatures of it by named keys.
//!
//! The text of a note is out of reach until a key that the caller trusts has signed it: [`open`] is
//! the only way to a [`Note`].
//!
//! Source: <https://c2sp.org/signed-note>.

mod error;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use error::NoteError;
use key::Signed;
pub use key::{KEY_NAME_BYTES_MAX, KeyId, KeyName, KeyTextError, SignerKey, TIME_S_MAX, VerifierKey, WitnessKey};

/// The longest note: room for 32 post-quantum signatures of 5 kB, and for any checkpoint.
pub const NOTE_BYTES_MAX: usize = 256 << 10;

/// The most signatures a note may have; the specification asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 32;

/// What a signature line begins with.
const SIGNATURE_START: &str = "\u{2014} ";

/// A text that at least one trusted key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signers: Vec<Signer>,
}

/// A trusted key that signed a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Its name.
    pub name: KeyName,
    /// Its id.
    pub id: KeyId,
    /// For a witness: when it last saw the note, in seconds since 1970. A log's signature has no time.
    pub witnessed_at_s: Option<u64>,
}

impl Note {
    /// The signed text, with its last line break.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The trusted keys that signed it, in the order of their signatures, each once.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}

/// Checks the signatures of a note.
///
/// Signatures by keys that are not in `trusted` are passed over, as the specification asks: a new
/// witness must not break an old reader. One by a trusted key that is wrong refuses the whole note.
///
/// # Errors
/// [`NoteError`]: not a note, no trusted signature, or a false one.
pub fn open(note: &[u8], trusted: &[VerifierKey]) -> Result<Note, NoteError> {
    let parsed = parse(note)?;
    let mut signers: Vec<Signer> = Vec::new();
    for signature in &parsed.signatures {
        let Some(key) = trusted.iter().find(|key| signature.is_by(key)) else { continue };
        let witnessed_at_s = match key.check(parsed.text, &signature.bytes) {
            Some(Signed::Text) => None,
            Some(Signed::At(time_s)) => Some(time_s),
            None => return Err(NoteError::FalseSignature { name: key.name().clone() }),
        };
        match signers.iter_mut().find(|signer| signature.is_by_name(signer.name.as_str(), signer.id)) {
            Some(known) => known.witnessed_at_s = known.witnessed_at_s.max(witnessed_at_s),
            None => signers.push(Signer { name: key.name().clone(), id: key.id(), witnessed_at_s }),
        }
    }
    if signers.is_empty() {
        return Err(NoteError::NoTrustedSignature);
    }
    Ok(Note { text: parsed.text.to_owned(), signers })
}

/// Signs a text, and gives the note.
///
/// # Errors
/// [`NoteError`] if the text cannot be the text of a note, or there is no signer or are too many.
pub fn sign(text: &str, signers: &[&SignerKey]) -> Result<String, NoteError> {
    let mut note = format!("{text}\n");
    for signer in signers {
        push_signature(&mut note, signer.verifier(), &signer.sign(text));
    }
    // The reader's rules are the writer's: what it would not take is not given out.
    if parse(note.as_bytes())?.text != text {
        return Err(NoteError::Text);
    }
    Ok(note)
}

/// Adds a witness's signature to a note: what it saw, and when.
///
/// A witness does this only for a checkpoint that it opened, and found consistent with the last one of
/// that log that it signed.
///
/// # Errors
/// [`NoteError`] if it is no note, has no room for a signature, or the time is past [`TIME_S_MAX`].
pub fn cosign(note: &str, witness: &WitnessKey, time_s: u64) -> Result<String, NoteError> {
    if time_s > TIME_S_MAX {
        return Err(NoteError::Time);
    }
    let signature = witness.sign(parse(note.as_bytes())?.text, time_s);
    let mut note = note.to_owned();
    push_signature(&mut note, witness.verifier(), &signature);
    parse(note.as_bytes())?;
    Ok(note)
}

fn push_signature(note: &mut String, key: &VerifierKey, signature: &[u8]) {
    note.push_str(SIGNATURE_START);
    note.push_str(key.name().as_str());
    note.push(' ');
    STANDARD.encode_string([&key.id().get().to_be_bytes(), signature].concat(), note);
    note.push('\n');
}

/// A note whose signatures nobody has looked at.
struct Parsed<'n> {
    text: &'n str,
    signatures: Vec<Signature<'n>>,
}

struct Signature<'n> {
    name: &'n str,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature<'_> {
    fn is_by(&self, key: &VerifierKey) -> bool {
        self.is_by_name(key.name().as_str(), key.id())
    }

    fn is_by_name(&self, name: &str, id: KeyId) -> bool {
        self.name == name && self.id == id.get()
    }
}

fn parse(note: &[u8]) -> Result<Parsed<'_>, NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    let note = std::str::from_utf8(note).map_err(|_| NoteError::Text)?;
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::Text);
    }
    // The last empty line parts text and signatures; the text keeps its own line break.
    let cut = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
    let (text, signatures) = note.split_at_checked(cut + 1).ok_or(NoteError::NoSignatures)?;
    let signatures = signatures.strip_prefix('\n').ok_or(NoteError::NoSignatures)?;
    let signatures = signatures.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
    if signatures.split('\n').count() > NOTE_SIGNATURES_MAX {
        return Err(NoteError::TooManySignatures);
    }
    let signatures = signatures.split('\n').map(signature).collect::<Result<_, _>>()?;
    Ok(Parsed { text, signatures })
}

fn signature(line: &str) -> Result<Signature<'_>, NoteError> {
    let rest = line.strip_prefix(SIGNATURE_START).ok_or(NoteError::SignatureLine)?;
    let (name, base64) = rest.split_once(' ').ok_or(NoteError::SignatureLine)?;
    KeyName::new(name).map_err(|_| NoteError::SignatureLine)?;
    let bytes = STANDARD.decode(base64).map_err(|_| NoteError::SignatureLine)?;
    let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::SignatureLine)?;
    if bytes.is_empty() {
        return Err(NoteError::SignatureLine);
    }
    Ok(Signature { name, id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests;
