//! `sluice secret`: a value goes in and is seen nowhere again.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use crate::sandbox::{Ended, Sandbox, holds};

const CANARY: &str = "canary-7f3a91c2-do-not-show";

#[test]
fn a_secret_is_in_no_file_output_or_payload() {
    let sandbox = Sandbox::with_workspace();
    let mut seen = String::new();
    let mut keep = |ended: Ended| {
        seen.push_str(&ended.out);
        seen.push_str(&ended.err);
        ended
    };
    keep(sandbox.sluice_with(&["secret", "set", "desk-token"], &format!("{CANARY}\n"))).with(0);
    assert_eq!(keep(sandbox.sluice(&["secret", "list"])).with(0).out, "desk-token\n");
    // A call that takes the credential along, to where nobody answers.
    sandbox.edit("ws/connectors/service-desk.yaml", |text| {
        text.replace("base: \"https://desk.example.com\"", "base: \"http://127.0.0.1:9\", allow_private: true")
    });
    keep(sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()])).with(0);
    let call = sandbox.workflow("call.yaml", "  - ask: { call: service-desk.tickets.show, with: { id: T-1 } }\n");
    let ran = keep(sandbox.sluice(&["run", &call, "--author", "ana", "--format", "json"]));
    assert!(ran.code == 6, "the call itself is made and fails: {ran:?}");
    keep(sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"])).with(0);
    keep(sandbox.sluice(&["secret", "set", "Bad Name"])).with(2);
    assert_nowhere(&sandbox, &seen);
}

#[test]
fn a_secret_in_an_argument_is_told_to_its_service_and_to_nobody_else() {
    let sandbox = Sandbox::with_workspace();
    let mut seen = String::new();
    let mut keep = |ended: Ended| {
        seen.push_str(&ended.out);
        seen.push_str(&ended.err);
        ended
    };
    keep(sandbox.sluice_with(&["secret", "set", "share-key"], &format!("{CANARY}\n"))).with(0);
    keep(sandbox.sluice_with(&["secret", "set", "desk-token"], "another\n")).with(0);
    let (port, request) = service(r#"{"id":"T-1","status":"open"}"#);
    sandbox.edit("ws/connectors/service-desk.yaml", |text| {
        text.replace("\"https://desk.example.com\"", &format!("\"http://127.0.0.1:{port}\", allow_private: true"))
            .replace("path: \"/tickets/{id}\"", "path: \"/tickets/{id}\", headers: { X-Key: key }")
            .replace("    arguments:\n", "    arguments:\n      key: { secret: share-key }\n")
    });
    keep(sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()])).with(0);
    let call = |name: &str, with: &str| {
        let tasks = format!(
            "  - ask: {{ call: service-desk.tickets.show, with: {with} }}\nuse: {{ secrets: [share-key, desk-token] }}\n"
        );
        sandbox.workflow(name, &tasks)
    };
    // What no contract grants is refused before the run and in it, whatever the store holds.
    for (name, with, input) in [
        ("path.yaml", "{ id: \"${ $secrets.share-key }\" }", "{}"),
        ("other.yaml", "{ id: T-1, key: \"${ $secrets.desk-token }\" }", "{}"),
        ("forged.yaml", "{ id: T-1, key: \"${ .key }\" }", "{\"key\":{\"$secret\":\"share-key\"}}"),
    ] {
        let file = call(name, with);
        let checked = keep(sandbox.sluice(&["check", &file])).with(1);
        assert!(checked.out.contains("high[SL223]"), "{name}: {}", checked.out);
        let input = sandbox.write(&format!("ws/{name}.json"), input);
        keep(sandbox.sluice(&["run", &file, "--author", "ana", "--input", &input])).with(5);
    }
    let granted = call("granted.yaml", "{ id: T-1, key: \"${ $secrets.share-key }\" }");
    keep(sandbox.sluice(&["run", &granted, "--author", "ana", "--format", "json"])).with(0);
    keep(sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"])).with(0);
    let request = request.join().unwrap();
    assert!(request.contains(&format!("x-key: {CANARY}\r\n")) && request.contains("GET /tickets/T-1 "), "{request}");
    assert_nowhere(&sandbox, &seen);
}

/// Neither in what was printed nor in any file of the workspace and its home.
fn assert_nowhere(sandbox: &Sandbox, seen: &str) {
    assert!(!seen.contains(CANARY), "{seen}");
    for file in sandbox.files("ws").into_iter().chain(sandbox.files("home")) {
        assert!(!holds(&file, CANARY), "{}", file.display());
    }
    assert!(sandbox.path("ws/.sluice/secrets.sealed").exists());
}

/// A service that answers one request with this JSON, and gives what it was asked.
fn service(reply: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{reply}", reply.len()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (port, answering)
}
