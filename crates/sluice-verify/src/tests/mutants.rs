//! Corpus files with one change each: what must change the flows does, as expected, and what must not does not.
//!
//! A sample is taken, the same each time; with `SLUICE_CORPUS_MUTANTS=all` every file.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};
use sluice_formats::Observed;

use super::foreign::imported;
use crate::survey::survey;

/// Source, sink, kind, tier.
type Flow = (String, String, &'static str, &'static str);

/// A file of n8n with at least one flow.
struct Case {
    name: String,
    json: Json,
    flows: BTreeSet<Flow>,
    /// Sink, kind, parameters.
    ends: Vec<(String, &'static str, BTreeSet<String>)>,
}

const SAMPLE: usize = 40;

/// Cases of the corpus; none where it does not lie beside the repository.
#[expect(clippy::disallowed_methods, reason = "the corpus lies beside the repository")]
fn cases(fits: &dyn Fn(&Case) -> bool) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/n8n");
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: there is no corpus beside the repository");
        return Vec::new();
    };
    let all = std::env::var("SLUICE_CORPUS_MUTANTS").is_ok_and(|n| n == "all");
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    // By their contents' digests, which the names end with: neighbours by name are alike.
    files.sort_by_key(|path| path.file_stem().map(|name| name.to_string_lossy().chars().rev().collect::<String>()));
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        let json: Json = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        json.get("nodes")?.as_array().filter(|nodes| nodes.len() < 60)?;
        case(path.file_name()?.to_string_lossy().into_owned(), json).filter(|case| fits(case))
    };
    let found: Vec<Case> = files.iter().filter_map(read).take(if all { usize::MAX } else { SAMPLE }).collect();
    println!("{} files", found.len());
    found
}

/// `None` of files that are refused, have no flow, or name nodes that are not there.
fn case(name: String, mut json: Json) -> Option<Case> {
    // A second entry and a second branch, which do nothing: with them what one run leaves behind is there for the next, and
    // further ones add nothing of that kind.
    let node =
        |name: &str, kind: &str| json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "parameters": {} });
    let to = |name: &str| json!({ "node": name, "type": "main", "index": 0 });
    let idle = [node("Mutant clock", "scheduleTrigger"), node("Mutant one", "noOp"), node("Mutant two", "noOp")];
    json["nodes"].as_array_mut()?.extend(idle);
    json["connections"]
        .as_object_mut()?
        .insert("Mutant clock".to_owned(), json!({ "main": [[to("Mutant one"), to("Mutant two")]] }));
    let import = imported(&json.to_string()).ok()?;
    let survey = survey(&import);
    let dangles = |what: &Observed| matches!(what, Observed::DanglingReference { .. });
    let names: BTreeSet<_> = import.program.steps.iter().map(|step| &step.name).collect();
    let odd = names.len() != import.program.steps.len() || import.observations.iter().any(|o| dangles(&o.what));
    if odd || survey.flows.is_empty() {
        return None;
    }
    let step = |step: sluice_core::program::StepId| import.program.steps[step.0 as usize].name.to_string();
    let ends = survey.flows.iter().map(|f| {
        let parameters = f.parameters.iter().map(ToString::to_string).collect();
        (step(f.sink), f.kind.name(), parameters)
    });
    Some(Case { name, flows: flows(&json), ends: ends.collect(), json })
}

fn flows(json: &Json) -> BTreeSet<Flow> {
    let text = json.to_string();
    let import = imported(&text).unwrap_or_else(|e| panic!("refused: {e:?}\n{text}"));
    let step = |step: sluice_core::program::StepId| import.program.steps[step.0 as usize].name.to_string();
    let flows = survey(&import).flows;
    flows.iter().map(|f| (step(f.source), step(f.sink), f.kind.name(), f.tier.name())).collect()
}

fn nodes(json: &Json) -> &Vec<Json> {
    json["nodes"].as_array().unwrap()
}

/// Each text of a tree, changed.
fn each_text(json: &mut Json, change: &dyn Fn(&str) -> String) {
    match json {
        Json::String(text) => *text = change(text),
        Json::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Json::Object(fields) => fields.values_mut().for_each(|value| each_text(value, change)),
        _ => {}
    }
}

#[test]
fn a_file_whose_nodes_have_other_names_means_the_same() {
    let is_plain = |name: &str| !name.contains(['\'', '"', '`', '\\']) && name.trim() == name;
    let plain = |case: &Case| nodes(&case.json).iter().all(|n| n["name"].as_str().is_some_and(is_plain));
    for case in cases(&plain) {
        let names: Vec<String> = nodes(&case.json).iter().map(|n| n["name"].as_str().unwrap().to_owned()).collect();
        let renamed = |name: &str| names.iter().position(|n| n == name).map_or(name.to_owned(), |i| format!("R{i}x"));
        let in_text = |text: &str| {
            let mut text = text.to_owned();
            for (i, name) in names.iter().enumerate() {
                let new = format!("R{i}x");
                for quote in ['\'', '"', '`'] {
                    for open in ["$(", "$node[", "$items("] {
                        text =
                            text.replace(&format!("{open}{quote}{name}{quote}"), &format!("{open}{quote}{new}{quote}"));
                    }
                }
                for end in ['.', '['] {
                    text = text.replace(&format!("$node.{name}{end}"), &format!("$node.{new}{end}"));
                }
            }
            text
        };
        let mut json = case.json.clone();
        for node in json["nodes"].as_array_mut().unwrap() {
            each_text(&mut node["parameters"], &in_text);
            node["name"] = renamed(node["name"].as_str().unwrap()).into();
        }
        let links = json["connections"].as_object().cloned().unwrap_or_default();
        let links = links.into_iter().map(|(from, mut kinds)| {
            let lists = kinds.as_object_mut().into_iter().flat_map(|kinds| kinds.values_mut());
            for target in lists.filter_map(Json::as_array_mut).flatten().filter_map(Json::as_array_mut).flatten() {
                if let Some(name) = target.get("node").and_then(Json::as_str).map(renamed) {
                    target["node"] = name.into();
                }
            }
            (renamed(&from), kinds)
        });
        json["connections"] = Json::Object(links.collect());
        let expected: BTreeSet<Flow> =
            case.flows.iter().map(|(a, b, kind, tier)| (renamed(a), renamed(b), *kind, *tier)).collect();
        assert_eq!(flows(&json), expected, "{}", case.name);
    }
}

#[test]
fn a_file_whose_nodes_stand_in_another_order_means_the_same() {
    for case in cases(&|_| true) {
        let mut json = case.json.clone();
        json["nodes"].as_array_mut().unwrap().reverse();
        assert_eq!(flows(&json), case.flows, "{}", case.name);
    }
}

#[test]
fn a_flow_that_is_put_in_is_found_and_nothing_else_changes() {
    let (mut odd, mut count) = (0, 0);
    for case in cases(&|_| true) {
        let mut json = case.json.clone();
        let hook = json!({ "name": "Mutant hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "parameters": { "path": "m" } });
        let get = json!({
            "name": "Mutant call", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2,
            "parameters": { "url": "=https://{{ $json.body.u }}/" },
        });
        json["nodes"].as_array_mut().unwrap().extend([hook, get]);
        json["connections"]["Mutant hook"] =
            json!({ "main": [[{ "node": "Mutant call", "type": "main", "index": 0 }]] });
        let found = flows(&json);
        let mut new: BTreeSet<&Flow> = found.difference(&case.flows).collect();
        let expected = ("Mutant hook".to_owned(), "Mutant call".to_owned(), "url_host", "direct");
        assert!(new.remove(&expected), "{}: {found:?}", case.name);
        // A program that may name any node reads the new ones, too.
        if new.iter().any(|(from, ..)| from.starts_with("Mutant")) {
            odd += 1;
        } else {
            assert!(new.is_empty() && case.flows.is_subset(&found), "{}: {new:?}", case.name);
        }
        count += 1;
    }
    assert!(odd * 10 <= count, "{odd} of {count}");
}

/// The fields of the item that a text reads, if that is all that it does.
fn fields_read(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('=')?;
    let expressions: Vec<&str> =
        inner.split("{{").skip(1).map(|rest| rest.split("}}").next()).collect::<Option<_>>()?;
    let path = |e: &&str| {
        let path = e.trim().strip_prefix("$json.")?;
        path.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.').then(|| e.trim().to_owned())
    };
    let paths: Vec<String> = expressions.iter().map(path).collect::<Option<_>>()?;
    (!paths.is_empty()).then_some(paths)
}

/// A sink and the fields that all parameters of one of its flows read.
fn guardable(case: &Case) -> Option<(String, &'static str, Vec<String>)> {
    const HELD: [&str; 6] = ["query_injection", "url_host", "url_path", "recipient", "object_ref", "command"];
    case.ends.iter().filter(|(_, kind, _)| HELD.contains(kind)).find_map(|(sink, kind, parameters)| {
        let node = nodes(&case.json).iter().find(|n| n["name"] == sink.as_str())?;
        let at = |path: &String| {
            let pointer = format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"));
            fields_read(node["parameters"].pointer(&pointer)?.as_str()?)
        };
        let fields: Vec<Vec<String>> = parameters.iter().map(at).collect::<Option<_>>()?;
        let is_tool = case.json["connections"][sink].as_object().is_some_and(|kinds| kinds.keys().any(|k| k != "main"));
        (!is_tool).then(|| (sink.clone(), *kind, fields.concat()))
    })
}

/// Every link to `from` goes to `to`.
fn rewired(json: &mut Json, from: &str, to: &str) {
    let links = json["connections"].as_object_mut().unwrap();
    let lists = links.values_mut().filter_map(Json::as_object_mut).filter_map(|kinds| kinds.get_mut("main"));
    for target in lists.filter_map(Json::as_array_mut).flatten().filter_map(Json::as_array_mut).flatten() {
        if target["node"] == from {
            target["node"] = to.into();
        }
    }
}

#[test]
fn a_guard_that_is_put_in_takes_the_flow_away_and_without_it_the_flow_is_back() {
    let mut count = 0;
    for case in cases(&|case| guardable(case).is_some()) {
        let Some((sink, kind, fields)) = guardable(&case) else { continue };
        let mut json = case.json.clone();
        rewired(&mut json, &sink, "Mutant guard");
        let conditions: Vec<Json> = fields
            .iter()
            .map(|field| {
                json!({ "leftValue": format!("={{{{ {field} }}}}"), "rightValue": "fixed", "operator": { "type": "string", "operation": "equals" } })
            })
            .collect();
        let guard = json!({
            "name": "Mutant guard", "type": "n8n-nodes-base.if", "typeVersion": 2.2,
            "parameters": { "conditions": {
                "options": { "caseSensitive": true, "typeValidation": "strict" }, "combinator": "and", "conditions": conditions,
            } },
        });
        json["nodes"].as_array_mut().unwrap().push(guard);
        json["connections"]["Mutant guard"] = json!({ "main": [[{ "node": sink, "type": "main", "index": 0 }], []] });
        let held = flows(&json);
        assert!(!held.iter().any(|(_, at, k, _)| *at == sink && *k == kind), "{}: {sink} {kind}: {held:?}", case.name);
        let gone = case.flows.difference(&held);
        assert!(gone.clone().all(|(_, at, ..)| *at == sink), "{}: {:?}", case.name, gone.collect::<Vec<_>>());
        let new: Vec<_> = held.difference(&case.flows).filter(|(_, at, ..)| *at == sink).collect();
        assert!(new.is_empty(), "{}: {new:?}", case.name);

        // Both ports lead there: it guards nothing. (A longer circle may be summarized earlier, and then tell more.)
        let to = json!([{ "node": sink, "type": "main", "index": 0 }]);
        json["connections"]["Mutant guard"]["main"][1] = to;
        assert!(case.flows.is_subset(&flows(&json)), "{}", case.name);

        json["nodes"].as_array_mut().unwrap().pop();
        json["connections"].as_object_mut().unwrap().remove("Mutant guard");
        rewired(&mut json, "Mutant guard", &sink);
        assert_eq!(flows(&json), case.flows, "{}", case.name);
        count += 1;
    }
    println!("{count} guards");
}
