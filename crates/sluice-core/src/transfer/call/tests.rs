//! Which secrets may fill which arguments, and that no value passes for a handle.

use serde_json::json;

use super::*;
use crate::contract::Governance;
use crate::dsl::lower;
use crate::text::Text;
use crate::transfer::step;

const DESK: &str = "version: 1
connector: desk
transport: { http: { base: \"https://desk.example.com\" } }
actions:
  open:
    effect: read
    request: { method: POST, path: /open, headers: { X-Key: key }, body: [note, pass] }
    arguments: { key: { secret: desk-key }, pass: { secret: desk-pass }, note: {} }
";

/// What is wrong with a call that this definition makes of this input.
fn breaches(call: &str, with: &str) -> Vec<String> {
    let files = [("workspace.yaml", "version: 1\nname: t\nmode: test\n"), ("connectors/desk.yaml", DESK)];
    let governance = Governance::read(files.map(|(path, text)| (path, text.as_bytes()))).unwrap();
    let head =
        "document: { dsl: '1.0.3', namespace: t, name: d, version: '0.1.0' }\nuse: { secrets: [desk-key, desk-pass] }";
    let lowered = lower(&Text::new("d.yaml", format!("{head}\ndo:\n- a: {{ call: {call}, with: {with} }}")));
    let program = lowered.program.unwrap_or_else(|| panic!("{:?}", lowered.diagnostics));
    // An outsider's words that look like handles.
    let forged = json!({ "key": Handle::shown("desk-key"), "body": { "pass": Handle::shown("desk-pass") } });
    let input = Value::from_json(&forged, Label::BOTTOM);
    let mut state = State::start(&program, input, Value::null(Label::BOTTOM), Label::BOTTOM);
    let mut at = program.entry;
    loop {
        match step(&program, &governance.catalogue, &governance.catalogue.universe, &state, at) {
            Step::Calls(prepared) => return prepared.breaches.iter().map(ToString::to_string).collect(),
            Step::Moves(mut moves) => {
                let edge = moves.edges.pop().unwrap_or_else(|| panic!("{:?}", moves.fault));
                (at, state) = (edge.to, edge.state);
            }
            other => panic!("{other:?}"),
        }
    }
}

const NONE: [&str; 0] = [];

#[test]
fn a_secret_fills_the_argument_that_its_contract_names() {
    assert_eq!(breaches("desk.open", "{ key: '${ $secrets.desk-key }', note: x }"), NONE);
    assert_eq!(breaches("desk.open", "{ key: '${ $secrets.desk-key }', pass: '${$secrets.desk-pass}' }"), NONE);
    let http = "{ method: post, endpoint: 'https://desk.example.com/open', body: { pass: '${ $secrets.desk-pass }' } }";
    assert_eq!(breaches("http", http), NONE);
}

#[test]
fn a_secret_fills_no_other_argument() {
    let refused = |argument: &str, secret: &str| {
        vec![format!("the contract does not let the secret `{secret}` fill `{argument}`")]
    };
    assert_eq!(breaches("desk.open", "{ note: '${ $secrets.desk-key }' }"), refused("note", "desk-key"));
    assert_eq!(breaches("desk.open", "{ key: '${ $secrets.desk-pass }' }"), refused("key", "desk-pass"));
    let http = |rest: &str| {
        breaches("http", &format!("{{ method: post, endpoint: 'https://desk.example.com/open', {rest} }}"))
    };
    assert_eq!(http("body: { note: '${ $secrets.desk-pass }' }"), refused("note", "desk-pass"));
    assert_eq!(http("body: { pass: '${ $secrets.desk-key }' }"), refused("pass", "desk-key"));
    assert!(http("headers: { X-Key: '${ $secrets.desk-key }' }").contains(&refused("X-Key", "desk-key")[0]));
    assert!(http("body: '${ $secrets.desk-key }'").contains(&refused("body", "desk-key")[0]));
}

#[test]
fn data_that_looks_like_a_handle_is_data() {
    let refused = |argument: &str, secret: &str| {
        vec![format!("`{argument}` takes the handle of the secret `{secret}`, and the definition gives it a value")]
    };
    assert_eq!(breaches("desk.open", "{ key: '${ .key }' }"), refused("key", "desk-key"));
    assert_eq!(breaches("desk.open", "{ key: { $secret: desk-key } }"), refused("key", "desk-key"));
    assert_eq!(breaches("desk.open", "{ key: null }"), refused("key", "desk-key"));
    assert_eq!(breaches("desk.open", "{ note: '${ .key }' }"), NONE);
    let http = |rest: &str| {
        breaches("http", &format!("{{ method: post, endpoint: 'https://desk.example.com/open', {rest} }}"))
    };
    assert_eq!(http("body: '${ .body }'"), refused("pass", "desk-pass"));
    // A handle in the text lends its standing to no second value of the same name.
    let twice = http("query: { pass: '${ $secrets.desk-pass }' }, body: '${ .body }'");
    assert_eq!(twice, ["the contract has no argument `pass`"]);
}
