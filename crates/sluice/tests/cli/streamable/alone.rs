//! The era in which every request stands alone: 2026-07-28.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::client::{messages, read_until};
use super::{Agent, Face};

const ANSWER: &str = r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"$N"}]}}"#;

fn meta() -> Json {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "a", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn call(id: Json, tool: &str) -> String {
    let params = json!({ "name": tool, "arguments": { "id": 1 }, "_meta": meta() });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

fn caller(face: &Face, tool: &str) -> Agent {
    face.agent().alone("tools/call", tool)
}

#[tokio::test]
async fn requests_of_one_id_at_once_get_an_answer_each_under_that_id() {
    let face = Face::of(&format!("tools list_mail\non tools/call list_mail\nsleep 300\nsay {ANSWER}"));
    let agent = caller(&face, "list_mail");
    let ids = [json!("same"), json!("same"), json!(1)];
    let told = ids.clone().map(|id| {
        let agent = agent.clone();
        tokio::spawn(async move { agent.post(call(id, "list_mail")).await })
    });
    let mut texts = Vec::new();
    for (task, id) in told.into_iter().zip(ids) {
        let told = task.await.unwrap();
        assert_eq!((told.status, &told.messages()[0]["id"]), (200, &id));
        texts.push(told.said());
    }
    texts.sort();
    assert_eq!(texts, ["1", "2", "3"]);
    let seen = face.seen();
    let calls: Vec<_> = seen.iter().filter(|message| message["method"] == "tools/call").collect();
    assert!(calls.iter().all(|call| call["params"]["arguments"] == json!({ "id": 1 })), "{calls:?}");
}

#[tokio::test]
async fn what_an_execution_has_read_says_nothing_of_another() {
    let face = Face::of("tools list_mail send_mail");
    let (reads, sends) = (caller(&face, "list_mail"), caller(&face, "send_mail"));
    let one = |agent: &Agent, name: &str| agent.clone().with("sluice-session", name);
    assert_eq!(one(&reads, "one").post(call(json!(1), "list_mail")).await.said(), "done");
    let held = one(&sends, "one").post(call(json!(1), "send_mail")).await;
    assert!(held.said().starts_with("approval required"), "{held:?}");
    assert_eq!(held.json()["result"]["resultType"], "complete");
    assert_eq!(one(&sends, "other").post(call(json!(1), "send_mail")).await.said(), "done");
    assert_eq!(sends.post(call(json!(1), "send_mail")).await.said(), "done");
}

#[tokio::test]
async fn progress_comes_under_the_callers_own_token_and_who_leaves_takes_the_call_back() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$ID,"progress":1}}"#;
    let face = Face::of(&format!("tools list_mail\non tools/call list_mail\nsay {progress}"));
    let agent = caller(&face, "list_mail");
    let mut body: Json = serde_json::from_str(&call(json!("x"), "list_mail")).unwrap();
    body["params"]["_meta"]["progressToken"] = json!("mine");
    let mut response = agent.send(Method::POST, body.to_string()).await;
    let text = read_until(&mut response, |text| text.contains("progress")).await;
    assert_eq!(messages(&text)[0]["params"]["progressToken"], "mine");
    assert!(!text.contains("id: "), "nobody can come back for it: {text}");
    let id = face.seen().iter().find(|m| m["method"] == "tools/call").unwrap()["id"].clone();
    assert_ne!(id, "x");
    drop(response);
    face.until_seen(|m| m["method"] == "notifications/cancelled" && m["params"]["requestId"] == id).await;
}

#[tokio::test]
async fn a_subscription_is_a_stream_that_ends_when_the_server_ends_it() {
    let told = |method: &str, rest: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/{method}","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":$KEPT}}{rest}}}}}"#
        )
    };
    let face = Face::of(&format!(
        "tools list_mail\non subscriptions/listen\nkeep\nsay {}\nsay {}\non ping\nsay {}\nsay {}",
        told("subscriptions/acknowledged", "").replace("$KEPT", "$ID"),
        r#"{"jsonrpc":"2.0","method":"notifications/nothing"}"#,
        told("tools/list_changed", ""),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":$KEPT}}"#,
    ));
    let agent = face.agent().alone("subscriptions/listen", "");
    let listen = json!({ "jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": { "_meta": meta(), "notifications": { "toolsListChanged": true } } });
    let mut response = agent.send(Method::POST, listen.to_string()).await;
    let mut text = read_until(&mut response, |text| text.contains("acknowledged")).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 5, "method": "ping", "params": { "_meta": meta() } });
    // The gateway ends with `face`, which must not be before the stream does.
    let pings = face.agent().alone("ping", "");
    let waits = tokio::spawn(async move { pings.send(Method::POST, ping.to_string()).await });
    text.push_str(&response.text().await.unwrap());
    let ids: Vec<_> = messages(&text)
        .iter()
        .filter_map(|m| m["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ids, ["sub", "sub"], "{text}");
    waits.abort();
}

#[tokio::test]
async fn what_the_head_says_of_the_body_must_be_so() {
    let face = Face::of("tools list_mail send_mail");
    let agent = caller(&face, "list_mail");
    let body = call(json!(7), "list_mail");
    for (name, value) in [
        ("mcp-protocol-version", ""),
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", ""),
        ("mcp-method", "tools/list"),
        ("mcp-name", ""),
        ("mcp-name", "send_mail"),
        ("mcp-name", "=?base64?c2VuZF9tYWls?="),
    ] {
        let told = agent.clone().with(name, value).post(body.clone()).await;
        let said = told.json();
        let found = (told.status, said["error"]["code"].as_i64().unwrap(), said["id"].as_i64().unwrap());
        assert_eq!(found, (400, -32020, 7), "{name}: {value}");
    }
    let encoded = agent.clone().with("mcp-name", "=?base64?bGlzdF9tYWls?=");
    assert_eq!(encoded.post(body.clone()).await.said(), "done");
    let later = agent.clone().with("mcp-protocol-version", "2027-01-01");
    let told = later.post(body.replace("2026-07-28", "2027-01-01")).await;
    assert_eq!((told.status, told.json()["error"]["code"].as_i64()), (400, Some(-32022)));
    for field in ["_meta", "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"] {
        let told = agent.post(body.replace(field, "x")).await;
        let said = told.json();
        assert_eq!((told.status, &said["error"]["code"], &said["id"]), (400, &json!(-32602), &json!(7)), "{field}");
        assert!(said["error"]["message"].as_str().unwrap().starts_with("SL978"), "{said}");
    }
    let handshake = json!({ "jsonrpc": "2.0", "id": 7, "method": "initialize", "params": { "_meta": meta() } });
    let told = face.agent().alone("initialize", "").post(handshake.to_string()).await;
    assert_eq!((told.status, told.json()["error"]["code"].as_i64()), (404, Some(-32601)));
    let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such", "params": { "_meta": meta() } });
    let told = face.agent().alone("no/such", "").post(unknown.to_string()).await;
    assert_eq!((told.status, told.json()["error"]["code"].as_i64()), (404, Some(-32601)));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(agent.send(method, "").await.status(), 405);
    }
    assert!(!face.seen().iter().any(|message| message["params"]["name"] == "send_mail"));
}
