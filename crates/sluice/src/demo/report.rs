//! The first story: a report that takes along more than was asked for.

use serde_json::{Value as Json, json};
use sluice_core::contract::approval::Decision;
use sluice_core::gate::Verdict;
use sluice_ledger::RunId;
use sluice_runtime::run::RunStatus;

use super::directly::call;
use super::house::{House, WORKFLOW_OWNER, name_of};
use super::services::Services;
use super::services::crm::LAST_MONTH;
use super::services::sheets::Sheet;
use super::stage::Stage;
use super::told::{detail, does, expect, held_for, outcome, prediction, sheet};
use super::trail::trail;
use crate::failure::Failure;
use crate::render::{Page, Part, Tone};

/// Who asks for the report.
pub(super) const REQUESTER: &str = "lena.fischer";
const EXPORT: &str = "sheets.rows.write";
const REDACTED: &str = "report-redacted";
const SHEET: &str = "monthly-balances";
const ASKED_FOR: [&str; 3] = ["id", "name", "balance"];
const TAKEN_ALONG: [&str; 5] = ["id", "name", "balance", "last_position", "health_note"];

/// How the story ended.
pub(super) struct Told {
    /// Rows that left with everybody's agreement.
    pub(super) rows: usize,
    /// The completed run.
    pub(super) run: RunId,
}

/// What a run of these workflows is given.
pub(super) fn input() -> Json {
    json!({ "month": LAST_MONTH })
}

/// Plays it: without Sluice against `open`, with it against `gated`.
///
/// # Errors
/// [`Failure`] if something else happened than the story says.
pub(super) async fn play(
    stage: &mut Stage,
    open: &Services,
    gated: &Services,
    house: &House<'_>,
) -> Result<Told, Failure> {
    stage.heading("A. The report");
    opening(stage, house)?;
    stage.pause().await;
    let mut without = stage.column();
    leaves(&mut without, open).await?;
    let mut with = stage.column();
    stopped(&mut with, gated, house).await?;
    stage.compare(("without Sluice", Tone::Bad, &without), ("with Sluice", Tone::Good, &with));
    stage.pause().await;

    let mut page = stage.page();
    let words = "Two ways to mend it. The model drops the two fields; or the report stays as it is, and functions that the \
                 data's owners put into the signed bundle take them out.";
    page.hang(Vec::<Part>::new(), &[words.into()]);
    stage.show(page);
    let mut reduced = stage.column();
    let (run, _) = mended(&mut reduced, gated, house, "report-reduced").await?;
    let mut redacted = stage.column();
    let (_, rows) = mended(&mut redacted, gated, house, REDACTED).await?;
    stage.compare(("the fields dropped", Tone::Good, &reduced), ("the fields redacted", Tone::Good, &redacted));
    stage.pause().await;

    let mut page = stage.page();
    trail(&mut page, house, run, EXPORT)?;
    stage.show(page);
    stage.pause().await;
    Ok(Told { rows, run })
}

fn opening(stage: &Stage, house: &House<'_>) -> Result<(), Failure> {
    let mut page = stage.page();
    let words = format!(
        "{}, financial analyst, asks a model for “a workflow that puts the month's balances into the shared spreadsheet”. \
         What it wrote works, and takes along more than was asked for:",
        name_of(REQUESTER)
    );
    page.hang(Vec::<Part>::new(), &[words.into()]);
    source(&mut page, house, "report", "rows:")?;
    stage.show(page);
    Ok(())
}

/// One line of a workflow, with its number.
fn source(page: &mut Page, house: &House<'_>, workflow: &str, word: &str) -> Result<(), Failure> {
    let proposed = house.proposed(workflow)?;
    let lines = proposed.text().content.lines().enumerate();
    for (number, line) in lines.filter(|(_, line)| line.contains(word)) {
        page.hang([Part::new(format!("{:>4} │ ", number + 1), Tone::Faint)], &[Part::new(line.trim(), Tone::Accent)]);
    }
    Ok(())
}

/// The same calls, with nothing in between.
async fn leaves(page: &mut Page, open: &Services) -> Result<(), Failure> {
    let target = format!("/accounts?fields={}&month={LAST_MONTH}&limit=5000", TAKEN_ALONG.join(","));
    let reply = call(open.crm.server(), "GET", &target, None).await?;
    let rows = reply.get("accounts").cloned().unwrap_or_default();
    does(page, "fetchAccounts", &[format!("reads the accounts of {LAST_MONTH} from the CRM").into()]);
    call(open.sheets.server(), "POST", &format!("/sheets/{SHEET}/rows"), Some(&json!({ "rows": rows }))).await?;
    does(page, "exportToSheet", &["writes them to a spreadsheet in another region".into()]);
    let held = arrived(open)?;
    sheet(page, &held, Tone::Bad);
    let notes = held.rows.iter().filter(|row| row.get("health_note").is_some_and(Json::is_string)).count();
    expect(columns(&held) == TAKEN_ALONG && notes > 0, "without Sluice the positions and health notes arrive")?;
    let words = format!(
        "where {} people are, to about a metre, and what ails {notes} of them. Nobody was asked.",
        held.rows.len()
    );
    does(page, "left", &[Part::new(words, Tone::Bad)]);
    Ok(())
}

async fn stopped(page: &mut Page, gated: &Services, house: &House<'_>) -> Result<(), Failure> {
    prediction(page, &house.check("report", REQUESTER)?, EXPORT, Verdict::Hold)?;
    signed(page, house, "report")?;
    let held = house.run("report", input(), REQUESTER).await?;
    outcome(page, &held);
    let approval = held_for(&held)?;
    let waiting = house.waiting(&approval)?;
    let deciders = house.deciders(&waiting);
    expect(deciders.len() == 3, "three owners are asked")?;
    for who in deciders {
        detail(page, "needs", who);
    }
    let why = "dialysis days are no column of a spreadsheet";
    house.decide(&approval, "tomas.hruby", Decision::Deny, why)?;
    does(page, name_of("tomas.hruby"), &[Part::new("denies", Tone::Bad), Part::plain(format!(": “{why}”"))]);
    let run = held.run.ok_or_else(|| Failure::unexpected("a held run has an id"))?;
    let refused = house.resume(run).await?;
    outcome(page, &refused);
    expect(matches!(refused.status, RunStatus::Refused { .. }), "a denied run is refused")?;
    expect(gated.sheets.names().is_empty(), "nothing arrived at the spreadsheet service")?;
    does(
        page,
        "left",
        &[Part::new("nothing", Tone::Good), Part::plain(". The spreadsheet service was not even called.")],
    );
    expect(gated.sheets.server().requests().is_empty(), "the spreadsheet service was not called")
}

/// A variant that its owner agrees to; gives the run and how many rows left.
async fn mended(
    page: &mut Page,
    gated: &Services,
    house: &House<'_>,
    workflow: &str,
) -> Result<(RunId, usize), Failure> {
    source(page, house, workflow, if workflow == REDACTED { "entry:" } else { "rows:" })?;
    let report = house.check(workflow, REQUESTER)?;
    let export = report.steps.iter().find(|step| step.action == EXPORT);
    expect(export.is_some_and(|step| step.verdict == Verdict::Hold), "the balances alone are held")?;
    does(
        page,
        "sluice check",
        &[Part::plain("predicts "), Part::new("hold", Tone::Warn), Part::plain(", for the balances alone")],
    );
    signed(page, house, workflow)?;
    let held = house.run(workflow, input(), REQUESTER).await?;
    outcome(page, &held);
    let approval = held_for(&held)?;
    let deciders = house.deciders(&house.waiting(&approval)?);
    expect(deciders.len() == 1, "one owner is asked")?;
    for who in deciders {
        detail(page, "needs", who);
    }
    house.decide(&approval, "ines.moreau", Decision::Approve, "for the September report")?;
    does(page, name_of("ines.moreau"), &[Part::new("approves", Tone::Good)]);
    let run = held.run.ok_or_else(|| Failure::unexpected("a held run has an id"))?;
    let done = house.resume(run).await?;
    outcome(page, &done);
    expect(matches!(done.status, RunStatus::Completed { .. }), "an approved run completes")?;
    let held = arrived(gated)?;
    sheet(page, &held, Tone::Good);
    expect(columns(&held) == ASKED_FOR, "the sheet holds what was asked for and nothing else")?;
    Ok((run, held.rows.len()))
}

fn signed(page: &mut Page, house: &House<'_>, workflow: &str) -> Result<(), Failure> {
    let waiting = house.sign_definition(workflow, REQUESTER)?;
    expect(waiting.is_satisfied, "one signature is enough for a definition")?;
    does(page, name_of(WORKFLOW_OWNER), &["signs the definition; its gates stay".into()]);
    Ok(())
}

fn arrived(services: &Services) -> Result<Sheet, Failure> {
    services.sheets.sheet(SHEET).ok_or_else(|| Failure::unexpected("the sheet is there"))
}

fn columns(sheet: &Sheet) -> Vec<&str> {
    sheet.columns().into_iter().collect()
}
