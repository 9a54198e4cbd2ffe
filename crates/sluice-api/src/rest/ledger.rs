//! The ledger: entries found by what they are about, one with all that stands in the open log, and its proof. For who signs the rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use sluice_ledger::{EntryKind, LeafIndex};
use sluice_runtime::audit;
use sluice_runtime::search::{Begin, Inside, find};
use sluice_runtime::told::{field_in_words, told_without_data};
use sluice_store::Query;
use utoipa::{IntoParams, ToSchema};

use super::Asker;
use super::asking::{Asking, asked};
use super::cursor::{Listed, foreign, limit, read, written};
use super::problem::Problem;
use super::scope::Scope;
use super::sent::{At, Wanted};
use crate::house::House;

/// The largest whole number that every reader of JSON keeps.
pub(super) const TIME_MS_MAX: u64 = 9_007_199_254_740_991;

/// What is looked for; what is not said is not asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// `decision`, `intent`, `approved`, …
    kind: Option<String>,
    /// `connector.action`
    action: Option<String>,
    /// `permit`, `hold` or `forbid`
    decision: Option<String>,
    /// `A-…` or `P-…`
    approval: Option<String>,
    /// The beginning of a run's id.
    run: Option<String>,
    /// `SL518`
    code: Option<String>,
    /// Who asked, wrote, approved or stopped. From here on entries are opened one after another: a page may have fewer, even
    /// none, and a `next`.
    person: Option<String>,
    /// The workflow of the run, or of the proposal.
    workflow: Option<String>,
    /// A dataset that a decision was about.
    dataset: Option<String>,
    /// A class of data that a decision was about.
    category: Option<String>,
    /// Where data was to go.
    destination: Option<String>,
    /// Not written before, in milliseconds since 1970.
    #[param(maximum = 9007199254740991_u64)]
    from_ms: Option<u64>,
    /// Written before, in milliseconds since 1970.
    #[param(maximum = 9007199254740991_u64)]
    to_ms: Option<u64>,
    /// Things of a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page before this one said that this one begins.
    cursor: Option<String>,
}

/// An entry, without data.
#[derive(Serialize, ToSchema)]
#[schema(as = Line)]
pub(super) struct Line {
    /// Its place in the log.
    index: u64,
    /// In milliseconds since 1970.
    time_ms: u64,
    kind: String,
    run: Option<String>,
    /// What it tells.
    words: String,
}

impl Line {
    pub(super) fn of(line: &audit::Line, words: String) -> Self {
        let run = line.run.map(|run| run.to_string());
        Self { index: line.index, time_ms: line.time_ms, kind: line.kind.clone(), run, words }
    }
}

/// An entry with all that stands in the open log.
#[derive(Serialize, ToSchema)]
pub(super) struct Entry {
    #[serde(flatten)]
    line: Line,
    /// The fields of its body.
    body: BTreeMap<String, String>,
    /// Why its sealed part cannot be opened, if it cannot.
    sealed: Option<&'static str>,
}

/// The whole log is for who signs the rules; runs and approvals show others what concerns them.
fn steward(asking: &Asking) -> Result<(), Problem> {
    let why = "the whole ledger is for those who sign the rules; what concerns you is under runs and approvals";
    if asking.sees_ledger() { Ok(()) } else { Err(Problem::new(StatusCode::FORBIDDEN, 467, why)) }
}

/// Finds entries.
#[utoipa::path(get, path = "/api/v1/ledger/entries", tag = "ledger", operation_id = "list_entries", params(Filter),
    responses((status = 200, description = "A page, the newest first", body = Listed<Line>)))]
pub(super) async fn list(
    State(house): State<Arc<House>>,
    asker: Asker,
    Wanted(filter): Wanted<Filter>,
) -> Result<Json<Listed<Line>>, Problem> {
    let listed = asked(house, asker, Scope::Read, move |asking| {
        steward(asking)?;
        let limit = limit(filter.limit)?;
        if [filter.from_ms, filter.to_ms].into_iter().flatten().any(|ms| ms > TIME_MS_MAX) {
            return Err(Problem::malformed(format!("`from_ms` and `to_ms` are numbers up to {TIME_MS_MAX}")));
        }
        let before = read("log", filter.cursor.as_deref())?.map(|text| text.parse::<u64>().map_err(|_| foreign()));
        let from = Begin::Before(before.transpose()?);
        let Some(query) = query(&filter) else { return Ok(Listed { items: Vec::new(), next: None }) };
        let found = find(asking.house.ledger(), &query, &inside(&filter), from, limit as u64)?;
        let next = match found.go_on {
            Some(Begin::Before(Some(index))) => Some(written("log", &index.to_string())),
            _ => None,
        };
        let lines = found.entries.iter().map(audit::line);
        let items = lines.map(|line| Line::of(&line, told_without_data(&line).0)).collect();
        Ok(Listed { items, next })
    });
    listed.await.map(Json)
}

fn given(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What is asked of the sealed parts.
fn inside(filter: &Filter) -> Inside {
    Inside {
        person: given(filter.person.as_ref()),
        workflow: given(filter.workflow.as_ref()),
        dataset: given(filter.dataset.as_ref()),
        category: given(filter.category.as_ref()),
        destination: given(filter.destination.as_ref()),
    }
}

/// What is asked of the store; `None` if there is no such kind, and so nothing is found.
fn query(filter: &Filter) -> Option<Query> {
    let kind = match given(filter.kind.as_ref()) {
        None => None,
        Some(name) => Some(*EntryKind::REGISTERED.iter().find(|kind| kind.name() == Some(name.as_str()))?),
    };
    Some(Query {
        kind,
        action: given(filter.action.as_ref()),
        decision: given(filter.decision.as_ref()),
        approval: given(filter.approval.as_ref()),
        code: given(filter.code.as_ref()).map(|code| code.to_uppercase()),
        run_begins: given(filter.run.as_ref()).map(|run| run.to_lowercase()),
        from_ms: filter.from_ms,
        to_ms: filter.to_ms,
        ..Query::default()
    })
}

/// The place of an entry that is there.
fn place(asking: &Asking, index: &str) -> Result<u64, Problem> {
    steward(asking)?;
    let size = asking.house.ledger().look(|records| Ok(records.head()?.size.get()))?;
    index.parse::<u64>().ok().filter(|index| *index < size).ok_or_else(Problem::not_found)
}

/// Shows one entry.
#[utoipa::path(get, path = "/api/v1/ledger/entries/{index}", tag = "ledger", operation_id = "get_entry",
    params(("index" = u64, Path, description = "Its place in the log, from 0")),
    responses((status = 200, description = "The entry", body = Entry)))]
pub(super) async fn one(State(house): State<Arc<House>>, asker: Asker, At(index): At) -> Result<Json<Entry>, Problem> {
    let shown = asked(house, asker, Scope::Read, move |asking| {
        let index = place(asking, &index)?;
        let recorded = asking.house.ledger().look(|records| records.entry(LeafIndex::new(index)))?;
        let line = audit::line(&recorded);
        let body = recorded.entry.body.iter().map(|(key, value)| (key.to_string(), field_in_words(value)));
        let (body, sealed) = (body.collect(), line.sealed);
        Ok(Entry { line: Line::of(&line, told_without_data(&line).0), body, sealed })
    });
    shown.await.map(Json)
}

/// The proof that an entry is in the log that its latest checkpoint commits to (C2SP tlog-proof).
#[utoipa::path(get, path = "/api/v1/ledger/entries/{index}/proof", tag = "ledger", operation_id = "get_proof",
    params(("index" = u64, Path)),
    responses((status = 200, description = "The proof", body = String, content_type = "text/plain")))]
pub(super) async fn proof(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(index): At,
) -> Result<impl IntoResponse, Problem> {
    let proof = asked(house, asker, Scope::Read, move |asking| {
        let index = place(asking, &index)?;
        Ok(audit::prove(asking.house.ledger(), index)?.to_string())
    });
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], proof.await?))
}
