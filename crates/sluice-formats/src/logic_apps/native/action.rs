//! What each kind of action becomes.

use sluice_core::document::{Data, Node as Tree};

use super::super::read::{Action, at, entries, list};
use super::{Sight, Writer};
use crate::import::Kind;
use crate::native::{Refused, Task, TaskKind, Then, Value};

impl<'t> Writer<'_, 't> {
    /// The tasks of an action; the last one is its own.
    pub(super) fn action(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        match action.kind.as_str() {
            "compose" => {
                let value = match action.inputs() {
                    Some(inputs) => self.template(action, inputs, sight)?,
                    None => Value::Constant(serde_json::Value::Null),
                };
                Ok(vec![self.made(action, value)])
            }
            "parsejson" => self.parsed(action, sight),
            "select" | "query" | "join" => {
                let value = self.listed(action, sight)?;
                Ok(vec![self.made(action, value)])
            }
            "initializevariable" => self.declared(action, sight),
            kind if kind.ends_with("variable") => self.variable(action, sight),
            "scope" => Ok(self.scope(action, sight)),
            "if" | "switch" => self.ways(action, sight),
            "foreach" => self.each(action, sight),
            "until" => self.until(action, sight),
            "wait" => self.wait(action),
            "terminate" => self.terminate(action, sight),
            _ => self.called(action, sight),
        }
    }

    fn made(&self, action: &Action<'_>, value: Value) -> Task {
        let name = self.name(action);
        Task::new(name.clone(), TaskKind::Set(value)).kept_as(&name)
    }

    fn parsed(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let Some(content) = action.inputs().and_then(|inputs| inputs.get("content")) else {
            return Err(self.unlike(action, action.span, "a `ParseJson` of nothing", ""));
        };
        let content = self.jq(action, content, sight)?;
        let name = self.name(action);
        self.desk.note(format!("`{name}`: whether the JSON is as its schema says is not looked at"));
        let value = Value::jq(format!("{content} | if type == \"string\" then fromjson else . end"));
        Ok(vec![self.made(action, value)])
    }

    /// `InitializeVariable`: a task for each variable, the last one under the action's own name.
    fn declared(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let mut tasks = Vec::new();
        for variable in list(action.inputs().and_then(|inputs| inputs.get("variables"))) {
            let value = match variable.get("value") {
                Some(value) => self.template(action, value, sight)?,
                None => Value::Constant(nothing(variable.get("type").and_then(Tree::as_text).map_or("", |t| t))),
            };
            let slot = self.slot(action, variable)?;
            let name = if tasks.is_empty() { self.name(action) } else { self.desk.free(&format!("{slot} is set")) };
            tasks.push(Task::new(name, TaskKind::Set(value)).kept_as(&slot));
        }
        Ok(tasks)
    }

    fn slot(&mut self, action: &Action<'t>, tree: &Tree) -> Result<String, Refused> {
        let name = tree.get("name").and_then(Tree::as_text).map(|name| name.trim().to_lowercase());
        match name.and_then(|name| self.slots.get(&name).cloned()) {
            Some(slot) => Ok(slot),
            None => Err(self.unlike(action, action.span, "a variable without a name", "")),
        }
    }

    fn variable(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let Some(inputs) = action.inputs() else {
            return Err(self.unlike(action, action.span, "a variable without a name", ""));
        };
        let slot = self.slot(action, inputs)?;
        let value = match inputs.get("value") {
            Some(value) => self.template(action, value, sight)?,
            None if matches!(action.kind.as_str(), "incrementvariable" | "decrementvariable") => {
                Value::Constant(1.into())
            }
            None => Value::Constant(serde_json::Value::Null),
        };
        let part = value.to_jq();
        let value = match action.kind.as_str() {
            "setvariable" => value,
            "appendtoarrayvariable" => Value::jq(format!("({} // []) + [{part}]", self.reads(&slot))),
            "appendtostringvariable" => Value::jq(format!("[{}, {part}] | join(\"\")", self.reads(&slot))),
            "incrementvariable" => Value::jq(format!("({} // 0) + {part}", self.reads(&slot))),
            "decrementvariable" => Value::jq(format!("({} // 0) - {part}", self.reads(&slot))),
            _ => return Err(self.refuse(action, action.span, &format!("the action `{}`", action.kind), "")),
        };
        Ok(vec![Task::new(self.name(action), TaskKind::Set(value)).kept_as(&slot)])
    }

    fn wait(&mut self, action: &Action<'t>) -> Result<Vec<Task>, Refused> {
        let interval = at(action.tree, &["inputs", "interval"]);
        let count = interval.and_then(|interval| interval.get("count")).and_then(|tree| match tree.value {
            Data::Int(count) => u64::try_from(count).ok(),
            _ => None,
        });
        let unit = interval.and_then(|interval| interval.get("unit")).and_then(Tree::as_text);
        let seconds = match unit.map(|unit| unit.to_lowercase()).as_deref() {
            Some("second") => Some(1),
            Some("minute") => Some(60),
            Some("hour") => Some(3_600),
            Some("day") => Some(86_400),
            Some("week") => Some(604_800),
            _ => None,
        };
        let ms = count.zip(seconds).and_then(|(count, seconds)| count.checked_mul(seconds)?.checked_mul(1_000));
        match ms {
            Some(ms) => Ok(vec![Task::new(self.name(action), TaskKind::Wait(ms))]),
            None => {
                let help = "wait for a number of seconds, minutes, hours, days or weeks that the text names";
                Err(self.unlike(action, action.span, "a wait until a time, or for one that is computed", help))
            }
        }
    }

    /// `Terminate`: the run ends, well or with an error.
    fn terminate(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        if !sight.is_alone {
            let help = "end the run where nothing runs beside it";
            return Err(self.refuse(
                action,
                action.span,
                "it ends actions that run beside it, or other rounds of a loop",
                help,
            ));
        }
        let status = action.text(&["inputs", "runStatus"]).map(|status| status.to_lowercase()).unwrap_or_default();
        let name = self.name(action);
        match status.as_str() {
            "succeeded" | "cancelled" => {
                let mut task = Task::new(name, TaskKind::Set(Value::Map(Vec::new())));
                task.then = Some(Then::End);
                Ok(vec![task])
            }
            "failed" if sight.is_tried => {
                let help = "end the run outside of what is done after a failure";
                Err(self.refuse(
                    action,
                    action.span,
                    "a failure that nothing may handle, in a block whose failure is handled",
                    help,
                ))
            }
            "failed" => {
                let mut said = |key: &str| -> Result<Option<Value>, Refused> {
                    let tree = at(action.tree, &["inputs", "runError", key]);
                    tree.map(|tree| self.template(action, tree, sight)).transpose()
                };
                let title = said("code")?.unwrap_or_else(|| Value::Constant("Failed".into()));
                let detail = said("message")?;
                Ok(vec![Task::new(name, TaskKind::Raise { title, detail })])
            }
            _ => Err(self.unlike(action, action.span, "an end with this status", "")),
        }
    }

    /// An action that calls something.
    fn called(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let Some(room) = self.low.room(action) else { return Err(Refused) };
        let kind = room.found.kind;
        let asks = room.found.human_gate;
        let (what, help) = match kind {
            _ if asks => {
                ("it asks a person, and waits", "ask for an approval by policy: a gate before the call holds the run")
            }
            _ if action.kind.ends_with("webhook") => {
                ("it waits until somebody calls back", "look for the answer in a step of its own")
            }
            Kind::SubWorkflow => {
                ("a call of another workflow", "import that workflow, and put its tasks in the place of the call")
            }
            Kind::Code | Kind::Command => {
                ("a program", "write what it computes as jq in a `set`, or as an action of a service of yours")
            }
            Kind::Agent => (
                "an agent, which chooses its tools while it runs",
                "decide in the definition which actions are called, and ask a model for values alone",
            ),
            Kind::Flow if action.kind != "response" => {
                // What stands inside is told with it.
                let what = format!("the action type `{}`", action.kind);
                return Err(self.refuse(action, action.span, &what, "write what it makes as jq in a `set`"));
            }
            _ => return self.service(action, sight),
        };
        Err(self.refuse(action, action.span, what, help))
    }

    /// What changes a call in ways that a task does not have.
    pub(super) fn settings(&mut self, action: &Action<'t>) -> Result<(), Refused> {
        let name = self.name(action);
        if let Some(tree) = at(action.tree, &["runtimeConfiguration", "paginationPolicy"]) {
            let help = "read page by page in an `Until`";
            return Err(self.unlike(action, tree.span, "the paging of a reply", help));
        }
        for entry in entries(action.get("runtimeConfiguration")) {
            if matches!(&*entry.key, "contentTransfer" | "secureData" | "staticResult") {
                self.desk.note(format!("`{name}`: `{}` is not carried over", entry.key));
            }
        }
        if let Some(options) = action.text(&["operationOptions"]) {
            self.desk.note(format!("`{name}`: the option `{options}` is not carried over"));
        }
        Ok(())
    }
}

/// What a variable of a type is before anything is in it.
fn nothing(kind: &str) -> serde_json::Value {
    match kind.to_lowercase().as_str() {
        "array" => serde_json::json!([]),
        "integer" | "float" => 0.into(),
        "boolean" => false.into(),
        "string" => "".into(),
        _ => serde_json::Value::Null,
    }
}
