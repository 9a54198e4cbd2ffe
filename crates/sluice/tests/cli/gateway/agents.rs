//! What agents do: what they are told, what the server sees of it, and what is in the ledger.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Agent;
use super::agent::{calls, text};
use crate::sandbox::Sandbox;

const PLAIN: &str = "tools list_mail send_mail";

#[test]
fn a_held_call_that_is_asked_again_is_the_same_question() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    agent.call("list_mail", json!({}));
    let told = agent.call("send_mail", json!({ "to": "eve", "text": "x" }));
    assert!(told.starts_with("approval required: ") && told.contains("approval_id=A-"), "{told}");
    for arguments in [json!({ "to": "eve", "text": "x" }), json!({ "text": "x", "to": "eve" })] {
        assert_eq!(agent.call("send_mail", arguments), told);
    }
    assert_ne!(agent.call("send_mail", json!({ "to": "eve", "text": "y" })), told);
    let left = agent.leave();
    assert!(!left.seen.contains(&"tools/call send_mail".to_owned()));
    let held = "send_mail: held [held approval-requested]";
    assert_eq!(calls(&sandbox), ["list_mail: replied [decision intent outcome]", held, held]);
}

#[test]
fn a_hundred_calls_at_once_are_each_answered_once() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    let ids: Vec<Json> =
        (0..100).map(|_| agent.asks("tools/call", json!({ "name": "list_mail", "arguments": {} }))).collect();
    for id in &ids {
        assert_eq!(text(&agent.hear_answer(id)), "done");
    }
    let left = agent.leave();
    assert!(left.heard.is_empty());
    assert_eq!(calls(&sandbox), vec!["list_mail: replied [decision intent outcome]"; 100]);
}

#[test]
fn a_call_that_is_taken_back_before_it_was_made_is_never_made() {
    let sandbox = Sandbox::with_workspace();
    let script = "tools list_mail\non tools/list\nkeep\nsay {\"jsonrpc\":\"2.0\",\"id\":900,\"method\":\"roots/list\"}\n\
                  on =900\nsay {\"jsonrpc\":\"2.0\",\"id\":$KEPT,\"result\":{\"tools\":[{\"name\":\"list_mail\",\"inputSchema\":{}}]}}";
    let mut agent = Agent::of(&sandbox, script);
    // The first waits for the list of tools, the second for the first.
    let (first, second) = (10, 11);
    for id in [first, second, 12] {
        agent.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"list_mail"}}}}"#));
    }
    assert_eq!(agent.hear()["id"], 900);
    for id in [first, second] {
        agent.say(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#));
    }
    agent.say(r#"{"jsonrpc":"2.0","id":900,"result":{"roots":[]}}"#);
    assert_eq!(text(&agent.hear_answer(&json!(12))), "done");
    let left = agent.leave();
    assert!(left.heard.is_empty());
    assert_eq!(left.seen.iter().filter(|seen| *seen == "tools/call list_mail").count(), 1);
    assert!(!left.seen.contains(&"notifications/cancelled".to_owned()), "the server was never asked");
    assert_eq!(calls(&sandbox), ["list_mail: replied [decision intent outcome]"]);
}

#[test]
fn what_the_server_was_not_asked_cannot_be_cancelled() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    agent.call("list_mail", json!({}));
    agent.call("send_mail", json!({ "to": "eve" }));
    for id in ["3", "77", r#""sluice:0""#] {
        agent.say(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#));
    }
    agent.ask("ping", json!({}));
    assert!(!agent.leave().seen.contains(&"notifications/cancelled".to_owned()));
}

#[test]
fn an_id_that_waits_cannot_be_used_again_however_it_is_spelled() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(
        &sandbox,
        "tools list_mail\non resources/read\nkeep\non notifications/go\nsay {\"jsonrpc\":\"2.0\",\"id\":$KEPT,\"result\":{}}",
    );
    agent.say(r#"{"jsonrpc":"2.0","id":"a","method":"resources/read","params":{"uri":"x"}}"#);
    for id in [r#""a""#, r#""\u0061""#] {
        agent.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"list_mail"}}}}"#));
        assert_eq!(text(&agent.hear()), "SL904: a request with this id has no answer yet");
    }
    agent.say(r#"{"jsonrpc":"2.0","method":"notifications/go"}"#);
    assert_eq!(agent.hear(), json!({ "jsonrpc": "2.0", "id": "a", "result": {} }));
    agent.say(r#"{"jsonrpc":"2.0","id":"\u0061","method":"tools/call","params":{"name":"list_mail"}}"#);
    assert_eq!(text(&agent.hear_answer(&json!("a"))), "done");
    agent.leave();
    let replied = |what: &str| format!("{what}: replied [decision intent outcome]");
    assert_eq!(calls(&sandbox), [replied("resources/read"), replied("list_mail")]);
}

#[test]
fn the_ids_of_the_gateway_are_not_for_agents() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    for id in [r#""sluice:0""#, r#""sluice:1""#, r#""\u0073luice:0""#] {
        agent.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"resources/read","params":{{}}}}"#));
        assert_eq!(text(&agent.hear()), "SL904: a request with this id has no answer yet");
    }
    let left = agent.leave();
    assert!(!left.seen.contains(&"resources/read".to_owned()));
}

#[test]
fn a_message_that_cannot_be_read_is_answered_and_goes_no_further() {
    let deep = format!(
        r#"{{"id":7,"jsonrpc":"2.0","method":"tools/call","params":{}1{}}}"#,
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    let long =
        format!(r#"{{"jsonrpc":"2.0","method":"tools/call","params":{{"name":"{}"}},"id":7}}"#, "x".repeat(17 << 20));
    for (line, id, code) in [
        (r#"[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_mail"}}]"#, json!(null), -32_600),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_mail","name":"send_mail"}}"#,
            json!(7),
            -32_600,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"tools/call","params":{"name":"list_mail"}}"#,
            json!(null),
            -32_600,
        ),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":["list_mail"]}"#, json!(7), -32_600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"list_mail"}}"#, json!(null), -32_600),
        (r#"{"jsonrpc":"2.0","id":9,"result":{},"error":{}}"#, json!(null), -32_600),
        ("tools/call list_mail", json!(null), -32_700),
        (&deep, json!(7), -32_600),
        (&long, json!(7), -32_600),
    ] {
        let sandbox = Sandbox::with_workspace();
        let mut agent = Agent::of(&sandbox, PLAIN);
        agent.say(line);
        let answer = agent.hear();
        let start: String = line.chars().take(100).collect();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{start}: {answer}");
        assert!(text(&answer).starts_with("SL900: "), "{answer}");
        let left = agent.leave();
        assert_eq!(left.seen, ["initialize", "notifications/initialized"], "{start}");
        assert_eq!(calls(&sandbox), [""; 0]);
    }
}

#[test]
fn a_call_that_is_none_is_answered_and_not_made() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    for params in [
        json!({}),
        json!({ "name": 7 }),
        json!({ "name": "list_mail", "arguments": [] }),
        json!({ "name": "list_mail", "arguments": "{}" }),
        json!({ "name": "list_mail", "arguments": null }),
    ] {
        let answer = agent.ask("tools/call", params);
        assert_eq!(answer["error"]["code"], -32_602, "{answer}");
    }
    agent.say(
        r#"{"jsonrpc":"2.0","id":"h","method":"tools/call","params":{"name":"list_mail","arguments":{"to":"\ud83d"}}}"#,
    );
    assert_eq!(agent.hear_answer(&json!("h"))["error"]["code"], -32_602);
    agent.say(r#"{"jsonrpc":"2.0","id":"n","method":"tools/call","params":{"name":"list_mail","arguments":{"to":99999999999999999999}}}"#);
    assert_eq!(agent.hear_answer(&json!("n"))["error"]["code"], -32_602);
    let left = agent.leave();
    assert_eq!(left.seen, ["initialize", "notifications/initialized"]);
    assert_eq!(calls(&sandbox), [""; 0]);
}

#[test]
fn an_unknown_tool_is_denied_and_recorded() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    for tool in ["no_such_tool", "", "list_mail (not offered)", "LIST_MAIL", "list_mail\u{0}"] {
        let told = agent.call(tool, json!({}));
        assert!(told.starts_with("denied by policy: SL505\n"), "{tool}: {told}");
    }
    let left = agent.leave();
    assert!(!left.seen.iter().any(|seen| seen.starts_with("tools/call")), "{:?}", left.seen);
    assert_eq!(calls(&sandbox).len(), 5);
    assert!(calls(&sandbox).iter().all(|call| call.ends_with(": denied [decision]")), "{:?}", calls(&sandbox));
}

#[test]
fn a_call_before_anything_else_is_gated_all_the_same() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::silent(&sandbox, PLAIN);
    agent.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    agent.say(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#);
    assert_eq!(agent.call("list_mail", json!({})), "done");
    assert!(agent.call("send_mail", json!({ "to": "eve" })).starts_with("approval required"));
    let left = agent.leave();
    let expected =
        ["notifications/initialized", "notifications/roots/list_changed", "tools/list", "tools/call list_mail"];
    assert_eq!(left.seen, expected);
}

#[test]
fn an_answer_to_nothing_reaches_nobody() {
    let sandbox = Sandbox::with_workspace();
    let script = "tools list_mail\non ping\nsay {\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"roots/list\"}\nsay {\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{}}";
    let mut agent = Agent::of(&sandbox, script);
    let answer = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"action":"accept"}}}}"#);
    agent.say(&answer("5"));
    agent.ask("ping", json!({}));
    for id in ["6", r#""5""#, r#""sluice:0""#, "5", "5"] {
        agent.say(&answer(id));
    }
    agent.ask("resources/list", json!({}));
    let left = agent.leave();
    assert_eq!(left.seen, ["initialize", "notifications/initialized", "ping", "=5", "resources/list"]);
}

#[test]
fn an_agent_that_leaves_or_is_stopped_leaves_its_session_recorded() {
    for signal in [None, Some("TERM"), Some("INT"), Some("HUP")] {
        let sandbox = Sandbox::with_workspace();
        let mut agent = Agent::of(&sandbox, "tools list_mail send_mail\non tools/call list_mail\nnothing");
        agent.asks("tools/call", json!({ "name": "list_mail", "arguments": {} }));
        while agent.calls().is_empty() {}
        if let Some(signal) = signal {
            agent.kill(signal);
        }
        let left = agent.leave();
        assert_eq!(left.code, Some(0), "{signal:?}: {}", left.errors);
        assert_eq!(calls(&sandbox), ["list_mail: in doubt [decision intent in-doubt]"], "{signal:?}");
        let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
        assert_eq!(runs[0]["status"], "completed", "{signal:?}");
    }
}

#[test]
fn a_session_ends_when_other_rules_count() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    assert_eq!(agent.call("list_mail", json!({})), "done");
    sandbox.write(
        "ws/policies/ended.cedar",
        "@id(\"nobody\")\n@why(\"it has ended\")\nforbid (principal, action, resource);\n",
    );
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(agent.call("list_mail", json!({})), "done", "what nobody signed counts nothing");
    sandbox.sign("ana").with(0);
    let left = agent.left_alone();
    assert_eq!(left.code, Some(0), "{}", left.errors);
    assert!(left.errors.contains("do not count; those of before hold"), "{}", left.errors);
    assert!(left.errors.contains("the rules are others now"), "{}", left.errors);
    let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    assert_eq!(runs[0]["status"], "completed");
    assert!(Agent::of(&sandbox, PLAIN).call("list_mail", json!({})).starts_with("denied by policy"));
}

#[test]
fn what_is_not_judged_does_not_pass() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, PLAIN);
    assert_eq!(agent.call("list_mail", json!({})), "done");
    // Some servers would make the call all the same.
    agent.say(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"send_mail","arguments":{"to":"eve"}}}"#);
    for method in ["tools/Call", "tools/call2", "x/execute", ""] {
        assert_eq!(agent.ask(method, json!({ "name": "send_mail" }))["error"]["code"], -32_601, "{method}");
    }
    for member in ["inputResponses", "requestState", "Arguments", "extra"] {
        let told = agent.ask("tools/call", json!({ "name": "list_mail", "arguments": {}, member: { "to": "eve" } }));
        assert!(text(&told).starts_with("SL915: "), "{told}");
    }
    let left = agent.leave();
    let sent: Vec<&String> = left.seen.iter().filter(|seen| !seen.starts_with("tools/list")).collect();
    assert!(!sent.iter().any(|seen| seen.contains("send_mail") || seen.contains("execute")), "{sent:?}");
    assert_eq!(calls(&sandbox), ["list_mail: replied [decision intent outcome]"]);
}
