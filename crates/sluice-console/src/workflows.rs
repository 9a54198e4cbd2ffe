//! Definitions that were put before people: who wrote them, what they may do, who agreed.

use std::sync::Arc;

use axum::extract::{Path, Query as Asked, State};
use maud::html;
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_api::rights::may_see_proposal;
use sluice_ledger::EntryKind;
use sluice_policy::Acting;
use sluice_render::markup::{Message, Seen};
use sluice_runtime::approvals::statements;
use sluice_runtime::proposal::{Proposal, author_in_words};
use sluice_store::{FIELD_APPROVAL, Page, Query};

use crate::halting::switches;
use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;
use crate::reading::Reading;
use crate::sort::{Sorting, paged};
use crate::starting::form;
use crate::words::{said, who};

/// Proposals that a page shows, and that are sorted at once.
const SHOWN_MAX: u64 = 100;
const SORTED_MAX: u64 = 500;
/// What they can be sorted by.
const COLUMNS: [&str; 5] = ["name", "id", "author", "for", "signatures"];

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// By what they are sorted; the newest first if nothing is said.
    #[serde(default)]
    sort: String,
    /// Of a sorted list: which page.
    page: Option<usize>,
    /// Definitions that were proposed before this entry.
    before: Option<u64>,
}

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Asked(filter): Asked<Filter>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let ledger = asking.house.ledger();
        let wanted = Query { kind: Some(EntryKind::PROPOSAL), ..Query::default() };
        let sorting = Sorting::of("/workflows", &filter.sort, &COLUMNS, []);
        let is_sorted = sorting.key().is_some();
        let looked_at = if is_sorted { SORTED_MAX } else { SHOWN_MAX };
        let page = Page { before: filter.before, count: looked_at };
        let found = ledger.look(|records| records.find_page(&wanted, page))?;
        let older = found.last().map(|last| last.entry.log.get()).filter(|_| found.len() as u64 == looked_at);
        let all = found.iter().filter_map(|recorded| {
            let id = recorded.entry.body.get(FIELD_APPROVAL)?.as_text()?;
            let signed = ledger.look(|records| records.approval(id)).ok()?.map_or(0, |row| row.approved);
            Some((signed, Proposal::find(ledger, id).ok()??))
        });
        let mut seen: Vec<_> = all.filter(|(_, proposal)| may_see(&asking, proposal)).collect();
        sorting.sort(&mut seen, sort_key);
        let (count, number) = (seen.len(), filter.page.unwrap_or(1).max(1));
        if is_sorted {
            seen = paged(seen, number);
        }
        let content = html! {
            h1 { "Workflows" }
            @if seen.is_empty() {
                div.empty {
                    p { strong { "No definition to show." } }
                    p { "Definitions are here once somebody proposes one: " code { "sluice propose WORKFLOW" } ". Before it runs, people see what it may do." }
                }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="Definitions" {
                    table {
                        thead { tr {
                            (sorting.heading("name", "Definition")) (sorting.heading("id", "Id")) (sorting.heading("author", "Written by"))
                            (sorting.heading("for", "For")) (sorting.heading("signatures", "Signatures"))
                        } }
                        tbody {
                            @for (signed, proposal) in &seen {
                                tr {
                                    td { a href={ "/workflows/" (proposal.id) } { (Seen(&proposal.name)) } }
                                    td.id { (proposal.id) }
                                    td { (Seen(&author_in_words(&proposal.author))) }
                                    td { (who(&asking.workspace, &proposal.requester)) }
                                    td { @if *signed > 0 { span.tag.good { (signed) } } @else { span.faint { "none" } } }
                                }
                            }
                        }
                    }
                }
            }
            @if is_sorted {
                (sorting.pager(number, count))
                @if older.is_some() { p.faint { "Sorted are the latest " (SORTED_MAX) " definitions; older ones are in the list that is not sorted." } }
            } @else if let Some(before) = older {
                nav.pager aria-label="Pages" { a rel="next" href=(sorting.link(&[("before", &before.to_string())])) { "Older" } }
            }
        };
        Ok(framed(&asking, Room::Workflows, "Workflows", true, &content))
    })
    .await
}

/// By what a row is sorted.
fn sort_key((signed, proposal): &(u64, Proposal), column: &'static str) -> (u64, String) {
    match column {
        "id" => (0, proposal.id.clone()),
        "author" => (0, author_in_words(&proposal.author)),
        "for" => (0, proposal.requester.to_string()),
        "signatures" => (*signed, String::new()),
        _ => (0, proposal.name.to_lowercase()),
    }
}

/// A definition that this person may see.
pub(crate) fn seen(asking: &Asking, id: &str) -> Result<Proposal, Problem> {
    let proposal = Proposal::find(asking.house.ledger(), id)?.filter(|proposal| may_see(asking, proposal));
    proposal.ok_or(Problem::NotFound)
}

fn may_see(asking: &Asking, proposal: &Proposal) -> bool {
    may_see_proposal(&asking.workspace, &asking.caller.person, proposal)
}

pub(crate) async fn one(State(house): State<Arc<House>>, visitor: Visitor, Path(id): Path<String>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let (house, workspace) = (&asking.house, &asking.workspace);
        let proposal = seen(&asking, &id)?;
        let spoken = statements(house.ledger(), &id)?;
        let text = proposal.text.clone();
        let reading = Reading::of(workspace, proposal.clone(), None);
        let content = html! {
            p.crumb { a href="/workflows" { "Workflows" } " / " span.id { (proposal.id) } }
            h1 { (Seen(&proposal.name)) }
            p.lead {
                @if proposal.author == Acting::Unknown { "nobody said who wrote it; " }
                @else { "written by " (Seen(&author_in_words(&proposal.author))) ", " }
                "for " (who(workspace, &proposal.requester))
            }
            @if !spoken.is_empty() {
                ul.needs {
                    @for one in &spoken {
                        @let (word, tone) = said(one.statement.decision);
                        li { span class={ "tag " (tone) } { (word) } " " (who(workspace, &one.statement.approver)) }
                    }
                }
            }
            (form(&asking, &proposal)?)
            (switches(&asking, &proposal))
            @if sluice_runtime::approvals::definition_requirement(workspace).is_some() { p { a href={ "/approvals/" (proposal.id) } { "What was asked of people" } } }
            @if let Some(reading) = &reading {
                section aria-labelledby="flow" { h2 id="flow" { "What flows where" } (reading.picture()) details { summary { "The same as a table" } (reading.calls()) } }
                section aria-labelledby="growth" { h2 id="growth" { "What it may do" } (reading.growth(house, workspace)?) }
                @if !reading.report.findings.is_empty() {
                    section aria-labelledby="found" {
                        h2 id="found" { "What was found" }
                        ul.found { @for found in &reading.report.findings { li { span class={ "tag " (found.severity) } { (found.severity) } " " span.id { (found.code) } " " (Message(&found.message)) } } }
                    }
                }
            } @else { p.note { "Under the rules of today it cannot be read." } }
            section aria-labelledby="text" { h2 id="text" { "Its text" } pre.listing tabindex="0" { @for line in text.lines() { span.line { (Seen(line)) } "\n" } } }
        };
        Ok(framed(&asking, Room::Workflows, &proposal.name, false, &content))
    })
    .await
}
