//! Servers that are reached by their URL: what they are asked, and what becomes of whatever they do.

use serde_json::{Value as Json, json};

use super::client::{calls, contract, read_until};
use super::remote::{Remote, Request, events, result, status, text, whole};
use super::{Agent, Face};
use crate::sandbox::{Sandbox, holds};

const SECRET: &str = "canary-77f1-the-real-credential";
const LOST: &str = "SL907: the answer of the server cannot be read";

/// The gateway in front of a URL.
fn face(url: &str, more: &Json) -> Face {
    let sandbox = Sandbox::with_workspace();
    let mut transport = json!({ "url": url });
    transport.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sandbox.write("ws/connectors/tools.yaml", contract(&transport, "tools list_mail send_mail"));
    sandbox.sign("ana").with(0);
    sandbox.sluice_with(&["secret", "set", "remote-token"], &format!("{SECRET}\n")).with(0);
    Face::start(sandbox)
}

fn face_of(remote: &Remote) -> Face {
    face(&remote.url(), &json!({ "allow_private": true, "headers": { "Authorization": { "secret": "remote-token" } } }))
}

fn accepted(request: &Request) -> Vec<u8> {
    if request.is("GET") { status(405) } else { status(202) }
}

#[tokio::test]
async fn a_session_is_kept_and_shown_and_ended_and_the_secret_reaches_the_server_alone() {
    let remote =
        Remote::start(
            |request| if request.is("tools/call") { whole(&text(request, "done")) } else { accepted(request) },
        );
    let mut face = face_of(&remote);
    let mut agent = face.agent();
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
    let told = agent.ask("initialize", params).await;
    let agent = agent.with("mcp-session-id", &told.session.unwrap());
    assert_eq!(agent.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await.status, 202);
    assert_eq!(agent.clone().call("list_mail", json!({ "text": "x" })).await.said(), "done");
    face.ends();
    let seen = remote.seen();
    for request in &seen {
        let is_first = request.is("initialize");
        assert_eq!(request.header("mcp-session-id"), (!is_first).then_some("s-1"), "{request:?}");
        assert_eq!(request.header("mcp-protocol-version"), (!is_first).then_some("2025-06-18"), "{request:?}");
        assert_eq!(request.header("authorization"), Some(SECRET));
        assert!(!request.head.contains("slt_"), "the agent's own token stays here");
    }
    let mut kinds: Vec<_> =
        seen.iter().map(|request| request.body["method"].as_str().unwrap_or(&request.head[..4]).to_owned()).collect();
    let last = kinds.pop();
    kinds.sort();
    assert_eq!(kinds, ["GET ", "initialize", "notifications/initialized", "tools/call", "tools/list"]);
    assert_eq!(last.as_deref(), Some("DELE"));
    assert_eq!(calls(&face), ["list_mail: replied"]);
    for file in face.sandbox.files("ws").into_iter().chain(face.sandbox.files("home")) {
        assert!(!holds(&file, SECRET), "{}", file.display());
    }
}

/// Calls once, of a server that answers so.
async fn call_once(answers: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> (String, Vec<String>) {
    let remote =
        Remote::start(move |request| if request.is("tools/call") { answers(request) } else { accepted(request) });
    let face = face_of(&remote);
    let told = face.agent().begun().await.call("list_mail", json!({})).await.said();
    (told, calls(&face))
}

#[tokio::test]
async fn whatever_comes_instead_of_an_answer_the_call_has_an_end() {
    type Answers = fn(&Request) -> Vec<u8>;
    let answers: [(&str, Answers, &str, &str); 16] = [
        ("json", |request| whole(&text(request, "done")), "done", "replied"),
        (
            "a stream",
            |request| events(&format!(": x\n\nevent: message\ndata: {}\n\n", text(request, "done"))),
            "done",
            "replied",
        ),
        (
            "two answers",
            |request| events(&format!("data: {}\n\ndata: {}\n\n", text(request, "first"), text(request, "second"))),
            "first",
            "replied",
        ),
        ("nothing", |_| Vec::new(), LOST, "in doubt"),
        ("a stream that breaks", |_| events("data: {\"jsonrpc\""), LOST, "in doubt"),
        ("another's answer", |_| whole(r#"{"jsonrpc":"2.0","id":99,"result":{}}"#), LOST, "in doubt"),
        (
            "a key twice",
            |request| whole(&text(request, "x").replace("\"result\"", "\"result\":{},\"result\"")),
            LOST,
            "in doubt",
        ),
        ("no message", |_| whole("[]"), LOST, "in doubt"),
        (
            "a page",
            |_| b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1\r\n\r\nx".to_vec(),
            LOST,
            "in doubt",
        ),
        ("202", |_| status(202), LOST, "in doubt"),
        ("500", |_| status(500), LOST, "in doubt"),
        ("401", |_| status(401), "SL975: the server refused the request: HTTP 401", "failed"),
        (
            "a redirect inwards",
            |_| b"HTTP/1.1 307 x\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n".to_vec(),
            LOST,
            "in doubt",
        ),
        (
            "compressed",
            |_| b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx".to_vec(),
            LOST,
            "in doubt",
        ),
        ("the secret", |request| whole(&text(request, SECRET)), LOST, "in doubt"),
        ("404: the session is over", |_| status(404), "SL908: the server ended before it answered", "in doubt"),
    ];
    for (name, answer, told, state) in answers {
        assert_eq!(call_once(answer).await, (told.to_owned(), vec![format!("list_mail: {state}")]), "{name}");
    }
}

#[tokio::test]
async fn a_stream_that_never_ends_an_event_is_cut() {
    let (told, calls) = call_once(|_| {
        let mut stream = events("data: ");
        stream.resize(stream.len() + (17 << 20), b'x');
        stream
    })
    .await;
    assert_eq!((told.as_str(), calls), (LOST, vec!["list_mail: in doubt".to_owned()]));
}

#[tokio::test]
async fn a_stream_that_breaks_is_asked_for_again_where_it_broke() {
    let remote = Remote::start(|request| match request.header("last-event-id") {
        Some("e-1") => events(
            "id: e-2\ndata: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"late\"}]}}\n\n",
        ),
        Some(_) => status(400),
        None if request.is("tools/call") => events("id: e-1\nretry: 100\ndata: \n\nid: e-9\ndata: half"),
        None => accepted(request),
    });
    let face = face_of(&remote);
    assert_eq!(face.agent().begun().await.call("list_mail", json!({})).await.said(), "late");
    assert_eq!(calls(&face), ["list_mail: replied"]);
}

#[tokio::test]
async fn what_a_server_says_by_itself_is_heard_and_who_floods_waits_until_it_is_read() {
    let note = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n";
    let flood = note.repeat(20_000);
    let remote = Remote::start(move |request| match request.is("tools/call") {
        true => events(&format!("{flood}data: {}\n\n", text(request, "done"))),
        false if request.is("GET") => events(note),
        false => status(202),
    });
    let face = face_of(&remote);
    let mut agent = face.agent().begun().await;
    let mut ear = agent.send(reqwest::Method::GET, "").await;
    read_until(&mut ear, |text| text.contains("list_changed")).await;
    drop(ear);
    assert_eq!(agent.call("list_mail", json!({})).await.said(), "done");
}

#[tokio::test]
async fn no_request_leaves_for_where_it_may_not() {
    let remote = Remote::start(accepted);
    let (port, of_loopback) = (remote.port, format!("https://localhost:{}/mcp", remote.port));
    for (url, code) in [
        (format!("https://127.0.0.1:{port}/mcp"), "SL702"),
        // A name of the outside that leads inside, as after a rebinding.
        (of_loopback, "SL702"),
        ("https://169.254.169.254/mcp".to_owned(), "SL701"),
        ("https://[::ffff:169.254.169.254]/mcp".to_owned(), "SL701"),
    ] {
        let face = face(&url, &json!({}));
        let told = face.agent().ask("initialize", json!({ "protocolVersion": "2025-11-25", "capabilities": {} })).await;
        assert_eq!(told.said(), format!("SL974: the server cannot be reached: {code}"), "{url}");
    }
    assert!(remote.seen().is_empty());
}

#[tokio::test]
async fn where_every_request_stands_alone_the_head_is_made_of_the_body() {
    let remote = Remote::start(|request| match request.body["params"]["name"].as_str() {
        Some(_) if request.is("tools/call") => whole(&text(request, "done")),
        _ => whole(&result(request, &json!({}))),
    });
    let face = face_of(&remote);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let call = json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": { "name": "list_mail", "arguments": {}, "_meta": meta } });
    let agent: Agent = face.agent().alone("tools/call", "list_mail");
    assert_eq!(agent.post(call.to_string()).await.said(), "done");
    let seen = remote.seen();
    let shown = |request: &Request| {
        ["mcp-protocol-version", "mcp-method", "mcp-name"]
            .map(|name| request.header(name).unwrap_or_default().to_owned())
    };
    assert_eq!(seen.len(), 2);
    assert_eq!(shown(&seen[0]), ["2026-07-28", "tools/list", ""]);
    assert_eq!(shown(&seen[1]), ["2026-07-28", "tools/call", "list_mail"]);
    assert!(seen.iter().all(|request| request.header("mcp-session-id").is_none()));
}

#[test]
fn a_server_at_a_url_is_drafted_pinned_and_named_in_the_bill_of_materials() {
    let remote = Remote::start(accepted);
    let sandbox = Sandbox::with_workspace();
    sandbox.sluice_with(&["secret", "set", "remote-token"], &format!("{SECRET}\n")).with(0);
    let add = ["connector", "add", "mcp", "tools", "--url", &remote.url()];
    assert!(sandbox.sluice(&add).with(2).err.contains("--allow-private"));
    let more = ["--allow-private", "--header", "Authorization=remote-token"];
    sandbox.sluice(&[&add[..], &more[..]].concat()).with(0);
    let contract = std::fs::read_to_string(sandbox.path("ws/connectors/tools.yaml")).unwrap();
    let transport = format!(
        r#"transport: {{ mcp: {{ url: "{}", allow_private: true, headers: {{ "Authorization": {{ secret: "remote-token" }} }} }} }}"#,
        remote.url()
    );
    assert!(contract.contains(&transport), "{contract}");
    sandbox.sign("ana").with(0);
    sandbox.sluice(&["connector", "diff", "tools"]).with(0);
    let bill = sandbox.sluice(&["connector", "sbom"]).with(0).json();
    let services = bill["services"].as_array().unwrap();
    let found = services.iter().find(|service| service["name"] == "tools").unwrap();
    assert_eq!((&found["endpoints"][0], &found["authenticated"]), (&json!(remote.url()), &json!(true)));
}
