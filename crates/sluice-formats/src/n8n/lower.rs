//! From nodes and connections to the one program.
//!
//! Every node has a place for its item and one for what it puts out; `$json` is the first, `$('X')` the second of `X`.
//! An edge assigns the one to the other. n8n decides by data which ports fire, and runs the branches of a port one
//! after another; here any port may fire, and after the end of a branch any other branch may follow (the *hub*). So what
//! one branch leaves behind (a store, a memory, a node's output) is there for the next, in whichever order they run.
//!
//! Which way a run takes is not carried as a label: half of all real workflows branch on what a stranger sent, and the
//! constants behind such a branch are still the author's. The report says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::catalogue::Catalogue;
use sluice_core::expression::Expression;
use sluice_core::label::{Atom, Label};
use sluice_core::program::assemble::{Ends, Graph as Code, Label as Goto};
use sluice_core::program::{Arm, Document, NodeKind, PlaceId, Program, Step, StepId, Use};
use sluice_core::text::{Span, Text};

use super::catalogue::{Found, NodeCatalogue};
use super::effects;
use super::graph::{Graph, Target};
use super::parameters::{self, Leaf, leaves};
use super::read::{Node, Workflow};
use crate::import::{Catalogued, Kind, Observation, Observed};

/// The connector under which every action of an imported workflow stands.
pub(crate) const CONNECTOR: &str = "n8n";
/// Atoms that are kept for what the other nodes share once there are too many.
const ATOMS_KEPT: usize = 240;

/// A node's places.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// The current item.
    pub(super) item: PlaceId,
    /// By input, where a node has several.
    pub(super) inputs: BTreeMap<usize, PlaceId>,
    /// What it puts out.
    pub(super) out: PlaceId,
    pub(super) step: StepId,
    entry: Goto,
}

/// What the expressions of a node see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// `$json`.
    pub(super) item: PlaceId,
    /// What the agent that calls it says: `$fromAI`.
    pub(super) words: Option<PlaceId>,
}

pub(super) struct Lowering<'a, 't> {
    pub(super) text: &'t Text,
    pub(super) workflow: &'a Workflow<'t>,
    pub(super) graph: &'a Graph,
    pub(super) known: Vec<Arc<Found>>,
    pub(super) leaves: Vec<Vec<Leaf<'t>>>,
    pub(super) catalogue: &'a NodeCatalogue,
    pub(super) code: Code,
    pub(super) rooms: Vec<Room>,
    /// What calls write that nobody reads.
    pub(super) nowhere: PlaceId,
    /// Places of vector stores by what names them, and of memories.
    pub(super) stores: BTreeMap<String, PlaceId>,
    pub(super) made: Catalogue,
    pub(super) steps: BTreeMap<StepId, Catalogued>,
    pub(super) observations: Vec<Observation>,
    pub(super) assumed: BTreeSet<String>,
    /// Agents whose tools are being written, outermost first.
    pub(super) inside: Vec<usize>,
    /// By node: the triggers whose events can get to it.
    pub(super) started_by: Vec<Vec<usize>>,
    /// By node: names of fields that are read of what it puts out.
    pub(super) read_fields: Vec<BTreeSet<String>>,
    /// Stands in for a node that is not there; no index comes from outside.
    pub(super) lost: Room,
}

/// What a lowering gives.
pub(super) struct Lowered {
    pub(super) program: Program,
    pub(super) catalogue: Catalogue,
    pub(super) steps: BTreeMap<StepId, Catalogued>,
    pub(super) observations: Vec<Observation>,
    pub(super) assumed: Vec<String>,
}

/// Lowers a workflow.
pub(super) fn lower(text: &Text, workflow: &Workflow<'_>, catalogue: &NodeCatalogue) -> Lowered {
    let graph = Graph::of(workflow);
    let mut code = Code::new();
    let nowhere = code.place("nothing");
    let lost = Room { item: nowhere, inputs: BTreeMap::new(), out: nowhere, step: StepId(0), entry: code.label() };
    let known: Vec<Arc<Found>> = workflow.nodes.iter().map(|node| found(catalogue, node)).collect();
    let mut lowering = Lowering {
        text,
        workflow,
        graph: &graph,
        known,
        leaves: workflow.nodes.iter().map(|node| leaves(node.parameters)).collect(),
        catalogue,
        code,
        rooms: Vec::new(),
        nowhere,
        stores: BTreeMap::new(),
        made: Catalogue::default(),
        steps: BTreeMap::new(),
        observations: Vec::new(),
        assumed: BTreeSet::new(),
        inside: Vec::new(),
        started_by: vec![Vec::new(); workflow.nodes.len()],
        read_fields: vec![BTreeSet::new(); workflow.nodes.len()],
        lost,
    };
    lowering.furnish();
    lowering.note_fields();
    let order = lowering.order();
    lowering.describe(&order);
    lowering.write(&order)
}

fn found(catalogue: &NodeCatalogue, node: &Node<'_>) -> Arc<Found> {
    let found = catalogue.look_up(&node.node_type, node.version, &|path| parameters::text_at(node.parameters, path));
    match effects::fixed_host(node).and_then(|host| catalogue.host(&host)) {
        None => found,
        Some(host) => {
            let mut found = Arc::unwrap_or_clone(found);
            found.service = Some(host.service.clone());
            found.sink = host.sink.clone().or(found.sink);
            found.source = host.source.clone();
            found.labels.extend(host.labels.iter().cloned());
            Arc::new(found)
        }
    }
}

impl Lowering<'_, '_> {
    pub(super) fn span(&self, i: usize) -> Span {
        self.workflow.nodes.get(i).map(|n| n.span).unwrap_or_default()
    }

    fn furnish(&mut self) {
        for (i, node) in self.workflow.nodes.iter().enumerate() {
            let item = self.code.place(format!("item of {}", node.name));
            let out = self.code.place(format!("output of {}", node.name));
            let inputs = self.graph.inputs.get(i).filter(|inputs| inputs.len() > 1).cloned().unwrap_or_default();
            let inputs = inputs.into_iter().map(|k| (k, self.code.place(format!("input {k} of {}", node.name)))).collect();
            let kind = self.known.get(i).map_or("node", |k| kind_word(k.kind));
            let step = Step { name: node.name.clone(), path: node.name.clone(), kind, span: node.span, purpose: None };
            let step = self.code.step(step);
            let entry = self.code.label();
            self.rooms.push(Room { item, inputs, out, step, entry });
        }
    }

    /// The entries: triggers that are switched on, or, in a fragment without any, whatever nothing leads to.
    fn entries(&self) -> Vec<usize> {
        let all = 0..self.workflow.nodes.len();
        let is_trigger = |i: &usize| self.kind(*i) == Kind::Trigger && !self.graph.is_part(*i) && !self.is_off(*i);
        let triggers: Vec<usize> = all.clone().filter(is_trigger).collect();
        if !triggers.is_empty() {
            return triggers;
        }
        let leads_on = |i: &usize| self.graph.targets(*i).next().is_some();
        all.filter(|i| !self.has_input(*i) && !self.graph.is_part(*i) && leads_on(i)).collect()
    }

    /// Nodes that can run, each before what it leads to where there is no circle.
    fn order(&mut self) -> Vec<usize> {
        let entries = self.entries();
        for entry in &entries {
            for node in self.graph.reachable([*entry]) {
                if let Some(by) = self.started_by.get_mut(node) {
                    by.push(*entry);
                }
            }
        }
        let mut seen = BTreeSet::new();
        let mut finished = Vec::new();
        for entry in entries {
            // Depth first with a stack of our own: chains are long.
            let mut stack = vec![(entry, false)];
            while let Some((node, done)) = stack.pop() {
                if done {
                    finished.push(node);
                } else if seen.insert(node) {
                    stack.push((node, true));
                    stack.extend(self.graph.targets(node).map(|(_, t)| (t.node, false)));
                }
            }
        }
        finished.reverse();
        finished
    }

    fn write(mut self, order: &[usize]) -> Lowered {
        let ends = Ends {
            entry: self.code.label(),
            exit: self.code.label(),
            input: self.code.place("input"),
            output: self.code.place("output"),
            context: self.code.place("context"),
            workflow: self.code.place("workflow"),
        };
        let hub = self.code.label();
        let entries: Vec<usize> = order.iter().copied().filter(|i| self.is_entry(*i)).collect();
        self.code.bind(ends.entry);
        let starts: Vec<Goto> = entries.iter().map(|i| self.room(*i).entry).collect();
        self.fork(&starts, ends.exit, self.workflow.span);
        let mut later = Vec::new();
        for i in order {
            self.code.bind(self.room(*i).entry);
            self.code.step = self.room(*i).step;
            self.body(*i);
            self.leave(*i, hub, &mut later);
        }
        self.code.bind(hub);
        let again: Vec<Goto> = if needs_hub(&self, &entries, &later) { later.into_iter().chain(starts).collect() } else { Vec::new() };
        self.fork(&again, ends.exit, self.workflow.span);
        self.code.bind(ends.exit);
        self.code.emit(NodeKind::Exit, self.workflow.span);
        self.describe_categories();
        let document =
            Document { name: self.workflow.name.to_string(), span: self.workflow.span, ..Document::default() };
        Lowered {
            program: self.code.finish(document, &ends),
            catalogue: self.made,
            steps: self.steps,
            observations: self.observations,
            assumed: self.assumed.into_iter().collect(),
        }
    }

    fn is_entry(&self, i: usize) -> bool {
        self.started_by.get(i).is_some_and(|by| by.contains(&i))
            && (self.kind(i) == Kind::Trigger || !self.has_input(i))
    }

    fn has_input(&self, i: usize) -> bool {
        self.graph.inputs.get(i).is_some_and(|inputs| !inputs.is_empty())
    }

    /// Any of `targets`, or `otherwise`: data decides, and nothing is told by it.
    pub(super) fn fork(&mut self, targets: &[Goto], otherwise: Goto, span: Span) {
        if targets.is_empty() {
            self.code.goto(otherwise);
            return;
        }
        let arms = targets.iter().map(|to| Arm { guard: self.whichever(span), to: *to }).collect();
        self.code.emit(NodeKind::Branch { arms, otherwise }, span);
    }

    fn whichever(&self, span: Span) -> Use {
        Use { expression: Arc::new(Expression::opaque(Vec::new(), span)), input: self.nowhere, variables: BTreeMap::new() }
    }

    /// From the end of a node along its edges.
    fn leave(&mut self, i: usize, hub: Goto, later: &mut Vec<Goto>) {
        let edges: Vec<(usize, Target)> = self.graph.targets(i).collect();
        let span = self.span(i);
        let labels: Vec<Goto> = edges.iter().map(|_| self.code.label()).collect();
        self.fork(&labels, hub, span);
        later.extend(labels.iter().skip(1));
        let has_port = self.workflow.nodes.get(i).is_some_and(|node| node.errors.has_port);
        let error_port = self.graph.out.get(i).filter(|_| has_port).and_then(|ports| ports.keys().max().copied());
        for ((port, target), label) in edges.into_iter().zip(labels) {
            self.code.bind(label);
            let (room, to) = (self.room(i).clone(), self.room(target.node).clone());
            let out = Expression::input(span);
            let value = if error_port == Some(port) && port > 0 {
                // An item that failed comes with what was known of it.
                Expression::one_of(vec![out, self.item_of(i, span)], span)
            } else {
                out
            };
            let value = self.sees(value, Sight { item: room.out, words: None });
            match to.inputs.get(&target.input) {
                Some(place) => {
                    self.code.assign(*place, value, span);
                    let all = to.inputs.values().map(|p| place_variable(*p, span)).collect();
                    let joined = self.sees(Expression::one_of(all, span), Sight { item: *place, words: None });
                    self.code.assign(to.item, joined, span);
                }
                None => self.code.assign(to.item, value, span),
            }
            self.code.goto(to.entry);
        }
    }

    /// The item of a node, for an expression that stands elsewhere.
    fn item_of(&self, i: usize, span: Span) -> Expression {
        place_variable(self.room(i).item, span)
    }

    /// An expression with the places that its variables name. Never fails: JavaScript shrugs where jq would not.
    pub(super) fn sees(&self, expression: Expression, sight: Sight) -> Use {
        let expression = expression.lenient();
        let variables = expression.variables().into_iter().filter_map(|(name, _)| {
            let place = match name.as_ref() {
                "words" => sight.words?,
                other => variable_place(other)?,
            };
            Some((name, place))
        });
        let variables = variables.collect();
        Use { expression: Arc::new(expression), input: sight.item, variables }
    }

    pub(super) fn assign(&mut self, place: PlaceId, expression: Expression, sight: Sight) {
        let span = expression.span;
        let value = self.sees(expression, sight);
        self.code.assign(place, value, span);
    }

    pub(super) fn observe(&mut self, i: usize, what: Observed, parameter: Option<&str>, span: Span) {
        let step = self.room(i).step;
        self.observations.push(Observation { what, step, parameter: parameter.map(str::to_owned), span });
    }

    /// The label of one atom; once there are too many, one that the others share.
    pub(super) fn atom(&mut self, atom: Atom) -> Label {
        let full = self.made.universe.all().count() >= ATOMS_KEPT;
        let atom = match atom {
            atom if !full || self.made.universe.id(&atom).is_some() => atom,
            Atom::Category { .. } => Atom::Category { owner: "several nodes".into(), class: "data".into() },
            _ => Atom::Origin("several nodes".into()),
        };
        self.made.universe.intern(atom).map_or(Label::UNKNOWN, Label::of)
    }
}

/// Whether the order of branches can matter: a branch may leave something behind for another.
fn needs_hub(lowering: &Lowering<'_, '_>, entries: &[usize], later: &[Goto]) -> bool {
    !later.is_empty() || entries.len() > 1 || !lowering.stores.is_empty()
}

/// The variable that stands for a place.
pub(super) fn place_variable(place: PlaceId, span: Span) -> Expression {
    Expression::variable(&format!("place {}", place.0), span)
}

fn variable_place(name: &str) -> Option<PlaceId> {
    name.strip_prefix("place ")?.parse().ok().map(PlaceId)
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Trigger => "trigger",
        Kind::Action => "action",
        Kind::Flow => "flow",
        Kind::Model => "model",
        Kind::Agent => "agent",
        Kind::Code => "code",
        Kind::Command => "command",
        Kind::SubWorkflow => "workflow",
        Kind::Part => "part",
    }
}
