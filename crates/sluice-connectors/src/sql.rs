//! The SQL transport, on SQLite: the named statements of a contract, and nothing else.
//!
//! An argument is bound, never pasted, so it is data whatever it says. A statement reads unless its contract says that it
//! writes: the file is then opened read-only, the connection is told so as well, and the authorizer, which SQLite asks
//! about every part of a statement while preparing it, admits reading alone. A writing statement may also insert, update
//! and delete; the schema, other files, pragmas and extensions stay closed to both. A write is one transaction: it is
//! there whole or not at all, and only a failing commit is in doubt.
//!
//! Two parameters come from the call itself and can be no argument: `:sluice_key` (the effect's key, for a unique column,
//! which makes a repeated write harmless) and `:sluice_run`.
//!
//! What comes back: a list of objects for a reading statement, `{"changed": n, "rows": […]}` for a writing one. Lists and
//! objects are bound as JSON text, for `json_each(:ids)`.

mod error;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};
use serde_json::{Map, Value, json};

pub use self::error::SqlError;
use crate::{ConnectorError, Outcome, Prepared};

/// How many instructions of SQLite's machine run between two looks at the time.
const STEPS_PER_LOOK: i32 = 1000;
/// Longest statement of a contract.
const STATEMENT_BYTES_MAX: i32 = 64 << 10;

/// What a statement may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read rows.
    Read,
    /// Insert, update and delete rows as well.
    Write,
}

/// One named statement of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlStatement {
    /// One statement, with parameters as `:name`.
    pub sql: String,
    /// What it may do.
    pub access: Access,
    /// Most rows that it gives.
    pub rows_max: usize,
    /// Most bytes of one value, and of all together.
    pub bytes_max: usize,
    /// The time for all of it.
    pub timeout: Duration,
}

/// A database and its statements.
#[derive(Clone, Debug)]
pub struct SqlConnector {
    /// The database file; it is never created.
    pub database: PathBuf,
    /// The statements by the action's name.
    pub statements: BTreeMap<String, SqlStatement>,
}

impl SqlConnector {
    /// Performs one call. Blocks.
    #[must_use]
    pub fn call(&self, call: &Prepared) -> Outcome {
        let Some(statement) = self.statements.get(&call.action) else {
            return Outcome::NotSent { why: call.unknown_action() };
        };
        match self.perform(statement, call) {
            Ok(value) => Outcome::Reply { status: None, value },
            Err(why) => {
                let (is_sent, is_in_doubt) = (why.is_after_start(), why.is_in_doubt());
                let why = ConnectorError::from(why);
                match (is_sent, is_in_doubt) {
                    (_, true) => Outcome::InDoubt { why },
                    (true, false) => Outcome::Rejected { status: None, why },
                    (false, false) => Outcome::NotSent { why },
                }
            }
        }
    }

    fn perform(&self, statement: &SqlStatement, call: &Prepared) -> Result<Value, SqlError> {
        let mut connection = self.open(statement, Instant::now() + statement.timeout).map_err(SqlError::open)?;
        let refused = Refused::default();
        if statement.access == Access::Read {
            guard(&mut connection, Access::Read, &refused).map_err(SqlError::open)?;
            return run(&connection, statement, call, &refused).map(|done| Value::Array(done.rows));
        }
        connection.execute_batch("BEGIN IMMEDIATE").map_err(SqlError::open)?;
        guard(&mut connection, Access::Write, &refused).map_err(SqlError::open)?;
        // A connection that is dropped inside a transaction takes it back, so every early return undoes the write.
        let done = run(&connection, statement, call, &refused)?;
        // `COMMIT` is ours to say: the guard would refuse it, as it does in a contract's statement.
        connection.authorizer(NO_GUARD).map_err(SqlError::open)?;
        connection.execute_batch("COMMIT").map_err(|error| while_committing(&error))?;
        Ok(json!({ "changed": done.changed, "rows": done.rows }))
    }

    fn open(&self, statement: &SqlStatement, deadline: Instant) -> rusqlite::Result<Connection> {
        let mode = match statement.access {
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        // Without the URI flag, a `?` in a path is a character of a path.
        let mut connection = Connection::open_with_flags(&self.database, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(statement.timeout)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, STATEMENT_BYTES_MAX)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if statement.access == Access::Read {
            connection.pragma_update(None, "query_only", true)?;
        }
        connection.progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() >= deadline))?;
        Ok(connection)
    }
}

type Guard = fn(AuthContext<'_>) -> Authorization;
const NO_GUARD: Option<Guard> = None;

/// What the guard refused, if it did: SQLite itself only says "not authorized".
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<Option<String>>>);

impl Refused {
    fn note(&self, what: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn guard(connection: &mut Connection, access: Access, refused: &Refused) -> rusqlite::Result<()> {
    let refused = refused.clone();
    connection.authorizer(Some(move |asked: AuthContext<'_>| match refusal(&asked.action, access) {
        None => Authorization::Allow,
        Some(what) => {
            refused.note(what);
            Authorization::Deny
        }
    }))
}

/// What a part of a statement does that its contract does not allow. What is not listed as allowed is refused, so that
/// what a newer SQLite adds stays closed.
fn refusal(action: &AuthAction<'_>, access: Access) -> Option<String> {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name } => {
            let is_closed = ["load_extension", "fts3_tokenizer"].iter().any(|f| function_name.eq_ignore_ascii_case(f));
            is_closed.then(|| format!("calls `{function_name}`"))
        }
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => match access {
            Access::Write if !table_name.to_ascii_lowercase().starts_with("sqlite_") => None,
            _ => Some(format!("writes to `{table_name}`")),
        },
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Some("opens another database".to_owned()),
        AuthAction::Pragma { pragma_name, .. } => Some(format!("uses the pragma `{pragma_name}`")),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("begins or ends a transaction".to_owned())
        }
        _ => Some("changes the schema, or does something unknown".to_owned()),
    }
}

struct Done {
    changed: u64,
    rows: Vec<Value>,
}

fn run(
    connection: &Connection,
    statement: &SqlStatement,
    call: &Prepared,
    refused: &Refused,
) -> Result<Done, SqlError> {
    let mut prepared = connection.prepare(&statement.sql).map_err(|error| match refused.take() {
        Some(what) => SqlError::Forbidden { what },
        None => SqlError::Malformed { why: error.to_string() },
    })?;
    if prepared.readonly() && prepared.column_count() == 0 {
        return Err(SqlError::Malformed { why: "it does nothing".to_owned() });
    }
    // Only now: the bound is on values, and a long statement is not one.
    let length_max = i32::try_from(statement.bytes_max).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length_max).map_err(SqlError::open)?;
    bind(&mut prepared, call)?;
    // A virtual table prepares statements of its own while it runs, which the guard sees only then.
    let rows = read_rows(&mut prepared, statement).map_err(|error| match refused.take() {
        Some(what) => SqlError::Forbidden { what },
        None => error,
    })?;
    let changed = if prepared.readonly() { 0 } else { connection.changes() };
    Ok(Done { changed, rows })
}

fn bind(prepared: &mut Statement<'_>, call: &Prepared) -> Result<(), SqlError> {
    let refuse = |name: &str, why| SqlError::Argument { name: name.to_owned(), why };
    let Value::Object(arguments) = &call.arguments else { return Err(refuse("arguments", "are not an object")) };
    let mut bound = BTreeSet::new();
    for index in 1..=prepared.parameter_count() {
        let name = prepared.parameter_name(index).and_then(|name| name.strip_prefix(':')).map(str::to_owned);
        let Some(name) = name else {
            return Err(SqlError::Malformed { why: "a parameter is not of the form `:name`".to_owned() });
        };
        let set = match name.as_str() {
            "sluice_key" => prepared.raw_bind_parameter(index, call.idempotency_key.to_string()),
            "sluice_run" => prepared.raw_bind_parameter(index, &call.run),
            _ => {
                let value = arguments.get(&name).ok_or_else(|| refuse(&name, "is missing"))?;
                prepared.raw_bind_parameter(index, to_sql(value).ok_or_else(|| refuse(&name, "is too large a number"))?)
            }
        };
        set.map_err(|_| refuse(&name, "is larger than the statement's bound"))?;
        bound.insert(name);
    }
    let is_own = |name: &str| matches!(name, "sluice_key" | "sluice_run");
    match arguments.keys().find(|name| !bound.contains(*name) || is_own(name)) {
        Some(name) => Err(refuse(name, "is not one of this statement")),
        None => Ok(()),
    }
}

fn to_sql(value: &Value) -> Option<rusqlite::types::Value> {
    use rusqlite::types::Value as Sql;
    Some(match value {
        Value::Null => Sql::Null,
        Value::Bool(truth) => Sql::Integer(i64::from(*truth)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Sql::Integer(integer),
            // An integer that does not fit would be rounded, and then name another row.
            None if number.is_u64() => return None,
            None => Sql::Real(number.as_f64()?),
        },
        Value::String(text) => Sql::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => Sql::Text(value.to_string()),
    })
}

fn read_rows(prepared: &mut Statement<'_>, statement: &SqlStatement) -> Result<Vec<Value>, SqlError> {
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    if columns.iter().collect::<BTreeSet<_>>().len() != columns.len() {
        return Err(SqlError::Malformed { why: "two of its columns have the same name".to_owned() });
    }
    let mut rows = prepared.raw_query();
    let (mut all, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = rows.next().map_err(|error| while_running(&error, statement))? {
        if all.len() >= statement.rows_max {
            return Err(SqlError::Bound { what: "rows", max: statement.rows_max });
        }
        let mut object = Map::new();
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(|error| while_running(&error, statement))?;
            let value = to_json(value).ok_or_else(|| SqlError::Value { column: column.clone() })?;
            bytes += column.len() + value.as_str().map_or(8, str::len);
            object.insert(column.clone(), value);
        }
        if bytes > statement.bytes_max {
            return Err(SqlError::Bound { what: "bytes", max: statement.bytes_max });
        }
        all.push(Value::Object(object));
    }
    Ok(all)
}

fn to_json(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(integer) => Some(integer.into()),
        ValueRef::Real(real) => serde_json::Number::from_f64(real).map(Value::Number),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Value::from),
        ValueRef::Blob(_) => None,
    }
}

fn while_running(error: &rusqlite::Error, statement: &SqlStatement) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => SqlError::Time,
        Some(ErrorCode::ConstraintViolation) => SqlError::Constraint { why: error.to_string() },
        Some(ErrorCode::TooBig) => SqlError::Bound { what: "bytes", max: statement.bytes_max },
        _ => SqlError::Failed { why: error.to_string() },
    }
}

/// A deferred constraint is judged by the commit, which then surely did nothing. Of any other failure, such as that of a
/// disk, SQLite does not say on which side of durability it fell.
fn while_committing(error: &rusqlite::Error) -> SqlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => SqlError::Constraint { why: error.to_string() },
        _ => SqlError::Commit { why: error.to_string() },
    }
}
