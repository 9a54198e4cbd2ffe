//! No run gets to a step.
//!
//! Either a branch can never be taken, or something before the step always ends the run. What its author meant to
//! happen there does not happen.
//! ```bad
//! do:
//!   - stop: { set: { a: 1 }, then: end }
//!   - after: { set: { b: 2 } }
//! ```
//! ```good
//! do:
//!   - first: { set: { a: 1 } }
//!   - after: { set: { b: 2 } }
//! ```

use std::collections::BTreeSet;

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(216),
    name: "dead-step",
    severity: Severity::Low,
    confidence: Confidence::High,
    page: include_str!("dead_step.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let World { program, analysis, .. } = cx.world;
    let steps = |reached: bool| -> BTreeSet<_> {
        program.nodes().filter(|(id, _)| analysis.reaches(*id) == reached).map(|(_, node)| node.step).collect()
    };
    let (alive, dead) = (steps(true), steps(false));
    let mut reported: Vec<&str> = Vec::new();
    for id in dead.difference(&alive) {
        let Some(step) = program.steps.get(id.0 as usize) else { continue };
        // A dead step's inner steps are dead with it.
        let inner = reported.iter().any(|outer| step.path.strip_prefix(outer).is_some_and(|r| r.starts_with('/')));
        if inner {
            continue;
        }
        reported.push(&step.path);
        let message = format!("no run gets to `{}`", step.name);
        let help = "remove it, or mend the `then`, `if` or `when` that leads past it";
        findings.push(META.finding(step.span, message, help).at_step(step.path.to_string()));
    }
}

use super::World;
