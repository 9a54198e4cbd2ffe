//! Native definitions of state machines: states as tasks, transitions as their `then`.
//!
//! A state gets the data that the one before left, and so does a task of the DSL: `$` is `.`, and where a result goes
//! (`ResultSelector`, `ResultPath`, `OutputPath`) is one expression under `output`. The states of a machine are one list of
//! tasks; a machine inside (`Map`, `Parallel`) is a list inside. What starts the machine is read of a connector, as the words
//! of a caller that they are.

mod call;
mod choice;
mod data;
mod errors;
mod inner;
mod path;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{CodeInfo, Node as Tree};
use sluice_core::gate::{Effect, Role};
use sluice_core::text::{Span, Text};

use super::link;
use super::lower::{self, CALLER, Lowering, Room};
use super::read::{self, Machine, State};
use crate::native::{
    ActionDraft, Contracts, DEPTH_MAX, Definition, EXPRESSION_MAX, NO_EQUIVALENT, Reached, Sending, Task, TaskKind,
    Then, Told, Value, slug,
};
use crate::refusal;
use crate::siblings::Siblings;

/// The names of what starts a state machine: whoever may, and nothing else.
pub(crate) fn starts(tree: &Tree) -> Vec<Arc<str>> {
    if read::machine(tree, 0).is_ok() { vec![CALLER.into()] } else { Vec::new() }
}

/// Translates a state machine.
///
/// # Errors
/// Those of reading it; that `start` names something else than its caller; that it lies too deep.
pub(crate) fn definition(text: &Text, tree: &Tree, start: Option<&str>) -> Result<Definition, Vec<Diagnostic>> {
    let (machine, count) = read::machine(tree, 0)?;
    if let Some(name) = start.filter(|name| *name != CALLER) {
        let message = format!("nothing that starts the workflow is called `{name}`");
        let found = refusal::ORDER_WITHOUT_EQUIVALENT.at(tree.span, message);
        return Err(vec![Diagnostic { help: format!("`{CALLER}` starts it"), ..found }]);
    }
    let alone = Siblings::default();
    let files = link::link(&text.name, machine, count, &alone);
    let Some(root) = files.all.first() else { return Err(Vec::new()) };
    let lowering = lower::prepared(&files, super::built_in());
    let mut writer = Writer::new(text, &lowering);
    let mut tasks = vec![writer.caller()];
    tasks.extend(writer.machine(&root.machine, false));
    if tasks.iter().any(|task| task.depth() > DEPTH_MAX) {
        let message =
            format!("machines lie deeper in each other than the {DEPTH_MAX} lists that a definition may have");
        let found = refusal::ORDER_WITHOUT_EQUIVALENT.at(root.machine.start.1, message);
        return Err(vec![Diagnostic { help: "split it into workflows of fewer states".to_owned(), ..found }]);
    }
    let title = root.machine.tree.get("Comment").and_then(Tree::as_text).map_or("", |comment| comment);
    Ok(writer.finish(if title.is_empty() { "state machine" } else { title }, tasks))
}

/// What a refused part leaves: its gap is noted already.
#[derive(Clone, Copy, Debug)]
struct Refused;

struct Writer<'a, 't> {
    text: &'a Text,
    low: &'a Lowering<'t>,
    contracts: Contracts,
    gaps: Vec<Diagnostic>,
    notes: Vec<String>,
    /// Names of `$context` that expressions read.
    read: BTreeSet<String>,
    told: BTreeMap<Arc<str>, Told>,
    /// States with a gap.
    broken: BTreeSet<usize>,
    /// Names that tasks have.
    names: BTreeSet<Arc<str>>,
    reached: BTreeSet<Arc<str>>,
}

impl<'a, 't> Writer<'a, 't> {
    fn new(text: &'a Text, low: &'a Lowering<'t>) -> Self {
        let names = low.rooms.iter().map(|room| room.name.clone()).chain([CALLER.into()]).collect();
        Self {
            text,
            low,
            contracts: Contracts::default(),
            gaps: Vec::new(),
            notes: Vec::new(),
            read: BTreeSet::new(),
            told: BTreeMap::new(),
            broken: BTreeSet::new(),
            names,
            reached: BTreeSet::from([CALLER.into()]),
        }
    }

    fn finish(mut self, title: &str, tasks: Vec<Task>) -> Definition {
        let left: Vec<String> =
            self.low.rooms.iter().filter(|room| !room.reachable).map(|room| format!("`{}`", room.name)).collect();
        if !left.is_empty() {
            self.note(format!("nothing leads there in the original, and it is left out: {}", left.join(", ")));
        }
        if tasks.iter().any(Task::has_loop) {
            self.note("a `for` goes through its items one after the other; a `Map` may go through several at once");
        }
        self.gaps.sort_by_key(|gap| gap.span.start);
        let mut definition = Definition::new(title, &self.text.name);
        definition.steps = self.reached.len();
        definition.equivalent = definition.steps - self.broken.len();
        definition.reached = self.reached;
        definition.gaps = self.gaps;
        definition.notes = self.notes;
        definition.told = self.told;
        definition.filled(tasks, self.contracts, self.read)
    }

    /// What the caller gave, read of the connector that keeps it.
    fn caller(&mut self) -> Task {
        let mut sending = Sending::default();
        sending.add("event", None, Value::jq("$workflow.input.event"));
        sending.roles.insert("event".to_owned(), Some(Role::Reference));
        let draft = ActionDraft {
            description: "the input of an execution, as its caller gave it".to_owned(),
            effect: Effect::Read,
            privileged: false,
            method: "GET".to_owned(),
            path: String::new(),
            query: BTreeSet::new(),
            headers: BTreeMap::new(),
            body: None,
            arguments: sending.roles.clone(),
            outsiders: true,
            labels: BTreeSet::new(),
            leaves: false,
            keeps: false,
        };
        let action = self.contracts.add("executions", &Reached::Unknown, false, "input", draft);
        self.note(
            "the caller starts the original and gives it its input; a definition is started by `sluice run`, and reads the input that \
             its own names, as `event`, of the connector `executions`",
        );
        self.told.insert(CALLER.into(), sending.told);
        Task::new(CALLER, TaskKind::Call { action, with: sending.with }).kept_as(CALLER)
    }

    /// The states of a machine as one list, the first one first.
    fn machine(&mut self, machine: &Machine<'t>, in_map: bool) -> Vec<Task> {
        let mut entries: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
        let mut tasks = Vec::new();
        let known: BTreeSet<&str> = machine.states.iter().map(|state| &*state.name).collect();
        if !known.contains(&*machine.start.0) {
            tasks.push(self.without_start(machine));
        }
        for state in in_order(machine) {
            self.reached.insert(self.room(state).map_or_else(|| state.name.clone(), |room| room.name.clone()));
            let made = match self.leads_nowhere(state, &known) {
                Ok(()) => self.state(state, in_map),
                Err(Refused) => {
                    let mut task = self.missing(state);
                    task.then = Some(Then::Exit);
                    vec![task]
                }
            };
            if let Some(first) = made.first() {
                entries.insert(state.name.clone(), first.name.clone());
            }
            tasks.extend(made);
        }
        let mut next = None;
        for task in tasks.iter_mut().rev() {
            self.lead(task, &entries);
            let follows = task.then.take().filter(|then| Some(then) != next.as_ref());
            task.then = if next.is_none() { follows.filter(|then| *then != Then::Exit) } else { follows };
            next = Some(Then::To(task.name.clone()));
        }
        tasks
    }

    /// Tells the ways of a state that lead to none.
    fn leads_nowhere(&mut self, state: &State<'t>, known: &BTreeSet<&str>) -> Result<(), Refused> {
        let mut found = Ok(());
        for tree in state.targets().into_iter().chain(state.handlers()) {
            if let Some(name) = tree.as_text().filter(|name| !known.contains(&***name)) {
                let what = format!("the way to `{name}`, which is no state here,");
                let help = "name the state that was meant";
                found = Err(self.gap(state, &refusal::ORDER_WITHOUT_EQUIVALENT, tree.span, &what, help));
            }
        }
        found
    }

    /// A task in the place of the first state, where `StartAt` names none: without it nothing would be done, and nobody told.
    fn without_start(&mut self, machine: &Machine<'t>) -> Task {
        let (name, span) = &machine.start;
        let message = format!("`StartAt` names `{name}`, which is no state here");
        let found = refusal::ORDER_WITHOUT_EQUIVALENT.at(*span, message);
        self.gaps.push(Diagnostic { help: "name the state that was meant".to_owned(), ..found });
        let name = self.free("StartAt".to_owned());
        Task::new(name, TaskKind::Call { action: format!("{NO_EQUIVALENT}.start"), with: Vec::new() })
    }

    /// Leads to tasks what leads to states.
    fn lead(&self, task: &mut Task, entries: &BTreeMap<Arc<str>, Arc<str>>) {
        let lead = |then: &mut Then| {
            if let Then::To(name) = then
                && let Some(entry) = entries.get(name)
            {
                *name = entry.clone();
            }
        };
        task.then.iter_mut().for_each(lead);
        match &mut task.kind {
            TaskKind::Switch(cases) => cases.iter_mut().for_each(|case| lead(&mut case.then)),
            TaskKind::Try { catch: Some(catch), .. } => catch.then.iter_mut().for_each(lead),
            _ => {}
        }
    }

    fn room(&self, state: &State<'_>) -> Option<&'a Room> {
        self.low.rooms.get(state.index)
    }

    /// The name of a state's own task: what the flows of both are compared by.
    fn name(&self, state: &State<'_>) -> Arc<str> {
        self.room(state).map_or_else(|| state.name.clone(), |room| room.name.clone())
    }

    /// A name for a task that stands for no state.
    fn free(&mut self, base: String) -> Arc<str> {
        let names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base} ({n})")));
        for name in names.map(Arc::<str>::from) {
            if self.names.insert(name.clone()) {
                return name;
            }
        }
        base.into()
    }

    /// A task in the place of one that has no equivalent.
    fn missing(&mut self, state: &State<'_>) -> Task {
        self.broken.insert(state.index);
        let name = self.name(state);
        let action = slug(&format!("{:?}", state.kind));
        let mut task =
            Task::new(name.clone(), TaskKind::Call { action: format!("{NO_EQUIVALENT}.{action}"), with: Vec::new() });
        let own = self.gaps.iter().filter(|gap| gap.step.as_deref() == Some(&*name));
        task.comments = own
            .map(|gap| format!("{}:{}:{}: {}", self.text.name, gap.span.line, gap.span.column, gap.message))
            .collect();
        task.then = state.targets().first().and_then(|tree| tree.as_text()).map(|name| Then::To(name.clone()));
        if task.then.is_none() {
            task.then = Some(Then::Exit);
        }
        task
    }

    fn note(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.notes.contains(&words) {
            self.notes.push(words);
        }
    }

    fn gap(&mut self, state: &State<'_>, code: &CodeInfo, span: Span, what: &str, help: &str) -> Refused {
        let name = self.name(state);
        let message = format!("in `{name}`, {what} has no equivalent");
        let help = if help.is_empty() { code.help } else { help };
        let found = Diagnostic { help: help.to_owned(), ..code.at(span, message) }.at_step(name.to_string());
        if !self.gaps.contains(&found) {
            self.gaps.push(found);
        }
        Refused
    }

    /// A parameter that the state has and a task has not.
    fn has_not(&mut self, state: &State<'t>, key: &str, help: &str) -> Result<(), Refused> {
        match state.get(key) {
            Some(tree) => {
                Err(self.gap(state, &refusal::PARAMETER_WITHOUT_EQUIVALENT, tree.span, &format!("`{key}`"), help))
            }
            None => Ok(()),
        }
    }

    fn short_enough(&mut self, state: &State<'_>, jq: String, span: Span) -> Result<String, Refused> {
        if jq.len() <= EXPRESSION_MAX {
            return Ok(jq);
        }
        let help = "compute parts of it in states of their own";
        Err(self.gap(state, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, span, "an expression that is too long", help))
    }
}

/// The states that a run can get to, each after one that leads to it, the usual way first.
fn in_order<'m, 't>(machine: &'m Machine<'t>) -> Vec<&'m State<'t>> {
    let by_name: BTreeMap<&str, &'m State<'t>> = machine.states.iter().map(|state| (&*state.name, state)).collect();
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    let mut open: Vec<&str> = vec![&machine.start.0];
    while let Some(name) = open.pop() {
        let Some(state) = by_name.get(name).filter(|state| seen.insert(state.index)) else { continue };
        order.push(*state);
        let next: Vec<&Tree> = state.targets().into_iter().chain(state.handlers()).collect();
        open.extend(next.into_iter().rev().filter_map(|tree| tree.as_text().map(|name| &**name)));
    }
    order
}
