//! `sluice audit --server` and `sluice health --server`: the ledger of a served Sluice, and how it stands.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Served;
use super::runs::found;
use crate::cli::{Format, Log, Prove, ShowRun};
use crate::commands::audit::when;
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Most entries of a run that are shown.
const COUNT_MAX: usize = 5_000;

#[derive(Deserialize)]
struct Line {
    index: u64,
    time_ms: u64,
    kind: String,
    run: Option<String>,
    words: String,
}

impl Line {
    fn wire(&self) -> Json {
        json!({ "index": self.index, "time_ms": self.time_ms, "kind": self.kind, "run": self.run, "words": self.words })
    }
}

#[derive(Deserialize)]
struct Solo {
    solo: bool,
}

impl Served {
    /// Whether one person alone may change its rules.
    ///
    /// # Errors
    /// [`Failure`] if it does not say.
    pub(super) fn is_solo(&self) -> Result<bool, Failure> {
        Ok(self.get::<Solo>("/health", None)?.solo)
    }
}

/// The latest entries that fit, in order.
///
/// # Errors
/// [`Failure`] if they are not to be had.
pub fn log(served: &Served, arguments: &Log) -> Result<Exit, Failure> {
    let wanted = &arguments.wanted;
    let fields = [
        ("kind", &wanted.kind),
        ("action", &wanted.action),
        ("decision", &wanted.decision),
        ("approval", &wanted.approval),
        ("run", &wanted.run),
        ("code", &wanted.code),
        ("person", &wanted.person),
        ("workflow", &wanted.workflow),
        ("dataset", &wanted.dataset),
        ("category", &wanted.category),
        ("destination", &wanted.destination),
    ];
    let query: Vec<(&str, String)> =
        fields.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let count = usize::try_from(arguments.last).unwrap_or(COUNT_MAX).min(COUNT_MAX);
    let mut lines: Vec<Line> = served.list("/ledger/entries", None, &query, count)?;
    lines.reverse();
    if arguments.format == Format::Json {
        out::print(&json!({ "version": 1, "entries": lines.iter().map(Line::wire).collect::<Vec<_>>() }))?;
    } else {
        let mut page = Page::of_stdout();
        timeline(&mut page, &lines, true);
        page.print();
    }
    Ok(Exit::Fine)
}

/// What a run did, without the data that it moved.
///
/// # Errors
/// [`Failure`] if it is not to be had.
pub fn show(served: &Served, arguments: &ShowRun) -> Result<Exit, Failure> {
    let run = found(served, &arguments.run)?;
    let lines: Vec<Line> = served.list("/runs/{id}/entries", Some(&run), &[], COUNT_MAX)?;
    if arguments.format == Format::Json {
        out::print(&json!({ "version": 1, "run": run, "entries": lines.iter().map(Line::wire).collect::<Vec<_>>() }))?;
    } else {
        let mut page = Page::of_stdout();
        page.line([Part::new("run ", Tone::Strong), Part::new(&run, Tone::Accent)]);
        timeline(&mut page, &lines, false);
        page.print();
    }
    Ok(Exit::Fine)
}

/// A proof that an entry is in the log.
///
/// # Errors
/// [`Failure`] if there is none.
pub fn prove(served: &Served, arguments: &Prove) -> Result<Exit, Failure> {
    let Some(index) = arguments.index else {
        return Err(Failure::usage(
            "what was said about an approval is proved where the ledger is, not over `--server`",
        ));
    };
    let proof = served.get_text("/ledger/entries/{id}/proof", Some(&index.to_string()))?;
    // A file format of its own: base64, hashes and line ends. What is none of it is nobody's proof.
    let is_proof = proof.lines().all(|line| line.bytes().all(|byte| matches!(byte, b' '..=b'~') || byte >= 0x80))
        && !proof.chars().any(|c| c.is_control() && c != '\n');
    if !is_proof {
        return Err(Failure::usage("SL797: what came is no proof"));
    }
    print!("{proof}");
    Ok(Exit::Fine)
}

/// How it stands.
///
/// # Errors
/// [`Failure`] if it does not say.
pub fn health(served: &Served) -> Result<Json, Failure> {
    served.get("/health", None)
}

fn timeline(page: &mut Page, lines: &[Line], names_run: bool) {
    let is_narrow = page.is_narrow();
    let rows = lines.iter().map(|line| {
        let mut row = vec![
            Part::new(format!("{:>5}", line.index), Tone::Faint),
            Part::new(when(line.time_ms, is_narrow), Tone::Faint),
        ];
        if names_run {
            let run: String = line.run.iter().flat_map(|run| run.chars().take(8)).collect();
            row.push(Part::new(run, Tone::Accent));
        }
        row.push(Part::plain(&line.kind));
        row.push(Part::plain(&line.words));
        row
    });
    page.table(0, &rows.collect::<Vec<_>>());
}
