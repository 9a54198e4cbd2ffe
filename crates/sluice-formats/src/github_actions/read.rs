//! A workflow as it lies in the file: events, jobs in the order of their needs, steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Entry, Node as Tree};
use sluice_core::text::Span;

use crate::refusal;

/// Most jobs of one workflow. GitHub runs at most 256 of a matrix.
pub const JOBS_MAX: usize = 300;
/// Most steps of all jobs of one workflow. The largest seen has some hundreds.
pub const STEPS_MAX: usize = 1_000;
/// Most events that start a workflow. GitHub has some forty.
const EVENTS_MAX: usize = 100;

/// A workflow, or a composite action as a workflow of one job.
#[derive(Debug)]
pub(super) struct Workflow<'t> {
    pub(super) tree: &'t Tree,
    pub(super) name: Arc<str>,
    pub(super) is_action: bool,
    pub(super) events: Vec<Event<'t>>,
    /// Each after those that it needs.
    pub(super) jobs: Vec<Job<'t>>,
}

/// What starts a workflow.
#[derive(Debug)]
pub(super) struct Event<'t> {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    /// Its filters and inputs.
    pub(super) tree: Option<&'t Tree>,
}

#[derive(Debug)]
pub(super) struct Job<'t> {
    pub(super) id: Arc<str>,
    pub(super) span: Span,
    pub(super) tree: &'t Tree,
    pub(super) needs: Vec<(Arc<str>, Span)>,
    pub(super) steps: Vec<Step<'t>>,
}

#[derive(Debug)]
pub(super) struct Step<'t> {
    /// Its own name, or what it does.
    pub(super) name: String,
    /// In lower case, as references compare.
    pub(super) id: Option<String>,
    pub(super) span: Span,
    pub(super) tree: &'t Tree,
    pub(super) run: Option<&'t Tree>,
    pub(super) uses: Option<&'t Tree>,
}

/// Whether a tree looks like a workflow or an action.
pub(super) fn is_workflow(tree: &Tree) -> bool {
    let is_job = |job: &Tree| ["runs-on", "steps", "uses", "needs"].iter().any(|key| job.get(key).is_some());
    let jobs = entries(tree.get("jobs"));
    let has_jobs = jobs.iter().any(|job| is_job(&job.value));
    has_jobs || (tree.get("on").is_some() && tree.get("jobs").is_some()) || using(tree).is_some()
}

fn using(tree: &Tree) -> Option<&Arc<str>> {
    tree.get("runs")?.get("using")?.as_text()
}

/// Reads a workflow.
///
/// # Errors
/// `SL801`, `SL802`, `SL820`, `SL821`.
pub(super) fn workflow(tree: &Tree) -> Result<Workflow<'_>, Vec<Diagnostic>> {
    let name = text(tree, "name").unwrap_or_else(|| "".into());
    if using(tree).is_some() {
        let job = job("action", tree.span, tree.get("runs").unwrap_or(tree)).map_err(|problem| vec![*problem])?;
        let event = Event { name: "workflow_call".into(), span: tree.span, tree: Some(tree) };
        return within_bounds(Workflow { tree, name, is_action: true, events: vec![event], jobs: vec![job] });
    }
    let (Some(on), Some(Data::Map(listed))) = (tree.get("on"), tree.get("jobs").map(|jobs| &jobs.value)) else {
        return Err(vec![refusal::not_this_format(tree.span, "GitHub Actions", "`on` and `jobs`")]);
    };
    let mut problems = Vec::new();
    let mut jobs = Vec::new();
    for entry in listed {
        match job(&entry.key, entry.key_span, &entry.value) {
            Ok(job) => jobs.push(job),
            Err(problem) => problems.push(*problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let jobs = in_order(jobs).map_err(|problem| vec![*problem])?;
    within_bounds(Workflow { tree, name, is_action: false, events: events(on), jobs })
}

fn within_bounds(workflow: Workflow<'_>) -> Result<Workflow<'_>, Vec<Diagnostic>> {
    let steps: usize = workflow.jobs.iter().map(|job| job.steps.len()).sum();
    let bounds = [
        (workflow.jobs.len(), "jobs", JOBS_MAX),
        (steps, "steps", STEPS_MAX),
        (workflow.events.len(), "events", EVENTS_MAX),
    ];
    match bounds.into_iter().find(|(count, _, most)| count > most) {
        Some((_, what, most)) => Err(vec![refusal::too_many(workflow.tree.span, what, most)]),
        None => Ok(workflow),
    }
}

fn events(on: &Tree) -> Vec<Event<'_>> {
    let named = |tree: &'_ Tree| tree.as_text().map(|name| (name.clone(), tree.span));
    match &on.value {
        Data::Text(name) => vec![Event { name: name.clone(), span: on.span, tree: None }],
        Data::List(items) => {
            items.iter().filter_map(named).map(|(name, span)| Event { name, span, tree: None }).collect()
        }
        Data::Map(entries) => {
            entries.iter().map(|e| Event { name: e.key.clone(), span: e.key_span, tree: Some(&e.value) }).collect()
        }
        _ => Vec::new(),
    }
}

fn job<'t>(id: &str, span: Span, tree: &'t Tree) -> Result<Job<'t>, Box<Diagnostic>> {
    if !matches!(tree.value, Data::Map(_)) {
        return Err(wrong_shape(tree.span, &format!("the job `{id}` is {}, not a map", tree.kind())));
    }
    let needs = match tree.get("needs").map(|needs| (needs, &needs.value)) {
        Some((needs, Data::Text(name))) => vec![(name.to_lowercase().into(), needs.span)],
        Some((_, Data::List(items))) => {
            items.iter().filter_map(|n| Some((n.as_text()?.to_lowercase().into(), n.span))).collect()
        }
        _ => Vec::new(),
    };
    let mut steps = Vec::new();
    match tree.get("steps").map(|steps| (steps, &steps.value)) {
        None | Some((_, Data::Null)) => {}
        Some((_, Data::List(items))) => {
            for item in items {
                read_step(item, &mut steps)?;
            }
        }
        Some((steps, _)) => return Err(wrong_shape(steps.span, &format!("`steps` is {}, not a list", steps.kind()))),
    }
    Ok(Job { id: id.into(), span, tree, needs, steps })
}

fn read_step<'t>(tree: &'t Tree, steps: &mut Vec<Step<'t>>) -> Result<(), Box<Diagnostic>> {
    if !matches!(tree.value, Data::Map(_)) {
        return Err(wrong_shape(tree.span, &format!("a step is {}, not a map", tree.kind())));
    }
    if let Some(Data::List(inner)) = tree.get("parallel").map(|inner| &inner.value) {
        for tree in inner.iter().filter(|tree| tree.get("parallel").is_none()) {
            read_step(tree, steps)?;
        }
        return Ok(());
    }
    let (run, uses) = (tree.get("run"), tree.get("uses"));
    let first_line = |text: &Arc<str>| text.lines().next().unwrap_or_default().chars().take(40).collect::<String>();
    let own = text(tree, "name").or_else(|| text(tree, "id"));
    let does = || run.or(uses).and_then(Tree::as_text).map(first_line);
    let span = ["name", "run", "uses"].iter().find_map(|key| tree.get(key)).map_or(tree.span, |node| node.span);
    steps.push(Step {
        name: own.map(|name| first_line(&name)).or_else(does).unwrap_or_else(|| "step".to_owned()),
        id: text(tree, "id").map(|id| id.to_lowercase()),
        span,
        tree,
        run,
        uses,
    });
    Ok(())
}

/// Jobs, each after those that it needs.
fn in_order(jobs: Vec<Job<'_>>) -> Result<Vec<Job<'_>>, Box<Diagnostic>> {
    let all: BTreeSet<Arc<str>> = jobs.iter().map(|job| job.id.to_lowercase().into()).collect();
    let mut done: BTreeSet<Arc<str>> = BTreeSet::new();
    let (mut waiting, mut ordered) = (jobs, Vec::new());
    while !waiting.is_empty() {
        let is_ready = |job: &Job<'_>| job.needs.iter().all(|(need, _)| done.contains(need) || !all.contains(need));
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        if ready.is_empty() {
            return Err(circle(&rest));
        }
        done.extend(ready.iter().map(|job| Arc::<str>::from(job.id.to_lowercase())));
        ordered.extend(ready);
        waiting = rest;
    }
    Ok(ordered)
}

/// `SL821`: jobs that wait for each other.
fn circle(jobs: &[Job<'_>]) -> Box<Diagnostic> {
    let by_id: BTreeMap<String, &Job<'_>> = jobs.iter().map(|job| (job.id.to_lowercase(), job)).collect();
    let waits = |job: &Job<'_>| job.needs.iter().find(|(need, _)| by_id.contains_key(need.as_ref())).cloned();
    let found = jobs.iter().find_map(|job| Some((job.id.clone(), waits(job)?)));
    let (id, (need, span)) = found.unwrap_or_else(|| ("".into(), ("".into(), Span::default())));
    Box::new(
        refusal::JOBS_IN_A_CIRCLE.at(span, format!("the job `{id}` waits for `{need}`, which waits for it in turn")),
    )
}

/// `SL820`: a part that has not the shape which GitHub reads.
fn wrong_shape(span: Span, what: &str) -> Box<Diagnostic> {
    Box::new(refusal::WRONG_SHAPE.at(span, what))
}

pub(super) fn text(tree: &Tree, key: &str) -> Option<Arc<str>> {
    tree.get(key).and_then(Tree::as_text).cloned()
}

pub(super) fn entries(tree: Option<&Tree>) -> &[Entry] {
    match tree.map(|t| &t.value) {
        Some(Data::Map(entries)) => entries,
        _ => &[],
    }
}
