//! What binds a proposal to the denial that it answers: a token that the denial gives out, and the proposal brings back.
//!
//! It says what was asked of whom and until when it may be answered, and is signed with a key that this process made for itself and
//! shows nobody: whoever asks and whoever takes the answer are one service. After a restart there is a new key, and questions are asked
//! again. It opens nothing: people sign the proposal's digest, as of any other.
//!
//! Source: the draft on access requests, "Denial Binding Claims"; RFC 7515, RFC 7519.

use std::sync::OnceLock;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sluice_core::contract::digest::to_hex;
use sluice_runtime::ledger::{LedgerError, random};

use super::wire::Asked;

/// How long a denial may be answered.
pub(super) const ANSWERED_WITHIN_MS: u64 = 10 * 60 * 1_000;
/// The longest name of a resource that a token tells.
const RESOURCE_BYTES_MAX: usize = 1_024;
/// The longest token: names of what is in the register, a resource, and digests.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// The key of this process.
#[derive(Default)]
pub(crate) struct Binding(OnceLock<[u8; 32]>);

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Denial {
    iss: String,
    aud: String,
    /// In seconds since 1970, as all such tokens have it.
    iat: u64,
    exp: u64,
    jti: String,
    /// The evaluation that was denied.
    pub(crate) evaluation_id: String,
    /// What of the context is bound: nothing of it.
    binding_context_members: [String; 0],
    subject: Entity,
    action: Action,
    resource: Entity,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entity {
    r#type: String,
    id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Action {
    name: String,
}

impl Denial {
    /// A denial of a question, given out by the service at `origin`. `None` where what it names is too long to be told again.
    pub(super) fn of(
        origin: &str,
        evaluation_id: &str,
        asked: &Asked,
        now_ms: u64,
    ) -> Result<Option<Self>, LedgerError> {
        if asked.resource.id.len() > RESOURCE_BYTES_MAX {
            return Ok(None);
        }
        let entity = |kind: &str, id: &str| Entity { r#type: kind.to_owned(), id: id.to_owned() };
        Ok(Some(Self {
            iss: origin.to_owned(),
            aud: origin.to_owned(),
            iat: now_ms / 1_000,
            exp: now_ms.saturating_add(ANSWERED_WITHIN_MS) / 1_000,
            jti: to_hex(&random::<16>()?),
            evaluation_id: evaluation_id.to_owned(),
            binding_context_members: [],
            subject: entity(&asked.subject.kind, &asked.subject.id),
            action: Action { name: asked.deed.name.clone() },
            resource: entity(&asked.resource.kind, &asked.resource.id),
        }))
    }

    /// In whose name the denied call would have been.
    pub(crate) fn subject(&self) -> &str {
        &self.subject.id
    }

    /// `connector.action` of the denied call.
    pub(crate) fn action(&self) -> &str {
        &self.action.name
    }

    /// Until when it may be answered, in seconds since 1970.
    pub(super) const fn expires_s(&self) -> u64 {
        self.exp
    }
}

/// Why a token does not bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unbound {
    /// It is none of this process.
    Foreign,
    /// It came too late.
    TooLate,
}

impl Binding {
    fn key(&self) -> Result<&[u8; 32], LedgerError> {
        let new = random()?;
        Ok(self.0.get_or_init(|| new))
    }

    /// Writes a denial as a token (JWS in compact form).
    pub(super) fn token(&self, denial: &Denial) -> Result<Option<String>, LedgerError> {
        Ok(encode(&Header::new(Algorithm::HS256), denial, &EncodingKey::from_secret(self.key()?)).ok())
    }

    /// The denial of a token that this very service gave out, if it may still be answered.
    pub(crate) fn denial(&self, token: &str, origin: &str, now_ms: u64) -> Result<Denial, Unbound> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Unbound::Foreign);
        }
        let key = self.key().map_err(|_| Unbound::Foreign)?;
        let mut wanted = Validation::new(Algorithm::HS256);
        wanted.set_audience(&[origin]);
        wanted.set_issuer(&[origin]);
        wanted.set_required_spec_claims(&["exp", "aud", "iss"]);
        // The ledger's clock says what is too late, and not the machine's.
        wanted.validate_exp = false;
        let read = decode::<Denial>(token, &DecodingKey::from_secret(key), &wanted).map_err(|_| Unbound::Foreign)?;
        if now_ms / 1_000 < read.claims.exp { Ok(read.claims) } else { Err(Unbound::TooLate) }
    }
}

#[cfg(test)]
mod tests {
    use sluice_policy::guest::{Deed, Thing};

    use super::*;

    const ORIGIN: &str = "https://sluice.example.com";

    fn asked(resource: &str) -> Asked {
        let thing = |kind: &str, id: &str| Thing { kind: kind.into(), id: id.into(), properties: Default::default() };
        let deed = Deed { name: "mail.send".into(), properties: Default::default(), context: Default::default() };
        Asked { subject: thing("person", "ben"), deed, resource: thing("destination", resource) }
    }

    #[test]
    fn a_token_binds_what_was_denied_until_it_is_too_late_and_at_the_service_that_gave_it_out() {
        let binding = Binding::default();
        let denial = Denial::of(ORIGIN, "e1", &asked("partner"), 1_000_000).unwrap().unwrap();
        let token = binding.token(&denial).unwrap().unwrap();
        let read = |token: &str, origin: &str, now_ms| binding.denial(token, origin, now_ms);
        let told = read(&token, ORIGIN, 1_000_000).unwrap();
        assert_eq!((told.subject(), told.action(), told.evaluation_id.as_str()), ("ben", "mail.send", "e1"));
        assert_eq!(read(&token, ORIGIN, 1_000_000 + ANSWERED_WITHIN_MS), Err(Unbound::TooLate));
        assert_eq!(read(&token, "https://other.example.com", 1_000_000), Err(Unbound::Foreign));
        assert_eq!(Binding::default().denial(&token, ORIGIN, 1_000_000), Err(Unbound::Foreign), "another process");
    }

    #[test]
    fn a_token_that_was_changed_or_made_elsewhere_binds_nothing() {
        let binding = Binding::default();
        let denial = Denial::of(ORIGIN, "e1", &asked("partner"), 0).unwrap().unwrap();
        let token = binding.token(&denial).unwrap().unwrap();
        let none = Header { alg: Algorithm::HS512, ..Header::default() };
        let other = encode(&none, &denial, &EncodingKey::from_secret(binding.key().unwrap())).unwrap();
        let mut parts: Vec<&str> = token.split('.').collect();
        let unsigned = [parts[0], parts[1], ""].join(".");
        let said = parts[1].replace('a', "b");
        parts[1] = &said;
        for wrong in ["", "x", "a.b.c", &other, &unsigned, &parts.join("."), &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert_eq!(binding.denial(wrong, ORIGIN, 0), Err(Unbound::Foreign), "{wrong}");
        }
        assert_eq!(Denial::of(ORIGIN, "e1", &asked(&"x".repeat(RESOURCE_BYTES_MAX + 1)), 0).unwrap(), None);
    }
}
