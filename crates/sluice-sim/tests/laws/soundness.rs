//! `g ⊑ G` and `pc_run ⊑ pc_predicted`, at every point of every run.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use sluice_core::gate::Role;
use sluice_core::label::Label;
use sluice_core::program::NodeId;
use sluice_core::transfer::{Prepared, State};
use sluice_core::value::Value;
use sluice_engine::{CallOutcome, GateAnswer, Question, Status};
use sluice_sim::generate::CatalogueSpec;
use sluice_sim::run::{Host, permit, run};
use sluice_sim::world::{Secret, World};
use sluice_verify::analysis::Analysis;

use crate::case::{Case, generated, hold};

/// Answers by the world, permits everything, and holds each call against its prediction.
struct Bounded<'a> {
    world: World<'a>,
    analysis: &'a Analysis,
    found: Option<String>,
}

impl Host for Bounded<'_> {
    fn ask(&mut self, question: &Question) -> GateAnswer {
        let predicted = self.analysis.prepared(question.node);
        let exceeded = match &predicted {
            None => Some("it was not predicted".to_owned()),
            Some(predicted) => exceeds(predicted, &question.prepared),
        };
        if let Some(why) = exceeded {
            self.found.get_or_insert(format!("the call at {:?}: {why}", question.node));
        }
        permit()
    }

    fn call(&mut self, question: &Question) -> (CallOutcome, u64) {
        self.world.call(question)
    }
}

/// How a call is not what was predicted.
pub(crate) fn exceeds(predicted: &Prepared, call: &Prepared) -> Option<String> {
    let over = |what: &str, more: Label, less: Label| {
        (!more.flows_to(less)).then(|| format!("{what}: {more:?}, predicted {less:?}"))
    };
    let role = |role: &Role| over(role.name(), call.roles[role], predicted.roles[role]);
    let known = predicted.action.is_some();
    over("control", call.control, predicted.control)
        .or_else(|| over("arguments", call.joined, predicted.joined))
        .or_else(|| Role::ALL.iter().find_map(role))
        .or_else(|| over("excess", call.excess, predicted.excess).filter(|_| known))
        .or_else(|| (known && predicted.action != call.action).then(|| "another action".to_owned()))
}

fn point(case: &Case, analysis: &Analysis, node: NodeId, state: &State) -> Option<String> {
    let Some(predicted) = analysis.state(node) else { return Some(format!("no run was to come to {node:?}")) };
    if let Some(place) = predicted.breach(state) {
        let (more, less) = (state.get(place), predicted.get(place));
        let name = &case.program.places[place.0 as usize].name;
        return Some(format!("at {node:?}, `{name}` is {more:?}\npredicted {less:?}"));
    }
    let (more, less) = (state.control(&case.program, node), predicted.control(&case.program, node));
    (!more.flows_to(less)).then(|| format!("at {node:?}, control is {more:?}, predicted {less:?}"))
}

fn ending(analysis: &Analysis, status: Option<&Status>) -> Option<String> {
    let admits = |predicted: Option<&Value>, json: &serde_json::Value| {
        predicted.is_some_and(|p| p.admits(&Value::from_json(json, Label::BOTTOM)))
    };
    match status {
        Some(Status::Completed { output }) if !admits(analysis.output(), output) => {
            Some(format!("the output {output} was not predicted: {:?}", analysis.output()))
        }
        Some(Status::Faulted { error }) if !analysis.faults().values().any(|p| admits(Some(p), error)) => {
            Some(format!("the fault {error} was not predicted: {:?}", analysis.faults()))
        }
        Some(Status::Refused { code, why, .. }) if code == "SL502" || code == "SL509" => Some(why.clone()),
        _ => None,
    }
}

/// Runs the case in several worlds and holds every point, call and end against the prediction.
pub(crate) fn stays_below(case: &Case, spec: &CatalogueSpec, seeds: Range<u64>) -> Result<(), String> {
    let analysis = Arc::new(case.analysis());
    let found = Arc::new(Mutex::new(None));
    let plan = {
        let (case, analysis, found) = (case.clone(), analysis.clone(), found.clone());
        case.clone().plan(move |node, state| {
            let why = point(&case, &analysis, node, state)?;
            found.lock().unwrap().get_or_insert(why);
            None
        })
    };
    for seed in seeds {
        let world = World::new(spec, Secret::of(0), seed, 0, true);
        let input = world.input();
        let mut host = Bounded { world, analysis: &analysis, found: None };
        let status = run(&plan, input, case.definition(), &mut host)?;
        let at_point = found.lock().unwrap().take();
        if let Some(why) = at_point.or(host.found).or_else(|| ending(&analysis, status.as_ref())) {
            return Err(format!("{why}\n{}", case.shown()));
        }
    }
    Ok(())
}

#[test]
fn soundness_of_labels() {
    hold(100, (generated(5), 0..u64::MAX - 3), |((definition, spec), seed)| {
        stays_below(&Case::of(&definition, &spec), &spec, seed..seed + 3)
    });
}
