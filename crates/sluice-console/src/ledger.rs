//! The ledger: what happened, found by what it was about; each entry with its proof.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_api::rights::may_see_ledger;
use sluice_ledger::{EntryKind, LeafIndex};
use sluice_render::markup::{Message, Seen};
use sluice_render::time;
use sluice_runtime::audit;
use sluice_runtime::search::{Begin, Found, Inside, find};
use sluice_runtime::told::field_in_words;
use sluice_store::Query as Wanted;

use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;
use crate::runs::timeline;
use crate::sort::Sorting;
use crate::words::{ago, short};

/// Entries of a page.
const PAGE: u64 = 50;

/// What somebody looks for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    approval: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    person: String,
    #[serde(default)]
    workflow: String,
    #[serde(default)]
    dataset: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    destination: String,
    /// `2026-09-14`, in UTC.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    /// `index`: the oldest first; the newest are if nothing is said.
    #[serde(default)]
    sort: String,
    /// Entries before this one.
    before: Option<u64>,
    /// Of the oldest first: entries from this one on.
    from_entry: Option<u64>,
}

impl Filter {
    /// What is chosen, for links.
    fn sorting(&self) -> Sorting<'_> {
        let kept = [
            ("kind", &self.kind),
            ("action", &self.action),
            ("decision", &self.decision),
            ("approval", &self.approval),
            ("run", &self.run),
            ("code", &self.code),
            ("person", &self.person),
            ("workflow", &self.workflow),
            ("dataset", &self.dataset),
            ("category", &self.category),
            ("destination", &self.destination),
            ("from", &self.from),
            ("to", &self.to),
        ];
        Sorting::of("/ledger", &self.sort, &["index"], kept.map(|(name, value)| (name, value.as_str())))
    }
}

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    aside(move || {
        let asking = steward(house, visitor)?;
        let (wanted, flaw) = wanted(&filter);
        let ledger = asking.house.ledger();
        let sorting = filter.sorting();
        // Only the oldest first is another order than the list has without one.
        let is_upwards = sorting.key().is_some();
        let from = match filter.from_entry.filter(|_| is_upwards) {
            None if is_upwards => Begin::At(0),
            Some(index) => Begin::At(index),
            None => Begin::Before(filter.before),
        };
        let found = match &wanted {
            Some(wanted) => find(ledger, wanted, &inside(&filter), from, PAGE)?,
            None => Found { entries: Vec::new(), go_on: None },
        };
        let lines: Vec<audit::Line> = found.entries.iter().map(audit::line).collect();
        let more = found.go_on.map(|from| match from {
            Begin::At(index) => ("from_entry", index),
            Begin::Before(index) => ("before", index.unwrap_or(0)),
        });
        let content = html! {
            h1 { "Ledger" }
            (search(&filter))
            @if let Some(flaw) = flaw { p.note.bad { (flaw) } }
            @if lines.is_empty() && more.is_none() {
                div.empty { p { strong { "No entry fits." } } p { "Every proposal, decision, approval, call and outcome is an entry here; none can be changed unseen." } }
            } @else {
                (order(&filter, is_upwards))
                @if lines.is_empty() { p.note { "Nothing so far. People, workflows and data stand in sealed parts only: they are opened one after another, and this page rested." } }
                @else { (timeline(&lines, true)) }
                @if let Some((name, index)) = more {
                    nav.pager aria-label="Pages" {
                        a rel="next" href=(sorting.link(&[(name, &index.to_string())])) { @if is_upwards { "Newer" } @else { "Older" } }
                    }
                }
            }
        };
        Ok(framed(&asking, Room::Ledger, "Ledger", false, &content))
    })
    .await
}

/// The whole log is for who signs the rules; runs and approvals show others what concerns them.
fn steward(house: Arc<House>, visitor: Visitor) -> Result<Asking, Problem> {
    let asking = Asking::of(house, visitor)?;
    if may_see_ledger(&asking.workspace, &asking.caller.person) {
        Ok(asking)
    } else {
        let why = "SL467: the whole ledger is for those who sign the rules of this workspace. What concerns you is under Runs and in your Inbox";
        Err(Problem::Refused(why.to_owned()))
    }
}

fn search(filter: &Filter) -> Markup {
    let kinds = EntryKind::REGISTERED.iter().filter_map(|kind| kind.name());
    let field = |name: &str, label: &str, value: &str, hint: &str| {
        html! {
            div { label for=(name) { (label) } input id=(name) name=(name) value=(Seen(value)) placeholder=(hint) autocomplete="off"; }
        }
    };
    html! {
        form.search method="get" action="/ledger" role="search" aria-label="Entries" {
            div {
                label for="kind" { "Kind" }
                select id="kind" name="kind" {
                    option value="" { "any" }
                    @for kind in kinds { option value=(kind) selected[kind == filter.kind] { (kind) } }
                }
            }
            (field("action", "Action", &filter.action, "crm.accounts.list"))
            div {
                label for="decision" { "Decision" }
                select id="decision" name="decision" {
                    @for (value, word) in [("", "any"), ("permit", "permit"), ("hold", "hold"), ("forbid", "forbid")] {
                        option value=(value) selected[value == filter.decision] { (word) }
                    }
                }
            }
            (field("approval", "Approval or proposal", &filter.approval, "A-3f9c…"))
            (field("run", "Run", &filter.run, "the beginning of its id"))
            (field("code", "Code", &filter.code, "SL518"))
            (field("person", "Person, service or model", &filter.person, "who asked, wrote, approved"))
            (field("workflow", "Workflow", &filter.workflow, "its name"))
            (field("dataset", "Dataset", &filter.dataset, "crm.accounts"))
            (field("category", "Class of data", &filter.category, "health"))
            (field("destination", "Destination", &filter.destination, "sheets-us"))
            div { label for="from" { "From" } input type="date" id="from" name="from" value=(Seen(&filter.from)); }
            @if !filter.sort.is_empty() { input type="hidden" name="sort" value=(Seen(&filter.sort)); }
            div { label for="to" { "Until" } input type="date" id="to" name="to" value=(Seen(&filter.to)); }
            button type="submit" { "Search" }
        }
    }
}

/// What is asked of the store; a date that is none finds nothing, and says so.
fn wanted(filter: &Filter) -> (Option<Wanted>, Option<String>) {
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let kind = EntryKind::REGISTERED.iter().find(|kind| kind.name() == Some(filter.kind.as_str())).copied();
    if kind.is_none() && !filter.kind.is_empty() {
        return (None, Some("there is no such kind of entry".to_owned()));
    }
    let day = |text: &str| if text.is_empty() { Ok(None) } else { time::day_ms(text).map(Some).ok_or(()) };
    let (Ok(from_ms), Ok(to_ms)) = (day(&filter.from), day(&filter.to)) else {
        return (None, Some("a day is written 2026-09-14".to_owned()));
    };
    let wanted = Wanted {
        kind,
        action: text(&filter.action),
        decision: text(&filter.decision),
        approval: text(&filter.approval),
        code: text(&filter.code).map(|code| code.to_uppercase()),
        run_begins: text(&filter.run).map(|run| run.to_lowercase()),
        from_ms,
        to_ms: to_ms.map(|to| to.saturating_add(86_400_000)),
        ..Wanted::default()
    };
    (Some(wanted), None)
}

/// What is asked of the sealed parts.
fn inside(filter: &Filter) -> Inside {
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Inside {
        person: text(&filter.person),
        workflow: text(&filter.workflow),
        dataset: text(&filter.dataset),
        category: text(&filter.category),
        destination: text(&filter.destination),
    }
}

/// Which end comes first.
fn order(filter: &Filter, is_upwards: bool) -> Markup {
    let upwards = Filter { sort: "index".to_owned(), ..filter.clone() };
    let downwards = Filter { sort: String::new(), ..filter.clone() };
    html! {
        nav.filter.sorted aria-label="Sorted by" {
            span.faint aria-hidden="true" { "sorted by" }
            a href=(downwards.sorting().link(&[])) aria-current=[(!is_upwards).then_some("true")] { "newest first" }
            a href=(upwards.sorting().link(&[])) aria-current=[is_upwards.then_some("true")] { "oldest first" }
        }
    }
}

pub(crate) async fn one(State(house): State<Arc<House>>, visitor: Visitor, Path(index): Path<u64>) -> Shown {
    aside(move || {
        let asking = steward(house, visitor)?;
        let ledger = asking.house.ledger();
        let size = ledger.look(|records| Ok(records.head()?.size.get()))?;
        if index >= size {
            return Err(Problem::NotFound);
        }
        let recorded = ledger.look(|records| records.entry(LeafIndex::new(index)))?;
        let line = audit::line(&recorded);
        let entry = &recorded.entry;
        let content = html! {
            p.crumb { a href="/ledger" { "Ledger" } " / " (index) }
            h1 { "Entry " (index) " " span.tag { (line.kind) } }
            p.lead { (ago(line.time_ms)) @if let Some(run) = line.run { ", in run " a.id href={ "/runs/" (run) } { (short(run)) } } }
            (timeline(std::slice::from_ref(&line), false))
            section aria-labelledby="open" {
                h2 id="open" { "What stands in the open log" }
                dl.facts { @for (key, value) in entry.body.iter() { dt { (Seen(&key.to_string())) } dd { code { (Seen(&field_in_words(value))) } } } }
                @if let Some(why) = line.sealed { p.note { "Its sealed part is " (why) "." } }
                @else if line.payload.is_some() { p.faint { "Names and values are sealed beside it; the log itself names nobody." } }
            }
            section aria-labelledby="proof" {
                h2 id="proof" { "Its proof" }
                @match audit::prove(ledger, index) {
                    Ok(evidence) => {
                        p { "The log that its latest checkpoint commits to holds this entry; whoever has the checkpoint's key can check that without this console." }
                        pre.listing tabindex="0" { (Lines(&evidence.to_string())) }
                        p { a href={ "/ledger/" (index) "/proof" } download { "The proof as a file" } " " span.faint { "(C2SP tlog-proof)" } }
                    }
                    Err(why) => p.faint { (Message(&why.to_string())) },
                }
            }
            nav.pager aria-label="Entries" {
                @if index > 0 { a rel="prev" href={ "/ledger/" (index - 1) } { "Before" } }
                @if index + 1 < size { a rel="next" href={ "/ledger/" (index + 1) } { "After" } }
            }
        };
        Ok(framed(&asking, Room::Ledger, &format!("Entry {index}"), false, &content))
    })
    .await
}

/// Lines of a file format of our own.
struct Lines<'a>(&'a str);

impl maud::Render for Lines<'_> {
    fn render(&self) -> Markup {
        html! { @for line in self.0.lines() { (Seen(line)) "\n" } }
    }
}

pub(crate) async fn proof(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(index): Path<u64>,
) -> Result<Response, Problem> {
    aside(move || {
        let asking = steward(house, visitor)?;
        let evidence = audit::prove(asking.house.ledger(), index)?;
        let name = format!("attachment; filename=\"entry-{index}.proof\"");
        Ok((
            [(CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)],
            evidence.to_string(),
        )
            .into_response())
    })
    .await
}
