//! A call that waits for a person as a task: it is over when they have decided, and not before.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Agent;
use super::agent::calls;
use crate::sandbox::Sandbox;

const TOOLS: &str = "tools list_mail send_mail";

fn decide(sandbox: &Sandbox, word: &str, id: &str) {
    sandbox.sluice(&["approvals", word, id, "--as", "ana", "--key", &sandbox.key()]).with(0);
}

fn meta(capabilities: Json) -> Json {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "a", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}

fn knows_tasks() -> Json {
    json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

/// How a client speaks of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    Extension,
    Core,
}

/// An agent that has read somebody's mail and wants to send some, and the task that it got.
struct Waits<'s> {
    sandbox: &'s Sandbox,
    agent: Agent<'s>,
    era: Era,
    task: Json,
}

impl<'s> Waits<'s> {
    fn of(sandbox: &'s Sandbox, era: Era, script: &str, ttl: u64) -> Self {
        let mut agent = Agent::with(sandbox, &format!("{TOOLS}\n{script}"), &[]);
        let read = match era {
            Era::Extension => json!({ "name": "list_mail", "arguments": {}, "_meta": meta(knows_tasks()) }),
            Era::Core => {
                agent = agent.begun();
                json!({ "name": "list_mail", "arguments": {} })
            }
        };
        agent.ask("tools/call", read);
        let mut call = json!({ "name": "send_mail", "arguments": { "to": "bo", "text": "It is on Friday" } });
        match era {
            Era::Extension => {
                call["_meta"] = meta(knows_tasks());
                call["_meta"]["progressToken"] = json!(1);
            }
            Era::Core => call["task"] = json!({ "ttl": ttl }),
        }
        let begun = agent.ask("tools/call", call)["result"].clone();
        let task = match era {
            Era::Extension => {
                assert_eq!(begun["resultType"], "task", "{begun}");
                begun
            }
            Era::Core => begun["task"].clone(),
        };
        assert_eq!(task["status"], "working", "{task}");
        Self { sandbox, agent, era, task }
    }

    fn approval(&self) -> String {
        let said = self.task["statusMessage"].as_str().unwrap();
        assert!(said.starts_with("approval required: approval_id=A-"), "{said}");
        said.split('=').nth(1).unwrap().lines().next().unwrap().to_owned()
    }

    fn params(&self) -> Json {
        let mut params = json!({ "taskId": self.task["taskId"] });
        if self.era == Era::Extension {
            params["_meta"] = meta(knows_tasks());
        }
        params
    }

    fn get(&mut self) -> Json {
        let params = self.params();
        self.agent.ask("tasks/get", params)["result"].clone()
    }

    fn over(&mut self) -> Json {
        for _ in 0..200 {
            let task = self.get();
            if task["status"] != "working" {
                return task;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it is never over: {}", self.get());
    }

    /// What the server saw of the call.
    fn sent(&self) -> Vec<Json> {
        let seen = std::fs::read_to_string(self.sandbox.path("server.script.seen")).unwrap();
        let seen = seen.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        seen.filter(|line| line["params"]["name"] == "send_mail").collect()
    }
}

#[test]
fn a_task_is_over_when_a_person_has_approved_it_and_has_the_result() {
    for era in [Era::Extension, Era::Core] {
        let sandbox = Sandbox::with_workspace();
        let mut waits = Waits::of(&sandbox, era, "", 600_000);
        assert_eq!(waits.get()["status"], "working");
        assert_eq!(waits.sent(), [json!(null); 0]);
        decide(&sandbox, "approve", &waits.approval());
        let task = waits.over();
        assert_eq!(task["status"], "completed", "{task}");
        let result = match era {
            Era::Extension => {
                assert_eq!(task["resultType"], "complete");
                task["result"].clone()
            }
            Era::Core => {
                let params = waits.params();
                let result = waits.agent.ask("tasks/result", params)["result"].clone();
                assert_eq!(
                    result["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], waits.task["taskId"],
                    "{result}"
                );
                result
            }
        };
        assert_eq!(result["content"][0]["text"], "done");
        let sent = waits.sent();
        assert_eq!(sent.len(), 1, "once");
        assert_eq!(sent[0]["params"]["arguments"], json!({ "to": "bo", "text": "It is on Friday" }));
        assert_eq!(sent[0]["params"].get("task"), None);
        if era == Era::Extension {
            assert_eq!(sent[0]["params"]["_meta"], meta(json!({})), "nothing that the task could not pass on");
        }
        waits.agent.leave();
        let said = calls(&sandbox).pop().unwrap();
        assert!(said.starts_with("send_mail: replied [held approval-requested decision"), "{said}");
    }
}

#[test]
fn a_task_that_a_person_denies_ends_as_its_era_has_it() {
    let sandbox = Sandbox::with_workspace();
    let mut waits = Waits::of(&sandbox, Era::Extension, "", 0);
    decide(&sandbox, "deny", &waits.approval());
    let task = waits.over();
    assert_eq!((&task["status"], &task["result"]["isError"]), (&json!("completed"), &json!(true)), "{task}");
    assert!(task["result"]["content"][0]["text"].as_str().unwrap().starts_with("denied by policy: SL911"));

    let sandbox = Sandbox::with_workspace();
    let mut waits = Waits::of(&sandbox, Era::Core, "", 600_000);
    let params = waits.params();
    // Who asks for the result is answered when there is one.
    let asked = waits.agent.asks("tasks/result", params);
    assert_eq!(waits.get()["status"], "working");
    decide(&sandbox, "deny", &waits.approval());
    let result = waits.agent.hear_answer(&asked)["result"].clone();
    assert!(result["content"][0]["text"].as_str().unwrap().starts_with("denied by policy: SL911"), "{result}");
    assert_eq!(waits.get()["status"], "failed");
    assert_eq!(waits.sent(), [json!(null); 0]);
}

#[test]
fn a_task_that_is_cancelled_is_not_made_whatever_people_say_then() {
    for era in [Era::Extension, Era::Core] {
        let sandbox = Sandbox::with_workspace();
        let mut waits = Waits::of(&sandbox, era, "", 600_000);
        let params = waits.params();
        let told = waits.agent.ask("tasks/cancel", params)["result"].clone();
        match era {
            Era::Extension => assert_eq!(told, json!({ "resultType": "complete" })),
            Era::Core => assert_eq!(told["status"], "cancelled"),
        }
        decide(&sandbox, "approve", &waits.approval());
        std::thread::sleep(Duration::from_millis(1_200));
        assert_eq!(waits.get()["status"], "cancelled");
        assert_eq!(waits.sent(), [json!(null); 0]);
    }
}

#[test]
fn a_task_under_way_that_is_cancelled_is_taken_back_at_its_server() {
    let sandbox = Sandbox::with_workspace();
    let mut waits = Waits::of(&sandbox, Era::Extension, "on tools/call send_mail\nnothing", 0);
    decide(&sandbox, "approve", &waits.approval());
    while waits.sent().is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let params = waits.params();
    waits.agent.ask("tasks/cancel", params);
    assert_eq!(waits.get()["status"], "cancelled");
    let left = waits.agent.leave();
    assert!(left.seen.iter().any(|seen| seen.starts_with("notifications/cancelled")), "{:?}", left.seen);
    assert!(calls(&sandbox).pop().unwrap().contains("in doubt"), "{:?}", calls(&sandbox));
}

#[test]
fn a_task_that_nobody_decides_in_time_fails_and_so_does_one_that_its_server_refuses() {
    let sandbox = Sandbox::with_workspace();
    let mut waits = Waits::of(&sandbox, Era::Core, "", 1);
    assert_eq!(waits.over()["status"], "failed");
    let params = waits.params();
    let told = waits.agent.ask("tasks/result", params)["error"].clone();
    assert!(told["message"].as_str().unwrap().contains("approval_id=A-"), "{told}");

    for (answer, expected) in [
        (r#""error":{"code":-32000,"message":"no"}"#, "no"),
        (r#""result":{"resultType":"input_required","inputRequests":{}}"#, "SL907"),
        (r#""result":{"resultType":"task","taskId":"x"}"#, "SL907"),
    ] {
        let sandbox = Sandbox::with_workspace();
        let script = format!("on tools/call send_mail\nsay {{\"jsonrpc\":\"2.0\",\"id\":$ID,{answer}}}");
        let mut waits = Waits::of(&sandbox, Era::Extension, &script, 0);
        decide(&sandbox, "approve", &waits.approval());
        let task = waits.over();
        assert_eq!(task["status"], "failed", "{task}");
        assert!(task["error"]["message"].as_str().unwrap().starts_with(expected), "{task}");
    }
}

#[test]
fn a_task_is_told_to_who_knows_it_and_others_go_to_their_server() {
    let sandbox = Sandbox::with_workspace();
    let mut waits = Waits::of(&sandbox, Era::Extension, "", 0);
    let task = &waits.task["taskId"].clone();
    let plain = json!({ "taskId": task, "_meta": meta(json!({})) });
    assert_eq!(waits.agent.ask("tasks/get", plain)["error"]["code"], -32021);
    let other = json!({ "taskId": "sluice-task-0", "_meta": meta(knows_tasks()) });
    assert_eq!(waits.agent.ask("tasks/get", other)["error"]["code"], -32602);
    let theirs = json!({ "taskId": "7", "_meta": meta(knows_tasks()) });
    assert_eq!(waits.agent.ask("tasks/get", theirs)["result"], json!({}));
    let params =
        json!({ "taskId": task, "_meta": meta(knows_tasks()), "inputResponses": { "x": { "action": "accept" } } });
    assert_eq!(waits.agent.ask("tasks/update", params)["result"], json!({ "resultType": "complete" }));
    assert_eq!(waits.get()["status"], "working", "what a client answers is nobody's consent");
    let left = waits.agent.leave();
    assert_eq!(left.seen.iter().filter(|seen| seen.starts_with("tasks/")).count(), 1, "{:?}", left.seen);
}

#[test]
fn a_tool_that_its_server_calls_as_a_task_alone_is_not_called_otherwise() {
    let list = json!({ "jsonrpc": "2.0", "id": "$", "result": { "tools": [
        { "name": "list_mail", "inputSchema": { "type": "object" } },
        { "name": "send_mail", "inputSchema": { "type": "object", "properties": { "to": { "type": "string" } } },
          "execution": { "taskSupport": "required" } },
    ] } });
    let list = list.to_string().replace("\"$\"", "$ID");
    let sandbox = Sandbox::with_workspace();
    let mut agent = Agent::of(&sandbox, &format!("{TOOLS}\non tools/list\nsay {list}"));
    agent.call("list_mail", json!({}));
    let params = json!({ "name": "send_mail", "arguments": { "to": "bo" }, "task": { "ttl": 1000 } });
    let told = agent.ask("tools/call", params);
    assert!(super::text(&told).starts_with("approval required: approval_id=A-"), "{told}");
}
