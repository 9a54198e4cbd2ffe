//! `score LABELS`: how well `sluice check --facts` agrees with workflows that people have labelled.
//!
//! The rules are those of the labels' own README: a flow is found if sink and kind are right and the reported source is
//! the labelled one or lies on the way; conditional, neutral and secondary labels count neither way. Intervals are 95 %
//! by bootstrap over files, with a fixed seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::root::root;

/// Kinds that count.
const PRIMARY: [&str; 11] = [
    "prompt",
    "agent_tool",
    "query_injection",
    "url_host",
    "url_path",
    "code",
    "command",
    "privileged",
    "recipient",
    "object_ref",
    "egress",
];
/// Facts that are sets of nodes, and the neutral list that they are judged with.
const NODE_SETS: [(&str, &str); 6] = [
    ("unauthenticated_entrypoints", "entrypoints"),
    ("hardcoded_secrets", "placeholder_secrets"),
    ("tls_disabled", ""),
    ("command_nodes", ""),
    ("inert_expressions", ""),
    ("destructive_nodes", ""),
];
const SAMPLES: usize = 2_000;

/// Hits, misses, false alarms.
#[derive(Clone, Copy, Default)]
struct Tally {
    hit: usize,
    missed: usize,
    extra: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.hit += other.hit;
        self.missed += other.missed;
        self.extra += other.extra;
    }

    fn precision(self) -> f64 {
        ratio(self.hit, self.hit + self.extra)
    }

    fn recall(self) -> f64 {
        ratio(self.hit, self.hit + self.missed)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of findings are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// One file's tallies by what they count.
type Tallies = BTreeMap<String, Tally>;

/// Scores the binary against a file of labels.
///
/// # Errors
/// A file that cannot be read, or a check that did not run.
pub(crate) fn run(labels: &str) -> Result<(), String> {
    let path = Path::new(labels);
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read `{labels}`: {e}"))?;
    let rows: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|e| format!("`{labels}` is not JSON lines: {e}")))
        .collect::<Result<_, _>>()?;
    let corpus = path.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("corpus");
    let files = check(&corpus, &rows)?;
    let mut per_file = Vec::new();
    let mut clean = (0_usize, 0_usize);
    for (row, report) in rows.iter().zip(&files) {
        per_file.push(judge(row, report));
        if *field(row, "clean_strict") == Json::Bool(true) {
            clean.0 += 1;
            clean.1 += usize::from(is_alarming(report));
        }
    }
    print(&per_file, clean);
    Ok(())
}

fn check(corpus: &Path, rows: &[Json]) -> Result<Vec<Json>, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["run", "--quiet", "--release", "-p", "sluice", "--", "check", "--facts"]);
    cargo.args(["--format", "json"]);
    let here = std::env::current_dir().map_err(|e| e.to_string())?;
    for row in rows {
        cargo.arg(here.join(corpus).join(field(row, "file").as_str().unwrap_or_default()));
    }
    let output = cargo.output().map_err(|e| format!("cannot run the check: {e}"))?;
    let report: Json = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("the check gave no JSON: {e}\n{}", String::from_utf8_lossy(&output.stderr)))?;
    field(&report, "files").as_array().cloned().ok_or_else(|| "the check gave no files".to_owned())
}

fn is_alarming(report: &Json) -> bool {
    let severities = list(field(report, "findings")).iter().filter_map(|f| field(f, "severity").as_str());
    severities.into_iter().any(|s| matches!(s, "medium" | "high" | "critical"))
}

/// A field, or nothing.
fn field<'v>(value: &'v Json, key: &str) -> &'v Json {
    value.get(key).unwrap_or(&Json::Null)
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// A node's name, whether it stands alone or in an object.
fn node(value: &Json) -> String {
    value.as_str().or_else(|| field(value, "node").as_str()).unwrap_or_default().to_owned()
}

fn nodes(value: &Json) -> BTreeSet<String> {
    list(value).iter().map(node).collect()
}

fn judge(row: &Json, report: &Json) -> Tallies {
    let facts = field(report, "facts");
    let mut tallies = Tallies::new();
    flows(row, facts, &mut tallies);
    for (set, neutral) in NODE_SETS {
        let ignored = nodes(field(field(row, "neutral"), neutral));
        let wanted: BTreeSet<String> = nodes(field(row, set)).difference(&ignored).cloned().collect();
        let given: BTreeSet<String> = nodes(field(facts, set)).difference(&ignored).cloned().collect();
        tallies.entry(format!("node {set}")).or_default().add(compare(&wanted, &given));
    }
    let tools = |agents: &Json| -> BTreeSet<String> {
        let of = |agent: &Json| {
            let name = node(agent);
            nodes(field(agent, "side_effecting_tools")).into_iter().map(move |tool| format!("{name} / {tool}"))
        };
        list(agents).iter().flat_map(of).collect()
    };
    tallies
        .entry("node agents".into())
        .or_default()
        .add(compare(&tools(field(row, "agents")), &tools(field(facts, "agents"))));
    sources(row, facts, &mut tallies);
    tallies
}

fn compare(wanted: &BTreeSet<String>, given: &BTreeSet<String>) -> Tally {
    let hit = wanted.intersection(given).count();
    Tally { hit, missed: wanted.len() - hit, extra: given.len() - hit }
}

fn flows(row: &Json, facts: &Json, tallies: &mut Tallies) {
    let reported = list(field(facts, "flows"));
    let key = |flow: &Json| (text(field(flow, "sink")).to_owned(), text(field(flow, "kind")).to_owned());
    let labelled: BTreeSet<_> = list(field(row, "flows")).iter().map(key).collect();
    for flow in list(field(row, "flows")) {
        let tier = text(field(flow, "tier"));
        if field(flow, "level") != "primary" || !matches!(tier, "direct" | "indirect") {
            continue;
        }
        let source = text(field(flow, "source"));
        let on_way =
            |r: &&Json| field(r, "source") == source || list(field(r, "path")).iter().any(|stop| stop == source);
        let found = reported.iter().filter(|r| key(r) == key(flow)).any(|r| on_way(&r));
        let tally = Tally { hit: usize::from(found), missed: usize::from(!found), extra: 0 };
        for name in ["flows".to_owned(), format!("flows {tier}"), format!("flow {}", text(field(flow, "kind")))] {
            tallies.entry(name).or_default().add(tally);
        }
    }
    let neutral = list(field(field(row, "neutral"), "findings")).iter();
    let neutral: BTreeSet<_> = neutral.map(|f| (node(f), text(field(f, "kind")).to_owned())).collect();
    let disabled = nodes(field(row, "disabled_nodes"));
    let counted = |flow: &&Json| PRIMARY.contains(&text(field(flow, "kind"))) && field(flow, "tier") != "internal";
    let given: BTreeSet<_> = reported.iter().filter(counted).map(key).collect();
    for (sink, kind) in given {
        let known = labelled.contains(&(sink.clone(), kind.clone())) || neutral.contains(&(sink.clone(), kind.clone()));
        if !known && !disabled.contains(&sink) {
            let extra = Tally { extra: 1, ..Tally::default() };
            tallies.entry("flows".into()).or_default().add(extra);
            tallies.entry(format!("flow {kind}")).or_default().add(extra);
        }
    }
}

fn sources(row: &Json, facts: &Json, tallies: &mut Tallies) {
    let tier = |value: &Json, wanted: &[&str]| wanted.contains(&text(field(value, "tier")));
    let direct = list(field(row, "untrusted_sources")).iter().filter(|s| tier(s, &["direct"])).map(node).collect();
    let mut known = nodes(field(row, "untrusted_sources"));
    known.extend(nodes(field(field(row, "neutral"), "untrusted_sources")));
    let given = list(field(facts, "untrusted_sources")).iter().filter(|s| tier(s, &["direct", "indirect"])).map(node);
    let given: BTreeSet<String> = given.collect();
    let mut tally = compare(&direct, &given);
    tally.extra = given.difference(&known).count();
    tallies.entry("sources untrusted".into()).or_default().add(tally);
    let ignored = nodes(field(field(row, "neutral"), "sensitive_sources"));
    let wanted = nodes(field(row, "sensitive_sources"));
    let given: BTreeSet<String> = nodes(field(facts, "sensitive_sources")).difference(&ignored).cloned().collect();
    tallies.entry("sources sensitive".into()).or_default().add(compare(&wanted, &given));
}

fn print(per_file: &[Tallies], clean: (usize, usize)) {
    let names: BTreeSet<&String> = per_file.iter().flat_map(BTreeMap::keys).collect();
    println!(
        "{:<32} {:>9}  {:<13} {:>6}  {:<13} {:>4} {:>4} {:>4}",
        "", "precision", "", "recall", "", "hit", "miss", "false"
    );
    for name in names {
        let of = |file: &Tallies| file.get(name).copied().unwrap_or_default();
        let tallies: Vec<Tally> = per_file.iter().map(of).collect();
        let mut all = Tally::default();
        tallies.iter().for_each(|t| all.add(*t));
        let (precision, recall) = intervals(&tallies);
        let (p, r) = (all.precision(), all.recall());
        println!(
            "{name:<32} {p:>9.3}  {precision:<13} {r:>6.3}  {recall:<13} {:>4} {:>4} {:>4}",
            all.hit, all.missed, all.extra
        );
    }
    println!("clean_strict files with a finding of medium or higher: {} of {}", clean.1, clean.0);
}

/// 95 % intervals of precision and recall, by drawing files with replacement.
fn intervals(tallies: &[Tally]) -> (String, String) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or_default()
    };
    let (mut precisions, mut recalls) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let mut sample = Tally::default();
        for _ in 0..tallies.len() {
            sample.add(tallies.get(draw(tallies.len())).copied().unwrap_or_default());
        }
        precisions.push(sample.precision());
        recalls.push(sample.recall());
    }
    (interval(precisions), interval(recalls))
}

fn interval(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values.get(values.len() * share / 1000).copied().unwrap_or_default();
    format!("[{:.2}, {:.2}]", at(25), at(974))
}
