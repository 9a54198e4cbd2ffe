//! The inbox: what waits for people, first what waits for whoever looks.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_api::rights::{Sight, concerned};
use sluice_render::markup::{Message, Seen};
use sluice_runtime::approvals::{About, Approver, Waiting};

use crate::glass;
use crate::page::{Asking, Room, Shown, aside, framed};
use crate::runs;
use crate::sort::{Sorting, paged};
use crate::words::{Needs, ago, said, what, who};

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// By what it is sorted; the oldest first if nothing is said.
    #[serde(default)]
    sort: String,
    page: Option<usize>,
}

/// What it can be sorted by.
const COLUMNS: [&str; 3] = ["asked", "who", "what"];

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let all = Approver::new(&asking.workspace, asking.house.ledger()).list()?;
        let person = &asking.caller.person;
        let open = all.into_iter().filter(|waiting| !waiting.is_satisfied);
        let sight = Sight::of(&asking.workspace, person);
        let seen = open.filter(|w| sight.may_see(concerned(&asking.workspace, w)));
        let (mut mine, mut others): (Vec<Waiting>, Vec<Waiting>) = seen.partition(|waiting| is_for(&asking, waiting));
        let sorting = Sorting::of("/", &filter.sort, &COLUMNS, []);
        sorting.sort(&mut mine, sort_key);
        sorting.sort(&mut others, sort_key);
        let (for_me, for_others, number) = (mine.len(), others.len(), filter.page.unwrap_or(1).max(1));
        // What waits for whoever looks is never on another page.
        let others = paged(others, number);
        let needs = Needs::of(&asking.workspace);
        let content = html! {
            h1 { "Inbox" }
            (glass::in_inbox(&asking)?)
            @if for_me + for_others > 1 {
                (sorting.choices("oldest first", &[("asked", "when it was asked"), ("who", "who asks"), ("what", "what it is")]))
            }
            section aria-labelledby="mine" {
                h2 id="mine" { "Waits for you " span.count { (for_me) } }
                @if mine.is_empty() {
                    div.empty {
                        p { strong { "Nothing waits for you." } }
                        p { "When policy asks for your word before a step of a workflow, an agent's call or a definition goes on, it is here. "
                            "What you then approve is that very step with those very arguments, and nothing else." }
                    }
                }
                @for waiting in &mine { (row(&asking, &needs, waiting)) }
            }
            @if for_others > 0 {
                section aria-labelledby="others" {
                    h2 id="others" { "Waits for others " span.count { (for_others) } }
                    @for waiting in &others { (row(&asking, &needs, waiting)) }
                    (sorting.pager(number, for_others))
                }
            }
        };
        Ok(framed(&asking, Room::Inbox, "Inbox", true, &content))
    })
    .await
}

/// By what one is sorted.
fn sort_key(waiting: &Waiting, column: &'static str) -> (u64, String) {
    match column {
        "who" => (0, waiting.requester.to_string()),
        "what" => (0, what(waiting)),
        _ => (waiting.asked_ms, String::new()),
    }
}

/// Whether somebody's word is still asked for.
pub(crate) fn is_for(asking: &Asking, waiting: &Waiting) -> bool {
    waiting.awaits(&asking.caller.person)
}

fn row(asking: &Asking, needs: &Needs<'_>, waiting: &Waiting) -> Markup {
    let workspace = &asking.workspace;
    html! {
        article.waiting {
            h3 {
                a href={ "/approvals/" (waiting.id) } { (Seen(&what(waiting))) }
                @if let Some(of) = of(asking, waiting) { span.faint { " in " (Seen(&of)) } }
            }
            p.faint {
                "asked by " (who(workspace, &waiting.requester)) " · " (ago(waiting.asked_ms)) " · "
                span.id { (waiting.id) }
                @if waiting.is_agents { " · an agent" }
            }
            p.why { (Message(&waiting.why)) }
            ul.needs {
                @for one in &waiting.needs { li { span.tag.warn { "needs" } " " (needs.of_one(one, &waiting.requester)) } }
                @for (person, decision) in &waiting.said {
                    @let (word, tone) = said(*decision);
                    li {
                        span class={ "tag " (tone) } { (word) } " " (who(workspace, person))
                        @if let Some(whom) = waiting.in_place_of.get(person) { span.faint { " for " (who(workspace, whom)) } }
                    }
                }
            }
        }
    }
}

/// The workflow that a held step belongs to.
fn of(asking: &Asking, waiting: &Waiting) -> Option<String> {
    let run = match &waiting.about {
        About::Step { run, .. } | About::Value { run, .. } => *run,
        About::Definition { .. } => return None,
    };
    let about = sluice_runtime::run::about(asking.house.ledger(), run).ok()??;
    Some(runs::what_of(&about).to_owned())
}
