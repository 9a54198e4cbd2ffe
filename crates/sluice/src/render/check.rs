//! What `sluice check` shows people: findings first, then each call with its verdict, then what was not shown.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_core::gate::Verdict;
use sluice_core::text::Text;
use sluice_verify::{Report, StepReport};

use super::diagnostic::{self, tone};
use super::page::{Page, Part, Tone};

/// One file's part of the page.
pub struct FilePage<'a> {
    /// Its text, under the name it was given by.
    pub text: &'a Text,
    /// What was found, in any order.
    pub findings: &'a [Diagnostic],
    /// The verifier's report; `None` if the text could not be read or lowered.
    pub report: Option<&'a Report>,
}

impl FilePage<'_> {
    /// The findings, those that matter most first, then in the order of the text.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.findings.iter().collect();
        sorted.sort_by_key(|found| {
            let sure = std::cmp::Reverse((found.severity, found.confidence));
            (sure, found.span.start, found.code)
        });
        sorted
    }
}

/// Writes a file: findings, steps, what was not shown but for what is `said` elsewhere, one line that sums up. What is only
/// worth knowing is counted in one line, unless `all` is asked for: most workflows have much of it, and it would drown the rest.
pub fn write(page: &mut Page, file: &FilePage<'_>, said: &BTreeSet<&str>, all: bool) {
    for found in file.sorted().into_iter().filter(|found| all || found.severity > Severity::Info) {
        page.gap();
        diagnostic::write(page, file.text, found);
    }
    if !all {
        information(page, file);
    }
    if let Some(report) = file.report {
        steps(page, &report.steps);
        not_shown(page, "not shown", report.not_shown.iter().map(String::as_str).filter(|item| !said.contains(item)));
    }
    page.gap();
    page.hang(Vec::<Part>::new(), &summary(file));
}

/// `for information: 3 × SL273 kept-credentials, 1 × SL265 no-permissions`.
fn information(page: &mut Page, file: &FilePage<'_>) {
    let mut counts: BTreeMap<(Code, &str), usize> = BTreeMap::new();
    for found in file.findings.iter().filter(|found| found.severity == Severity::Info) {
        *counts.entry((found.code, found.name)).or_default() += 1;
    }
    if counts.is_empty() {
        return;
    }
    let listed: Vec<String> = counts.iter().map(|((code, name), count)| format!("{count} × {code} {name}")).collect();
    let words = format!("{}; `--min-severity info` shows where", listed.join(", "));
    page.gap();
    page.hang([Part::new("for information: ", tone(Severity::Info))], &[Part::new(words, Tone::Faint)]);
}

/// One line for a file that has nothing to tell.
pub fn write_brief(page: &mut Page, file: &FilePage<'_>) {
    page.hang(Vec::<Part>::new(), &summary(file));
}

/// The findings alone: what stopped a run or a proposal.
pub fn findings(page: &mut Page, file: &FilePage<'_>) {
    for found in file.sorted() {
        page.gap();
        diagnostic::write(page, file.text, found);
    }
}

/// Every call with its verdict, what it carries, why, and who must agree.
fn steps(page: &mut Page, steps: &[StepReport]) {
    if steps.is_empty() {
        return;
    }
    page.gap();
    page.line([Part::new("steps", Tone::Strong)]);
    for step in steps {
        let (word, tone) = verdict(step.verdict);
        let lead = [Part::plain("  "), Part::new(format!("{word:<8}"), tone)];
        let name = Part::new(&step.action, Tone::Strong);
        page.hang(
            lead,
            &[name, Part::plain(" "), Part::new(format!("{} (line {})", step.step, step.span.line), Tone::Faint)],
        );
        detail(page, "carries", &[labels(&step.labels)]);
        if step.verdict != Verdict::Permit {
            // Who must agree has lines of its own.
            for reason in step.policies.iter().filter(|reason| !reason.starts_with("needs ")) {
                detail(page, "because", std::slice::from_ref(reason));
            }
        }
        for who in &step.approvals {
            detail(page, "needs", std::slice::from_ref(who));
        }
        for open in &step.open {
            detail(page, "open", std::slice::from_ref(open));
        }
    }
}

fn detail(page: &mut Page, word: &str, items: &[String]) {
    for item in items.iter().filter(|item| !item.is_empty()) {
        page.hang([Part::plain(" ".repeat(10)), Part::new(format!("{word:<8} "), Tone::Faint)], &[Part::plain(item)]);
    }
}

/// Labels, short: classes of data under their owners, then where the words came from, then rules and datasets.
pub(super) fn labels(names: &[String]) -> String {
    let mut classes: Vec<&str> = Vec::new();
    let mut origins: Vec<&str> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for name in names {
        if let Some(class) = name.strip_prefix("category:") {
            classes.push(class);
        } else if let Some(origin) = name.strip_prefix("origin:") {
            origins.push(origin);
        } else if name == "unknown" {
            others.push("data that nobody classified");
        } else if !name.starts_with("dataset:") {
            others.push(name);
        }
    }
    let mut parts: Vec<String> = Vec::new();
    parts.extend(Some(classes.join(", ")).filter(|c| !c.is_empty()));
    parts.extend(Some(others.join(", ")).filter(|o| !o.is_empty()));
    parts.extend(Some(origins.join(" and ")).filter(|o| !o.is_empty()).map(|o| format!("words from {o}")));
    parts.join("; ")
}

pub(super) const fn verdict(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Permit => ("permit", Tone::Good),
        Verdict::Hold => ("hold", Tone::Warn),
        Verdict::Forbid => ("forbid", Tone::Bad),
        Verdict::Runtime => ("runtime", Tone::Accent),
    }
}

/// What no report of this kind covers, under a title; nothing if there is nothing.
pub fn not_shown<'a>(page: &mut Page, title: &str, items: impl Iterator<Item = &'a str>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    page.gap();
    page.line([Part::new(title, Tone::Strong)]);
    for item in items {
        page.hang(["  - "], &[Part::new(item, Tone::Faint)]);
    }
}

/// `flows/report.yaml: 2 high, 1 low; 3 steps: 1 hold, 2 permit`.
fn summary(file: &FilePage<'_>) -> Vec<Part> {
    let mut line = vec![Part::new(format!("{}: ", file.text.name), Tone::Strong)];
    if file.report.is_none() {
        line.push(Part::new("refused, ", Tone::Bad));
    }
    line.extend(counted(file.findings));
    if let Some(report) = file.report {
        line.push(Part::plain(format!("; {}", counted_steps(&report.steps))));
    }
    line
}

/// How many findings there are of which severity.
#[must_use]
pub fn counted(findings: &[Diagnostic]) -> Vec<Part> {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for found in findings {
        *counts.entry(found.severity).or_default() += 1;
    }
    if counts.is_empty() {
        return vec![Part::new("nothing found", Tone::Good)];
    }
    let mut parts = Vec::new();
    for (severity, count) in counts.iter().rev() {
        if !parts.is_empty() {
            parts.push(Part::plain(", "));
        }
        parts.push(Part::new(format!("{count} {severity}"), tone(*severity)));
    }
    parts
}

fn counted_steps(steps: &[StepReport]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for step in steps {
        *counts.entry(verdict(step.verdict).0).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    match steps.len() {
        0 => "no step stands at a gate".to_owned(),
        1 => format!("1 step: {}", words.join(", ")),
        n => format!("{n} steps: {}", words.join(", ")),
    }
}
