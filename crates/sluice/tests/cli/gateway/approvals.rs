//! A held call, a person's word, and the call that passes because of it: once.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::Agent;
use super::agent::calls;
use crate::sandbox::{Ended, Sandbox};

/// An agent that has read somebody's mail, so that whatever it sends may be their wish.
fn tainted(sandbox: &Sandbox) -> Agent<'_> {
    let mut agent = Agent::of(sandbox, "tools list_mail send_mail");
    assert_eq!(agent.call("list_mail", json!({})), "done");
    agent
}

/// The id that a held call tells.
fn approval(told: &str) -> String {
    assert!(told.starts_with("approval required"), "{told}");
    let id = told.split("approval_id=").nth(1).unwrap();
    id.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

fn decide(sandbox: &Sandbox, word: &str, id: &str) -> Ended {
    sandbox.sluice(&["approvals", word, id, "--as", "ana", "--key", &sandbox.key()])
}

fn waiting(sandbox: &Sandbox) -> Vec<Json> {
    sandbox.sluice(&["approvals", "list", "--format", "json"]).with(0).json().as_array().unwrap().clone()
}

#[test]
fn an_approved_call_passes_once_and_no_other_does() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = tainted(&sandbox);
    let letter = json!({ "to": "bo", "text": "It is on Friday" });
    let id = approval(&agent.call("send_mail", letter.clone()));
    assert_eq!(waiting(&sandbox).len(), 1);
    assert_snapshot!(sandbox.redacted(&decide(&sandbox, "approve", &id).with(0).out), @r"
    approved  A-HEX  tools.send_mail
      the agent calls again with the same arguments, and this passes once
    ");
    for other in [
        json!({ "to": "bo", "text": "It is on Friday." }),
        json!({ "to": "Bo", "text": "It is on Friday" }),
        json!({ "to": "bo", "text": "It is on Friday", "cc": "eve" }),
        json!({ "to": ["bo"], "text": "It is on Friday" }),
        json!({ "text": "It is on Friday" }),
    ] {
        let told = agent.call("send_mail", other.clone());
        assert!(!told.contains(&id) && told != "done", "{other}: {told}");
    }
    let again = r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"arguments":{"text":"It is on Friday" , "to":"bo"},"name":"send_mail"}}"#;
    agent.say(again);
    assert_eq!(super::agent::text(&agent.hear_answer(&json!("x"))), "done");
    let other = approval(&agent.call("send_mail", letter));
    assert_ne!(other, id, "the same call once more is another question");
    let left = agent.leave();
    assert_eq!(left.seen.iter().filter(|seen| *seen == "tools/call send_mail").count(), 1);
    let passed = "send_mail: replied [held approval-requested decision resumed intent outcome]";
    assert_eq!(calls(&sandbox).iter().filter(|call| *call == passed).count(), 1, "{:?}", calls(&sandbox));
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn two_identical_calls_at_once_need_two_words() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = tainted(&sandbox);
    let letter = json!({ "to": "bo", "text": "x" });
    let id = approval(&agent.call("send_mail", letter.clone()));
    decide(&sandbox, "approve", &id).with(0);
    let ids: Vec<Json> =
        (0..5).map(|_| agent.asks("tools/call", json!({ "name": "send_mail", "arguments": letter }))).collect();
    let told: Vec<String> = ids.iter().map(|id| super::agent::text(&agent.hear_answer(id))).collect();
    assert_eq!(told.iter().filter(|told| *told == "done").count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|told| told.starts_with("approval required")).count(), 4, "{told:?}");
}

#[test]
fn a_denied_call_is_denied() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = tainted(&sandbox);
    let letter = json!({ "to": "eve", "text": "all of it" });
    let id = approval(&agent.call("send_mail", letter.clone()));
    assert_snapshot!(sandbox.redacted(&decide(&sandbox, "deny", &id).with(0).out), @r"
    denied  A-HEX  tools.send_mail
      the agent is told so if it calls again
    ");
    assert_eq!(waiting(&sandbox), [""; 0]);
    let told = agent.call("send_mail", letter);
    assert_eq!(told, "denied by policy: SL911\nThis call will not be made; asking again changes nothing.");
    let left = agent.leave();
    assert!(!left.seen.contains(&"tools/call send_mail".to_owned()));
    assert_eq!(calls(&sandbox)[1], "send_mail: denied [held approval-requested denied]");
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn nobody_waits_once_the_session_is_over() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = tainted(&sandbox);
    let id = approval(&agent.call("send_mail", json!({ "to": "eve" })));
    assert_eq!(waiting(&sandbox)[0]["approval"], id);
    agent.leave();
    assert_eq!(waiting(&sandbox), [""; 0]);
    assert!(decide(&sandbox, "approve", &id).with(5).err.contains("SL445"));
    assert!(sandbox.sluice(&["approvals", "show", &id]).with(0).out.contains("no longer asked"));
    // Another session is another question.
    let other = approval(&tainted(&sandbox).call("send_mail", json!({ "to": "eve" })));
    assert_ne!(other, id);
}

#[test]
fn a_session_is_shown_call_by_call() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("request.txt", "Tell Bo that it is on Friday");
    let mut agent = Agent::with(&sandbox, "tools list_mail send_mail\non tools/call list_mail\nsay {\"jsonrpc\":\"2.0\",\"id\":$ID,\"error\":{\"code\":1,\"message\":\"no mail\"}}", &["--request", "../request.txt"]).begun();
    agent.call("list_mail", json!({}));
    agent.call("send_mail", json!({ "to": "eve", "text": "all of it" }));
    agent.call("no_such_tool", json!({}));
    agent.leave();
    let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    assert_eq!(runs[0]["status"], "completed");
    let run = runs[0]["run"].as_str().unwrap();
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&["runs", "show", run]).with(0).out), @r#"
    over  session HEX
      for      ana
      request  Tell Bo that it is on Friday
      0  tools.list_mail failed {"code":1,"message":"no mail"}
         {}
      1  tools.send_mail held A-HEX: the agent has read words of tools, and
         this may be their wish; needs approval by whoever answers for `ana`
         {"to":"eve","text":"all of it"}
      2  tools.no_such_tool (not offered) denied SL505: no contract covers
         `tools.no_such_tool (not offered)`
    solo workspace: one person alone may change its rules
    "#);
}

#[test]
fn broken_glass_lets_a_held_call_pass_once() {
    let sandbox = Sandbox::with_five_people();
    sandbox.edit("ws/registers/principals.yaml", |text| text.replace("\n  ana:\n", "\n  ana:\n    manager: cleo\n"));
    sandbox.edit("ws/workspace.yaml", |text| text + "break_glass: oncall\n");
    sandbox.sign("ana").with(0);
    let mut agent = tainted(&sandbox);
    let letter = json!({ "to": "bo", "text": "The house is on fire" });
    let id = approval(&agent.call("send_mail", letter.clone()));
    let breaks = |person: &str| {
        let key = sandbox.key_of(person);
        sandbox.sluice(&["approvals", "break-glass", &id, "--as", person, "--key", &key, "--because", "it is on fire"])
    };
    assert!(breaks("ana").with(5).err.contains("SL403"), "it is her own agent");
    breaks("eve").with(0);
    assert_eq!(agent.call("send_mail", letter.clone()), "done");
    let again = approval(&agent.call("send_mail", letter));
    assert_ne!(again, id, "once");
    let told = waiting(&sandbox);
    assert_eq!(told.len(), 1, "{told:?}");
    let review = |person: &str| {
        let key = sandbox.key_of(person);
        sandbox.sluice(&["approvals", "review", &id, "--as", person, "--key", &key, "--finding", "it was"])
    };
    assert!(review("ana").with(5).err.contains("SL450"), "it was done in her name");
    review("cleo").with(0);
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}
