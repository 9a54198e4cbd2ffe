//! From its first line to the last thing it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use tempfile::TempDir;

const SLUICE: &str = env!("CARGO_BIN_EXE_sluice");

/// The program, with a place of its own for temporary files.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(SLUICE);
    command.current_dir(root()).stdin(Stdio::null()).env("TMPDIR", folder).env("CARGO", "cargo");
    command.env("SLUICE_HOME", folder.join("home"));
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Plays the demo at a width and checks that it leaves nothing.
fn played(columns: u32) -> String {
    let folder = TempDir::new().unwrap();
    let done = program(folder.path()).arg("demo").env("COLUMNS", columns.to_string()).output().unwrap();
    let text = said(&done);
    assert!(done.status.success(), "{text}");
    assert_nothing_left(folder.path());
    without_ids(&text)
}

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// No file and no process.
fn assert_nothing_left(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    let Ok(processes) = fs::read_dir("/proc") else { return };
    let name = folder.to_str().unwrap();
    for process in processes.flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains(name), "{:?} still runs", process.path());
    }
}

/// Ids of runs differ each time; everything else is the same.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let word = |word: &str| if is_id(word) { "········".to_owned() } else { word.to_owned() };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_narrow_demo_plays_one_column() {
    assert_snapshot!("narrow", played(80));
}

#[test]
fn a_wide_demo_plays_two_columns() {
    assert_snapshot!("wide", played(120));
}

#[test]
fn no_line_is_wider_than_a_small_terminal() {
    for line in played(60).lines().take_while(|line| *line != "Next") {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
#[cfg(unix)]
fn an_interrupted_demo_leaves_nothing() {
    use std::io::{BufRead as _, BufReader};

    for signal in ["INT", "TERM", "HUP"] {
        let folder = TempDir::new().unwrap();
        let mut demo =
            program(folder.path()).arg("demo").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("A. The report")));
        let id = demo.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        // Nothing reads on: a story that goes on all the same must not wait for a reader.
        drop(lines);
        let done = demo.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(3), "{}", said(&done));
        assert!(said(&done).contains("stopped: nothing of it is left"), "{}", said(&done));
        assert_nothing_left(folder.path());
    }
}

#[test]
fn the_commands_to_try_next_work() {
    let elsewhere = TempDir::new().unwrap();
    for here in [root(), elsewhere.path().to_path_buf()] {
        let folder = TempDir::new().unwrap();
        let done = program(folder.path()).arg("demo").current_dir(&here).output().unwrap();
        let text = said(&done);
        let commands: Vec<Vec<&str>> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  cargo run --release -- "))
            .map(|c| c.split(' ').collect())
            .collect();
        assert_eq!(commands.len(), 3, "{text}");
        let away = TempDir::new().unwrap();
        for mut arguments in commands {
            // A check of an example stands where it is; what is made is made elsewhere.
            let at = if arguments[0] == "check" { here.as_path() } else { away.path() };
            let done = program(folder.path()).args(arguments.drain(..)).current_dir(at).output().unwrap();
            let fine = if at == here { 1 } else { 0 };
            assert_eq!(done.status.code(), Some(fine), "{}", said(&done));
        }
    }
}
