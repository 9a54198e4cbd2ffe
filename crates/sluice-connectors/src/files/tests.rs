//! Each refusal and each permission of the file transport, in real folders.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::IdempotencyKey;

fn csv(columns: &[&str]) -> Format {
    Format::Csv { columns: columns.iter().map(|c| (*c).to_owned()).collect(), formulas: Formulas::Quote }
}

fn action(deed: Deed, path: &str, format: Format) -> FilesAction {
    FilesAction { deed, path: path.into(), format, bytes_max: 1000, rows_max: 10 }
}

fn call_with_key(folder: &Path, action: FilesAction, arguments: Value, key: u8) -> Outcome {
    let connector = FilesConnector::open(folder, BTreeMap::from([("it".into(), action)])).unwrap();
    connector.call(&Prepared {
        connector: "files".into(),
        action: "it".into(),
        arguments,
        idempotency_key: IdempotencyKey([key; 32]),
        run: "run-1".into(),
    })
}

fn call(folder: &Path, action: FilesAction, arguments: Value) -> Outcome {
    call_with_key(folder, action, arguments, 1)
}

fn value(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Reply { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::NotSent { why } => why.code().0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_are_written_whole_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("reports")).unwrap();
    for (format, back) in [
        (
            csv(&["id", "name", "note"]),
            json!([{"id": "1", "name": "A, \"B\"\nC", "note": ""}, {"id": "2", "name": "", "note": "x"}]),
        ),
        (
            Format::JsonLines,
            json!([{"id": 1, "name": "A, \"B\"\nC", "note": null}, {"id": 2, "name": null, "note": "x"}]),
        ),
    ] {
        let path = "reports/{month}.txt";
        let rows = json!([{"id": 1, "name": "A, \"B\"\nC", "note": null}, {"id": 2, "name": null, "note": "x"}]);
        for _ in 0..2 {
            let write = action(Deed::Write, path, format.clone());
            let outcome = value(call(folder.path(), write, json!({"month": "2026-11", "rows": rows})));
            assert_eq!(outcome["rows"], 2);
        }
        assert_eq!(value(call(folder.path(), action(Deed::Read, path, format), json!({"month": "2026-11"}))), back);
    }
    assert_eq!(fs::read_dir(folder.path().join("reports")).unwrap().count(), 1, "no file is left beside it");
}

#[test]
fn no_argument_leads_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("data");
    fs::create_dir(&folder).unwrap();
    fs::write(outside.path().join("secret.csv"), "a\ncanary\n").unwrap();
    for text in [
        "../secret",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        ".hidden",
        "a\0",
        "a\n",
        "ä",
        "%2e%2e",
        "~",
        "x:y",
        &"x".repeat(101),
    ] {
        for deed in [Deed::Read, Deed::Write, Deed::Append] {
            let mut arguments = json!({ "name": text });
            if deed != Deed::Read {
                arguments["rows"] = json!([]);
            }
            assert_eq!(
                refused(call(&folder, action(deed, "{name}.csv", csv(&["a"])), arguments)),
                741,
                "{text:?} {deed:?}"
            );
        }
    }
}

#[test]
fn no_contract_names_a_path_outside() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["../a", "/a", "a/../b", "a//b", "", ".a", "a/.b", "a/", "a\\b", "{x", "a}", "{x}}", "a/./b", "{{x}}"] {
        let actions = BTreeMap::from([("it".to_owned(), action(Deed::Read, path, Format::JsonLines))]);
        assert_eq!(FilesConnector::open(folder.path(), actions).err().unwrap().code().0, 740, "{path}");
    }
    assert_eq!(FilesConnector::open(&folder.path().join("none"), BTreeMap::new()).err().unwrap().code().0, 747);
}

#[test]
fn no_link_leads_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("data");
    fs::create_dir(&folder).unwrap();
    fs::create_dir(outside.path().join("other")).unwrap();
    fs::write(outside.path().join("secret"), "{\"a\":\"canary\"}\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), folder.join("absolute")).unwrap();
    std::os::unix::fs::symlink("../secret", folder.join("relative")).unwrap();
    std::os::unix::fs::symlink("../other", folder.join("sub")).unwrap();
    for path in ["absolute", "relative", "sub/file"] {
        assert_eq!(refused(call(&folder, action(Deed::Read, path, Format::JsonLines), json!({}))), 747, "{path}");
        assert_eq!(refused_or_replaced(&folder, path), path != "sub/file", "{path}");
        let append = action(Deed::Append, path, Format::JsonLines);
        if path == "sub/file" {
            assert_eq!(refused(call(&folder, append, json!({"rows": [1]}))), 747);
        }
    }
    // Writing replaced the links themselves, and nothing behind them.
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "{\"a\":\"canary\"}\n");
    assert_eq!(fs::read_dir(outside.path().join("other")).unwrap().count(), 0);
}

fn refused_or_replaced(folder: &Path, path: &str) -> bool {
    match call(folder, action(Deed::Write, path, Format::JsonLines), json!({"rows": [1]})) {
        Outcome::Reply { .. } => fs::symlink_metadata(folder.join(path)).unwrap().is_file(),
        Outcome::NotSent { .. } => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_link_inside_a_keys_file_leads_nowhere_either() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("data");
    fs::create_dir(&folder).unwrap();
    fs::write(outside.path().join("keys"), "").unwrap();
    std::os::unix::fs::symlink("../keys", folder.join(".a.keys")).unwrap();
    assert_eq!(refused(call(&folder, action(Deed::Append, "a", Format::JsonLines), json!({"rows": [1]}))), 747);
}

#[test]
fn only_regular_files_within_bounds_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: &str, format: Format| refused(call(folder.path(), action(Deed::Read, path, format), json!({})));
    assert_eq!(read("none", Format::JsonLines), 742);
    fs::create_dir(folder.path().join("sub")).unwrap();
    assert_eq!(read("sub", Format::JsonLines), 743);
    fs::write(folder.path().join("large"), "1\n".repeat(501)).unwrap();
    assert_eq!(read("large", Format::JsonLines), 744);
    fs::write(folder.path().join("long"), "1\n".repeat(11)).unwrap();
    assert_eq!(read("long", Format::JsonLines), 745);
    fs::write(folder.path().join("long"), "a\n".repeat(12)).unwrap();
    assert_eq!(read("long", csv(&[])), 745);
    for (text, format) in [
        ("{\"a\":1,\"a\":2}\n", Format::JsonLines),
        ("{\n", Format::JsonLines),
        ("a,a\n1,2\n", csv(&[])),
        ("a,b\n1\n", csv(&[])),
        ("a,b\n1,2,3\n", csv(&[])),
    ] {
        fs::write(folder.path().join("bad"), text).unwrap();
        assert_eq!(read("bad", format), 746, "{text:?}");
    }
    fs::write(folder.path().join("bad"), b"a\n\xff\n").unwrap();
    assert_eq!(read("bad", csv(&[])), 746);
}

#[test]
fn rows_that_the_contract_does_not_name_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    for (rows, code) in [
        (json!([{"a": 1, "b": 2}]), 746),
        (json!([{"a": [1]}]), 746),
        (json!([{"a": {}}]), 746),
        (json!([{"a": 1}, {}]), 746),
        (json!([1]), 746),
        (json!({"a": 1}), 741),
        (json!(null), 741),
        (json!(vec![json!({"a": 1}); 11]), 745),
        (json!([{"a": "x".repeat(1000)}]), 744),
    ] {
        for deed in [Deed::Write, Deed::Append] {
            assert_eq!(
                refused(call(folder.path(), action(deed, "a.csv", csv(&["a"])), json!({ "rows": rows }))),
                code,
                "{rows}"
            );
        }
    }
    assert_eq!(
        refused(call(folder.path(), action(Deed::Write, "a", Format::JsonLines), json!({"rows": [], "x": 1}))),
        741
    );
    assert_eq!(refused(call(folder.path(), action(Deed::Write, "a", Format::JsonLines), json!({}))), 741);
    assert_eq!(
        refused(call(folder.path(), action(Deed::Write, "none/a", Format::JsonLines), json!({"rows": []}))),
        747
    );
    assert!(!folder.path().join("a.csv").exists() && !folder.path().join("a").exists());
}

#[test]
fn a_text_never_becomes_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        json!([{"a": "=HYPERLINK(\"http://x\")"}, {"a": " +1"}, {"a": "@x"}, {"a": "-2"}, {"a": -2}, {"a": "a=b"}]);
    value(call(folder.path(), action(Deed::Write, "a.csv", csv(&["a"])), json!({ "rows": rows })));
    let text = fs::read_to_string(folder.path().join("a.csv")).unwrap();
    assert_eq!(text, "a\n\"'=HYPERLINK(\"\"http://x\"\")\"\n' +1\n'@x\n'-2\n-2\na=b\n");
    let keep = Format::Csv { columns: vec!["a".into()], formulas: Formulas::Keep };
    value(call(folder.path(), action(Deed::Write, "b.csv", keep), json!({"rows": [{"a": "=1"}]})));
    assert_eq!(fs::read_to_string(folder.path().join("b.csv")).unwrap(), "a\n=1\n");
}

fn append(folder: &Path, row: Value, key: u8) -> Value {
    value(call_with_key(folder, action(Deed::Append, "a.csv", csv(&["a"])), json!({ "rows": [row] }), key))["added"]
        .clone()
}

#[test]
fn rows_are_appended_once_per_key() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(append(folder.path(), json!({"a": 1}), 1), true);
    assert_eq!(append(folder.path(), json!({"a": 2}), 2), true);
    assert_eq!(append(folder.path(), json!({"a": 1}), 1), false);
    assert_eq!(append(folder.path(), json!({"a": 2}), 2), false);
    assert_eq!(append(folder.path(), json!({"a": 1}), 3), true);
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "a\n1\n2\n1\n");
}

#[test]
fn a_crash_anywhere_in_an_append_leaves_the_rows_once() {
    let whole = tempfile::tempdir().unwrap();
    append(whole.path(), json!({"a": "one"}), 1);
    let before = (read(whole.path(), "a.csv"), read(whole.path(), ".a.csv.keys"));
    append(whole.path(), json!({"a": "two"}), 2);
    let after = (read(whole.path(), "a.csv"), read(whole.path(), ".a.csv.keys"));
    // The keys are durable before the rows begin, so either the keys are torn or the rows are.
    // Each attempt syncs to a disk: a line of keys is cut at some places, at both ends among them.
    let cuts = (before.1.len()..after.1.len()).step_by(29).chain([after.1.len() - 1, after.1.len()]);
    let torn_keys = cuts.map(|at| (before.0.clone(), after.1[..at].to_vec()));
    let torn_rows = (before.0.len()..=after.0.len()).map(|at| (after.0[..at].to_vec(), after.1.clone()));
    for (rows, keys) in torn_keys.chain(torn_rows) {
        // Also when somebody else's rows read the very same.
        for other in ["", "three", "two"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a.csv"), &rows).unwrap();
            fs::write(folder.path().join(".a.csv.keys"), &keys).unwrap();
            if !other.is_empty() {
                append(folder.path(), json!({ "a": other }), 3);
            }
            append(folder.path(), json!({"a": "two"}), 2);
            append(folder.path(), json!({"a": "one"}), 1);
            let text = String::from_utf8(read(folder.path(), "a.csv")).unwrap();
            let mut lines: Vec<_> = text.lines().collect();
            lines.sort_unstable();
            let mut expected = vec!["a", "one", "two", other];
            expected.retain(|line| !line.is_empty());
            expected.sort_unstable();
            assert_eq!(lines, expected, "{rows:?} {keys:?}");
        }
    }
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn rows_go_only_under_the_names_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "b\n1\n").unwrap();
    let outcome = call(folder.path(), action(Deed::Append, "a.csv", csv(&["a"])), json!({"rows": [{"a": 1}]}));
    assert_eq!(refused(outcome), 749);
    fs::write(folder.path().join("a.csv"), "a,a b\r\n1,2\r\n").unwrap();
    let append = |columns: &[&str], rows: Value| {
        call(folder.path(), action(Deed::Append, "a.csv", csv(columns)), json!({ "rows": rows }))
    };
    for columns in [&["a"][..], &["a b", "a"], &["a", "a b", "c"]] {
        assert_eq!(refused(append(columns, json!([]))), 749, "{columns:?}");
    }
    assert_eq!(refused(append(&["a", "a b"], json!([{"a": 3}]))), 746);
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "a,a b\r\n1,2\r\n", "nothing is written");
    // Another program's line ends and quotes are the same names.
    value(append(&["a", "a b"], json!([{"a": 3, "a b": true}])));
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "a,a b\r\n1,2\r\n3,true\n");
    fs::write(folder.path().join("lines"), "1").unwrap();
    value(call(folder.path(), action(Deed::Append, "lines", Format::JsonLines), json!({"rows": [2]})));
    assert_eq!(fs::read_to_string(folder.path().join("lines")).unwrap(), "1\n2\n");
    fs::write(folder.path().join(".lines.keys"), "not ours\n").unwrap();
    assert_eq!(
        refused(call(folder.path(), action(Deed::Append, "lines", Format::JsonLines), json!({"rows": [2]}))),
        747
    );
}

#[test]
fn an_unsettled_write_is_in_doubt() {
    assert_eq!(FilesError::Unsettled { source: io::Error::other("x") }.code().0, 748);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_written_as_json_lines_reads_back(rows in proptest::collection::vec("\\PC{0,8}", 0..5)) {
        let rows: Vec<Value> = rows.into_iter().map(|text| json!({ "t": text, "\n": [text] })).collect();
        let bytes = Format::JsonLines.to_bytes(&rows, true).unwrap();
        prop_assert_eq!(Format::JsonLines.parse(&bytes, 10).unwrap(), rows);
    }
}
