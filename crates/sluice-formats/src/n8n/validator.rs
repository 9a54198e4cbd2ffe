//! Code nodes whose program lets only checked items on: what is known behind them.
//!
//! What fails a check throws, or is not returned. So a node that goes on after errors, or puts out an empty item where none
//! is left, holds nothing back; with a port for errors it does where the others leave.

use sluice_core::program::PlaceId;

use super::lower::{Lowering, Sight};
use super::parameters::text_at;
use crate::guard::Guard;
use crate::javascript::validator::{self, Checked};

impl Lowering<'_, '_> {
    /// What the program of a code node has surely checked once it puts something out by its first port.
    pub(super) fn validated(&self, i: usize) -> Option<Checked> {
        let node = self.workflow.nodes.get(i)?;
        let is_lenient = node.errors.goes_on || node.errors.handled && !node.errors.has_port;
        if node.disabled || is_lenient || node.never_empty {
            return None;
        }
        let key = match node.node_type.as_ref() {
            "n8n-nodes-base.code" => "jsCode",
            "n8n-nodes-base.function" | "n8n-nodes-base.functionItem" => "functionCode",
            _ => return None,
        };
        let is_read = |path: &str, known: &[&str]| {
            text_at(node.parameters, path).is_none_or(|found| known.contains(&found.as_str()))
        };
        if !is_read("mode", &["runOnceForAllItems", "runOnceForEachItem"]) || !is_read("language", &["javaScript"]) {
            return None;
        }
        let source = node.parameters?.get(key)?.as_text()?;
        let sight = Sight { item: self.room(i).item, words: None };
        let checked = validator::read(source, self.mode(i, "javaScript", sight)?);
        (checked != Checked::default()).then_some(checked)
    }

    /// The checks of a program, for the place that its items go to and for what it puts out under its name. Where its item is
    /// surely that of a trigger, what held of that when it came in holds of the trigger's, too.
    pub(super) fn passed(&self, i: usize, checked: &Checked, to: PlaceId) -> Vec<Guard> {
        let room = self.room(i);
        let has_port = self.workflow.nodes.get(i).is_some_and(|node| node.errors.has_port);
        // Items that failed are there under its name, too.
        let own = (!has_port).then_some(room.out);
        let entry = self.only_source(i).map(|trigger| self.room(trigger).out);
        let places = [(Some(to), &checked.output), (own, &checked.output), (entry, &checked.input)];
        let known = places.into_iter().filter_map(|(place, known)| Some((place?, known)));
        let guards = known
            .flat_map(|(place, known)| known.iter().map(move |(path, admits)| (place, path.clone(), admits.clone())));
        guards.map(|(place, path, admits)| Guard { step: room.step, place, path, admits }).collect()
    }
}
