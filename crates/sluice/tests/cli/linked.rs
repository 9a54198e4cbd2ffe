//! `sluice check` on a folder of n8n exports that call each other.

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

fn node(name: &str, kind: &str, parameters: Json) -> Json {
    let package = if kind.starts_with("agent") || kind.starts_with("chain") || kind.starts_with("tool") {
        "@n8n/n8n-nodes-langchain"
    } else {
        "n8n-nodes-base"
    };
    json!({ "name": name, "type": format!("{package}.{kind}"), "typeVersion": 1.2, "parameters": parameters })
}

/// An export; items go from each node to the next.
fn export(id: &str, nodes: &[Json]) -> String {
    let mut connections = json!({});
    for pair in nodes.windows(2) {
        connections[pair[0]["name"].as_str().unwrap()] =
            json!({ "main": [[{ "node": pair[1]["name"], "type": "main", "index": 0 }]] });
    }
    json!({ "id": id, "name": id, "nodes": nodes, "connections": connections }).to_string()
}

fn mail() -> Json {
    node("Mail", "gmailTrigger", json!({}))
}

fn call(id: &str) -> Json {
    node("Call", "executeWorkflow", json!({ "workflowId": { "__rl": true, "mode": "list", "value": id } }))
}

fn called() -> Json {
    node("Called", "executeWorkflowTrigger", json!({}))
}

fn ask() -> Json {
    node("Ask", "chainLlm", json!({ "promptType": "define", "text": "=Answer: {{ $json.text }}" }))
}

fn set(name: &str) -> Json {
    node(name, "set", json!({ "values": { "string": [{ "name": "text", "value": "={{ $json.text }}" }] } }))
}

fn fixed() -> Json {
    node("Fixed", "set", json!({ "keepOnlySet": true, "values": { "string": [{ "name": "text", "value": "ok" }] } }))
}

/// Per file: `CODE SEVERITY MESSAGE` of every prompt finding and of every call that leads nowhere.
fn told(files: &[(&str, String)]) -> Vec<String> {
    let sandbox = Sandbox::new();
    for (name, content) in files {
        sandbox.write(&format!("exports/{name}"), content.clone());
    }
    let folder = sandbox.path("exports").display().to_string();
    let report = sandbox.sluice(&["check", "--facts", "--format", "json", &folder]).json();
    let mut told = Vec::new();
    for file in report["files"].as_array().unwrap() {
        let name = |text: &str| text.replace(&format!("{folder}/"), "");
        let path = name(file["path"].as_str().unwrap());
        for found in file["findings"].as_array().unwrap() {
            let code = found["code"].as_str().unwrap();
            if ["SL230", "SL258"].contains(&code) {
                let severity = found["severity"].as_str().unwrap();
                told.push(format!("{path}: {code} {severity} {}", name(found["message"].as_str().unwrap())));
            }
        }
    }
    told
}

/// What every callee with this sink tells by itself: whoever calls it may be anybody.
const ALONE: &str = "b.json: SL230 low text of outsiders stands in the prompt of `Ask`, from `Called`";

#[test]
fn data_is_followed_into_the_workflow_that_is_called_and_told_where_it_ends() {
    let found = told(&[("a.json", export("a1", &[mail(), call("b1")])), ("b.json", export("b1", &[called(), ask()]))]);
    assert_eq!(
        found,
        [ALONE, "b.json: SL230 high text of outsiders stands in the prompt of `Ask`, from `a.json: Mail`"]
    );
}

#[test]
fn what_a_called_workflow_returns_is_followed_back() {
    let returns = |last: Json| {
        told(&[("a.json", export("a1", &[mail(), call("b1"), ask()])), ("b.json", export("b1", &[called(), last]))])
    };
    assert_eq!(
        returns(set("Pass")),
        ["a.json: SL230 high text of outsiders stands in the prompt of `Ask`, from `Mail`"]
    );
    assert_eq!(returns(fixed()), [] as [&str; 0], "what the other workflow leaves out does not come back");
    let fetched = node("Read", "gmail", json!({ "operation": "getAll" }));
    let clock = node("Clock", "scheduleTrigger", json!({}));
    let found =
        told(&[("a.json", export("a1", &[clock, call("b1"), ask()])), ("b.json", export("b1", &[called(), fetched]))]);
    assert_eq!(found, ["a.json: SL230 high text of outsiders stands in the prompt of `Ask`, from `b.json: Read`"]);
}

#[test]
fn an_agent_calls_another_workflow_with_its_words_and_reads_what_comes_back() {
    let tool = node(
        "Call",
        "toolWorkflow",
        json!({ "name": "b", "workflowId": { "__rl": true, "mode": "id", "value": "b1" } }),
    );
    let agent = node("Agent", "agent", json!({ "promptType": "define", "text": "=Do: {{ $json.text }}" }));
    let with_tool = |first: Json, first_name: &str| {
        json!({ "id": "a1", "nodes": [first, agent.clone(), tool.clone()], "connections": {
            first_name: { "main": [[{ "node": "Agent", "type": "main", "index": 0 }]] },
            "Call": { "ai_tool": [[{ "node": "Agent", "type": "ai_tool", "index": 0 }]] },
        } })
        .to_string()
    };
    let given = told(&[("a.json", with_tool(mail(), "Mail")), ("b.json", export("b1", &[called(), ask()]))]);
    let direct = "b.json: SL230 high text of outsiders stands in the prompt of `Ask`, from `a.json: Mail`";
    assert!(given.iter().any(|found| found == direct), "{given:?}");
    let read = node("Read", "gmail", json!({ "operation": "getAll" }));
    let clock = node("Clock", "scheduleTrigger", json!({}));
    let back = told(&[("a.json", with_tool(clock, "Clock")), ("b.json", export("b1", &[called(), read]))]);
    assert_eq!(back, ["a.json: SL230 high text of outsiders stands in the prompt of `Agent`, from `b.json: Read`"]);
}

#[test]
fn what_is_too_much_to_follow_together_is_told() {
    let sandbox = Sandbox::new();
    let mut many = vec![called()];
    many.extend((0..500).map(|n| set(&format!("Set {n}"))));
    sandbox.write("a.json", export("a1", &[mail(), call("b1")]));
    sandbox.write("b.json", json!({ "id": "b1", "nodes": many, "connections": {} }).to_string());
    let folder = sandbox.path("").display().to_string();
    let report = sandbox.sluice(&["check", "--format", "json", &folder]).json();
    let a = report["files"][0].to_string();
    assert!(a.contains("SL258") && a.contains("more than 500 nodes"), "{a}");
}

#[test]
fn a_workflow_is_a_link_of_a_chain_and_of_a_circle() {
    let by_old_text = node("Call", "executeWorkflow", json!({ "workflowId": "b1" }));
    let b = || ("b.json", export("b1", &[called(), ask()]));
    let direct = "b.json: SL230 high text of outsiders stands in the prompt of `Ask`, from `a.json: Mail`";
    assert_eq!(told(&[("a.json", export("a1", &[mail(), by_old_text])), b()]), [ALONE, direct]);

    let chain =
        [("a.json", export("a1", &[mail(), call("m1")])), b(), ("m.json", export("m1", &[called(), call("b1")]))];
    let through = "b.json: SL230 low text of outsiders stands in the prompt of `Ask`, from `m.json: Called`";
    let found = told(&chain);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!([ALONE, direct, through].iter().all(|words| found.iter().any(|f| f == words)), "{found:?}");

    let circle = told(&[
        ("a.json", export("a1", &[called(), ask(), call("b1")])),
        ("b.json", export("b1", &[called(), set("Pass"), call("a1")])),
        ("c.json", export("c1", &[mail(), call("a1")])),
    ]);
    let direct = "a.json: SL230 high text of outsiders stands in the prompt of `Ask`, from `c.json: Mail`";
    assert!(circle.iter().any(|found| found == direct), "{circle:?}");
    assert!(!circle.iter().any(|found| found.contains("SL258")), "{circle:?}");
}

#[test]
fn what_is_not_certainly_the_one_that_is_called_is_told_and_not_guessed() {
    let missing = "a.json: SL258 info the workflow that is called is not among the files (`Call`)";
    let a = |call: Json| ("a.json", export("a1", &[mail(), call]));
    let b = |id: &str| ("b.json", export(id, &[called(), ask()]));
    let twice = told(&[a(call("b1")), b("b1"), ("c.json", export("b1", &[called()]))]);
    assert_eq!(
        twice,
        [
            "a.json: SL258 info which workflow is called is not certain (`Call`): `b.json` and `c.json` answer to the id \
             that is called",
            ALONE
        ]
    );
    let locator = |mode: &str, value: &str| {
        let id = json!({ "__rl": true, "mode": mode, "value": value, "cachedResultName": "b1" });
        node("Call", "executeWorkflow", json!({ "workflowId": id }))
    };
    for (what, call) in [
        ("another id", call("b2")),
        ("its name alone", locator("list", "other")),
        ("an id that data chooses", locator("id", "={{ $json.id }}")),
        (
            "a file of the engine's host",
            node(
                "Call",
                "executeWorkflow",
                json!({ "source": "localFile", "workflowPath": "b.json", "workflowId": "b1" }),
            ),
        ),
    ] {
        assert_eq!(told(&[a(call), b("b1")]), [missing, ALONE], "{what}");
    }
    let no_entry = ("b.json", export("b1", &[mail(), set("Pass")]));
    assert_eq!(told(&[a(call("b1")), no_entry]), [missing], "a workflow that nobody can call");
    let off = json!({ "name": "Call", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1, "disabled": true,
                      "parameters": { "workflowId": "b1" } });
    assert_eq!(told(&[a(off), b("b1")]), [ALONE], "a call that is switched off");
    let other = ("b.json", r#"{"id": "b1", "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#.to_owned());
    assert_eq!(told(&[a(call("b1")), other]), [missing], "a workflow of another engine");
}

#[test]
fn the_way_names_the_file_of_each_stop_and_facts_stay_with_their_file() {
    let sandbox = Sandbox::new();
    sandbox.write("a.json", export("a1", &[mail(), call("b1")]));
    sandbox.write("b.json", export("b1", &[called(), ask()]));
    let folder = sandbox.path("").display().to_string();
    let report = sandbox.sluice(&["check", "--facts", "--format", "json", &folder]).with(1).json();
    let (a, b) = (&report["files"][0], &report["files"][1]);
    let a_name = a["path"].as_str().unwrap();
    let finding = b["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "high").unwrap();
    let stops: Vec<_> = finding["flow"].as_array().unwrap().iter().map(|s| (&s["step"], &s["file"])).collect();
    let (in_a, own) = (json!(a_name), Json::Null);
    assert_eq!(
        stops,
        [(&json!("Mail"), &in_a), (&json!("Call"), &in_a), (&json!("Called"), &own), (&json!("Ask"), &own)]
    );
    assert_eq!(a["facts"]["flows"], json!([]), "of itself it has none");
    let flow = &a["facts"]["linked_flows"][0];
    let sink = json!(format!("{}: Ask", b["path"].as_str().unwrap()));
    assert_eq!((&flow["source"], &flow["sink"], &flow["tier"]), (&json!("Mail"), &sink, &json!("direct")));
    assert_eq!(a["facts"]["untrusted_sources"].as_array().unwrap().len(), 1, "its own alone");
    assert_eq!(a["facts"]["egress_sinks"], json!([]), "the other file's are its own");
    assert_eq!(a["facts"]["unresolved_subworkflows"], json!([]));
    assert_eq!(b["facts"]["flows"].as_array().unwrap().len(), 1, "of itself it knows what it knew alone");
    assert!(finding["message"].as_str().unwrap().ends_with("from `a.json: Mail`"), "a baseline knows it in any folder");
    let page = sandbox.sluice(&["check", &folder]).with(1);
    assert!(page.out.contains(&format!("Mail ({a_name}, line 1)")), "{}", page.out);
    let sarif = sandbox.sluice(&["check", "--format", "sarif", &folder]).with(1).json();
    let flows = sarif["runs"][0]["results"].as_array().unwrap().iter().filter_map(|r| r.get("codeFlows"));
    let first: Vec<_> = flows
        .map(|f| {
            f[0]["threadFlows"][0]["locations"][0]["location"]["physicalLocation"]["artifactLocation"]["uri"].clone()
        })
        .collect();
    assert!(first.iter().any(|uri| uri.as_str().unwrap().ends_with("a.json")), "{first:?}");
}
