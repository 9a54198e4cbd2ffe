//! Searches: who may do it, on what, and what may be done.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_core::catalogue::Resource as Target;
use sluice_policy::guest::{Deed, Guest, Properties, Thing};
use utoipa::ToSchema;

use super::Question;
use super::ours::{is_allowed, is_ours};
use super::wire::{Action, Asked, Entity, deed};
use crate::house::House;
use crate::rest::problem::Problem;
use crate::rest::scope::Scope;
use crate::rest::sent::{maybe, object};
use crate::rest::{Asker, Asking, asked};

/// Results of a page, if nothing else is said, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;
/// More is no number of results that anybody means.
const ASKED_MAX: u32 = 100_000;

/// Something of which only the type is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthzenType)]
struct OfType {
    r#type: String,
}

/// Which page.
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthzenPageRequest)]
struct WhichPage {
    /// As the page before this one said in `next_token`.
    token: Option<String>,
    /// How many results, at most.
    #[schema(minimum = 0, maximum = 100000)]
    limit: Option<u32>,
}

/// Who may do it?
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthzenSubjectSearch)]
pub(super) struct SubjectSearch {
    #[serde(deserialize_with = "object")]
    subject: OfType,
    #[serde(deserialize_with = "object")]
    action: Action,
    #[serde(deserialize_with = "object")]
    resource: Entity,
    #[schema(value_type = Option<Object>)]
    context: Option<Properties>,
    #[serde(default, deserialize_with = "maybe")]
    page: Option<WhichPage>,
}

/// On what may they do it?
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthzenResourceSearch)]
pub(super) struct ResourceSearch {
    #[serde(deserialize_with = "object")]
    subject: Entity,
    #[serde(deserialize_with = "object")]
    action: Action,
    #[serde(deserialize_with = "object")]
    resource: OfType,
    #[schema(value_type = Option<Object>)]
    context: Option<Properties>,
    #[serde(default, deserialize_with = "maybe")]
    page: Option<WhichPage>,
}

/// What may they do?
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthzenActionSearch)]
pub(super) struct ActionSearch {
    #[serde(deserialize_with = "object")]
    subject: Entity,
    #[serde(deserialize_with = "object")]
    resource: Entity,
    #[schema(value_type = Option<Object>)]
    context: Option<Properties>,
    #[serde(default, deserialize_with = "maybe")]
    page: Option<WhichPage>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(super) struct Found<T> {
    results: Vec<T>,
    page: Page,
}

/// Where the next page begins.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenPage)]
struct Page {
    /// Empty after the last one.
    next_token: String,
    /// Results of this one.
    count: usize,
}

/// A subject or resource that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenFoundEntity)]
pub(super) struct FoundEntity {
    r#type: String,
    id: String,
}

/// An action that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthzenFoundAction)]
pub(super) struct FoundAction {
    name: String,
}

/// Finds who may do something to something.
#[utoipa::path(post, path = "/access/v1/search/subject", tag = "authzen", operation_id = "search_subjects",
    params(("X-Request-ID" = Option<String>, Header)), request_body = SubjectSearch,
    responses((status = 200, description = "Those who may", body = Found<FoundEntity>)))]
pub(super) async fn subject(
    State(house): State<Arc<House>>,
    asker: Asker,
    Question(search): Question<SubjectSearch>,
) -> Result<Json<Found<FoundEntity>>, Problem> {
    let found = asked(house, asker, Scope::Evaluate, move |asking| {
        let kind = search.subject.r#type;
        let (deed, resource) = (deed(&search.action, search.context.as_ref()), Thing::from(&search.resource));
        let shown = |id: &str| FoundEntity { r#type: kind.clone(), id: id.to_owned() };
        if is_ours(&resource.kind) {
            let all = principals(asking, &kind);
            let may = all.iter().filter(|id| is_allowed(asking, &asked_of(thing(&kind, id), &deed, resource.clone())));
            return page(search.page.as_ref(), may.map(|id| shown(id)));
        }
        match guest(asking) {
            Some(guest) => page(search.page.as_ref(), guest.subjects(&kind, &deed, &resource).map(shown)),
            None => page(search.page.as_ref(), std::iter::empty()),
        }
    });
    found.await.map(Json)
}

/// Finds on what somebody may do something.
#[utoipa::path(post, path = "/access/v1/search/resource", tag = "authzen", operation_id = "search_resources",
    params(("X-Request-ID" = Option<String>, Header)), request_body = ResourceSearch,
    responses((status = 200, description = "Those on which they may", body = Found<FoundEntity>)))]
pub(super) async fn resource(
    State(house): State<Arc<House>>,
    asker: Asker,
    Question(search): Question<ResourceSearch>,
) -> Result<Json<Found<FoundEntity>>, Problem> {
    let found = asked(house, asker, Scope::Evaluate, move |asking| {
        let kind = search.resource.r#type;
        let (deed, subject) = (deed(&search.action, search.context.as_ref()), Thing::from(&search.subject));
        let shown = |id: &str| FoundEntity { r#type: kind.clone(), id: id.to_owned() };
        if is_ours(&kind) {
            let all = resources(asking, &kind);
            let may = all.iter().filter(|id| is_allowed(asking, &asked_of(subject.clone(), &deed, thing(&kind, id))));
            return page(search.page.as_ref(), may.map(|id| shown(id)));
        }
        match guest(asking) {
            Some(guest) => page(search.page.as_ref(), guest.resources(&kind, &subject, &deed).map(shown)),
            None => page(search.page.as_ref(), std::iter::empty()),
        }
    });
    found.await.map(Json)
}

/// Finds what somebody may do to something.
#[utoipa::path(post, path = "/access/v1/search/action", tag = "authzen", operation_id = "search_actions",
    params(("X-Request-ID" = Option<String>, Header)), request_body = ActionSearch,
    responses((status = 200, description = "What they may do", body = Found<FoundAction>)))]
pub(super) async fn action(
    State(house): State<Arc<House>>,
    asker: Asker,
    Question(search): Question<ActionSearch>,
) -> Result<Json<Found<FoundAction>>, Problem> {
    let found = asked(house, asker, Scope::Evaluate, move |asking| {
        let (subject, resource) = (Thing::from(&search.subject), Thing::from(&search.resource));
        let context = search.context.unwrap_or_default();
        let shown = |name: &str| FoundAction { name: name.to_owned() };
        if is_ours(&resource.kind) {
            let all = asking.workspace.governance().catalogue.actions.values().map(|action| action.full_name());
            let may = all.filter(|name| {
                let deed = Deed { name: name.clone(), context: context.clone(), ..Deed::default() };
                is_allowed(asking, &asked_of(subject.clone(), &deed, resource.clone()))
            });
            return page(search.page.as_ref(), may.map(|name| shown(&name)));
        }
        match guest(asking) {
            Some(guest) => page(search.page.as_ref(), guest.actions(&subject, &context, &resource).map(shown)),
            None => page(search.page.as_ref(), std::iter::empty()),
        }
    });
    found.await.map(Json)
}

/// The policies of other applications; nothing is found by those that cannot be used.
fn guest(asking: &Asking) -> Option<Arc<Guest>> {
    asking.house.guests.of(&asking.workspace).ok().flatten()
}

fn thing(kind: &str, id: &str) -> Thing {
    Thing { kind: kind.to_owned(), id: id.to_owned(), ..Thing::default() }
}

fn asked_of(subject: Thing, deed: &Deed, resource: Thing) -> Asked {
    Asked { subject, deed: deed.clone(), resource }
}

/// Everybody of the register of a type.
fn principals(asking: &Asking, kind: &str) -> Vec<String> {
    let principals = asking.workspace.principals();
    let persons = principals.persons.entries.keys().filter(|_| matches!(kind, "person" | "principal"));
    let services = principals.services.entries.keys().filter(|_| matches!(kind, "service" | "principal"));
    persons.chain(services).map(ToString::to_string).collect()
}

/// Everything that actions act on, of a type.
fn resources(asking: &Asking, kind: &str) -> std::collections::BTreeSet<String> {
    let catalogue = &asking.workspace.governance().catalogue;
    if kind == "destination" {
        return catalogue.destinations.keys().map(ToString::to_string).collect();
    }
    let datasets = catalogue.actions.values().filter_map(|action| match &action.resource {
        Target::Dataset { name, .. } => Some(name.to_string()),
        _ => None,
    });
    datasets.collect()
}

/// One page of what is found.
fn page<T>(which: Option<&WhichPage>, found: impl Iterator<Item = T>) -> Result<Found<T>, Problem> {
    let token = which.and_then(|which| which.token.as_deref()).filter(|token| !token.is_empty());
    let foreign = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 479, "this token is none that a page gave out");
    let from = match token {
        None => 0,
        Some(token) => token.strip_prefix('n').and_then(|from| from.parse::<usize>().ok()).ok_or_else(foreign)?,
    };
    let limit = which.and_then(|which| which.limit);
    if limit.is_some_and(|limit| limit > ASKED_MAX) {
        return Err(Problem::malformed(format!("`limit` is a number up to {ASKED_MAX}")));
    }
    let limit = limit.map_or(LIMIT, |limit| (limit as usize).clamp(1, LIMIT_MAX));
    let mut rest = found.skip(from);
    let results: Vec<T> = rest.by_ref().take(limit).collect();
    let next_token = rest.next().map_or_else(String::new, |_| format!("n{}", from.saturating_add(limit)));
    Ok(Found { page: Page { next_token, count: results.len() }, results })
}
