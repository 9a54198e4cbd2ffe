//! What a writer of definitions notes while it writes: gaps, notes, names, the steps that it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{CodeInfo, Node as Tree};
use sluice_core::text::{Span, Text};

use super::{Contracts, DEPTH_MAX, Definition, EXPRESSION_MAX, NO_EQUIVALENT, Task, TaskKind, Told, slug};
use crate::refusal;

/// Longer names are no longer read by anybody, and stand in every expression that reads what the step puts out.
const NAME_MAX: usize = 1_000;

/// What a refused part leaves: its gap is noted already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

/// A definition while it is written.
pub(crate) struct Writing<'t> {
    text: &'t Text,
    pub(crate) contracts: Contracts,
    /// What each call sends and gets.
    pub(crate) told: BTreeMap<Arc<str>, Told>,
    /// Names of `$context` that expressions read.
    pub(crate) read: BTreeSet<String>,
    gaps: Vec<Diagnostic>,
    /// Places and messages of gaps: one is told once, and there may be many.
    told_gaps: BTreeSet<(usize, String)>,
    /// The gaps of each step.
    by_step: BTreeMap<Arc<str>, Vec<usize>>,
    notes: Vec<String>,
    /// Steps with a gap.
    broken: BTreeSet<Arc<str>>,
    /// Names that are taken.
    names: BTreeSet<Arc<str>>,
    reached: BTreeSet<Arc<str>>,
}

impl<'t> Writing<'t> {
    /// Of a workflow whose steps have these names.
    pub(crate) fn new(text: &'t Text, names: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self {
            text,
            contracts: Contracts::default(),
            told: BTreeMap::new(),
            read: BTreeSet::new(),
            gaps: Vec::new(),
            told_gaps: BTreeSet::new(),
            by_step: BTreeMap::new(),
            notes: Vec::new(),
            broken: BTreeSet::new(),
            names: names.into_iter().collect(),
            reached: BTreeSet::new(),
        }
    }

    /// A run can get to this step.
    pub(crate) fn reach(&mut self, step: &Arc<str>) {
        self.reached.insert(step.clone());
    }

    /// A name that no step has.
    pub(crate) fn free(&mut self, base: &str) -> Arc<str> {
        let names = std::iter::once(base.to_owned()).chain((2..).map(|n| format!("{base} ({n})")));
        for name in names.map(Arc::<str>::from) {
            if self.names.insert(name.clone()) {
                return name;
            }
        }
        base.into()
    }

    pub(crate) fn note(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.notes.contains(&words) {
            self.notes.push(words);
        }
    }

    /// A part of a step has no equivalent.
    pub(crate) fn gap(&mut self, step: &Arc<str>, code: &CodeInfo, span: Span, what: &str, help: &str) -> Refused {
        self.tell(step, code, span, format!("in `{step}`, {what} has no equivalent"), help)
    }

    /// A step as a whole has no equivalent.
    pub(crate) fn refuse(&mut self, step: &Arc<str>, span: Span, what: &str, help: &str) -> Refused {
        let message = format!("`{step}` has no equivalent: {what}");
        self.tell(step, &refusal::STEP_WITHOUT_EQUIVALENT, span, message, help)
    }

    fn tell(&mut self, step: &Arc<str>, code: &CodeInfo, span: Span, message: String, help: &str) -> Refused {
        let help = if help.is_empty() { code.help } else { help };
        if self.told_gaps.insert((span.start, message.clone())) {
            self.by_step.entry(step.clone()).or_default().push(self.gaps.len());
            let found = Diagnostic { help: help.to_owned(), ..code.at(span, message) };
            self.gaps.push(found.at_step(step.to_string()));
        }
        Refused
    }

    /// A task in the place of a step that has no equivalent. What reads its output reads what somebody puts in its place.
    pub(crate) fn missing(&mut self, step: &Arc<str>, kind: &str) -> Task {
        self.broken.insert(step.clone());
        let action = slug(kind);
        let action = if action.is_empty() { "step" } else { &action };
        let call = TaskKind::Call { action: format!("{NO_EQUIVALENT}.{action}"), with: Vec::new() };
        let own = self.by_step.get(step).into_iter().flatten().filter_map(|at| self.gaps.get(*at));
        let told =
            |gap: &Diagnostic| format!("{}:{}:{}: {}", self.text.name, gap.span.line, gap.span.column, gap.message);
        let comments = own.map(told).collect();
        Task { comments, ..Task::new(step.clone(), call) }.kept_as(step)
    }

    /// An expression of a step, if it is one that is still read.
    pub(crate) fn short_enough(&mut self, step: &Arc<str>, jq: String, span: Span) -> Result<String, Refused> {
        if jq.len() <= EXPRESSION_MAX {
            return Ok(jq);
        }
        let help = "compute parts of it in steps of their own";
        Err(self.gap(step, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, span, "an expression that is too long", help))
    }

    /// The definition.
    ///
    /// # Errors
    /// Its tasks lie too deep in each other.
    pub(crate) fn finish(mut self, title: &str, tasks: Vec<Task>, at: Span) -> Result<Definition, Vec<Diagnostic>> {
        if tasks.iter().any(|task| task.depth() > DEPTH_MAX) {
            let message =
                format!("steps lie deeper in each other than the {DEPTH_MAX} lists that a definition may have");
            let found = refusal::ORDER_WITHOUT_EQUIVALENT.at(at, message);
            return Err(vec![Diagnostic { help: "split it into workflows of fewer steps".to_owned(), ..found }]);
        }
        if let Some(name) = self.reached.iter().find(|name| name.len() > NAME_MAX) {
            let shown: String = name.chars().take(40).collect();
            let message = format!("the name of the step `{shown}…` is longer than {NAME_MAX} bytes");
            let found = refusal::STEP_WITHOUT_EQUIVALENT.at(at, message);
            return Err(vec![Diagnostic { help: "give it a shorter one".to_owned(), ..found }]);
        }
        self.gaps.sort_by_key(|gap| gap.span.start);
        let mut definition = Definition::new(title, &self.text.name);
        definition.steps = self.reached.len();
        definition.equivalent = definition.steps - self.broken.intersection(&self.reached).count();
        definition.reached = self.reached;
        definition.gaps = self.gaps;
        definition.notes = self.notes;
        definition.told = self.told;
        Ok(definition.filled(tasks, self.contracts, self.read))
    }
}

/// The one start of a workflow, or the one that is named.
///
/// # Errors
/// That there is none, or several and `named` names none of them.
pub(crate) fn start_of(
    tree: &Tree,
    starts: &[Arc<str>],
    named: Option<&str>,
    none: &str,
) -> Result<usize, Vec<Diagnostic>> {
    let names = || starts.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (message, help) = match (named, starts) {
        (Some(name), _) => match starts.iter().position(|start| start.as_ref() == name) {
            Some(at) => return Ok(at),
            None => {
                (format!("nothing that starts the workflow is called `{name}`"), format!("these start it: {}", names()))
            }
        },
        (None, [_]) => return Ok(0),
        (None, []) => ("nothing starts this workflow".to_owned(), none.to_owned()),
        (None, _) => (
            format!("the workflow has several starts: {}", names()),
            "a definition has one: name it with `--start NAME`, and import once for each".to_owned(),
        ),
    };
    Err(vec![Diagnostic { help, ..refusal::ORDER_WITHOUT_EQUIVALENT.at(tree.span, message) }])
}
