//! `sluice runs --server`: runs of a served Sluice, and ending one.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use sluice_runtime::run::age_ms;
use sluice_store::RunStatus;

use super::Served;
use crate::cli::{CancelRun, Format, ListServed, ShowRun};
use crate::commands::runs::tone;
use crate::failure::{Exit, Failure};
use crate::place::say_solo;
use crate::render::{Page, Part, Tone, json as out, time};

/// Most runs of a list.
const COUNT_MAX: usize = 5_000;

#[derive(Deserialize)]
struct Run {
    id: String,
    workflow: Option<String>,
    requester: String,
    status: String,
    started_ms: u64,
    updated_ms: u64,
    entries: u64,
    #[serde(default)]
    waits_for: Vec<String>,
}

#[derive(Deserialize)]
struct Waits {
    about: String,
    why: String,
}

impl Run {
    fn tone(&self) -> Tone {
        RunStatus::from_name(&self.status).map_or(Tone::Plain, tone)
    }

    fn wire(&self) -> Json {
        json!({
            "run": self.id,
            "status": self.status,
            "workflow": self.workflow,
            "requester": self.requester,
            "entries": self.entries,
            "started_ms": self.started_ms,
            "updated_ms": self.updated_ms,
        })
    }
}

/// Lists them, the newest first.
///
/// # Errors
/// [`Failure`] if they are not to be had.
pub fn list(served: &Served, arguments: &ListServed) -> Result<Exit, Failure> {
    let all: Vec<Run> = served.list("/runs", None, &[], COUNT_MAX)?;
    if arguments.format == Format::Json {
        out::print(&all.iter().map(Run::wire).collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if all.is_empty() {
        page.line(["nothing ran here yet, or nothing that you may see"]);
    }
    let cells = all.iter().map(|run| {
        vec![
            Part::new(&run.id, Tone::Accent),
            Part::new(&run.status, run.tone()),
            Part::new(time::short(run.started_ms), Tone::Faint),
            Part::new(format!("{} ago, {} entries", time::span(age_ms(run.updated_ms)), run.entries), Tone::Faint),
        ]
    });
    page.table(0, &cells.collect::<Vec<_>>());
    say_solo(&mut page, served.is_solo()?);
    page.print();
    Ok(Exit::Fine)
}

/// The whole id of a run of which the beginning was typed.
///
/// # Errors
/// [`Failure`] if no run, or more than one, begins so.
pub(super) fn found(served: &Served, begins: &str) -> Result<String, Failure> {
    if begins.len() == 32 {
        return Ok(begins.to_owned());
    }
    let all: Vec<Run> = served.list("/runs", None, &[], COUNT_MAX)?;
    let mut fitting = all.into_iter().map(|run| run.id).filter(|id| !begins.is_empty() && id.starts_with(begins));
    match (fitting.next(), fitting.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => Err(Failure::usage(format!("more than one run begins with `{begins}`"))),
        _ => Err(Failure::usage(format!("no run that you may see begins with `{begins}`"))),
    }
}

/// Shows how one stands, and what it waits for. What it read and made is shown at the console.
///
/// # Errors
/// [`Failure`] if it is not to be had.
pub fn show(served: &Served, arguments: &ShowRun) -> Result<Exit, Failure> {
    let id = found(served, &arguments.run)?;
    let run: Run = served.get("/runs/{id}", Some(&id))?;
    tell(served, &run, arguments.format)
}

/// Ends one: nothing more of it is called.
///
/// # Errors
/// [`Failure`] if it could not be ended.
pub fn cancel(served: &Served, arguments: &CancelRun) -> Result<Exit, Failure> {
    let id = found(served, &arguments.run)?;
    let run: Run = served.post("/runs/{id}/cancel", Some(&id), json!({ "reason": arguments.reason }))?;
    tell(served, &run, arguments.format)
}

fn tell(served: &Served, run: &Run, format: Format) -> Result<Exit, Failure> {
    let held = run.waits_for.iter().map(|approval| {
        let waits = served.get::<Waits>("/approvals/{id}", Some(approval)).ok();
        (approval, waits.map_or((String::new(), String::new()), |waits| (waits.about, waits.why)))
    });
    let held: Vec<_> = held.collect();
    if format == Format::Json {
        let mut wire = run.wire();
        let held =
            held.iter().map(|(approval, (about, why))| json!({ "approval": approval, "about": about, "why": why }));
        if let Some(fields) = wire.as_object_mut() {
            fields.insert("held".to_owned(), held.collect());
        }
        out::print(&wire)?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    page.line([Part::new(&run.status, run.tone()), "  ".into(), Part::new(format!("run {}", run.id), Tone::Faint)]);
    let row = |word: &str, text: String| vec![Part::new(word, Tone::Faint), Part::plain(text)];
    let mut rows = vec![row("what", run.workflow.clone().unwrap_or_else(|| "an agent's session".to_owned()))];
    rows.push(row("for", run.requester.clone()));
    rows.push(row("seen at", served.link(&format!("/runs/{}", run.id))));
    page.table(2, &rows);
    for (approval, (about, why)) in &held {
        let lead = [Part::plain("  "), Part::new(approval, Tone::Strong), Part::plain("  ")];
        page.hang(lead, &[Part::new(format!("{about}: "), Tone::Accent), Part::plain(why)]);
    }
    say_solo(&mut page, served.is_solo()?);
    page.print();
    Ok(Exit::Fine)
}
