//! What workflows and agents of this workspace can call.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_core::contract::Contract;
use sluice_core::contract::connector::{McpTransport, Transport};
use sluice_runtime::stop::Stop;
use utoipa::ToSchema;

use super::Asker;
use super::asking::{Asking, asked};
use super::cursor::Listed;
use super::problem::Problem;
use super::scope::Scope;
use super::sent::At;
use crate::house::House;

/// A connector.
#[derive(Serialize, ToSchema)]
pub(super) struct Connector {
    name: String,
    /// `http`, `model`, `sql`, `files` or `mcp`
    transport: &'static str,
    owner: Option<String>,
    region: Option<String>,
    /// The digest of its contract.
    contract: String,
    /// Whether the tools of its server are pinned.
    is_pinned: bool,
    is_stopped: bool,
    actions: BTreeMap<String, Action>,
}

/// One thing that it does.
#[derive(Serialize, ToSchema)]
pub(super) struct Action {
    /// `read`, `write`, `export`, `grant`, `execute` or `notify`
    effect: &'static str,
    is_privileged: bool,
    is_stopped: bool,
    arguments: Vec<String>,
}

/// Lists connectors.
#[utoipa::path(get, path = "/api/v1/connectors", tag = "connectors", operation_id = "list_connectors",
    responses((status = 200, description = "All of them", body = Listed<Connector>)))]
pub(super) async fn list(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Listed<Connector>>, Problem> {
    let listed = asked(house, asker, Scope::Read, |asking| {
        let contracts = &asking.workspace.governance().contracts;
        Ok(Listed { items: contracts.iter().map(|contract| shown(asking, contract)).collect(), next: None })
    });
    listed.await.map(Json)
}

/// Shows one.
#[utoipa::path(get, path = "/api/v1/connectors/{name}", tag = "connectors", operation_id = "get_connector",
    params(("name" = String, Path)), responses((status = 200, description = "Its contract, in short", body = Connector)))]
pub(super) async fn one(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(name): At,
) -> Result<Json<Connector>, Problem> {
    let found = asked(house, asker, Scope::Read, move |asking| {
        let contracts = &asking.workspace.governance().contracts;
        let found = contracts.iter().find(|contract| *contract.connector.value == *name);
        found.map(|contract| shown(asking, contract)).ok_or_else(Problem::not_found)
    });
    found.await.map(Json)
}

fn shown(asking: &Asking, contract: &Contract) -> Connector {
    let (name, ledger) = (&contract.connector.value, asking.house.ledger());
    let actions = contract.actions.iter().map(|(action, about)| {
        let shown = Action {
            effect: about.effect.name(),
            is_privileged: about.privileged,
            is_stopped: Stop::Action(name.clone(), action.clone()).holds(ledger),
            arguments: about.arguments.keys().map(ToString::to_string).collect(),
        };
        (action.to_string(), shown)
    });
    Connector {
        name: name.to_string(),
        transport: match &contract.transport {
            Transport::Http(_) => "http",
            Transport::Model { .. } => "model",
            Transport::Sql { .. } => "sql",
            Transport::Files { .. } => "files",
            Transport::Mcp(McpTransport::Command { .. } | McpTransport::Url { .. }) => "mcp",
        },
        owner: contract.owner.as_ref().map(|owner| owner.value.to_string()),
        region: contract.region.as_ref().map(|region| region.value.to_string()),
        contract: contract.digest.to_string(),
        is_pinned: asking.workspace.governance().lock.connectors.contains_key(name),
        is_stopped: Stop::Everything.holds(ledger) || Stop::Connector(name.clone()).holds(ledger),
        actions: actions.collect(),
    }
}
