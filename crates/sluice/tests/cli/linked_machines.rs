//! `sluice check` on a folder of state machines that start each other.

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

const ORDERS: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:Orders";

fn machine(states: &[(&str, Json)]) -> String {
    let named: serde_json::Map<String, Json> = states.iter().map(|(name, s)| ((*name).to_owned(), s.clone())).collect();
    json!({ "StartAt": states[0].0, "States": named }).to_string()
}

fn start(how: &str, arn: &str, input: Json, next: &str) -> Json {
    let mut state = json!({
        "Type": "Task", "Resource": format!("arn:aws:states:::states:startExecution{how}"),
        "Parameters": { "StateMachineArn": arn, "Input": input },
    });
    if next.is_empty() {
        state["End"] = true.into()
    } else {
        state["Next"] = next.into()
    }
    state
}

fn ask(what: &str) -> Json {
    let parameters = json!({ "ModelId": "m", "Body": { "prompt.$": what } });
    json!({ "Type": "Task", "Resource": "arn:aws:states:::bedrock:invokeModel", "Parameters": parameters, "End": true })
}

fn pass(more: Json) -> Json {
    let mut pass = json!({ "Type": "Pass", "End": true });
    pass.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    pass
}

/// Per file: `CODE MESSAGE` of every prompt finding and of every call that leads nowhere.
fn told(files: &[(&str, String)]) -> Vec<String> {
    let sandbox = Sandbox::new();
    for (name, content) in files {
        sandbox.write(&format!("machines/{name}"), content.clone());
    }
    let folder = sandbox.path("machines").display().to_string();
    let report = sandbox.sluice(&["check", "--format", "json", &folder]).json();
    let mut told = Vec::new();
    for file in report["files"].as_array().unwrap() {
        let name = |text: &str| text.replace(&format!("{folder}/"), "");
        let path = name(file["path"].as_str().unwrap());
        for found in file["findings"].as_array().unwrap() {
            let code = found["code"].as_str().unwrap();
            if ["SL230", "SL258"].contains(&code) {
                told.push(format!("{path}: {code} {}", name(found["message"].as_str().unwrap())));
            }
        }
    }
    told
}

const BY_ITSELF: &str =
    "orders.asl.json: SL230 text of outsiders stands in the prompt of `Ask`, from `execution input`";
const BY_ANOTHER: &str =
    "orders.asl.json: SL230 text of outsiders stands in the prompt of `Ask`, from `a.json: execution input`";
const BACK: &str = "a.json: SL230 text of outsiders stands in the prompt of `Say`, from `execution input`";

#[test]
fn data_is_followed_into_the_machine_that_is_started_and_told_where_it_ends() {
    for (how, arn) in [
        ("", ORDERS),
        (".sync", ORDERS),
        (".sync:2", "arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Orders}"),
        (".sync:2", "${OrdersStateMachineArn}"),
    ] {
        let a = |input: Json| machine(&[("Start", start(how, arn, input, ""))]);
        let found =
            told(&[("a.json", a(json!({ "q.$": "$.q" }))), ("orders.asl.json", machine(&[("Ask", ask("$.q"))]))]);
        assert_eq!(found, [BY_ITSELF, BY_ANOTHER], "{how} {arn}");
        let found =
            told(&[("a.json", a(json!({ "q": "fixed" }))), ("orders.asl.json", machine(&[("Ask", ask("$.q"))]))]);
        assert_eq!(found, [BY_ITSELF], "{how} {arn}");
    }
}

#[test]
fn what_a_machine_puts_out_is_followed_back_where_somebody_waits_for_it() {
    let a = |how: &str, said: &str| {
        machine(&[("Start", start(how, ORDERS, json!({ "q.$": "$.q" }), "Say")), ("Say", ask(said))])
    };
    let all = || machine(&[("Pass", pass(json!({})))]);
    let none = || machine(&[("Pass", pass(json!({ "Result": { "q": "fixed" } })))]);
    for (what, a, orders, expected) in [
        ("its output", a(".sync:2", "$.Output.q"), all(), vec![BACK]),
        ("its output as a text", a(".sync", "States.StringToJson($.Output)"), all(), vec![BACK]),
        ("another output", a(".sync:2", "$.Output.q"), none(), vec![]),
        ("nobody waits", a("", "$.Output.q"), all(), vec![]),
        ("its name", a(".sync:2", "$.ExecutionArn"), all(), vec![]),
    ] {
        assert_eq!(told(&[("a.json", a), ("orders.asl.json", orders)]), expected, "{what}");
    }
}

#[test]
fn an_error_of_a_machine_is_caught_by_the_one_that_waits_for_it() {
    let mut first = start(".sync:2", ORDERS, json!({ "q.$": "$.q" }), "End");
    first["Catch"] = json!([{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Say" }]);
    let end = json!({ "Type": "Succeed" });
    let a = machine(&[("Start", first), ("Say", ask("$.error.Cause")), ("End", end)]);
    let fails = |fail: Json| told(&[("a.json", a.clone()), ("orders.asl.json", machine(&[("Stop", fail)]))]);
    assert_eq!(fails(json!({ "Type": "Fail", "CausePath": "$.q" })), [BACK]);
    assert_eq!(fails(json!({ "Type": "Fail", "Cause": "fixed" })), [""; 0]);
}

#[test]
fn variables_of_one_machine_are_not_those_of_another() {
    let assigned = |value: Json| pass(json!({ "Assign": { "v": value } }));
    let mut first = assigned(json!("fixed"));
    first["Assign"] = json!({ "v.$": "$.q" });
    first.as_object_mut().unwrap().remove("End");
    first["Next"] = "Start".into();
    let a = machine(&[("First", first), ("Start", start(".sync:2", ORDERS, json!({}), "Say")), ("Say", ask("$v"))]);
    let orders = machine(&[("Pass", assigned(json!("fixed")))]);
    assert_eq!(told(&[("a.json", a), ("orders.asl.json", orders)]), [BACK]);
}

#[test]
fn machines_may_start_each_other_in_a_circle() {
    let again = "arn:aws:states:us-east-1:123456789012:stateMachine:a";
    let a = machine(&[("Start", start(".sync:2", ORDERS, json!({ "q.$": "$.q" }), ""))]);
    let orders = machine(&[
        ("Again", start(".sync:2", again, json!({ "q.$": "$.q" }), "Ask")),
        ("Ask", ask("$$.Execution.Input.q")),
    ]);
    assert_eq!(told(&[("a.json", a), ("orders.asl.json", orders)]), [BY_ITSELF, BY_ANOTHER]);
    let itself =
        machine(&[("Start", start("", again, json!({ "q.$": "$.q" }), "Say")), ("Say", ask("$$.Execution.Input.q"))]);
    assert_eq!(told(&[("a.json", itself)]), [BACK]);
}

#[test]
fn a_machine_that_is_not_there_or_not_certain_is_told() {
    let of = |arn: &str| machine(&[("Start", start("", arn, json!({}), ""))]);
    for arn in [ORDERS, "${StateMachineArn}", "arn:aws:states:us-east-1:123456789012:stateMachine:${Stage}-orders"] {
        let found = told(&[("a.json", of(arn)), ("other.asl.json", machine(&[("Pass", pass(json!({})))]))]);
        assert!(
            found.len() == 1 && found[0].starts_with("a.json: SL258 ") && found[0].contains("`Start`"),
            "{found:?}"
        );
    }
    let orders = || machine(&[("Pass", pass(json!({})))]);
    let found = told(&[("a.json", of(ORDERS)), ("x/orders.asl.json", orders()), ("y/Orders.json", orders())]);
    let several = "a.json: SL258 which workflow is called is not certain (`Start`): `x/orders.asl.json` and `y/Orders.json` \
                   answer to the id that is called";
    assert_eq!(found, [several]);
}

#[test]
fn what_is_too_much_to_follow_together_is_told() {
    let sandbox = Sandbox::new();
    let many: Vec<(String, Json)> = (0..500).map(|n| (format!("Pass {n}"), pass(json!({})))).collect();
    let many: Vec<(&str, Json)> = many.iter().map(|(name, state)| (name.as_str(), state.clone())).collect();
    sandbox.write("a.json", machine(&[("Start", start("", ORDERS, json!({}), ""))]));
    sandbox.write("orders.asl.json", machine(&many));
    let folder = sandbox.path("").display().to_string();
    let report = sandbox.sluice(&["check", "--format", "json", &folder]).json();
    let a = report["files"][0].to_string();
    assert!(a.contains("SL258") && a.contains("more than 500 states"), "{a}");
}

#[test]
fn who_is_asked_in_a_machine_holds_nobody_up_in_another() {
    let approve = json!({
        "Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken", "ResultPath": null,
        "Parameters": { "TopicArn": "t", "Message.$": "$$.Task.Token" }, "TimeoutSeconds": 60,
    });
    let then = |next: &str| {
        let mut approve = approve.clone();
        if next.is_empty() {
            approve["End"] = true.into()
        } else {
            approve["Next"] = next.into()
        }
        approve
    };
    let mut say = start(".sync:2", ORDERS, json!({}), "Say");
    say["ResultPath"] = Json::Null;
    let a = machine(&[("Start", say), ("Say", ask("$.q"))]);
    assert_eq!(told(&[("a.json", a), ("orders.asl.json", machine(&[("Approve", then(""))]))]), [BACK]);
    let a = machine(&[("Approve", then("Start")), ("Start", start("", ORDERS, json!({ "q.$": "$.q" }), ""))]);
    let asked = format!("{BY_ANOTHER}; `a.json: Approve` asks a person on the way");
    assert_eq!(
        told(&[("a.json", a), ("orders.asl.json", machine(&[("Ask", ask("$.q"))]))]),
        [BY_ITSELF, asked.as_str()]
    );
}
