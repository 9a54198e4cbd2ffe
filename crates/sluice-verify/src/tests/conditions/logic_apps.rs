//! `If` and `Switch`.

use serde_json::{Value as Json, json};
use sluice_core::diagnostic::Severity;

use crate::tests::foreign::{standing, surveyed};

fn fetch() -> Json {
    fetch_behind("triggerBody()?['x']")
}

fn fetch_behind(word: &str) -> Json {
    json!({ "type": "Http", "inputs": { "method": "GET", "uri": format!("https://api.example.com/@{{{word}}}") } })
}

/// A definition of these actions, one after another.
fn definition(actions: &[(&str, Json)]) -> String {
    let mut named = serde_json::Map::new();
    let mut before: Option<&str> = None;
    for (name, action) in actions {
        let mut action = action.clone();
        if action.get("runAfter").is_none() {
            action["runAfter"] = before.map_or_else(|| json!({}), |name| json!({ name: ["Succeeded"] }));
        }
        named.insert((*name).to_owned(), action);
        before = Some(name);
    }
    let trigger = json!({ "manual": { "type": "Request", "kind": "Http", "inputs": { "schema": {} } } });
    let parameters = json!({ "allowed": { "type": "Array" }, "one": { "type": "String" } });
    json!({ "definition": { "parameters": parameters, "triggers": trigger, "actions": named } }).to_string()
}

fn when(expression: &Json) -> Json {
    json!({ "type": "If", "expression": expression, "actions": { "Get": fetch() } })
}

const X: &str = "@triggerBody()?['x']";

#[test]
fn a_condition_that_holds_a_value_back_is_told_in_place_of_the_flow() {
    for (what, expression) in [
        ("a constant", json!({ "equals": [X, "a"] })),
        ("the other way round", json!({ "equals": ["a", X] })),
        ("a number", json!({ "greater": [X, 10] })),
        (
            "beside another",
            json!({ "and": [{ "equals": [X, "a"] }, { "not": { "equals": ["@triggerBody()?['y']", ""] } }] }),
        ),
        ("one of several", json!({ "or": [{ "equals": [X, "a"] }, { "equals": [X, "b"] }] })),
        ("a list", json!({ "contains": ["@createArray('a', 'b')", X] })),
        ("a list as it stands", json!({ "contains": [["a", "b"], X] })),
        ("a list that is given", json!({ "contains": ["@parameters('allowed')", X] })),
        ("a value that is given", json!({ "equals": [X, "@parameters('one')"] })),
        ("a call that is true", json!({ "equals": ["@contains(createArray('a', 'b'), triggerBody()?['x'])", true] })),
        ("not not", json!({ "not": { "not": { "equals": [X, "a"] } } })),
        ("an expression", json!("@equals(triggerBody()?['x'], 'a')")),
        (
            "an expression of several",
            json!("@and(or(equals(triggerBody()?['x'], 'a'), equals('b, (', triggerBody()['x'])), true)"),
        ),
        ("in any case", json!("@Equals(TriggerBody()?['x'], 'a')")),
        ("by the outputs", json!({ "equals": ["@triggerOutputs()?['body']?['x']", "a"] })),
        ("by the outputs, as flows have it", json!({ "equals": ["@triggerOutputs()?['body/x']", "a"] })),
    ] {
        assert_eq!(standing(&definition(&[("If", when(&expression))]), "url_path"), "held by If", "{what}");
    }
}

#[test]
fn what_only_looks_like_a_check_holds_nothing_back() {
    for (what, expression) in [
        ("it contains something", json!({ "contains": [X, "a"] })),
        ("a text contains it", json!({ "contains": ["abc", X] })),
        ("a text that is given contains it", json!({ "contains": ["@parameters('one')", X] })),
        ("it starts with something", json!({ "startsWith": [X, "a"] })),
        ("it ends with something", json!("@endsWith(triggerBody()?['x'], 'a')")),
        ("it is not empty", json!({ "not": { "equals": [X, ""] } })),
        ("it is none of the bad ones", json!({ "not": { "contains": ["@createArray('..', '/')", X] } })),
        ("emptiness", json!({ "equals": ["@empty(triggerBody()?['x'])", false] })),
        ("its length", json!({ "less": ["@length(triggerBody()?['x'])", 10] })),
        ("a copy that is changed", json!({ "equals": ["@toLower(triggerBody()?['x'])", "a"] })),
        ("other data", json!({ "equals": [X, "@triggerBody()?['y']"] })),
        ("an order of texts", json!({ "greater": [X, "a"] })),
        ("another field", json!({ "equals": ["@triggerBody()?['y']", "a"] })),
        ("a list with data in it", json!({ "contains": ["@createArray('a', triggerBody()?['y'])", X] })),
        ("a list with data in it, as it stands", json!({ "contains": [["a", "@triggerBody()?['y']"], X] })),
        ("a list in a variable", json!({ "contains": ["@variables('allowed')", X] })),
        ("or something else", json!({ "or": [{ "equals": [X, "a"] }, { "equals": ["@triggerBody()?['y']", "a"] }] })),
        ("an expression that is a text", json!("equals(triggerBody()?['x'], 'a')")),
        ("an expression in a text", json!("@{equals(triggerBody()?['x'], 'a')}")),
        ("two expressions", json!({ "equals": [X, "a"], "contains": [X, "a"] })),
        ("three values", json!({ "equals": [X, "a", "b"] })),
        ("nothing", json!({})),
        ("what does not parse", json!("@equals(triggerBody()?['x'], 'a'")),
    ] {
        assert_eq!(standing(&definition(&[("If", when(&expression))]), "url_path"), "open", "{what}");
    }
}

#[test]
fn the_block_that_a_value_must_not_get_to_is_told_from_the_other() {
    let known = json!({ "equals": [X, "a"] });
    let unknown = json!({ "not": known });
    let stop = || json!({ "Stop": { "type": "Terminate", "inputs": { "runStatus": "Cancelled" }, "runAfter": {} } });
    let chain = |condition: &Json, actions: Json, otherwise: Option<Json>| {
        let mut check = json!({ "type": "If", "expression": condition, "actions": actions });
        if let Some(otherwise) = otherwise {
            check["else"] = json!({ "actions": otherwise });
        }
        definition(&[("If", check), ("Get", fetch())])
    };
    let wait = || json!({ "Wait": { "type": "Wait", "inputs": {}, "runAfter": {} } });
    for (what, text, expected) in [
        (
            "the other block",
            definition(&[(
                "If",
                json!({ "type": "If", "expression": unknown, "actions": {}, "else": { "actions": { "Get": fetch() } } }),
            )]),
            "held by If",
        ),
        (
            "the wrong block",
            definition(&[(
                "If",
                json!({ "type": "If", "expression": known, "actions": {}, "else": { "actions": { "Get": fetch() } } }),
            )]),
            "open",
        ),
        ("behind one that ends the run", chain(&unknown, stop(), None), "held by If"),
        ("behind one whose other block ends it", chain(&known, json!({}), Some(stop())), "held by If"),
        ("behind one that ends what is known", chain(&known, stop(), None), "open"),
        ("behind one that only waits", chain(&unknown, wait(), None), "open"),
    ] {
        assert_eq!(standing(&text, "url_path"), expected, "{what}");
    }
}

#[test]
fn ending_the_run_holds_nothing_back_that_runs_beside_it() {
    let unknown = json!({ "not": { "equals": [X, "a"] } });
    let stop = json!({ "Stop": { "type": "Terminate", "inputs": { "runStatus": "Cancelled" } } });
    let check = json!({ "type": "If", "expression": unknown, "actions": stop });
    let beside = |mut action: Json| {
        action["runAfter"] = json!({});
        action
    };
    assert_eq!(standing(&definition(&[("If", check.clone()), ("Get", beside(fetch()))]), "url_path"), "open");
    let after_failure = |mut action: Json| {
        action["runAfter"] = json!({ "If": ["Succeeded", "Failed"] });
        action
    };
    assert_eq!(standing(&definition(&[("If", check), ("Get", after_failure(fetch()))]), "url_path"), "open");
}

#[test]
fn a_case_of_a_switch_is_a_check_and_its_default_is_none() {
    let switch = |on: &str, cases: Json, default: Option<Json>| {
        let mut switch = json!({ "type": "Switch", "expression": on, "cases": cases });
        if let Some(actions) = default {
            switch["default"] = json!({ "actions": actions });
        }
        standing(&definition(&[("If", switch)]), "url_path")
    };
    let get = || json!({ "Get": fetch() });
    assert_eq!(switch(X, json!({ "A": { "case": "a", "actions": get() } }), None), "held by If");
    assert_eq!(switch(X, json!({ "A": { "case": "a", "actions": {} } }), Some(get())), "open");
    assert_eq!(
        switch("@toLower(triggerBody()?['x'])", json!({ "A": { "case": "a", "actions": get() } }), None),
        "open"
    );
    assert_eq!(switch(X, json!({ "A": { "case": X, "actions": get() } }), None), "open");
    assert_eq!(switch(X, json!({ "A": { "actions": get() } }), None), "open");
}

#[test]
fn a_check_goes_with_the_value_but_not_into_a_variable_that_others_write() {
    let check = |inner: Json| {
        definition(&[("If", json!({ "type": "If", "expression": { "greater": [X, 1] }, "actions": inner }))])
    };
    let compose = json!({ "type": "Compose", "inputs": { "a": X, "b": "@triggerBody()?['y']" }, "runAfter": {} });
    let after = |name: &str, mut action: Json| {
        action["runAfter"] = json!({ name: ["Succeeded"] });
        action
    };
    let composed = |word: &str| check(json!({ "C": compose, "Get": after("C", fetch_behind(word)) }));
    assert_eq!(standing(&composed("outputs('C')?['a']"), "url_path"), "held by If");
    assert_eq!(standing(&composed("outputs('C')?['b']"), "url_path"), "open");
    let variable = |kind: &str, value: Json| {
        let init = json!({ "type": "InitializeVariable", "inputs": { "variables": [{ "name": "v", "type": "string", "value": X }] } });
        let set = json!({ "type": kind, "inputs": { "name": "v", "value": value } });
        let check = json!({ "type": "If", "expression": { "equals": ["@variables('v')", "a"] }, "actions": { "Get": fetch_behind("variables('v')") } });
        definition(&[("Init", init), ("Set", set), ("If", check)])
    };
    assert_eq!(standing(&variable("SetVariable", X.into()), "url_path"), "open");
    assert_eq!(standing(&variable("Compose", X.into()), "url_path"), "held by If");
}

#[test]
fn a_name_of_a_field_that_is_computed_may_be_any_name() {
    let compose = json!({ "type": "Compose", "inputs": { "@{triggerBody()?['k']}": X, "b": "a" } });
    let text = definition(&[("C", compose), ("Get", fetch_behind("outputs('C')?['b']"))]);
    assert_eq!(standing(&text, "url_path"), "open");
}

#[test]
fn a_person_on_the_way_is_told_and_lowers_severity_and_one_elsewhere_does_not() {
    let ask = || {
        json!({ "type": "ApiConnectionWebhook", "inputs": {
            "host": { "connection": { "name": "@parameters('$connections')['office365']['connectionId']" } },
            "path": "/approvalmail/$subscriptions",
            "body": { "Message": { "To": "boss@example.com", "Subject": "may it?" } },
        } })
    };
    let send = || {
        json!({ "type": "ApiConnection", "inputs": {
            "host": { "connection": { "name": "@parameters('$connections')['office365']['connectionId']" } },
            "method": "post", "path": "/v2/Mail", "body": { "To": X, "Subject": "s", "Body": "b" },
        } })
    };
    let beside = |mut action: Json| {
        action["runAfter"] = json!({});
        action
    };
    let either = |mut action: Json| {
        action["runAfter"] = json!({ "Ask": ["Failed", "TimedOut", "Succeeded"] });
        action
    };
    for (what, actions, is_asked) in [
        ("in between", vec![("Ask", ask()), ("Send", send())], true),
        ("behind it", vec![("Send", send()), ("Ask", ask())], false),
        ("beside it", vec![("Ask", ask()), ("Send", beside(send()))], false),
        ("whatever they say", vec![("Ask", ask()), ("Send", either(send()))], false),
    ] {
        let survey = surveyed(&definition(&actions));
        let flow =
            survey.flows.iter().find(|f| f.kind.name() == "recipient").unwrap_or_else(|| panic!("{what}: no flow"));
        let finding = survey.findings.iter().find(|f| f.message.contains("`Send`") && f.flow.len() > 1);
        let finding = finding.unwrap_or_else(|| panic!("{what}: untold"));
        assert_eq!(flow.gate.is_some(), is_asked, "{what}");
        assert_eq!(finding.message.contains("`Ask` asks a person on the way"), is_asked, "{what}: {}", finding.message);
        assert_eq!(finding.severity == Severity::Low, is_asked, "{what}");
    }
}
