//! What the outcomes of deciding nodes have told, over all visits.

use crate::control::Control;
use crate::label::Label;
use crate::program::NodeId;
use crate::transfer::shared::{Joined, Shared};

/// How many nodes one summary covers.
const GROUP: usize = 64;

/// A label for each node, ⊥ where nothing was told. Labels only grow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    labels: Shared<Label>,
    /// The join of each group of labels: most nodes tell nothing new, and need not be asked one by one.
    groups: Shared<Label>,
}

impl Told {
    pub(super) fn new(nodes: usize) -> Self {
        Self { labels: Shared::of(nodes, &Label::BOTTOM), groups: Shared::of(nodes.div_ceil(GROUP), &Label::BOTTOM) }
    }

    pub(super) fn raise(&mut self, node: NodeId, label: Label) {
        let at = node.0 as usize;
        raise(&mut self.labels, at, label);
        raise(&mut self.groups, at / GROUP, label);
    }

    /// What the guards of `node` have told.
    pub(super) fn about(&self, control: &Control, node: NodeId) -> Label {
        let mut all = Label::BOTTOM;
        for (group, summary) in self.groups.iter().enumerate() {
            if summary.flows_to(all) {
                continue;
            }
            for at in group * GROUP..(group + 1) * GROUP {
                let Some(label) = self.labels.get(at) else { break };
                let guard = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
                if !label.flows_to(all) && control.guards_node(guard, node) {
                    all = all.join(*label);
                }
            }
        }
        all
    }

    pub(super) fn all(&self) -> Label {
        Label::join_all(self.groups.iter().copied())
    }

    /// Becomes the join of both, and says whether that is more.
    pub(super) fn grow(&mut self, other: &Self) -> bool {
        let (labels, groups) = (self.labels.grow(&other.labels, joined), self.groups.grow(&other.groups, joined));
        labels || groups
    }
}

fn joined(a: &Label, b: &Label) -> Joined<Label> {
    match a.join(*b) {
        _ if a == b => Joined::Same,
        both if both == *a => Joined::Kept,
        both => Joined::Grown(both),
    }
}

fn raise(labels: &mut Shared<Label>, at: usize, by: Label) {
    if let Some(label) = labels.get(at).filter(|label| !by.flows_to(**label)) {
        labels.set(at, label.join(by));
    }
}
