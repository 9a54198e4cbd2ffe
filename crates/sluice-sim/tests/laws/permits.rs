//! Where the prediction says `permit` and the gate is antitone, no run is refused for labels.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sluice_core::gate::Role;
use sluice_core::label::{Atom, Label};
use sluice_core::program::NodeId;
use sluice_core::transfer::Prepared;
use sluice_engine::{CallOutcome, GateAnswer, Question, Status};
use sluice_policy::{Acting, Bundle, Decision, Facts, Principal, PrincipalKind, Standing};
use sluice_sim::generate::{Atoms, CatalogueSpec};
use sluice_sim::run::{Host, forbid, permit, run};
use sluice_sim::world::{Secret, World};
use sluice_verify::analysis::Analysis;
use sluice_verify::question::{Circumstances, Objects, request, resource};

use crate::case::{Case, generated, hold};

/// A gate, asked of a prediction and of a run alike.
struct Gated<'a, G: Fn(&Prepared) -> bool> {
    world: World<'a>,
    gate: &'a G,
    permitted: &'a BTreeSet<NodeId>,
    refused: Vec<NodeId>,
    asked: usize,
}

impl<G: Fn(&Prepared) -> bool> Host for Gated<'_, G> {
    fn ask(&mut self, question: &Question) -> GateAnswer {
        let permits = (self.gate)(&question.prepared);
        if self.permitted.contains(&question.node) {
            self.asked += 1;
            if !permits {
                self.refused.push(question.node);
            }
        }
        if permits { permit() } else { forbid() }
    }

    fn call(&mut self, question: &Question) -> (CallOutcome, u64) {
        self.world.call(question)
    }
}

/// Predicts with `gate`, then runs with it; how often a predicted permit was asked for again.
fn law(
    case: &Case,
    spec: &sluice_sim::generate::CatalogueSpec,
    seed: u64,
    gate: &impl Fn(&Prepared) -> bool,
) -> Result<usize, String> {
    let analysis: Analysis = case.analysis();
    let predicted = case.program.nodes().filter_map(|(id, _)| {
        let prepared = analysis.prepared(id)?;
        (prepared.breaches.is_empty() && gate(prepared)).then_some(id)
    });
    let permitted: BTreeSet<NodeId> = predicted.collect();
    let plan = case.plan(|_, _| None);
    let mut asked = 0;
    for turn in 0..3 {
        let world = World::new(spec, Secret::of(0), seed, turn, true);
        let input = world.input();
        let mut host = Gated { world, gate, permitted: &permitted, refused: Vec::new(), asked: 0 };
        let status = run(&plan, input, case.definition(), &mut host)?;
        if !host.refused.is_empty() {
            return Err(format!("refused at {:?}, {status:?}\n{}", host.refused, case.shown()));
        }
        asked += host.asked;
        if let Some(Status::Refused { code, node, why }) = status
            && code == "SL505"
            && permitted.contains(&node)
        {
            return Err(format!("a predicted permit breaks its contract at {node:?}: {why}\n{}", case.text));
        }
    }
    Ok(asked)
}

/// Forbids pairs of a role (or control, or the excess of a write) and an atom.
fn table_gate(case: &Case, table: [u8; 9]) -> impl Fn(&Prepared) -> bool + use<> {
    let atoms: Vec<Label> = Atoms::list().iter().map(|a| case.universe.label(a)).collect();
    let forbidden = move |bits: u8, label: Label| {
        atoms.iter().enumerate().any(|(i, atom)| bits >> i & 1 == 1 && atom.flows_to(label))
    };
    move |call| {
        let roles = Role::ALL.into_iter().zip(table).any(|(role, bits)| forbidden(bits, call.roles[&role]));
        !(roles || forbidden(table[7], call.control) || forbidden(table[8], call.excess))
    }
}

#[test]
fn no_label_surprises() {
    let asked = std::cell::Cell::new(0);
    let table = any::<([u8; 9], [u8; 9])>().prop_map(|(a, b)| std::array::from_fn(|i| a[i] & b[i] & 15));
    hold(120, (generated(6), table, any::<u64>()), |((definition, spec), table, seed)| {
        let case = Case::of(&definition, &spec);
        let gate = table_gate(&case, table);
        asked.set(asked.get() + law(&case, &spec, seed, &gate)?);
        Ok(())
    });
    println!("{} predicted permits were asked for again", asked.get());
    assert!(asked.get() > 100, "too few calls were predicted to pass: {}", asked.get());
}

/// The default policies, of a person without groups and a workflow that was signed.
fn default_gate(case: &Case, bundle: std::rc::Rc<Bundle>) -> impl Fn(&Prepared) -> bool + use<> {
    let (universe, catalogue) = (case.universe.clone(), case.catalogue.clone());
    move |call| {
        let Some(action) = call.action.as_ref().and_then(|(c, a)| catalogue.action(c, a)) else { return false };
        let Some(resource) = resource(&catalogue, action, call) else { return false };
        let circumstances = Circumstances {
            principal: Principal { kind: PrincipalKind::Person, id: "ana".into(), groups: BTreeSet::new() },
            author: Acting::Unknown,
            purpose: Some("reporting".into()),
            standing: Standing::Approved,
            facts: Facts::default(),
            now_ms: 0,
            solo: false,
        };
        let objects = Objects { resource, classes: BTreeSet::new() };
        let question = request(&universe, action, call, &objects, &circumstances);
        matches!(bundle.decide(&question).decision, Decision::Permit { .. })
    }
}

#[test]
fn no_label_surprises_under_the_default_policies() {
    let bundle = std::rc::Rc::new(Bundle::default_bundle().unwrap());
    let asked = std::cell::Cell::new(0);
    hold(15, (generated(5), any::<u64>()), |((definition, spec), seed)| {
        let case = Case::of(&definition, &spec);
        let gate = default_gate(&case, bundle.clone());
        asked.set(asked.get() + law(&case, &spec, seed, &gate)?);
        Ok(())
    });
    println!("{} predicted permits were asked for again", asked.get());
    assert!(asked.get() > 10, "too few calls were predicted to pass: {}", asked.get());
}

/// A gate that more label helps is no gate for this law: it must be seen to break, or the law shows nothing.
#[test]
fn a_gate_that_more_label_helps_surprises() {
    let spec = CatalogueSpec::plain().with_secret(0);
    let steps = "- maybe: {if: '${ (.v0?.pub? // 0) == \"red\" }', set: '${ . + {v1: (.v0?.sec? // 0)} }'}\n";
    let case = Case::from_text(crate::witness::text(&format!("{steps}{}", crate::witness::SEND)), &spec);
    let pii = case.universe.label(&Atom::Category { owner: "sales".into(), class: "pii".into() });
    let needs = move |call: &Prepared| pii.flows_to(call.joined) || call.resource.as_deref() != Some("outside");
    assert!((0..20).any(|seed| law(&case, &spec, seed, &needs).is_err()));
}
