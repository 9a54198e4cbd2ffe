//! Cycles: the strongly connected parts of the predicted graph.

use std::collections::BTreeSet;

use sluice_core::program::{NodeId, Program};

use super::Analysis;

/// Every set of nodes that can all reach each other without passing a node that `skip` names, in the order of their
/// first nodes. A node alone counts if it leads to itself.
///
/// Source: Tarjan, "Depth-first search and linear graph algorithms", 1972; with its own stack, since programs are long.
pub(crate) fn cycles(
    program: &Program,
    analysis: &Analysis,
    skip: &dyn Fn(NodeId) -> bool,
) -> BTreeSet<BTreeSet<NodeId>> {
    let mut search = Search { analysis, skip, seen: vec![None; program.nodes.len()], path: Vec::new(), next: 0 };
    let starts = program.nodes().map(|(id, _)| id).filter(|id| analysis.reaches(*id) && !skip(*id));
    starts.flat_map(|start| search.from(start)).collect()
}

struct Search<'a> {
    analysis: &'a Analysis,
    skip: &'a dyn Fn(NodeId) -> bool,
    seen: Vec<Option<Seen>>,
    /// Nodes whose part is not complete yet.
    path: Vec<NodeId>,
    next: usize,
}

#[derive(Clone, Copy)]
struct Seen {
    order: usize,
    /// The earliest node that can be reached from here and is still on the path.
    low: usize,
    on_path: bool,
}

impl Search<'_> {
    fn from(&mut self, start: NodeId) -> Vec<BTreeSet<NodeId>> {
        let mut found = Vec::new();
        if self.at(start).is_some() {
            return found;
        }
        let mut stack = vec![self.enter(start)];
        while let Some((id, waiting)) = stack.last_mut() {
            let id = *id;
            match waiting.pop() {
                Some(next) => match self.at(next) {
                    None => {
                        let entered = self.enter(next);
                        stack.push(entered);
                    }
                    Some(seen) if seen.on_path => self.lower(id, seen.order),
                    Some(_) => {}
                },
                None => {
                    stack.pop();
                    found.extend(self.leave(id));
                    if let (Some((outer, _)), Some(seen)) = (stack.last(), self.at(id)) {
                        self.lower(*outer, seen.low);
                    }
                }
            }
        }
        found
    }

    fn at(&self, id: NodeId) -> Option<Seen> {
        self.seen.get(id.0 as usize).copied().flatten()
    }

    fn lower(&mut self, id: NodeId, low: usize) {
        if let Some(Some(seen)) = self.seen.get_mut(id.0 as usize) {
            seen.low = seen.low.min(low);
        }
    }

    fn enter(&mut self, id: NodeId) -> (NodeId, Vec<NodeId>) {
        if let Some(slot) = self.seen.get_mut(id.0 as usize) {
            *slot = Some(Seen { order: self.next, low: self.next, on_path: true });
        }
        self.next += 1;
        self.path.push(id);
        (id, self.analysis.successors(id).filter(|next| !(self.skip)(*next)).collect())
    }

    /// The part that `id` is the first node of, if it is one and a cycle.
    fn leave(&mut self, id: NodeId) -> Option<BTreeSet<NodeId>> {
        self.at(id).filter(|seen| seen.low == seen.order)?;
        let mut part = BTreeSet::new();
        while let Some(member) = self.path.pop() {
            if let Some(Some(seen)) = self.seen.get_mut(member.0 as usize) {
                seen.on_path = false;
            }
            part.insert(member);
            if member == id {
                break;
            }
        }
        let is_cycle = part.len() > 1 || self.analysis.successors(id).any(|next| next == id);
        is_cycle.then_some(part)
    }
}
