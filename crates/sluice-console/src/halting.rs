//! Stopping a workflow, or whatever its author wrote, and letting it go on: on the workflow's page.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::{may_let_go_on, may_see_proposal, may_stop};
use sluice_policy::Acting;
use sluice_render::markup::Seen;
use sluice_runtime::admit::Proposed;
use sluice_runtime::proposal::Proposal;
use sluice_runtime::run::workflow_name;
use sluice_runtime::stop::Stop;

use crate::page::{Asking, aside};
use crate::problem::Problem;

/// What of a proposal can be stopped, each under the word that the form sends.
fn stops(proposal: &Proposal) -> Vec<(&'static str, Stop)> {
    let read = Proposed::read(&proposal.name, proposal.text.as_bytes()).ok();
    let workflow = read.map(|read| ("workflow", Stop::Workflow(workflow_name(read.program()).into())));
    let author = match &proposal.author {
        Acting::Person { id } | Acting::Model { id } => Some(("author", Stop::Author(id.clone()))),
        Acting::Unknown => None,
    };
    workflow.into_iter().chain(author).collect()
}

/// The switches of a workflow's page.
pub(crate) fn switches(asking: &Asking, proposal: &Proposal) -> Markup {
    let (workspace, person) = (&asking.workspace, &asking.caller.person);
    html! {
        @for (word, stop) in stops(proposal) {
            @let is_stopped = stop.holds(asking.house.ledger());
            @let why = format!("why-{word}");
            @if is_stopped { p.note.bad { (Seen(&stop.to_string())) ": stopped. No run begins, and no step of one passes its gate." } }
            details.stop {
                summary { @if is_stopped { "Let it go on: " } @else { "Stop: " } (Seen(&stop.to_string())) }
                @if is_stopped && !may_let_go_on(workspace, person, &stop) {
                    p.faint { "Those who sign the rules let it go on, if its policies say nothing else." }
                } @else if !is_stopped && !may_stop(workspace, person, &stop) {
                    p.faint { "Policies of this workspace forbid that you stop it." }
                } @else {
                    form method="post" action={ "/workflows/" (proposal.id) "/switch" } {
                        input type="hidden" name="form" value=(asking.caller.form_token);
                        input type="hidden" name="what" value=(word);
                        input type="hidden" name="is" value=(if is_stopped { "on" } else { "off" });
                        label for=(why) { "Why " span.faint { "(for the record)" } }
                        input id=(why) name="reason" maxlength="500" required;
                        div.buttons { button class=(if is_stopped { "good" } else { "bad" }) type="submit" { @if is_stopped { "Let it go on" } @else { "Stop" } } }
                    }
                }
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

/// Stops it or lets it go on, as policies of the workspace let whoever asks.
pub(crate) async fn set(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(asked): Form<Switch>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let person = &asking.caller.person;
        let is_stopped = match asked.is.as_str() {
            "off" => true,
            "on" => false,
            _ => return Err(Problem::NotFound),
        };
        let proposal = Proposal::find(asking.house.ledger(), &id)?;
        let proposal = proposal.filter(|proposal| may_see_proposal(&asking.workspace, person, proposal));
        let stop = stops(&proposal.ok_or(Problem::NotFound)?).into_iter().find(|(word, _)| *word == asked.what);
        let (_, stop) = stop.ok_or(Problem::NotFound)?;
        let may = if is_stopped { may_stop } else { may_let_go_on };
        if !may(&asking.workspace, person, &stop) {
            return Err(Problem::NotFound);
        }
        stop.set(asking.house.ledger(), is_stopped, person, asked.reason.trim())?;
        Ok(Redirect::to(&format!("/workflows/{id}")))
    })
    .await
}
