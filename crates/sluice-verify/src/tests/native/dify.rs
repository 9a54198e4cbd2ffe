//! Native definitions of apps of Dify: each kind of node, and what has no equivalent.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::{corpus, gaps, shown, whole, written};

/// An app of these nodes (title, type, data) and edges (`A -> B`, `A:way -> B`); ids are titles in lower case.
fn app(mode: &str, nodes: &[(&str, &str, Json)], edges: &[&str]) -> String {
    let id = |title: &str| title.to_lowercase().replace(' ', "_");
    let node = |(title, kind, data): &(&str, &str, Json)| {
        let mut data = data.clone();
        data["title"] = (*title).into();
        data["type"] = (*kind).into();
        let parent = data.get("in").and_then(Json::as_str).map(id);
        let mut node = json!({ "id": id(title), "type": "custom", "data": data });
        if let Some(parent) = parent {
            node["parentId"] = parent.into();
        }
        node
    };
    let edge = |text: &&str| {
        let (from, to) = text.split_once(" -> ").unwrap();
        let (from, way) = from.split_once(':').unwrap_or((from, "source"));
        json!({ "source": id(from), "target": id(to), "sourceHandle": way })
    };
    let nodes: Vec<Json> = nodes.iter().map(node).collect();
    let edges: Vec<Json> = edges.iter().map(edge).collect();
    let environment = json!([
        { "name": "team", "value": "sales", "value_type": "string" },
        { "name": "key", "value": "", "value_type": "secret" },
    ]);
    let graph = json!({ "nodes": nodes, "edges": edges });
    json!({ "app": { "mode": mode, "name": "App" }, "kind": "app",
        "workflow": { "graph": graph, "environment_variables": environment } })
    .to_string()
}

fn start() -> (&'static str, &'static str, Json) {
    let variables = json!([{ "variable": "text", "type": "paragraph" }, { "variable": "n", "type": "number" }]);
    ("Start", "start", json!({ "variables": variables }))
}

fn model(text: &str) -> Json {
    json!({ "model": { "provider": "langgenius/openai/openai", "name": "gpt-4.1" },
        "prompt_template": [{ "role": "system", "text": "Sum up for {{#env.team#}}." }, { "role": "user", "text": text }] })
}

fn end(selector: &[&str]) -> Json {
    json!({ "outputs": [{ "variable": "result", "value_selector": selector }] })
}

fn request(url: &str) -> Json {
    json!({ "method": "get", "url": url, "headers": "", "params": "", "body": { "type": "none", "data": [] } })
}

/// Between a start and an end.
fn around(node: (&str, &str, Json)) -> String {
    let name = node.0;
    let edges = [format!("Start -> {name}"), format!("{name} -> End")];
    app("workflow", &[start(), node, ("End", "end", end(&["start", "text"]))], &[&edges[0], &edges[1]])
}

/// The tasks alone.
fn tasks(content: &str) -> String {
    let text = whole(content);
    let (_, rest) = text.split_once("\ndo:\n").unwrap();
    rest.split("---").next().unwrap().to_owned()
}

#[test]
fn a_start_a_model_a_search_and_an_answer_are_calls() {
    let mut said = model("{{#context#}}\n\nQuestion: {{#sys.query#}}");
    said["context"] = json!({ "enabled": true, "variable_selector": ["search", "result"] });
    let search = json!({ "query_variable_selector": ["sys", "query"], "dataset_ids": ["docs"] });
    let nodes = [
        start(),
        ("Search", "knowledge-retrieval", search),
        ("Summary", "llm", said),
        ("Answer", "answer", json!({ "answer": "{{#summary.text#}} ({{#start.n#}})" })),
    ];
    assert_snapshot!(whole(&app(
        "advanced-chat",
        &nodes,
        &["Start -> Search", "Search -> Summary", "Summary -> Answer"]
    )));
}

#[test]
fn a_node_runs_where_a_way_to_it_was_taken() {
    let condition = |selector: &[&str], operator: &str, value: &str| json!({ "variable_selector": selector, "comparison_operator": operator, "value": value });
    let cases = json!([
        { "case_id": "long", "logical_operator": "and", "conditions": [
            condition(&["start", "text"], "not empty", ""), condition(&["start", "n"], "≥", "10") ] },
        { "case_id": "order", "logical_operator": "or", "conditions": [
            condition(&["start", "text"], "contains", "order"), condition(&["start", "text"], "is", "{{#env.team#}}") ] },
    ]);
    let nodes = [
        start(),
        ("Which", "if-else", json!({ "cases": cases })),
        ("Long", "llm", model("{{#start.text#}}")),
        (
            "Order",
            "template-transform",
            json!({ "template": "Order: {{ text }}", "variables": [{ "variable": "text", "value_selector": ["start", "text"] }] }),
        ),
        (
            "Note",
            "tool",
            json!({ "provider_name": "slack", "tool_name": "slack_post_message", "tool_parameters": { "content": { "type": "mixed", "value": "{{#order.output#}}" } } }),
        ),
        ("One", "variable-aggregator", json!({ "variables": [["long", "text"], ["order", "output"]] })),
        ("End", "end", end(&["one", "output"])),
    ];
    let edges = [
        "Start -> Which",
        "Which:long -> Long",
        "Which:order -> Order",
        "Which:false -> One",
        "Order -> Note",
        "Note -> One",
        "Long -> One",
        "One -> End",
    ];
    assert_snapshot!(tasks(&app("workflow", &nodes, &edges)));
}

#[test]
fn an_iteration_is_a_loop_that_gathers_what_each_round_puts_out() {
    let inner = |kind: &str| json!({ "in": "Each", "x": kind });
    let mut said = model("{{#each.item#}} ({{#each.index#}}) of {{#start.text#}}");
    said["in"] = "Each".into();
    let condition = json!({ "variable_selector": ["each", "item"], "comparison_operator": "empty", "value": "" });
    let which = json!({ "in": "Each", "cases": [{ "case_id": "none", "conditions": [condition] }] });
    let nodes = [
        start(),
        (
            "Each",
            "iteration",
            json!({ "iterator_selector": ["start", "text"], "output_selector": ["said", "text"], "start_node_id": "begin", "is_parallel": true }),
        ),
        ("Begin", "iteration-start", inner("start")),
        ("Which", "if-else", which),
        ("Said", "llm", said),
        ("End", "end", end(&["each", "output"])),
    ];
    let edges = ["Start -> Each", "Begin -> Which", "Which:false -> Said", "Each -> End"];
    assert_snapshot!(tasks(&app("workflow", &nodes, &edges)));
}

#[test]
fn a_request_is_a_contract_and_its_errors_lead_where_they_say() {
    let mut ask = request("https://shop.example.com/orders/{{#start.text#}}?full=true");
    ask["headers"] = "Content-Type: application/json\nX-Team:{{#env.team#}}".into();
    ask["error_strategy"] = "fail-branch".into();
    ask["retry_config"] = json!({ "retry_enabled": true, "max_retries": 3, "retry_interval": 100 });
    ask["authorization"] = json!({ "type": "api-key", "config": { "type": "bearer", "api_key": "{{#env.key#}}" } });
    let mut put = request("https://shop.example.com/all");
    put["method"] = "post".into();
    put["body"] = json!({ "type": "json", "data": [{ "type": "text", "value": "{{#ask.body#}}" }] });
    put["error_strategy"] = "default-value".into();
    put["default_value"] = json!([{ "key": "body", "type": "string", "value": "none" }]);
    let nodes = [
        start(),
        ("Ask", "http-request", ask),
        ("Put", "http-request", put),
        ("Failed", "llm", model("{{#ask.error_message#}}")),
        ("End", "end", end(&["put", "body"])),
    ];
    let edges =
        ["Start -> Ask", "Ask:success-branch -> Put", "Ask:fail-branch -> Failed", "Put -> End", "Failed -> End"];
    let (definition, files, compared) = written(&app("workflow", &nodes, &edges));
    // What failed is told in words of what was asked: one flow more.
    assert!(definition.gaps.is_empty() && compared.lost.is_empty(), "{:#?}", definition.gaps);
    assert_eq!(compared.added.len(), 1);
    assert_snapshot!(shown(&files));
}

#[test]
fn what_has_no_equivalent_is_told_and_never_approximated() {
    let one = |kind: &str, data: Json| gaps(&around(("N", kind, data)));
    let condition = |operator: &str, value: &str| {
        one(
            "if-else",
            json!({ "cases": [{ "case_id": "a", "conditions": [
            { "variable_selector": ["start", "text"], "comparison_operator": operator, "value": value } ] }] }),
        )
    };
    let with = |more: Json| {
        let mut data = request("https://a.example.com/x");
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one("http-request", data)
    };
    let of_model = |more: Json| {
        let mut data = model("x");
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let chat = |data: Json| {
        let nodes = [start(), ("M", "llm", data), ("A", "answer", json!({ "answer": "{{#m.text#}}" }))];
        gaps(&app("advanced-chat", &nodes, &["Start -> M", "M -> A"]))
    };
    let template = |text: &str| one("template-transform", json!({ "template": text, "variables": [] }));
    let told = [
        one("code", json!({ "code": "def main(): return {}", "outputs": {} })),
        one("agent", json!({ "agent_parameters": {} })),
        one("question-classifier", json!({ "classes": [] })),
        one("parameter-extractor", json!({ "parameters": [] })),
        one("assigner", json!({ "items": [] })),
        one("document-extractor", json!({ "variable_selector": ["start", "text"] })),
        one("list-operator", json!({ "variable": ["start", "text"] })),
        one("human-input", json!({})),
        one("made-up", json!({})),
        one("tool", json!({ "provider_type": "workflow", "tool_name": "other" })),
        one("loop", json!({ "loop_count": 3 })),
        one(
            "iteration",
            json!({ "iterator_selector": ["start", "text"], "output_selector": ["start", "text"], "error_handle_mode": "continue-on-error" }),
        ),
        chat(of_model(json!({ "memory": { "window": { "enabled": false } } }))),
        one("llm", of_model(json!({ "vision": { "enabled": true } }))),
        one("llm", of_model(json!({ "structured_output_enabled": true }))),
        one("llm", model("{{#sys.user_id#}}")),
        one("llm", model("{{#env.key#}}")),
        one("llm", model("{{#conversation.last#}}")),
        one("llm", model("{{#gone.text#}}")),
        template("{{ text | upper }}"),
        template("<p>{{ text }}</p>"),
        condition("matches", "x"),
        with(json!({ "url": "{{#start.text#}}/x" })),
        with(json!({ "ssl_verify": false })),
        with(json!({ "method": "post", "body": { "type": "form-data", "data": [] } })),
        with(
            json!({ "method": "post", "body": { "type": "json", "data": [{ "value": "{\"a\": \"{{#start.text#}}\"}" }] } }),
        ),
        gaps(&app(
            "workflow",
            &[
                start(),
                ("A", "http-request", request("https://a.example.com/x")),
                ("End", "end", end(&["a", "status_code"])),
            ],
            &["Start -> A", "A -> End"],
        )),
        gaps(&app(
            "workflow",
            &[start(), ("A", "llm", model("a")), ("B", "llm", model("b"))],
            &["Start -> A", "A -> B", "B -> A"],
        )),
    ];
    assert!(told.iter().all(|gaps| !gaps.is_empty()), "{told:#?}");
    assert_snapshot!(told.iter().flatten().cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn loops_that_lie_in_each_other_or_in_themselves_are_refused() {
    let each = |inner: &str| json!({ "iterator_selector": ["start", "text"], "output_selector": ["start", "text"], "start_node_id": inner });
    let nodes = [start(), ("A", "iteration", each("b")), ("B", "iteration", each("a"))];
    assert!(gaps(&app("workflow", &nodes, &["Start -> A"])).iter().any(|gap| gap.contains("too deep")));
    let names: Vec<String> = (0..200).map(|n| format!("L{n}")).collect();
    let mut many = vec![start()];
    many.extend(names.iter().enumerate().map(|(n, name)| (name.as_str(), "iteration", each(&format!("l{}", n + 1)))));
    let opened = sluice_formats::native::open("deep.json", app("workflow", &many, &["Start -> L0"]).as_bytes(), None);
    assert!(opened.unwrap().result.is_err());
}

#[test]
fn what_is_written_of_the_corpus_reads_and_hides_no_flow() {
    corpus("dify", 1);
}
