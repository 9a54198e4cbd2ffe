//! Starting a run of a definition, on its page: for whoever asked for it, once they are known as surely as policies of the
//! workspace want.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::{may_start, why_not_started};
use sluice_api::starting::{self, NewRun, StartError, run_of};
use sluice_policy::own::Deciding;
use sluice_render::markup::{Message, Seen};
use sluice_runtime::ledger::{LedgerError, random};
use sluice_runtime::proposal::Proposal;

use crate::page::{Asking, aside};
use crate::problem::Problem;
use crate::workflows::seen;

/// Whether somebody who has come in like that may start a run of this.
pub(crate) fn starting(asking: &Asking, proposal: &Proposal) -> Deciding {
    may_start(&asking.workspace, &proposal.requester, &asking.caller.entry())
}

/// The form, for whoever asked for the definition.
pub(crate) fn form(asking: &Asking, proposal: &Proposal) -> Result<Markup, LedgerError> {
    if proposal.requester != asking.caller.person {
        return Ok(html! {});
    }
    let starting = starting(asking, proposal);
    let can_step_up = matches!(starting, Deciding::StepUp(_)) && asking.house.provider().is_some();
    let once: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(html! {
        section aria-labelledby="start" {
            h2 id="start" { "Run it" }
            @if let Some(why) = why_not_started(&starting) {
                p { (Message(&why)) }
                @if can_step_up { p { a.button href={ "/workflows/" (proposal.id) "/again" } { "Log in again for this" } } }
            } @else {
                form method="post" action={ "/workflows/" (proposal.id) "/runs" } {
                    input type="hidden" name="form" value=(asking.caller.form_token);
                    input type="hidden" name="once" value=(Seen(&once));
                    label for="input" { "Input " span.faint { "(a JSON object)" } }
                    textarea id="input" name="input" rows="3" maxlength="100000" spellcheck="false" { "{}" }
                    div.buttons { button.good type="submit" { "Start a run" } }
                }
                p.faint { "It runs in your name, and each of its steps meets the gate." }
            }
        }
    })
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    form: String,
    /// Sent twice, it is one run.
    once: String,
    input: String,
}

/// Starts a run, and leads to it.
pub(crate) async fn start(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &wanted.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let proposal = seen(&asking, &id)?;
        let input: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&wanted.input)
            .map_err(|error| Problem::Refused(format!("SL476: the input is no JSON object: {error}")))?;
        let run = run_of(&asking.caller.person, &wanted.once);
        let new = NewRun { run, proposal: &proposal, input: input.into() };
        starting::start(&asking.house, &asking.workspace, (&asking.caller.person, &asking.caller.entry()), new)?;
        Ok(Redirect::to(&format!("/runs/{run}")))
    })
    .await
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Broken(why) => Self::Broken(why),
            other => Self::Refused(other.to_string()),
        }
    }
}
