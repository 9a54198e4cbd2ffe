//! The egress client: what it refuses to send, and what it makes of replies.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sluice_connectors::address::Host;
use sluice_connectors::egress::{
    Body, Credential, EgressClient, EgressError, EgressReply, EgressRequest, EgressRule, Method, Phase, Resolve, Scheme,
};
use sluice_connectors::path::PathTemplate;
use sluice_connectors::secret::Secret;
use sluice_connectors::tls::{CertificatePin, public_roots};

use crate::server::{self, Answer, Server};

/// Answers the first question with the first list, the second with the second, and so on.
struct Scripted {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Scripted {
    fn resolve<'a>(&'a self, _name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            let mut answers = self.answers.lock().unwrap();
            if answers.is_empty() { Err(io::Error::other("no such name")) } else { Ok(answers.remove(0)) }
        })
    }
}

/// Never answers.
struct Silent;

impl Resolve for Silent {
    fn resolve<'a>(&'a self, _name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(std::future::pending())
    }
}

fn client(answers: &[&[&str]]) -> EgressClient {
    EgressClient::new(Scripted::new(answers), public_roots())
}

fn request(host: &str, port: u16) -> EgressRequest {
    EgressRequest {
        scheme: Scheme::Http,
        host: Host::parse(host).unwrap(),
        port,
        method: Method::Post,
        path: "/accounts/7".into(),
        query: vec![("q".into(), "a b".into())],
        headers: Vec::new(),
        body: Some(Body { content_type: "application/json", bytes: b"{\"n\":1}".to_vec() }),
        credentials: Vec::new(),
        idempotency: Some(("Idempotency-Key".into(), "key-1".into())),
        run: "run-1".into(),
    }
}

fn rule(request: &EgressRequest) -> EgressRule {
    EgressRule {
        scheme: request.scheme,
        host: request.host.clone(),
        port: request.port,
        method: request.method,
        path: PathTemplate::parse("/accounts/{id}").unwrap(),
        allow_private: true,
        pin: None,
        reply_bytes_max: 1000,
        // Far more than a busy machine takes; tests of time itself say less.
        timeout: Duration::from_secs(20),
    }
}

async fn send(client: &EgressClient, request: EgressRequest) -> Result<EgressReply, EgressError> {
    let rule = rule(&request);
    client.send(request, &rule).await
}

/// As [`send`], with little time, which must run out.
async fn send_briefly(client: &EgressClient, request: EgressRequest) -> EgressError {
    let rule = EgressRule { timeout: Duration::from_millis(400), ..rule(&request) };
    client.send(request, &rule).await.unwrap_err()
}

/// Asks a server with this answer, and says what came of it.
async fn asked(answer: Answer) -> Result<EgressReply, EgressError> {
    let server = Server::start(answer).await;
    send(&client(&[&["127.0.0.1"]]), request("crm.test", server.port())).await
}

#[tokio::test]
async fn a_request_carries_run_key_and_credential_and_nothing_unasked() {
    let server = Server::start(Answer::text("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")).await;
    let credentials = vec![Credential::Bearer(Secret::new(b"canary-token".to_vec()))];
    let headers = vec![("X-Tag".to_owned(), "blue".to_owned())];
    let request = EgressRequest { credentials, headers, ..request("crm.test", server.port()) };
    let reply = send(&client(&[&["127.0.0.1"]]), request).await.unwrap();
    assert_eq!((reply.status, reply.body.as_ref()), (201, b"{}".as_slice()));
    assert_eq!(reply.address, SocketAddr::from(([127, 0, 0, 1], server.port())));
    let seen = server.requests();
    let mut lines: Vec<_> = seen[0].lines().map(str::to_owned).collect();
    lines[1..].sort();
    assert_eq!(
        lines,
        [
            "POST /accounts/7?q=a%20b HTTP/1.1".to_owned(),
            String::new(),
            "accept-encoding: identity".into(),
            "authorization: Bearer canary-token".into(),
            "connection: close".into(),
            "content-length: 7".into(),
            "content-type: application/json".into(),
            format!("host: crm.test:{}", server.port()),
            "idempotency-key: key-1".into(),
            format!("user-agent: sluice/{}", env!("CARGO_PKG_VERSION")),
            "x-sluice-run: run-1".into(),
            "x-tag: blue".into(),
            "{\"n\":1}".into(),
        ]
    );
}

#[tokio::test]
async fn what_the_rule_does_not_name_is_never_looked_up() {
    let resolver = Scripted::new(&[&["127.0.0.1"]]);
    let client = EgressClient::new(Arc::clone(&resolver) as Arc<dyn Resolve>, public_roots());
    let wanted = request("crm.test", 80);
    let other = EgressRequest { path: "/admin".into(), ..request("crm.test", 80) };
    let error = client.send(other, &rule(&wanted)).await.unwrap_err();
    assert_eq!((error.code().0, error.nothing_left()), (704, true));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_metadata_address_is_refused_even_where_private_ones_are_allowed() {
    for address in
        ["169.254.169.254", "fd00:ec2::254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "168.63.129.16"]
    {
        let error = send(&client(&[&[address]]), request("crm.test", 80)).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (701, true), "{address}");
        let host =
            if address.contains(':') { format!("[{}]", address.parse::<IpAddr>().unwrap()) } else { address.into() };
        let error = send(&client(&[]), request(&host, 80)).await.unwrap_err();
        assert_eq!(error.code().0, 701, "{host} as the contract's host");
    }
}

#[tokio::test]
async fn a_private_address_needs_the_contracts_word() {
    let server = Server::start(Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ] {
        let request = request("crm.test", server.port());
        let rule = EgressRule { allow_private: false, ..rule(&request) };
        let error = client(&[&[address]]).send(request, &rule).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (702, true), "{address}");
    }
    let literal = request("127.0.0.1", server.port());
    let closed = EgressRule { allow_private: false, ..rule(&literal) };
    assert_eq!(client(&[]).send(literal, &closed).await.unwrap_err().code().0, 702);
    assert_eq!(server.requests().len(), 0);
    assert_eq!(send(&client(&[]), request("127.0.0.1", server.port())).await.unwrap().status, 200);
}

#[tokio::test]
async fn one_bad_address_spoils_the_whole_answer() {
    let server = Server::start(Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let client = client(&[&["127.0.0.1", "169.254.169.254"]]);
    assert_eq!(send(&client, request("crm.test", server.port())).await.unwrap_err().code().0, 701);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_asked_once() {
    let server = Server::start(Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let resolver = Scripted::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = EgressClient::new(Arc::clone(&resolver) as Arc<dyn Resolve>, public_roots());
    let reply = send(&client, request("crm.test", server.port())).await.unwrap();
    assert_eq!(reply.address.ip(), IpAddr::from([127, 0, 0, 1]));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    // The next call asks again, and judges again.
    assert_eq!(send(&client, request("crm.test", server.port())).await.unwrap_err().code().0, 701);
}

#[tokio::test]
async fn a_dead_address_is_passed_over_for_the_next_judged_one() {
    let server = Server::start(Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let reply = send(&client(&[&["127.0.0.9", "127.0.0.1"]]), request("crm.test", server.port())).await.unwrap();
    assert_eq!(reply.address.ip(), IpAddr::from([127, 0, 0, 1]));
}

#[tokio::test]
async fn a_name_without_address_or_with_too_many_is_not_sent() {
    let many: Vec<String> = (0..33).map(|n| format!("127.0.0.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for answers in [&[][..], &[&[][..]][..], &[&many[..]][..]] {
        let error = send(&client(answers), request("crm.test", 80)).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (706, true));
    }
}

#[tokio::test]
async fn a_closed_port_is_not_sent() {
    let port = Server::start(Answer::Close).await.port();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_ne!(port, closed);
    let error = send(&client(&[&["127.0.0.1"]]), request("crm.test", closed)).await.unwrap_err();
    assert_eq!((error.code().0, error.nothing_left()), (707, true));
}

#[tokio::test]
async fn a_redirect_is_reported_and_never_followed() {
    let target = Server::start(Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        &format!("http://127.0.0.1:{}/accounts/7", target.port()),
        "/login",
        "",
    ] {
        for status in [300, 301, 302, 303, 307, 308] {
            let text = format!("HTTP/1.1 {status} Go\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            let error = asked(Answer::text(&text)).await.unwrap_err();
            assert_eq!(error, EgressError::Redirect { status, to: to.to_owned() });
            assert!(!error.nothing_left());
        }
    }
    assert_eq!(target.requests().len(), 0);
}

#[tokio::test]
async fn a_reply_is_bounded_in_size_however_it_is_framed() {
    let body = "x".repeat(1001);
    let chunks = format!("3E9\r\n{body}\r\n0\r\n\r\n");
    for text in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n{body}"),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
    ] {
        let error = asked(Answer::text(&text)).await.unwrap_err();
        assert_eq!(error, EgressError::ReplyTooLarge { status: 200, bytes_max: 1000 });
        assert!(!error.nothing_left());
    }
    let just = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(1000));
    assert_eq!(asked(Answer::text(&just)).await.unwrap().body.len(), 1000);
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1_000_000));
    assert_eq!(asked(Answer::text(&head)).await.unwrap_err().code().0, 713);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
    assert_eq!(asked(Answer::text(&many)).await.unwrap_err().code().0, 713);
}

#[tokio::test]
async fn a_slow_reply_is_bounded_in_time() {
    let drip = Answer::Drip("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n".into());
    for answer in [Answer::Silence, drip, Answer::Drip("HTTP/1.1 200 OK\r\nX: ".into())] {
        let began = Instant::now();
        let server = Server::start(answer).await;
        let error = send_briefly(&client(&[&["127.0.0.1"]]), request("crm.test", server.port())).await;
        assert_eq!(error, EgressError::Timeout { phase: Phase::Reply });
        assert!(!error.nothing_left());
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn time_that_runs_out_before_the_request_is_not_sent() {
    let silent = EgressClient::new(Arc::new(Silent), public_roots());
    let error = send_briefly(&silent, request("crm.test", 80)).await;
    assert_eq!(error, EgressError::Timeout { phase: Phase::Resolve });
    assert!(error.nothing_left());
    let mute = Server::start(Answer::Silence).await;
    let request = EgressRequest { scheme: Scheme::Https, ..request("crm.test", mute.port()) };
    let error = send_briefly(&client(&[&["127.0.0.1"]]), request).await;
    assert_eq!(error, EgressError::Timeout { phase: Phase::Tls });
    assert!(error.nothing_left());
}

#[tokio::test]
async fn a_lost_reply_is_in_doubt() {
    for answer in [
        Answer::Close,
        Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        Answer::text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        Answer::text("HTTP/1.1 2"),
        Answer::text("220 mail.example ESMTP\r\n"),
        Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ] {
        let error = asked(answer).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (713, false), "{error}");
    }
}

#[tokio::test]
async fn a_compressed_reply_is_refused() {
    for encoding in ["gzip", "br", "deflate", "identity, gzip"] {
        let text = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(asked(Answer::text(&text)).await.unwrap_err(), EgressError::Encoded { status: 200 });
    }
    let plain = "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(asked(Answer::text(plain)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_secret_leaves_only_inside_tls_or_this_machine() {
    let secret = || vec![Credential::Header("x-key".into(), Secret::new(b"canary-token".to_vec()))];
    for address in ["192.0.2.1", "10.0.0.1", "8.8.8.8"] {
        let request = EgressRequest { credentials: secret(), ..request("crm.test", 80) };
        let error = send(&client(&[&[address]]), request).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (716, true), "{address}");
    }
}

#[tokio::test]
async fn a_reply_that_repeats_the_secret_is_refused() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"headers\":\"canary-token\"}",
        "HTTP/1.1 302 Found\r\nLocation: /?token=canary-token\r\nContent-Length: 0\r\n\r\n",
    ] {
        let server = Server::start(Answer::text(text)).await;
        let credentials = vec![Credential::Bearer(Secret::new(b"canary-token".to_vec()))];
        let request = EgressRequest { credentials, ..request("crm.test", server.port()) };
        let error = send(&client(&[&["127.0.0.1"]]), request).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (717, false));
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}

#[tokio::test]
async fn tls_takes_trusted_names_and_pinned_certificates_alone() {
    let ok = || Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (server, certificate) = Server::start_tls(ok(), "crm.test").await;
    let pin = server::fingerprint(&certificate);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = || EgressClient::new(Scripted::new(&[&["127.0.0.1"]]), roots.clone());
    let https = |host: &str| EgressRequest { scheme: Scheme::Https, ..request(host, server.port()) };

    assert_eq!(send(&trusting(), https("crm.test")).await.unwrap().status, 200);
    // The right name decides, and so do the roots.
    for (client, host) in [(trusting(), "other.test"), (client(&[&["127.0.0.1"]]), "crm.test")] {
        let error = send(&client, https(host)).await.unwrap_err();
        assert_eq!((error.code().0, error.nothing_left()), (708, true), "{error}");
    }
    // A pin replaces the roots, and is not moved by them.
    let pinned = |pin| EgressRule { pin: Some(CertificatePin(pin)), ..rule(&https("crm.test")) };
    assert_eq!(client(&[&["127.0.0.1"]]).send(https("crm.test"), &pinned(pin)).await.unwrap().status, 200);
    let error = trusting().send(https("crm.test"), &pinned([0; 32])).await.unwrap_err();
    assert_eq!((error.code().0, error.nothing_left()), (709, true));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_without_tls_is_not_talked_to_in_clear() {
    let server = Server::start(Answer::Greet("220 mail.example ESMTP\r\n".into())).await;
    let request = EgressRequest { scheme: Scheme::Https, ..request("crm.test", server.port()) };
    let error = send(&client(&[&["127.0.0.1"]]), request).await.unwrap_err();
    assert_eq!((error.code().0, error.nothing_left()), (708, true));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn no_error_and_no_reply_prints_what_was_said() {
    let reply = asked(Answer::text("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncanary")).await.unwrap();
    assert!(!format!("{reply:?}").contains("canary"));
    let escaped = EgressError::Redirect { status: 302, to: "\u{1b}[2Jx".into() }.to_string();
    assert!(!escaped.contains('\u{1b}'));
}
