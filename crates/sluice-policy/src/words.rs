//! Reasons in words: the sentences of policies with names filled in, and why nothing permitted a call.

use std::collections::BTreeSet;

use cedar_policy_core::ast::{self, ExprKind};
use cedar_policy_core::evaluator::Evaluator;
use sluice_core::label::Name;

use crate::answer::Reason;
use crate::bundle::{Bundle, Loaded};
use crate::cedar::{Question, SETS, Seen};
use crate::condition;
use crate::explain::listed;
use crate::remedy::Holder;
use crate::request::GateRequest;
use crate::scope::Cover;

/// Most permits that a default deny explains.
const NEAREST_MAX: usize = 3;

/// The places besides the sets of labels.
const PLAIN: [&str; 4] = ["resource", "principal", "purpose", "region"];

/// The places for names in a sentence: what stands between braces.
fn places(why: &str) -> impl Iterator<Item = &str> {
    why.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(place, _)| place))
}

/// The places that name nothing of a request.
pub(crate) fn unknown_places(why: &str) -> Vec<&str> {
    let is_set = |set: &str| {
        set.split_once('.').is_some_and(|(part, attribute)| {
            matches!(Holder::named(part), Some(Holder::Atoms(_))) && SETS.contains(&attribute)
        })
    };
    places(why).filter(|place| !PLAIN.contains(place) && !place.split('+').all(is_set)).collect()
}

/// The sentence with its places filled.
pub(crate) fn fill(why: &str, request: &GateRequest) -> String {
    let mut out = String::new();
    for (i, part) in why.split('{').enumerate() {
        match part.split_once('}') {
            Some((place, rest)) if i > 0 => {
                out.push_str(&value(place, request).unwrap_or_default());
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// The sentence with words in its places, of no request in particular.
pub(crate) fn unfilled(why: &str) -> String {
    // A name stands in backticks, and these are no names.
    let why = why.replace("`{", "{").replace("}`", "}");
    let mut out = String::new();
    for (i, part) in why.split('{').enumerate() {
        match part.split_once('}') {
            Some((place, rest)) if i > 0 => {
                out.push_str(&named(place));
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// What stands in a place, by what it is.
fn named(place: &str) -> String {
    match place {
        "resource" => return "the destination or dataset".to_owned(),
        "principal" => return "whoever asks".to_owned(),
        "purpose" => return "the purpose stated".to_owned(),
        "region" => return "the region".to_owned(),
        _ => {}
    }
    let set = |set: &str| {
        let (part, attribute) = set.split_once('.')?;
        let Some(Holder::Atoms(of)) = Holder::named(part) else { return None };
        let what = match attribute {
            "categories" => "the kinds of data",
            "owners" => "the owners of data",
            "uncleared" => "the kinds of data at issue",
            "outside" => "outsiders with a part",
            "models" => "models with a part",
            "persons" => "people with a part",
            "datasets" => "the datasets",
            _ => "the owners with rules on the data",
        };
        Some((what, of.in_words()))
    };
    let mut whats: Vec<&str> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for (what, part) in place.split('+').filter_map(set) {
        if !whats.contains(&what) {
            whats.push(what);
        }
        parts.push(part);
    }
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    format!("{} in {}", listed(&whats, "or"), listed(&parts, "or"))
}

fn value(place: &str, request: &GateRequest) -> Option<String> {
    match place {
        "resource" => Some(request.resource.id().to_string()),
        "principal" => Some(request.principal.id.to_string()),
        "purpose" => Some(request.purpose.as_deref().unwrap_or("none stated").to_owned()),
        "region" => Some(request.resource.region().or(request.region.as_ref()).map_or("not known", |r| r).to_owned()),
        sets => {
            let mut names: BTreeSet<Name> = BTreeSet::new();
            for set in sets.split('+') {
                let (part, attribute) = set.split_once('.')?;
                let Some(Holder::Atoms(of)) = Holder::named(part) else { return None };
                names.extend(Seen::of(request, &request.atoms_of(of)).set(attribute)?.iter().cloned());
            }
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            Some(if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
        }
    }
}

/// Why no permit covers a request: the permits that come nearest, each with its first false condition.
///
/// One whose scope covers all of the request comes before one that misses the resource, and that before one that misses
/// who asks; whether more of them are looked at depends on how many are told.
pub(crate) fn nearest(bundle: &Bundle, request: &GateRequest) -> Vec<Reason> {
    let Ok(question) = Question::of(request) else { return Vec::new() };
    let evaluator = question.evaluator();
    let permits = |cover| {
        let permits = bundle.index.covering(request, cover).filter(|policy| policy.permits);
        permits.filter_map(|policy| bundle.rules.get(&policy.id.0))
    };
    let miss = |rule| {
        let miss = first_false(rule, &evaluator)?;
        Some((miss.held, said(rule, &format!("it asks that `{}`", miss.condition))))
    };
    let mut misses: Vec<(usize, Reason)> = permits(Cover::Whole).filter_map(miss).collect();
    misses.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.policy.cmp(&y.policy)));
    let resource = permits(Cover::NotResource).map(|rule| said(rule, "it does not cover the resource"));
    let principal = permits(Cover::NotPrincipal).map(|rule| said(rule, "it does not cover who asks"));
    let all = misses.into_iter().map(|(_, reason)| reason).chain(resource).chain(principal);
    let reasons: Vec<Reason> = all.take(NEAREST_MAX).collect();
    if reasons.is_empty() {
        let words = format!("no policy permits any `{}`", request.effect);
        return vec![Reason { policy: None, words }];
    }
    reasons
}

/// The first condition of a policy that is not so.
pub(crate) struct FirstFalse {
    /// How many conditions hold before it.
    pub(crate) held: usize,
    /// How many are not so, itself among them.
    pub(crate) wrong: usize,
    /// In the author's words.
    pub(crate) condition: String,
}

/// The first condition of a policy that is not so; none if all are.
pub(crate) fn first_false(rule: &Loaded, evaluator: &Evaluator<'_>) -> Option<FirstFalse> {
    let policy: &ast::Policy = rule.policy.as_ref();
    let mut conjuncts = Vec::new();
    split(policy.non_scope_constraints()?, &mut conjuncts);
    let is_false = |condition: &ast::Expr| condition::holds(evaluator, condition) != Ok(true);
    let held = conjuncts.iter().position(|condition| is_false(condition))?;
    let condition = conjuncts.get(held)?;
    Some(FirstFalse {
        held,
        wrong: conjuncts.iter().filter(|condition| is_false(condition)).count(),
        condition: source(condition),
    })
}

fn said(rule: &Loaded, words: &str) -> Reason {
    Reason { policy: Some(rule.info.id.clone()), words: format!("`{}` does not permit it: {words}", rule.info.id) }
}

/// The conditions that all must hold.
pub(crate) fn split<'a>(e: &'a ast::Expr, out: &mut Vec<&'a ast::Expr>) {
    if let ExprKind::And { left, right } = e.expr_kind() {
        split(left, out);
        split(right, out);
    } else {
        out.push(e);
    }
}

/// The author's own words for an expression, on one line.
pub(crate) fn source(e: &ast::Expr) -> String {
    let text = e.source_loc().and_then(|loc| loc.snippet()).map_or_else(|| e.to_string(), ToOwned::to_owned);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
