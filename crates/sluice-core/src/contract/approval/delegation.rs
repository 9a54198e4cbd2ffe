//! Delegations: somebody lets another person speak in their place, until a date.
//!
//! What is delegated is what the delegator has at the moment when the word is judged, and nothing else: who left a group gives
//! nothing of it any more. It goes no further than to the one it names.

use super::{Known, Nonce, Proof, Refusal};
use crate::contract::canonical::{Decoder, Encoder};
use crate::contract::digest::Digest;
use crate::contract::key::SecretKey;
use crate::label::Name;

/// The text that starts a delegation's canonical bytes: what is signed.
pub const DELEGATION_DOMAIN: &str = "sluice delegation 1";
/// The text that starts the bytes of a delegation with a key file's signature: what is stored.
pub const SIGNED_DELEGATION_DOMAIN: &str = "sluice signed delegation 1";
/// The same with a passkey's answer.
pub const PASSKEY_DELEGATION_DOMAIN: &str = "sluice passkey delegation 1";

/// The longest time that somebody delegates for: a quarter. Longer than that it is a matter of the register.
pub const DELEGATION_MS_MAX: u64 = 92 * 24 * 60 * 60 * 1_000;

/// What somebody does with their own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Lets another person speak in their place.
    Give {
        /// To whom.
        to: Name,
        /// Of what, as the policy names it: `owner-of:payload`, `group:it`; of all that they are asked if there is none.
        role: Option<Name>,
        /// From when, in milliseconds since 1970.
        from_ms: u64,
        /// Until when.
        until_ms: u64,
    },
    /// Takes it back.
    End {
        /// The nonce of the delegation.
        of: Nonce,
    },
}

/// What somebody signs about their own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Whose word it is.
    pub by: Name,
    /// What they do with it.
    pub act: Act,
    /// Used once.
    pub nonce: Nonce,
}

/// A delegation with a proof that may or may not hold: [`SignedDelegation::judge`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDelegation {
    /// What is said.
    pub delegation: Delegation,
    /// Who showed it.
    pub proof: Proof,
}

/// A delegation that somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    /// In whose place.
    pub by: Name,
    /// Who speaks.
    pub to: Name,
    /// Of what; of all that `by` is asked if there is none.
    pub role: Option<Name>,
    /// From when, in milliseconds since 1970.
    pub from_ms: u64,
    /// Until when; earlier if it was taken back.
    pub until_ms: u64,
    /// By which it is taken back.
    pub nonce: Nonce,
}

impl Delegated {
    /// Whether it is for this role.
    #[must_use]
    pub fn covers(&self, role: &Name) -> bool {
        self.role.as_ref().is_none_or(|of| of == role)
    }

    /// Whether it counts at `now_ms`.
    #[must_use]
    pub const fn is_in_force(&self, now_ms: u64) -> bool {
        self.from_ms <= now_ms && now_ms < self.until_ms
    }
}

impl Delegation {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::new(DELEGATION_DOMAIN);
        out.text(&self.by);
        match &self.act {
            Act::Give { to, role, from_ms, until_ms } => {
                out.text("give").text(to).optional(role.as_deref(), |out, role| _ = out.text(role));
                out.number(*from_ms).number(*until_ms);
            }
            Act::End { of } => _ = out.text("end").bytes(&of.0),
        }
        out.bytes(&self.nonce.0);
        out.finish()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(DELEGATION_DOMAIN, bytes)?;
        let by = input.text()?.into();
        let act = match input.text()? {
            "give" => {
                let to = input.text()?.into();
                let role = input.optional(|input| Some(Name::from(input.text()?)))?;
                Act::Give { to, role, from_ms: input.number()?, until_ms: input.number()? }
            }
            "end" => Act::End { of: Nonce(input.array()?) },
            _ => return None,
        };
        let nonce = Nonce(input.array()?);
        input.end()?;
        Some(Self { by, act, nonce })
    }

    /// Whether anybody could say so: to somebody else, for a time, and not for too long.
    ///
    /// # Errors
    /// [`Refusal::Delegation`] says what does not fit.
    pub fn fits(&self) -> Result<(), Refusal> {
        let Act::Give { to, from_ms, until_ms, .. } = &self.act else { return Ok(()) };
        if *to == self.by {
            return Err(Refusal::Delegation("nobody delegates to themselves"));
        }
        match until_ms.checked_sub(*from_ms) {
            None | Some(0) => Err(Refusal::Delegation("it ends before it begins")),
            Some(span) if span > DELEGATION_MS_MAX => Err(Refusal::Delegation("it is for longer than 92 days")),
            Some(_) => Ok(()),
        }
    }

    /// What a passkey is asked to answer: the digest of the canonical bytes.
    #[must_use]
    pub fn challenge(&self) -> [u8; 32] {
        Digest::of(&self.to_bytes()).0
    }

    /// Signs it with a key from a file.
    #[must_use]
    pub fn sign(self, key: &SecretKey) -> SignedDelegation {
        let signature = key.sign(&self.to_bytes());
        SignedDelegation { delegation: self, proof: Proof::KeyFile { key: key.public(), signature } }
    }
}

impl SignedDelegation {
    /// Whether the person whose word it is said so, and may.
    ///
    /// # Errors
    /// [`Refusal`]: the first reason why it does not count.
    pub fn judge(&self, known: &Known<'_>) -> Result<(), Refusal> {
        let Delegation { by, act, .. } = &self.delegation;
        known.judge(by, &self.delegation.to_bytes(), &self.proof)?;
        if let Act::Give { to, .. } = act {
            known.judge_person(to)?;
        }
        self.delegation.fits()
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = match &self.proof {
            Proof::KeyFile { .. } => Encoder::new(SIGNED_DELEGATION_DOMAIN),
            Proof::Passkey { .. } => Encoder::new(PASSKEY_DELEGATION_DOMAIN),
        };
        out.bytes(&self.delegation.to_bytes());
        self.proof.write(&mut out);
        out.finish()
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if they are no signed delegation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::of_key_file(bytes).or_else(|| Self::of_passkey(bytes)).ok_or(Refusal::Malformed)
    }

    fn of_key_file(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(SIGNED_DELEGATION_DOMAIN, bytes)?;
        Some(Self { delegation: Delegation::from_bytes(input.bytes()?)?, proof: Proof::of_key_file(input)? })
    }

    fn of_passkey(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(PASSKEY_DELEGATION_DOMAIN, bytes)?;
        Some(Self { delegation: Delegation::from_bytes(input.bytes()?)?, proof: Proof::of_passkey(input)? })
    }
}
