//! `sluice check` on workflows of other engines, in a folder without a workspace.

use serde_json::json;

use crate::sandbox::Sandbox;

fn export() -> String {
    let node = |name: &str, kind: &str, parameters: serde_json::Value| json!({ "name": name, "type": kind, "typeVersion": 2, "parameters": parameters });
    json!({
        "name": "answers",
        "nodes": [
            node("Mail", "n8n-nodes-base.gmailTrigger", json!({})),
            node("Ask", "@n8n/n8n-nodes-langchain.chainLlm", json!({ "promptType": "define", "text": "=Answer: {{ $json.text }}" })),
        ],
        "connections": { "Mail": { "main": [[{ "node": "Ask", "type": "main", "index": 0 }]] } },
    })
    .to_string()
}

#[test]
fn an_export_in_an_empty_folder_is_checked_at_once() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("export.json", export());
    let ended = sandbox.sluice(&["check", &file]).with(1);
    for words in ["high[SL230]", "`Ask`", "`Mail`", "├─ Mail", "└─ Ask", "no workspace"] {
        assert!(ended.out.contains(words), "{words} in {}", ended.out);
    }
    let report = sandbox.sluice(&["check", "--facts", "--format", "json", &file]).with(1).json();
    let found = &report["files"][0];
    assert_eq!((&found["format"], &found["status"]), (&json!("n8n"), &json!("checked")));
    let flow = &found["facts"]["flows"][0];
    assert_eq!(
        (&flow["source"], &flow["sink"], &flow["kind"], &flow["tier"]),
        (&json!("Mail"), &json!("Ask"), &json!("prompt"), &json!("direct"))
    );
    assert_eq!(found["facts"]["error_handling"], "none");
    let plain = sandbox.sluice(&["check", "--format", "json", &file]).with(1).json();
    assert!(plain["files"][0].get("facts").is_none(), "facts only where they are asked for");
}

#[test]
fn text_and_json_tell_the_same_place_in_a_line_that_nobody_reads_whole() {
    let sandbox = Sandbox::new();
    let padded = export().replace("\"name\":\"answers\"", &format!("\"name\":\"{}\"", "ä".repeat(500)));
    let file = sandbox.write("export.json", padded);
    let report = sandbox.sluice(&["check", "--format", "json", &file]).with(1).json();
    let found = &report["files"][0]["findings"][0]["span"];
    let place = format!("export.json:{}:{}", found["line"], found["column"]);
    let out = sandbox.sluice(&["check", &file]).with(1).out;
    assert!(out.replace("\n", "").contains(&place), "{place} in {out}");
}

#[test]
fn a_folder_is_walked_and_each_format_is_known_by_its_content() {
    let sandbox = Sandbox::new();
    sandbox.write("exports/a.json", export());
    sandbox.write(
        "exports/b.yml",
        "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n",
    );
    sandbox.write("exports/c.json", r#"{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#);
    sandbox.write("exports/notes.json", r#"{"no": "workflow"}"#);
    let folder = sandbox.path("exports").display().to_string();
    let report = sandbox.sluice(&["check", "--format", "json", "--jobs", "2", &folder]).json();
    let formats: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| file["format"].clone()).collect();
    assert_eq!(formats, ["n8n", "github-actions", "step-functions"]);
}

#[test]
fn how_far_a_check_is_is_written_only_to_a_terminal() {
    let sandbox = Sandbox::new();
    // More than what is checked before anything would be drawn.
    for n in 0..400 {
        sandbox.write(&format!("exports/{n}.json"), export());
    }
    let folder = sandbox.path("exports").display().to_string();
    let done = sandbox.sluice(&["check", "--format", "json", "--jobs", "1", &folder]);
    assert_eq!(done.err, "");
    assert_eq!(done.json()["files"].as_array().unwrap().len(), 400);
}

#[test]
fn names_that_outsiders_wrote_move_no_cursor() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("export.json", export().replace("Ask", "A\\u001b[2Jk\\u202e"));
    let out = sandbox.sluice(&["check", &file]).out;
    assert!(!out.contains("\u{1b}[2J") && !out.contains('\u{202e}'), "{out}");
}

#[test]
fn an_export_is_never_run_or_proposed_and_says_what_to_do_instead() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/export.json", export());
    for command in [vec!["run", &file, "--as", "ana"], vec!["propose", &file, "--as", "ana"]] {
        let err = sandbox.sluice(&command).with(2).err;
        let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(err.contains("is a workflow of n8n") && err.contains("sluice check"), "{command:?}: {err}");
    }
    assert!(!sandbox.sluice(&["runs", "list"]).with(0).out.contains("export"));
}

#[test]
fn a_refused_export_names_its_code_and_the_code_has_a_page() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("export.json", export().replace("\"name\":\"Ask\",", ""));
    let out = sandbox.sluice(&["check", &file]).with(1).out;
    assert!(out.contains("[SL803]") && out.contains("export.json:1:"), "{out}");
    assert!(sandbox.sluice(&["explain", "SL803"]).with(0).out.contains("node-without-name"));
}

#[test]
fn text_says_where_a_finding_is_not_sure_and_counts_what_is_only_worth_knowing() {
    let sandbox = Sandbox::new();
    let machine = r#"{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:organizations:createAccount","Parameters":{"Email.$":"$.email"},"End":true}}}"#;
    let file = sandbox.write("m.json", machine);
    let out = sandbox.sluice(&["check", &file]).out;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("low[SL237]") && words.contains("(confidence low)"), "{out}");
    let line = out.lines().find(|line| line.starts_with("for information: ")).expect("one line counts the rest");
    assert!(line.contains("1 × SL280 uncaught-effect") && !out.contains("info[SL280]"), "{out}");
    assert!(sandbox.sluice(&["check", "--min-severity", "info", &file]).out.contains("info[SL280]"));
    let sure = sandbox.sluice(&["check", "--min-confidence", "high", &file]).out;
    assert!(!sure.contains("SL237") && sure.contains("not counted: the command line asks for others"), "{sure}");
    let found = sandbox.sluice(&["check", "--format", "json", &file]).json();
    let of = |code: &str| found["files"][0]["findings"].as_array().unwrap().iter().find(|f| f["code"] == code).cloned();
    assert_eq!(of("SL237").unwrap()["confidence"], "low");
    let sarif = sandbox.sluice(&["check", "--format", "sarif", &file]).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "SL237").unwrap();
    assert_eq!((&result["rank"], &result["properties"]["confidence"]), (&json!(20.0), &json!("low")));
    assert!(sandbox.sluice(&["check", "--min-confidence", "certain", &file]).with(2).err.contains("low, medium, high"));
    let notes = sandbox.sluice(&["check", "--format", "github", &file]).out;
    assert!(notes.contains("(low%2C confidence low)"), "{notes}");
}

#[test]
fn nothing_that_text_shows_is_a_command_to_a_runner() {
    let sandbox = Sandbox::new();
    let evil = "::stop-commands::x ##[error]y";
    sandbox.write("::error::z.json", export().replace("Ask", evil));
    let out = sandbox.sluice(&["check", "::error::z.json"]).out;
    assert!(!out.lines().any(|line| line.trim_start().starts_with("::")) && !out.contains("##["), "{out}");
    let json = sandbox.sluice(&["check", "--format", "json", "::error::z.json"]);
    assert!(!json.out.contains("##["));
    assert_eq!(json.json()["files"][0]["findings"][0]["step"], evil);
}

const PASTED: &str = "on: issues\npermissions: {}\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.issue.title }} # WORDS\n";

#[test]
fn an_allow_of_an_author_is_told_and_counts_only_if_a_person_accepts_it() {
    let sandbox = Sandbox::new();
    let allow = "sluice: allow SL260 because `a\u{202e}` is \u{1b}[2J fine";
    // What stands in a plain scalar ends before its comment.
    let file = sandbox.write("a.yml", PASTED.replace("WORDS", &allow.replace('\u{1b}', "").replace('`', "'")));
    let out = sandbox.sluice(&["check", &file]).with(1).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("critical[SL260]") && out.contains("asks to set 1 finding of SL260 aside because"), "{out}");
    assert!(!out.contains('\u{202e}'), "{out}");
    let out = sandbox.sluice(&["check", "--accept-inline", &file]).with(0).out;
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("1 finding not counted: line 7 of `a.yml` allows SL260 because"), "{out}");
    let json = sandbox.sluice(&["check", "--accept-inline", "--format", "json", &file]).with(0).json();
    assert!(json["files"][0]["not_shown"].to_string().contains("allows SL260"), "{json}");
}

#[test]
fn an_allow_for_another_code_or_step_changes_nothing_and_look_alikes_are_none() {
    let sandbox = Sandbox::new();
    let code = |text: String| {
        let ended = sandbox.sluice(&["check", "--accept-inline", &sandbox.write("a.yml", text)]);
        (ended.code, ended.out.contains("[SL804]"))
    };
    let said = |words: &str| code(PASTED.replace("WORDS", words));
    assert_eq!(said("sluice: allow SL260 because it is mine"), (0, false));
    for words in [
        "sluice: allow SL261 because it is mine",
        "sluice allow SL260 because it is mine",
        "Sluice: allow SL260 because x",
    ] {
        assert_eq!(said(words), (1, false), "{words}");
    }
    for words in [
        "sluice: allow SL260",
        "sluice: allow SL260 because ",
        "sluice: allow SL260, SL261 because x",
        "sluice: allow all because x",
        "sluice: allow \u{405}L260 because x",
    ] {
        assert_eq!(said(words), (1, true), "{words}");
    }
    let plain = PASTED.replace(" # WORDS", "");
    let above = |at: &str| code(plain.replace(at, &format!("# sluice: allow SL260 because x\n{at}")));
    assert_eq!((above("      - run"), above("    runs-on")), ((0, false), (1, false)));
    let script = plain.replace("run: echo", "run: |\n          # sluice: allow SL260 because x\n          echo");
    assert_eq!(code(script), (1, false), "a script's comment is the script");
    let node = |notes: &str| export().replace("\"name\":\"Ask\",", &format!("\"name\":\"Ask\",\"notes\":\"{notes}\","));
    let is_counted = |text: String| {
        let ended = sandbox.sluice(&["check", "--accept-inline", &sandbox.write("e.json", text)]);
        ended.out.contains("high[SL230]")
    };
    assert!(!is_counted(node("sluice: allow SL230 because a person reads it")));
    assert!(is_counted(node("sluice: allow SL231 because a person reads it")));
    let elsewhere = "\"name\":\"Mail\",\"notes\":\"sluice: allow SL230 because x\",";
    assert!(is_counted(export().replace("\"name\":\"Mail\",", elsewhere)));
}

#[test]
fn in_a_workspace_no_author_allows_anything() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/a.yml", PASTED.replace("WORDS", "sluice: allow SL260 because it is mine"));
    sandbox.sluice(&["check", &file]).with(1);
    assert!(sandbox.sluice(&["check", "--accept-inline", &file]).with(2).err.contains("does not count"));
}
