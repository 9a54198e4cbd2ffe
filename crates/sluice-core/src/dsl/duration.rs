//! Durations, and what takes them: `wait` and `timeout`.

use crate::document::{Data, Fields, Node};
use crate::dsl::expression::Sight;
use crate::dsl::task::Task;
use crate::dsl::workflow::Lower;
use crate::program::{DeadlineId, Duration, NodeKind};

impl<'t> Lower<'t> {
    pub(super) fn wait(&mut self, task: &Task<'_, 't>, node: &'t Node) {
        if let Some(duration) = self.duration(node, "wait", Some(&task.sight)) {
            self.graph.then(node.span, |next| NodeKind::Wait { duration, next });
        }
        self.pass(task);
        self.finish(task, None);
    }

    /// Starts a timeout over what follows; the caller ends it.
    pub(super) fn arm(&mut self, node: &'t Node, sight: &Sight) -> Option<DeadlineId> {
        let found = self.referenced(node, self.components.timeouts, "timeout")?;
        let mut fields = Fields::of(found, "a timeout", &mut self.out)?;
        let after = fields.required("after", &mut self.out);
        fields.finish(&mut self.out);
        let after = self.duration(after?, "after", Some(sight))?;
        let start = self.here();
        let deadline = self.graph.deadline(after, start);
        self.graph.then(node.span, |next| NodeKind::Arm { deadline, next });
        self.graph.deadline = Some(deadline);
        Some(deadline)
    }

    /// A duration; `sight` is what an expression in it would see, if it may have one.
    pub(super) fn duration(&mut self, node: &'t Node, what: &str, sight: Option<&Sight>) -> Option<Duration> {
        if let Some(sight) = sight.filter(|_| node.as_text().is_some_and(|text| text.contains("${"))) {
            return Some(Duration::Expression(self.structure(node, sight)?));
        }
        if let Data::Map(_) = &node.value {
            let mut fields = Fields::of(node, "a duration", &mut self.out)?;
            let mut complete = true;
            for unit in ["days", "hours", "minutes", "seconds", "milliseconds"] {
                if let Some(count) = fields.optional(unit) {
                    complete &= count.expect_count(unit, &mut self.out).is_some();
                }
            }
            fields.finish(&mut self.out);
            complete.then_some(())?;
        }
        let millis = crate::duration::millis(&node.to_json());
        if millis.is_none() {
            let message = format!("`{what}` is no duration of a fixed length, such as `PT1M30S` or `minutes: 1`");
            self.bad(node.span, message);
        }
        millis.map(Duration::Millis)
    }
}
