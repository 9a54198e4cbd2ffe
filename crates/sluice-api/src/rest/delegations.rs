//! Who speaks in whose place: seen, made and taken back, each time by what a person signs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sluice_core::contract::approval::{Delegation, SignedDelegation};
use sluice_core::contract::digest::to_hex;
use sluice_core::label::Name;
use sluice_runtime::delegation::{Given as Made, draft as drafted, draft_end, in_force, record};
use utoipa::ToSchema;

use super::Asker;
use super::again::Once;
use super::asking::{Asking, asked};
use super::cursor::Listed;
use super::ledger::TIME_MS_MAX;
use super::problem::Problem;
use super::scope::Scope;
use super::sent::{At, Sent};
use super::words::{Given, passkeys_of, proof, reason_of, too_old};
use crate::house::House;

/// Under what drafts of delegations are kept.
const ABOUT: &str = "delegations";

/// Somebody speaks in another's place.
#[derive(Serialize, ToSchema)]
#[schema(as = Delegation)]
pub(super) struct Shown {
    /// `G-…`
    id: String,
    /// In whose place.
    by: String,
    /// Who speaks.
    to: String,
    /// Of what; of all that `by` is asked if there is none.
    role: Option<String>,
    from_ms: u64,
    until_ms: u64,
}

impl Shown {
    fn of(made: &Made) -> Self {
        Self {
            id: made.id(),
            by: made.delegated.by.to_string(),
            to: made.delegated.to.to_string(),
            role: made.delegated.role.as_ref().map(ToString::to_string),
            from_ms: made.delegated.from_ms,
            until_ms: made.delegated.until_ms,
        }
    }
}

/// Lists delegations that are in force: one's own, and for whoever manages people all of them.
#[utoipa::path(get, path = "/api/v1/delegations", tag = "delegations", operation_id = "list_delegations",
    responses((status = 200, description = "All that one may see", body = Listed<Shown>)))]
pub(super) async fn list(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Listed<Shown>>, Problem> {
    let listed = asked(house, asker, Scope::Read, |asking| {
        let (person, sees_all) = (&asking.asker.principal, asking.is_steward());
        let mut made = in_force(&asking.workspace, asking.house.ledger())?;
        made.retain(|one| sees_all || one.delegated.by == *person || one.delegated.to == *person);
        Ok(Listed { items: made.iter().map(Shown::of).collect(), next: None })
    });
    listed.await.map(Json)
}

/// Somebody to speak in one's place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDelegation)]
pub(super) struct New {
    /// Who.
    #[schema(min_length = 1)]
    to: String,
    /// Of what, as the policy names it; of all that one is asked without it.
    #[schema(min_length = 1)]
    role: Option<String>,
    /// Until when, in milliseconds since 1970; at most 92 days from now.
    #[schema(maximum = 9007199254740991_u64)]
    #[serde(deserialize_with = "whole")]
    until_ms: u64,
}

/// A whole number, however it is written: for JSON Schema `1.0` and `1e3` are ones.
fn whole<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(input)?;
    let written = |number: f64| (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok()).flatten();
    let whole = number.as_u64().or_else(|| number.as_f64().and_then(written));
    whole.filter(|whole| *whole <= TIME_MS_MAX).ok_or_else(|| D::Error::custom("it is a whole number of milliseconds"))
}

/// What a person would sign about who speaks in their place. It serves once, for the token that asked for it, within an hour.
#[derive(Serialize, ToSchema)]
#[schema(as = DelegationDraft)]
pub(super) struct Draft {
    /// Under which it is then given.
    draft: String,
    /// The canonical bytes, in hexadecimal digits: what a key file signs.
    statement: String,
    /// The challenge for the passkey: SHA-256 of the statement, in base64url.
    challenge: String,
    /// The relying party of passkeys here.
    domain: String,
    /// Names of the passkeys that count, in base64url.
    passkeys: Vec<String>,
}

/// Makes what a person would sign to let somebody else speak in their place.
#[utoipa::path(post, path = "/api/v1/delegations/drafts", tag = "delegations", operation_id = "draft_delegation",
    params(Once), request_body = New,
    responses((status = 201, description = "What would be signed", body = Draft)))]
pub(super) async fn draft(
    State(house): State<Arc<House>>,
    asker: Asker,
    Sent(new): Sent<New>,
) -> Result<(StatusCode, Json<Draft>), Problem> {
    let made = asked(house, asker, Scope::Approve, move |asking| {
        let (workspace, ledger, by) = (&asking.workspace, asking.house.ledger(), &asking.asker.principal);
        let (to, role) = (Name::from(new.to.as_str()), new.role.as_deref().map(Name::from));
        kept(asking, drafted(workspace, ledger, by, &to, role, new.until_ms)?)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Makes what a person would sign to take a delegation back.
#[utoipa::path(post, path = "/api/v1/delegations/{id}/drafts", tag = "delegations", operation_id = "draft_end_of_delegation",
    params(("id" = String, Path, description = "`G-…`"), Once),
    responses((status = 201, description = "What would be signed", body = Draft)))]
pub(super) async fn draft_back(
    State(house): State<Arc<House>>,
    asker: Asker,
    At(id): At,
) -> Result<(StatusCode, Json<Draft>), Problem> {
    let made = asked(house, asker, Scope::Approve, move |asking| {
        kept(asking, draft_end(&asking.workspace, asking.house.ledger(), &asking.asker.principal, &id)?)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

fn kept(asking: &Asking, delegation: Delegation) -> Result<Draft, Problem> {
    Ok(Draft {
        statement: to_hex(&delegation.to_bytes()),
        challenge: URL_SAFE_NO_PAD.encode(delegation.challenge()),
        domain: asking.house.party().id.clone(),
        passkeys: passkeys_of(asking)?,
        draft: asking.house.delegations.keep_for(asking.asker.holder, ABOUT, delegation)?,
    })
}

/// The id of a delegation that was made or taken back.
#[derive(Serialize, ToSchema)]
#[schema(as = DelegationRecorded)]
pub(super) struct Recorded {
    /// `G-…`
    id: String,
}

/// Takes what a person signed about who speaks in their place.
#[utoipa::path(post, path = "/api/v1/delegations", tag = "delegations", operation_id = "say_delegation",
    params(Once), request_body = Given,
    responses((status = 201, description = "It counts", body = Recorded)))]
pub(super) async fn say(
    State(house): State<Arc<House>>,
    asker: Asker,
    Sent(given): Sent<Given>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let said = asked(house, asker, Scope::Approve, move |asking| {
        let reason = reason_of(&given)?;
        let draft = asking.house.delegations.take_for(asking.asker.holder, ABOUT, &given.draft).ok_or_else(too_old)?;
        let signed = SignedDelegation { delegation: draft.statement, proof: proof(asking, &given)? };
        Ok(Recorded { id: record(&asking.workspace, asking.house.ledger(), &signed, reason)? })
    });
    Ok((StatusCode::CREATED, Json(said.await?)))
}
