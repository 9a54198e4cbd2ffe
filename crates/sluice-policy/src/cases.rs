//! Tests of policies as data: a question in words that people write, and what policies must say of it.
//!
//! Test files stand beside the policies (`policies/tests/*.yaml`), so they are signed with them. A case is judged by
//! [`Bundle::decide_with_approvals`], which is what a gate asks; nothing here decides by itself. `docs/policy.md` has
//! every key.

mod part;
mod question;
mod read;

use std::collections::BTreeSet;

use sluice_core::document::CodeInfo;
use sluice_core::gate::Verdict;
use sluice_core::label::Name;
use sluice_core::text::Span;

use crate::answer::{Answer, Decision, PolicyId};
use crate::bundle::Bundle;
use crate::remedy::{Approvers, QUORUM_MAX, Remedy, RemedyKind, TicketRule};
use crate::request::GateRequest;

/// Most cases of one file: a file of more is one that nobody reads.
pub(crate) const CASES_MAX: usize = 1_000;

pub(crate) const UNKNOWN_POLICY: CodeInfo =
    CodeInfo::new(311, "test-of-unknown-policy", "name a policy of this bundle by its `@id`");
pub(crate) const BAD_REQUIREMENT: CodeInfo = CodeInfo::new(
    312,
    "test-of-no-requirement",
    "write who must agree and how many, such as `owner-of:payload/1`, `group:security/2` or `manager-of:requester/1`; \
     what the author must change is `redact` or `endorse`",
);
pub(crate) const BAD_CASE: CodeInfo =
    CodeInfo::new(313, "bad-policy-test", "a case asks one question and expects one answer; `docs/policy.md` has both");

/// Every code that a test of policies can give beside those of texts, in order.
pub const CODES: [CodeInfo; 3] = [UNKNOWN_POLICY, BAD_REQUIREMENT, BAD_CASE];

/// The tests of one file.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What they are about.
    pub about: Option<Name>,
    /// Each of them.
    pub cases: Vec<Case>,
}

/// A question and what policies must say.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: Name,
    /// Where it stands.
    pub span: Span,
    /// The question.
    pub ask: GateRequest,
    /// Requirements for which approvals are recorded, if the call needs them.
    pub approved: BTreeSet<Name>,
    /// The answer.
    pub expect: Expect,
}

/// What policies must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Permit, hold or forbid.
    pub verdict: Verdict,
    /// Policies that must be among those that determine it; of a forbid without any, no permit may cover the call.
    pub by: BTreeSet<Name>,
    /// Of a hold: exactly what would lift it.
    pub needs: BTreeSet<Name>,
}

/// What policies said of a case.
#[derive(Clone, Debug)]
pub struct Judged {
    /// All of it.
    pub answer: Answer,
    /// What was expected and is not so, in words; nothing if the test passes.
    pub misses: Vec<String>,
}

impl Case {
    /// Asks the policies.
    #[must_use]
    pub fn judge(&self, policies: &Bundle) -> Judged {
        let answer = policies.decide_with_approvals(&self.ask, |remedy| is_given(&self.approved, remedy));
        let misses = self.expect.misses(&answer.decision);
        Judged { answer, misses }
    }
}

/// Whether as many people as a remedy asks for are among the requirements that are said to be satisfied; three approvals are
/// also two.
#[must_use]
pub fn is_given(approved: &BTreeSet<Name>, remedy: &Remedy) -> bool {
    let Some(approvers) = &remedy.approvers else { return false };
    (remedy.quorum..=QUORUM_MAX).any(|quorum| approved.contains(format!("{approvers}/{quorum}").as_str()))
}

/// Whether this can be asked for: who and how many, or which ticket, as policies write it.
#[must_use]
pub fn is_requirement(word: &str) -> bool {
    if let Some(ticket) = word.strip_prefix("ticket:") {
        let rule = ticket.split_once('/').and_then(|(shown_by, names)| TicketRule::parse(shown_by, names));
        return rule.is_some_and(|rule| rule.to_string() == word);
    }
    let found = word.rsplit_once('/').and_then(|(approvers, quorum)| {
        let quorum = quorum.parse::<u8>().ok().filter(|n| (1..=QUORUM_MAX).contains(n))?;
        // The same number in other digits would be another requirement.
        Approvers::parse(approvers).map(|approvers| format!("{approvers}/{quorum}"))
    });
    found.as_deref() == Some(word)
}

impl Expect {
    fn misses(&self, decision: &Decision) -> Vec<String> {
        let mut misses = Vec::new();
        if decision.verdict() != self.verdict {
            misses.push(format!("expected `{}`, and it is `{}`", self.verdict, decision.verdict()));
            return misses;
        }
        let by: BTreeSet<&Name> = decision.policies().iter().map(|id| &id.0).collect();
        misses.extend(
            self.by.iter().filter(|id| !by.contains(id)).map(|id| format!("`{id}` is not among those that decide it")),
        );
        if self.verdict == Verdict::Forbid && self.by.is_empty() && !by.is_empty() {
            misses.push("expected that no permit covers it, and a policy forbids it".to_owned());
        }
        let needs = needs(decision);
        misses.extend(self.needs.difference(&needs).map(|need| format!("it does not need `{need}`")));
        misses.extend(needs.difference(&self.needs).map(|need| format!("it also needs `{need}`")));
        misses
    }
}

/// What a hold needs, in the words of a test: requirements, `redact`, `endorse`.
#[must_use]
pub fn needs(decision: &Decision) -> BTreeSet<Name> {
    let Decision::Hold { remedies, .. } = decision else { return BTreeSet::new() };
    let word = |remedy: &Remedy| match (&remedy.requirement, remedy.kind) {
        (Some(requirement), RemedyKind::Approval | RemedyKind::Ticket) => requirement.as_str().into(),
        (_, kind) => kind.name().into(),
    };
    remedies.iter().map(word).collect()
}

/// The policies that decide none of these answers, by id: nobody has shown what they do.
#[must_use]
pub fn untested<'a>(policies: &Bundle, answers: impl IntoIterator<Item = &'a Answer>) -> Vec<PolicyId> {
    let decide = |answer: &'a Answer| answer.decision.policies().iter().map(|id| &id.0);
    let seen: BTreeSet<&Name> = answers.into_iter().flat_map(decide).collect();
    policies.policies().map(|info| &info.id).filter(|id| !seen.contains(&id.0)).cloned().collect()
}
