//! Starting a run of a proposed definition, and ending one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_engine::Fact;
use sluice_ledger::RunId;
use sluice_runtime::admit::Proposed;
use sluice_runtime::ledger::random;
use sluice_runtime::proposal::Proposal;
use sluice_runtime::run::{Admission, Executor, RunStatus, facts};
use sluice_runtime::template::{filled, in_words};
use utoipa::ToSchema;

use super::Asker;
use super::again::{Once, key};
use super::asking::{Asking, asked};
use super::problem::Problem;
use super::proposals;
use super::runs::{Run, of, open};
use super::scope::Scope;
use super::sent::{At, Sent};
use crate::house::{Deed, House};
use crate::rights::may_end_run;

/// How long a start waits until the run is in the ledger.
const WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
        let run = match &key {
            Some(key) => run_of(&asking.asker.principal, key),
            None => RunId::from_bytes(random()?),
        };
        let proposal = proposals::open(asking, &wanted.proposal)?;
        if proposal.requester != asking.asker.principal {
            let why = "a run is started in the name of whoever asked for its definition";
            return Err(Problem::not_for_that(why));
        }
        let input = fill(&proposal, Value::Object(wanted.input))?;
        if is_started(asking, run, &proposal, &input)? {
            return of(asking, run);
        }
        admit(asking, &proposal)?;
        if !asking.house.tell(Deed::Start { run, proposal: proposal.id, input }) {
            return Err(Problem::broken("the engine has ended; start `sluice serve` again"));
        }
        begun(asking, run)
    });
    let run = run.await?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/v1/runs/{}", run.id()))], Json(run)))
}

/// The run of a key: whoever sends a request again after a restart finds it in the ledger.
fn run_of(principal: &str, key: &str) -> RunId {
    let mut hash = Sha256::new();
    for part in ["sluice run of key 1", principal, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; RunId::BYTES];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    RunId::from_bytes(id)
}

/// Whether this very run was started before.
fn is_started(asking: &Asking, run: RunId, proposal: &Proposal, input: &Value) -> Result<bool, Problem> {
    let first = facts(&asking.house.ledger().look(|records| records.run_beginning(run, 1))?)?;
    let Some(record) = first.first() else { return Ok(false) };
    match &record.fact {
        Fact::Started(start) if start.closure == proposal.closure.0.0 && start.input == *input => Ok(true),
        _ => {
            let why = "another run was started under this `Idempotency-Key`; a new request has a new key";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 477, why))
        }
    }
}

/// The input as the run gets it: of a template every hole filled.
fn fill(proposal: &Proposal, input: Value) -> Result<Value, Problem> {
    // What cannot be read any more is told where it is admitted.
    let Ok(proposed) = Proposed::read(&proposal.name, proposal.text.as_bytes()) else { return Ok(input) };
    filled(proposed.program(), input)
        .map_err(|faults| Problem::told(StatusCode::UNPROCESSABLE_ENTITY, 454, &in_words(&faults)))
}

/// Whether the definition may run now, as the engine will judge it again.
fn admit(asking: &Asking, proposal: &Proposal) -> Result<(), Problem> {
    let conflict = |why: String| Err(Problem::told(StatusCode::CONFLICT, 483, &why));
    let Ok(proposed) = Proposed::read(&proposal.name, proposal.text.as_bytes()) else {
        return conflict("under the rules of today the definition cannot be read".to_owned());
    };
    let executor = Executor::open(&asking.workspace, asking.house.ledger())?;
    match executor.admit(proposed, &proposal.requester, proposal.author.clone())? {
        Admission::Runnable(..) => Ok(()),
        Admission::Not(outcome) => conflict(match outcome.status {
            RunStatus::Refused { code, why, .. } => format!("{code}: {why}"),
            _ => outcome.held.first().map_or_else(
                || "it may not run now".to_owned(),
                |held| format!("SL483: {} (`{}`)", held.why, held.approval),
            ),
        }),
    }
}

/// The run as soon as it is in the ledger.
fn begun(asking: &Asking, run: RunId) -> Result<Run, Problem> {
    let began = Instant::now();
    while began.elapsed() < WITHIN {
        if asking.house.ledger().look(|records| records.run_row(run))?.is_some() {
            return of(asking, run);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Err(Problem::broken("the engine has not started the run yet; ask again under the same `Idempotency-Key`"))
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

#[cfg(test)]
mod tests {
    use super::run_of;

    #[test]
    fn the_run_of_a_key_is_its_principals() {
        assert_eq!(run_of("ana", "k"), run_of("ana", "k"));
        assert_ne!(run_of("ana", "k"), run_of("ben", "k"));
        assert_ne!(run_of("an", "ak"), run_of("ana", "k"));
    }
}
