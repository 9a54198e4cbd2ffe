//! The rules of each workspace that a checked file lies in, read once, with the list of its known findings.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sluice_core::contract::governance::CATALOGUE_FOLDERS;
use sluice_core::text::Text;
use sluice_formats::{Allow, Catalogues};
use sluice_runtime::check::{BASELINE_FILE, Rules, Source};
use sluice_runtime::workspace::{FileProblem, OpenError};
use sluice_verify::Report;

use super::FileCheck;
use super::known_findings::{Left, keep};
use crate::baseline::{Baseline, can_be_known, path_from};
use crate::cli::{Check, Filters, Place};
use crate::failure::Failure;
use crate::place::{folder_above, read};

pub(super) struct Rulebook {
    /// The workspace that was named.
    named: Option<PathBuf>,
    /// The baseline that was named.
    baseline: Option<Named>,
    ruled: BTreeMap<Option<PathBuf>, Ruled>,
    built_in: Arc<Catalogues>,
    /// The workspace above each folder that was asked for: the files of a folder need not ask again.
    above: BTreeMap<PathBuf, Option<PathBuf>>,
}

struct Named {
    folder: PathBuf,
    shown: String,
    baseline: Baseline,
}

/// What a file is checked against.
pub(super) struct Ruled {
    /// Those that come with Sluice are read once a definition of our own needs them: workflows of other engines do not.
    rules: OnceCell<Rules>,
    /// The workspace.
    pub(super) folder: Option<PathBuf>,
    /// What is known of other engines' nodes: the workspace's own word, if it is signed, over what comes with Sluice.
    catalogues: Arc<Catalogues>,
    known: Option<Known>,
}

/// A list that somebody answers for.
struct Known {
    baseline: Baseline,
    /// What its paths start from.
    folder: PathBuf,
    /// In words, for the report.
    source: String,
}

impl Rulebook {
    pub(super) fn new(arguments: &Check) -> Result<Self, Failure> {
        let baseline = match &arguments.baseline {
            None => None,
            Some(file) => Some(Named {
                folder: folder_of(file)?,
                shown: file.display().to_string(),
                baseline: parse(&file.display().to_string(), &read(file, "baseline")?)?,
            }),
        };
        Ok(Self {
            named: arguments.place.workspace.clone(),
            baseline,
            ruled: BTreeMap::new(),
            built_in: Arc::default(),
            above: BTreeMap::new(),
        })
    }

    pub(super) fn of(&mut self, file: &Path) -> Result<&Ruled, Failure> {
        let folder = self.folder(file)?;
        if !self.ruled.contains_key(&folder) {
            let ruled = self.read(folder.clone())?;
            self.ruled.insert(folder.clone(), ruled);
        }
        self.ruled.get(&folder).ok_or_else(|| Failure::usage("the rules of a workspace were not read"))
    }

    fn folder(&mut self, file: &Path) -> Result<Option<PathBuf>, Failure> {
        match &self.named {
            Some(_) => Ok(Some(absolute(&Place { workspace: self.named.clone() }.folder()?)?)),
            None => Ok(self.above(file)),
        }
    }

    /// What is known of other engines' nodes where a file lies. It may be no workflow at all: rules are read only where
    /// the workspace has catalogues.
    pub(super) fn catalogues(&mut self, file: &Path) -> Result<Arc<Catalogues>, Failure> {
        let folder = self.folder(file)?;
        let has_own = folder.is_some_and(|folder| CATALOGUE_FOLDERS.iter().any(|own| folder.join(own).is_dir()));
        if has_own { Ok(Arc::clone(&self.of(file)?.catalogues)) } else { Ok(Arc::clone(&self.built_in)) }
    }

    fn above(&mut self, file: &Path) -> Option<PathBuf> {
        let folder = file.parent().unwrap_or(file);
        if let Some(known) = self.above.get(folder) {
            return known.clone();
        }
        let found = folder_above(file);
        self.above.insert(folder.to_path_buf(), found.clone());
        found
    }

    /// Rules and known findings. Where there are people who sign, nobody else's list counts.
    fn read(&self, folder: Option<PathBuf>) -> Result<Ruled, Failure> {
        let rules = folder.as_deref().map(Rules::of).transpose()?;
        let known = match (&folder, &self.baseline) {
            (Some(folder), Some(named)) => {
                return Err(Failure::usage(format!(
                    "`{}` does not count for files of the workspace `{}`: there only `{BASELINE_FILE}` does, once it is \
                     signed (`sluice policy sign`)",
                    named.shown,
                    folder.display()
                )));
            }
            (Some(folder), None) => match rules.as_ref().and_then(Rules::baseline) {
                Some(bytes) => Some(Known {
                    baseline: parse(BASELINE_FILE, bytes)?,
                    folder: folder.clone(),
                    source: format!("`{BASELINE_FILE}`, which is signed"),
                }),
                None => None,
            },
            (None, Some(named)) => Some(Known {
                baseline: named.baseline.clone(),
                folder: named.folder.clone(),
                source: format!("`{}`, which the command line names and nobody signed", named.shown),
            }),
            (None, None) => None,
        };
        let is_signed = |rules: &Rules| rules.source() == Source::Signed || rules.baseline().is_none();
        debug_assert!(rules.as_ref().is_none_or(is_signed), "only signed lists count");
        let catalogues = rules.as_ref().map(catalogues).transpose()?.unwrap_or_default();
        let rules = rules.map(OnceCell::from).unwrap_or_default();
        Ok(Ruled { rules, folder, catalogues: Arc::new(catalogues), known })
    }
}

/// What is known of other engines' nodes in a workspace, for a command that looks at one file, and which files of it do not
/// count, in words.
///
/// # Errors
/// [`Failure`] if the workspace or a catalogue of it cannot be read.
pub(in crate::commands) fn catalogues_in(folder: Option<&Path>) -> Result<(Catalogues, Vec<String>), Failure> {
    let has_own = |folder: &&Path| CATALOGUE_FOLDERS.iter().any(|own| folder.join(own).is_dir());
    let Some(folder) = folder.filter(has_own) else { return Ok((Catalogues::default(), Vec::new())) };
    let rules = Rules::of(folder)?;
    Ok((catalogues(&rules)?, unsigned(&rules)))
}

/// Which files of a workspace do not count, for nobody answers for them.
fn unsigned(rules: &Rules) -> Vec<String> {
    if rules.source() == Source::Signed {
        return Vec::new();
    }
    let words = |file: &str| {
        format!(
            "what `{file}` says of nodes: it does not count, for no signers of this workspace are pinned on this machine"
        )
    };
    rules.catalogues().map(|(path, _)| path).filter(|path| Catalogues::belongs(path)).map(words).collect()
}

/// Bad files are told in any case; good ones count only where somebody answers for them.
fn catalogues(rules: &Rules) -> Result<Catalogues, Failure> {
    let own = Catalogues::with(rules.catalogues()).map_err(|problems| {
        let text = |file: &str| {
            let bytes = rules.catalogues().find(|(path, _)| *path == file).map(|(_, bytes)| bytes);
            Text::new(file, String::from_utf8_lossy(bytes.unwrap_or_default()).as_ref())
        };
        let located = problems.into_iter().map(|p| FileProblem { text: text(&p.file), diagnostic: p.diagnostic });
        OpenError::Files { problems: located.collect() }
    })?;
    Ok(if rules.source() == Source::Signed { own } else { Catalogues::default() })
}

impl Ruled {
    pub(super) fn rules(&self) -> Result<&Rules, Failure> {
        if let Some(rules) = self.rules.get() {
            return Ok(rules);
        }
        let built_in = Rules::built_in()?;
        Ok(self.rules.get_or_init(|| built_in))
    }

    /// Whose word the rules are.
    pub(super) fn source(&self) -> Source {
        self.rules.get().map_or(Source::BuiltIn, Rules::source)
    }

    /// Says which files of the workspace do not count, for nobody answers for them.
    pub(super) fn tell_unsigned(&self, report: &mut Report) {
        report.not_shown.extend(self.rules.get().map(unsigned).unwrap_or_default());
    }

    /// Where there are people who sign, an author's word does not count.
    fn refuse_inline(&self, filters: &Filters) -> Result<(), Failure> {
        match &self.folder {
            Some(folder) if filters.accept_inline => Err(Failure::usage(format!(
                "`--accept-inline` does not count for files of the workspace `{}`: there only `{BASELINE_FILE}` does, once \
                 it is signed (`sluice policy sign`)",
                folder.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Takes out what is filtered or known. Of a text that was refused nothing is: it is not known what it would do.
    pub(super) fn narrow(&self, file: &Path, filters: &Filters, checked: &mut FileCheck) -> Result<Left, Failure> {
        self.refuse_inline(filters)?;
        let name = checked.text.name.clone();
        let Ok(report) = &mut checked.outcome else { return Ok(Left::default()) };
        let mut left = Left::default();
        let mut asked = vec![0_usize; checked.allows.len()];
        let path = match &self.known {
            Some(known) => Some((known, path_from(&known.folder, &absolute(file)?))),
            None => None,
        };
        report.findings.retain(|found| {
            let is_known = path.as_ref().is_some_and(|(known, path)| known.baseline.holds(path, found));
            let is_kept = keep(filters, found);
            left.filtered += usize::from(!is_kept);
            left.known += usize::from(is_kept && is_known);
            let asks =
                checked.allows.iter().zip(&mut asked).find(|(allow, _)| allow.covers(found) && can_be_known(found));
            let is_asked = is_kept && !is_known && asks.map(|(_, count)| *count += 1).is_some();
            is_kept && !is_known && !(is_asked && filters.accept_inline)
        });
        let asked = checked.allows.iter().zip(asked).filter(|(_, count)| *count > 0);
        left.asked.extend(asked.map(|(allow, count)| answer(&name, allow, count, filters.accept_inline)));
        left.source = self.known.as_ref().map(|known| known.source.clone());
        report.not_shown.extend(left.sentences());
        Ok(left)
    }
}

/// What became of a request, with its reason and place.
fn answer(file: &str, allow: &Allow, count: usize, is_accepted: bool) -> String {
    let Allow { code, reason, line, .. } = allow;
    let findings = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    if is_accepted {
        let word = "which nobody signed and the command line accepts";
        format!(
            "{findings} not counted: line {line} of `{file}` allows {code} because \u{201c}{reason}\u{201d}, {word}"
        )
    } else {
        let word = "counted all the same, for the author is who is being judged (outside of a workspace `--accept-inline` accepts it)";
        format!(
            "line {line} of `{file}` asks to set {findings} of {code} aside because \u{201c}{reason}\u{201d}: {word}"
        )
    }
}

fn parse(name: &str, bytes: &[u8]) -> Result<Baseline, Failure> {
    Baseline::parse(bytes).map_err(|why| {
        let help = "write it with `sluice check --write-baseline FILE`";
        Failure::usage(format!("`{name}` is no baseline: {why}; {help}"))
    })
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))
}

/// The folder that a file is in, or will be.
pub(super) fn folder_of(file: &Path) -> Result<PathBuf, Failure> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    absolute(parent)
}
