//! The kill switch: what is stopped, stopping more, and letting it go on.

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
use crate::rights::{may_let_go_on, may_stop};

/// The longest reason.
const REASON_CHARS_MAX: usize = 2_000;

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

/// Something to be stopped, or to go on.
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

/// Stops calls, from the next gate on. Any person may, unless policies about the console forbid it.
#[utoipa::path(post, path = "/api/v1/stops", tag = "stops", operation_id = "stop",
    params(Once), request_body = New,
    responses((status = 201, description = "It is stopped", body = Stopped)))]
pub(super) async fn stop(
    State(house): State<Arc<House>>,
    asker: Asker,
    Sent(new): Sent<New>,
) -> Result<(StatusCode, Json<Stopped>), Problem> {
    let stopped = asked(house, asker, Scope::Stop, move |asking| {
        let reason = reason(&new)?;
        let stop = meant(asking, new.what, new.name.as_deref())?;
        if !may_stop(&asking.workspace, &asking.asker.principal, &stop) {
            return Err(Problem::not_for_that("policies of this workspace forbid that you stop this"));
        }
        stop.set(asking.house.ledger(), true, &asking.asker.principal, reason)?;
        Ok(Stopped { what: new.what, name: new.name })
    });
    Ok((StatusCode::CREATED, Json(stopped.await?)))
}

/// Lets calls go on that were stopped. Whoever policies about the console permit it may; by default, who signs the rules.
#[utoipa::path(post, path = "/api/v1/stops/go-on", tag = "stops", operation_id = "go_on",
    params(Once), request_body = New,
    responses((status = 200, description = "It is not stopped", body = Stopped)))]
pub(super) async fn go_on(
    State(house): State<Arc<House>>,
    asker: Asker,
    Sent(new): Sent<New>,
) -> Result<Json<Stopped>, Problem> {
    let released = asked(house, asker, Scope::GoOn, move |asking| {
        let reason = reason(&new)?;
        let stop = meant(asking, new.what, new.name.as_deref())?;
        if !may_let_go_on(&asking.workspace, &asking.asker.principal, &stop) {
            return Err(Problem::not_for_that("policies of this workspace do not permit that you let this go on"));
        }
        stop.set(asking.house.ledger(), false, &asking.asker.principal, reason)?;
        Ok(Stopped { what: new.what, name: new.name })
    });
    released.await.map(Json)
}

/// Why, for the record.
fn reason(new: &New) -> Result<&str, Problem> {
    let reason = new.reason.trim();
    let fits = (1..=REASON_CHARS_MAX).contains(&reason.chars().count());
    let unfit = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, "`reason` has 1 to 2000 characters");
    fits.then_some(reason).ok_or_else(unfit)
}

/// What is meant, if there is such a thing here.
fn meant(asking: &Asking, what: What, name: Option<&str>) -> Result<Stop, Problem> {
    let contracts = &asking.workspace.governance().contracts;
    let contract = |connector: &str| contracts.iter().find(|contract| *contract.connector.value == *connector);
    let found = match (what, name) {
        (What::Everything, None) => Some(Stop::Everything),
        (What::Connector, Some(name)) => contract(name).map(|found| Stop::Connector(found.connector.value.clone())),
        (What::Action, Some(name)) => name.split_once('.').and_then(|(connector, action)| {
            let (action, _) = contract(connector)?.actions.get_key_value(action)?;
            Some(Stop::Action(connector.into(), action.clone()))
        }),
        (What::Principal, Some(name)) => {
            let kind = asking.workspace.principals().kind(name);
            matches!(kind, Some(Kind::Person | Kind::Service)).then(|| Stop::Principal(name.into()))
        }
        (What::Workflow, Some(name)) => {
            let is_named = name.split_once('/').is_some_and(|(space, name)| !space.is_empty() && !name.is_empty());
            is_named.then(|| Stop::Workflow(name.into()))
        }
        (What::Author, Some(name)) => {
            let kind = asking.workspace.principals().kind(name);
            matches!(kind, Some(Kind::Person | Kind::Model)).then(|| Stop::Author(name.into()))
        }
        _ => {
            let why = "`name` says which connector, action, principal, workflow or author; everything has none";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why));
        }
    };
    found.ok_or_else(Problem::not_found)
}
