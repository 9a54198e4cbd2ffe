//! Checks in front of an action: what holds a value back, and what only looks as if it did.

use serde_json::{Value as Json, json};
use sluice_core::diagnostic::Severity;

use super::foreign::{self, surveyed};
use super::n8n::{Node, export};

fn hook() -> Node<'static> {
    ("Hook", "webhook", json!({ "path": "in" }))
}

/// Calls `https://api.example.com/` with a word behind it.
fn get(word: &str) -> Node<'static> {
    ("Get", "httpRequest", json!({ "url": format!("=https://api.example.com/{{{{ {word} }}}}") }))
}

fn mail(to: &str) -> Node<'static> {
    let to = format!("={{{{ {to} }}}}");
    ("Send", "gmail", json!({ "resource": "message", "operation": "send", "sendTo": to, "message": "fixed" }))
}

/// A condition of the later versions.
fn is(left: &str, kind: &str, operation: &str, right: impl Into<Json>) -> Json {
    json!({ "leftValue": left, "rightValue": right.into(), "operator": { "type": kind, "operation": operation } })
}

fn conditions(each: &[Json], combinator: &str) -> Json {
    json!({
        "options": { "caseSensitive": true, "leftValue": "", "typeValidation": "strict", "version": 2 },
        "conditions": each, "combinator": combinator,
    })
}

fn all(each: &[Json]) -> Node<'static> {
    ("If", "if", json!({ "typeVersion": 2.2, "conditions": conditions(each, "and") }))
}

/// An expression that is `"true"` or `"false"`.
fn truth(expression: &str, wanted: &str) -> Node<'static> {
    all(&[is(&format!("={{{{ {expression} }}}}"), "boolean", wanted, "")])
}

fn any(each: &[Json]) -> Node<'static> {
    ("If", "if", json!({ "typeVersion": 2.2, "conditions": conditions(each, "or") }))
}

/// The first versions: `conditions.string`.
fn old(operation: &str, right: &str) -> Node<'static> {
    let condition = json!({ "value1": "={{ $json.body.x }}", "operation": operation, "value2": right });
    ("If", "if", json!({ "typeVersion": 1, "conditions": { "string": [condition] } }))
}

/// The first versions: an expression, and what it must be.
fn old_truth(expression: &str, operation: &str, wanted: bool) -> Node<'static> {
    let condition = json!({ "value1": expression, "operation": operation, "value2": wanted });
    ("If", "if", json!({ "typeVersion": 1, "conditions": { "boolean": [condition] } }))
}

fn with(mut node: Node<'static>, key: &str, value: impl Into<Json>) -> Node<'static> {
    node.2[key] = value.into();
    node
}

/// What stands in the way of a flow of this kind.
fn standing(nodes: &[Node<'_>], links: &[&str], kind: &str) -> String {
    foreign::standing(&export(nodes, links), kind)
}

const X: &str = "={{ $json.body.x }}";
const WORD: &str = "^[A-Za-z0-9_-]+$";
const CHAIN: &[&str] = &["Hook -> If", "If -> Get"];

#[test]
fn a_check_that_holds_a_value_back_is_told_in_place_of_the_flow() {
    let path = || get("$json.body.x");
    let cases: Vec<(&str, Vec<Node<'_>>, &[&str])> = vec![
        ("a pattern", vec![hook(), all(&[is(X, "string", "regex", WORD)]), path()], CHAIN),
        ("a pattern with flags", vec![hook(), all(&[is(X, "string", "regex", "/^[a-z]+$/i")]), path()], CHAIN),
        ("a constant", vec![hook(), all(&[is(X, "string", "equals", "a b")]), path()], CHAIN),
        (
            "a constant in any case",
            vec![
                hook(),
                with(all(&[is(X, "string", "equals", "a b")]), "options", json!({ "ignoreCase": true })),
                path(),
            ],
            CHAIN,
        ),
        (
            "one of several",
            vec![hook(), any(&[is(X, "string", "equals", "a"), is(X, "string", "equals", "b")]), path()],
            CHAIN,
        ),
        (
            "beside another condition",
            vec![hook(), all(&[is("={{ $json.y }}", "string", "exists", ""), is(X, "string", "regex", WORD)]), path()],
            CHAIN,
        ),
        (
            "a list",
            vec![hook(), all(&[is("={{ ['a', 'b'].includes($json.body.x) }}", "boolean", "true", "")]), path()],
            CHAIN,
        ),
        (
            "a list that contains it",
            vec![hook(), all(&[is("={{ ['a', 'b'] }}", "array", "contains", X)]), path()],
            CHAIN,
        ),
        (
            "a test in an expression",
            vec![hook(), all(&[is("={{ /^[a-z]+$/.test($json.body.x) && $json.y }}", "boolean", "true", "")]), path()],
            CHAIN,
        ),
        ("loose equality", vec![hook(), truth("$json.body.x == 'a b'", "true"), path()], CHAIN),
        ("it is not another one", vec![hook(), truth("!['a'].includes($json.body.x)", "false"), path()], CHAIN),
        (
            "it is none of the others",
            vec![hook(), truth("$json.body.x !== 'a' && $json.body.x !== 'b'", "false"), path()],
            CHAIN,
        ),
        (
            "it is the constant where it is not another one",
            vec![hook(), truth("$json.body.x !== 'a'", "true"), path()],
            &["Hook -> If", "If:1 -> Get"],
        ),
        (
            "a test in an expression, where it is not false",
            vec![hook(), truth("/^[a-z]+$/.test($json.body.x)", "false"), path()],
            &["Hook -> If", "If:1 -> Get"],
        ),
        (
            "a pattern of one word, loosely",
            vec![hook(), with(all(&[is(X, "string", "regex", WORD)]), "looseTypeValidation", true), path()],
            CHAIN,
        ),
        (
            "constants with a comma, where a list is an error",
            vec![hook(), all(&[is(X, "string", "regex", "^(a,b)$")]), path()],
            CHAIN,
        ),
        (
            "the first versions, an expression that is true",
            vec![hook(), old_truth("={{ $json.body.x === 'a' && $json.y }}", "equal", true), path()],
            CHAIN,
        ),
        (
            "the first versions, an expression that is false and nothing else",
            vec![hook(), old_truth("={{ $json.y.z || $json.body.x !== 'a' }}", "equal", false), path()],
            CHAIN,
        ),
        ("a number", vec![hook(), all(&[is(X, "number", "gt", 0)]), path()], CHAIN),
        ("the first versions, a constant", vec![hook(), old("equal", "a"), path()], CHAIN),
        ("the first versions, a pattern", vec![hook(), old("regex", "/^\\w+$/"), path()], CHAIN),
        (
            "what is false is held back",
            vec![hook(), all(&[is(X, "string", "notRegex", WORD)]), path()],
            &["Hook -> If", "If:1 -> Get"],
        ),
        (
            "the trigger by its name",
            vec![hook(), all(&[is(X, "string", "regex", WORD)]), get("$('Hook').item.json.body.x")],
            CHAIN,
        ),
        (
            "checked by its name",
            vec![hook(), all(&[is("={{ $('Hook').first().json.body.x }}", "string", "regex", WORD)]), path()],
            CHAIN,
        ),
        (
            "by its name, behind a reply",
            vec![
                hook(),
                all(&[is(X, "string", "regex", WORD)]),
                ("Ping", "httpRequest", json!({ "url": "https://api.example.com/ping" })),
                get("$('Hook').item.json.body.x"),
            ],
            &["Hook -> If", "If -> Ping", "Ping -> Get"],
        ),
        (
            "copied under another name",
            vec![
                hook(),
                all(&[is(X, "string", "regex", WORD)]),
                ("Set", "set", json!({ "assignments": { "assignments": [{ "name": "y", "value": X }] } })),
                get("$json.y"),
            ],
            &["Hook -> If", "If -> Set", "Set -> Get"],
        ),
        (
            "checked on both ways",
            vec![
                hook(),
                all(&[is(X, "string", "equals", "a")]),
                (
                    "Other",
                    "filter",
                    json!({ "typeVersion": 2.2, "conditions": conditions(&[is(X, "string", "regex", WORD)], "and") }),
                ),
                path(),
            ],
            &["Hook -> If", "If -> Get", "If:1 -> Other", "Other -> Get"],
        ),
        (
            "a rule of a switch",
            vec![
                hook(),
                (
                    "If",
                    "switch",
                    json!({ "typeVersion": 3.2, "rules": { "values": [
                    { "conditions": conditions(&[is(X, "string", "equals", "a")], "and") },
                    { "conditions": conditions(&[is(X, "string", "equals", "b")], "and") },
                ] } }),
                ),
                path(),
            ],
            &["Hook -> If", "If:1 -> Get"],
        ),
        (
            "a rule of an old switch",
            vec![
                hook(),
                (
                    "If",
                    "switch",
                    json!({ "typeVersion": 1, "dataType": "string", "value1": X, "rules": { "rules": [{ "value2": "a", "output": 2 }] } }),
                ),
                path(),
            ],
            &["Hook -> If", "If:2 -> Get"],
        ),
    ];
    for (what, nodes, links) in cases {
        let expected = if what == "checked on both ways" { "held by If or Other" } else { "held by If" };
        assert_eq!(standing(&nodes, links, "url_path"), expected, "{what}");
    }
}

#[test]
fn what_only_looks_like_a_check_holds_nothing_back() {
    let path = || get("$json.body.x");
    let word = || is(X, "string", "regex", WORD);
    let set = |name: &str, value: &str| {
        (
            "Set",
            "set",
            json!({ "includeOtherFields": true, "assignments": { "assignments": [{ "name": name, "value": value }] } }),
        )
    };
    let plain: Vec<(&str, Node<'_>)> = vec![
        ("it contains something", all(&[is(X, "string", "contains", "a")])),
        ("it begins with something", all(&[is(X, "string", "startsWith", "a")])),
        ("it ends with something", all(&[is(X, "string", "endsWith", "a")])),
        ("it is there", all(&[is(X, "string", "exists", "")])),
        ("it is not empty", all(&[is(X, "string", "notEmpty", "")])),
        ("it is none of the bad ones", all(&[is(X, "string", "notEquals", "../admin")])),
        ("it contains none of the bad ones", all(&[is(X, "string", "notContains", "..")])),
        ("a pattern without anchors", all(&[is(X, "string", "regex", "[a-z]+")])),
        ("a pattern with one anchor", all(&[is(X, "string", "regex", "^[a-z]+")])),
        ("a pattern with the other anchor", all(&[is(X, "string", "regex", "[a-z]+$")])),
        ("anchors of one alternative each", all(&[is(X, "string", "regex", "^a|b$")])),
        ("a pattern for each line", all(&[is(X, "string", "regex", "/^[a-z]+$/m")])),
        ("a pattern for anything", all(&[is(X, "string", "regex", "^.+$")])),
        ("a pattern for anything but spaces", all(&[is(X, "string", "regex", "^\\S+$")])),
        ("a pattern with slashes", all(&[is(X, "string", "regex", "^[a-z/]+$")])),
        ("a pattern with dots", all(&[is(X, "string", "regex", "^[a-z.]+$")])),
        ("a pattern that leaves out too little", all(&[is(X, "string", "regex", "^[^/]+$")])),
        ("a pattern that data writes", all(&[is(X, "string", "regex", "={{ $json.body.pattern }}")])),
        ("a constant that data writes", all(&[is(X, "string", "equals", "={{ $json.body.y }}")])),
        ("another field", all(&[is("={{ $json.body.y }}", "string", "regex", WORD)])),
        ("a field of that name elsewhere", all(&[is("={{ $json.x }}", "string", "regex", WORD)])),
        ("a file of that name", all(&[is("={{ $binary.body.x }}", "string", "regex", WORD)])),
        ("a copy that is changed", all(&[is("={{ $json.body.x.trim() }}", "string", "regex", WORD)])),
        ("the length of it", all(&[is("={{ $json.body.x.length }}", "number", "lt", 20)])),
        ("the text without `=`", all(&[is("{{ $json.body.x }}", "string", "regex", WORD)])),
        ("or something else", any(&[word(), is("={{ $json.body.y }}", "string", "equals", "a")])),
        ("or nearly anything", any(&[word(), is(X, "string", "notEmpty", "")])),
        (
            "or something else, in an expression",
            all(&[is("={{ ['a'].includes($json.body.x) || $json.y }}", "boolean", "true", "")]),
        ),
        ("a list that data writes", all(&[is("={{ [$json.y, 'a'].includes($json.body.x) }}", "boolean", "true", "")])),
        ("a text that includes it", all(&[is("={{ 'abc'.includes($json.body.x) }}", "boolean", "true", "")])),
        ("that it is not so", all(&[is("={{ ['a'].includes($json.body.x) }}", "boolean", "false", "")])),
        ("a pattern of lists", truth("/^(a,b)$/.test($json.body.x)", "true")),
        ("a pattern of objects", truth("/^\\[object Object\\]$/.test($json.body.x)", "true")),
        ("a pattern of lists, loosely", with(all(&[is(X, "string", "regex", "^(a,b)$")]), "looseTypeValidation", true)),
        (
            "a pattern of lists as JSON, loosely",
            with(all(&[is(X, "string", "regex", "^\\[\"a\"\\]$")]), "looseTypeValidation", true),
        ),
        (
            "a pattern of objects as JSON, loosely",
            with(all(&[is(X, "string", "regex", "^\\{\"a\":1\\}$")]), "looseTypeValidation", true),
        ),
        ("loose equality to what a list can be written as", truth("$json.body.x == 'a,b'", "true")),
        ("loose equality to what an object is written as", truth("$json.body.x == '[object Object]'", "true")),
        ("loose equality to a number", truth("$json.body.x == 5", "true")),
        ("not true since another part is missing", truth("$json.y.z !== 'q' || $json.body.x !== 'a'", "false")),
        ("not true since another part is the text of false", truth("$json.y || $json.body.x !== 'a'", "false")),
        ("not false since it cannot be written", truth("!/^[a-z]+$/.test($json.body.x)", "false")),
        (
            "the first versions, an expression that is not true",
            old_truth("={{ $json.y || $json.body.x !== 'a' }}", "notEqual", true),
        ),
        (
            "the first versions, an expression that is not false",
            old_truth("={{ $json.y && $json.body.x === 'a' }}", "notEqual", false),
        ),
        ("the first versions, a pattern of lists", old("regex", "/^(a,b)$/")),
        ("a number, loosely", with(all(&[is(X, "number", "gt", 0)]), "looseTypeValidation", true)),
        ("a pattern in any case", with(all(&[word()]), "options", json!({ "ignoreCase": true }))),
        ("a guard that is switched off", with(all(&[word()]), "disabled", true)),
        ("a guard that goes on after errors", with(all(&[word()]), "onError", "continueRegularOutput")),
        ("a guard that goes on after errors, as it was written once", with(all(&[word()]), "continueOnFail", true)),
        ("a guard that always puts something out", with(all(&[word()]), "alwaysOutputData", true)),
        ("conditions of another version", with(old("regex", WORD), "typeVersion", 2)),
        ("the first versions, unless it is a constant", old("notEqual", "a")),
        ("the first versions, a part of it", old("contains", "a")),
        ("no condition", all(&[])),
        (
            "a model that is asked",
            ("If", "chainLlm", json!({ "promptType": "define", "text": "={{ 'is this a word: ' + $json.body.x }}" })),
        ),
        ("a model as a guardrail", ("If", "guardrails", json!({ "text": X, "guardrails": { "jailbreak": {} } }))),
        ("a node that is only named so", ("If", "noOp", json!({ "conditions": conditions(&[word()], "and") }))),
    ];
    for (what, guard) in plain {
        let named = get("$('Hook').item.json.body.x");
        for sink in [path(), named] {
            let is_model = guard.1 == "chainLlm" || guard.1 == "guardrails";
            if !is_model || sink.2.to_string().contains("Hook") {
                assert_eq!(standing(&[hook(), guard.clone(), sink], CHAIN, "url_path"), "open", "{what}");
            }
        }
    }
    let shaped: Vec<(&str, Vec<Node<'_>>, &[&str])> = vec![
        (
            "the other way leads there, too",
            vec![hook(), all(&[word()]), path()],
            &["Hook -> If", "If -> Get", "If:1 -> Get"],
        ),
        ("the wrong way leads there", vec![hook(), all(&[word()]), path()], &["Hook -> If", "If:1 -> Get"]),
        ("a way goes around it", vec![hook(), all(&[word()]), path()], &["Hook -> If", "If -> Get", "Hook -> Get"]),
        (
            "it failed, and goes where it is not true",
            vec![hook(), truth("$json.y.z !== 'q' || $json.body.x !== 'a'", "true"), path()],
            &["Hook -> If", "If:1 -> Get"],
        ),
        (
            "the first versions, where it is not false",
            vec![hook(), old_truth("={{ $json.y && $json.body.x === 'a' }}", "equal", false), path()],
            &["Hook -> If", "If:1 -> Get"],
        ),
        ("it is in another branch", vec![hook(), all(&[word()]), path()], &["Hook -> If", "Hook -> Get"]),
        ("it comes behind", vec![hook(), path(), all(&[word()])], &["Hook -> Get", "Get -> If"]),
        (
            "the value is changed behind it",
            vec![hook(), all(&[word()]), set("body", "={{ $('Hook').item.json }}"), path()],
            &["Hook -> If", "If -> Set", "Set -> Get"],
        ),
        (
            "a field behind it whose name is computed",
            vec![hook(), all(&[word()]), set("={{ $json.body.name }}", "={{ $json.body.y }}"), path()],
            &["Hook -> If", "If -> Set", "Set -> Get"],
        ),
        (
            "lists are split behind it",
            vec![hook(), all(&[word()]), ("Set", "splitOut", json!({ "fieldToSplitOut": "list" })), path()],
            &["Hook -> If", "If -> Set", "Set -> Get"],
        ),
        (
            "a program writes it anew",
            vec![
                hook(),
                all(&[word()]),
                (
                    "Set",
                    "code",
                    json!({ "jsCode": "for (const item of items) { item.json.body.x = item.json.body.y; } return items;" }),
                ),
                path(),
            ],
            &["Hook -> If", "If -> Set", "Set -> Get"],
        ),
        ("it is decoded behind the check", vec![hook(), all(&[word()]), get("atob($json.body.x)")], CHAIN),
        (
            "one input of a merge is unchecked",
            vec![hook(), all(&[word()]), ("Merge", "merge", json!({ "mode": "append" })), path()],
            &["Hook -> If", "If -> Merge:0", "Hook -> Merge:1", "Merge -> Get"],
        ),
        (
            "two triggers, one unchecked",
            vec![hook(), ("Form", "formTrigger", json!({})), all(&[word()]), path()],
            &["Hook -> If", "If -> Get", "Form -> Get"],
        ),
        (
            "what no rule fits goes the same way",
            vec![
                hook(),
                (
                    "If",
                    "switch",
                    json!({ "typeVersion": 3.2, "options": { "fallbackOutput": 0 }, "rules": { "values": [{ "conditions": conditions(&[word()], "and") }] } }),
                ),
                path(),
            ],
            CHAIN,
        ),
        (
            "two rules of one port, one weak",
            vec![
                hook(),
                (
                    "If",
                    "switch",
                    json!({ "typeVersion": 1, "dataType": "string", "value1": X, "rules": { "rules": [{ "value2": "a" }, { "operation": "contains", "value2": "b" }] } }),
                ),
                path(),
            ],
            CHAIN,
        ),
    ];
    for (what, nodes, links) in shaped {
        assert_eq!(standing(&nodes, links, "url_path"), "open", "{what}");
    }
}

#[test]
fn the_name_of_a_node_with_many_items_is_not_the_item_that_was_checked() {
    let inbox = || ("Mail", "gmailTrigger", json!({}));
    let check = |left: &str| all(&[is(left, "string", "regex", WORD)]);
    let links = &["Mail -> If", "If -> Get"];
    for (left, word, expected) in [
        ("={{ $json.text }}", "$json.text", "held by If"),
        ("={{ $json.text }}", "$('Mail').first().json.text", "open"),
        ("={{ $('Mail').first().json.text }}", "$json.text", "open"),
        ("={{ $input.first().json.text }}", "$json.text", "open"),
    ] {
        assert_eq!(standing(&[inbox(), check(left), get(word)], links, "url_path"), expected, "{left} {word}");
    }
}

#[test]
fn what_a_check_lets_pass_counts_by_what_is_done_with_it() {
    let check = |pattern: &str| all(&[is(X, "string", "regex", pattern)]);
    let url = || ("Get", "httpRequest", json!({ "url": X }));
    let host = || ("Get", "httpRequest", json!({ "url": "=https://{{ $json.body.x }}/status" }));
    let query = || {
        (
            "Ask",
            "postgres",
            json!({ "typeVersion": 2.5, "operation": "executeQuery", "query": "SELECT '{{ $json.body.x }}'" }),
        )
    };
    let command = || ("Run", "executeCommand", json!({ "command": "=ls {{ $json.body.x }}" }));
    let to = || mail("$json.body.x");
    for (pattern, sink, kind, expected) in [
        (WORD, query(), "query_injection", "held by If"),
        ("^[a-z' ]+$", query(), "query_injection", "open"),
        (WORD, command(), "command", "held by If"),
        ("^[a-z ;]+$", command(), "command", "open"),
        ("^(start|stop)$", command(), "command", "held by If"),
        (WORD, to(), "recipient", "open"),
        ("^[a-z.]+@example\\.com$", to(), "recipient", "held by If"),
        ("^\\S+@example\\.com$", to(), "recipient", "open"),
        ("^[a-z,@.]+@example\\.com$", to(), "recipient", "open"),
        ("^[a-z.]+@example.com$", to(), "recipient", "open"),
        ("^[a-z]+@[a-z.]+$", to(), "recipient", "open"),
        ("^(ann|bob)@example\\.com$", to(), "recipient", "held by If"),
        (WORD, host(), "url_host", "open"),
        ("^[a-z]+\\.example\\.com$", host(), "url_host", "held by If"),
        ("^[a-z/]+\\.example\\.com$", host(), "url_host", "open"),
        ("^[a-z]+example\\.com$", host(), "url_host", "open"),
        ("^https://example\\.com/[a-z]+$", url(), "url_host", "held by If"),
        ("^https://example\\.com[a-z.]+$", url(), "url_host", "open"),
        ("^https://example\\.com/.*$", url(), "url_host", "open"),
        ("^(?:https://a\\.example\\.com|https://b\\.example\\.com)$", url(), "url_host", "held by If"),
    ] {
        let (nodes, to) = (vec![hook(), check(pattern), sink.clone()], format!("If -> {}", sink.0));
        assert_eq!(standing(&nodes, &["Hook -> If", to.as_str()], kind), expected, "{pattern} {kind}");
    }
}

#[test]
fn a_check_changes_no_label_and_hides_no_other_flow() {
    let guard = || all(&[is(X, "string", "regex", WORD)]);
    let nodes = [hook(), guard(), get("$json.body.x"), mail("$json.body.x")];
    let survey = surveyed(&export(&nodes, &["Hook -> If", "If -> Get", "If -> Send"]));
    let kinds: Vec<&str> = survey.flows.iter().map(|flow| flow.kind.name()).collect();
    assert_eq!(kinds, ["recipient"]);
    let both = [hook(), guard(), get("$json.body.x }}/{{ $json.body.y")];
    assert_eq!(standing(&both, CHAIN, "url_path"), "open");
}

#[test]
fn a_person_on_the_way_is_told_and_lowers_severity_and_one_elsewhere_does_not() {
    let inbox = || ("Mail", "gmailTrigger", json!({}));
    let wait = || {
        let shown = json!({ "operation": "sendAndWait", "sendTo": "boss@example.com", "message": "={{ $json.text }}" });
        ("Approve", "gmail", shown)
    };
    let copy = || {
        let field = json!([{ "name": "text", "value": "={{ $('Mail').item.json.text }}" }]);
        ("Copy", "set", json!({ "assignments": { "assignments": field } }))
    };
    let ask = |text: &str| ("Ask", "chainLlm", json!({ "promptType": "define", "text": text }));
    let named = "={{ $('Mail').item.json.text }}";
    for (what, nodes, links, is_asked) in [
        ("in between", vec![inbox(), wait(), ask(named)], vec!["Mail -> Approve", "Approve -> Ask"], true),
        (
            "in between, with a copy behind",
            vec![inbox(), wait(), copy(), ask("={{ $json.text }}")],
            vec!["Mail -> Approve", "Approve -> Copy", "Copy -> Ask"],
            true,
        ),
        ("in another branch", vec![inbox(), wait(), ask(named)], vec!["Mail -> Approve", "Mail -> Ask"], false),
        ("behind it", vec![inbox(), wait(), ask(named)], vec!["Mail -> Ask", "Ask -> Approve"], false),
        (
            "on one of two ways",
            vec![inbox(), wait(), ask(named)],
            vec!["Mail -> Approve", "Approve -> Ask", "Mail -> Ask"],
            false,
        ),
        (
            "switched off",
            vec![inbox(), with(wait(), "disabled", true), ask(named)],
            vec!["Mail -> Approve", "Approve -> Ask"],
            false,
        ),
    ] {
        let survey = surveyed(&export(&nodes, &links));
        let flow = survey.flows.iter().find(|f| f.kind.name() == "prompt").unwrap_or_else(|| panic!("{what}: no flow"));
        let finding = survey.findings.iter().find(|f| f.code.0 == 230).unwrap_or_else(|| panic!("{what}: untold"));
        assert_eq!(flow.gate.is_some(), is_asked, "{what}");
        assert_eq!(
            finding.message.contains("`Approve` asks a person on the way"),
            is_asked,
            "{what}: {}",
            finding.message
        );
        assert_eq!(finding.severity == Severity::Low, is_asked, "{what}");
    }
}
