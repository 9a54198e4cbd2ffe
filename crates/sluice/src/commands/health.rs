//! `sluice health`: how a workspace stands, here or served.

use serde_json::Value as Json;
use sluice_api::health::Health;

use crate::cli::{Format, ListServed};
use crate::failure::{Exit, Failure};
use crate::place::say_solo;
use crate::render::{Page, Part, Tone, json as out, time};
use crate::served;

/// Says how it stands.
///
/// # Errors
/// [`Failure`] if the ledger cannot be read, or nothing is reached.
pub fn run(arguments: &ListServed) -> Result<Exit, Failure> {
    let health = match arguments.server.served()? {
        Some(served) => served::ledger::health(&served)?,
        None => {
            let opened = arguments.place.open_with_ledger()?;
            serde_json::to_value(Health::of(&opened.workspace, &opened.ledger)?)?
        }
    };
    match arguments.format {
        Format::Json => out::print(&health)?,
        Format::Text => page(&health).print(),
    }
    Ok(Exit::Fine)
}

fn page(health: &Json) -> Page {
    let text = |key: &str| health.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| health.get(key).and_then(Json::as_u64);
    let mut page = Page::of_stdout();
    page.line([Part::new(text("workspace"), Tone::Strong), Part::new(format!("  {}", text("mode")), Tone::Faint)]);
    let row = |word: &str, text: String, tone: Tone| vec![Part::new(word, Tone::Faint), Part::new(text, tone)];
    let entries = number("entries").unwrap_or_default();
    let mut rows = vec![row("entries", entries.to_string(), Tone::Plain)];
    rows.push(match number("checkpoint_entries") {
        Some(covered) if covered == entries => row("checkpoint", "over all of them".to_owned(), Tone::Good),
        Some(covered) => row("checkpoint", format!("over {covered} of them"), Tone::Warn),
        None => row("checkpoint", "none yet".to_owned(), Tone::Warn),
    });
    rows.push(match number("clock_behind_ms").unwrap_or_default() {
        0..=1_000 => row("clock", "fine".to_owned(), Tone::Good),
        behind => row("clock", format!("{} behind the log", time::span(behind)), Tone::Bad),
    });
    rows.push(row("waits for people", number("waiting").unwrap_or_default().to_string(), Tone::Plain));
    let runs = health.get("runs").and_then(Json::as_object).into_iter().flatten();
    rows.extend(runs.map(|(status, count)| row(&format!("runs {status}"), count.to_string(), Tone::Plain)));
    page.table(2, &rows);
    page.line([Part::new("  root  ", Tone::Faint), Part::new(text("root"), Tone::Accent)]);
    say_solo(&mut page, health.get("solo").and_then(Json::as_bool).unwrap_or_default());
    page
}
