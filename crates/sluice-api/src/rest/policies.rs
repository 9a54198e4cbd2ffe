//! The rules in force.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_policy::PolicyInfo;
use utoipa::ToSchema;

use super::Asker;
use super::asking::asked;
use super::problem::Problem;
use super::scope::Scope;
use crate::house::House;

/// The rules in force.
#[derive(Serialize, ToSchema)]
pub(super) struct Policies {
    /// The digest of the signed bundle.
    bundle: String,
    signed_by: Vec<String>,
    policies: Vec<Policy>,
}

/// One of them.
#[derive(Serialize, ToSchema)]
pub(super) struct Policy {
    id: String,
    /// `permit` or `forbid`
    effect: &'static str,
    /// In words, with the places for names unfilled.
    why: String,
    /// What lifts it.
    remedy: Option<String>,
    /// The file it stands in.
    file: String,
    /// Its own text.
    source: String,
}

/// Shows the rules in force.
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies", operation_id = "list_policies",
    responses((status = 200, description = "All of them", body = Policies)))]
pub(super) async fn list(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Policies>, Problem> {
    let shown = asked(house, asker, Scope::Read, |asking| {
        let bundle = asking.workspace.bundle();
        Ok(Policies {
            bundle: bundle.digest().to_string(),
            signed_by: bundle.signers().iter().map(ToString::to_string).collect(),
            policies: asking.workspace.policies().policies().map(policy).collect(),
        })
    });
    shown.await.map(Json)
}

fn policy(info: &PolicyInfo) -> Policy {
    Policy {
        id: info.id.to_string(),
        effect: if info.permits { "permit" } else { "forbid" },
        why: info.why.clone(),
        remedy: info.remedy.clone(),
        file: info.text.to_string(),
        source: info.source.clone(),
    }
}
