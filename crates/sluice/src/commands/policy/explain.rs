//! `sluice policy explain`: the policies of a workspace in words, and why one question is answered as it is.

use std::collections::BTreeSet;

use serde_json::json;
use sluice_core::contract::Principals;
use sluice_core::document::closest;
use sluice_policy::cases::needs;
use sluice_policy::{Answer, Approvers, Bundle, Decision, Facts, GateRequest, PolicyInfo, Stand, Stood};
use sluice_runtime::question::{self, Typed};
use sluice_runtime::workspace::{read_bundle, read_governance, read_policies, read_principals};

use crate::cli::{ExplainPolicy, Format};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Most policies that a page tells of besides those that decide.
const NEAR_MAX: usize = 8;

/// Explains policies, or the answer to a question.
///
/// # Errors
/// [`Failure`] if the workspace cannot be read, or what was asked names what is not there.
pub(super) fn run(arguments: &ExplainPolicy) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let files = read_bundle(&folder)?;
    let governance = read_governance(&files, &read_principals(&folder)?)?;
    let policies = read_policies(&files)?;
    if arguments.asks() {
        let asked = match &arguments.test {
            Some(name) => question::of_test(name, &files, &policies)?,
            None => question::of(&typed(arguments, &governance.registers.principals)?, &governance),
        };
        let asked = asked.map_err(|why| Failure::usage(why.with_option()))?;
        let answer = asked.answer(&policies);
        let standing = policies.standing(&answer).map_err(Failure::usage)?;
        match arguments.format {
            Format::Json => out::print(&answer_wire(&answer, &standing))?,
            Format::Text => answer_shown(&answer, &standing, &policies).print(),
        }
        return Ok(Exit::Fine);
    }
    let chosen = chosen(arguments.policy.as_deref(), &policies)?;
    let principals = &governance.registers.principals;
    match arguments.format {
        Format::Json => {
            let list: Vec<_> = chosen.iter().map(|info| wire(info, &policies)).collect();
            out::print(&json!({ "version": 1, "bundle": files.digest().to_string(), "policies": list }))?;
        }
        Format::Text => shown(&chosen, &policies, principals, arguments.policy.is_some()).print(),
    }
    Ok(Exit::Fine)
}

/// The question of a command line.
fn typed(arguments: &ExplainPolicy, principals: &Principals) -> Result<Typed, Failure> {
    Ok(Typed {
        effect: arguments.action.clone(),
        call: arguments.call.clone(),
        principal: arguments.principal.clone(),
        author: Some(arguments.author.acting(principals)?),
        to: arguments.to.clone(),
        dataset: arguments.dataset.clone(),
        purpose: arguments.purpose.clone(),
        standing: arguments.standing.clone(),
        carries: arguments.carries.clone(),
        origin: arguments.origin.clone(),
        reference: arguments.reference.clone(),
        privileged: arguments.privileged,
        facts: Facts {
            calls_this_run: arguments.calls_this_run,
            calls_this_hour: arguments.calls_this_hour,
            first_seen: arguments.first_seen,
            amount: arguments.amount,
        },
        approval: arguments.approval.clone(),
    })
}

/// All policies, or the one that was named.
fn chosen<'p>(id: Option<&str>, policies: &'p Bundle) -> Result<Vec<&'p PolicyInfo>, Failure> {
    let Some(id) = id else { return Ok(policies.policies().collect()) };
    if let Some(info) = policies.policies().find(|info| &*info.id.0 == id) {
        return Ok(vec![info]);
    }
    let near = closest(id, policies.policies().map(|info| info.id.0.as_ref()));
    let near = near.map_or_else(String::new, |near| format!("; do you mean `{near}`?"));
    Err(Failure::usage(format!("no policy is called `{id}`{near}")))
}

fn wire(info: &PolicyInfo, policies: &Bundle) -> serde_json::Value {
    let words = policies.in_words(&info.id);
    json!({
        "id": info.id.0, "permits": info.permits, "file": info.text, "line": info.span.line,
        "effects": info.effects, "why": info.why, "remedy": info.remedy,
        "does": words.as_ref().map(|words| &words.does),
        "in_words": words.as_ref().map(|words| &words.why),
        "lifted_by": words.as_ref().and_then(|words| words.lifted_by.as_ref()),
    })
}

fn shown(chosen: &[&PolicyInfo], policies: &Bundle, principals: &Principals, whole: bool) -> Page {
    let mut page = Page::of_stdout();
    let files: BTreeSet<&str> = chosen.iter().map(|info| info.text.as_ref()).collect();
    for file in files {
        page.gap();
        page.line([Part::new(file, Tone::Accent)]);
        let mut inside: Vec<&&PolicyInfo> = chosen.iter().filter(|info| *info.text == *file).collect();
        inside.sort_by_key(|info| info.span.start);
        for info in inside {
            policy(&mut page, info, policies, principals);
            if whole {
                page.gap();
                info.source.lines().for_each(|line| page.line([Part::new(format!("    {line}"), Tone::Faint)]));
            }
        }
    }
    page
}

fn policy(page: &mut Page, info: &PolicyInfo, policies: &Bundle, principals: &Principals) {
    let Some(words) = policies.in_words(&info.id) else { return };
    let tone = if info.permits { Tone::Good } else { Tone::Bad };
    page.hang(["  "], &[Part::new(&*info.id.0, Tone::Strong), "  ".into(), Part::new(&words.does, tone)]);
    page.hang(["    "], &[words.why.as_str().into()]);
    if let Some(lifted_by) = &words.lifted_by {
        let lead = if info.remedy.is_some() { "    lifted by " } else { "    " };
        let people = info.approvers.as_ref().map(|(approvers, _)| people(approvers, principals)).unwrap_or_default();
        page.hang([Part::new(lead, Tone::Faint)], &[lifted_by.as_str().into(), Part::new(people, Tone::Faint)]);
    }
}

/// Who that is now, where it does not depend on the call.
fn people(approvers: &Approvers, principals: &Principals) -> String {
    let Approvers::Group(group) = approvers else { return String::new() };
    let persons = principals.persons_of(group);
    let names: Vec<&str> = persons.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { " (nobody is in it)".to_owned() } else { format!(" (now {})", names.join(", ")) }
}

fn answer_wire(answer: &Answer, standing: &[Stood]) -> serde_json::Value {
    let stand = |stood: &Stood| {
        let (word, condition) = match &stood.stand {
            Stand::Decides => ("decides", None),
            Stand::Applies => ("applies", None),
            Stand::Misses { condition, .. } => ("misses", Some(condition)),
            Stand::OtherResource => ("other-resource", None),
            Stand::OtherPrincipal => ("other-principal", None),
        };
        json!({ "policy": stood.policy.0, "permits": stood.permits, "stands": word, "first_false": condition })
    };
    let request: Option<serde_json::Value> = serde_json::from_slice(&answer.request_bytes).ok();
    json!({
        "version": 1,
        "decision": answer.decision.verdict(),
        "by": answer.decision.policies().iter().map(|id| &id.0).collect::<Vec<_>>(),
        "needs": needs(&answer.decision),
        "why": answer.reasons.iter().map(|reason| &reason.words).collect::<Vec<_>>(),
        "policies": standing.iter().map(stand).collect::<Vec<_>>(),
        "asked": request.as_ref().and_then(|sealed| sealed.get("request")),
    })
}

fn answer_shown(answer: &Answer, standing: &[Stood], policies: &Bundle) -> Page {
    let mut page = Page::of_stdout();
    let tone = match answer.decision {
        Decision::Permit { .. } => Tone::Good,
        Decision::Hold { .. } => Tone::Warn,
        Decision::Forbid { .. } => Tone::Bad,
    };
    let asked = GateRequest::from_bytes(&answer.request_bytes).ok();
    let asked = asked.map(|r| format!("{} on `{}` in the name of `{}`", r.effect, r.resource.id(), r.principal.id));
    page.hang(
        [Part::new(answer.decision.verdict().name(), Tone::Strong), "  ".into()],
        &[Part::new(asked.unwrap_or_default(), tone)],
    );
    for reason in &answer.reasons {
        let id = reason.policy.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
        page.hang(["  "], &[Part::new(id, Tone::Strong), reason.words.as_str().into()]);
    }
    let applies: Vec<String> =
        standing.iter().filter(|s| s.stand == Stand::Applies).map(|s| format!("`{}`", s.policy)).collect();
    if !applies.is_empty() {
        let words = format!("{}: what they say counts for nothing here, since a forbid wins", applies.join(", "));
        page.hang([Part::new("  beside it ", Tone::Faint)], &[words.into()]);
    }
    let near = || standing.iter().filter(|s| s.stand > Stand::Applies);
    if near().next().is_some() {
        page.gap();
        page.line(["what did not decide it, the nearest first"]);
    }
    for stood in near().take(NEAR_MAX) {
        let would = if stood.permits { Part::new("permit", Tone::Good) } else { Part::new("forbid", Tone::Bad) };
        page.line(["  ".into(), would, "  ".into(), Part::new(&*stood.policy.0, Tone::Strong)]);
        let (lead, words) = match &stood.stand {
            Stand::Misses { condition, .. } => ("          not so: ", condition.as_str()),
            Stand::OtherResource => ("          ", "it is about another destination or dataset"),
            _ => ("          ", "it is about somebody else"),
        };
        page.hang([Part::new(lead, Tone::Faint)], &[words.into()]);
    }
    let more = near().count().saturating_sub(NEAR_MAX);
    if more > 0 {
        page.line([Part::new(format!("  and {more} more: --format json has them all"), Tone::Faint)]);
    }
    let silent = policies.policies().count() - standing.len();
    page.gap();
    page.hang([""], &[Part::new(format!("{silent} policies are about other actions"), Tone::Faint)]);
    page
}
