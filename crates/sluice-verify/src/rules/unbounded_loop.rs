//! A loop that nothing inside it can end.
//!
//! A `for` ends with its list and a retry with its policy. A `then` that goes back needs a way out that depends on
//! something the loop changes.
//! ```bad
//! do:
//!   - again: { wait: { seconds: 1 }, then: back }
//!   - back: { wait: { seconds: 1 }, then: again }
//! ```
//! ```bad
//! do:
//!   - again: { wait: { seconds: 1 } }
//!   - done: { switch: [ { ready: { when: "${ .ready }", then: end } }, { not: { then: again } } ] }
//! ```
//! ```good
//! do:
//!   - start: { set: { tries: 0 } }
//!   - attempt: { set: { tries: "${ .tries + 1 }" } }
//!   - enough: { switch: [ { again: { when: "${ .tries < 3 }", then: attempt } }, { done: { then: end } } ] }
//! ```
//! ```good
//! do:
//!   - look: { call: crm.accounts.list, with: {} }
//!   - ready:
//!       switch:
//!         - yes: { when: "${ length > 0 }", then: end }
//!         - no: { then: look }
//! ```

use std::collections::BTreeSet;

use sluice_core::control::writes_of;
use sluice_core::program::{NodeId, NodeKind, PlaceId, Program};

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};
use crate::analysis::{Analysis, cycles, reads_of};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(217),
    name: "unbounded-loop",
    severity: Severity::Medium,
    confidence: Confidence::High,
    page: include_str!("unbounded_loop.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let (program, analysis) = (cx.world.program, cx.world.analysis);
    // A list and a retry policy bound the cycles through them.
    let bounded =
        |id: NodeId| program.node(id).is_some_and(|n| matches!(n.kind, NodeKind::Next { .. } | NodeKind::Retry { .. }));
    for cycle in cycles(program, analysis, &bounded) {
        let looped = Loop { program, analysis, nodes: &cycle };
        let Some((id, node)) = cycle.first().and_then(|id| Some((*id, program.node(*id)?))) else { continue };
        if !looped.can_end() {
            let name = program.step_of(id).map_or_else(String::new, |s| s.name.to_string());
            let message = format!("nothing in this loop through `{name}` can end it");
            let help = "add a `switch` that leaves the loop when something it changes says so, or count the rounds";
            let path = program.step_of(id).map_or_else(String::new, |s| s.path.to_string());
            findings.push(META.finding(node.span, message, help).at_step(path));
        }
    }
}

struct Loop<'a> {
    program: &'a Program,
    analysis: &'a Analysis,
    nodes: &'a BTreeSet<NodeId>,
}

impl Loop<'_> {
    /// Whether some way out depends on something that changes from round to round.
    fn can_end(&self) -> bool {
        let leaves = |id: &&NodeId| self.analysis.successors(**id).any(|to| !self.nodes.contains(&to));
        let changing = self.changing();
        self.nodes.iter().filter(leaves).any(|from| match self.program.node(*from).map(|n| &n.kind) {
            Some(NodeKind::Branch { .. }) => self.reads(*from).iter().any(|place| changing.contains(place)),
            // A call may fail, an expression may raise: that ends the loop, but nobody should count on it.
            _ => false,
        })
    }

    fn reads(&self, id: NodeId) -> Vec<PlaceId> {
        self.program.node(id).map(|n| reads_of(&n.kind)).unwrap_or_default()
    }

    /// The places whose values differ between rounds: replies, what is computed anew, and what is computed from those.
    fn changing(&self) -> BTreeSet<PlaceId> {
        let mut changing = BTreeSet::new();
        loop {
            let before = changing.len();
            for id in self.nodes {
                let Some(kind) = self.program.node(*id).map(|n| &n.kind) else { continue };
                let changes = match kind {
                    NodeKind::Call { .. } => true,
                    NodeKind::Assign { target, value, .. } => {
                        let anew = !value.expression.is_identity() && self.computes(*id, *target);
                        anew || self.reads(*id).iter().any(|p| changing.contains(p))
                    }
                    _ => self.reads(*id).iter().any(|p| changing.contains(p)),
                };
                if changes {
                    changing.extend(writes_of(kind));
                }
            }
            if changing.len() == before {
                return changing;
            }
        }
    }

    /// Whether an assignment makes a new value of what the loop itself wrote, as a counter does. A constant does not.
    fn computes(&self, id: NodeId, target: PlaceId) -> bool {
        let after = self.analysis.successors(id).filter_map(|to| self.analysis.state(to));
        let varies = after.into_iter().any(|state| !state.get(target).is_concrete());
        varies && self.reads(id).into_iter().any(|place| self.is_written_here(place))
    }

    fn is_written_here(&self, place: PlaceId) -> bool {
        let kinds = self.nodes.iter().filter_map(|id| self.program.node(*id)).map(|n| &n.kind);
        kinds.into_iter().any(|kind| writes_of(kind).contains(&place))
    }
}
