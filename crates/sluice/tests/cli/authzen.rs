//! AuthZEN 1.0: the certification scenario, the todo list, the gateway, and questions about the workspace itself. The cases are data
//! beside this, written from the specification.

use std::fs;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::api::{Api, token};
use crate::sandbox::Sandbox;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/authzen").join(name)
}

/// A workspace that keeps the policies of an application, and a token to ask of them.
fn served(name: &str) -> (Sandbox, Api, String) {
    let sandbox = Sandbox::with_workspace();
    for entry in fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        if file != "cases.json" {
            sandbox.write(&format!("ws/policies/authzen/{file}"), fs::read(&path).unwrap());
        }
    }
    sandbox.sign("ana").with(0);
    let asker = token(&sandbox, "pep", "ana", &["evaluate"]);
    let api = Api::start(&sandbox, &["--per-minute", "100000"]);
    (sandbox, api, asker)
}

/// Whether an answer says at least this: objects may have more, lists have neither more nor less.
fn says(answer: &Json, expected: &Json) -> bool {
    match (answer, expected) {
        (Json::Object(answer), Json::Object(expected)) => {
            expected.iter().all(|(key, value)| answer.get(key).is_some_and(|answer| says(answer, value)))
        }
        (Json::Array(answer), Json::Array(expected)) => {
            answer.len() == expected.len() && answer.iter().zip(expected).all(|(answer, value)| says(answer, value))
        }
        _ => answer == expected,
    }
}

async fn passes(name: &str, count: usize) {
    let (_sandbox, api, asker) = served(name);
    let cases: Vec<Json> = serde_json::from_slice(&fs::read(folder(name).join("cases.json")).unwrap()).unwrap();
    assert_eq!(cases.len(), count);
    for case in cases {
        // Asked twice, the answer is the same.
        for _ in 0..2 {
            let answer = api.post(&asker, case["path"].as_str().unwrap(), &case["body"]).await;
            assert_eq!(answer.status, case["status"], "{}: {}", case["name"], answer.body);
            let kind = if answer.status == 200 { "application/json" } else { "application/problem+json" };
            assert_eq!(answer.headers["content-type"], kind, "{}", case["name"]);
            assert!(
                case["expect"].is_null() || says(&answer.body, &case["expect"]),
                "{}: {}",
                case["name"],
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn the_certification_scenario_passes() {
    passes("certification", 59).await;
}

#[tokio::test]
async fn the_todo_list_is_decided() {
    passes("todo", 43).await;
}

#[tokio::test]
async fn the_gateways_routes_are_decided() {
    passes("gateway", 25).await;
}

#[tokio::test]
async fn what_is_no_request_is_malformed_and_every_answer_has_its_requests_name() {
    let (_sandbox, api, asker) = served("certification");
    let (path, bearer) = ("/access/v1/evaluation", format!("Bearer {asker}"));
    let question = json!({
        "subject": { "type": "user", "id": "alice" }, "action": { "name": "read" }, "resource": { "type": "record", "id": "record-1" }
    });
    let question = question.to_string();
    for (kind, body, status) in [
        ("application/json", question.as_str(), 200),
        ("application/json; charset=utf-8", question.as_str(), 200),
        ("text/plain", question.as_str(), 400),
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("application/json", "[]", 400),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind), ("x-request-id", "bfe9 eb29/ü")];
        let told = api.send(Method::POST, path, &headers, Some(body)).await;
        assert_eq!(
            (told.status, told.headers["x-request-id"].as_bytes()),
            (status, "bfe9 eb29/ü".as_bytes()),
            "{kind} {body}"
        );
    }
    let nobody = [("content-type", "application/json"), ("authorization", "Bearer x"), ("x-request-id", "7")];
    let told = api.send(Method::POST, path, &nobody, Some(&question)).await;
    assert_eq!((told.status, told.headers["x-request-id"].to_str().unwrap()), (401, "7"));
    let unnamed = api.post(&asker, path, &serde_json::from_str(&question).unwrap()).await;
    assert!(!unnamed.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn the_decision_point_says_where_it_is() {
    let (_sandbox, api, _) = served("gateway");
    let told = api.send(Method::GET, "/.well-known/authzen-configuration", &[], None).await.with(200);
    let point = told["policy_decision_point"].as_str().unwrap();
    for (field, path) in [
        ("access_evaluation_endpoint", "evaluation"),
        ("access_evaluations_endpoint", "evaluations"),
        ("search_subject_endpoint", "search/subject"),
        ("search_resource_endpoint", "search/resource"),
        ("search_action_endpoint", "search/action"),
    ] {
        assert_eq!(told[field], format!("{point}/access/v1/{path}"));
    }
}

#[tokio::test]
async fn policies_of_others_that_cannot_be_used_deny_and_decide_nothing_of_ours() {
    let sandbox = Sandbox::with_two_people();
    sandbox.write(
        "ws/policies/authzen/a.cedarschema",
        "entity user; entity doc; action read appliesTo { principal: user, resource: doc };",
    );
    sandbox.write("ws/policies/authzen/a.cedar", "permit (principal, action, resource) when { principal.unheard };");
    sandbox.sign("ana").with(0);
    let asker = token(&sandbox, "pep", "ana", &["evaluate"]);
    // An action of the workspace is decided by the workspace's own rules, whatever others permit.
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    assert_eq!(held["status"], "held");
    let api = Api::start(&sandbox, &[]);
    let question = json!({
        "subject": { "type": "user", "id": "x" }, "action": { "name": "read" }, "resource": { "type": "doc", "id": "d" }
    });
    let told = api.post(&asker, "/access/v1/evaluation", &question).await.with(200);
    assert_eq!((&told["decision"], &told["context"]["reason"]), (&json!(false), &json!("policies_unusable")));
    assert!(told["context"]["reason_admin"]["en"].as_str().unwrap().contains("SL481"), "{told}");
    let search = json!({ "subject": { "type": "user" }, "action": { "name": "read" }, "resource": { "type": "doc", "id": "d" } });
    assert_eq!(api.post(&asker, "/access/v1/search/subject", &search).await.with(200)["results"], json!([]));
}

/// A question about the workspace: who, what, on what, in which circumstances.
fn ours(who: &str, action: &str, resource: (&str, &str), context: Json) -> Json {
    json!({
        "subject": { "type": "person", "id": who },
        "action": { "name": action },
        "resource": { "type": resource.0, "id": resource.1 },
        "context": context,
    })
}

#[tokio::test]
async fn questions_about_the_workspace_are_predicted_and_say_who_could_approve() {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/destinations.yaml", |text| {
        text.replace("destinations: {}", "destinations:\n  partner: { owner: owners, region: here, cleared: [] }")
    });
    sandbox.write(
        "ws/connectors/mail.yaml",
        "version: 1\nconnector: mail\ntransport: { http: { base: \"https://mail.example.com\" } }\nregion: here\nactions:\n  \
         send:\n    effect: export\n    request: { method: POST, path: /send, body: [text, to] }\n    \
         arguments: { text: { role: payload }, to: { role: destination, required: true } }\n    \
         output: { trust: { \"\": trusted }, labels: { \"\": [] } }\n    destination: { argument: to }\n",
    );
    sandbox.sign("ana").with(0);
    let asker = token(&sandbox, "pep", "ana", &["evaluate", "stop"]);
    let api = Api::start(&sandbox, &["--per-minute", "100000"]);
    let (data, none) = (json!({ "data": ["internal"], "purpose": "operations" }), json!({ "purpose": "operations" }));
    let (greetings, partner) = (("dataset", "greetings"), ("destination", "partner"));
    for (question, decision, reason) in [
        (ours("ben", "greetings.append", greetings, data.clone()), true, Json::Null),
        (ours("ben", "service-desk.tickets.show", ("dataset", "service-desk.tickets"), none.clone()), true, Json::Null),
        (ours("ben", "mail.send", partner, data.clone()), false, json!("approval_required")),
        (ours("ben", "mail.send", partner, none.clone()), false, json!("forbidden")),
        (ours("eve", "mail.send", partner, data.clone()), false, json!("unknown_subject")),
        (ours("ben", "mail.receive", partner, data.clone()), false, json!("unknown_action")),
        (ours("ben", "mail", partner, data.clone()), false, json!("unknown_action")),
        (ours("ben", "greetings.append", partner, data.clone()), false, json!("other_resource")),
        (ours("ben", "mail.send", partner, json!({ "data": ["unheard"] })), false, json!("unknown_data")),
        (ours("ben", "mail.send", partner, json!({ "data": "internal" })), false, json!("unfit_context")),
    ] {
        let told = api.post(&asker, "/access/v1/evaluation", &question).await.with(200);
        assert_eq!((&told["decision"], &told["context"]["reason"]), (&json!(decision), &reason), "{question}: {told}");
    }
    let told =
        api.post(&asker, "/access/v1/evaluation", &ours("ben", "mail.send", partner, data.clone())).await.with(200);
    let request = &told["context"]["access_request"];
    assert!(
        told["context"]["evaluation_id"].is_string()
            && request["endpoint"].as_str().unwrap().ends_with("/api/v1/proposals")
    );
    assert_eq!(request["needs"], json!(["`owners`"]), "{told}");
    let token = request["binding_token"].as_str().unwrap().to_owned();
    assert!(request["expires_at"].as_str() > told["context"]["evaluated_at"].as_str(), "{told}");
    let evaluation = told["context"]["evaluation_id"].clone();
    // A proposal answers the denial by its token: of whom it was denied, what was denied, and no other one.
    let (ben, ana) =
        (self::token(&sandbox, "ben", "ben", &["propose"]), self::token(&sandbox, "ana", "ana", &["propose"]));
    let proposal = |call: &str, token: &str| {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: examples, name: send, version: '1.0.0', metadata: {{ purpose: operations }} }}\ndo:\n  - send: {call}\n"
        );
        json!({ "name": "send.yaml", "text": text, "denial": { "binding_token": token } })
    };
    let send = "{ call: mail.send, with: { text: hello, to: partner } }";
    let proposed = api.post(&ben, "/api/v1/proposals", &proposal(send, &token)).await.with(201);
    assert_eq!(proposed["evaluation_id"], evaluation, "{proposed}");
    let changed = token.replace('e', "f");
    for (who, call, token) in
        [(&ben, send, changed.as_str()), (&ana, send, &token), (&ben, "{ set: { x: 1 } }", &token)]
    {
        let told = api.post(who, "/api/v1/proposals", &proposal(call, token)).await.with(403);
        assert_eq!(told["code"], "SL468", "{call}");
    }
    let told =
        api.post(&asker, "/access/v1/evaluation", &ours("ben", "greetings.append", greetings, data.clone())).await;
    assert_eq!(told.body["context"]["obligations"][0]["name"], "sluice:through-the-gate");
    let search = |body: Json, path: &'static str| {
        let (api, asker) = (&api, &asker);
        async move { api.post(asker, &format!("/access/v1/search/{path}"), &body).await.with(200)["results"].clone() }
    };
    let mut wanted = ours("ben", "greetings.append", greetings, data.clone());
    wanted["subject"] = json!({ "type": "person" });
    let people = json!([{ "type": "person", "id": "ana" }, { "type": "person", "id": "ben" }]);
    assert_eq!(search(wanted, "subject").await, people);
    let mut wanted = ours("ben", "greetings.append", greetings, data.clone());
    wanted["resource"] = json!({ "type": "dataset" });
    assert_eq!(search(wanted, "resource").await, json!([{ "type": "dataset", "id": "greetings" }]));
    let wanted = ours("ben", "", greetings, data.clone());
    assert_eq!(search(wanted, "action").await, json!([{ "name": "greetings.append" }]));
    // What is stopped is denied.
    let stop = json!({ "what": "connector", "name": "greetings", "reason": "drill" });
    api.post(&asker, "/api/v1/stops", &stop).await.with(201);
    let told =
        api.post(&asker, "/access/v1/evaluation", &ours("ben", "greetings.append", greetings, data)).await.with(200);
    assert_eq!((&told["decision"], &told["context"]["reason"]), (&json!(false), &json!("stopped")));
}
