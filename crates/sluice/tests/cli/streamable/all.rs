//! All servers at one endpoint, `/mcp`: under names that say whose each tool is, with one label for what was read of any.

use std::fs;

use serde_json::{Value as Json, json};

use super::{Agent, Face};
use crate::sandbox::Sandbox;

/// A gateway before `files` and `mail`, and `tools` of which the agents here know nothing.
fn face(mail: &Json) -> Face {
    let sandbox = Sandbox::with_workspace();
    let exe = std::env::current_exe().unwrap();
    let command = |name: &str, script: &str| {
        let at = sandbox.path(&format!("{name}.script"));
        fs::write(&at, script).unwrap();
        let words = ["--ignored", "--exact", "--nocapture", "gateway::server::plays"];
        json!([exe.to_str().unwrap()].into_iter().chain(words).chain([at.to_str().unwrap()]).collect::<Vec<_>>())
    };
    let output = "output: { from: merge, trust: { \"\": origin }, labels: { \"\": [] } }";
    let list = |tool: &str| {
        format!(
            "  {tool}: {{ effect: read, request: {{ tool: {tool} }}, arguments: {{ n: {{ role: query }} }}, {output} }}\n"
        )
    };
    let send = format!(
        "  send_mail: {{ effect: export, request: {{ tool: send_mail }}, destination: {{ argument: to }}, {output},\n    \
         arguments: {{ to: {{ role: recipient }}, text: {{ role: payload }} }} }}\n"
    );
    let files = command("files", "tools list_files");
    let own = command("mail", "tools list_mail send_mail");
    let mail = if mail.is_null() { &own } else { mail };
    for (connector, command, actions) in [
        ("files", &files, list("list_files")),
        ("mail", mail, list("list_mail") + &send),
        ("tools", &files, list("list_files")),
    ] {
        let transport = format!("transport: {{ mcp: {{ command: {command} }} }}");
        let contract = format!("version: 1\nconnector: {connector}\n{transport}\nactions:\n{actions}");
        sandbox.write(&format!("ws/connectors/{connector}.yaml"), contract);
    }
    sandbox.sign("ana").with(0);
    Face::start(sandbox)
}

/// An agent at an address with a token for these connectors.
fn agent(face: &Face, name: &str, connectors: &[&str], path: &str) -> Agent {
    let mut words = vec!["gateway", "token", "add", name, "--format", "json"];
    words.extend(connectors.iter().flat_map(|connector| ["--connector", connector]));
    let made = face.sandbox.sluice(&words).with(0).json();
    at(face, face.agent_with(made["token"].as_str().unwrap()), path)
}

fn at(face: &Face, mut agent: Agent, path: &str) -> Agent {
    agent.url = format!("{}{path}", face.address);
    agent
}

async fn begun(mut agent: Agent, server: &str) -> Agent {
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
    let told = agent.ask("initialize", params).await;
    assert_eq!(told.json()["result"]["serverInfo"]["name"], server, "{told:?}");
    let begun = agent.with("mcp-session-id", &told.session.unwrap()).with("mcp-protocol-version", "2025-11-25");
    assert_eq!(begun.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await.status, 202);
    begun
}

async fn tools(agent: &mut Agent) -> Vec<String> {
    let listed = agent.ask("tools/list", json!({})).await;
    let messages = listed.messages();
    let listed = messages.last().unwrap()["result"]["tools"].as_array().unwrap();
    listed.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

fn letter() -> Json {
    json!({ "to": "bo@example.com", "text": "see the file" })
}

#[tokio::test]
async fn what_was_read_of_one_server_holds_what_another_would_send() {
    let face = face(&json!(null));
    let bare = agent(&face, "both", &["files", "mail"], "/mcp");
    let mut all = begun(bare.clone(), "sluice").await;
    assert_eq!(tools(&mut all).await, ["files__list_files", "mail__list_mail", "mail__send_mail"]);
    assert_eq!(all.call("files__list_files", json!({})).await.said(), "done");
    let held = all.call("mail__send_mail", letter()).await.said();
    assert!(held.starts_with("approval required: approval_id=A-"), "{held}");
    let other = all.call("tools__list_files", json!({})).await.said();
    assert!(other.starts_with("denied by policy") || other.starts_with("SL917"), "{other}");

    // One server alone has a session of its own, and its tools their own names.
    let mut mail = begun(at(&face, bare.clone(), "/mail/mcp"), "scripted").await;
    assert_eq!(tools(&mut mail).await, ["list_mail", "send_mail"]);
    let said = mail.call("send_mail", letter()).await.said();
    assert!(!said.contains("outside"), "{said}");
    // A session is of the place where it began.
    let session = all.lines.iter().find(|(name, _)| name == "mcp-session-id").unwrap().1.clone();
    let elsewhere = at(&face, bare, "/files/mcp").with("mcp-session-id", &session);
    assert_eq!(elsewhere.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.status, 404);
}

#[tokio::test]
async fn requests_that_stand_alone_have_one_label_too() {
    let face = face(&json!(null));
    let bare = agent(&face, "both", &["files", "mail"], "/mcp");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "a", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let call = |tool: &str, arguments: Json| {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
    };
    let by = |tool: &str| bare.clone().alone("tools/call", tool);
    assert_eq!(by("files__list_files").post(call("files__list_files", json!({}))).await.said(), "done");
    let held = by("mail__send_mail").post(call("mail__send_mail", letter())).await.said();
    assert!(held.starts_with("approval required: approval_id=A-"), "{held}");
    let told = by("mail__list_mail").post(call("mail__send_mail", letter())).await;
    assert_eq!((told.status, &told.json()["error"]["code"]), (400, &json!(-32020)));
}

#[tokio::test]
async fn who_may_call_one_of_them_finds_that_one_and_who_may_call_none_is_told_so() {
    let face = face(&json!(null));
    let mut one = begun(agent(&face, "one", &["files"], "/mcp"), "scripted").await;
    assert_eq!(tools(&mut one).await, ["list_files"]);
    let none = agent(&face, "none", &["service-desk"], "/mcp");
    assert_eq!(none.post(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#).await.status, 403);
    let nobody = none.with("authorization", "Bearer slt_x");
    assert_eq!(nobody.post(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#).await.status, 401);
}

#[tokio::test]
async fn a_server_that_cannot_be_started_takes_nothing_from_the_others() {
    let face = face(&json!(["/no/such/program"]));
    let mut all = begun(agent(&face, "both", &["files", "mail"], "/mcp"), "sluice").await;
    assert_eq!(tools(&mut all).await, ["files__list_files"]);
    assert_eq!(all.call("files__list_files", json!({})).await.said(), "done");
}
