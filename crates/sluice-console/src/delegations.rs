//! Who speaks in whose place: on the page of people, with what one signs to let somebody, and to take it back.

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::may_manage_people;
use sluice_core::contract::approval::{Delegation, SignedDelegation};
use sluice_core::label::Name;
use sluice_render::markup::Seen;
use sluice_render::time;
use sluice_runtime::delegation::{Given, draft, draft_end, in_force, record};

use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;
use crate::signing::{Say, Signing};
use crate::words::who;

/// Under what drafts of delegations are kept.
const ABOUT: &str = "delegations";
const DAY_MS: u64 = 86_400_000;

/// The delegations that concern whoever looks, and the form for another one.
pub(crate) fn section(asking: &Asking) -> Result<Markup, Problem> {
    let (workspace, person) = (&asking.workspace, &asking.caller.person);
    let sees_all = may_manage_people(workspace, person);
    let mut given = in_force(workspace, asking.house.ledger())?;
    given.retain(|one| sees_all || one.delegated.by == *person || one.delegated.to == *person);
    let others = workspace.principals().persons.entries.iter().filter(|(other, _)| *other != person);
    Ok(html! {
        section aria-labelledby="places" {
            h2 id="places" { "In whose place " span.count { (given.len()) } }
            @if given.is_empty() { p.faint { "Nobody speaks in anybody's place." } } @else { (table(asking, &given)) }
            details.delegate {
                summary { "Let somebody speak in your place" }
                p.faint { "They are heard as your voice, and no second one, about what you yourself are asked at that moment; never about what they asked for, and not beyond them." }
                form method="post" action="/people/delegate" {
                    input type="hidden" name="form" value=(asking.caller.form_token);
                    label for="delegate-to" { "Who" }
                    select id="delegate-to" name="to" required { @for (other, about) in others { option value=(Seen(other)) { (Seen(about.value.name.as_deref().unwrap_or(other))) } } }
                    label for="delegate-role" { "Of what " span.faint { "(as policies name it: " code { "owner-of:payload" } "; empty: of all that you are asked)" } }
                    input id="delegate-role" name="role" maxlength="200";
                    label for="delegate-until" { "Until and with " span.faint { "(UTC; at most 92 days)" } }
                    input id="delegate-until" name="until" type="date" required;
                    div.buttons { button type="submit" { "Go on to sign it" } }
                }
            }
        }
    })
}

fn table(asking: &Asking, given: &[Given]) -> Markup {
    let workspace = &asking.workspace;
    html! {
        div.scroll tabindex="0" role="group" aria-label="Delegations" {
            table {
                thead { tr { th scope="col" { "Speaks" } th scope="col" { "For" } th scope="col" { "Of" } th scope="col" { "Until" } th scope="col" { "Id" } th scope="col" { span.sr { "Take back" } } } }
                tbody {
                    @for one in given {
                        tr {
                            td { (who(workspace, &one.delegated.to)) }
                            td { (who(workspace, &one.delegated.by)) }
                            td { @match &one.delegated.role { Some(role) => code { (Seen(role)) }, None => "all that they are asked" } }
                            td { time datetime=(time::written(one.delegated.until_ms / 1_000)) { (time::short(one.delegated.until_ms)) } }
                            td.id { (one.id()) }
                            td {
                                @if one.delegated.by == asking.caller.person {
                                    form method="post" action="/people/undelegate" {
                                        input type="hidden" name="form" value=(asking.caller.form_token);
                                        input type="hidden" name="id" value=(one.id());
                                        button.quiet type="submit" { "Take back" span.sr { " the delegation to " (Seen(&one.delegated.to)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Give {
    form: String,
    to: String,
    #[serde(default)]
    role: String,
    until: String,
}

/// Shows what would be signed to let somebody speak in one's place.
pub(crate) async fn give(State(house): State<Arc<House>>, visitor: Visitor, Form(asked): Form<Give>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let day = time::day_ms(&asked.until).ok_or(Problem::Malformed("the last day is written `2027-01-31`"))?;
        let (to, role) = (Name::from(asked.to.as_str()), Some(asked.role.trim()).filter(|role| !role.is_empty()));
        let (ledger, by) = (asking.house.ledger(), &asking.caller.person);
        let until_ms = day.saturating_add(DAY_MS);
        let delegation = draft(&asking.workspace, ledger, by, &to, role.map(Name::from), until_ms)?;
        let words = html! {
            (who(&asking.workspace, &to)) " speaks in your place, "
            @match role { Some(role) => { "as " code { (Seen(role)) } } None => "of all that you are asked" }
            ", until " strong { (time::short(until_ms)) } " UTC. You can take it back at any time."
        };
        signed_page(&asking, delegation, "Let somebody speak in your place", &words, ("Delegate", "good"))
    })
    .await
}

#[derive(Deserialize)]
pub(crate) struct Back {
    form: String,
    id: String,
}

/// Shows what would be signed to take a delegation back.
pub(crate) async fn back(State(house): State<Arc<House>>, visitor: Visitor, Form(asked): Form<Back>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let delegation = draft_end(&asking.workspace, asking.house.ledger(), &asking.caller.person, &asked.id)?;
        let words = html! { "Nobody speaks in your place by " span.id { (Seen(&asked.id)) } " any more. What was approved by it and not used yet counts no longer." };
        signed_page(&asking, delegation, "Take a delegation back", &words, ("Take it back", "bad"))
    })
    .await
}

fn signed_page(
    asking: &Asking,
    delegation: Delegation,
    title: &str,
    words: &Markup,
    (verb, tone): (&str, &str),
) -> Shown {
    let signing = Signing::of(asking)?;
    let challenge = delegation.challenge();
    let draft = asking.house.delegations.keep(&asking.caller, ABOUT, delegation)?;
    let content = html! {
        label for="delegation-reason" { "Why " span.faint { "(optional, for the record)" } }
        textarea id="delegation-reason" name="reason" rows="2" maxlength="2000" {}
        div.buttons { (signing.buttons(verb, tone)) }
    };
    let page = html! {
        p.crumb { a href="/people" { "People" } }
        h1 { (title) }
        p.lead { (words) }
        div.card {
            @if signing.is_possible() { (signing.form(asking, "/people/delegations", &challenge, &draft, &content)) }
            @else { p { "You have no passkey here yet: make one on the page " a href="/people" { "People" } "." } }
            p.told role="status" aria-live="polite" {}
        }
    };
    Ok(framed(asking, Room::People, title, false, &page))
}

/// Takes what somebody signed about who speaks in their place.
pub(crate) async fn say(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(said): Form<Say>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let (delegation, proof, _) = said.taken(&asking, &asking.house.delegations, ABOUT, Delegation::to_bytes)?;
        let signed = SignedDelegation { delegation, proof };
        record(&asking.workspace, asking.house.ledger(), &signed, said.reason.trim())?;
        Ok(Redirect::to("/people"))
    })
    .await
}
