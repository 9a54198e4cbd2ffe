//! Runs: which there are, what each waits for, and what happened in it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_api::rights::{Sight, may_see_run};
use sluice_core::label::Name;
use sluice_ledger::RunId;
use sluice_render::markup::{Message, Seen};
use sluice_render::time;
use sluice_runtime::approvals::{Approver, Waiting};
use sluice_runtime::audit;
use sluice_runtime::run::{About, about, about_each, find};
use sluice_runtime::told::told_without_data;
use sluice_store::{Page, RunRow, RunStatus};

use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;
use crate::reading::{Reading, proposal_of};
use crate::sort::{PAGE, Sorting, paged};
use crate::words::{Needs, ago, mood, short, what, who};

/// Runs that are looked through for one page.
const LOOKED_AT_MAX: u64 = 1_000;

#[derive(Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    status: String,
    /// By what they are sorted; the newest first if nothing is said.
    #[serde(default)]
    sort: String,
    /// Of a sorted list: which page.
    page: Option<usize>,
    /// Runs that began before this entry.
    before: Option<u64>,
}

/// What they can be sorted by.
const COLUMNS: [&str; 5] = ["what", "for", "stands", "began", "entries"];

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let chosen = RunStatus::from_name(&filter.status);
        let sorting = Sorting::of("/runs", &filter.sort, &COLUMNS, [("status", filter.status.as_str())]);
        let is_sorted = sorting.key().is_some();
        let (mut shown, older) = visible(&asking, chosen, filter.before, if is_sorted { usize::MAX } else { PAGE })?;
        sorting.sort(&mut shown, sort_key);
        let (count, number) = (shown.len(), filter.page.unwrap_or(1).max(1));
        if is_sorted {
            shown = paged(shown, number);
        }
        let content = html! {
            h1 { "Runs" }
            (by_status(&sorting, &filter.status))
            @if shown.is_empty() {
                div.empty {
                    p { strong { "No run to show." } }
                    p { "Runs of workflows and sessions of agents are here as soon as one starts: " code { "sluice run WORKFLOW" } " or " code { "sluice gateway" } "." }
                }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="Runs" {
                    table {
                        thead { tr {
                            th scope="col" { "Run" }
                            (sorting.heading("what", "What")) (sorting.heading("for", "For")) (sorting.heading("stands", "Stands"))
                            (sorting.heading("began", "Began")) (sorting.heading("entries", "Entries"))
                        } }
                        tbody {
                            @for (row, about) in &shown {
                                tr {
                                    td { a.id href={ "/runs/" (row.run) } { (short(row.run)) } }
                                    td { (Seen(what_of(about))) }
                                    td { (who(&asking.workspace, &about.requester)) }
                                    td { (status(row.status)) }
                                    td { (ago(row.started_ms)) }
                                    td.number { (row.entries) }
                                }
                            }
                        }
                    }
                }
                @if is_sorted {
                    (sorting.pager(number, count))
                    @if older.is_some() { p.faint { "Sorted are the latest " (LOOKED_AT_MAX) " runs; older ones are in the list that is not sorted." } }
                } @else { (pager(&sorting, filter.before.is_some(), older)) }
            }
        };
        Ok(framed(&asking, Room::Runs, "Runs", true, &content))
    })
    .await
}

/// By what a row is sorted.
fn sort_key((row, about): &(RunRow, Arc<About>), column: &'static str) -> (u64, String) {
    match column {
        "what" => (0, what_of(about).to_lowercase()),
        "for" => (0, about.requester.to_string()),
        "stands" => (0, row.status.name().to_owned()),
        "entries" => (row.entries, String::new()),
        _ => (row.started_ms, String::new()),
    }
}

fn by_status(sorting: &Sorting<'_>, chosen: &str) -> Markup {
    const ALL: [(&str, &str); 7] = [
        ("", "all"),
        ("held", "held"),
        ("running", "running"),
        ("in-doubt", "in doubt"),
        ("completed", "completed"),
        ("refused", "refused"),
        ("faulted", "faulted"),
    ];
    html! {
        nav.filter aria-label="By how they stand" {
            @for (status, word) in ALL {
                a href=(sorting.link(&[("status", status)])) aria-current=[(status == chosen).then_some("true")] { (word) }
            }
        }
    }
}

fn pager(sorting: &Sorting<'_>, is_later_page: bool, older: Option<u64>) -> Markup {
    html! {
        nav.pager aria-label="Pages" {
            @if is_later_page { a rel="first" href=(sorting.link(&[])) { "Newest" } }
            @if let Some(before) = older { a rel="next" href=(sorting.link(&[("before", &before.to_string())])) { "Older" } }
        }
    }
}

/// Runs as a page shows them, and before which entry the next page begins.
type Visible = (Vec<(RunRow, Arc<About>)>, Option<u64>);

/// At most `count` of the runs that somebody may see, and where the next page begins.
///
/// Of runs that do not concern them no more are looked through at once than somebody would wait for.
fn visible(asking: &Asking, status: Option<RunStatus>, before: Option<u64>, count: usize) -> Result<Visible, Problem> {
    let page = Page { before, count: LOOKED_AT_MAX };
    let rows = asking.house.ledger().look(|records| records.runs_page(status, page))?;
    let is_whole = (rows.len() as u64) < LOOKED_AT_MAX;
    let rest = rows.last().map(|row| row.first.get()).filter(|_| !is_whole);
    let range = rows.last().map_or(0, |row| row.first.get())..rows.first().map_or(0, |row| row.first.get() + 1);
    let (sight, about) = (Sight::of(&asking.workspace, &asking.caller.person), about_each(asking.house.ledger())?);
    let mut shown: Vec<(RunRow, Arc<About>)> = Vec::new();
    let mut asked = None;
    for row in rows {
        if shown.len() == count {
            return Ok((shown, Some(row.first.get().saturating_add(1))));
        }
        // What cannot be opened is of nobody.
        let Some(about) = about(row.run) else { continue };
        // What they asked of people is read only where that decides it.
        let may_see = sight.may_see_run(&about.requester, &[]) || {
            let asked = match &mut asked {
                Some(asked) => asked,
                None => asked.insert(asked_within(asking, range.clone())?),
            };
            asked.get(&row.run).is_some_and(|asked| sight.may_see_run(&about.requester, asked))
        };
        if may_see {
            shown.push((row, about));
        }
    }
    Ok((shown, rest))
}

/// What the runs asked people for that began within a part of the log.
fn asked_within(asking: &Asking, range: Range<u64>) -> Result<BTreeMap<RunId, Vec<Waiting>>, Problem> {
    let ledger = asking.house.ledger();
    let rows = ledger.look(|records| records.approvals_of_runs(range))?;
    let shown = Approver::new(&asking.workspace, ledger).show_each(rows.iter().map(|row| row.id.as_str()))?;
    let mut asked: BTreeMap<RunId, Vec<Waiting>> = BTreeMap::new();
    for (row, waiting) in rows.iter().zip(shown) {
        if let (Some(run), Ok(waiting)) = (row.run, waiting) {
            asked.entry(run).or_default().push(waiting);
        }
    }
    Ok(asked)
}

/// What a run is of, in a few words.
pub(crate) fn what_of(about: &About) -> &str {
    about.workflow.as_deref().unwrap_or("an agent's session")
}

fn may_see(asking: &Asking, run: RunId, requester: &Name) -> Result<bool, Problem> {
    Ok(may_see_run(&asking.workspace, asking.house.ledger(), &asking.caller.person, run, requester)?)
}

/// How a run stands.
pub(crate) fn status(status: RunStatus) -> Markup {
    let tone = match status {
        RunStatus::Completed => "good",
        RunStatus::Refused | RunStatus::Faulted => "bad",
        RunStatus::Held | RunStatus::InDoubt => "warn",
        RunStatus::Running => "",
    };
    html! { span class={ "tag " (tone) } { (status.name()) } }
}

pub(crate) async fn one(State(house): State<Arc<House>>, visitor: Visitor, Path(id): Path<String>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let (house, workspace) = (&asking.house, &asking.workspace);
        let run = find(house.ledger(), &id)?;
        let about = about(house.ledger(), run)?.ok_or(Problem::NotFound)?;
        if !may_see(&asking, run, &about.requester)? {
            return Err(Problem::NotFound);
        }
        let row = house.ledger().look(|records| records.run_row(run))?.ok_or(Problem::NotFound)?;
        let reading = proposal_of(house, run)?.and_then(|proposal| Reading::of(workspace, proposal, None));
        let content = html! {
            p.crumb { a href="/runs" { "Runs" } " / " span.id { (short(run)) } }
            h1 { (Seen(what_of(&about))) " " (status(row.status)) }
            p.lead { "for " (who(workspace, &about.requester)) ", began " (ago(row.started_ms)) ", last heard of " (ago(row.updated_ms)) }
            (waits(&asking, run)?)
            @if let Some(reading) = &reading {
                section aria-labelledby="flow" { h2 id="flow" { "What flows where" } (reading.picture()) details { summary { "The same as a table" } (reading.calls()) } }
            }
            section aria-labelledby="happened" {
                h2 id="happened" { "What happened" }
                (timeline(&audit::show(house.ledger(), run)?, false))
            }
        };
        Ok(framed(&asking, Room::Runs, &format!("{} · {}", what_of(&about), short(run)), true, &content))
    })
    .await
}

fn waits(asking: &Asking, run: RunId) -> Result<Markup, Problem> {
    let (house, workspace) = (&asking.house, &asking.workspace);
    let approver = Approver::new(workspace, house.ledger());
    let asked = house.ledger().look(|records| records.approvals_of(run))?;
    let open: Vec<Waiting> = asked
        .iter()
        .filter(|row| row.used_by.is_none())
        .filter_map(|row| approver.show(&row.id).ok())
        .filter(|waiting| waiting.superseded.is_none() && !waiting.is_satisfied)
        .collect();
    let needs = Needs::of(workspace);
    Ok(html! {
        @if !open.is_empty() {
            section aria-labelledby="waits" {
                h2 id="waits" { "What it waits for" }
                @for waiting in &open {
                    p {
                        a href={ "/approvals/" (waiting.id) } { (Seen(&what(waiting))) } " "
                        @for one in &waiting.needs { span.tag.warn { "needs" } " " (needs.of_one(one, &waiting.requester)) " " }
                    }
                }
            }
        }
    })
}

/// Entries under each other.
pub(crate) fn timeline(lines: &[audit::Line], names_run: bool) -> Markup {
    html! {
        ol.timeline {
            @for line in lines {
                @let (words, how) = told_without_data(line);
                li class=(mood(how)) {
                    a.number href={ "/ledger/" (line.index) } title="The entry, with its proof" { (line.index) }
                    time datetime=(time::written(line.time_ms / 1_000)) { (time::short(line.time_ms)) }
                    span.kind { (line.kind) }
                    @if names_run {
                        @if let Some(run) = line.run { a.id href={ "/runs/" (run) } { (short(run)) } }
                    }
                    span.words { (Message(&cut(&words))) }
                }
            }
        }
    }
}

/// Long words are whole on the entry's own page.
fn cut(words: &str) -> String {
    const WORDS_MAX: usize = 400;
    let mut short: String = words.chars().take(WORDS_MAX).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    short
}
