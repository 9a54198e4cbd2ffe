//! How a client hears that a call waits for a person, by what it says it can: and that no answer of it is theirs.

use serde_json::{Value as Json, json};

use super::Agent;
use super::agent::{calls, text};
use crate::sandbox::Sandbox;

const CONSOLE: [&str; 2] = ["--console", "https://console.example/"];
const TOOLS: &str = "tools list_mail send_mail";

fn decide(sandbox: &Sandbox, word: &str, id: &str) {
    sandbox.sluice(&["approvals", word, id, "--as", "ana", "--key", &sandbox.key()]).with(0);
}

fn letter() -> Json {
    json!({ "to": "bo", "text": "It is on Friday" })
}

/// The parameters of a call by a client of the protocol without sessions.
fn modern(tool: &str, arguments: Json, capabilities: Json) -> Json {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "a", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    json!({ "name": tool, "arguments": arguments, "_meta": meta })
}

/// A client of the older era that has read somebody's mail.
fn older<'s>(sandbox: &'s Sandbox, capabilities: Json) -> Agent<'s> {
    let mut agent = Agent::with(sandbox, TOOLS, &CONSOLE);
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": { "name": "a", "version": "1" } });
    agent.ask("initialize", params);
    agent.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert_eq!(agent.call("list_mail", json!({})), "done");
    agent
}

#[test]
fn a_client_without_sessions_is_asked_for_input_and_calls_again() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::with(&sandbox, TOOLS, &CONSOLE);
    let url = json!({ "elicitation": { "url": {} } });
    assert_eq!(text(&agent.ask("tools/call", modern("list_mail", json!({}), url.clone()))), "done");
    let call = modern("send_mail", letter(), url);
    let asked = agent.ask("tools/call", call.clone());
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let params = &asked["result"]["inputRequests"]["sluice-approval"]["params"];
    let id = params["elicitationId"].as_str().unwrap().to_owned();
    assert_eq!(params["url"], format!("https://console.example/approvals/{id}"));
    assert_eq!(params["mode"], "url");

    let again = |state: &str| {
        let mut call = call.clone();
        call["requestState"] = json!(state);
        call["inputResponses"] = json!({ "sluice-approval": { "action": "accept" } });
        call
    };
    let state = asked["result"]["requestState"].as_str().unwrap().to_owned();
    assert!(text(&agent.ask("tools/call", again(&format!("{state}0")))).starts_with("SL915"));
    assert!(text(&agent.ask("tools/call", again(&state.replace("A-", "A-0")))).starts_with("SL915"));
    // The client accepts, and nothing comes of that; other calls go on.
    let waits = agent.asks("tools/call", again(&state));
    agent.ask("ping", json!({}));
    assert!(agent.calls().last().unwrap().starts_with("send_mail: held"), "{:?}", agent.calls());
    decide(&sandbox, "approve", &id);
    assert_eq!(text(&agent.hear_answer(&waits)), "done");
    let sent = std::fs::read_to_string(sandbox.path("server.script.seen")).unwrap();
    let sent: Json = serde_json::from_str(sent.lines().last().unwrap()).unwrap();
    assert_eq!(sent["params"], call, "without what was ours");
    agent.leave();
    assert!(calls(&sandbox).last().unwrap().starts_with("send_mail: replied [held approval-requested"));
}

#[test]
fn an_older_client_shows_the_url_while_its_call_waits() {
    for (word, answered) in [("approve", "done"), ("deny", "denied by policy: SL911")] {
        let sandbox = Sandbox::with_workspace();
        let mut agent = older(&sandbox, json!({ "elicitation": { "url": {} } }));
        let waits = agent.asks("tools/call", json!({ "name": "send_mail", "arguments": letter() }));
        let asked = agent.hear();
        assert_eq!(
            (&asked["method"], &asked["params"]["mode"]),
            (&json!("elicitation/create"), &json!("url")),
            "{asked}"
        );
        let id = asked["params"]["elicitationId"].as_str().unwrap().to_owned();
        assert_eq!(asked["params"]["url"], format!("https://console.example/approvals/{id}"));
        agent.say(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "action": "accept" } }).to_string());
        assert_eq!(agent.call("list_mail", json!({})), "done", "nobody else waits");
        assert!(agent.calls().iter().any(|call| call.starts_with("send_mail: held")), "an accept is nobody's word");
        decide(&sandbox, word, &id);
        assert!(text(&agent.hear_answer(&waits)).starts_with(answered));
        let left = agent.leave();
        let sent = left.seen.iter().filter(|seen| *seen == "tools/call send_mail").count();
        assert_eq!(sent, usize::from(word == "approve"));
        assert!(!left.seen.iter().any(|seen| seen.starts_with("=")), "{:?}", left.seen);
    }
}

#[test]
fn who_declines_or_opens_no_urls_is_told_the_id_and_the_link() {
    let told = |answer: &str| {
        assert!(answer.starts_with("approval required: approval_id=A-"), "{answer}");
        assert!(answer.contains("https://console.example/approvals/A-"), "{answer}");
    };
    for capabilities in [json!({}), json!({ "elicitation": {} }), json!({ "elicitation": { "form": {} } })] {
        let sandbox = Sandbox::with_workspace();
        told(&older(&sandbox, capabilities).call("send_mail", letter()));
    }
    let sandbox = Sandbox::with_workspace();
    let mut agent = older(&sandbox, json!({ "elicitation": { "url": {} } }));
    let waits = agent.asks("tools/call", json!({ "name": "send_mail", "arguments": letter() }));
    let asked = agent.hear();
    agent.say(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "action": "decline" } }).to_string());
    told(&text(&agent.hear_answer(&waits)));
    let modern = agent.ask("tools/call", modern("send_mail", letter(), json!({})));
    told(&text(&modern));
    assert_eq!(modern["result"]["resultType"], "complete");
}

#[test]
fn a_server_may_not_ask_under_an_id_of_the_gateways() {
    let asks = r#"say {"jsonrpc":"2.0","id":"sluice:ask:0","method":"elicitation/create","params":{"mode":"url","url":"https://eve.example/","elicitationId":"x","message":"m"}}"#;
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(
        &sandbox,
        &format!("tools list_mail\non ping\n{asks}\nsay {{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{{}}}}"),
    );
    agent.ask("ping", json!({}));
    assert!(agent.leave().heard.is_empty());
}
