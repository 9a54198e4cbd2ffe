//! Replies that hold what their contract does not say: at the gateway, at its HTTP face, and in a run.

use std::fs;

use serde_json::{Value as Json, json};

use crate::gateway::{Agent, text};
use crate::sandbox::{Sandbox, holds};

const CARD: &str = "4111 1111 1111 1111";

/// What a server of tools answers `list_mail` with.
fn answers(words: &str) -> String {
    let answer = json!({ "content": [{ "type": "text", "text": words }] });
    format!(
        "tools list_mail send_mail\non tools/call list_mail\nsay {{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{answer}}}"
    )
}

/// A workspace that classifies what is found, with or without a signed contract of the server.
fn house(output: Option<&str>) -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    sandbox.edit("ws/registers/classification.yaml", |text| {
        text.replace("\ncategories:\n", "\ncategories:\n  pii: { owner: owners }\n  financial: { owner: owners }\n")
    });
    if let Some(output) = output {
        let tool = |name: &str, effect: &str, rest: &str| {
            format!("  {name}:\n    effect: {effect}\n    request: {{ tool: {name} }}\n    {rest}\n")
        };
        let read = tool("list_mail", "read", &format!("output: {{ trust: {{ \"\": trusted }}, {output} }}"));
        let send = tool(
            "send_mail",
            "write",
            "arguments: { to: { role: recipient }, text: { role: payload } }\n    output: { trust: { \"\": trusted }, labels: { \"\": [] } }",
        );
        let head = contract(&sandbox, "");
        sandbox.write("ws/connectors/tools.yaml", format!("{head}{read}{send}"));
    }
    sandbox.sign("ana").with(0);
    sandbox
}

/// How the contract of the scripted server begins.
fn contract(sandbox: &Sandbox, more: &str) -> String {
    let words: Vec<String> = Agent::command(sandbox).iter().map(|word| json!(word).to_string()).collect();
    let transport = format!("{{ mcp: {{ command: [{}]{more} }} }}", words.join(", "));
    format!("version: 1\nconnector: tools\ntransport: {transport}\nactions:\n")
}

/// What was broken, as everybody reads it in the ledger.
fn incidents(sandbox: &Sandbox) -> Vec<Json> {
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let entries = log["entries"].as_array().unwrap();
    let told: Vec<Json> = entries.iter().filter(|e| e["kind"] == "incident").map(|e| e["incident"].clone()).collect();
    let stops = entries.iter().filter(|entry| entry["kind"] == "stopped").count();
    assert_eq!(told.len(), stops, "{log}");
    told
}

#[test]
fn a_signed_contract_that_does_not_say_what_comes_is_broken_and_its_connector_stopped() {
    for (output, words, broken) in [
        ("labels: { \"\": [internal] }", format!("paid with {CARD}"), "card visa 1 "),
        (
            "labels: { \"\": [pii] }",
            format!("{{\"rows\": [{{\"a\": \"{CARD}\"}}, {{\"a\": \"{CARD}\"}}]}}"),
            "card visa 2 ",
        ),
        (
            "labels: { \"\": [], /rows: [internal] }",
            json!({"rows": [{ "mail": "bo@example.com" }]}).to_string(),
            "email address 1 /rows",
        ),
        ("labels: { \"\": [] }", "to DE89 3704 0044 0532 0130 00".to_owned(), "iban DE 1 "),
    ] {
        let sandbox = house(Some(output));
        let mut agent = Agent::of(&sandbox, &answers(&words));
        assert_eq!(agent.call("list_mail", json!({})), words, "it reaches the agent, under raised labels");
        let denied = "denied by policy: SL518\nThis call will not be made; asking again changes nothing.";
        assert_eq!(agent.call("list_mail", json!({})), denied, "{output}");
        let left = agent.leave();
        assert!(left.errors.contains("broke its contract"), "{}", left.errors);
        let incidents = incidents(&sandbox);
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        let one = &incidents[0]["broken"][0];
        let told = ["finder", "rule", "count", "at"].map(|key| one[key].to_string().replace('"', ""));
        assert_eq!((told.join(" ").as_str(), &incidents[0]["connector"]), (broken, &json!("tools")));
        let shown = incidents[0].to_string();
        assert!(!shown.contains("4111") && !shown.contains("example.com") && !shown.contains("DE89"), "{shown}");

        let mut again = Agent::of(&sandbox, &answers("nothing"));
        assert_eq!(again.call("list_mail", json!({})), denied, "in a new session too");
        again.leave();
        sandbox.sluice(&["go-on", "--connector", "tools", "--as", "ana", "--key", &sandbox.key()]).with(0);
        let mut third = Agent::of(&sandbox, &answers("nothing"));
        assert_eq!(third.call("list_mail", json!({})), "nothing");
        third.leave();
        sandbox.sluice(&["audit", "verify"]).with(0);
    }
}

#[test]
fn what_a_contract_says_leaves_open_or_nobody_classifies_is_no_breach() {
    let words = format!("bo@example.com paid with {CARD}");
    for output in [
        Some("labels: { \"\": [pii, financial] }"),
        Some("labels: { \"\": [internal] }, undeclared: raise"),
        Some("labels: { /id: [internal] }"),
        None,
    ] {
        let sandbox = house(output);
        let mut agent = Agent::of(&sandbox, &answers(&words));
        assert_eq!(agent.call("list_mail", json!({})), words, "{output:?}");
        // Of what nobody described policy may say no; the connector is not stopped.
        assert!(!agent.call("list_mail", json!({})).contains("SL518"), "{output:?}");
        agent.leave();
        assert_eq!(incidents(&sandbox), Vec::<Json>::new(), "{output:?}");
    }
    // A workspace without these classes cannot declare them.
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, &answers(&words));
    assert_eq!(agent.call("list_mail", json!({})), words);
    agent.leave();
    assert_eq!(incidents(&sandbox), Vec::<Json>::new());
}

#[test]
fn what_was_found_raises_the_label_of_the_session() {
    for (words, holds) in [("nothing", true), ("bo@example.com", false)] {
        let sandbox = house(Some("labels: { \"\": [internal] }, undeclared: raise"));
        let mut agent = Agent::of(&sandbox, &answers(words));
        assert_eq!(agent.call("list_mail", json!({})), words);
        // Nothing in it is an outsider's word: only its class can stand in the way of writing it down.
        let told = agent.call("send_mail", json!({ "to": "ana", "text": "x" }));
        assert_eq!(told == "done", holds, "{words}: {told}");
        agent.leave();
        let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
        let run = runs[0]["run"].as_str().unwrap();
        let shown = sandbox.sluice(&["audit", "show", run, "--format", "json"]).with(0).out;
        assert_eq!(shown.contains("category:pii@owners"), !holds, "{shown}");
    }
}

#[test]
fn a_reply_that_is_larger_than_its_contract_allows_is_a_breach() {
    let sandbox = house(Some("labels: { \"\": [internal] } }\n    limits: { bytes: 1KiB"));
    let words = "x".repeat(2_000);
    let mut agent = Agent::of(&sandbox, &answers(&words));
    assert_eq!(agent.call("list_mail", json!({})), words);
    assert!(agent.call("list_mail", json!({})).starts_with("denied by policy: SL518"));
    agent.leave();
    let incidents = incidents(&sandbox);
    assert_eq!(incidents[0]["broken"], json!([{ "what": "volume", "limit": 1024 }]));
}

#[test]
fn a_run_ends_where_a_reply_holds_what_the_contract_or_the_prediction_does_not_say() {
    for (labels, code, is_incident) in [
        ("labels: { \"\": [internal] }", Some("SL508"), true),
        ("labels: { \"\": [internal] }, undeclared: raise", Some("SL519"), false),
        ("labels: { \"\": [internal], /*/id: [pii] }", Some("SL519"), false),
        ("labels: { \"\": [internal, pii] }", None, false),
        ("labels: { /*/id: [internal] }", None, false),
    ] {
        let sandbox = house(None);
        sandbox.write("ws/data/people/all.jsonl", "{\"id\": 1, \"note\": \"write to bo@example.com\"}\n");
        let contract = format!(
            "version: 1\nconnector: people\ntransport: {{ files: {{ folder: data/people, format: jsonl }} }}\nactions:\n  \
             all:\n    effect: read\n    request: {{ file: all.jsonl, operation: read }}\n    \
             output: {{ from: replace, trust: {{ \"\": trusted }}, {labels} }}\n"
        );
        sandbox.write("ws/connectors/people.yaml", contract);
        sandbox.sign("ana").with(0);
        let flow = sandbox.workflow("w.yaml", "- all: { call: people.all }\n- set: { set: { n: '${ length }' } }\n");
        let ended = sandbox.sluice(&["run", &flow, "--author", "ana", "--format", "json"]);
        match code {
            Some(code) => assert!(ended.code == 5 && ended.out.contains(code), "{labels}: {ended:?}"),
            None => assert_eq!(ended.code, 0, "{labels}: {ended:?}"),
        }
        assert_eq!(!incidents(&sandbox).is_empty(), is_incident, "{labels}");
        assert!(!ended.out.contains("bo@example.com") || code.is_none(), "{ended:?}");
        sandbox.sluice(&["audit", "verify"]).with(0);
    }
}

#[cfg(unix)]
#[test]
fn no_secret_of_the_server_reaches_the_agent_the_ledger_or_the_log() {
    let secret = "canary-7c1e-of-the-server";
    let escaped = secret.replace("canary", "\\u0063anary");
    let result = |text: &str| {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}"
        )
    };
    for (rule, what) in [
        ("on tools/call list_mail\n", format!("say {}", result("it is $SECRET"))),
        ("on tools/call list_mail\n", format!("say {}", result(&escaped))),
        ("on tools/call list_mail\n", "say {\"jsonrpc\":\"2.0\",\"id\":$ID,\"error\":{\"code\":1,\"message\":\"$SECRET\"}}".to_owned()),
        ("on tools/call list_mail\n", "say {\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{},\"$SECRET\":1,\"$SECRET\":1}".to_owned()),
        ("on tools/list\n", "say {\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"tools\":[{\"name\":\"list_mail\",\"description\":\"$SECRET\",\"inputSchema\":{}}]}}".to_owned()),
        ("on notifications/initialized\n", "say {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"$SECRET\"}}".to_owned()),
        ("on notifications/initialized\n", "say {\"jsonrpc\":\"2.0\",\"id\":900,\"method\":\"sampling/createMessage\",\"params\":{\"x\":\"$SECRET\"}}".to_owned()),
        ("on notifications/initialized\n", "complain the key is $SECRET\ncomplain $SECRET".to_owned()),
    ] {
        let sandbox = house(None);
        let script = format!("tools list_mail send_mail\n{rule}{what}");
        sandbox.write("server.script", &script);
        let head = contract(&sandbox, ", environment: { SECRET: { secret: server-key } }");
        let output = "output: { trust: { \"\": origin }, labels: { \"\": [] } }";
        let contract = format!("{head}  list_mail: {{ effect: read, request: {{ tool: list_mail }}, {output} }}\n");
        sandbox.write("ws/connectors/tools.yaml", contract);
        sandbox.sign("ana").with(0);
        sandbox.sluice_with(&["secret", "set", "server-key"], &format!("{secret}\n")).with(0);
        let mut agent = Agent::of(&sandbox, &script);
        let answer = agent.ask("tools/call", json!({ "name": "list_mail", "arguments": {} }));
        if rule.contains("tools/call") {
            let told = text(&answer);
            assert!(told.starts_with("SL939: ") || told.starts_with("SL907: "), "{what}: {told}");
        }
        let left = agent.leave();
        let heard = format!("{answer} {:?} {}", left.heard, left.errors);
        assert!(!heard.contains("7c1e"), "{what}: {heard}");
        assert!(!what.starts_with("complain") || left.errors.contains("the key is [secret]"), "{}", left.errors);
        let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
        for run in runs.as_array().unwrap() {
            let run = run["run"].as_str().unwrap();
            for command in [["runs", "show", run], ["audit", "show", run]] {
                assert!(!sandbox.sluice(&command).out.contains("7c1e"), "{what}");
            }
        }
        for file in sandbox.files("ws").into_iter().chain(sandbox.files("home")) {
            assert!(!holds(&file, secret), "{what}: {}", file.display());
        }
        assert!(fs::read_to_string(sandbox.path("server.script.seen")).unwrap().contains("initialize"));
    }
}
