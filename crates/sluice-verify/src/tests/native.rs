//! Native definitions of exports: what is written reads, loads, and has the flows of the original.

mod dify;
mod github_actions;
mod logic_apps;
mod step_functions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use insta::assert_snapshot;
use serde_json::json;
use sluice_formats::native::{self, Definition, Files};

use super::n8n::export;
use crate::survey::{Compared, compare};

/// What is written of an export, held against it.
fn written(content: &str) -> (Definition, Files, Compared) {
    let opened = native::open("export.json", content.as_bytes(), None).unwrap();
    let (original, definition) = *opened.result.unwrap_or_else(|e| panic!("{e:#?}"));
    let files = definition.files();
    let compared = compare(&original, &definition, &files).unwrap_or_else(|e| panic!("{e:#?}\n{}", shown(&files)));
    (definition, files, compared)
}

fn shown(files: &Files) -> String {
    let contracts: Vec<String> = files.contracts.iter().map(|(path, text)| format!("--- {path}\n{text}")).collect();
    format!("{}{}", files.definition, contracts.join(""))
}

/// Of an export without gaps.
fn whole(content: &str) -> String {
    let (definition, files, compared) = written(content);
    assert!(definition.gaps.is_empty(), "{:#?}", definition.gaps);
    assert_eq!((compared.lost, compared.added), Default::default(), "{}", shown(&files));
    shown(&files)
}

/// The gaps of an export: place and message.
fn gaps(content: &str) -> Vec<String> {
    let (definition, ..) = written(content);
    definition.gaps.iter().map(|gap| format!("{} {}", gap.code, gap.message)).collect()
}

#[test]
fn a_webhook_that_asks_a_service_and_tells_a_channel_is_three_calls() {
    let content = export(
        &[
            ("Order", "webhook", json!({ "path": "orders" })),
            (
                "Fields",
                "set",
                json!({ "assignments": { "assignments": [
                { "name": "id", "value": "={{ $json.body.id }}", "type": "string" },
                { "name": "team", "value": "sales", "type": "string" },
            ] }, "includeOtherFields": false }),
            ),
            (
                "Look up",
                "httpRequest",
                json!({ "url": "=https://shop.example.com/orders/{{ $json.id }}", "typeVersion": 4.2 }),
            ),
            (
                "Tell",
                "slack",
                json!({ "select": "channel", "channelId": { "__rl": true, "mode": "name", "value": "#sales" }, "text": "=Order {{ $json.number }} of {{ $('Order').item.json.body.customer }}" }),
            ),
        ],
        &["Order -> Fields", "Fields -> Look up", "Look up -> Tell"],
    );
    assert_snapshot!(whole(&content));
}

/// Between a webhook and a channel.
fn around(nodes: &[(&str, &str, serde_json::Value)], links: &[&str]) -> String {
    let mut all = vec![
        ("In", "webhook", json!({ "path": "x" })),
        ("Out", "slack", json!({ "select": "channel", "channelId": "#c", "text": "={{ $json.text }}" })),
    ];
    all.extend(nodes.iter().cloned());
    export(&all, links)
}

fn when(left: &str, kind: &str, operation: &str, right: serde_json::Value) -> serde_json::Value {
    json!({ "conditions": { "options": { "caseSensitive": true }, "combinator": "and", "conditions": [
        { "leftValue": left, "rightValue": right, "operator": { "type": kind, "operation": operation } },
    ] } })
}

#[test]
fn a_branch_is_two_tasks_with_conditions_and_comes_together_behind_them() {
    let yes = (
        "Yes",
        "set",
        json!({ "assignments": { "assignments": [{ "name": "text", "value": "=yes {{ $json.body.name }}" }] } }),
    );
    let no = ("No", "set", json!({ "mode": "raw", "jsonOutput": "{ \"text\": \"no\" }" }));
    let test = ("Known?", "if", when("={{ $json.body.name }}", "string", "startsWith", json!("A")));
    let content =
        around(&[test, yes, no], &["In -> Known?", "Known? -> Yes", "Known?:1 -> No", "Yes -> Out", "No -> Out"]);
    assert_snapshot!(whole(&content));
}

#[test]
fn a_switch_sets_its_way_once() {
    let rule = |word: &str| json!({ "outputKey": word, "conditions": when("={{ $json.body.kind }}", "string", "equals", json!(word))["conditions"] });
    let switch = (
        "Kind",
        "switch",
        json!({ "rules": { "values": [rule("a"), rule("b")] }, "options": { "fallbackOutput": "extra" } }),
    );
    let other = ("Other", "telegram", json!({ "chatId": "1", "text": "={{ $json.body.text }}" }));
    let content = around(&[switch, other], &["In -> Kind", "Kind:1 -> Out", "Kind:2 -> Other"]);
    assert_snapshot!(whole(&content));
}

#[test]
fn a_merge_node_waits_for_both_or_takes_the_one_that_came() {
    let merge = ("Both", "merge", json!({ "mode": "combine", "combineBy": "combineByPosition" }));
    let look = ("Ask", "todoist", json!({ "operation": "get", "taskId": "={{ $json.body.task }}" }));
    let content = around(&[merge, look], &["In -> Ask", "In -> Both:1", "Ask -> Both", "Both -> Out"]);
    assert_snapshot!(whole(&content));
}

#[test]
fn a_node_runs_once_for_each_way_that_leads_to_it() {
    let ask = ("Ask", "todoist", json!({ "operation": "getAll" }));
    let content = around(&[ask], &["In -> Ask", "In -> Out", "Ask -> Out"]);
    assert_snapshot!(whole(&content));
}

#[test]
fn a_list_in_an_item_is_a_loop_and_so_is_a_loop_node() {
    let split = ("Lines", "splitOut", json!({ "fieldToSplitOut": "body.lines" }));
    let batches = ("One by one", "splitInBatches", json!({ "options": {} }));
    let content =
        around(&[split, batches], &["In -> Lines", "Lines -> One by one", "One by one:1 -> Out", "Out -> One by one"]);
    assert_snapshot!(whole(&content));
}

#[test]
fn errors_are_caught_tried_again_or_lead_to_their_own_port() {
    let ask = ("Ask", "todoist", json!({ "operation": "get", "taskId": "1", "onError": "continueErrorOutput" }));
    let other = ("Tell", "telegram", json!({ "chatId": "1", "text": "=failed: {{ $json.error }}" }));
    let content = around(&[ask, other], &["In -> Ask", "Ask -> Out", "Ask:1 -> Tell"]);
    assert_snapshot!(whole(&content));
}

#[test]
fn a_model_is_a_connector_whose_words_carry_its_prompt() {
    let nodes = [
        ("In", "webhook", json!({ "path": "x" })),
        ("Summary", "chainLlm", json!({ "promptType": "define", "text": "=Sum up: {{ $json.body.text }}" })),
        ("Model", "lmChatOpenAi", json!({ "model": { "__rl": true, "mode": "list", "value": "gpt-4.1-mini" } })),
        ("Out", "slack", json!({ "select": "channel", "channelId": "#c", "text": "={{ $json.text }}" })),
    ];
    assert_snapshot!(whole(&export(&nodes, &["In -> Summary", "Model ~languageModel~> Summary", "Summary -> Out"])));
}

#[test]
fn expressions_that_mean_the_same_in_jq_are_carried_over() {
    let fields = [
        ("path", "={{ $json.body.a['b c'][0] }}"),
        ("choice", "={{ $json.body.a ? 'x' : 'y' }}"),
        ("same", "={{ $json.body.a === 'q' && !$json.body.b }}"),
        ("usual", "={{ $json.body.a || 'none' }}"),
        ("either", "={{ $json.body.a ?? $json.body.b }}"),
        ("joined", "={{ 'a' + $json.body.a }}"),
        ("template", "={{ `a${$json.body.a}` }}"),
        ("upper", "={{ $json.body.a.toUpperCase().trim() }}"),
        ("list", "={{ $json.body.a.split(',').join('; ') }}"),
        ("number", "={{ Number($json.body.a) * 2 }}"),
        ("object", "={{ { a: $json.body.a, 'b c': [1, 2] } }}"),
        ("json", "={{ JSON.stringify($json.body) }}"),
        ("dollar", "costs ${5} and $workflow.id"),
        ("inert", "{{ $json.a }}"),
    ];
    let list: Vec<_> = fields.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let content = around(&[("Set", "set", json!({ "assignments": { "assignments": list } }))], &["In -> Set"]);
    let text = whole(&content);
    let set = text.split("- Set:").nth(1).and_then(|rest| rest.split("---").next()).unwrap();
    assert_snapshot!(set);
}

#[test]
fn what_has_no_equivalent_is_told_and_never_approximated() {
    let value = |value: &str| {
        let set = ("S", "set", json!({ "assignments": { "assignments": [{ "name": "a", "value": value }] } }));
        around(&[set], &["In -> S"])
    };
    let node = |kind: &'static str, parameters: serde_json::Value| {
        around(&[("N", kind, parameters)], &["In -> N", "N -> Out"])
    };
    let told = [
        gaps(&value("={{ $now.toISO() }}")),
        gaps(&value("={{ $json.a.map(x => x.b) }}")),
        gaps(&value("={{ $json.a.replace(/x/, '') }}")),
        gaps(&value("={{ $json.a + $json.b }}")),
        gaps(&value("={{ $json.a == $json.b }}")),
        gaps(&value("={{ $('Gone').item.json.a }}")),
        gaps(&value("={{ $vars.key }}")),
        gaps(&node("code", json!({ "jsCode": "return items" }))),
        gaps(&node("aggregate", json!({}))),
        gaps(&node("executeWorkflow", json!({ "workflowId": "1" }))),
        gaps(&node("wait", json!({ "resume": "webhook" }))),
        gaps(&node("httpRequest", json!({ "url": "={{ $json.body.url }}" }))),
        gaps(&around(
            &[
                ("A", "httpRequest", json!({ "url": "=https://a.example.com/x/{{ $json.body.id }}" })),
                ("B", "httpRequest", json!({ "url": "=https://a.example.com/x/{{ $json.body.key }}" })),
            ],
            &["In -> A", "In -> B"],
        )),
        gaps(&node("httpRequest", json!({ "url": "https://a.example.com", "options": { "pagination": { "a": 1 } } }))),
        gaps(&around(&[("A", "merge", json!({ "mode": "combine" }))], &["In -> A", "In -> A:1", "A -> Out"])),
        gaps(&around(&[("A", "noOp", json!({}))], &["In -> A", "A -> Out", "Out -> A"])),
    ];
    assert_snapshot!(told.iter().flatten().cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_an_author_writes_stays_text() {
    let name = "x; ${ $secrets.key }\n- evil {call a.b} # \u{202e}";
    let text = "=${ $secrets.key } {{ $json.body.a }} \u{1b}[2J";
    let content = export(
        &[("In", "webhook", json!({ "path": "on" })), (name, "slack", json!({ "channelId": "n", "text": text }))],
        &[&format!("In -> {name}")],
    );
    let (definition, files, compared) = written(&content);
    assert!(definition.gaps.is_empty() && compared.lost.is_empty());
    assert!(!files.definition.contains(['\u{202e}', '\u{1b}']), "{}", files.definition);
    let lines: Vec<&str> = files.definition.lines().filter(|line| line.contains("evil")).collect();
    assert_eq!(lines.len(), 1, "{}", files.definition);
}

#[test]
fn no_size_of_a_workflow_overflows_the_stack() {
    let many = |kind: &str, parameters: serde_json::Value, fans_out: bool| {
        let mut nodes = vec![json!({ "name": "0", "type": "n8n-nodes-base.manualTrigger", "parameters": {} })];
        let mut connections = json!({});
        for n in 1..1_000 {
            nodes.push(json!({ "name": n.to_string(), "type": format!("n8n-nodes-base.{kind}"), "typeVersion": 3, "parameters": parameters }));
            nodes.push(json!({ "name": format!("leaf {n}"), "type": "n8n-nodes-base.noOp", "parameters": {} }));
            let mut to = vec![json!({ "node": n.to_string(), "type": "main", "index": 0 })];
            if fans_out {
                to.push(json!({ "node": format!("leaf {n}"), "type": "main", "index": 0 }));
            }
            connections[(n - 1).to_string()] = json!({ "main": [to] });
        }
        json!({ "name": "big", "nodes": nodes, "connections": connections }).to_string()
    };
    let refused = |content: &str| native::open("big.json", content.as_bytes(), None).unwrap().result.is_err();
    assert!(!refused(&many("noOp", json!({}), false)));
    assert!(refused(&many("noOp", json!({}), true)));
    assert!(refused(&many("rssFeedRead", json!({}), false)), "a loop in a loop in a loop …");
    assert!(refused(&many("httpRequest", json!({ "url": "https://a.example.com/" }), true)));
}

/// What became of the corpus.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    /// In how many definitions something has no equivalent, by message.
    reasons: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, what: &'static str, n: usize) {
        *self.counts.entry(what).or_default() += n;
    }

    /// A file, once for each of its starts: a definition has one.
    fn file(&mut self, name: &str, bytes: &[u8]) {
        self.count("files", 1);
        let Some(opened) = native::open(name, bytes, None) else {
            // A text that cannot be read is no workflow of anybody.
            self.count("files that are none", 1);
            return;
        };
        self.count("files with several starts", usize::from(opened.starts.len() > 1));
        if opened.starts.is_empty() {
            self.count("files without a start", 1);
        }
        let mut is_whole = !opened.starts.is_empty();
        for start in &opened.starts {
            is_whole &= self.start(name, bytes, start);
        }
        self.count("files that are whole", usize::from(is_whole));
    }

    fn start(&mut self, name: &str, bytes: &[u8], start: &str) -> bool {
        self.count("definitions", 1);
        let (original, definition) = match native::open(name, bytes, Some(start)).unwrap().result {
            Ok(both) => *both,
            Err(errors) => {
                self.count("refused", 1);
                self.reason(errors.iter().map(|e| e.message.as_str()));
                return false;
            }
        };
        let files = definition.files();
        self.reason(definition.gaps.iter().map(|gap| gap.message.as_str()));
        self.count("steps", definition.steps);
        self.count("steps with an equivalent", definition.equivalent);
        match compare(&original, &definition, &files) {
            Err(unreadable) => self.wrong.push(format!("{name}: {unreadable}")),
            Ok(_) if !definition.gaps.is_empty() => {
                self.count("partial", 1);
                if !files.definition.contains("call: no-equivalent.") {
                    self.wrong.push(format!("{name} would run"));
                }
            }
            Ok(Compared { shared, lost, added }) => {
                self.count("whole", 1);
                self.count("flows of whole ones", shared.len());
                self.count("whole ones with more flows", usize::from(!added.is_empty()));
                if !lost.is_empty() {
                    self.wrong.push(format!("{name} hides {lost:?}"));
                }
            }
        }
        definition.gaps.is_empty()
    }

    fn reason<'m>(&mut self, messages: impl Iterator<Item = &'m str>) {
        let kinds: BTreeSet<String> = messages.map(without_names).collect();
        for kind in kinds {
            *self.reasons.entry(kind).or_default() += 1;
        }
    }
}

/// A message without the words of its file.
fn without_names(message: &str) -> String {
    let kept = message.split('`').enumerate().map(|(n, part)| if n % 2 == 0 { part } else { "…" });
    kept.collect()
}

/// What becomes of one of so many files of a folder of the corpus.
#[expect(clippy::disallowed_methods, reason = "a test reads the corpus")]
fn corpus(folder: &str, one_of: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(folder);
    if !folder.is_dir() {
        eprintln!("skipped: no corpus beside this folder");
        return;
    }
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut tally = Tally::default();
    for path in paths.iter().step_by(one_of) {
        tally.file(&path.file_name().unwrap().to_string_lossy(), &std::fs::read(path).unwrap());
    }
    let mut reasons: Vec<_> = tally.reasons.iter().collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    eprintln!("{:#?}", tally.counts);
    for (reason, count) in reasons.iter().take(40) {
        eprintln!("{count:5} {reason}");
    }
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test is told how much it does")]
fn what_is_written_of_the_corpus_reads_and_hides_no_flow() {
    // Each definition is followed twice; all of them take some minutes.
    let all = std::env::var_os("SLUICE_CORPUS_IMPORT").is_some_and(|which| which == "all");
    corpus("n8n", if all { 1 } else { 16 });
}
