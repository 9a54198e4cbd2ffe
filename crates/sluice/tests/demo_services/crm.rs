use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::{Value, json};
use sluice::demo::services::crm::{CUSTOMERS, FIELDS};
use sluice::demo::services::{Services, StartError};

use crate::client::{refused, served, started};

fn field_names(account: &Value) -> BTreeSet<&str> {
    account.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn only_the_fields_asked_for_are_returned() {
    let demo = started().await;
    let crm = demo.services.crm.server();
    let reply = served(demo.get(crm, "/accounts?fields=id,balance&month=2026-09&limit=3").await);
    assert_snapshot!(reply, @r#"{"accounts":[{"id":"C-10003","balance":"1269.09"},{"id":"C-10005","balance":"52.50"},{"id":"C-10009","balance":"68.65"}],"total":525}"#);
    let all = format!("/accounts?fields={}&limit=1", FIELDS.join(","));
    let reply = served(demo.get(crm, &all).await);
    assert_snapshot!(format!("{reply:#}"), @r#"
    {
      "accounts": [
        {
          "id": "C-10001",
          "name": "Lorenzo Russo",
          "email": "lorenzo.russo@home.example",
          "city": "Bologna",
          "country": "IT",
          "balance": "2702.32",
          "tier": "plus",
          "last_position": "44.52141,11.31654",
          "health_note": null,
          "updated_at": "2026-08-13T15:41:26Z"
        }
      ],
      "total": 3000
    }
    "#);
    assert_eq!(field_names(&reply["accounts"][0]), BTreeSet::from(FIELDS));
}

#[tokio::test]
async fn every_account_is_in_exactly_one_month() {
    let demo = started().await;
    let crm = demo.services.crm.server();
    let mut seen = BTreeSet::new();
    for month in 4..=9 {
        let path = format!("/accounts?fields=id&month=2026-{month:02}&limit=5000");
        let reply = served(demo.get(crm, &path).await);
        let accounts = reply["accounts"].as_array().unwrap();
        assert_eq!(reply["total"], json!(accounts.len()));
        assert!(accounts.len() > 300, "{month}: {}", accounts.len());
        seen.extend(accounts.iter().map(|account| account["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen.len(), CUSTOMERS as usize);
    let whole = served(demo.get(crm, "/accounts?fields=id&limit=1").await);
    assert_eq!(whole["total"], json!(CUSTOMERS));
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_with_a_way_out() {
    let demo = started().await;
    let crm = demo.services.crm.server();
    let mut refusals = String::new();
    for query in [
        "",
        "?fields=",
        "?fields=id,ssn",
        "?fields=id;DROP%20TABLE%20customers",
        "?fields=id&fields=name",
        "?fields=id&order=name",
        "?fields=id&month=2026-13",
        "?fields=id&month=2026-9",
        "?fields=id&month=%25",
        "?fields=id&limit=0",
        "?fields=id&limit=5001",
        "?fields=id&limit=many",
    ] {
        let refusal = refused(demo.get(crm, &format!("/accounts{query}")).await);
        refusals.push_str(&format!("accounts{query} → {refusal}\n"));
    }
    assert_snapshot!(refusals, @r#"
    accounts → 400: no `fields` are asked for | `fields` takes names from id, name, email, city, country, balance, tier, last_position, health_note, updated_at, with commas between
    accounts?fields= → 400: no `fields` are asked for | `fields` takes names from id, name, email, city, country, balance, tier, last_position, health_note, updated_at, with commas between
    accounts?fields=id,ssn → 400: unknown field `ssn` | `fields` takes names from id, name, email, city, country, balance, tier, last_position, health_note, updated_at, with commas between
    accounts?fields=id;DROP%20TABLE%20customers → 400: unknown field `id;DROP TABLE customers` | `fields` takes names from id, name, email, city, country, balance, tier, last_position, health_note, updated_at, with commas between
    accounts?fields=id&fields=name → 400: `fields` is given twice | give each parameter once
    accounts?fields=id&order=name → 400: unknown parameter `order` | the parameters are `fields`, `month` and `limit`
    accounts?fields=id&month=2026-13 → 400: `2026-13` is no month | write the year and the month as in `2026-09`
    accounts?fields=id&month=2026-9 → 400: `2026-9` is no month | write the year and the month as in `2026-09`
    accounts?fields=id&month=%25 → 400: `%` is no month | write the year and the month as in `2026-09`
    accounts?fields=id&limit=0 → 400: `0` is no limit | `limit` is a number from 1 to 5000
    accounts?fields=id&limit=5001 → 400: `5001` is no limit | `limit` is a number from 1 to 5000
    accounts?fields=id&limit=many → 400: `many` is no limit | `limit` is a number from 1 to 5000
    "#);
}

#[tokio::test]
async fn a_database_made_before_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.sqlite");
    Services::start(&path).await.unwrap().stop().await;
    let made = std::fs::read(&path).unwrap();
    Services::start(&path).await.unwrap().stop().await;
    assert_eq!(std::fs::read(&path).unwrap(), made);
}

#[tokio::test]
async fn a_file_of_another_make_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("letter.txt");
    std::fs::write(&text, "Dear Sir or Madam, this is longer than the header of a database. ".repeat(20)).unwrap();
    let foreign = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&foreign).unwrap().execute("CREATE TABLE t (a)", []).unwrap();
    for path in [text, foreign] {
        let before = std::fs::read(&path).unwrap();
        let refusal = Services::start(&path).await.map(|_| ()).unwrap_err();
        assert!(matches!(refusal, StartError::ForeignDatabase { .. }), "{refusal}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let nowhere = folder.path().join("no/such/folder.sqlite");
    let refusal = Services::start(&nowhere).await.map(|_| ()).unwrap_err();
    assert!(matches!(refusal, StartError::Database { .. }), "{refusal}");
}
