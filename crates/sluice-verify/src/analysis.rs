//! What a program could do: the transfer table of `sluice-core`, run over abstract values to a fixpoint.
//!
//! There is no second evaluator and no second walker here. Each node keeps one state, the join of everything that can
//! reach it; [`sluice_core::transfer::step`] says where control goes from there, and the answer is joined into the
//! next nodes until nothing changes. So whatever a run does at a node lies below what is kept for that node.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Catalogue;
use sluice_core::label::{Label, Universe};
use sluice_core::program::{NodeId, NodeKind, PlaceId, Program};
use sluice_core::transfer::{Prepared, State, Step, Vouching, step};
use sluice_core::value::Value;

mod cycle;
mod entry;
mod fixpoint;

pub(crate) use cycle::cycles;
pub use entry::{Entry, definition_json};

/// Most visits of all nodes of one analysis. Real workflows take some thousands; a hundred times that is a text made to
/// stall the verifier. SL220.
pub const ANALYSIS_VISITS_MAX: u64 = 2_000_000;

/// Visits of one node after which its places are summarized by one label each.
pub const PRECISE_VISITS_MAX: u32 = 50;

/// What can be true at every point of a program.
#[derive(Clone, Debug)]
pub struct Analysis {
    universe: Universe,
    states: Vec<Option<State>>,
    edges: BTreeSet<(NodeId, NodeId)>,
    /// The same, turned around.
    back: BTreeSet<(NodeId, NodeId)>,
    output: Option<Value>,
    faults: BTreeMap<NodeId, Value>,
    /// Calls at their gates, as the last visit saw them.
    calls: BTreeMap<NodeId, Prepared>,
    is_complete: bool,
}

impl Analysis {
    /// Interprets `program` from its entry.
    #[must_use]
    pub fn of(program: &Program, catalogue: &Catalogue, entry: &Entry) -> Self {
        fixpoint::run(program, catalogue, entry)
    }

    /// The atoms that its labels speak of: the catalogue's, the author's and the requester's.
    #[must_use]
    pub const fn universe(&self) -> &Universe {
        &self.universe
    }

    /// What is known before `node` does anything; `None` if no run gets there.
    #[must_use]
    pub fn state(&self, node: NodeId) -> Option<&State> {
        self.states.get(node.0 as usize)?.as_ref()
    }

    /// Whether some run may get to `node`.
    #[must_use]
    pub fn reaches(&self, node: NodeId) -> bool {
        self.state(node).is_some()
    }

    /// The nodes from which control may come to `node`.
    pub fn predecessors(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        all_of(&self.back, node)
    }

    /// The nodes that control may go to from `node`.
    pub fn successors(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        all_of(&self.edges, node)
    }

    /// The run's output; `None` if no run gets to its end.
    #[must_use]
    pub const fn output(&self) -> Option<&Value> {
        self.output.as_ref()
    }

    /// Errors that nothing catches, by the node that may raise them.
    #[must_use]
    pub const fn faults(&self) -> &BTreeMap<NodeId, Value> {
        &self.faults
    }

    /// Whether the fixpoint was found within [`ANALYSIS_VISITS_MAX`]. If not, nothing else here may be relied on.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The call at `node` as its gate would see it, over all runs; without where an error of its arguments goes.
    #[must_use]
    pub fn prepared(&self, node: NodeId) -> Option<&Prepared> {
        self.calls.get(&node)
    }

    /// The value that waits at `node` for a person's word, over all runs.
    #[must_use]
    pub fn vouching(&self, program: &Program, catalogue: &Catalogue, node: NodeId) -> Option<Vouching> {
        match step(program, catalogue, &self.universe, self.state(node)?, node) {
            Step::Vouches(vouching) => Some(*vouching),
            _ => None,
        }
    }

    /// `pc` of a node.
    #[must_use]
    pub fn control(&self, program: &Program, node: NodeId) -> Label {
        self.state(node).map_or(Label::BOTTOM, |state| state.control(program, node))
    }

    /// The deep label of a place before `node`.
    #[must_use]
    pub fn label(&self, node: NodeId, place: PlaceId) -> Label {
        self.state(node).map_or(Label::BOTTOM, |state| state.get(place).deep_label())
    }
}

fn all_of(edges: &BTreeSet<(NodeId, NodeId)>, node: NodeId) -> impl Iterator<Item = NodeId> {
    edges.range((node, NodeId(0))..=(node, NodeId(u32::MAX))).map(|(_, other)| *other)
}

/// Every place that a node reads.
#[must_use]
pub fn reads_of(kind: &NodeKind) -> Vec<PlaceId> {
    use sluice_core::program::Duration;
    let duration = |d: &Duration| match d {
        Duration::Millis(_) => Vec::new(),
        Duration::Expression(what) => what.reads().collect(),
    };
    match kind {
        NodeKind::Assign { value, .. } => value.reads().collect(),
        NodeKind::Branch { arms, .. } => arms.iter().flat_map(|arm| arm.guard.reads().collect::<Vec<_>>()).collect(),
        NodeKind::Next { items, cursor, .. } => vec![*items, *cursor],
        NodeKind::Call { arguments, .. } => arguments.reads().collect(),
        NodeKind::Wait { duration: d, .. } => duration(d),
        NodeKind::Raise { error } => error.reads().collect(),
        NodeKind::Retry { attempts, .. } => vec![*attempts],
        NodeKind::Fork { .. }
        | NodeKind::Join { .. }
        | NodeKind::Arm { .. }
        | NodeKind::Disarm { .. }
        | NodeKind::Exit => Vec::new(),
    }
}

/// The nodes that can be reached from `starts` by the predicted edges, without passing `stop`.
pub(crate) fn reachable(
    analysis: &Analysis,
    starts: impl IntoIterator<Item = NodeId>,
    stop: &dyn Fn(NodeId) -> bool,
) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<NodeId> = starts.into_iter().collect();
    while let Some(id) = open.pop() {
        if !stop(id) && seen.insert(id) {
            open.extend(analysis.successors(id));
        }
    }
    seen
}
