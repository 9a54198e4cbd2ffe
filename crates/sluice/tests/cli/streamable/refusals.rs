//! Who may not, and what may not be sent. Nothing of it reaches the server.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::Face;
use super::client::read;

#[tokio::test]
async fn what_is_not_for_the_endpoint_is_refused_before_a_server_is_started() {
    let face = Face::of("tools list_mail");
    let agent = face.agent();
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#;
    let port = face.address.rsplit_once(':').unwrap().1;
    let twice = hello.replace(r#""id":1,"#, r#""id":1,"id":1,"#);
    let deep = hello
        .replace(r#""capabilities":{}"#, &format!(r#""capabilities":{}1{}"#, "[".repeat(5_000), "]".repeat(5_000)));
    let long = format!("{hello}{}", " ".repeat(16 << 20));
    let batch = format!("[{hello}]");
    for (status, code, name, value, body) in [
        (401, "SL951", "authorization", "", hello),
        (401, "SL951", "authorization", "Bearer slt_00", hello),
        (401, "SL951", "authorization", "Basic slt_00", hello),
        (403, "SL970", "host", "evil.example.com", hello),
        (403, "SL970", "host", &format!("evil.example.com:{port}"), hello),
        (403, "SL970", "origin", "http://evil.example.com", hello),
        (403, "SL970", "origin", "null", hello),
        (415, "SL973", "content-type", "text/plain", hello),
        (415, "SL973", "content-type", "", hello),
        (415, "SL973", "content-type", "application/json-seq", hello),
        (415, "SL973", "content-encoding", "gzip", hello),
        (406, "SL973", "accept", "text/html", hello),
        (400, "SL900", "x", "", &twice),
        (400, "SL900", "x", "", &deep),
        (400, "SL900", "x", "", &batch),
        (400, "SL900", "x", "", "{"),
        (400, "SL900", "x", "", ""),
        (413, "SL955", "x", "", &long),
        (400, "SL971", "x", "", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
        (404, "SL971", "mcp-session-id", "00", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
        (404, "SL971", "mcp-session-id", "00", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
    ] {
        let told = agent.clone().with(name, value).post(body.to_owned()).await;
        let said = told.json();
        let found = said["code"].as_str().or_else(|| said["error"]["message"].as_str()).unwrap();
        assert_eq!((told.status, &found[..5]), (status, code), "{name}: {value}: {}", &body[..body.len().min(80)]);
    }
    assert_eq!(read(agent.send(Method::PUT, hello).await).await.status, 405);
    let mut elsewhere = agent.clone();
    elsewhere.url = elsewhere.url.replace("/tools/", "/nothing/");
    assert_eq!(elsewhere.post(hello).await.status, 404);
    assert_eq!(face.seen(), [Json::Null; 0]);
    // By the name that it was given it answers, and to its own pages.
    let named = agent.clone().with("host", "gateway.example.com").with("origin", "https://gateway.example.com");
    assert_eq!(named.post(hello).await.status, 200);
    let local = agent.with("host", &format!("localhost:{port}")).with("origin", &format!("http://localhost:{port}"));
    assert_eq!(local.post(hello).await.status, 200);
}

#[tokio::test]
async fn a_token_is_for_its_connectors() {
    let face = Face::of("tools list_mail");
    face.sandbox.write(
        "ws/connectors/other.yaml",
        "version: 1\nconnector: other\ntransport: { mcp: { command: [\"true\"] } }\nactions: {}\n",
    );
    face.sandbox.sign("ana").with(0);
    let made = face.sandbox.sluice(&["gateway", "token", "add", "narrow", "--connector", "other", "--format", "json"]);
    let narrow = made.with(0).json()["token"].as_str().unwrap().to_owned();
    let mut agent = face.agent_with(&narrow);
    let told = agent.ask("initialize", json!({})).await;
    assert_eq!((told.status, told.json()["code"].as_str().unwrap().to_owned()), (403, "SL952".to_owned()));
    assert_eq!(face.seen(), [Json::Null; 0]);
}

#[tokio::test]
async fn what_a_session_agreed_on_stands_and_an_id_is_used_once_at_a_time() {
    let face = Face::of("tools list_mail\non tools/call list_mail\nnothing");
    let agent = face.agent().begun().await;
    let other = agent.clone().with("mcp-protocol-version", "2025-06-18").ask("tools/list", json!({})).await;
    assert_eq!((other.status, other.said().starts_with("SL972")), (400, true));
    assert_eq!(agent.clone().with("mcp-protocol-version", "").ask("tools/list", json!({})).await.status, 200);
    let call = r#"{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"list_mail","arguments":{}}}"#;
    let waits = agent.send(Method::POST, call).await;
    assert_eq!(waits.headers()["content-type"], "text/event-stream");
    let again = agent.post(call).await;
    assert_eq!((again.status, again.said().starts_with("SL904")), (400, true));
}
