//! Small parts of pages that many of them have.

use maud::{Markup, html};
use sluice_api::rights::asked;
use sluice_core::contract::approval::{Decision, Requirement};
use sluice_core::label::Name;
use sluice_render::markup::Seen;
use sluice_render::time;
use sluice_runtime::approvals::{About, Waiting, in_words};
use sluice_runtime::clock::now_ms;
use sluice_runtime::told::Mood;
use sluice_runtime::workspace::Workspace;

/// A time, exact for machines, as an age for people.
pub(crate) fn ago(ms: u64) -> Markup {
    html! {
        time datetime=(time::written(ms / 1_000)) title=(time::short(ms)) { (time::span(now_ms().saturating_sub(ms))) " ago" }
    }
}

/// Somebody, by name and id.
pub(crate) fn who(workspace: &Workspace, id: &str) -> Markup {
    let name = workspace.principals().persons.get(id).and_then(|person| person.name.clone());
    html! {
        @match name {
            Some(name) => { span.who title=(Seen(id)) { (Seen(&name)) } }
            None => { span.who { (Seen(id)) } }
        }
    }
}

/// What waits, in a few words.
pub(crate) fn what(waiting: &Waiting) -> String {
    match &waiting.about {
        About::Definition { name, .. } => format!("the definition {name}"),
        About::Step { action, .. } => action.clone(),
        About::Value { function, entry, .. } => format!("{function} {entry}"),
    }
}

/// Who must agree, with the people that this means here.
pub(crate) fn needed(workspace: &Workspace, requirement: &Requirement, requester: &Name) -> Markup {
    let people = asked(workspace, requirement, requester);
    html! {
        (sluice_render::markup::Message(&in_words(requirement)))
        @if !people.is_empty() {
            span.faint { " (" @for (number, person) in people.iter().enumerate() { @if number > 0 { ", " } (who(workspace, person)) } ")" }
        }
    }
}

/// What somebody said.
pub(crate) const fn said(decision: Decision) -> (&'static str, &'static str) {
    match decision {
        Decision::Approve => ("approved", "good"),
        Decision::Deny => ("denied", "bad"),
        Decision::Withdraw { .. } => ("withdrew", "warn"),
        Decision::BreakGlass => ("broke the glass", "bad"),
        Decision::Review { .. } => ("reviewed", "good"),
    }
}

/// The class of a mood.
pub(crate) const fn mood(mood: Mood) -> &'static str {
    match mood {
        Mood::Plain => "plain",
        Mood::Doing => "doing",
        Mood::Good => "good",
        Mood::Warn => "warn",
        Mood::Bad => "bad",
        Mood::Faint => "faint",
    }
}

/// The beginning of a run's id.
pub(crate) fn short(run: impl ToString) -> String {
    run.to_string().chars().take(8).collect()
}
