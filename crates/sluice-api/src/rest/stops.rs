//! The kill switch: what is stopped, and stopping more. Letting go on takes a key: `sluice go-on`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_core::contract::principals::Kind;
use sluice_runtime::stop::Stop;
use utoipa::ToSchema;

use super::Asker;
use super::again::Once;
use super::asking::{Asking, asked};
use super::cursor::Listed;
use super::problem::Problem;
use super::scope::Scope;
use super::sent::Sent;
use crate::house::House;

/// What can be stopped.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Stoppable)]
pub(super) enum What {
    /// Every call.
    Everything,
    /// Calls of a connector.
    Connector,
    /// Calls of one `connector.action`.
    Action,
    /// Calls in the name of a person or service.
    Principal,
    /// Runs of a workflow: `namespace/name`.
    Workflow,
    /// Runs of whatever a person or model wrote.
    Author,
}

/// Something that is stopped.
#[derive(Serialize, ToSchema)]
pub(super) struct Stopped {
    what: What,
    /// Which; none if it is everything.
    name: Option<String>,
}

impl Stopped {
    fn of(stop: Stop) -> Self {
        let (what, name) = match stop {
            Stop::Everything => (What::Everything, None),
            Stop::Connector(name) => (What::Connector, Some(name.to_string())),
            Stop::Action(connector, action) => (What::Action, Some(format!("{connector}.{action}"))),
            Stop::Principal(name) => (What::Principal, Some(name.to_string())),
            Stop::Workflow(name) => (What::Workflow, Some(name.to_string())),
            Stop::Author(name) => (What::Author, Some(name.to_string())),
        };
        Self { what, name }
    }
}

/// Something to be stopped.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStop)]
pub(super) struct New {
    #[schema(inline)]
    what: What,
    /// Which; none if it is everything.
    name: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Lists what is stopped.
#[utoipa::path(get, path = "/api/v1/stops", tag = "stops", operation_id = "list_stops",
    responses((status = 200, description = "All of it", body = Listed<Stopped>)))]
pub(super) async fn list(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Listed<Stopped>>, Problem> {
    let listed = asked(house, asker, Scope::Read, |asking| {
        let all = Stop::all(asking.house.ledger())?;
        Ok(Listed { items: all.into_iter().map(Stopped::of).collect(), next: None })
    });
    listed.await.map(Json)
}

/// Stops calls, from the next gate on. Whoever signs the rules stops anything; others what is theirs to answer for.
#[utoipa::path(post, path = "/api/v1/stops", tag = "stops", operation_id = "stop",
    params(Once), request_body = New,
    responses((status = 201, description = "It is stopped", body = Stopped)))]
pub(super) async fn stop(
    State(house): State<Arc<House>>,
    asker: Asker,
    Sent(new): Sent<New>,
) -> Result<(StatusCode, Json<Stopped>), Problem> {
    let stopped = asked(house, asker, Scope::Stop, move |asking| {
        let reason = new.reason.trim();
        if reason.is_empty() || reason.chars().count() > 2_000 {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, "`reason` has 1 to 2000 characters"));
        }
        let (stop, is_theirs) = meant(asking, new.what, new.name.as_deref())?;
        if !is_theirs && !asking.is_steward() {
            return Err(Problem::not_for_that("this is stopped by whoever signs the rules, or answers for it"));
        }
        stop.set(asking.house.ledger(), true, &asking.asker.principal, reason)?;
        Ok(Stopped { what: new.what, name: new.name })
    });
    Ok((StatusCode::CREATED, Json(stopped.await?)))
}

/// What is meant, and whether whoever asks answers for it.
fn meant(asking: &Asking, what: What, name: Option<&str>) -> Result<(Stop, bool), Problem> {
    let (person, principals) = (&asking.asker.principal, asking.workspace.principals());
    let owns = |connector: &str| {
        let contracts = &asking.workspace.governance().contracts;
        let contract = contracts.iter().find(|contract| *contract.connector.value == *connector)?;
        let owner = contract.owner.as_ref();
        Some((contract, owner.is_some_and(|owner| principals.persons_of(&owner.value).contains(person))))
    };
    let found = match (what, name) {
        (What::Everything, None) => Some((Stop::Everything, false)),
        (What::Connector, Some(name)) => owns(name).map(|(_, is_theirs)| (Stop::Connector(name.into()), is_theirs)),
        (What::Action, Some(name)) => name.split_once('.').and_then(|(connector, action)| {
            let (contract, is_theirs) = owns(connector)?;
            let is_there = contract.actions.contains_key(action);
            is_there.then(|| (Stop::Action(connector.into(), action.into()), is_theirs))
        }),
        (What::Principal, Some(name)) => matches!(principals.kind(name), Some(Kind::Person | Kind::Service))
            .then(|| (Stop::Principal(name.into()), principals.in_charge_of(name).contains(person))),
        (What::Workflow, Some(name)) => {
            let is_named = name.split_once('/').is_some_and(|(space, name)| !space.is_empty() && !name.is_empty());
            is_named.then(|| (Stop::Workflow(name.into()), false))
        }
        (What::Author, Some(name)) => matches!(principals.kind(name), Some(Kind::Person | Kind::Model))
            .then(|| (Stop::Author(name.into()), principals.in_charge_of(name).contains(person))),
        _ => {
            let why = "`name` says which connector, action, principal, workflow or author; everything has none";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why));
        }
    };
    found.ok_or_else(Problem::not_found)
}
