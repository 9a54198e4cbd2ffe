//! `try` and `catch`: a handler that filters, retries, and goes on.

use crate::document::{Data, Fields, Node};
use crate::dsl::raise::standard_types;
use crate::dsl::retry::Retrying;
use crate::dsl::task::Task;
use crate::dsl::workflow::Lower;
use crate::program::assemble::Label;
use crate::program::{Arm, NodeKind, PlaceId, Use};
use crate::text::Span;

/// What a `catch` says.
struct Catch<'t> {
    span: Span,
    filter: Option<&'t Node>,
    variable: std::sync::Arc<str>,
    when: Option<&'t Node>,
    except_when: Option<&'t Node>,
    retry: Option<&'t Node>,
    tasks: Option<&'t Node>,
    then: Option<&'t Node>,
}

impl Catch<'_> {
    /// Whether nothing handles an error that is no longer retried.
    fn only_retries(&self) -> bool {
        self.retry.is_some() && self.tasks.is_none()
    }
}

/// The place of the caught error and where an error that is not caught after all is raised again.
struct Caught {
    error: PlaceId,
    again: Label,
}

impl<'t> Lower<'t> {
    pub(super) fn attempt(&mut self, task: &Task<'_, 't>, node: &'t Node, fields: &mut Fields<'t>) {
        let Some(catch) = fields.required("catch", &mut self.out).and_then(|n| self.read_catch(n)) else { return };
        let retrying = catch.retry.and_then(|node| self.retrying(task, node));
        let data = self.graph.place(format!("data of {}", task.name));
        let error = self.graph.place(format!("${}", catch.variable));
        let (entry, done) = (self.graph.label(), self.graph.label());

        if let Some(retrying) = &retrying {
            let zero = Self::constant(&0.into(), task.input, task.span);
            self.graph.assign(retrying.attempts, zero, retrying.policy.span);
        }
        let block = self.here();
        self.graph.assign(data, Self::identity(task.input, task.span), task.span);
        let outer = self.graph.handler;
        self.graph.handler = Some(self.graph.handler(error, entry));
        self.list(node, &format!("{}/try", task.path), &task.scope.with_data(data), done);
        self.graph.handler = outer;
        self.graph.bind(done);
        self.graph.assign(task.raw, Self::identity(data, task.span), task.span);
        self.finish(task, None);

        self.graph.bind(entry);
        let caught = Caught { error, again: self.graph.label() };
        self.filtering(task, &catch, &caught);
        if let Some(retrying) = retrying {
            self.repeating(task, &catch, &caught, retrying, block);
        }
        self.handling(task, &catch, &caught);
        let raises_again = catch.filter.is_some() || catch.when.is_some() || catch.except_when.is_some();
        if !raises_again && !catch.only_retries() {
            return;
        }
        self.graph.bind(caught.again);
        self.graph.emit(NodeKind::Raise { error: Self::identity(error, catch.span) }, catch.span);
    }

    fn read_catch(&mut self, node: &'t Node) -> Option<Catch<'t>> {
        let mut fields = Fields::of(node, "a catch", &mut self.out)?;
        let errors = fields.optional("errors");
        let variable = self.variable(&mut fields, "as", "error");
        let catch = Catch {
            span: node.span,
            filter: errors.and_then(|errors| {
                let mut fields = Fields::of(errors, "`errors`", &mut self.out)?;
                let with = fields.optional("with");
                fields.finish(&mut self.out);
                with
            }),
            variable,
            when: fields.optional("when"),
            except_when: fields.optional("exceptWhen"),
            retry: fields.optional("retry"),
            tasks: fields.optional("do"),
            then: fields.optional("then"),
        };
        fields.finish(&mut self.out);
        Some(catch)
    }

    /// Whether the error is one to catch at all; if not, it is raised again.
    fn filtering(&mut self, task: &Task<'_, 't>, catch: &Catch<'t>, caught: &Caught) {
        let sight = task.sight.clone().and(catch.variable.clone(), caught.error);
        if let Some(node) = catch.filter
            && let Some(guard) = self.filter(node, &sight.of(caught.error))
        {
            self.only_if(guard, caught.again, node.span);
        }
        if let Some(node) = catch.when
            && let Some(guard) = self.condition(node, "when", &sight)
        {
            self.only_if(guard, caught.again, node.span);
        }
        if let Some(node) = catch.except_when
            && let Some(guard) = self.condition(node, "exceptWhen", &sight)
        {
            self.unless(guard, caught.again, node.span);
        }
    }

    /// `errors.with`: every property that it names has that value.
    fn filter(&mut self, node: &'t Node, sight: &crate::dsl::expression::Sight) -> Option<Use> {
        let mut fields = Fields::of(node, "an error filter", &mut self.out)?;
        let mut tests = Vec::new();
        for key in ["type", "status", "instance", "title", "detail"] {
            let Some(value) = fields.optional(key) else { continue };
            let values = match (&value.value, key) {
                (Data::Text(text), "type") => standard_types(text),
                (Data::Text(text), _) if key != "status" => vec![text.to_string().into()],
                (Data::Int(status), "status") => vec![(*status).into()],
                _ => {
                    self.bad(
                        value.span,
                        format!("`{key}` of an error filter is fixed text, and `status` a whole number"),
                    );
                    continue;
                }
            };
            let any: Vec<String> = values.iter().map(|v: &serde_json::Value| format!(".{key} == {v}")).collect();
            tests.push(format!("({})", any.join(" or ")));
        }
        fields.finish(&mut self.out);
        if tests.is_empty() {
            self.bad(node.span, "an error filter names at least one property");
            return None;
        }
        self.generated(&tests.join(" and "), sight, node.span)
    }

    fn repeating(
        &mut self,
        task: &Task<'_, 't>,
        catch: &Catch<'t>,
        caught: &Caught,
        retrying: Retrying<'t>,
        block: Label,
    ) {
        let sight = task.sight.clone().and(catch.variable.clone(), caught.error);
        let given_up = self.graph.label();
        if let Some(node) = retrying.when
            && let Some(guard) = self.condition(node, "when", &sight)
        {
            self.only_if(guard, given_up, node.span);
        }
        if let Some(node) = retrying.except_when
            && let Some(guard) = self.condition(node, "exceptWhen", &sight)
        {
            self.unless(guard, given_up, node.span);
        }
        let Retrying { policy, attempts, .. } = retrying;
        let span = policy.span;
        self.graph.emit(NodeKind::Retry { policy, attempts, again: block, exhausted: given_up }, span);
        self.graph.bind(given_up);
    }

    /// What happens with an error that is caught and not, or no longer, retried.
    fn handling(&mut self, task: &Task<'_, 't>, catch: &Catch<'t>, caught: &Caught) {
        if catch.only_retries() {
            self.graph.goto(caught.again);
            self.directive(catch.then, task.scope, task.flow);
            return;
        }
        match catch.tasks {
            None => self.graph.assign(task.raw, Self::identity(task.input, catch.span), catch.span),
            Some(tasks) => {
                let data = self.graph.place(format!("data of catch of {}", task.name));
                self.graph.assign(data, Self::identity(task.input, catch.span), catch.span);
                let done = self.graph.label();
                let scope = task.scope.with_data(data).and(catch.variable.clone(), caught.error);
                self.list(tasks, &format!("{}/catch/do", task.path), &scope, done);
                self.graph.bind(done);
                self.graph.assign(task.raw, Self::identity(data, catch.span), catch.span);
            }
        }
        let instead = catch.then.map(|node| self.directive(Some(node), task.scope, task.flow));
        self.finish(task, instead);
    }

    /// Goes on if `guard` holds, else to `label`.
    fn only_if(&mut self, guard: Use, label: Label, span: Span) {
        let to = self.graph.label();
        self.graph.emit(NodeKind::Branch { arms: vec![Arm { guard, to }], otherwise: label }, span);
        self.graph.bind(to);
    }

    /// Goes to `label` if `guard` holds, else on.
    fn unless(&mut self, guard: Use, label: Label, span: Span) {
        self.graph.then(span, |next| NodeKind::Branch { arms: vec![Arm { guard, to: label }], otherwise: next });
    }
}
