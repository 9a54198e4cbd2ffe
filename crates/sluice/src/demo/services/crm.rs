//! The CRM: some thousands of customers in a SQLite file, read over HTTP.
//!
//! `GET /accounts?fields=id,balance&month=2026-09&limit=100` returns
//! `{"accounts": [{"id": …, "balance": …}], "total": n}`: only the fields asked for, of the accounts
//! last changed in that month, in the order of their ids. `fields` is required; without `month` all
//! accounts count; `total` counts before `limit`.
//!
//! The file can also be read directly: table `customers`, one `TEXT` column per field.

mod places;
mod random;
mod seed;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::{Json, Router, routing};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Map, Value, json};

pub use self::seed::{CUSTOMERS, FIRST_MONTH, LAST_MONTH};

use super::door::locked;
use super::refusal::Refusal;
use super::{Server, StartError};

/// What is known of a customer: the columns of the table, and what `fields` may name.
pub const FIELDS: [&str; 10] =
    ["id", "name", "email", "city", "country", "balance", "tier", "last_position", "health_note", "updated_at"];

/// Accounts in a reply that did not ask for a number.
const LIMIT_DEFAULT: u32 = 100;

/// The most accounts in a reply: more than there are.
const LIMIT_MAX: u32 = 5_000;

/// The running CRM.
pub struct Crm {
    server: Server,
    path: PathBuf,
}

#[derive(Clone)]
struct Customers(Arc<Mutex<Connection>>);

/// What a caller wants to see.
struct Wanted {
    fields: Vec<&'static str>,
    /// `2026-09`, or nothing for all.
    month: String,
    limit: u32,
}

impl Crm {
    pub(super) async fn start(path: &Path) -> Result<Self, StartError> {
        seed::make_sure_of(path)?;
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|source| StartError::Database { path: path.to_owned(), source })?;
        let routes = Router::new()
            .route("/accounts", routing::get(accounts))
            .with_state(Customers(Arc::new(Mutex::new(connection))));
        Ok(Self { server: Server::start("crm", routes).await?, path: path.to_owned() })
    }

    /// Address, token, requests seen, effects counted.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The SQLite file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}

async fn accounts(
    State(customers): State<Customers>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Refusal> {
    let wanted = Wanted::read(&query)?;
    let connection = locked(&customers.0);
    let (accounts, total) = select(&connection, &wanted)
        .map_err(|error| Refusal::failed(format!("the customers cannot be read: {error}")))?;
    Ok(Json(json!({ "accounts": accounts, "total": total })))
}

impl Wanted {
    fn read(query: &[(String, String)]) -> Result<Self, Refusal> {
        let (mut fields, mut month, mut limit) = (None, None, None);
        for (name, value) in query {
            let (slot, name) = match name.as_str() {
                "fields" => (&mut fields, "fields"),
                "month" => (&mut month, "month"),
                "limit" => (&mut limit, "limit"),
                other => {
                    let help = "the parameters are `fields`, `month` and `limit`";
                    return Err(Refusal::bad_request(format!("unknown parameter `{other}`"), help));
                }
            };
            if slot.replace(value.as_str()).is_some() {
                let error = format!("`{name}` is given twice");
                return Err(Refusal::bad_request(error, "give each parameter once"));
            }
        }
        Ok(Self {
            fields: fields_of(fields)?,
            month: month.map_or(Ok(String::new()), month_of)?,
            limit: limit.map_or(Ok(LIMIT_DEFAULT), limit_of)?,
        })
    }
}

fn fields_of(text: Option<&str>) -> Result<Vec<&'static str>, Refusal> {
    let help = || format!("`fields` takes names from {}, with commas between", FIELDS.join(", "));
    let text = text.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Refusal::bad_request("no `fields` are asked for", help()))?;
    let known = |name: &str| FIELDS.into_iter().find(|field| *field == name);
    text.split(',')
        .map(|name| known(name).ok_or_else(|| Refusal::bad_request(format!("unknown field `{name}`"), help())))
        .collect()
}

fn month_of(text: &str) -> Result<String, Refusal> {
    let is_month = text.split_once('-').is_some_and(|(year, month)| {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let in_year = month.parse().is_ok_and(|number: u8| (1..=12).contains(&number));
        year.len() == 4 && month.len() == 2 && digits(year) && digits(month) && in_year
    });
    if is_month {
        return Ok(text.to_owned());
    }
    let help = "write the year and the month as in `2026-09`";
    Err(Refusal::bad_request(format!("`{text}` is no month"), help))
}

fn limit_of(text: &str) -> Result<u32, Refusal> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        let help = format!("`limit` is a number from 1 to {LIMIT_MAX}");
        Refusal::bad_request(format!("`{text}` is no limit"), help)
    })
}

fn select(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<(Vec<Value>, u32)> {
    // The empty month is the start of every date.
    let total = connection
        .prepare_cached("SELECT count(*) FROM customers WHERE substr(updated_at, 1, length(?1)) = ?1")?
        .query_row(params![wanted.month], |row| row.get(0))?;

    // The column names are our own constants: no caller's text is in the statement.
    let columns = wanted.fields.join(", ");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {columns} FROM customers WHERE substr(updated_at, 1, length(?1)) = ?1 ORDER BY id LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![wanted.month, wanted.limit], |row| {
        let mut account = Map::new();
        for (index, field) in wanted.fields.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null => Value::Null,
                text => Value::from(text.as_str()?),
            };
            account.insert((*field).to_owned(), value);
        }
        Ok(Value::Object(account))
    })?;
    Ok((rows.collect::<rusqlite::Result<_>>()?, total))
}
