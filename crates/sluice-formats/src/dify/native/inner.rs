//! Iterations: a `for` that gathers what each round puts out.

use super::super::read::{is_on, text_at};
use super::{Sight, Writer};
use crate::native::{DEPTH_MAX, Refused, Task, TaskKind, Value, member};
use crate::order::each_before_what_follows;

impl<'t> Writer<'_, 't> {
    pub(super) fn iteration(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (name, data, span) = (self.low.name(i), self.data(i)?, self.low.span(i));
        if self.node_type(i) != "iteration" {
            self.lose(&self.low.inner(i));
            let help = "repeat with an iteration over a list";
            return Err(self.refuse(i, "a loop that goes round until a condition holds", help));
        }
        // A loop that stands in itself has no end, and one in too many others no list.
        if sight.items.len() >= DEPTH_MAX || sight.items.iter().any(|(around, _)| *around == i) {
            return Err(self.refuse(i, "an iteration that lies too deep in others", "split the app into several"));
        }
        let variable = match sight.items.len() {
            0 => "item".to_owned(),
            n => format!("item_{}", n + 1),
        };
        let mut inside = sight.clone();
        inside.items.push((i, variable.clone()));
        let inner = self.low.inner(i);
        let round = self.level(&inner, &inside);
        let mode = text_at(data, &["error_handle_mode"]).map_or("terminated", AsRef::as_ref);
        if mode != "terminated" {
            let help = "let the run end where an item fails, or go on after errors inside of the iteration";
            return Err(self.unlike(i, span, &format!("the way `{mode}` to go on where an item fails"), help));
        }
        let Some(items) = self.selected(i, data.get("iterator_selector"), sight)? else {
            return Err(self.unlike(i, span, "an iteration over nothing", ""));
        };
        let made = self.selected(i, data.get("output_selector"), &inside)?.unwrap_or_else(|| "null".to_owned());
        if is_on(data, &["is_parallel"]) {
            self.desk.note(
                "a `for` goes through its items one after the other; an iteration may go through several at once",
            );
        }
        // What is put out is kept under the node's own name from the start: nothing of it before the first round.
        let kept = member("$context", &name);
        let mut begin = Task::new(self.desk.free(&format!("begin {name}")), TaskKind::Set(Value::Map(Vec::new())));
        begin.export = vec![(name.to_string(), "{output: []}".to_owned())];
        let mut gather = Task::new(self.desk.free(&format!("output of {name}")), TaskKind::Set(Value::jq(made)));
        gather.export = vec![(name.to_string(), format!("{{output: ({kept}.output + [.])}}"))];
        let forget = self.forget(i);
        let tasks = std::iter::once(forget).chain(round).chain([gather]).collect();
        let each = Task::new(name.clone(), TaskKind::For { each: variable, items, tasks });
        Ok(vec![begin, each])
    }

    /// At the beginning of a round nothing is left of the one before.
    fn forget(&mut self, i: usize) -> Task {
        let app = self.low.app;
        let id = app.nodes.get(i).map(|node| node.id.clone());
        let inside: Vec<usize> =
            (0..app.nodes.len()).filter(|n| app.nodes.get(*n).and_then(|node| node.parent.clone()) == id).collect();
        let mut task =
            Task::new(self.desk.free(&format!("round of {}", self.low.name(i))), TaskKind::Set(Value::Map(Vec::new())));
        for node in inside {
            task.export.push((self.low.name(node).to_string(), "null".to_owned()));
            if self.decides(node) && !matches!(self.node_type(node).as_str(), "if-else" | "question-classifier") {
                let slot = self.slot(node);
                task.export.push((slot, "null".to_owned()));
            }
        }
        task
    }

    /// The nodes of a loop that is not written have no equivalent either.
    fn lose(&mut self, entries: &[usize]) {
        for i in each_before_what_follows(entries, &|i| self.low.targets(i)) {
            let name = self.low.name(i);
            self.desk.reach(&name);
            let _ = self.desk.missing(&name, "loop");
        }
    }
}
