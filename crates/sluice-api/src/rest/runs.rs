//! Runs: which there are, what each waits for, and what happened in it, without the data that it moved.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sluice_core::label::Name;
use sluice_ledger::RunId;
use sluice_runtime::approvals::Approver;
use sluice_runtime::audit;
use sluice_runtime::run::{About, about, find};
use sluice_runtime::told::told_without_data;
use sluice_store::{RunRow, RunStatus};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::Asker;
use super::asking::{Asking, asked};
use super::cursor::{Listed, page};
use super::ledger::Line;
use super::problem::Problem;
use super::scope::Scope;
use super::sent::{At, Wanted};
use crate::house::House;
use crate::rights::may_see_run;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// How it stands.
    #[serde(default, deserialize_with = "status")]
    #[param(schema_with = statuses)]
    status: Option<RunStatus>,
    /// In whose name.
    requester: Option<String>,
    /// Things of a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page before this one said that this one begins.
    cursor: Option<String>,
}

/// The status of a word.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RunStatus>, D::Error> {
    let Some(word) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let unknown = || D::Error::custom(format!("no run stands so: `{word}`"));
    RunStatus::from_name(&word).map(Some).ok_or_else(unknown)
}

/// The words for how runs stand.
fn statuses() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(RunStatus::ALL.map(RunStatus::name))).build()
}

/// Which entries of a run.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Things of a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page before this one said that this one begins.
    cursor: Option<String>,
}

/// A run.
#[derive(Serialize, ToSchema)]
pub(super) struct Run {
    id: String,
    /// The workflow's name; none for an agent's session.
    workflow: Option<String>,
    /// In whose name.
    requester: String,
    /// `running`, `held`, `in-doubt`, `completed`, `refused` or `faulted`.
    status: &'static str,
    /// In milliseconds since 1970.
    started_ms: u64,
    /// In milliseconds since 1970.
    updated_ms: u64,
    /// How many entries it has.
    entries: u64,
    /// What it waits for, where one run is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waits_for: Vec<String>,
}

impl Run {
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// Lists runs.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", operation_id = "list_runs", params(Filter),
    responses((status = 200, description = "A page, the newest first", body = Listed<Run>)))]
pub(super) async fn list(
    State(house): State<Arc<House>>,
    asker: Asker,
    Wanted(filter): Wanted<Filter>,
) -> Result<Json<Listed<Run>>, Problem> {
    let listed = asked(house, asker, Scope::Read, move |asking| {
        let rows = asking.house.ledger().look(|records| records.runs())?;
        let named = |row: &RunRow| row.run.to_string();
        page("runs", (filter.limit, filter.cursor.as_deref()), rows, named, |row| {
            if filter.status.is_some_and(|wanted| row.status != wanted) {
                return Ok(None);
            }
            // A run whose beginning cannot be read any more is in no list.
            let Ok(Some(about)) = about(asking.house.ledger(), row.run) else { return Ok(None) };
            let fits = filter.requester.as_ref().is_none_or(|wanted| **wanted == *about.requester);
            Ok((fits && may_see(asking, row.run, &about.requester)?).then(|| shown(row, &about, Vec::new())))
        })
    });
    listed.await.map(Json)
}

/// Shows one.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", operation_id = "get_run",
    params(("id" = String, Path, description = "32 hexadecimal digits")),
    responses((status = 200, description = "How it stands", body = Run)))]
pub(super) async fn one(State(house): State<Arc<House>>, asker: Asker, At(id): At) -> Result<Json<Run>, Problem> {
    let shown = asked(house, asker, Scope::Read, move |asking| of(asking, open(asking, &id)?.0));
    shown.await.map(Json)
}

/// What happened in one, without data.
#[utoipa::path(get, path = "/api/v1/runs/{id}/entries", tag = "runs", operation_id = "list_run_entries",
    params(("id" = String, Path), Part),
    responses((status = 200, description = "A page, in order", body = Listed<Line>)))]
pub(super) async fn entries(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(id): At,
    Wanted(part): Wanted<Part>,
) -> Result<Json<Listed<Line>>, Problem> {
    let listed = asked(house, asker, Scope::Read, move |asking| {
        let (run, _) = open(asking, &id)?;
        let lines = audit::show(asking.house.ledger(), run)?;
        let named = |line: &audit::Line| line.index.to_string();
        page("entries", (part.limit, part.cursor.as_deref()), lines, named, |line| {
            let (words, _) = told_without_data(line);
            Ok(Some(Line::of(line, words)))
        })
    });
    listed.await.map(Json)
}

fn may_see(asking: &Asking, run: RunId, requester: &Name) -> Result<bool, Problem> {
    let principal = &asking.asker.principal;
    if !asking.asker.is_person() {
        return Ok(principal == requester);
    }
    Ok(may_see_run(&asking.workspace, asking.house.ledger(), principal, run, requester)?)
}

/// A run that whoever asks may see.
pub(super) fn open(asking: &Asking, id: &str) -> Result<(RunId, Arc<About>), Problem> {
    // The beginning of an id is for people, who see what they found before they end it.
    if id.len() != 2 * RunId::BYTES {
        return Err(Problem::not_found());
    }
    let run = find(asking.house.ledger(), id)?;
    let about = about(asking.house.ledger(), run)?.ok_or_else(Problem::not_found)?;
    if may_see(asking, run, &about.requester)? { Ok((run, about)) } else { Err(Problem::not_found()) }
}

/// One run with what it waits for.
pub(super) fn of(asking: &Asking, run: RunId) -> Result<Run, Problem> {
    let ledger = asking.house.ledger();
    let (row, asked) = ledger.look(|records| Ok((records.run_row(run)?, records.approvals_of(run)?)))?;
    let about = about(asking.house.ledger(), run)?.ok_or_else(Problem::not_found)?;
    let approver = Approver::new(&asking.workspace, ledger);
    let open = asked.iter().filter(|row| row.used_by.is_none()).filter_map(|row| approver.show(&row.id).ok());
    let open = open.filter(|waiting| waiting.superseded.is_none() && !waiting.is_satisfied).map(|waiting| waiting.id);
    Ok(shown(&row.ok_or_else(Problem::not_found)?, &about, open.collect()))
}

fn shown(row: &RunRow, about: &About, waits_for: Vec<String>) -> Run {
    Run {
        id: row.run.to_string(),
        workflow: about.workflow.clone(),
        requester: about.requester.to_string(),
        status: row.status.name(),
        started_ms: row.started_ms,
        updated_ms: row.updated_ms,
        entries: row.entries,
        waits_for,
    }
}
