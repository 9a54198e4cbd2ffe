//! `Map` and `Parallel`: machines inside a machine.

use super::super::read::State;
use super::path::{Sight, atom};
use super::state::next;
use super::{Refused, Writer};
use crate::native::{Task, TaskKind, Value};
use crate::refusal;

/// What the loop of a `Map` carries: what the state was given, and the results so far.
const CARRIED: &str = "{given: ., results: []}";

impl<'t> Writer<'_, 't> {
    /// A `for` that carries its results along.
    pub(super) fn map(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let help = "read the items in a state before, and write results in one behind";
        for key in ["ItemReader", "ResultWriter", "ItemBatcher"] {
            self.has_not(state, key, help)?;
        }
        for key in ["ToleratedFailurePercentage", "ToleratedFailureCount", "ToleratedFailurePercentagePath"] {
            self.has_not(state, key, "catch errors of an item inside of the `Map`")?;
        }
        let given = Sight { input: ".given".to_owned(), ..sight.clone() };
        let input = self.input(state, &given)?;
        let items = self.picked(state, "ItemsPath", &input)?.unwrap_or_else(|| input.input.clone());
        let machine = state.inner.first();
        let Some(machine) = machine else {
            let what = "a `Map` without a machine";
            return Err(self.gap(state, &refusal::STEP_WITHOUT_EQUIVALENT, state.span, what, ""));
        };
        let inside = Sight { in_map: true, ..input };
        let value = match state.get("ItemSelector").or_else(|| state.get("Parameters")) {
            Some(selector) => self.template(state, selector, &inside)?,
            None => Value::jq("$item"),
        };
        let output = self.left(state, sight.in_map, (".results", "$input.given"))?.unwrap_or_else(|| ".results".into());
        let mut tasks = vec![Task::new(self.free(format!("item of {}", state.name)), TaskKind::Set(value))];
        tasks.extend(self.machine(machine, true));
        let mut once = Task::new(self.free(format!("each of {}", state.name)), TaskKind::Do(tasks));
        once.output = Some("$input + {results: ($input.results + [.])}".to_owned());
        let kind = TaskKind::For { each: "item".to_owned(), items, tasks: vec![once] };
        let mut task = Task::new(self.name(state), kind);
        task.input = Some(CARRIED.to_owned());
        task.output = Some(output);
        task.then = Some(next(state));
        self.guarded(state, sight, task)
    }

    pub(super) fn parallel(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let input = self.input(state, sight)?;
        let given = match state.get("Parameters") {
            Some(tree) => Some(self.template(state, tree, &input)?),
            None if input.input == "." => None,
            None => Some(Value::jq(atom(&input.input))),
        };
        let output = self.left(state, sight.in_map, (".", "$input"))?;
        let mut branches = Vec::new();
        for (n, machine) in state.inner.iter().enumerate() {
            let mut tasks = Vec::new();
            if let Some(value) = &given {
                let name = self.free(format!("given to branch {} of {}", n + 1, state.name));
                tasks.push(Task::new(name, TaskKind::Set(value.clone())));
            }
            tasks.extend(self.machine(machine, sight.in_map));
            branches.push(Task::new(self.free(format!("branch {} of {}", n + 1, state.name)), TaskKind::Do(tasks)));
        }
        if branches.is_empty() {
            let what = "a `Parallel` without branches";
            return Err(self.gap(state, &refusal::STEP_WITHOUT_EQUIVALENT, state.span, what, ""));
        }
        self.note("an error in a branch lets the other branches of a `fork` end; the original stops them");
        let mut task = Task::new(self.name(state), TaskKind::Fork(branches));
        task.output = output;
        task.then = Some(next(state));
        self.guarded(state, sight, task)
    }
}
