//! A call that nobody knows the outcome of: a person looks, says so under their name, and the run goes on.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use sluice_store::{Mode, OsRandom, PayloadKeys, Pseudonym, Records};

use crate::sandbox::{Sandbox, holds};

const BELL: &str = r#"version: 1
connector: bell
transport: { http: { base: "http://127.0.0.1:PORT", allow_private: true } }
region: here
owner: owners
actions:
  ring:
    effect: write
    request: { method: POST, path: "/rings", body: [who] }
    arguments: { who: { role: payload, required: true } }
    output: { from: replace, trust: { "": trusted }, labels: { "": [internal] }, dataset: greetings }
    limits: { timeout: 10s }
"#;

/// A service that applies what it is asked, and drops the connection instead of telling: from the second request on it
/// answers. Gives its port and what it applied.
fn service() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let applied = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&applied);
    // Ends with the process: what it would serve is what must not come.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let body = body(&mut stream);
            let mut kept = kept.lock().unwrap();
            kept.push(body);
            if kept.len() > 1 {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{{\"rung\":2}}").unwrap();
            }
        }
    });
    (port, applied)
}

fn body(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// A run whose first effect is in doubt and whose second one depends on it: where, its id, and what was applied.
fn in_doubt() -> (Sandbox, String, Arc<Mutex<Vec<String>>>) {
    let sandbox = Sandbox::with_two_people();
    let (port, applied) = service();
    sandbox.write("ws/connectors/bell.yaml", BELL.replace("PORT", &port.to_string()));
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    let tasks = "  - ring: { call: bell.ring, with: { who: eve } }\n  \
                   - keep: { call: greetings.append, with: { rows: '${ [ \"rung \\(.rung)\" ] }' } }\n";
    let workflow = sandbox.workflow("ring.yaml", tasks);
    let run = ["run", &workflow, "--as", "ana", "--author", "ana", "--format", "json"];
    let ended = sandbox.sluice(&run).with(4).json();
    assert!(ended["held"][0]["why"].as_str().unwrap().contains("runs resolve"), "{ended}");
    assert_eq!(applied.lock().unwrap().len(), 1);
    (sandbox, ended["run"].as_str().unwrap().to_owned(), applied)
}

/// The pseudonym in the open body of the entry that resolved the call, and whom it means.
fn pseudonym(sandbox: &Sandbox, run: &str) -> Option<String> {
    let keys = || {
        let path = sandbox.keys().join("payloads.keys");
        PayloadKeys::open(&path, Mode::Existing, Box::new(OsRandom)).unwrap()
    };
    let records = Records::open(&sandbox.path("ws/.sluice/ledger.db"), keys(), Mode::Existing).unwrap();
    let entries = records.entries(0..records.head().unwrap().size.get()).unwrap();
    let resolved = entries.iter().find(|recorded| {
        let of_run = recorded.entry.run.as_ref().is_some_and(|link| link.id().to_string() == run);
        of_run && recorded.entry.kind.name() == Some("in-doubt-resolved")
    });
    let bytes = resolved.unwrap().entry.body.get("person").unwrap().as_bytes().unwrap().try_into().unwrap();
    keys().person(Pseudonym::from_bytes(bytes)).unwrap()
}

#[test]
fn who_resolves_a_call_in_doubt_is_recorded_and_the_effect_is_not_repeated() {
    let (sandbox, run, applied) = in_doubt();
    let reply = sandbox.write("ws/reply.json", r#"{"rung": 1}"#);
    let resolve = |person: &str| {
        sandbox.sluice(&["runs", "resolve", &run, "--happened", &reply, "--as", person, "--format", "json"])
    };
    for (person, words) in [("bem", "do you mean `ben`?"), ("owners", "is no person")] {
        let ended = resolve(person).with(2);
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    assert_eq!(resolve("ben").with(0).json()["status"], "completed");
    assert_eq!(*applied.lock().unwrap(), [r#"{"who":"eve"}"#]);

    let shown = sandbox.sluice(&["runs", "show", &run, "--format", "json"]).with(0).json();
    let found = &shown["resolved"][0];
    assert_eq!((&found["by"], &found["resolution"]), (&json!("ben"), &json!("happened")), "{shown}");
    let says = "ben says that it happened: {\"rung\":1}";
    for command in ["runs", "audit"] {
        let shown = sandbox.sluice(&[command, "show", &run]).with(0).out;
        assert!(shown.contains(says), "{command}: {shown}");
    }
    assert_eq!(pseudonym(&sandbox, &run).as_deref(), Some("ben"));
    for file in sandbox.files("ws/.sluice") {
        assert!(!holds(&file, "\"by\":\"ben\""), "the name is sealed: {}", file.display());
    }
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn a_call_that_somebody_repeats_is_made_once_more_under_their_name() {
    let (sandbox, run, applied) = in_doubt();
    sandbox.sluice(&["runs", "resolve", &run, "--repeat"]).with(0);
    assert_eq!(applied.lock().unwrap().len(), 2);
    let shown: Json = sandbox.sluice(&["runs", "show", &run, "--format", "json"]).with(0).json();
    // The one signer of a solo workspace, as nobody else was named.
    assert_eq!(shown["resolved"][0]["by"], "ana", "{shown}");
    assert_eq!(shown["resolved"][0]["resolution"], "repeat", "{shown}");
    sandbox.sluice(&["audit", "verify"]).with(0);
}
