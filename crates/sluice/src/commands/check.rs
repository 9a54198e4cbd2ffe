//! `sluice check`: what workflows could do, without running anything.

mod fix;
pub(crate) mod imported;
mod known_findings;
pub(super) mod rulebook;

use std::collections::BTreeSet;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::diagnostic::{Diagnostic, Severity};
use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_core::text::Text;
use sluice_formats::{Allow, Catalogues, Import};
use sluice_runtime::admit::Proposed;
use sluice_runtime::check::{Rules, Source};
use sluice_verify::survey::Facts;
use sluice_verify::wire::{CheckReport, FileReport};
use sluice_verify::{Assumptions, Report};

use self::imported::Seen;
use self::known_findings::{LeftOut, NewBaseline};
use self::rulebook::Rulebook;
use crate::cli::{Check, CheckFormat};
use crate::failure::{Exit, Failure};
use crate::place::{known, read_up_to};
use crate::render::check::{FilePage, counted, not_shown, write, write_brief};
use crate::render::draw::Sketch;
use crate::render::html::Drawn;
use crate::render::{Page, Part, Tone, github, html, json, sarif};

/// The format of native definitions.
const NATIVE: &str = "open-workflow";
/// Most workflows that one check takes from folders.
const FILES_MAX: usize = 20_000;
/// With more files than this a page has no pictures: what they are made of is kept until the last file is checked.
const DRAWN_FILES_MAX: usize = 100;
/// With more files than this, those without findings get one line each.
const WHOLE_FILES_MAX: usize = 3;

/// One file, checked or refused.
pub(super) struct FileCheck {
    /// Its text.
    pub(super) text: Text,
    /// Which format it has.
    pub(super) format: &'static str,
    /// The report, or why there is none.
    pub(super) outcome: Result<Report, Vec<Diagnostic>>,
    /// Of an imported workflow, if they were asked for.
    pub(super) facts: Option<Facts>,
    /// What its author asks to be set aside.
    pub(super) allows: Vec<Allow>,
    /// What is drawn of it, if pictures were asked for.
    pub(super) subject: Option<Subject>,
}

/// What a picture is made of.
pub(super) enum Subject {
    /// A workflow of another engine.
    Foreign(Box<Import>),
    /// A definition in our own language.
    Own(Box<Proposed>),
}

/// What is wanted of each file beside its findings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wants {
    pub(super) facts: bool,
    pub(super) pictures: bool,
}

impl FileCheck {
    /// A definition in our own language.
    pub(super) const fn native(text: Text, outcome: Result<Report, Vec<Diagnostic>>) -> Self {
        Self { text, format: NATIVE, outcome, facts: None, allows: Vec::new(), subject: None }
    }

    pub(super) fn findings(&self) -> &[Diagnostic] {
        match &self.outcome {
            Ok(report) => &report.findings,
            Err(errors) => errors,
        }
    }

    pub(super) fn page(&self) -> FilePage<'_> {
        FilePage { text: &self.text, findings: self.findings(), report: self.outcome.as_ref().ok() }
    }

    /// The picture, with the findings that are left.
    fn drawn(&self) -> Drawn {
        match (&self.subject, &self.outcome) {
            (Some(Subject::Foreign(import)), Ok(report)) => Drawn::of(Sketch::of_import(import, &report.findings)),
            (Some(Subject::Own(proposed)), Ok(report)) => {
                Drawn::of(Sketch::of(proposed.program(), &report.steps, &report.findings))
            }
            _ => Drawn::Nothing,
        }
    }

    fn wire(&self) -> FileReport {
        let name = self.text.name.to_string();
        let report = match &self.outcome {
            Ok(report) => FileReport::checked(name, self.format, report),
            Err(errors) => FileReport::refused(name, self.format, errors),
        };
        FileReport { facts: self.facts.clone(), ..report }
    }
}

/// Checks every named file, and every workflow in named folders.
///
/// # Errors
/// [`Failure`] if a path or a workspace cannot be read. What is wrong with a workflow is a finding.
pub fn run(arguments: &Check) -> Result<Exit, Failure> {
    if arguments.format == CheckFormat::Text && arguments.output.is_some() {
        return Err(Failure::usage(
            "`--output` is for `--format json`, `sarif`, `github` and `html`; name one of them",
        ));
    }
    if arguments.fix {
        return fix::run(arguments);
    }
    let mut written = arguments.write_baseline.as_deref().map(NewBaseline::at).transpose()?;
    let Checked { checks, has_workspace, left_out, .. } = check_all(arguments, written.as_mut())?;
    if let Some(written) = written {
        return written.write();
    }
    let is_alarming = checks.iter().flat_map(FileCheck::findings).any(|found| found.severity >= Severity::Medium);
    let exit = if is_alarming { Exit::Findings } else { Exit::Fine };
    let pages = || checks.iter().map(FileCheck::page).collect::<Vec<_>>();
    let text = match arguments.format {
        CheckFormat::Text => {
            show(&checks, has_workspace, &left_out, arguments.filters.ask_for_all());
            return Ok(exit);
        }
        CheckFormat::Json => {
            put_json(arguments.output.as_deref(), &CheckReport::new(Wires(&checks)))?;
            // The process ends next, and takes the memory of a folder's reports back faster than they are taken apart.
            std::mem::forget(checks);
            return Ok(exit);
        }
        CheckFormat::Sarif => json::written(&sarif::Log::of(&pages(), exit))?,
        CheckFormat::Github => github::commands(&pages(), &left_out.sentences()),
        CheckFormat::Html => {
            let drawn: Vec<Drawn> = checks.iter().map(FileCheck::drawn).collect();
            let mut notes = left_out.sentences();
            if checks.len() > DRAWN_FILES_MAX {
                notes.push(format!(
                    "no pictures: there are more than {DRAWN_FILES_MAX} files; `sluice draw FILE` draws one"
                ));
            }
            html::page(&pages(), &drawn, &notes)
        }
    };
    put(arguments.output.as_deref(), &text)?;
    Ok(exit)
}

/// The reports of files as they are written, each made when its turn comes: of a folder's together a copy would be large.
struct Wires<'c>(&'c [FileCheck]);

impl Serialize for Wires<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(FileCheck::wire))
    }
}

/// Every workflow that the command line asks for, checked.
struct Checked {
    /// Where each lies.
    paths: Vec<PathBuf>,
    checks: Vec<FileCheck>,
    /// Whether each lies in a workspace.
    has_workspace: bool,
    left_out: LeftOut,
}

/// Checks them. For a new baseline nothing is left out.
fn check_all(arguments: &Check, mut written: Option<&mut NewBaseline>) -> Result<Checked, Failure> {
    let mut rulebook = Rulebook::new(arguments)?;
    let (mut paths, mut checks) = (Vec::new(), Vec::new());
    let mut has_workspace = true;
    let mut left_out = LeftOut::default();
    let mut candidates = candidates(&arguments.paths)?;
    for candidate in &mut candidates {
        candidate.catalogues = rulebook.catalogues(&candidate.path)?;
    }
    let pictures = arguments.format == CheckFormat::Html && candidates.len() <= DRAWN_FILES_MAX;
    let wants = Wants { facts: arguments.facts, pictures };
    let looked_at = imported::check_all(&candidates, arguments.jobs, wants)?;
    for (Candidate { path: file, .. }, seen) in candidates.into_iter().zip(looked_at) {
        if matches!(seen, Seen::NoWorkflow) {
            continue;
        }
        let ruled = rulebook.of(&file)?;
        has_workspace &= ruled.source() != Source::BuiltIn;
        let mut checked = match seen {
            Seen::Foreign(mut checked) => {
                checked.outcome.iter_mut().for_each(|report| ruled.tell_unsigned(report));
                *checked
            }
            _ => {
                let rules = ruled.rules()?;
                check(&file, rules, &assumptions(arguments, rules)?, wants)?
            }
        };
        if let Some(written) = written.as_deref_mut() {
            written.add(&file, ruled, &checked)?;
        } else {
            left_out.add(ruled.narrow(&file, &arguments.filters, &mut checked)?);
        }
        checks.push(checked);
        paths.push(file);
    }
    Ok(Checked { paths, checks, has_workspace, left_out })
}

/// What is taken for given of whoever asks.
fn assumptions(arguments: &Check, rules: &Rules) -> Result<Assumptions, Failure> {
    let requester = match &arguments.requester {
        Some(id) => Some(known(&rules.governance().registers.principals, id)?),
        None => None,
    };
    let (signed, solo) = (rules.asks_for_signature(), rules.is_solo());
    Ok(Assumptions { requester, signed, solo, ..Assumptions::default() })
}

/// Writes a result to the named file, or to the standard output, where a reader that went away is no error.
pub(super) fn put(output: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(file) = output else {
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n'));
        return Ok(());
    };
    let written = std::fs::File::create(file).and_then(|mut file| {
        file.write_all(text.trim_end_matches('\n').as_bytes())?;
        file.write_all(b"\n")
    });
    written.map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", file.display())))
}

/// Writes JSON where `--output` says, piece by piece.
fn put_json(output: Option<&Path>, value: &impl Serialize) -> Result<(), Failure> {
    let Some(file) = output else { return Ok(json::print(value)?) };
    let written = std::fs::File::create(file).and_then(|to| {
        let mut to = BufWriter::with_capacity(json::PIECE_BYTES, to);
        json::write(&mut to, value)?;
        to.write_all(b"\n")?;
        to.flush()
    });
    written.map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", file.display())))
}

/// Reads and checks one file.
pub(super) fn check(file: &Path, rules: &Rules, assumptions: &Assumptions, wants: Wants) -> Result<FileCheck, Failure> {
    let bytes = read_up_to(file, "workflow", TEXT_BYTES_MAX as u64)?;
    Ok(match Proposed::read(&name_of(file), &bytes) {
        Ok(proposed) => {
            let mut report = rules.check(&proposed, assumptions);
            report.findings.extend(proposed.warnings().iter().cloned());
            let checked = FileCheck::native(proposed.text().clone(), Ok(report));
            FileCheck { subject: wants.pictures.then(|| Subject::Own(Box::new(proposed))), ..checked }
        }
        Err((text, errors)) => FileCheck::native(text, Err(errors)),
    })
}

pub(crate) fn name_of(file: &Path) -> String {
    let shown = file.display().to_string();
    shown.strip_prefix("./").map_or_else(|| shown.clone(), str::to_owned)
}

fn show(checks: &[FileCheck], has_workspace: bool, left_out: &LeftOut, all: bool) {
    let mut page = Page::of_stdout();
    let whole = |check: &&FileCheck| checks.len() <= WHOLE_FILES_MAX || !check.findings().is_empty();
    let said = said_of_all(checks);
    for check in checks.iter().filter(whole) {
        page.gap();
        write(&mut page, &check.page(), &said, all);
    }
    page.gap();
    for check in checks.iter().filter(|check| !whole(check)) {
        write_brief(&mut page, &check.page());
    }
    if checks.is_empty() {
        page.line(["no workflow found: no file is an export of n8n, Step Functions, Logic Apps or Dify, a workflow of GitHub Actions, or has `document: { dsl: … }`"]);
    }
    if checks.len() > 1 {
        not_shown(&mut page, "not shown, in any of them", said.iter().copied());
        page.gap();
        let all: Vec<Diagnostic> = checks.iter().flat_map(FileCheck::findings).cloned().collect();
        let refused = checks.iter().filter(|check| check.outcome.is_err()).count();
        let mut words = vec![Part::new(format!("{} files: ", checks.len()), Tone::Strong)];
        words.extend(counted(&all));
        words.push(Part::plain(if refused > 0 { format!("; {refused} refused") } else { String::new() }));
        page.hang(Vec::<Part>::new(), &words);
    }
    let codes: Vec<String> = worst_code(checks).into_iter().collect();
    if let Some(code) = codes.first() {
        page.hang(Vec::<Part>::new(), &[Part::new(format!("`sluice explain {code}` says more"), Tone::Faint)]);
    }
    for sentence in left_out.sentences() {
        page.hang(Vec::<Part>::new(), &[Part::new(sentence, Tone::Warn)]);
    }
    if !has_workspace {
        let words = "no workspace: with one (`sluice init`), contracts say what your services read, reveal and change, and \
                     policy says of each step of a native workflow whether it may run";
        page.hang(Vec::<Part>::new(), &[Part::new(words, Tone::Warn)]);
    }
    page.print();
}

/// What was not shown in any of several files: said once.
fn said_of_all(checks: &[FileCheck]) -> BTreeSet<&str> {
    let reports = checks.iter().filter_map(|check| check.outcome.as_ref().ok());
    let mut lists = reports.map(|report| report.not_shown.iter().map(String::as_str).collect::<BTreeSet<_>>());
    match (lists.next(), checks.len()) {
        (Some(first), 2..) => lists.fold(first, |all, list| &all & &list),
        _ => BTreeSet::new(),
    }
}

/// The code that matters most, for a hint at its page.
fn worst_code(checks: &[FileCheck]) -> Option<String> {
    let findings = checks.iter().flat_map(FileCheck::findings).filter(|f| f.severity >= Severity::Medium);
    findings.max_by_key(|f| (f.severity, std::cmp::Reverse(f.code))).map(|f| f.code.to_string())
}

/// A file that may be a workflow.
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// Whether the command line names it. Of a folder's files only those count that are meant as workflows.
    pub(super) is_named: bool,
    /// What is known of other engines' nodes where it lies.
    pub(super) catalogues: Arc<Catalogues>,
}

impl Candidate {
    fn new(path: PathBuf, is_named: bool) -> Self {
        Self { path, is_named, catalogues: Arc::default() }
    }
}

/// Every named file, and every text of every named folder, sorted. What is in them is not looked at yet.
fn candidates(paths: &[PathBuf]) -> Result<Vec<Candidate>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let about = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::usage(format!("there is no file or folder `{}`", path.display())),
            _ => Failure::usage(format!("cannot read `{}`: {error}", path.display())),
        })?;
        if about.is_dir() {
            all.extend(texts_in(path)?.into_iter().map(|path| Candidate::new(path, false)));
        } else {
            all.push(Candidate::new(path.clone(), true));
        }
    }
    Ok(all)
}

fn texts_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot =
        |path: &Path, error: &std::io::Error| Failure::usage(format!("cannot read `{}`: {error}", path.display()));
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        let is_workspace = at.join(sluice_core::contract::workspace::WORKSPACE_FILE).is_file();
        for entry in std::fs::read_dir(&at).map_err(|error| cannot(&at, &error))? {
            let entry = entry.map_err(|error| cannot(&at, &error))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            // A workspace's rules are no workflows, and hidden folders hold no text of people, but for GitHub's workflows.
            let skipped = name.starts_with('.') && name != ".github"
                || is_workspace && (BundleFiles::belongs(&name) || BundleFiles::belongs(&format!("{name}/x")));
            let kind = entry.file_type().map_err(|error| cannot(&path, &error))?;
            if skipped {
                continue;
            }
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() && is_text(&path) && !is_setting(folder, &path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file that a folder's `.github` holds is neither a workflow nor an action, but a setting of something else.
fn is_setting(folder: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let mut names = below.iter().skip_while(|name| *name != ".github").skip(1);
    let is_action = path.file_stem().is_some_and(|name| name == "action");
    names.next().is_some_and(|first| first != "workflows" && !is_action)
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}
