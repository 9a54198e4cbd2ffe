//! Access tokens that a provider gave out for us: RFC 9068, and the claims that providers had before it.
//!
//! A token counts for the audience it was given for and nowhere else (RFC 8707): one that was given for another service, or
//! to log somebody in, opens nothing here.

use std::collections::BTreeSet;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value as Json;
use sluice_core::contract::Principals;
use sluice_core::label::Name;
use thiserror::Error;

use crate::issuer::{Issuer, IssuerError};

/// Longest token.
const TOKEN_BYTES_MAX: usize = 16 << 10;
/// How far the clocks of provider and gateway may be apart, in seconds.
const LEEWAY_S: u64 = 30;
/// Signatures by a key that only the provider has. Never one by a key that both have.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Takes access tokens for one resource from one provider.
pub struct AccessTokens {
    issuer: Issuer,
    resource: String,
}

/// What a token says, once it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The provider's name for whom it is.
    pub subject: String,
    /// The program that it was given to.
    pub client: Option<String>,
    /// What it was given for.
    pub scopes: BTreeSet<String>,
}

/// Why a token does not count.
#[derive(Debug, Error)]
pub enum AccessError {
    /// SL983. It is none, is not ours, has expired, or nobody vouches for it. Callers learn no more than this.
    #[error("SL983: the access token does not count: {0}")]
    Token(&'static str),
    /// SL984. It counts, and means nobody of the register.
    #[error("SL984: `{subject}` of `{issuer}` is nobody of the principals register")]
    Nobody {
        /// The provider.
        issuer: String,
        /// Its name for them.
        subject: String,
    },
    /// The provider's keys cannot be had, so nothing counts.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    client_id: Option<String>,
    azp: Option<String>,
    scope: Option<String>,
    scp: Option<Json>,
    cnf: Option<Json>,
}

impl AccessTokens {
    /// Takes tokens of `issuer` whose audience is `resource`.
    #[must_use]
    pub const fn new(issuer: Issuer, resource: String) -> Self {
        Self { issuer, resource }
    }

    /// The provider.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The address of the service that tokens are for.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// What a token says.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn read(&self, token: &str) -> Result<Access, AccessError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AccessError::Token("it is too long"));
        }
        let header = decode_header(token).map_err(|_| AccessError::Token("it is no signed token"))?;
        let is_access = |kind: &str| {
            let kind = kind.to_ascii_lowercase();
            matches!(kind.strip_prefix("application/").unwrap_or(&kind), "at+jwt" | "jwt")
        };
        if !header.typ.as_deref().is_none_or(is_access) {
            return Err(AccessError::Token("it is a token of another kind"));
        }
        if !ALGORITHMS.contains(&header.alg) {
            return Err(AccessError::Token("it is not signed by a key that only its provider has"));
        }
        if header.crit.is_some() {
            return Err(AccessError::Token("it wants something to be understood that is not"));
        }
        let keys = self.issuer.keys(header.kid.as_deref(), header.alg).await?;
        let claims = self.claims(token, header.alg, &keys)?;
        if claims.cnf.is_some() {
            // Taking it without the proof would make a bearer's token of one that is none.
            return Err(AccessError::Token("it is bound to a key whose possession is not shown"));
        }
        let scopes = claims.scope.as_deref().unwrap_or_default().split(' ').filter(|scope| !scope.is_empty());
        let listed = claims.scp.as_ref().and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        Ok(Access {
            subject: claims.sub,
            client: claims.client_id.or(claims.azp),
            scopes: scopes.chain(listed).map(str::to_owned).collect(),
        })
    }

    /// The claims, by the first key that signed them.
    fn claims(&self, token: &str, algorithm: Algorithm, keys: &[Jwk]) -> Result<Claims, AccessError> {
        let mut rules = Validation::new(algorithm);
        rules.leeway = LEEWAY_S;
        rules.validate_nbf = true;
        rules.set_issuer(&[self.issuer.name()]);
        rules.set_audience(&[&self.resource]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let mut why = "no key of its provider signed it";
        for key in keys {
            let Ok(key) = DecodingKey::from_jwk(key) else { continue };
            match decode(token, &key, &rules) {
                Ok(read) => return Ok(read.claims),
                Err(error) => why = words(error.kind()).unwrap_or(why),
            }
        }
        Err(AccessError::Token(why))
    }

    /// The person or service of the register that a token means.
    ///
    /// # Errors
    /// [`AccessError::Nobody`].
    pub fn principal<'p>(&self, access: &Access, register: &'p Principals) -> Result<&'p Name, AccessError> {
        let nobody = || AccessError::Nobody { issuer: self.issuer.name().to_owned(), subject: access.subject.clone() };
        register.identified(self.issuer.name(), &access.subject).ok_or_else(nobody)
    }
}

/// What is wrong with a token that its provider did sign.
const fn words(error: &ErrorKind) -> Option<&'static str> {
    match error {
        ErrorKind::ExpiredSignature => Some("it has expired"),
        ErrorKind::ImmatureSignature => Some("it does not count yet"),
        ErrorKind::InvalidIssuer => Some("it is another provider's"),
        ErrorKind::InvalidAudience => Some("it was given for another service"),
        ErrorKind::MissingRequiredClaim(_) => Some("it lacks `exp`, `iss`, `aud` or `sub`"),
        ErrorKind::InvalidSignature => None,
        _ => Some("its claims cannot be read"),
    }
}
