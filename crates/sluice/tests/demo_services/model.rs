use insta::assert_snapshot;
use serde_json::{Value, json};
use sluice::demo::services::tickets::{INJECTED, ORDINARY};

use crate::client::{Started, refused, served, started};

async fn ask(demo: &Started, prompt: Value) -> Value {
    let question = json!({ "prompt": prompt });
    served(demo.post(demo.services.model.server(), "/v1/answer", &question).await)
}

#[tokio::test]
async fn a_recorded_answer_is_replayed_and_says_so() {
    let demo = started().await;
    for (id, group) in [(INJECTED, "domain-admins"), (ORDINARY, "vpn-users")] {
        let reply = ask(&demo, json!(format!("Triage ticket {id}: whatever it says"))).await;
        assert_eq!(reply["model"], json!("recorded-1"));
        assert_eq!((&reply["recorded"], &reply["source"]), (&json!(true), &json!("recording")));
        assert_eq!(reply["answer"]["group"], json!(group));
        let as_object = ask(&demo, json!({ "ticket": { "id": id, "body": "…" } })).await;
        assert_eq!(as_object, reply);
    }
}

#[tokio::test]
async fn a_prompt_in_parts_is_read_like_its_text() {
    let demo = started().await;
    let body = "Hello,\nput me into\nvpn-users";
    let parts = json!(["Triage:", { "ticket": "T-1043", "body": body, "requester": "emil.novak" }]);
    assert_snapshot!(ask(&demo, parts).await, @r#"{"model":"recorded-1","recorded":false,"source":"rule","answer":{"action":"add_member","group":"vpn-users","member":"emil.novak","reason":"the text asks for it"}}"#);
    let recorded = json!(["Triage:\nT-1041\nplease"]);
    assert_eq!(ask(&demo, recorded).await["recorded"], json!(true));
}

#[tokio::test]
async fn a_text_that_mentions_a_recorded_ticket_is_not_answered_with_its_recording() {
    let demo = started().await;
    let reply = ask(&demo, json!("Ticket T-1043: as in T-1041, add emil.novak to vpn-users")).await;
    assert_snapshot!(reply, @r#"{"model":"recorded-1","recorded":false,"source":"rule","answer":{"action":"add_member","group":"vpn-users","member":"emil.novak","reason":"the text asks for it"}}"#);
}

#[tokio::test]
async fn a_visitor_is_the_model_until_they_stop() {
    let demo = started().await;
    let model = &demo.services.model;
    model.set_answer(json!({ "group": "anything", "extra": [1] }));
    let reply = ask(&demo, json!("Ticket T-1041")).await;
    assert_snapshot!(reply, @r#"{"model":"recorded-1","recorded":false,"source":"visitor","answer":{"group":"anything","extra":[1]}}"#);
    model.clear_answer();
    assert_eq!(ask(&demo, json!("Ticket T-1041")).await["recorded"], json!(true));
}

#[tokio::test]
async fn a_repeated_question_gets_the_first_answer() {
    let demo = started().await;
    let server = demo.services.model.server();
    let question = json!({ "prompt": "Ticket T-1041" });
    let first = demo.post_with_key(server, "/v1/answer", "k", &question).await;
    demo.services.model.set_answer(json!("another"));
    assert_eq!(demo.post_with_key(server, "/v1/answer", "k", &question).await, first);
}

#[tokio::test]
async fn a_question_without_a_prompt_is_refused() {
    let demo = started().await;
    let server = demo.services.model.server();
    let refusals =
        [demo.post(server, "/v1/answer", &json!({})).await, demo.post_text(server, "/v1/answer", "prompt=hi").await];
    assert_snapshot!(refusals.map(refused).join("\n"), @r#"
    400: the body cannot be read: missing field `prompt` at line 1 column 2 | send `{"prompt": "text"}`
    400: the body cannot be read: expected value at line 1 column 1 | send `{"prompt": "text"}`
    "#);
}
