//! An agent's session, as `sluice runs show` tells it: each call, and what became of it.

use serde_json::{Value as Json, json};
use sluice_engine::CallOutcome;
use sluice_ledger::RunId;
use sluice_runtime::session::{CallState, CallStory, Story};

use crate::cli::Format;
use crate::failure::Failure;
use crate::place::say_solo;
use crate::render::{Page, Part, Tone, json as out};

/// Prints it.
///
/// # Errors
/// [`Failure`] if it cannot be written as JSON.
pub(super) fn tell(run: RunId, story: &Story, format: Format, is_solo: bool) -> Result<(), Failure> {
    if format == Format::Json {
        out::print(&wire(run, story))?;
        return Ok(());
    }
    let mut page = Page::of_stdout();
    let (word, tone) = if story.is_over { ("over", Tone::Good) } else { ("open", Tone::Warn) };
    page.line([Part::new(word, tone), "  ".into(), Part::new(format!("session {run}"), Tone::Faint)]);
    let said = |key: &str| story.mandate.get(key).and_then(Json::as_str).map(str::to_owned);
    let about = [("for", said("for")), ("client", said("client")), ("request", said("request"))];
    let rows = about.into_iter().filter_map(|(word, text)| Some(vec![Part::new(word, Tone::Faint), text?.into()]));
    page.table(2, &rows.collect::<Vec<_>>());
    if story.calls.is_empty() {
        page.line(["  it called nothing"]);
    }
    for call in &story.calls {
        let (word, tone, why) = in_words(&call.state);
        let lead = [Part::new(format!("  {}  ", call.number), Tone::Faint)];
        let why = why.map_or_else(String::new, |why| format!("  {why}"));
        page.hang(lead, &[Part::new(&call.action, Tone::Accent), "  ".into(), Part::new(word, tone), why.into()]);
        if let Some(arguments) = &call.arguments {
            page.hang(["     "], &[Part::new(arguments.to_string(), Tone::Faint)]);
        }
    }
    say_solo(&mut page, is_solo);
    page.print();
    Ok(())
}

fn in_words(state: &CallState) -> (&'static str, Tone, Option<String>) {
    match state {
        CallState::Held { approval, why } => ("held", Tone::Warn, Some(format!("{approval}: {why}"))),
        CallState::Denied { code, why } => ("denied", Tone::Bad, Some(format!("{code}: {why}"))),
        CallState::UnderWay => ("under way", Tone::Warn, None),
        CallState::Over(outcome) => match outcome {
            CallOutcome::Replied { .. } => ("replied", Tone::Good, None),
            CallOutcome::Failed { detail } => ("failed", Tone::Bad, Some(detail.to_string())),
            CallOutcome::InDoubt { why } => ("in doubt", Tone::Warn, Some(why.clone())),
            CallOutcome::Breach { why } => ("breach", Tone::Bad, Some(why.clone())),
        },
    }
}

fn wire(run: RunId, story: &Story) -> Json {
    json!({
        "run": run.to_string(),
        "status": if story.is_over { "over" } else { "open" },
        "session": story.mandate,
        "calls": story.calls.iter().map(call).collect::<Vec<_>>(),
    })
}

fn call(call: &CallStory) -> Json {
    let (word, _, why) = in_words(&call.state);
    let approval = match &call.state {
        CallState::Held { approval, .. } => Some(approval),
        _ => None,
    };
    let reply = match &call.state {
        CallState::Over(CallOutcome::Replied { reply, .. }) => Some(reply),
        _ => None,
    };
    json!({
        "call": call.number,
        "action": call.action,
        "arguments": call.arguments,
        "state": word,
        "why": why,
        "approval": approval,
        "reply": reply,
        "entries": call.entries,
    })
}
