//! What is told of `redact`, `release` and `endorse`.
//!
//! They stand at no gate: an entry of the signed bundle is their permission. But where the entry leaves each value to a
//! person, a run waits there, and what it will be told is not known before.

use std::collections::BTreeSet;

use sluice_core::catalogue::ReleaseKind;
use sluice_core::gate::Verdict;
use sluice_core::label::{Atom, Label, Name};
use sluice_core::program::{Builtin, CallTarget, Node, NodeId, NodeKind};
use sluice_core::transfer::{Vouching, arguments};
use sluice_policy::{Party, Remedy, RemedyKind};

use crate::question::vouching_requirement;
use crate::report::StepReport;
use crate::verdict::World;

/// Every call of a catalogued function that some run may get to.
pub(crate) fn steps(world: &World<'_>) -> Vec<StepReport> {
    world.program.nodes().filter_map(|(id, node)| step(world, id, node)).collect()
}

fn step(world: &World<'_>, id: NodeId, node: &Node) -> Option<StepReport> {
    let World { program, analysis, .. } = world;
    let NodeKind::Call { target: CallTarget::Builtin(function), reply, .. } = &node.kind else { return None };
    analysis.state(id)?;
    let after = analysis.successors(id).filter_map(|to| analysis.state(to));
    let label = Label::join_all(after.map(|state| state.get(*reply).deep_label()));
    let told = StepReport {
        step: program.step_of(id)?.path.to_string(),
        span: node.span,
        action: function.name().to_owned(),
        verdict: Verdict::Permit,
        labels: analysis.universe().names(label),
        policies: vec!["an entry of the signed bundle".to_owned()],
        approvals: Vec::new(),
        remedies: Vec::new(),
        open: Vec::new(),
    };
    match analysis.vouching(program, world.catalogue, id) {
        Some(vouching) if vouching.is_needed => Some(held(world, told, &vouching)),
        None if may_wait(world, id, *function) => {
            let open = "which entry is named, and whether a person must look, is known only at run time";
            Some(StepReport { verdict: Verdict::Runtime, open: vec![open.to_owned()], ..told })
        }
        _ => Some(told),
    }
}

/// A value that waits for a person. Labels of a run are at most these, and then `Allow` says yes the more.
fn held(world: &World<'_>, told: StepReport, vouching: &Vouching) -> StepReport {
    let universe = world.analysis.universe();
    let requirement = vouching_requirement(vouching);
    let known = world.assumptions.requester.as_ref();
    let nobody = known.filter(|requester| !requirement.is_satisfiable(world.principals, requester));
    let loses = universe.names(vouching.clears).join(", ");
    let words = format!(
        "entry `{}` of the signed bundle: a person looks at each value, and only so it loses {loses}",
        vouching.entry
    );
    let mut told = StepReport { policies: vec![words], ..told };
    match (vouching.is_allowed, nobody) {
        (true, Some(requester)) => {
            told.verdict = Verdict::Forbid;
            told.policies.push(format!("not enough different people exist who could vouch for it for `{requester}`"));
        }
        (true, None) => told.verdict = Verdict::Hold,
        (false, _) => {
            told.verdict = Verdict::Runtime;
            let by = &vouching.by;
            told.open
                .push(format!("with these labels `{by}` is not asked and nothing is cleared; a run may have fewer"));
        }
    }
    let remedy = remedy(world, vouching, requirement.id());
    told.approvals = vec![remedy.to_string()];
    told.remedies = vec![remedy];
    told
}

fn remedy(world: &World<'_>, vouching: &Vouching, requirement: String) -> Remedy {
    let by = vouching.by.clone();
    let is_person = world.principals.persons.get(&by).is_some();
    let origin = |atom: &Atom| if let Atom::Origin(origin) = atom { Some(origin.clone()) } else { None };
    let clears: BTreeSet<Name> = world.analysis.universe().atoms(vouching.clears).filter_map(origin).collect();
    Remedy {
        kind: RemedyKind::Approval,
        approvers: None,
        quorum: 1,
        parties: [if is_person { Party::Person(by) } else { Party::Group(by) }].into(),
        requirement: Some(requirement),
        ticket: None,
        clears,
    }
}

/// Whether the entry that the call will name may be one that leaves the value to a person.
fn may_wait(world: &World<'_>, id: NodeId, function: Builtin) -> bool {
    let state = world.analysis.state(id);
    let entry = state.and_then(|state| arguments(world.program, state, id)).and_then(|given| given.child("entry"));
    let is_open = entry.is_some_and(|entry| !entry.is_concrete());
    let asks = world.catalogue.releases.values().any(|release| release.kind == ReleaseKind::Approval);
    function != Builtin::Redact && is_open && asks
}
