//! The plain graph of a program: who follows whom, and the immediate post-dominators.

use std::collections::BTreeSet;

use super::{caught_by, normal_successors};
use crate::program::Program;

/// No node.
pub(super) const NONE: u32 = u32::MAX;

pub(super) struct Graph {
    pub(super) successors: Vec<Vec<u32>>,
    /// By node: whether its outcome decides anything. Two ways to one node are still two: which of them was taken
    /// shows in what they write.
    decides: Vec<bool>,
    /// By node; [`NONE`] for the exit, and for nodes that cannot reach it (an uncaught raise, an endless loop).
    post_dominators: Vec<u32>,
    /// Steps that finding the post-dominators took.
    pub(super) work: u64,
}

impl Graph {
    pub(super) fn of(program: &Program) -> Self {
        let successors: Vec<Vec<u32>> = program
            .nodes
            .iter()
            .map(|node| {
                let entries = caught_by(program, node).into_iter().filter_map(|h| Some(program.handler(h)?.entry));
                let next: BTreeSet<u32> =
                    normal_successors(&node.kind).into_iter().chain(entries).map(|id| id.0).collect();
                next.into_iter().collect()
            })
            .collect();
        let decides = program.nodes.iter().map(|node| {
            let normal: BTreeSet<u32> = normal_successors(&node.kind).into_iter().map(|id| id.0).collect();
            normal.len() + caught_by(program, node).len() > 1
        });
        let mut graph = Self { decides: decides.collect(), successors, post_dominators: Vec::new(), work: 0 };
        graph.find_post_dominators(program.exit.0);
        graph
    }

    pub(super) fn successors(&self, id: u32) -> &[u32] {
        self.successors.get(id as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn decides(&self, id: u32) -> bool {
        self.decides.get(id as usize).copied().unwrap_or_default()
    }

    pub(super) fn post_dominator(&self, id: u32) -> u32 {
        at(&self.post_dominators, id)
    }

    /// Cooper, Harvey and Kennedy's iteration on the reversed graph, over ranks: a parent's is always the smaller.
    ///
    /// Source: "A Simple, Fast Dominance Algorithm", Rice University, 2001.
    fn find_post_dominators(&mut self, exit: u32) {
        let order = reverse_order(&self.successors, exit);
        let mut ranks = vec![NONE; self.successors.len()];
        for (rank, id) in (0..).zip(&order) {
            put(&mut ranks, *id, rank);
        }
        let next: Vec<Vec<u32>> = order
            .iter()
            .map(|id| self.successors(*id).iter().map(|s| at(&ranks, *s)).filter(|r| *r != NONE).collect())
            .collect();
        let mut parents = vec![NONE; order.len()];
        put(&mut parents, 0, 0);
        let mut changed = true;
        while changed {
            changed = false;
            for (rank, next) in (0..).zip(&next).skip(1) {
                let known = next.iter().copied().filter(|s| at(&parents, *s) != NONE);
                let met = known.reduce(|a, b| meet(&parents, a, b, &mut self.work)).unwrap_or(NONE);
                changed |= at(&parents, rank) != met;
                put(&mut parents, rank, met);
            }
        }
        self.post_dominators = vec![NONE; self.successors.len()];
        for (id, parent) in order.iter().zip(&parents).skip(1) {
            put(&mut self.post_dominators, *id, at(&order, *parent));
        }
    }
}

fn meet(parents: &[u32], mut a: u32, mut b: u32, work: &mut u64) -> u32 {
    while a != b {
        *work += 1;
        let deeper = if a > b { &mut a } else { &mut b };
        *deeper = at(parents, *deeper);
        if *deeper == NONE {
            return 0;
        }
    }
    a
}

/// Reverse post-order of the reversed graph, from the exit.
fn reverse_order(successors: &[Vec<u32>], exit: u32) -> Vec<u32> {
    let mut predecessors: Vec<Vec<u32>> = vec![Vec::new(); successors.len()];
    for (from, next) in (0..).zip(successors) {
        for to in next {
            if let Some(list) = predecessors.get_mut(*to as usize) {
                list.push(from);
            }
        }
    }
    let mut seen = vec![0; successors.len()];
    put(&mut seen, exit, 1);
    let mut order = Vec::new();
    let mut stack = vec![(exit, 0)];
    while let Some((id, position)) = stack.pop() {
        match predecessors.get(id as usize).and_then(|p| p.get(position)) {
            Some(&next) => {
                stack.push((id, position + 1));
                if at(&seen, next) == 0 {
                    put(&mut seen, next, 1);
                    stack.push((next, 0));
                }
            }
            None => order.push(id),
        }
    }
    order.reverse();
    order
}

/// The entry of a table; [`NONE`] where it has none.
pub(super) fn at(table: &[u32], index: u32) -> u32 {
    table.get(index as usize).copied().unwrap_or(NONE)
}

pub(super) fn put(table: &mut [u32], index: u32, value: u32) {
    if let Some(slot) = table.get_mut(index as usize) {
        *slot = value;
    }
}
