//! Workflows of other engines: read, lowered and surveyed, many at once.
//!
//! They need no rules of a workspace: what their nodes do is in the built-in catalogues.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_formats::{Opened, format_of, open};
use sluice_verify::survey::survey;

use super::{FileCheck, name_of};
use crate::failure::Failure;
use crate::place::read_up_to;

/// Checks every file that is a workflow of another engine; `None` stands for any other.
///
/// # Errors
/// [`Failure`] if a file cannot be read.
pub(super) fn check_all(
    files: &[PathBuf],
    jobs: Option<NonZeroUsize>,
    facts: bool,
) -> Result<Vec<Option<FileCheck>>, Failure> {
    let processors = std::thread::available_parallelism().ok();
    let jobs = jobs.or(processors).map_or(1, NonZeroUsize::get).min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some((at, file)) = take(&next, files) {
                    let checked = check(file, facts);
                    // A poisoned lock means that another check panicked: the scope ends with that panic.
                    if let Ok(mut done) = done.lock() {
                        done.push((at, checked));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, checked)| checked).collect()
}

fn take<'f>(next: &AtomicUsize, files: &'f [PathBuf]) -> Option<(usize, &'f Path)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    files.get(at).map(|file| (at, file.as_path()))
}

fn check(file: &Path, facts: bool) -> Result<Option<FileCheck>, Failure> {
    let bytes = read_up_to(file, "workflow", IMPORT_BYTES_MAX as u64)?;
    let Opened::Foreign { text, format, import } = open(&name_of(file), &bytes) else { return Ok(None) };
    let format = format.name();
    Ok(Some(match import {
        Ok(import) => {
            let survey = survey(&import);
            let mut report = survey.report();
            report.findings.extend(import.warnings.iter().cloned());
            let facts = facts.then(|| survey.facts(&import));
            FileCheck { text, format, outcome: Ok(report), facts, allows: import.allows }
        }
        Err(errors) => FileCheck { text, format, outcome: Err(errors), facts: None, allows: Vec::new() },
    }))
}

/// Says of a workflow of another engine that it is verified and never run.
///
/// # Errors
/// A usage [`Failure`] that names the engine.
pub(in crate::commands) fn refuse_foreign(file: &Path, bytes: &[u8], deed: &str) -> Result<(), Failure> {
    let name = name_of(file);
    match format_of(&name, bytes) {
        None => Ok(()),
        Some(format) => Err(Failure::usage(format!(
            "`{name}` is a workflow of {format}: it cannot be {deed}, only definitions in the Open Workflow DSL can; \
             `sluice check {name}` says what it could do"
        ))),
    }
}
