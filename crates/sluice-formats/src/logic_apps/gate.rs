//! Who is asked beside other actions: what `runAfter` does not order runs at the same time.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::program::StepId;

use super::lower::Lowering;
use super::read::{Action, key};

/// Of a block with more such actions, each of the further ones counts as beside all others.
const ORDERED_MAX: usize = 100;

impl Lowering<'_> {
    /// Notes of each action of a block where a person is asked which steps do not wait for it. `outside` run beside the block.
    pub(super) fn set_apart(&mut self, block: &[Action<'_>], outside: &BTreeSet<StepId>) {
        let asking: Vec<&Action<'_>> = block.iter().filter(|action| self.asks_inside(action)).collect();
        let order = Order::of(block);
        for (n, action) in asking.into_iter().enumerate() {
            let ordered = if n < ORDERED_MAX { order.around(action) } else { BTreeSet::from([action.index]) };
            let mut beside = outside.clone();
            for other in block.iter().filter(|other| !ordered.contains(&other.index)) {
                self.steps_of(other, &mut beside);
            }
            for inner in &action.blocks {
                self.set_apart(inner, &beside);
            }
            if let Some(gate) = self.room(action).filter(|room| room.found.human_gate).map(|room| room.step) {
                self.wires.beside(gate, beside);
            }
        }
    }

    fn asks_inside(&self, action: &Action<'_>) -> bool {
        let asks = self.room(action).is_some_and(|room| room.found.human_gate);
        asks || action.blocks.iter().flatten().any(|inner| self.asks_inside(inner))
    }

    fn steps_of(&self, action: &Action<'_>, steps: &mut BTreeSet<StepId>) {
        steps.extend(self.room(action).map(|room| room.step));
        action.blocks.iter().flatten().for_each(|inner| self.steps_of(inner, steps));
    }
}

/// What waits for what in a block, by index.
struct Order {
    before: BTreeMap<usize, Vec<usize>>,
    after: BTreeMap<usize, Vec<usize>>,
}

impl Order {
    fn of(block: &[Action<'_>]) -> Self {
        let by_key: BTreeMap<String, usize> = block.iter().map(|action| (key(&action.name), action.index)).collect();
        let mut order = Self { before: BTreeMap::new(), after: BTreeMap::new() };
        for action in block {
            for earlier in action.after.iter().filter_map(|(name, _)| by_key.get(&key(name))) {
                order.before.entry(action.index).or_default().push(*earlier);
                order.after.entry(*earlier).or_default().push(action.index);
            }
        }
        order
    }

    /// What surely runs before or after an action, and itself.
    fn around(&self, action: &Action<'_>) -> BTreeSet<usize> {
        let mut around = closure(action.index, &self.before);
        around.extend(closure(action.index, &self.after));
        around
    }
}

fn closure(start: usize, edges: &BTreeMap<usize, Vec<usize>>) -> BTreeSet<usize> {
    let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
    while let Some(at) = open.pop() {
        open.extend(edges.get(&at).into_iter().flatten().filter(|next| seen.insert(**next)));
    }
    seen
}
