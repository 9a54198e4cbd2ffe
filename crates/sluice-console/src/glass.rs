//! Broken glass: for whom the rules let break it, and the review that somebody else closes afterwards.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_api::rights::may_see_broken;
use sluice_render::markup::{Message, Seen};
use sluice_runtime::approvals::{ApprovalError, Approver, Beside, Broken, Waiting, open_review};
use sluice_runtime::workspace::Workspace;

use crate::approval::login_of;
use crate::page::{Asking, aside};
use crate::problem::Problem;
use crate::signing::{Say, Signing};
use crate::words::{ago, who};

/// What is to be broken or reviewed at an approval's page, apart from the word that is asked for.
pub(crate) fn at_approval(asking: &Asking, waiting: &Waiting) -> Result<Markup, Problem> {
    if let Some(broken) = waiting.glass.as_ref().filter(|broken| broken.review.is_none()) {
        return Ok(html! { h2 { "Review" } (review(asking, broken)?) });
    }
    let approver = Approver::new(&asking.workspace, asking.house.ledger());
    if waiting.superseded.is_some() {
        return Ok(html! {});
    }
    match approver.may_break_glass(waiting, &asking.caller.person) {
        Ok(told) => {
            let signing = Signing::of(asking)?;
            let statement = approver.draft_glass(&waiting.id, &asking.caller.person)?;
            let content = html! {
                label for="glass-reason" { "Why it cannot wait " span.faint { "(for the record, and for the review)" } }
                textarea id="glass-reason" name="reason" rows="2" maxlength="2000" required {}
                div.buttons { (signing.buttons("Break the glass", "bad")) }
            };
            Ok(html! {
                details.glass {
                    summary { "It cannot wait" }
                    p.faint { "It passes at once, as it is now and within the hour, without those who would have had to approve. "
                        (people(&asking.workspace, &told)) " are told, and nobody breaks the glass again before somebody else has reviewed it. What the rules forbid or somebody stopped, it does not open." }
                    @if signing.is_possible() { (signing.word(asking, &waiting.id, statement, &content)?) }
                    @else { p { "You have no passkey here yet." } }
                }
            })
        }
        Err(ApprovalError::ReviewOpen { open, by }) => Ok(html! {
            details.glass {
                summary { "It cannot wait" }
                p { (who(&asking.workspace, &by)) " broke the glass for " a href={ "/approvals/" (open) } { (open) } ", and nobody has reviewed that yet. Until somebody does, nobody breaks it again." }
            }
        }),
        Err(error @ ApprovalError::TooFewToTell { .. }) => Ok(html! {
            details.glass { summary { "It cannot wait" } p { (Message(&error.to_string())) } }
        }),
        Err(ApprovalError::Ledger(error)) => Err(error.into()),
        Err(_) => Ok(html! {}),
    }
}

fn people(workspace: &Workspace, told: &[sluice_core::label::Name]) -> Markup {
    html! { @for (number, person) in told.iter().enumerate() { @if number > 0 { " and " } (who(workspace, person)) } }
}

/// How it was broken, in a line.
pub(crate) fn told(workspace: &Workspace, broken: &Broken) -> Markup {
    html! {
        "broken by " (who(workspace, &broken.statement.approver)) ", " (ago(broken.at_ms)) ": " (Seen(&broken.reason))
        @match &broken.review {
            Some(review) => span.faint { " Reviewed by " (who(workspace, &review.by)) ": " (Seen(&review.finding)) },
            None => { " " span.tag.bad { "not reviewed" } },
        }
    }
}

/// The open review, for whom it concerns.
pub(crate) fn in_inbox(asking: &Asking) -> Result<Markup, Problem> {
    let workspace = &asking.workspace;
    let open = open_review(asking.house.ledger())?;
    let open = open.filter(|open| may_see_broken(workspace, &asking.caller.person, open));
    let Some(broken) = open else { return Ok(html! {}) };
    Ok(html! {
        section aria-labelledby="reviews" {
            h2 id="reviews" { "To be reviewed " span.count { "1" } }
            article.waiting.glass {
                h3 { a href={ "/approvals/" (broken.approval) } { "Somebody broke the glass" } }
                p.faint {
                    (who(workspace, &broken.statement.approver)) " let pass what " (who(workspace, &broken.statement.requester)) " asked for · "
                    (ago(broken.at_ms)) " · " span.id { (broken.approval) }
                }
                p.why { (Seen(&broken.reason)) }
                p.faint { (people(workspace, &broken.told)) " were told." }
                (review(asking, &broken)?)
            }
        }
    })
}

/// What closes a review, for whoever may.
fn review(asking: &Asking, broken: &Broken) -> Result<Markup, Problem> {
    let (id, person) = (&broken.approval, &asking.caller.person);
    let approver = Approver::new(&asking.workspace, asking.house.ledger());
    if approver.may_review(broken, person).is_err() {
        return Ok(html! {
            p.faint { "Somebody closes the review who would have had to approve it or signs the rules, and who neither asked for it nor broke the glass." }
        });
    }
    let signing = Signing::of(asking)?;
    if !signing.is_possible() {
        return Ok(
            html! { p { "You have no passkey here yet. Ask whoever runs this console for a link to enrol one." } },
        );
    }
    let statement = approver.draft_review(id, person)?;
    let challenge = statement.challenge();
    let draft = asking.house.drafts.keep(&asking.caller, id, statement)?;
    let content = html! {
        label for="finding" { "What you found " span.faint { "(was it needed, and was it right?)" } }
        textarea id="finding" name="reason" rows="2" maxlength="2000" required {}
        div.buttons { (signing.buttons("Close the review", "good")) }
    };
    Ok(html! {
        (signing.form(asking, &format!("/reviews/{id}"), &challenge, &draft, &content))
        p.told role="status" aria-live="polite" {}
    })
}

/// Closes a review.
pub(crate) async fn close(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(said): Form<Say>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let (signed, read_ms) = said.signed(&asking, &id)?;
        let beside = Beside { reason: said.reason.trim(), read_ms: Some(read_ms), login: Some(login_of(&asking)) };
        Approver::new(&asking.workspace, asking.house.ledger()).review(&id, &signed, &beside)?;
        Ok(Redirect::to("/"))
    })
    .await
}
