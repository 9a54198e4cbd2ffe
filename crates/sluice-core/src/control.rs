//! Control dependence: which guards decide whether a node runs, and what the roads not taken would have written.
//!
//! Computed once per program by post-dominators over the normal and the caught-error edges.
//! An uncaught fault ends the run and is no guard for what follows, so it adds no edge.

mod bits;
mod closure;
mod graph;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bits::Row;
use closure::Closure;
use graph::Graph;

use crate::program::{HandlerId, Node, NodeId, NodeKind, PlaceId, Program};

/// What the graph of a program says about guards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Every deciding node.
    deciding: Vec<NodeId>,
    /// By node: which region is its own; `None` if it decides nothing. Nodes of one cycle share theirs.
    region: Vec<Option<u32>>,
    /// The nodes of each region, regions inside it included. Shared, for a program may be copied.
    regions: Arc<[Row]>,
    /// The places that the nodes of each region write.
    region_writes: Arc<[Row]>,
    /// By node: the places it writes on some edge.
    own_writes: Arc<[Vec<u32>]>,
    /// By fork: the places that each branch writes, in the order of the branches.
    branches: BTreeMap<NodeId, Vec<BTreeSet<PlaceId>>>,
    /// By fork: the nodes of each branch, in the order of the branches.
    branch_nodes: BTreeMap<NodeId, Vec<BTreeSet<NodeId>>>,
    /// By join: its fork.
    forks: BTreeMap<NodeId, NodeId>,
}

impl Control {
    /// Computes the control dependences of `program` (whose own `control` is not read).
    #[must_use]
    pub fn of(program: &Program) -> Self {
        Self::measured(program).0
    }

    /// The control dependences, and how many steps they took.
    fn measured(program: &Program) -> (Self, u64) {
        let graph = Graph::of(program);
        let own_writes: Vec<Vec<u32>> = program
            .nodes
            .iter()
            .map(|node| written_on_edges(program, node).into_iter().map(|place| place.0).collect())
            .collect();
        let closure = Closure::of(&graph, &own_writes, program.places.len());
        let work = closure.work;
        let mut control = Self::default();
        for (id, node) in program.nodes() {
            let mut region = None;
            if let NodeKind::Fork { branches, join } = &node.kind {
                control.fork(program, id, branches, *join);
            } else if graph.decides(id.0) {
                control.deciding.push(id);
                region = Some(closure.component(id.0));
            }
            control.region.push(region);
        }
        let (regions, writes) = closure.rows();
        control.regions = regions.into();
        control.region_writes = writes.into();
        control.own_writes = own_writes.into();
        (control, work)
    }

    fn fork(&mut self, program: &Program, id: NodeId, branches: &[NodeId], join: NodeId) {
        let nodes: Vec<_> = branches.iter().map(|b| branch_region(program, *b, join)).collect();
        let writes = nodes.iter().map(|region| written_inside(program, region)).collect();
        self.branches.insert(id, writes);
        self.branch_nodes.insert(id, nodes);
        self.forks.insert(join, id);
    }

    /// The deciding nodes whose outcome decides whether `node` runs, those that decide about each other included.
    pub fn guards(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.deciding.iter().copied().filter(move |guard| self.guards_node(*guard, node))
    }

    /// Whether the outcome of `guard` decides whether `node` runs.
    #[must_use]
    pub fn guards_node(&self, guard: NodeId, node: NodeId) -> bool {
        self.row(&self.regions, guard).is_some_and(|region| region.contains(node.0))
    }

    /// Whether the outcome of `node` decides what runs next.
    #[must_use]
    pub fn decides(&self, node: NodeId) -> bool {
        self.region.get(node.0 as usize).is_some_and(Option::is_some)
    }

    /// `W(R)` of the region that `node` decides about, each place once. The deciding node is in it: it writes on
    /// some of its edges only (a reply, an error, a loop variable).
    pub fn writes(&self, node: NodeId) -> impl Iterator<Item = PlaceId> {
        let row = self.row(&self.region_writes, node);
        let own = row.and_then(|_| self.own_writes.get(node.0 as usize)).into_iter().flatten().copied();
        let own = own.filter(move |place| row.is_some_and(|row| !row.contains(*place)));
        row.into_iter().flat_map(Row::iter).chain(own).map(PlaceId)
    }

    fn row<'r>(&self, rows: &'r [Row], node: NodeId) -> Option<&'r Row> {
        let region = (*self.region.get(node.0 as usize)?)?;
        rows.get(region as usize)
    }

    /// The fork that `join` closes, and what each of its branches writes.
    #[must_use]
    pub fn fork_of(&self, join: NodeId) -> Option<(NodeId, &[BTreeSet<PlaceId>])> {
        let fork = self.forks.get(&join)?;
        Some((*fork, self.branches.get(fork)?))
    }

    /// The nodes of each branch that meets at `join`, nested forks included.
    #[must_use]
    pub fn branches_at(&self, join: NodeId) -> &[BTreeSet<NodeId>] {
        let regions = self.forks.get(&join).and_then(|fork| self.branch_nodes.get(fork));
        regions.map_or(&[], Vec::as_slice)
    }

    /// Which branch of the fork that `join` closes `node` belongs to.
    #[must_use]
    pub fn branch_of(&self, join: NodeId, node: NodeId) -> Option<usize> {
        self.branches_at(join).iter().position(|region| region.contains(&node))
    }
}

/// The nodes that control can go to from `node` without an error.
#[must_use]
pub fn normal_successors(kind: &NodeKind) -> Vec<NodeId> {
    match kind {
        NodeKind::Assign { next, .. }
        | NodeKind::Call { next, .. }
        | NodeKind::Join { next }
        | NodeKind::Wait { next, .. }
        | NodeKind::Arm { next, .. }
        | NodeKind::Disarm { next, .. } => vec![*next],
        NodeKind::Branch { arms, otherwise } => arms.iter().map(|a| a.to).chain([*otherwise]).collect(),
        NodeKind::Next { body, done, .. } => vec![*body, *done],
        NodeKind::Fork { branches, .. } => branches.clone(),
        NodeKind::Retry { again, exhausted, .. } => vec![*again, *exhausted],
        NodeKind::Raise { .. } | NodeKind::Exit => Vec::new(),
    }
}

/// The handlers that an error or a timeout at `node` can go to.
#[must_use]
pub fn caught_by(program: &Program, node: &Node) -> BTreeSet<HandlerId> {
    let raises =
        !matches!(node.kind, NodeKind::Exit | NodeKind::Fork { .. } | NodeKind::Disarm { .. } | NodeKind::Join { .. });
    let waits = matches!(
        node.kind,
        NodeKind::Call { .. } | NodeKind::Wait { .. } | NodeKind::Join { .. } | NodeKind::Retry { .. }
    );
    let own = node.handler.filter(|_| raises);
    let timeouts = program.deadlines_of(node).filter(|_| waits).filter_map(|(_, d)| d.handler);
    own.into_iter().chain(timeouts).collect()
}

/// The places that a node writes when it succeeds.
#[must_use]
pub fn writes_of(kind: &NodeKind) -> Vec<PlaceId> {
    match kind {
        NodeKind::Assign { target, .. } => vec![*target],
        NodeKind::Next { cursor, item, index, .. } => vec![*cursor, *item, *index],
        NodeKind::Call { reply, .. } => vec![*reply],
        NodeKind::Retry { attempts, .. } => vec![*attempts],
        _ => Vec::new(),
    }
}

fn written_on_edges(program: &Program, node: &Node) -> BTreeSet<PlaceId> {
    let errors = caught_by(program, node).into_iter().filter_map(|h| Some(program.handler(h)?.error));
    writes_of(&node.kind).into_iter().chain(errors).collect()
}

/// The nodes of one branch. A timeout that started outside the branch leaves it, and takes every other branch along, so
/// its handler is not part of it.
fn branch_region(program: &Program, start: NodeId, join: NodeId) -> BTreeSet<NodeId> {
    let mut region = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        if id == join || !region.insert(id) {
            continue;
        }
        let Some(node) = program.node(id) else { continue };
        open.extend(normal_successors(&node.kind));
        open.extend(caught_inside(program, &region, node).filter_map(|h| Some(program.handler(h)?.entry)));
    }
    region
}

/// The handlers of [`caught_by`] without those of timeouts that started outside `region`.
fn caught_inside(program: &Program, region: &BTreeSet<NodeId>, node: &Node) -> impl Iterator<Item = HandlerId> {
    let outside: BTreeSet<HandlerId> = program
        .deadlines_of(node)
        .filter(|(_, deadline)| !region.contains(&deadline.start))
        .filter_map(|(_, deadline)| deadline.handler)
        .collect();
    let own = node.handler;
    caught_by(program, node).into_iter().filter(move |h| own == Some(*h) || !outside.contains(h))
}

fn written_inside(program: &Program, region: &BTreeSet<NodeId>) -> BTreeSet<PlaceId> {
    let nodes = region.iter().filter_map(|id| program.node(*id));
    nodes
        .flat_map(|node| {
            let errors = caught_inside(program, region, node).filter_map(|h| Some(program.handler(h)?.error));
            writes_of(&node.kind).into_iter().chain(errors).collect::<Vec<_>>()
        })
        .collect()
}
