//! A `redact`, `release` or `endorse` that changes no label.
//!
//! An entry counts only if whoever stands behind it owns what it clears, if nobody whom they do not accept has steered
//! the value, and if they may read what they vouch for. Otherwise the value passes with every label that it had.
//! ```bad
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - clean: { call: redact, with: { entry: plain-balance, value: "${ map({ balance, health_note }) }" } }
//! ```
//! ```good
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - clean: { call: redact, with: { entry: plain-balance, value: "${ map({ balance }) }" } }
//! ```

use sluice_core::catalogue::{Release, ReleaseKind};
use sluice_core::program::{CallTarget, NodeId, NodeKind};
use sluice_core::transfer::arguments;
use sluice_core::value::Value;

use super::{Atom, Code, Confidence, Context, Diagnostic, Label, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(222),
    name: "ineffective-release",
    severity: Severity::Medium,
    confidence: Confidence::High,
    page: include_str!("ineffective_release.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let program = cx.world.program;
    for (id, node) in program.nodes() {
        let NodeKind::Call { target: CallTarget::Builtin(function), .. } = &node.kind else { continue };
        let Some((release, why)) = refused(cx, id) else { continue };
        let path = program.step_of(id).map_or_else(String::new, |s| s.path.to_string());
        let message = format!("`{}` with entry `{}` changes no label here: {why}", function.name(), release.name);
        let help = "pass only the parts that the entry is about, or have the entry's `by` and `accepts` reviewed";
        findings.push(META.finding(node.span, message, help).at_step(path));
    }
}

/// The entry that a call names and that does not count there, with the reason.
fn refused<'a>(cx: &Context<'a>, id: NodeId) -> Option<(&'a Release, String)> {
    let arguments = arguments(cx.world.program, cx.world.analysis.state(id)?, id)?;
    let entry = arguments.child("entry")?;
    let release = cx.world.catalogue.releases.get(entry.as_text()?)?;
    // A dropped part is gone, whoever dropped it.
    if matches!(release.kind, ReleaseKind::Drop(_)) {
        return None;
    }
    let value = arguments.child("value").map_or(Label::BOTTOM, |v: Value| v.deep_label());
    let control = cx.world.analysis.control(cx.world.program, id).join(entry.deep_label());
    let universe = cx.world.analysis.universe();
    let seen = value.join(control);
    if release.allows(universe, value, control) || seen.meet(release.clears) == Label::BOTTOM {
        return None;
    }
    let by = &release.by;
    let origins = universe.origins(seen).without(release.accepts);
    let categories = seen.meet(universe.select(|a| matches!(a, Atom::Category { .. }))).without(release.readable);
    let why = if !release.clears.flows_to(release.authority) {
        format!("`{by}` does not own all that it clears")
    } else if release.clears.flows_to(universe.origins(Label::TOP)) {
        format!("`{by}` may not read {}, which is in the value", cx.classes_in_words(categories))
    } else {
        format!("{} had a part in the value, and `{by}` does not accept that", cx.origins_in_words(origins))
    };
    Some((release, why))
}
