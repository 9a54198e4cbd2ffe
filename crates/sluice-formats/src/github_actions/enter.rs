//! Into the files that a workflow calls, and back: what they are given, what their jobs and steps do with it, their outputs.
//!
//! A file is written anew wherever it is called, with what that caller gives it, but its steps are there once: what several
//! callers bring to a step is told of that step. Nothing is taken for granted of the file's own events: the run is the
//! caller's.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::program::{PlaceId, StepId};
use sluice_core::text::Span;

use super::call::{Called, is_called_bare, local};
use super::lower::{At, Lowering, Writing};
use super::read::{Step, entries};
use super::scope::{Inputs, Scope, either};
use crate::import::{Catalogued, Confidence, Kind, Observed};
use crate::wiring::place_variable;

/// Most steps and jobs of other files that are written into one program, each as often as it is called.
pub(super) const STEPS_LINKED_MAX: usize = 1_000;
/// Most files that call each other in a row; GitHub refuses more.
const DEPTH_MAX: usize = 10;

/// What a reference leads to.
pub(super) enum Leads<'a, 't> {
    /// A file of the repository, by this name.
    Here(&'a Called<'t>, Arc<str>),
    /// An action whose program is no workflow.
    Program,
    /// Several files answer to it.
    Several(Vec<Arc<str>>),
    /// No file that was read.
    Missing,
    /// Itself in the end, or more than is followed.
    NotFollowed(String),
    /// Another repository.
    Elsewhere,
}

impl<'a, 't> Lowering<'a, 't> {
    /// Whether what is written stands in the file that was asked about.
    pub(super) fn is_own(&self) -> bool {
        self.file.name == self.root_file
    }

    /// What `uses` of a step (an action) or of a job (a workflow) leads to.
    pub(super) fn leads(&self, uses: &str, is_step: bool) -> Leads<'a, 't> {
        let files = self.files;
        let Some(name) = local(uses) else {
            return if uses.starts_with("./") || uses.starts_with("../") { Leads::Missing } else { Leads::Elsewhere };
        };
        if let Some(several) = files.several(&name) {
            return Leads::Several(several.clone());
        }
        let fits = |called: &&Called<'_>| {
            called.workflow.is_action == is_step && (is_step || is_called_bare(&called.workflow))
        };
        if self.inside.contains(&name) {
            return Leads::NotFollowed(format!(
                "what `{name}` does where it calls itself in the end: GitHub refuses that"
            ));
        }
        match files.get(&name).filter(fits) {
            None => Leads::Missing,
            Some(called) if is_step && !called.is_composite() => Leads::Program,
            Some(called) if self.inside.len() >= DEPTH_MAX || self.left < size(called) => Leads::NotFollowed(format!(
                "what `{name}` does when it is called: more than {DEPTH_MAX} files in a row or {STEPS_LINKED_MAX} steps \
                 are not followed"
            )),
            Some(called) => Leads::Here(called, name),
        }
    }

    /// Says of a reference that it is not followed, and why.
    pub(super) fn tell(&mut self, leads: &Leads<'_, '_>, uses: &str, step: StepId, span: Span) {
        let name = uses.to_owned();
        match leads {
            Leads::Here(..) | Leads::Program => {}
            Leads::Several(files) => {
                self.observe(step, Observed::AmbiguousSubWorkflow { files: files.clone() }, None, span);
            }
            Leads::Missing => self.observe(step, Observed::MissingFile { name }, None, span),
            Leads::Elsewhere => self.observe(step, Observed::ExternalWorkflow { name }, None, span),
            Leads::NotFollowed(why) => {
                self.wires.assumed.insert(why.clone());
                self.observe(step, Observed::UnresolvedSubWorkflow, None, span);
            }
        }
    }

    /// A job that is another workflow of the repository: its jobs, with this one's inputs and events.
    pub(super) fn called_workflow(
        &mut self,
        (called, name): (&'a Called<'t>, Arc<str>),
        writing: &mut Writing<'a, 't>,
        span: Span,
    ) {
        let step = writing.step;
        self.wires.steps.insert(step, calls(&name, Kind::SubWorkflow));
        let inputs = self.handed(called, writing.job.tree.get("with"), &writing.scope);
        let secrets = self.secrets_for(writing.job.tree.get("secrets"), &writing.scope);
        let nowhere = self.wires.nowhere;
        let mut scope = Scope {
            file: called.text,
            inputs,
            secrets,
            env: Vec::new(),
            around: 2,
            steps: BTreeMap::new(),
            all_steps: nowhere,
            needs: BTreeMap::new(),
            matrix: nowhere,
            listed: of_the_event(&writing.scope),
            ..writing.scope.clone()
        };
        let outer = (self.file, self.workflow, self.made);
        let done = std::mem::take(&mut self.done);
        let admitted = std::mem::replace(&mut self.admitted, writing.admitted.clone());
        self.enter(called, name);
        scope.env = vec![self.level(called.workflow.tree.get("env"), &scope, span)];
        for job in &called.workflow.jobs {
            self.job(job, &scope);
        }
        scope.needs = self.done.iter().map(|(id, done)| (id.clone(), done.outputs)).collect();
        self.wires.code.step = step;
        let outputs = self.outputs_of(called, &scope, span);
        self.inside.pop();
        (self.file, self.workflow, self.made) = outer;
        (self.done, self.admitted) = (done, admitted);
        self.set(writing.scope.all_steps, outputs);
    }

    /// A step that is an action of the repository: its steps, in the job and workspace of this one.
    pub(super) fn composite(
        &mut self,
        step: &Step<'t>,
        (called, name): (&'a Called<'t>, Arc<str>),
        at: &At<'_>,
        writing: &mut Writing<'a, 't>,
        span: Span,
    ) {
        self.wires.steps.insert(at.id, calls(&name, Kind::SubWorkflow));
        let inputs = self.handed(called, step.tree.get("with"), &writing.scope);
        let all_steps = self.wires.code.place("outputs of steps of an action");
        let scope = Scope {
            file: called.text,
            inputs,
            secrets: BTreeMap::new(),
            // The calling step's own variables are around those of the action's steps.
            around: writing.scope.env.len(),
            steps: BTreeMap::new(),
            all_steps,
            needs: BTreeMap::new(),
            listed: of_the_event(&writing.scope),
            ..writing.scope.clone()
        };
        let Some(job) = called.workflow.jobs.first() else { return };
        let outer = (self.file, self.workflow, self.made);
        self.enter(called, name);
        let mut inner = Writing {
            job,
            step: at.id,
            last: at.id,
            listed: scope.listed.clone(),
            scope,
            admitted: at.admitted.to_vec(),
            foreign: writing.foreign,
        };
        for step in &job.steps {
            self.one_step(step, &mut inner);
        }
        self.wires.code.step = at.id;
        let outputs = self.outputs_of(called, &inner.scope, span);
        self.inside.pop();
        (self.file, self.workflow, self.made) = outer;
        writing.foreign = inner.foreign;
        self.set(at.outputs, outputs);
    }

    fn enter(&mut self, called: &'a Called<'t>, name: Arc<str>) {
        self.left -= size(called);
        self.inside.push(name);
        (self.file, self.workflow, self.made) = (called.text, &called.workflow, 0);
    }

    /// What a file is given: what its caller says, and its own defaults for the rest.
    fn handed(&mut self, called: &'a Called<'t>, with: Option<&Tree>, scope: &Scope<'_>) -> Inputs {
        let declared = entries(called.face().and_then(|face| face.get("inputs")));
        let mut handed = Inputs { named: Some(BTreeMap::new()), ..Inputs::default() };
        let own = Scope { file: called.text, inputs: Inputs::default(), ..scope.clone() };
        for entry in declared {
            let kind = entry.value.get("type").and_then(Tree::as_text).map(AsRef::as_ref);
            if !called.workflow.is_action && matches!(kind, Some("boolean" | "number")) {
                handed.fixed.push(entry.key.to_lowercase());
            }
            if let Some(default) = entry.value.get("default") {
                self.hand(&entry.key, default, &own, &mut handed);
            }
        }
        for entry in entries(with) {
            self.hand(&entry.key, &entry.value, scope, &mut handed);
        }
        let all = self.wires.code.place("inputs");
        let every = either(handed.named.iter().flat_map(BTreeMap::values), called.workflow.tree.span);
        self.set(all, every);
        handed.all = Some(all);
        handed
    }

    fn hand(&mut self, key: &str, value: &Tree, scope: &Scope<'_>, handed: &mut Inputs) {
        let read = scope.text(value);
        self.unread(&read.unread);
        let place = self.wires.code.place(format!("inputs.{key}"));
        self.wires.copies();
        self.set(place, read.whole);
        let key = key.to_lowercase();
        if let Some(text) = value.as_text() {
            handed.texts.insert(key.clone(), scope.with_inputs(text));
        }
        handed.named.get_or_insert_default().insert(key, place);
    }

    /// Secrets by name; those that are inherited keep theirs.
    fn secrets_for(&mut self, secrets: Option<&Tree>, scope: &Scope<'_>) -> BTreeMap<String, PlaceId> {
        if secrets.is_some_and(|secrets| secrets.as_text().is_some()) {
            return scope.secrets.clone();
        }
        let mut given = BTreeMap::new();
        for entry in entries(secrets) {
            let read = scope.text(&entry.value);
            self.unread(&read.unread);
            let place = self.wires.code.place(format!("secrets.{}", entry.key));
            self.set(place, read.whole);
            given.insert(entry.key.to_lowercase(), place);
        }
        given
    }

    /// What a file says its outputs are.
    fn outputs_of(&mut self, called: &Called<'_>, scope: &Scope<'_>, span: Span) -> Expression {
        let mut fields = Vec::new();
        for entry in entries(called.face().and_then(|face| face.get("outputs"))) {
            let Some(value) = entry.value.get("value") else { continue };
            let read = scope.text(value);
            self.unread(&read.unread);
            // In a place of its own: an object whose parts can fail is anything made of all of them.
            let place = self.wires.code.place(format!("output {}", entry.key));
            self.set(place, read.whole);
            fields.push((Arc::<str>::from(entry.key.to_lowercase()), place_variable(place, value.span)));
        }
        Expression::object(fields, span)
    }
}

/// What was held to constants and is the same in every file of a run.
fn of_the_event(scope: &Scope<'_>) -> BTreeMap<String, PlaceId> {
    let same = scope.listed.iter().filter(|(path, _)| path.starts_with("github."));
    same.map(|(path, place)| (path.clone(), *place)).collect()
}

/// Its jobs and steps; at least one.
fn size(called: &Called<'_>) -> usize {
    let jobs = &called.workflow.jobs;
    jobs.len().max(1) + jobs.iter().map(|job| job.steps.len()).sum::<usize>()
}

fn calls(name: &Arc<str>, kind: Kind) -> Catalogued {
    Catalogued {
        node_type: name.clone(),
        kind,
        reachable: true,
        confidence: Confidence::Known,
        ..Catalogued::default()
    }
}
