//! How the console itself stands: the log and its checkpoints, what waits, who can come in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use maud::html;
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_render::markup::Seen;
use sluice_store::RunStatus;

use crate::cosigned;
use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let (house, workspace) = (&asking.house, &asking.workspace);
        let (head, checkpoint, runs, held) = house.ledger().look(|records| {
            Ok((records.head()?, records.checkpoint_latest()?, records.run_counts()?, records.held_approvals()?.len()))
        })?;
        let count = |status: RunStatus| runs.get(&status).copied().unwrap_or_default();
        let behind = house.ledger().clock().is_behind_by_ms();
        let bytes = std::fs::metadata(workspace.ledger_file()).map_or(0, |about| about.len());
        let content = html! {
            h1 { "Health" }
            section aria-labelledby="log" {
                h2 id="log" { "The log" }
                dl.facts {
                    dt { "entries" } dd { (head.size.get()) }
                    dt { "root" } dd.digest { (head.root) }
                    dt { "last checkpoint" } dd {
                        @match &checkpoint {
                            Some((size, note)) => {
                                "over " (size.get()) " entries"
                                @if size.get() == head.size.get() { " " span.tag.good { "up to date" } } @else { " " span.tag { (head.size.get() - size.get()) " entries since" } }
                                details { summary { "The signed note" } pre.listing tabindex="0" { @for line in note.lines() { (Seen(line)) "\n" } } }
                            }
                            None => span.tag.warn { "none yet" },
                        }
                    }
                    @if let Some((_, note)) = &checkpoint { (cosigned::told(note)) }
                    dt { "on the disk" } dd { (megabytes(bytes)) }
                    dt { "clock" } dd { @if behind > 1_000 { span.tag.bad { "behind the log by " (sluice_render::time::span(behind)) } } @else { span.tag.good { "fine" } } }
                }
                (cosigned::advice(checkpoint.as_ref().map(|(_, note)| note.as_str())))
                p.faint { code { "sluice audit verify" } " recomputes all of it from the entries." }
            }
            section aria-labelledby="work" {
                h2 id="work" { "Work" }
                dl.facts {
                    dt { "waits for people" } dd { (held) }
                    dt { "runs held" } dd { a href="/runs?status=held" { (count(RunStatus::Held)) } }
                    dt { "under way" } dd { a href="/runs?status=running" { (count(RunStatus::Running)) } }
                    dt { "in doubt" } dd { a href="/runs?status=in-doubt" { (count(RunStatus::InDoubt)) } @if count(RunStatus::InDoubt) > 0 { " " span.tag.bad { "somebody must look" } } }
                    dt { "completed" } dd { a href="/runs?status=completed" { (count(RunStatus::Completed)) } }
                    dt { "refused" } dd { a href="/runs?status=refused" { (count(RunStatus::Refused)) } }
                }
            }
        };
        Ok(framed(&asking, Room::Health, "Health", true, &content))
    })
    .await
}

/// The latest signed note, for whoever keeps or cosigns it. It tells how long the log is, and nothing of what is in it.
pub(crate) async fn checkpoint(State(house): State<Arc<House>>, visitor: Visitor) -> Result<Response, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        let latest = asking.house.ledger().look(|records| records.checkpoint_latest())?;
        let (_, note) = latest.ok_or(Problem::NotFound)?;
        let headers = [
            (CONTENT_TYPE, "text/plain; charset=utf-8"),
            (CONTENT_DISPOSITION, "attachment; filename=\"checkpoint.txt\""),
        ];
        Ok((headers, note).into_response())
    })
    .await
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
