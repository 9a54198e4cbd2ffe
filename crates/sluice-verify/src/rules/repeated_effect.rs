//! A retry would repeat an effect that has already happened.
//!
//! A retry runs its whole block again, under new idempotency keys. What succeeded before the error is done a second
//! time, unless repeating it changes nothing.
//! ```bad
//! do:
//!   - both:
//!       try:
//!         - order: { call: shop.orders.create, with: { item: "book" } }
//!         - note: { call: crm.accounts.list, with: {} }
//!       catch: { errors: {}, as: error, retry: { delay: { seconds: 1 }, limit: { attempt: { count: 3 } } } }
//! ```
//! ```good
//! do:
//!   - order: { call: shop.orders.create, with: { item: "book" } }
//!   - look:
//!       try:
//!         - note: { call: crm.accounts.list, with: {} }
//!       catch: { errors: {}, as: error, retry: { delay: { seconds: 1 }, limit: { attempt: { count: 3 } } } }
//! ```

use sluice_core::catalogue::Idempotency;
use sluice_core::control::normal_successors;
use sluice_core::gate::Effect;
use sluice_core::program::{NodeId, NodeKind, PlaceId};

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};
use crate::analysis::reachable;
use crate::site::Site;

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(215),
    name: "repeated-effect",
    severity: Severity::Medium,
    confidence: Confidence::High,
    page: include_str!("repeated_effect.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (retry, node) in cx.world.program.nodes() {
        let NodeKind::Retry { again, attempts, .. } = &node.kind else { continue };
        let block = Block { cx, retry, again: *again, attempts: *attempts };
        for site in cx.sites.iter().filter(|site| block.repeats(site)) {
            let message = format!("`{}` happens again when its block is retried", site.name());
            let help = "move it out of the block that is retried, or give its contract `idempotency: natural` if \
                        repeating it changes nothing";
            let finding = META.finding(site.span(), message, help).at_step(site.step.path.to_string());
            findings.push(finding.also(node.span, "the retry"));
        }
    }
}

struct Block<'a> {
    cx: &'a Context<'a>,
    retry: NodeId,
    again: NodeId,
    attempts: PlaceId,
}

impl Block<'_> {
    fn repeats(&self, site: &Site<'_>) -> bool {
        let Some(action) = site.action else { return false };
        let changes = action.effect != Effect::Read && action.idempotency != Idempotency::Natural;
        changes && self.reached_from([self.again], site.id) && self.fails_after(site)
    }

    /// Whether the block may still fail once the call has succeeded, or a timeout may leave it in doubt.
    fn fails_after(&self, site: &Site<'_>) -> bool {
        let program = self.cx.world.program;
        let timeouts = program.deadlines_of(site.node).filter_map(|(_, deadline)| deadline.handler);
        let timeouts = timeouts.filter_map(|h| Some(program.handler(h)?.entry));
        self.reached_from(normal_successors(&site.node.kind).into_iter().chain(timeouts), self.retry)
    }

    /// Within one execution of the block: another one starts by setting its attempts back.
    fn reached_from(&self, starts: impl IntoIterator<Item = NodeId>, to: NodeId) -> bool {
        let program = self.cx.world.program;
        let restarts = |id: NodeId| {
            program
                .node(id)
                .is_some_and(|n| matches!(n.kind, NodeKind::Assign { target, .. } if target == self.attempts))
        };
        let stops = |id: NodeId| restarts(id) || (id == self.retry && id != to);
        reachable(self.cx.world.analysis, starts, &stops).contains(&to)
    }
}
