use insta::assert_snapshot;
use serde_json::json;
use sluice::demo::services::tickets::{INJECTED, ORDINARY};

use crate::client::{refused, served, started};

#[tokio::test]
async fn the_two_tickets_of_the_story_are_there() {
    let demo = started().await;
    let tickets = demo.services.tickets.server();
    for (id, requester, group) in [(INJECTED, "jonas.weber", "domain-admins"), (ORDINARY, "priya.nair", "vpn-users")] {
        let ticket = served(demo.get(tickets, &format!("/tickets/{id}")).await);
        assert_eq!(ticket["requester"], json!(requester));
        assert_eq!(ticket["status"], json!("open"));
        let body = ticket["body"].as_str().unwrap();
        assert!(body.contains(group) && body.contains(requester));
    }
}

#[tokio::test]
async fn a_visitor_opens_a_ticket() {
    let demo = started().await;
    let tickets = demo.services.tickets.server();
    let text = json!({ "body": "\n  Please add me\nto vpn-users", "requester": "emil.novak" });
    let (status, mut opened) = demo.post(tickets, "/tickets", &text).await;
    assert_eq!(status, 201);
    assert_eq!(served(demo.get(tickets, "/tickets/T-1043").await), opened);
    assert!(opened["created"].as_str().unwrap().ends_with('Z'));
    opened["created"] = json!("(now)");
    assert_snapshot!(opened, @r#"{"id":"T-1043","subject":"Please add me","body":"\n  Please add me\nto vpn-users","requester":"emil.novak","status":"open","created":"(now)"}"#);

    let titled = json!({ "subject": "Hello", "body": "text", "requester": "emil.novak" });
    let second = served(demo.post(tickets, "/tickets", &titled).await);
    assert_eq!((&second["id"], &second["subject"]), (&json!("T-1044"), &json!("Hello")));
    assert_eq!(demo.services.tickets.ticket("T-1044").unwrap().body, "text");
}

#[tokio::test]
async fn the_same_key_opens_one_ticket() {
    let demo = started().await;
    let tickets = demo.services.tickets.server();
    let text = json!({ "body": "text", "requester": "emil.novak" });
    let first = demo.post_with_key(tickets, "/tickets", "k", &text).await;
    assert_eq!(demo.post_with_key(tickets, "/tickets", "k", &text).await, first);
    assert!(demo.services.tickets.ticket("T-1043").is_some());
    assert!(demo.services.tickets.ticket("T-1044").is_none());
}

#[tokio::test]
async fn a_ticket_that_says_nothing_or_too_much_is_refused() {
    let demo = started().await;
    let tickets = demo.services.tickets.server();
    let long = "a".repeat(20_000);
    let refusals = [
        demo.get(tickets, "/tickets/T-9").await,
        demo.post(tickets, "/tickets", &json!({ "body": " ", "requester": "emil.novak" })).await,
        demo.post(tickets, "/tickets", &json!({ "body": long, "requester": "emil.novak" })).await,
        demo.post(tickets, "/tickets", &json!({ "body": "text", "requester": "" })).await,
        demo.post(tickets, "/tickets", &json!({ "body": "text" })).await,
        demo.post_text(tickets, "/tickets", "Hello!").await,
    ];
    assert_snapshot!(refusals.map(refused).join("\n"), @r#"
    404: no ticket is called `T-9` | tickets are called as in `T-1041`
    400: `body` is empty or too long | write something, of at most 16384 bytes
    400: `body` is empty or too long | write something, of at most 16384 bytes
    400: `requester` is empty or too long | write something, of at most 16384 bytes
    400: the body cannot be read: missing field `requester` at line 1 column 15 | send `{"body": "text", "requester": "a.person"}`
    400: the body cannot be read: expected value at line 1 column 1 | send `{"body": "text", "requester": "a.person"}`
    "#);
    assert!(demo.services.tickets.ticket("T-1043").is_none());
}
