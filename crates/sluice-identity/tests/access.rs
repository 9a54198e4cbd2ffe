//! Access tokens of a provider that answers on this machine: what counts, and all that does not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of a test fails where the test would")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value as Json, json};
use sluice_connectors::egress::EgressClient;
use sluice_core::contract::Governance;
use sluice_identity::{Access, AccessTokens, Issuer, IssuerError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const RESOURCE: &str = "https://gateway.example.com/mcp";

/// A provider: what it answers by path, and which paths it was asked for.
#[derive(Clone, Default)]
struct Provider {
    pages: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    /// Listens, and says of itself what providers say; its keys are `keys`.
    async fn start(keys: &[Jwk]) -> (Self, String) {
        let provider = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        provider.says("/.well-known/openid-configuration", &metadata);
        provider.says("/keys", &json!({ "keys": keys }));
        let answers = provider.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let body = answers.pages.lock().unwrap().get(&path).cloned();
                answers.asked.lock().unwrap().push(path);
                let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
                let body = body.unwrap_or_default();
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (provider, issuer)
    }

    fn says(&self, path: &str, page: &Json) {
        self.pages.lock().unwrap().insert(path.to_owned(), page.to_string());
    }

    fn asked_for_keys(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| *path == "/keys").count()
    }
}

/// A key of a provider, and what it publishes of it.
fn key(id: &str) -> (EncodingKey, Jwk) {
    let pair = rcgen::KeyPair::generate().unwrap();
    let key = EncodingKey::from_ec_der(&pair.serialize_der());
    let mut published = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    published.common.key_id = Some(id.to_owned());
    published.common.public_key_use = Some(PublicKeyUse::Signature);
    (key, published)
}

fn header(id: &str) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    (header.kid, header.typ) = (Some(id.to_owned()), Some("at+jwt".to_owned()));
    header
}

fn claims(issuer: &str) -> Json {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({ "iss": issuer, "aud": RESOURCE, "sub": "00u1", "exp": now + 300, "client_id": "mailer", "scope": "mail crm" })
}

fn tokens(issuer: &str) -> AccessTokens {
    AccessTokens::new(Issuer::new(issuer, EgressClient::default()).unwrap(), RESOURCE.to_owned())
}

/// The claims with one changed.
fn with(mut claims: Json, name: &str, value: Json) -> Json {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn a_token_for_us_says_whom_and_what_it_is_for() {
    let (secret, published) = key("k1");
    let (_, issuer) = Provider::start(&[published]).await;
    let tokens = tokens(&issuer);
    let read = |claims: Json| {
        let token = encode(&header("k1"), &claims, &secret).unwrap();
        let tokens = &tokens;
        async move { tokens.read(&token).await.unwrap() }
    };
    let access = Access {
        subject: "00u1".to_owned(),
        client: Some("mailer".to_owned()),
        scopes: ["crm".to_owned(), "mail".to_owned()].into(),
    };
    assert_eq!(read(claims(&issuer)).await, access);
    let several = with(claims(&issuer), "aud", json!(["https://other.example.com", RESOURCE]));
    assert_eq!(read(several).await, access);
}

#[tokio::test]
async fn what_is_not_for_us_or_not_signed_by_the_provider_opens_nothing() {
    let (secret, published) = key("k1");
    let (other, _) = key("k1");
    let (_, issuer) = Provider::start(&[published]).await;
    let tokens = tokens(&issuer);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let good = claims(&issuer);
    let signed = |header: &Header, claims: &Json| encode(header, claims, &secret).unwrap();
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("aud");
    let of_kind = |kind: &str| Header { typ: Some(kind.to_owned()), ..header("k1") };
    let whole = signed(&header("k1"), &good);
    let (head, rest) = whole.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let shared = encode(&Header::new(Algorithm::HS256), &good, &EncodingKey::from_secret(b"secret")).unwrap();
    for (what, token, why) in [
        ("nothing", String::new(), "it is no signed token"),
        ("words", "a.b.c".to_owned(), "it is no signed token"),
        ("too much", "a".repeat(20_000), "it is too long"),
        ("unsigned", format!("{unsigned}.{rest}"), "it is no signed token"),
        ("a shared key", shared, "it is not signed by a key that only its provider has"),
        ("another key", encode(&header("k1"), &good, &other).unwrap(), "no key of its provider signed it"),
        ("an unknown key", signed(&header("k2"), &good), "no key of its provider signed it"),
        (
            "other claims",
            format!("{head}.{}.{signature}", rest.split('.').next().unwrap().replace('A', "B")),
            "no key of its provider signed it",
        ),
        ("login", signed(&of_kind("logout+jwt"), &good), "it is a token of another kind"),
        (
            "critical",
            signed(&Header { crit: Some(vec!["b64".to_owned()]), ..header("k1") }, &good),
            "it wants something to be understood that is not",
        ),
        ("expired", signed(&header("k1"), &with(good.clone(), "exp", json!(now - 60))), "it has expired"),
        ("not yet", signed(&header("k1"), &with(good.clone(), "nbf", json!(now + 600))), "it does not count yet"),
        (
            "another issuer",
            signed(&header("k1"), &with(good.clone(), "iss", json!("https://idp.example.com"))),
            "it is another provider's",
        ),
        (
            "another service",
            signed(&header("k1"), &with(good.clone(), "aud", json!("https://crm.example.com"))),
            "it was given for another service",
        ),
        (
            "a longer address",
            signed(&header("k1"), &with(good.clone(), "aud", json!(format!("{RESOURCE}/x")))),
            "it was given for another service",
        ),
        ("no audience", signed(&header("k1"), &without), "it lacks `exp`, `iss`, `aud` or `sub`"),
        ("no subject", signed(&header("k1"), &with(good.clone(), "sub", Json::Null)), "its claims cannot be read"),
        (
            "bound",
            signed(&header("k1"), &with(good.clone(), "cnf", json!({ "jkt": "x" }))),
            "it is bound to a key whose possession is not shown",
        ),
    ] {
        let error = tokens.read(&token).await.expect_err(what);
        assert_eq!(error.to_string(), format!("SL983: the access token does not count: {why}"), "{what}");
    }
}

#[tokio::test]
async fn a_new_key_is_learned_and_unknown_ones_are_not_asked_about_again_and_again() {
    let (old, published) = key("k1");
    let (new, added) = key("k2");
    let (provider, issuer) = Provider::start(std::slice::from_ref(&published)).await;
    let tokens = tokens(&issuer);
    let token = |id: &str, key: &EncodingKey| encode(&header(id), &claims(&issuer), key).unwrap();
    tokens.read(&token("k1", &old)).await.unwrap();
    assert_eq!(provider.asked_for_keys(), 1);
    provider.says("/keys", &json!({ "keys": [published, added] }));
    tokens.read(&token("k2", &new)).await.unwrap();
    assert_eq!(provider.asked_for_keys(), 2);
    for id in ["k3", "k4", "k3"] {
        tokens.read(&token(id, &new)).await.unwrap_err();
    }
    assert_eq!(provider.asked_for_keys(), 2);
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_or_speaks_for_another_vouches_for_nothing() {
    for name in ["", "idp.example.com", "ftp://idp.example.com", "http://idp.example.com", "http://2130706433/"] {
        assert!(matches!(Issuer::new(name, EgressClient::default()), Err(IssuerError::Address(_))), "{name}");
    }
    let (_, published) = key("k1");
    let (provider, issuer) = Provider::start(&[published]).await;
    let ready = || async { Issuer::new(&issuer, EgressClient::default()).unwrap().ready().await };
    ready().await.unwrap();
    for (path, page, why) in [
        ("/keys", json!([1]), "there are no `keys`"),
        ("/.well-known/openid-configuration", json!({ "issuer": issuer }), "there is no `jwks_uri`"),
        (
            "/.well-known/oauth-authorization-server",
            json!({ "issuer": "https://idp.example.com", "jwks_uri": format!("{issuer}/keys") }),
            "its `issuer` is another address",
        ),
        (
            "/.well-known/oauth-authorization-server",
            json!({ "issuer": issuer, "jwks_uri": "http://169.254.169.254/keys" }),
            "its keys would come over plain HTTP",
        ),
    ] {
        provider.says(path, &page);
        let error = ready().await.unwrap_err().to_string();
        assert!(error.starts_with("SL982") && error.contains(why), "{error}");
    }
}

#[test]
fn a_subject_is_the_one_person_who_lists_it() {
    let register = "version: 1\npersons:\n  ana: { identities: [{ issuer: \"https://idp.example.com\", subject: 00u1 }] }\n\
                    services:\n  bot: { identities: [{ issuer: \"https://idp.example.com\", subject: 00u2 }] }\n";
    let files = [("workspace.yaml", "version: 1\nname: w\nmode: test\n"), ("registers/principals.yaml", register)];
    let governance = Governance::read(files.map(|(path, text)| (path, text.as_bytes()))).unwrap();
    let tokens = tokens("https://idp.example.com");
    let means = |subject: &str| {
        let access = Access { subject: subject.to_owned(), client: None, scopes: [].into() };
        tokens
            .principal(&access, &governance.registers.principals)
            .map(ToString::to_string)
            .map_err(|error| error.to_string())
    };
    assert_eq!(means("00u1").as_deref(), Ok("ana"));
    assert_eq!(means("00u2").as_deref(), Ok("bot"));
    let nobody = "SL984: `ana` of `https://idp.example.com` is nobody of the principals register";
    assert_eq!(means("ana"), Err(nobody.to_owned()));
}
