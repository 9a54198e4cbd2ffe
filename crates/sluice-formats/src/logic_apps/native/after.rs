//! `runAfter`: what is done where an action failed, ran out of time, or was left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::read::{Action, at, key};
use super::{Sight, Writer, words};
use crate::native::{Catch, Task, TaskKind, Value, quoted};

/// How the actions of a block end, where any of them cares.
pub(super) struct Endings<'b, 't> {
    block: &'b [Action<'t>],
    /// Whether any action of the block runs after something else than success.
    pub(super) matter: bool,
    /// Actions that surely ended well where the run has come to them.
    certain: BTreeSet<usize>,
    /// Names of `$context` that say how an action ended.
    pub(super) kept: Vec<String>,
}

impl<'b, 't> Endings<'b, 't> {
    pub(super) fn of(block: &'b [Action<'t>]) -> Self {
        let matter = block.iter().any(|action| action.after.iter().any(|(_, success)| !success));
        Self { block, matter, certain: BTreeSet::new(), kept: Vec::new() }
    }

    /// Whether something waits for an action to fail.
    pub(super) fn is_awaited(&self, action: &Action<'_>) -> bool {
        let fails = |words: &BTreeSet<String>| words.contains("failed") || words.contains("timedout");
        self.block.iter().any(|other| {
            let after = other.after.iter().filter(|(name, _)| key(name) == key(&action.name));
            after.into_iter().any(|(name, _)| fails(&words(at(other.tree, &["runAfter", name]))))
        })
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
        let condition = self.condition_on_endings(endings, action);
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
        for (name, _) in &action.after {
            let before = endings.block.iter().find(|other| key(&other.name) == key(name));
            let Some(before) = before.filter(|before| !endings.certain.contains(&before.index)) else { continue };
            let wanted = words(at(action.tree, &["runAfter", name]));
            let ended = self.reads(&status(&self.name(before)));
            let mut any: Vec<String> = Vec::new();
            for (word, shown) in [("succeeded", "Succeeded"), ("failed", "Failed"), ("timedout", "TimedOut")] {
                if wanted.contains(word) {
                    any.push(format!("{ended} == {}", quoted(shown)));
                }
            }
            if wanted.contains("skipped") {
                any.push(format!("{ended} == null"));
            }
            if wanted.is_empty() {
                any.push(format!("{ended} == {}", quoted("Succeeded")));
            }
            if any.len() < 4 {
                all.push(format!("({})", any.join(" or ")));
            }
        }
        // What runs only after a failure of what cannot have failed does not run.
        let never = action.after.iter().any(|(name, _)| {
            let before = endings.block.iter().find(|other| key(&other.name) == key(name));
            let wanted = words(at(action.tree, &["runAfter", name]));
            let is_certain = before.is_some_and(|before| endings.certain.contains(&before.index));
            is_certain && !wanted.is_empty() && !wanted.contains("succeeded")
        });
        if never {
            all.push("false".to_owned());
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
