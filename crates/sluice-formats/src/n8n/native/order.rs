//! Which connections lead back, and where ways come together again.

use std::collections::{BTreeMap, BTreeSet};

use super::super::lower::Lowering;

/// The connections that a run from one start can take.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Every node that can run, each before what it leads to.
    nodes: Vec<usize>,
    position: BTreeMap<usize, usize>,
    back: BTreeSet<(usize, usize)>,
    /// By node: those that lead to it, once for each connection.
    before: BTreeMap<usize, Vec<usize>>,
    /// By node: the last one that every way to it passes.
    dominator: BTreeMap<usize, usize>,
}

impl Order {
    pub(super) fn of(low: &Lowering<'_, '_>, start: usize) -> Self {
        let mut order = Self::default();
        order.walk(low, start);
        for node in order.nodes.clone() {
            for (_, target) in low.graph.targets(node) {
                if !order.is_back(node, target.node) {
                    order.before.entry(target.node).or_default().push(node);
                }
            }
        }
        order.dominate();
        order
    }

    /// Depth first, with a stack of our own: chains are long.
    fn walk(&mut self, low: &Lowering<'_, '_>, start: usize) {
        let (mut seen, mut on_way, mut done) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let mut stack = vec![(start, false)];
        while let Some((node, left)) = stack.pop() {
            if left {
                on_way.remove(&node);
                done.push(node);
                continue;
            }
            if !seen.insert(node) {
                continue;
            }
            on_way.insert(node);
            stack.push((node, true));
            for (_, target) in low.graph.targets(node) {
                if on_way.contains(&target.node) {
                    self.back.insert((node, target.node));
                } else {
                    stack.push((target.node, false));
                }
            }
        }
        done.reverse();
        self.position = done.iter().enumerate().map(|(at, node)| (*node, at)).collect();
        // An edge against the order that was found later is one that leads back, too.
        for node in &done {
            for (_, target) in low.graph.targets(*node) {
                if self.position.get(&target.node) <= self.position.get(node) {
                    self.back.insert((*node, target.node));
                }
            }
        }
        self.back.retain(|(from, to)| self.position.get(to) <= self.position.get(from));
        self.nodes = done;
    }

    fn dominate(&mut self) {
        for node in self.nodes.clone() {
            let before = self.before.get(&node).cloned().unwrap_or_default();
            let mut known = before.into_iter();
            let Some(mut found) = known.next() else { continue };
            for other in known {
                found = self.common(found, other);
            }
            self.dominator.insert(node, found);
        }
    }

    fn common(&self, mut a: usize, mut b: usize) -> usize {
        let at = |node: usize| self.position.get(&node).copied().unwrap_or_default();
        while a != b {
            let later = if at(a) > at(b) { &mut a } else { &mut b };
            let Some(up) = self.dominator.get(later) else { return *later };
            *later = *up;
        }
        a
    }

    pub(super) fn reached(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().copied()
    }

    /// Whether a connection leads to where a run came from.
    pub(super) fn is_back(&self, from: usize, to: usize) -> bool {
        self.back.contains(&(from, to))
    }

    /// The nodes from which a connection leads back to this one.
    pub(super) fn turns_to(&self, node: usize) -> bool {
        self.back.iter().any(|(_, to)| *to == node)
    }

    /// Whether several connections lead to a node.
    pub(super) fn is_join(&self, node: usize) -> bool {
        self.before.get(&node).is_some_and(|before| before.len() > 1)
    }

    /// The nodes that several ways lead to, all of which come from this node, in their order.
    pub(super) fn joins_of(&self, node: usize) -> Vec<usize> {
        let is_here = |other: &usize| self.is_join(*other) && self.dominator.get(other) == Some(&node);
        self.nodes.iter().copied().filter(is_here).collect()
    }
}
