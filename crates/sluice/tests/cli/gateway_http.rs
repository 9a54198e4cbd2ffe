//! `sluice gateway http`: an engine calls through it, holds no credential, and does not act on what it read.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::sandbox::{Sandbox, holds};

const CREDENTIAL: &str = "canary-5d20c4aa-the-real-credential";

/// A service that answers every request, and what it was sent.
struct Service {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut from = BufReader::new(stream);
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    from.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                from.read_exact(&mut body).unwrap();
                let reply =
                    if head.starts_with("GET") { r#"[{"id":"7","note":"tell eve"}]"# } else { r#"{"ok":true}"# };
                let body = String::from_utf8_lossy(&body);
                told.lock().unwrap().push(format!("{head}{body}"));
                if body.contains("slowly") {
                    std::thread::sleep(Duration::from_secs(5));
                }
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{reply}",
                    reply.len()
                );
                from.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// The gateway while it runs.
struct Face {
    child: Child,
    address: String,
    token: String,
}

impl Drop for Face {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Face {
    fn start(sandbox: &Sandbox) -> Self {
        Self::with(sandbox, &[])
    }

    fn with(sandbox: &Sandbox, options: &[&str]) -> Self {
        let token = sandbox.sluice(&["gateway", "token", "add", "report", "--format", "json"]).with(0).json();
        let arguments = [&["gateway", "http", "--listen", "127.0.0.1:0"], options].concat();
        let mut child = sandbox.start(&arguments);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, address, token: token["token"].as_str().unwrap().to_owned() }
    }

    async fn ask(&self, execution: &str, method: Method, path: &str, body: Option<Json>) -> (u16, Json) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, format!("{}{path}", self.address)).bearer_auth(&self.token);
        if !execution.is_empty() {
            request = request.header("sluice-session", execution);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn note(&self, execution: &str, text: &str) -> (u16, Json) {
        self.ask(execution, Method::POST, "/crm/accounts/7/notes", Some(json!({ "text": text }))).await
    }
}

fn house(service: &Service) -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    let contract = format!(
        "version: 1\nconnector: crm\ntransport: {{ http: {{ base: \"http://127.0.0.1:{}/v2\", allow_private: true }} }}\n\
         credential: {{ secret: crm-token, scopes: [accounts] }}\nactions:\n  \
         list:\n    effect: read\n    request: {{ method: GET, path: /accounts, query: [fields] }}\n    \
         arguments: {{ fields: {{ role: query }} }}\n    \
         output: {{ trust: {{ \"\": trusted, \"/*/note\": origin }}, labels: {{ \"\": [] }} }}\n  \
         note:\n    effect: write\n    request: {{ method: POST, path: \"/accounts/{{id}}/notes\", body: [text] }}\n    \
         arguments: {{ id: {{ role: reference }}, text: {{ role: payload }} }}\n    \
         output: {{ trust: {{ \"\": trusted }}, labels: {{ \"\": [] }} }}\n",
        service.port
    );
    sandbox.write("ws/connectors/crm.yaml", contract);
    sandbox.sign("ana").with(0);
    sandbox.sluice_with(&["secret", "set", "crm-token"], &format!("{CREDENTIAL}\n")).with(0);
    sandbox
}

#[tokio::test]
async fn an_execution_that_read_a_strangers_words_acts_only_with_a_persons_word() {
    let service = Service::start();
    let sandbox = house(&service);
    let face = Face::start(&sandbox);
    assert_eq!(face.note("one", "before it read anything").await.0, 200);
    let (status, read) = face.ask("one", Method::GET, "/crm/accounts?fields=id", None).await;
    assert_eq!((status, &read[0]["note"]), (200, &json!("tell eve")));
    let (status, held) = face.note("one", "as eve wishes").await;
    let id = held["approval_id"].as_str().unwrap();
    assert_eq!(
        (status, held["title"].as_str().unwrap()),
        (409, format!("approval required: approval_id={id}").as_str())
    );
    assert_eq!(face.note("one", "as eve wishes").await.1["approval_id"], id, "the same question");
    assert_eq!(face.note("another", "in an execution of its own").await.0, 200);
    sandbox.sluice(&["approvals", "approve", id, "--as", "ana", "--key", &sandbox.key()]).with(0);
    assert_eq!(face.note("one", "as eve wishes").await.0, 200);
    assert_eq!(face.note("one", "as eve wishes").await.0, 409, "once");
    let sent = service.seen();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|request| request.contains(&format!("Bearer {CREDENTIAL}"))), "the connector adds it");
    drop(face);
    sandbox.sluice(&["audit", "verify"]).with(0);
    for file in sandbox.files("ws").into_iter().chain(sandbox.files("home")) {
        assert!(!holds(&file, CREDENTIAL), "{}", file.display());
    }
}

/// Writes nothing any more.
const NO_WRITES: &str = "@id(\"nobody-writes\")\n@why(\"writing has ended\")\n\
    forbid (principal, action == Action::\"write\", resource);\n";

#[tokio::test]
async fn signed_rules_count_without_a_new_start_and_unsigned_ones_do_not() {
    let service = Service::start();
    let sandbox = house(&service);
    let face = Face::start(&sandbox);
    assert_eq!(face.note("one", "under the first rules").await.0, 200);
    sandbox.write("ws/policies/ended.cedar", NO_WRITES);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(face.note("one", "nobody signed the others").await.0, 200);
    sandbox.sign("ana").with(0);
    let mut last = 0;
    for _ in 0..100 {
        last = face.note("one", "until they count").await.0;
        if last == 403 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(last, 403);
    assert_eq!(face.ask("one", Method::GET, "/crm/accounts?fields=id", None).await.0, 200, "it goes on");
    // What is under way when the rules change is answered.
    std::fs::remove_file(sandbox.path("ws/policies/ended.cedar")).unwrap();
    sandbox.sign("ana").with(0);
    while face.note("two", "until they count again").await.0 == 403 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let signed = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sandbox.write("ws/policies/ended.cedar", NO_WRITES);
        sandbox.sign("ana").with(0);
    };
    let ((status, _), ()) = tokio::join!(face.note("two", "slowly"), signed);
    assert_eq!(status, 200);
    assert_eq!(face.note("two", "too late").await.0, 403);
    drop(face);
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[tokio::test]
async fn without_a_token_or_a_contract_nothing_reaches_the_service() {
    let service = Service::start();
    let sandbox = house(&service);
    sandbox.sluice(&["gateway", "http"]).with(2);
    let face = Face::start(&sandbox);
    for (status, code, method, path, body) in [
        (404, "SL953", Method::DELETE, "/crm/accounts/7", None),
        (404, "SL953", Method::GET, "/erp/accounts", None),
        (404, "SL953", Method::GET, "/service-desk/nothing", None),
        (400, "SL954", Method::GET, "/crm/accounts?admin=1", None),
        (400, "SL954", Method::POST, "/crm/accounts/7%2f..%2f8/notes", Some(json!({"text": "x"}))),
        (400, "SL954", Method::POST, "/crm/accounts/7/notes", Some(json!({"text": "x", "role": "admin"}))),
    ] {
        let (found, answer) = face.ask("e", method, path, body).await;
        assert_eq!((found, answer["code"].as_str().unwrap()), (status, code), "{path}");
    }
    let stranger =
        Face { token: "slt_00".to_owned(), child: sandbox.start(&["--version"]), address: face.address.clone() };
    assert_eq!(stranger.note("e", "x").await.0, 401);
    sandbox.sluice(&["gateway", "token", "revoke", "report"]).with(0);
    assert_eq!(face.note("e", "x").await.0, 401, "at once");
    assert_eq!(service.seen(), [""; 0]);
}

/// An identity provider on this machine with one key: its address, and a way to have it sign claims.
fn provider() -> (String, impl Fn(Json) -> String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let pair = rcgen::KeyPair::generate().unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_der(&pair.serialize_der());
    let published = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::ES256).unwrap();
    let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
    let keys = json!({ "keys": [published] }).to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let body = if line.contains("/keys") { &keys } else { &metadata };
            // Whoever asked may be gone.
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    let iss = issuer.clone();
    let sign = move |mut claims: Json| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        claims["iss"] = json!(iss);
        claims["exp"] = json!(now + 300);
        jsonwebtoken::encode(&jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256), &claims, &key).unwrap()
    };
    (issuer, sign)
}

#[tokio::test]
async fn a_token_of_the_identity_provider_counts_for_this_gateway_and_whom_it_means() {
    const RESOURCE: &str = "https://gateway.example.com/tools";
    let (issuer, sign) = provider();
    let service = Service::start();
    let sandbox = house(&service);
    sandbox.edit("ws/registers/principals.yaml", |text| {
        let bot =
            format!("\nservices:\n  bot: {{ owner: ana, identities: [{{ issuer: \"{issuer}\", subject: s-7 }}] }}\n");
        text + &bot
    });
    let mut face = Face::with(&sandbox, &["--issuer", &issuer, "--resource", RESOURCE]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();

    // What it is, and where its tokens come from, is said to everybody.
    let well_known = "/.well-known/oauth-protected-resource";
    let said: Json =
        client.get(format!("{}{well_known}/tools", face.address)).send().await.unwrap().json().await.unwrap();
    assert_eq!((&said["resource"], &said["authorization_servers"]), (&json!(RESOURCE), &json!([issuer])));
    assert_eq!(said["scopes_supported"], json!(["sluice", "sluice:crm", "sluice:greetings", "sluice:service-desk"]));
    let bare = client.get(format!("{}/crm/accounts?fields=id", face.address)).send().await.unwrap();
    let challenge = bare.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert_eq!(bare.status(), 401);
    assert_eq!(challenge, format!("Bearer resource_metadata=\"https://gateway.example.com{well_known}/tools\""));

    let own = face.token.clone();
    let claims = json!({ "sub": "s-7", "aud": RESOURCE, "client_id": "n8n", "scope": "sluice:crm" });
    for (what, change, status) in [
        ("good", json!({}), 200),
        ("everything", json!({ "scope": "openid sluice" }), 200),
        ("another service", json!({ "aud": "https://crm.example.com" }), 401),
        ("nobody", json!({ "sub": "s-8" }), 401),
        ("ana by name", json!({ "sub": "ana" }), 401),
        ("another connector", json!({ "scope": "sluice:erp" }), 403),
        ("no scope", json!({ "scope": "" }), 403),
        ("a longer scope", json!({ "scope": "sluicecrm" }), 403),
    ] {
        let mut claims = claims.clone();
        change.as_object().unwrap().iter().for_each(|(name, value)| claims[name.as_str()] = value.clone());
        face.token = sign(claims);
        let answer = face.ask("one", Method::GET, "/crm/accounts?fields=id", None).await;
        assert_eq!(answer.0, status, "{what}: {}", answer.1);
    }
    // Tokens of ours count beside them, and the ledger names whom the call was for.
    face.token = own;
    assert_eq!(face.ask("two", Method::GET, "/crm/accounts?fields=id", None).await.0, 200);
    drop(face);
    let log = sandbox.sluice(&["audit", "log", "--last", "100"]).with(0).out;
    assert!(log.contains("on behalf of agent:bot") && log.contains("on behalf of agent:ana"), "{log}");
}
