//! How what is served stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Asker;
use super::asking::asked;
use super::problem::Problem;
use super::scope::Scope;
use crate::health::Health;
use crate::house::House;

/// Says how it stands.
#[utoipa::path(get, path = "/api/v1/health", tag = "health", operation_id = "health",
    responses((status = 200, description = "It answers", body = Health)))]
pub(super) async fn health(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Health>, Problem> {
    let told = asked(house, asker, Scope::Read, |asking| Ok(Health::of(&asking.workspace, asking.house.ledger())?));
    told.await.map(Json)
}
