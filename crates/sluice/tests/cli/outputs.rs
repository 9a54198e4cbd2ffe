//! What `sluice check` writes for others: SARIF, annotations, a page; and what it leaves out because it was told to.

use std::fs;

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

const FETCH: &str = "  - fetch: { call: http, with: { method: get, endpoint: https://api.example.com/notes } }\n";
const TICKET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/ticket");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/report");
/// Names and texts that would be commands, markup, links or turned words in some output.
const EVIL: &str =
    "\\r\\n::error::x %0A <img src=x onerror=alert(1)> [l](https://evil.example) ]]> \\e[2J \\u202e \\u200b &amp; '";

/// A workflow whose author wrote [`EVIL`] wherever they can.
fn hostile(sandbox: &Sandbox) -> String {
    let task = |name: &str, call: &str| format!("  - \"{name}{EVIL}\": {{ call: \"{call}\", with: {{}} }}\n");
    let http =
        format!("  - fetch: {{ call: http, with: {{ method: get, endpoint: \"https://x.example/{EVIL}\" }} }}\n");
    sandbox.workflow("evil,line=1::.yaml", &format!("{}{http}", task("a", &format!("x{EVIL}"))))
}

#[track_caller]
fn is_sarif(log: &Json) {
    let schema: Json = serde_json::from_str(include_str!("../schemas/sarif-2.1.0.json")).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("https://schemas.example/sarif.json", schema).unwrap();
    let index = compiler.compile("https://schemas.example/sarif.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(log, index) {
        panic!("{error:#}");
    }
}

#[test]
fn sarif_fits_its_schema_whatever_is_checked() {
    let sandbox = Sandbox::with_workspace();
    let refused = sandbox.write("ws/b.yaml", "document: [\n");
    let evil = hostile(&sandbox);
    let fetch = sandbox.workflow("a.yaml", FETCH);
    for paths in [vec![refused.as_str(), &evil, &fetch], vec![TICKET], vec![REPORT], vec!["data"]] {
        let arguments = [vec!["check", "--format", "sarif"], paths].concat();
        let log = sandbox.sluice(&arguments).json();
        is_sarif(&log);
    }
}

#[test]
fn sarif_carries_rule_place_way_and_a_fingerprint_that_stays_when_lines_move() {
    let sandbox = Sandbox::new();
    let log = sandbox.sluice(&["check", "--format", "sarif", TICKET]).with(1).json();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let found = results.iter().find(|result| result["ruleId"] == "SL204").unwrap();
    let rule = &run["tool"]["driver"]["rules"][found["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!((&rule["id"], &rule["name"]), (&json!("SL204"), &json!("UntrustedPrivilegedAction")));
    assert_eq!((&rule["properties"]["security-severity"], &found["level"]), (&json!("9.5"), &json!("error")));
    assert!(rule["help"]["markdown"].as_str().unwrap().contains("**Bad**\n```yaml"), "{rule}");
    let stops = found["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let steps: Vec<&Json> =
        stops.iter().map(|stop| &stop["location"]["logicalLocations"][0]["fullyQualifiedName"]).collect();
    assert_eq!((steps[0], steps[steps.len() - 1]), (&json!("do/0/readTicket"), &json!("do/2/changeDirectory")));
    let region = &found["locations"][0]["physicalLocation"]["region"];
    assert!(region["startLine"].as_u64() > Some(1) && region["endColumn"].as_u64() > Some(1), "{region}");

    let sandbox = Sandbox::with_workspace();
    let file = sandbox.workflow("a.yaml", FETCH);
    let first = || {
        let log = sandbox.sluice(&["check", "--format", "sarif", &file]).with(1).json();
        log["runs"][0]["results"][0].clone()
    };
    let before = first();
    sandbox.edit("ws/a.yaml", |text| format!("# moved\n\n{text}"));
    let after = first();
    assert_eq!(before["partialFingerprints"], after["partialFingerprints"]);
    assert_ne!(before["locations"], after["locations"]);
}

#[test]
fn annotations_are_one_command_per_finding_whatever_the_author_wrote() {
    let sandbox = Sandbox::with_workspace();
    let file = hostile(&sandbox);
    let found = sandbox.sluice(&["check", "--format", "json", &file]).json();
    let count = found["files"][0]["findings"].as_array().unwrap().len();
    let ended = sandbox.sluice(&["check", "--format", "github", &file]).with(1);
    assert_eq!(ended.out.lines().count(), count, "{}", ended.out);
    for line in ended.out.lines() {
        let rest = ["::error ", "::warning ", "::notice "].iter().find_map(|start| line.strip_prefix(start)).unwrap();
        assert!(rest.starts_with("file=evil%2Cline=1%3A%3A.yaml,line="), "{line}");
    }
    assert!(!ended.out.contains(['\r', '\x1b', '\u{202e}', '\u{200b}']), "{}", ended.out);
}

#[test]
fn the_page_needs_nothing_and_holds_no_markup_of_the_author() {
    let sandbox = Sandbox::with_workspace();
    let file = hostile(&sandbox);
    let ended = sandbox.sluice(&["check", "--format", "html", "--output", "page.html", &file]).with(1);
    assert_eq!(ended.out, "");
    let page = fs::read_to_string(sandbox.path("ws/page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("default-src 'none'"), "{page}");
    for bad in ["<img", "<script", "\u{202e}", "\u{200b}", "\x1b", "href=\"http", "src="] {
        assert!(bad == "src=" || !page.contains(bad), "{bad}: {page}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
    sandbox.sluice(&["check", "--output", "page.txt", &file]).with(2);
}

#[test]
fn the_page_has_the_picture_of_each_file_but_of_no_large_one_and_of_no_large_folder() {
    let sandbox = Sandbox::with_workspace();
    let page = |paths: &[&str]| sandbox.sluice(&[&["check", "--format", "html"], paths].concat()).out;
    let pictures = |page: &str| page.matches("<svg class=\"drawn\"").count();
    let file = sandbox.workflow("a.yaml", FETCH);
    let alone = page(&[&file]);
    assert_eq!(pictures(&alone), 1);
    assert!(alone.contains("<details class=\"picture\" open>") && alone.contains("worst high"), "{alone}");
    let narrowed = page(&["--ignore", "SL209", &file]);
    assert!(narrowed.contains("nothing found in any of them"), "the picture shows what the page tells: {narrowed}");
    let tasks: String = (0..401).map(|n| format!("  - s{n}: {{ set: {{ a: {n} }} }}\n")).collect();
    let large = sandbox.workflow("large.yaml", &tasks);
    let both = page(&[&file, &large]);
    assert_eq!(pictures(&both), 1);
    assert!(both.contains("more than 400 steps") && both.contains("<details class=\"picture\">"), "{both}");
    for n in 0..101 {
        sandbox.write(
            &format!("ws/many/{n}.yaml"),
            "document: { dsl: '1.0.0', namespace: a, name: b, version: '1.0.0' }\ndo: []\n",
        );
    }
    let many = page(&["many"]);
    assert!(pictures(&many) == 0 && many.contains("no pictures: there are more than 100 files"), "{many}");
}

#[test]
fn filters_choose_what_counts_and_say_so() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.workflow("a.yaml", FETCH);
    for (arguments, code, is_told) in [
        (&["--code", "SL209"][..], 1, false),
        (&["--code", "sl204,SL203"], 0, true),
        (&["--ignore", "SL209"], 0, true),
        (&["--min-severity", "critical"], 0, true),
        (&["--min-severity", "high"], 1, false),
    ] {
        let ended = sandbox.sluice(&[&["check", &file], arguments].concat()).with(code);
        let words = "1 finding not counted: the command line asks for others";
        assert_eq!(ended.out.contains(words), is_told, "{arguments:?}: {}", ended.out);
    }
    sandbox.sluice(&["check", &file, "--code", "204"]).with(2);
    sandbox.sluice(&["check", &file, "--min-severity", "bad"]).with(2);
}

#[test]
fn no_filter_makes_a_text_green_that_was_not_analysed() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("flow.yaml", "document: [\n");
    sandbox.sluice(&["check", &file, "--min-severity", "critical", "--ignore", "SL101"]).with(1);
    sandbox.sluice(&["check", &file, "--write-baseline", "known.json"]).with(0);
    sandbox.sluice(&["check", &file, "--baseline", "known.json"]).with(1);
}

#[test]
fn outside_of_a_workspace_a_named_baseline_counts_and_its_standing_is_told() {
    let sandbox = Sandbox::new();
    let head = "document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }\ndo:\n";
    let file = sandbox.write("a.yaml", format!("{head}{FETCH}"));
    let wrote = sandbox.sluice(&["check", &file, "--write-baseline", "known.json"]).with(0);
    assert!(wrote.out.contains("name it with `--baseline known.json`"), "{}", wrote.out);
    let ended = sandbox.sluice(&["check", &file, "--baseline", "known.json"]).with(0);
    let said = ended.out.replace('\n', " ");
    assert!(said.contains("`known.json`, which the command line names and nobody signed"), "{said}");
    let report = sandbox.sluice(&["check", &file, "--format", "json", "--baseline", "known.json"]).with(0).json();
    let not_shown = report["files"][0]["not_shown"].to_string();
    assert!(not_shown.contains("not counted: known by the baseline"), "{not_shown}");
    // The same step in another file is somebody else's.
    let copy = sandbox.write("b.yaml", format!("{head}{FETCH}"));
    sandbox.sluice(&["check", &copy, "--baseline", "known.json"]).with(1);
    let other = sandbox.write("c.json", "{}");
    let ended = sandbox.sluice(&["check", &file, "--write-baseline", &other]).with(2);
    assert!(ended.err.contains("is no baseline"), "{}", ended.err);
}

#[test]
fn in_a_workspace_only_the_signed_baseline_counts() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.workflow("a.yaml", FETCH);
    sandbox.sluice(&["check", &file, "--write-baseline", "known.json"]).with(0);
    let ended = sandbox.sluice(&["check", &file, "--baseline", "known.json"]).with(2);
    assert!(ended.err.contains("policies/baseline.json"), "{}", ended.err);
    sandbox.sluice(&["check", &file, "--write-baseline", "policies/baseline.json"]).with(0);
    let unsigned = sandbox.sluice(&["check", &file]).with(2);
    assert!(unsigned.err.contains("SL420"), "{}", unsigned.err);
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    let ended = sandbox.sluice(&["check", &file]).with(0);
    let said = ended.out.replace('\n', " ");
    assert!(said.contains("not counted: known by the baseline `policies/baseline.json`, which is signed"), "{said}");
}
