//! An identity provider: where its keys are, and the keys.
//!
//! Sources: OpenID Connect Discovery 1.0 §4, RFC 8414 §3 (metadata of authorization servers), RFC 7517 (keys).

use std::time::Duration;

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use serde_json::Value as Json;
use sluice_connectors::egress::{EgressClient, EgressError, Method};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::reach::Reach;

/// How long keys count before they are read again: so long may one that the provider took back still open something.
const KEYS_FOR: Duration = Duration::from_secs(60 * 60);
/// How soon an unknown key is asked about again. Anybody can name one.
const ASKED_AFTER: Duration = Duration::from_secs(30);
/// Most keys of one provider.
const KEYS_MAX: usize = 100;

/// Why a provider's keys cannot be had.
#[derive(Debug, Error)]
pub enum IssuerError {
    /// SL980. It is no address of a provider.
    #[error("SL980: `{0}` is no issuer: write `https://` and the provider's address, as its tokens have it in `iss`")]
    Address(String),
    /// SL981. It does not answer.
    #[error("SL981: cannot ask `{url}`: {source}")]
    Egress {
        /// Where.
        url: String,
        /// Why not.
        #[source]
        source: EgressError,
    },
    /// SL982. What it answers is nothing that a provider says of itself.
    #[error("SL982: `{url}` says nothing that a provider says of itself: {why}")]
    Answer {
        /// Where.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

/// An identity provider that the operator named.
pub struct Issuer {
    name: String,
    reach: Reach,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: Vec<Jwk>,
    read: Option<Instant>,
    /// When they were last read again because of a key that was not among them.
    missed: Option<Instant>,
}

impl Issuer {
    /// A provider by its address. Nothing is asked yet.
    ///
    /// # Errors
    /// [`IssuerError::Address`]: also for plain HTTP to any host but this machine itself.
    pub fn new(name: &str, http: EgressClient) -> Result<Self, IssuerError> {
        Ok(Self { name: name.to_owned(), reach: Reach::of(name, http)?, known: Mutex::default() })
    }

    /// Its address, as tokens have it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads its keys now: an operator learns at the start that it cannot be reached.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn ready(&self) -> Result<(), IssuerError> {
        let mut known = self.known.lock().await;
        self.read(&mut known).await
    }

    /// The keys that may have signed a token with this key id and algorithm. Several only where the token names none.
    ///
    /// # Errors
    /// [`IssuerError`] if the keys that are known are too old and no others can be had.
    pub(crate) async fn keys(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Vec<Jwk>, IssuerError> {
        let mut known = self.known.lock().await;
        let is_within = |since: Option<Instant>, long: Duration| since.is_some_and(|since| since.elapsed() < long);
        let is_fresh = is_within(known.read, KEYS_FOR);
        let mut found = known.fitting(id, algorithm);
        let is_missed = is_fresh && found.is_empty() && !is_within(known.missed, ASKED_AFTER);
        if is_missed {
            known.missed = Some(Instant::now());
        }
        if !is_fresh || is_missed {
            match self.read(&mut known).await {
                Ok(()) => found = known.fitting(id, algorithm),
                Err(error) if !is_fresh => return Err(error),
                Err(_) => {}
            }
        }
        Ok(found)
    }

    async fn read(&self, known: &mut Known) -> Result<(), IssuerError> {
        let now = Instant::now();
        let url = self.keys_url().await?;
        let answer = |why: &str| IssuerError::Answer { url: url.clone(), why: why.to_owned() };
        let found = self.get(&url).await?.ok_or_else(|| answer("it has no keys"))?;
        let listed = found.get("keys").and_then(Json::as_array).ok_or_else(|| answer("there are no `keys`"))?;
        if listed.len() > KEYS_MAX {
            return Err(answer("there are too many keys"));
        }
        // A kind of key that is not known here signs nothing that would be taken.
        known.keys = listed.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect();
        known.read = Some(now);
        Ok(())
    }

    /// Where its keys are, by its own word.
    async fn keys_url(&self) -> Result<String, IssuerError> {
        let mut why = "there is nothing at this address";
        let mut asked = String::new();
        for url in self.metadata_urls() {
            let found = self.get(&url).await?;
            asked = url;
            let Some(found) = found else { continue };
            // Another provider's metadata would bring another provider's keys.
            if found.get("issuer").and_then(Json::as_str) != Some(&self.name) {
                why = "its `issuer` is another address";
                continue;
            }
            match found.get("jwks_uri").and_then(Json::as_str) {
                Some(keys) => return Ok(keys.to_owned()),
                None => why = "there is no `jwks_uri`",
            }
        }
        Err(IssuerError::Answer { url: asked, why: why.to_owned() })
    }

    fn metadata_urls(&self) -> [String; 2] {
        let path = self.reach.path();
        let whole = self.name.strip_suffix('/').unwrap_or(&self.name);
        let origin = whole.strip_suffix(&path).unwrap_or(whole);
        [
            format!("{whole}/.well-known/openid-configuration"),
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
        ]
    }

    /// What stands at an address; `None` if nothing does.
    async fn get(&self, url: &str) -> Result<Option<Json>, IssuerError> {
        let answer = |why: &str| IssuerError::Answer { url: url.to_owned(), why: why.to_owned() };
        let reply = self.reach.ask(Method::Get, url, Vec::new(), None).await?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body).map(Some).map_err(|_| answer("it is no JSON")),
            404 => Ok(None),
            status => Err(answer(&format!("the status is {status}"))),
        }
    }
}

impl Known {
    fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<Jwk> {
        let fits = |key: &&Jwk| {
            let common = &key.common;
            // A symmetric key that is published is everybody's.
            let is_public = !matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
            let signs = common.public_key_use.as_ref().is_none_or(|found| *found == PublicKeyUse::Signature);
            let is_named = id.is_none() || common.key_id.as_deref() == id;
            let is_of = common.key_algorithm.is_none_or(|found| found.to_string() == format!("{algorithm:?}"));
            is_public && signs && is_named && is_of
        };
        self.keys.iter().filter(fits).cloned().collect()
    }
}
