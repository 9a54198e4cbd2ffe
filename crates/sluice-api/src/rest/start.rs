//! Starting a run of a proposed definition, and ending one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use sluice_ledger::RunId;
use sluice_runtime::ledger::random;
use sluice_runtime::run::Executor;
use utoipa::ToSchema;

use super::Asker;
use super::again::{Once, key};
use super::asking::{Asking, asked};
use super::problem::Problem;
use super::proposals;
use super::runs::{Run, of, open};
use super::scope::Scope;
use super::sent::{At, Sent};
use crate::house::House;
use crate::rights::may_end_run;
use crate::starting::{self, NewRun, StartError, run_of};

/// A run to be started.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRun)]
pub(super) struct Wanted {
    /// The proposal of its definition, `P-…`; whoever starts it is who asked for it.
    proposal: String,
    /// Its input.
    #[serde(default)]
    #[schema(value_type = Object)]
    input: serde_json::Map<String, Value>,
}

type Started = (StatusCode, [(axum::http::HeaderName, String); 1], Json<Run>);

/// Starts a run. Under the same `Idempotency-Key` it is the same run for good.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", operation_id = "start_run",
    params(Once), request_body = Wanted,
    responses((status = 201, description = "It is under way", body = Run, headers(("Location" = String)),
        links(
            ("one" = (operation_id = "get_run", parameters(("id" = "$response.body#/id")))),
            ("entries" = (operation_id = "list_run_entries", parameters(("id" = "$response.body#/id")))),
            ("cancel" = (operation_id = "cancel_run", parameters(("id" = "$response.body#/id")))),
        ))))]
pub(super) async fn start(
    State(house): State<Arc<House>>,
    asker: Asker,
    headers: HeaderMap,
    Sent(wanted): Sent<Wanted>,
) -> Result<Started, Problem> {
    let key = key(&headers)?.map(str::to_owned);
    let run = asked(house, asker, Scope::Run, move |asking| {
        let who = &asking.asker.principal;
        let run = match &key {
            Some(key) => run_of(who, key),
            None => RunId::from_bytes(random()?),
        };
        let proposal = proposals::open(asking, &wanted.proposal)?;
        let wanted = NewRun { run, proposal: &proposal, input: Value::Object(wanted.input) };
        starting::start(&asking.house, &asking.workspace, (who, &Asker::entry()), wanted)?;
        of(asking, run)
    });
    let run = run.await?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/v1/runs/{}", run.id()))], Json(run)))
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let why = error.to_string();
        match error {
            StartError::NotTheirs | StartError::Known(_) => Self::told(StatusCode::FORBIDDEN, 471, &why),
            StartError::Input(_) => Self::told(StatusCode::UNPROCESSABLE_ENTITY, 454, &why),
            StartError::Other => Self::told(StatusCode::UNPROCESSABLE_ENTITY, 477, &why),
            StartError::NotNow(_) => Self::told(StatusCode::CONFLICT, 483, &why),
            StartError::Broken(_) => Self::broken(&why),
        }
    }
}

/// Why a run is ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    /// Whoever looks at the run reads it.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Ends a run: nothing more of it is called.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("id" = String, Path), Once), request_body = Cancel,
    responses((status = 200, description = "It is over", body = Run)))]
pub(super) async fn cancel(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(id): At,
    Sent(wanted): Sent<Cancel>,
) -> Result<Json<Run>, Problem> {
    let ended = asked(house, asker, Scope::Run, move |asking| {
        let (run, about) = open(asking, &id)?;
        let who = &asking.asker.principal;
        if !may_end_run(&asking.workspace, who, &about.requester) {
            return Err(Problem::not_for_that(
                "a run is ended by whoever it is for, who answers for them, or who signs the rules",
            ));
        }
        let reason = wanted.reason.trim();
        if reason.is_empty() || reason.chars().count() > 2_000 {
            return Err(Problem::malformed("`reason` has 1 to 2000 characters"));
        }
        let over = asking.house.ledger().look(|records| records.run_row(run))?.is_some_and(|row| row.status.is_over());
        if !over {
            end(asking, run, format!("ended by `{who}`: {reason}"))?;
        }
        of(asking, run)
    });
    ended.await.map(Json)
}

fn end(asking: &Asking, run: RunId, why: String) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::broken(&error.to_string()))?;
    let executor = Executor::open(&asking.workspace, asking.house.ledger())?;
    runtime.block_on(executor.cancel(run, why))?;
    Ok(())
}
