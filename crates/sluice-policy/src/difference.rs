//! What changed between two bundles, policy by policy, and whether more is allowed now.
//!
//! Growth is read off the shape: a forbid that lost an action, or got one condition more, stops less; a permit the other way
//! round. Where the shape does not say, the answer is [`Growth::May`], never no. Spaces, comments and the order of policies
//! are no difference.

use std::collections::BTreeSet;

use cedar_policy_core::ast;
use sluice_core::gate::Effect;
use sluice_core::label::Name;

use crate::answer::PolicyId;
use crate::bundle::{Bundle, Loaded};
use crate::explain::listed;
use crate::remedy::RemedyRule;
use crate::words;

/// Whether more is allowed than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Growth {
    /// Nothing more.
    No,
    /// It cannot be told from the text.
    May,
    /// Something.
    Yes,
}

impl Growth {
    /// The word for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::May => "may",
            Self::Yes => "yes",
        }
    }
}

/// One thing that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aspect {
    /// In words.
    pub words: String,
    /// Whether it allows more.
    pub growth: Growth,
}

impl Aspect {
    /// In words.
    pub fn new(words: impl Into<String>, growth: Growth) -> Self {
        Self { words: words.into(), growth }
    }
}

/// A policy that two bundles do not have alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDifference {
    /// Which.
    pub id: PolicyId,
    /// Whether the earlier bundle has it.
    pub was: bool,
    /// Whether the later one has it.
    pub is: bool,
    /// What is another.
    pub aspects: Vec<Aspect>,
}

impl Bundle {
    /// Every policy that `later` has otherwise, or only one of both has, by id.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<PolicyDifference> {
        let ids: BTreeSet<&Name> = self.rules.keys().chain(later.rules.keys()).collect();
        let all = ids.into_iter().filter_map(|id| {
            let (before, after) = (self.rules.get(id), later.rules.get(id));
            let aspects = match (before, after) {
                (Some(before), Some(after)) => changed(before, after),
                (None, Some(after)) => vec![whole(later, after, after.info.permits)],
                (Some(before), None) => vec![whole(self, before, !before.info.permits)],
                (None, None) => Vec::new(),
            };
            let is_same = aspects.is_empty();
            let (was, is) = (before.is_some(), after.is_some());
            (!is_same).then(|| PolicyDifference { id: PolicyId(id.clone()), was, is, aspects })
        });
        all.collect()
    }
}

/// A policy that came or went, in words.
fn whole(bundle: &Bundle, rule: &Loaded, grows: bool) -> Aspect {
    let words = bundle.in_words(&rule.info.id).map_or_else(String::new, |words| {
        let lifted = words.lifted_by.map_or_else(String::new, |by| {
            if rule.remedy.is_some() { format!("; lifted by {by}") } else { format!("; {by}") }
        });
        format!("{}: {}{lifted}", words.does, words.why)
    });
    Aspect::new(words, if grows { Growth::Yes } else { Growth::No })
}

fn changed(before: &Loaded, after: &Loaded) -> Vec<Aspect> {
    if before.info.permits != after.info.permits {
        let (words, growth) = if after.info.permits {
            ("it forbade, and permits now", Growth::Yes)
        } else {
            ("it permitted, and forbids now", Growth::No)
        };
        return vec![Aspect::new(words, growth)];
    }
    let permits = after.info.permits;
    let mut aspects = Vec::new();
    aspects.extend(effects(before, after, permits));
    aspects.extend(ends(before, after, permits));
    aspects.extend(conditions(before, after, permits));
    aspects.extend(remedy(before.remedy.as_ref(), after.remedy.as_ref(), after));
    if before.info.why != after.info.why {
        let words = format!(
            "its reason was: {}. it is now: {}",
            words::unfilled(&before.info.why),
            words::unfilled(&after.info.why)
        );
        aspects.push(Aspect::new(words, Growth::No));
    }
    aspects
}

/// What it means for what is allowed that a policy covers less, or more, than before.
const fn covering(less: bool, permits: bool) -> Growth {
    if less == permits { Growth::No } else { Growth::Yes }
}

fn effects(before: &Loaded, after: &Loaded, permits: bool) -> Vec<Aspect> {
    let (old, new) = (&before.info.effects, &after.info.effects);
    let only = |these: &[Effect], those: &[Effect]| -> Vec<&'static str> {
        these.iter().filter(|effect| !those.contains(effect)).map(|effect| effect.name()).collect()
    };
    let verb = if permits { "permits" } else { "forbids" };
    let mut aspects = Vec::new();
    for (names, less, words) in [(only(old, new), true, "no longer"), (only(new, old), false, "also")] {
        if !names.is_empty() {
            aspects.push(Aspect::new(format!("it {words} {verb} {}", listed(&names, "and")), covering(less, permits)));
        }
    }
    aspects
}

/// Whose calls, and on what.
fn ends(before: &Loaded, after: &Loaded, permits: bool) -> Vec<Aspect> {
    let ends = |rule: &Loaded| {
        let policy: &ast::Policy = rule.policy.as_ref();
        [
            (policy.principal_constraint().to_string(), is_any(policy.principal_constraint().as_inner())),
            (policy.resource_constraint().to_string(), is_any(policy.resource_constraint().as_inner())),
        ]
    };
    let both = ends(before).into_iter().zip(ends(after)).filter(|((old, _), (new, _))| old != new);
    let aspect = |((old, was_any), (new, is_any)): ((String, bool), (String, bool))| {
        let growth = if was_any || is_any { covering(was_any, permits) } else { Growth::May };
        Aspect::new(format!("it was about `{old}`, and is about `{new}`"), growth)
    };
    both.map(aspect).collect()
}

fn is_any(scope: &ast::PrincipalOrResourceConstraint) -> bool {
    matches!(scope, ast::PrincipalOrResourceConstraint::Any)
}

/// What must hold besides the scope, condition by condition.
fn conditions(before: &Loaded, after: &Loaded, permits: bool) -> Option<Aspect> {
    let of = |rule: &Loaded| {
        let policy: &ast::Policy = rule.policy.as_ref();
        let mut all = Vec::new();
        if let Some(condition) = policy.non_scope_constraints() {
            words::split(condition, &mut all);
        }
        // As Cedar writes it: spaces and comments are no part of it. And as the author wrote it, for people.
        all.into_iter().map(|e| (e.to_string(), words::source(e))).collect::<Vec<_>>()
    };
    let (old, new) = (of(before), of(after));
    let only = |these: &[(String, String)], those: &[(String, String)]| -> Vec<String> {
        let is_gone = |one: &&(String, String)| !those.iter().any(|other| other.0 == one.0);
        these.iter().filter(is_gone).map(|(_, source)| format!("`{source}`")).collect()
    };
    let (gone, came) = (only(&old, &new), only(&new, &old));
    let (words, growth) = match (gone.is_empty(), came.is_empty()) {
        (true, true) => return None,
        (false, true) => (format!("it no longer asks that {}", gone.join(" and ")), covering(false, permits)),
        (true, false) => (format!("it also asks that {}", came.join(" and ")), covering(true, permits)),
        (false, false) => {
            (format!("it asked that {}, and asks that {}", gone.join(" and "), came.join(" and ")), Growth::May)
        }
    };
    Some(Aspect::new(words, growth))
}

fn remedy(before: Option<&RemedyRule>, after: Option<&RemedyRule>, rule: &Loaded) -> Option<Aspect> {
    let told = |rule: &RemedyRule| crate::bundle::remedy_words(rule);
    let (words, growth) = match (before, after) {
        (None, None) => return None,
        (Some(old), Some(new)) if old == new => return None,
        (Some(old), None) => (format!("nothing lifts it any more; it was {}", told(old)), Growth::No),
        (None, Some(new)) => (format!("it can be lifted now: {}", told(new)), Growth::Yes),
        (Some(old), Some(new)) => {
            let is_same_but_quorum = RemedyRule { quorum: new.quorum, ..old.clone() } == *new;
            let growth = match is_same_but_quorum {
                true if new.quorum > old.quorum => Growth::No,
                true => Growth::Yes,
                false if new.clears_origins && !old.clears_origins => Growth::Yes,
                false => Growth::May,
            };
            (format!("what lifts it was {}, and is {}", told(old), told(new)), growth)
        }
    };
    (!rule.info.permits).then(|| Aspect::new(words, growth))
}
