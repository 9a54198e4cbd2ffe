//! An identity provider: where its keys are, and the keys.
//!
//! Sources: OpenID Connect Discovery 1.0 §4, RFC 8414 §3 (metadata of authorization servers), RFC 7517 (keys).

use std::collections::BTreeMap;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use serde_json::Value as Json;
use sluice_connectors::egress::{EgressClient, EgressError, EgressRequest, EgressRule, Method, Scheme};
use sluice_connectors::http::Base;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long keys count before they are read again: so long may one that the provider took back still open something.
const KEYS_FOR: Duration = Duration::from_secs(60 * 60);
/// How soon an unknown key is asked about again. Anybody can name one.
const ASKED_AFTER: Duration = Duration::from_secs(30);
const REPLY_BYTES_MAX: usize = 1 << 20;
const WITHIN: Duration = Duration::from_secs(10);
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
    base: Base,
    http: EgressClient,
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
        let wrong = || IssuerError::Address(name.to_owned());
        let base = Base::parse(name).map_err(|_| wrong())?;
        if base.scheme == Scheme::Http && !is_here(&base) {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), base, http, known: Mutex::default() })
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
        let path = self.path();
        let whole = self.name.strip_suffix('/').unwrap_or(&self.name);
        let origin = whole.strip_suffix(&path).unwrap_or(whole);
        [
            format!("{whole}/.well-known/openid-configuration"),
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
        ]
    }

    fn path(&self) -> String {
        let path = self.base.path.fill(&BTreeMap::new()).unwrap_or_default();
        path.strip_suffix('/').unwrap_or(&path).to_owned()
    }

    /// What stands at an address; `None` if nothing does.
    async fn get(&self, url: &str) -> Result<Option<Json>, IssuerError> {
        let answer = |why: &str| IssuerError::Answer { url: url.to_owned(), why: why.to_owned() };
        let egress = |source| IssuerError::Egress { url: url.to_owned(), source };
        let at = Base::parse(url).map_err(egress)?;
        let is_same = (at.scheme, &at.host, at.port) == (self.base.scheme, &self.base.host, self.base.port);
        if at.scheme == Scheme::Http && !is_same {
            return Err(answer("its keys would come over plain HTTP"));
        }
        let path = at.path.fill(&BTreeMap::new()).map_err(|_| answer("it is no plain address"))?;
        let rule = EgressRule {
            scheme: at.scheme,
            host: at.host.clone(),
            port: at.port,
            method: Method::Get,
            path: at.path,
            // The operator named this host; what it names itself must be of the public internet.
            allow_private: is_same,
            pin: None,
            reply_bytes_max: REPLY_BYTES_MAX,
            timeout: WITHIN,
        };
        let request = EgressRequest {
            scheme: at.scheme,
            host: at.host,
            port: at.port,
            method: Method::Get,
            path,
            query: Vec::new(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: None,
            credentials: Vec::new(),
            idempotency: None,
            run: "identity".to_owned(),
        };
        let reply = self.http.send(request, &rule).await.map_err(egress)?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body).map(Some).map_err(|_| answer("it is no JSON")),
            404 => Ok(None),
            status => Err(answer(&format!("the status is {status}"))),
        }
    }
}

/// Whether it is this very machine, to which nobody stands between.
fn is_here(base: &Base) -> bool {
    use sluice_connectors::address::Host;
    match &base.host {
        Host::Name(name) => name == "localhost",
        Host::Address(address) => address.is_loopback(),
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
