//! What policy is predicted to say of each call.

use std::collections::BTreeSet;

use sluice_core::catalogue::{Action, Catalogue};
use sluice_core::contract::Principals;
use sluice_core::gate::Verdict;
use sluice_core::program::{NodeId, Program};
use sluice_core::transfer::Prepared;
use sluice_policy::{Bundle, Decision, FACT_MAX, Facts, GateRequest, Polarity, Principal, Reason, Remedy};

use crate::analysis::Analysis;
use crate::assumptions::{Assumptions, askers, purpose_of};
use crate::question::{Circumstances, is_satisfiable, objects, request};

/// Most questions asked about one call. Beyond it the verdict is left to the run.
pub const QUESTIONS_MAX: usize = 2_000;

/// Everything that verdicts and rules look at.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) program: &'a Program,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) principals: &'a Principals,
    pub(crate) bundle: &'a Bundle,
    pub(crate) assumptions: &'a Assumptions,
    pub(crate) analysis: &'a Analysis,
}

/// What is predicted of one call.
#[derive(Clone, Debug)]
pub(crate) struct Predicted {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in words, each with the policy it comes from.
    pub reasons: Vec<Reason>,
    /// What would lift a hold.
    pub remedies: Vec<Remedy>,
    /// What the prediction leaves open.
    pub open: Vec<String>,
    /// One of the questions, for asking again with something changed.
    pub request: Option<GateRequest>,
}

impl Predicted {
    fn refused(words: String) -> Self {
        let reasons = vec![Reason { policy: None, words }];
        Self { verdict: Verdict::Forbid, reasons, remedies: Vec::new(), open: Vec::new(), request: None }
    }
}

/// Predicts the answers to every question that the call may turn out to ask.
pub(crate) fn predict(world: &World<'_>, node: NodeId, action: Option<&Action>, prepared: &Prepared) -> Predicted {
    let Some(action) = action else {
        let words = prepared.breaches.first().map(ToString::to_string);
        return Predicted::refused(words.unwrap_or_else(|| "no contract covers this call".to_owned()));
    };
    if let Some(breach) = prepared.breaches.iter().find(|b| b.is_certain()) {
        return Predicted::refused(breach.to_string());
    }
    let asked = questions(world, node, action, prepared);
    let mut predicted = combine(world, &asked.requests);
    predicted.open.extend(asked.open);
    for breach in &prepared.breaches {
        predicted.open.push(breach.to_string());
        predicted.verdict = leave_to_run(predicted.verdict);
    }
    let shown = world.bundle.antitone(action.effect);
    if let (Polarity::NotShown { policy, why, .. }, Verdict::Permit) = (shown, predicted.verdict) {
        predicted.open.push(format!("policy `{policy}` may say something else with other labels: {why}"));
        predicted.verdict = Verdict::Runtime;
    }
    let facts: BTreeSet<String> = policies_on_facts(world.bundle, action);
    if !facts.is_empty() {
        let names = facts.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
        predicted.open.push(format!("amounts, counts or the time of the run decide in {names}"));
        predicted.verdict = leave_to_run(predicted.verdict);
    }
    predicted
}

/// A certain refusal stays one; everything else is for the run to decide.
const fn leave_to_run(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Permit | Verdict::Runtime => Verdict::Runtime,
        other => other,
    }
}

struct Asked {
    requests: Vec<GateRequest>,
    open: Vec<String>,
}

fn questions(world: &World<'_>, node: NodeId, action: &Action, prepared: &Prepared) -> Asked {
    let (objects, mut open) = objects(world.catalogue, world.principals, action, prepared);
    let purpose = world.program.node(node).and_then(|n| purpose_of(world.program, n.step));
    let askers: Vec<Principal> = askers(world.principals, world.assumptions);
    let moments = moments(world.bundle, action);
    let mut requests = Vec::new();
    for principal in &askers {
        for about in &objects {
            for (facts, now_ms) in &moments {
                if requests.len() >= QUESTIONS_MAX {
                    open.push(format!("more than {QUESTIONS_MAX} combinations of principals and objects"));
                    return Asked { requests, open };
                }
                let circumstances = Circumstances {
                    principal: principal.clone(),
                    author: world.assumptions.author.clone(),
                    purpose: purpose.clone(),
                    standing: world.assumptions.standing(),
                    facts: facts.clone(),
                    now_ms: *now_ms,
                    solo: world.assumptions.solo,
                };
                requests.push(request(world.analysis.universe(), action, prepared, about, &circumstances));
            }
        }
    }
    Asked { requests, open }
}

/// The extremes of what a run's facts may be, where some policy looks at them.
fn moments(bundle: &Bundle, action: &Action) -> Vec<(Facts, i64)> {
    let first = Facts { first_seen: true, amount: Some(0), ..Facts::default() };
    if policies_on_facts(bundle, action).is_empty() {
        return vec![(first, 0)];
    }
    let late = Facts { calls_this_run: FACT_MAX, calls_this_hour: FACT_MAX, first_seen: false, amount: Some(FACT_MAX) };
    vec![(first, 0), (late, FACT_MAX)]
}

/// The policies about this effect that look at facts of the run.
fn policies_on_facts(bundle: &Bundle, action: &Action) -> BTreeSet<String> {
    let looks = |source: &str| source.contains("context.facts") || source.contains("context.now_ms");
    let about = bundle.policies().filter(|p| p.effects.contains(&action.effect));
    about.filter(|p| looks(&p.source)).map(|p| p.id.to_string()).collect()
}

/// One verdict from the answers to all questions.
fn combine(world: &World<'_>, requests: &[GateRequest]) -> Predicted {
    let mut verdicts = BTreeSet::new();
    let mut reasons: Vec<Reason> = Vec::new();
    let mut remedies: Vec<Remedy> = Vec::new();
    let mut worst: Option<(Verdict, GateRequest)> = None;
    for request in requests {
        let mut answer = world.bundle.decide(request);
        let mut verdict = verdict_of(&answer.decision);
        if nobody_can_approve(world, request, &answer.decision) {
            verdict = Verdict::Forbid;
            let words =
                format!("not enough different people exist who could approve it for `{}`", request.principal.id);
            answer.reasons.push(Reason { policy: None, words });
        }
        // The first of those who get the same answer says it best: for anybody as requester it is the symbolic one.
        if verdicts.insert(verdict) {
            reasons.extend(answer.reasons);
        }
        if let Decision::Hold { remedies: needed, .. } = answer.decision {
            for remedy in needed {
                let same = |known: &Remedy| known.requirement == remedy.requirement && known.clears == remedy.clears;
                if !remedies.iter().any(same) {
                    remedies.push(remedy);
                }
            }
        }
        if worst.as_ref().is_none_or(|(known, _)| *known < verdict) {
            worst = Some((verdict, request.clone()));
        }
    }
    let verdict = match (verdicts.len(), verdicts.first()) {
        (1, Some(only)) => *only,
        _ => Verdict::Runtime,
    };
    Predicted {
        verdict,
        reasons,
        remedies,
        open: if verdicts.len() > 1 { vec!["the answer differs by requester or object".to_owned()] } else { vec![] },
        request: worst.map(|(_, request)| request),
    }
}

/// Whether a hold would wait for people that the register does not have: asked only where it is known who requests.
fn nobody_can_approve(world: &World<'_>, request: &GateRequest, decision: &Decision) -> bool {
    let Decision::Hold { remedies, .. } = decision else { return false };
    let requester = &request.principal.id;
    world.assumptions.requester.is_some() && !is_satisfiable(world.principals, requester, remedies)
}

/// The verdict that a decision stands for.
pub(crate) const fn verdict_of(decision: &Decision) -> Verdict {
    match decision {
        Decision::Permit { .. } => Verdict::Permit,
        Decision::Hold { .. } => Verdict::Hold,
        Decision::Forbid { .. } => Verdict::Forbid,
    }
}
