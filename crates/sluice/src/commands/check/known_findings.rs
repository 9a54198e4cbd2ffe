//! What a check leaves out because it was told to, and the list of known findings that it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sluice_core::diagnostic::Diagnostic;
use sluice_runtime::check::BASELINE_FILE;

use super::rulebook::{Ruled, absolute, folder_of};
use super::{FileCheck, put};
use crate::baseline::{Baseline, can_be_known, path_from};
use crate::cli::Filters;
use crate::failure::{Exit, Failure};
use crate::place::read;
use crate::render::json;
use crate::render::{Page, Part};

/// Whether the command line asks for a finding. What says that nothing was analysed is not asked for: it is told.
pub(super) fn keep(filters: &Filters, found: &Diagnostic) -> bool {
    let is_asked = filters.min_severity.is_none_or(|least| found.severity >= least)
        && filters.min_confidence.is_none_or(|least| found.confidence >= least)
        && (filters.code.is_empty() || filters.code.contains(&found.code))
        && !filters.ignore.contains(&found.code);
    is_asked || !can_be_known(found)
}

/// How many findings of one file were left out, and by whose word.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    pub(super) filtered: usize,
    pub(super) known: usize,
    pub(super) source: Option<String>,
    /// What authors ask for, and what became of it.
    pub(super) asked: Vec<String>,
}

impl Left {
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = LeftOut::default();
        all.add(self.clone());
        all.sentences()
    }
}

/// The same of all files.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    filtered: usize,
    known: BTreeMap<String, usize>,
    asked: Vec<String>,
}

impl LeftOut {
    pub(super) fn add(&mut self, left: Left) {
        self.filtered += left.filtered;
        self.asked.extend(left.asked);
        if let Some(source) = left.source.filter(|_| left.known > 0) {
            *self.known.entry(source).or_default() += left.known;
        }
    }

    /// One sentence per reason; none if nothing was left out.
    pub(super) fn sentences(&self) -> Vec<String> {
        let counted = |count: usize| if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
        let known = self
            .known
            .iter()
            .map(|(source, count)| format!("{} not counted: known by the baseline {source}", counted(*count)));
        let filtered = Some(self.filtered).filter(|count| *count > 0);
        let filtered =
            filtered.map(|count| format!("{} not counted: the command line asks for others", counted(count)));
        known.chain(filtered).chain(self.asked.iter().cloned()).collect()
    }
}

/// A baseline that is being written.
pub(super) struct NewBaseline {
    file: PathBuf,
    /// The workspaces of the files; `None` for files outside of any.
    workspaces: BTreeSet<Option<PathBuf>>,
    found: Vec<(String, Diagnostic)>,
}

impl NewBaseline {
    /// Where there is something else already, nothing is written over it.
    pub(super) fn at(file: &Path) -> Result<Self, Failure> {
        if file.exists() && Baseline::parse(&read(file, "baseline")?).is_err() {
            let help = "name another file";
            return Err(Failure::usage(format!("`{}` is there already and is no baseline; {help}", file.display())));
        }
        Ok(Self { file: file.to_path_buf(), workspaces: BTreeSet::new(), found: Vec::new() })
    }

    pub(super) fn add(&mut self, file: &Path, ruled: &Ruled, checked: &FileCheck) -> Result<(), Failure> {
        self.workspaces.insert(ruled.folder.clone());
        if self.workspaces.len() > 1 {
            return Err(Failure::usage("these files lie in several workspaces; write a baseline for each"));
        }
        let folder = match &ruled.folder {
            Some(folder) => folder.clone(),
            None => folder_of(&self.file)?,
        };
        let path = path_from(&folder, &absolute(file)?);
        let analysed = checked.outcome.iter().flat_map(|report| &report.findings);
        self.found.extend(analysed.map(|found| (path.clone(), found.clone())));
        Ok(())
    }

    pub(super) fn write(self) -> Result<Exit, Failure> {
        let baseline = Baseline::of(self.found.iter().map(|(path, found)| (path.clone(), found)));
        put(Some(&self.file), &json::written(&baseline)?)?;
        let counted = if baseline.len() == 1 { "1 finding".to_owned() } else { format!("{} findings", baseline.len()) };
        let next = if self.workspaces.iter().any(Option::is_some) {
            format!("it counts as `{BASELINE_FILE}` of the workspace, once that is signed (`sluice policy sign`)")
        } else {
            format!("name it with `--baseline {}`", self.file.display())
        };
        let mut page = Page::of_stdout();
        let words = format!("wrote {counted} into {}; {next}", self.file.display());
        page.hang(Vec::<Part>::new(), &[Part::plain(words)]);
        page.print();
        Ok(Exit::Fine)
    }
}
