//! The ticket gate: a step that policy lets pass only for a ticket, against a ticket system that really answers.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value as Json, json};

use crate::sandbox::{Ended, Sandbox, holds};

const KEY: &str = "desk-key-51d0";

/// Adding to a crew is what needs a ticket.
const CREWS: &str = r#"version: 1
connector: crews
transport: { files: { folder: data/crews, format: jsonl } }
owner: owners
actions:
  add:
    effect: write
    request: { file: "{crew}.jsonl", operation: append }
    arguments:
      crew: { role: reference, required: true, reference: crew }
      rows: { role: payload, required: true }
    output: { from: replace, trust: { "": trusted }, labels: { "": [internal] }, dataset: crews }
"#;

const DESK: &str = r#"version: 1
connector: desk
transport: { http: { base: "http://127.0.0.1:PORT", allow_private: true } }
credential: { secret: desk-key, scopes: [tickets.read] }
owner: owners
actions:
  show:
    effect: read
    request: { method: GET, path: "/tickets/{id}" }
    arguments: { id: { role: reference, required: true } }
    output:
      from: replace
      trust: { "": trusted, "/about": origin, "/text": origin }
      labels: { "": [internal] }
      dataset: desk.tickets
      undeclared: raise
    ticket: { id: id, status: /status, open: [open], subject: /about/*, requester: /by }
    limits: { bytes: 2KiB, timeout: 2s }
"#;

const POLICY: &str = r#"@id("crew-without-ticket")
@why("a crew changes only for a ticket that names it")
@remedy("ticket")
@ticket("desk.show")
@names("reference")
forbid (principal, action == Action::"write", resource)
when { context.connector == "crews" }
unless { context.satisfied.contains("ticket:desk.show/reference") };
"#;

type Tickets = Arc<Mutex<BTreeMap<String, Json>>>;

/// A ticket system: what it knows can change while it answers.
struct Desk {
    port: u16,
    tickets: Tickets,
}

impl Desk {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tickets = Tickets::default();
        let shared = Arc::clone(&tickets);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &shared)));
        let desk = Self { port, tickets };
        desk.says("T-1", &ticket());
        desk
    }

    fn says(&self, id: &str, ticket: &Json) {
        self.tickets.lock().unwrap().insert(id.to_owned(), ticket.clone());
    }
}

fn answer(mut stream: TcpStream, tickets: &Tickets) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let is_let_in = head.iter().any(|line| line.to_ascii_lowercase() == format!("authorization: bearer {KEY}"));
    let id = first.split(['/', ' ']).nth(3).unwrap_or_default().to_owned();
    let found = tickets.lock().unwrap().get(&id).cloned();
    let (status, body) = match found {
        Some(ticket) if is_let_in => ("200 OK", ticket.to_string()),
        Some(_) => ("401 Unauthorized", json!({ "message": "no key" }).to_string()),
        None => ("404 Not Found", json!({ "message": "no such ticket" }).to_string()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
    let _ = stream.flush();
    let _ = stream.read(&mut [0]);
}

fn ticket() -> Json {
    json!({ "status": "open", "by": "ben", "about": ["night"], "text": "please add fay" })
}

fn with(key: &str, value: Json) -> Json {
    let mut changed = ticket();
    changed[key] = value;
    changed
}

fn workspace(port: u16) -> Sandbox {
    let sandbox = Sandbox::with_two_people();
    sandbox.write("ws/connectors/crews.yaml", CREWS);
    sandbox.write("ws/connectors/desk.yaml", DESK.replace("PORT", &port.to_string()));
    sandbox.write("ws/policies/tickets.cedar", POLICY);
    sandbox.write("ws/data/crews/night.jsonl", "{\"who\": \"eve\"}\n");
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox.sluice_with(&["secret", "set", "desk-key"], &format!("{KEY}\n")).with(0);
    sandbox
}

/// Runs the step for a ticket; of an author whom nobody knows, its words wait for ana besides.
fn run(sandbox: &Sandbox, ticket: &str, author: &[&str]) -> Ended {
    let metadata = format!("purpose: operations, {ticket}");
    let text = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: t, version: '1.0.0', metadata: {{ {metadata} }} }}\ndo:\n  \
         - add: {{ call: crews.add, with: {{ crew: night, rows: [{{ who: fay }}] }} }}\n"
    );
    let workflow = sandbox.write("ws/add.yaml", text);
    let input = sandbox.write("ws/input.json", "{\"ticket\": \"T-1\"}");
    let head = ["run", &workflow, "--as", "ben", "--input", &input, "--format", "json"];
    sandbox.sluice(&[&head[..], author].concat())
}

const NAMED: &str = "ticket: '${ .ticket }'";
const BY_BEN: [&str; 2] = ["--author", "ben"];

fn crew(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("ws/data/crews/night.jsonl")).unwrap()
}

#[test]
fn a_step_is_taken_for_an_open_ticket_of_the_requester_about_it() {
    let desk = Desk::open();
    let sandbox = workspace(desk.port);
    let ended = run(&sandbox, NAMED, &BY_BEN).with(0).json();
    assert!(crew(&sandbox).contains("fay"));
    // What was read is part of the entry that tells the decision.
    let shown = sandbox.sluice(&["audit", "show", ended["run"].as_str().unwrap(), "--format", "json"]).with(0).json();
    let answers: Vec<&Json> = shown["entries"].as_array().unwrap().iter().map(|e| &e["payload"]["answer"]).collect();
    let permit = answers.iter().find(|answer| answer["decision"] == "permit").unwrap();
    let seen = &permit["receipt"]["more"]["tickets"][0];
    assert_eq!((&seen["id"], &seen["from"], &seen["content"]), (&json!("T-1"), &json!("desk.show"), &ticket()));
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
    assert!(!holds(&sandbox.path("ws/.sluice/ledger.db"), KEY));
    run(&sandbox, "ticket: T-1", &BY_BEN).with(0);
}

#[test]
fn any_other_ticket_refuses_the_step_and_says_why() {
    let desk = Desk::open();
    let sandbox = workspace(desk.port);
    let large = with("text", "x".repeat(4_000).into());
    for (said, named, why) in [
        (with("status", "closed".into()), NAMED, "it is `closed`, and not open"),
        (with("about", json!(["day"])), NAMED, "it does not name `night`"),
        (with("about", json!("night")), NAMED, "it does not name `night`"),
        (with("by", "ana".into()), NAMED, "it was raised by `ana`, and `ben` asks"),
        (with("by", Json::Null), NAMED, "it does not say `requester` in one text"),
        (Json::Null, NAMED, "it does not say `status` in one text"),
        (large, NAMED, "cannot be read with `desk.show`"),
        (ticket(), "ticket: T-2", "cannot be read with `desk.show`"),
        (ticket(), "ticket: '${ .other }'", "no ticket's id in this run's input"),
        (ticket(), "ticket: '${ .ticket.id }'", "no ticket's id in this run's input"),
        (ticket(), "ticket: '../admin'", "cannot be read with `desk.show`"),
        (ticket(), "note: none", "it is for no ticket"),
    ] {
        desk.says("T-1", &said);
        let ended = run(&sandbox, named, &BY_BEN).with(5).json();
        let refusal = &ended["refusal"];
        assert_eq!(refusal["code"], "SL418", "{ended}");
        assert!(refusal["why"].as_str().unwrap().contains(why), "{why}: {ended}");
    }
    assert!(!crew(&sandbox).contains("fay"));
}

#[test]
fn a_ticket_system_that_does_not_answer_refuses_the_step() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sandbox = workspace(closed);
    let ended = run(&sandbox, NAMED, &BY_BEN).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL418", "{ended}");
    let desk = Desk::open();
    let sandbox = workspace(desk.port);
    sandbox.sluice_with(&["secret", "set", "desk-key"], "another\n").with(0);
    let ended = run(&sandbox, NAMED, &BY_BEN).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL418", "{ended}");
    sandbox.sluice(&["stop", "connector", "desk", "--as", "ana", "--key", &sandbox.key()]);
    assert!(!crew(&sandbox).contains("fay"));
}

#[test]
fn a_ticket_that_changed_since_it_was_approved_is_asked_about_again_and_a_closed_one_ends_it() {
    let desk = Desk::open();
    let sandbox = workspace(desk.port);
    let held = |ended: Ended| {
        let ended = ended.with(4).json();
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        (text(&ended["run"]), text(&ended["held"][0]["approval"]))
    };
    let approve = |id: &str| sandbox.sluice(&["approvals", "approve", id, "--as", "ana", "--key", &sandbox.key()]);
    let (run_id, first) = held(run(&sandbox, NAMED, &[]));
    let shown = sandbox.sluice(&["approvals", "show", &first]).with(0).out;
    assert!(shown.contains("ticket `T-1`") && shown.contains("as desk.show told"), "{shown}");
    approve(&first).with(0);

    desk.says("T-1", &with("text", "please add mallory".into()));
    let (_, second) = held(sandbox.sluice(&["resume", &run_id, "--format", "json"]));
    assert_ne!(first, second);
    let shown = sandbox.sluice(&["approvals", "show", &second, "--format", "json"]).with(0).json();
    let changed = "ticket `T-1` /text: \"please add fay\" became \"please add mallory\"";
    assert_eq!(shown["step"]["changed"], json!([changed]), "{shown}");
    approve(&second).with(0);
    sandbox.sluice(&["resume", &run_id]).with(0);
    assert!(crew(&sandbox).contains("fay"));

    let (run_id, third) = held(run(&sandbox, NAMED, &[]));
    approve(&third).with(0);
    desk.says("T-1", &with("status", "closed".into()));
    let ended = sandbox.sluice(&["resume", &run_id, "--format", "json"]).with(5).json();
    assert_eq!(ended["refusal"]["code"], "SL418", "{ended}");
}

#[test]
fn a_mark_that_cannot_hold_and_a_policy_that_asks_for_no_contracts_ticket_are_not_signed() {
    let sandbox = workspace(9);
    let sign = || sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]);
    for (from, to, code, said) in [
        ("\"/text\": origin", "\"/by\": origin", "SL419", "`requester` is an outsider's word here"),
        ("id: id, status", "id: number, status", "SL419", "`number` is not an argument of this action"),
        ("open: [open]", "open: []", "SL419", "`open` names no state"),
        ("effect: read", "effect: write", "SL419", "looking at a ticket must change nothing"),
        ("ticket: {", "description: \"{", "SL453", "no contract marks it"),
    ] {
        let contract = DESK.replace("PORT", "9").replace(from, to);
        let contract = if code == "SL453" { contract.replace("requester: /by }", "\"") } else { contract };
        sandbox.write("ws/connectors/desk.yaml", contract);
        let ended = sign();
        assert!(ended.code != 0 && ended.err.contains(code) && ended.err.contains(said), "{said}: {ended:?}");
    }
}
