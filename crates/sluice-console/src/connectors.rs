//! What workflows and agents of this workspace can call, under which contract.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::{may_let_go_on, may_stop};
use sluice_core::contract::connector::{Contract, McpTransport, Transport};
use sluice_render::markup::Seen;
use sluice_runtime::stop::Stop;

use crate::page::{Asking, Room, Shown, aside, framed};
use crate::pins::{self, Incidents};
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

/// What they can be sorted by.
const COLUMNS: [&str; 3] = ["name", "owner", "state"];

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let contracts = &asking.workspace.governance().contracts;
        let incidents = pins::incidents(&asking)?;
        let stands = |contract: &Contract| pins::stands(&asking, contract, &incidents);
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
                (switch(&asking, "everything", &Stop::Everything, everything))
            }
            @if contracts.is_empty() {
                div.empty {
                    p { strong { "Nothing can be called." } }
                    p { "A connector is a contract in " code { "connectors/" } ": " code { "sluice connector add mcp NAME -- COMMAND" } " or " code { "sluice connector add openapi NAME FILE" } " drafts one." }
                }
            }
            @if !contracts.is_empty() {
                nav.filter aria-label="By how they stand" {
                    @for (word, name) in [("", "all"), ("stopped", "stopped"), ("broken", "broken"), ("unpinned", "unpinned"), ("pinned", "pinned"), ("fixed", "no server")] {
                        a href=(sorting.link(&[("state", word)])) aria-current=[(word == filter.state).then_some("true")] { (name) }
                    }
                }
                (sorting.choices("as their files are", &[("name", "name"), ("owner", "owner"), ("state", "how they stand")]))
                @if shown.is_empty() {
                    div.empty { p { strong { "No connector stands so." } } p { "Broken is what did something that its contract does not say, and is stopped; unpinned is a server whose tools nobody has looked at." } }
                }
            }
            @for contract in &shown { (one(&asking, contract, &incidents)) }
        };
        Ok(framed(&asking, Room::Connectors, "Connectors", true, &content))
    })
    .await
}

fn one(asking: &Asking, contract: &Contract, incidents: &Incidents) -> Markup {
    let name = &contract.connector.value;
    let stop = Stop::Connector(name.clone());
    let stopped = stop.holds(asking.house.ledger());
    html! {
        article.connector {
            h2 { (Seen(name)) @if stopped { " " span.tag.bad { "stopped" } } " " (pins::tag(pins::stands(asking, contract, incidents))) }
            details.stop {
                summary { @if stopped { "Let it go on" } @else { "Stop it" } span.sr { ": " (Seen(name)) } }
                (switch(asking, name, &stop, stopped))
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
            (pins::about(asking, contract, incidents))
        }
    }
}

/// Stops calls or lets them go on, for whoever may.
fn switch(asking: &Asking, what: &str, stop: &Stop, is_stopped: bool) -> Markup {
    let id = format!("why-{what}");
    html! {
        @if is_stopped && !may_let_go_on(&asking.workspace, &asking.caller.person, stop) {
            p.faint { "Policies of this workspace say who lets it go on: if nothing else is said, those who sign the rules." }
        } @else if !is_stopped && !may_stop(&asking.workspace, &asking.caller.person, stop) {
            p.faint { "Policies of this workspace forbid that you stop it." }
        } @else {
            form method="post" action="/connectors/switch" {
                input type="hidden" name="form" value=(asking.caller.form_token);
                input type="hidden" name="what" value=(Seen(what));
                input type="hidden" name="is" value=(if is_stopped { "on" } else { "off" });
                label for=(Seen(&id)) { "Why " span.faint { "(for the record)" } }
                input id=(Seen(&id)) name="reason" maxlength="500" required;
                div.buttons { button class=(if is_stopped { "good" } else { "bad" }) type="submit" { @if is_stopped { "Let it go on" } @else { "Stop" } } }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Switch {
    form: String,
    what: String,
    is: String,
    reason: String,
}

/// Stops a connector or everything, or lets it go on.
pub(crate) async fn set(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(asked): Form<Switch>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let contracts = &asking.workspace.governance().contracts;
        let known = contracts.iter().map(|contract| &contract.connector.value).find(|name| ***name == *asked.what);
        let stop = match known {
            Some(name) => Stop::Connector(name.clone()),
            None if asked.what == "everything" => Stop::Everything,
            None => return Err(Problem::NotFound),
        };
        let is_stopped = match asked.is.as_str() {
            "off" if may_stop(&asking.workspace, &asking.caller.person, &stop) => true,
            "on" if may_let_go_on(&asking.workspace, &asking.caller.person, &stop) => false,
            _ => return Err(Problem::NotFound),
        };
        stop.set(asking.house.ledger(), is_stopped, &asking.caller.person, asked.reason.trim())?;
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
