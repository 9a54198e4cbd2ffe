//! A state machine as it lies in the file: states, and the machines inside them.

use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Entry, Node as Tree};
use sluice_core::text::Span;

use crate::refusal;

/// Most states of one file, those of inner machines too.
pub const STATES_MAX: usize = 2_000;

/// A state machine: that of the file, a branch of a `Parallel`, or what a `Map` runs for each item.
#[derive(Debug)]
pub(super) struct Machine<'t> {
    pub(super) tree: &'t Tree,
    /// The name and place of `StartAt`.
    pub(super) start: (Arc<str>, Span),
    pub(super) states: Vec<State<'t>>,
}

/// A state.
#[derive(Debug)]
pub(super) struct State<'t> {
    /// Its place in the order of the file, behind those of the files before.
    pub(super) index: usize,
    pub(super) name: Arc<str>,
    /// Where the name stands.
    pub(super) span: Span,
    pub(super) tree: &'t Tree,
    pub(super) kind: StateKind,
    /// Whether its query language is JSONata.
    pub(super) is_jsonata: bool,
    /// The machines inside.
    pub(super) inner: Vec<Machine<'t>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateKind {
    Task,
    Pass,
    Choice,
    Map,
    Parallel,
    Wait,
    Succeed,
    Fail,
}

const KINDS: [(&str, StateKind); 8] = [
    ("Task", StateKind::Task),
    ("Pass", StateKind::Pass),
    ("Choice", StateKind::Choice),
    ("Map", StateKind::Map),
    ("Parallel", StateKind::Parallel),
    ("Wait", StateKind::Wait),
    ("Succeed", StateKind::Succeed),
    ("Fail", StateKind::Fail),
];

impl<'t> State<'t> {
    pub(super) fn get(&self, key: &str) -> Option<&'t Tree> {
        self.tree.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'t Arc<str>> {
        self.get(key).and_then(Tree::as_text)
    }

    pub(super) fn list(&self, key: &str) -> &'t [Tree] {
        list(self.get(key))
    }

    /// The states that it may go on to, but for errors.
    pub(super) fn targets(&self) -> Vec<&'t Tree> {
        let choices = self.list("Choices").iter().filter_map(|choice| choice.get("Next"));
        choices.chain(self.get("Default")).chain(self.get("Next")).collect()
    }

    /// The states that it goes on to when it fails.
    pub(super) fn handlers(&self) -> Vec<&'t Tree> {
        self.list("Catch").iter().filter_map(|catcher| catcher.get("Next")).collect()
    }
}

pub(super) fn list(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

pub(super) fn entries(tree: Option<&Tree>) -> &[Entry] {
    match tree.map(|t| &t.value) {
        Some(Data::Map(entries)) => entries,
        _ => &[],
    }
}

/// Reads the machine of a file, whose states are counted from `first` on, and tells how many it has.
pub(super) fn machine(tree: &Tree, first: usize) -> Result<(Machine<'_>, usize), Vec<Diagnostic>> {
    let mut reading = Reading { count: first, problems: Vec::new() };
    let machine = reading.machine(tree, false);
    let count = reading.count - first;
    if count > STATES_MAX {
        return Err(vec![refusal::too_many(tree.span, "states", STATES_MAX)]);
    }
    match machine {
        Some(machine) if reading.problems.is_empty() => Ok((machine, count)),
        _ if reading.problems.is_empty() => {
            Err(vec![refusal::not_this_format(tree.span, "Step Functions", "`StartAt` and `States`")])
        }
        _ => Err(reading.problems),
    }
}

struct Reading {
    count: usize,
    problems: Vec<Diagnostic>,
}

impl Reading {
    fn machine<'t>(&mut self, tree: &'t Tree, outer_jsonata: bool) -> Option<Machine<'t>> {
        let start = tree.get("StartAt")?;
        let name = start.as_text()?.clone();
        let is_jsonata = is_jsonata(tree, outer_jsonata);
        let listed = entries(Some(tree.get("States")?));
        let states = listed.iter().filter_map(|entry| self.state(entry, is_jsonata)).collect();
        Some(Machine { tree, start: (name, start.span), states })
    }

    fn state<'t>(&mut self, entry: &'t Entry, outer_jsonata: bool) -> Option<State<'t>> {
        let index = self.count;
        self.count += 1;
        let tree = &entry.value;
        let word = tree.get("Type").and_then(Tree::as_text);
        let Some(kind) = word.and_then(|w| KINDS.iter().find(|(name, _)| *name == w.as_ref())) else {
            let found = word.map_or_else(|| "no type".to_owned(), |w| format!("the type `{w}`"));
            let place = tree.get("Type").map_or(entry.key_span, |t| t.span);
            self.problems.push(no_type(place, &entry.key, &found));
            return None;
        };
        let is_jsonata = is_jsonata(tree, outer_jsonata);
        let inner = match kind.1 {
            StateKind::Parallel => list(tree.get("Branches")).iter().collect(),
            StateKind::Map => tree.get("ItemProcessor").or_else(|| tree.get("Iterator")).into_iter().collect(),
            _ => Vec::new(),
        };
        let inner: Vec<Option<Machine<'t>>> = inner.into_iter().map(|t: &Tree| self.machine(t, is_jsonata)).collect();
        let inner = inner.into_iter().flatten().collect();
        Some(State { index, name: entry.key.clone(), span: entry.key_span, tree, kind: kind.1, is_jsonata, inner })
    }
}

fn is_jsonata(tree: &Tree, outer: bool) -> bool {
    tree.get("QueryLanguage").and_then(Tree::as_text).map_or(outer, |word| word.as_ref() == "JSONata")
}

/// `SL822`: a state is of no known type.
fn no_type(span: Span, name: &str, found: &str) -> Diagnostic {
    refusal::STATE_WITHOUT_TYPE.at(span, format!("the state `{name}` has {found}"))
}
