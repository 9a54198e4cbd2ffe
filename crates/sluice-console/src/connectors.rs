//! What workflows and agents of this workspace can call, under which contract.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_core::contract::connector::{Contract, McpTransport, Transport};
use sluice_render::markup::Seen;
use sluice_runtime::stop::Stop;

use crate::halting::{Switch, switch};
use crate::page::{Asking, Room, Shown, aside, framed};
use crate::pins::{self, Lately};
use crate::problem::Problem;
use crate::sort::Sorting;
use crate::words::who;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// By what they are sorted; by file if nothing is said.
    #[serde(default)]
    sort: String,
    /// Only those that stand so: `stopped`, or as beside their pins.
    #[serde(default)]
    state: String,
}

/// Where the forms of this page go.
const SWITCH: &str = "/connectors/switch";
/// What they can be sorted by.
const COLUMNS: [&str; 3] = ["name", "owner", "state"];

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let contracts = &asking.workspace.governance().contracts;
        let lately = Lately::of(&asking)?;
        let stands = |contract: &Contract| pins::stands(&asking, contract, &lately);
        let is_stopped = |contract: &Contract| Stop::Connector(contract.connector.value.clone()).holds(asking.house.ledger());
        let sorting = Sorting::of("/connectors", &filter.sort, &COLUMNS, [("state", filter.state.as_str())]);
        let mut shown: Vec<&Contract> = contracts.iter().collect();
        shown.retain(|contract| match filter.state.as_str() {
            "" => true,
            "stopped" => is_stopped(contract),
            word => stands(contract).word() == word,
        });
        sorting.sort(&mut shown, |contract, column| match column {
            "owner" => contract.owner.as_ref().map(|owner| owner.value.to_string()).unwrap_or_default(),
            "state" => format!("{} {:?}", u8::from(!is_stopped(contract)), stands(contract)),
            _ => contract.connector.value.to_string(),
        });
        let everything = Stop::Everything.holds(asking.house.ledger());
        let content = html! {
            h1 { "Connectors" }
            @if everything { p.note.bad { "Everything is stopped: no call passes, in no process." } }
            details.stop {
                summary { @if everything { "Let it go on" } @else { "Stop everything" } }
                (switch(&asking, SWITCH, "everything", &Stop::Everything, everything))
            }
            @if contracts.is_empty() {
                div.empty {
                    p { strong { "Nothing can be called." } }
                    p { "A connector is a contract in " code { "connectors/" } ": " code { "sluice connector add mcp NAME -- COMMAND" } " or " code { "sluice connector add openapi NAME FILE" } " drafts one." }
                }
            }
            @if !contracts.is_empty() {
                nav.filter aria-label="By how they stand" {
                    @for (word, name) in [("", "all"), ("stopped", "stopped"), ("broken", "broken"), ("drifted", "drifted"), ("unpinned", "unpinned"), ("pinned", "pinned"), ("fixed", "no server")] {
                        a href=(sorting.link(&[("state", word)])) aria-current=[(word == filter.state).then_some("true")] { (name) }
                    }
                }
                (sorting.choices("as their files are", &[("name", "name"), ("owner", "owner"), ("state", "how they stand")]))
                @if shown.is_empty() {
                    div.empty { p { strong { "No connector stands so." } } p { "Broken is what did something that its contract does not say, and is stopped; drifted is a server that says something else of a tool than what is pinned; unpinned is a server whose tools nobody has looked at." } }
                }
            }
            @for contract in &shown { (one(&asking, contract, &lately)) }
        };
        Ok(framed(&asking, Room::Connectors, "Connectors", true, &content))
    })
    .await
}

fn one(asking: &Asking, contract: &Contract, lately: &Lately) -> Markup {
    let name = &contract.connector.value;
    let stop = Stop::Connector(name.clone());
    let stopped = stop.holds(asking.house.ledger());
    html! {
        article.connector {
            h2 { (Seen(name)) @if stopped { " " span.tag.bad { "stopped" } } " " (pins::tag(pins::stands(asking, contract, lately))) }
            details.stop {
                summary { @if stopped { "Let it go on" } @else { "Stop it" } span.sr { ": " (Seen(name)) } }
                (switch(asking, SWITCH, name, &stop, stopped))
            }
            p.faint {
                (reached(&contract.transport))
                @if let Some(region) = &contract.region { " · in " (Seen(&region.value)) }
                @if let Some(owner) = &contract.owner { " · owned by " (who(&asking.workspace, &owner.value)) }
                @match &contract.credential { Some(credential) => { " · shows the secret " code { (Seen(&credential.secret.value)) } } None => {} }
            }
            div.scroll tabindex="0" role="group" aria-label={ "Actions of " (Seen(name)) } {
                table {
                    thead { tr { th scope="col" { "Action" } th scope="col" { "Does" } th scope="col" { "Arguments" } } }
                    tbody {
                        @for (action, about) in &contract.actions {
                            @let is_stopped = Stop::Action(name.clone(), action.clone()).holds(asking.house.ledger());
                            tr {
                                td { code { (Seen(action)) } @if is_stopped { " " span.tag.bad { "stopped" } } }
                                td { span class={ "tag " (if about.effect.is_outbound() { "warn" } else { "" }) } { (about.effect) } @if about.privileged { " " span.tag.bad { "privileged" } } }
                                td.faint { (Seen(&about.arguments.keys().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "))) }
                            }
                        }
                    }
                }
            }
            p.digest.faint { (Seen(&contract.file)) " · " (contract.digest) }
            (pins::about(asking, contract, lately))
        }
    }
}

/// Stops a connector or everything, or lets it go on.
pub(crate) async fn set(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(asked): Form<Switch>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        asked.set(&asking, |what| {
            let contracts = &asking.workspace.governance().contracts;
            let known = contracts.iter().map(|contract| &contract.connector.value).find(|name| ***name == *what);
            match known {
                Some(name) => Ok(Stop::Connector(name.clone())),
                None if what == "everything" => Ok(Stop::Everything),
                None => Err(Problem::NotFound),
            }
        })?;
        Ok(Redirect::to("/connectors"))
    })
    .await
}

fn reached(transport: &Transport) -> Markup {
    html! {
        @match transport {
            Transport::Http(http) => { "HTTP at " code { (Seen(&http.base.value)) } }
            Transport::Model { name, http } => { "the model " (Seen(name)) " at " code { (Seen(&http.base.value)) } }
            Transport::Sql { database } => { "the database " (Seen(database)) }
            Transport::Files { folder, .. } => { "files in " code { (Seen(folder)) } }
            Transport::Mcp(McpTransport::Command { command, sandbox, .. }) => {
                "an MCP server: " code { (Seen(&command.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" "))) }
                @if sandbox.is_some() { " · confined" }
            }
            Transport::Mcp(McpTransport::Url { http, .. }) => { "an MCP server at " code { (Seen(&http.base.value)) } }
        }
    }
}
