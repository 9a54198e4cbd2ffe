//! From nodes and edges to the one program.
//!
//! Every node has one place: an object of what it puts out. Dify decides by data which edges a run takes, and runs the
//! branches behind a node side by side; here any edge may be taken, and after the end of a branch any other may follow (the
//! *hub*). In a chat the next message may follow too: what is kept in variables and memories is there then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::expression::Expression;
use sluice_core::program::assemble::Label as Goto;
use sluice_core::program::{Document, NodeKind, PlaceId, Step, StepId};
use sluice_core::text::{Span, Text};

use super::nodes::{self, Is};
use super::read::{App, Node};
use crate::import::{Format, Import, Observed};
use crate::links::LinkKind;
use crate::order::each_before_what_follows;
use crate::wiring::{Wiring, place_variable};

/// A node's place and step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// What it puts out.
    pub(super) out: PlaceId,
    pub(super) step: StepId,
    entry: Goto,
    /// Where the nodes inside of a loop go back to.
    back: Goto,
}

pub(super) struct Lowering<'a, 't> {
    pub(super) text: &'t Text,
    pub(super) app: &'a App<'t>,
    pub(super) wires: Wiring,
    rooms: Vec<Room>,
    /// By node: where its edges end, and by which way out.
    targets: Vec<Vec<(usize, Arc<str>)>>,
    /// By root and name: variables that are assigned to, of conversations and loops.
    pub(super) variables: BTreeMap<(Arc<str>, Arc<str>), PlaceId>,
    /// `sys`.
    pub(super) sys: PlaceId,
    /// What any secret of the environment is.
    pub(super) secrets: PlaceId,
    /// What is read now goes into a prompt.
    pub(super) is_prompt: bool,
    /// The names of all steps.
    pub(super) names: BTreeSet<Arc<str>>,
    /// What was observed: step, place, what.
    observed: BTreeSet<(StepId, usize, String)>,
    /// Stands in for a node that is not there; no index comes from outside.
    lost: Room,
}

/// Lowers an app.
pub(super) fn lower(text: &Text, app: &App<'_>) -> Import {
    let (lowering, order) = prepared(text, app);
    lowering.write(&order)
}

/// What is known of each node before anything is written, and the nodes that can run in their order.
pub(super) fn prepared<'a, 't>(text: &'t Text, app: &'a App<'t>) -> (Lowering<'a, 't>, Vec<usize>) {
    let mut wires = Wiring::new(Format::Dify);
    let [entry, back] = [wires.code.label(), wires.code.label()];
    let lost = Room { out: wires.nowhere, step: StepId(0), entry, back };
    let [sys, secrets] = ["sys", "secrets"].map(|name| wires.code.place(name));
    let mut targets = vec![Vec::new(); app.nodes.len()];
    for edge in &app.edges {
        if let Some(ends) = targets.get_mut(edge.from) {
            ends.push((edge.to, edge.handle.clone()));
        }
    }
    let mut lowering = Lowering {
        text,
        app,
        wires,
        rooms: Vec::new(),
        targets,
        variables: BTreeMap::new(),
        sys,
        secrets,
        is_prompt: false,
        names: app.nodes.iter().map(|node| node.name.clone()).collect(),
        observed: BTreeSet::new(),
        lost,
    };
    lowering.furnish();
    lowering.link();
    let order = lowering.order();
    lowering.describe(&order);
    (lowering, order)
}

impl<'t> Lowering<'_, 't> {
    fn furnish(&mut self) {
        for node in &self.app.nodes {
            let out = self.wires.code.place(format!("output of {}", node.name));
            let kind = nodes::word_of(nodes::of_rules(nodes::kind(&node.node_type)));
            let step = Step { name: node.name.clone(), path: node.name.clone(), kind, span: node.span, purpose: None };
            let step = self.wires.code.step(step);
            let [entry, back] = [self.wires.code.label(), self.wires.code.label()];
            self.rooms.push(Room { out, step, entry, back });
        }
        for variable in &self.app.conversation {
            self.keep("conversation".into(), variable.name.clone());
        }
        for node in &self.app.nodes {
            for name in nodes::loop_variables(node) {
                self.keep(node.id.clone(), name);
            }
        }
    }

    /// The edges, and from a loop to what is inside of it.
    fn link(&mut self) {
        for i in 0..self.app.nodes.len() {
            let from = self.room(i).step;
            for to in self.targets(i).into_iter().chain(self.inner(i)) {
                let to = self.room(to).step;
                self.wires.link(from, to, LinkKind::Next);
            }
        }
    }

    fn keep(&mut self, root: Arc<str>, name: Arc<str>) {
        let place = self.wires.code.place(format!("{root}.{name}"));
        self.variables.insert((root, name), place);
    }

    /// The nodes that a run starts with: starts and triggers or, in a fragment, whatever nothing leads to.
    pub(super) fn entries(&self) -> Vec<usize> {
        let all = || self.app.nodes.iter().enumerate().filter(|(_, node)| node.parent.is_none());
        let starts: Vec<usize> = all().filter(|(_, n)| nodes::is_entry(&n.node_type)).map(|(i, _)| i).collect();
        if !starts.is_empty() {
            return starts;
        }
        let led_to: BTreeSet<usize> = self.app.edges.iter().map(|edge| edge.to).collect();
        all().map(|(i, _)| i).filter(|i| !led_to.contains(i)).collect()
    }

    /// The nodes inside of a loop that it begins with.
    pub(super) fn inner(&self, i: usize) -> Vec<usize> {
        let Some(node) = self.app.nodes.get(i) else { return Vec::new() };
        let named = node.data.get("start_node_id").and_then(super::read::word);
        let named = named.and_then(|id| self.app.by_id.get(id.as_str()).copied()).filter(|inner| *inner != i);
        if let Some(inner) = named {
            return vec![inner];
        }
        let led_to: BTreeSet<usize> = self.app.edges.iter().map(|edge| edge.to).collect();
        let inside = |n: &Node<'_>| n.parent.as_ref() == Some(&node.id);
        let all =
            self.app.nodes.iter().enumerate().filter(|(n, inner)| *n != i && inside(inner) && !led_to.contains(n));
        all.map(|(n, _)| n).collect()
    }

    /// Nodes that can run, each before what it leads to where there is no circle.
    fn order(&self) -> Vec<usize> {
        each_before_what_follows(&self.entries(), &|node| {
            self.targets(node).into_iter().chain(self.inner(node)).collect()
        })
    }

    pub(super) fn targets(&self, i: usize) -> Vec<usize> {
        self.targets.get(i).into_iter().flatten().map(|(to, _)| *to).collect()
    }

    fn write(mut self, order: &[usize]) -> Import {
        let ends = self.wires.ends();
        let [hub, again] = [self.wires.code.label(), self.wires.code.label()];
        let span = self.app.span;
        // What leads from branch to branch is no part of a node: whoever is asked in one is not asked there.
        let first = self.entries().first().map_or(self.lost.step, |i| self.room(*i).step);
        self.wires.code.step = first;
        self.wires.code.bind(ends.entry);
        self.first_values();
        self.wires.code.goto(again);
        self.wires.code.bind(again);
        let starts: Vec<Goto> = self.entries().into_iter().map(|i| self.room(i).entry).collect();
        self.wires.fork(&starts, ends.exit, span);
        let mut later = vec![again];
        for i in order {
            let room = self.room(*i);
            self.wires.code.bind(room.entry);
            self.wires.code.step = room.step;
            self.body(*i);
            self.leave(*i, hub, &mut later);
        }
        self.wires.code.step = first;
        self.wires.code.bind(hub);
        self.wires.fork(&later, ends.exit, span);
        self.wires.code.bind(ends.exit);
        self.wires.code.emit(NodeKind::Exit, span);
        let document = Document { name: self.app.name.to_string(), span, ..Document::default() };
        self.wires.finish(document, &ends)
    }

    /// What is there before the first message.
    fn first_values(&mut self) {
        let nowhere = self.wires.nowhere;
        let app = self.app;
        for variable in &app.conversation {
            let value = variable.value.map_or(serde_json::Value::Null, sluice_core::document::Node::to_json);
            let key = ("conversation".into(), variable.name.clone());
            if let Some(place) = self.variables.get(&key).copied() {
                self.wires.assign(place, Expression::literal(&value, variable.span), nowhere);
            }
        }
        let facts =
            ["user_id", "app_id", "workflow_id", "workflow_run_id", "conversation_id", "dialogue_count", "timestamp"];
        let fields = facts.iter().map(|name| ((*name).into(), Expression::opaque(Vec::new(), app.span))).collect();
        self.wires.assign(self.sys, Expression::object(fields, app.span), nowhere);
    }

    /// From the end of a node along its edges.
    fn leave(&mut self, i: usize, hub: Goto, later: &mut Vec<Goto>) {
        let span = self.span(i);
        let known = self.known_behind(i);
        let edges = self.targets.get(i).cloned().unwrap_or_default();
        let targets: Vec<Goto> = edges.iter().map(|_| self.wires.code.label()).collect();
        let outer = self.app.nodes.get(i).and_then(|node| node.parent.as_ref());
        let outer = outer.and_then(|id| self.app.by_id.get(id)).map(|outer| self.room(*outer).back);
        if outer.is_none() {
            later.extend(targets.iter().skip(1));
        }
        self.wires.fork(&targets, outer.unwrap_or(hub), span);
        for ((to, handle), label) in edges.into_iter().zip(targets) {
            self.wires.code.bind(label);
            self.wires.check(known.get(&handle).cloned().unwrap_or_default(), span);
            self.wires.code.goto(self.room(to).entry);
        }
    }

    /// A loop: its nodes, any number of times.
    pub(super) fn repeat(&mut self, i: usize) {
        let span = self.span(i);
        let inner: Vec<Goto> = self.inner(i).into_iter().map(|n| self.room(n).entry).collect();
        let done = self.wires.code.label();
        let back = self.room(i).back;
        self.wires.code.goto(back);
        self.wires.code.bind(back);
        self.wires.fork(&inner, done, span);
        self.wires.code.bind(done);
    }

    // What is known of a node.

    pub(super) fn room(&self, i: usize) -> Room {
        self.rooms.get(i).copied().unwrap_or(self.lost)
    }

    pub(super) fn node(&self, i: usize) -> Option<&Node<'t>> {
        self.app.nodes.get(i)
    }

    pub(super) fn span(&self, i: usize) -> Span {
        self.node(i).map(|node| node.span).unwrap_or_default()
    }

    pub(super) fn is(&self, i: usize) -> Is {
        self.node(i).map_or(Is::Unknown, |node| nodes::kind(&node.node_type))
    }

    pub(super) fn name(&self, i: usize) -> Arc<str> {
        self.node(i).map_or_else(|| "".into(), |node| node.name.clone())
    }

    // What nodes write.

    /// The object that a node puts out.
    pub(super) fn put(&mut self, i: usize, fields: Vec<(&str, Expression)>) {
        let span = self.span(i);
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let out = self.room(i).out;
        self.wires.assign(out, Expression::object(fields, span), self.wires.nowhere);
    }

    /// A place of its own, for a value that is read more than once.
    pub(super) fn hold(&mut self, name: &str, value: Expression) -> Expression {
        let span = value.span;
        let place = self.wires.code.place(name);
        self.wires.assign(place, value, self.wires.nowhere);
        place_variable(place, span)
    }

    pub(super) fn observe(&mut self, i: usize, what: Observed, parameter: Option<&str>, span: Span) {
        let step = self.room(i).step;
        if self.observed.insert((step, span.start, format!("{what:?}"))) {
            self.wires.observe(step, what, parameter, span);
        }
    }
}

/// Something that nobody outside decides.
pub(super) fn fact(span: Span) -> Expression {
    Expression::opaque(Vec::new(), span)
}
