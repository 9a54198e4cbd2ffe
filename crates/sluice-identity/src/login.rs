//! Logging in at an identity provider: the authorization code flow of `OpenID Connect`, with PKCE and a nonce.
//!
//! The provider says who it is; whether that is somebody here says the register. Sources: OpenID Connect Core 1.0 §3.1,
//! RFC 7636 (PKCE), RFC 9207 (whose answer it is).

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AsyncHttpClient, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use sluice_connectors::egress::{Body, Credential, EgressClient, Method};
use sluice_connectors::secret::Secret;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::issuer::IssuerError;
use crate::reach::Reach;

/// How long what a provider says of itself counts: so long may a key that it took back still log somebody in.
const METADATA_FOR: Duration = Duration::from_secs(5 * 60);
/// How far the provider's clock may be behind ours where it says when somebody logged in.
const SKEW_MS: u64 = 30 * 1_000;
/// How old, in seconds, a login may be that the provider is asked for anew: it asks the person again in any case.
const MAX_AGE: Duration = Duration::from_secs(60);
/// Most texts of one claim that count: somebody in more groups is in none.
pub const CLAIM_TEXTS_MAX: usize = 1_000;

/// Logs people in at one provider.
pub struct Logins {
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
    back: RedirectUrl,
    http: Http,
    known: Mutex<Option<(CoreProviderMetadata, Instant)>>,
}

/// A login that has begun: where the browser goes, and what must come back.
pub struct Begun {
    /// The provider's page.
    pub url: String,
    /// What the provider gives back, so that its answer is known to be to this question.
    pub state: String,
    /// What the answer is checked with.
    pub open: OpenLogin,
}

/// What the answer to a login is checked with. It never leaves us.
pub struct OpenLogin {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    wants: Wants,
    /// When it began, in milliseconds since 1970.
    begun_ms: u64,
}

/// What a login must show beside who it is. It is asked of the provider, and what the provider then says is held against it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// One of these levels (`acr`); any, if there are none.
    pub levels: Vec<String>,
    /// That they showed who they are now, and not some time before (`auth_time`).
    pub fresh: bool,
}

/// Who logged in, by the provider's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedIn {
    /// The provider's name for them.
    pub subject: String,
    /// What it says of how they logged in.
    pub surety: Surety,
    /// Everything that its signed token says, for what a workspace maps.
    claims: serde_json::Map<String, serde_json::Value>,
}

/// How surely somebody is known, in the provider's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surety {
    /// The level (`acr`).
    pub level: Option<String>,
    /// How they showed it (`amr`).
    pub methods: BTreeSet<String>,
    /// Whether they showed it for this very login, and the provider said so.
    pub is_fresh: bool,
}

impl LoggedIn {
    /// The texts of a claim that is a text or a list of texts; more than [`CLAIM_TEXTS_MAX`] are none.
    #[must_use]
    pub fn texts(&self, claim: &str) -> BTreeSet<&str> {
        match self.claims.get(claim) {
            Some(serde_json::Value::String(text)) => [text.as_str()].into(),
            Some(serde_json::Value::Array(items)) if items.len() <= CLAIM_TEXTS_MAX => {
                items.iter().filter_map(serde_json::Value::as_str).collect()
            }
            _ => BTreeSet::new(),
        }
    }
}

/// Why nobody was logged in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// The provider cannot be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// SL986. What it answered logs nobody in.
    #[error("SL986: what the identity provider answered logs nobody in: {0}")]
    Answer(String),
    /// SL988. It knows them less surely than was asked for.
    #[error("SL988: the identity provider logged you in {}, and this needs {wanted}", .said.as_deref().map_or_else(|| "without saying how surely it knows you".to_owned(), |said| format!("at `{said}`")))]
    Level {
        /// What was asked for.
        wanted: String,
        /// The level that it said.
        said: Option<String>,
    },
    /// SL989. They did not log in for this.
    #[error("SL989: the identity provider did not ask you again who you are, and this needs it")]
    Stale,
    /// SL987. It was not set up so.
    #[error("SL987: this cannot be used to log in: {0}")]
    Setting(String),
}

/// An error of the library with what caused it.
fn answer(error: impl std::error::Error) -> LoginError {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(lower) = cause {
        words = format!("{words}: {lower}");
        cause = lower.source();
    }
    LoginError::Answer(words)
}

/// What went wrong with a request, for the library, which wants to have errors of its own kind.
#[derive(Debug, Error)]
#[error("{0}")]
struct Unreached(String);

impl Logins {
    /// At the provider `issuer`, to which we are `client`, and which sends people back to `back`.
    ///
    /// # Errors
    /// [`LoginError::Setting`] or [`IssuerError::Address`].
    pub fn new(
        issuer: &str,
        client: &str,
        secret: Option<String>,
        back: String,
        http: EgressClient,
    ) -> Result<Self, LoginError> {
        let setting = |error: openidconnect::url::ParseError| LoginError::Setting(error.to_string());
        Ok(Self {
            http: Http(Reach::of(issuer, http)?),
            issuer: IssuerUrl::new(issuer.to_owned()).map_err(setting)?,
            client: ClientId::new(client.to_owned()),
            secret: secret.map(ClientSecret::new),
            back: RedirectUrl::new(back).map_err(setting)?,
            known: Mutex::default(),
        })
    }

    /// The provider's address, as the register has it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`LoginError`] if the provider cannot be asked.
    pub async fn begin(&self, wants: Wants) -> Result<Begun, LoginError> {
        let client =
            CoreClient::from_provider_metadata(self.metadata().await?, self.client.clone(), self.secret.clone())
                .set_redirect_uri(self.back.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut asked = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        for level in &wants.levels {
            asked = asked.add_auth_context_value(AuthenticationContextClass::new(level.clone()));
        }
        if wants.fresh {
            asked = asked.add_prompt(CoreAuthPrompt::Login).set_max_age(MAX_AGE);
        }
        let (url, state, nonce) = asked.add_scope(Scope::new("profile".to_owned())).set_pkce_challenge(challenge).url();
        Ok(Begun {
            url: url.to_string(),
            state: state.secret().clone(),
            open: OpenLogin { nonce, verifier, wants, begun_ms: now_ms() },
        })
    }

    /// Who it was that came back with `code`.
    ///
    /// # Errors
    /// [`LoginError::Answer`] if the code, or the token for it, does not count.
    pub async fn finish(&self, open: OpenLogin, code: String) -> Result<LoggedIn, LoginError> {
        let client =
            CoreClient::from_provider_metadata(self.metadata().await?, self.client.clone(), self.secret.clone())
                .set_redirect_uri(self.back.clone());
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(answer)?;
        let token = exchange.set_pkce_verifier(open.verifier).request_async(&self.http).await.map_err(answer)?;
        let token = token.id_token().ok_or_else(|| LoginError::Answer("it gave no id token".to_owned()))?;
        let claims = token.claims(&client.id_token_verifier(), &open.nonce).map_err(answer)?;
        let level = claims.auth_context_ref().map(|acr| acr.as_str().to_owned());
        let methods = claims.auth_method_refs().into_iter().flatten().map(|amr| amr.as_str().to_owned()).collect();
        let at_ms = claims.auth_time().and_then(|at| u64::try_from(at.timestamp_millis()).ok());
        let surety = open.wants.judge(open.begun_ms, level, methods, at_ms)?;
        // The very token whose signature was checked.
        Ok(LoggedIn { subject: claims.subject().as_str().to_owned(), surety, claims: payload(&token.to_string()) })
    }

    async fn metadata(&self) -> Result<CoreProviderMetadata, LoginError> {
        let mut known = self.known.lock().await;
        if let Some((metadata, read)) = known.as_ref()
            && read.elapsed() < METADATA_FOR
        {
            return Ok(metadata.clone());
        }
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await.map_err(answer)?;
        *known = Some((metadata.clone(), Instant::now()));
        Ok(metadata)
    }
}

impl Wants {
    /// Holds what the provider said against what it was asked for at `begun_ms`.
    fn judge(
        &self,
        begun_ms: u64,
        level: Option<String>,
        methods: BTreeSet<String>,
        at_ms: Option<u64>,
    ) -> Result<Surety, LoginError> {
        let is_enough = level.as_ref().is_some_and(|level| self.levels.contains(level));
        if !self.levels.is_empty() && !is_enough {
            let wanted = self.levels.iter().map(|level| format!("`{level}`")).collect::<Vec<_>>().join(" or ");
            return Err(LoginError::Level { wanted, said: level });
        }
        let is_fresh = at_ms.is_some_and(|at| at.saturating_add(SKEW_MS) >= begun_ms);
        if self.fresh && !is_fresh {
            return Err(LoginError::Stale);
        }
        Ok(Surety { level, methods, is_fresh })
    }
}

/// The claims of a token that was checked; none if it is no token of the usual form.
fn payload(token: &str) -> serde_json::Map<String, serde_json::Value> {
    let bytes = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What the library asks with.
struct Http(Reach);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Unreached;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unreached>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Http {
    /// A request of the library, under our own rules. What it makes of the answer depends on status and body alone.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unreached> {
        let (parts, bytes) = request.into_parts();
        let unreached = |what: &str| Unreached(what.to_owned());
        let (method, body) = match parts.method.as_str() {
            "GET" => (Method::Get, None),
            "POST" => (Method::Post, Some(Body { content_type: "application/x-www-form-urlencoded", bytes })),
            _ => return Err(unreached("a provider is asked with GET and POST only")),
        };
        let shown = parts.headers.get("authorization").map(|value| Secret::new(value.as_bytes().to_vec()));
        let shown = shown.map(|secret| Credential::Header("authorization".to_owned(), secret));
        let reply = self.0.ask(method, &parts.uri.to_string(), shown.into_iter().collect(), body).await;
        let reply = reply.map_err(|error| Unreached(error.to_string()))?;
        let mut response = HttpResponse::new(reply.body.to_vec());
        *response.status_mut() = reply.status.try_into().map_err(|_| unreached("its status is none"))?;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: u64 = 1_000_000;

    fn judged(levels: &[&str], fresh: bool, level: Option<&str>, at_ms: Option<u64>) -> Result<bool, String> {
        let wants = Wants { levels: levels.iter().map(ToString::to_string).collect(), fresh };
        let judged = wants.judge(BEGUN, level.map(ToOwned::to_owned), BTreeSet::new(), at_ms);
        judged.map(|surety| surety.is_fresh).map_err(|error| error.to_string().chars().take(5).collect())
    }

    #[test]
    fn what_the_provider_says_is_held_against_what_it_was_asked_for() {
        let (level, stale) = (Err("SL988".to_owned()), Err("SL989".to_owned()));
        for (levels, fresh, said, at_ms, expected) in [
            (&[][..], false, None, None, Ok(false)),
            (&[], false, Some("silver"), Some(BEGUN), Ok(true)),
            (&["gold"], false, Some("gold"), None, Ok(false)),
            (&["gold", "platinum"], false, Some("platinum"), Some(1), Ok(false)),
            (&["gold"], false, Some("silver"), Some(BEGUN), level.clone()),
            (&["gold"], false, Some("Gold"), None, level.clone()),
            (&["gold"], true, None, Some(BEGUN), level),
            (&[], true, Some("gold"), Some(BEGUN - SKEW_MS), Ok(true)),
            (&[], true, Some("gold"), Some(BEGUN - SKEW_MS - 1), stale.clone()),
            (&[], true, Some("gold"), None, stale),
        ] {
            assert_eq!(judged(levels, fresh, said, at_ms), expected, "{levels:?} {fresh} {said:?} {at_ms:?}");
        }
    }

    #[test]
    fn a_claim_is_texts_or_nothing() {
        let of = |claims: serde_json::Value| {
            let encoded = URL_SAFE_NO_PAD.encode(claims.to_string());
            let who = LoggedIn { claims: payload(&format!("e30.{encoded}.x")), ..LoggedIn::default() };
            who.texts("groups").into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of(serde_json::json!({ "groups": ["b", "a", 7, null] })), ["a", "b"]);
        assert_eq!(of(serde_json::json!({ "groups": "a" })), ["a"]);
        assert_eq!(of(serde_json::json!({ "groups": { "a": true } })), [""; 0]);
        assert_eq!(of(serde_json::json!({ "groups": vec!["a"; CLAIM_TEXTS_MAX + 1] })), [""; 0]);
        assert_eq!(payload("no token").len(), 0);
    }
}
