//! Native definitions of state machines: each construct, and what has no equivalent.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::{corpus, gaps, whole};

/// A machine of these states, in their order, the first one first; whoever names no `Next` and may have one ends it.
fn machine(states: &[(&str, Json)]) -> String {
    inner(states).to_string()
}

fn inner(states: &[(&str, Json)]) -> Json {
    let mut made = serde_json::Map::new();
    for (name, state) in states {
        let mut state = state.clone();
        let kind = state["Type"].as_str().unwrap().to_owned();
        if state.get("Next").is_none() && !matches!(kind.as_str(), "Choice" | "Succeed" | "Fail") {
            state["End"] = true.into();
        }
        made.insert((*name).to_owned(), state);
    }
    json!({ "StartAt": states[0].0, "States": made })
}

/// A publication of what the path picks.
fn tell(path: &str) -> Json {
    json!({ "Type": "Task", "Resource": "arn:aws:states:::sns:publish",
        "Parameters": { "TopicArn": "arn:aws:sns:eu-west-1:1:orders", "Message.$": path } })
}

#[test]
fn a_pass_a_task_a_choice_and_an_end_are_a_list_of_tasks() {
    let look = json!({ "Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem",
        "Parameters": { "TableName": "orders", "Key": { "id": { "S.$": "$.id" } } },
        "ResultSelector": { "state.$": "$.Item.state.S" }, "ResultPath": "$.found", "Next": "Known?" });
    let choice = json!({ "Type": "Choice", "Default": "Unknown", "Choices": [
        { "Variable": "$.found.state", "StringEquals": "open", "Next": "Tell" },
        { "And": [{ "Variable": "$.n", "NumericGreaterThan": 3 }, { "Not": { "Variable": "$.found.x", "IsPresent": true } }], "Next": "Done" },
    ] });
    let states = [
        (
            "Shape",
            json!({ "Type": "Pass", "Parameters": { "id.$": "$.order.id", "text.$": "$.order['the text']", "n": 1 }, "Next": "Look up" }),
        ),
        ("Look up", look),
        ("Known?", choice),
        (
            "Tell",
            json!({ "Next": "Done", "Type": "Task", "Resource": "arn:aws:states:::sns:publish",
            "Parameters": { "TopicArn": "arn:aws:sns:eu-west-1:1:orders", "Message.$": "States.Format('Order {} of {}', $.id, $.text)" } }),
        ),
        ("Unknown", json!({ "Type": "Fail", "Error": "NoOrder", "Cause": "nobody knows it" })),
        ("Done", json!({ "Type": "Succeed" })),
    ];
    assert_snapshot!(whole(&machine(&states)));
}

#[test]
fn a_result_goes_where_its_path_says() {
    let pass = |more: Json| {
        let mut state = json!({ "Type": "Pass", "Result": { "a": 1 } });
        state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("P", state)
    };
    let shown = |more: Json| {
        let text = whole(&machine(&[pass(more)]));
        text.split("- P:").nth(1).and_then(|rest| rest.split("---").next()).unwrap().to_owned()
    };
    let all = [
        json!({}),
        json!({ "ResultPath": "$" }),
        json!({ "ResultPath": "$.x" }),
        json!({ "ResultPath": "$.x['y z']" }),
        json!({ "ResultPath": null }),
        json!({ "ResultPath": "$.x", "OutputPath": "$.x.a" }),
        json!({ "OutputPath": null }),
        json!({ "InputPath": "$.b", "ResultPath": "$.x" }),
    ];
    assert_snapshot!(all.map(shown).join(""));
}

#[test]
fn a_map_is_a_loop_that_keeps_its_results() {
    let item = json!({ "Type": "Pass", "Parameters": { "text.$": "$.text", "n.$": "$.n", "who.$": "$$.Execution.Input.who" }, "Next": "Tell" });
    let map = json!({ "Type": "Map", "ItemsPath": "$.lines", "ResultPath": "$.told", "Next": "Tell all",
        "ItemSelector": { "text.$": "$$.Map.Item.Value.text", "n.$": "$$.Map.Item.Index", "whose.$": "$.who" },
        "ItemProcessor": inner(&[("Item", item), ("Tell", tell("$.text"))]) });
    assert_snapshot!(whole(&machine(&[("Lines", map), ("Tell all", tell("$.who"))])));
}

#[test]
fn a_parallel_is_a_fork() {
    let one = inner(&[("Tell", tell("$.a"))]);
    let other = inner(&[
        ("Pause", json!({ "Type": "Wait", "Seconds": 5, "Next": "Pass" })),
        ("Pass", json!({ "Type": "Pass" })),
    ]);
    let both = json!({ "Type": "Parallel", "Branches": [one, other], "ResultPath": "$.both", "Next": "Tell all" });
    assert_snapshot!(whole(&machine(&[("Both", both), ("Tell all", tell("$.both[1].b"))])));
}

#[test]
fn errors_are_tried_again_and_caught() {
    let mut ask = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 30, "Next": "Tell",
        "Parameters": { "FunctionName": "arn:aws:lambda:eu-west-1:1:function:price:$LATEST", "Payload.$": "$" },
        "Retry": [{ "ErrorEquals": ["Lambda.ServiceException", "Lambda.SdkClientException"], "IntervalSeconds": 2, "MaxAttempts": 6 }],
        "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed" }] });
    let failed = ("Failed", tell("States.JsonToString($.error)"));
    let first = whole(&machine(&[("Ask", ask.clone()), ("Tell", tell("$.Payload.text")), failed.clone()]));
    ask["Retry"] = json!([{ "ErrorEquals": ["States.TaskFailed"], "BackoffRate": 1 }]);
    ask["Catch"] = json!([{ "ErrorEquals": ["States.Timeout"], "Next": "Failed" }]);
    let second = whole(&machine(&[("Ask", ask), ("Tell", tell("$.Payload.text")), failed]));
    assert_snapshot!([first, second].join("=====\n"));
}

#[test]
fn a_transition_may_lead_back() {
    let states = [
        (
            "Ask",
            json!({ "Type": "Task", "Resource": "arn:aws:states:::athena:getQueryExecution", "Parameters": { "QueryExecutionId.$": "$.id" },
            "ResultPath": "$.seen", "Next": "Done?" }),
        ),
        (
            "Done?",
            json!({ "Type": "Choice", "Choices": [{ "Variable": "$.seen.State", "StringMatches": "SUCC*", "Next": "exit" }], "Default": "Pause" }),
        ),
        ("Pause", json!({ "Type": "Wait", "Seconds": 10, "Next": "Ask" })),
        (
            "exit",
            json!({ "Type": "Choice", "Choices": [{ "Variable": "$.again", "BooleanEquals": true, "Next": "Ask" }], "Default": "end" }),
        ),
        ("end", json!({ "Type": "Pass" })),
    ];
    assert_snapshot!(whole(&machine(&states)));
}

#[test]
fn expressions_that_mean_the_same_in_jq_are_carried_over() {
    let fields = json!({
        "path.$": "$.a['b c'][0]",
        "whole.$": "$",
        "input.$": "$$.Execution.Input.a",
        "state.$": "$$.State.Name",
        "text.$": "States.Format('it\\'s {} \\{\\} {}', $.a, 3)",
        "array.$": "States.Array($.a, 'x', 1, null)",
        "item.$": "States.ArrayGetItem($.a, 2)",
        "length.$": "States.ArrayLength($.a)",
        "has.$": "States.ArrayContains($.a, $.b)",
        "read.$": "States.StringToJson($.a)",
        "written.$": "States.JsonToString($.a)",
        "merged.$": "States.JsonMerge($.a, $.b, false)",
        "sum.$": "States.MathAdd($.a, -1)",
        "parts.$": "States.StringSplit($.a, ',')",
        "list": [1, { "a.$": "$.a" }],
        "dollar": "costs ${5} and $workflow.id",
        "dollars": ["$secrets.key", { "a.$": "$.a" }],
    });
    let text = whole(&machine(&[("Set", json!({ "Type": "Pass", "Parameters": fields }))]));
    let set = text.split("- Set:").nth(1).and_then(|rest| rest.split("---").next()).unwrap();
    assert_snapshot!(set);
}

#[test]
fn what_has_no_equivalent_is_told_and_never_approximated() {
    let value = |value: &str| gaps(&machine(&[("S", json!({ "Type": "Pass", "Parameters": { "a.$": value } }))]));
    let task = |resource: &str, parameters: Json| {
        gaps(&machine(&[("T", json!({ "Type": "Task", "Resource": resource, "Parameters": parameters }))]))
    };
    let with = |more: Json| {
        let mut state = tell("$.a");
        state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        gaps(&machine(&[("T", state), ("N", json!({ "Type": "Succeed" }))]))
    };
    let rule = |rule: Json| {
        gaps(&machine(&[("C", json!({ "Type": "Choice", "Choices": [rule] })), ("N", json!({ "Type": "Succeed" }))]))
    };
    let map = |more: Json| {
        let mut state = json!({ "Type": "Map", "ItemProcessor": inner(&[("P", json!({ "Type": "Pass" }))]) });
        state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        gaps(&machine(&[("M", state)]))
    };
    let told = [
        value("$.a[*].b"),
        value("$..a"),
        value("$name"),
        value("$$.Execution.StartTime"),
        value("States.UUID()"),
        value("States.StringSplit($.a, '; ')"),
        value("words"),
        gaps(&machine(&[("J", json!({ "Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 %}" }))])),
        task(
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            json!({ "QueueUrl": "q", "MessageBody.$": "$$.Task.Token" }),
        ),
        task("arn:aws:states:::batch:submitJob.sync", json!({ "JobName": "j" })),
        task("arn:aws:states:::states:startExecution.sync:2", json!({ "StateMachineArn": "m" })),
        task("arn:aws:states:eu-west-1:1:activity:check", json!({})),
        task("${Something}", json!({})),
        task("arn:aws:states:::lambda:invoke", json!({ "FunctionName.$": "$.function" })),
        with(json!({ "Assign": { "a": 1 } })),
        with(json!({ "HeartbeatSeconds": 5 })),
        with(json!({ "Credentials": { "RoleArn": "r" } })),
        with(json!({ "ResultPath": "$.a[0]" })),
        with(json!({ "Retry": [{ "ErrorEquals": ["States.ALL"], "BackoffRate": 1.5 }] })),
        with(json!({ "Retry": [{ "ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL" }] })),
        with(json!({ "Catch": [{ "ErrorEquals": ["Own.Error"], "Next": "N" }] })),
        with(
            json!({ "Catch": [{ "ErrorEquals": ["States.Timeout"], "Next": "N" }, { "ErrorEquals": ["States.ALL"], "Next": "N" }] }),
        ),
        rule(json!({ "Variable": "$.a", "StringGreaterThan": "b", "Next": "N" })),
        rule(json!({ "Variable": "$.a", "TimestampEqualsPath": "$.b", "Next": "N" })),
        rule(json!({ "Variable": "$.a", "StringMatches": "a*b", "Next": "N" })),
        gaps(&machine(&[("W", json!({ "Type": "Wait", "TimestampPath": "$.at" }))])),
        map(json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:getObject" } })),
        map(json!({ "ToleratedFailurePercentage": 5 })),
        with(json!({ "Next": "Nowhere" })),
        with(json!({ "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Nowhere" }] })),
        rule(json!({ "Variable": "$.a", "IsString": true, "Next": "Nowhere" })),
        gaps(&json!({ "StartAt": "Nowhere", "States": { "P": { "Type": "Pass", "End": true } } }).to_string()),
    ];
    assert!(told.iter().all(|gaps| !gaps.is_empty()), "{told:#?}");
    assert_snapshot!(told.iter().flatten().cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_is_written_of_the_corpus_reads_and_hides_no_flow() {
    corpus("asl", 1);
}
