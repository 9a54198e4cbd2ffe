//! `if-else`.

use serde_json::{Value as Json, json};
use sluice_core::diagnostic::Severity;

use crate::tests::foreign::{standing, surveyed};

fn node(id: &str, kind: &str, more: Json) -> Json {
    let mut data = json!({ "type": kind, "title": id });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "id": id, "data": data })
}

fn start() -> Json {
    let text = |name: &str| json!({ "variable": name, "type": "text-input" });
    node("Start", "start", json!({ "variables": [text("x"), text("y")] }))
}

fn get() -> Json {
    node("Get", "http-request", json!({ "method": "get", "url": "https://api.example.com/{{#Start.x#}}" }))
}

/// An app of these nodes; an edge is `from -> to`, or `from:handle -> to`.
fn app(nodes: &[Json], edges: &[&str]) -> String {
    let edge = |edge: &&str| {
        let (from, to) = edge.split_once(" -> ").unwrap();
        let (from, handle) = from.split_once(':').unwrap_or((from, "source"));
        json!({ "source": from, "sourceHandle": handle, "target": to })
    };
    let edges: Vec<Json> = edges.iter().map(edge).collect();
    let variables = json!([{ "name": "kept", "value_type": "string", "value": "" }]);
    json!({
        "kind": "app", "app": { "mode": "advanced-chat", "name": "t" },
        "workflow": { "conversation_variables": variables, "graph": { "nodes": nodes, "edges": edges } },
    })
    .to_string()
}

fn is(operator: &str, value: impl Into<Json>) -> Json {
    of(&["Start", "x"], operator, value)
}

fn of(selector: &[&str], operator: &str, value: impl Into<Json>) -> Json {
    json!({ "comparison_operator": operator, "value": value.into(), "variable_selector": selector, "varType": "string" })
}

fn case(name: &str, conditions: &[Json], operator: &str) -> Json {
    json!({ "case_id": name, "id": name, "logical_operator": operator, "conditions": conditions })
}

fn when(cases: &[Json]) -> Json {
    node("If", "if-else", json!({ "cases": cases }))
}

/// What one condition makes of the way to `Get`.
fn with(condition: &Json) -> String {
    let check = when(&[case("true", std::slice::from_ref(condition), "and")]);
    standing(&app(&[start(), check, get()], &["Start -> If", "If:true -> Get"]), "url_path")
}

#[test]
fn a_condition_that_holds_a_value_back_is_told_in_place_of_the_flow() {
    for condition in
        [is("is", "a"), is("in", json!(["a", "b"])), is("=", "1"), is("=", 1), is(">", "10"), is("≤", "10")]
    {
        assert_eq!(with(&condition), "held by If", "{condition}");
    }
}

#[test]
fn what_only_looks_like_a_check_holds_nothing_back() {
    for condition in [
        is("contains", "a"),
        is("not contains", ".."),
        is("start with", "a"),
        is("end with", "a"),
        is("not empty", ""),
        is("empty", ""),
        is("not null", ""),
        is("exists", ""),
        is("is not", "../admin"),
        is("not in", json!(["a"])),
        is("≠", "1"),
        is("all of", json!(["a"])),
        is("is", "{{#Start.y#}}"),
        is("in", json!(["a", "{{#Start.y#}}"])),
        is("in", "abc"),
        is("in", json!([])),
        is(">", "a"),
        of(&["Start", "y"], "is", "a"),
        of(&["Nowhere", "x"], "is", "a"),
        of(&["Start"], "is", "a"),
        json!({ "value": "a", "variable_selector": ["Start", "x"] }),
    ] {
        assert_eq!(with(&condition), "open", "{condition}");
    }
}

#[test]
fn each_way_out_knows_that_those_before_it_were_not_taken() {
    let a = || is("is", "a");
    let b = || is("is", "b");
    let other = || of(&["Start", "y"], "is", "a");
    for (what, cases, ways, expected) in [
        ("two cases", vec![case("1", &[a()], "and"), case("2", &[b()], "and")], vec!["1", "2"], "held by If"),
        ("otherwise", vec![case("1", &[a()], "and")], vec!["false"], "open"),
        ("otherwise, too", vec![case("1", &[a()], "and")], vec!["1", "false"], "open"),
        ("unless it is not so", vec![case("1", &[is("is not", "a")], "and")], vec!["false"], "held by If"),
        (
            "behind one that turns away",
            vec![case("1", &[is("not in", json!(["a", "b"]))], "and"), case("2", &[other()], "and")],
            vec!["2"],
            "held by If",
        ),
        ("both", vec![case("1", &[a(), other()], "and")], vec!["1"], "held by If"),
        ("either", vec![case("1", &[a(), b()], "or")], vec!["1"], "held by If"),
        ("either, one of another field", vec![case("1", &[a(), other()], "or")], vec!["1"], "open"),
        ("no condition", vec![case("1", &[], "and")], vec!["1"], "open"),
        ("two cases of one name", vec![case("1", &[a()], "and"), case("1", &[other()], "and")], vec!["1"], "open"),
    ] {
        let ways: Vec<String> = ways.iter().map(|way| format!("If:{way} -> Get")).collect();
        let edges: Vec<&str> = std::iter::once("Start -> If").chain(ways.iter().map(String::as_str)).collect();
        assert_eq!(standing(&app(&[start(), when(&cases), get()], &edges), "url_path"), expected, "{what}");
    }
    let first_version = node("If", "if-else", json!({ "logical_operator": "and", "conditions": [a()] }));
    let edges = ["Start -> If", "If:true -> Get"];
    assert_eq!(standing(&app(&[start(), first_version, get()], &edges), "url_path"), "held by If");
}

#[test]
fn a_way_around_a_check_is_open_and_so_is_a_variable_that_others_write() {
    let check = || when(&[case("true", &[is("is", "a")], "and")]);
    for (what, edges, expected) in [
        ("around it", vec!["Start -> If", "If:true -> Get", "Start -> Get"], "open"),
        ("beside it", vec!["Start -> If", "Start -> Get"], "open"),
        ("in front of it", vec!["Start -> Get", "Get -> If"], "open"),
    ] {
        assert_eq!(standing(&app(&[start(), check(), get()], &edges), "url_path"), expected, "{what}");
    }
    let selector = ["conversation", "kept"];
    let keep = node(
        "Keep",
        "assigner",
        json!({ "items": [{ "variable_selector": selector, "input_type": "variable", "operation": "over-write", "value": ["Start", "x"] }] }),
    );
    let kept = when(&[case("true", &[of(&selector, "is", "a")], "and")]);
    let get = node(
        "Get",
        "http-request",
        json!({ "method": "get", "url": "https://api.example.com/{{#conversation.kept#}}" }),
    );
    let text = app(&[start(), keep, kept, get], &["Start -> Keep", "Keep -> If", "If:true -> Get"]);
    assert_eq!(standing(&text, "url_path"), "open");
}

#[test]
fn a_check_of_one_of_several_values_holds_that_one_back() {
    let pick =
        |other: &str| node("Pick", "variable-aggregator", json!({ "variables": [["Start", "x"], ["Start", other]] }));
    let get =
        node("Get", "http-request", json!({ "method": "get", "url": "https://api.example.com/{{#Pick.output#}}" }));
    let check = when(&[case("true", &[is("=", 1)], "and")]);
    let edges = ["Start -> If", "If:true -> Pick", "Pick -> Get"];
    assert_eq!(standing(&app(&[start(), check.clone(), pick("x"), get.clone()], &edges), "url_path"), "held by If");
    assert_eq!(standing(&app(&[start(), check, pick("y"), get], &edges), "url_path"), "open");
}

#[test]
fn a_person_on_the_way_is_told_and_lowers_severity_and_one_elsewhere_does_not() {
    let ask = || node("Ask", "human-input", json!({}));
    let nodes = [start(), ask(), get()];
    for (what, edges, is_asked) in [
        ("in between", vec!["Start -> Ask", "Ask -> Get"], true),
        ("on one of two ways", vec!["Start -> Ask", "Ask -> Get", "Start -> Get"], false),
        ("behind it", vec!["Start -> Get", "Get -> Ask"], false),
    ] {
        let survey = surveyed(&app(&nodes, &edges));
        let flow =
            survey.flows.iter().find(|f| f.kind.name() == "url_path").unwrap_or_else(|| panic!("{what}: no flow"));
        let finding = survey.findings.iter().find(|f| f.message.contains("from `Start`"));
        let finding = finding.unwrap_or_else(|| panic!("{what}: untold"));
        assert_eq!(flow.gate.is_some(), is_asked, "{what}");
        assert_eq!(finding.message.contains("`Ask` asks a person on the way"), is_asked, "{what}: {}", finding.message);
        assert_eq!(finding.severity == Severity::Low, is_asked, "{what}");
    }
}

#[test]
fn a_person_who_is_asked_in_one_branch_does_not_see_what_another_leaves_behind() {
    let kept = ["conversation", "kept"];
    let item = json!({ "variable_selector": kept, "input_type": "variable", "operation": "over-write", "value": ["Start", "x"] });
    let keep = node("Keep", "assigner", json!({ "items": [item] }));
    let url = "https://api.example.com/{{#conversation.kept#}}";
    let get = node("Get", "http-request", json!({ "method": "get", "url": url }));
    let edges = ["Start -> Keep", "Start -> Get", "Start -> Ask"];
    for nodes in [
        [node("Ask", "human-input", json!({})), start(), keep.clone(), get.clone()],
        [start(), keep, get, node("Ask", "human-input", json!({}))],
    ] {
        let survey = surveyed(&app(&nodes, &edges));
        let flow = survey.flows.iter().find(|f| f.kind.name() == "url_path").unwrap();
        assert_eq!(flow.gate, None);
    }
}
