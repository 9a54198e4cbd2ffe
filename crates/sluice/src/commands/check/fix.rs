//! `sluice check --fix`: what can be mended without thinking is mended.
//!
//! A rule says how, as edits of the author's text. They are made in memory first, and the new text is looked at as the old one
//! was: only if exactly the mended findings are gone and every flow is what it was does it take the file's place.

#[cfg(test)]
mod corpus;
mod replace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use similar::TextDiff;
use sluice_core::diagnostic::{Code, Diagnostic, FlowStop, Severity};
use sluice_core::edit::{Fix, applied};
use sluice_core::program::Step;
use sluice_core::text::Span;
use sluice_formats::{Opened, open};
use sluice_verify::survey::{Flow, FlowKind, Survey, survey};

use self::replace::Target;
use super::{Checked, FileCheck, NATIVE, check_all, show};
use crate::cli::{Check, CheckFormat};
use crate::failure::{Exit, Failure};
use crate::render::escape::Escaped;
use crate::render::{Page, Part, Tone};

/// Lines of a file around each change that is shown.
const CONTEXT_LINES: usize = 3;

/// Mends the files and checks them again, or shows what would be changed.
///
/// # Errors
/// As of a check. That a file could not be mended is told, and the others are.
pub(super) fn run(arguments: &Check) -> Result<Exit, Failure> {
    if arguments.format != CheckFormat::Text {
        return Err(Failure::usage("`--fix` tells people what it did; for other formats check again without it"));
    }
    let mut before = check_all(arguments, None)?;
    let (mut told, mut diff) = (Page::of_stdout(), Page::of_stdout());
    if arguments.diff {
        told = Page::of_stderr();
    }
    let mended = mend(&mut before, arguments.diff.then_some(&mut diff), &mut told);
    tell_rest(&before.checks, mended, &mut told);
    let after = if arguments.diff {
        diff.print();
        told.print_error();
        before
    } else {
        told.gap();
        told.print();
        let after = check_all(arguments, None)?;
        show(&after.checks, after.has_workspace, &after.left_out, arguments.filters.ask_for_all());
        after
    };
    let mut left = after.checks.iter().flat_map(FileCheck::findings);
    let is_alarming = mended.refused > 0 || left.any(|found| found.severity >= Severity::Medium);
    Ok(if is_alarming { Exit::Findings } else { Exit::Fine })
}

/// How many files were mended, or would be, and how many could not be.
#[derive(Clone, Copy, Default)]
struct Mended {
    files: usize,
    refused: usize,
}

/// Mends each file that has fixes, or shows it in `diff`. What is mended is taken out of its findings.
fn mend(before: &mut Checked, mut diff: Option<&mut Page>, told: &mut Page) -> Mended {
    let (mut mended, mut seen) = (Mended::default(), BTreeSet::new());
    for (path, check) in before.paths.iter().zip(&mut before.checks) {
        // A file that is named twice is one file.
        if fixes_of(check).is_empty() || !seen.insert(path.canonicalize().unwrap_or_else(|_| PathBuf::from(path))) {
            continue;
        }
        match mend_one(path, check, diff.as_deref_mut()) {
            Ok(()) => {
                mended.files += 1;
                let (fixed, left) = take_out(check);
                let verb = if diff.is_some() { "would be fixed" } else { "fixed" };
                say(told, &check.text.name, &format!("{verb}: {}; {left} left", listed(&fixed)), Tone::Good);
            }
            Err(why) => {
                mended.refused += 1;
                say(told, &check.text.name, &format!("left as it is: {why}"), Tone::Warn);
            }
        }
    }
    mended
}

fn mend_one(path: &Path, check: &FileCheck, diff: Option<&mut Page>) -> Result<(), String> {
    let target = Target::of(path, &check.text.content)?;
    let text = mended_text(check)?;
    match diff {
        None => target.replace(&text),
        Some(page) => {
            write_diff(page, check, &text);
            Ok(())
        }
    }
}

fn fixes_of(check: &FileCheck) -> BTreeSet<&Fix> {
    check.findings().iter().filter_map(|found| found.fix.as_ref()).collect()
}

/// The text with all fixes, if the new text shows nothing else.
fn mended_text(check: &FileCheck) -> Result<String, String> {
    let fixes = fixes_of(check);
    let Some(text) = applied(&check.text.content, fixes.iter().flat_map(|fix| &fix.edits)) else {
        return Err("its fixes do not fit the text; change it by hand".to_owned());
    };
    let name = &check.text.name;
    let before = seen(name, &check.text.content)?;
    let after = seen(name, &text)?;
    let mended: BTreeSet<(Code, Span)> =
        check.findings().iter().filter(|found| found.fix.is_some()).map(|found| (found.code, found.span)).collect();
    let (gone, left): (Vec<_>, Vec<_>) =
        before.survey.findings.iter().partition(|found| mended.contains(&(found.code, found.span)));
    let is_each_seen = gone.len() >= mended.len() && before.steps.len() == after.steps.len();
    let left = left.into_iter().map(|found| after.called(unplaced(found), &before));
    if !is_each_seen || !left.eq(after.survey.findings.iter().map(unplaced)) {
        return Err("with its fixes other things would be found; change it by hand".to_owned());
    }
    // A flow is gone only where it was what is mended.
    let ended = |flow: &&Flow| !gone.iter().any(|found| before.is_end(flow, found));
    let flows = before.survey.flows.iter().filter(ended).map(|flow| after.called_flow(unplaced_flow(flow), &before));
    if !flows.eq(after.survey.flows.iter().map(unplaced_flow)) {
        return Err("with its fixes data would flow another way; change it by hand".to_owned());
    }
    Ok(text)
}

/// What is seen in a text by itself.
struct SeenAlone {
    survey: Survey,
    steps: Vec<Step>,
}

impl SeenAlone {
    /// Whether a flow is what a finding says.
    fn is_end(&self, flow: &Flow, found: &Diagnostic) -> bool {
        let span = self.steps.get(flow.sink.0 as usize).map(|step| step.span);
        !found.flow.is_empty() && span == Some(found.span) && found.fix.is_some() && flow.kind == FlowKind::Command
    }

    /// A name of a step, as it is here: one without a name of its own goes by its script.
    fn renamed(&self, words: &str, before: &Self) -> String {
        let pairs = before.steps.iter().zip(&self.steps).filter(|(old, new)| old.name != new.name);
        pairs.fold(words.to_owned(), |words, (old, new)| {
            if words == *old.name {
                return new.name.to_string();
            }
            words.replace(&format!("`{}`", old.name), &format!("`{}`", new.name))
        })
    }

    fn called(&self, found: Diagnostic, before: &Self) -> Diagnostic {
        let words = |words: &str| self.renamed(words, before);
        let annotations = found.annotations.iter().map(|(span, note)| (*span, words(note))).collect();
        let flow = found.flow.into_iter().map(|stop| FlowStop { step: words(&stop.step), ..stop }).collect();
        Diagnostic {
            message: words(&found.message),
            step: found.step.as_deref().map(words),
            annotations,
            flow,
            ..found
        }
    }

    fn called_flow(&self, flow: Flow, before: &Self) -> Flow {
        let words = |words: &str| self.renamed(words, before);
        let path = flow.path.into_iter().map(|stop| FlowStop { step: words(&stop.step), ..stop }).collect();
        Flow { path, ..flow }
    }
}

/// A text by itself, looked at as a check does, with the warnings of its reader among the findings.
fn seen(name: &str, text: &str) -> Result<SeenAlone, String> {
    match open(name, text.as_bytes()) {
        Opened::Foreign { import: Ok(import), .. } => {
            let mut survey = survey(&import);
            survey.findings.extend(import.warnings);
            Ok(SeenAlone { survey, steps: import.program.steps })
        }
        _ => Err("with its fixes it cannot be read; change it by hand".to_owned()),
    }
}

/// What is found, wherever it stands: an edit moves what is behind it.
fn unplaced(found: &Diagnostic) -> Diagnostic {
    let annotations = found.annotations.iter().map(|(_, note)| (Span::default(), note.clone())).collect();
    let flow = way(&found.flow);
    Diagnostic { span: Span::default(), annotations, flow, fix: None, ..found.clone() }
}

fn unplaced_flow(flow: &Flow) -> Flow {
    Flow { path: way(&flow.path), ..flow.clone() }
}

/// The steps of a way, each once in a row: how it goes through one may be what is mended.
fn way(stops: &[FlowStop]) -> Vec<FlowStop> {
    let bare = |stop: &FlowStop| FlowStop { span: Span::default(), what: String::new(), ..stop.clone() };
    let mut way: Vec<FlowStop> = stops.iter().map(bare).collect();
    way.dedup();
    way
}

/// Takes what is mended out of the findings: where it stood, and how many are left.
fn take_out(check: &mut FileCheck) -> (BTreeSet<(Code, &'static str, u32)>, usize) {
    let Ok(report) = &mut check.outcome else { return (BTreeSet::new(), 0) };
    let mended = report.findings.iter().filter(|found| found.fix.is_some());
    let mended = mended.map(|found| (found.code, found.name, found.span.line)).collect();
    report.findings.retain(|found| found.fix.is_none());
    (mended, report.findings.len())
}

/// `SL252 tls-off (lines 3, 9)`.
fn listed(fixed: &BTreeSet<(Code, &'static str, u32)>) -> String {
    let rules: BTreeSet<(Code, &str)> = fixed.iter().map(|(code, name, _)| (*code, *name)).collect();
    let of = |(code, name): (Code, &str)| {
        let lines = fixed.iter().filter(|(other, ..)| *other == code).map(|(_, _, line)| line.to_string());
        let lines: Vec<String> = lines.collect();
        format!("{code} {name} ({} {})", if lines.len() == 1 { "line" } else { "lines" }, lines.join(", "))
    };
    rules.into_iter().map(of).collect::<Vec<_>>().join(", ")
}

fn say(page: &mut Page, file: &str, words: &str, tone: Tone) {
    page.hang([Part::new(format!("{file}: "), Tone::Strong)], &[Part::new(words, tone)]);
}

/// What nothing was done about, and why.
fn tell_rest(checks: &[FileCheck], mended: Mended, told: &mut Page) {
    if mended.files + mended.refused == 0 {
        told.line(["nothing found here can be fixed without thinking"]);
    }
    if checks.iter().any(|check| check.format == NATIVE) {
        told.line(["definitions in the Open Workflow DSL are left as they are: there are no fixes for them yet"]);
    }
}

/// A unified diff. What could command a terminal is spelled out in it, so it is for reading.
fn write_diff(page: &mut Page, check: &FileCheck, text: &str) {
    let name = Escaped(&check.text.name).to_string();
    let diff = TextDiff::from_lines(&*check.text.content, text);
    for line in diff.unified_diff().context_radius(CONTEXT_LINES).header(&name, &name).to_string().lines() {
        let tone = match line.chars().next() {
            Some('+') => Tone::Good,
            Some('-') => Tone::Bad,
            Some('@') => Tone::Accent,
            _ => Tone::Plain,
        };
        page.line([Part::new(line, tone)]);
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::edit::Edit;
    use sluice_core::text::Text;
    use sluice_verify::Report;

    use super::*;

    const EXPORT: &str = r#"{"nodes":[
        {"name":"Mail","type":"n8n-nodes-base.gmailTrigger","typeVersion":1,"parameters":{}},
        {"name":"Do","type":"n8n-nodes-base.httpRequest","typeVersion":4.2,"parameters":{"url":"https://api.example.com/v1",
         "options":{"allowUnauthorizedCerts":true}}}],
        "connections":{"Mail":{"main":[[{"node":"Do","type":"main","index":0}]]}}}"#;

    /// What becomes of the export if the rule mended it so, and of `false` in place of the option's `true` if `edits` is empty.
    fn mended_by(edits: &[(&str, &str)]) -> Result<String, String> {
        let mut report = Report { findings: seen("e.json", EXPORT).unwrap().survey.findings, ..Report::default() };
        let found = report.findings.iter_mut().find(|found| found.fix.is_some()).unwrap();
        if !edits.is_empty() {
            let edit = |(was, text): &(&str, &str)| {
                let start = EXPORT.find(was).unwrap();
                Edit { start, end: start + was.len(), was: (*was).to_owned(), text: (*text).to_owned() }
            };
            found.fix = Some(Fix { edits: edits.iter().map(edit).collect() });
        }
        let text = Text::new("e.json", EXPORT);
        mended_text(&FileCheck {
            text,
            format: "n8n",
            outcome: Ok(report),
            facts: None,
            allows: Vec::new(),
            subject: None,
        })
    }

    #[test]
    fn a_fix_of_the_rule_passes() {
        assert_eq!(mended_by(&[]), Ok(EXPORT.replace(":true", ":false")));
    }

    #[test]
    fn a_fix_that_does_more_or_less_than_it_says_is_refused() {
        let why = |edits: &[(&str, &str)]| mended_by(edits).unwrap_err();
        let off = ("true", "false");
        assert!(why(&[("true", "true ")]).contains("other things would be found"), "its own finding stays");
        assert!(why(&[off, ("https", "https://x.example/{{ $json.a }}")]).contains("other things would be found"));
        assert!(why(&[off, (r#""name":"Do","#, "")]).contains("cannot be read"));
        assert!(why(&[off, ("]", "")]).contains("cannot be read"));
        assert!(why(&[off, ("true", "null")]).contains("do not fit the text"));
    }
}
