//! Apps of Dify: what gets where. The files are our own, one construct each.

use std::fmt::Write as _;

use sluice_core::document;
use sluice_core::text::Text;
use sluice_formats::{Confidence, Format, Import, Kind, Observed};

use super::{Survey, survey};

/// An app of these nodes; each is led to by the one before it, if `edges` is empty.
struct App<'a> {
    mode: &'a str,
    variables: &'a str,
    nodes: &'a [&'a str],
    edges: &'a [(&'a str, &'a str)],
}

const START: &str = "{id: start, data: {type: start, title: Start, variables: [{variable: q, type: text-input}, \
                     {variable: count, type: number}, {variable: lang, type: select, options: [en, fr]}]}}";

impl App<'_> {
    fn text(&self) -> String {
        let id =
            |node: &str| node.split("id: ").nth(1).and_then(|n| n.split(',').next()).unwrap_or_default().to_owned();
        let ids: Vec<String> = self.nodes.iter().filter(|n| !n.contains("parentId")).map(|n| id(n)).collect();
        let chain = ids.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
        let edges: Vec<(&str, &str)> = if self.edges.is_empty() { chain.collect() } else { self.edges.to_vec() };
        let mut text = format!("kind: app\napp: {{mode: {}, name: t}}\nworkflow:\n{}", self.mode, self.variables);
        text.push_str("  graph:\n    nodes:\n");
        for node in self.nodes {
            let _ = writeln!(text, "    - {node}");
        }
        text.push_str("    edges:\n");
        for (from, to) in edges {
            let _ = writeln!(text, "    - {{source: {from}, target: {to}}}");
        }
        if text.ends_with("edges:\n") {
            text.push_str("      []\n");
        }
        text
    }

    fn survey(&self) -> (Import, Survey) {
        let text = Text::new("app.yml", self.text());
        let tree = document::read(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{}", text.content));
        assert_eq!(sluice_formats::recognise(&tree), Some(Format::Dify), "{}", text.content);
        let import = sluice_formats::import(Format::Dify, &text, &tree).unwrap();
        let survey = survey(&import);
        (import, survey)
    }

    /// Each flow: kind, source, sink.
    fn flows(&self) -> Vec<String> {
        let (import, survey) = self.survey();
        let name = |step: sluice_core::program::StepId| import.program.steps[step.0 as usize].name.to_string();
        let line = |f: &super::Flow| format!("{}: {} > {}", f.kind.name(), name(f.source), name(f.sink));
        let mut flows: Vec<String> = survey.flows.iter().map(line).collect();
        flows.sort();
        flows
    }
}

fn workflow(nodes: &[&str]) -> Vec<String> {
    let nodes: Vec<&str> = std::iter::once(START).chain(nodes.iter().copied()).collect();
    App { mode: "workflow", variables: "", nodes: &nodes, edges: &[] }.flows()
}

fn chat(nodes: &[&str]) -> Vec<String> {
    let nodes: Vec<&str> = std::iter::once(START).chain(nodes.iter().copied()).collect();
    App { mode: "advanced-chat", variables: "", nodes: &nodes, edges: &[] }.flows()
}

fn http(url: &str) -> String {
    format!("{{id: h, data: {{type: http-request, title: Call, method: get, url: \"{url}\"}}}}")
}

#[test]
fn who_writes_the_path_does_not_choose_the_host() {
    for (url, expected) in [
        ("https://api.example.com/v1/items", vec![]),
        ("https://api.example.com/v1/{{#start.q#}}", vec!["url_path: Start > Call"]),
        ("https://api.example.com/v1?q={{#start.q#}}&x=1", vec!["url_path: Start > Call"]),
        ("https://{{#start.q#}}/v1", vec!["url_host: Start > Call"]),
        ("https://api.example.com{{#start.q#}}", vec!["url_host: Start > Call"]),
        ("{{#start.q#}}", vec!["url_host: Start > Call"]),
        ("https://api.example.com/{{#start.count#}}", vec![]),
        ("https://api.example.com/{{#start.lang#}}", vec![]),
        ("https://api.example.com/{{start.q}}", vec![]),
    ] {
        assert_eq!(workflow(&[&http(url)]), expected, "{url}");
    }
}

#[test]
fn a_host_of_the_environment_is_the_authors_own() {
    let variables = "  environment_variables: [{name: base, value_type: string, value: 'https://api.example.com'}, \
                     {name: key, value_type: secret, value: ''}]\n";
    let of = |url: &str| {
        let call = http(url);
        App { mode: "workflow", variables, nodes: &[START, &call], edges: &[] }.flows()
    };
    assert_eq!(of("{{#env.base#}}/v1/{{#start.q#}}"), ["url_path: Start > Call"]);
    assert_eq!(of("{{#env.base#}}{{#start.q#}}"), ["url_host: Start > Call"]);
    assert_eq!(of("https://api.example.com/?key={{#env.key#}}"), [""; 0]);
}

#[test]
fn users_words_get_to_models_and_what_models_say_goes_on() {
    let model = "{id: m, data: {type: llm, title: Model, prompt_template: [{role: user, text: 'Say {{#start.q#}}'}]}}";
    assert_eq!(workflow(&[model]), ["prompt: Start > Model"]);
    let call = http("https://{{#m.text#}}/");
    assert_eq!(workflow(&[model, &call]), ["prompt: Start > Model", "url_host: Start > Call"]);
    let fixed = "{id: m, data: {type: llm, title: Model, prompt_template: {text: Hello}, context: {enabled: false, \
                 variable_selector: [start, q]}}}";
    assert_eq!(workflow(&[fixed]), [""; 0]);
    let context = fixed.replace("false", "true");
    assert_eq!(workflow(&[&context]), ["prompt: Start > Model"]);
    let jinja = "{id: m, data: {type: llm, title: Model, prompt_config: {jinja2_variables: [{variable: v, value_selector: \
                 [start, q]}]}, prompt_template: [{role: user, edition_type: jinja2, text: '', jinja2_text: 'Say {{ v }}'}]}}";
    assert_eq!(workflow(&[jinja]), ["prompt: Start > Model"]);
}

#[test]
fn a_chat_reads_the_message_and_remembers_it() {
    let model =
        "{id: m, data: {type: llm, title: Model, prompt_template: [{role: user, text: 'Say {{#sys.query#}}'}]}}";
    assert_eq!(chat(&[model]), ["prompt: Start > Model"]);
    let memory = "{id: m, data: {type: llm, title: Model, memory: {window: {enabled: false, size: 10}}, \
                  prompt_template: [{role: system, text: Hello}]}}";
    assert_eq!(chat(&[memory]), ["prompt: Start > Model"]);
    let facts =
        "{id: m, data: {type: llm, title: Model, prompt_template: [{role: user, text: '{{#sys.conversation_id#}}'}]}}";
    assert_eq!(chat(&[facts]), [""; 0]);
}

#[test]
fn classes_and_numbers_carry_no_words() {
    let classifier = "{id: c, data: {type: question-classifier, title: Class, query_variable_selector: [start, q], classes: \
                      [{id: '1', name: a}, {id: '2', name: b}]}}";
    let call = http("https://{{#c.class_name#}}/");
    assert_eq!(workflow(&[classifier, &call]), ["prompt: Start > Class"]);
    let extractor = "{id: c, data: {type: parameter-extractor, title: Extract, query: [start, q], parameters: [{name: host, \
                     type: string}, {name: count, type: number}]}}";
    let [word, number] = ["host", "count"].map(|name| http(&format!("https://{{{{#c.{name}#}}}}/")));
    assert_eq!(workflow(&[extractor, &word]), ["prompt: Start > Extract", "url_host: Start > Call"]);
    assert_eq!(workflow(&[extractor, &number]), ["prompt: Start > Extract"]);
}

#[test]
fn a_program_gives_what_it_is_given_and_evaluates_what_it_says() {
    let code = |text: &str, output: &str| {
        format!(
            "{{id: c, data: {{type: code, title: Code, code_language: python3, variables: [{{variable: a, value_selector: \
             [start, q]}}], outputs: {{r: {{type: {output}}}}}, code: \"{text}\"}}}}"
        )
    };
    let call = http("https://{{#c.r#}}/");
    let plain = "def main(a): return {'r': a}";
    assert_eq!(workflow(&[&code(plain, "string"), &call]), ["url_host: Start > Call"]);
    assert_eq!(workflow(&[&code(plain, "number"), &call]), [""; 0]);
    assert_eq!(workflow(&[&code("def main(a): return {'r': eval(a)}", "string")]), ["code: Start > Code"]);
    assert_eq!(workflow(&[&code("def main(a): return {'r': retrieval(a)}", "string")]), [""; 0]);
    assert_eq!(workflow(&[&code("def main(a): os.system(a)", "string")]), ["command: Start > Code"]);
    assert_eq!(workflow(&[&code("const r = re.exec(a)", "string")]), [""; 0]);
}

#[test]
fn a_template_is_what_it_is_made_from() {
    let template = |text: &str| {
        format!(
            "{{id: t, data: {{type: template-transform, title: Template, variables: [{{variable: v, value_selector: [start, \
             q]}}], template: '{text}'}}}}"
        )
    };
    let call = http("{{#t.output#}}");
    assert_eq!(workflow(&[&template("https://api.example.com/{{ v }}"), &call]), ["url_path: Start > Call"]);
    assert_eq!(workflow(&[&template("https://{{ v | lower }}/"), &call]), ["url_host: Start > Call"]);
    assert_eq!(
        workflow(&[&template("https://api.example.com/{% if v %}{{ v }}{% endif %}"), &call]),
        ["url_path: Start > Call"]
    );
    assert_eq!(workflow(&[&template("https://api.example.com/{{ other }}"), &call]), [""; 0]);
    assert_eq!(workflow(&[&template("<p>{{ v }}</p>")]), ["html: Start > Template"]);
    assert_eq!(workflow(&[&template("1 < 2 {{ v }}")]), [""; 0]);
}

#[test]
fn text_in_a_json_body_is_pasted_and_a_reference_alone_is_not() {
    let body = |data: &str| {
        format!(
            "{{id: h, data: {{type: http-request, title: Call, method: post, url: 'https://api.example.com/', body: {{type: \
             json, data: {data}}}}}}}"
        )
    };
    assert_eq!(workflow(&[&body("'{\"a\": \"{{#start.q#}}\"}'")]), ["body_inject: Start > Call"]);
    assert_eq!(
        workflow(&[&body("[{key: '', type: text, value: '{\"a\": \"{{#start.q#}}\"}'}]")]),
        ["body_inject: Start > Call"]
    );
    assert_eq!(workflow(&[&body("'{{#start.q#}}'")]), [""; 0]);
}

#[test]
fn what_a_page_says_is_the_pages_word() {
    let tool = "{id: t, data: {type: tool, title: Read, provider_name: webscraper, tool_name: webscraper, tool_parameters: \
                {url: {type: mixed, value: '{{#start.q#}}'}}}}";
    let model = "{id: m, data: {type: llm, title: Model, prompt_template: [{role: user, text: '{{#t.text#}}'}]}}";
    assert_eq!(workflow(&[tool, model]), ["prompt: Read > Model", "url_host: Start > Read"]);
    let call = http("https://{{#start.q#}}/");
    let model = model.replace("t.text", "h.body");
    assert_eq!(workflow(&[&call, &model]), ["prompt: Call > Model", "prompt: Start > Model", "url_host: Start > Call"]);
    let own = http("https://api.example.com/");
    assert_eq!(workflow(&[&own, &model]), [""; 0]);
}

#[test]
fn an_agents_tools_get_its_words_and_it_hears_their_answers() {
    let agent = |tool: &str| {
        format!(
            "{{id: a, data: {{type: agent, title: Agent, agent_parameters: {{query: {{type: constant, value: \
             '{{{{#sys.query#}}}}'}}, tools: {{type: constant, value: [{tool}]}}}}}}}}"
        )
    };
    let mail = "{enabled: true, provider_name: email, tool_name: send_mail, schemas: [{name: send_to, form: llm}]}";
    assert_eq!(
        chat(&[&agent(mail)]),
        ["agent_tool: Start > Agent / send_mail", "prompt: Start > Agent", "recipient: Start > Agent / send_mail"]
    );
    assert_eq!(chat(&[&agent(&mail.replace("true", "false"))]), ["prompt: Start > Agent"]);
    let search = "{enabled: true, provider_name: tavily, tool_name: tavily_search}";
    assert_eq!(chat(&[&agent(search)]), ["prompt: Agent / tavily_search > Agent", "prompt: Start > Agent"]);
}

#[test]
fn a_loop_works_on_any_of_its_items() {
    let nodes = [
        START,
        "{id: i, data: {type: iteration, title: Each, iterator_selector: [start, q], output_selector: [m, text], start_node_id: s}}",
        "{id: s, parentId: i, data: {type: iteration-start, title: ''}}",
        "{id: m, parentId: i, data: {type: llm, title: Model, prompt_template: [{role: user, text: '{{#i.item#}}'}]}}",
        &http("https://{{#i.output#}}/"),
    ];
    let edges = [("start", "i"), ("s", "m"), ("i", "h")];
    let app = App { mode: "workflow", variables: "", nodes: &nodes, edges: &edges };
    assert_eq!(app.flows(), ["prompt: Start > Model", "url_host: Start > Call"]);
}

#[test]
fn what_a_loop_keeps_is_there_in_its_next_round() {
    let nodes = [
        START,
        "{id: l, data: {type: loop, title: Loop, start_node_id: s, loop_variables: [{label: host, value_type: constant, value: a.example}]}}",
        "{id: s, parentId: l, data: {type: loop-start, title: ''}}",
        &http("https://{{#l.host#}}/").replace("{id: h,", "{id: h, parentId: l,"),
        "{id: w, parentId: l, data: {type: assigner, title: Set, items: [{variable_selector: [l, host], input_type: variable, \
         operation: over-write, value: [start, q]}]}}",
    ];
    let edges = [("start", "l"), ("s", "h"), ("h", "w")];
    let app = App { mode: "workflow", variables: "", nodes: &nodes, edges: &edges };
    assert_eq!(app.flows(), ["url_host: Start > Call"]);
}

#[test]
fn what_a_conversation_keeps_is_there_for_the_next_message() {
    let variables = "  conversation_variables: [{name: host, value_type: string, value: a.example}]\n";
    let call = http("https://{{#conversation.host#}}/");
    let set = "{id: w, data: {type: assigner, title: Set, assigned_variable_selector: [conversation, host], \
               input_variable_selector: [sys, query], write_mode: over-write}}";
    // The call comes first, and reads what the message before has left.
    let nodes = [START, &call, set];
    let of = |nodes| App { mode: "advanced-chat", variables, nodes, edges: &[] }.flows();
    assert_eq!(of(&nodes), ["url_host: Start > Call"]);
    assert_eq!(of(&nodes[..2]), [""; 0]);
}

#[test]
fn branches_meet_in_an_aggregator() {
    let nodes = [
        START,
        "{id: b, data: {type: if-else, title: If, cases: []}}",
        "{id: t, data: {type: template-transform, title: Fixed, template: a.example, variables: []}}",
        "{id: u, data: {type: template-transform, title: Free, template: '{{ v }}', variables: [{variable: v, value_selector: [start, q]}]}}",
        "{id: g, data: {type: variable-aggregator, title: Join, variables: [[t, output], [u, output]]}}",
        &http("https://{{#g.output#}}/"),
    ];
    let edges = [("start", "b"), ("b", "t"), ("b", "u"), ("t", "g"), ("u", "g"), ("g", "h")];
    let app = App { mode: "workflow", variables: "", nodes: &nodes, edges: &edges };
    assert_eq!(app.flows(), ["url_host: Start > Call"]);
    // Without the branch that reads what users send, its host is the author's.
    let edges = [("start", "b"), ("b", "t"), ("t", "g"), ("g", "h")];
    let app = App { mode: "workflow", variables: "", nodes: &nodes, edges: &edges };
    assert_eq!(app.flows(), [""; 0]);
}

#[test]
fn a_secret_in_a_prompt_is_told() {
    let variables = "  environment_variables: [{name: key, value_type: secret, value: ''}]\n";
    let model = "{id: m, data: {type: llm, title: Model, prompt_template: [{role: user, text: 'use {{#env.key#}}'}]}}";
    let app = App { mode: "workflow", variables, nodes: &[START, model], edges: &[] };
    assert_eq!(app.flows(), ["egress: Start > Model"]);
}

#[test]
fn the_face_of_an_app_is_looked_at() {
    let seen = |variables: &str, node: &str| -> Vec<Observed> {
        let app = App { mode: "workflow", variables, nodes: &[START, node], edges: &[] };
        app.survey().0.observations.into_iter().map(|o| o.what).collect()
    };
    let end = "{id: e, data: {type: end, title: End, outputs: []}}";
    let env = |kind: &str, name: &str, value: &str| {
        format!("  environment_variables: [{{name: {name}, value_type: {kind}, value: '{value}'}}]\n")
    };
    assert_eq!(seen(&env("secret", "a", "hunter-two"), end), [Observed::HardCodedSecret]);
    assert_eq!(seen(&env("string", "api_key", "q9Xc2Lr8Vt5Zw1Bn7Km4"), end), [Observed::HardCodedSecret]);
    assert_eq!(seen(&env("secret", "a", ""), end), []);
    assert_eq!(seen(&env("secret", "a", "your-key"), end), []);
    assert_eq!(seen(&env("string", "greeting", "hello"), end), []);
    let call = |more: &str| {
        format!("{{id: h, data: {{type: http-request, title: Call, method: get, url: 'https://a.example/', {more}}}}}")
    };
    let key = "authorization: {type: api-key, config: {type: custom, header: X-Key, api_key: q9Xc2Lr8Vt5Zw1Bn7Km4}}";
    assert_eq!(seen("", &call(key)), [Observed::HardCodedSecret]);
    assert_eq!(seen("", &call("headers: 'Authorization: Bearer q9Xc2Lr8Vt5Zw1Bn7Km4'")), [Observed::HardCodedSecret]);
    assert_eq!(
        seen("", &call("headers: 'X-Key: {{#env.key#}}'")),
        [Observed::DanglingReference { name: "env.key".into() }]
    );
    assert_eq!(seen("", &call("ssl_verify: false")), [Observed::TlsOff]);
    assert_eq!(seen("", &call("retry_config: {retry_enabled: true}")), [Observed::HandlesErrors]);
    assert_eq!(seen("", &call("params: '{{#gone.x#}}'")), [Observed::DanglingReference { name: "gone.x".into() }]);
    let code = "{id: c, data: {type: code, title: Code, code: 'x = \"{{#start.q#}}\"', variables: [], outputs: {}}}";
    assert_eq!(seen("", code), [Observed::InertExpression]);
    assert_eq!(seen("", "{id: x, data: {type: brand-new, title: New}}"), [Observed::UnknownNodeType]);
}

#[test]
fn what_is_no_app_is_refused_at_its_place() {
    let refused = |content: &str| {
        let text = Text::new("app.yml", content);
        let tree = document::read(&text).unwrap();
        assert_eq!(sluice_formats::recognise(&tree), Some(Format::Dify), "{content}");
        let found = sluice_formats::import(Format::Dify, &text, &tree).unwrap_err();
        let first = found.first().unwrap();
        (first.code.to_string(), first.span.line)
    };
    assert_eq!(refused("kind: app\napp: {mode: agent-chat}\nmodel_config: {}\n"), ("SL830".into(), 2));
    let nameless = "app: {mode: workflow}\nworkflow:\n  graph:\n    nodes:\n    - {id: a, data: {type: start}}\n    - {data: {type: end}}\n";
    assert_eq!(refused(nameless), ("SL831".into(), 6));
}

#[test]
fn what_nests_or_repeats_without_end_is_cut() {
    let words: Vec<String> = (0..3_000).map(|n| format!("w{n}")).collect();
    let options: Vec<String> = (0..3_000).map(|n| format!("[start, q, w{n}]")).collect();
    let long = "{{#start.q#}} ".repeat(3_000);
    let nodes = [
        START.to_owned(),
        format!("{{id: a, data: {{type: variable-aggregator, title: Join, variables: [{}]}}}}", options.join(", ")),
        format!(
            "{{id: t, data: {{type: template-transform, title: T, template: '{{{{ v }}}}', variables: [{{variable: v, value_selector: [start, {}]}}]}}}}",
            words.join(", ")
        ),
        format!("{{id: m, data: {{type: llm, title: Model, prompt_template: [{{role: user, text: '{long}'}}]}}}}"),
        http("https://{{#t.output#}}/"),
    ];
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let app = App { mode: "workflow", variables: "", nodes: &nodes, edges: &[] };
    assert_eq!(app.flows(), ["prompt: Start > Model", "url_host: Start > Call"]);
}

/// Every file of the corpus is lowered, or refused with a place and a reason. The table is in `docs/formats-dify.md`.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads files; the core does not")]
fn every_app_of_the_corpus_is_lowered_or_refused_with_a_reason() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/dify");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the corpus of Dify is not beside the project");
        return;
    };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let (mut lowered, mut nodes, mut unknown, mut tools, mut programs, mut flows) = (0, 0, 0, 0, 0, 0);
    for path in &files {
        let name = path.display().to_string();
        let read = document::read_bytes(name.as_str(), &std::fs::read(path).unwrap());
        let (text, tree) = match read {
            Ok(read) => read,
            Err(problems) => {
                assert!(problems.iter().all(|p| p.span.line > 0), "{name}: {problems:?}");
                eprintln!("{name}: {}", problems[0].message);
                continue;
            }
        };
        assert_eq!(sluice_formats::recognise(&tree), Some(Format::Dify), "{name}");
        let import = match sluice_formats::import(Format::Dify, &text, &tree) {
            Ok(import) => import,
            Err(problems) => {
                eprintln!("{name}: {problems:?}");
                continue;
            }
        };
        let survey = survey(&import);
        assert!(!survey.not_shown.iter().any(|line| line.contains("stopped")), "{name}");
        lowered += 1;
        nodes += import.steps.len();
        unknown += import.observations.iter().filter(|o| o.what == Observed::UnknownNodeType).count();
        tools += import.steps.values().filter(|f| f.confidence == Confidence::Assumed).count();
        programs += import.steps.values().filter(|f| f.kind == Kind::Code).count();
        flows += survey.flows.len();
        for finding in survey.findings.iter().filter(|f| f.severity >= sluice_core::diagnostic::Severity::Medium) {
            eprintln!("  {}: {} {}", path.file_name().unwrap_or_default().display(), finding.code, finding.message);
        }
    }
    eprintln!(
        "files {}, lowered {lowered}, nodes {nodes}, unknown {unknown}, assumed {tools}, programs {programs}, flows {flows}",
        files.len()
    );
}
