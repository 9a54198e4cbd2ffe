//! Each refusal and each permission of the SQL transport, on real files.

use std::path::Path;

use super::*;
use crate::IdempotencyKey;

fn database() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance REAL, photo BLOB);
             INSERT INTO account VALUES (1, 'Ada', 10.5, NULL), (2, 'Bob', -3, x'00ff');
             CREATE TABLE note (key TEXT UNIQUE, run TEXT, text TEXT CHECK (length(text) < 20));",
        )
        .unwrap();
    (folder, path)
}

fn statement(sql: &str, access: Access) -> SqlStatement {
    // Far more than a busy machine takes; tests of time itself say less.
    let timeout = Duration::from_secs(20);
    SqlStatement { sql: sql.into(), access, rows_max: 10, bytes_max: 10_000, timeout }
}

/// As a statement, with little time.
fn brief(sql: &str, access: Access) -> SqlStatement {
    SqlStatement { timeout: Duration::from_millis(100), ..statement(sql, access) }
}

fn call_of(path: &Path, statement: SqlStatement, arguments: Value) -> Outcome {
    let connector = SqlConnector { database: path.into(), statements: BTreeMap::from([("it".into(), statement)]) };
    connector.call(&Prepared {
        connector: "crm".into(),
        action: "it".into(),
        arguments,
        idempotency_key: IdempotencyKey([7; 32]),
        run: "run-1".into(),
    })
}

fn read(path: &Path, sql: &str, arguments: Value) -> Outcome {
    call_of(path, statement(sql, Access::Read), arguments)
}

fn write(path: &Path, sql: &str, arguments: Value) -> Outcome {
    call_of(path, statement(sql, Access::Write), arguments)
}

fn value(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Reply { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Outcome) -> String {
    match outcome {
        Outcome::NotSent { why } => format!("not sent {}", why.code()),
        Outcome::Rejected { why, .. } => format!("rejected {}", why.code()),
        Outcome::InDoubt { why } => format!("in doubt {}", why.code()),
        Outcome::Reply { value, .. } => panic!("{value}"),
    }
}

#[test]
fn rows_become_objects() {
    let (_folder, path) = database();
    let rows = value(read(&path, "SELECT id, name, balance FROM account WHERE id = :id", json!({"id": 1})));
    assert_eq!(rows, json!([{"id": 1, "name": "Ada", "balance": 10.5}]));
    let rows = value(read(
        &path,
        "SELECT id FROM account WHERE id IN (SELECT value FROM json_each(:ids))",
        json!({"ids": [2, 9]}),
    ));
    assert_eq!(rows, json!([{"id": 2}]));
    let row = value(read(&path, "SELECT :a a, :b b, :c c, :sluice_run r", json!({"a": true, "b": null, "c": 1.5})));
    assert_eq!(row, json!([{"a": 1, "b": null, "c": 1.5, "r": "run-1"}]));
}

#[test]
fn an_injection_stays_data() {
    let (_folder, path) = database();
    for text in ["' OR 1=1 --", "Ada'; DROP TABLE account; --", "\" OR \"\"=\"", "1); DELETE FROM account; --"] {
        let found = value(read(&path, "SELECT id FROM account WHERE name = :name", json!({ "name": text })));
        assert_eq!(found, json!([]), "{text}");
        let kept =
            value(write(&path, "UPDATE account SET name = :name WHERE id = 2 RETURNING name", json!({ "name": text })));
        assert_eq!(kept, json!({"changed": 1, "rows": [{"name": text}]}));
    }
    assert_eq!(value(read(&path, "SELECT count(*) n FROM account", json!({}))), json!([{"n": 2}]));
}

#[test]
fn a_reading_statement_writes_nothing() {
    let (_folder, path) = database();
    let before = std::fs::read(&path).unwrap();
    for sql in [
        "INSERT INTO account VALUES (3, 'Eve', 0, NULL)",
        "UPDATE account SET name = 'x'",
        "DELETE FROM account",
        "WITH x AS (SELECT 1) INSERT INTO note SELECT 'k', 'r', 't' FROM x",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "DROP TABLE account",
        "ALTER TABLE account ADD COLUMN x",
        "REINDEX",
        "ANALYZE",
    ] {
        let outcome = refused(read(&path, sql, json!({})));
        assert_eq!(outcome, "not sent SL731", "{sql}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn the_file_itself_is_opened_read_only() {
    let (_folder, path) = database();
    let reading = statement("SELECT 1", Access::Read);
    let connector = SqlConnector { database: path, statements: BTreeMap::new() };
    let connection = connector.open(&reading, Instant::now() + Duration::from_secs(9)).unwrap();
    assert!(connection.is_readonly("main").unwrap());
    // Without a guard, and with the connection's own promise taken back, the file still holds.
    connection.pragma_update(None, "query_only", false).unwrap();
    assert!(connection.execute("DELETE FROM account", []).is_err());
}

#[test]
fn other_files_pragmas_schema_and_extensions_are_closed_to_all() {
    let (folder, path) = database();
    let other = folder.path().join("other.db");
    for access in [Access::Read, Access::Write] {
        for sql in [
            &format!("ATTACH '{}' AS other", other.display()),
            "ATTACH :file AS other",
            "DETACH main",
            "PRAGMA query_only = 0",
            "PRAGMA user_version",
            "SELECT * FROM pragma_user_version",
            "SELECT load_extension('x')",
            "SELECT Load_Extension(:file)",
            "CREATE TABLE t (a)",
            "CREATE VIRTUAL TABLE t USING fts5(a)",
            "CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM account; END",
            "DROP TABLE account",
            "BEGIN",
            "COMMIT",
            "SAVEPOINT s",
        ] {
            let arguments = if sql.contains(":file") { json!({"file": "x"}) } else { json!({}) };
            let outcome = refused(call_of(&path, statement(sql, access), arguments));
            assert_eq!(outcome, "not sent SL731", "{sql}");
        }
        // SQLite itself is faster to refuse these.
        for sql in ["VACUUM", "VACUUM INTO 'copy.db'", "UPDATE sqlite_schema SET sql = ''"] {
            let outcome = refused(call_of(&path, statement(sql, access), json!({})));
            assert!(
                ["not sent SL731", "not sent SL732", "rejected SL738"].contains(&outcome.as_str()),
                "{sql}: {outcome}"
            );
        }
    }
    assert!(!other.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_contract_has_one_statement_with_named_parameters() {
    let (_folder, path) = database();
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT",
        "",
        "SELECT ?1",
        "SELECT ?",
        "SELECT @a",
        "SELECT $a",
        "SELECT x FROM account",
        "SELECT id, name AS id FROM account",
        "SELECT \"Ada\"",
    ] {
        assert_eq!(refused(read(&path, sql, json!({}))), "not sent SL732", "{sql}");
    }
}

#[test]
fn arguments_are_exactly_the_named_ones() {
    let (_folder, path) = database();
    for arguments in [json!({}), json!({"id": 1, "x": 2}), json!([1]), json!({"id": 18_446_744_073_709_551_615_u64})] {
        assert_eq!(refused(read(&path, "SELECT :id", arguments.clone())), "not sent SL733", "{arguments}");
    }
    for own in ["sluice_key", "sluice_run"] {
        let sql = format!("SELECT :{own} k");
        assert_eq!(refused(read(&path, &sql, json!({ own: "forged" }))), "not sent SL733", "{own}");
    }
    let long = json!({"id": "x".repeat(20_000)});
    assert_eq!(refused(read(&path, "SELECT :id", long)), "not sent SL733");
}

#[test]
fn rows_bytes_and_time_are_bounded() {
    let (_folder, path) = database();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT";
    assert_eq!(refused(read(&path, &format!("{endless} i FROM n"), json!({}))), "rejected SL734");
    assert_eq!(
        refused(read(&path, &format!("{endless} printf('%2000d', i) t FROM n LIMIT 6"), json!({}))),
        "rejected SL734"
    );
    assert_eq!(refused(read(&path, "SELECT hex(zeroblob(100000000)) t", json!({}))), "rejected SL734");
    let began = Instant::now();
    let counting = format!("{endless} count(*) c FROM n");
    for access in [Access::Read, Access::Write] {
        assert_eq!(refused(call_of(&path, brief(&counting, access), json!({}))), "rejected SL735");
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_json_cannot_say_is_refused() {
    let (_folder, path) = database();
    for sql in ["SELECT photo FROM account WHERE id = 2", "SELECT 9e999 AS x", "SELECT CAST(x'ff' AS TEXT) AS x"] {
        assert_eq!(refused(read(&path, sql, json!({}))), "rejected SL737", "{sql}");
    }
}

#[test]
fn a_write_is_whole_or_not_there() {
    let (_folder, path) = database();
    let insert = "INSERT INTO note SELECT :sluice_key || value, :sluice_run, value FROM json_each(:texts)";
    let count = |path: &Path| value(read(path, "SELECT count(*) n FROM note", json!({})));
    let outcome = write(&path, insert, json!({"texts": ["ok", "this text is much too long"]}));
    assert_eq!(refused(outcome), "rejected SL736");
    assert_eq!(count(&path), json!([{"n": 0}]));
    assert_eq!(value(write(&path, insert, json!({"texts": ["a", "b"]}))), json!({"changed": 2, "rows": []}));
    assert_eq!(count(&path), json!([{"n": 2}]));
}

#[test]
fn a_key_makes_a_repeated_write_harmless() {
    let (_folder, path) = database();
    let insert = "INSERT INTO note VALUES (:sluice_key, :sluice_run, :text) ON CONFLICT (key) DO NOTHING";
    for changed in [1, 0] {
        assert_eq!(value(write(&path, insert, json!({"text": "hi"}))), json!({"changed": changed, "rows": []}));
    }
    let kept = value(read(&path, "SELECT key, run FROM note", json!({})));
    assert_eq!(kept, json!([{"key": "07".repeat(32), "run": "run-1"}]));
}

#[test]
fn a_database_that_is_missing_locked_or_none_is_not_sent() {
    let (folder, path) = database();
    assert_eq!(refused(write(&folder.path().join("none.db"), "DELETE FROM note", json!({}))), "not sent SL730");
    assert!(!folder.path().join("none.db").exists());
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = brief("DELETE FROM note", Access::Write);
    assert_eq!(refused(call_of(&path, waiting, json!({}))), "not sent SL730");
    connection.execute_batch("ROLLBACK").unwrap();
    std::fs::write(folder.path().join("text.db"), "this is not a database, it is a text of some length").unwrap();
    assert!(refused(read(&folder.path().join("text.db"), "SELECT 1 FROM t", json!({}))).starts_with("not sent SL73"));
    let connector = SqlConnector { database: path, statements: BTreeMap::new() };
    let call = Prepared {
        connector: "c".into(),
        action: "a".into(),
        arguments: json!({}),
        idempotency_key: IdempotencyKey([0; 32]),
        run: "r".into(),
    };
    assert_eq!(refused(connector.call(&call)), "not sent SL760");
}

#[test]
fn a_failed_commit_is_in_doubt_unless_a_constraint_failed_it() {
    let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    for code in [rusqlite::ffi::SQLITE_IOERR_FSYNC, rusqlite::ffi::SQLITE_FULL] {
        let why = while_committing(&failure(code));
        assert!(why.is_in_doubt() && why.code().0 == 739, "{why}");
    }
    let (_folder, path) = database();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE line (account INTEGER REFERENCES account DEFERRABLE INITIALLY DEFERRED)")
        .unwrap();
    assert_eq!(refused(write(&path, "INSERT INTO line VALUES (99)", json!({}))), "rejected SL736");
    assert_eq!(value(read(&path, "SELECT count(*) n FROM line", json!({}))), json!([{"n": 0}]));
}

#[test]
fn an_error_shows_no_value() {
    let (_folder, path) = database();
    for sql in [
        "INSERT INTO note VALUES ('k', 'r', :t)",
        "INSERT INTO account VALUES (:t, 1, 1, 1)",
        "SELECT abs(:t)",
        "SELECT :t FROM none",
    ] {
        let outcome = write(&path, sql, json!({"t": "canary canary canary canary"}));
        assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    }
}
