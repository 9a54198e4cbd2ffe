//! Policies in words, and how each of them stands to one question: for people who ask why.
//!
//! Nothing here is on the way of a decision: it walks every policy that could concern the question, and says of those that
//! do not decide it which of their conditions is the first that is not so.

use cedar_policy_core::ast::{self, EntityReference, PrincipalOrResourceConstraint};
use sluice_core::gate::Effect;

use crate::answer::{Answer, PolicyId};
use crate::bundle::{Bundle, Loaded};
use crate::cedar::Question;
use crate::remedy::{RemedyKind, TicketRule};
use crate::request::GateRequest;
use crate::scope::Cover;
use crate::words;

/// One policy in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InWords {
    /// What it does to which calls: `forbids export and notify in the name of services`.
    pub does: String,
    /// Why, with words in the places for names.
    pub why: String,
    /// Of a forbid, what lifts it.
    pub lifted_by: Option<String>,
}

/// How a policy stands to a question whose action it covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// It determines the answer.
    Decides,
    /// It says what it says, and another policy determines the answer.
    Applies,
    /// Its scope covers the question, and some of its conditions are not so.
    Misses {
        /// How many are not so: the fewer, the nearer.
        wrong: usize,
        /// The first of them, in the author's words.
        condition: String,
    },
    /// Its scope does not cover the resource.
    OtherResource,
    /// Its scope does not cover who asks.
    OtherPrincipal,
}

/// A policy and how it stands to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stood {
    /// Which.
    pub policy: PolicyId,
    /// Whether it permits; otherwise it forbids.
    pub permits: bool,
    /// How.
    pub stand: Stand,
}

impl Bundle {
    /// One policy in words.
    #[must_use]
    pub fn in_words(&self, id: &PolicyId) -> Option<InWords> {
        let rule = self.rules.get(&id.0)?;
        Some(InWords { does: does(rule), why: words::unfilled(&rule.info.why), lifted_by: lifted_by(rule) })
    }

    /// How every policy about the action stands to the question of an answer: what decides it first, then the nearest.
    ///
    /// # Errors
    /// In words, why the question cannot be asked.
    pub fn standing(&self, answer: &Answer) -> Result<Vec<Stood>, String> {
        let request = GateRequest::from_bytes(&answer.request_bytes).map_err(|error| error.to_string())?;
        let request = request.after_clearing();
        let question = Question::of(&request)?;
        let evaluator = question.evaluator();
        let mut all = Vec::new();
        for (cover, other) in [
            (Cover::Whole, None),
            (Cover::NotResource, Some(Stand::OtherResource)),
            (Cover::NotPrincipal, Some(Stand::OtherPrincipal)),
        ] {
            for policy in self.index.covering(&request, cover) {
                let Some(rule) = self.rules.get(&policy.id.0) else { continue };
                let stand = match &other {
                    _ if answer.decision.policies().contains(&policy.id) => Stand::Decides,
                    Some(other) => other.clone(),
                    None => words::first_false(rule, &evaluator)
                        .map_or(Stand::Applies, |miss| Stand::Misses { wrong: miss.wrong, condition: miss.condition }),
                };
                all.push(Stood { policy: policy.id.clone(), permits: policy.permits, stand });
            }
        }
        all.sort_by(|a, b| a.stand.cmp(&b.stand).then_with(|| a.policy.cmp(&b.policy)));
        Ok(all)
    }
}

fn does(rule: &Loaded) -> String {
    let verb = if rule.info.permits { "permits" } else { "forbids" };
    let effects: Vec<&str> = rule.info.effects.iter().map(|effect| effect.name()).collect();
    let mut words = if effects.len() == Effect::ALL.len() {
        format!("{verb} every action")
    } else {
        format!("{verb} {}", listed(&effects, "and"))
    };
    let policy: &ast::Policy = rule.policy.as_ref();
    if let Some(who) = end(policy.principal_constraint().as_inner()) {
        words.push_str(&format!(" in the name of {who}"));
    }
    if let Some(what) = end(policy.resource_constraint().as_inner()) {
        words.push_str(&format!(" on {what}"));
    }
    words
}

/// What a scope asks of one end of a call; nothing, if it takes any.
fn end(scope: &PrincipalOrResourceConstraint) -> Option<String> {
    use PrincipalOrResourceConstraint::{Any, Eq, In, Is, IsIn};
    let named = |entity: &EntityReference| match entity {
        EntityReference::EUID(uid) => AsRef::<str>::as_ref(uid.eid()).to_owned(),
        EntityReference::Slot(_) => "?".to_owned(),
    };
    let kind = |kind: &ast::EntityType| format!("{}s", kind.to_string().to_lowercase());
    match scope {
        Any => None,
        Is(of) => Some(kind(of)),
        Eq(entity) => Some(format!("`{}`", named(entity))),
        In(entity) => Some(format!("whoever is in `{}`", named(entity))),
        IsIn(of, entity) => Some(format!("{} in `{}`", kind(of), named(entity))),
    }
}

fn lifted_by(rule: &Loaded) -> Option<String> {
    if rule.info.permits {
        return None;
    }
    let Some(remedy) = &rule.remedy else { return Some("nothing lifts it".to_owned()) };
    Some(match (&remedy.approvers, remedy.kind) {
        (Some(approvers), RemedyKind::Approval) => {
            let vouching =
                if remedy.clears_origins { ", who vouches for the outsiders whose words these are" } else { "" };
            format!("the agreement of {}{vouching}", approvers.in_words(remedy.quorum))
        }
        (_, RemedyKind::Redact) => {
            "a catalogued redaction, which takes the data out of the workflow's value".to_owned()
        }
        (_, RemedyKind::Ticket) => match &remedy.ticket {
            Some(TicketRule { connector, action, names }) => format!(
                "a ticket that `{connector}.{action}` shows: open, raised by whoever asks, and naming the {}",
                names.name()
            ),
            None => "a ticket".to_owned(),
        },
        _ => "a catalogued endorsement, by which somebody vouches for the value".to_owned(),
    })
}

/// `a, b and c`.
pub(crate) fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
