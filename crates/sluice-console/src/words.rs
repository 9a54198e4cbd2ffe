//! Small parts of pages that many of them have.

use std::cell::RefCell;

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

/// Who must agree, for lists: of many people a few are named. What asks the same is told once.
pub(crate) struct Needs<'w> {
    workspace: &'w Workspace,
    told: RefCell<Vec<(Requirement, Name, Markup)>>,
}

impl<'w> Needs<'w> {
    /// More people than this are not all named.
    const NAMED_MAX: usize = 6;

    pub(crate) fn of(workspace: &'w Workspace) -> Self {
        Self { workspace, told: RefCell::default() }
    }

    pub(crate) fn of_one(&self, requirement: &Requirement, requester: &Name) -> Markup {
        let mut told = self.told.borrow_mut();
        if let Some((.., words)) = told.iter().find(|(what, who, _)| what == requirement && who == requester) {
            return words.clone();
        }
        let words = self.tell(requirement, requester);
        told.push((requirement.clone(), requester.clone(), words.clone()));
        words
    }

    fn tell(&self, requirement: &Requirement, requester: &Name) -> Markup {
        let people = asked(self.workspace, requirement, requester);
        if people.len() <= Self::NAMED_MAX {
            return needed(self.workspace, requirement, requester);
        }
        let others = people.len() - (Self::NAMED_MAX - 1);
        html! {
            (sluice_render::markup::Message(&in_words(requirement)))
            span.faint {
                " (" @for person in people.iter().take(Self::NAMED_MAX - 1) { (who(self.workspace, person)) ", " }
                "and " (others) " others)"
            }
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
