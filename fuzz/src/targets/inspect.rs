//! Replies, looked through: whatever comes is said the same way twice, labels only rise, and nothing of it is told.

use serde_json::Value;
use sluice_core::catalogue::{LabelTree, Pattern};
use sluice_core::found::{Finder, Findings, Found};
use sluice_core::label::{Atom, Label, Universe};
use sluice_core::value::{Data, Value as Labelled};
use sluice_inspect::{PLACES_MAX, inspect};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "inspect", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"4111 1111 1111 1111",
    b"DE89370400440532013000",
    b"111.444.777-35",
    b"RSSMRA85T10A562S",
    b"bo@example.com",
    b"+44 20 7946 0958",
    b"48.20849, 16.37208",
    b"\"lat\":48.2,\"lng\":16.3",
    b"\"type\":\"Point\",\"coordinates\":[16.3,48.2]",
    b"-----BEGIN PRIVATE KEY-----",
    b"postgres://app:",
    b"@",
    b"+",
    b"bsn",
    b"\\u0040",
    b"\"{\\\"a\\\":1}\"",
    b"[",
    b"{",
    b"]",
    b"}",
];

fn run(data: &[u8]) -> String {
    // What is no JSON is one text: most replies of tools are.
    let reply = serde_json::from_slice::<Value>(data)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(data).into_owned()));
    let mut texts = Vec::new();
    let found = inspect(&reply, &mut |hit| {
        assert!(hit.path().len() == hit.pattern().0.len(), "a place has two lengths");
        assert!(hit.pattern().names(&hit.path()), "a pattern does not name its place");
        texts.push(hit.text.to_owned());
        false
    });
    assert_eq!(found, inspect(&reply, &mut |_| false), "a second look sees something else");
    assert_eq!(inspect(&reply, &mut |_| true), vec![], "what is expected is told");
    let places: std::collections::BTreeSet<_> = found.iter().map(|one| one.at.clone()).collect();
    assert!(places.len() <= PLACES_MAX + 1, "places without an end");
    let kept = serde_json::to_string(&found).expect("findings can be written");
    assert_eq!(serde_json::from_str::<Vec<Found>>(&kept).expect("and read").len(), found.len());
    rises(&reply, &found);
    let mut kinds: Vec<&str> = found.iter().map(|one| &*one.rule).collect();
    kinds.dedup();
    kinds.join(" ")
}

/// Every label is at least what it was, and every finding has raised something.
fn rises(reply: &Value, found: &[Found]) {
    let mut universe = Universe::new();
    let label = Label::of(universe.intern(Atom::Origin("found".into())).expect("there is room"));
    let findings = Findings::new(Finder::ALL.map(|finder| (finder, label)));
    let tree = LabelTree { labels: vec![(Pattern::default(), Label::BOTTOM)], ..LabelTree::default() };
    let raised = tree.labelled_with(reply, Label::BOTTOM, &findings.raised(found));
    assert_eq!(raised.deep_label(), if found.is_empty() { Label::BOTTOM } else { label });
    assert_eq!(count(&raised), count(&tree.labelled(reply, Label::BOTTOM)), "a label changed the value");
}

fn count(value: &Labelled) -> usize {
    match &value.data {
        Data::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Data::Object(fields) => 1 + fields.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"rows":[{"mail":"bo@example.com","paid":"4111-1111-1111-1111"},{"lat":"48.2","Longitude":16.3}]}"#,
        r#"{"content":[{"type":"text","text":"{\"iban\":\"DE89 3704 0044 0532 0130 00\",\"to\":\"b\u006f@example.com\"}"}]}"#,
        r#"["+1 (415) 555-2671", 4111111111111111, {"bsn": 111222333}, "48.20849, 16.37208", 1.5e300]"#,
        "plain words of somebody at +44 20 7946 0958, 811218-9876 and 2 55 08 14 168 025 38",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
