//! From events, jobs and steps to the one program.
//!
//! Each event that can start the workflow puts what it carries into a place of its own, and all of them lead to the
//! jobs, which are written in the order of their needs and one after another: jobs share nothing but outputs and
//! artifacts, and both go along `needs`. A condition that an outsider's event cannot meet takes that event out of
//! what the job or step reads (`admits`); any other condition tells nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::edit::Fix;
use sluice_core::expression::Expression;
use sluice_core::label::Name;
use sluice_core::program::{Document, NodeKind, PlaceId, StepId};
use sluice_core::text::{Span, Text};

use super::admits::{condition, ignores_needs};
use super::call::{Files, own_reference};
use super::holds::Happened;
use super::knowledge::Knowledge;
use super::read::{Job, Step, Workflow, entries};
use super::scope::{Heard, Level, Scope, either, plain};
use crate::import::{Calls, Catalogued, Format, Import, Linked, Mends, Observed};
use crate::links::LinkKind;
use crate::wiring::{Does, Sent, Wiring, place_variable};

/// What is known of a job once it is written.
pub(super) struct Done {
    pub(super) outputs: PlaceId,
    admitted: Vec<Heard>,
    listed: BTreeMap<String, PlaceId>,
    last: StepId,
}

/// An event and where what it carries lies.
#[derive(Clone, Debug)]
pub(super) struct Started {
    pub(super) name: Arc<str>,
    pub(super) known: super::knowledge::Event,
    pub(super) place: PlaceId,
    pub(super) happened: Happened,
    pub(super) step: StepId,
}

pub(super) struct Lowering<'a, 't> {
    pub(super) file: &'a Text,
    pub(super) workflow: &'a Workflow<'t>,
    pub(super) knowledge: &'a Knowledge,
    pub(super) wires: Wiring,
    pub(super) events: Vec<Started>,
    /// The events that may start the file that is written: of one that is called, those of its caller.
    pub(super) admitted: Vec<Heard>,
    pub(super) names: BTreeSet<String>,
    pub(super) done: BTreeMap<String, Done>,
    /// The files that can be called.
    pub(super) files: &'a Files<'t>,
    /// Files that are being written, outermost first, by how they are called; empty while the root alone is.
    pub(super) inside: Vec<Arc<str>>,
    /// Steps of the file that is written that were made so far.
    pub(super) made: usize,
    /// Steps of other files by file and order: one that is called twice has each step once.
    pub(super) repeated: BTreeMap<(Arc<str>, usize), StepId>,
    /// The file that was asked about.
    pub(super) root_file: Arc<str>,
    /// The files of steps that stand in others.
    pub(super) elsewhere: BTreeMap<StepId, Arc<str>>,
    /// Steps of other files that may still be written.
    pub(super) left: usize,
    pub(super) mends: BTreeMap<(StepId, Mends), Fix>,
    /// Files that jobs have kept for later ones.
    pub(super) artifacts: PlaceId,
    /// The whole workflow, for what is said of it.
    pub(super) root: StepId,
}

/// A job while it is written.
pub(super) struct Writing<'a, 't> {
    pub(super) job: &'a Job<'t>,
    pub(super) step: StepId,
    /// The step before the one that is written, in the order of the file.
    pub(super) last: StepId,
    pub(super) scope: Scope<'a>,
    /// Events that may start it.
    pub(super) admitted: Vec<Heard>,
    /// Contexts that the conditions of the job hold to constants.
    pub(super) listed: BTreeMap<String, PlaceId>,
    /// The step that brought an outsider's files into the workspace, and whether they came as an artifact.
    pub(super) foreign: Option<(StepId, bool)>,
}

/// Lowers a workflow.
pub(super) fn lower<'t>(
    text: &Text,
    workflow: &Workflow<'t>,
    (files, calls): (&Files<'t>, &Calls),
    knowledge: &Knowledge,
) -> Import {
    let mut wires = Wiring::new(Format::GithubActions);
    let artifacts = wires.code.place("artifacts");
    let mut lowering = Lowering {
        file: text,
        workflow,
        knowledge,
        wires,
        events: Vec::new(),
        admitted: Vec::new(),
        names: BTreeSet::new(),
        done: BTreeMap::new(),
        files,
        inside: own_reference(calls).into_iter().collect(),
        made: 0,
        repeated: BTreeMap::new(),
        root_file: text.name.clone(),
        elsewhere: BTreeMap::new(),
        left: super::enter::STEPS_LINKED_MAX,
        mends: BTreeMap::new(),
        artifacts,
        root: StepId(0),
    };
    lowering.root = lowering.step("workflow", "workflow", workflow.tree.span);
    lowering.write(text)
}

impl<'a, 't> Lowering<'a, 't> {
    fn write(mut self, text: &'a Text) -> Import {
        let span = self.workflow.tree.span;
        let ends = self.wires.ends();
        self.wires.code.bind(ends.entry);
        self.start();
        let refs = self.refs();
        let inputs = self.inputs();
        let heard = |(event, started): (usize, &Started)| Heard {
            event,
            place: started.place,
            who: None,
            parts: BTreeMap::new(),
        };
        self.admitted = self.events.iter().enumerate().map(heard).collect();
        let nowhere = self.wires.nowhere;
        let mut scope = Scope {
            file: text,
            knowledge: self.knowledge,
            events: self.admitted.clone(),
            listed: BTreeMap::new(),
            refs,
            event_inputs: inputs.clone(),
            inputs,
            secrets: BTreeMap::new(),
            env: Vec::new(),
            around: 2,
            written: nowhere,
            steps: BTreeMap::new(),
            all_steps: nowhere,
            needs: BTreeMap::new(),
            matrix: nowhere,
            workspace: nowhere,
        };
        self.wires.code.step = self.root;
        scope.env = vec![self.level(self.workflow.tree.get("env"), &scope, span)];
        self.describe_workflow();
        self.mend_rights();
        for job in &self.workflow.jobs {
            self.job(job, &scope);
        }
        self.wires.code.bind(ends.exit);
        self.wires.code.emit(NodeKind::Exit, span);
        let document = Document { name: self.workflow.name.to_string(), span, ..Document::default() };
        let linked = Linked { root: text.name.clone(), steps: self.elsewhere };
        Import { linked, mends: self.mends, ..self.wires.finish(document, &ends) }
    }

    /// A level of variables, each in a place.
    pub(super) fn level(&mut self, env: Option<&Tree>, scope: &Scope<'_>, span: Span) -> Level {
        let mut named = BTreeMap::new();
        let mut values = Vec::new();
        for entry in entries(env) {
            let read = scope.text(&entry.value);
            self.unread(&read.unread);
            let place = self.wires.code.place(format!("env.{}", entry.key));
            self.wires.copies();
            self.set(place, read.whole);
            values.push(place);
            named.insert(entry.key.to_lowercase(), place);
        }
        let mut all = either(values.iter(), span);
        // `env: ${{ … }}`: all of it from one expression.
        if let Some(whole) = env.filter(|env| env.as_text().is_some()) {
            all = Expression::opaque(scope.text(whole).parts, span);
        }
        let place = self.wires.code.place("env");
        let nowhere = self.wires.nowhere;
        self.wires.assign(place, all, nowhere);
        Level { named, all: place }
    }

    pub(super) fn set(&mut self, place: PlaceId, value: Expression) {
        let nowhere = self.wires.nowhere;
        self.wires.assign(place, value, nowhere);
    }

    pub(super) fn job(&mut self, job: &'a Job<'t>, outer: &Scope<'a>) {
        let step = self.step(&job.id, "job", job.span);
        self.wires.code.step = step;
        let mut writing = self.writing(job, outer, step);
        self.link(job, step);
        self.matrix(&mut writing);
        let level = self.level(job.tree.get("env"), &writing.scope, job.span);
        writing.scope.env.push(level);
        self.describe_job(&writing);
        if job.tree.get("uses").is_some() {
            self.reusable(&mut writing);
        }
        for step in &job.steps {
            self.one_step(step, &mut writing);
        }
        self.wires.code.step = writing.step;
        self.leave(job, writing);
    }

    /// A job comes after those that it needs, or else after the events.
    fn link(&mut self, job: &Job<'_>, step: StepId) {
        let needs = job.needs.iter().filter_map(|(need, _)| self.done.get(need.as_ref())).map(|done| done.last);
        let mut before: Vec<StepId> = needs.collect();
        if before.is_empty() {
            before = self.events.iter().map(|event| event.step).collect();
        }
        for from in before {
            self.wires.link(from, step, LinkKind::Next);
        }
    }

    fn writing(&mut self, job: &'a Job<'t>, outer: &Scope<'a>, step: StepId) -> Writing<'a, 't> {
        let mut scope = outer.clone();
        for (place, name) in [
            (&mut scope.written, "GITHUB_ENV"),
            (&mut scope.all_steps, "outputs of steps"),
            (&mut scope.matrix, "matrix"),
            (&mut scope.workspace, "workspace"),
        ] {
            *place = self.wires.code.place(format!("{name} of {}", job.id));
        }
        let guard = job.tree.get("if").and_then(Tree::as_text).and_then(|text| condition(text));
        let mut admitted = self.admitted.clone();
        for (need, span) in &job.needs {
            match self.done.get(need.as_ref()) {
                Some(done) => {
                    scope.needs.insert(need.to_string(), done.outputs);
                    if !guard.as_ref().is_some_and(ignores_needs) {
                        keep_common(&mut admitted, &done.admitted);
                        scope.listed.extend(done.listed.clone());
                    }
                }
                None => self.observe(step, Observed::DanglingReference { name: need.to_string() }, None, *span),
            }
        }
        self.wires.code.step = step;
        let listed = self.pass(&mut admitted, guard.as_ref(), step);
        scope.events.clone_from(&admitted);
        self.list(listed, step, &mut scope);
        let listed = scope.listed.clone();
        Writing { job, step, last: step, scope, admitted, listed, foreign: None }
    }

    /// `strategy.matrix`: each row a field, made of whatever stands in its list.
    fn matrix(&mut self, writing: &mut Writing<'_, '_>) {
        let Some(tree) = writing.job.tree.get("strategy").and_then(|s| s.get("matrix")) else { return };
        let mut fields = Vec::new();
        let mut rest = Vec::new();
        for entry in entries(Some(tree)) {
            let parts = self.all_within(&entry.value, &writing.scope);
            if matches!(entry.key.as_ref(), "include" | "exclude") {
                rest.extend(parts);
            } else {
                fields.push((Arc::<str>::from(entry.key.to_lowercase()), Expression::opaque(parts, entry.value.span)));
            }
        }
        if tree.as_text().is_some() {
            rest.extend(self.all_within(tree, &writing.scope));
        }
        let value = match rest.is_empty() {
            true => Expression::object(fields, tree.span),
            // `include` may add to any row.
            false => {
                Expression::opaque(rest.into_iter().chain(fields.into_iter().map(|(_, e)| e)).collect(), tree.span)
            }
        };
        self.set(writing.scope.matrix, value);
    }

    /// Every expression in a tree.
    pub(super) fn all_within(&mut self, tree: &Tree, scope: &Scope<'_>) -> Vec<Expression> {
        use sluice_core::document::Data;
        let mut found = Vec::new();
        let mut open = vec![tree];
        while let Some(node) = open.pop() {
            match &node.value {
                Data::Text(_) => {
                    let read = scope.text(node);
                    self.unread(&read.unread);
                    found.extend(read.parts);
                }
                Data::List(items) => open.extend(items),
                Data::Map(entries) => open.extend(entries.iter().map(|e| &e.value)),
                _ => {}
            }
        }
        found
    }

    pub(super) fn one_step(&mut self, step: &'a Step<'t>, writing: &mut Writing<'a, 't>) {
        let name = format!("{} / {}", writing.job.id, step.name);
        let kind = if step.run.is_some() { "run" } else { "uses" };
        let id = self.step(&name, kind, step.span);
        self.wires.link(writing.last, id, LinkKind::Next);
        writing.last = id;
        self.wires.code.step = id;
        let guard = step.tree.get("if").and_then(Tree::as_text).and_then(|text| condition(text));
        let mut admitted = writing.admitted.clone();
        let listed = self.pass(&mut admitted, guard.as_ref(), id);
        writing.scope.events.clone_from(&admitted);
        writing.scope.listed.clone_from(&writing.listed);
        self.list(listed, id, &mut writing.scope);
        // A step's variables are made of those around it, not of the step's before.
        writing.scope.env.truncate(writing.scope.around);
        let level = self.level(step.tree.get("env"), &writing.scope, step.span);
        writing.scope.env.push(level);
        let outputs = self.wires.code.place(format!("outputs of {name}"));
        let at = At { id, outputs, admitted: &admitted };
        match (step.run, step.uses) {
            (Some(run), _) => self.run(step, run, &at, writing),
            (None, Some(uses)) => self.uses(step, uses, &at, writing),
            (None, None) => {}
        }
        self.describe_step(step, &at, writing);
        self.mend_step(step, id, writing);
        if let Some(own) = step.id.clone() {
            writing.scope.steps.insert(own, outputs);
            let span = step.span;
            let both = vec![place_variable(writing.scope.all_steps, span), place_variable(outputs, span)];
            self.set(writing.scope.all_steps, Expression::opaque(both, span));
        }
    }

    /// The outputs of a job, for those that need it.
    fn leave(&mut self, job: &Job<'_>, writing: Writing<'_, '_>) {
        let outputs = self.wires.code.place(format!("outputs of {}", job.id));
        if job.tree.get("uses").is_none() {
            let mut fields = Vec::new();
            for entry in entries(job.tree.get("outputs")) {
                let read = writing.scope.text(&entry.value);
                self.unread(&read.unread);
                // In a place of its own: an object whose parts can fail is anything made of all of them.
                let place = self.wires.code.place(format!("output {} of {}", entry.key, job.id));
                self.set(place, read.whole);
                fields.push((Arc::<str>::from(entry.key.to_lowercase()), place_variable(place, entry.value.span)));
            }
            self.set(outputs, Expression::object(fields, job.span));
        } else {
            self.set(outputs, place_variable(writing.scope.all_steps, job.span));
        }
        let mut listed = writing.listed;
        listed.retain(|path, _| !path.starts_with("steps."));
        let done = Done { outputs, admitted: writing.admitted, listed, last: writing.last };
        self.done.insert(job.id.to_lowercase(), done);
    }

    /// Writes what a step sends and what is known of it.
    pub(super) fn act(&mut self, id: StepId, does: Does, sent: Vec<Sent>, known: Catalogued, span: Span) {
        let name: Name = self.name(id).into();
        let nowhere = self.wires.nowhere;
        if !sent.is_empty() {
            self.wires.call(&name, does, sent, nowhere, span);
        }
        self.wires.steps.insert(id, known);
    }
}

/// Where a step is written.
pub(super) struct At<'a> {
    pub(super) id: StepId,
    pub(super) outputs: PlaceId,
    pub(super) admitted: &'a [Heard],
}

/// Keeps the events that both let through, past the conditions of both.
fn keep_common(admitted: &mut Vec<Heard>, other: &[Heard]) {
    admitted.retain_mut(|heard| {
        let same = other.iter().find(|other| other.event == heard.event);
        same.is_some_and(|same| {
            heard.join(same);
            true
        })
    });
}

impl Lowering<'_, '_> {
    /// The value of something that reads nothing of anybody.
    pub(super) fn nothing(span: Span) -> Expression {
        plain(span)
    }
}
