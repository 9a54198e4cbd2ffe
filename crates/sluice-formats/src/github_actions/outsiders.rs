//! Commits and artifacts of outsiders: which events can be about them, and that they come into the workspace.

use sluice_core::expression::Expression;
use sluice_core::program::PlaceId;
use sluice_core::text::Span;

use super::lower::{At, Lowering, Writing};
use super::scope::Heard;
use crate::wiring::place_variable;

impl Lowering<'_, '_> {
    /// Whether one of the events can be about an outsider's commit while the run has the repository's rights.
    pub(super) fn is_risky(&self, admitted: &[Heard]) -> bool {
        self.risky(admitted).next().is_some()
    }

    /// Events about an outsider's commit; whoever opened a pull request brings it.
    fn risky<'h>(&'h self, admitted: &'h [Heard]) -> impl Iterator<Item = &'h Heard> {
        let brings = |heard: &&Heard| {
            let own = heard.is_insiders() || heard.parts.contains_key("pull_request");
            self.events.get(heard.event).is_some_and(|event| event.known.head) && !own
        };
        admitted.iter().filter(brings)
    }

    /// Whether a step may be started by the end of another workflow that an outsider's event started.
    pub(super) fn follows_a_run(&self, admitted: &[Heard]) -> bool {
        let outsiders = admitted.iter().filter(|heard| !heard.is_insiders());
        outsiders.filter_map(|heard| self.events.get(heard.event)).any(|event| event.name.as_ref() == "workflow_run")
    }

    /// Outsiders' files come into the workspace.
    pub(super) fn bring(&mut self, at: &At<'_>, writing: &mut Writing<'_, '_>, is_artifact: bool, span: Span) {
        let places: Vec<PlaceId> = self.risky(at.admitted).map(|heard| heard.place).collect();
        let before = place_variable(writing.scope.workspace, span);
        let brought = places.iter().map(|place| place_variable(*place, span)).chain([before]).collect();
        self.set(writing.scope.workspace, Expression::opaque(brought, span));
        writing.foreign = Some((at.id, is_artifact));
    }
}
