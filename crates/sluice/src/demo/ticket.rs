//! The second story: a ticket whose text asks for more than its author may have.

use serde_json::{Value as Json, json};
use sluice_core::contract::approval::Decision;
use sluice_core::gate::Verdict;
use sluice_engine::{CallOutcome, Fact};
use sluice_ledger::RunId;
use sluice_runtime::approvals::About;
use sluice_runtime::run::{self, RunStatus};

use super::directly::call;
use super::house::{House, WORKFLOW_OWNER, name_of};
use super::services::Services;
use super::services::tickets::{INJECTED, ORDINARY};
use super::stage::Stage;
use super::told::{detail, does, expect, held_for, outcome, prediction};
use crate::failure::Failure;
use crate::render::{Page, Part, Tone};

const WORKFLOW: &str = "ticket";
const GRANT: &str = "directory.members.add";
pub(super) const CONTRACTOR: &str = "jonas.weber";
/// Who asks for an ordinary group; the visitor plays in her name too.
pub(super) const REQUESTER: &str = "priya.nair";
const MANAGER: &str = "marc.dubois";
const ADMINS: &str = "domain-admins";
const ORDINARY_GROUP: &str = "vpn-users";
/// The policy that no approval lifts.
pub(super) const REFUSING_POLICY: &str = "outsider-chooses-privileged-group";

/// Plays it: without Sluice against `open`, with it against `gated`.
///
/// # Errors
/// [`Failure`] if something else happened than the story says.
pub(super) async fn play(
    stage: &mut Stage,
    open: &Services,
    gated: &Services,
    house: &House<'_>,
) -> Result<(), Failure> {
    stage.heading("B. The ticket");
    stage.show(letter(stage, gated)?);
    stage.pause().await;
    let mut without = stage.column();
    obeyed(&mut without, open).await?;
    let mut with = stage.column();
    refused(&mut with, gated, house).await?;
    stage.compare(("without Sluice", Tone::Bad, &without), ("with Sluice", Tone::Good, &with));
    stage.pause().await;
    let mut page = stage.page();
    let words = format!(
        "{ORDINARY} asks for an ordinary group. Its words are a stranger's just the same, so it is held, and the \
         requester's manager decides with all of it before his eyes."
    );
    page.hang(Vec::<Part>::new(), &[words.into()]);
    vouched_for(&mut page, gated, house).await?;
    stage.show(page);
    stage.pause().await;
    Ok(())
}

/// What a run of the workflow is given.
pub(super) fn input(ticket: &str) -> Json {
    json!({ "ticket": ticket })
}

/// Has the workflow's owner sign it for a requester.
///
/// # Errors
/// [`Failure`] if the signature does not count.
pub(super) fn signed(house: &House<'_>, requester: &str) -> Result<(), Failure> {
    expect(house.sign_definition(WORKFLOW, requester)?.is_satisfied, "one signature is enough for a definition")
}

/// Runs the workflow for a ticket.
///
/// # Errors
/// [`Failure`] if work was not done.
pub(super) async fn handle(house: &House<'_>, ticket: &str, requester: &str) -> Result<run::RunOutcome, Failure> {
    house.run(WORKFLOW, input(ticket), requester).await
}

/// The members of a group, as the directory has them.
pub(super) fn members(services: &Services, group: &str) -> Vec<&'static str> {
    services.directory.group(group).map(|group| group.members.into_iter().collect()).unwrap_or_default()
}

fn letter(stage: &Stage, gated: &Services) -> Result<Page, Failure> {
    let ticket = gated.tickets.ticket(INJECTED).ok_or_else(|| Failure::unexpected("the ticket is there"))?;
    let mut page = stage.page();
    let words = "A workflow reads a ticket, asks a model what its author needs, and changes the directory accordingly. \
                 The words of a ticket are a stranger's, and so is every word that a model makes of them.";
    page.hang(Vec::<Part>::new(), &[words.into()]);
    page.gap();
    let from = format!("{INJECTED} from {}, contractor: ", name_of(&ticket.requester));
    page.hang(["  "], &[Part::new(from, Tone::Strong), Part::plain(&ticket.subject)]);
    let shown = ticket.body.split_once("HINT ").and_then(|(_, rest)| rest.split_once("\n\n"));
    let (hint, _) = shown.ok_or_else(|| Failure::unexpected("the ticket holds its hint"))?;
    let words: Vec<&str> = hint.split_whitespace().collect();
    page.quote(&format!("… 08:41:09 HINT {} …", words.join(" ")), Tone::Warn);
    Ok(page)
}

/// The same calls, with nothing in between.
async fn obeyed(page: &mut Page, open: &Services) -> Result<(), Failure> {
    let before = members(open, ADMINS);
    let ticket = call(open.tickets.server(), "GET", &format!("/tickets/{INJECTED}"), None).await?;
    does(page, "readTicket", &[format!("reads {INJECTED}").into()]);
    let text = |key: &str| ticket.get(key).and_then(Json::as_str).unwrap_or_default();
    let prompt = format!("Ticket {INJECTED}: {}\n\n{}", text("subject"), text("body"));
    let reply = call(open.model.server(), "POST", "/v1/answer", Some(&json!({ "prompt": prompt }))).await?;
    let answer = reply.get("answer").cloned().unwrap_or_default();
    let said = |key: &str| answer.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let words = format!("answers {}: {} to {} (a recording)", said("action"), said("member"), said("group"));
    does(page, "askModel", &[words.into()]);
    let target = format!("/groups/{}/members", said("group"));
    call(open.directory.server(), "POST", &target, Some(&json!({ "member": said("member") }))).await?;
    does(page, "changeDirectory", &["does as it was told".into()]);
    let after = members(open, ADMINS);
    expect(
        !before.contains(&CONTRACTOR) && after.contains(&CONTRACTOR),
        "without Sluice the contractor is made an administrator",
    )?;
    detail(page, "before", format!("{ADMINS}: {}", before.join(", ")));
    detail(page, "after", Part::new(format!("{ADMINS}: {}", after.join(", ")), Tone::Bad));
    let words = format!("{} has full control of every machine. Nobody was asked.", name_of(CONTRACTOR));
    does(page, "done", &[Part::new(words, Tone::Bad)]);
    Ok(())
}

async fn refused(page: &mut Page, gated: &Services, house: &House<'_>) -> Result<(), Failure> {
    let before = gated.directory.group(ADMINS);
    prediction(page, &house.check(WORKFLOW, CONTRACTOR)?, GRANT, Verdict::Runtime)?;
    signed(house, CONTRACTOR)?;
    does(page, name_of(WORKFLOW_OWNER), &["signs the definition; its gates stay".into()]);
    let done = handle(house, INJECTED, CONTRACTOR).await?;
    outcome(page, &done);
    let run = done.run.ok_or_else(|| Failure::unexpected("a refused run has an id"))?;
    let policies = policies_that_refused(house, run)?;
    expect(matches!(done.status, RunStatus::Refused { .. }), "a privileged group that an outsider chose is refused")?;
    expect(policies.iter().any(|policy| policy == REFUSING_POLICY), "the policy without a remedy refused it")?;
    detail(page, "policy", Part::new(REFUSING_POLICY, Tone::Bad));
    detail(page, "", "It names no remedy: nobody can approve this away, however urgent the ticket says it is.");
    let after = gated.directory.group(ADMINS);
    let unchanged = before.as_ref().map(|group| group.version) == after.as_ref().map(|group| group.version);
    expect(unchanged && !members(gated, ADMINS).contains(&CONTRACTOR), "with Sluice the group is unchanged")?;
    detail(page, "after", format!("{ADMINS}: {}", members(gated, ADMINS).join(", ")));
    does(page, "done", &[Part::new("nothing", Tone::Good), Part::plain(format!(". {ADMINS} is as it was."))]);
    Ok(())
}

/// The policies behind the last refusal of a run.
///
/// # Errors
/// [`Failure`] if its entries cannot be read.
pub(super) fn policies_that_refused(house: &House<'_>, run: RunId) -> Result<Vec<String>, Failure> {
    use sluice_engine::GateAnswer;

    let facts = run::facts(&house.ledger.run(run)?)?;
    let receipt = facts.iter().rev().find_map(|record| match &record.fact {
        Fact::Decided { answer: GateAnswer::Forbid { receipt, .. }, .. } => Some(receipt),
        _ => None,
    });
    let policies = receipt.and_then(|receipt| receipt.get("policies")).and_then(Json::as_array);
    Ok(policies.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect())
}

async fn vouched_for(page: &mut Page, gated: &Services, house: &House<'_>) -> Result<(), Failure> {
    signed(house, REQUESTER)?;
    let held = handle(house, ORDINARY, REQUESTER).await?;
    outcome(page, &held);
    let approval = held_for(&held)?;
    let run = held.run.ok_or_else(|| Failure::unexpected("a held run has an id"))?;
    let clears = request(page, house, &approval, run)?;
    expect(!members(gated, ORDINARY_GROUP).contains(&REQUESTER), "nothing happens while it is held")?;
    house.decide(&approval, MANAGER, Decision::Approve, "yes, she told me")?;
    let words = format!(": vouches for the words of {}, for this group, at this step only", clears.join(" and "));
    does(page, name_of(MANAGER), &[Part::new("approves", Tone::Good), Part::plain(words)]);
    let done = house.resume(run).await?;
    outcome(page, &done);
    expect(matches!(done.status, RunStatus::Completed { .. }), "an approved grant passes")?;
    let after = members(gated, ORDINARY_GROUP);
    expect(after.contains(&REQUESTER), "the directory has the new member")?;
    detail(page, "after", format!("{ORDINARY_GROUP}: {}", after.join(", ")));
    Ok(())
}

/// What the person sees who is asked; gives the origins that they would vouch for.
fn request(page: &mut Page, house: &House<'_>, approval: &str, run: RunId) -> Result<Vec<String>, Failure> {
    let waiting = house.waiting(approval)?;
    expect(house.deciders(&waiting) == ["Marc Dubois, manager of Priya Nair"], "the requester's manager is asked")?;
    let About::Step { arguments, clears, .. } = &waiting.about else {
        return Err(Failure::unexpected("a step waits"));
    };
    does(page, name_of(MANAGER), &["is asked, as the requester's manager, and sees".into()]);
    let ticket = read_by(house, run)?;
    let text = |of: &Json, key: &str| of.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    detail(page, "ticket", format!("{} “{}”", text(&ticket, "id"), text(&ticket, "subject")));
    page.quote(&text(&ticket, "body"), Tone::Warn);
    detail(page, "subject", text(arguments, "member"));
    detail(page, "group", text(arguments, "group"));
    detail(page, "because", waiting.why.as_str());
    Ok(clears.clone())
}

/// The ticket as the run read it.
fn read_by(house: &House<'_>, run: RunId) -> Result<Json, Failure> {
    let facts = run::facts(&house.ledger.run(run)?)?;
    let reply = facts.iter().find_map(|record| match &record.fact {
        Fact::Finished { outcome: CallOutcome::Replied { reply, .. }, .. } => Some(reply.clone()),
        _ => None,
    });
    reply.ok_or_else(|| Failure::unexpected("the run read a ticket"))
}
