//! What each kind of state becomes.

use sluice_core::document::{Data, Node as Tree};

use super::super::read::{State, StateKind};
use super::data::constant;
use super::path::Sight;
use super::{Refused, Writer};
use crate::native::{Task, TaskKind, Then, Value};
use crate::refusal;

/// Words of the DSL that no task can be led to by.
const TAKEN: [&str; 3] = ["continue", "exit", "end"];

impl<'t> Writer<'_, 't> {
    /// The tasks of a state; the first is where others lead.
    pub(super) fn state(&mut self, state: &State<'t>, in_map: bool) -> Vec<Task> {
        let sight = Sight { input: ".".to_owned(), in_map, state: state.name.to_string() };
        self.deployed(state.tree);
        let mut made = match self.known(state, &sight) {
            Ok(made) => made,
            Err(Refused) => vec![self.missing(state)],
        };
        if made.first().is_some_and(|task| TAKEN.contains(&&*task.name)) {
            let name = self.free(format!("before {}", state.name));
            made.insert(0, Task::new(name, TaskKind::Set(Value::jq("."))));
        }
        made
    }

    fn known(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        if state.is_jsonata {
            let help = "write the state in JSONPath, or its task by hand in jq";
            return Err(self.gap(state, &refusal::STEP_WITHOUT_EQUIVALENT, state.span, "a state in JSONata", help));
        }
        self.has_not(state, "Assign", "put the value into the data with `ResultPath`")?;
        match state.kind {
            StateKind::Pass => self.pass(state, sight),
            StateKind::Task => self.task(state, sight),
            StateKind::Choice => self.choice(state, sight),
            StateKind::Wait => self.wait(state, sight),
            StateKind::Succeed => self.succeed(state, sight),
            StateKind::Fail => self.fail(state, sight),
            StateKind::Map => self.map(state, sight),
            StateKind::Parallel => self.parallel(state, sight),
        }
    }

    fn pass(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let sight = self.input(state, sight)?;
        let value = match (state.get("Result"), state.get("Parameters")) {
            (Some(result), _) => constant(&result.to_json()),
            (None, Some(parameters)) => self.template(state, parameters, &sight)?,
            (None, None) => Value::jq(sight.input.clone()),
        };
        let output = self.left(state, sight.in_map, (".", "$input"))?;
        let mut task = Task::new(self.name(state), TaskKind::Set(value));
        task.output = output;
        task.then = Some(next(state));
        Ok(vec![task])
    }

    fn wait(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let help = "wait for a number of seconds that the text names";
        for key in ["SecondsPath", "Timestamp", "TimestampPath"] {
            self.has_not(state, key, help)?;
        }
        let seconds = state.get("Seconds").and_then(|tree| match tree.value {
            Data::Int(seconds) => u64::try_from(seconds).ok(),
            _ => None,
        });
        let Some(ms) = seconds.and_then(|seconds| seconds.checked_mul(1_000)) else {
            let code = &refusal::PARAMETER_WITHOUT_EQUIVALENT;
            return Err(self.gap(state, code, state.span, "a wait for no number of seconds", help));
        };
        let mut task = Task::new(self.name(state), TaskKind::Wait(ms));
        task.output = self.passed(state, sight, "$input")?;
        task.then = Some(next(state));
        Ok(vec![task])
    }

    fn succeed(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let output = self.passed(state, sight, ".")?;
        let mut task = Task::new(self.name(state), TaskKind::Set(Value::jq(output.unwrap_or_else(|| ".".to_owned()))));
        task.then = Some(Then::Exit);
        Ok(vec![task])
    }

    fn fail(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let mut said = |fixed: &str, path: &str| -> Result<Option<Value>, Refused> {
            match (state.get(path), state.text(fixed)) {
                (Some(tree), _) => {
                    let jq = self.path(state, tree, sight)?;
                    Ok(Some(Value::jq(format!("({jq}) | tostring"))))
                }
                (None, Some(text)) => Ok(Some(Value::Constant(text.to_string().into()))),
                (None, None) => Ok(None),
            }
        };
        let title = said("Error", "ErrorPath")?.unwrap_or_else(|| Value::Constant("".into()));
        let detail = said("Cause", "CausePath")?;
        Ok(vec![Task::new(self.name(state), TaskKind::Raise { title, detail })])
    }

    /// Texts that a deployment replaces: what is put there does not stand in the file.
    fn deployed(&mut self, tree: &Tree) {
        match &tree.value {
            Data::Text(text) if text.contains("${") => {
                let words = "what stands in `${…}` is put there by a deployment, which this file does not show: it is carried over as it \
                             is, and its value is yours to write";
                self.note(words);
            }
            Data::Map(entries) => {
                let own =
                    entries.iter().filter(|entry| !matches!(&*entry.key, "Branches" | "Iterator" | "ItemProcessor"));
                own.for_each(|entry| self.deployed(&entry.value));
            }
            Data::List(items) => items.iter().for_each(|item| self.deployed(item)),
            _ => {}
        }
    }
}

/// Where a state goes on.
pub(super) fn next(state: &State<'_>) -> Then {
    state.text("Next").map_or(Then::Exit, |name| Then::To(name.clone()))
}
