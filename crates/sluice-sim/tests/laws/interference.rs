//! Data that an observer is not cleared for changes nothing that they see.
//!
//! Two runs of one program, in worlds that differ only in what carries one secret atom. An observer without clearance
//! sees the calls whose arguments and control do not carry it. What was released for them must be the same, or the pair
//! says nothing; then what they see must be the same, as far as both runs come (termination is not covered). Branches of
//! a fork are compared one by one: who was first is a matter of time, which is not covered either.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::Value as Json;
use sluice_core::expression::{Environment, evaluate};
use sluice_core::label::Label;
use sluice_core::program::{CallTarget, NodeId, NodeKind, Program};
use sluice_core::transfer::{State, step};
use sluice_core::value::Value;
use sluice_engine::{CallOutcome, GateAnswer, Question, Status};
use sluice_sim::generate::{Atoms, CatalogueSpec, Coverage};
use sluice_sim::run::{Host, forbid, permit, run};
use sluice_sim::world::{Secret, World};

use crate::case::{Case, generated, hold};
use crate::releases::passed;

/// Which branches of which forks a node belongs to.
type Line = Vec<(NodeId, usize)>;

/// What one observer sees of one run.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    calls: BTreeMap<Line, Vec<String>>,
    released: BTreeMap<Line, Vec<String>>,
    output: Option<Json>,
    all_calls: usize,
    status: Option<Status>,
}

struct Observed<'a> {
    world: World<'a>,
    secret: Secret,
    program: Arc<Program>,
    seen: Arc<Mutex<Seen>>,
}

impl Host for Observed<'_> {
    fn ask(&mut self, question: &Question) -> GateAnswer {
        let prepared = &question.prepared;
        let mut seen = self.seen.lock().unwrap();
        seen.all_calls += 1;
        // The default policy holds such a write; it is what keeps a store from laundering.
        if self.secret.is_in(prepared.excess) {
            return forbid();
        }
        let told = Label::join_all(prepared.roles.values().copied()).join(prepared.control);
        if !self.secret.is_in(told) {
            let arguments = prepared.arguments.to_json().unwrap_or_default();
            let call = format!("{:?} {:?} {arguments}", question.node, prepared.action);
            seen.calls.entry(line(&self.program, question.node)).or_default().push(call);
        }
        permit()
    }

    fn call(&mut self, question: &Question) -> (CallOutcome, u64) {
        self.world.call(question)
    }
}

fn joins(program: &Program) -> impl Iterator<Item = NodeId> + '_ {
    program.nodes().filter(|(_, n)| matches!(n.kind, NodeKind::Join { .. })).map(|(id, _)| id)
}

fn line(program: &Program, node: NodeId) -> Line {
    joins(program).filter_map(|join| Some((join, program.control.branch_of(join, node)?))).collect()
}

/// What a release that stands at `node` would let pass of secret data, as the observer sees it.
fn released(case: &Case, secret: &Secret, node: NodeId, state: &State) -> Option<String> {
    let NodeKind::Call { target: CallTarget::Builtin(_), reply, .. } = &case.program.node(node)?.kind else {
        return None;
    };
    let before = released_value(&case.program, node, state)?;
    if secret.is_in(state.control(&case.program, node)) || !secret.is_in(before.deep_label()) {
        return None;
    }
    let moves = passed(step(&case.program, &case.catalogue, &case.universe, state, node))?;
    let after = moves.edges.first()?.state.get(*reply);
    Some(format!("{node:?} {}", secret.shown(&after)))
}

/// The value that a release is given.
pub(crate) fn released_value(program: &Program, node: NodeId, state: &State) -> Option<Value> {
    let NodeKind::Call { arguments, .. } = &program.node(node)?.kind else { return None };
    let input = state.get(arguments.input);
    let variables = |name: &str| arguments.variables.get(name).map(|place| state.get(*place));
    evaluate(&arguments.expression, &Environment { input: &input, variables: &variables }).value?.child("value")
}

fn observe(case: &Case, spec: &CatalogueSpec, secret: &Secret, seed: u64, hidden: u64) -> Result<Seen, String> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let plan = {
        let (case, seen, secret) = (case.clone(), seen.clone(), secret.clone());
        case.clone().plan(move |node, state| {
            let mut seen = seen.lock().unwrap();
            if let Some(value) = released(&case, &secret, node, state) {
                seen.released.entry(line(&case.program, node)).or_default().push(value);
            }
            if node == case.program.exit {
                let output = state.get(case.program.output).raised(state.control(&case.program, node));
                seen.output = Some(secret.shown(&output));
            }
            None
        })
    };
    let world = World::new(spec, secret.clone(), seed, hidden, joins(&case.program).next().is_none());
    let input = world.input();
    let mut host = Observed { world, secret: secret.clone(), program: case.program.clone(), seen: seen.clone() };
    let status = run(&plan, input, case.definition(), &mut host)?;
    drop((host, plan));
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.status = status;
    Ok(seen)
}

/// Whether no line goes another way in `b` than in `a`, as far as both go.
fn agree(a: &BTreeMap<Line, Vec<String>>, b: &BTreeMap<Line, Vec<String>>) -> bool {
    a.iter().all(|(line, a)| b.get(line).is_none_or(|b| a.iter().zip(b).all(|(x, y)| x == y)))
}

fn differ(a: &Seen, b: &Seen) -> Option<String> {
    let completed = |s: &Seen| matches!(s.status, Some(Status::Completed { .. }));
    if !agree(&a.calls, &b.calls) {
        return Some("calls differ".to_owned());
    }
    if completed(a) && completed(b) && a.calls != b.calls {
        return Some("one run has more calls".to_owned());
    }
    (completed(a) && completed(b) && a.output != b.output).then(|| "outputs differ".to_owned())
}

#[test]
fn non_interference() {
    let reached = RefCell::new(Coverage::default());
    hold(350, (generated(6), 0..=Atoms::COUNT, any::<u64>()), |((definition, spec), secret, seed)| {
        let spec = spec.with_secret(secret);
        let case = Case::of(&definition, &spec);
        let found = pair(&case, &spec, &Secret::of(secret), seed, 4)?;
        if found.contains(&"cut off") {
            return Err(format!("a run neither ends nor waits\n{}", case.shown()));
        }
        reached.borrow_mut().add_found(found);
        Ok(())
    });
    let reached = reached.into_inner();
    println!("{reached}");
    for (what, least) in
        [("something is seen", 40), ("something is hidden", 25), ("both complete", 20), ("released", 5)]
    {
        assert!(reached.percent(what) >= least, "{what}: {} %", reached.percent(what));
    }
}

/// Compares a run with `others` that differ from it only in what is hidden. What it found out about the case, for coverage.
pub(crate) fn pair(
    case: &Case,
    spec: &CatalogueSpec,
    secret: &Secret,
    seed: u64,
    others: u64,
) -> Result<Vec<&'static str>, String> {
    let mut found = Vec::new();
    let first = observe(case, spec, secret, seed, 0)?;
    for hidden in 1..=others {
        let second = observe(case, spec, secret, seed, hidden)?;
        if !agree(&first.released, &second.released) {
            found.push("released values differ");
            continue;
        }
        if let Some(what) = differ(&first, &second) {
            return Err(format!("{what}\n{first:#?}\n{second:#?}\n{}", case.shown()));
        }
        let completed = |s: &Seen| matches!(s.status, Some(Status::Completed { .. }));
        let visible: usize = first.calls.values().map(Vec::len).sum();
        let parts = [
            ("both complete", completed(&first) && completed(&second)),
            ("something is seen", visible > 0),
            ("something is hidden", first.all_calls > visible),
            ("more calls in one run", first.all_calls != second.all_calls),
            ("released", !first.released.is_empty()),
            ("cut off", first.status.is_none()),
        ];
        found.extend(parts.into_iter().filter(|(_, there)| *there).map(|(name, _)| name));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
