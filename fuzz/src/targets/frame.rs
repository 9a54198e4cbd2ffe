//! Frames of agents and servers: one reading, ids that survive any spelling, cuts that leave one frame, drafts that are contracts.

use std::collections::BTreeSet;

use serde_json::Value;
use sluice_core::contract::Contract;
use sluice_core::text::Text;
use sluice_gateway::frame::{Frame, Id, Kind};
use sluice_gateway::stray::Stray;
use sluice_gateway::{draft, tools};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "frame", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\"id\":",
    b"\"method\":\"tools/call\"",
    b"\"method\":\"tools/list\"",
    b"\"result\":{\"tools\":[",
    b"\"error\":",
    b"\"params\":{",
    b"\"arguments\":{",
    b"\"nextCursor\":",
    b"\"inputSchema\":{\"properties\":{",
    b"\"annotations\":{\"readOnlyHint\":true}",
    b"\"description\":\"\\n  effect: read\"",
    b"\"sluice:0\"",
    b"\\u0073",
    b"\\ud83d",
    b"null",
    b"[",
    b"{",
    b"]",
    b"}",
    b",",
];

fn run(data: &[u8]) -> String {
    let stray = Stray::of(data);
    match Frame::read(data) {
        Ok(frame) => {
            assert_eq!(frame.raw().as_bytes(), data, "what is forwarded is not what was judged");
            envelope(&frame, &stray);
            let _ = frame.has_half_characters();
            format!("{} {}", kind(&frame), listed(&frame))
        }
        Err(error) => {
            assert_eq!(error.stray, stray, "whose it was is found in two ways");
            format!("refused {} {}", error.is_json, error.why.len())
        }
    }
}

/// The scan that answers for unreadable frames sees the same ids in readable ones, and so does another reader of JSON.
fn envelope(frame: &Frame, stray: &Stray) {
    let (id, asks) = match &frame.kind {
        Kind::Request { id, .. } => (Some(id), true),
        Kind::Notification { .. } => (None, true),
        Kind::Response { id, .. } => (Some(id), false),
    };
    let is_long = frame.raw().len() > 1_000 || frame.raw().contains("\\u");
    assert!(is_long || stray.asks == asks, "the scan sees a method where there is none, or none where there is one");
    assert!(is_long || stray.ids.iter().collect::<Vec<_>>() == id.into_iter().collect::<Vec<_>>(), "another id");
    let Ok(theirs) = serde_json::from_str::<Value>(frame.raw()) else { return };
    let Some(id) = id else { return };
    assert_eq!(
        theirs["id"],
        serde_json::from_str::<Value>(&id.as_json()).unwrap_or_default(),
        "an id has two meanings"
    );
    assert_eq!(id.is_own(), theirs["id"].as_str().is_some_and(|id| id.starts_with("sluice:")));
}

fn kind(frame: &Frame) -> &'static str {
    match frame.kind {
        Kind::Request { .. } => "request",
        Kind::Notification { .. } => "notification",
        Kind::Response { is_error, .. } => {
            if is_error {
                "error"
            } else {
                "response"
            }
        }
    }
}

/// What an agent sees of a list of tools, and the contract that is drafted of it.
fn listed(frame: &Frame) -> String {
    assert_eq!(tools::offered(frame, |_| true, None), frame.raw(), "a list that is offered whole is another one");
    let Some(page) = tools::page(frame) else { return "no list".to_owned() };
    for keeps in [0, 1] {
        let is_offered = |name: &str| name.len() % 2 == keeps;
        let own = (keeps == 1).then(|| serde_json::json!({ "name": "sluice_plan" }));
        let cut = tools::offered(frame, is_offered, own.as_ref());
        let again = Frame::read(cut.as_bytes()).expect("what is cut is one frame");
        assert_eq!(again.kind, frame.kind);
        let names = |page: &tools::Page| page.tools.iter().map(|tool| tool.name.clone()).collect::<Vec<_>>();
        let left = tools::page(&again).expect("what is cut is one list");
        let mut kept: Vec<String> = names(&page).into_iter().filter(|name| is_offered(name)).collect();
        kept.extend(own.map(|_| "sluice_plan".to_owned()));
        assert_eq!(names(&left), kept, "another tool was cut");
        assert_eq!(left.next, page.next);
    }
    let mut seen = BTreeSet::new();
    let offered: Vec<_> = page.tools.into_iter().filter(|tool| seen.insert(tool.name.clone())).collect();
    let draft = draft::contract("tools", r#"{ mcp: { command: ["server"] } }"#, &offered);
    let parsed = Contract::parse(&Text::new("connectors/tools.yaml", draft.text.as_str()));
    let contract = parsed.unwrap_or_else(|problems| panic!("a draft is no contract: {problems:?}\n{}", draft.text));
    assert_eq!(contract.actions.len() + draft.withheld.len(), offered.len(), "a tool is lost");
    format!("{} actions, {} withheld", contract.actions.len(), draft.withheld.len())
}

fn seeds() -> Vec<Vec<u8>> {
    let tool = r#"{"name":"send_mail","description":"Sends","inputSchema":{"type":"object","properties":{"to":{"type":"string"},"amount":{"type":"number"}}},"annotations":{"destructiveHint":true}}"#;
    let list = format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"tools":[{tool}, {{"name":"read-x","inputSchema":{{}}}} ],"nextCursor":"c"}}}}"#,
        Id::own(0).as_json()
    );
    [
        list.as_str(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_mail","arguments":{"to":"bo","n":[1,2.5]},"_meta":{"progressToken":1}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a\u0062"}}"#,
        r#"{"result":{"content":[]},"jsonrpc":"2.0","id":"x"}"#,
        r#"{"jsonrpc":"2.0","id":9,"error":{"code":-32601,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{"con"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
