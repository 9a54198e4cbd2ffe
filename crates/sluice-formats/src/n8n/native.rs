//! Native definitions of exports: nodes as tasks, connections as their order.
//!
//! A node runs once for each item that it gets. Here a step that may answer with several items is followed by a `for`
//! over them, and all that comes after it is done for one item after the other. What a node puts out is kept in
//! `$context` under the node's own name: `$('Get order').item.json.id` is `$context["Get order"].id`, or a field of the
//! loop's variable inside of it. A node that several others lead to is done after them, where only one of them can have
//! led there; everything else that no list of tasks says is a gap.

mod call;
mod condition;
mod http;
mod join;
mod node;
mod order;
mod reads;
mod shape;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{CodeInfo, Node as Tree};
use sluice_core::text::{Span, Text};

use super::NodeCatalogue;
use super::graph::{Graph, Target};
use super::lower::{Lowering, prepared};
use super::read;
use crate::import::Kind;
use crate::javascript::Root;
use crate::javascript::jq::{self, Which};
use crate::locate::Locator;
use crate::native::{
    Contracts, DEPTH_MAX, Definition, EXPRESSION_MAX, NO_EQUIVALENT, Piece, Task, TaskKind, Told, Value, member, slug,
    with_own_names,
};
use crate::refusal;
use node::Follows;
use order::Order;

/// Chains inside of chains: with more the translation is given up, whatever its tasks look like.
const CHAINS_MAX: usize = 100;

/// The names of what starts an export, in the order of the file.
pub(crate) fn starts(text: &Text, tree: &Tree) -> Vec<Arc<str>> {
    let Ok(workflow) = read::workflow(tree) else { return Vec::new() };
    let graph = Graph::of(&workflow);
    let low = prepared(text, &[], &workflow, &graph, NodeCatalogue::built_in());
    low.entries().into_iter().map(|i| low.name(i)).collect()
}

/// Translates an export.
///
/// # Errors
/// Those of reading it; that there is no start, or several and `start` names none of them.
pub(crate) fn definition(text: &Text, tree: &Tree, start: Option<&str>) -> Result<Definition, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    let graph = Graph::of(&workflow);
    let mut lowering = prepared(text, &[], &workflow, &graph, NodeCatalogue::built_in());
    lowering.note_fields();
    lowering.order();
    let start = start_of(&lowering, start).map_err(|problem| vec![*problem])?;
    let order = Order::of(&lowering, start);
    let mut writer = Writer {
        text,
        low: &lowering,
        order,
        contracts: Contracts::default(),
        gaps: Vec::new(),
        notes: Vec::new(),
        read: RefCell::default(),
        told: BTreeMap::new(),
        broken: BTreeSet::new(),
        kept: BTreeMap::new(),
        arrivals: BTreeMap::new(),
        gathers: BTreeSet::new(),
        depth: 0,
        too_deep: false,
    };
    let mut tasks = Vec::new();
    writer.chain(start, &State::default(), &mut tasks);
    if writer.too_deep || tasks.iter().any(|task| task.depth() > DEPTH_MAX) {
        let message =
            format!("loops and branches lie deeper in each other than the {DEPTH_MAX} that a definition may have");
        let found = refusal::ORDER_WITHOUT_EQUIVALENT.at(lowering.span(start), message);
        return Err(vec![Diagnostic { help: "split it into workflows of fewer steps".to_owned(), ..found }]);
    }
    Ok(writer.finish(&workflow.name, tasks))
}

/// Where the definition starts: the one entry, or the one that is named.
fn start_of(low: &Lowering<'_, '_>, named: Option<&str>) -> Result<usize, Box<Diagnostic>> {
    let entries = low.entries();
    let names = || entries.iter().map(|i| format!("`{}`", low.name(*i))).collect::<Vec<_>>().join(", ");
    let span = low.workflow.span;
    let problem = |message: String, help: &str| {
        Box::new(Diagnostic { help: help.to_owned(), ..refusal::ORDER_WITHOUT_EQUIVALENT.at(span, message) })
    };
    match (named, entries.as_slice()) {
        (Some(name), all) => all.iter().copied().find(|i| low.name(*i).as_ref() == name).ok_or_else(|| {
            problem(
                format!("nothing that starts the workflow is called `{name}`"),
                &format!("these start it: {}", names()),
            )
        }),
        (None, [only]) => Ok(*only),
        (None, []) => Err(problem("nothing starts this workflow".to_owned(), "add a trigger, or switch one on")),
        (None, _) => Err(problem(
            format!("the workflow has several starts: {}", names()),
            "a definition has one: name it with `--start NAME`, and import once for each",
        )),
    }
}

/// What a refused part leaves: its gap is noted already.
#[derive(Clone, Copy, Debug)]
struct Refused;

/// A value that expressions can name.
#[derive(Clone, Debug)]
struct Known {
    jq: String,
    /// The name in `$context` that it reads.
    name: Option<String>,
}

/// What is known where a node runs.
#[derive(Clone, Debug)]
struct State {
    /// The current item, or why expressions cannot read it.
    item: Result<Known, String>,
    /// What nodes on the way put out.
    seen: BTreeMap<usize, Known>,
    /// The nodes whose items the loops around go through, outermost first.
    loops: Vec<usize>,
    /// Which way was taken where only one is.
    choices: BTreeMap<usize, usize>,
}

impl Default for State {
    fn default() -> Self {
        let item = Err("an item where nothing has come in yet".to_owned());
        Self { item, seen: BTreeMap::new(), loops: Vec::new(), choices: BTreeMap::new() }
    }
}

/// One way to a node that several lead to.
#[derive(Clone, Debug)]
struct Arrival {
    input: usize,
    state: State,
}

struct Writer<'a, 't> {
    text: &'t Text,
    low: &'a Lowering<'a, 't>,
    order: Order,
    contracts: Contracts,
    gaps: Vec<Diagnostic>,
    notes: Vec<String>,
    /// Names of `$context` that expressions read.
    read: RefCell<BTreeSet<String>>,
    told: BTreeMap<Arc<str>, Told>,
    /// Nodes with a gap.
    broken: BTreeSet<usize>,
    /// What is in `$context`, and in which loops it was put there.
    kept: BTreeMap<usize, (Known, Vec<usize>)>,
    arrivals: BTreeMap<usize, Vec<Arrival>>,
    /// Names of `$context` that hold a list of all that came, and not the one that did.
    gathers: BTreeSet<String>,
    /// How many chains lie inside each other.
    depth: usize,
    too_deep: bool,
}

impl<'t> Writer<'_, 't> {
    /// Nodes that no start leads to and no other node uses: often one end of a connection that names a node wrongly.
    fn lost(&self) -> Vec<String> {
        let low = self.low;
        let is_lost = |i: &usize| {
            low.started_by(*i).is_empty()
                && !low.graph.is_part(*i)
                && !low.is_off(*i)
                && !matches!(low.kind(*i), Kind::Trigger | Kind::Part)
                && low.short_type(*i) != "stickyNote"
        };
        (0..low.workflow.nodes.len()).filter(is_lost).map(|i| format!("`{}`", low.name(i))).collect()
    }

    fn finish(mut self, title: &str, mut tasks: Vec<Task>) -> Definition {
        for task in &mut tasks {
            task.gather(&self.gathers);
        }
        with_own_names(&mut tasks);
        let steps: Vec<usize> = self.order.reached().filter(|i| self.low.short_type(*i) != "stickyNote").collect();
        let off: Vec<String> = (0..self.low.workflow.nodes.len())
            .filter(|i| self.low.is_off(*i))
            .map(|i| format!("`{}`", self.low.name(i)))
            .collect();
        if !off.is_empty() {
            self.notes.push(format!("switched off in the original, and left out: {}", off.join(", ")));
        }
        let lost = self.lost();
        if !lost.is_empty() {
            let words = format!("nothing leads there in the original, and it is left out: {}", lost.join(", "));
            self.notes.push(words);
        }
        if self.low.workflow.error_workflow {
            self.notes.push(
                "the error workflow of the original is not carried over: a run that fails says so itself".to_owned(),
            );
        }
        if tasks.iter().any(Task::has_loop) {
            let words = "what stands in a `for` is done for one item after the other; the original does each step for all items first";
            self.notes.push(words.to_owned());
        }
        self.gaps.sort_by_key(|gap| gap.span.start);
        let mut definition = Definition::new(title, &self.text.name);
        definition.reached = self.order.reached().map(|i| self.short(i)).collect();
        definition.steps = steps.len();
        definition.equivalent = steps.len() - steps.iter().filter(|i| self.broken.contains(i)).count();
        definition.gaps = self.gaps;
        definition.notes = self.notes;
        definition.told = self.told;
        definition.filled(tasks, self.contracts, self.read.into_inner())
    }

    /// A node and all that comes after it, as far as no other way leads there. Straight on it goes without nesting: chains
    /// are long.
    fn chain(&mut self, i: usize, state: &State, out: &mut Vec<Task>) {
        if self.depth >= CHAINS_MAX {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        let (mut at, mut follows) = (i, self.node(i, state, out));
        while let Follows::One(state) = &follows {
            let Some(next) = self.only_next(at) else { break };
            let state = state.clone();
            (at, follows) = (next, self.node(next, &state, out));
        }
        self.follow(at, follows, out);
        self.depth -= 1;
    }

    /// The one node that comes next, where nothing else does and nothing else leads there.
    fn only_next(&self, i: usize) -> Option<usize> {
        let mut targets = self.low.graph.targets(i);
        let (_, target) = targets.next()?;
        let goes_on = !self.order.is_back(i, target.node) && !self.order.is_join(target.node);
        let is_alone = targets.next().is_none() && self.order.joins_of(i).is_empty();
        (goes_on && is_alone).then_some(target.node)
    }

    fn follow(&mut self, i: usize, follows: Follows, out: &mut Vec<Task>) {
        match follows {
            Follows::One(state) => self.onward(i, &state, out),
            Follows::Ports(ports) => {
                let connected = self.ports(i);
                let loops = ports.first().map(|port| port.loops.clone()).unwrap_or_default();
                for port in ports {
                    let Some(targets) = connected.get(&port.port) else { continue };
                    let mut tasks = Vec::new();
                    self.targets(i, port.port, targets, &port.state, &mut tasks);
                    if let Some((items, each)) = port.each.filter(|_| !tasks.is_empty()) {
                        tasks = vec![self.looped(i, &items, each, tasks)];
                    }
                    if !tasks.is_empty() {
                        out.push(Task::new(port.name, TaskKind::Do(tasks)).only_if(port.condition));
                    }
                }
                self.joins(i, &loops, out);
            }
            Follows::Each { items, each, state } => {
                let mut inside = Vec::new();
                self.onward(i, &state, &mut inside);
                if !inside.is_empty() {
                    let task = self.looped(i, &items, each, inside);
                    out.push(task);
                }
            }
        }
    }

    /// Every port of a node, one after the other, and what they come together in.
    fn onward(&mut self, i: usize, state: &State, out: &mut Vec<Task>) {
        for (port, targets) in self.ports(i) {
            self.targets(i, port, &targets, state, out);
        }
        self.joins(i, &state.loops, out);
    }

    fn looped(&self, i: usize, items: &Known, each: String, tasks: Vec<Task>) -> Task {
        self.note_read(items);
        let kind = TaskKind::For { each, items: listed(&items.jq), tasks };
        Task::new(format!("each of {}", self.short(i)), kind)
    }

    fn ports(&self, i: usize) -> BTreeMap<usize, Vec<Target>> {
        self.low.graph.out.get(i).cloned().unwrap_or_default()
    }

    /// What a port leads to, one after the other.
    fn targets(&mut self, i: usize, port: usize, targets: &[Target], state: &State, out: &mut Vec<Task>) {
        for target in targets {
            if self.order.is_back(i, target.node) {
                continue;
            }
            if self.order.is_join(target.node) {
                self.arrive(i, port, *target, state, out);
            } else {
                self.chain(target.node, state, out);
            }
        }
    }

    fn short(&self, i: usize) -> Arc<str> {
        self.low.workflow.nodes.get(i).map_or_else(|| "".into(), |node| node.short.clone())
    }

    fn note_read(&self, known: &Known) {
        if let Some(name) = &known.name {
            self.read.borrow_mut().insert(name.clone());
        }
    }

    /// The output of a task is kept under the node's name.
    fn keep(&mut self, i: usize, state: &mut State) -> Known {
        let name = self.short(i).to_string();
        let known = Known { jq: member("$context", &name), name: Some(name) };
        self.kept.insert(i, (known.clone(), state.loops.clone()));
        state.seen.insert(i, known.clone());
        known
    }

    /// A task in the place of one that has no equivalent.
    fn missing(&mut self, i: usize) -> Task {
        self.broken.insert(i);
        let kind = self.low.short_type(i);
        let action = slug(kind);
        let action = if action.is_empty() { "step".to_owned() } else { action };
        let mut task =
            Task::new(self.short(i), TaskKind::Call { action: format!("{NO_EQUIVALENT}.{action}"), with: Vec::new() });
        let own = self.gaps.iter().filter(|gap| gap.step.as_deref() == Some(&*self.short(i)));
        task.comments = own
            .map(|gap| format!("{}:{}:{}: {}", self.text.name, gap.span.line, gap.span.column, gap.message))
            .collect();
        task
    }

    fn gap(&mut self, i: usize, code: &CodeInfo, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let step = self.short(i).to_string();
        let found = Diagnostic { help: help.into(), ..code.at(span, message.into()) }.at_step(step);
        if !self.gaps.contains(&found) {
            self.gaps.push(found);
        }
    }

    /// A parameter's text in the words of a definition.
    fn value(&mut self, i: usize, tree: &Tree, always: bool, state: &State) -> Result<Value, Refused> {
        let Some(text) = tree.as_text() else { return Ok(Value::Constant(tree.to_json())) };
        let roots = |root: &Root, which: Which| self.root(i, root, which, state);
        match jq::parameter(text, always, &roots) {
            Ok(told) if as_jq(&told.value).len() > EXPRESSION_MAX => {
                let message = format!("in `{}`, an expression that is too long has no equivalent", self.short(i));
                let info = &refusal::EXPRESSION_WITHOUT_EQUIVALENT;
                self.gap(i, info, tree.span, message, "compute parts of it in steps of their own");
                Err(Refused)
            }
            Ok(told) => {
                for note in told.notes {
                    let words = format!("`{}`: {note}", self.short(i));
                    if !self.notes.contains(&words) {
                        self.notes.push(words);
                    }
                }
                Ok(told.value)
            }
            Err(untold) => {
                let span = Locator::new(self.text, tree.span).at(untold.at.0, untold.at.1);
                let message = format!("in `{}`, {} has no equivalent", self.short(i), untold.what);
                let info = &refusal::EXPRESSION_WITHOUT_EQUIVALENT;
                self.gap(i, info, span, message, info.help);
                Err(Refused)
            }
        }
    }

    fn kind(&self, i: usize) -> Kind {
        self.low.kind(i)
    }
}

/// A reply as items: each element of a list, or the one that it is.
fn listed(jq: &str) -> String {
    format!("{jq} | if type == \"array\" then . else [.] end")
}

/// A value as one expression that may stand in a larger one.
fn as_jq(value: &Value) -> String {
    let jq = value.to_jq();
    match value {
        Value::Text(pieces) if matches!(pieces.as_slice(), [Piece::Jq(_)]) && !is_path(&jq) => format!("({jq})"),
        _ => jq,
    }
}

/// Whether it is a path from a variable and nothing more.
fn is_path(jq: &str) -> bool {
    let mut in_text = false;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '.' | '[' | ']');
    let fits = jq.chars().all(|c| {
        in_text ^= c == '"';
        in_text && c != '\\' || c == '"' || plain(c)
    });
    jq.starts_with('$') && fits
}
