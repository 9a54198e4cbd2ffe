//! The era with sessions: until 2025-11-25.

use reqwest::Method;
use serde_json::json;

use super::Face;
use super::client::{calls, messages, read, read_until, token};

#[tokio::test]
async fn a_session_begins_calls_and_ends_and_the_ledger_has_it() {
    let mut face = Face::of("tools list_mail send_mail");
    let mut agent = face.agent().begun().await;
    let told = agent.call("list_mail", json!({ "text": "b\u{e9}" })).await;
    assert_eq!((told.status, told.kind.as_str(), told.said().as_str()), (200, "application/json", "done"));
    // What it read is an outsider's word, in this session and in no other.
    assert!(agent.call("send_mail", json!({ "to": "x" })).await.said().starts_with("approval required"));
    let mut other = face.agent().begun().await;
    assert_eq!(other.call("send_mail", json!({ "to": "x" })).await.said(), "done");
    assert_eq!(read(agent.send(Method::DELETE, "").await).await.status, 204);
    assert_eq!(agent.call("list_mail", json!({})).await.status, 404);
    assert_eq!(read(agent.send(Method::GET, "").await).await.status, 404);
    assert_eq!(read(agent.send(Method::DELETE, "").await).await.status, 404);
    assert_eq!(other.call("list_mail", json!({})).await.said(), "done");
    face.ends();
    let mut calls = calls(&face);
    calls.sort();
    assert_eq!(calls, ["list_mail: replied", "list_mail: replied", "send_mail: held", "send_mail: replied"]);
    face.sandbox.sluice(&["audit", "verify"]).with(0);
}

#[tokio::test]
async fn a_message_of_several_lines_reaches_the_server_with_its_arguments_as_they_were() {
    let face = Face::of("tools list_mail");
    let mut agent = face.agent().begun().await;
    let body = "{\n  \"jsonrpc\": \"2.0\",\r\n \"id\": 9, \"method\": \"tools/call\",\n\"params\": {\"name\": \"list_mail\", \"arguments\": {\"text\": \"a\\nb\",\n \"to\": 1.50}}\n}\n";
    assert_eq!(agent.post(body).await.said(), "done");
    let text = std::fs::read_to_string(face.sandbox.path("server.script.seen")).unwrap();
    assert!(text.contains(r#""arguments": {"text": "a\nb",  "to": 1.50}}"#), "{text}");
    assert_eq!(agent.call("list_mail", json!({})).await.said(), "done");
}

#[tokio::test]
async fn what_a_server_says_in_a_call_comes_before_its_answer_and_it_hears_what_it_asked() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1}}"#;
    let asks = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;
    let answer = r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"late"}]}}"#;
    let face = Face::of(&format!(
        "tools list_mail\non tools/call list_mail\nkeep\nsay {progress}\nsay {asks}\non =\"q\"\nsay {}",
        answer.replace("$ID", "$KEPT")
    ));
    let mut agent = face.agent().begun().await;
    let body =
        agent.request("tools/call", json!({ "name": "list_mail", "arguments": {}, "_meta": { "progressToken": "p" } }));
    let mut response = agent.send(Method::POST, body).await;
    let mut text = read_until(&mut response, |text| text.contains("roots/list")).await;
    let answered = agent.post(r#"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#).await;
    assert_eq!((answered.status, answered.text.as_str()), (202, ""));
    text.push_str(&response.text().await.unwrap());
    let told = messages(&text);
    let kinds: Vec<_> = told.iter().map(|message| message["method"].as_str().unwrap_or("answer")).collect();
    assert_eq!(kinds, ["notifications/progress", "roots/list", "answer"]);
    assert!(text.starts_with("id: 2-0\ndata: \n\n"), "{text}");
}

#[tokio::test]
async fn an_agent_that_takes_no_streams_gets_its_answer_whole() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
    let face = Face::of(&format!(
        "tools list_mail\non tools/call list_mail\nsay {progress}\nsleep 1200\nsay {}",
        r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"late"}]}}"#
    ));
    let agent = face.agent().begun().await;
    let told = agent.clone().with("accept", "application/json").call("list_mail", json!({})).await;
    assert_eq!((told.kind.as_str(), told.said().as_str()), ("application/json", "late"));
    // What was said beside it waits for whoever listens.
    let mut ear = agent.clone().with("accept", "text/event-stream").send(Method::GET, "").await;
    read_until(&mut ear, |text| text.contains("notifications/message")).await;
    let told = agent.with("accept", "text/event-stream").call("list_mail", json!({})).await;
    assert_eq!((told.kind.as_str(), told.said().as_str()), ("text/event-stream", "late"));
}

#[tokio::test]
async fn a_stream_that_breaks_is_read_on_where_it_broke() {
    let says =
        |text: &str| format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"data":"{text}"}}}}"#);
    let face = Face::of(&format!(
        "tools list_mail\non tools/call list_mail\nsay {}\nsay {}\nsleep 500\nsay {}\nsay {}",
        says("one"),
        says("two"),
        says("three"),
        r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"late"}]}}"#
    ));
    let mut agent = face.agent().begun().await;
    let body = agent.request("tools/call", json!({ "name": "list_mail", "arguments": {} }));
    let mut response = agent.send(Method::POST, body).await;
    let text = read_until(&mut response, |text| text.contains("two")).await;
    drop(response);
    // It saw the first of them: the rest comes once more, and what came meanwhile.
    let first = text.lines().filter_map(|line| line.strip_prefix("id: ")).nth(1).unwrap();
    let again = agent.clone().with("last-event-id", first).send(Method::GET, "").await;
    let told = read(again).await;
    let data: Vec<_> = told.messages().iter().map(|message| message["params"]["data"].to_string()).collect();
    assert_eq!(data, [r#""two""#, r#""three""#, "null"]);
    assert_eq!(told.said(), "late");
}

#[tokio::test]
async fn who_listens_hears_what_a_server_says_by_itself_and_the_latest_listener_alone() {
    let face = Face::of(
        "tools list_mail\non notifications/initialized\nsay {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\
         on ping\nsay {\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/list_changed\"}\nsay {\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{}}",
    );
    let mut agent = face.agent().begun().await;
    let mut first = agent.send(Method::GET, "").await;
    assert_eq!(first.headers()["content-type"], "text/event-stream");
    read_until(&mut first, |text| text.contains("tools/list_changed")).await;
    let mut second = agent.send(Method::GET, "").await;
    read_until(&mut second, |text| text.contains("\n\n")).await;
    assert_eq!(first.text().await.unwrap(), "", "its place is taken");
    assert_eq!(agent.ask("ping", json!({})).await.json()["result"], json!({}));
    read_until(&mut second, |text| text.contains("prompts/list_changed")).await;
}

#[tokio::test]
async fn a_flood_that_nobody_reads_holds_no_answer_up_and_is_forgotten() {
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"$N"}}"#;
    let face = Face::of(&format!(
        "tools list_mail\non tools/call list_mail\nflood 20000 {note}\nsay {}",
        r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"done"}]}}"#
    ));
    let agent = face.agent().begun().await;
    let told = agent.clone().with("accept", "application/json").call("list_mail", json!({})).await;
    assert_eq!(told.said(), "done");
    let mut ear = agent.send(Method::GET, "").await;
    let kept = read_until(&mut ear, |text| text.matches("data: {").count() >= 1_000).await;
    assert_eq!(messages(&kept).len(), 1_000);
}

#[tokio::test]
async fn a_server_that_dies_ends_its_session_and_no_other() {
    let face = Face::of("tools list_mail list_files\non tools/call list_mail\ndie");
    let mut agent = face.agent().begun().await;
    let mut other = face.agent().begun().await;
    let mut ear = agent.send(Method::GET, "").await;
    read_until(&mut ear, |text| text.contains("\n\n")).await;
    let told = agent.call("list_mail", json!({})).await;
    assert_eq!(told.said(), "SL908: the server ended before it answered");
    ear.text().await.unwrap();
    for _ in 0..500 {
        if agent.call("list_files", json!({})).await.status == 404 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(agent.call("list_files", json!({})).await.status, 404);
    assert_eq!(other.call("list_files", json!({})).await.said(), "done");
    assert!(calls(&face).contains(&"list_mail: in doubt".to_owned()));
}

#[tokio::test]
async fn a_session_is_its_callers_and_of_nobody_else() {
    let face = Face::of("tools list_mail");
    let agent = face.agent().begun().await;
    let stranger = token(&face.sandbox, "second");
    let mut other = agent.clone().with("authorization", &format!("Bearer {stranger}"));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(read(other.send(method, "").await).await.status, 404);
    }
    let told = other.call("list_mail", json!({})).await;
    assert_eq!((told.status, told.said().starts_with("SL971")), (404, true));
    face.sandbox.sluice(&["gateway", "token", "revoke", "first"]).with(0);
    assert_eq!(agent.clone().call("list_mail", json!({})).await.status, 401, "at once");
}
