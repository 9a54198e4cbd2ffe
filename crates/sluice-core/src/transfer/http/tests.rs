//! Which action a call names, predicted and run, and under which labels.

use serde_json::json;

use super::*;
use crate::catalogue::{Argument, CallLimits, Endpoint, Idempotency, LabelTree, ReplyRule, Resource};
use crate::dsl::lower;
use crate::gate::{Effect, Role};
use crate::label::{Atom, Universe};
use crate::text::Text;
use crate::transfer::{Prepared, State, Step, step};

/// The full names of the actions that a constant endpoint matches.
pub(crate) fn names_of_matching(catalogue: &Catalogue, method: &str, url: &str) -> Vec<String> {
    let search = Template { parameters: None }.search(catalogue, method, url);
    search.matching.iter().map(|m| m.action.full_name()).collect()
}

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (name, path) in [
        ("accounts.get", "/v1/accounts/{account}"),
        ("notes.list", "/v1/accounts/{account}/notes"),
        ("health", "/v1/health/now"),
        ("beds", "/v1/beds/free"),
    ] {
        let argument = |role| Argument { role: Some(role), ..Argument::default() };
        let action = Action {
            connector: "crm".into(),
            name: name.into(),
            effect: Effect::Read,
            privileged: false,
            arguments: [("account".into(), argument(Role::Query)), ("q".into(), argument(Role::Payload))].into(),
            endpoint: Some(Endpoint {
                method: "GET".into(),
                base: "https://crm.example.com".into(),
                path: path.into(),
            }),
            reply: ReplyRule::Replace,
            labels: LabelTree::default(),
            source: Label::BOTTOM,
            subject: None,
            idempotency: Idempotency::Natural,
            resource: Resource::Destination("crm".into()),
            region: None,
            stored: Label::BOTTOM,
            limits: CallLimits::default(),
        };
        catalogue.actions.insert((action.connector.clone(), action.name.clone()), action);
    }
    catalogue
}

fn labels() -> (Universe, [Label; 2]) {
    let mut universe = Universe::new();
    let labels = ["mail", "form"].map(|o| Label::of(universe.intern(Atom::Origin(o.into())).unwrap()));
    (universe, labels)
}

/// The call of a definition that asks `endpoint`, of the given input.
fn called(endpoint: &str, input: Value) -> Result<Box<Prepared>, Value> {
    let head = "document: { dsl: '1.0.3', namespace: t, name: d, version: '0.1.0' }";
    let call = format!("do:\n- a: {{ call: http, with: {{ method: get, endpoint: '{endpoint}' }} }}");
    let lowered = lower(&Text::new("d.yaml", format!("{head}\n{call}")));
    let program = lowered.program.unwrap_or_else(|| panic!("{:?}", lowered.diagnostics));
    let (catalogue, (universe, _)) = (catalogue(), labels());
    let mut state = State::start(&program, input, Value::null(Label::BOTTOM), Label::BOTTOM);
    let mut at = program.entry;
    loop {
        match step(&program, &catalogue, &universe, &state, at) {
            Step::Calls(prepared) => return Ok(prepared),
            Step::Moves(mut moves) => match (moves.edges.pop(), moves.fault) {
                (Some(edge), None) => (at, state) = (edge.to, edge.state),
                (_, fault) => return Err(fault.unwrap()),
            },
            other => panic!("{other:?}"),
        }
    }
}

/// An input whose `id` and `q` come from two places; unknown texts in a prediction.
fn input(id: Option<&str>) -> Value {
    let (_, [mail, form]) = labels();
    let text = |label, text: Option<&str>| text.map_or(Value::unknown(label, Kinds::TEXT), |t| Value::text(label, t));
    Value::object(Label::BOTTOM, [("id".into(), text(mail, id)), ("q".into(), text(form, id.map(|_| "a b/c")))])
}

#[test]
fn a_parameter_becomes_an_argument_under_its_own_label() {
    let (_, [mail, form]) = labels();
    let endpoint = "https://crm.example.com/v1/accounts/{id}?q={q}";
    for (id, known) in [(None, json!(null)), (Some("7"), json!({"account": "7", "q": "a b/c"}))] {
        let call = called(endpoint, input(id)).unwrap();
        assert_eq!((call.action.as_ref().unwrap().1.as_ref(), call.breaches.as_slice()), ("accounts.get", &[][..]));
        assert_eq!((call.roles[&Role::Query], call.roles[&Role::Payload]), (mail, form), "{id:?}");
        assert_eq!(call.arguments.to_json().unwrap_or_default(), known);
    }
    let (predicted, run) = (called(endpoint, input(None)).unwrap(), called(endpoint, input(Some("7"))).unwrap());
    assert!(predicted.arguments.admits(&run.arguments));
}

#[test]
fn a_parameter_against_a_fixed_segment_is_known_in_the_run_only() {
    let (_, [mail, _]) = labels();
    let endpoint = "https://crm.example.com/v1/{id}/now";
    let predicted = called(endpoint, input(None)).unwrap();
    assert_eq!(predicted.breaches, [Breach::UnknownEndpoint]);
    assert_eq!(predicted.arguments.child("endpoint").unwrap().label, mail, "it chooses the endpoint");
    let run = called(endpoint, input(Some("health"))).unwrap();
    assert_eq!(run.action.as_ref().unwrap().1.as_ref(), "health");
    assert_eq!(run.arguments.label, mail, "which action was called tells the parameter");
    assert!(matches!(called(endpoint, input(Some("beds"))).unwrap().breaches[..], [Breach::Uncatalogued { .. }]));
}

#[test]
fn what_would_name_another_path_is_an_error() {
    let (_, [mail, _]) = labels();
    for id in ["", ".", "..", "7/notes"] {
        let error = called("https://crm.example.com/v1/accounts/{id}", input(Some(id))).unwrap_err();
        assert_eq!(error.child("detail").unwrap().as_text(), Some("{id} is no segment of a path"), "{id}");
        assert!(mail.flows_to(error.deep_label()));
    }
    // Encoded twice it stays one segment.
    let call = called("https://crm.example.com/v1/accounts/{id}", input(Some("7%2Fnotes"))).unwrap();
    assert_eq!(call.arguments.to_json(), Some(json!({"account": "7%2Fnotes"})));
}

#[test]
fn a_computed_host_or_endpoint_is_not_known_before_the_run() {
    for endpoint in ["https://{id}/v1/health/now", "${ .id }", "https://crm.example.com/v1/${ .id }/now"] {
        assert_eq!(called(endpoint, input(None)).unwrap().breaches, [Breach::UnknownEndpoint], "{endpoint}");
    }
    let call = called("https://crm.example.com/v1/${ \"health\" }/now", input(None)).unwrap();
    assert_eq!(call.action.unwrap().1.as_ref(), "health");
}

#[test]
fn templates_match_whole_segments_and_nothing_that_escapes() {
    let found = |path: &str| names_of_matching(&catalogue(), "get", &format!("https://crm.example.com/v1{path}"));
    assert_eq!(found("/accounts/7"), ["crm.accounts.get"]);
    assert_eq!(found("/accounts/7#x"), ["crm.accounts.get"]);
    assert_eq!(found("/accounts/{x}"), ["crm.accounts.get"], "braces of a constant are characters");
    for path in ["/accounts", "/accounts/", "/accounts/..", "/accounts/%2E%2e", "/accounts/a%2Fb", "/account/7"] {
        assert_eq!(found(path), [""; 0], "{path}");
    }
}
