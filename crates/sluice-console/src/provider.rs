//! Coming in by an identity provider: there, and back.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::guard::{Visitor, cookie_of, login_cookie_name, set_login_cookie};
use sluice_api::session::{Login, Proofs};
use sluice_identity::login::Wants;
use sluice_policy::own::Deciding;

use crate::approval::{deciding, open};
use crate::enter::{Coming, closed, come_in};
use crate::page::{Asking, aside};
use crate::problem::Problem;
use crate::starting::starting;
use crate::workflows::seen;

/// Sends somebody to the provider.
pub(crate) async fn go(State(house): State<Arc<House>>) -> Result<Response, Problem> {
    away(&house, Wants::default(), "/".to_owned()).await
}

/// Sends somebody who is in to the provider once more, to be known as surely as their word on this needs.
pub(crate) async fn again(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let needed = move |asking: &Asking| {
        let waiting = open(asking, &id)?;
        Ok((deciding(asking, &waiting), format!("/approvals/{}", waiting.id)))
    };
    better_known(house, visitor, needed).await
}

/// Sends somebody who is in to the provider once more, to be known as surely as starting a run of this needs.
pub(crate) async fn again_to_start(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let needed = move |asking: &Asking| {
        let proposal = seen(asking, &id)?;
        Ok((starting(asking, &proposal), format!("/workflows/{}", proposal.id)))
    };
    better_known(house, visitor, needed).await
}

/// To the provider for the levels that are `needed`, and back to the page.
async fn better_known(
    house: Arc<House>,
    visitor: Visitor,
    needed: impl FnOnce(&Asking) -> Result<(Deciding, String), Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let kept = Arc::clone(&house);
    let (deciding, to) = aside(move || needed(&Asking::of(kept, visitor)?)).await?;
    let levels: Vec<String> = match deciding {
        Deciding::StepUp(levels) => levels.into_iter().collect(),
        Deciding::Yes | Deciding::No => Vec::new(),
    };
    let fresh = !levels.is_empty();
    away(&house, Wants { levels, fresh }, to).await
}

/// Sends somebody who is in to the provider once more, so that they may make their first passkey.
pub(crate) async fn anew(State(house): State<Arc<House>>, visitor: Visitor) -> Result<Response, Problem> {
    visitor.0.ok_or(Problem::LoggedOut)?;
    away(&house, Wants { levels: Vec::new(), fresh: true }, "/people".to_owned()).await
}

/// To the provider, and back to our page `to`.
async fn away(house: &House, wants: Wants, to: String) -> Result<Response, Problem> {
    let provider = house.provider().ok_or(Problem::NotFound)?;
    let begun = provider.begin(wants).await.map_err(|error| Problem::Broken(error.to_string()))?;
    let browser = house.door.sent_away(&begun.state, begun.open, to)?;
    let cookie = [(SET_COOKIE, set_login_cookie(house, Some(&browser)))];
    Ok((AppendHeaders(cookie), Redirect::to(&begun.url)).into_response())
}

/// What the provider sends them back with.
#[derive(Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    /// Whose answer it is (RFC 9207); not every provider says so.
    iss: Option<String>,
    error: Option<String>,
}

/// Takes somebody back.
pub(crate) async fn back(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let provider = house.provider().ok_or(Problem::NotFound)?;
    let browser = cookie_of(&headers, &login_cookie_name(&house)).unwrap_or_default();
    let (open, to) = house.door.came_back(&back.state, browser).ok_or_else(closed)?;
    let is_theirs = back.iss.as_deref().is_none_or(|issuer| issuer == provider.issuer());
    if !is_theirs {
        return Err(closed());
    }
    if back.error.is_some() {
        return Err(Problem::Refused("SL986: the identity provider did not log you in; nothing was done".to_owned()));
    }
    let who = provider.finish(open, back.code).await.map_err(|error| Problem::Refused(error.to_string()))?;
    let kept = Arc::clone(&house);
    aside(move || {
        let workspace = kept.workspace()?;
        let issuer = kept.provider().map(sluice_identity::Logins::issuer).unwrap_or_default();
        let person = workspace.principals().identified(issuer, &who.subject).cloned();
        let nobody =
            || Problem::Refused(format!("SL984: `{}` of `{issuer}` is nobody of the principals register", who.subject));
        let person = person.ok_or_else(nobody)?;
        // Whoever was sent to show once more that it is them comes back as nobody else.
        if to != "/" && visitor.0.as_ref().is_some_and(|before| before.person != person) {
            return Err(closed());
        }
        let groups = kept.logged_in_with(&workspace, &person, &who)?;
        let coming = Coming { login: Login::Provider, proofs: Proofs { surety: who.surety, groups }, to: &to };
        let mut answer = come_in(&kept, visitor, &person, coming)?;
        if let Ok(gone) = set_login_cookie(&kept, None).parse() {
            answer.headers_mut().append(SET_COOKIE, gone);
        }
        Ok(answer)
    })
    .await
}
