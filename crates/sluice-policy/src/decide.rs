//! The three questions behind one answer.

use std::borrow::Cow;

use crate::answer::{Answer, Decision, PolicyId, Reason};
use crate::bundle::{Bundle, Loaded};
use crate::cedar::{self, Question};
use crate::remedy::Remedy;
use crate::request::GateRequest;
use crate::words;

/// What policies say of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// With the permits that cover it.
    Allow(Vec<PolicyId>),
    /// With the forbids that fired; none for a default deny.
    Deny(Vec<PolicyId>),
    /// Something could not be evaluated.
    Failed(Vec<String>),
}

impl Bundle {
    /// Answers a gate request.
    ///
    /// First on the labels as they are: a forbid without a remedy ends it here, so that no approval can clear what no
    /// approval may allow. Then on what recorded approvals leave of them. What still stands in the way and has remedies
    /// is a hold, if with those remedies the gate would permit.
    #[must_use]
    pub fn decide(&self, request: &GateRequest) -> Answer {
        let (decision, reasons) = self.settle(request);
        Answer {
            effect: request.effect,
            decision,
            reasons,
            request_bytes: request.to_bytes(),
            entities_bytes: cedar::entities_bytes(request),
        }
    }

    /// What [`Bundle::decide`] would say and why, for whoever records nothing of it.
    #[must_use]
    pub fn would_say(&self, request: &GateRequest) -> (Decision, Vec<Reason>) {
        self.settle(request)
    }

    /// Answers a gate request for which approvals may have been recorded.
    ///
    /// Asks which remedies the call needs as it is, takes those for which `is_recorded` says that every party reached the
    /// quorum, and answers with them recorded in the request: its bytes then hold all that the decision depends on.
    /// Anything `satisfied` or `cleared` in `request` already is dropped first, so that only these very remedies count.
    #[must_use]
    pub fn decide_with_approvals(&self, request: &GateRequest, is_recorded: impl Fn(&Remedy) -> bool) -> Answer {
        let mut bare = Cow::Borrowed(request);
        if !request.satisfied.is_empty() || !request.cleared.is_empty() {
            bare.to_mut().satisfied.clear();
            bare.to_mut().cleared.clear();
        }
        let answer = self.decide(&bare);
        let Decision::Hold { remedies, .. } = &answer.decision else { return answer };
        let recorded = remedies.iter().filter(|remedy| is_recorded(remedy));
        let approved = recorded.fold((*bare).clone(), |next, remedy| next.with_approval(remedy));
        if approved == *bare { answer } else { self.decide(&approved) }
    }

    fn settle(&self, request: &GateRequest) -> (Decision, Vec<Reason>) {
        let first = self.ask(request);
        if let Said::Deny(forbids) = &first
            && let stuck = self.without_remedy(forbids)
            && !stuck.is_empty()
        {
            return self.forbid(request, stuck);
        }
        let cleared = request.after_clearing();
        let said = if *cleared == *request || matches!(first, Said::Failed(_)) { first } else { self.ask(&cleared) };
        match said {
            Said::Failed(errors) => failed(errors),
            Said::Allow(policies) => {
                let reasons = self.words(&cleared, &policies);
                (Decision::Permit { policies }, reasons)
            }
            Said::Deny(policies) if policies.is_empty() => {
                let reasons = words::nearest(self, &cleared);
                (Decision::Forbid { policies, errors: Vec::new() }, reasons)
            }
            Said::Deny(policies) => self.hold(request, &cleared, policies),
        }
    }

    /// Every policy here has a remedy, or had one before origins were cleared.
    fn hold(&self, request: &GateRequest, cleared: &GateRequest, policies: Vec<PolicyId>) -> (Decision, Vec<Reason>) {
        let Some(remedies) = self.remedies(cleared, &policies) else {
            return self.forbid(cleared, policies);
        };
        let assumed = remedies.iter().fold(request.clone(), |next, remedy| next.assuming(remedy));
        match self.settled(&assumed) {
            Said::Allow(_) => {
                let mut reasons = self.words(cleared, &policies);
                reasons.extend(remedies.iter().map(|r| Reason { policy: None, words: format!("needs {r}") }));
                (Decision::Hold { policies, remedies }, reasons)
            }
            Said::Failed(errors) => failed(errors),
            Said::Deny(_) => {
                let (decision, mut reasons) = self.forbid(cleared, policies);
                let words = "the remedies of these policies together would still not permit it".to_owned();
                reasons.push(Reason { policy: None, words });
                (decision, reasons)
            }
        }
    }

    /// What the gate would say of a request whose approvals are recorded.
    fn settled(&self, request: &GateRequest) -> Said {
        match self.ask(request) {
            Said::Deny(forbids) if self.without_remedy(&forbids).is_empty() => self.ask(&request.after_clearing()),
            other => other,
        }
    }

    fn forbid(&self, request: &GateRequest, policies: Vec<PolicyId>) -> (Decision, Vec<Reason>) {
        let reasons = self.words(request, &policies);
        (Decision::Forbid { policies, errors: Vec::new() }, reasons)
    }

    fn ask(&self, request: &GateRequest) -> Said {
        match Question::of(request) {
            Ok(question) => self.evaluate(&question),
            Err(error) => Said::Failed(vec![error]),
        }
    }

    /// Evaluates the policies that can concern one question, just as it stands: no remedies, no reasons.
    ///
    /// Says what Cedar would say of the whole bundle, but that a policy which fails is no policy that is skipped.
    #[must_use]
    pub fn evaluate(&self, question: &Question<'_>) -> Said {
        let evaluator = question.evaluator();
        let (mut permits, mut forbids, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for policy in self.index.slice(question.asked) {
            match policy.condition.holds(&question.request, &evaluator) {
                Ok(false) => {}
                Ok(true) if policy.permits => permits.push(policy.id.clone()),
                Ok(true) => forbids.push(policy.id.clone()),
                Err(e) => errors.push(format!("error while evaluating policy `{}`: {e}", policy.id)),
            }
        }
        if !errors.is_empty() {
            errors.sort();
            return Said::Failed(errors);
        }
        if forbids.is_empty() && !permits.is_empty() { Said::Allow(permits) } else { Said::Deny(forbids) }
    }

    fn rule(&self, id: &PolicyId) -> Option<&Loaded> {
        self.rules.get(&id.0)
    }

    fn without_remedy(&self, policies: &[PolicyId]) -> Vec<PolicyId> {
        policies.iter().filter(|id| self.rule(id).is_none_or(|rule| rule.remedy.is_none())).cloned().collect()
    }

    /// What the policies together ask for, each remedy once; `None` if one has none, or nobody is there to ask.
    fn remedies(&self, request: &GateRequest, policies: &[PolicyId]) -> Option<Vec<Remedy>> {
        let mut remedies = Vec::new();
        for id in policies {
            remedies.push(self.rule(id)?.remedy.as_ref()?.resolve(request)?);
        }
        remedies.sort();
        remedies.dedup();
        Some(remedies)
    }

    fn words(&self, request: &GateRequest, policies: &[PolicyId]) -> Vec<Reason> {
        let rules = policies.iter().filter_map(|id| self.rule(id));
        rules.map(|r| Reason { policy: Some(r.info.id.clone()), words: words::fill(&r.info.why, request) }).collect()
    }
}

fn failed(errors: Vec<String>) -> (Decision, Vec<Reason>) {
    let say = |e: &String| Reason { policy: None, words: format!("policy could not be evaluated: {e}") };
    let reasons = errors.iter().map(say).collect();
    (Decision::Forbid { policies: Vec::new(), errors }, reasons)
}
