//! Blocks of actions: in which order they run, what runs beside what, ways that are taken, and loops.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::program::assemble::Label as Goto;
use sluice_core::text::Span;

use super::expression::Reading;
use super::lower::Lowering;
use super::read::{Action, key};

impl<'t> Lowering<'t> {
    /// Writes the actions of a block. `skips`: whether each may be left out.
    pub(super) fn block(&mut self, actions: &'t [Action<'t>], skips: bool) {
        let order = order(actions);
        let around = self.wires.code.step;
        let was_alone = self.is_alone;
        self.is_alone &= is_chain(actions);
        let skips = skips || actions.iter().any(|a| a.after.iter().any(|(_, success)| !success));
        let again = (!is_chain(actions) && actions.iter().any(|a| sets_variable(a))).then(|| self.wires.code.label());
        if let Some(again) = again {
            self.wires.code.bind(again);
        }
        for action in order {
            let next = self.wires.code.label();
            let Some(step) = self.room(action).map(|room| room.step) else { continue };
            if skips {
                let run = self.wires.code.label();
                // No part of the action: whoever is asked in it is not asked where it is left out.
                self.wires.code.step = around;
                self.wires.fork(&[run], next, action.span);
                self.wires.code.bind(run);
            }
            self.wires.code.step = step;
            self.action(action, skips);
            self.wires.code.goto(next);
            self.wires.code.bind(next);
        }
        if let Some(again) = again {
            let after = self.wires.code.label();
            self.wires.fork(&[again], after, Span::default());
            self.wires.code.bind(after);
        }
        self.is_alone = was_alone;
    }

    pub(super) fn branches(&mut self, action: &'t Action<'t>, skips: bool) {
        let end = self.wires.code.label();
        let known = self.known_in(action);
        let starts: Vec<Goto> = action.blocks.iter().map(|_| self.wires.code.label()).collect();
        // Where each way has its block, one of them is taken.
        let past = if known.past.is_some() { None } else { starts.last().copied() };
        let otherwise = past.unwrap_or_else(|| self.wires.code.label());
        self.wires.fork(&starts, otherwise, action.span);
        for ((block, start), known) in action.blocks.iter().zip(&starts).zip(known.inside) {
            self.wires.code.bind(*start);
            self.wires.check(known, action.span);
            self.block(block, skips);
            self.wires.code.step = self.room(action).map_or(self.wires.code.step, |room| room.step);
            self.wires.code.goto(end);
        }
        if past.is_none() {
            self.wires.code.bind(otherwise);
            self.wires.check(known.past.unwrap_or_default(), action.span);
            self.wires.code.goto(end);
        }
        self.wires.code.bind(end);
    }

    pub(super) fn repeat(&mut self, action: &'t Action<'t>, items: Option<&'t Tree>, skips: bool) {
        let Some(item) = self.room(action).map(|room| room.own) else { return };
        if let Some(items) = items {
            let items = self.template(items, Reading::Whole);
            self.set(item, Expression::opaque(vec![items], action.span));
            self.items.push(item);
        }
        let (head, body, after) = (self.wires.code.label(), self.wires.code.label(), self.wires.code.label());
        let was_alone = std::mem::replace(&mut self.is_alone, false);
        self.wires.code.bind(head);
        self.wires.fork(&[body], after, action.span);
        self.wires.code.bind(body);
        for block in &action.blocks {
            self.block(block, skips);
        }
        self.wires.code.goto(head);
        self.wires.code.bind(after);
        self.is_alone = was_alone;
        if items.is_some() {
            self.items.pop();
        }
    }
}

/// An order that `runAfter` allows; what runs in a circle comes last, as it stands.
pub(super) fn order<'a, 't>(actions: &'a [Action<'t>]) -> Vec<&'a Action<'t>> {
    let by_key: BTreeMap<String, usize> = actions.iter().enumerate().map(|(i, a)| (key(&a.name), i)).collect();
    let mut waits = vec![0_usize; actions.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); actions.len()];
    for (i, action) in actions.iter().enumerate() {
        for before in action.after.iter().filter_map(|(name, _)| by_key.get(&key(name))) {
            if let (Some(count), Some(list)) = (waits.get_mut(i), followers.get_mut(*before)) {
                *count += 1;
                list.push(i);
            }
        }
    }
    let mut queue: BTreeSet<usize> = (0..actions.len()).filter(|i| waits.get(*i) == Some(&0)).collect();
    let mut found = Vec::with_capacity(actions.len());
    let mut written = vec![false; actions.len()];
    while let Some(next) = queue.pop_first() {
        found.extend(actions.get(next));
        if let Some(flag) = written.get_mut(next) {
            *flag = true;
        }
        for follower in followers.get(next).into_iter().flatten() {
            if let Some(count) = waits.get_mut(*follower) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    queue.insert(*follower);
                }
            }
        }
    }
    let circle = actions.iter().zip(written).filter(|(_, written)| !written).map(|(action, _)| action);
    found.extend(circle);
    found
}

/// Whether each action runs after the one before it, and after no other.
pub(super) fn is_chain(actions: &[Action<'_>]) -> bool {
    let mut followed = BTreeSet::new();
    let roots = actions.iter().filter(|a| a.after.is_empty()).count();
    let single = actions.iter().all(|a| a.after.len() <= 1 && a.after.iter().all(|(n, _)| followed.insert(key(n))));
    roots <= 1 && single
}

fn sets_variable(action: &Action<'_>) -> bool {
    let inside = action.blocks.iter().flatten().any(sets_variable);
    inside || (action.kind.ends_with("variable") && action.kind != "initializevariable")
}
