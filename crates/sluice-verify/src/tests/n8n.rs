//! Exports of n8n: what its nodes pass on, and what real files are made into.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use sluice_formats::Format;

use super::foreign::{corpus, flows, surveyed};

/// A node: name, short type, parameters.
pub(super) type Node<'a> = (&'a str, &'a str, Json);

/// An export; a link is `from -> to`, with the port behind the sender's name where it is not the first
/// (`from:1 -> to`), or `part ~tool~> agent`.
pub(super) fn export(nodes: &[Node<'_>], links: &[&str]) -> String {
    let listed: Vec<Json> = nodes.iter().map(|(name, kind, parameters)| {
        let package = if ["agent", "chat", "lm", "memory", "vector", "document", "tool", "chain"].iter().any(|p| kind.starts_with(p)) {
            "@n8n/n8n-nodes-langchain"
        } else {
            "n8n-nodes-base"
        };
        let mut node = json!({ "name": name, "type": format!("{package}.{kind}"), "typeVersion": 3.4, "parameters": parameters });
        for key in ["disabled", "onError", "typeVersion", "alwaysOutputData", "continueOnFail", "retryOnFail"] {
            if let Some(value) = parameters.get(key) {
                node[key] = value.clone();
            }
        }
        node
    }).collect();
    let mut connections = json!({});
    for link in links {
        let (from, kind, to) = match link.split_once(" -> ") {
            Some((from, to)) => (from, "main".to_owned(), to),
            None => {
                let (from, rest) = link.split_once(" ~").unwrap();
                let (kind, to) = rest.split_once("~> ").unwrap();
                (from, format!("ai_{kind}"), to)
            }
        };
        let (from, port) = from.split_once(':').map_or((from, 0), |(from, port)| (from, port.parse().unwrap()));
        let (to, input) = to.split_once(':').map_or((to, 0), |(to, input)| (to, input.parse().unwrap()));
        let ports = &mut connections[from][&kind];
        if ports.is_null() {
            *ports = json!([]);
        }
        let ports = ports.as_array_mut().unwrap();
        while ports.len() <= port {
            ports.push(json!([]));
        }
        ports[port].as_array_mut().unwrap().push(json!({ "node": to, "type": kind, "index": input }));
    }
    json!({ "name": "test", "nodes": listed, "connections": connections }).to_string()
}

fn mail() -> Node<'static> {
    ("Mail", "gmailTrigger", json!({}))
}

fn ask(text: &str) -> Node<'_> {
    ("Ask", "chainLlm", json!({ "promptType": "define", "text": text }))
}

#[test]
fn an_open_entrance_that_leads_to_nothing_is_worth_knowing_only() {
    use sluice_core::diagnostic::Severity::{Low, Medium};
    let hook = ("Hook", "webhook", json!({ "path": "x", "typeVersion": 2 }));
    let code = |text: &str| ("Next", "code", json!({ "jsCode": text }));
    let cases = [
        ("an answer that is always the same", ("Next", "set", json!({})), Low),
        ("a program that computes", code("return [{ json: { n: 1 } }];"), Low),
        (
            "a program that calls",
            code("return [await this.helpers.httpRequest({ url: 'https://a.example' })];"),
            Medium,
        ),
        ("a look at somebody's calendar", ("Next", "googleCalendar", json!({ "operation": "getAll" })), Medium),
        ("another workflow", ("Next", "executeWorkflow", json!({ "workflowId": "nightly" })), Medium),
        ("a variable of the server", code("return [{ json: { k: $env.API_KEY } }];"), Medium),
        ("a word that makes others", code("return [{ json: { k: [].constructor } }];"), Medium),
        ("a program in Python", ("Next", "code", json!({ "language": "python", "pythonCode": "return []" })), Medium),
        ("a second factor", ("Next", "totp", json!({})), Medium),
        (
            "an answer with a stranger's words",
            ("Next", "respondToWebhook", json!({ "responseBody": "={{ $json.q }}" })),
            Medium,
        ),
        ("an answer that is fixed", ("Next", "respondToWebhook", json!({ "responseBody": "ok" })), Low),
        (
            "a secret in a field",
            ("Next", "set", json!({ "values": { "string": [{ "name": "k", "value": "={{ $vars.k }}" }] } })),
            Medium,
        ),
        ("a post that is switched off", ("Next", "slack", json!({ "disabled": true })), Low),
    ];
    for (what, next, severity) in cases {
        let found = surveyed(&export(&[hook.clone(), next], &["Hook -> Next"])).findings;
        let entrance = found.iter().find(|finding| finding.code.to_string() == "SL250").unwrap();
        assert_eq!(entrance.severity, severity, "{what}: {entrance:?}");
    }
}

/// Of an item whose fields are all known, `a` an outsider's and `c` a constant: a node that gives it other fields loses
/// neither.
#[test]
fn what_a_node_of_lists_gives_is_what_stood_in_the_fields_that_it_read() {
    let all = |more: Json| {
        let mut parameters = json!({ "aggregate": "aggregateAllItemData" });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameters
    };
    let each = |fields: Json| json!({ "fieldsToAggregate": { "fieldToAggregate": fields } });
    let group =
        |field: &str| json!({ "fieldsToSummarize": { "values": [{ "aggregation": "append", "field": field }] } });
    let rename = |keys: Json| json!({ "keys": { "key": keys } });
    let cases: Vec<(&str, Json, &str, bool)> = vec![
        ("aggregate", all(json!({})), "data[0].a", true),
        ("aggregate", all(json!({ "destinationFieldName": "rows" })), "rows[0].a", true),
        ("aggregate", all(json!({ "destinationFieldName": "rows" })), "data", false),
        ("aggregate", all(json!({ "destinationFieldName": "in.rows" })), "in.rows", true),
        ("aggregate", all(json!({ "destinationFieldName": "={{ $json.c }}" })), "fixed", true),
        ("aggregate", all(json!({ "include": "specifiedFields", "fieldsToInclude": "c, d" })), "data[0]", false),
        ("aggregate", all(json!({ "include": "specifiedFields", "fieldsToInclude": "c, a" })), "data[0]", true),
        ("aggregate", each(json!([{ "fieldToAggregate": "a" }])), "a[0]", true),
        ("aggregate", each(json!([{ "fieldToAggregate": "c" }])), "c[0]", false),
        (
            "aggregate",
            each(json!([{ "fieldToAggregate": "a", "renameField": true, "outputFieldName": "b" }])),
            "b",
            true,
        ),
        ("aggregate", each(json!([{ "fieldToAggregate": "a" }, { "fieldToAggregate": "c" }])), "c", false),
        ("aggregate", each(json!([{ "fieldToAggregate": "={{ $json.c }}" }])), "a", true),
        ("splitOut", json!({ "fieldToSplitOut": "a" }), "inner", true),
        ("splitOut", json!({ "fieldToSplitOut": "a" }), "a", true),
        ("splitOut", json!({ "fieldToSplitOut": "c" }), "a", false),
        ("splitOut", json!({ "fieldToSplitOut": "c", "include": "allOtherFields" }), "a", true),
        ("splitOut", json!({ "fieldToSplitOut": "a", "include": "allOtherFields" }), "c", false),
        ("splitOut", json!({ "fieldToSplitOut": "a, c" }), "c", false),
        ("splitOut", json!({ "fieldToSplitOut": "a, c" }), "a", true),
        ("splitOut", json!({ "fieldToSplitOut": "a", "options": { "destinationFieldName": "b" } }), "b", true),
        (
            "splitOut",
            json!({ "fieldToSplitOut": "c", "include": "selectedOtherFields", "fieldsToInclude": "a" }),
            "a",
            true,
        ),
        (
            "splitOut",
            json!({ "fieldToSplitOut": "c", "include": "selectedOtherFields", "fieldsToInclude": "d" }),
            "a",
            false,
        ),
        ("splitOut", json!({ "fieldToSplitOut": "={{ $json.c }}" }), "anything", true),
        ("summarize", group("a"), "appended_a", true),
        ("summarize", group("c"), "appended_c", false),
        ("renameKeys", rename(json!([{ "currentKey": "a", "newKey": "b" }])), "b", true),
        ("renameKeys", rename(json!([{ "currentKey": "c", "newKey": "b" }])), "b", false),
        ("renameKeys", json!({ "additionalOptions": { "regexReplacement": { "replacements": [{}] } } }), "b", true),
        ("itemLists", json!({ "operation": "concatenateItems" }), "data", true),
        // What is computed, and what is not known here, may be anything.
        ("splitOut", json!({ "fieldToSplitOut": "a", "options": { "destinationFieldName": "={{ 'p' }}" } }), "p", true),
        ("splitOut", json!({ "fieldToSplitOut": "c", "include": "={{ 'allOtherFields' }}" }), "a", true),
        ("splitOut", json!({ "fieldToSplitOut": "$json.a", "options": { "destinationFieldName": "b" } }), "b", true),
        ("splitOut", json!({ "fieldToSplitOut": "c, d", "include": "allOtherFields" }), "a", true),
        ("splitOut", json!({ "fieldToSplitOut": "a, c", "options": { "destinationFieldName": "x, x" } }), "x", true),
        (
            "splitOut",
            json!({ "fieldToSplitOut": "c", "include": "selectedOtherFields", "fieldsToInclude": "a",
                    "options": { "destinationFieldName": "a" } }),
            "a",
            true,
        ),
        ("aggregate", all(json!({ "options": { "somethingNew": "a" } })), "a", true),
        ("aggregate", json!({ "aggregate": "={{ 'aggregateAllItemData' }}" }), "data", true),
        (
            "aggregate",
            each(json!([{ "fieldToAggregate": "a", "renameField": false, "outputFieldName": "b" }])),
            "a",
            true,
        ),
        (
            "summarize",
            json!({ "fieldsToSummarize": { "values": [
                { "aggregation": "concatenate", "field": "c", "customSeparator": "={{ $json.a }}" }
            ] } }),
            "concatenated_c",
            true,
        ),
        ("summarize", group("rows[0].a"), "appended_rows", true),
        ("renameKeys", rename(json!([{ "currentKey": "missing", "newKey": "a" }])), "a", true),
        (
            "renameKeys",
            rename(json!([{ "currentKey": "a", "newKey": "b" }, { "currentKey": "b", "newKey": "e" }])),
            "e",
            true,
        ),
        ("renameKeys", rename(json!([{ "currentKey": "rows[0].text", "newKey": "b" }])), "b", true),
        ("itemLists", json!({ "operation": "limit" }), "data", false),
    ];
    let known = json!({ "assignments": { "assignments": [
        { "name": "a", "value": "={{ $json.text }}" }, { "name": "c", "value": "fixed" }, { "name": "=d", "value": "x" }
    ] } });
    let mut wrong = Vec::new();
    for (kind, parameters, read, expected) in cases {
        let text = format!("={{{{ $json.{read} }}}}");
        let nodes = [mail(), ("Known", "set", known.clone()), ("Lists", kind, parameters.clone()), ask(&text)];
        let found = flows(&export(&nodes, &["Mail -> Known", "Known -> Lists", "Lists -> Ask"]));
        if found.iter().any(|flow| flow.contains("Ask")) != expected {
            wrong.push(format!("{kind} {parameters}, reading {read}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_of_a_mail_are_followed_through_each_kind_of_node() {
    let set = |name: &'static str, fields: Json| (name, "set", json!({ "assignments": { "assignments": fields } }));
    let field = |name: &str, value: &str| json!([{ "name": name, "value": value, "type": "string" }]);
    let chain: &[&str] = &["Mail -> Set", "Set -> Ask"];
    let cases: Vec<(&str, Vec<Node<'_>>, &[&str], bool)> = vec![
        ("a field of the item", vec![mail(), ask("={{ $json.text }}")], &["Mail -> Ask"], true),
        ("text without `=`", vec![mail(), ask("{{ $json.text }}")], &["Mail -> Ask"], false),
        (
            "a field that is set from it",
            vec![mail(), set("Set", field("a", "={{ $json.text }}")), ask("={{ $json.a }}")],
            chain,
            true,
        ),
        ("a constant beside it", vec![mail(), set("Set", field("a", "fixed")), ask("={{ $json.a }}")], chain, false),
        (
            "the item that set does not keep",
            vec![mail(), set("Set", field("a", "fixed")), ask("={{ $json.text }}")],
            chain,
            false,
        ),
        (
            "a node by its name",
            vec![mail(), set("Set", field("a", "fixed")), ask("={{ $('Mail').item.json.text }}")],
            chain,
            true,
        ),
        (
            "a node by its old name",
            vec![mail(), set("Set", field("a", "fixed")), ask("={{ $node[\"Mail\"].json[\"text\"] }}")],
            chain,
            true,
        ),
        (
            "a program that names a node",
            vec![
                mail(),
                ("Set", "code", json!({ "jsCode": "return [{ json: { a: $('Mail').first().json.text } }];" })),
                ask("={{ $json.a }}"),
            ],
            chain,
            true,
        ),
        (
            "a program that builds its own",
            vec![
                mail(),
                ("Set", "code", json!({ "jsCode": "return [{ json: { a: 'fixed' } }];" })),
                ask("={{ $json.a }}"),
            ],
            chain,
            false,
        ),
        (
            "a reply in its place",
            vec![mail(), ("Set", "httpRequest", json!({ "url": "https://api.example.com/v1" })), ask("={{ $json.a }}")],
            chain,
            false,
        ),
        (
            "both ways of a branch",
            vec![mail(), ("If", "if", json!({})), ask("={{ $json.text }}")],
            &["Mail -> If", "If:1 -> Ask"],
            true,
        ),
        (
            "one input of a merge",
            vec![
                mail(),
                set("Set", field("a", "fixed")),
                ("Merge", "merge", json!({ "mode": "append" })),
                ask("={{ $json.text }}"),
            ],
            &["Mail -> Set", "Mail -> Merge:1", "Set -> Merge:0", "Merge -> Ask"],
            true,
        ),
        (
            "a loop",
            vec![
                mail(),
                ("Loop", "splitInBatches", json!({})),
                set("Set", field("a", "={{ $json.text }}")),
                ask("={{ $json.a }}"),
            ],
            &["Mail -> Loop", "Loop:1 -> Set", "Set -> Loop", "Loop:0 -> Ask"],
            true,
        ),
        (
            "a node that is switched off",
            vec![mail(), ("Off", "set", json!({ "disabled": true })), ask("={{ $json.text }}")],
            &["Mail -> Off", "Off -> Ask"],
            true,
        ),
        (
            "a sink that is switched off",
            vec![mail(), ("Ask", "chainLlm", json!({ "disabled": true, "text": "={{ $json.text }}" }))],
            &["Mail -> Ask"],
            false,
        ),
        ("a node that nothing leads to", vec![mail(), ask("={{ $('Mail').item.json.text }}")], &[], false),
        (
            "another branch that ran before",
            vec![
                mail(),
                set("Set", field("a", "={{ $json.text }}")),
                set("Two", field("b", "fixed")),
                ask("={{ $('Set').item.json.a }}"),
            ],
            &["Mail -> Set", "Mail -> Two", "Two -> Ask"],
            true,
        ),
        (
            "the item of an error port",
            vec![
                mail(),
                ("Call", "httpRequest", json!({ "url": "https://api.example.com", "onError": "continueErrorOutput" })),
                ask("={{ $json.text }}"),
            ],
            &["Mail -> Call", "Call:1 -> Ask"],
            true,
        ),
    ];
    for (what, nodes, links, is_found) in cases {
        let found = flows(&export(&nodes, links));
        assert_eq!(found.contains(&"Mail -> Ask: prompt (direct)".to_owned()), is_found, "{what}: {found:?}");
    }
}

#[test]
fn what_an_agent_reads_reaches_its_tools_its_memory_and_what_is_stored() {
    let agent = |name: &'static str, text: &str| (name, "agent", json!({ "promptType": "define", "text": text }));
    let tool =
        || ("Post", "slackTool", json!({ "resource": "message", "operation": "post", "text": "={{ $fromAI('t') }}" }));
    let found = flows(&export(
        &[mail(), agent("Agent", "={{ $json.text }}"), tool()],
        &["Mail -> Agent", "Post ~tool~> Agent"],
    ));
    assert!(found.contains(&"Mail -> Post: agent_tool (direct)".to_owned()), "{found:?}");

    let memory = ("Memory", "memoryBufferWindow", json!({}));
    let clock = ("Clock", "scheduleTrigger", json!({}));
    let nodes = [mail(), clock.clone(), agent("First", "={{ $json.text }}"), agent("Second", "go on"), memory];
    let links = ["Mail -> First", "Clock -> Second", "Memory ~memory~> First", "Memory ~memory~> Second"];
    let found = flows(&export(&nodes, &links));
    assert!(found.contains(&"Mail -> Second: prompt (direct)".to_owned()), "{found:?}");

    let store = |name: &'static str, mode: &str, index: &str| {
        (name, "vectorStorePinecone", json!({ "mode": mode, "pineconeIndex": index }))
    };
    let loader = ("Loader", "documentDefaultDataLoader", json!({}));
    for (index, is_found) in [("notes", true), ("others", false)] {
        let nodes = [
            mail(),
            clock.clone(),
            store("In", "insert", "notes"),
            loader.clone(),
            agent("Agent", "answer"),
            store("Out", "retrieve-as-tool", index),
        ];
        let links = ["Mail -> In", "Loader ~document~> In", "Clock -> Agent", "Out ~tool~> Agent"];
        let found = flows(&export(&nodes, &links));
        assert_eq!(found.contains(&"Mail -> Agent: prompt (direct)".to_owned()), is_found, "{index}: {found:?}");
    }
}

#[test]
fn a_host_that_is_constant_is_no_choice_and_a_path_behind_it_is() {
    let get = |url: &str| ("Get", "httpRequest", json!({ "url": url }));
    let set = (
        "Set",
        "set",
        json!({ "assignments": { "assignments": [{ "name": "base", "value": "https://api.example.com/v1/" }] } }),
    );
    for (what, url, kind) in [
        ("all of it", "={{ $('Mail').item.json.text }}", "url_host"),
        ("a path behind a host", "=https://api.example.com/{{ $('Mail').item.json.text }}", "url_path"),
        ("a path behind a constant from elsewhere", "={{ $json.base }}{{ $('Mail').item.json.text }}", "url_path"),
        ("a part of the host", "=https://{{ $('Mail').item.json.text }}.example.com/", "url_host"),
        ("an encoded path", "=https://api.example.com/{{ encodeURIComponent($('Mail').item.json.text) }}", ""),
        ("a constant from elsewhere", "={{ $json.base }}", ""),
    ] {
        let found = flows(&export(&[mail(), set.clone(), get(url)], &["Mail -> Set", "Set -> Get"]));
        let kinds: BTreeSet<&str> = found
            .iter()
            .filter_map(|f| f.strip_prefix("Mail -> Get: ")?.split(' ').next())
            .filter(|kind| kind.starts_with("url"))
            .collect();
        assert_eq!(kinds, [kind].into_iter().filter(|k| !k.is_empty()).collect(), "{what}: {found:?}");
    }
}

#[test]
fn what_a_model_puts_into_the_path_of_a_fixed_host_is_told() {
    let found = |url: &str| {
        let agent = ("Agent", "agent", json!({ "promptType": "define", "text": "={{ $json.text }}" }));
        let tool = ("Read", "toolHttpRequest", json!({ "url": url }));
        flows(&export(&[mail(), agent, tool], &["Mail -> Agent", "Read ~tool~> Agent"]))
    };
    let told = "Mail -> Read: url_path (direct)".to_owned();
    assert!(found("https://api.example.com/pages/{page_id}").contains(&told));
    assert!(!found("https://api.example.com/pages/home").contains(&told));
}

#[test]
fn a_field_of_a_set_node_that_may_fail_is_not_made_of_the_others() {
    let fields = json!([
        { "name": "text", "value": "={{ $json.text }}", "type": "string" },
        { "name": "title", "value": "={{ 'a' + $json.count }}", "type": "string" },
        { "name": "kept", "value": "fixed", "type": "string" },
    ]);
    let found = |field: &str| {
        let set = ("Set", "set", json!({ "assignments": { "assignments": fields } }));
        let text = format!("={{{{ $json.{field} }}}}");
        flows(&export(&[mail(), set, ask(&text)], &["Mail -> Set", "Set -> Ask"]))
    };
    let told = "Mail -> Ask: prompt (direct)".to_owned();
    assert!(found("text").contains(&told) && found("title").contains(&told));
    assert!(!found("kept").contains(&told));
}

#[test]
fn what_a_form_asks_for_is_what_it_brings_in() {
    let leaves = |label: &str| {
        let form = ("Form", "formTrigger", json!({ "formFields": { "values": [{ "fieldLabel": label }] } }));
        let text = export(&[form, ask("={{ JSON.stringify($json) }}")], &["Form -> Ask"]);
        flows(&text).contains(&"Form -> Ask: egress (direct)".to_owned())
    };
    assert!(leaves("CV") && leaves("Expected salary"));
    assert!(!leaves("Favourite colour"));
}

#[test]
fn an_answer_to_whoever_wrote_is_no_choice_unless_it_gives_away_what_is_the_owners() {
    let chat = || ("Chat", "telegramTrigger", json!({}));
    let answer = |text: &str| {
        ("Answer", "telegram", json!({ "chatId": "={{ $('Chat').item.json.message.chat.id }}", "text": text }))
    };
    let inbox = ("Inbox", "gmail", json!({ "operation": "getAll" }));
    let plain = flows(&export(&[chat(), answer("thank you")], &["Chat -> Answer"]));
    assert!(plain.contains(&"Chat -> Answer: recipient (internal)".to_owned()), "{plain:?}");
    let given = flows(&export(&[chat(), inbox, answer("={{ $json.text }}")], &["Chat -> Inbox", "Inbox -> Answer"]));
    assert!(given.contains(&"Chat -> Answer: recipient (direct)".to_owned()), "{given:?}");
}

#[test]
fn who_calls_an_entrance_that_offers_tools_is_the_agent() {
    let found = |tool: &str, parameters: Json| {
        let nodes = [("Offer", "chat.mcpTrigger", json!({ "path": "x" })), ("Tool", tool, parameters)];
        let text = export(&nodes, &["Tool ~tool~> Offer"]).replace("chat.mcpTrigger", "mcpTrigger");
        flows(&text).into_iter().collect::<Vec<_>>()
    };
    let sends =
        found("gmailTool", json!({ "operation": "send", "sendTo": "={{ $fromAI('To') }}", "message": "fixed" }));
    assert!(sends.iter().any(|flow| flow.contains("recipient")), "{sends:?}");
    assert!(sends.iter().any(|flow| flow.contains("agent_tool")), "{sends:?}");
    let to_the_author =
        found("gmailTool", json!({ "operation": "send", "sendTo": "a@example.com", "message": "fixed" }));
    assert!(!to_the_author.iter().any(|flow| flow.contains("recipient")), "{to_the_author:?}");
}

#[test]
fn what_goes_back_to_where_it_came_from_does_not_leave() {
    let sheet = |name: &'static str, operation: &str, document: &str| {
        let column = json!({ "mappingMode": "defineBelow", "value": { "iban": "={{ $json.iban }}" } });
        let parameters =
            json!({ "operation": operation, "documentId": { "__rl": true, "value": document }, "columns": column });
        (name, "googleSheets", parameters)
    };
    let request = |name: &'static str, url: &str| {
        let body = json!({ "parameters": [{ "name": "iban", "value": "={{ $json.iban }}" }] });
        (name, "httpRequest", json!({ "method": "POST", "url": url, "sendBody": true, "bodyParameters": body }))
    };
    let start = ("Start", "manualTrigger", json!({}));
    let leaves = |from: Node<'_>, to: Node<'_>| {
        let text = export(&[start.clone(), from, to], &["Start -> From", "From -> To"]);
        flows(&text).iter().any(|flow| flow.contains("egress"))
    };
    assert!(!leaves(sheet("From", "read", "accounts"), sheet("To", "update", "accounts")));
    assert!(leaves(sheet("From", "read", "accounts"), sheet("To", "update", "shared with others")));
    assert!(
        leaves(sheet("From", "read", "={{ $json.a }}"), sheet("To", "update", "={{ $json.a }}")),
        "nobody knows which"
    );
    let bank = "https://bankaccountdata.gocardless.com/a";
    assert!(!leaves(request("From", bank), request("To", "https://bankaccountdata.gocardless.com/b")));
    assert!(leaves(request("From", bank), request("To", "https://api.example.com/b")));
    assert!(leaves(request("From", bank), request("To", "https://bankaccountdata.gocardless.com.example.com/b")));
    for own in [
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "http://192.168.1.7/",
        "http://books/",
        "http://books.internal/",
    ] {
        assert!(!leaves(request("From", bank), request("To", own)), "{own}");
    }
    for other in ["http://8.8.8.8/", "http://localhost.example.com/", "http://192.168.1.7.example.com/"] {
        assert!(leaves(request("From", bank), request("To", other)), "{other}");
    }
}

#[test]
fn a_store_of_ones_own_whose_vectors_are_made_at_home_sends_nothing_away() {
    let leaves = |store: &str, vectors: &str| {
        let nodes = [
            ("Mail", "gmailTrigger", json!({})),
            ("Store", store, json!({ "mode": "insert" })),
            ("Vectors", vectors, json!({})),
        ];
        let text = export(&nodes, &["Mail -> Store", "Vectors ~embedding~> Store"]);
        let text = text.replace("n8n-nodes-base.embeddings", "@n8n/n8n-nodes-langchain.embeddings");
        flows(&text).iter().any(|flow| flow.contains("egress"))
    };
    assert!(!leaves("vectorStorePGVector", "embeddingsOllama"));
    assert!(leaves("vectorStorePGVector", "embeddingsOpenAi"), "whoever makes the vectors reads the text");
    assert!(leaves("vectorStorePinecone", "embeddingsOllama"), "somebody else's store");
}

#[test]
fn a_field_tells_of_the_node_that_it_is_read_of_and_of_no_other() {
    let sheet = ("Sheet", "googleSheets", json!({ "operation": "read", "documentId": { "__rl": true, "value": "x" } }));
    let tells = |middle: Json, text: &str| {
        let nodes = [("Start", "manualTrigger", json!({})), sheet.clone(), ("Set", "set", middle), ask(text)];
        let text = export(&nodes, &["Start -> Sheet", "Sheet -> Set", "Set -> Ask"]);
        flows(&text).iter().any(|flow| flow.contains("egress"))
    };
    let set = |name: &str, keeps: bool| json!({ "assignments": { "assignments": [{ "name": name, "value": "x", "type": "string" }] }, "includeOtherFields": keeps });
    assert!(tells(set("a", true), "={{ $json.iban }} {{ $json.title }}"));
    assert!(!tells(set("iban", true), "={{ $json.iban }} {{ $json.title }}"), "the author's own field");
    assert!(!tells(set("a", false), "={{ $json.iban }}"), "nothing of the sheet is left");
    assert!(!tells(set("a", true), "={{ $('Start').first().json.iban }} {{ $json.title }}"), "another node's field");
}

#[test]
fn a_person_on_the_way_is_told_and_lowers_severity() {
    let wait = ("Approve", "gmail", json!({ "operation": "sendAndWait", "sendTo": "boss@example.com" }));
    let nodes = [mail(), wait, ask("={{ $('Mail').item.json.text }}")];
    let survey = surveyed(&export(&nodes, &["Mail -> Approve", "Approve -> Ask"]));
    assert!(survey.flows.iter().any(|flow| flow.kind.name() == "prompt"), "{:?}", survey.flows);
}

#[test]
fn the_whole_corpus_is_lowered_or_refused_with_a_place() {
    let Some(run) = corpus(&["n8n", "n8n-aigen"], Format::N8n) else { return };
    assert!(run.refused * 100 < run.imports.len(), "{} refused", run.refused);
}
