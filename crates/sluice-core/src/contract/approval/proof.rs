//! How a statement shows that its approver made it: a key file's signature, or a passkey's answer.

use sluice_passkey::{Assertion, Passkey, RelyingParty};

use super::{SIGNED_STATEMENT_DOMAIN, Statement};
use crate::contract::canonical::{Decoder, Encoder};
use crate::contract::digest::Digest;
use crate::contract::key::{PublicKey, SecretKey, Signature};
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
        match &self.proof {
            Proof::KeyFile { key, signature } => out.bytes(&key.0).bytes(&signature.0),
            Proof::Passkey { id, answer } => {
                out.bytes(id).bytes(&answer.client_data).bytes(&answer.authenticator_data).bytes(&answer.signature)
            }
        };
        out.finish()
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`super::Refusal::Malformed`] if they are no signed statement.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, super::Refusal> {
        Self::of_key_file(bytes).or_else(|| Self::of_passkey(bytes)).ok_or(super::Refusal::Malformed)
    }

    fn of_key_file(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(SIGNED_STATEMENT_DOMAIN, bytes)?;
        let statement = Statement::from_bytes(input.bytes()?)?;
        let proof = Proof::KeyFile { key: PublicKey(input.array()?), signature: Signature(input.array()?) };
        input.end()?;
        Some(Self { statement, proof })
    }

    fn of_passkey(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(PASSKEY_STATEMENT_DOMAIN, bytes)?;
        let statement = Statement::from_bytes(input.bytes()?)?;
        let id = input.bytes()?.to_vec();
        let answer = Assertion {
            client_data: input.bytes()?.to_vec(),
            authenticator_data: input.bytes()?.to_vec(),
            signature: input.bytes()?.to_vec(),
        };
        input.end()?;
        Some(Self { statement, proof: Proof::Passkey { id, answer } })
    }
}
