//! How a label got where it is: the shortest way from where it enters the program to a call.
//!
//! The fixpoint says that an atom arrives; this says along which steps. It searches backwards over the predicted edges,
//! from what a call reads, through every node that wrote it, to a reply, the run's input or the definition itself.
//! It explains; nothing else relies on it.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sluice_core::catalogue::{Action, Catalogue, LabelTree, Pattern};
use sluice_core::control::{normal_successors, writes_of};
use sluice_core::diagnostic::FlowStop;
use sluice_core::gate::Role;
use sluice_core::label::Label;
use sluice_core::program::{Builtin, CallTarget, NodeId, NodeKind, PlaceId, Program};

use crate::analysis::{Analysis, reads_of};

/// The part of a call that a flow ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sink {
    /// The arguments of one role.
    Role(Role),
    /// Any argument.
    Arguments,
    /// That the call is made at all.
    Control,
}

/// What carries the atoms, just before a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Carrier {
    Place(PlaceId),
    Control,
}

type Point = (NodeId, Carrier);

/// A point that was found.
struct Found {
    point: Point,
    /// The one after it on the way to the sink, by its place in the list of all; `None` at the sink.
    after: Option<usize>,
    /// What happens between.
    stop: Option<(NodeId, Deed)>,
}

/// The points that were found: a bit for each, of the nodes that were come to.
struct Seen {
    nodes: Vec<Vec<u64>>,
    words: usize,
}

impl Seen {
    fn of(program: &Program) -> Self {
        Self { nodes: vec![Vec::new(); program.nodes.len()], words: program.places.len() / 64 + 1 }
    }

    /// Whether it is new.
    fn insert(&mut self, (node, carrier): Point) -> bool {
        let Some(bits) = self.nodes.get_mut(node.0 as usize) else { return false };
        if bits.is_empty() {
            bits.resize(self.words, 0);
        }
        // Behind the places is room for one more.
        let at = if let Carrier::Place(place) = carrier { place.0 as usize } else { self.words * 64 - 1 };
        let Some(word) = bits.get_mut(at / 64) else { return false };
        let bit = 1 << (at % 64);
        std::mem::replace(word, *word | bit) & bit == 0
    }
}

/// A way that control comes to a node.
struct Incoming {
    from: NodeId,
    /// Where the error is put, if one comes this way.
    raises: Vec<PlaceId>,
    /// What the node there has written, if none does.
    writes: Vec<PlaceId>,
}

/// What happens to a value at a node. Most are looked at and few are told, so they become words at the end.
#[derive(Clone, Debug)]
enum Deed {
    DecidesWay,
    DecidesRounds,
    DecidesWhetherCallFails,
    DecidesWhetherStepFails,
    TakenOneByOne,
    PassesThrough(Builtin),
    Answers,
    Becomes(PlaceId),
    Said(String),
}

/// Why a point carries the atoms: what happens at a node, and the points before it.
struct Cause {
    /// `None` where the value only passes by.
    stop: Option<(NodeId, Deed)>,
    before: Option<Point>,
}

impl Cause {
    fn source(node: NodeId, said: String) -> Self {
        Self { stop: Some((node, Deed::Said(said))), before: None }
    }
}

/// The ways through one program. What one search finds of labels, the next one need not.
pub struct Provenance<'a> {
    program: &'a Program,
    catalogue: &'a Catalogue,
    analysis: &'a Analysis,
    /// By node.
    labels: RefCell<Vec<BTreeMap<PlaceId, Label>>>,
    /// By node.
    incoming: OnceCell<Vec<Vec<Incoming>>>,
}

impl<'a> Provenance<'a> {
    /// Of an analysed program.
    #[must_use]
    pub fn of(program: &'a Program, catalogue: &'a Catalogue, analysis: &'a Analysis) -> Self {
        let labels = RefCell::new(vec![BTreeMap::new(); program.nodes.len()]);
        Self { program, catalogue, analysis, labels, incoming: OnceCell::new() }
    }

    /// The steps that `atoms` take to `node`, first the one where they enter. Empty if no way was found.
    #[must_use]
    pub fn flow(&self, node: NodeId, sink: Sink, atoms: Label) -> Vec<FlowStop> {
        let search = Search { all: self, program: self.program, analysis: self.analysis, atoms };
        let mut stops = search.shortest(node, sink);
        if stops.is_empty() {
            return Vec::new();
        }
        stops.push((node, Deed::Said(search.arrival(node, sink))));
        let stops = one_per_step(self.program, stops);
        stops.into_iter().filter_map(|(id, deed)| stop(self.program, id, search.words(id, deed))).collect()
    }

    fn label(&self, node: NodeId, place: PlaceId) -> Label {
        let of = || self.analysis.label(node, place);
        let mut labels = self.labels.borrow_mut();
        labels.get_mut(node.0 as usize).map_or_else(of, |labels| *labels.entry(place).or_insert_with(of))
    }

    fn incoming(&self, node: NodeId) -> &[Incoming] {
        let all = self.incoming.get_or_init(|| {
            self.program
                .nodes()
                .map(|(to, _)| self.analysis.predecessors(to).map(|at| self.way(at, to)).collect())
                .collect()
        });
        all.get(node.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Control comes from there, so an edge that is no normal one is an error's.
    fn way(&self, from: NodeId, to: NodeId) -> Incoming {
        let kind = self.program.node(from).map(|node| &node.kind);
        let is_normal = kind.is_some_and(|kind| normal_successors(kind).contains(&to));
        if is_normal {
            return Incoming { from, raises: Vec::new(), writes: kind.map(writes_of).unwrap_or_default() };
        }
        let handlers = self.program.handlers.iter().filter(|handler| handler.entry == to);
        Incoming { from, raises: handlers.map(|handler| handler.error).collect(), writes: Vec::new() }
    }
}

fn stop(program: &Program, node: NodeId, what: String) -> Option<FlowStop> {
    let span = program.node(node)?.span;
    Some(FlowStop { step: program.step_of(node)?.path.to_string(), what, file: None, span })
}

/// A step is many nodes, of which the call, the guard or the source says most; at the sink's step the sink does.
fn one_per_step(program: &Program, stops: Vec<(NodeId, Deed)>) -> Vec<(NodeId, Deed)> {
    let step = |id: NodeId| program.node(id).map(|n| n.step);
    let Some((end, others)) = stops.split_last() else { return stops };
    let mut kept: Vec<(NodeId, Deed)> = Vec::new();
    for (i, stop) in others.iter().enumerate() {
        let is_source = i == 0;
        if !is_source && step(stop.0) == step(end.0) {
            continue;
        }
        match kept.iter().position(|(id, _)| step(*id) == step(stop.0)) {
            None => kept.push(stop.clone()),
            // The source stays in its place, whatever its step does later.
            Some(0) => {}
            Some(at) if says_more(program, stop.0) => {
                kept.truncate(at);
                kept.push(stop.clone());
            }
            Some(_) => {}
        }
    }
    kept.push(end.clone());
    kept
}

/// Assignments only carry a value from one place of a step to another.
fn says_more(program: &Program, node: NodeId) -> bool {
    program.node(node).is_some_and(|n| !matches!(n.kind, NodeKind::Assign { .. }))
}

struct Search<'a> {
    all: &'a Provenance<'a>,
    program: &'a Program,
    analysis: &'a Analysis,
    atoms: Label,
}

impl Search<'_> {
    fn carries(&self, label: Label) -> bool {
        label.meet(self.atoms) != Label::BOTTOM
    }

    fn is_at(&self, node: NodeId, carrier: Carrier) -> bool {
        self.carries(match carrier {
            Carrier::Place(place) => self.all.label(node, place),
            Carrier::Control => self.analysis.control(self.program, node),
        })
    }

    fn arrival(&self, node: NodeId, sink: Sink) -> String {
        let called = self.called(node);
        match sink {
            Sink::Role(role) => format!("it reaches {called} as {role}"),
            Sink::Arguments => format!("it reaches {called}"),
            Sink::Control => format!("it decides whether {called} is called"),
        }
    }

    fn called(&self, node: NodeId) -> String {
        match self.action(node) {
            Some(action) => format!("`{}`", action.full_name()),
            None => "the call".to_owned(),
        }
    }

    fn action(&self, node: NodeId) -> Option<&Action> {
        match &self.program.node(node)?.kind {
            NodeKind::Call { target: CallTarget::Action { connector, action }, .. } => {
                self.all.catalogue.action(connector, action)
            }
            NodeKind::Call { .. } => {
                let (connector, action) = self.analysis.prepared(node)?.action.as_ref()?;
                self.all.catalogue.action(connector, action)
            }
            _ => None,
        }
    }

    /// Breadth first, where passing by costs nothing.
    fn shortest(&self, node: NodeId, sink: Sink) -> Vec<(NodeId, Deed)> {
        let mut seen = Seen::of(self.program);
        let mut is_new = |point: Point| seen.insert(point);
        let starts = self.starts(node, sink).into_iter().filter(|point| is_new(*point));
        let mut found: Vec<Found> = starts.map(|point| Found { point, after: None, stop: None }).collect();
        let mut open: VecDeque<usize> = (0..found.len()).collect();
        let mut causes = Vec::new();
        while let Some((at, point)) = open.pop_front().and_then(|at| Some((at, found.get(at)?.point))) {
            self.causes(point, &mut causes);
            if let Some(source) = causes.iter().position(|cause| cause.before.is_none()) {
                return unwind(&found, at, causes.swap_remove(source).stop);
            }
            for Cause { stop, before } in causes.drain(..) {
                let Some(point) = before.filter(|before| is_new(*before)) else { continue };
                if stop.is_none() {
                    open.push_front(found.len());
                } else {
                    open.push_back(found.len());
                }
                found.push(Found { point, after: Some(at), stop });
            }
        }
        Vec::new()
    }

    fn starts(&self, node: NodeId, sink: Sink) -> Vec<Point> {
        let reads = self.program.node(node).map(|n| reads_of(&n.kind)).unwrap_or_default();
        let places = reads.into_iter().map(Carrier::Place);
        let carriers: Vec<Carrier> = match sink {
            Sink::Control => vec![Carrier::Control],
            Sink::Role(_) | Sink::Arguments => places.chain([Carrier::Control]).collect(),
        };
        carriers.into_iter().filter(|c| self.is_at(node, *c)).map(|c| (node, c)).collect()
    }

    /// Everything that can have brought the atoms to `point`.
    fn causes(&self, point: Point, causes: &mut Vec<Cause>) {
        let (node, carrier) = point;
        match carrier {
            Carrier::Control => causes.extend(self.causes_of_control(node)),
            Carrier::Place(place) => {
                for way in self.all.incoming(node) {
                    self.causes_on_edge(way, place, causes);
                }
            }
        }
        if node == self.program.entry
            && let Some(what) = self.entry_words(carrier)
        {
            causes.push(Cause::source(node, what));
        }
    }

    fn entry_words(&self, carrier: Carrier) -> Option<String> {
        match carrier {
            Carrier::Place(place) if place == self.program.input || place == self.program.workflow => {
                Some("it comes in with the run's input".to_owned())
            }
            Carrier::Place(_) => None,
            Carrier::Control => Some("the definition's author wrote it".to_owned()),
        }
    }

    fn causes_of_control(&self, node: NodeId) -> Vec<Cause> {
        let guards = self.program.control.guards(node).filter(|g| self.analysis.reaches(*g));
        let mut causes: Vec<Cause> = guards.flat_map(|guard| self.told_by(guard)).collect();
        if causes.is_empty() && self.is_at(self.program.entry, Carrier::Control) {
            causes.push(Cause::source(node, "the definition's author wrote it".to_owned()));
        }
        causes
    }

    /// What the outcome of a deciding node tells.
    fn told_by(&self, guard: NodeId) -> Vec<Cause> {
        let deed = match self.program.node(guard).map(|n| &n.kind) {
            Some(NodeKind::Branch { .. }) => Deed::DecidesWay,
            Some(NodeKind::Next { .. }) => Deed::DecidesRounds,
            Some(NodeKind::Call { .. }) => Deed::DecidesWhetherCallFails,
            _ => Deed::DecidesWhetherStepFails,
        };
        let mut causes = self.read_by(guard, &deed);
        if let Some(action) = self.action(guard)
            && self.carries(action.fault_label())
        {
            causes.push(Cause::source(guard, format!("whether `{}` fails tells of it", action.full_name())));
        }
        causes
    }

    /// The points that a node reads from, when the atoms are there.
    fn read_by(&self, node: NodeId, deed: &Deed) -> Vec<Cause> {
        let reads = self.program.node(node).map(|n| reads_of(&n.kind)).unwrap_or_default();
        let carriers = reads.into_iter().map(Carrier::Place).chain([Carrier::Control]);
        carriers
            .filter(|carrier| self.is_at(node, *carrier))
            .map(|carrier| Cause { stop: Some((node, deed.clone())), before: Some((node, carrier)) })
            .collect()
    }

    fn causes_on_edge(&self, way: &Incoming, place: PlaceId, causes: &mut Vec<Cause>) {
        let from = way.from;
        if way.raises.contains(&place) {
            causes.extend(self.told_by(from));
        } else if way.writes.contains(&place) {
            let kind = self.program.node(from).map(|n| &n.kind);
            causes.extend(kind.map(|kind| self.written_by(from, kind, place)).unwrap_or_default());
        } else if self.is_at(from, Carrier::Place(place)) {
            causes.push(Cause { stop: None, before: Some((from, Carrier::Place(place))) });
        } else {
            // It was not there before: the node decides something, and the place is one that a way not taken would write.
            causes.extend(self.told_by(from));
        }
    }

    fn written_by(&self, node: NodeId, kind: &NodeKind, place: PlaceId) -> Vec<Cause> {
        let deed = match kind {
            NodeKind::Next { .. } => Deed::TakenOneByOne,
            NodeKind::Call { target: CallTarget::Builtin(function), .. } => Deed::PassesThrough(*function),
            NodeKind::Call { .. } => Deed::Answers,
            _ => Deed::Becomes(place),
        };
        let mut causes = self.read_by(node, &deed);
        if let NodeKind::Call { target: CallTarget::Action { .. } | CallTarget::Http, .. } = kind
            && let Some(what) = self.source(node)
        {
            causes.push(Cause::source(node, what));
        }
        causes
    }

    /// What is told of a deed.
    fn words(&self, node: NodeId, deed: Deed) -> String {
        match deed {
            Deed::DecidesWay => "it decides which way the run takes".to_owned(),
            Deed::DecidesRounds => "it decides how often the loop runs".to_owned(),
            Deed::DecidesWhetherCallFails => format!("it decides whether {} fails", self.called(node)),
            Deed::DecidesWhetherStepFails => "it decides whether this step fails".to_owned(),
            Deed::TakenOneByOne => "its elements are taken one by one".to_owned(),
            Deed::PassesThrough(function) => format!("it passes through `{}`", function.name()),
            Deed::Answers => format!("{} answers from it", self.called(node)),
            Deed::Becomes(place) => {
                let name = self.program.places.get(place.0 as usize).map_or("a value", |p| &p.name);
                if name.starts_with('$') { format!("it goes into `{name}`") } else { format!("it becomes the {name}") }
            }
            Deed::Said(words) => words,
        }
    }

    /// How a call brings the atoms in, if its contract says that it does.
    fn source(&self, node: NodeId) -> Option<String> {
        let Some(action) = self.action(node) else {
            return Some("no contract says what comes back".to_owned());
        };
        let name = action.full_name();
        let paths = paths_with(&action.labels, self.atoms);
        match paths.as_slice() {
            [] if self.carries(action.source) => Some(format!("`{name}` returns it")),
            [] if !self.carries(action.labels.predicted(Label::BOTTOM).deep_label()) => None,
            [] if self.atoms.is_unknown() => {
                Some(format!("`{name}` returns parts that its contract does not classify"))
            }
            [] => Some(format!("`{name}` returns what others wrote")),
            paths if paths.iter().any(|p| p == "/") => Some(format!("`{name}` returns it")),
            paths => Some(format!("`{name}` returns it at {}", paths.join(", "))),
        }
    }
}

fn unwind(found: &[Found], last: usize, source: Option<(NodeId, Deed)>) -> Vec<(NodeId, Deed)> {
    let mut stops: Vec<(NodeId, Deed)> = source.into_iter().collect();
    let mut at = Some(last);
    while let Some(Found { after, stop, .. }) = at.and_then(|at| found.get(at)) {
        stops.extend(stop.clone());
        at = *after;
    }
    stops
}

/// The contract's own path patterns whose label has some of `atoms`.
fn paths_with(tree: &LabelTree, atoms: Label) -> Vec<String> {
    let all = tree.labels.iter().chain(&tree.trust);
    let found: BTreeSet<String> =
        all.filter(|(_, label)| label.meet(atoms) != Label::BOTTOM).map(|(pattern, _)| written(pattern)).collect();
    found.into_iter().collect()
}

/// A pattern as contracts write it; the root as `/`.
pub(crate) fn written(pattern: &Pattern) -> String {
    if pattern.0.is_empty() { "/".to_owned() } else { pattern.to_string() }
}
