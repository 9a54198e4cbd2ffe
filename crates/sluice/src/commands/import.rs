//! `sluice import`: the native definition of a workflow of another engine.
//!
//! What is written is read again first, and its flows are held against those of the original. A definition that would hide
//! one is not written. Nothing that exists is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::path_at;
use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_formats::Import as Original;
use sluice_formats::native::{self, Definition, Files, Opened};
use sluice_verify::survey::{Compared, Named, compare};
use sluice_verify::wire::Finding;

use crate::cli::{Format, Import};
use crate::commands::check::name_of;
use crate::failure::{Exit, Failure};
use crate::place::{folder_above, read_up_to};
use crate::render::check::{FilePage, findings};
use crate::render::{Page, Part, Tone, json};

/// The version of [`Wire`].
const VERSION: u32 = 1;

/// Translates a workflow, verifies what was made of it, and writes or shows it.
///
/// # Errors
/// [`Failure`] if the file cannot be read or is no workflow of another engine, or if a file is in the way.
pub fn run(arguments: &Import) -> Result<Exit, Failure> {
    let bytes = read_up_to(&arguments.file, "workflow", IMPORT_BYTES_MAX as u64)?;
    let name = name_of(&arguments.file);
    let Some(opened) = native::open(&name, &bytes, arguments.start.as_deref()) else {
        return Err(Failure::usage(format!("`{name}` is no workflow of an engine that can be imported")));
    };
    let made = match &opened.result {
        Ok(both) => Some(Made::of(&both.0, &both.1)?),
        Err(_) => None,
    };
    let mut told = Told { opened: &opened, made: made.as_ref(), written: Vec::new() };
    if let (Some(made), Some(out)) = (&made, &arguments.out)
        && told.may_write(arguments.partial)
    {
        told.written = write(out, &made.files)?;
    }
    match arguments.format {
        Format::Json => json::print(&told.wire(arguments))?,
        Format::Text => told.show(arguments),
    }
    Ok(if told.gaps().is_empty() { Exit::Fine } else { Exit::Findings })
}

/// A definition that was read again.
struct Made<'a> {
    definition: &'a Definition,
    files: Files,
    compared: Compared,
    /// What has no equivalent, and what would be hidden.
    gaps: Vec<Diagnostic>,
}

impl<'a> Made<'a> {
    fn of(original: &Original, definition: &'a Definition) -> Result<Self, Failure> {
        let files = definition.files();
        let compared = compare(original, definition, &files).map_err(|unreadable| {
            Failure::broken(format!("what was made of the workflow cannot be read again: {unreadable}"))
        })?;
        let mut gaps = definition.gaps.clone();
        // Of a definition with gaps nothing is claimed: the steps that are missing may carry any flow.
        if gaps.is_empty() {
            gaps.extend(
                compared.lost.iter().map(|flow| definition.hides(original, &flow.source, &flow.sink, flow.kind.name())),
            );
        }
        Ok(Self { definition, files, compared, gaps })
    }

    fn hides_something(&self) -> bool {
        self.definition.gaps.is_empty() && !self.compared.lost.is_empty()
    }
}

/// Writes the definition and its contracts, none of which may be there with another content.
fn write(out: &Path, files: &Files) -> Result<Vec<PathBuf>, Failure> {
    let beside =
        out.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let folder = folder_above(out).unwrap_or(beside);
    let mut all = vec![(out.to_path_buf(), files.definition.as_str())];
    all.extend(files.contracts.iter().map(|(path, text)| (folder.join(path), text.as_str())));
    for (path, text) in &all {
        let is_same = std::fs::read(path).is_ok_and(|known| known == text.as_bytes());
        if path.symlink_metadata().is_ok() && !is_same {
            let shown = path.display();
            return Err(Failure::usage(format!("`{shown}` is there already; `sluice import` never replaces a file")));
        }
    }
    for (path, text) in &all {
        let cannot = |error: std::io::Error| Failure::usage(format!("cannot write `{}`: {error}", path.display()));
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(cannot)?;
        }
        if path.symlink_metadata().is_err() {
            let mut file = std::fs::File::create_new(path).map_err(cannot)?;
            file.write_all(text.as_bytes()).map_err(cannot)?;
        }
    }
    Ok(all.into_iter().map(|(path, _)| path).collect())
}

/// What is told about an import.
struct Told<'a> {
    opened: &'a Opened,
    made: Option<&'a Made<'a>>,
    written: Vec<PathBuf>,
}

impl Told<'_> {
    fn gaps(&self) -> &[Diagnostic] {
        match (&self.made, &self.opened.result) {
            (Some(made), _) => &made.gaps,
            (None, Err(errors)) => errors,
            (None, Ok(_)) => &[],
        }
    }

    /// Whether there is something that may be written: all of it, or a part that says so of itself.
    fn may_write(&self, partial: bool) -> bool {
        self.made.is_some_and(|made| !made.hides_something() && (partial || made.gaps.is_empty()))
    }

    fn show(&self, arguments: &Import) {
        let shows = arguments.out.is_none() && self.may_write(arguments.partial);
        if let Some(made) = self.made.filter(|_| shows) {
            // What a terminal or a runner would obey is spelled out in it already.
            let _ = writeln!(std::io::stdout(), "{}", made.files.definition.trim_end());
        }
        let mut page = if shows { Page::of_stderr() } else { Page::of_stdout() };
        self.report(&mut page, arguments);
        if shows { page.print_error() } else { page.print() }
    }

    fn report(&self, page: &mut Page, arguments: &Import) {
        findings(page, &FilePage { text: &self.opened.text, findings: self.gaps(), report: None });
        let Some(made) = self.made else { return };
        self.notes(page, made);
        page.gap();
        let (steps, equivalent) = (made.definition.steps, made.definition.equivalent);
        let tone = if made.gaps.is_empty() { Tone::Good } else { Tone::Bad };
        let counted = format!("{equivalent} of {steps} steps have an equivalent");
        let mut words = vec![Part::new(format!("{}: ", self.opened.text.name), Tone::Strong), Part::new(counted, tone)];
        if made.gaps.is_empty() {
            words.push(Part::plain(format!("; {}", flows(&made.compared))));
        }
        page.hang(Vec::<Part>::new(), &words);
        self.ending(page, made, arguments);
    }

    /// What differs, and what a definition is judged by beyond the original.
    fn notes(&self, page: &mut Page, made: &Made<'_>) {
        let added = made.compared.added.iter().filter(|_| made.gaps.is_empty());
        let added = added.map(|f| format!("judged more strictly than the original: {}", in_words(f)));
        let notes: Vec<String> = made.definition.notes.iter().cloned().chain(added).collect();
        if notes.is_empty() {
            return;
        }
        page.gap();
        page.line([Part::new("to know", Tone::Strong)]);
        for note in notes {
            page.hang(["  - "], &[Part::plain(note)]);
        }
    }

    fn ending(&self, page: &mut Page, made: &Made<'_>, arguments: &Import) {
        if !self.may_write(arguments.partial) {
            let words = if made.hides_something() {
                "nothing was written"
            } else {
                "nothing was written; `--partial` writes what there is, as a definition that is refused until each step is replaced"
            };
            page.hang(Vec::<Part>::new(), &[Part::new(words, Tone::Warn)]);
            return;
        }
        for path in &self.written {
            page.hang(["  wrote "], &[Part::new(path.display().to_string(), Tone::Accent)]);
        }
        if self.written.is_empty() {
            let count = made.files.contracts.len();
            let words = format!("`--out FILE` writes it, and the contracts of the {count} connectors that it calls");
            page.hang(Vec::<Part>::new(), &[Part::new(words, Tone::Faint)]);
            return;
        }
        let entries = made.files.register_entries();
        if !entries.is_empty() {
            page.gap();
            page.hang(
                Vec::<Part>::new(),
                &[Part::new(
                    "the contracts need entries of the registers; who owns what is yours to say:",
                    Tone::Strong,
                )],
            );
        }
        for (path, text) in entries {
            page.line([Part::new(format!("  {path}"), Tone::Accent)]);
            for line in text.lines() {
                page.line([format!("    {line}")]);
            }
        }
        let words = "then read the contracts, sign them (`sluice policy sign`), and see what `sluice check` says: it also follows \
                     which way a run takes";
        page.gap();
        page.hang(Vec::<Part>::new(), &[Part::new(words, Tone::Faint)]);
    }

    fn wire(&self, arguments: &Import) -> Wire {
        let gap = |found: &Diagnostic| Gap {
            finding: Finding::of(found),
            path: path_at(&self.opened.tree, found.span.start),
        };
        let made = self.made.filter(|_| self.may_write(arguments.partial));
        let compared = self.made.filter(|made| made.definition.gaps.is_empty()).map(|made| &made.compared);
        let named = |flows: &BTreeSet<Named>| flows.iter().map(FlowLine::of).collect::<Vec<_>>();
        Wire {
            version: VERSION,
            file: self.opened.text.name.to_string(),
            format: self.opened.format.name(),
            starts: self.opened.starts.iter().map(ToString::to_string).collect(),
            steps: self.made.map_or(0, |made| made.definition.steps),
            equivalent: self.made.map_or(0, |made| made.definition.equivalent),
            gaps: self.gaps().iter().map(gap).collect(),
            notes: self.made.map(|made| made.definition.notes.clone()).unwrap_or_default(),
            flows: compared.map(|c| Flows { shared: named(&c.shared), lost: named(&c.lost), added: named(&c.added) }),
            definition: made.map(|made| made.files.definition.clone()),
            contracts: made.map(|made| made.files.contracts.clone()).unwrap_or_default(),
            registers: made.map(|made| made.files.register_entries().into_iter().collect()).unwrap_or_default(),
            written: self.written.iter().map(|path| path.display().to_string()).collect(),
        }
    }
}

fn flows(compared: &Compared) -> String {
    match compared.shared.len() {
        0 => "no flow is found in either".to_owned(),
        1 => "the one flow that is found in the original is found in it, too".to_owned(),
        n => format!("all {n} flows that are found in the original are found in it, too"),
    }
}

fn in_words(flow: &Named) -> String {
    format!("`{}` to `{}` ({})", flow.source, flow.sink, flow.kind.name().replace('_', " "))
}

/// The JSON of `sluice import`.
#[derive(Serialize)]
struct Wire {
    version: u32,
    file: String,
    format: &'static str,
    /// What starts the workflow.
    starts: Vec<String>,
    steps: usize,
    equivalent: usize,
    gaps: Vec<Gap>,
    notes: Vec<String>,
    /// Of a definition without gaps.
    flows: Option<Flows>,
    definition: Option<String>,
    /// By path in the workspace.
    contracts: BTreeMap<String, String>,
    /// By path in the workspace: entries that the contracts need.
    registers: BTreeMap<&'static str, String>,
    written: Vec<String>,
}

/// What has no equivalent.
#[derive(Serialize)]
struct Gap {
    #[serde(flatten)]
    finding: Finding,
    /// Its place in the tree: `nodes[3].parameters.url`.
    path: String,
}

#[derive(Serialize)]
struct Flows {
    shared: Vec<FlowLine>,
    lost: Vec<FlowLine>,
    added: Vec<FlowLine>,
}

#[derive(Serialize)]
struct FlowLine {
    source: String,
    sink: String,
    kind: &'static str,
}

impl FlowLine {
    fn of(flow: &Named) -> Self {
        Self { source: flow.source.clone(), sink: flow.sink.clone(), kind: flow.kind.name() }
    }
}
