//! Whole calls through [`Connector`]: arguments in, outcome out, and what the other side saw.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sluice_connectors::egress::{EgressClient, Method, Resolve};
use sluice_connectors::files::{Deed, FilesAction, FilesConnector, Format};
use sluice_connectors::http::{Base, CredentialKind, Effect, HttpAction, HttpConnector, Parameter, Place, ReplyFormat};
use sluice_connectors::path::PathTemplate;
use sluice_connectors::secret::{Secret, SecretStore, WorkspaceKey};
use sluice_connectors::sql::{Access, SqlConnector, SqlStatement};
use sluice_connectors::tls::public_roots;
use sluice_connectors::{Connector, IdempotencyKey, Outcome, Prepared};

use crate::server::{Answer, Server};

/// Waited for in full by one silent server, and enough for all others on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(1);
const CANARY: &str = "canary-5f0c-token";

struct Loopback;

impl Resolve for Loopback {
    fn resolve<'a>(&'a self, _name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

fn prepared(action: &str, arguments: Value) -> Prepared {
    Prepared {
        connector: "desk".into(),
        action: action.into(),
        arguments,
        idempotency_key: IdempotencyKey([9; 32]),
        run: "run-1".into(),
    }
}

fn action(effect: Effect, method: Method, path: &str, parameters: &[(&str, Place)]) -> HttpAction {
    let parameter = |place: &Place| Parameter { place: place.clone(), required: true, secret: None };
    HttpAction {
        effect,
        method,
        path: PathTemplate::parse(path).unwrap(),
        parameters: parameters.iter().map(|(name, place)| ((*name).to_owned(), parameter(place))).collect(),
        idempotency_header: Some("Idempotency-Key".into()),
        reply: ReplyFormat::Json,
        reply_bytes_max: 1000,
        timeout: TIMEOUT,
    }
}

/// A ticket desk at this port, whose token is in a store in this folder.
fn desk(folder: &Path, port: u16, secret: &str) -> Connector {
    let secrets = SecretStore::new(folder.join("secrets.sealed"), WorkspaceKey::from_bytes([3; 32]));
    secrets.set("desk-token", &Secret::new(CANARY.as_bytes().to_vec())).unwrap();
    let close = [("id", Place::Path), ("reason", Place::Field("why".into()))];
    Connector::Http(Arc::new(HttpConnector {
        base: Base::parse(&format!("http://desk.test:{port}/api")).unwrap(),
        allow_private: true,
        pin: None,
        credential: Some((CredentialKind::Bearer, secret.to_owned())),
        actions: BTreeMap::from([
            ("tickets.close".into(), action(Effect::Change, Method::Post, "/tickets/{id}/close", &close)),
            ("tickets.get".into(), action(Effect::Read, Method::Get, "/tickets/{id}", &[("id", Place::Path)])),
        ]),
        egress: Arc::new(EgressClient::new(Arc::new(Loopback), public_roots())),
        secrets: Arc::new(secrets),
    }))
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply { status, value } => format!("reply {status:?} {value}"),
        Outcome::Rejected { status, why } => format!("rejected {status:?} {}", why.code()),
        Outcome::InDoubt { why } => format!("in doubt {}", why.code()),
        Outcome::NotSent { why } => format!("not sent {}", why.code()),
    }
}

fn json_answer(text: &str) -> Answer {
    Answer::Text(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()))
}

#[tokio::test]
async fn a_call_becomes_the_request_that_its_contract_describes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json_answer(r#"{"state":"closed"}"#)).await;
    let desk = desk(folder.path(), server.port(), "desk-token");
    let arguments = json!({"id": "T 1?x", "reason": "done\"}"});
    let outcome = desk.call(prepared("tickets.close", arguments)).await;
    assert_eq!(shown(&outcome), r#"reply Some(200) {"state":"closed"}"#);
    let seen = &server.requests()[0];
    assert!(seen.starts_with("POST /api/tickets/T%201%3Fx/close HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with(r#"{"why":"done\"}"}"#), "{seen}");
    for header in [
        format!("idempotency-key: {}", "09".repeat(32)),
        "x-sluice-run: run-1".into(),
        format!("authorization: Bearer {CANARY}"),
    ] {
        assert!(seen.lines().any(|line| line == header), "{header} in {seen}");
    }
}

#[tokio::test]
async fn each_reply_has_its_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let redirect = "Location: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
    for (answer, on_change, on_read) in [
        (json_answer("[1]"), "reply Some(200) [1]", "reply Some(200) [1]"),
        (json_answer(r#"{"a":1,"a":2}"#), "in doubt SL722", "rejected Some(200) SL722"),
        (
            Answer::text("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
            "rejected Some(403) SL724",
            "rejected Some(403) SL724",
        ),
        (Answer::text("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), "in doubt SL725", "rejected Some(500) SL725"),
        (Answer::Text(format!("HTTP/1.1 302 Go\r\n{redirect}")), "in doubt SL710", "rejected None SL710"),
        (
            Answer::Text(format!("HTTP/1.1 307 Go\r\n{redirect}")),
            "rejected Some(307) SL710",
            "rejected Some(307) SL710",
        ),
        (Answer::Close, "in doubt SL713", "rejected None SL713"),
        (Answer::Silence, "in doubt SL712", "rejected None SL712"),
        (json_answer(&format!("[\"{CANARY}\"]")), "in doubt SL717", "rejected None SL717"),
        (json_answer(&format!("[\"{}\"]", "x".repeat(1000))), "in doubt SL711", "rejected None SL711"),
    ] {
        let server = Server::start(answer).await;
        let desk = desk(folder.path(), server.port(), "desk-token");
        let changed = desk.call(prepared("tickets.close", json!({"id": 1, "reason": "x"}))).await;
        let read = desk.call(prepared("tickets.get", json!({"id": 1}))).await;
        assert_eq!((shown(&changed).as_str(), shown(&read).as_str()), (on_change, on_read));
        assert!(!format!("{changed:?} {read:?} {desk:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_call_that_is_wrong_here_never_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json_answer("[]")).await;
    let desk = |secret| desk(folder.path(), server.port(), secret);
    for (secret, action, arguments, code) in [
        ("desk-token", "tickets.delete", json!({}), "not sent SL760"),
        ("desk-token", "tickets.get", json!({}), "not sent SL720"),
        ("desk-token", "tickets.get", json!({"id": ".."}), "not sent SL720"),
        ("desk-token", "tickets.get", json!({"id": "1/../../admin"}), "not sent SL720"),
        ("desk-token", "tickets.get", json!({"id": 1, "host": "evil.test"}), "not sent SL720"),
        ("other", "tickets.get", json!({"id": 1}), "not sent SL754"),
    ] {
        let outcome = desk(secret).call(prepared(action, arguments.clone())).await;
        assert_eq!(shown(&outcome), code, "{arguments}");
    }
    assert_eq!(server.requests().len(), 0);
}

/// The desk with one more action, whose arguments `key` and `pass` are filled with secrets.
fn keyed_desk(folder: &Path, port: u16, places: [Place; 2]) -> Connector {
    let Connector::Http(desk) = desk(folder, port, "desk-token") else { unreachable!("the desk speaks HTTP") };
    let mut desk = Arc::into_inner(desk).unwrap();
    desk.secrets.set("sheet-key", &Secret::new(b"canary-a-\"quoted\"".to_vec())).unwrap();
    let mut keyed = action(Effect::Change, Method::Post, "/keyed", &[("note", Place::Field("note".into()))]);
    for ((argument, secret), place) in [("key", "desk-token"), ("pass", "sheet-key")].into_iter().zip(places) {
        let parameter = Parameter { place, required: false, secret: Some(secret.into()) };
        keyed.parameters.insert(argument.into(), parameter);
    }
    desk.actions.insert("keyed".into(), keyed);
    Connector::Http(Arc::new(desk))
}

fn handle(secret: &str) -> Value {
    json!({ "$secret": secret })
}

#[tokio::test]
async fn a_handle_becomes_the_secret_that_the_contract_names_where_it_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json_answer("[]")).await;
    let desk = keyed_desk(folder.path(), server.port(), [Place::Header("X-Key".into()), Place::Field("pass".into())]);
    // What only looks like a handle, in an argument that takes data, stays data.
    let arguments = json!({"note": handle("desk-token"), "key": handle("desk-token"), "pass": handle("sheet-key")});
    assert_eq!(shown(&desk.call(prepared("keyed", arguments)).await), "reply Some(200) []");
    let seen = &server.requests()[0];
    assert!(seen.lines().any(|line| line == format!("x-key: {CANARY}")), "{seen}");
    assert!(seen.ends_with(r#"{"note":{"$secret":"desk-token"},"pass":"canary-a-\"quoted\""}"#), "{seen}");
}

#[tokio::test]
async fn nothing_but_the_handle_of_the_contract_opens_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json_answer("[]")).await;
    let places = || [Place::Header("X-Key".into()), Place::Field("pass".into())];
    let desk = keyed_desk(folder.path(), server.port(), places());
    for key in [handle("sheet-key"), handle("other"), json!("desk-token"), json!(null), json!({}), json!("x")] {
        let outcome = desk.call(prepared("keyed", json!({"note": 1, "key": key}))).await;
        assert_eq!(shown(&outcome), "not sent SL720", "{key}");
    }
    for place in [Place::Path, Place::Query, Place::QueryList, Place::Body] {
        let folder = tempfile::tempdir().unwrap();
        let desk = keyed_desk(folder.path(), server.port(), [place.clone(), Place::Field("pass".into())]);
        let outcome = desk.call(prepared("keyed", json!({"note": 1, "key": handle("desk-token")}))).await;
        assert_eq!(shown(&outcome), "not sent SL721", "{place:?}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_reply_that_repeats_an_argument_that_is_a_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for answer in [json_answer(r#"["canary-a-\"quoted\""]"#), json_answer(&format!("[\"{CANARY}\"]"))] {
        let server = Server::start(answer).await;
        let desk = keyed_desk(folder.path(), server.port(), [Place::Header("X-Key".into()), Place::Field("p".into())]);
        let outcome = desk.call(prepared("keyed", json!({"note": 1, "pass": handle("sheet-key")}))).await;
        assert_eq!(shown(&outcome), "in doubt SL717");
        assert!(!format!("{outcome:?} {desk:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_secret_is_written_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json_answer("[]")).await;
    let desk = desk(folder.path(), server.port(), "desk-token");
    desk.call(prepared("tickets.get", json!({"id": 1}))).await;
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
        files += 1;
    }
    assert!(files >= 1 && server.requests()[0].contains(CANARY), "the test must look at what it says it looks at");
}

#[tokio::test]
async fn databases_and_files_are_called_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("crm.db");
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE a (n); INSERT INTO a VALUES (7)")
        .unwrap();
    let sql = "SELECT n FROM a WHERE n = :n".to_owned();
    let statement =
        SqlStatement { sql, access: Access::Read, rows_max: 10, bytes_max: 1000, timeout: Duration::from_secs(20) };
    let crm =
        Connector::Sql(Arc::new(SqlConnector { database, statements: BTreeMap::from([("get".into(), statement)]) }));
    assert_eq!(shown(&crm.call(prepared("get", json!({"n": 7}))).await), r#"reply None [{"n":7}]"#);
    assert_eq!(shown(&crm.call(prepared("put", json!({}))).await), "not sent SL760");

    let write = FilesAction {
        deed: Deed::Write,
        path: "{name}.jsonl".into(),
        format: Format::JsonLines,
        bytes_max: 100,
        rows_max: 10,
    };
    let reports = FilesConnector::open(folder.path(), BTreeMap::from([("write".into(), write)])).unwrap();
    let reports = Connector::Files(Arc::new(reports));
    let outcome = reports.call(prepared("write", json!({"name": "n", "rows": [1, 2]}))).await;
    assert_eq!(shown(&outcome), r#"reply None {"rows":2,"bytes":4}"#);
    assert_eq!(std::fs::read_to_string(folder.path().join("n.jsonl")).unwrap(), "1\n2\n");
    assert_eq!(shown(&reports.call(prepared("read", json!({}))).await), "not sent SL760");
}
