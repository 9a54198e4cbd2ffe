//! Lists of tasks, and where control goes after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Data, Entry, Node, closest};
use crate::dsl::codes::{DUPLICATE_STEP, LEAVES_FORK, UNKNOWN_TARGET};
use crate::dsl::task::{End, Scope};
use crate::dsl::workflow::Lower;
use crate::program::NodeKind;
use crate::program::assemble::Label;
use crate::text::Span;

/// Where control can go from a task.
pub(super) struct Flow {
    /// The tasks of its list.
    pub(super) steps: BTreeMap<Arc<str>, Label>,
    /// The next task in the list, or its end.
    pub(super) next: Label,
    /// The end of the list.
    pub(super) exit: Label,
}

/// Where a flow directive leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Directive {
    /// To a task of the list, or its end.
    Goto(Label),
    /// To the end of the workflow.
    End(Span),
}

impl<'t> Lower<'t> {
    /// The tasks of a list, one after the other; its end is `exit`.
    pub(super) fn list(&mut self, node: &'t Node, path: &str, scope: &Scope, exit: Label) {
        let key = path.rsplit('/').next().unwrap_or(path);
        let Some(items) = node.expect_list(key, &mut self.out) else { return };
        let tasks: Vec<Option<&'t Entry>> = items.iter().map(|item| self.single(item)).collect();
        let mut flow = Flow { steps: BTreeMap::new(), next: exit, exit };
        let mut labels = Vec::new();
        for task in &tasks {
            let label = self.graph.label();
            labels.push(label);
            let Some(task) = task else { continue };
            if flow.steps.insert(task.key.clone(), label).is_some() {
                let message = format!("this list has two tasks named `{}`", task.key);
                self.out.push(DUPLICATE_STEP.at(task.key_span, message));
            }
        }
        match labels.first() {
            Some(first) => self.graph.goto(*first),
            None => self.graph.goto(exit),
        }
        let next = labels.iter().skip(1).copied().chain([exit]);
        for (i, ((task, label), next)) in tasks.into_iter().zip(&labels).zip(next).enumerate() {
            let Some(task) = task else { continue };
            flow.next = next;
            self.graph.bind(*label);
            self.task(task, &format!("{path}/{i}/{}", task.key), scope, &flow);
        }
    }

    /// The one entry of a list item: `- name: …`.
    pub(super) fn single(&mut self, item: &'t Node) -> Option<&'t Entry> {
        match &item.value {
            Data::Map(entries) if entries.len() == 1 => entries.first(),
            Data::Map(entries) => {
                self.bad(item.span, format!("a list item names one thing, found {} keys", entries.len()));
                None
            }
            _ => {
                self.bad(item.span, format!("a list item must be `name: …`, found {}", item.kind()));
                None
            }
        }
    }

    /// What a `then` means; without one, `continue`.
    pub(super) fn directive(&mut self, node: Option<&Node>, scope: &Scope, flow: &Flow) -> Directive {
        let Some(node) = node else { return Directive::Goto(flow.next) };
        let Some(text) = node.expect_name("then", &mut self.out) else { return Directive::Goto(flow.next) };
        match (text.as_ref(), &scope.end) {
            ("continue", _) => Directive::Goto(flow.next),
            ("exit", _) => Directive::Goto(flow.exit),
            ("end", End::Workflow { .. }) => Directive::End(node.span),
            ("end", End::Fork) => {
                self.out.push(LEAVES_FORK.at(node.span, "`end` inside a branch would leave the fork"));
                Directive::Goto(flow.exit)
            }
            (name, _) => match flow.steps.get(name) {
                Some(label) => Directive::Goto(*label),
                None => {
                    let mut message = format!("this list has no task `{name}`");
                    let words = flow.steps.keys().map(AsRef::as_ref).chain(["continue", "exit", "end"]);
                    if let Some(word) = closest(name, words) {
                        message.push_str(&format!("; did you mean `{word}`?"));
                    }
                    self.out.push(UNKNOWN_TARGET.at(node.span, message));
                    Directive::Goto(flow.next)
                }
            },
        }
    }

    /// Goes where a directive leads. On the way to the end of the workflow, timeouts are disarmed and the data
    /// of this list becomes the workflow's.
    pub(super) fn go(&mut self, directive: Directive, scope: &Scope) {
        let (span, label, data) = match (directive, &scope.end) {
            (Directive::Goto(label), _) => return self.graph.goto(label),
            (Directive::End(_), End::Fork) => return,
            (Directive::End(span), End::Workflow { label, data }) => (span, *label, *data),
        };
        let armed = self.graph.deadline;
        while let Some(deadline) = self.graph.deadline.filter(|d| Some(*d) != self.whole) {
            self.graph.deadline = self.graph.outer(deadline);
            self.graph.then(span, |next| NodeKind::Disarm { deadline, next });
        }
        if data != scope.data {
            self.graph.assign(data, Self::identity(scope.data, span), span);
        }
        self.graph.goto(label);
        self.graph.deadline = armed;
    }
}
