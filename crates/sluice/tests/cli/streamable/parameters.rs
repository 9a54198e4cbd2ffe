//! Arguments in the head of a call: held against its body, and set for servers at a URL.

use serde_json::{Value as Json, json};

use super::client::contract;
use super::remote::{Remote, text, whole};
use super::{Agent, Face};
use crate::sandbox::Sandbox;

fn meta() -> Json {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "a", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn call(tool: &str, arguments: &Json) -> String {
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta() });
    json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params }).to_string()
}

fn marked() -> Json {
    json!({ "type": "object", "properties": { "text": { "type": "string", "x-mcp-header": "Text" }, "to": { "type": "string" } } })
}

fn tools() -> Json {
    let bad = json!({ "type": "object", "properties": { "text": { "type": "object", "x-mcp-header": "Text" } } });
    json!([
        { "name": "list_mail", "description": "A tool", "inputSchema": marked() },
        { "name": "list_odd", "description": "A tool", "inputSchema": bad },
    ])
}

fn caller(face: &Face, tool: &str) -> Agent {
    face.agent().alone("tools/call", tool)
}

#[tokio::test]
async fn a_head_that_shows_other_arguments_than_the_body_is_refused_before_anything_is_called() {
    let list = json!({ "jsonrpc": "2.0", "id": "$", "result": { "tools": tools() } }).to_string();
    let face = Face::of(&format!("tools list_mail list_odd\non tools/list\nsay {}", list.replace("\"$\"", "$ID")));
    let agent = caller(&face, "list_mail");
    for (shown, arguments, status, said) in [
        ("today", json!({ "text": "today" }), 200, "done"),
        ("=?base64?dG9kYXk=?=", json!({ "text": "today" }), 200, "done"),
        ("", json!({ "to": "x" }), 200, "done"),
        ("tomorrow", json!({ "text": "today" }), 400, "SL972: `mcp-param-text` does not say what the body says"),
        ("today", json!({}), 400, "SL972: `mcp-param-text` does not say what the body says"),
        ("", json!({ "text": "today" }), 400, "SL972: `mcp-param-text` is missing"),
    ] {
        let told = agent.clone().with("mcp-param-text", shown).post(call("list_mail", &arguments)).await;
        assert_eq!((told.status, told.said().as_str()), (status, said), "{shown} {arguments}");
        if status == 400 {
            assert_eq!((&told.json()["error"]["code"], &told.json()["id"]), (&json!(-32020), &json!(7)));
        }
    }
    let made = face.seen().iter().filter(|message| message["method"] == "tools/call").count();
    assert_eq!(made, 3);
    // A schema that nobody could follow takes its tool away.
    let told = caller(&face, "list_odd").post(call("list_odd", &json!({}))).await.said();
    assert!(told.starts_with("denied by policy: SL976"), "{told}");
}

#[tokio::test]
async fn a_server_at_a_url_gets_its_arguments_in_the_head() {
    let remote = Remote::of_tools(tools(), |request| whole(&text(request, "done")));
    let sandbox = Sandbox::with_workspace();
    let transport = json!({ "url": remote.url(), "allow_private": true });
    sandbox.write("ws/connectors/tools.yaml", contract(&transport, "tools list_mail list_odd"));
    sandbox.sign("ana").with(0);
    let face = Face::start(sandbox);
    let agent = caller(&face, "list_mail");
    for (shown, sent) in [("today", "today"), ("=?base64?Z3LDtsOfZQ==?=", "größe")] {
        let agent = agent.clone().with("mcp-param-text", shown);
        assert_eq!(agent.post(call("list_mail", &json!({ "text": sent }))).await.said(), "done");
        let seen = remote.seen();
        let last = seen.iter().rfind(|request| request.is("tools/call")).unwrap();
        assert_eq!(last.header("mcp-param-text"), Some(shown), "{last:?}");
    }
    assert_eq!(agent.post(call("list_mail", &json!({}))).await.said(), "done");
    assert_eq!(remote.seen().iter().rfind(|request| request.is("tools/call")).unwrap().header("mcp-param-text"), None);
    // Of requests that have no arguments nothing is shown.
    assert!(remote.seen().iter().all(|request| request.is("tools/call") || request.header("mcp-param-text").is_none()));
}
