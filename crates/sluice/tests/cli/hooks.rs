//! The hook for pre-commit and the action for GitHub: what they call is this program as it is.

use std::process::Command;

use sluice_core::document::{self, Data, Node};
use sluice_core::text::Text;

use crate::sandbox::Sandbox;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const CLEAN: &str =
    "on: push\npermissions: {}\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n";
const PASTED: &str = "on: issues\npermissions: {}\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.issue.title }}\n";

fn read(name: &str) -> Node {
    let content = std::fs::read_to_string(format!("{ROOT}/{name}")).expect("the file is a part of the repository");
    document::read(&Text::new(name, content)).expect("it is YAML")
}

fn list(tree: Option<&Node>) -> &[Node] {
    match tree.map(|tree| &tree.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

fn text(tree: &Node, key: &str) -> String {
    tree.get(key).and_then(Node::as_text).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn each_hook_calls_a_command_that_there_is() {
    let sandbox = Sandbox::new();
    let clean = sandbox.write("clean.yml", CLEAN);
    let pasted = sandbox.write("pasted.yml", PASTED);
    let hooks = read(".pre-commit-hooks.yaml");
    assert_eq!(list(Some(&hooks)).len(), 2);
    for hook in list(Some(&hooks)) {
        let entry = text(hook, "entry");
        let words: Vec<&str> = entry.split_whitespace().collect();
        assert_eq!((words[0], text(hook, "language").as_str()), ("sluice", "system"));
        assert!(!text(hook, "id").is_empty() && !text(hook, "files").is_empty());
        sandbox.sluice(&[&words[1..], &[clean.as_str()]].concat()).with(0);
        sandbox.sluice(&[&words[1..], &[clean.as_str(), pasted.as_str()]].concat()).with(1);
    }
}

#[test]
fn the_action_runs_this_program_and_what_it_is_given_is_data() {
    let sandbox = Sandbox::new();
    let action = read("action.yml");
    let steps = list(action.get("runs").and_then(|runs| runs.get("steps")));
    let script = text(steps.last().expect("it has steps"), "run");
    sandbox.write("tmp/sluice/bin/sluice", "#!/bin/sh\nexec \"$SLUICE\" \"$@\"\n");
    let run = |target: &str, format: &str, output: &str| {
        let mut command = Command::new("bash");
        command.arg("-c").arg(format!("chmod +x \"$RUNNER_TEMP/sluice/bin/sluice\"\n{script}"));
        let temp = sandbox.path("tmp");
        command.current_dir(sandbox.path(""));
        command.env("SLUICE", env!("CARGO_BIN_EXE_sluice")).env("RUNNER_TEMP", temp).env("TARGET", target);
        command.env("FORMAT", format).env("OUTPUT", output).env("LEAST", "low");
        let ended = command.output().expect("bash is there");
        (ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned())
    };
    let pasted = sandbox.write("a $(touch x) b/pasted.yml", PASTED);
    let (code, out) = run(&pasted, "github", "");
    assert!(code == Some(1) && out.starts_with("::error file="), "{code:?} {out}");
    let file = sandbox.path("out $(x).sarif").display().to_string();
    assert_eq!(run(&pasted, "sarif", &file).0, Some(1));
    assert!(std::fs::read_to_string(file).is_ok_and(|sarif| sarif.contains("SL260")));
    assert!(!sandbox.path("x").exists(), "a name is no command");
    assert_eq!(run("--version", "text", "").0, Some(2), "a path is no option");
    assert_eq!(run(&sandbox.write("clean.yml", CLEAN), "github", "").0, Some(0));
}

#[test]
fn the_action_passes_its_own_check() {
    Sandbox::new().sluice(&["check", &format!("{ROOT}/action.yml")]).with(0);
}
