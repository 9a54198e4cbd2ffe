//! Rows as CSV and as JSON Lines.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::FilesError;
use crate::json;

/// What becomes of a text that a spreadsheet would run as a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// It gets a leading apostrophe, which spreadsheets show as plain text.
    Quote,
    /// It stays as it is, for files that only programs read.
    Keep,
}

/// How a file's rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180) with a first line of names.
    Csv {
        /// The columns, in order. Reading accepts any; writing writes exactly these.
        columns: Vec<String>,
        /// What becomes of formulas.
        formulas: Formulas,
    },
    /// One JSON value per line.
    JsonLines,
}

impl Format {
    pub(super) fn parse(&self, bytes: &[u8], rows_max: usize) -> Result<Vec<Value>, FilesError> {
        match self {
            Self::Csv { .. } => parse_csv(bytes, rows_max),
            Self::JsonLines => parse_lines(bytes, rows_max),
        }
    }

    /// Whether rows of this format can follow what a file holds: in CSV its first line must name the same columns.
    pub(super) fn continues(&self, content: &[u8]) -> bool {
        match self {
            Self::Csv { columns, .. } if !content.is_empty() => {
                csv::Reader::from_reader(content).headers().is_ok_and(|names| names.iter().eq(columns))
            }
            Self::Csv { .. } | Self::JsonLines => true,
        }
    }

    /// The bytes of rows, with the line of names first if asked for.
    pub(super) fn to_bytes(&self, rows: &[Value], with_names: bool) -> Result<Vec<u8>, FilesError> {
        match self {
            Self::Csv { columns, formulas } => csv_bytes(rows, columns, *formulas, with_names),
            Self::JsonLines => Ok(rows.iter().flat_map(|row| format!("{row}\n").into_bytes()).collect()),
        }
    }
}

fn bad(row: usize, why: impl Into<String>) -> FilesError {
    FilesError::Row { row, why: why.into() }
}

fn parse_csv(bytes: &[u8], rows_max: usize) -> Result<Vec<Value>, FilesError> {
    let mut reader = csv::Reader::from_reader(bytes);
    let names = reader.headers().map_err(|_| bad(0, "(the names) is not text"))?.clone();
    if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
        return Err(bad(0, "(the names) has one name twice"));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() >= rows_max {
            return Err(FilesError::Rows { rows_max });
        }
        let record = record.map_err(|error| match error.kind() {
            csv::ErrorKind::UnequalLengths { .. } => {
                bad(rows.len() + 1, "has more or fewer values than there are names")
            }
            _ => bad(rows.len() + 1, "is not text"),
        })?;
        let fields = names.iter().zip(&record).map(|(name, field)| (name.to_owned(), Value::from(field)));
        rows.push(Value::Object(fields.collect::<Map<_, _>>()));
    }
    Ok(rows)
}

fn parse_lines(bytes: &[u8], rows_max: usize) -> Result<Vec<Value>, FilesError> {
    let mut rows = Vec::new();
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines.filter(|line| !line.is_empty()) {
        if rows.len() >= rows_max {
            return Err(FilesError::Rows { rows_max });
        }
        rows.push(json::parse(line).map_err(|fault| bad(rows.len() + 1, format!("cannot be read: {fault}")))?);
    }
    Ok(rows)
}

fn csv_bytes(rows: &[Value], columns: &[String], formulas: Formulas, with_names: bool) -> Result<Vec<u8>, FilesError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let lost = |row| move |_| bad(row, "cannot be written");
    if with_names {
        writer.write_record(columns).map_err(lost(0))?;
    }
    for (at, row) in rows.iter().enumerate() {
        let row_number = at + 1;
        let Value::Object(fields) = row else { return Err(bad(row_number, "is not an object")) };
        if let Some(name) = fields.keys().find(|name| !columns.contains(name)) {
            return Err(bad(
                row_number,
                format!("has a column `{}` that the contract does not name", name.escape_debug()),
            ));
        }
        let cells = columns.iter().map(|column| {
            // A cell that is empty by mistake reads like one that is empty on purpose, which is `null`.
            let value = fields.get(column).ok_or_else(|| bad(row_number, format!("has no column `{column}`")))?;
            cell(value, formulas)
                .ok_or_else(|| bad(row_number, format!("has a list or an object in the column `{column}`")))
        });
        writer.write_record(cells.collect::<Result<Vec<_>, _>>()?).map_err(lost(row_number))?;
    }
    writer.into_inner().map_err(|_| bad(0, "cannot be written"))
}

fn cell(value: &Value, formulas: Formulas) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(match formulas {
            Formulas::Quote if is_formula(text) => format!("'{text}"),
            Formulas::Quote | Formulas::Keep => text.clone(),
        }),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Source: OWASP, "CSV Injection". Spaces are passed over, because some readers trim them.
fn is_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}
