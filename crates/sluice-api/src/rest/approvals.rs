//! What waits for people, and what they said. Data itself is shown at the console, to whoever may see it; here it has a name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluice_core::contract::approval::Decision;
use sluice_core::gate::Role;
use sluice_policy::GateRequest;
use sluice_runtime::approvals::{About, ApprovalError, Approver, Waiting, in_words};
use sluice_store::ApprovalRow;
use utoipa::{IntoParams, ToSchema};

use super::Asker;
use super::asking::{Asking, asked};
use super::cursor::{Listed, page};
use super::glass::Glass;
use super::problem::Problem;
use super::scope::Scope;
use super::sent::{At, Wanted};
use crate::house::House;
use crate::rights::{self, concerned};
use crate::sight;

/// How something that people were asked stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ApprovalState)]
pub(super) enum Stands {
    /// Somebody must still speak.
    #[default]
    Waiting,
    /// Everything needed was said.
    Approved,
    /// Somebody said no.
    Denied,
    /// Its time ran out before enough was said.
    Expired,
    /// It is no longer asked.
    Superseded,
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// How it stands; without it, what waits.
    #[param(inline)]
    state: Option<Stands>,
    /// Only what waits for a word of whoever asks.
    #[serde(default)]
    mine: bool,
    /// Who asked for it.
    requester: Option<String>,
    /// `connector.action` of a held step.
    action: Option<String>,
    /// Things of a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where the page before this one said that this one begins.
    cursor: Option<String>,
}

/// Something that people were asked.
#[derive(Serialize, ToSchema)]
pub(super) struct Approval {
    id: String,
    /// `definition`, `step` or `value`.
    kind: &'static str,
    /// `connector.action`, the name of a definition, or the function on a value.
    about: String,
    state: Stands,
    requester: String,
    /// The run that waits for it.
    run: Option<String>,
    /// In milliseconds since 1970.
    asked_ms: u64,
    /// Whether an agent asked.
    is_agents: bool,
    /// Whether a word of whoever asks here is still needed.
    is_yours: bool,
    /// Why it is held.
    why: String,
    /// Who must agree.
    needs: Vec<String>,
    said: Vec<Said>,
    /// How the glass was broken for it, if it was.
    glass: Option<Glass>,
    /// What would be signed: the digest of all that it depends on.
    digest: String,
    /// What took its place.
    superseded_by: Option<String>,
    /// Of a held step: its arguments, with values only where the decision is about them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<Argument>,
    /// Of a held step: what of it changed since it was asked before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
}

/// What somebody said.
#[derive(Serialize, ToSchema)]
pub(super) struct Said {
    person: String,
    /// `approve`, `deny`, `withdraw` or `break-glass`.
    decision: &'static str,
    /// In whose place they spoke, if not in their own.
    in_place_of: Option<String>,
}

/// One argument of a held step.
#[derive(Serialize, ToSchema)]
pub(super) struct Argument {
    name: String,
    /// What it is for.
    role: Option<&'static str>,
    /// The classes of data in it.
    classes: Vec<String>,
    /// Who gets it, where it goes, which object, how much; of anything else nothing.
    value: Option<serde_json::Value>,
}

/// Lists what people were asked.
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals", operation_id = "list_approvals", params(Filter),
    responses((status = 200, description = "A page, the newest first", body = Listed<Approval>,
        links(
            ("one" = (operation_id = "get_approval", parameters(("id" = "$response.body#/items/0/id")))),
            ("draft" = (operation_id = "draft_word", parameters(("id" = "$response.body#/items/0/id")))),
        ))))]
pub(super) async fn list(
    State(house): State<Arc<House>>,
    asker: Asker,
    Wanted(filter): Wanted<Filter>,
) -> Result<Json<Listed<Approval>>, Problem> {
    let listed = asked(house, asker, Scope::Read, move |asking| {
        let mut rows = asking.house.ledger().look(|records| records.approvals())?;
        // By when they were asked: what is said of one later moves none.
        rows.retain(|row| row.requested.is_some());
        rows.sort_by_key(|row| std::cmp::Reverse(row.requested));
        let named = |row: &ApprovalRow| row.id.clone();
        page("approvals", (filter.limit, filter.cursor.as_deref()), rows, named, |row| {
            Ok(found(asking, &row.id)?.filter(|shown| fits(&filter, shown)))
        })
    });
    listed.await.map(Json)
}

/// What of an approval is shown to whoever asks; what nobody can read any more is left out of lists.
fn found(asking: &Asking, id: &str) -> Result<Option<Approval>, Problem> {
    match Approver::new(&asking.workspace, asking.house.ledger()).show(id) {
        Ok(waiting) => Ok(may_see(asking, &waiting).then(|| shown(asking, waiting))),
        Err(ApprovalError::Ledger(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn fits(filter: &Filter, shown: &Approval) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    filter.state.unwrap_or_default() == shown.state
        && (!filter.mine || shown.is_yours)
        && is(&filter.requester, &shown.requester)
        && is(&filter.action, &shown.about)
}

/// Shows one.
#[utoipa::path(get, path = "/api/v1/approvals/{id}", tag = "approvals", operation_id = "get_approval",
    params(("id" = String, Path, description = "`A-…` or `P-…`")),
    responses((status = 200, description = "What is asked", body = Approval)))]
pub(super) async fn one(State(house): State<Arc<House>>, asker: Asker, At(id): At) -> Result<Json<Approval>, Problem> {
    let shown = asked(house, asker, Scope::Read, move |asking| {
        let waiting = open(asking, &id)?;
        Ok(shown(asking, waiting))
    });
    shown.await.map(Json)
}

/// One that whoever asks may see.
pub(super) fn open(asking: &Asking, id: &str) -> Result<Waiting, Problem> {
    let waiting = Approver::new(&asking.workspace, asking.house.ledger()).show(id)?;
    if may_see(asking, &waiting) { Ok(waiting) } else { Err(Problem::not_found()) }
}

fn may_see(asking: &Asking, waiting: &Waiting) -> bool {
    let (who, people) = (&asking.asker.principal, concerned(&asking.workspace, waiting));
    // Policies about the console are about people; a service sees what it asked for.
    if asking.asker.is_person() { rights::may_see(&asking.workspace, who, &people) } else { people.contains(who) }
}

/// How it stands.
fn state(waiting: &Waiting) -> Stands {
    match (&waiting.superseded, waiting.is_satisfied, waiting.is_denied) {
        _ if waiting.is_expired => Stands::Expired,
        (Some(_), ..) => Stands::Superseded,
        (None, _, true) => Stands::Denied,
        (None, true, false) => Stands::Approved,
        (None, false, false) => Stands::Waiting,
    }
}

/// Whether a word of whoever asks is still needed.
fn is_theirs(asking: &Asking, waiting: &Waiting) -> bool {
    asking.asker.is_person() && waiting.awaits(&asking.asker.principal)
}

pub(super) fn shown(asking: &Asking, waiting: Waiting) -> Approval {
    let (state, is_yours) = (state(&waiting), is_theirs(asking, &waiting));
    let word = |decision: &Decision| match decision {
        Decision::Approve => "approve",
        Decision::Deny => "deny",
        Decision::Withdraw { .. } => "withdraw",
        Decision::BreakGlass => "break-glass",
        Decision::Review { .. } => "review",
    };
    let said = waiting.said.iter().map(|(who, decision)| Said {
        person: who.to_string(),
        decision: word(decision),
        in_place_of: waiting.in_place_of.get(who).map(ToString::to_string),
    });
    let (said, needs) = (said.collect(), waiting.needs.iter().map(in_words).collect());
    let (kind, about, run, arguments, changed) = match waiting.about {
        About::Definition { name, .. } => ("definition", name, None, Vec::new(), Vec::new()),
        About::Value { function, entry, run, .. } => {
            ("value", format!("{function} {entry}"), Some(run), Vec::new(), Vec::new())
        }
        About::Step { run, action, arguments: sent, request, changed, .. } => {
            let listed = arguments(asking, &action, &sent, &request);
            ("step", action, Some(run), listed, changed)
        }
    };
    Approval {
        id: waiting.id,
        kind,
        about,
        state,
        requester: waiting.requester.to_string(),
        run: run.map(|run| run.to_string()),
        asked_ms: waiting.asked_ms,
        is_agents: waiting.is_agents,
        is_yours,
        why: waiting.why,
        needs,
        said,
        glass: waiting.glass.map(Glass::of),
        digest: waiting.digest.to_string(),
        superseded_by: waiting.superseded.flatten(),
        arguments,
        changed,
    }
}

fn arguments(asking: &Asking, action: &str, sent: &serde_json::Value, request: &str) -> Vec<Argument> {
    let request = GateRequest::from_bytes(request.as_bytes()).ok();
    let all = sight::arguments(&asking.workspace, action, sent, request.as_ref());
    let one = |argument: sight::Argument<'_>| Argument {
        name: argument.name.to_owned(),
        role: argument.role.map(Role::name),
        classes: argument.classes.iter().map(ToString::to_string).collect(),
        value: argument.is_decided_about().then(|| argument.value.clone()),
    };
    all.into_iter().map(one).collect()
}
