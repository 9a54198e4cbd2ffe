//! A contract drafted from the schema of a database: `CREATE TABLE` as text, whoever's dialect it is.
//!
//! Only what can be read is drafted, and nothing that writes. A column whose name tells what it holds gets that category; of
//! every other nobody has said anything, and so it stays without a label, which is the strictest. What looks like a secret
//! is not read at all.

mod column;
mod tokens;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sluice_core::contract::is_id;
use thiserror::Error;

use super::quoted;
pub use column::{Class, Meaning};
use tokens::{Token, tokens};

/// Most tables of one schema, and most columns of one table.
const TABLES_MAX: usize = 500;
const COLUMNS_MAX: usize = 500;
/// Rows that a drafted list reads.
const ROWS: u64 = 100;

/// Words with which something begins that is no column.
const CONSTRAINTS: [&str; 11] =
    ["constraint", "primary", "foreign", "unique", "check", "key", "index", "exclude", "like", "fulltext", "period"];

/// A contract, what it calls for and what it leaves out.
#[derive(Clone, Debug)]
pub struct Described {
    /// The contract.
    pub text: String,
    /// Its actions.
    pub actions: Vec<String>,
    /// Categories that its labels name.
    pub classes: BTreeSet<Class>,
    /// Tables and columns that it does not read, with why not.
    pub withheld: Vec<(String, String)>,
}

/// Why nothing can be drafted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// SL977. There is no table.
    #[error("SL977: this is no schema of a database: it has no `CREATE TABLE` with columns")]
    NoTable,
    /// SL977. There is no end of it.
    #[error("SL977: the schema has more than {TABLES_MAX} tables, or one of more than {COLUMNS_MAX} columns")]
    TooMany,
    /// SL977. It breaks off.
    #[error("SL977: the schema cannot be read: a quote, a comment or a parenthesis is never closed")]
    Unclosed,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: String,
    columns: Vec<Column>,
    withheld: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Column {
    name: String,
    meaning: Meaning,
    is_key: bool,
}

/// Whether a text may be a schema.
#[must_use]
pub fn is_schema(text: &str) -> bool {
    tokens(text).and_then(|tokens| read(&tokens)).is_ok()
}

/// Drafts the contract of a connector to a database of the same name.
///
/// # Errors
/// [`SchemaError`].
pub fn contract(connector: &str, schema: &str) -> Result<Described, SchemaError> {
    let (tables, mut withheld) = read(&tokens(schema)?)?;
    let mut text = String::from(
        "# Drafted from a schema of tables: every line is a guess from the names of columns. Read it, correct it, and sign it\n\
         # (`sluice policy sign`). Rows count as an outsider's words until `trust` says otherwise, and columns without a\n\
         # label as data of every kind. Nothing here writes: add what a workflow needs.\n\
         version: 1\n",
    );
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "connector: {connector}\n# The file `data/{connector}.db` of the workspace.\ntransport: {{ sql: {{ database: {connector} }} }}"
    );
    let (mut actions, mut classes, mut written) = (Vec::new(), BTreeSet::new(), String::new());
    for table in tables {
        if table.columns.is_empty() {
            withheld.push((table.name, "no column of it can be read".to_owned()));
            continue;
        }
        classes.extend(table.columns.iter().filter_map(|column| column.meaning.class()));
        actions.extend(write_table(&mut written, connector, &table));
        withheld.extend(table.withheld);
    }
    text.push_str(if written.is_empty() { "actions: {}\n" } else { "actions:\n" });
    text.push_str(&written);
    if actions.is_empty() && withheld.is_empty() {
        return Err(SchemaError::NoTable);
    }
    Ok(Described { text, actions, classes, withheld })
}

fn write_table(out: &mut String, connector: &str, table: &Table) -> Vec<String> {
    let list = format!("{}.list", table.name);
    let columns: Vec<String> = table.columns.iter().map(|column| identifier(&column.name)).collect();
    let select = format!("SELECT {} FROM {}", columns.join(", "), identifier(&table.name));
    write_action(out, connector, table, &list, &format!("{select} LIMIT {ROWS}"), None);
    let keys: Vec<&Column> =
        table.columns.iter().filter(|column| column.is_key && is_parameter(&column.name)).collect();
    let [key] = keys.as_slice() else { return vec![list] };
    let get = format!("{}.get", table.name);
    let statement = format!("{select} WHERE {} = :{}", identifier(&key.name), key.name);
    write_action(out, connector, table, &get, &statement, Some(&key.name));
    vec![list, get]
}

fn write_action(out: &mut String, connector: &str, table: &Table, name: &str, statement: &str, key: Option<&str>) {
    let _ = writeln!(out, "  {}:", quoted(name));
    let unknown: Vec<&str> =
        table.columns.iter().filter(|c| c.meaning.class().is_none()).map(|c| c.name.as_str()).collect();
    if !unknown.is_empty() {
        let _ = writeln!(out, "    # Nobody has said what these hold: {}", unknown.join(", "));
    }
    let _ = writeln!(out, "    effect: read\n    request: {{ statement: {} }}", quoted(statement));
    if let Some(key) = key {
        let _ = writeln!(out, "    arguments: {{ {}: {{ role: query, required: true }} }}", quoted(key));
    }
    let dataset = quoted(&format!("{connector}.{}", table.name));
    let _ =
        writeln!(out, "    output:\n      from: replace\n      trust: {{ \"\": origin }}\n      dataset: {dataset}");
    let known = table.columns.iter().filter_map(|column| Some((column, column.meaning.class()?)));
    let lines: Vec<String> = known
        .map(|(column, class)| {
            let path = quoted(&format!("/*/{}", column.name));
            format!("        {path}: [{}]  # {}", class.name(), column.meaning.why())
        })
        .collect();
    if !lines.is_empty() {
        let _ = writeln!(out, "      labels:\n{}", lines.join("\n"));
    }
}

/// As SQL writes a name that may be anything. Names with a quote are not drafted.
fn identifier(name: &str) -> String {
    format!("\"{name}\"")
}

fn is_parameter(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && is_id(name)
}

type Read = (Vec<Table>, Vec<(String, String)>);

/// Every table that a schema makes, and those that it makes otherwise than by listing columns.
fn read(tokens: &[Token<'_>]) -> Result<Read, SchemaError> {
    let (mut tables, mut withheld) = (Vec::<Table>::new(), Vec::new());
    let mut rest = tokens;
    while let Some(at) = rest.iter().position(|token| token.is("create")) {
        rest = rest.get(at + 1..).unwrap_or_default();
        // `CREATE OR REPLACE TEMPORARY TABLE`, but no other statement's table.
        let Some(table) = rest.iter().take(4).position(|token| token.is("table")) else { continue };
        if rest.iter().take(table).any(|token| token.word().is_none()) {
            continue;
        }
        rest = rest.get(table + 1..).unwrap_or_default();
        if let [first, second, third, ..] = rest
            && first.is("if")
            && second.is("not")
            && third.is("exists")
        {
            rest = rest.get(3..).unwrap_or_default();
        }
        let (name, after) = named(rest);
        rest = after;
        let Some(name) = name else { continue };
        let Some((inner, after)) = enclosed(rest)? else {
            withheld.push((name, "its columns are not listed".to_owned()));
            continue;
        };
        rest = after;
        if !is_id(&name) || tables.iter().any(|table| table.name == name) {
            withheld.push((name, "its name is none that a contract can write, or another table has it".to_owned()));
            continue;
        }
        tables.push(columns(name, inner)?);
        if tables.len() > TABLES_MAX {
            return Err(SchemaError::TooMany);
        }
    }
    if tables.is_empty() && withheld.is_empty() { Err(SchemaError::NoTable) } else { Ok((tables, withheld)) }
}

/// The last part of `database.schema.table`, and what follows it.
fn named<'t, 'a>(tokens: &'t [Token<'a>]) -> (Option<String>, &'t [Token<'a>]) {
    let mut rest = tokens;
    let mut name = None;
    while let Some((first, after)) = rest.split_first() {
        let Some(part) = first.name() else { break };
        (name, rest) = (Some(part.to_owned()), after);
        match rest.split_first() {
            Some((Token::Mark('.'), after)) => rest = after,
            _ => break,
        }
    }
    (name, rest)
}

type Enclosed<'t, 'a> = (&'t [Token<'a>], &'t [Token<'a>]);

/// What stands between parentheses, and what follows them; `None` if there are none.
fn enclosed<'t, 'a>(tokens: &'t [Token<'a>]) -> Result<Option<Enclosed<'t, 'a>>, SchemaError> {
    let Some((Token::Mark('('), inner)) = tokens.split_first() else { return Ok(None) };
    let mut depth = 1_usize;
    for (at, token) in inner.iter().enumerate() {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let (inside, after) = inner.split_at_checked(at).unwrap_or_default();
            return Ok(Some((inside, after.get(1..).unwrap_or_default())));
        }
    }
    Err(SchemaError::Unclosed)
}

fn columns(name: String, inner: &[Token<'_>]) -> Result<Table, SchemaError> {
    let mut table = Table { name, columns: Vec::new(), withheld: Vec::new() };
    let mut keys = Vec::new();
    for part in parts(inner) {
        let Some((first, rest)) = part.split_first() else { continue };
        if first.word().is_some_and(|word| CONSTRAINTS.contains(&word.to_lowercase().as_str())) {
            keys.extend(primary(part));
            continue;
        }
        let Some(column) = first.name() else { continue };
        let place = format!("{}.{column}", table.name);
        let meaning = Meaning::of(column);
        let is_odd = column.contains(['"', '/', '*', '~']) || column.chars().any(char::is_control);
        if is_odd || table.columns.iter().any(|known| known.name == column) {
            table
                .withheld
                .push((place, "its name is none that a contract can write, or stands there twice".to_owned()));
        } else if meaning == Meaning::Secret {
            table.withheld.push((place, "it looks like a secret".to_owned()));
        } else {
            let is_key = rest.windows(2).any(is_primary);
            table.columns.push(Column { name: column.to_owned(), meaning, is_key });
        }
        if table.columns.len() > COLUMNS_MAX {
            return Err(SchemaError::TooMany);
        }
    }
    // A key of several columns is no one column's.
    if let [key] = keys.as_slice() {
        table.columns.iter_mut().filter(|column| column.name == *key).for_each(|column| column.is_key = true);
    }
    Ok(table)
}

/// What stands between commas that no parentheses enclose.
fn parts<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_usize;
    let split = move |token: &Token<'a>| {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *token == Token::Mark(',')
    };
    tokens.split(split).collect()
}

fn is_primary(pair: &[Token<'_>]) -> bool {
    matches!(pair, [first, second] if first.is("primary") && second.is("key"))
}

/// The columns of a `PRIMARY KEY (…)` that stands for itself.
fn primary(part: &[Token<'_>]) -> Vec<String> {
    let at = part.windows(2).position(is_primary);
    let listed = at.and_then(|at| enclosed(part.get(at + 2..)?).ok()?);
    listed
        .map(|(inside, _)| inside.iter().filter_map(|token| token.name().map(str::to_owned)).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
