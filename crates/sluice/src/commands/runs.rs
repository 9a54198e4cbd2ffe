//! `sluice runs`: lists runs, shows one, and takes a person's word about a call in doubt.

mod session;

use serde_json::json;
use sluice_api::rights::may_end_run;
use sluice_core::label::Name;
use sluice_engine::Resolution;
use sluice_runtime::run::{Executor, about, age_ms, facts, find};
use sluice_runtime::session::story;
use sluice_runtime::workspace::Workspace;
use sluice_store::RunStatus;

use crate::cli::{CancelRun, Format, ListServed, Resolve, Runs, ShowRun};
use crate::commands::run::{block_on, only_signer, parsed, tell};
use crate::failure::{Exit, Failure};
use crate::place::{known, read, say_solo};
use crate::render::{Page, Part, Tone, json as out, time};
use crate::served;

/// Lists, shows or resolves.
///
/// # Errors
/// [`Failure`] if the ledger cannot be read, or there is no such run.
pub fn run(command: &Runs) -> Result<Exit, Failure> {
    match command {
        Runs::List(arguments) => match arguments.server.served()? {
            Some(served) => served::runs::list(&served, arguments),
            None => list(arguments),
        },
        Runs::Show(arguments) => match arguments.server.served()? {
            Some(served) => served::runs::show(&served, arguments),
            None => show(arguments),
        },
        Runs::Cancel(arguments) => match arguments.server.served()? {
            Some(served) => served::runs::cancel(&served, arguments),
            None => cancel(arguments),
        },
        Runs::Resolve(arguments) => resolve(arguments),
    }
}

fn list(arguments: &ListServed) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let mut rows = opened.ledger.read(|records| records.runs())?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.first.get()));
    if arguments.format == Format::Json {
        let wire = rows.iter().map(|row| {
            json!({
                "run": row.run.to_string(),
                "status": row.status.name(),
                "entries": row.entries,
                "started_ms": row.started_ms,
                "updated_ms": row.updated_ms,
            })
        });
        out::print(&wire.collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if rows.is_empty() {
        page.line(["nothing ran here yet"]);
    }
    let cells = rows.iter().map(|row| {
        vec![
            Part::new(row.run.to_string(), Tone::Accent),
            Part::new(row.status.name(), tone(row.status)),
            Part::new(time::short(row.started_ms), Tone::Faint),
            Part::new(format!("{} ago, {} entries", time::span(age_ms(row.updated_ms)), row.entries), Tone::Faint),
        ]
    });
    page.table(0, &cells.collect::<Vec<_>>());
    say_solo(&mut page, opened.workspace.is_solo());
    page.print();
    Ok(Exit::Fine)
}

pub(crate) fn tone(status: RunStatus) -> Tone {
    match status.name() {
        "completed" => Tone::Good,
        "refused" | "faulted" => Tone::Bad,
        _ => Tone::Warn,
    }
}

fn show(arguments: &ShowRun) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let run = find(&opened.ledger, &arguments.run)?;
    let records = facts(&opened.ledger.run(run)?)?;
    if let Some(story) = story(&records) {
        session::tell(run, &story, arguments.format, opened.workspace.is_solo())?;
        return Ok(Exit::Fine);
    }
    let outcome = Executor::open(&opened.workspace, &opened.ledger)?.look(run)?;
    tell(&outcome, arguments.format, opened.workspace.is_solo())?;
    // It was shown; how it stands is what was asked for, not how this command ended.
    Ok(Exit::Fine)
}

/// Ends a run, as the API does on the same people's word.
fn cancel(arguments: &CancelRun) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let run = find(&opened.ledger, &arguments.run)?;
    let person = arguments.person.as_deref().ok_or_else(|| Failure::usage("say who ends it: `--as PERSON`"))?;
    let person = known(opened.workspace.principals(), person)?;
    let about = about(&opened.ledger, run)?.ok_or_else(|| Failure::usage("this run has no beginning"))?;
    if !may_end_run(&opened.workspace, &person, &about.requester) {
        let why = format!(
            "`{person}` may not end a run for `{}`: they themselves may, whoever answers for them, and who manages people here",
            about.requester
        );
        return Err(Failure::refused(why));
    }
    if arguments.reason.trim().is_empty() {
        return Err(Failure::usage("say why it is ended: `--reason TEXT`"));
    }
    let executor = Executor::open(&opened.workspace, &opened.ledger)?;
    let outcome = executor.look(run)?;
    let is_over = !matches!(outcome.status.name(), "held" | "running" | "in-doubt");
    if !is_over {
        block_on(executor.cancel(run, format!("ended by `{person}`: {}", arguments.reason.trim())))??;
    }
    tell(&executor.look(run)?, arguments.format, opened.workspace.is_solo())?;
    Ok(Exit::Fine)
}

fn resolve(arguments: &Resolve) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let run = find(&opened.ledger, &arguments.run)?;
    let resolution = match &arguments.found.happened {
        Some(file) => Resolution::happened(parsed(&read(file, "reply")?, &file.display().to_string())?),
        None if arguments.found.repeat => Resolution::Repeat,
        None => Resolution::Abandon,
    };
    let person = person(&opened.workspace, arguments.person.as_deref())?;
    let executor = Executor::open(&opened.workspace, &opened.ledger)?;
    let outcome = block_on(executor.resolve(run, arguments.call.as_deref(), resolution, &person))??;
    tell(&outcome, arguments.format, opened.workspace.is_solo())
}

/// Who says so: who was named, or the one person of a solo workspace.
fn person(workspace: &Workspace, named: Option<&str>) -> Result<Name, Failure> {
    let named = named.or_else(|| only_signer(workspace.bundle()));
    let id = known(workspace.principals(), named.ok_or_else(|| Failure::usage("say who found it: `--as PERSON`"))?)?;
    if !workspace.principals().persons.entries.contains_key(&id) {
        return Err(Failure::usage(format!("`{id}` is no person: only people say what became of a call")));
    }
    Ok(id)
}
