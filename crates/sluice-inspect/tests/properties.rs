//! What is planted is found, wherever it stands; what only looks like it is not.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};
use sluice_core::catalogue::Pattern;
use sluice_core::found::{Finder, Found};
use sluice_inspect::{PLACES_MAX, inspect};

/// One thing of each finder that needs no name of its field, and what is close to it and none.
const PLANTED: [(Finder, &str, &str); 10] = [
    (Finder::Card, "4111111111111111", "4111111111111112"),
    (Finder::Card, "5555 5555 5555 4444", "5555 5555 5555 4445"),
    (Finder::Iban, "DE89370400440532013000", "DE88370400440532013000"),
    (Finder::Iban, "GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016 1331 9268 18"),
    (Finder::NationalId, "111.444.777-35", "111.444.777-36"),
    (Finder::NationalId, "811218-9876", "811218-9877"),
    (Finder::Email, "bo.larsen@example.com", "bo.larsen@2.10.1"),
    (Finder::Phone, "+44 20 7946 0958", "+44 20 7946"),
    (Finder::Coordinates, "48.20849, 16.37208", "48.20849, 196.37208"),
    (Finder::Secret, "-----BEGIN PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----"),
];

const AROUND: &str = "[ \\n\\t\"'()<>:;!?a-z]{0,20}";

/// Text that joins nothing: a blank, or a mark of a sentence, on that side.
fn text_with(thing: &str, before: &str, after: &str) -> String {
    format!("{before} ({thing}) {after}")
}

/// A tree with a hole, and the pattern that leads to it.
fn tree() -> impl Strategy<Value = Vec<Option<String>>> {
    proptest::collection::vec(proptest::option::of("[a-z_]{1,6}"), 0..5)
}

fn planted_in(value: Json, way: &[Option<String>], beside: &str) -> Json {
    way.iter().rev().fold(value, |inner, step| match step {
        Some(key) => json!({ "other": beside, key: inner }),
        None => json!([beside, inner, null]),
    })
}

fn pattern(way: &[Option<String>]) -> Pattern {
    let segments: String =
        way.iter().map(|step| step.as_ref().map_or_else(|| "/*".to_owned(), |key| format!("/{key}"))).collect();
    Pattern::parse(&segments).expect("a path")
}

fn all(reply: &Json) -> Vec<Found> {
    inspect(reply, &mut |_| false)
}

proptest! {
    #[test]
    fn what_is_planted_is_found_where_it_is(
        (finder, thing, _) in select(&PLANTED[..]),
        way in tree(),
        before in AROUND,
        after in AROUND,
        is_json_in_text in any::<bool>(),
    ) {
        let text = text_with(thing, &before, &after);
        let value = if is_json_in_text { json!([{ "t": text }]).to_string() } else { text };
        let reply = planted_in(Json::from(value), &way, "nothing");
        let found = all(&reply);
        prop_assert!(found.iter().any(|one| one.finder == finder && one.at == pattern(&way)), "{reply}: {found:?}");
        prop_assert_eq!(inspect(&reply, &mut |_| true), vec![]);
    }

    #[test]
    fn what_is_planted_in_a_key_is_found_in_its_object((finder, thing, _) in select(&PLANTED[..]), way in tree()) {
        let reply = planted_in(json!({ thing: 1 }), &way, "nothing");
        let found = all(&reply);
        prop_assert!(found.iter().any(|one| one.finder == finder && one.at == pattern(&way)), "{reply}: {found:?}");
    }

    #[test]
    fn look_alikes_are_not_found(
        (_, _, near) in select(&PLANTED[..]),
        way in tree(),
        before in AROUND,
        after in AROUND,
    ) {
        let reply = planted_in(Json::from(text_with(near, &before, &after)), &way, "nothing");
        prop_assert_eq!(all(&reply), vec![]);
    }

    #[test]
    fn ids_versions_times_and_digests_are_not_found(
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        digest in "[0-9a-f]{64}",
        version in "v?[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,4}(-rc\\.[0-9])?",
        time in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{3})?(Z|\\+0[0-9]:00)",
        order in "(order|inv|ticket)-[0-9]{6,18}",
        count in any::<u32>(),
        money in "[0-9]{1,3}(,[0-9]{3}){0,3}\\.[0-9]{2}",
    ) {
        let reply = json!({ "id": uuid, "sha": digest, "v": version, "at": time, "no": order, "n": count, "sum": money });
        prop_assert_eq!(all(&reply), vec![], "{}", reply);
        let text = format!("{uuid} {digest} {version} at {time}: {order}, {money}");
        prop_assert_eq!(all(&Json::from(text.clone())), vec![], "{}", text);
    }

    #[test]
    fn whatever_comes_is_looked_through_and_said_the_same_way_twice(text in "\\PC{0,200}", key in "\\PC{0,20}") {
        let reply = json!({ key: text.clone(), "list": [text.clone(), { "t": text }] });
        let found = all(&reply);
        prop_assert!(found.len() <= PLACES_MAX + Finder::ALL.len() * 50);
        prop_assert_eq!(found, all(&reply));
    }
}

#[test]
fn a_thousand_rows_are_one_finding_and_a_thousand_fields_end_in_the_root() {
    let rows: Vec<Json> = (0..1_000).map(|n| json!({ "mail": format!("u{n}@example.com") })).collect();
    let found = all(&Json::from(rows));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].at.to_string().as_str(), found[0].count), ("/*/mail", 1_000));
    let fields: serde_json::Map<String, Json> =
        (0..1_000).map(|n| (format!("f{n}"), json!(format!("u{n}@example.com")))).collect();
    let found = all(&Json::Object(fields));
    assert_eq!(found.len(), PLACES_MAX + 1);
    let root = found.iter().find(|one| one.at == Pattern::default()).unwrap();
    assert_eq!(found.iter().map(|one| one.count).sum::<u64>(), 1_000);
    assert_eq!(usize::try_from(root.count).unwrap(), 1_000 - PLACES_MAX);
}

#[test]
fn numbers_count_where_their_field_names_them() {
    let one = |reply: Json| all(&reply).into_iter().map(|one| format!("{} {}", one.rule, one.at)).collect::<Vec<_>>();
    assert_eq!(one(json!({ "card": 4_111_111_111_111_111_u64 })), ["visa /card"]);
    assert_eq!(one(json!({ "person": { "bsn": 111_222_333 } })), ["nl-bsn /person/bsn"]);
    assert_eq!(one(json!({ "bsn": ["111222333", "111222334"] })), ["nl-bsn /bsn/*"]);
    assert_eq!(one(json!({ "order": 111_222_333, "ratio": 4_111_111_111.111_111 })), [""; 0]);
    assert_eq!(one(json!([{ "lat": 48.2, "lng": 16.3 }])), ["fields /*/lat", "fields /*/lng"]);
}

#[test]
fn what_is_expected_is_asked_with_the_place_and_the_thing() {
    let reply = json!({ "rows": [{ "mail": "bo@example.com" }, { "note": "ana@example.com" }] });
    let mut seen = Vec::new();
    let found = inspect(&reply, &mut |hit| {
        let path: Vec<String> = hit.path().iter().map(ToString::to_string).collect();
        seen.push(format!("{} {}", path.join("/"), hit.text));
        hit.path().ends_with(&["mail".into()])
    });
    assert_eq!(seen, ["rows/0/mail bo@example.com", "rows/1/note ana@example.com"]);
    assert_eq!(found.iter().map(|one| one.at.to_string()).collect::<Vec<_>>(), ["/rows/*/note"]);
}
