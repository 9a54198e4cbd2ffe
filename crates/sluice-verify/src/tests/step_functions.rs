//! State machines of Step Functions: what is followed through each construct, and what is found.

use std::collections::BTreeMap;

use sluice_formats::{Confidence, Format};

use super::foreign::{corpus, flows, imported, raises_by_page, surveyed};

/// A task with a `Catch`-less call, its `Parameters` and what follows.
fn task(resource: &str, parameters: &str, rest: &str) -> String {
    format!(r#"{{"Type": "Task", "Resource": "arn:aws:states:::{resource}", "Parameters": {parameters}, {rest}}}"#)
}

/// A machine whose last state fetches the URL that a path names.
fn fetching(before: &str, path: &str) -> String {
    let fetch = task("http:invoke", &format!(r#"{{"ApiEndpoint.$": "{path}"}}"#), r#""End": true"#);
    format!(r#"{{"StartAt": "First", "States": {{{before}, "Fetch": {fetch}}}}}"#)
}

#[test]
fn a_path_is_followed_through_each_way_that_data_goes() {
    let get = |rest: &str| {
        let parameters = r#"{"TableName": "hosts", "Key": {"id": {"S": "one"}}}"#;
        format!("\"First\": {}", task("dynamodb:getItem", parameters, &format!(r#"{rest}, "Next": "Fetch""#)))
    };
    let pass = |rest: &str| format!(r#""First": {{"Type": "Pass", {rest}, "Next": "Fetch"}}"#);
    for (what, before, path, is_found) in [
        ("input", pass(r#""Comment": "as it is""#), "$.url", true),
        ("a result in place of the input", get(r#""Comment": """#), "$.Item.url.S", false),
        ("a result beside the input", get(r#""ResultPath": "$.found""#), "$.found.Item.url.S", false),
        ("the input beside a result", get(r#""ResultPath": "$.found""#), "$.url", true),
        ("what stands beside a deep result", get(r#""ResultPath": "$.found.host""#), "$.found.url", true),
        // It lies in an object that the caller may have written.
        ("a deep result", get(r#""ResultPath": "$.found.host""#), "$.found.host", true),
        ("a result that is thrown away", get(r#""ResultPath": null"#), "$.url", true),
        ("an output path", get(r#""ResultPath": "$.found", "OutputPath": "$.found""#), "$.Item", false),
        ("the context", get(r#""Comment": """#), "$$.Execution.Input.url", true),
        ("the context's own words", get(r#""Comment": """#), "$$.Execution.Name", false),
        ("a constant", pass(r#""Result": {"url": "https://a.example/x"}"#), "$.url", false),
        ("a template", pass(r#""Parameters": {"a": {"url.$": "$.host"}}"#), "$.a.url", true),
        (
            "beside a template",
            pass(r#""Parameters": {"a": {"url.$": "$.host"}, "b": "https://b.example/"}"#),
            "$.b",
            false,
        ),
        ("an input path", pass(r#""InputPath": "$.a", "ResultPath": "$""#), "$.url", true),
        ("no input at all", pass(r#""InputPath": null"#), "$.url", false),
        ("a variable", pass(r#""Assign": {"u.$": "$.url"}, "OutputPath": null"#), "$u", true),
        ("another variable", pass(r#""Assign": {"u.$": "$.url", "v": "https://v.example/"}"#), "$v", false),
        ("a selector", get(r#""ResultSelector": {"u.$": "$.Item"}"#), "$.u", false),
        ("a filter", pass(r#""Comment": """#), "$.all[?(@.a == 1)].url", true),
        ("a descent", pass(r#""Comment": """#), "$..url", true),
        ("a call", pass(r#""Comment": """#), "States.ArrayGetItem($.urls, 0)", true),
        ("a nested call", pass(r#""Comment": """#), "States.Format('{}', States.StringToJson($.a))", true),
        ("what is no path", pass(r#""Comment": """#), "not a path", true),
        ("quoted names", pass(r#""Comment": """#), "$['a b'].url", true),
    ] {
        let found = flows(&fetching(&before, path));
        let wanted = "execution input -> Fetch: url_host (conditional)".to_owned();
        assert_eq!(found.contains(&wanted), is_found, "{what}: {found:?}");
    }
}

#[test]
fn behind_a_fixed_host_a_path_is_a_path() {
    let pass = r#""First": {"Type": "Pass", "Next": "Fetch"}"#;
    let found = flows(&fetching(pass, "States.Format('https://a.example/{}', $.id)"));
    assert!(found.len() == 1 && found[0].starts_with("execution input -> Fetch: url_"), "{found:?}");
}

#[test]
fn a_function_is_the_authors_own_code_and_makes_its_reply_of_what_it_is_sent() {
    let call = task("lambda:invoke", r#"{"FunctionName": "f", "Payload.$": "$"}"#, r#""Next": "Fetch""#);
    let found = flows(&fetching(&format!("\"First\": {call}"), "$.Payload.url"));
    assert_eq!(found, ["execution input -> Fetch: url_host (conditional)"]);
}

#[test]
fn jsonata_is_anything_made_from_what_it_names() {
    for (what, first, endpoint, is_found) in [
        ("a path", "{}", "{% $states.input.url %}", true),
        ("a concatenation", "{}", "{% 'https://' & $states.input.host %}", true),
        ("a constant", "{}", "{% 'https://a.example/' & $uuid() %}", false),
        ("a variable", r#"{"Assign": {"u": "{% $states.input.url %}"}, "Output": "none"}"#, "{% $u %}", true),
        ("a swap", r#"{"Assign": {"u": "{% $states.input.url %}", "v": "{% $u %}"}, "Output": 1}"#, "{% $v %}", false),
        ("an output", r#"{"Output": {"a": "{% $states.input.url %}"}}"#, "{% $states.input.a %}", true),
        ("another output", r#"{"Output": {"a": "{% $states.input.url %}", "b": "x"}}"#, "{% $states.input.b %}", false),
        ("a name of a list", r#"{"Output": {"l": ["{% $states.input %}"]}}"#, "{% $states.input.l.url %}", true),
        ("a text that is evaluated", "{}", "{% $eval('$states.input.url') %}", true),
        ("no query", "{}", "$states.input.url", false),
    ] {
        let rest = if first == "{}" {
            String::new()
        } else {
            format!("{}, ", first.strip_prefix('{').and_then(|f| f.strip_suffix('}')).unwrap_or_default())
        };
        let text = format!(
            r#"{{"QueryLanguage": "JSONata", "StartAt": "First", "States": {{
                "First": {{"Type": "Pass", {rest}"Next": "Fetch"}},
                "Fetch": {{"Type": "Task", "Resource": "arn:aws:states:::http:invoke",
                    "Arguments": {{"ApiEndpoint": "{endpoint}"}}, "End": true}}}}}}"#
        );
        let found = flows(&text);
        assert_eq!(found.iter().any(|f| f.contains("url_host")), is_found, "{what}: {found:?}");
    }
}

#[test]
fn machines_inside_machines_pass_their_data_in_and_out() {
    let fetch = |path: &str| task("http:invoke", &format!(r#"{{"ApiEndpoint.$": "{path}"}}"#), r#""End": true"#);
    let wanted = "execution input -> Fetch: url_host (conditional)";
    for (what, text) in [
        (
            "an item",
            format!(
                r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "ItemsPath": "$.list", "End": true,
            "ItemProcessor": {{"StartAt": "Fetch", "States": {{"Fetch": {}}}}}}}}}}}"#,
                fetch("$.url")
            ),
        ),
        (
            "a selected item",
            format!(
                r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "End": true,
            "ItemSelector": {{"u.$": "$$.Map.Item.Value.url"}},
            "Iterator": {{"StartAt": "Fetch", "States": {{"Fetch": {}}}}}}}}}}}"#,
                fetch("$.u")
            ),
        ),
        (
            "what the items became",
            format!(
                r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "Next": "Fetch",
            "ItemProcessor": {{"StartAt": "P", "States": {{"P": {{"Type": "Pass", "End": true}}}}}}}},
            "Fetch": {}}}}}"#,
                fetch("$[0]")
            ),
        ),
        (
            "a branch",
            format!(
                r#"{{"StartAt": "B", "States": {{"B": {{"Type": "Parallel", "Next": "Fetch", "Branches": [
            {{"StartAt": "P", "States": {{"P": {{"Type": "Pass", "Result": "https://a.example/", "End": true}}}}}},
            {{"StartAt": "Q", "States": {{"Q": {{"Type": "Pass", "End": true}}}}}}]}}, "Fetch": {}}}}}"#,
                fetch("$[1].url")
            ),
        ),
        (
            "a branch behind one that fails",
            format!(
                r#"{{"StartAt": "B", "States": {{"B": {{"Type": "Parallel", "End": true,
            "Branches": [{{"StartAt": "P", "States": {{"P": {{"Type": "Fail"}}}}}},
            {{"StartAt": "Fetch", "States": {{"Fetch": {}}}}}]}}}}}}"#,
                fetch("$.url")
            ),
        ),
        (
            "a caught error",
            format!(
                r#"{{"StartAt": "B", "States": {{"B": {{"Type": "Parallel", "End": true, "Branches": [
            {{"StartAt": "P", "States": {{"P": {{"Type": "Fail", "CausePath": "$.why"}}}}}}],
            "Catch": [{{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Fetch"}}]}}, "Fetch": {}}}}}"#,
                fetch("$.e.Cause")
            ),
        ),
        (
            "a choice",
            format!(
                r#"{{"StartAt": "C", "States": {{"C": {{"Type": "Choice", "Choices": [
            {{"Variable": "$.a", "IsPresent": true, "Next": "Fetch"}}]}}, "Fetch": {}}}}}"#,
                fetch("$.url")
            ),
        ),
    ] {
        let found = flows(&text);
        assert!(found.contains(&wanted.to_owned()), "{what}: {found:?}");
    }
    let constant = format!(
        r#"{{"StartAt": "B", "States": {{"B": {{"Type": "Parallel", "Next": "Fetch", "Branches": [
        {{"StartAt": "P", "States": {{"P": {{"Type": "Pass", "Result": "https://a.example/", "End": true}}}}}},
        {{"StartAt": "Q", "States": {{"Q": {{"Type": "Pass", "End": true}}}}}}]}}, "Fetch": {}}}}}"#,
        fetch("$[0]")
    );
    assert_eq!(flows(&constant), [""; 0], "the other branch's result is a constant");
}

#[test]
fn what_goes_to_a_model_a_query_or_a_person_is_told_apart() {
    for (resource, parameters, kind) in [
        ("bedrock:invokeModel", r#"{"ModelId": "m", "Body": {"prompt.$": "$.q"}}"#, "prompt"),
        ("athena:startQueryExecution", r#"{"QueryString.$": "States.Format('SELECT {}', $.q)"}"#, "query_injection"),
        ("aws-sdk:ssm:sendCommand", r#"{"DocumentName": "d", "Parameters": {"commands.$": "$.q"}}"#, "command"),
        ("sns:publish", r#"{"PhoneNumber.$": "$.q", "Message": "m"}"#, "recipient"),
        ("aws-sdk:iam:createUser", r#"{"UserName.$": "$.q"}"#, "privileged"),
        ("aws-sdk:s3:getObject", r#"{"Bucket": "b", "Key.$": "$.q"}"#, "object_ref"),
        ("sqs:sendMessage", r#"{"QueueUrl.$": "$.q", "MessageBody": "m"}"#, "resource"),
    ] {
        let text =
            format!(r#"{{"StartAt": "T", "States": {{"T": {}}}}}"#, task(resource, parameters, r#""End": true"#));
        let found = flows(&text);
        assert!(found.contains(&format!("execution input -> T: {kind} (conditional)")), "{resource}: {found:?}");
    }
}

#[test]
fn a_role_that_the_input_chooses_is_a_resource() {
    let rest = r#""Credentials": {"RoleArn.$": "$.role"}, "End": true"#;
    let call = task("lambda:invoke", r#"{"FunctionName": "f", "Payload": {}}"#, rest);
    let found = flows(&format!(r#"{{"StartAt": "T", "States": {{"T": {call}}}}}"#));
    assert_eq!(found, ["execution input -> T: resource (conditional)"]);
}

#[test]
fn sensitive_data_of_a_store_that_leaves_is_an_egress() {
    let get = task("aws-sdk:secretsmanager:getSecretValue", r#"{"SecretId": "s"}"#, r#""Next": "Tell""#);
    let tell = task("sns:publish", r#"{"TopicArn": "${T}", "Message.$": "$.SecretString"}"#, r#""End": true"#);
    let text = format!(r#"{{"StartAt": "Read", "States": {{"Read": {get}, "Tell": {tell}}}}}"#);
    assert_eq!(flows(&text), ["Read -> Tell: egress (direct)"]);
}

#[test]
fn a_person_who_holds_the_token_is_a_gate() {
    for (resource, name, is_gate) in [
        ("sns:publish.waitForTaskToken", "Ask", true),
        ("sqs:sendMessage.waitForTaskToken", "Manual approval", true),
        ("sqs:sendMessage.waitForTaskToken", "Work", false),
        ("sns:publish", "Ask", false),
    ] {
        let ask = task(resource, r#"{"Message.$": "$"}"#, r#""End": true"#);
        let import = imported(&format!(r#"{{"StartAt": "{name}", "States": {{"{name}": {ask}}}}}"#)).unwrap();
        assert_eq!(import.steps.values().any(|fact| fact.human_gate), is_gate, "{resource} {name}");
    }
}

#[test]
fn names_that_are_not_there_are_told_and_states_of_no_type_refused() {
    let dangling = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}"#;
    assert!(surveyed(dangling).findings.iter().any(|f| f.name == "dangling-reference"));
    let refused = imported("{\n \"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Loop\"}}}").unwrap_err();
    assert_eq!((refused[0].code.0, refused[0].span.line), (822, 2));
}

#[test]
fn every_page_of_a_rule_on_state_machines_holds() {
    raises_by_page(&[280, 281, 282, 283]);
}

#[test]
fn the_whole_corpus_is_lowered_or_refused_with_a_place() {
    let Some(run) = corpus(&["asl"], Format::StepFunctions) else { return };
    let unknown = run.imports.iter().flat_map(|i| i.steps.values()).filter(|f| f.confidence == Confidence::Assumed);
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in unknown {
        *types.entry(&fact.node_type).or_default() += 1;
    }
    println!("unknown: {types:?}");
    assert!(run.refused == 0, "every file of the folder is a state machine");
}
