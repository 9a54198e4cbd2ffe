//! Labels shrink at releases only, and only where `Allow` says so of the labels before the step.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use sluice_core::label::{Atom, Label};
use sluice_core::program::{CallTarget, NodeId, NodeKind};
use sluice_core::transfer::{Moves, State, Step, step};
use sluice_engine::{CallOutcome, GateAnswer, Question};
use sluice_sim::generate::CatalogueSpec;
use sluice_sim::run::{Host, permit, run};
use sluice_sim::world::{Secret, World};

use crate::case::{Case, generated, hold};
use crate::interference::released_value;

struct Open<'a>(World<'a>);

impl Host for Open<'_> {
    fn ask(&mut self, _: &Question) -> GateAnswer {
        permit()
    }

    fn call(&mut self, question: &Question) -> (CallOutcome, u64) {
        self.0.call(question)
    }
}

/// `Allow(D, ℓ, pc)` once more, from the words of DESIGN §3.
fn allowed(case: &Case, spec: &CatalogueSpec, name: &str, before: Label) -> bool {
    let Some(release) = case.catalogue.releases.get(name) else { return false };
    let owned = spec.releases.iter().any(|r| r.name == name && r.owns);
    let has = |label: Label, kind: fn(&Atom) -> bool| label.is_unknown() || case.universe.atoms(label).any(kind);
    let secrecy = has(release.clears, |a| !matches!(a, Atom::Origin(_) | Atom::Dataset(_)));
    let vouches = has(release.clears, |a| matches!(a, Atom::Origin(_)));
    let within = |kind: fn(&Atom) -> bool, bound: Label| {
        !before.is_unknown()
            && case.universe.atoms(before).filter(|a| kind(a)).all(|a| case.universe.label(a).flows_to(bound))
    };
    let robust = !secrecy || within(|a| matches!(a, Atom::Origin(_)), release.accepts);
    let transparent = !vouches || within(|a| matches!(a, Atom::Category { .. }), release.readable);
    owned && robust && transparent
}

/// What the release at `node` clears that it may not.
fn cleared(case: &Case, spec: &CatalogueSpec, node: NodeId, state: &State) -> Option<(bool, String)> {
    let NodeKind::Call { target: CallTarget::Builtin(_), arguments, reply, .. } = &case.program.node(node)?.kind else {
        return None;
    };
    let before = released_value(&case.program, node, state)?;
    let moves = passed(step(&case.program, &case.catalogue, &case.universe, state, node))?;
    let after = moves
        .edges
        .first()
        .filter(|e| {
            Some(e.to) != case.program.node(node).and_then(|n| case.program.handler(n.handler?)).map(|h| h.entry)
        })?
        .state
        .get(*reply);
    let name = arguments.expression.constant().and_then(|v| v.get("entry")?.as_str().map(str::to_owned));
    let name = name.or_else(|| entry(case, node, state))?;
    let kind = spec.releases.iter().find(|r| r.name == name)?.kind;
    let control = state.control(&case.program, node);
    let lost = before.deep_label().without(after.deep_label());
    // What a redaction drops takes its labels along.
    let is_cleared = kind != 0 && lost != Label::BOTTOM;
    let wrong = is_cleared && !allowed(case, spec, &name, before.deep_label().join(control));
    Some((
        is_cleared,
        if wrong { format!("`{name}` at {node:?} cleared {:?}", case.universe.names(lost)) } else { String::new() },
    ))
}

/// Where a release leads: past a person, if there is one, who says yes wherever they may.
pub(crate) fn passed(step: Step) -> Option<Moves> {
    match step {
        Step::Moves(moves) => Some(moves),
        Step::Vouches(v) => Some(if v.is_allowed && v.is_needed { v.vouched } else { v.unchanged }),
        _ => None,
    }
}

fn entry(case: &Case, node: NodeId, state: &State) -> Option<String> {
    use sluice_core::expression::{Environment, evaluate};
    let NodeKind::Call { arguments, .. } = &case.program.node(node)?.kind else { return None };
    let input = state.get(arguments.input);
    let variables = |name: &str| arguments.variables.get(name).map(|place| state.get(*place));
    let value = evaluate(&arguments.expression, &Environment { input: &input, variables: &variables }).value?;
    value.child("entry")?.as_text().map(str::to_owned)
}

/// Runs the case; how many values were cleared of something.
pub(crate) fn clears_only_what_it_may(case: &Case, spec: &CatalogueSpec, seed: u64) -> Result<u32, String> {
    let found = Arc::new(Mutex::new((0, None)));
    let plan = {
        let (case, spec, found) = (case.clone(), spec.clone(), found.clone());
        case.clone().plan(move |node, state| {
            let (is_cleared, why) = cleared(&case, &spec, node, state)?;
            let mut found = found.lock().unwrap();
            found.0 += u32::from(is_cleared);
            if !why.is_empty() {
                found.1.get_or_insert(why);
            }
            None
        })
    };
    let world = World::new(spec, Secret::of(0), seed, 0, true);
    let input = world.input();
    run(&plan, input, case.definition(), &mut Open(world))?;
    let found = found.lock().unwrap();
    found.1.as_ref().map_or(Ok(found.0), |why| Err(format!("{why}\n{}", case.shown())))
}

#[test]
fn a_release_clears_only_what_was_allowed_before_it() {
    let clearings = std::cell::Cell::new(0);
    hold(400, (generated(6), 0..2_u8, any::<u64>()), |((definition, spec), secret, seed)| {
        let spec = spec.with_secret(secret);
        let cleared = clears_only_what_it_may(&Case::of(&definition, &spec), &spec, seed)?;
        clearings.set(clearings.get() + cleared);
        Ok(())
    });
    println!("{} values were cleared", clearings.get());
    assert!(clearings.get() >= 20, "too few releases clear anything: {}", clearings.get());
}
