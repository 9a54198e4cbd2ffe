//! `Choice`.

use serde_json::{Value as Json, json};
use sluice_core::diagnostic::Severity;

use crate::tests::foreign::{standing, surveyed};

const FETCH: &str = "States.Format('https://api.example.com/{}', $.x)";

fn fetch(url: &str) -> Json {
    let parameters = json!({ "ApiEndpoint.$": url, "Method": "GET" });
    json!({ "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": true })
}

/// The same, of any value that is put behind the host.
fn fetch_by_query(value: &str) -> Json {
    let arguments = json!({ "ApiEndpoint": format!("{{% 'https://api.example.com/' & {value} %}}"), "Method": "GET" });
    json!({ "Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Arguments": arguments, "End": true })
}

fn machine(states: &[(&str, Json)], more: &Json) -> String {
    let named: serde_json::Map<String, Json> = states.iter().map(|(name, s)| ((*name).to_owned(), s.clone())).collect();
    let mut machine = json!({ "StartAt": states[0].0, "States": named });
    machine.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    machine.to_string()
}

/// A machine that goes to `Fetch` by a rule, and else fails.
fn ruled(rule: &Json, url: &str) -> String {
    let mut rule = rule.clone();
    rule["Next"] = "Fetch".into();
    let choice = json!({ "Type": "Choice", "Choices": [rule], "Default": "Stop" });
    machine(&[("If", choice), ("Fetch", fetch(url)), ("Stop", json!({ "Type": "Fail" }))], &json!({}))
}

fn is(operator: &str, with: impl Into<Json>) -> Json {
    json!({ "Variable": "$.x", operator: with.into() })
}

#[test]
fn a_rule_that_holds_a_value_back_is_told_in_place_of_the_flow() {
    for (what, rule) in [
        ("a constant", is("StringEquals", "a")),
        ("a pattern without a wildcard", is("StringMatches", "a\\*b")),
        ("a number", is("NumericEquals", 1)),
        ("a bounded number", is("NumericLessThan", 10)),
        ("what is a number", is("IsNumeric", true)),
        ("a truth value", is("BooleanEquals", true)),
        (
            "beside another condition",
            json!({ "And": [is("StringEquals", "a"), { "Variable": "$.y", "IsPresent": true }] }),
        ),
        ("one of several", json!({ "Or": [is("StringEquals", "a"), is("StringEquals", "b")] })),
        ("not another", json!({ "Not": { "Not": is("StringEquals", "a") } })),
        (
            "not none of them",
            json!({ "Not": { "And": [{ "Not": is("StringEquals", "a") }, { "Not": is("StringEquals", "b") }] } }),
        ),
    ] {
        assert_eq!(standing(&ruled(&rule, FETCH), "url_path"), "held by If", "{what}");
    }
}

#[test]
fn what_only_looks_like_a_check_holds_nothing_back() {
    for (what, rule) in [
        ("it is there", is("IsPresent", true)),
        ("it is a text", is("IsString", true)),
        ("it is no number", is("IsNumeric", false)),
        ("it is not null", is("IsNull", false)),
        ("a pattern with a wildcard", is("StringMatches", "a*")),
        ("a pattern with a wildcard inside", is("StringMatches", "a*b")),
        ("a pattern whose backslash is escaped", is("StringMatches", "a\\\\*")),
        ("an order of texts", is("StringGreaterThan", "a")),
        ("other data", is("StringEqualsPath", "$.y")),
        ("a time", is("TimestampLessThan", "2030-01-01T00:00:00Z")),
        ("none of the bad ones", json!({ "Not": is("StringEquals", "../admin") })),
        ("another field", json!({ "Variable": "$.y", "StringEquals": "a" })),
        ("a field below", json!({ "Variable": "$.x.y", "StringEquals": "a" })),
        ("several of them", json!({ "Variable": "$.x[*]", "StringEquals": "a" })),
        ("two operators", json!({ "Variable": "$.x", "StringEquals": "a", "IsPresent": true })),
        ("or something else", json!({ "Or": [is("StringEquals", "a"), { "Variable": "$.y", "StringEquals": "a" }] })),
        ("a number that is written as a text", is("NumericEquals", "1")),
        ("no operator", json!({ "Variable": "$.x" })),
        ("no list", json!({ "And": is("StringEquals", "a") })),
    ] {
        assert_eq!(standing(&ruled(&rule, FETCH), "url_path"), "open", "{what}");
    }
}

#[test]
fn a_number_is_no_choice_of_an_object_and_a_constant_is() {
    let read = |rule: &Json| {
        let parameters = json!({ "Bucket": "b", "Key.$": "$.x" });
        let read = json!({ "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Parameters": parameters, "End": true });
        standing(&ruled(rule, FETCH).replace(&fetch(FETCH).to_string(), &read.to_string()), "object_ref")
    };
    assert_eq!(read(&is("StringEquals", "a")), "held by If");
    assert_eq!(read(&is("NumericGreaterThan", 1)), "open");
}

#[test]
fn what_no_rule_has_taken_goes_on_by_the_default() {
    let to = |rule: Json, next: &str| {
        let mut rule = rule;
        rule["Next"] = next.into();
        rule
    };
    let known = || is("StringEquals", "a");
    let unknown = || json!({ "Not": known() });
    for (what, rules, default, expected) in [
        ("what is not listed is turned away", vec![to(unknown(), "Stop")], "Fetch", "held by If"),
        ("what is listed is turned away", vec![to(known(), "Stop")], "Fetch", "open"),
        ("what is not a number is turned away", vec![to(is("IsNumeric", false), "Stop")], "Fetch", "held by If"),
        (
            "a rule behind the one that turns away",
            vec![to(unknown(), "Stop"), to(is("IsPresent", true), "Fetch")],
            "Stop",
            "held by If",
        ),
        ("a weak rule before it", vec![to(is("IsPresent", true), "Fetch"), to(unknown(), "Stop")], "Stop", "open"),
        (
            "two rules, each a check",
            vec![to(known(), "Fetch"), to(is("StringEquals", "b"), "Fetch")],
            "Stop",
            "held by If",
        ),
        ("two rules, one of them weak", vec![to(known(), "Fetch"), to(is("IsString", true), "Fetch")], "Stop", "open"),
        ("the default, too", vec![to(known(), "Fetch")], "Fetch", "open"),
    ] {
        let choice = json!({ "Type": "Choice", "Choices": rules, "Default": default });
        let text = machine(&[("If", choice), ("Fetch", fetch(FETCH)), ("Stop", json!({ "Type": "Fail" }))], &json!({}));
        assert_eq!(standing(&text, "url_path"), expected, "{what}");
    }
}

#[test]
fn a_check_goes_with_the_value_and_ends_where_it_is_changed() {
    let pass = |more: Json| {
        let mut pass = json!({ "Type": "Pass", "Next": "Fetch" });
        pass.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pass
    };
    let behind = |word: &str| format!("States.Format('https://api.example.com/{{}}', {word})");
    for (what, between, url, expected) in [
        ("as it is", pass(json!({})), behind("$.x"), "held by If"),
        ("another field", pass(json!({})), behind("$.y"), "open"),
        ("under another name", pass(json!({ "Parameters": { "a": { "b.$": "$.x" } } })), behind("$.a.b"), "held by If"),
        ("another under its name", pass(json!({ "Parameters": { "x.$": "$.y" } })), behind("$.x"), "open"),
        ("in a variable", pass(json!({ "Assign": { "v.$": "$.x" } })), behind("$v"), "held by If"),
        ("beside a result", pass(json!({ "Result": 1, "ResultPath": "$.r" })), behind("$.x"), "held by If"),
        ("below a result", pass(json!({ "Parameters": { "a.$": "$.y" }, "ResultPath": "$.x" })), behind("$.x"), "open"),
        ("made into something", pass(json!({})), behind("States.Base64Decode($.x)"), "open"),
        ("the input as it came", pass(json!({})), behind("$$.Execution.Input.x"), "open"),
    ] {
        let rule = json!({ "Variable": "$.x", "NumericEquals": 1, "Next": "Pass" });
        let number = json!({ "Variable": "$.x", "NumericGreaterThan": 1, "Next": "Pass" });
        let choice = json!({ "Type": "Choice", "Choices": [rule, number], "Default": "Stop" });
        let choice = if what == "made into something" {
            json!({ "Type": "Choice", "Choices": [number], "Default": "Stop" })
        } else {
            choice
        };
        let choice = choice.to_string().replace("NumericEquals\":1", "NumericGreaterThanEquals\":1");
        let states = [
            ("If", serde_json::from_str(&choice).unwrap()),
            ("Pass", between),
            ("Fetch", fetch(&url)),
            ("Stop", json!({ "Type": "Fail" })),
        ];
        assert_eq!(standing(&machine(&states, &json!({})), "url_path"), expected, "{what}");
    }
}

#[test]
fn a_way_around_a_check_is_open() {
    let rule = json!({ "Variable": "$.x", "StringEquals": "a", "Next": "Fetch" });
    let choice = json!({ "Type": "Choice", "Choices": [rule], "Default": "Stop" });
    let try_first = json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": { "FunctionName": "f", "Payload": {} },
        "ResultPath": null, "Next": "If",
        "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "Fetch" }],
    });
    let states = |first: Json| {
        [("First", first), ("If", choice.clone()), ("Fetch", fetch(FETCH)), ("Stop", json!({ "Type": "Fail" }))]
    };
    assert_eq!(standing(&machine(&states(try_first), &json!({})), "url_path"), "open");
    let pass = json!({ "Type": "Pass", "Next": "If" });
    assert_eq!(standing(&machine(&states(pass), &json!({})), "url_path"), "held by If");
}

#[test]
fn conditions_in_jsonata_count_where_they_are_simple() {
    for (condition, expected) in [
        ("$states.input.x = 'a'", "held by If"),
        ("'a' = $states.input.x", "held by If"),
        ("$states.input.x in ['a', \"b\"]", "held by If"),
        ("$states.input.x = 'a' or $states.input.x = 'b'", "held by If"),
        ("($states.input.x = 'a') and $states.input.y = 1", "held by If"),
        ("$not($states.input.x != 'a')", "held by If"),
        ("$states.input.x != 'a'", "open"),
        ("$not($states.input.x = 'a')", "open"),
        ("$states.input.y = 'a'", "open"),
        ("$states.input.x = $states.input.y", "open"),
        ("$states.input.x = 'a' or $states.input.y = 'b'", "open"),
        ("$states.input.x = 'a' or true", "open"),
        ("$states.input.x in ['a', $states.input.y]", "open"),
        ("'a' in $states.input.x", "open"),
        ("$states.input.x in 'abc'", "open"),
        ("$contains($states.input.x, 'a')", "open"),
        ("$exists($states.input.x)", "open"),
        ("$states.input.x[0] = 'a'", "open"),
        ("$states.input.x = 'a' ? true : true", "open"),
        ("$states.input.x = 'a' & 'b'", "open"),
        ("$states.input.x ~> $length = 1", "open"),
        ("$states.input.x = 'a", "open"),
        ("$states.input.x", "open"),
        ("", "open"),
    ] {
        let rule = json!({ "Condition": format!("{{% {condition} %}}"), "Next": "Fetch" });
        let choice = json!({ "Type": "Choice", "Choices": [rule], "Default": "Stop" });
        let states =
            [("If", choice), ("Fetch", fetch_by_query("$states.input.x")), ("Stop", json!({ "Type": "Fail" }))];
        let text = machine(&states, &json!({ "QueryLanguage": "JSONata" }));
        assert_eq!(standing(&text, "url_host"), expected, "{condition}");
    }
}

#[test]
fn a_check_changes_no_label_and_hides_no_other_flow() {
    let two = ruled(&is("StringEquals", "a"), "States.Format('https://api.example.com/{}/{}', $.x, $.y)");
    assert_eq!(standing(&two, "url_path"), "open");
}

#[test]
fn a_person_on_the_way_is_told_and_lowers_severity_and_one_elsewhere_does_not() {
    let ask = |next: &str| {
        json!({
            "Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken", "ResultPath": null, "Next": next,
            "Parameters": { "TopicArn": "${Approvals}", "Message.$": "$$.Task.Token" }, "TimeoutSeconds": 60,
        })
    };
    let say = || {
        let parameters = json!({ "ModelId": "m", "Body": { "prompt.$": "$.x" } });
        json!({ "Type": "Task", "Resource": "arn:aws:states:::bedrock:invokeModel", "Parameters": parameters, "End": true })
    };
    let choice = |to: &str| json!({ "Type": "Choice", "Choices": [{ "Variable": "$.y", "IsPresent": true, "Next": to }], "Default": "Ask" });
    let branch = |name: &str, state: Json| json!({ "StartAt": name, "States": { name: state } });
    let last = |mut state: Json| {
        state.as_object_mut().unwrap().remove("Next");
        state["End"] = true.into();
        state
    };
    let both =
        json!({ "Type": "Parallel", "End": true, "Branches": [branch("Ask", last(ask("Say"))), branch("Say", say())] });
    let webhook = |states: &[(&str, Json)]| surveyed(&machine(states, &json!({})));
    for (what, states, is_asked) in [
        ("in between", vec![("Ask", ask("Say")), ("Say", say())], true),
        ("on one of two ways", vec![("If", choice("Say")), ("Ask", ask("Say")), ("Say", say())], false),
        (
            "in another branch",
            vec![("If", choice("Say")), ("Ask", ask("End")), ("Say", say()), ("End", json!({ "Type": "Succeed" }))],
            false,
        ),
        ("at the same time", vec![("Both", both)], false),
    ] {
        let survey = webhook(&states);
        let flow = survey.flows.iter().find(|f| f.kind.name() == "prompt").unwrap_or_else(|| panic!("{what}: no flow"));
        let finding = survey.findings.iter().find(|f| f.code.0 == 230).unwrap_or_else(|| panic!("{what}: untold"));
        assert_eq!(flow.gate.is_some(), is_asked, "{what}");
        assert_eq!(finding.message.contains("`Ask` asks a person on the way"), is_asked, "{what}: {}", finding.message);
        assert!(finding.severity <= Severity::Low, "{what}: who may start it stands elsewhere");
    }
}
