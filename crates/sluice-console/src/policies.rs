//! The rules in force, in words.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_policy::PolicyInfo;
use sluice_render::markup::{Message, Seen};

use crate::page::{Asking, Room, Shown, aside, framed};
use crate::sort::Sorting;
use crate::what_if::{self, Asked};
use crate::words::who;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// By what they are sorted; as they are written if nothing is said.
    #[serde(default)]
    sort: String,
    /// Words that each of them has.
    #[serde(default)]
    find: String,
    #[serde(flatten)]
    asked: Asked,
}

/// What they can be sorted by.
const COLUMNS: [&str; 2] = ["name", "file"];

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let workspace = &asking.workspace;
        let sorting = Sorting::of("/policies", &filter.sort, &COLUMNS, [("find", filter.find.as_str())]);
        let mut all: Vec<&PolicyInfo> = workspace.policies().policies().collect();
        let count = all.len();
        all.retain(|info| has(info, &filter.find));
        sorting.sort(&mut all, |info, column| match column {
            "file" => (info.text.to_string(), info.span.start),
            _ => (info.id.to_string(), 0),
        });
        let (permits, forbids): (Vec<&PolicyInfo>, Vec<&PolicyInfo>) = all.iter().partition(|info| info.permits);
        let content = html! {
            h1 { "Policies" }
            p.lead { (count) " policies decide every call. What none of them permits is forbidden, and what one forbids no other permits." }
            dl.facts {
                dt { "bundle" } dd.digest { (workspace.bundle().digest()) }
                dt { "signed by" } dd { @for (number, signer) in workspace.bundle().signers().iter().enumerate() { @if number > 0 { ", " } (who(workspace, signer)) } }
            }
            (what_if::section(workspace, &filter.asked))
            h2 { "The policies" }
            form.search.find method="get" action="/policies" role="search" aria-label="Policies" {
                div { label for="find" { "Find" } input id="find" name="find" value=(Seen(&filter.find)) placeholder="a word in their names, reasons or text" autocomplete="off"; }
                @if !filter.sort.is_empty() { input type="hidden" name="sort" value=(Seen(&filter.sort)); }
                button type="submit" { "Search" }
            }
            (sorting.choices("as they are written", &[("name", "name"), ("file", "file")]))
            @if all.is_empty() {
                div.empty { p { strong { "No policy has these words." } } p { a href="/policies" { "All of them" } " decide every call, whichever are shown." } }
            }
            (section("forbids", "What is forbidden, or held until somebody agrees", &forbids))
            (section("permits", "What is permitted", &permits))
        };
        Ok(framed(&asking, Room::Policies, "Policies", false, &content))
    })
    .await
}

/// Whether a policy has all of these words.
fn has(info: &PolicyInfo, words: &str) -> bool {
    let text = format!("{} {} {}", info.id, info.why, info.source).to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn section(id: &str, title: &str, policies: &[&PolicyInfo]) -> Markup {
    html! {
        @if !policies.is_empty() { section aria-labelledby=(id) {
            h2 id=(id) { (title) " " span.count { (policies.len()) } }
            @for info in policies {
                details.policy {
                    summary {
                        code { (Seen(&info.id.to_string())) } " "
                        span.words { (Message(&info.why)) }
                        @if let Some(remedy) = &info.remedy { " " span.tag.warn { (Seen(remedy)) } }
                    }
                    pre.listing tabindex="0" { @for line in info.source.lines() { span.line { (Seen(line)) } "\n" } }
                }
            }
        } }
    }
}
