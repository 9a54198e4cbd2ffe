//! Workflows that call others among the files: each is looked at again, together with those that it calls.
//!
//! The first pass has looked at every file alone and noted its id and the ids that it calls. So only files that call one
//! of the others are read again, and what a call stands for is one look-up. Engines that call by path say `./` for the top
//! of the repository: one and the same for a file and for all that it calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_formats::{Calls, Format, Opened, Siblings, Top, open_with};

use super::{Looked, Seen, side_by_side, surveyed};
use crate::commands::check::{Candidate, FileCheck, Wants, name_of};
use crate::failure::Failure;
use crate::place::read_up_to;

/// Most files that one workflow is followed into: more would not fit the nodes that are analysed together.
const CALLED_MAX: usize = 64;

/// Which files a reference of a format stands for.
type Index = BTreeMap<(Format, Arc<str>), Vec<usize>>;

/// Follows data into the workflows that others among the files call, and back.
///
/// # Errors
/// [`Failure`] if a file cannot be read again.
pub(super) fn follow(
    mut looked_at: Vec<Looked>,
    files: &[Candidate],
    jobs: usize,
    wants: Wants,
) -> Result<Vec<Seen>, Failure> {
    let mut index = Index::new();
    for (at, (_, links)) in looked_at.iter().enumerate() {
        if let Some((format, Calls { id: Some(id), .. })) = links {
            index.entry((*format, id.clone())).or_default().push(at);
        }
    }
    let tops = tops(&looked_at);
    let mut callers = Vec::new();
    for (at, (file, (_, links))) in files.iter().zip(&looked_at).enumerate() {
        let Some((format, _)) = links else { continue };
        let called = called(at, &looked_at, &index, &tops);
        if !called.is_empty() {
            callers.push(Caller { at, file, format: *format, called });
        }
    }
    let again = side_by_side(&callers, jobs, |caller| caller.look_again(files, wants), || {})?;
    let mut elsewhere = Vec::new();
    for (caller, together) in callers.iter().zip(again) {
        let Some((checked, others)) = together else { continue };
        elsewhere.extend(others);
        if let Some((seen, _)) = looked_at.get_mut(caller.at) {
            *seen = Seen::Foreign(Box::new(checked));
        }
    }
    let mut all: Vec<Seen> = looked_at.into_iter().map(|(seen, _)| seen).collect();
    tell_there(&mut all, elsewhere);
    Ok(all)
}

/// A file that calls others among the files.
struct Caller<'f> {
    at: usize,
    file: &'f Candidate,
    format: Format,
    /// What it calls, and what those call in turn.
    called: BTreeMap<Arc<str>, Vec<usize>>,
}

impl Caller<'_> {
    /// What is said of it together with what it calls, and what is said there.
    fn look_again(&self, files: &[Candidate], wants: Wants) -> Result<Option<Together>, Failure> {
        let siblings = siblings(self.format, &self.called, files)?;
        let bytes = read_up_to(&self.file.path, "workflow", IMPORT_BYTES_MAX as u64)?;
        let opened = open_with(&name_of(&self.file.path), &bytes, &siblings, &self.file.catalogues);
        let Opened::Foreign { text, format, import } = opened else { return Ok(None) };
        Ok(Some(surveyed(text, format, import, wants)))
    }
}

/// What is said of a file, and of others whose workflows it calls.
type Together = (FileCheck, Vec<(Arc<str>, Diagnostic)>);

/// The tops of the repositories that the files tell.
fn tops(looked_at: &[Looked]) -> BTreeSet<Arc<str>> {
    let told = looked_at.iter().filter_map(|(_, links)| match &links.as_ref()?.1.top {
        Top::At(top) => Some(top.clone()),
        Top::NoPaths | Top::Unknown => None,
    });
    told.collect()
}

/// What `./` means for a file; where its own path does not tell, the nearest top above it.
fn top_of(calls: &Calls, tops: &BTreeSet<Arc<str>>) -> Top {
    let is_above = |top: &&Arc<str>| {
        let rest = calls.id.as_ref().and_then(|id| id.strip_prefix(top.as_ref()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match &calls.top {
        Top::Unknown => tops.iter().filter(is_above).max_by_key(|top| top.len()).cloned().map_or(Top::Unknown, Top::At),
        known => known.clone(),
    }
}

/// What a file calls, and what those call in turn, as far as they are among the files.
fn called(at: usize, looked_at: &[Looked], index: &Index, tops: &BTreeSet<Arc<str>>) -> BTreeMap<Arc<str>, Vec<usize>> {
    let mut called = BTreeMap::new();
    let Some((_, Some((_, links)))) = looked_at.get(at) else { return called };
    let top = top_of(links, tops);
    let id_of = |reference: &Arc<str>| match (&top, reference.strip_prefix('.')) {
        (Top::NoPaths, _) => Some(reference.clone()),
        (Top::At(top), Some(path)) => Some(format!("{top}{path}").into()),
        _ => None,
    };
    let mut open = vec![at];
    while let Some(file) = open.pop() {
        let Some((_, Some((format, links)))) = looked_at.get(file) else { continue };
        for reference in &links.calls {
            let Some(found) = id_of(reference).and_then(|id| index.get(&(*format, id))) else { continue };
            if called.len() < CALLED_MAX && called.insert(reference.clone(), found.clone()).is_none() {
                open.extend(found.iter().filter(|_| found.len() == 1));
            }
        }
    }
    called
}

fn siblings(format: Format, called: &BTreeMap<Arc<str>, Vec<usize>>, files: &[Candidate]) -> Result<Siblings, Failure> {
    let mut siblings = Siblings::of(format);
    for (reference, found) in called {
        let found: Vec<&Path> = found.iter().filter_map(|at| Some(files.get(*at)?.path.as_path())).collect();
        // One path that is named twice is one file.
        let names: BTreeSet<String> = found.iter().map(|file| name_of(file)).collect();
        match (found.first(), names.len()) {
            (Some(file), 1) => {
                let bytes = read_up_to(file, "workflow", IMPORT_BYTES_MAX as u64)?;
                siblings.add(reference.clone(), &name_of(file), &bytes);
            }
            _ => siblings.add_several(reference.clone(), names.into_iter().map(Into::into).collect()),
        }
    }
    Ok(siblings)
}

/// A finding is told at the file where it ends; what several callers tell alike, once.
fn tell_there(all: &mut [Seen], elsewhere: Vec<(Arc<str>, Diagnostic)>) {
    let mut by_name = BTreeMap::new();
    for seen in all {
        if let Seen::Foreign(checked) = seen
            && let Ok(report) = &mut checked.outcome
        {
            by_name.insert(checked.text.name.clone(), &mut report.findings);
        }
    }
    for (file, finding) in elsewhere {
        if let Some(findings) = by_name.get_mut(&file).filter(|findings| !findings.contains(&finding)) {
            findings.push(finding);
        }
    }
}
