use insta::assert_snapshot;
use serde_json::json;
use sluice::demo::services::EffectCounts;

use crate::client::{refused, rows, served, started};

#[tokio::test]
async fn a_sheet_holds_what_was_written_last() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    let (status, first) = demo.post(sheets, "/sheets/september/rows", &rows("12.50")).await;
    assert_eq!(status, 201);
    assert_snapshot!(first, @r#"{"sheet":"september","region":"us","row_count":1,"columns":["id","balance"],"version":1}"#);
    let (status, second) =
        demo.post(sheets, "/sheets/september/rows", &json!({ "rows": [{ "name": "Ada" }, {}] })).await;
    assert_eq!(status, 200);
    assert_snapshot!(second, @r#"{"sheet":"september","region":"us","row_count":2,"columns":["name"],"version":2}"#);
    assert_snapshot!(served(demo.get(sheets, "/sheets/september").await), @r#"{"sheet":"september","region":"us","row_count":2,"columns":["name"],"version":2,"rows":[{"name":"Ada"},{}]}"#);

    let held = demo.services.sheets.sheet("september").unwrap();
    assert_eq!((held.rows.len(), held.version), (2, 2));
    assert_eq!(demo.services.sheets.names(), ["september"]);
    assert!(demo.services.sheets.sheet("october").is_none());
}

#[tokio::test]
async fn rows_of_another_shape_and_names_of_another_kind_are_refused() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    let mut refusals = String::new();
    for (path, body) in [
        ("/sheets/a/rows", r#"{"rows": [{"id": 1}"#),
        ("/sheets/a/rows", r#"{"rows": [1]}"#),
        ("/sheets/a/rows", r#"{"rows": [], "mode": "append"}"#),
        ("/sheets/a/rows", ""),
        ("/sheets/a%20b/rows", r#"{"rows": []}"#),
    ] {
        let refusal = refused(demo.post_text(sheets, path, body).await);
        refusals.push_str(&format!("{path} {body} → {refusal}\n"));
    }
    refusals.push_str(&refused(demo.get(sheets, "/sheets/a").await));
    assert_snapshot!(refusals, @r#"
    /sheets/a/rows {"rows": [{"id": 1} → 400: the body cannot be read: EOF while parsing a list at line 1 column 19 | send `{"rows": [{"column": "cell"}]}`
    /sheets/a/rows {"rows": [1]} → 400: the body cannot be read: invalid type: integer `1`, expected a map at line 1 column 11 | send `{"rows": [{"column": "cell"}]}`
    /sheets/a/rows {"rows": [], "mode": "append"} → 400: the body cannot be read: unknown field `mode`, expected `rows` at line 1 column 19 | send `{"rows": [{"column": "cell"}]}`
    /sheets/a/rows  → 400: the body cannot be read: EOF while parsing a value at line 1 column 0 | send `{"rows": [{"column": "cell"}]}`
    /sheets/a%20b/rows {"rows": []} → 400: `a b` is no name for a sheet | use 1 to 64 letters, digits, `-` and `_`
    404: no sheet is called `a` | write it with `POST /sheets/{name}/rows`
    "#);
    assert_eq!(sheets.effects(), EffectCounts::default());
    assert!(demo.services.sheets.names().is_empty());
}

#[tokio::test]
async fn the_same_key_writes_once() {
    let demo = started().await;
    let sheets = demo.services.sheets.server();
    let first = demo.post_with_key(sheets, "/sheets/s/rows", "k1", &rows("1.00")).await;
    served(demo.post_with_key(sheets, "/sheets/s/rows", "k2", &rows("2.00")).await);
    let again = demo.post_with_key(sheets, "/sheets/s/rows", "k1", &rows("1.00")).await;
    assert_eq!(again, first, "the first reply, not a new one");
    assert_eq!(demo.services.sheets.sheet("s").unwrap().rows[0]["balance"], "2.00");
    let counts = EffectCounts { applied: 2, repeated: 1, ..EffectCounts::default() };
    assert_eq!(sheets.effects(), counts);
}
