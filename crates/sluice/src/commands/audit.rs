//! `sluice audit`: what happened and why, and whether the log still says what was written.

mod proof;

use serde_json::{Value as Json, json};
use sluice_core::document::closest;
use sluice_ledger::EntryKind;
use sluice_runtime::audit::{self, AuditReport, Line};
use sluice_runtime::incident::Incident;
use sluice_runtime::run::find;
use sluice_runtime::search::Inside;
use sluice_runtime::told::{Mood, told};
use sluice_store::Query;

use crate::cli::{Audit, Format, Log, Prove, ShowRun, VerifyLedger, Wanted};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out, time};
use crate::served;

/// Shows, lists, proves or verifies.
///
/// # Errors
/// [`Failure`] if the ledger cannot be read. That something in it does not fit is a result: exit code 1.
pub fn run(command: &Audit) -> Result<Exit, Failure> {
    match command {
        Audit::Show(arguments) => match arguments.server.served()? {
            Some(served) => served::ledger::show(&served, arguments),
            None => show(arguments),
        },
        Audit::Log(arguments) => match arguments.server.served()? {
            Some(served) => served::ledger::log(&served, arguments),
            None => log(arguments),
        },
        Audit::Prove(arguments) => match arguments.server.served()? {
            Some(served) => served::ledger::prove(&served, arguments),
            None => prove(arguments),
        },
        Audit::Verify(arguments) => verify(arguments),
    }
}

fn show(arguments: &ShowRun) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let run = find(&opened.ledger, &arguments.run)?;
    let lines = audit::show(&opened.ledger, run)?;
    if arguments.format == Format::Json {
        let entries: Vec<Json> = lines.iter().map(wire).collect();
        out::print(&json!({ "version": 1, "run": run.to_string(), "entries": entries }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    page.line([Part::new("run ", Tone::Strong), Part::new(run.to_string(), Tone::Accent)]);
    timeline(&mut page, &lines, false);
    page.print();
    Ok(Exit::Fine)
}

fn log(arguments: &Log) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let lines = audit::find(&opened.ledger, &query(&arguments.wanted)?, &inside(&arguments.wanted), arguments.last)?;
    if arguments.format == Format::Json {
        let entries: Vec<Json> = lines.iter().map(wire).collect();
        out::print(&json!({ "version": 1, "entries": entries }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if lines.is_empty() {
        page.line(["no entry fits"]);
    }
    timeline(&mut page, &lines, true);
    page.print();
    Ok(Exit::Fine)
}

/// What is asked of the sealed parts.
fn inside(wanted: &Wanted) -> Inside {
    Inside {
        person: wanted.person.clone(),
        workflow: wanted.workflow.clone(),
        dataset: wanted.dataset.clone(),
        category: wanted.category.clone(),
        destination: wanted.destination.clone(),
    }
}

/// What is asked of the store.
fn query(wanted: &Wanted) -> Result<Query, Failure> {
    let kinds = || EntryKind::REGISTERED.iter().filter_map(|kind| Some((kind.name()?, *kind)));
    let kind = wanted.kind.as_deref().map(|word| {
        let near = closest(word, kinds().map(|(name, _)| name));
        let near = near.map_or_else(String::new, |near| format!("; do you mean `{near}`?"));
        let found = kinds().find(|(name, _)| *name == word).map(|(_, kind)| kind);
        found.ok_or_else(|| Failure::usage(format!("there is no kind of entry `{word}`{near}")))
    });
    Ok(Query {
        kind: kind.transpose()?,
        action: wanted.action.clone(),
        decision: wanted.decision.clone(),
        approval: wanted.approval.clone(),
        run_begins: wanted.run.as_deref().map(str::to_lowercase),
        code: wanted.code.as_deref().map(str::to_uppercase),
        ..Query::default()
    })
}

fn prove(arguments: &Prove) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    match (&arguments.approval, arguments.index) {
        (Some(id), _) => out::print(&audit::prove_approval(&opened.ledger, id)?)?,
        // A file format of its own, without anybody's words: base64 and hashes.
        (None, Some(index)) => print!("{}", audit::prove(&opened.ledger, index)?),
        (None, None) => return Err(Failure::usage("name an entry, or an approval with --approval")),
    }
    Ok(Exit::Fine)
}

fn verify(arguments: &VerifyLedger) -> Result<Exit, Failure> {
    if let Some(file) = &arguments.proof {
        return proof::verify(file, arguments);
    }
    let folder = arguments.place.folder()?;
    let report = audit::verify(&folder)?;
    match arguments.format {
        Format::Json => out::print(&wire_report(&report))?,
        Format::Text => verdict(&report).print(),
    }
    Ok(if report.agrees() { Exit::Fine } else { Exit::Findings })
}

fn wire(line: &Line) -> Json {
    json!({
        "index": line.index,
        "time_ms": line.time_ms,
        "kind": line.kind,
        "run": line.run.map(|run| run.to_string()),
        "payload": line.payload,
        "sealed": line.sealed,
        "incident": line.incident.as_ref().map(Incident::to_json),
    })
}

/// A time; on a narrow page the day is left to whoever asks for JSON.
pub(crate) fn when(ms: u64, is_narrow: bool) -> String {
    let whole = time::short(ms);
    whole.split_once(' ').filter(|_| is_narrow).map_or(whole.clone(), |(_, time)| time.to_owned())
}

/// Entries under each other: when, what kind, what it tells.
fn timeline(page: &mut Page, lines: &[Line], names_run: bool) {
    let is_narrow = page.is_narrow();
    let rows = lines.iter().map(|line| {
        let (words, mood) = told(line);
        let tone = tone(mood);
        let run: String = line.run.map(|run| run.to_string().chars().take(8).collect()).unwrap_or_default();
        let mut row = vec![
            Part::new(format!("{:>5}", line.index), Tone::Faint),
            Part::new(when(line.time_ms, is_narrow), Tone::Faint),
        ];
        if names_run {
            row.push(Part::new(run, Tone::Accent));
        }
        row.push(Part::new(&line.kind, tone));
        row.push(Part::plain(words));
        row
    });
    page.table(0, &rows.collect::<Vec<_>>());
}

const fn tone(mood: Mood) -> Tone {
    match mood {
        Mood::Plain => Tone::Plain,
        Mood::Doing => Tone::Accent,
        Mood::Good => Tone::Good,
        Mood::Warn => Tone::Warn,
        Mood::Bad => Tone::Bad,
        Mood::Faint => Tone::Faint,
    }
}

fn wire_report(report: &AuditReport) -> Json {
    let (store, decisions) = (&report.store, &report.decisions);
    let misfit = store
        .first_misfit
        .as_ref()
        .map(|misfit| json!({ "entry": misfit.index.get(), "code": misfit.why.code(), "why": misfit.why.to_string() }));
    let differ = decisions.differ.iter().map(|(entry, why)| json!({ "entry": entry, "why": why }));
    json!({
        "version": 1,
        "agrees": report.agrees(),
        "entries": store.entries,
        "root": store.root.to_string(),
        "first_misfit": misfit,
        "misfits": store.misfits,
        "checkpoints": store.checkpoints,
        "checkpoints_unchecked": store.checkpoints_unchecked,
        "unsigned_tail": { "from": store.unsigned_tail.start, "to": store.unsigned_tail.end },
        "payloads": {
            "opened": store.payloads.opened,
            "erased": store.payloads.erased,
            "missing": store.payloads.missing,
            "wrong_key": store.payloads.wrong_key,
            "sealed": store.payloads.sealed,
        },
        "decisions": {
            "agree": decisions.agree,
            "differ": differ.collect::<Vec<_>>(),
            "other_bundle": decisions.other_bundle,
            "unopened": decisions.unopened,
        },
    })
}

fn verdict(report: &AuditReport) -> Page {
    let mut page = Page::of_stdout();
    let (store, decisions) = (&report.store, &report.decisions);
    if report.agrees() {
        page.line([Part::new("everything agrees", Tone::Good)]);
    } else {
        page.line([Part::new("the log does not agree", Tone::Bad)]);
    }
    if let Some(misfit) = &store.first_misfit {
        let lead = Part::new(format!("  entry {}  {}  ", misfit.index.get(), misfit.why.code()), Tone::Bad);
        page.hang([lead], &[Part::plain(misfit.why.to_string())]);
        if store.misfits > 1 {
            let words = format!("and {} more places that do not fit, often because of the first", store.misfits - 1);
            page.hang(["  "], &[Part::new(words, Tone::Faint)]);
        }
    }
    for (entry, why) in &decisions.differ {
        page.hang([Part::new(format!("  entry {entry}  "), Tone::Bad)], &[Part::plain(why)]);
    }
    let row = |word: &str, text: String, tone: Tone| vec![Part::new(word, Tone::Faint), Part::new(text, tone)];
    let mut rows = vec![
        row("entries", store.entries.to_string(), Tone::Plain),
        row("checkpoints", checkpoints(report), if report.has_pinned_key { Tone::Plain } else { Tone::Warn }),
    ];
    let tail = store.unsigned_tail.end.saturating_sub(store.unsigned_tail.start);
    rows.push(if tail == 0 {
        row("unsigned tail", "none: a checkpoint covers every entry".to_owned(), Tone::Plain)
    } else {
        let entries = if tail == 1 { "1 entry".to_owned() } else { format!("{tail} entries") };
        let words = format!("{entries} from {} on: no checkpoint covers this yet", store.unsigned_tail.start);
        row("unsigned tail", words, Tone::Warn)
    });
    rows.push(row("payloads", payloads(report), Tone::Plain));
    if store.first_misfit.is_some() {
        rows.push(row("decisions", "not asked again: the log must agree first".to_owned(), Tone::Warn));
    } else {
        let mut words = format!("{} asked again, same answer", decisions.agree);
        for (count, what) in [
            (decisions.differ.len() as u64, "another answer"),
            (decisions.other_bundle, "under an earlier bundle"),
            (decisions.unopened, "not opened"),
        ] {
            if count > 0 {
                words.push_str(&format!("; {count} {what}"));
            }
        }
        rows.push(row("decisions", words, Tone::Plain));
    }
    rows.push(row(
        "not shown",
        "that no older log was put back as a whole: only somebody who kept a checkpoint can tell".to_owned(),
        Tone::Faint,
    ));
    page.table(2, &rows);
    page.line([Part::new("  root  ", Tone::Faint), Part::new(store.root.to_string(), Tone::Accent)]);
    page
}

fn checkpoints(report: &AuditReport) -> String {
    if report.has_pinned_key {
        format!("{} signed by the pinned key, all agree", report.store.checkpoints)
    } else {
        format!("{} not checked: no key is pinned on this machine", report.store.checkpoints_unchecked)
    }
}

fn payloads(report: &AuditReport) -> String {
    let counts = &report.store.payloads;
    let mut words = format!("{} opened", counts.opened);
    for (count, what) in [
        (counts.erased, "erased"),
        (counts.missing, "missing or changed"),
        (counts.wrong_key, "under another key"),
        (counts.sealed, "left sealed"),
    ] {
        if count > 0 {
            words.push_str(&format!(", {count} {what}"));
        }
    }
    words
}
