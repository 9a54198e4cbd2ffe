//! Workflows of Logic Apps and Power Automate: what is followed through each construct, and what is found.

use std::collections::BTreeMap;

use sluice_formats::{Confidence, Format};

use super::foreign::{corpus, flows, imported, raises_by_page, surveyed};

const HTTP: &str = r#""manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}"#;

fn definition(trigger: &str, actions: &str) -> String {
    format!(r#"{{"definition": {{"triggers": {{{trigger}}}, "actions": {{{actions}}}}}}}"#)
}

/// An action that fetches the URL that an expression gives, after another one.
fn fetch(uri: &str, after: &str) -> String {
    let after = if after.is_empty() { String::new() } else { format!(r#""{after}": ["Succeeded"]"#) };
    format!(r#""Fetch": {{"type": "Http", "inputs": {{"method": "GET", "uri": "{uri}"}}, "runAfter": {{{after}}}}}"#)
}

/// An action of a type.
fn action(name: &str, kind: &str, rest: &str) -> String {
    format!(r#""{name}": {{"type": "{kind}", {rest}}}"#)
}

#[test]
fn an_expression_is_followed_through_each_way_that_data_goes() {
    let compose = |value: &str| action("A b", "Compose", &format!(r#""inputs": {value}"#));
    let variables = |more: &str| {
        let first = r#""inputs": {"variables": [{"name": "u", "type": "string", "value": "https://a.example/"}]}"#;
        format!("{}, {more}", action("Init", "InitializeVariable", first))
    };
    for (what, before, uri, after, is_found) in [
        ("the body", String::new(), "@triggerBody()?['url']", "", true),
        ("any case", String::new(), "@TriggerBody()['url']", "", true),
        ("the outputs", String::new(), "@triggerOutputs()?['headers']?['x']", "", true),
        ("a field of the body, as flows have it", String::new(), "@triggerOutputs()?['body/url']", "", true),
        ("inside a text", String::new(), "https://@{triggerBody()?['host']}/x", "", true),
        ("a call", String::new(), "@concat('https://', triggerBody()?['host'])", "", true),
        ("nested calls", String::new(), "@first(split(string(triggerBody()), ','))", "", true),
        ("an escaped text", String::new(), "@@triggerBody()", "", false),
        ("an escaped part", String::new(), "https://a.example/@@{triggerBody()}", "", false),
        ("a quoted quote", String::new(), "@concat('it''s ', triggerBody())", "", true),
        ("what does not parse", String::new(), "@concat('https://', triggerBody()", "", true),
        ("a parameter", String::new(), "@parameters('url')", "", false),
        ("a name with a space", compose(r#""@triggerBody()""#), "@outputs('A_b')", "A b", true),
        (
            "a field of what is composed",
            compose(r#"{"a": "@triggerBody()", "b": "x"}"#),
            "@outputs('A_b')['a']",
            "A b",
            true,
        ),
        (
            "another field",
            compose(r#"{"a": "@triggerBody()", "b": "https://x"}"#),
            "@outputs('A_b')['b']",
            "A b",
            false,
        ),
        ("a whole action", compose(r#""@triggerBody()""#), "@actions('A_b').outputs", "A b", true),
        ("a choice of two", compose(r#""@triggerBody()""#), "@if(true, 'https://x/', outputs('A_b'))", "A b", true),
        ("a condition", compose(r#""x""#), "@if(equals(triggerBody(), 1), 'https://x/', 'https://y/')", "A b", false),
        (
            "a variable",
            variables(&action(
                "Set",
                "SetVariable",
                r#""inputs": {"name": "u", "value": "@triggerBody()"}, "runAfter": {"Init": ["Succeeded"]}"#,
            )),
            "@variables('u')",
            "Set",
            true,
        ),
        (
            "a variable that is a constant again",
            variables(&action(
                "Set",
                "SetVariable",
                r#""inputs": {"name": "u", "value": "https://b/"}, "runAfter": {"Init": ["Succeeded"]}"#,
            )),
            "@variables('u')",
            "Set",
            false,
        ),
        (
            "a variable of an action that runs at the same time",
            variables(&action(
                "Set",
                "SetVariable",
                r#""inputs": {"name": "u", "value": "@triggerBody()"}, "runAfter": {"Init": ["Succeeded"]}"#,
            )),
            "@variables('u')",
            "Init",
            true,
        ),
        (
            "a list that is filtered",
            action("Q", "Query", r#""inputs": {"from": "@triggerBody()", "where": "@true"}"#),
            "@first(body('Q'))",
            "Q",
            true,
        ),
        (
            "a list that is mapped",
            action("S", "Select", r#""inputs": {"from": "@triggerBody()", "select": {"u": "@item()['u']"}}"#),
            "@body('S')[0]['u']",
            "S",
            true,
        ),
        (
            "parsed JSON",
            action("P", "ParseJson", r#""inputs": {"content": "@triggerBody()?['t']", "schema": {}}"#),
            "@body('P')?['u']",
            "P",
            true,
        ),
        (
            "a program",
            action("J", "JavaScriptCode", r#""inputs": {"code": "return workflowContext.trigger.outputs.body.u"}"#),
            "@outputs('J')?['body']",
            "J",
            true,
        ),
        (
            "a program that reads nothing",
            action("J", "JavaScriptCode", r#""inputs": {"code": "return 1"}"#),
            "@outputs('J')?['body']",
            "J",
            false,
        ),
    ] {
        let comma = if before.is_empty() { "" } else { ", " };
        let text = definition(HTTP, &format!("{before}{comma}{}", fetch(uri, after)));
        let found = flows(&text);
        let wanted = "manual -> Fetch: url_host (direct)".to_owned();
        assert_eq!(found.contains(&wanted), is_found, "{what}: {found:?}");
    }
}

#[test]
fn actions_inside_actions_see_what_is_around_them() {
    let inner = fetch("@items('Each')?['url']", "");
    let plain = fetch("@triggerBody()?['url']", "");
    for (what, actions) in [
        ("a loop", action("Each", "Foreach", &format!(r#""foreach": "@triggerBody()", "actions": {{{inner}}}"#))),
        (
            "an arm",
            action("C", "If", &format!(r#""expression": {{}}, "actions": {{}}, "else": {{"actions": {{{plain}}}}}"#)),
        ),
        (
            "a case",
            action(
                "S",
                "Switch",
                &format!(r#""expression": "@1", "cases": {{"a": {{"case": 1, "actions": {{{plain}}}}}}}"#),
            ),
        ),
        (
            "a default",
            action(
                "S",
                "Switch",
                &format!(r#""expression": "@1", "cases": {{}}, "default": {{"actions": {{{plain}}}}}"#),
            ),
        ),
        ("a scope", action("T", "Scope", &format!(r#""actions": {{{plain}}}"#))),
        ("another loop", action("U", "Until", &format!(r#""expression": "@true", "actions": {{{plain}}}"#))),
        (
            "what a scope did",
            format!(
                "{}, {}",
                action(
                    "T",
                    "Scope",
                    &format!(r#""actions": {{{}}}"#, action("X", "Compose", r#""inputs": "@triggerBody()""#))
                ),
                fetch("@result('T')[0]['outputs']", "T")
            ),
        ),
    ] {
        let found = flows(&definition(HTTP, &actions));
        assert!(found.contains(&"manual -> Fetch: url_host (direct)".to_owned()), "{what}: {found:?}");
    }
}

#[test]
fn connectors_are_known_in_each_of_their_shapes() {
    for (what, inputs, kind) in [
        (
            "a path",
            r#""type": "ApiConnection", "inputs": {"host": {"connection": {"name": "@parameters('$connections')['office365']['connectionId']"}}, "method": "post", "path": "/v2/Mail", "body": {"To": "@triggerBody()?['to']"}}"#,
            "recipient",
        ),
        (
            "a reference",
            r#""type": "ApiConnection", "inputs": {"host": {"connection": {"referenceName": "office365-2"}}, "method": "post", "path": "/v2/Mail", "body": {"To": "@triggerBody()?['to']"}}"#,
            "recipient",
        ),
        (
            "an operation",
            r#""type": "OpenApiConnection", "inputs": {"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_office365", "operationId": "SendEmailV2"}, "parameters": {"emailMessage/To": "@triggerBody()?['to']"}}"#,
            "recipient",
        ),
        (
            "a provider",
            r#""type": "ServiceProvider", "inputs": {"serviceProviderConfiguration": {"serviceProviderId": "/serviceProviders/openai", "operationId": "getChatCompletions"}, "parameters": {"messages": [{"role": "user", "content": "@triggerBody()?['q']"}]}}"#,
            "prompt",
        ),
        (
            "a query",
            r#""type": "ServiceProvider", "inputs": {"serviceProviderConfiguration": {"serviceProviderId": "/serviceProviders/sql", "operationId": "executeQuery"}, "parameters": {"query": "SELECT @{triggerBody()?['q']}"}}"#,
            "query_injection",
        ),
        (
            "a group",
            r#""type": "OpenApiConnection", "inputs": {"host": {"apiId": "/apis/shared_office365groups", "operationId": "AddMemberToGroup"}, "parameters": {"userUpn": "@triggerBody()?['who']"}}"#,
            "privileged",
        ),
        (
            "an object",
            r#""type": "ApiConnection", "inputs": {"host": {"connection": {"referenceName": "azureblob"}}, "method": "get", "path": "/files/@{encodeURIComponent(triggerBody()?['id'])}/content"}"#,
            "object_ref",
        ),
    ] {
        let found = flows(&definition(HTTP, &format!(r#""Call": {{{inputs}}}"#)));
        assert!(found.contains(&format!("manual -> Call: {kind} (direct)")), "{what}: {found:?}");
        assert!(!found.iter().any(|f| f.contains("url_path")), "{what} is encoded: {found:?}");
    }
}

#[test]
fn an_agents_tools_are_called_with_its_words() {
    let mail = r#""Send": {"type": "ApiConnection", "inputs": {"host": {"connection": {"referenceName": "office365"}}, "method": "post", "path": "/v2/Mail", "body": {"To": "@agentParameters('to')"}}}"#;
    let agent = format!(
        r#""Agent": {{"type": "Agent", "inputs": {{"parameters": {{"messages": [{{"role": "user", "content": "@triggerBody()"}}]}}}}, "tools": {{"T": {{"actions": {{{mail}}}}}}}}}"#
    );
    let found = flows(&definition(HTTP, &agent));
    for wanted in ["manual -> Agent: prompt", "manual -> Send: agent_tool", "manual -> Send: recipient"] {
        assert!(found.iter().any(|f| f.starts_with(wanted)), "{wanted}: {found:?}");
    }
}

#[test]
fn a_mail_is_an_outsiders_and_an_approval_asks_a_person() {
    let trigger = r#""Mail": {"type": "OpenApiConnectionNotification", "inputs": {"host": {"apiId": "/apis/shared_office365", "operationId": "OnNewEmailV3"}}}"#;
    let ask = r#""Ask": {"type": "OpenApiConnectionWebhook", "inputs": {"host": {"apiId": "/apis/shared_approvals", "operationId": "StartAndWaitForAnApproval"}, "parameters": {"WebhookApprovalCreationInput/details": "@triggerBody()?['body']"}}}"#;
    let text = definition(trigger, &format!("{ask}, {}", fetch("@triggerBody()?['url']", "Ask")));
    assert!(flows(&text).contains(&"Mail -> Fetch: url_host (direct)".to_owned()));
    let import = imported(&text).unwrap();
    assert_eq!(import.steps.values().filter(|fact| fact.human_gate).count(), 1);
}

#[test]
fn each_outer_shape_is_read() {
    let inner = r#"{"$schema": "https://x/workflowdefinition.json#", "triggers": {}, "actions": {"A": {"type": "Compose", "inputs": 1}}}"#;
    for shape in [
        inner.to_owned(),
        format!(r#"{{"definition": {inner}, "kind": "Stateful"}}"#),
        format!(
            r#"{{"properties": {{"definition": {inner}, "connectionReferences": {{}}}}, "schemaVersion": "1.0.0.0"}}"#
        ),
        format!(
            r#"{{"$schema": "t", "resources": [{{"type": "x"}}, {{"type": "Microsoft.Logic/workflows", "properties": {{"definition": {inner}}}}}]}}"#
        ),
    ] {
        let import = imported(&shape).unwrap();
        assert_eq!((import.format, import.steps.len()), (Format::LogicApps, 1), "{shape}");
    }
}

#[test]
fn what_the_text_shows_by_itself_is_told() {
    for (what, actions, name) in [
        ("a missing name", action("A", "Compose", r#""inputs": "@body('B')""#), "dangling-reference"),
        (
            "a literal password",
            action(
                "A",
                "Http",
                r#""inputs": {"method": "GET", "uri": "https://a/", "authentication": {"type": "Basic", "username": "u", "password": "hunter2"}}"#,
            ),
            "hard-coded-secret",
        ),
        (
            "an unknown connector",
            action(
                "A",
                "ApiConnection",
                r#""inputs": {"host": {"connection": {"referenceName": "nobody"}}, "method": "post", "path": "/x"}"#,
            ),
            "unknown-node-type",
        ),
        (
            "no handling of errors",
            action("A", "Http", r#""inputs": {"method": "POST", "uri": "https://a/"}"#),
            "no-error-handling",
        ),
    ] {
        let findings = surveyed(&definition(HTTP, &actions)).findings;
        let found: Vec<&str> = findings.iter().map(|f| f.name).collect();
        assert!(
            found.iter().any(|f| f.contains(name) || (name == "hard-coded-secret" && f.contains("secret"))),
            "{what}: {found:?}"
        );
    }
    let refused = imported("{\"definition\": {\"triggers\": {},\n \"actions\": {\"A\": {}}}}").unwrap_err();
    assert_eq!((refused[0].code.0, refused[0].span.line), (823, 2));
}

#[test]
fn every_page_of_a_rule_on_flows_holds() {
    raises_by_page(&[290, 291]);
}

#[test]
fn the_whole_corpus_is_lowered_or_refused_with_a_place() {
    let Some(run) = corpus(&["logic-apps", "power-automate"], Format::LogicApps) else { return };
    let unknown = run.imports.iter().flat_map(|i| i.steps.values()).filter(|f| f.confidence == Confidence::Assumed);
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in unknown {
        *types.entry(&fact.node_type).or_default() += 1;
    }
    println!("unknown: {types:#?}");
    assert!(run.refused == 0, "every file of the folders is a workflow");
}
