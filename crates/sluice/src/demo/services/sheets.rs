//! The spreadsheet service, in another region than the data.
//!
//! `POST /sheets/{name}/rows` with `{"rows": [{…}, …]}` makes or overwrites a sheet and returns
//! `{"sheet", "region": "us", "row_count": n, "columns": [...], "version": n}`. `GET /sheets/{name}`
//! returns the same with the rows themselves. A version rises with each overwrite.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use indexmap::IndexSet;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::door::locked;
use super::refusal::{Refusal, read};
use super::{Server, StartError};

/// Where the service says it is.
pub const REGION: &str = "us";

/// Sheets held at once: memory is this process's.
const SHEETS_MAX: usize = 100;

/// Rows of a sheet: several times the customers.
const ROWS_MAX: usize = 20_000;

const NAME_BYTES_MAX: usize = 64;

/// The running spreadsheet service.
pub struct Sheets {
    server: Server,
    sheets: Held,
}

/// What arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Each an object from column to cell.
    pub rows: Vec<Map<String, Value>>,
    /// How often it was written.
    pub version: u64,
}

type Held = Arc<Mutex<BTreeMap<String, Sheet>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rows: Vec<Map<String, Value>>,
}

impl Sheets {
    pub(super) async fn start() -> Result<Self, StartError> {
        let sheets = Held::default();
        let routes = Router::new()
            .route("/sheets/{name}", routing::get(show))
            .route("/sheets/{name}/rows", routing::post(write))
            .with_state(sheets.clone());
        Ok(Self { server: Server::start("sheets", routes).await?, sheets })
    }

    /// Address, token, requests seen, effects counted.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What a sheet holds now, seen from the receiver's side.
    #[must_use]
    pub fn sheet(&self, name: &str) -> Option<Sheet> {
        locked(&self.sheets).get(name).cloned()
    }

    /// The names of all sheets.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        locked(&self.sheets).keys().cloned().collect()
    }

    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}

impl Sheet {
    /// The columns that any row has, in the order in which they first appear.
    #[must_use]
    pub fn columns(&self) -> IndexSet<&str> {
        self.rows.iter().flat_map(|row| row.keys().map(String::as_str)).collect()
    }
}

async fn show(State(sheets): State<Held>, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    let sheets = locked(&sheets);
    let sheet = sheets.get(&name).ok_or_else(|| {
        Refusal::not_found(format!("no sheet is called `{name}`"), "write it with `POST /sheets/{name}/rows`")
    })?;
    let mut shown = summary(&name, sheet);
    shown.insert("rows".to_owned(), json!(sheet.rows));
    Ok(Json(Value::Object(shown)))
}

async fn write(
    State(sheets): State<Held>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    check_name(&name)?;
    let Written { rows } = read(&body, r#"`{"rows": [{"column": "cell"}]}`"#)?;
    let mut sheets = locked(&sheets);
    if rows.len() > ROWS_MAX || (sheets.len() >= SHEETS_MAX && !sheets.contains_key(&name)) {
        let help = format!("keep to {SHEETS_MAX} sheets of {ROWS_MAX} rows");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the service is full", help));
    }
    let sheet = sheets.entry(name.clone()).or_default();
    sheet.rows = rows;
    sheet.version += 1;
    let status = if sheet.version == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Value::Object(summary(&name, sheet)))))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    let help = format!("use 1 to {NAME_BYTES_MAX} letters, digits, `-` and `_`");
    Err(Refusal::bad_request(format!("`{name}` is no name for a sheet"), help))
}

fn summary(name: &str, sheet: &Sheet) -> Map<String, Value> {
    let part = |name: &str, value| (name.to_owned(), value);
    Map::from_iter([
        part("sheet", json!(name)),
        part("region", json!(REGION)),
        part("row_count", json!(sheet.rows.len())),
        part("columns", json!(sheet.columns())),
        part("version", json!(sheet.version)),
    ])
}
