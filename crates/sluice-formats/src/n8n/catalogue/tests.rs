use std::collections::BTreeMap;
use std::path::Path;

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};

use super::*;
use crate::import::{Kind, Tier};

#[test]
fn every_built_in_file_is_read_without_an_error() {
    let texts: Vec<Text> = FILES.iter().map(|(name, content)| Text::new(*name, *content)).collect();
    let errors = NodeCatalogue::default().layered(&texts).err().unwrap_or_default();
    assert_eq!(lines(&errors), [""; 0]);
}

#[test]
fn the_list_of_files_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/n8n");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| format!("connectors/n8n/{}", file.unwrap().file_name().to_string_lossy()))
        .collect();
    there.sort();
    assert_eq!(FILES.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>(), there);
}

#[test]
fn the_catalogue_knows_at_least_three_hundred_types() {
    assert!(NodeCatalogue::built_in().node_types().count() >= 300);
}

#[test]
fn nodes_are_found_with_what_they_do() {
    let cases = include_str!("found.txt").lines().filter(|line| !line.is_empty());
    let shown: Vec<String> = cases
        .clone()
        .map(|line| {
            let (case, _) = line.split_once(" => ").unwrap_or((line, ""));
            let mut words = case.split(' ');
            let node_type = words.next().unwrap_or_default();
            let pairs = words.filter_map(|word| word.split_once('='));
            let parameters = pairs.map(|(key, value)| (key.to_owned(), value.replace('_', " "))).collect();
            format!("{case} => {}", show(&find(node_type, &parameters)))
        })
        .collect();
    assert!(shown.len() >= 40);
    assert_eq!(shown, cases.collect::<Vec<_>>(), "\n{}", shown.join("\n"));
}

#[test]
fn the_longest_pattern_decides_what_a_parameter_is_for() {
    let parameters = BTreeMap::from([("resource".to_owned(), "message".to_owned())]);
    let mail = find("n8n-nodes-base.gmail", &parameters);
    assert_eq!(mail.usage(&["sendTo"]), Some(Usage::Recipient));
    assert_eq!(mail.usage(&["options", "ccList"]), Some(Usage::Recipient));
    assert_eq!(mail.usage(&["options", "attachmentsUi"]), Some(Usage::Payload));
    assert_eq!(mail.usage(&["authentication"]), None);
    let post = find("n8n-nodes-base.httpRequest", &BTreeMap::from([("method".to_owned(), "POST".to_owned())]));
    assert_eq!(post.usage(&["bodyParameters", "parameters", "0", "value"]), Some(Usage::Payload));
    assert_eq!(post.usage(&["options", "timeout"]), None);
}

#[test]
fn an_entrance_is_open_unless_its_authentication_is_set() {
    let tier = |node: &str, pairs: &[(&str, &str)]| {
        let parameters = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let found = find(node, &parameters);
        (found.entrance.map(|e| e.open), found.source.as_ref().map(|s| s.tier))
    };
    let (webhook, chat) = ("n8n-nodes-base.webhook", "@n8n/n8n-nodes-langchain.chatTrigger");
    assert_eq!(tier(webhook, &[]), (Some(true), Some(Tier::Direct)));
    assert_eq!(tier(webhook, &[("authentication", "none")]), (Some(true), Some(Tier::Direct)));
    assert_eq!(tier(webhook, &[("authentication", "headerAuth")]), (Some(false), Some(Tier::Conditional)));
    assert_eq!(tier(chat, &[]), (None, Some(Tier::Conditional)));
    assert_eq!(tier(chat, &[("public", "true")]), (Some(true), Some(Tier::Direct)));
    assert_eq!(
        tier(chat, &[("public", "true"), ("authentication", "basicAuth")]),
        (Some(false), Some(Tier::Conditional))
    );
}

#[test]
fn the_lexicon_reads_names_as_words() {
    let cases = [
        ("birthDate", "contact_pii"),
        ("Birth Date", "contact_pii"),
        ("user_emails", "contact_pii"),
        ("patient_id", "health"),
        ("IBANCode", "financial"),
        ("orders", "payment_customer"),
        ("access_token", "credentials"),
        ("emailing", ""),
        ("reorder", ""),
        ("total", ""),
    ];
    for (name, category) in cases {
        let found = NodeCatalogue::built_in().lexicon().classify(&[name]);
        assert_eq!(found.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" "), category, "{name}");
    }
}

#[test]
fn a_host_is_known_with_all_below_it() {
    let sink = |host: &str| NodeCatalogue::built_in().host(host).and_then(|h| h.sink.as_deref());
    assert_eq!(sink("api.openai.com"), Some("llm"));
    assert_eq!(sink("acme.openai.azure.com"), Some("llm"));
    assert_eq!(sink("notapi.openai.com.example.org"), None);
}

#[test]
fn the_documented_example_is_read_as_it_says() {
    let page = include_str!("../../../../../docs/formats-n8n-catalogue.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let catalogue = NodeCatalogue::with(&[Text::new("example", example)]).unwrap();
    let find = |operation: &str| {
        let operation = operation.to_owned();
        show(
            &catalogue
                .look_up("n8n-nodes-acme.deskTool", 1.0, &|name| (name == "operation").then(|| operation.clone())),
        )
    };
    assert_eq!(find("delete"), "action acme-desk ticket/delete write privileged destructive replace");
    assert_eq!(find("getAll"), "action acme-desk ticket/getAll read from messaging direct +customer_records replace");
}

#[test]
fn a_file_of_the_workspace_replaces_what_it_names() {
    let file = "version: 1\nformat: n8n\nnodes:\n  n8n-nodes-base.slack: { kind: action, service: chat, sink: crm }\n";
    let catalogue = NodeCatalogue::with(&[Text::new("own.yaml", file)]).unwrap();
    let find = |node: &str| catalogue.look_up(node, 2.0, &|_| None).service.clone();
    assert_eq!(find("n8n-nodes-base.slack").as_deref(), Some("chat"));
    assert_eq!(find("n8n-nodes-base.gmail").as_deref(), Some("gmail"));
    for (node_type, is_own) in [
        ("n8n-nodes-base.slack", true),
        ("n8n-nodes-base.slackTool", true),
        ("n8n-nodes-fork.slack", true),
        ("n8n-nodes-base.gmail", false),
        ("n8n-nodes-base.nothing", false),
    ] {
        assert_eq!(catalogue.own_entry(node_type).is_some(), is_own, "{node_type}");
    }
    assert!(!catalogue.has_own_words());
    let words = "version: 1\nformat: n8n\nverbs: [{ words: [frob], effect: read }]\n";
    assert!(NodeCatalogue::with(&[Text::new("own.yaml", words)]).unwrap().has_own_words());
}

#[test]
fn what_a_file_cannot_mean_is_an_error_at_its_place() {
    let cases = [
        ("version: 2\nformat: n8n\n", "SL119 1:10 `version` must be `1`, the one that this release reads"),
        (
            "version: 1\nformat: n8n\nnode: {}\n",
            "SL117 3:1 unknown key `node` in a node catalogue; did you mean `nodes`?",
        ),
        (
            "version: 1\nformat: n8n\nnodes: { a: { kind: part } }\n",
            "SL119 3:13 `part` and `kind: part` belong together",
        ),
        (
            "version: 1\nformat: n8n\nnodes: { a: { kind: flow, arguments: { x..y: none } } }\n",
            "SL119 3:40 `x..y` is no dotted path",
        ),
        (
            "version: 1\nformat: n8n\nnodes: { a: { kind: flow, output: { trust: direct } } }\n",
            "SL119 3:35 `source` and `trust` belong together, and `trust: trusted` has no source",
        ),
    ];
    for (file, expected) in cases {
        let errors = NodeCatalogue::with(&[Text::new("own.yaml", file)]).unwrap_err();
        assert_eq!(lines(&errors), [expected]);
    }
    let twice = "version: 1\nformat: n8n\nnodes: { a: { kind: flow } }\n";
    let errors = NodeCatalogue::with(&[Text::new("one", twice), Text::new("two", twice)]).unwrap_err();
    assert_eq!(lines(&errors), ["SL119 3:10 `a` is in `one` already"]);
}

/// The share of nodes that an entry names; skipped where the corpus is not beside the repository.
#[test]
fn nearly_every_node_of_the_corpus_is_named() {
    let Ok(folder) = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/n8n")) else {
        return;
    };
    let (mut all, mut known, mut actions) = (0_usize, 0_usize, 0_usize);
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for file in folder {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let Ok((_, tree)) = document::read_bytes("a workflow", &bytes) else { continue };
        let Some(Data::List(nodes)) = tree.get("nodes").map(|n| &n.value) else { continue };
        for node in nodes {
            let Some(node_type) = node.get("type").and_then(Tree::as_text) else { continue };
            let found = NodeCatalogue::built_in().look_up(node_type, version(node), &|name| parameter(node, name));
            let named = NodeCatalogue::built_in().knows(node_type);
            all += 1;
            known += usize::from(named);
            actions += usize::from(found.confidence == Confidence::Known);
            if !named || found.confidence == Confidence::Assumed {
                *unknown.entry(format!("{node_type} {}", found.action)).or_default() += 1;
            }
        }
    }
    let mut unknown: Vec<_> = unknown.into_iter().collect();
    unknown.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{known} of {all} nodes are named, {actions} with their action; not: {unknown:?}");
    assert!(known * 100 >= all * 97, "{known} of {all}");
}

fn version(node: &Tree) -> f64 {
    match node.get("typeVersion").map(|v| &v.value) {
        Some(Data::Int(n)) => i32::try_from(*n).map_or(0.0, f64::from),
        Some(Data::Float(x)) => *x,
        _ => 0.0,
    }
}

fn parameter(node: &Tree, name: &str) -> Option<String> {
    match &node.get("parameters")?.get(name)?.value {
        Data::Text(text) => Some(text.to_string()),
        Data::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn find(node_type: &str, parameters: &BTreeMap<String, String>) -> Arc<Found> {
    let version = parameters.get("typeVersion").map_or(0.0, |text| text.parse().unwrap());
    NodeCatalogue::built_in().look_up(node_type, version, &|name| parameters.get(name).cloned())
}

fn show(found: &Found) -> String {
    let mut words = vec![format!("{:?}", found.kind).to_lowercase()];
    words.extend(found.part.map(|part| format!("{part:?}").to_lowercase()));
    words.push(found.service.as_deref().unwrap_or("-").to_owned());
    if !found.action.is_empty() {
        words.push(found.action.to_string());
    }
    if found.kind != Kind::Part && found.kind != Kind::Trigger {
        words.push(found.effect.to_string());
    }
    words.extend(found.sink.as_ref().map(|sink| format!("to {sink}")));
    let flags = [(found.privileged, "privileged"), (found.destructive, "destructive"), (found.human_gate, "gate")];
    words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
    words.extend(found.source.as_ref().map(|source| format!("from {} {}", source.kind, source.tier.name())));
    words.extend(found.labels.iter().map(|label| format!("+{label}")));
    if found.classify_fields {
        words.push("fields".to_owned());
    }
    words.push(format!("{:?}", found.output).to_lowercase());
    if found.confidence == Confidence::Assumed {
        words.push("assumed".to_owned());
    }
    words.join(" ")
}

fn lines(problems: &[Problem]) -> Vec<String> {
    let errors = problems.iter().map(|problem| &problem.diagnostic);
    errors.map(|e| format!("{} {}:{} {}", e.code, e.span.line, e.span.column, e.message)).collect()
}
