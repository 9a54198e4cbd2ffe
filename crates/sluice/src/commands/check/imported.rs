//! Files looked at, many at once: workflows of other engines are read, lowered and surveyed.
//!
//! Of a workspace they need only its own catalogues, where it has some: what their nodes do is in the built-in ones. Whether another file of a folder
//! is meant as a workflow is found out here too, so that every file of a folder is read and parsed by all processors, and once.

mod linked;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document;
use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_core::text::Text;
use sluice_formats::{Calls, Format, Import, Opened, Siblings, format_of, open_with};
use sluice_verify::survey::survey;

use super::{Candidate, FILES_MAX, FileCheck, Subject, Wants, name_of};
use crate::failure::Failure;
use crate::place::read_up_to;
use crate::render::progress::Progress;

/// What became of a file that was looked at.
pub(super) enum Seen {
    /// A workflow of another engine, checked.
    Foreign(Box<FileCheck>),
    /// A definition of our own, or what could be one: a named file, or a text that cannot be read.
    Own,
    /// A file in a folder that is no workflow.
    NoWorkflow,
}

/// Looks at every file, and checks the workflows of other engines. In the order of the files.
///
/// # Errors
/// [`Failure`] if a file cannot be read, or the folders hold too many workflows.
pub(super) fn check_all(files: &[Candidate], jobs: Option<NonZeroUsize>, wants: Wants) -> Result<Vec<Seen>, Failure> {
    let processors = std::thread::available_parallelism().ok();
    let jobs = jobs.or(processors).map_or(1, NonZeroUsize::get);
    let found = AtomicUsize::new(0);
    let mut progress = Progress::of(files.len());
    let looked_at = side_by_side(files, jobs, |file| look_at(file, &found, wants), || progress.step())?;
    drop(progress);
    linked::follow(looked_at, files, jobs, wants)
}

/// Does the same with each of some things, many at once, until one of them fails. In the order of the things.
///
/// # Errors
/// The first [`Failure`] in that order.
fn side_by_side<T: Sync, R: Send>(
    things: &[T],
    jobs: usize,
    deed: impl Fn(&T) -> Result<R, Failure> + Sync,
    mut arrived: impl FnMut(),
) -> Result<Vec<R>, Failure> {
    let next = AtomicUsize::new(0);
    let take = || {
        let at = next.fetch_add(1, Ordering::Relaxed);
        things.get(at).map(|thing| (at, thing))
    };
    let work = |results: mpsc::Sender<(usize, Result<R, Failure>)>| {
        while let Some((at, thing)) = take() {
            let done = deed(thing);
            if done.is_err() {
                next.store(things.len(), Ordering::Relaxed);
            }
            // Nobody listens any more only where the check has ended with a panic.
            let _ = results.send((at, done));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let (results, arriving) = mpsc::channel();
        for _ in 0..jobs.min(things.len()) {
            let results = results.clone();
            scope.spawn(|| work(results));
        }
        drop(results);
        arriving.iter().inspect(|_| arrived()).collect::<Vec<_>>()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A file by itself, and, of a workflow of another engine, how it and others call each other.
type Looked = (Seen, Option<(Format, Calls)>);

/// Looks at one file, and counts the workflows that folders hold.
fn look_at(file: &Candidate, found: &AtomicUsize, wants: Wants) -> Result<Looked, Failure> {
    let seen = check(file, wants)?;
    let counts = !file.is_named && matches!(seen.0, Seen::Foreign(_) | Seen::Own);
    // Checked here, not at the end: a folder that was made to hold the check up is left early.
    if counts && found.fetch_add(1, Ordering::Relaxed) >= FILES_MAX {
        return Err(Failure::usage(format!("the folders hold more than {FILES_MAX} workflows; name fewer")));
    }
    Ok(seen)
}

fn check(file: &Candidate, wants: Wants) -> Result<Looked, Failure> {
    let what = if file.is_named { "workflow" } else { "file" };
    let bytes = read_up_to(&file.path, what, IMPORT_BYTES_MAX as u64)?;
    let name = name_of(&file.path);
    let Opened::Foreign { text, format, import } = open_with(&name, &bytes, &Siblings::default(), &file.catalogues)
    else {
        let is_own = file.is_named || could_be_own(&name, &bytes);
        return Ok((if is_own { Seen::Own } else { Seen::NoWorkflow }, None));
    };
    let calls = import.as_ref().map(|import| import.calls.clone()).unwrap_or_default();
    let (checked, _) = surveyed(text, format, import, wants);
    Ok((Seen::Foreign(Box::new(checked)), Some((format, calls))))
}

/// What is said of a file, and what is said of others whose workflows it calls.
fn surveyed(
    text: Text,
    format: Format,
    import: Result<Box<Import>, Vec<Diagnostic>>,
    wants: Wants,
) -> (FileCheck, Vec<(Arc<str>, Diagnostic)>) {
    let format = format.name();
    match import {
        Ok(mut import) => {
            let survey = survey(&import);
            let mut report = survey.report();
            report.findings.extend(import.warnings.iter().cloned());
            let facts = wants.facts.then(|| survey.facts(&import));
            let (outcome, allows) = (Ok(report), std::mem::take(&mut import.allows));
            let subject = wants.pictures.then_some(Subject::Foreign(import));
            (FileCheck { text, format, outcome, facts, allows, subject }, survey.elsewhere)
        }
        Err(errors) => {
            let outcome = Err(errors);
            (FileCheck { text, format, outcome, facts: None, allows: Vec::new(), subject: None }, Vec::new())
        }
    }
}

/// Whether a file in a folder is meant as a definition of our own: it says so, or it cannot be read and could be one.
fn could_be_own(name: &str, bytes: &[u8]) -> bool {
    document::read_bytes(name, bytes).map_or(true, |(_, node)| node.get("document").is_some())
}

/// Says of a workflow of another engine that it is verified and never run.
///
/// # Errors
/// A usage [`Failure`] that names the engine.
pub(crate) fn refuse_foreign(file: &Path, bytes: &[u8], deed: &str) -> Result<(), Failure> {
    let name = name_of(file);
    match format_of(&name, bytes) {
        None => Ok(()),
        Some(format) => Err(Failure::usage(format!(
            "`{name}` is a workflow of {format}: it cannot be {deed}, only definitions in the Open Workflow DSL can; \
             `sluice check {name}` says what it could do"
        ))),
    }
}
