//! Retry policies.

use crate::document::{Fields, Node};
use crate::dsl::codes::{RETRY, RETRY_DURATION};
use crate::dsl::task::Task;
use crate::dsl::workflow::Lower;
use crate::program::{Backoff, Duration, PlaceId, RetryPolicy};

/// A `retry` in a `catch`.
pub(super) struct Retrying<'t> {
    pub(super) policy: RetryPolicy,
    /// Counts its attempts.
    pub(super) attempts: PlaceId,
    pub(super) when: Option<&'t Node>,
    pub(super) except_when: Option<&'t Node>,
}

impl<'t> Lower<'t> {
    /// The policy that a `catch` names or holds.
    pub(super) fn retrying(&mut self, task: &Task<'_, 't>, node: &'t Node) -> Option<Retrying<'t>> {
        let found = self.referenced(node, self.components.retries, "retry policy")?;
        let policy = self.retry_policy(found)?;
        let attempts = self.graph.place(format!("attempts of {}", task.name));
        Some(Retrying { policy, attempts, when: found.get("when"), except_when: found.get("exceptWhen") })
    }

    pub(super) fn retry_policy(&mut self, node: &'t Node) -> Option<RetryPolicy> {
        let mut fields = Fields::of(node, "a retry policy", &mut self.out)?;
        // Read where the policy is used, for what they see depends on it.
        fields.optional("when");
        fields.optional("exceptWhen");
        let delay = fields.optional("delay");
        let backoff = fields.optional("backoff");
        let limit = fields.optional("limit");
        if let Some(entry) = fields.entry("jitter") {
            self.out.push(RETRY.at(entry.key_span, "`jitter` is not supported"));
        }
        fields.finish(&mut self.out);
        let mut policy = RetryPolicy {
            delay_ms: delay.and_then(|node| self.fixed_millis(node, "delay")).unwrap_or_default(),
            backoff: backoff.and_then(|node| self.backoff(node)).unwrap_or(Backoff::Constant),
            attempts_max: RetryPolicy::ATTEMPTS_DEFAULT,
            span: node.span,
        };
        if let Some(node) = limit {
            self.limit(node, &mut policy);
        }
        Some(policy)
    }

    fn backoff(&mut self, node: &'t Node) -> Option<Backoff> {
        let mut fields = Fields::of(node, "a backoff", &mut self.out)?;
        let kinds =
            [("constant", Backoff::Constant), ("exponential", Backoff::Exponential), ("linear", Backoff::Linear)];
        let found: Vec<_> = kinds.into_iter().filter_map(|(key, kind)| Some((fields.optional(key)?, kind))).collect();
        fields.finish(&mut self.out);
        let [(definition, kind)] = found.as_slice() else {
            self.bad(node.span, "a backoff is one of `constant`, `exponential` and `linear`");
            return None;
        };
        for entry in definition.expect_map("backoff", &mut self.out).unwrap_or_default() {
            self.out.push(RETRY.at(entry.key_span, format!("`{}` of a backoff is not supported", entry.key)));
        }
        Some(*kind)
    }

    fn limit(&mut self, node: &'t Node, policy: &mut RetryPolicy) {
        let Some(mut fields) = Fields::of(node, "a retry limit", &mut self.out) else { return };
        if let Some(entry) = fields.entry("duration") {
            // What a node does must not depend on a clock, and a limit that is read but not kept would be a lie.
            self.out.push(RETRY_DURATION.at(entry.key_span, "`duration` of a retry limit is not supported"));
        }
        let attempt = fields.optional("attempt");
        fields.finish(&mut self.out);
        let Some(mut fields) = attempt.and_then(|node| Fields::of(node, "`attempt`", &mut self.out)) else { return };
        if let Some(count) = fields.optional("count").and_then(|n| n.expect_count("count", &mut self.out)) {
            policy.attempts_max = u32::try_from(count).unwrap_or(u32::MAX);
        }
        if let Some(entry) = fields.entry("duration") {
            self.out.push(RETRY.at(entry.key_span, "a limit on one attempt is not supported"));
        }
        fields.finish(&mut self.out);
    }

    /// A duration that is known before the run.
    fn fixed_millis(&mut self, node: &'t Node, what: &str) -> Option<u64> {
        if node.as_text().is_some_and(|text| text.contains("${")) {
            self.out.push(RETRY.at(node.span, format!("a computed `{what}` is not supported")));
            return None;
        }
        match self.duration(node, what, None)? {
            Duration::Millis(millis) => Some(millis),
            Duration::Expression(_) => None,
        }
    }
}
