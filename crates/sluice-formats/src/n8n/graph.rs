//! Which nodes run, in which order, and what hangs on what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::read::{Connection, Workflow};

/// The connections of a workflow, by what they mean.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// By node and port: where items go, in their order.
    pub(super) out: Vec<BTreeMap<usize, Vec<Target>>>,
    /// By node: the nodes that items come from, in their order.
    pub(super) before: Vec<BTreeSet<usize>>,
    /// By node: how many inputs items arrive at.
    pub(super) inputs: Vec<BTreeSet<usize>>,
    /// By node: the parts that hang on it, by kind (`ai_tool`, …).
    pub(super) parts: Vec<BTreeMap<String, Vec<usize>>>,
    /// By part: the nodes that it hangs on.
    pub(super) owners: Vec<Vec<usize>>,
}

/// Where an edge of items ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) node: usize,
    pub(super) input: usize,
}

impl Graph {
    pub(super) fn of(workflow: &Workflow<'_>) -> Self {
        let count = workflow.nodes.len();
        let mut graph = Self {
            out: vec![BTreeMap::new(); count],
            before: vec![BTreeSet::new(); count],
            inputs: vec![BTreeSet::new(); count],
            parts: vec![BTreeMap::new(); count],
            owners: vec![Vec::new(); count],
        };
        for connection in &workflow.connections {
            graph.add(connection);
        }
        graph
    }

    fn add(&mut self, c: &Connection) {
        if c.kind.starts_with("ai_") {
            if let Some(parts) = self.parts.get_mut(c.to) {
                parts.entry(c.kind.to_string()).or_default().push(c.from);
            }
            if let Some(owners) = self.owners.get_mut(c.from) {
                owners.push(c.to);
            }
        } else {
            let target = Target { node: c.to, input: c.input };
            if let Some(ports) = self.out.get_mut(c.from) {
                let targets = ports.entry(c.port).or_default();
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
            // Nothing comes from a node that is not there.
            if let Some(before) = self.before.get_mut(c.to).filter(|_| c.from < self.out.len()) {
                before.insert(c.from);
            }
            if let Some(inputs) = self.inputs.get_mut(c.to) {
                inputs.insert(c.input);
            }
        }
    }

    /// Every edge of items from a node, port by port.
    pub(super) fn targets(&self, node: usize) -> impl Iterator<Item = (usize, Target)> {
        self.out.get(node).into_iter().flatten().flat_map(|(port, targets)| targets.iter().map(|t| (*port, *t)))
    }

    /// The nodes that items come from, in their order.
    pub(super) fn before(&self, node: usize) -> impl Iterator<Item = usize> {
        self.before.get(node).into_iter().flatten().copied()
    }

    /// The parts of one kind that hang on a node.
    pub(super) fn parts_of(&self, node: usize, kind: &str) -> &[usize] {
        self.parts.get(node).and_then(|parts| parts.get(kind)).map_or(&[], Vec::as_slice)
    }

    /// Whether a node hangs on others.
    pub(super) fn is_part(&self, node: usize) -> bool {
        self.owners.get(node).is_some_and(|owners| !owners.is_empty())
    }

    /// Every node that items can get to from `starts`, and the parts that hang on those, in breadth-first order.
    pub(super) fn reachable(&self, starts: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open: VecDeque<usize> = starts.into_iter().collect();
        while let Some(node) = open.pop_front() {
            if !seen.insert(node) {
                continue;
            }
            order.push(node);
            open.extend(self.targets(node).map(|(_, t)| t.node));
            open.extend(self.parts.get(node).into_iter().flat_map(|p| p.values().flatten().copied()));
        }
        order
    }
}
