//! Stopping something and letting it go on: the form and what it does; a workflow, or whatever its author wrote, on the
//! workflow's page.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::{may_let_go_on, may_stop};
use sluice_policy::Acting;
use sluice_render::markup::Seen;
use sluice_runtime::admit::Proposed;
use sluice_runtime::proposal::Proposal;
use sluice_runtime::run::workflow_name;
use sluice_runtime::stop::Stop;

use crate::page::{Asking, aside};
use crate::problem::Problem;
use crate::workflows::seen;

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
    html! {
        @for (word, stop) in stops(proposal) {
            @let is_stopped = stop.holds(asking.house.ledger());
            @if is_stopped { p.note.bad { (Seen(&stop.to_string())) ": stopped. No run begins, and no step of one passes its gate." } }
            details.stop {
                summary { @if is_stopped { "Let it go on: " } @else { "Stop: " } (Seen(&stop.to_string())) }
                (switch(asking, &format!("/workflows/{}/switch", proposal.id), word, &stop, is_stopped))
            }
        }
    }
}

/// The form that stops something or lets it go on, for whoever may; `what` is the word for it that the form sends.
pub(crate) fn switch(asking: &Asking, to: &str, what: &str, stop: &Stop, is_stopped: bool) -> Markup {
    let (workspace, person) = (&asking.workspace, &asking.caller.person);
    let id = format!("why-{what}");
    html! {
        @if is_stopped && !may_let_go_on(workspace, person, stop) {
            p.faint { "Policies of this workspace say who lets it go on: if nothing else is said, those who sign the rules." }
        } @else if !is_stopped && !may_stop(workspace, person, stop) {
            p.faint { "Policies of this workspace forbid that you stop it." }
        } @else {
            form method="post" action=(to) {
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

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Switch {
    form: String,
    pub(crate) what: String,
    is: String,
    reason: String,
}

impl Switch {
    /// Does what the form says to what it means, if policies of the workspace let whoever asks.
    pub(crate) fn set(
        &self,
        asking: &Asking,
        meant: impl FnOnce(&str) -> Result<Stop, Problem>,
    ) -> Result<(), Problem> {
        is_their_form(&asking.caller, &self.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let person = &asking.caller.person;
        let stop = meant(&self.what)?;
        let is_stopped = match self.is.as_str() {
            "off" if may_stop(&asking.workspace, person, &stop) => true,
            "on" if may_let_go_on(&asking.workspace, person, &stop) => false,
            _ => return Err(Problem::NotFound),
        };
        stop.set(asking.house.ledger(), is_stopped, person, self.reason.trim())?;
        Ok(())
    }
}

/// Stops a workflow or its author, or lets them go on.
pub(crate) async fn set(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(asked): Form<Switch>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        asked.set(&asking, |what| {
            let found = stops(&seen(&asking, &id)?).into_iter().find(|(word, _)| *word == what);
            found.map(|(_, stop)| stop).ok_or(Problem::NotFound)
        })?;
        Ok(Redirect::to(&format!("/workflows/{id}")))
    })
    .await
}
