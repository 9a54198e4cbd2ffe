//! The worklist.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Catalogue;
use sluice_core::label::Label;
use sluice_core::program::{NodeId, NodeKind, Program};
use sluice_core::transfer::{Moves, Prepared, ReplyValue, State, Step, join_branches, reply, step, timeouts};
use sluice_core::value::Value;

use super::{ANALYSIS_VISITS_MAX, Analysis, Entry, PRECISE_VISITS_MAX, entry};

pub(super) fn run(program: &Program, catalogue: &Catalogue, start: &Entry) -> Analysis {
    let mut search = Search {
        program,
        catalogue,
        start,
        states: vec![None; program.nodes.len()],
        changes: vec![0; program.nodes.len()],
        edges: BTreeSet::new(),
        joins: BTreeMap::new(),
        open: BTreeSet::new(),
        output: None,
        faults: BTreeMap::new(),
        calls: BTreeMap::new(),
        visits: 0,
    };
    let workflow = entry::workflow_value(program, start);
    search.arrive(program.entry, State::start(program, start.input.clone(), workflow, start.base));
    let is_complete = search.settle();
    Analysis {
        universe: start.universe.clone(),
        states: search.states,
        back: search.edges.iter().map(|(from, to)| (*to, *from)).collect(),
        edges: search.edges,
        output: search.output,
        faults: search.faults,
        calls: search.calls,
        is_complete,
    }
}

struct Search<'a> {
    program: &'a Program,
    catalogue: &'a Catalogue,
    start: &'a Entry,
    states: Vec<Option<State>>,
    /// How often each node's state has grown.
    changes: Vec<u32>,
    edges: BTreeSet<(NodeId, NodeId)>,
    joins: BTreeMap<NodeId, Meeting>,
    /// Ordered, so that two analyses of one program take the same way. Reverse postorder was tried: imported workflows with
    /// loops took nearly twice as long.
    open: BTreeSet<NodeId>,
    output: Option<Value>,
    faults: BTreeMap<NodeId, Value>,
    /// What the last visit found: a node is visited again once its state has grown.
    calls: BTreeMap<NodeId, Prepared>,
    visits: u64,
}

/// What is known so far of a fork and of the ends of its branches.
struct Meeting {
    fork: State,
    ends: Vec<Option<State>>,
}

impl Search<'_> {
    /// Visits nodes until nothing changes; `false` if that takes too long.
    fn settle(&mut self) -> bool {
        while let Some(at) = self.open.pop_first() {
            self.visits += 1;
            if self.visits > ANALYSIS_VISITS_MAX {
                return false;
            }
            self.visit(at);
        }
        true
    }

    fn visit(&mut self, at: NodeId) {
        let Some(state) = self.states.get(at.0 as usize).cloned().flatten() else { return };
        let (program, universe) = (self.program, &self.start.universe);
        self.calls.remove(&at);
        match step(program, self.catalogue, universe, &state, at) {
            Step::Moves(moves) => {
                if program.node(at).is_some_and(|n| matches!(n.kind, NodeKind::Join { .. })) {
                    self.follow(at, timeouts(program, &state, at, Label::BOTTOM));
                }
                self.follow(at, moves);
            }
            Step::Calls(prepared) => {
                let came = ReplyValue::Predicted;
                self.follow(at, reply(program, self.catalogue, universe, &state, at, &prepared, &came));
                self.calls.insert(at, Prepared { failing: Moves::default(), ..*prepared });
            }
            Step::Vouches(vouching) => self.follow(at, vouching.predicted()),
            Step::Waits { after, instead, told, .. } => {
                self.follow(at, timeouts(program, &state, at, told));
                self.follow(at, after.and(instead));
            }
            Step::Arms { after, instead, .. } => self.follow(at, after.and(instead)),
            Step::Forks { branches, join, state } => self.fork(at, &branches, join, state),
            Step::Exits { output } => {
                self.output = Some(self.output.as_ref().map_or_else(|| output.clone(), |o| o.join(&output)));
            }
        }
    }

    fn fork(&mut self, at: NodeId, branches: &[NodeId], join: NodeId, state: State) {
        let meeting =
            self.joins.entry(join).or_insert_with(|| Meeting { fork: state.clone(), ends: vec![None; branches.len()] });
        meeting.fork = meeting.fork.join(&state);
        for (i, branch) in branches.iter().enumerate() {
            self.edges.insert((at, *branch));
            if *branch == join {
                self.end(join, i, &state);
            } else {
                self.arrive(*branch, state.clone());
            }
        }
        self.meet(join);
    }

    fn follow(&mut self, from: NodeId, moves: Moves) {
        for edge in moves.edges {
            self.edges.insert((from, edge.to));
            match self.program.control.branch_of(edge.to, from) {
                Some(branch) => {
                    self.end(edge.to, branch, &edge.state);
                    self.meet(edge.to);
                }
                None => self.arrive(edge.to, edge.state),
            }
        }
        if let Some(fault) = moves.fault {
            let known = self.faults.remove(&from);
            self.faults.insert(from, known.map_or_else(|| fault.clone(), |k| k.join(&fault)));
        }
    }

    /// A branch gets to its end.
    fn end(&mut self, join: NodeId, branch: usize, state: &State) {
        let slot = self.joins.get_mut(&join).and_then(|meeting| meeting.ends.get_mut(branch));
        if let Some(slot) = slot {
            *slot = Some(slot.as_ref().map_or_else(|| state.clone(), |known| known.join(state)));
        }
    }

    /// Goes on behind a join once every branch can get there.
    fn meet(&mut self, join: NodeId) {
        let Some(meeting) = self.joins.get(&join) else { return };
        let ends: Option<Vec<State>> = meeting.ends.iter().cloned().collect();
        if let Some(ends) = ends {
            let joined = join_branches(self.program, join, &meeting.fork, &ends);
            self.arrive(join, joined);
        }
    }

    fn arrive(&mut self, at: NodeId, state: State) {
        let index = at.0 as usize;
        let (Some(slot), Some(changes)) = (self.states.get_mut(index), self.changes.get_mut(index)) else { return };
        let has_grown = match slot {
            None => {
                *slot = Some(state);
                true
            }
            Some(known) if *changes >= PRECISE_VISITS_MAX => {
                let widened = known.join(&state).widened();
                let has_grown = *known != widened;
                *known = widened;
                has_grown
            }
            Some(known) => known.grow(&state),
        };
        if has_grown {
            *changes += 1;
            self.open.insert(at);
        }
    }
}
