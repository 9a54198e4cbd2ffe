//! What if: a question to the rules in force, answered as a gate would answer it. Nothing is recorded, and nothing is called.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde::Deserialize;
use sluice_core::gate::{Effect, Role};
use sluice_policy::cases::needs;
use sluice_policy::{Answer, Decision, Facts, Stand, Stood};
use sluice_render::markup::{Message, Seen};
use sluice_runtime::question::{Typed, of};
use sluice_runtime::workspace::Workspace;

/// Policies that are told of besides those that decide.
const NEAR_MAX: usize = 6;
/// How far workflows come; of agents the last two.
const STANDINGS: [&str; 5] = ["verified", "proposed", "approved", "session", "planned"];

/// What somebody asks. All of it stands in the link.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    who: String,
    /// `connector.action`, or an effect.
    #[serde(default)]
    does: String,
    /// A destination or dataset.
    #[serde(default)]
    on: String,
    /// A class of data in what is sent.
    #[serde(default)]
    data: String,
    /// Whose words decide about it.
    #[serde(default)]
    words: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    standing: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    first: String,
    /// What people agreed to, with spaces between.
    #[serde(default)]
    agreed: String,
}

impl Asked {
    fn is_asked(&self) -> bool {
        !self.does.is_empty()
    }

    /// The same question as the command line asks it.
    fn typed(&self) -> Result<Typed, String> {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let amount = text(&self.amount).map(|amount| amount.parse::<i64>());
        let amount = amount.transpose().map_err(|_| "an amount is a whole number, in the smallest unit".to_owned())?;
        let is_effect = Effect::ALL.iter().any(|effect| effect.name() == self.does);
        let (effect, call) = if is_effect { (text(&self.does), None) } else { (None, text(&self.does)) };
        let (to, dataset) = match self.on.split_once(':') {
            Some(("destination", id)) => (text(id), None),
            Some(("dataset", id)) => (None, text(id)),
            _ if self.on.is_empty() => (None, None),
            _ => return Err("what it acts on is a destination or a dataset of the list".to_owned()),
        };
        Ok(Typed {
            effect,
            call,
            principal: text(&self.who),
            to,
            dataset,
            purpose: text(&self.purpose),
            standing: text(&self.standing),
            carries: text(&self.data).map(|class| format!("{}={class}", Role::Payload.name())).into_iter().collect(),
            origin: text(&self.words).map(|origin| format!("control={origin}")).into_iter().collect(),
            facts: Facts { first_seen: !self.first.is_empty(), amount, ..Facts::default() },
            approval: self.agreed.split_whitespace().map(str::to_owned).collect(),
            ..Typed::default()
        })
    }
}

/// The form, and the answer if something was asked.
pub(crate) fn section(workspace: &Workspace, asked: &Asked) -> Markup {
    html! {
        section aria-labelledby="what-if" {
            h2 id="what-if" { "What if" }
            p.faint { "What would a gate say? Policies of this moment answer; nothing is recorded, and nothing is called. "
                code { "sluice policy explain" } " asks the same, and more." }
            (form(workspace, asked))
            @if asked.is_asked() {
                @match asked.typed().and_then(|typed| of(&typed, workspace.governance()).map_err(|why| why.words().to_owned())) {
                    Ok(question) => (answer(workspace, &question.answer(workspace.policies()))),
                    Err(why) => p.note.bad role="status" { (Message(&why)) },
                }
            }
        }
    }
}

fn form(workspace: &Workspace, asked: &Asked) -> Markup {
    let governance = workspace.governance();
    let principals = workspace.principals();
    let who = principals.persons.entries.keys().chain(principals.services.entries.keys());
    let calls: Vec<String> = governance.catalogue.actions.values().map(|action| action.full_name()).collect();
    let datasets: BTreeSet<&str> = governance
        .catalogue
        .actions
        .values()
        .filter_map(|action| match &action.resource {
            sluice_core::catalogue::Resource::Dataset { name, .. } => Some(name.as_ref()),
            _ => None,
        })
        .collect();
    let destinations = governance.registers.destinations.entries.keys();
    html! {
        form.search.what-if method="get" action="/policies" aria-label="A question to the policies" {
            (choice("who", "In whose name", &asked.who, "somebody", who.map(AsRef::as_ref)))
            div {
                label for="does" { "Does" }
                select id="does" name="does" required {
                    option value="" { "choose" }
                    optgroup label="calls" { @for call in &calls { (option(call, &asked.does)) } }
                    optgroup label="any call that does" { @for effect in Effect::ALL { (option(effect.name(), &asked.does)) } }
                }
            }
            div {
                label for="on" { "On" }
                select id="on" name="on" {
                    option value="" { "as its contract says" }
                    optgroup label="destinations" { @for id in destinations { (pair("destination", id, &asked.on)) } }
                    optgroup label="datasets" { @for id in &datasets { (pair("dataset", id, &asked.on)) } }
                }
            }
            (choice("data", "Sends", &asked.data, "nothing of a class", governance.registers.classification.entries.keys().map(AsRef::as_ref)))
            div { label for="words" { "Steered by words of" } input id="words" name="words" value=(Seen(&asked.words)) placeholder="nobody outside" autocomplete="off"; }
            (choice("purpose", "For", &asked.purpose, "no purpose", governance.catalogue.purposes.iter().map(AsRef::as_ref)))
            (choice("standing", "Of a workflow that is", &asked.standing, "", STANDINGS.into_iter()))
            div { label for="amount" { "Amount" } input id="amount" name="amount" inputmode="numeric" value=(Seen(&asked.amount)) placeholder="none" autocomplete="off"; }
            div { label for="agreed" { "Agreed to" } input id="agreed" name="agreed" value=(Seen(&asked.agreed)) placeholder="owner-of:payload/1" autocomplete="off"; }
            div.tick { input type="checkbox" id="first" name="first" value="yes" checked[!asked.first.is_empty()]; label for="first" { "for the first time" } }
            button type="submit" { "Ask" }
        }
    }
}

fn choice<'a>(name: &str, label: &str, chosen: &str, none: &str, all: impl Iterator<Item = &'a str>) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @if !none.is_empty() { option value="" { (none) } }
                @for one in all { (option(one, chosen)) }
            }
        }
    }
}

fn option(value: &str, chosen: &str) -> Markup {
    html! { option value=(Seen(value)) selected[value == chosen] { (Seen(value)) } }
}

fn pair(kind: &str, id: &str, chosen: &str) -> Markup {
    let value = format!("{kind}:{id}");
    html! { option value=(Seen(&value)) selected[value == chosen] { (Seen(id)) } }
}

fn answer(workspace: &Workspace, answer: &Answer) -> Markup {
    let (words, tone) = match &answer.decision {
        Decision::Permit { .. } => ("permitted", "good"),
        Decision::Hold { .. } if answer.decision.can_be_approved() => ("held until people agree", "warn"),
        Decision::Hold { .. } => ("held: the workflow must change first", "warn"),
        Decision::Forbid { .. } => ("forbidden", "bad"),
    };
    let needs = needs(&answer.decision);
    let standing = workspace.policies().standing(answer).unwrap_or_default();
    let near: Vec<&Stood> = standing.iter().filter(|stood| stood.stand > Stand::Applies).take(NEAR_MAX).collect();
    html! {
        div.answer role="status" {
            h3 { span class={ "tag " (tone) } { (words) } }
            ul.found {
                @for reason in &answer.reasons {
                    li { @if let Some(id) = &reason.policy { code { (Seen(&id.to_string())) } " " } (Message(&reason.words)) }
                }
                @if answer.reasons.is_empty() { li { "No policy permits it, so it is forbidden." } }
            }
            @if !needs.is_empty() {
                p { "It passes once this was done: " @for (number, need) in needs.iter().enumerate() { @if number > 0 { ", " } code { (Seen(need)) } } }
            }
            @if !near.is_empty() {
                details {
                    summary { "What did not decide it" }
                    ul.found {
                        @for stood in near {
                            li {
                                span class={ "tag " (if stood.permits { "good" } else { "bad" }) } { @if stood.permits { "would permit" } @else { "would forbid" } }
                                " " code { (Seen(&stood.policy.to_string())) } " "
                                span.faint { (missed(&stood.stand)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn missed(stand: &Stand) -> Markup {
    html! {
        @match stand {
            Stand::Misses { condition, .. } => { "not so: " code { (Seen(condition)) } },
            Stand::OtherResource => "it is about another destination or dataset",
            _ => "it is about somebody else",
        }
    }
}
