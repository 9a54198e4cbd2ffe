//! `runAfter`: what is done where an action failed, ran out of time, or was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::read::{Action, entries, key};
use super::{Sight, Writer, words};
use crate::native::{Catch, Refused, Task, TaskKind, Value, quoted};

/// How the actions of a block end, where any of them cares.
pub(super) struct Endings<'b, 't> {
    /// By what expressions call them.
    by_key: BTreeMap<String, &'b Action<'t>>,
    /// Whether any action of the block runs after something else than success.
    pub(super) matter: bool,
    /// Actions that another one waits for to fail.
    awaited: BTreeSet<String>,
    /// Actions that surely ended well where the run has come to them.
    certain: BTreeSet<usize>,
    /// Names of `$context` that say how an action ended.
    pub(super) kept: Vec<String>,
}

impl<'b, 't> Endings<'b, 't> {
    pub(super) fn of(block: &'b [Action<'t>]) -> Self {
        let fails = |words: &BTreeSet<String>| words.contains("failed") || words.contains("timedout");
        let all = || block.iter().flat_map(|action| entries(action.tree.get("runAfter")));
        Self {
            by_key: block.iter().map(|action| (key(&action.name), action)).collect(),
            matter: block.iter().any(|action| action.after.iter().any(|(_, success)| !success)),
            awaited: all().filter(|entry| fails(&words(Some(&entry.value)))).map(|entry| key(&entry.key)).collect(),
            certain: BTreeSet::new(),
            kept: Vec::new(),
        }
    }

    /// Whether something waits for an action to fail.
    pub(super) fn is_awaited(&self, action: &Action<'_>) -> bool {
        self.awaited.contains(&key(&action.name))
    }
}

impl<'t> Writer<'_, 't> {
    /// The tasks of an action where it matters how others ended.
    pub(super) fn minded(
        &mut self,
        endings: &mut Endings<'_, 't>,
        action: &Action<'t>,
        mut made: Vec<Task>,
    ) -> Vec<Task> {
        let name = self.name(action);
        let condition = match self.condition_on_endings(endings, action) {
            None => None,
            Some(jq) => match self.desk.short_enough(&name, jq, action.span) {
                Ok(jq) => Some(jq),
                Err(Refused) => return vec![self.desk.missing(&name, &action.kind)],
            },
        };
        let awaited = endings.is_awaited(action);
        if condition.is_none() && !awaited {
            endings.certain.insert(action.index);
            return made;
        }
        let slot = status(&name);
        endings.kept.push(slot.clone());
        if let Some(last) = made.last_mut() {
            last.export.push((slot.clone(), quoted("Succeeded")));
        }
        let mut task = match made.pop() {
            Some(only) if made.is_empty() => only,
            Some(last) => {
                made.push(last);
                Task::new(self.desk.free(&format!("all of {name}")), TaskKind::Do(made))
            }
            None => return made,
        };
        if awaited {
            let mut failed =
                Task::new(self.desk.free(&format!("{name} (failed)")), TaskKind::Set(Value::Map(Vec::new())));
            let timed_out = "(if ($error.type | endswith(\"/timeout\")) then \"TimedOut\" else \"Failed\" end)";
            failed.export.push((slot, timed_out.to_owned()));
            let catch = Some(Catch { tasks: vec![failed], ..Catch::default() });
            let kind = TaskKind::Try { tasks: vec![task], retry: None, catch };
            task = Task::new(self.desk.free(&format!("try {name}")), kind);
        }
        task.condition = condition;
        vec![task]
    }

    /// Where an action runs, as jq; `None` if it always does.
    fn condition_on_endings(&mut self, endings: &Endings<'_, 't>, action: &Action<'t>) -> Option<String> {
        let mut all = Vec::new();
        for entry in entries(action.tree.get("runAfter")) {
            let Some(before) = endings.by_key.get(&key(&entry.key)) else { continue };
            let wanted = words(Some(&entry.value));
            let on_success = wanted.is_empty() || wanted.contains("succeeded");
            if endings.certain.contains(&before.index) {
                // What runs only after a failure of what cannot have failed does not run.
                all.extend((!on_success).then(|| "false".to_owned()));
                continue;
            }
            let ended = self.reads(&status(&self.name(before)));
            let mut any: Vec<String> = Vec::new();
            for (takes, shown) in [
                (on_success, "Succeeded"),
                (wanted.contains("failed"), "Failed"),
                (wanted.contains("timedout"), "TimedOut"),
            ] {
                any.extend(takes.then(|| format!("{ended} == {}", quoted(shown))));
            }
            any.extend(wanted.contains("skipped").then(|| format!("{ended} == null")));
            if any.len() < 4 {
                all.push(format!("({})", any.join(" or ")));
            }
        }
        (!all.is_empty()).then(|| all.join(" and "))
    }

    /// In a loop, how an action ended the last time counts no longer.
    pub(super) fn forgotten(&mut self, endings: &Endings<'_, 't>, sight: &Sight) -> Option<Task> {
        if !sight.is_repeated || endings.kept.is_empty() {
            return None;
        }
        let mut task = Task::new(self.desk.free("begin"), TaskKind::Set(Value::Map(Vec::new())));
        task.export = endings.kept.iter().map(|slot| (slot.clone(), "null".to_owned())).collect();
        Some(task)
    }
}

/// Where `$context` keeps how an action ended.
fn status(name: &Arc<str>) -> String {
    format!("status of {name}")
}
