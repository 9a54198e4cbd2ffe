//! Control dependence: which guards decide whether a node runs, and what the roads not taken would have written.
//!
//! Computed once per program by plain post-dominators over the normal and the caught-error edges.
//! An uncaught fault ends the run and is no guard for what follows, so it adds no edge.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::{HandlerId, Node, NodeId, NodeKind, PlaceId, Program};

/// What the graph of a program says about guards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// By node: the nodes whose outcome decides whether it runs, not transitively (a guard's label includes its own control label).
    guards: Vec<BTreeSet<NodeId>>,
    /// By deciding node: the places that some node of its region writes.
    writes: BTreeMap<NodeId, BTreeSet<PlaceId>>,
    /// By fork: the places that each branch writes, in the order of the branches.
    branches: BTreeMap<NodeId, Vec<BTreeSet<PlaceId>>>,
    /// By fork: the nodes of each branch, in the order of the branches.
    regions: BTreeMap<NodeId, Vec<BTreeSet<NodeId>>>,
    /// By join: its fork.
    forks: BTreeMap<NodeId, NodeId>,
}

impl Control {
    /// Computes the control dependences of `program` (whose own `control` is not read).
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let graph = Graph::of(program);
        let mut control = Self { guards: vec![BTreeSet::new(); program.nodes.len()], ..Self::default() };
        for (id, node) in program.nodes() {
            if let NodeKind::Fork { branches, join } = &node.kind {
                let regions: Vec<_> = branches.iter().map(|b| branch_region(program, *b, *join)).collect();
                let writes = regions.iter().map(|region| written_inside(program, region)).collect();
                control.branches.insert(id, writes);
                control.regions.insert(id, regions);
                control.forks.insert(*join, id);
            } else if graph.decides(id) {
                let region = graph.region(graph.successors(id), graph.post_dominator(id));
                for inner in &region {
                    if let Some(guards) = control.guards.get_mut(inner.0 as usize) {
                        guards.insert(id);
                    }
                }
                let mut writes = written_by(program, &region);
                // The deciding node itself writes on some of its edges only: a reply, an error, a loop variable.
                writes.extend(written_on_edges(program, node));
                control.writes.insert(id, writes);
            }
        }
        control
    }

    /// The deciding nodes that `node` depends on.
    pub fn guards(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.guards.get(node.0 as usize).into_iter().flatten().copied()
    }

    /// Whether the outcome of `node` decides what runs next.
    #[must_use]
    pub fn decides(&self, node: NodeId) -> bool {
        self.writes.contains_key(&node)
    }

    /// `W(R)` of the region that `node` decides about.
    pub fn writes(&self, node: NodeId) -> impl Iterator<Item = PlaceId> {
        self.writes.get(&node).into_iter().flatten().copied()
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
        let regions = self.forks.get(&join).and_then(|fork| self.regions.get(fork));
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

fn written_by(program: &Program, region: &BTreeSet<NodeId>) -> BTreeSet<PlaceId> {
    region.iter().filter_map(|id| program.node(*id)).flat_map(|node| written_on_edges(program, node)).collect()
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

struct Graph {
    successors: Vec<Vec<NodeId>>,
    post_dominators: Vec<Option<NodeId>>,
}

impl Graph {
    fn of(program: &Program) -> Self {
        let successors: Vec<Vec<NodeId>> = program
            .nodes
            .iter()
            .map(|node| {
                let mut next: BTreeSet<NodeId> = normal_successors(&node.kind).into_iter().collect();
                next.extend(caught_by(program, node).into_iter().filter_map(|h| Some(program.handler(h)?.entry)));
                next.into_iter().collect()
            })
            .collect();
        let post_dominators = post_dominators(&successors, program.exit);
        Self { successors, post_dominators }
    }

    fn successors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.successors.get(id.0 as usize).into_iter().flatten().copied()
    }

    fn decides(&self, id: NodeId) -> bool {
        self.successors(id).nth(1).is_some()
    }

    fn post_dominator(&self, id: NodeId) -> Option<NodeId> {
        self.post_dominators.get(id.0 as usize).copied().flatten()
    }

    /// Every node that can be reached from `starts` before `end`. Without an end: every reachable node, which is sound.
    fn region(&self, starts: impl IntoIterator<Item = NodeId>, end: Option<NodeId>) -> BTreeSet<NodeId> {
        let mut region = BTreeSet::new();
        let mut open: Vec<NodeId> = starts.into_iter().collect();
        while let Some(id) = open.pop() {
            if Some(id) != end && region.insert(id) {
                open.extend(self.successors(id));
            }
        }
        region
    }
}

/// Immediate post-dominators by Cooper, Harvey and Kennedy's iteration on the reversed graph.
///
/// Nodes that cannot reach the exit (an uncaught raise, an endless loop) have none.
/// Source: "A Simple, Fast Dominance Algorithm", Rice University, 2001.
fn post_dominators(successors: &[Vec<NodeId>], exit: NodeId) -> Vec<Option<NodeId>> {
    let order = reverse_order(successors, exit);
    let mut rank = vec![None; successors.len()];
    for (i, id) in order.iter().enumerate() {
        if let Some(slot) = rank.get_mut(id.0 as usize) {
            *slot = Some(i);
        }
    }
    let rank_of = |id: NodeId| rank.get(id.0 as usize).copied().flatten();
    let mut parents: Vec<Option<NodeId>> = vec![None; successors.len()];
    let parent_of = |parents: &[Option<NodeId>], id: NodeId| parents.get(id.0 as usize).copied().flatten();
    if let Some(slot) = parents.get_mut(exit.0 as usize) {
        *slot = Some(exit);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for &id in order.iter().filter(|id| **id != exit) {
            let next = successors.get(id.0 as usize).into_iter().flatten().copied();
            let met = next
                .filter(|s| rank_of(*s).is_some() && parent_of(&parents, *s).is_some())
                .reduce(|a, b| meet(a, b, &rank_of, &|id| parent_of(&parents, id)));
            if met.is_some() && parent_of(&parents, id) != met {
                if let Some(slot) = parents.get_mut(id.0 as usize) {
                    *slot = met;
                }
                changed = true;
            }
        }
    }
    if let Some(slot) = parents.get_mut(exit.0 as usize) {
        *slot = None;
    }
    parents
}

fn meet(
    a: NodeId,
    b: NodeId,
    rank: &dyn Fn(NodeId) -> Option<usize>,
    parent: &dyn Fn(NodeId) -> Option<NodeId>,
) -> NodeId {
    let (mut a, mut b) = (a, b);
    while a != b {
        let deeper = if rank(a) > rank(b) { &mut a } else { &mut b };
        match parent(*deeper) {
            Some(up) if up != *deeper => *deeper = up,
            _ => return *deeper,
        }
    }
    a
}

/// Reverse post-order of the reversed graph, from the exit.
fn reverse_order(successors: &[Vec<NodeId>], exit: NodeId) -> Vec<NodeId> {
    let mut predecessors: Vec<Vec<NodeId>> = vec![Vec::new(); successors.len()];
    for (from, next) in (0..).map(NodeId).zip(successors) {
        for to in next {
            if let Some(list) = predecessors.get_mut(to.0 as usize) {
                list.push(from);
            }
        }
    }
    let mut seen = BTreeSet::from([exit]);
    let mut order = Vec::new();
    let mut stack = vec![(exit, 0)];
    while let Some((id, at)) = stack.pop() {
        match predecessors.get(id.0 as usize).and_then(|p| p.get(at)) {
            Some(&next) => {
                stack.push((id, at + 1));
                if seen.insert(next) {
                    stack.push((next, 0));
                }
            }
            None => order.push(id),
        }
    }
    order.reverse();
    order
}
