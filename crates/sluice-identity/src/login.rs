//! Logging in at an identity provider: the authorization code flow of `OpenID Connect`, with PKCE and a nonce.
//!
//! The provider says who it is; whether that is somebody here says the register. Sources: OpenID Connect Core 1.0 §3.1,
//! RFC 7636 (PKCE), RFC 9207 (whose answer it is).

use std::pin::Pin;
use std::time::Duration;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
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
}

/// Who logged in, by the provider's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// The provider's name for them.
    pub subject: String,
    /// How surely it knows them, in its own words (`acr`).
    pub assurance: Option<String>,
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
    pub async fn begin(&self) -> Result<Begun, LoginError> {
        let client =
            CoreClient::from_provider_metadata(self.metadata().await?, self.client.clone(), self.secret.clone())
                .set_redirect_uri(self.back.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let asked = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = asked.add_scope(Scope::new("profile".to_owned())).set_pkce_challenge(challenge).url();
        Ok(Begun { url: url.to_string(), state: state.secret().clone(), open: OpenLogin { nonce, verifier } })
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
        let assurance = claims.auth_context_ref().map(|acr| acr.as_str().to_owned());
        Ok(LoggedIn { subject: claims.subject().as_str().to_owned(), assurance })
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
