//! Native definitions of Logic Apps and flows: each construct, and what has no equivalent.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::{corpus, gaps, whole};

/// A workflow that a request starts; each action without a `runAfter` follows the one before it.
fn workflow(actions: &[(&str, Json)]) -> String {
    started_by(json!({ "Asked": { "type": "Request", "kind": "Http" } }), actions)
}

fn started_by(triggers: Json, actions: &[(&str, Json)]) -> String {
    let definition = json!({
        "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        "parameters": {
            "$connections": { "type": "Object", "defaultValue": {} },
            "team": { "type": "String", "defaultValue": "sales" },
            "given": { "type": "String" },
            "key": { "type": "SecureString", "defaultValue": "" },
        },
        "triggers": triggers,
        "actions": block(actions),
    });
    json!({ "definition": definition }).to_string()
}

fn block(actions: &[(&str, Json)]) -> Json {
    let mut made = serde_json::Map::new();
    let mut before: Option<&str> = None;
    for (name, action) in actions {
        let mut action = action.clone();
        if action.get("runAfter").is_none() {
            action["runAfter"] = before.map_or_else(|| json!({}), |before| json!({ before: ["Succeeded"] }));
        }
        made.insert((*name).to_owned(), action);
        before = Some(name);
    }
    made.into()
}

fn compose(inputs: Json) -> Json {
    json!({ "type": "Compose", "inputs": inputs })
}

/// A mail with this text.
fn mail(text: &str) -> Json {
    json!({ "type": "ApiConnection", "inputs": {
        "host": { "connection": { "name": "@parameters('$connections')['office365']['connectionId']" } },
        "method": "post", "path": "/v2/Mail",
        "body": { "To": "team@example.com", "Subject": "News", "Body": text },
    } })
}

fn get(uri: &str) -> Json {
    json!({ "type": "Http", "inputs": { "method": "GET", "uri": uri } })
}

/// What is written of the actions, without the contracts.
fn tasks(content: &str, first: &str) -> String {
    let text = whole(content);
    let head = format!("- {first}:");
    let (_, rest) = text.split_once(&head).unwrap_or_else(|| panic!("{text}"));
    format!("{head}{}", rest.split("---").next().unwrap())
}

#[test]
fn a_request_that_asks_a_service_and_sends_a_mail_is_a_list_of_calls() {
    let answer = json!({ "type": "Response", "kind": "Http", "inputs": { "statusCode": 200, "body": { "ok": true, "id": "@outputs('Order_id')" } } });
    let actions = [
        ("Order id", compose(json!("@triggerBody()?['order']?['id']"))),
        ("Look up", get("https://shop.example.com/orders/@{outputs('Order_id')}?full=true")),
        (
            "Tell",
            mail("Order @{body('Look_up')?['number']} of @{triggerBody()?['customer']} for @{parameters('team')}"),
        ),
        ("Answer", answer),
    ];
    assert_snapshot!(whole(&workflow(&actions)));
}

#[test]
fn a_way_is_chosen_once() {
    let test = json!({ "and": [{ "equals": ["@triggerBody()?['kind']", "order"] }, { "not": { "contains": ["@triggerBody()?['text']", "test"] } }] });
    let choice = json!({ "type": "If", "expression": test, "actions": block(&[("Yes", mail("yes"))]),
        "else": { "actions": block(&[("No", mail("no"))]) } });
    let only = json!({ "type": "If", "expression": "@greater(length(triggerBody()?['lines']), 3)", "actions": block(&[("Many", mail("many"))]) });
    let switch = json!({ "type": "Switch", "expression": "@toLower(triggerBody()?['team'])",
        "cases": { "A": { "case": "a", "actions": block(&[("To a", mail("a"))]) } },
        "default": { "actions": block(&[("To all", mail("all"))]) } });
    assert_snapshot!(tasks(&workflow(&[("Which", choice), ("If many", only), ("Team", switch)]), "Which"));
}

#[test]
fn loops_go_through_items_or_round_until_it_is_done() {
    let each = json!({ "type": "Foreach", "foreach": "@triggerBody()?['lines']", "actions": block(&[
        ("Parts", json!({ "type": "Foreach", "foreach": "@items('Each_line')?['parts']", "actions": block(&[
            ("Tell part", mail("@{items('Each_line')?['name']}: @{items('Parts')?['name']}, @{item()?['n']}")),
        ]) })),
    ]) });
    let until = json!({ "type": "Until", "expression": "@equals(variables('state'), 'done')", "limit": { "count": 5, "timeout": "PT1H" },
        "actions": block(&[
            ("Ask", get("https://jobs.example.com/job")),
            ("Seen", json!({ "type": "SetVariable", "inputs": { "name": "state", "value": "@body('Ask')?['state']" } })),
            ("Pause", json!({ "type": "Wait", "inputs": { "interval": { "count": 5, "unit": "Minute" } } })),
        ]) });
    let state =
        json!({ "type": "InitializeVariable", "inputs": { "variables": [{ "name": "state", "type": "string" }] } });
    assert_snapshot!(tasks(&workflow(&[("State", state), ("Each line", each), ("Job", until)]), "State"));
}

#[test]
fn variables_and_lists_are_values() {
    let variable =
        |kind: &str, name: &str, value: &str| json!({ "type": kind, "inputs": { "name": name, "value": value } });
    let begin = json!({ "type": "InitializeVariable", "inputs": { "variables": [
        { "name": "all", "type": "array" }, { "name": "text", "type": "string", "value": "a" }, { "name": "n", "type": "integer" },
    ] } });
    let actions = [
        ("Begin", begin),
        ("Add", variable("AppendToArrayVariable", "all", "@triggerBody()?['a']")),
        ("More", variable("AppendToStringVariable", "text", "@triggerBody()?['b']")),
        ("Count", json!({ "type": "IncrementVariable", "inputs": { "name": "n" } })),
        ("Read", json!({ "type": "ParseJson", "inputs": { "content": "@triggerBody()?['json']", "schema": {} } })),
        (
            "Shape",
            json!({ "type": "Select", "inputs": { "from": "@body('Read')?['list']", "select": { "id": "@item()?['id']", "text": "no. @{item()?['id']}" } } }),
        ),
        (
            "Open",
            json!({ "type": "Query", "inputs": { "from": "@body('Shape')", "where": "@not(empty(item()?['id']))" } }),
        ),
        ("Line", json!({ "type": "Join", "inputs": { "from": "@variables('all')", "joinWith": "; " } })),
        ("Tell", mail("@{variables('n')} @{variables('text')} @{body('Line')} @{first(body('Open'))?['text']}")),
    ];
    assert_snapshot!(tasks(&workflow(&actions), "Begin"));
}

#[test]
fn what_runs_after_a_failure_runs_where_it_was_caught() {
    let after = |mut action: Json, of: &str, statuses: &[&str]| {
        action["runAfter"] = json!({ of: statuses });
        action
    };
    let work = json!({ "type": "Scope", "actions": block(&[("Ask", get("https://a.example.com/x")), ("Tell", mail("@{body('Ask')?['text']}"))]) });
    let actions = [
        ("Work", work),
        ("Failed", after(mail("it failed"), "Work", &["Failed", "TimedOut"])),
        ("Done", after(mail("it worked"), "Work", &["Succeeded"])),
        ("Always", after(mail("over"), "Failed", &["Succeeded", "Skipped"])),
    ];
    let once = tasks(&workflow(&actions), "'try Work'");
    let each = json!({ "type": "Foreach", "foreach": "@triggerBody()?['lines']", "actions": block(&actions) });
    let content = workflow(&[("Each", each)]);
    let again = tasks(&content, "Each");
    assert_snapshot!(format!("{once}=====\n{}", again.lines().take(14).collect::<Vec<_>>().join("\n")));
}

#[test]
fn a_run_ends_where_it_says_and_a_trigger_may_have_a_condition() {
    let stop = |status: &str| json!({ "type": "Terminate", "inputs": { "runStatus": status, "runError": { "code": "Bad", "message": "no @{triggerBody()?['id']}" } } });
    let choice = json!({ "type": "If", "expression": { "equals": ["@triggerBody()?['a']", 1] },
        "actions": block(&[("Enough", stop("Succeeded"))]), "else": { "actions": block(&[("Stop", stop("Failed"))]) } });
    let trigger = json!({ "On mail": { "type": "ApiConnection", "splitOn": "@triggerBody()?['value']",
        "conditions": [{ "expression": "@contains(triggerBody()?['Subject'], 'order')" }],
        "inputs": { "host": { "connection": { "name": "@parameters('$connections')['office365']['connectionId']" } }, "method": "get", "path": "/v3/Mail/OnNewEmail" } } });
    assert_snapshot!(whole(&started_by(trigger, &[("Which", choice), ("Tell", mail("@{triggerBody()?['Body']}"))])));
}

#[test]
fn a_call_is_tried_again_ends_in_time_and_sends_its_body_by_fields() {
    let post = json!({ "type": "Http", "limit": { "timeout": "PT30S" }, "inputs": {
        "method": "POST", "uri": "https://a.example.com/v1/notes", "queries": { "notify": "@triggerBody()?['n']" },
        "headers": { "Content-Type": "application/json", "X-Team": "@parameters('team')", "Authorization": "Bearer abc" },
        "body": { "text": "@triggerBody()?['text']", "list": [1, "@triggerBody()?['x']"] },
        "authentication": { "type": "ManagedServiceIdentity" },
        "retryPolicy": { "type": "fixed", "count": 3, "interval": "PT10S" } } });
    let whole_body = json!({ "type": "Http", "inputs": { "method": "PUT", "uri": "https://b.example.com/all", "body": "@triggerBody()" } });
    assert_snapshot!(whole(&workflow(&[("Note", post), ("Put", whole_body)])));
}

#[test]
fn expressions_that_mean_the_same_in_jq_are_carried_over() {
    let fields = json!({
        "path": "@triggerBody()?['a']?['b c'][0]",
        "computed": "@triggerBody()?['a'][triggerBody()?['n']]",
        "flow": "@triggerOutputs()?['body/from']",
        "header": "@triggerOutputs()?['headers']?['X-Id']",
        "text": "it's @{triggerBody()?['a']} and @@{this}",
        "alone": "@{triggerBody()?['a']}",
        "escaped": "@@mention",
        "quoted": "@concat('it''s ', triggerBody()?['a'], 3)",
        "choice": "@if(equals(triggerBody()?['a'], null), 'x', 'y')",
        "logic": "@and(not(empty(triggerBody()?['a'])), or(greater(triggerBody()?['n'], -1), less(1.5, triggerBody()?['n'])))",
        "has": "@contains(triggerBody()?['a'], 'b')",
        "starts": "@startsWith(triggerBody()?['a'], 'B')",
        "first": "@coalesce(triggerBody()?['a'], triggerBody()?['b'], 'none')",
        "parts": "@first(split(triggerBody()?['a'], ','))",
        "joined": "@join(createArray(triggerBody()?['a'], 'x'), '; ')",
        "part": "@substring(triggerBody()?['a'], 2, 3)",
        "some": "@take(skip(triggerBody()?['a'], 1), 2)",
        "replaced": "@replace(toUpper(trim(triggerBody()?['a'])), 'A', 'b')",
        "json": "@json(triggerBody()?['a'])",
        "written": "@string(triggerBody())",
        "sum": "@add(int(triggerBody()?['n']), mul(2, 3))",
        "more": "@setProperty(triggerBody(), 'x', encodeUriComponent(triggerBody()?['a']))",
        "usual": "@parameters('team')",
        "dollar": "costs ${5} and $workflow.id",
        "list": [1, { "a": "@triggerBody()?['a']" }],
    });
    assert_snapshot!(tasks(&workflow(&[("Set", compose(fields))]), "Set"));
}

#[test]
fn what_has_no_equivalent_is_told_and_never_approximated() {
    let value = |text: &str| gaps(&workflow(&[("V", compose(json!(text)))]));
    let one = |action: Json| gaps(&workflow(&[("A", action)]));
    let input = |kind: &str, inputs: Json| one(json!({ "type": kind, "inputs": inputs }));
    let each = |action: Json| {
        one(json!({ "type": "Foreach", "foreach": "@triggerBody()", "actions": block(&[("I", action)]) }))
    };
    let after_failure = {
        let mut handler = mail("failed");
        handler["runAfter"] = json!({ "S": ["Failed"] });
        let stop = json!({ "type": "Terminate", "inputs": { "runStatus": "Failed" } });
        gaps(&workflow(&[("S", json!({ "type": "Scope", "actions": block(&[("T", stop)]) })), ("H", handler)]))
    };
    let with = |more: Json| {
        let mut action = get("https://a.example.com/x");
        action.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one(action)
    };
    let connection = |operation: &str| json!({ "host": { "apiId": "/providers/Microsoft.PowerApps/apis/shared_approvals", "operationId": operation } });
    let told = [
        value("@utcNow()"),
        value("@formatDateTime(triggerBody()?['at'], 'yyyy')"),
        value("@guid()"),
        value("@xpath(xml(triggerBody()), '/a')"),
        value("@outputs('Gone')"),
        value("@items('Gone')"),
        value("@item()"),
        value("@variables('gone')"),
        value("@parameters('given')"),
        value("@parameters('key')"),
        value("@indexOf(triggerBody(), 'a')"),
        value("@split(triggerBody(), triggerBody()?['by'])"),
        value("@result('V')"),
        value("@concat('a"),
        gaps(&workflow(&[("A", get("https://a.example.com/x")), ("V", compose(json!("@outputs('A')['statusCode']")))])),
        gaps(&workflow(&[
            ("A", get("https://a.example.com/x")),
            ("V", compose(json!("@outputs('A')[triggerBody()?['name']]"))),
        ])),
        gaps(&workflow(&[("S", json!({ "type": "Scope", "actions": {} })), ("V", compose(json!("@outputs('S')")))])),
        input("JavaScriptCode", json!({ "code": "return 1" })),
        input("Table", json!({ "from": "@triggerBody()", "format": "CSV" })),
        input("Xslt", json!({ "content": "@triggerBody()" })),
        input("Workflow", json!({ "host": { "workflow": { "id": "/x" } }, "body": {} })),
        input("HttpWebhook", json!({ "subscribe": { "uri": "https://a.example.com" } })),
        input("OpenApiConnectionWebhook", connection("StartAndWaitForAnApproval")),
        input("Wait", json!({ "until": { "timestamp": "@triggerBody()" } })),
        input("Http", json!({ "method": "GET", "uri": "@triggerBody()?['url']" })),
        input("Http", json!({ "method": "GET", "uri": "http://a.example.com/" })),
        input("Http", json!({ "method": "POST", "uri": "https://a.example.com/", "body": "a=@{triggerBody()}" })),
        input(
            "Http",
            json!({ "method": "GET", "uri": "https://a.example.com/", "headers": { "Authorization": "@triggerBody()" } }),
        ),
        with(json!({ "limit": { "timeout": "P1M" } })),
        with(json!({ "runtimeConfiguration": { "paginationPolicy": { "minimumItemCount": 100 } } })),
        with(
            json!({ "inputs": { "method": "GET", "uri": "https://a.example.com/", "retryPolicy": { "type": "exponential", "count": 3, "interval": "PT5S" } } }),
        ),
        one(json!({ "type": "Agent", "inputs": {}, "tools": { "t": { "actions": block(&[("M", mail("x"))]) } } })),
        each(json!({ "type": "Terminate", "inputs": { "runStatus": "Succeeded" } })),
        after_failure,
        one(compose(json!({ "@{triggerBody()}": 1 }))),
    ];
    assert!(told.iter().all(|gaps| !gaps.is_empty()), "{told:#?}");
    assert_snapshot!(told.iter().flatten().cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn of_several_triggers_one_is_named() {
    let triggers = json!({ "Asked": { "type": "Request" }, "Daily": { "type": "Recurrence", "recurrence": { "frequency": "Day", "interval": 1 } } });
    let content = started_by(triggers, &[("Tell", mail("x"))]);
    let opened = |start| sluice_formats::native::open("export.json", content.as_bytes(), start).unwrap().result;
    let message = |start| opened(start).unwrap_err().first().map(|found| found.message.clone()).unwrap_or_default();
    assert!(message(None).contains("several starts: `Asked`, `Daily`"), "{}", message(None));
    assert!(message(Some("Gone")).contains("`Gone`"));
    assert!(opened(Some("Daily")).unwrap().1.files().definition.contains("- Daily:"));
}

#[test]
fn what_would_grow_without_bound_is_told() {
    let mut nested = "1".to_owned();
    for _ in 0..30 {
        nested = format!("range({nested}, 1)");
    }
    let (definition, files, _) = super::written(&workflow(&[("V", compose(json!(format!("@{nested}"))))]));
    assert!(definition.gaps.is_empty() && files.definition.len() < 4_000, "each call is written once");
    let long = format!("@triggerBody(){}", ".a".repeat(200));
    assert!(gaps(&workflow(&[("V", compose(json!(long)))])).iter().any(|gap| gap.contains("too long")));
    let name = "n".repeat(2_000);
    let opened = sluice_formats::native::open("long.json", workflow(&[(&name, compose(json!(1)))]).as_bytes(), None);
    let refused = opened.unwrap().result.unwrap_err();
    assert!(refused.iter().any(|found| found.message.contains("longer than 1000 bytes")), "{refused:?}");
}

#[test]
fn no_depth_of_blocks_overflows_the_stack() {
    let mut inner = mail("x");
    for _ in 0..20 {
        inner = json!({ "type": "Scope", "actions": { "S": inner } });
    }
    let opened = sluice_formats::native::open("deep.json", workflow(&[("S", inner)]).as_bytes(), None).unwrap();
    assert!(opened.result.unwrap_err().iter().any(|found| found.code.to_string() == "SL843"));
}

#[test]
fn what_is_written_of_the_corpus_reads_and_hides_no_flow() {
    corpus("logic-apps", 1);
    corpus("power-automate", 1);
}
