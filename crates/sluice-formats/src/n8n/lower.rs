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

use sluice_core::expression::Expression;
use sluice_core::gate::Effect;
use sluice_core::program::assemble::Label as Goto;
use sluice_core::program::{Document, NodeKind, PlaceId, Step, StepId};
use sluice_core::text::{Span, Text};

use super::catalogue::{Found, NodeCatalogue};
use super::effects;
use super::fields::Field;
use super::graph::{Graph, Target};
use super::parameters::{self, Leaf, leaves};
use super::read::{Node, Workflow};
use crate::catalogues::{by_own_entry, by_own_words};
use crate::import::{Format, Import, Kind, Linked, Observed};
use crate::links::LinkKind;
use crate::order::each_before_what_follows;
use crate::wiring::{Wiring, place_variable};

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
    /// The texts of the other files.
    pub(super) others: &'a [&'t Text],
    pub(super) workflow: &'a Workflow<'t>,
    pub(super) graph: &'a Graph,
    pub(super) known: Vec<Arc<Found>>,
    pub(super) leaves: Vec<Arc<[Leaf<'t>]>>,
    pub(super) catalogue: &'a NodeCatalogue,
    pub(super) wires: Wiring,
    pub(super) rooms: Vec<Room>,
    /// Places of vector stores by what names them, and of memories.
    pub(super) stores: BTreeMap<String, PlaceId>,
    /// Agents whose tools are being written, outermost first.
    pub(super) inside: Vec<usize>,
    /// By node: the triggers whose events can get to it.
    pub(super) started_by: Vec<Vec<usize>>,
    /// Where texts stand that are made from what they name, because nothing better is known.
    pub(super) opaque: BTreeSet<(usize, usize)>,
    /// By node: fields that are read of what it puts out.
    pub(super) read_fields: Vec<BTreeSet<Field>>,
    /// Stands in for a node that is not there; no index comes from outside.
    pub(super) lost: Room,
}

/// Lowers a workflow with those that are linked to it; `others` are the texts of their files.
pub(super) fn lower<'t>(
    text: &'t Text,
    others: &[&'t Text],
    workflow: &Workflow<'t>,
    catalogue: &NodeCatalogue,
) -> Import {
    let graph = Graph::of(workflow);
    let mut lowering = prepared(text, others, workflow, &graph, catalogue);
    lowering.furnish();
    lowering.note_own_entries();
    lowering.link();
    lowering.note_fields();
    let order = lowering.order();
    lowering.describe(&order);
    let linked = lowering.linked();
    Import { linked, ..lowering.write(&order) }
}

/// What is known of each node, before anything is written.
pub(super) fn prepared<'a, 't>(
    text: &'t Text,
    others: &'a [&'t Text],
    workflow: &'a Workflow<'t>,
    graph: &'a Graph,
    catalogue: &'a NodeCatalogue,
) -> Lowering<'a, 't> {
    let mut wires = Wiring::new(Format::N8n);
    let nowhere = wires.nowhere;
    let lost =
        Room { item: nowhere, inputs: BTreeMap::new(), out: nowhere, step: StepId(0), entry: wires.code.label() };
    let known: Vec<Arc<Found>> = workflow.nodes.iter().map(|node| found(catalogue, node)).collect();
    Lowering {
        text,
        others,
        workflow,
        graph,
        known,
        leaves: workflow.nodes.iter().map(|node| leaves(node.parameters).into()).collect(),
        catalogue,
        wires,
        rooms: Vec::new(),
        stores: BTreeMap::new(),
        inside: Vec::new(),
        started_by: vec![Vec::new(); workflow.nodes.len()],
        opaque: BTreeSet::new(),
        read_fields: vec![BTreeSet::new(); workflow.nodes.len()],
        lost,
    }
}

fn found(catalogue: &NodeCatalogue, node: &Node<'_>) -> Arc<Found> {
    let found = catalogue.look_up(&node.node_type, node.version, &|path| parameters::text_at(node.parameters, path));
    let host = effects::fixed_host(node);
    let is_own = host.as_deref().is_some_and(crate::host::is_own);
    let host = host.filter(|_| !is_own).and_then(|host| catalogue.host(&host));
    let grave = effects::endpoint(node).filter_map(|part| catalogue.grave(part)).max_by_key(|verb| verb.destructive);
    let grave = grave.filter(|_| found.effect != Effect::Read);
    if host.is_none() && grave.is_none() && !is_own {
        return found;
    }
    let mut found = Arc::unwrap_or_clone(found);
    if is_own {
        found.sink = None;
    }
    if let Some(host) = host {
        found.service = Some(host.service.clone());
        found.sink = host.sink.clone().or(found.sink);
        found.source = host.source.clone();
        found.labels.extend(host.labels.iter().cloned());
    }
    // What is written to where money is kept moves it.
    let is_money = found.effect != Effect::Read && host.is_some_and(|host| host.sink.as_deref() == Some("finance"));
    found.privileged |= grave.is_some() || is_money;
    found.destructive |= grave.is_some_and(|verb| verb.destructive);
    Arc::new(found)
}

impl Lowering<'_, '_> {
    pub(super) fn span(&self, i: usize) -> Span {
        self.workflow.nodes.get(i).map(|n| n.span).unwrap_or_default()
    }

    fn furnish(&mut self) {
        for (i, node) in self.workflow.nodes.iter().enumerate() {
            let item = self.wires.code.place(format!("item of {}", node.name));
            let out = self.wires.code.place(format!("output of {}", node.name));
            let inputs = self.graph.inputs.get(i).filter(|inputs| inputs.len() > 1).cloned().unwrap_or_default();
            let inputs =
                inputs.into_iter().map(|k| (k, self.wires.code.place(format!("input {k} of {}", node.name)))).collect();
            let kind = self.known.get(i).map_or("node", |k| kind_word(k.kind));
            let step = Step { name: node.name.clone(), path: node.name.clone(), kind, span: node.span, purpose: None };
            let step = self.wires.code.step(step);
            let entry = self.wires.code.label();
            self.rooms.push(Room { item, inputs, out, step, entry });
        }
    }

    /// Where the workspace's own word counts for a node, the report says so.
    fn note_own_entries(&mut self) {
        let catalogue = self.catalogue;
        let entries = self.workflow.nodes.iter().filter_map(|node| catalogue.own_entry(&node.node_type));
        self.wires.assumed.extend(entries.map(|entry| by_own_entry(entry)));
        if catalogue.has_own_words() {
            self.wires.assumed.insert(by_own_words(Format::N8n));
        }
    }

    /// The connections as they are in the file.
    fn link(&mut self) {
        let workflow = self.workflow;
        for c in &workflow.connections {
            let errors = workflow.nodes.get(c.from).is_some_and(|node| node.errors.has_port);
            let last = self.graph.out.get(c.from).and_then(|ports| ports.keys().max().copied());
            let kind = match &*c.kind {
                kind if kind.starts_with("ai_") => LinkKind::Part,
                _ if errors && c.port > 0 && last == Some(c.port) => LinkKind::OnError,
                _ => LinkKind::Next,
            };
            let (from, to) = (self.room(c.from).step, self.room(c.to).step);
            self.wires.link(from, to, kind);
        }
    }

    /// Which steps stand in other files.
    fn linked(&self) -> Linked {
        let nodes = self.workflow.nodes.iter().zip(&self.rooms);
        let others = nodes.filter_map(|(node, room)| {
            let text = self.others.get(node.file.checked_sub(1)?)?;
            Some((room.step, text.name.clone()))
        });
        Linked { root: self.text.name.clone(), steps: others.collect() }
    }

    /// The entries: triggers that are switched on, or, in a fragment without any, whatever nothing leads to.
    pub(super) fn entries(&self) -> Vec<usize> {
        let all = self.workflow.beside(0).collect::<Vec<_>>().into_iter();
        let is_trigger = |i: &usize| self.kind(*i) == Kind::Trigger && !self.graph.is_part(*i) && !self.is_off(*i);
        let triggers: Vec<usize> = all.clone().filter(is_trigger).collect();
        if !triggers.is_empty() {
            return triggers;
        }
        let leads_on = |i: &usize| self.graph.targets(*i).next().is_some();
        all.filter(|i| !self.has_input(*i) && !self.graph.is_part(*i) && leads_on(i)).collect()
    }

    /// Nodes that can run, each before what it leads to where there is no circle.
    pub(super) fn order(&mut self) -> Vec<usize> {
        let mut entries = self.entries();
        entries.extend((1..self.workflow.files.len()).filter_map(|file| self.entry_of(file)));
        for entry in &entries {
            for node in self.graph.reachable([*entry]) {
                if let Some(by) = self.started_by.get_mut(node) {
                    by.push(*entry);
                }
            }
        }
        each_before_what_follows(&entries, &|node| self.graph.targets(node).map(|(_, target)| target.node).collect())
    }

    fn write(mut self, order: &[usize]) -> Import {
        let ends = self.wires.ends();
        let hub = self.wires.code.label();
        let entries: Vec<usize> = order.iter().copied().filter(|i| self.is_entry(*i)).collect();
        self.wires.code.bind(ends.entry);
        let starts: Vec<Goto> = entries.iter().map(|i| self.room(*i).entry).collect();
        // A workflow that is called waits for that: what calls it comes first, and the hub leads to it.
        let own = entries.iter().filter(|i| self.workflow.is_own(**i)).map(|i| self.room(*i).entry).collect::<Vec<_>>();
        self.wires.fork(&own, ends.exit, self.workflow.span);
        let mut later = Vec::new();
        for i in order {
            self.wires.code.bind(self.room(*i).entry);
            self.wires.code.step = self.room(*i).step;
            self.body(*i);
            self.leave(*i, hub, &mut later);
        }
        // No part of a node: whoever is asked in one is not asked on the way from branch to branch.
        self.wires.code.step = entries.first().map_or(self.lost.step, |i| self.room(*i).step);
        self.wires.code.bind(hub);
        let again: Vec<Goto> =
            if needs_hub(&self, &entries, &later) { later.into_iter().chain(starts).collect() } else { Vec::new() };
        self.wires.fork(&again, ends.exit, self.workflow.span);
        self.wires.code.bind(ends.exit);
        self.wires.code.emit(NodeKind::Exit, self.workflow.span);
        self.wires.opaque = self.opaque.len();
        self.describe_categories();
        let document =
            Document { name: self.workflow.name.to_string(), span: self.workflow.span, ..Document::default() };
        self.wires.finish(document, &ends)
    }

    fn is_entry(&self, i: usize) -> bool {
        self.started_by.get(i).is_some_and(|by| by.contains(&i))
            && (self.kind(i) == Kind::Trigger || !self.has_input(i))
    }

    fn has_input(&self, i: usize) -> bool {
        self.graph.inputs.get(i).is_some_and(|inputs| !inputs.is_empty())
    }

    /// From the end of a node along its edges.
    fn leave(&mut self, i: usize, hub: Goto, later: &mut Vec<Goto>) {
        let edges: Vec<(usize, Target)> = self.graph.targets(i).collect();
        let span = self.span(i);
        let labels: Vec<Goto> = edges.iter().map(|_| self.wires.code.label()).collect();
        self.wires.fork(&labels, hub, span);
        later.extend(labels.iter().skip(1));
        let has_port = self.workflow.nodes.get(i).is_some_and(|node| node.errors.has_port);
        let guarded = self.guarded(i);
        let validated = self.validated(i);
        let error_port = self.graph.out.get(i).filter(|_| has_port).and_then(|ports| ports.keys().max().copied());
        for ((port, target), label) in edges.into_iter().zip(labels) {
            self.wires.code.bind(label);
            let (room, to) = (self.room(i).clone(), self.room(target.node).clone());
            let out = Expression::input(span);
            let value = if error_port == Some(port) && port > 0 {
                // An item that failed comes with what was known of it.
                Expression::one_of(vec![out, self.item_of(i, span)], span)
            } else {
                out
            };
            let value = self.wires.sees(value, room.out);
            let place = to.inputs.get(&target.input).copied().unwrap_or(to.item);
            self.wires.copies();
            self.wires.checked(self.checks(i, guarded.get(&port), place));
            if let Some(checked) = validated.as_ref().filter(|_| port == 0) {
                self.wires.checked(self.passed(i, checked, place));
            }
            match to.inputs.get(&target.input) {
                Some(place) => {
                    self.wires.code.assign(*place, value, span);
                    let all = to.inputs.values().map(|p| place_variable(*p, span)).collect();
                    let joined = self.wires.sees(Expression::one_of(all, span), *place);
                    self.wires.copies();
                    self.wires.code.assign(to.item, joined, span);
                }
                None => self.wires.code.assign(to.item, value, span),
            }
            self.wires.code.goto(to.entry);
        }
    }

    /// The item of a node, for an expression that stands elsewhere.
    fn item_of(&self, i: usize, span: Span) -> Expression {
        place_variable(self.room(i).item, span)
    }

    pub(super) fn assign(&mut self, place: PlaceId, expression: Expression, sight: Sight) {
        self.wires.assign(place, expression, sight.item);
    }

    pub(super) fn observe(&mut self, i: usize, what: Observed, parameter: Option<&str>, span: Span) {
        let step = self.room(i).step;
        // What another file shows is told there.
        if self.workflow.is_own(i) {
            self.wires.observe(step, what, parameter, span);
        }
    }
}

/// Whether the order of branches can matter: a branch may leave something behind for another.
fn needs_hub(lowering: &Lowering<'_, '_>, entries: &[usize], later: &[Goto]) -> bool {
    !later.is_empty() || entries.len() > 1 || !lowering.stores.is_empty()
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
