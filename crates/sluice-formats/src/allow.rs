//! What an author asks to be set aside: `sluice: allow SL260 because …` at one step, for one code, with a reason.
//!
//! In workflows of GitHub Actions it is a comment at a line of the step or above it; in n8n it stands in a node's `notes`, in
//! state machines in a state's `Comment`, in Logic Apps in an action's `description`, in Dify in a node's `desc`. It asks; whether
//! it counts is not the author's to say.

use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_core::document::{Data, Node as Tree};
use sluice_core::program::Step;
use sluice_core::text::{Span, Text};

use crate::import::{Format, Import};
use crate::refusal;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// What shall be set aside.
    pub code: Code,
    /// Why, in the author's words.
    pub reason: String,
    /// Where it is written.
    pub line: u32,
    /// The step that it stands at.
    steps: Vec<String>,
    /// The line that it is about, of a comment.
    about: Option<u32>,
}

impl Allow {
    /// Whether a finding is the one that it is about: of this code, at this step or line.
    #[must_use]
    pub fn covers(&self, found: &Diagnostic) -> bool {
        let at_step = found.step.as_ref().is_some_and(|step| self.steps.contains(step));
        found.code == self.code && (at_step || self.about == Some(found.span.line))
    }
}

/// Reads the requests of a text; one that cannot be understood is a finding.
pub(crate) fn read(text: &Text, tree: &Tree, import: &mut Import) {
    let field = match import.format {
        Format::GithubActions => return comments(text, tree, import),
        Format::N8n => "notes",
        Format::StepFunctions => "Comment",
        Format::LogicApps => "description",
        Format::Dify => "desc",
    };
    let mut open = vec![(tree, None)];
    while let Some((node, key)) = open.pop() {
        match &node.value {
            Data::List(items) => open.extend(items.iter().map(|item| (item, None))),
            Data::Map(entries) => {
                let named = node.get("name").or_else(|| node.get("title")).map(|name| name.span);
                let places: Vec<Span> = [named, key].into_iter().flatten().collect();
                if let Some(said) = node.get(field) {
                    let words = said.as_text().map(|words| words.to_string()).unwrap_or_default();
                    words
                        .lines()
                        .for_each(|line| note(import, line, said.span, &|step| places.contains(&step.span), None));
                }
                open.extend(entries.iter().map(|entry| (&entry.value, Some(entry.key_span))));
            }
            _ => {}
        }
    }
}

/// Comments are what stands outside of every scalar: a `#` in a script is the script's.
fn comments(text: &Text, tree: &Tree, import: &mut Import) {
    if !text.content.contains("sluice:") {
        return;
    }
    let scalars = scalars(tree);
    let is_outside = |at: usize| !scalars.iter().any(|span| span.start <= at && at < span.end);
    let lines: Vec<&str> = text.content.split('\n').collect();
    let mut start = 0;
    for (number, line) in (1_u32..).zip(&lines) {
        let marks = line.match_indices('#').map(|(at, _)| at);
        let is_mark =
            |at: &usize| line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']));
        if let Some(at) = marks.into_iter().find(|at| is_mark(at) && is_outside(start + at)) {
            let alone = line.get(..at).is_some_and(|before| before.trim().is_empty());
            let next = || (number + 1..).zip(lines.iter().skip(number as usize)).find(|(_, line)| is_text(line));
            let about = if alone { next().map(|(next, _)| next) } else { Some(number) };
            let span = text.span(start + at, start + line.trim_end().len());
            let words = line.get(at + 1..).unwrap_or_default();
            note(import, words, span, &|step| Some(step.span.line) == about, about);
        }
        start += line.len() + 1;
    }
}

fn is_text(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn scalars(tree: &Tree) -> Vec<Span> {
    let (mut found, mut open) = (Vec::new(), vec![tree]);
    while let Some(node) = open.pop() {
        match &node.value {
            Data::List(items) => open.extend(items),
            Data::Map(entries) => {
                found.extend(entries.iter().map(|entry| entry.key_span));
                open.extend(entries.iter().map(|entry| &entry.value));
            }
            _ => found.push(node.span),
        }
    }
    found
}

fn note(import: &mut Import, words: &str, span: Span, is_here: &dyn Fn(&Step) -> bool, about: Option<u32>) {
    let Some(said) = words.trim().strip_prefix("sluice:") else { return };
    match understood(said) {
        Some((code, reason)) => {
            let steps = import.program.steps.iter().filter(|step| is_here(step)).map(|step| step.name.to_string());
            import.allows.push(Allow { code, reason, line: span.line, steps: steps.collect(), about });
        }
        None => {
            let found = refusal::UNCLEAR_ALLOW.at(span, "this asks for something, and it is not clear for what");
            import.warnings.push(Diagnostic { severity: Severity::Medium, ..found });
        }
    }
}

/// `allow SL260 because …`: one code, and a reason.
fn understood(said: &str) -> Option<(Code, String)> {
    let (code, reason) = said.trim().strip_prefix("allow ")?.split_once(" because ")?;
    let digits = code.trim().strip_prefix("SL").filter(|digits| digits.len() == 3)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let reason = reason.trim();
    (is_number && !reason.is_empty()).then_some(())?;
    Some((Code(digits.parse().ok()?), reason.to_owned()))
}
