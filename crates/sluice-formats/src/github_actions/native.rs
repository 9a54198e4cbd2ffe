//! Native definitions of workflows of GitHub Actions: jobs as lists, each after those that it needs.
//!
//! A job is a machine with files, on which scripts run: a run of Sluice has neither. So a script has no equivalent, nor has an
//! action behind one, or behind anything else that leaves files: it may work on them. An action that has nothing but its
//! inputs, its variables and the event is a call of a connector, as a function of a cloud is. Conditions, outputs and needs are
//! carried over.

mod condition;
mod context;
mod step;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::gate::{Effect, Role};
use sluice_core::text::{Span, Text};

use super::read::{self, Event, Job, Step, Workflow, entries};
use crate::import::{Catalogued, Import};
use crate::native::{
    ActionDraft, Catch, Definition, Reached, Refused, Sending, Task, TaskKind, Value, Writing, start_of,
};
use crate::refusal;

/// Steps that stand for what somebody chose.
const REF: &str = "github.ref";
const INPUTS: &str = "inputs";

/// The names of the events, in the order of the file.
pub(crate) fn starts(tree: &Tree) -> Vec<Arc<str>> {
    let Ok(workflow) = read::workflow(tree) else { return Vec::new() };
    workflow.events.iter().map(|event| event.name.clone()).collect()
}

/// Translates a workflow.
///
/// # Errors
/// Those of reading it; that no event starts it, or several do and `start` names none of them; that it lies too deep.
pub(crate) fn definition(text: &Text, tree: &Tree, start: Option<&str>) -> Result<Definition, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    let import = super::import(text, tree)?;
    let names: Vec<Arc<str>> = workflow.events.iter().map(|event| event.name.clone()).collect();
    let at = start_of(tree, &names, start, "name an event under `on`")?;
    let Some(event) = workflow.events.get(at) else { return Err(Vec::new()) };
    let desk = Writing::new(text, import.program.steps.iter().map(|step| step.name.clone()));
    let mut spans: BTreeMap<(&'static str, usize), VecDeque<Arc<str>>> = BTreeMap::new();
    for step in &import.program.steps {
        spans.entry((step.kind, step.span.start)).or_default().push_back(step.name.clone());
    }
    let mut writer =
        Writer { text, workflow: &workflow, import: &import, event, spans, desk, outputs: BTreeMap::new() };
    let mut tasks = Vec::new();
    let mut conditions = BTreeMap::new();
    for job in &workflow.jobs {
        tasks.extend(writer.job(job, &mut conditions));
    }
    let mut all = writer.start();
    all.extend(tasks);
    let title = if workflow.name.trim().is_empty() { "workflow" } else { &workflow.name };
    writer.desk.finish(title, all, tree.span)
}

/// What the expressions of a step see.
#[derive(Clone, Debug, Default)]
struct Sight<'t> {
    /// The variables of the workflow, the job and the step, the nearest last.
    env: Vec<&'t Tree>,
    /// By id: the steps of the job that were written.
    steps: BTreeMap<String, Arc<str>>,
}

struct Writer<'a, 't> {
    text: &'t Text,
    workflow: &'a Workflow<'t>,
    import: &'a Import,
    /// The event that is meant.
    event: &'a Event<'t>,
    /// The names of steps by kind and place.
    spans: BTreeMap<(&'static str, usize), VecDeque<Arc<str>>>,
    desk: Writing<'t>,
    /// Where `$context` keeps the outputs of each job.
    outputs: BTreeMap<String, Arc<str>>,
}

impl<'a, 't> Writer<'a, 't> {
    /// The event, as it came, and what somebody chose beside it, where it is read.
    fn start(&mut self) -> Vec<Task> {
        let mut names = vec![self.event.name.clone()];
        let has = |name: &&str| self.import.step_named(name).is_some();
        names
            .extend([REF, INPUTS].into_iter().filter(has).filter(|name| self.desk.read.contains(*name)).map(Arc::from));
        let event = self.event.name.clone();
        self.desk.note(format!(
            "`{event}` starts the original; a definition is started by `sluice run`, and reads the event that its input names, as `event`, of \
             the connector `github`"
        ));
        names.iter().map(|name| self.source(name)).collect()
    }

    fn source(&mut self, name: &Arc<str>) -> Task {
        self.desk.reach(name);
        let mut sending = Sending::default();
        sending.add("event", None, Value::jq("$workflow.input.event"));
        sending.roles.insert("event".to_owned(), Some(Role::Reference));
        let fact = self.fact(name);
        let draft = ActionDraft {
            description: format!("{}, as it came", fact.node_type),
            method: "GET".to_owned(),
            ..draft(Effect::Read, &fact, &sending)
        };
        let action = match name.as_ref() {
            REF => "ref",
            INPUTS => "inputs",
            _ => "event",
        };
        let action = self.desk.contracts.add("github", &Reached::Unknown, true, action, draft);
        self.desk.told.insert(name.clone(), sending.told);
        Task::new(name.clone(), TaskKind::Call { action, with: sending.with }).kept_as(name)
    }

    fn fact(&self, name: &str) -> Catalogued {
        self.import.step_named(name).and_then(|step| self.import.steps.get(&step).cloned()).unwrap_or_default()
    }

    /// The name of what stands at a place.
    fn named(&mut self, kind: &'static str, span: Span, usual: &str) -> Arc<str> {
        let known = self.spans.get_mut(&(kind, span.start)).and_then(VecDeque::pop_front);
        known.unwrap_or_else(|| self.desk.free(usual))
    }

    /// A job as one list. `conditions`: when each job before runs, as parts that must all hold.
    fn job(&mut self, job: &'a Job<'t>, conditions: &mut BTreeMap<String, BTreeSet<String>>) -> Vec<Task> {
        let name = self.named("job", job.span, &job.id);
        self.desk.reach(&name);
        let mut sight = Sight { env: Vec::new(), steps: BTreeMap::new() };
        sight.env.extend(self.workflow.tree.get("env").into_iter().chain(job.tree.get("env")));
        let own = self.machine(job, &name).and_then(|()| self.when(job, &name, &sight, conditions));
        let mut tasks = Vec::new();
        let mut has_files = false;
        for step in &job.steps {
            tasks.extend(self.step(job, step, &mut sight, &mut has_files));
        }
        let outputs = self.leave(job, &name, &sight);
        tasks.extend(outputs.clone().ok().flatten());
        let mut task = Task::new(name.clone(), TaskKind::Do(tasks));
        task.timeout_ms = match self.minutes(job.tree, &name) {
            Ok(timeout) => timeout,
            Err(Refused) => return self.broken(&name, task, conditions, job),
        };
        let Ok(own) = own else { return self.broken(&name, task, conditions, job) };
        if outputs.is_err() {
            return self.broken(&name, task, conditions, job);
        }
        task.condition = (!own.is_empty()).then(|| own.iter().cloned().collect::<Vec<_>>().join(" and "));
        conditions.insert(job.id.to_lowercase(), own);
        vec![self.goes_on(job.tree, task)]
    }

    /// A job of which a part has no equivalent: that is told by a task before its steps.
    fn broken(
        &mut self,
        name: &Arc<str>,
        mut task: Task,
        conditions: &mut BTreeMap<String, BTreeSet<String>>,
        job: &Job<'_>,
    ) -> Vec<Task> {
        let missing = self.desk.missing(name, "job");
        task.name = self.desk.free(&format!("steps of {name}"));
        conditions.insert(job.id.to_lowercase(), BTreeSet::new());
        vec![missing, task]
    }

    /// What a job has that no list of tasks has.
    fn machine(&mut self, job: &Job<'t>, name: &Arc<str>) -> Result<(), Refused> {
        self.desk.note(
            "machines (`runs-on`), rights (`permissions`) and `concurrency` are not carried over: a run has no machine, and policy says what it \
             may do",
        );
        let found = [
            ("uses", "a call of another workflow", "import that workflow, and put its tasks in the place of the call"),
            ("strategy", "a job that runs once for each value of a matrix", "write a job for each value"),
            ("environment", "an environment, which may ask people first,", "ask for an approval by policy"),
            ("services", "services beside the job", "call a service by the contract of a connector"),
            ("container", "a container around the job", "call a service by the contract of a connector"),
        ];
        let mut refused = Ok(());
        for (key, what, help) in found {
            if let Some(entry) = job.tree.entry(key) {
                let code = &refusal::PARAMETER_WITHOUT_EQUIVALENT;
                refused = Err(self.desk.gap(name, code, entry.key_span, what, help));
            }
        }
        refused
    }

    /// When a job runs: its own condition, and those of what it needs.
    fn when(
        &mut self,
        job: &Job<'t>,
        name: &Arc<str>,
        sight: &Sight<'t>,
        conditions: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<BTreeSet<String>, Refused> {
        let mut all = BTreeSet::new();
        for (need, _) in &job.needs {
            all.extend(conditions.get(need.as_ref()).into_iter().flatten().cloned());
        }
        all.extend(self.condition(name, job.tree, sight)?);
        let joined: usize = all.iter().map(String::len).sum();
        self.desk.short_enough(name, " ".repeat(joined), job.span)?;
        Ok(all)
    }

    /// The outputs of a job, kept under its name.
    fn leave(&mut self, job: &Job<'t>, name: &Arc<str>, sight: &Sight<'t>) -> Result<Option<Task>, Refused> {
        let mut fields = Vec::new();
        let mut refused = None;
        for entry in entries(job.tree.get("outputs")) {
            match self.value(name, &entry.value, sight) {
                Ok(value) => fields.push((entry.key.to_string(), value)),
                Err(gone) => refused = Some(gone),
            }
        }
        self.outputs.insert(job.id.to_lowercase(), name.clone());
        match refused {
            Some(gone) => Err(gone),
            None if fields.is_empty() => Ok(None),
            None => {
                let task = Task::new(self.desk.free(&format!("outputs of {name}")), TaskKind::Set(Value::Map(fields)));
                Ok(Some(task.kept_as(name)))
            }
        }
    }

    /// `timeout-minutes`, in milliseconds.
    fn minutes(&mut self, tree: &Tree, name: &Arc<str>) -> Result<Option<u64>, Refused> {
        let Some(entry) = tree.entry("timeout-minutes") else { return Ok(None) };
        let minutes = match &entry.value.value {
            Data::Int(minutes) => u64::try_from(*minutes).ok().and_then(|minutes| minutes.checked_mul(60_000)),
            _ => None,
        };
        match minutes {
            Some(ms) => Ok(Some(ms)),
            None => {
                let (code, what) = (&refusal::PARAMETER_WITHOUT_EQUIVALENT, "a `timeout-minutes` that is no number");
                Err(self.desk.gap(name, code, entry.key_span, what, ""))
            }
        }
    }

    /// `continue-on-error`: a failure is nothing.
    fn goes_on(&mut self, tree: &Tree, mut task: Task) -> Task {
        let goes_on = tree.get("continue-on-error").is_some_and(|on| matches!(on.value, Data::Bool(true)));
        if !goes_on {
            return task;
        }
        let name = task.name.clone();
        let condition = task.condition.take();
        let failed = Task::new(self.desk.free(&format!("{name} (failed)")), TaskKind::Set(Value::Map(Vec::new())));
        let catch = Some(Catch { tasks: vec![failed], ..Catch::default() });
        let kind = TaskKind::Try { tasks: vec![task], retry: None, catch };
        Task { condition, ..Task::new(self.desk.free(&format!("try {name}")), kind) }
    }
}

fn draft(effect: Effect, fact: &Catalogued, sending: &Sending) -> ActionDraft {
    ActionDraft {
        description: fact.node_type.to_string(),
        effect,
        privileged: fact.privileged,
        method: "POST".to_owned(),
        path: String::new(),
        query: BTreeSet::new(),
        headers: BTreeMap::new(),
        body: None,
        arguments: sending.roles.clone(),
        outsiders: fact.source.is_some(),
        labels: fact.categories.iter().map(ToString::to_string).collect(),
        leaves: fact.sink.is_some(),
        keeps: false,
    }
}

/// The reference of an action without its version, and the version.
fn reference(step: &Step<'_>) -> (String, String) {
    let uses = step.uses.and_then(Tree::as_text).map_or("", |text| text);
    let (name, version) = uses.split_once('@').unwrap_or((uses, ""));
    (name.trim().to_owned(), version.trim().to_owned())
}
