//! `sluice run`: verifies a definition and drives it as far as it goes.

use std::future::Future;

use serde::Serialize;
use serde_json::Value as Json;
use sluice_core::contract::bundle::SignedBundle;
use sluice_core::label::Name;
use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_policy::Acting;
use sluice_runtime::admit::Proposed;
use sluice_runtime::proposal::{Proposal, author_in_words, proposal_id};
use sluice_runtime::run::{Executor, RunOutcome, RunStatus};
use sluice_runtime::told::resolution_in_words;
use sluice_runtime::workspace::Workspace;

use crate::cli::{Format, Run};
use crate::commands::check::imported::refuse_foreign;
use crate::commands::check::{FileCheck, name_of};
use crate::failure::{Exit, Failure};
use crate::place::{Opened, known, read, read_up_to, say_solo};
use crate::render::{Page, Part, Tone, check, json};

/// Runs the definition.
///
/// # Errors
/// [`Failure`] if work was not done; a refusal is an outcome with an exit code of its own.
pub fn run(arguments: &Run) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let bytes = read_up_to(&arguments.file, "workflow", TEXT_BYTES_MAX as u64)?;
    let input = match &arguments.input {
        Some(file) => parsed(&read(file, "input")?, &file.display().to_string())?,
        None => Json::Object(serde_json::Map::new()),
    };
    let requester = requester(&opened.workspace, arguments.requester.as_deref())?;
    let author = arguments.author.acting(opened.workspace.principals())?;
    refuse_foreign(&arguments.file, &bytes, "run")?;
    let proposed = match Proposed::read(&name_of(&arguments.file), &bytes) {
        Ok(proposed) => proposed,
        Err((text, errors)) => return unreadable(&FileCheck::native(text, Err(errors)), arguments.format),
    };
    let text = proposed.text().clone();
    let executor = Executor::open(&opened.workspace, &opened.ledger)?;
    say_other_author(&opened, &proposed, &requester, &author)?;
    let outcome = block_on(executor.start(proposed, input, &requester, author))??;
    if arguments.format == Format::Text {
        let mut page = Page::of_stdout();
        if let (RunStatus::Refused { .. }, Some(report)) =
            (&outcome.status, outcome.report.clone().filter(|_| outcome.run.is_none()))
        {
            check::findings(&mut page, &FileCheck::native(text, Ok(report)).page());
            page.gap();
        }
        page.print();
    }
    tell(&outcome, arguments.format, opened.workspace.is_solo())
}

/// The first word on who wrote a text stands: a model's text does not become a person's by running it again.
fn say_other_author(opened: &Opened, proposed: &Proposed, requester: &Name, author: &Acting) -> Result<(), Failure> {
    let id = proposal_id(proposed.closure(&opened.workspace).digest(), requester);
    let known = Proposal::find(&opened.ledger, &id)?.filter(|known| known.author != *author);
    if let (Some(known), false) = (known, *author == Acting::Unknown) {
        let words = format!(
            "this very text was recorded before, and who wrote it then: {}. That stands; a changed text is a new one",
            author_in_words(&known.author)
        );
        let mut page = Page::of_stderr();
        page.hang([Part::new("note: ", Tone::Warn)], &[Part::plain(words)]);
        page.print_error();
    }
    Ok(())
}

/// A text that cannot be read does not run; its findings say why.
fn unreadable(file: &FileCheck, format: Format) -> Result<Exit, Failure> {
    let code = file.findings().first().map_or_else(|| "SL101".to_owned(), |found| found.code.to_string());
    let why = format!("`{}` is no definition that can run", file.text.name);
    let status = RunStatus::Refused { code, why, step: None };
    if format == Format::Text {
        let mut page = Page::of_stdout();
        check::findings(&mut page, &file.page());
        page.gap();
        page.print();
    }
    tell(&RunOutcome { run: None, status, held: Vec::new(), resolved: Vec::new(), report: None }, format, false)
}

/// Runs a future on a runtime of its own: only runs need one.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    Ok(runtime.block_on(future))
}

/// JSON that a person wrote.
pub(super) fn parsed(bytes: &[u8], name: &str) -> Result<Json, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::usage(format!("`{name}` is no JSON: {error}")))
}

/// On whose behalf: who was named, or the one person of a solo workspace.
pub(super) fn requester(workspace: &Workspace, named: Option<&str>) -> Result<Name, Failure> {
    let principals = workspace.principals();
    let named = match named {
        Some(id) => id,
        None => only_signer(workspace.bundle())
            .ok_or_else(|| Failure::usage("say on whose behalf it runs: `--as PRINCIPAL`"))?,
    };
    let id = known(principals, named)?;
    if principals.models.entries.contains_key(&id) {
        return Err(Failure::usage(format!("`{id}` is a model: a run is on behalf of a person or a service")));
    }
    Ok(id)
}

/// The one who signs a solo workspace.
pub(super) fn only_signer(bundle: &SignedBundle) -> Option<&str> {
    let mut signers = bundle.signers().iter();
    match (bundle.is_solo(), signers.next(), signers.next()) {
        (true, Some(one), None) => Some(one),
        _ => None,
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    run: Option<String>,
    status: &'static str,
    output: Option<&'a Json>,
    held: Vec<HeldWire<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resolved: Vec<ResolvedWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Json>,
}

#[derive(Serialize)]
struct HeldWire<'a> {
    approval: &'a str,
    why: &'a str,
    step: &'a str,
}

#[derive(Serialize)]
struct ResolvedWire<'a> {
    call: &'a str,
    step: &'a str,
    resolution: &'static str,
    by: Option<&'a str>,
}

#[derive(Serialize)]
struct RefusalWire<'a> {
    code: &'a str,
    why: &'a str,
    step: Option<&'a str>,
}

/// Says how a run stands, and gives the exit code for it.
pub(super) fn tell(outcome: &RunOutcome, format: Format, is_solo: bool) -> Result<Exit, Failure> {
    match format {
        Format::Json => json::print(&wire(outcome))?,
        Format::Text => {
            let mut page = page(outcome);
            say_solo(&mut page, is_solo);
            page.print();
        }
    }
    Ok(match outcome.status {
        RunStatus::Completed { .. } => Exit::Fine,
        RunStatus::Held => Exit::Held,
        RunStatus::Refused { .. } => Exit::Refused,
        RunStatus::Faulted { .. } => Exit::Faulted,
    })
}

fn wire(outcome: &RunOutcome) -> Wire<'_> {
    let held = outcome.held.iter().map(|h| HeldWire { approval: &h.approval, why: &h.why, step: &h.step });
    let resolved = outcome.resolved.iter().map(|r| ResolvedWire {
        call: &r.call,
        step: &r.step,
        resolution: r.resolution.name(),
        by: r.by.as_deref(),
    });
    let mut wire = Wire {
        run: outcome.run.map(|run| run.to_string()),
        status: outcome.status.name(),
        output: None,
        held: held.collect(),
        resolved: resolved.collect(),
        refusal: None,
        error: None,
    };
    match &outcome.status {
        RunStatus::Completed { output } => wire.output = Some(output),
        RunStatus::Held => {}
        RunStatus::Refused { code, why, step } => {
            wire.refusal = Some(RefusalWire { code, why, step: step.as_deref() });
        }
        RunStatus::Faulted { error } => wire.error = Some(error),
    }
    wire
}

fn page(outcome: &RunOutcome) -> Page {
    let mut page = Page::of_stdout();
    let run = outcome.run.map_or_else(|| "not started".to_owned(), |run| format!("run {run}"));
    let head = |tone: Tone| [Part::new(outcome.status.name(), tone), Part::plain("  "), Part::new(&run, Tone::Faint)];
    match &outcome.status {
        RunStatus::Completed { output } => {
            page.line(head(Tone::Good));
            value(&mut page, output);
        }
        RunStatus::Held => {
            page.line(head(Tone::Warn));
            for held in &outcome.held {
                let lead = [Part::plain("  "), Part::new(&held.approval, Tone::Strong), Part::plain("  ")];
                page.hang(lead, &[Part::new(format!("{}: ", held.step), Tone::Accent), Part::plain(&held.why)]);
            }
            next(&mut page, outcome);
        }
        RunStatus::Refused { code, why, step } => {
            page.line(head(Tone::Bad));
            let at = step.as_ref().map_or_else(String::new, |step| format!("{step}: "));
            page.hang(
                [Part::plain("  "), Part::new(format!("{code}  "), Tone::Bad)],
                &[Part::new(at, Tone::Accent), Part::plain(why)],
            );
        }
        RunStatus::Faulted { error } => {
            page.line(head(Tone::Bad));
            value(&mut page, error);
        }
    }
    for resolved in &outcome.resolved {
        let lead = [Part::plain("  "), Part::new(&resolved.call, Tone::Strong), Part::plain("  ")];
        let words = resolution_in_words(&resolved.resolution, resolved.by.as_deref());
        page.hang(lead, &[Part::new(format!("{}: ", resolved.step), Tone::Accent), Part::plain(words)]);
    }
    page
}

fn value(page: &mut Page, value: &Json) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    for line in text.lines() {
        page.line([format!("  {line}")]);
    }
}

fn next(page: &mut Page, outcome: &RunOutcome) {
    let mut hint = |words: String| page.line([Part::new(words, Tone::Faint)]);
    if let Some(held) = outcome.held.iter().find(|h| !h.approval.starts_with("D-")) {
        hint(format!("  sluice approvals show {}", held.approval));
    }
    match outcome.run {
        Some(run) => {
            let short: String = run.to_string().chars().take(8).collect();
            hint(format!("  sluice resume {short}   once it is decided"));
        }
        None => hint("  run it again once it is signed".to_owned()),
    }
}
