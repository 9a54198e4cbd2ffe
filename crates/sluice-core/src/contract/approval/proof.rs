//! How a statement shows that its approver made it: a key file's signature, or a passkey's answer.

use sluice_passkey::{Assertion, Passkey, RelyingParty};

use super::{Refusal, SIGNED_STATEMENT_DOMAIN, Statement};
use crate::contract::canonical::{Decoder, Encoder};
use crate::contract::digest::Digest;
use crate::contract::key::{PublicKey, SecretKey, Signature};
use crate::contract::principals::{Kind, Principals};
use crate::contract::workspace::Mode;
use crate::label::Name;

/// The text that starts the bytes of a statement with a passkey's answer: what is stored.
pub const PASSKEY_STATEMENT_DOMAIN: &str = "sluice passkey approval 1";

/// A statement with a proof that may or may not hold: [`super::Question::judge`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedStatement {
    /// What is said.
    pub statement: Statement,
    /// Who showed it.
    pub proof: Proof,
}

/// What shows that a person said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A signature with a key from a file, over the statement's canonical bytes.
    KeyFile {
        /// Under which key.
        key: PublicKey,
        /// Over the canonical bytes.
        signature: Signature,
    },
    /// A device's answer to [`Statement::challenge`].
    Passkey {
        /// The passkey's name, made by its device.
        id: Vec<u8>,
        /// All that the device answered.
        answer: Assertion,
    },
}

/// A passkey that stands for a person of this workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Whose.
    pub person: Name,
    /// What its answers are checked with.
    pub passkey: Passkey,
    /// The console at which it was made: its answers are for nobody else.
    pub party: RelyingParty,
}

/// Who there is in a workspace, and what stands for them.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How serious the workspace is.
    pub mode: Mode,
    /// Who there is.
    pub principals: &'a Principals,
    /// Whose passkeys count.
    pub passkeys: &'a [Enrolled],
}

impl Known<'_> {
    /// Whether `person` is one of this workspace, and made a proof over `bytes`.
    pub(super) fn judge(&self, person: &Name, bytes: &[u8], proof: &Proof) -> Result<(), Refusal> {
        if matches!(proof, Proof::KeyFile { .. }) && !self.mode.accepts_key_files() {
            return Err(Refusal::KeyFileInProduction(self.mode));
        }
        self.judge_person(person)?;
        match proof {
            Proof::KeyFile { key, signature } => self.judge_key(person, bytes, *key, signature),
            Proof::Passkey { id, answer } => self.judge_passkey(person, bytes, id, answer),
        }
    }

    /// Whether somebody is a person of the register.
    pub(super) fn judge_person(&self, person: &Name) -> Result<(), Refusal> {
        match self.principals.kind(person) {
            None => Err(Refusal::Nobody(person.clone())),
            Some(Kind::Person) => Ok(()),
            Some(kind) => Err(Refusal::NotAPerson { approver: person.clone(), kind }),
        }
    }

    fn judge_key(&self, name: &Name, bytes: &[u8], key: PublicKey, signature: &Signature) -> Result<(), Refusal> {
        let person = self.principals.persons.get(name);
        if !person.is_some_and(|p| p.keys.iter().any(|known| known.value == key)) {
            return Err(Refusal::UnknownKey(name.clone()));
        }
        if key.verifies(bytes, signature) { Ok(()) } else { Err(Refusal::BadSignature) }
    }

    fn judge_passkey(&self, name: &Name, bytes: &[u8], id: &[u8], answer: &Assertion) -> Result<(), Refusal> {
        let is_theirs = |e: &&Enrolled| e.person == *name && e.passkey.id == id;
        let enrolled = self.passkeys.iter().find(is_theirs).ok_or_else(|| Refusal::UnknownPasskey(name.clone()))?;
        let counter = enrolled.party.verify(&enrolled.passkey, answer, &Digest::of(bytes).0);
        counter.map(drop).map_err(Refusal::Passkey)
    }
}

impl Proof {
    /// Writes it behind what it shows.
    pub(super) fn write(&self, out: &mut Encoder) {
        match self {
            Self::KeyFile { key, signature } => out.bytes(&key.0).bytes(&signature.0),
            Self::Passkey { id, answer } => {
                out.bytes(id).bytes(&answer.client_data).bytes(&answer.authenticator_data).bytes(&answer.signature)
            }
        };
    }

    /// Reads a key file's signature, and the end.
    pub(super) fn of_key_file(mut input: Decoder<'_>) -> Option<Self> {
        let proof = Self::KeyFile { key: PublicKey(input.array()?), signature: Signature(input.array()?) };
        input.end()?;
        Some(proof)
    }

    /// Reads a passkey's answer, and the end.
    pub(super) fn of_passkey(mut input: Decoder<'_>) -> Option<Self> {
        let id = input.bytes()?.to_vec();
        let answer = Assertion {
            client_data: input.bytes()?.to_vec(),
            authenticator_data: input.bytes()?.to_vec(),
            signature: input.bytes()?.to_vec(),
        };
        input.end()?;
        Some(Self::Passkey { id, answer })
    }
}

impl Statement {
    /// What a passkey is asked to answer: the digest of the canonical bytes.
    #[must_use]
    pub fn challenge(&self) -> [u8; 32] {
        Digest::of(&self.to_bytes()).0
    }

    /// Signs it with a key from a file.
    #[must_use]
    pub fn sign(self, key: &SecretKey) -> SignedStatement {
        let signature = key.sign(&self.to_bytes());
        SignedStatement { statement: self, proof: Proof::KeyFile { key: key.public(), signature } }
    }
}

impl SignedStatement {
    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let statement = self.statement.to_bytes();
        let mut out = match &self.proof {
            Proof::KeyFile { .. } => Encoder::new(SIGNED_STATEMENT_DOMAIN),
            Proof::Passkey { .. } => Encoder::new(PASSKEY_STATEMENT_DOMAIN),
        };
        out.bytes(&statement);
        self.proof.write(&mut out);
        out.finish()
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if they are no signed statement.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::of_key_file(bytes).or_else(|| Self::of_passkey(bytes)).ok_or(Refusal::Malformed)
    }

    fn of_key_file(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(SIGNED_STATEMENT_DOMAIN, bytes)?;
        Some(Self { statement: Statement::from_bytes(input.bytes()?)?, proof: Proof::of_key_file(input)? })
    }

    fn of_passkey(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(PASSKEY_STATEMENT_DOMAIN, bytes)?;
        Some(Self { statement: Statement::from_bytes(input.bytes()?)?, proof: Proof::of_passkey(input)? })
    }
}
