//! How both stories tell what a check predicts, what a run does and what a sheet holds.

use serde_json::{Map, Value as Json};
use sluice_core::gate::Verdict;
use sluice_runtime::run::{RunOutcome, RunStatus};
use sluice_verify::{Report, StepReport};

use super::services::sheets::Sheet;
use crate::failure::Failure;
use crate::render::{Page, Part, Tone};

/// Rows of a sheet that are shown.
const SAMPLE_ROWS: usize = 3;

/// Longer words of a visitor, a model or a service are cut where they only illustrate.
const WORDS_MAX: usize = 240;

/// What must be so for the story to go on.
///
/// # Errors
/// [`Failure`] naming it, if it is not.
pub(super) fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::unexpected(what)) }
}

/// Somebody or something, and what they do: `Inès Moreau  approves`.
pub(super) fn does(page: &mut Page, who: &str, words: &[Part]) {
    page.hang([Part::new("▸ ", Tone::Accent), Part::new(format!("{who}  "), Tone::Strong)], words);
}

/// A detail below: `because  …`.
pub(super) fn detail(page: &mut Page, word: &str, words: impl Into<Part>) {
    let lead = if word.is_empty() { "  ".to_owned() } else { format!("  {word:<7}  ") };
    page.hang([Part::new(lead, Tone::Faint)], &[words.into()]);
}

/// The prediction for one step of a workflow: verdict, path, reasons.
///
/// # Errors
/// [`Failure`] if the report says nothing of the step, or another verdict than the story.
pub(super) fn prediction(page: &mut Page, report: &Report, action: &str, expected: Verdict) -> Result<(), Failure> {
    let step = step(report, action)?;
    let flow =
        report.findings.iter().find(|finding| finding.step.as_deref() == Some(&step.step) && !finding.flow.is_empty());
    let flow = flow.ok_or_else(|| Failure::unexpected(format!("the check shows no path to `{action}`")))?;
    expect(step.verdict == expected, &format!("the check says `{}` of `{action}`, not `{expected}`", step.verdict))?;
    does(
        page,
        "sluice check",
        &[
            Part::plain("predicts "),
            Part::new(expected.to_string(), tone(expected)),
            Part::plain(format!(" for {action}")),
        ],
    );
    detail(page, "", Part::new(format!("{} {}", flow.code, flow.name), tone(expected)));
    for stop in &flow.flow {
        let at = Part::new(format!("{}: ", last_of(&stop.step)), Tone::Faint);
        page.hang([Part::new("  → ", Tone::Accent)], &[at, Part::plain(&stop.what)]);
    }
    for reason in &step.policies {
        // Some are conditions rather than reasons, and say so themselves.
        match reason.strip_prefix("needs ") {
            Some(who) => detail(page, "needs", who),
            None => detail(page, "because", reason.as_str()),
        }
    }
    for open in step.open.iter().filter(|open| open.contains("run time")) {
        detail(page, "open", open.as_str());
    }
    Ok(())
}

fn step<'a>(report: &'a Report, action: &str) -> Result<&'a StepReport, Failure> {
    let found = report.steps.iter().find(|step| step.action == action);
    found.ok_or_else(|| Failure::unexpected(format!("the check does not mention `{action}`")))
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Permit => Tone::Good,
        Verdict::Hold => Tone::Warn,
        Verdict::Forbid => Tone::Bad,
        Verdict::Runtime => Tone::Accent,
    }
}

/// `do/1/exportToSheet` is known as `exportToSheet`.
pub(super) fn last_of(step: &str) -> &str {
    step.rsplit('/').next().unwrap_or(step)
}

/// How a run stands, in a line or two.
pub(super) fn outcome(page: &mut Page, outcome: &RunOutcome) {
    let (tone, words) = match &outcome.status {
        RunStatus::Completed { .. } => (Tone::Good, String::new()),
        RunStatus::Held => {
            let steps: Vec<&str> = outcome.held.iter().map(|held| last_of(&held.step)).collect();
            (Tone::Warn, format!(" at {}", steps.join(", ")))
        }
        RunStatus::Refused { step, .. } => {
            (Tone::Bad, step.as_ref().map_or_else(String::new, |step| format!(" at {}", last_of(step))))
        }
        RunStatus::Faulted { .. } => (Tone::Bad, String::new()),
    };
    let run = outcome.run.map(|run| run.to_string().chars().take(8).collect::<String>());
    let who = run.map_or_else(|| "no run".to_owned(), |run| format!("run {run}"));
    does(page, &who, &[Part::new(outcome.status.name(), tone), Part::plain(words)]);
    match &outcome.status {
        RunStatus::Refused { code, why, .. } => detail(page, code, why.as_str()),
        RunStatus::Faulted { error } => {
            let text = |key: &str| error.get(key).and_then(Json::as_str);
            detail(page, "error", cut(text("detail").or_else(|| text("title")).unwrap_or("of a kind without words")));
        }
        RunStatus::Completed { .. } | RunStatus::Held => {}
    }
}

/// The one thing that a run is held for.
///
/// # Errors
/// [`Failure`] if it is not held.
pub(super) fn held_for(outcome: &RunOutcome) -> Result<String, Failure> {
    match (&outcome.status, outcome.held.as_slice()) {
        (RunStatus::Held, [held]) => Ok(held.approval.clone()),
        _ => Err(Failure::unexpected(format!("a run is `{}` where it should be held", outcome.status.name()))),
    }
}

/// What a sheet holds: how many rows of what, and some of them.
pub(super) fn sheet(page: &mut Page, sheet: &Sheet, tone: Tone) {
    let columns = sheet.columns().into_iter().collect::<Vec<_>>().join(", ");
    does(
        page,
        "the sheet",
        &[
            Part::plain("holds "),
            Part::new(format!("{} rows", sheet.rows.len()), tone),
            Part::plain(format!(": {columns}")),
        ],
    );
    let telling = sheet.rows.iter().filter(|row| row.get("health_note").is_none_or(|note| !note.is_null()));
    for row in telling.take(SAMPLE_ROWS) {
        page.hang([Part::plain("  "), Part::new(format!("{}  ", cell(row, "id")), Tone::Faint)], &beside_id(row, tone));
    }
}

fn beside_id(row: &Map<String, Json>, tone: Tone) -> Vec<Part> {
    let mut parts = vec![Part::plain(format!("{}  {}", cell(row, "name"), cell(row, "balance")))];
    for column in ["last_position", "health_note"] {
        if row.contains_key(column) {
            parts.push(Part::plain(" · "));
            parts.push(Part::new(cell(row, column), tone));
        }
    }
    parts
}

fn cell(row: &Map<String, Json>, column: &str) -> String {
    match row.get(column) {
        Some(Json::String(text)) => cut(text),
        Some(other) => cut(&other.to_string()),
        None => String::new(),
    }
}

/// The beginning of words that only illustrate, whoever wrote them.
pub(super) fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(WORDS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::{cut, expect};
    use crate::failure::Exit;

    #[test]
    fn a_story_that_goes_otherwise_fails_and_says_where() {
        assert!(expect(true, "the group is unchanged").is_ok());
        let failure = expect(false, "the group is unchanged").unwrap_err();
        assert_eq!(failure.exit(), Exit::Internal);
        assert_eq!(failure.message(), "SL795: the demo did not go as its story says: the group is unchanged");
    }

    #[test]
    fn words_that_only_illustrate_are_cut_between_letters() {
        assert_eq!(cut("kurz"), "kurz");
        let long = "ř".repeat(1_000);
        assert_eq!(cut(&long).chars().count(), 241);
    }
}
