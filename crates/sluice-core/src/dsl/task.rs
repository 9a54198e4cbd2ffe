//! What every task has: `if`, `input`, `output`, `export`, `timeout`, `then`; and which kind it is.

use std::sync::Arc;

use crate::document::UNKNOWN_KEY;
use crate::document::{Entry, Fields, Node, closest};
use crate::dsl::codes::{EMIT, LISTEN, RUN, TASK_KIND};
use crate::dsl::expression::Sight;
use crate::dsl::list::{Directive, Flow};
use crate::dsl::workflow::Lower;
use crate::program::assemble::Label;
use crate::program::{Arm, DeadlineId, NodeKind, PlaceId, Step};
use crate::text::Span;

/// What the tasks of one list share.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// What the expressions of its tasks see before any of their own: `.` is the data.
    pub(super) sight: Sight,
    /// Each task's raw input, and after it its transformed output.
    pub(super) data: PlaceId,
    /// What `end` means.
    pub(super) end: End,
}

/// Where `then: end` leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// To the end of the workflow, with its data.
    Workflow { label: Label, data: PlaceId },
    /// Out of a fork, which cannot be done yet.
    Fork,
}

/// One task while its own kind is lowered.
pub(super) struct Task<'a, 't> {
    pub(super) name: &'t Arc<str>,
    pub(super) path: &'a str,
    /// Where its kind's key stands.
    pub(super) span: Span,
    /// The fields that every task may have.
    common: Common<'t>,
    /// Its transformed input.
    pub(super) input: PlaceId,
    /// Receives its raw output.
    pub(super) raw: PlaceId,
    /// What the expressions of its definition see.
    pub(super) sight: Sight,
    pub(super) scope: &'a Scope,
    pub(super) flow: &'a Flow,
    deadline: Option<DeadlineId>,
}

#[derive(Clone, Copy)]
struct Common<'t> {
    condition: Option<&'t Node>,
    from: Option<&'t Node>,
    as_: Option<&'t Node>,
    export: Option<&'t Node>,
    timeout: Option<&'t Node>,
    then: Option<&'t Node>,
}

/// The keys that make a task, in the order in which they are looked for: a `for` has a `do` too.
const KINDS: [&str; 12] =
    ["call", "for", "fork", "emit", "listen", "raise", "run", "set", "switch", "try", "wait", "do"];

impl<'t> Lower<'t> {
    /// One task, from its raw input in the scope's data to wherever control goes after it.
    pub(super) fn task(&mut self, entry: &'t Entry, path: &str, scope: &Scope, flow: &Flow) {
        let Some(mut fields) = Fields::of(&entry.value, "a task", &mut self.out) else { return };
        let Some(kind) = self.kind(&fields, entry) else { return };
        let metadata = fields.optional("metadata");
        let purpose = metadata.and_then(|m| self.purpose(m)).map(|(name, _)| name);
        let step = Step {
            name: entry.key.clone(),
            path: path.into(),
            kind,
            span: entry.key_span.to(entry.value.span),
            purpose,
        };
        let outer = self.graph.step;
        self.graph.step = self.graph.step(step);
        let common = self.common(&mut fields);
        if let Some(key) = fields.entry(kind) {
            self.task_of_kind(entry, key, path, common, scope, flow, &mut fields);
        }
        fields.finish(&mut self.out);
        self.graph.step = outer;
    }

    fn kind(&mut self, fields: &Fields<'t>, entry: &'t Entry) -> Option<&'static str> {
        let mut kinds: Vec<&'static str> = KINDS.into_iter().filter(|kind| fields.has(kind)).collect();
        if kinds.contains(&"for") {
            kinds.retain(|kind| *kind != "do");
        }
        match kinds.as_slice() {
            [kind] => Some(kind),
            [] => {
                let message = format!("task `{}` does not say what it does", entry.key);
                self.out.push(TASK_KIND.at(entry.key_span, message));
                self.misspelt(entry);
                None
            }
            [first, second, ..] => {
                let message = format!("task `{}` has both `{first}` and `{second}`", entry.key);
                self.out.push(TASK_KIND.at(entry.key_span, message));
                None
            }
        }
    }

    /// A task without a kind usually has one that is misspelt.
    fn misspelt(&mut self, entry: &'t Entry) {
        let crate::document::Data::Map(entries) = &entry.value.value else { return };
        for found in entries {
            if let Some(word) = closest(&found.key, KINDS) {
                let message = format!("unknown key `{}` in a task; did you mean `{word}`?", found.key);
                self.out.push(UNKNOWN_KEY.at(found.key_span, message));
            }
        }
    }

    fn common(&mut self, fields: &mut Fields<'t>) -> Common<'t> {
        let condition = fields.optional("if");
        let from = fields.optional("input").and_then(|n| self.filtered(n, "an input", "from"));
        let as_ = fields.optional("output").and_then(|n| self.filtered(n, "an output", "as"));
        let export = fields.optional("export").and_then(|n| self.filtered(n, "an export", "as"));
        Common { condition, from, as_, export, timeout: fields.optional("timeout"), then: fields.optional("then") }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one task, taken apart once")]
    fn task_of_kind(
        &mut self,
        entry: &'t Entry,
        key: &'t Entry,
        path: &str,
        common: Common<'t>,
        scope: &Scope,
        flow: &Flow,
        fields: &mut Fields<'t>,
    ) {
        let (name, span) = (&entry.key, entry.key_span);
        let before = self.described(&scope.sight, entry, path);
        if let Some(guard) = common.condition.and_then(|node| Some((self.condition(node, "if", &before)?, node.span))) {
            let body = self.graph.label();
            let (guard, at) = guard;
            self.graph.emit(NodeKind::Branch { arms: vec![Arm { guard, to: body }], otherwise: flow.next }, at);
            self.graph.bind(body);
        }
        let input = self.graph.place(format!("input of {name}"));
        let from = self.transformed(common.from, "input.from", &before, span);
        self.graph.assign(input, from, common.from.map_or(span, |n| n.span));
        let sight = before.of(input).and("input", input);
        let outer = self.graph.deadline;
        let deadline = common.timeout.and_then(|node| self.arm(node, &sight));
        let raw = match common.as_ {
            Some(_) => self.graph.place(format!("raw output of {name}")),
            None => scope.data,
        };
        let task = Task { name, path, span: key.key_span, common, input, raw, sight, scope, flow, deadline };
        match key.key.as_ref() {
            "call" => self.call(&task, &key.value, fields),
            "do" => self.sequence(&task, &key.value),
            "for" => self.each(&task, &key.value, fields),
            "fork" => self.fork(&task, &key.value),
            "raise" => self.raise(&task, &key.value),
            "set" => self.set(&task, &key.value),
            "switch" => self.switch(&task, &key.value),
            "try" => self.attempt(&task, &key.value, fields),
            "wait" => self.wait(&task, &key.value),
            "emit" => self.unsupported(&task, &EMIT),
            "run" => self.unsupported(&task, &RUN),
            _ => {
                fields.optional("foreach");
                self.unsupported(&task, &LISTEN);
            }
        }
        self.graph.deadline = outer;
    }

    /// Adds `$task` where the task's text mentions it.
    fn described(&mut self, sight: &Sight, entry: &Entry, path: &str) -> Sight {
        let text = self.text.content.get(entry.value.span.start..entry.value.span.end).unwrap_or_default();
        if !text.contains("$task") {
            return sight.clone();
        }
        let place = self.graph.place(format!("$task of {}", entry.key));
        let value = serde_json::json!({
            "name": entry.key.as_ref(),
            "reference": format!("/{path}"),
            "definition": entry.value.to_json(),
        });
        self.graph.assign(place, Self::constant(&value, sight.input, entry.key_span), entry.key_span);
        sight.clone().and("task", place)
    }

    fn unsupported(&mut self, task: &Task<'_, 't>, code: &crate::document::CodeInfo) {
        let construct = code.name.trim_start_matches("unsupported-");
        self.out.push(code.at(task.span, format!("`{construct}` is not supported")));
        self.finish(task, None);
    }

    fn sequence(&mut self, task: &Task<'_, 't>, node: &'t Node) {
        let data = self.graph.place(format!("data of {}", task.name));
        self.graph.assign(data, Self::identity(task.input, task.span), task.span);
        let done = self.graph.label();
        let scope = task.scope.with_data(data);
        self.list(node, &format!("{}/do", task.path), &scope, done);
        self.graph.bind(done);
        self.graph.assign(task.raw, Self::identity(data, task.span), task.span);
        self.finish(task, None);
    }

    fn set(&mut self, task: &Task<'_, 't>, node: &'t Node) {
        if node.as_text().is_some_and(|text| crate::dsl::template::whole(text).is_none()) {
            self.bad(node.span, "`set` must be a map or one expression `${ … }`");
        }
        if let Some(value) = self.structure(node, &task.sight) {
            self.graph.assign(task.raw, value, node.span);
        }
        self.finish(task, None);
    }

    /// The transformed input is the raw output.
    pub(super) fn pass(&mut self, task: &Task<'_, 't>) {
        // Writing back what is there already would raise it to the labels of the guards around.
        if task.raw != task.scope.data || task.common.from.is_some() {
            self.graph.assign(task.raw, Self::identity(task.input, task.span), task.span);
        }
    }

    /// From the raw output on: `output.as`, `export.as`, the timeout's end, and `then` (or what overrides it).
    pub(super) fn finish(&mut self, task: &Task<'_, 't>, instead: Option<Directive>) {
        let (common, scope) = (&task.common, task.scope);
        if let Some(node) = common.as_ {
            let value = self.transformed(Some(node), "output.as", &task.sight.of(task.raw), node.span);
            self.graph.assign(scope.data, value, node.span);
        }
        if let Some(node) = common.export {
            let sight = task.sight.of(scope.data).and("output", scope.data);
            let value = self.transformed(Some(node), "export.as", &sight, node.span);
            self.graph.assign(self.context, value, node.span);
        }
        let armed = self.graph.deadline;
        if let Some(deadline) = task.deadline {
            self.graph.deadline = self.graph.outer(deadline);
            self.graph.then(task.span, |next| NodeKind::Disarm { deadline, next });
        }
        let directive = match instead {
            Some(directive) => directive,
            None => self.directive(common.then, scope, task.flow),
        };
        self.go(directive, scope);
        self.graph.deadline = armed;
    }

    /// Whether anything happens to the data between the task's own work and its `then`.
    pub(super) fn is_plain(task: &Task<'_, 't>) -> bool {
        task.common.as_.is_none() && task.common.export.is_none() && task.deadline.is_none()
    }

    /// Reads `then` of a task that never gets there, for its errors.
    pub(super) fn check_then(&mut self, task: &Task<'_, 't>) {
        self.directive(task.common.then, task.scope, task.flow);
    }

    /// The task's own `then`.
    pub(super) fn own_then(&mut self, task: &Task<'_, 't>) -> Directive {
        self.directive(task.common.then, task.scope, task.flow)
    }
}

impl Scope {
    /// The same scope over other data.
    pub(super) fn with_data(&self, data: PlaceId) -> Self {
        Self { sight: self.sight.of(data), data, end: self.end }
    }

    /// With a variable for the tasks in it.
    pub(super) fn and(mut self, name: impl Into<Arc<str>>, place: PlaceId) -> Self {
        self.sight = self.sight.and(name, place);
        self
    }
}
