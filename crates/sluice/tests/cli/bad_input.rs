//! What breaks other programs is an answer here: a code, a place, what to do, the right exit code, and soon.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

const HEAD: &str = "document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }\n";

#[track_caller]
fn refused(content: impl AsRef<[u8]>, code: &str) {
    let sandbox = Sandbox::new();
    let file = sandbox.write("flow.yaml", content);
    let start = Instant::now();
    let report = sandbox.sluice(&["check", "--format", "json", &file]).with(1).json();
    let found = &report["files"][0];
    assert_eq!(found["status"], "refused");
    let codes: Vec<&str> = found["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
    assert!(codes.contains(&code), "{codes:?}");
    let text = sandbox.sluice(&["check", &file]).with(1);
    assert!(text.out.contains(&format!("[{code}]")) && text.out.contains("refused"), "{}", text.out);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_text_of_100_mb_is_not_read_whole() {
    let sandbox = Sandbox::new();
    let mut file = fs::File::create(sandbox.path("big.yaml")).unwrap();
    file.write_all(HEAD.as_bytes()).unwrap();
    file.seek(SeekFrom::Start(100 << 20)).unwrap();
    file.write_all(b"\n").unwrap();
    let checked = sandbox.sluice(&["check", "big.yaml"]).with(1);
    assert!(checked.out.contains("[SL104]"), "{}", checked.out);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = format!("{HEAD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    refused(text, "SL106");
}

#[test]
fn nesting_of_100_000_is_refused() {
    refused(format!("{HEAD}do: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)), "SL105");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    refused([HEAD.as_bytes(), b"x: \xff\xfe\n"].concat(), "SL109");
}

#[test]
fn a_then_that_leads_nowhere_is_refused() {
    refused(format!("{HEAD}do:\n  - a: {{ set: {{ b: 1 }}, then: nowhere }}\n"), "SL125");
}

#[test]
fn an_empty_text_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("flow.yaml", "");
    sandbox.sluice(&["check", &file]).with(1);
}

#[test]
fn a_contract_of_another_version_is_named_with_its_place() {
    let sandbox = Sandbox::with_workspace();
    sandbox.edit("ws/connectors/greetings.yaml", |text| text.replace("\nversion: 1\n", "\nversion: 2\n"));
    let key = sandbox.key();
    for arguments in [vec!["policy", "check"], vec!["policy", "sign", "--as", "ana", "--key", &key]] {
        let ended = sandbox.sluice(&arguments).with(2);
        assert!(ended.err.contains("[SL762]") && ended.err.contains("connectors/greetings.yaml:"), "{}", ended.err);
    }
}

#[test]
fn a_broken_ledger_is_an_error_and_is_left_as_it_is() {
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 4] = [
        ("truncated", |file| fs::OpenOptions::new().write(true).open(file).unwrap().set_len(5_000).unwrap()),
        ("foreign", |file| {
            fs::remove_file(file).unwrap();
            rusqlite::Connection::open(file)
                .unwrap()
                .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1);")
                .unwrap();
        }),
        ("no database", |file| fs::write(file, "hello").unwrap()),
        ("gone", |file| fs::remove_file(file).unwrap()),
    ];
    for (name, damage) in damages {
        let sandbox = Sandbox::with_workspace();
        sandbox.sluice(&["run", "workflows/hello.yaml", "--author", "ana"]).with(0);
        let ledger = sandbox.path("ws/.sluice/ledger.db");
        damage(&ledger);
        let before = fs::read(&ledger).ok();
        for arguments in [vec!["audit", "verify"], vec!["run", "workflows/hello.yaml"], vec!["approvals", "list"]] {
            let ended = sandbox.sluice(&arguments);
            assert!(matches!(ended.code, 1 | 3), "{name}: {arguments:?}: {ended:?}");
            let said = ended.err.contains("error[SL") || ended.out.contains("SL6");
            assert!(said, "{name}: {arguments:?}: {ended:?}");
        }
        assert_eq!(fs::read(&ledger).ok(), before, "{name}: the evidence was changed");
    }
}

#[test]
fn missing_keys_are_named_and_not_made_anew() {
    let sandbox = Sandbox::with_workspace();
    let gone = |file: &str, arguments: &[&str], words: &str| {
        let (path, aside) = (sandbox.keys().join(file), sandbox.path("aside"));
        fs::rename(&path, &aside).unwrap();
        let ended = sandbox.sluice(arguments);
        assert!(matches!(ended.code, 2 | 3) && ended.err.contains(words), "{file}: {ended:?}");
        assert!(!path.exists(), "{file}");
        fs::rename(&aside, &path).unwrap();
    };
    gone("payloads.keys", &["run", "workflows/hello.yaml"], "SL533");
    gone("ledger.key", &["run", "workflows/hello.yaml"], "SL533");
    gone("workspace.key", &["secret", "list"], "SL757");
    gone("signers", &["run", "workflows/hello.yaml"], "SL536");
    let ended = sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", "nowhere.key"]).with(2);
    assert!(ended.err.contains("the key file `nowhere.key` is missing"), "{}", ended.err);
    let garbage = sandbox.write("ws/bad.key", "hello");
    let ended = sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &garbage]).with(2);
    assert!(ended.err.contains("no Sluice key line") && !ended.err.contains("hello"), "{}", ended.err);
}

#[test]
fn names_that_yaml_would_take_for_something_else_are_names() {
    let sandbox = Sandbox::new();
    for name in ["n", "on", "2026", "null", "1e3"] {
        let folder = sandbox.path(name).display().to_string();
        sandbox.sluice(&["init", &folder, "--name", name, "--as", "no"]).with(0);
        sandbox.sluice(&["audit", "verify", "--workspace", &folder]).with(0);
    }
}
