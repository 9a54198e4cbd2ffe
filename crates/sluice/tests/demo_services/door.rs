//! What all services have in common.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use sluice::demo::services::{EffectCounts, Services};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{answer, refused, rows, served, started};

#[tokio::test]
async fn without_its_own_token_no_service_says_anything() {
    let demo = started().await;
    let servers = demo.services.servers();
    let tokens: BTreeSet<&str> = servers.iter().map(|server| server.token()).collect();
    assert_eq!(tokens.len(), servers.len(), "each has its own");
    for (server, other) in servers.iter().zip(servers.iter().cycle().skip(1)) {
        for path in ["/accounts?fields=id", "/effects/k", "/nowhere"] {
            let url = format!("{}{path}", server.url());
            let without = answer(demo.client.get(&url)).await;
            assert_eq!(without.0, 401, "{url}");
            assert_eq!(without.1["error"], json!("no token"));
            let wrong = answer(demo.client.get(&url).bearer_auth(other.token())).await;
            assert_eq!(wrong.0, 401, "{url}");
            let basic = answer(demo.client.get(&url).basic_auth("a", Some(server.token()))).await;
            assert_eq!(basic.0, 401, "{url}");
        }
        assert!(server.requests().iter().all(|seen| !seen.authorized && seen.status == 401));
    }
}

#[tokio::test]
async fn a_refused_write_changes_nothing() {
    let demo = started().await;
    let directory = demo.services.directory.server();
    let url = format!("{}/groups/domain-admins/members", directory.url());
    let member = json!({ "member": "jonas.weber" });
    assert_snapshot!(refused(answer(demo.client.post(url).json(&member)).await), @"401: no token | send `Authorization: Bearer` with the token that this start of the demo made");
    assert_eq!(demo.services.directory.group("domain-admins").unwrap().version, 7);
    assert_eq!(directory.effects(), EffectCounts::default());
}

#[tokio::test]
async fn every_start_makes_new_tokens() {
    let (one, other) = (started().await, started().await);
    assert_ne!(one.services.crm.server().token(), other.services.crm.server().token());
    assert_ne!(one.services.addresses(), other.services.addresses());
}

#[tokio::test]
async fn a_wrong_path_and_a_wrong_method_are_explained_as_json() {
    let demo = started().await;
    let tickets = demo.services.tickets.server();
    let refusals = [
        demo.get(tickets, "/nowhere").await,
        demo.get(tickets, "/tickets").await,
        demo.get(tickets, "/tickets/%ff").await,
    ];
    assert_snapshot!(refusals.map(refused).join("\n"), @r#"
    404: nothing is here | see the service's file for its paths
    405: this path does not take that method | see the service's file for its paths
    400: Invalid URL: Invalid UTF-8 in `id` | see the service's file for its paths
    "#);
}

#[tokio::test]
async fn an_effect_is_found_by_its_key() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    assert_snapshot!(refused(demo.get(sheets, "/effects/k").await), @"404: no effect has this key | nothing was applied under it; the request may be sent");
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("1.00")).await);
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("1.00")).await);
    assert_snapshot!(format!("{:#}", served(demo.get(sheets, "/effects/k").await)), @r#"
    {
      "key": "k",
      "applied": true,
      "repeats": 1,
      "request": {
        "method": "POST",
        "target": "/sheets/s/rows"
      },
      "status": 201,
      "reply": {
        "sheet": "s",
        "region": "us",
        "row_count": 1,
        "columns": [
          "id",
          "balance"
        ],
        "version": 1
      }
    }
    "#);
}

#[tokio::test]
async fn a_key_used_for_something_else_is_refused() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("1.00")).await);
    let other = demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("2.00")).await;
    assert_snapshot!(refused(other), @"422: the `Idempotency-Key` was used for another request | use a new key for a new effect");
    let long = demo.post_with_key(sheets, "/sheets/s/rows", &"k".repeat(257), &rows("2.00")).await;
    assert_snapshot!(refused(long), @"400: the `Idempotency-Key` cannot be used | send one key of 1 to 256 visible ASCII characters");
    assert_eq!(demo.services.sheets.sheet("s").unwrap().version, 1);
    let counts = EffectCounts { applied: 1, conflicting: 1, ..EffectCounts::default() };
    assert_eq!(sheets.effects(), counts);
}

#[tokio::test]
async fn a_refused_request_may_be_corrected_under_its_key() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    let wrong = demo.post_with_key(sheets, "/sheets/s/rows", "k", &json!({ "rows": 1 })).await;
    assert_eq!(wrong.0, 400);
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("1.00")).await);
    assert_eq!(sheets.effects().applied, 1);
}

#[tokio::test]
async fn without_a_key_a_repeat_is_applied_again() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    for _ in 0..2 {
        served(demo.post(sheets, "/sheets/s/rows", &rows("1.00")).await);
    }
    let counts = EffectCounts { applied: 2, without_key: 2, ..EffectCounts::default() };
    assert_eq!(sheets.effects(), counts);
    assert_eq!(demo.services.sheets.sheet("s").unwrap().version, 2);
}

#[tokio::test]
async fn a_caller_that_dies_before_the_reply_can_look_the_effect_up() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    sheets.hold_replies(Duration::from_secs(60));
    let lost = demo
        .request(sheets, Method::POST, "/sheets/s/rows")
        .header("Idempotency-Key", "k")
        .timeout(Duration::from_millis(200))
        .json(&rows("1.00"))
        .send()
        .await;
    assert!(lost.unwrap_err().is_timeout());
    assert_eq!(served(demo.get(sheets, "/effects/k").await)["applied"], json!(true));
    // A repeat is not held back: it has nothing to apply.
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("1.00")).await);
    assert_eq!(sheets.effects().applied, 1);
}

#[tokio::test]
async fn the_log_shows_who_asked_for_what_but_no_token_and_no_body() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("31.07")).await);
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k", &rows("31.07")).await);
    served(demo.get(sheets, "/sheets/s?a=b").await);
    let seen = sheets.requests();
    let lines: Vec<String> = seen
        .iter()
        .map(|seen| {
            let key = seen.key.as_deref().unwrap_or("-");
            let sizes = (seen.sent_bytes, seen.reply_bytes);
            format!("{} {} {} {key} {} {sizes:?}", seen.status, seen.method, seen.target, seen.repeated)
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    201 POST /sheets/s/rows k false (45, 80)
    201 POST /sheets/s/rows k true (45, 80)
    200 GET /sheets/s?a=b - false (0, 124)
    "#);
    let printed = format!("{seen:?}");
    assert!(!printed.contains(sheets.token()) && !printed.contains("31.07"));
}

#[tokio::test]
async fn after_stop_no_port_answers_and_no_connection_is_left() {
    let demo = started().await;
    let addresses = demo.services.servers().map(|server| server.address());
    let token = demo.services.tickets.server().token().to_owned();

    // One idle, one in the middle of its headers, one whose reply is being held back.
    let [crm, _, directory, tickets, _] = addresses;
    let mut idle = TcpStream::connect(crm).await.unwrap();
    let mut slow = TcpStream::connect(directory).await.unwrap();
    slow.write_all(b"GET /groups/vpn-users HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    demo.services.tickets.server().hold_replies(Duration::from_secs(60));
    let mut held = TcpStream::connect(tickets).await.unwrap();
    let body = r#"{"body":"text","requester":"emil.novak"}"#;
    let head = format!(
        "POST /tickets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    held.write_all(head.as_bytes()).await.unwrap();
    while demo.services.tickets.ticket("T-1043").is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let began = Instant::now();
    demo.services.stop().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err(), "{address} still listens");
    }
    for stream in [&mut idle, &mut slow, &mut held] {
        let mut rest = Vec::new();
        // Closed: the end of the stream, or a reset.
        let read = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "a connection is still open");
    }
}

#[tokio::test]
async fn dropped_services_stop_too() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("crm.sqlite")).await.unwrap();
    let addresses = services.servers().map(|server| server.address());
    drop(services);
    for address in addresses {
        let closed = async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(3), closed).await.is_ok(), "{address}");
    }
}
