//! Starting a run of a definition, on its page: for whoever asked for it, once they are known as surely as policies of the
//! workspace want.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use sluice_api::House;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::{may_start, why_not_started};
use sluice_api::starting::{self, NewRun, StartError, run_of};
use sluice_core::hole::{Hole, Holes, Kind};
use sluice_policy::own::Deciding;
use sluice_render::markup::{Message, Seen};
use sluice_runtime::admit::Proposed;
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
    let holes = holes_of(proposal);
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
                    @if holes.is_empty() {
                        label for="input" { "Input " span.faint { "(a JSON object)" } }
                        textarea id="input" name="input" rows="3" maxlength="100000" spellcheck="false" { "{}" }
                    } @else {
                        @for (name, hole) in &holes.0 { (field(name, hole)) }
                    }
                    div.buttons { button.good type="submit" { "Start a run" } }
                }
                p.faint { "It runs in your name, and each of its steps meets the gate." }
            }
        }
    })
}

/// The holes of a definition, if it is a template; what cannot be read today has none, and is not admitted either.
fn holes_of(proposal: &Proposal) -> Holes {
    let proposed = Proposed::read(&proposal.name, proposal.text.as_bytes());
    proposed.map_or_else(|_| Holes::default(), |proposed| proposed.program().document.holes.clone())
}

/// A field of the form for a hole: what it takes is said, and asked for by its kind.
fn field(name: &str, hole: &Hole) -> Markup {
    let id = format!("{HOLE}{name}");
    let usual = hole.default.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let usual = usual.as_deref();
    let needed = hole.default.is_none();
    let takes = hole.kind.in_words();
    html! {
        label for=(Seen(&id)) {
            (Seen(name)) " "
            span.faint { "(" @if let Some(about) = &hole.description { (Seen(about)) ": " } (Message(&takes)) ")" }
        }
        @match &hole.kind {
            Kind::OneOf(words) => { (choice(&id, words.iter().map(AsRef::as_ref), usual)) }
            Kind::Boolean => { (choice(&id, ["true", "false"].into_iter(), usual)) }
            Kind::Integer { minimum, maximum } => {
                input id=(Seen(&id)) name=(Seen(&id)) type="number" step="1" min=(minimum) max=(maximum) value=[usual] required[needed];
            }
            Kind::Text { chars_max, .. } => {
                input id=(Seen(&id)) name=(Seen(&id)) type="text" maxlength=(chars_max) value=[usual.map(Seen)] required[needed] autocomplete="off";
            }
        }
    }
}

fn choice<'w>(id: &str, words: impl Iterator<Item = &'w str>, usual: Option<&str>) -> Markup {
    html! {
        select id=(Seen(id)) name=(Seen(id)) required {
            @if usual.is_none() { option value="" { "choose" } }
            @for word in words { option value=(Seen(word)) selected[usual == Some(word)] { (Seen(word)) } }
        }
    }
}

/// What stands before the name of a hole in the form.
const HOLE: &str = "hole-";

/// What the form sends: `form`, `once` (sent twice, it is one run), and `input` or the holes.
type Wanted = BTreeMap<String, String>;

/// The input that a form asks for.
fn input_of(wanted: &Wanted, holes: &Holes) -> Result<serde_json::Value, Problem> {
    if let Some(text) = wanted.get("input") {
        let input: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(text);
        return input
            .map(serde_json::Value::Object)
            .map_err(|error| Problem::Refused(format!("SL476: the input is no JSON object: {error}")));
    }
    let given = wanted.iter().filter_map(|(name, text)| Some((name.strip_prefix(HOLE)?, text)));
    let typed = given.filter(|(_, text)| !text.is_empty()).map(|(name, text)| {
        let value = holes.0.get(name).map_or_else(|| text.as_str().into(), |hole| hole.kind.typed(text));
        (name.to_owned(), value)
    });
    Ok(serde_json::Value::Object(typed.collect()))
}

/// Starts a run, and leads to it.
pub(crate) async fn start(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let said = |name: &str| wanted.get(name).map_or("", String::as_str);
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, said("form")).map_err(|why| Problem::Refused(why.to_owned()))?;
        let proposal = seen(&asking, &id)?;
        let input = input_of(&wanted, &holes_of(&proposal))?;
        let run = run_of(&asking.caller.person, said("once"));
        let new = NewRun { run, proposal: &proposal, input };
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
