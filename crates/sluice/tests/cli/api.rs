//! `sluice serve`'s API: programs with a token see and do what their principal may, and nothing else.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use sluice_core::contract::digest::to_hex;
use sluice_core::contract::key::SecretKey;

use crate::sandbox::Sandbox;

/// What is served, while it is.
pub(crate) struct Api {
    child: Child,
    address: String,
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Json,
}

impl Told {
    #[track_caller]
    pub(crate) fn with(self, status: u16) -> Json {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that it is a problem with this status and code.
    #[track_caller]
    fn refused(self, status: u16, code: &str) -> Json {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        assert_eq!((self.status, self.body["status"].as_u64()), (status, Some(status.into())), "{}", self.body);
        assert_eq!(self.body["code"], code, "{}", self.body);
        self.body
    }
}

impl Api {
    pub(crate) fn start(sandbox: &Sandbox, options: &[&str]) -> Self {
        let mut child = sandbox.start(&[&["serve", "--listen", "127.0.0.1:0"], options].concat());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("console at ").unwrap().to_owned();
        Self { child, address }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Told {
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let mut request = client.request(method, format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Told { status, headers, body: serde_json::from_str(&text).unwrap_or(Json::String(text)) }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Told {
        self.send(Method::GET, path, &[("authorization", &format!("Bearer {token}"))], None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Json) -> Told {
        self.post_with(token, path, body, &[]).await
    }

    async fn post_with(&self, token: &str, path: &str, body: &Json, more: &[(&str, &str)]) -> Told {
        let bearer = format!("Bearer {token}");
        let headers = [&[("authorization", bearer.as_str()), ("content-type", "application/json")], more].concat();
        self.send(Method::POST, path, &headers, Some(&body.to_string())).await
    }
}

pub(crate) fn token(sandbox: &Sandbox, name: &str, principal: &str, scopes: &[&str]) -> String {
    let mut arguments = vec!["token", "add", name, "--for", principal, "--format", "json"];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    sandbox.sluice(&arguments).with(0).json()["token"].as_str().unwrap().to_owned()
}

const HELLO: &str = "workflows/hello.yaml";

fn hello(sandbox: &Sandbox) -> Json {
    json!({ "name": HELLO, "text": std::fs::read_to_string(sandbox.path("ws").join(HELLO)).unwrap() })
}

/// A word of a key file over a draft.
fn word(sandbox: &Sandbox, person: &str, draft: &Json) -> Json {
    let key = SecretKey::from_line(std::fs::read_to_string(sandbox.key_of(person)).unwrap().trim()).unwrap();
    let text = draft["statement"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    let key_file = json!({ "key": to_hex(&key.public().0), "signature": to_hex(&key.sign(&bytes).0) });
    json!({ "draft": draft["draft"], "reason": "it is a greeting", "key_file": key_file })
}

#[tokio::test]
async fn a_run_is_proposed_started_held_approved_and_told_without_its_data() {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| text + "models: { drafter: { description: \"drafts\" } }\n");
    let ben = token(&sandbox, "ben", "ben", &["read", "propose", "run"]);
    let ana = token(&sandbox, "ana", "ana", &["read", "approve"]);
    let api = Api::start(&sandbox, &[]);
    // What a model wrote waits for an owner; what ben wrote himself does not.
    let mut wish = hello(&sandbox);
    wish["model"] = json!("drafter");
    let proposed = api.post(&ben, "/api/v1/proposals", &wish).await;
    assert!(proposed.headers["location"].to_str().unwrap().starts_with("/api/v1/proposals/P-"));
    let proposal = proposed.with(201);
    assert_eq!((&proposal["requester"], &proposal["author"]), (&json!("ben"), &json!("drafter (a model)")));
    assert!(!proposal["report"]["steps"].as_array().unwrap().is_empty());
    let start = json!({ "proposal": proposal["id"], "input": { "name": "Ada" } });
    let run = api.post(&ben, "/api/v1/runs", &start).await.with(201);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let mut stands = run;
    for _ in 0..400 {
        if stands["status"] != "running" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
        stands = api.get(&ben, &path).await.with(200);
    }
    let waits = stands["waits_for"].as_array().cloned().unwrap_or_default();
    assert_eq!((&stands["status"], waits.len()), (&json!("held"), 1), "{stands}");
    let approval = format!("/api/v1/approvals/{}", waits[0].as_str().unwrap());
    let asked = api.get(&ana, &approval).await.with(200);
    assert_eq!((&asked["state"], &asked["is_yours"]), (&json!("waiting"), &json!(true)), "{asked}");
    assert!(!asked.to_string().contains("Hello, Ada"), "data is shown at the console");
    let mine = api.get(&ana, "/api/v1/approvals?mine=true").await.with(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    // Who asked does not decide, and a token without the scope brings no word.
    let drafts = format!("{approval}/drafts");
    api.post(&ben, &drafts, &json!({ "decision": "approve" })).await.refused(403, "SL471");
    let draft = api.post(&ana, &drafts, &json!({ "decision": "approve" })).await.with(201);
    let words = format!("{approval}/words");
    let said = api.post(&ana, &words, &word(&sandbox, "ana", &draft)).await.with(201);
    assert_eq!(said["state"], "approved", "{said}");
    api.post(&ana, &words, &word(&sandbox, "ana", &draft)).await.refused(403, "SL463");
    for _ in 0..400 {
        stands = api.get(&ben, &path).await.with(200);
        if stands["status"] == "completed" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    assert_eq!(stands["status"], "completed", "{stands}");
    let entries = api.get(&ben, &format!("{path}/entries")).await.with(200);
    let kinds: Vec<&str> = entries["items"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert!(kinds.starts_with(&["run-started"]) && kinds.ends_with(&["run-completed"]), "{kinds:?}");
    assert!(!entries.to_string().contains("Hello, Ada"), "{entries}");
    drop(api);
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[tokio::test]
async fn a_word_counts_only_as_it_was_drafted_by_whom_and_for_whose_token() {
    let sandbox = Sandbox::with_two_people();
    let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    let approval = format!("/api/v1/approvals/{}", held["held"][0]["approval"].as_str().unwrap());
    let (one, other) = (token(&sandbox, "one", "ana", &["approve"]), token(&sandbox, "other", "ana", &["approve"]));
    let ben = token(&sandbox, "ben", "ben", &["approve", "read"]);
    let api = Api::start(&sandbox, &[]);
    let (drafts, words) = (format!("{approval}/drafts"), format!("{approval}/words"));
    let (approve, deny) = (json!({ "decision": "approve" }), json!({ "decision": "deny" }));
    api.post(&ben, &drafts, &approve).await.refused(403, "SL403");
    let draft = api.post(&one, &drafts, &approve).await.with(201);
    api.post(&other, &words, &word(&sandbox, "ana", &draft)).await.refused(403, "SL463");
    let draft = api.post(&one, &drafts, &approve).await.with(201);
    let mut forged = word(&sandbox, "ana", &draft);
    let signature = forged["key_file"]["signature"].as_str().unwrap();
    let flipped = if signature.starts_with('0') { "1" } else { "0" };
    forged["key_file"]["signature"] = json!(format!("{flipped}{}", &signature[1..]));
    api.post(&one, &words, &forged).await.refused(403, "SL407");
    // A draft that denies approves nothing, and has a reason.
    let (yes, no) = (api.post(&one, &drafts, &approve).await.with(201), api.post(&one, &drafts, &deny).await.with(201));
    let mut swapped = word(&sandbox, "ana", &no);
    swapped["draft"] = yes["draft"].clone();
    api.post(&one, &words, &swapped).await.refused(403, "SL407");
    let mut silent = word(&sandbox, "ana", &no);
    silent["reason"] = json!("");
    api.post(&one, &words, &silent).await.refused(422, "SL476");
    let no = api.post(&one, &drafts, &deny).await.with(201);
    assert_eq!(api.post(&one, &words, &word(&sandbox, "ana", &no)).await.with(201)["state"], "denied");
}

#[tokio::test]
async fn key_files_bring_no_word_where_it_is_real() {
    let sandbox = Sandbox::with_two_people();
    let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    sandbox.edit("ws/workspace.yaml", |text| text.replace("mode: test", "mode: production"));
    sandbox.sign("ana").with(0);
    let again = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    assert_ne!(held["held"][0]["approval"], again["held"][0]["approval"]);
    let approval = format!("/api/v1/approvals/{}", again["held"][0]["approval"].as_str().unwrap());
    let ana = token(&sandbox, "ana", "ana", &["approve"]);
    let api = Api::start(&sandbox, &[]);
    let draft = api.post(&ana, &format!("{approval}/drafts"), &json!({ "decision": "approve" })).await.with(201);
    api.post(&ana, &format!("{approval}/words"), &word(&sandbox, "ana", &draft)).await.refused(403, "SL409");
}

#[tokio::test]
async fn what_one_may_not_see_is_not_there() {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replace("\npersons:\n", "\npersons:\n  cleo: { name: \"Cleo\" }\n")
            + "services: { bot: { owner: cleo } }\n"
    });
    let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    let all = ["read", "propose", "run", "approve", "stop"];
    let (ana, cleo) = (token(&sandbox, "ana", "ana", &all), token(&sandbox, "cleo", "cleo", &all));
    let bot = token(&sandbox, "bot", "bot", &["read", "propose", "run"]);
    let api = Api::start(&sandbox, &[]);
    let proposals = api.get(&ana, "/api/v1/proposals").await.with(200);
    let (run, approval) = (held["run"].as_str().unwrap(), held["held"][0]["approval"].as_str().unwrap());
    let proposal = proposals["items"][0]["id"].as_str().unwrap();
    let paths = [
        format!("/api/v1/runs/{run}"),
        format!("/api/v1/runs/{run}/entries"),
        format!("/api/v1/approvals/{approval}"),
        format!("/api/v1/proposals/{proposal}"),
    ];
    for path in &paths {
        api.get(&ana, path).await.with(200);
        for stranger in [&cleo, &bot] {
            api.get(stranger, path).await.refused(404, "SL472");
        }
    }
    for list in ["runs", "approvals", "proposals"] {
        let seen = api.get(&cleo, &format!("/api/v1/{list}")).await.with(200);
        assert_eq!(seen, json!({ "items": [], "next": null }), "{list}");
        assert_eq!(api.get(&ana, &format!("/api/v1/{list}")).await.with(200)["items"].as_array().unwrap().len(), 1);
    }
    let cancel = json!({ "reason": "I do not like it" });
    api.post(&cleo, &format!("/api/v1/runs/{run}/cancel"), &cancel).await.refused(404, "SL472");
    let draft = json!({ "decision": "approve" });
    api.post(&cleo, &format!("/api/v1/approvals/{approval}/drafts"), &draft).await.refused(404, "SL472");
    api.post(&cleo, "/api/v1/runs", &json!({ "proposal": proposal })).await.refused(404, "SL472");
    for path in ["/api/v1/ledger/entries", "/api/v1/ledger/entries/0", "/api/v1/ledger/entries/0/proof"] {
        api.get(&cleo, path).await.refused(403, "SL467");
        api.get(&bot, path).await.refused(403, "SL467");
    }
    assert_eq!(api.get(&ana, "/api/v1/ledger/entries/0").await.with(200)["kind"], "workspace-created");
    api.get(&ana, "/api/v1/ledger/entries/999999").await.refused(404, "SL472");
    let page = api.get(&ana, "/api/v1/ledger/entries?limit=2").await.with(200);
    let next = page["next"].as_str().unwrap();
    let older = api.get(&ana, &format!("/api/v1/ledger/entries?limit=2&cursor={next}")).await.with(200);
    assert!(older["items"][0]["index"].as_u64() < page["items"][1]["index"].as_u64());
    // To stop is anybody's right, as at the console.
    let stop = json!({ "what": "everything", "reason": "drill" });
    api.post(&cleo, "/api/v1/stops", &stop).await.with(201);
    api.post(&cleo, "/api/v1/stops", &json!({ "what": "principal", "name": "bot", "reason": "drill" })).await.with(201);
    assert_eq!(api.get(&cleo, "/api/v1/stops").await.with(200)["items"].as_array().unwrap().len(), 2);
    // What is ended is named whole: the beginning of an id may be another run's tomorrow.
    api.post(&ana, &format!("/api/v1/runs/{}/cancel", &run[..8]), &cancel).await.refused(404, "SL472");
    assert_eq!(api.post(&ana, &format!("/api/v1/runs/{run}/cancel"), &cancel).await.with(200)["status"], "refused");
    assert_eq!(api.get(&ana, &format!("/api/v1/approvals/{approval}")).await.with(200)["state"], "superseded");
    for path in ["policies", "connectors", "connectors/greetings", "health"] {
        api.get(&bot, &format!("/api/v1/{path}")).await.with(200);
    }
}

#[tokio::test]
async fn services_and_models_propose_and_read_and_never_approve() {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text + "services: { bot: { owner: ana } }\nmodels: { drafter: { description: \"drafts\" } }\n"
    });
    for (who, scope) in
        [("bot", "approve"), ("bot", "stop"), ("drafter", "approve"), ("drafter", "run"), ("owners", "read")]
    {
        let refused = sandbox.sluice(&["token", "add", "x", "--for", who, "--scope", scope]).with(2);
        assert!(refused.err.contains("SL480"), "{who} {scope}: {}", refused.err);
    }
    sandbox.sluice(&["token", "add", "x", "--for", "ana", "--scope", "everything"]).with(2);
    let (bot, drafter) = (
        token(&sandbox, "bot", "bot", &["read", "propose"]),
        token(&sandbox, "drafter", "drafter", &["read", "propose"]),
    );
    // A scope that was written into the file by hand is still not for such a principal.
    sandbox.edit(
        &format!("home/workspaces/{}/api-tokens", sandbox.keys().file_name().unwrap().to_str().unwrap()),
        |text| text.replace("\"propose\"", "\"propose\",\"approve\",\"stop\""),
    );
    let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
    let approval = held["held"][0]["approval"].as_str().unwrap();
    let api = Api::start(&sandbox, &[]);
    for token in [&bot, &drafter] {
        let drafts = format!("/api/v1/approvals/{approval}/drafts");
        api.post(token, &drafts, &json!({ "decision": "approve" })).await.refused(403, "SL471");
        api.post(token, "/api/v1/stops", &json!({ "what": "everything", "reason": "x" })).await.refused(403, "SL471");
    }
    let own = api.post(&bot, "/api/v1/proposals", &hello(&sandbox)).await.with(201);
    assert_eq!((&own["requester"], &own["author"]), (&json!("bot"), &json!("nobody said who")));
    // The same definition for the same person is recorded once, with whoever was said to have written it first.
    let mut wish = hello(&sandbox);
    wish["text"] = json!(format!("{}# drafted\n", wish["text"].as_str().unwrap()));
    api.post(&drafter, "/api/v1/proposals", &wish).await.refused(422, "SL476");
    wish["on_behalf_of"] = json!("ben");
    let drafted = api.post(&drafter, "/api/v1/proposals", &wish).await.with(201);
    assert_eq!((&drafted["requester"], &drafted["author"]), (&json!("ben"), &json!("drafter (a model)")));
    api.post(&bot, "/api/v1/proposals", &wish).await.refused(403, "SL471");
    let seen = api.get(&drafter, "/api/v1/proposals").await.with(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "what it wrote itself");
    let refused = json!({ "name": "x.yaml", "text": "document: [" });
    let problem = api.post(&bot, "/api/v1/proposals", &refused).await.refused(422, "SL482");
    assert!(!problem["report"]["findings"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn every_way_in_but_a_token_that_counts_is_closed() {
    let sandbox = Sandbox::with_two_people();
    let ana = token(&sandbox, "ana", "ana", &["read"]);
    let ben = token(&sandbox, "ben", "ben", &["read"]);
    let gateway = sandbox.sluice(&["gateway", "token", "add", "n", "--format", "json"]).with(0).json();
    let gateway = gateway["token"].as_str().unwrap().to_owned();
    let api = Api::start(&sandbox, &[]);
    let list = "/api/v1/runs";
    let shown = api.get(&ana, list).await;
    assert_eq!(shown.headers["cache-control"], "private, no-cache");
    shown.with(200);
    let bearer = format!("Bearer {ana}");
    for headers in [
        vec![],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Bearer sla_00")],
        vec![("authorization", "Basic YW5hOmFuYQ==")],
        vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        vec![("cookie", "sluice-1=x")],
    ] {
        let told = api.send(Method::GET, list, &headers, None).await;
        assert_eq!(told.headers["www-authenticate"], "Bearer realm=\"sluice\"", "{headers:?}");
        told.refused(401, "SL470");
    }
    api.get(&gateway, list).await.refused(401, "SL470");
    sandbox.sluice(&["token", "revoke", "ana"]).with(0);
    api.get(&ana, list).await.refused(401, "SL470");
    sandbox.edit("ws/registers/principals.yaml", |text| text.replace("\n  ben: { name: \"Ben\" }", ""));
    // The console reads files again within a second.
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    api.get(&ben, list).await.refused(401, "SL470");
    // What a browser adds unasked opens nothing: neither a session that changes something, nor a page of another site with a token.
    let cookie = [("content-type", "application/json"), ("cookie", "sluice-1=x")];
    api.send(Method::POST, list, &cookie, Some("{}")).await.refused(401, "SL470");
    let both = [("authorization", bearer.as_str()), ("cookie", "sluice-1=x"), ("origin", "https://evil.example")];
    api.send(Method::POST, list, &both, Some("{}")).await.refused(403, "SL461");
    // No page may call us by another name.
    let elsewhere = [("host", "evil.example"), ("authorization", bearer.as_str())];
    api.send(Method::GET, list, &elsewhere, None).await.refused(403, "SL460");
    let open = api.send(Method::GET, "/api/v1/openapi.json", &[], None).await.with(200);
    assert_eq!(open["openapi"], "3.1.0");
}

#[tokio::test]
async fn what_does_not_fit_is_told_as_a_problem_with_a_code() {
    let sandbox = Sandbox::with_workspace();
    let ana = token(&sandbox, "ana", "ana", &["read", "propose", "stop"]);
    let api = Api::start(&sandbox, &[]);
    let bearer = format!("Bearer {ana}");
    let with = |kind: &'static str| [("authorization", bearer.as_str()), ("content-type", kind)];
    let send = |method: Method, path: &'static str, kind: &'static str, body: Option<&'static str>| {
        let headers = with(kind);
        let api = &api;
        async move { api.send(method, path, &headers, body).await }
    };
    let stops = "/api/v1/stops";
    for (method, path, kind, body, status, code) in [
        (Method::GET, "/api/v1/nothing", "text/plain", None, 404, "SL472"),
        (Method::GET, "/api", "text/plain", None, 404, "SL472"),
        (Method::GET, "/api/v1/runs/zz", "text/plain", None, 404, "SL472"),
        (Method::GET, "/api/v1/ledger/entries/x", "text/plain", None, 404, "SL472"),
        (Method::DELETE, "/api/v1/runs", "text/plain", None, 405, "SL473"),
        (Method::PUT, "/access/v1/evaluation", "text/plain", None, 405, "SL473"),
        (Method::POST, stops, "text/plain", Some("{}"), 415, "SL474"),
        (Method::POST, stops, "application/json", Some("{"), 400, "SL476"),
        (Method::POST, stops, "application/json", Some("{\"what\":\"everything\"}"), 400, "SL476"),
        (Method::POST, stops, "application/json", Some("{\"what\":\"all\",\"reason\":\"x\"}"), 400, "SL476"),
        (
            Method::POST,
            stops,
            "application/json",
            Some("{\"what\":\"everything\",\"reason\":\"x\",\"y\":1}"),
            400,
            "SL476",
        ),
        (Method::POST, stops, "application/json", Some("{\"what\":\"connector\",\"reason\":\"x\"}"), 422, "SL476"),
        (
            Method::POST,
            stops,
            "application/json",
            Some("{\"what\":\"connector\",\"name\":\"z\",\"reason\":\"x\"}"),
            404,
            "SL472",
        ),
        (Method::GET, "/api/v1/runs?limit=0", "text/plain", None, 400, "SL476"),
        (Method::GET, "/api/v1/runs?limit=x", "text/plain", None, 400, "SL476"),
        (Method::GET, "/api/v1/runs?unheard=of", "text/plain", None, 400, "SL476"),
        (Method::GET, "/api/v1/runs?status=asleep", "text/plain", None, 400, "SL476"),
        (Method::GET, "/api/v1/runs?cursor=abc", "text/plain", None, 422, "SL479"),
        (Method::GET, "/api/v1/runs/%ff", "text/plain", None, 400, "SL476"),
    ] {
        let told = format!("{method} {path} {body:?}");
        let answer = send(method, path, kind, body).await;
        assert_eq!(answer.status, status, "{told}: {}", answer.body);
        if status == 405 {
            assert!(answer.headers.contains_key("allow"), "{told}");
        }
        answer.refused(status, code);
    }
    let long = "x".repeat(9 << 20);
    api.send(Method::POST, "/api/v1/proposals", &with("application/json"), Some(&long)).await.refused(413, "SL475");
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_answered_again_and_nothing_is_done_twice() {
    let sandbox = Sandbox::with_two_people();
    let ben = token(&sandbox, "ben", "ben", &["read", "propose", "run"]);
    let other = token(&sandbox, "other", "ben", &["read", "run"]);
    let mut api = Api::start(&sandbox, &[]);
    let proposal = api.post(&ben, "/api/v1/proposals", &hello(&sandbox)).await.with(201)["id"].clone();
    let start = json!({ "proposal": proposal, "input": { "name": "Ada" } });
    let key = [("idempotency-key", "order 66")];
    let first = api.post_with(&ben, "/api/v1/runs", &start, &key).await.with(201);
    assert_eq!(api.post_with(&ben, "/api/v1/runs", &start, &key).await.with(201), first);
    assert_eq!(api.post_with(&other, "/api/v1/runs", &start, &key).await.with(201), first, "ben is ben");
    let changed = json!({ "proposal": proposal, "input": { "name": "Eve" } });
    api.post_with(&ben, "/api/v1/runs", &changed, &key).await.refused(422, "SL477");
    api.post_with(&ben, "/api/v1/runs", &start, &[("idempotency-key", "")]).await.refused(400, "SL476");
    // The key is the run's for good: another process knows it too.
    drop(api);
    api = Api::start(&sandbox, &[]);
    assert_eq!(api.post_with(&ben, "/api/v1/runs", &start, &key).await.with(201)["id"], first["id"]);
    api.post_with(&ben, "/api/v1/runs", &changed, &[("idempotency-key", "order 67")]).await.with(201);
    drop(api);
    api = Api::start(&sandbox, &[]);
    api.post_with(&ben, "/api/v1/runs", &changed, &key).await.refused(422, "SL477");
    assert_eq!(api.get(&ben, "/api/v1/runs").await.with(200)["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_has_an_answer_is_told_only_that_it_is_still_so_and_whoever_asks_too_often_waits() {
    let sandbox = Sandbox::with_two_people();
    let (ana, ben) = (token(&sandbox, "ana", "ana", &["read"]), token(&sandbox, "ben", "ben", &["read"]));
    let api = Api::start(&sandbox, &["--per-minute", "60"]);
    let path = "/api/v1/policies";
    let shown = api.get(&ana, path).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let bearer = format!("Bearer {ana}");
    for (known, status) in
        [(tag.clone(), 304), (format!("W/{tag}"), 304), (format!("\"x\", {tag}"), 304), ("\"x\"".to_owned(), 200)]
    {
        let headers = [("authorization", bearer.as_str()), ("if-none-match", known.as_str())];
        let told = api.send(Method::GET, path, &headers, None).await;
        assert_eq!((told.status, told.headers["etag"].to_str().unwrap()), (status, tag.as_str()), "{known}");
        assert_eq!(told.body == Json::String(String::new()), status == 304);
    }
    let mut told = api.get(&ana, path).await;
    for _ in 0..10 {
        told = api.get(&ana, path).await;
    }
    assert!(told.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    told.refused(StatusCode::TOO_MANY_REQUESTS.as_u16(), "SL478");
    api.get(&ben, path).await.with(200);
}

#[tokio::test]
async fn whoever_is_logged_in_at_the_console_looks_and_does_nothing() {
    let sandbox = Sandbox::new();
    let mut child =
        sandbox.command(&["demo", "--console"]).env("COLUMNS", "400").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let link = lines.find(|line| line.contains("/login/demo/")).unwrap();
    // It goes on telling; somebody must listen.
    std::thread::spawn(move || lines.for_each(drop));
    let (address, _) = link.trim().split_once("/login").unwrap();
    let api = Api { child, address: address.to_owned() };
    let path = link.trim().strip_prefix(address).unwrap();
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", address)];
    let entered = api.send(Method::POST, path, &form, Some("")).await;
    let cookie = entered.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session = [("cookie", cookie.as_str()), ("origin", address), ("content-type", "application/json")];
    let runs = api.send(Method::GET, "/api/v1/runs", &session, None).await.with(200);
    assert!(!runs["items"].as_array().unwrap().is_empty(), "{runs}");
    let stop = json!({ "what": "everything", "reason": "x" }).to_string();
    api.send(Method::POST, "/api/v1/stops", &session, Some(&stop)).await.refused(401, "SL470");
    api.send(Method::POST, "/access/v1/evaluation", &session, Some("{}")).await.refused(401, "SL470");
}

#[test]
fn tokens_are_listed_without_their_text_and_taken_back() {
    let sandbox = Sandbox::with_workspace();
    let shown = token(&sandbox, "nightly", "ana", &["read", "evaluate"]);
    assert!(shown.starts_with("sla_"));
    let listed = sandbox.sluice(&["token", "list", "--format", "json"]).with(0);
    assert!(!listed.out.contains(&shown));
    let listed = listed.json();
    assert_eq!((&listed[0]["name"], &listed[0]["scopes"]), (&json!("nightly"), &json!(["evaluate", "read"])));
    let text = sandbox.sluice(&["token", "list"]).with(0).out;
    assert!(text.contains("evaluate, read"), "{text}");
    sandbox.sluice(&["token", "revoke", "nightly"]).with(0);
    assert!(sandbox.sluice(&["token", "list"]).with(0).out.contains("nobody has a token"));
    let again = sandbox.sluice(&["token", "revoke", "nightly"]).with(2);
    assert!(again.err.contains("SL961"), "{}", again.err);
}

#[tokio::test]
async fn who_stops_does_not_let_go_on_with_the_same_token_and_policies_say_who_does() {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| {
        text.replace("\npersons:\n", "\npersons:\n  cleo: { name: \"Cleo\" }\n")
    });
    let stops = token(&sandbox, "stops", "ana", &["read", "stop"]);
    let signer = token(&sandbox, "signer", "ana", &["go-on"]);
    let ben = token(&sandbox, "ben", "ben", &["stop", "go-on"]);
    let cleo = token(&sandbox, "cleo", "cleo", &["stop", "go-on"]);
    let api = Api::start(&sandbox, &[]);
    let what = json!({ "what": "connector", "name": "greetings", "reason": "drill" });
    let go_on = "/api/v1/stops/go-on";
    let stopped = async || api.get(&stops, "/api/v1/stops").await.with(200)["items"].as_array().unwrap().len();
    api.post(&cleo, "/api/v1/stops", &what).await.with(201);
    api.post(&stops, go_on, &what).await.refused(403, "SL471");
    api.post(&cleo, go_on, &what).await.refused(403, "SL471");
    assert_eq!(stopped().await, 1);
    for wrong in [
        json!({ "what": "connector", "name": "greetings", "reason": " " }),
        json!({ "what": "everything", "name": "x", "reason": "y" }),
    ] {
        api.post(&signer, go_on, &wrong).await.refused(422, "SL476");
    }
    api.post(&signer, go_on, &json!({ "what": "connector", "name": "nothing", "reason": "x" }))
        .await
        .refused(404, "SL472");
    api.post(&signer, go_on, &what).await.with(200);
    api.post(&signer, go_on, &what).await.with(200);
    assert_eq!(stopped().await, 0);

    // Policies of the workspace itself say otherwise, at every door.
    let own = r#"permit (principal, action == Action::"see", resource);
        permit (principal in Group::"owners", action == Action::"go-on", resource);
        forbid (principal == Person::"cleo", action == Action::"stop", resource);"#;
    std::fs::create_dir_all(sandbox.path("ws/policies/console")).unwrap();
    std::fs::write(sandbox.path("ws/policies/console/own.cedar"), own).unwrap();
    sandbox.edit("ws/registers/principals.yaml", |text| text.replace("members: [ana]", "members: [ben]"));
    sandbox.sign("ana").with(0);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    api.post(&cleo, "/api/v1/stops", &what).await.refused(403, "SL471");
    let cannot = sandbox.sluice(&["stop", "--connector", "greetings", "--as", "cleo"]).with(2);
    assert!(cannot.err.contains("forbid"), "{}", cannot.err);
    sandbox.sluice(&["stop", "--connector", "greetings", "--as", "ana"]).with(0);
    api.post(&signer, go_on, &what).await.refused(403, "SL471");
    let key = sandbox.key();
    sandbox.sluice(&["go-on", "--connector", "greetings", "--as", "ana", "--key", &key]).with(2);
    api.post(&ben, go_on, &what).await.with(200);
    assert_eq!(stopped().await, 0);
}

#[tokio::test]
async fn glass_is_broken_reviewed_and_voices_are_lent_by_what_people_sign() {
    let sandbox = Sandbox::with_five_people();
    sandbox.edit("ws/workspace.yaml", |text| text + "break_glass: oncall\n");
    sandbox.sign("ana").with(0);
    let held = || {
        let held = sandbox.sluice(&["run", HELLO, "--as", "ben", "--format", "json"]).with(4).json();
        format!("/api/v1/approvals/{}", held["held"][0]["approval"].as_str().unwrap())
    };
    let (first, second) = (held(), held());
    let of = |person: &str| token(&sandbox, person, person, &["approve", "read"]);
    let (eve, cleo, dora, ben) = (of("eve"), of("cleo"), of("dora"), of("ben"));
    let api = Api::start(&sandbox, &[]);
    let wish = |word: &str| json!({ "decision": word });

    api.post(&cleo, &format!("{first}/drafts"), &wish("break-glass")).await.refused(403, "SL416");
    api.post(&ben, &format!("{first}/drafts"), &wish("break-glass")).await.refused(403, "SL403");
    api.post(&dora, &format!("{first}/drafts"), &wish("break-glass")).await.refused(404, "SL472");
    let draft = api.post(&eve, &format!("{first}/drafts"), &wish("break-glass")).await.with(201);
    assert_eq!((&draft["says"]["decision"], &draft["says"]["role"]), (&json!("break-glass"), &json!("break-glass")));
    let mut silent = word(&sandbox, "eve", &draft);
    silent["reason"] = json!(" ");
    api.post(&eve, &format!("{first}/words"), &silent).await.refused(422, "SL476");
    let draft = api.post(&eve, &format!("{first}/drafts"), &wish("break-glass")).await.with(201);
    let said = api.post(&eve, &format!("{first}/words"), &word(&sandbox, "eve", &draft)).await.with(201);
    assert_eq!((&said["state"], &said["glass"]["told"]), (&json!("approved"), &json!(["ana", "cleo"])), "{said}");
    api.post(&eve, &format!("{second}/drafts"), &wish("break-glass")).await.refused(409, "SL446");

    let reviews = api.get(&cleo, "/api/v1/reviews").await.with(200);
    assert_eq!((&reviews["items"][0]["by"], &reviews["items"][0]["is_yours"]), (&json!("eve"), &json!(true)));
    assert_eq!(api.get(&eve, "/api/v1/reviews").await.with(200)["items"][0]["is_yours"], false);
    assert_eq!(api.get(&dora, "/api/v1/reviews").await.with(200)["items"], json!([]));
    api.post(&eve, &format!("{first}/drafts"), &wish("review")).await.refused(403, "SL450");
    api.post(&cleo, &format!("{second}/drafts"), &wish("review")).await.refused(404, "SL449");
    let draft = api.post(&cleo, &format!("{first}/drafts"), &wish("review")).await.with(201);
    let said = api.post(&cleo, &format!("{first}/words"), &word(&sandbox, "cleo", &draft)).await.with(201);
    assert_eq!(said["glass"]["reviewed_by"], "cleo", "{said}");
    assert_eq!(api.get(&cleo, "/api/v1/reviews").await.with(200)["items"], json!([]));

    let until = held_ms(&sandbox) + 86_400_000;
    let places = "/api/v1/delegations";
    let drafts = format!("{places}/drafts");
    api.post(&cleo, &drafts, &json!({ "to": "cleo", "until_ms": until })).await.refused(403, "SL451");
    api.post(&cleo, &drafts, &json!({ "to": "gpt", "until_ms": until })).await.refused(403, "SL404");
    api.post(&cleo, &drafts, &json!({ "to": "dora", "until_ms": 1 })).await.refused(403, "SL451");
    let draft =
        api.post(&cleo, &drafts, &json!({ "to": "dora", "role": "owner-of:resource", "until_ms": until })).await;
    let draft = draft.with(201);
    api.post(&dora, places, &word(&sandbox, "cleo", &draft)).await.refused(403, "SL463");
    let draft = api.post(&cleo, &drafts, &json!({ "to": "dora", "until_ms": until })).await.with(201);
    let id = api.post(&cleo, places, &word(&sandbox, "cleo", &draft)).await.with(201)["id"].clone();
    assert_eq!(api.get(&dora, places).await.with(200)["items"][0]["by"], "cleo");
    assert_eq!(api.get(&eve, places).await.with(200)["items"], json!([]));
    let draft = api.post(&dora, &format!("{second}/drafts"), &wish("approve")).await.with(201);
    assert_eq!(draft["says"]["instead_of"], "cleo");
    let said = api.post(&dora, &format!("{second}/words"), &word(&sandbox, "dora", &draft)).await.with(201);
    assert_eq!((&said["state"], &said["said"][0]["in_place_of"]), (&json!("approved"), &json!("cleo")), "{said}");
    let back = format!("{places}/{}/drafts", id.as_str().unwrap());
    api.post(&dora, &back, &json!({})).await.refused(404, "SL452");
    let draft = api.post(&cleo, &back, &json!({})).await.with(201);
    api.post(&cleo, places, &word(&sandbox, "cleo", &draft)).await.with(201);
    assert_eq!(api.get(&dora, places).await.with(200)["items"], json!([]));
    drop(api);
    sandbox.sluice(&["audit", "verify"]).with(0);
}

/// When the last entry was written.
fn held_ms(sandbox: &Sandbox) -> u64 {
    let log = sandbox.sluice(&["audit", "log", "--last", "1", "--format", "json"]).with(0).json();
    log["entries"][0]["time_ms"].as_u64().unwrap()
}
