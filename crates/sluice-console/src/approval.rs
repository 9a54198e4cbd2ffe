//! One thing that waits: all that a person must see to decide it, and the word that they then give.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::{concerned, may_decide, may_see, why_undecided};
use sluice_core::contract::approval::Decision;
use sluice_ledger::cbor::Map;
use sluice_ledger::{EntryKind, RunId};
use sluice_policy::own::{Deciding, Entry};
use sluice_policy::{GateRequest, Resource};
use sluice_render::markup::{Message, Seen};
use sluice_runtime::approvals::{About, Approver, Beside, Referred, Waiting};
use sluice_runtime::workspace::Workspace;
use sluice_store::{FIELD_APPROVAL, NewRecord, Payload};

use crate::glass;
use crate::inbox::is_for;
use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;
use crate::reading::{Reading, proposal_of};
use crate::sight::{Argument, arguments, masked, may_reveal};
use crate::signing::{Say, Signing};
use crate::words::{ago, needed, said, short, what, who};

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Path(id): Path<String>) -> Shown {
    aside(move || shown(&Asking::of(house, visitor)?, &id, false)).await
}

/// Whether the policies about the console let them give their word on it, as they have come in.
pub(crate) fn deciding(asking: &Asking, waiting: &Waiting) -> Deciding {
    let people = concerned(&asking.workspace, waiting);
    may_decide(&asking.workspace, &asking.caller.person, &asking.caller.entry(), &people)
}

pub(crate) fn open(asking: &Asking, id: &str) -> Result<Waiting, Problem> {
    let waiting = Approver::new(&asking.workspace, asking.house.ledger()).show(id)?;
    let people = concerned(&asking.workspace, &waiting);
    if may_see(&asking.workspace, &asking.caller.person, &people) { Ok(waiting) } else { Err(Problem::NotFound) }
}

fn shown(asking: &Asking, id: &str, revealed: bool) -> Shown {
    let waiting = open(asking, id)?;
    let workspace = &asking.workspace;
    let reading = reading(asking, &waiting)?;
    let seen = match &waiting.about {
        About::Step { action, arguments: sent, request, .. } => {
            let request = GateRequest::from_bytes(request.as_bytes()).ok();
            arguments(workspace, action, sent, request.as_ref(), revealed)
        }
        _ => Vec::new(),
    };
    let content = html! {
        p.crumb { a href="/" { "Inbox" } " / " span.id { (waiting.id) } }
        h1 { (Seen(&what(&waiting))) " " (state(&waiting)) }
        p.lead { (who(workspace, &waiting.requester)) " asks" @if waiting.is_agents { ", through an agent" } ", " (ago(waiting.asked_ms)) }
        div.decide {
            div.evidence {
                section aria-labelledby="why" { h2 id="why" { "Why it is held" } p.why { (Message(&waiting.why)) } (facts(asking, &waiting, reading.as_ref())) }
                @if let Some(reading) = &reading {
                    section aria-labelledby="flow" {
                        h2 id="flow" { "What flows where" }
                        (reading.picture())
                        details { summary { "The same as a table" } (reading.calls()) }
                    }
                }
                (about(asking, &waiting, &seen, revealed))
                @if let (About::Definition { .. }, Some(reading)) = (&waiting.about, &reading) {
                    section aria-labelledby="growth" { h2 id="growth" { "What it may do" } (reading.growth(&asking.house, workspace)?) }
                }
            }
            aside.word aria-label="Your word" { (word(asking, &waiting)?) (glass::at_approval(asking, &waiting)?) }
        }
    };
    Ok(framed(asking, Room::Inbox, &format!("{} · {}", what(&waiting), waiting.id), false, &content))
}

/// The definition behind it, judged by the rules of this moment.
fn reading(asking: &Asking, waiting: &Waiting) -> Result<Option<Reading>, Problem> {
    let (house, workspace) = (&asking.house, &asking.workspace);
    let (proposal, at) = match &waiting.about {
        About::Definition { .. } => (sluice_runtime::proposal::Proposal::find(house.ledger(), &waiting.id)?, None),
        About::Step { run, action, .. } => (proposal_of(house, *run)?, Some(action.as_str())),
        About::Value { run, .. } => (proposal_of(house, *run)?, None),
    };
    Ok(proposal.and_then(|proposal| Reading::of(workspace, proposal, at)))
}

fn state(waiting: &Waiting) -> Markup {
    let (word, tone) = match (&waiting.superseded, waiting.is_satisfied, waiting.is_denied) {
        _ if waiting.is_expired => ("expired", "bad"),
        (None, true, false) if waiting.said.iter().any(|(_, said)| *said == Decision::BreakGlass) => {
            ("glass broken", "bad")
        }
        // A run that was denied ends, and asks no more: what people said of it stands all the same.
        (_, _, true) => ("denied", "bad"),
        (Some(_), ..) => ("no longer asked", "bad"),
        (None, true, _) => ("approved", "good"),
        (None, false, _) => ("waits", "warn"),
    };
    html! { span class={ "tag " (tone) } { (word) } }
}

fn facts(asking: &Asking, waiting: &Waiting, reading: Option<&Reading>) -> Markup {
    let workspace = &asking.workspace;
    html! {
        dl.facts {
            dt { "asked by" } dd { (who(workspace, &waiting.requester)) " " span.faint { (Seen(&waiting.requester)) } }
            @if let Some(reading) = reading {
                dt { "written by" } dd { (Seen(&sluice_runtime::proposal::author_in_words(&reading.proposal.author))) }
                dt { "workflow" } dd { a href={ "/workflows/" (reading.proposal.id) } { (Seen(&reading.title)) } }
            }
            @if let Some(run) = run_of(waiting) { dt { "run" } dd { a href={ "/runs/" (run) } { (short(run)) } } }
            @for one in &waiting.needs { dt { "needs" } dd { (needed(workspace, one, &waiting.requester)) } }
            @for (person, decision) in &waiting.said {
                @let (word, tone) = said(*decision);
                dt { "said" } dd {
                    (who(workspace, person))
                    @if let Some(whom) = waiting.in_place_of.get(person) { span.faint { " for " (who(workspace, whom)) } }
                    " " span class={ "tag " (tone) } { (word) }
                }
            }
            @if let Some(broken) = &waiting.glass { dt { "glass" } dd.bad { (glass::told(workspace, broken)) } }
            @match &waiting.about {
                About::Step { clears, references, changed, request, .. } => {
                    @if let Ok(request) = GateRequest::from_bytes(request.as_bytes()) { dt { "acts on" } dd { (acts_on(workspace, &request.resource)) } }
                    @if !clears.is_empty() { dt { "vouches for" } dd { "words from " strong { (Seen(&clears.join(" and "))) } ", at this step only" } }
                    @for one in references { dt { "refers to" } dd { (referred(one)) } }
                    @for line in changed { dt { "changed" } dd.bad { (Message(line)) } }
                }
                About::Value { labels, clears, .. } => {
                    dt { "carries" } dd { (Seen(&labels.join(", "))) }
                    dt { "loses" } dd { strong { (Seen(&clears.join(", "))) } }
                }
                About::Definition { .. } => {}
            }
        }
    }
}

/// Where it goes, or what it changes.
fn acts_on(workspace: &Workspace, resource: &Resource) -> Markup {
    let owner =
        |owner: &str| html! { @if !owner.is_empty() { span.faint { ", answered for by " (who(workspace, owner)) } } };
    match resource {
        Resource::Destination { id, owner: of, region, cleared, registered } => html! {
            "the destination " strong { (Seen(id)) }
            @if let Some(region) = region { " in " strong { (Seen(region)) } }
            (owner(of))
            @if *registered {
                span.faint { "; cleared for " @if cleared.is_empty() { "nothing" } @else { (Seen(&cleared.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "))) } }
            } @else { " " span.tag.bad { "not in the register" } }
        },
        Resource::Dataset { id, owner: of, region } => html! {
            "the data " strong { (Seen(id)) } @if let Some(region) = region { " in " strong { (Seen(region)) } } (owner(of))
        },
    }
}

fn referred(one: &Referred) -> Markup {
    html! {
        (Seen(&one.kind)) " " strong { (Seen(&one.id)) }
        @match &one.version {
            Some((version, from)) => span.faint { " at version " (Seen(&version.chars().take(12).collect::<String>())) ", as " (Seen(from)) " told it" },
            None => span.tag.warn { "no version is known: a change of it would go unnoticed" },
        }
    }
}

fn about(asking: &Asking, waiting: &Waiting, seen: &[Argument], revealed: bool) -> Markup {
    match &waiting.about {
        About::Definition { text, .. } => html! {
            section aria-labelledby="text" { h2 id="text" { "The definition" } (listing(text)) }
        },
        About::Step { .. } => html! {
            section aria-labelledby="sent" {
                h2 id="sent" { "What would be sent" }
                @for argument in seen { (one(argument)) }
                @if seen.is_empty() { p.faint { "Nothing: it has no arguments." } }
                @if seen.iter().any(|argument| argument.is_masked) {
                    @if may_reveal(&asking.workspace, &asking.caller.person, seen) {
                        form method="post" action={ "/approvals/" (waiting.id) "/reveal" } {
                            input type="hidden" name="form" value=(asking.caller.form_token);
                            button type="submit" { "Show the data" }
                            span.faint { " You may read it. That you did is recorded." }
                        }
                    } @else {
                        p.faint { "Masked: only who owns this data, or is listed as reading it, may see it. What is approved is the whole of it, whatever is shown." }
                    }
                }
                @if revealed { p.note { "Shown to you in full; this is recorded." } }
            }
        },
        About::Value { value, .. } => {
            // Whoever may vouch for it may read it; others see that there is one.
            let is_asked = waiting.asked.contains(&asking.caller.person);
            let shown = if is_asked { value.clone() } else { masked(value, &mut 0) };
            html! {
                section aria-labelledby="value" {
                    h2 id="value" { "The value" }
                    (listing(&serde_json::to_string_pretty(&shown).unwrap_or_default()))
                    @if !is_asked { p.faint { "Masked: only who may vouch for it sees it." } }
                }
            }
        }
    }
}

fn one(argument: &Argument) -> Markup {
    let text = match &argument.value {
        serde_json::Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    html! {
        div.argument {
            h3 {
                code { (Seen(&argument.name)) }
                @if let Some(role) = argument.role { " " span.faint { (role) } }
                @for class in &argument.classes { " " span.tag.data { (Seen(class)) } }
                @for origin in &argument.origins { " " span.tag.outside title="Words of outsiders are in it" { "from " (Seen(origin)) } }
            }
            (listing(&text))
            @if argument.left_out > 0 { p.faint { "and " (argument.left_out) " more" } }
        }
    }
}

/// Text of others, line by line.
fn listing(text: &str) -> Markup {
    html! {
        pre.listing tabindex="0" { @for line in text.lines() { span.line { (Seen(line)) } "\n" } }
    }
}

/// What this person can say now.
fn word(asking: &Asking, waiting: &Waiting) -> Result<Markup, Problem> {
    let caller = &asking.caller;
    let is_asked = is_for(asking, waiting);
    let back = if is_asked { None } else { taking_back(asking, waiting) };
    if !is_asked && back.is_none() {
        return Ok(html! {
            h2 { "Your word" }
            p { (why_not(asking, waiting)) }
        });
    }
    let deciding = deciding(asking, waiting);
    if let Some(why) = why_undecided(&deciding) {
        let can_step_up = matches!(deciding, Deciding::StepUp(_)) && asking.house.provider().is_some();
        return Ok(html! {
            h2 { "Your word" }
            p { (Message(&why)) }
            @if can_step_up { p { a.button href={ "/approvals/" (waiting.id) "/again" } { "Log in again for this" } } }
        });
    }
    let approver = Approver::new(&asking.workspace, asking.house.ledger());
    let signing = Signing::of(asking)?;
    let form = |decision: Decision, content: Markup| -> Result<Markup, Problem> {
        signing.word(asking, &waiting.id, approver.draft_of(waiting, decision, &caller.person)?, &content)
    };
    let how = |verb: &str, tone: &str| signing.buttons(verb, tone);
    if let Some(back) = back {
        return Ok(html! {
            h2 { "Your word" }
            p { (why_not(asking, waiting)) }
            (form(back, html! { div.buttons { (how("Take it back", "quiet")) } })?)
            p.told role="status" aria-live="polite" {}
        });
    }
    Ok(html! {
        h2 { "Your word" }
        @if !signing.is_possible() {
            p { "You have no passkey here yet. Ask whoever runs this console for a link to enrol one." }
        } @else {
            @if let Some(whom) = approver.draft_of(waiting, Decision::Approve, &caller.person)?.instead_of {
                p.note { "You speak in the place of " (who(&asking.workspace, &whom)) ", who delegated this to you: as their voice, and no second one." }
            }
            p.faint { "You sign this one thing, as it is now. If anything of it changes, your word no longer counts." }
            (form(Decision::Approve, html! {
                label for="approve-reason" { "Note " span.faint { "(optional)" } }
                textarea id="approve-reason" name="reason" rows="2" maxlength="2000" {}
                div.buttons { (how("Approve", "good")) }
            })?)
            (form(Decision::Deny, html! {
                label for="deny-reason" { "Reason " span.faint { "(whoever asked will read it)" } }
                textarea id="deny-reason" name="reason" rows="2" maxlength="2000" required {}
                div.buttons { (how("Deny", "bad")) }
            })?)
            p.told role="status" aria-live="polite" {}
        }
        details { summary { "What is signed" } p.digest { (waiting.digest) } p.faint { "The digest of the definition, the rules, the connectors, the arguments with their labels, and the versions of what they refer to." } }
    })
}

/// Their last word taken back, while nothing has used it.
fn taking_back(asking: &Asking, waiting: &Waiting) -> Option<Decision> {
    if waiting.superseded.is_some() {
        return None;
    }
    let approver = Approver::new(&asking.workspace, asking.house.ledger());
    approver.taking_back(&waiting.id, &asking.caller.person).ok()
}

fn why_not(asking: &Asking, waiting: &Waiting) -> Markup {
    let person = &asking.caller.person;
    if let Some(by) = &waiting.superseded {
        return html! {
            "This is no longer asked."
            @if let Some(by) = by { " " a href={ "/approvals/" (by) } { (by) } " took its place." }
        };
    }
    if let Some(decision) = waiting.last_word_of(person) {
        return html! { "You " strong { (said(decision).0) } @if !waiting.is_satisfied { ". Others must still speak." } @else { "." } };
    }
    if waiting.is_satisfied {
        return html! { "Everything that was needed has been said." };
    }
    if *person == waiting.requester {
        return html! { "You asked for this, so somebody else decides it." };
    }
    html! { "You are not among those who are asked." }
}

/// Takes somebody's word.
pub(crate) async fn say(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(said): Form<Say>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let waiting = open(&asking, &id)?;
        if let Some(why) = why_undecided(&deciding(&asking, &waiting)) {
            return Err(Problem::Refused(why));
        }
        let (signed, read_ms) = said.signed(&asking, &id)?;
        let beside = Beside { reason: said.reason.trim(), read_ms: Some(read_ms), login: Some(login_of(&asking)) };
        let approver = Approver::new(&asking.workspace, asking.house.ledger());
        let waiting = approver.say(&id, signed, &beside)?;
        if let Some(run) = run_of(&waiting) {
            asking.house.go_on(run);
        }
        Ok(Redirect::to(&format!("/approvals/{id}")))
    })
    .await
}

/// How whoever speaks has come in, as it is recorded beside their word.
pub(crate) fn login_of(asking: &Asking) -> serde_json::Value {
    let Entry { login, acr, amr } = asking.caller.entry();
    serde_json::json!({ "by": login, "acr": acr, "amr": amr, "groups": asking.caller.proofs.groups })
}

const fn run_of(waiting: &Waiting) -> Option<RunId> {
    match &waiting.about {
        About::Step { run, .. } | About::Value { run, .. } => Some(*run),
        About::Definition { .. } => None,
    }
}

#[derive(Deserialize)]
pub(crate) struct Reveal {
    form: String,
}

/// Shows data to somebody who may read it, once that is recorded.
pub(crate) async fn reveal(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(asked): Form<Reveal>,
) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let waiting = open(&asking, &id)?;
        let About::Step { action, arguments: sent, request, .. } = &waiting.about else {
            return Err(Problem::NotFound);
        };
        let request = GateRequest::from_bytes(request.as_bytes()).ok();
        let seen = arguments(&asking.workspace, action, sent, request.as_ref(), false);
        if !may_reveal(&asking.workspace, &asking.caller.person, &seen) {
            return Err(Problem::Refused(
                "SL464: only who owns this data, or is listed as reading it, may see it".to_owned(),
            ));
        }
        let classes: Vec<_> = seen.iter().flat_map(|argument| &argument.classes).collect();
        let said = serde_json::json!({ "version": 1, "person": asking.caller.person, "classes": classes });
        let body = Map::new().with(FIELD_APPROVAL, id.as_str());
        let record = NewRecord::new(EntryKind::REVEALED, asking.house.ledger().clock().now_ms(), body)
            .with_payload(Payload::of_run(said.to_string().into_bytes()));
        asking.house.ledger().append(vec![record])?;
        shown(&asking, &id, true)
    })
    .await
}
