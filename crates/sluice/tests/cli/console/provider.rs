//! An identity provider that says of its people what a test wants it to say.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::visitor::{Console, Got};

pub(super) struct Provider {
    pub(super) issuer: String,
    /// The claims of the next token.
    claims: Arc<Mutex<Json>>,
}

/// What the console asked of the provider.
#[derive(Debug)]
pub(super) struct Asked {
    state: String,
    nonce: String,
    cookie: String,
    pub(super) levels: Option<String>,
    pub(super) prompt: Option<String>,
}

impl Provider {
    pub(super) fn start() -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let mut published = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        published.common.key_id = Some("k1".to_owned());
        published.common.public_key_use = Some(PublicKeyUse::Signature);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let claims = Arc::new(Mutex::new(Json::Null));
        let (said, at) = (Arc::clone(&claims), issuer.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, |path| match path {
                    "/.well-known/openid-configuration" => json!({
                        "issuer": at,
                        "authorization_endpoint": format!("{at}/auth"),
                        "token_endpoint": format!("{at}/token"),
                        "jwks_uri": format!("{at}/keys"),
                        "response_types_supported": ["code"],
                        "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["ES256"],
                    }),
                    "/keys" => json!({ "keys": [published] }),
                    _ => {
                        let mut header = Header::new(Algorithm::ES256);
                        header.kid = Some("k1".to_owned());
                        let token = encode(&header, &*said.lock().unwrap(), &key).unwrap();
                        json!({ "access_token": "x", "token_type": "Bearer", "id_token": token })
                    }
                });
            }
        });
        Self { issuer, claims }
    }

    /// Goes to the provider by a link of the console.
    pub(super) async fn go(&self, console: &Console, path: &str, session: &str) -> Asked {
        let answer = console.ask(Method::GET, path).header("cookie", session).send().await.unwrap();
        let to = answer.headers()["location"].to_str().unwrap().to_owned();
        assert!(to.starts_with(&format!("{}/auth?", self.issuer)), "{to}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let url = reqwest::Url::parse(&to).unwrap();
        let of = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        Asked {
            state: of("state").unwrap(),
            nonce: of("nonce").unwrap(),
            cookie,
            levels: of("acr_values"),
            prompt: of("prompt"),
        }
    }

    /// Comes back with what the provider says; gives the answer and the cookie of the session that it began.
    pub(super) async fn back(&self, console: &Console, asked: &Asked, session: &str, more: Json) -> (Got, String) {
        let mut claims = json!({
            "iss": self.issuer, "aud": "sluice", "sub": "0oa1ana", "nonce": asked.nonce, "iat": now(), "exp": now() + 300,
        });
        let all = claims.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        *self.claims.lock().unwrap() = claims;
        let path = format!("/login/provider/back?code=c&state={}", asked.state);
        let cookies = [session, &asked.cookie].join("; ");
        let answer = console.ask(Method::GET, &path).header("cookie", cookies).send().await.unwrap();
        let given = answer.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let name = asked.cookie.split('=').next().unwrap();
        let mut pairs = given.filter_map(|cookie| cookie.split(';').next()).filter(|pair| !pair.starts_with(name));
        let session = pairs.next().unwrap_or_default().to_owned();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        (Got { status: answer.status().as_u16(), to, text: answer.text().await.unwrap() }, session)
    }
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn answer(stream: TcpStream, page: impl Fn(&str) -> Json) {
    let (mut from, mut length, mut path) = (BufReader::new(stream), 0, String::new());
    loop {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        }
        if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).unwrap();
    let body = page(&path).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    from.get_mut().write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
}
