//! Definitions that are put before people: verified, recorded, and shown with what the verifier said.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use serde::{Deserialize, Serialize};
use sluice_core::contract::principals::Kind;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::label::Name;
use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_ledger::EntryKind;
use sluice_policy::Acting;
use sluice_runtime::admit::Proposed;
use sluice_runtime::approvals::{definition_requirement, in_words, statements};
use sluice_runtime::proposal::{Proposal, Proposer, author_in_words};
use sluice_store::{FIELD_APPROVAL, Page, Query, Recorded};
use sluice_verify::Assumptions;
use utoipa::{IntoParams, ToSchema};

use super::Asker;
use super::again::Once;
use super::asking::{Asking, asked};
use super::cursor::{Listed, foreign, limit, read, written};
use super::problem::Problem;
use super::scope::Scope;
use super::sent::{At, Sent, Wanted, maybe};
use crate::authzen::{Denial, Unbound};
use crate::house::House;
use crate::rights::may_see_proposal;

/// The longest name of a definition.
const NAME_BYTES_MAX: usize = 200;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Who asked for it.
    requester: Option<String>,
    /// Things of a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page before this one said that this one begins.
    cursor: Option<String>,
}

/// A definition to be put before people.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProposal, example = json!({
    "name": "hello.yaml",
    "text": "document: { dsl: '1.0.3', namespace: examples, name: hello, version: '1.0.0' }\ndo:\n  - greet: { set: { greeting: hello } }\n",
}))]
pub(super) struct New {
    /// Its file's name, for people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Its text.
    text: String,
    /// The model of the register that wrote it; without one, whoever sends it did, if that is a person.
    model: Option<String>,
    /// Whom it is for, where a model sends it; everybody else proposes for themselves.
    on_behalf_of: Option<String>,
    /// The denial of AuthZEN that it answers.
    #[serde(default, deserialize_with = "maybe")]
    denial: Option<Denied>,
}

/// A denial that could be asked about (`access_request`), as it was told.
#[derive(Deserialize, ToSchema)]
#[schema(as = Denial)]
pub(super) struct Denied {
    /// The token that came with it.
    #[schema(max_length = 8192)]
    binding_token: String,
}

/// A recorded proposal.
#[derive(Serialize, ToSchema)]
#[schema(as = Proposal)]
pub(super) struct Shown {
    id: String,
    /// The digest of all that it depends on.
    digest: String,
    name: String,
    /// Who wrote it, in words.
    author: String,
    requester: String,
    /// Who must sign it; none if this workspace asks nobody.
    needs: Option<String>,
    /// How many people approved of it.
    approved: usize,
    /// The denied evaluation that it answers, where one is proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_id: Option<String>,
    /// Its text, where one is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What the verifier says by the rules of today, where one is asked for or proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

/// What the verifier says.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Report {
    /// What is true of it and matters.
    findings: Vec<Finding>,
    /// What each step calls, and what policy is predicted to say.
    steps: Vec<Step>,
    /// What was not shown, and why.
    not_shown: Vec<String>,
}

/// One thing that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Finding {
    code: String,
    name: String,
    severity: String,
    message: String,
    /// What to do.
    help: String,
    line: u32,
    column: u32,
    step: Option<String>,
}

/// One call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Step {
    step: String,
    action: String,
    /// `permit`, `hold`, `forbid` or `runtime`.
    verdict: String,
    labels: Vec<String>,
    approvals: Vec<String>,
}

/// Lists proposals.
#[utoipa::path(get, path = "/api/v1/proposals", tag = "proposals", operation_id = "list_proposals", params(Filter),
    responses((status = 200, description = "A page, the newest first", body = Listed<Shown>)))]
pub(super) async fn list(
    State(house): State<Arc<House>>,
    asker: Asker,
    Wanted(filter): Wanted<Filter>,
) -> Result<Json<Listed<Shown>>, Problem> {
    let listed = asked(house, asker, Scope::Read, move |asking| {
        let (limit, before) = (limit(filter.limit)?, read("proposals", filter.cursor.as_deref())?);
        let mut before = before.map(|text| text.parse::<u64>().map_err(|_| foreign())).transpose()?;
        let (mut items, mut next) = (Vec::new(), None);
        while let Some((index, id)) = earlier(asking, before)? {
            if let Some(shown) = listed(asking, &id, filter.requester.as_deref())? {
                if items.len() == limit {
                    next = before.map(|last| written("proposals", &last.to_string()));
                    break;
                }
                items.push(shown);
            }
            before = Some(index);
        }
        Ok(Listed { items, next })
    });
    listed.await.map(Json)
}

/// The latest proposal before an entry: its own entry, and its id.
fn earlier(asking: &Asking, before: Option<u64>) -> Result<Option<(u64, String)>, Problem> {
    let query = Query { kind: Some(EntryKind::PROPOSAL), ..Query::default() };
    let found = asking.house.ledger().look(|records| records.find_page(&query, Page { before, count: 1 }))?;
    let id =
        |recorded: &Recorded| recorded.entry.body.get(FIELD_APPROVAL).and_then(|id| id.as_text().map(str::to_owned));
    Ok(found.first().map(|recorded| (recorded.entry.log.get(), id(recorded).unwrap_or_default())))
}

/// One of a list, if whoever asks may see it and it is looked for.
fn listed(asking: &Asking, id: &str, requester: Option<&str>) -> Result<Option<Shown>, Problem> {
    let ledger = asking.house.ledger();
    // One that cannot be opened any more is in no list.
    let Ok(Some(proposal)) = Proposal::find(ledger, id) else { return Ok(None) };
    let fits = requester.is_none_or(|wanted| *wanted == *proposal.requester);
    if !fits || !may_see(asking, &proposal) {
        return Ok(None);
    }
    let row = ledger.look(|records| records.approval(id))?;
    let approved = row.map_or(0, |row| usize::try_from(row.approved).unwrap_or(usize::MAX));
    Ok(Some(shown(asking, &proposal, approved)))
}

/// Shows one, with its text and what the verifier says of it today.
#[utoipa::path(get, path = "/api/v1/proposals/{id}", tag = "proposals", operation_id = "get_proposal",
    params(("id" = String, Path, description = "`P-…`")),
    responses((status = 200, description = "The definition", body = Shown)))]
pub(super) async fn one(State(house): State<Arc<House>>, asker: Asker, At(id): At) -> Result<Json<Shown>, Problem> {
    let shown = asked(house, asker, Scope::Read, move |asking| {
        let proposal = open(asking, &id)?;
        let said = statements(asking.house.ledger(), &id)?;
        let is_yes = |decision| matches!(decision, sluice_core::contract::approval::Decision::Approve);
        let approved = said.iter().filter(|signed| is_yes(signed.statement.decision)).count();
        let read = Proposed::read(&proposal.name, proposal.text.as_bytes());
        let report = match read {
            Ok(proposed) => of(proposed.verify(&asking.workspace, &assumptions(asking, &proposal)).report),
            Err((_, found)) => unread(&found),
        };
        Ok(Shown { text: Some(proposal.text.clone()), report: Some(report), ..shown(asking, &proposal, approved) })
    });
    shown.await.map(Json)
}

type Created = (StatusCode, [(axum::http::HeaderName, String); 1], Json<Shown>);

/// Verifies a definition and puts it before the people who must sign it. One that policy would refuse in every run is put before nobody.
#[utoipa::path(post, path = "/api/v1/proposals", tag = "proposals", operation_id = "propose",
    params(Once), request_body = New,
    responses((status = 201, description = "It is recorded; the same definition for the same person is recorded once", body = Shown,
        headers(("Location" = String)),
        links(
            ("one" = (operation_id = "get_proposal", parameters(("id" = "$response.body#/id")))),
            ("start" = (operation_id = "start_run", request_body = json!({ "proposal": "$response.body#/id", "input": {} }))),
        ))))]
pub(super) async fn propose(
    State(house): State<Arc<House>>,
    asker: Asker,
    Sent(new): Sent<New>,
) -> Result<Created, Problem> {
    let recorded = asked(house, asker, Scope::Propose, move |asking| record(asking, &new));
    let shown = recorded.await?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/v1/proposals/{}", shown.id))], Json(shown)))
}

fn record(asking: &Asking, new: &New) -> Result<Shown, Problem> {
    let is_name = (1..=NAME_BYTES_MAX).contains(&new.name.len()) && !new.name.chars().any(char::is_control);
    if !is_name {
        let why = format!("`name` has 1 to {NAME_BYTES_MAX} bytes and no control characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why));
    }
    if new.text.len() > TEXT_BYTES_MAX {
        let why = format!("a definition has at most {TEXT_BYTES_MAX} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, 475, why));
    }
    let (author, requester) = (author(asking, new)?, requester(asking, new)?);
    let denial = new.denial.as_ref().map(|denied| denial(asking, denied, &requester)).transpose()?;
    let refused = |why: String, report: Report| {
        Err(Problem::told(StatusCode::UNPROCESSABLE_ENTITY, 482, &why).with_report(report))
    };
    let proposed = match Proposed::read(&new.name, new.text.as_bytes()) {
        Ok(proposed) => proposed,
        Err((_, found)) => {
            return refused("SL482: the definition cannot be read; nothing was recorded".into(), unread(&found));
        }
    };
    let (workspace, ledger) = (&asking.workspace, asking.house.ledger());
    let needed = definition_requirement(workspace);
    let assumptions = Assumptions {
        requester: Some(requester.clone()),
        author: author.clone(),
        signed: needed.is_some(),
        solo: workspace.is_solo(),
    };
    let checked = proposed.verify(workspace, &assumptions);
    if let Some(denial) = &denial
        && !checked.report.steps.iter().any(|step| step.action == denial.action())
    {
        return Err(unbound(&format!("it does not call `{}`, which was denied", denial.action())));
    }
    let report = of(checked.report);
    if let Err(why) = &checked.standing {
        return refused(format!("SL482: nothing was recorded: {why}"), report);
    }
    let proposal = Proposer::new(workspace, ledger).propose(&checked.proposed, &author, None, &requester)?;
    let evaluation_id = denial.map(|denial| denial.evaluation_id);
    Ok(Shown { report: Some(report), evaluation_id, ..shown(asking, &proposal, 0) })
}

/// The denial that a proposal for somebody answers.
fn denial(asking: &Asking, denied: &Denied, requester: &str) -> Result<Denial, Problem> {
    let (house, now_ms) = (&asking.house, asking.house.ledger().clock().now_ms());
    let read = house.binding.denial(&denied.binding_token, &house.party().origin, now_ms);
    let denial = read.map_err(|why| match why {
        Unbound::Foreign => unbound("its token is none that this service gave out since it was started; ask again"),
        Unbound::TooLate => unbound("its token is too old; ask again"),
    })?;
    if denial.subject() == requester { Ok(denial) } else { Err(unbound("somebody else was denied")) }
}

fn unbound(why: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, 468, format!("the proposal does not answer this denial: {why}"))
}

/// Who wrote it: the model that is named or sends it, else the person who sends it.
fn author(asking: &Asking, new: &New) -> Result<Acting, Problem> {
    let sender = asking.asker.principal.clone();
    match (&new.model, asking.asker.kind) {
        (Some(model), Kind::Model) if **model != *sender => {
            Err(Problem::not_for_that("a model proposes what it wrote itself"))
        }
        (_, Kind::Model) => Ok(Acting::Model { id: sender }),
        (Some(model), _) if asking.workspace.principals().models.entries.contains_key(model.as_str()) => {
            Ok(Acting::Model { id: model.as_str().into() })
        }
        (Some(_), _) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, "`model` is none of the register")),
        (None, Kind::Person) => Ok(Acting::Person { id: sender }),
        (None, _) => Ok(Acting::Unknown),
    }
}

/// Whom it is for.
fn requester(asking: &Asking, new: &New) -> Result<Name, Problem> {
    let (sender, principals) = (&asking.asker.principal, asking.workspace.principals());
    let unfit = |why: &str| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 476, why));
    match (asking.asker.kind, &new.on_behalf_of) {
        (Kind::Model, Some(whom)) if matches!(principals.kind(whom), Some(Kind::Person | Kind::Service)) => {
            Ok(whom.as_str().into())
        }
        (Kind::Model, _) => unfit("a model proposes `on_behalf_of` a person or service of the register"),
        (_, Some(whom)) if **whom != **sender => {
            Err(Problem::not_for_that("everybody but a model proposes for themselves"))
        }
        _ => Ok(sender.clone()),
    }
}

/// A proposal that whoever asks may see.
pub(super) fn open(asking: &Asking, id: &str) -> Result<Proposal, Problem> {
    let found = Proposal::find(asking.house.ledger(), id)?;
    found.filter(|proposal| may_see(asking, proposal)).ok_or_else(Problem::not_found)
}

/// A model sees what it wrote, a service what it asked for.
fn may_see(asking: &Asking, proposal: &Proposal) -> bool {
    let asker = &asking.asker;
    match asker.kind {
        Kind::Person => may_see_proposal(&asking.workspace, &asker.principal, proposal),
        Kind::Model => matches!(&proposal.author, Acting::Model { id } if *id == asker.principal),
        Kind::Service | Kind::Group => proposal.requester == asker.principal,
    }
}

fn assumptions(asking: &Asking, proposal: &Proposal) -> Assumptions {
    Assumptions {
        requester: Some(proposal.requester.clone()),
        author: proposal.author.clone(),
        signed: definition_requirement(&asking.workspace).is_some(),
        solo: asking.workspace.is_solo(),
    }
}

fn shown(asking: &Asking, proposal: &Proposal, approved: usize) -> Shown {
    Shown {
        id: proposal.id.clone(),
        digest: proposal.closure.to_string(),
        name: proposal.name.clone(),
        author: author_in_words(&proposal.author),
        requester: proposal.requester.to_string(),
        needs: definition_requirement(&asking.workspace).as_ref().map(in_words),
        approved,
        evaluation_id: None,
        text: None,
        report: None,
    }
}

fn of(report: sluice_verify::Report) -> Report {
    let step = |step: sluice_verify::StepReport| Step {
        step: step.step,
        action: step.action,
        verdict: step.verdict.to_string(),
        labels: step.labels,
        approvals: step.approvals,
    };
    Report {
        findings: report.findings.iter().map(finding).collect(),
        steps: report.steps.into_iter().map(step).collect(),
        not_shown: report.not_shown,
    }
}

fn unread(found: &[Diagnostic]) -> Report {
    Report { findings: found.iter().map(finding).collect(), ..Report::default() }
}

fn finding(found: &Diagnostic) -> Finding {
    Finding {
        code: found.code.to_string(),
        name: found.name.to_owned(),
        severity: found.severity.to_string(),
        message: found.message.clone(),
        help: found.help.clone(),
        line: found.span.line,
        column: found.span.column,
        step: found.step.clone(),
    }
}
