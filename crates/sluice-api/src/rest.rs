//! The HTTP API: what the pages show and take, for programs, under `/api/v1`; and AuthZEN's questions under `/access/v1`.
//!
//! Every request passes [`entry`]: who asks, whether too often, whether it is a repetition. What somebody may do stands in
//! [`scope`] for their token and in [`crate::rights`] for themselves; both are asked. A thing one may not see is not there.

mod again;
mod approvals;
mod asker;
mod asking;
mod connectors;
mod cursor;
mod delegations;
mod entry;
mod glass;
mod health;
mod ledger;
pub mod pace;
mod policies;
pub(crate) mod problem;
mod proposals;
mod runs;
pub mod scope;
pub(crate) mod sent;
mod spec;
mod start;
mod stops;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::authzen;
use crate::house::House;

pub use again::Answers;
pub(crate) use asker::Asker;
pub(crate) use asking::{Asking, asked};
pub use spec::document;

/// Every operation that needs somebody who asks.
fn operations() -> OpenApiRouter<Arc<House>> {
    OpenApiRouter::new()
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::one))
        .routes(routes!(words::draft))
        .routes(routes!(words::say))
        .routes(routes!(glass::list))
        .routes(routes!(delegations::list, delegations::say))
        .routes(routes!(delegations::draft))
        .routes(routes!(delegations::draft_back))
        .routes(routes!(runs::list, start::start))
        .routes(routes!(runs::one))
        .routes(routes!(runs::entries))
        .routes(routes!(start::cancel))
        .routes(routes!(proposals::list, proposals::propose))
        .routes(routes!(proposals::one))
        .routes(routes!(ledger::list))
        .routes(routes!(ledger::one))
        .routes(routes!(ledger::proof))
        .routes(routes!(policies::list))
        .routes(routes!(connectors::list))
        .routes(routes!(connectors::one))
        .routes(routes!(health::health))
        .routes(routes!(stops::list, stops::stop))
        .routes(routes!(stops::go_on))
}

/// Everything that programs are answered.
pub fn router(house: &Arc<House>) -> Router<Arc<House>> {
    let enter = || from_fn_with_state(Arc::clone(house), entry::enter);
    let ours = operations()
        .split_for_parts()
        .0
        .route("/api", any(problem::nothing))
        .route("/api/{*rest}", any(problem::nothing))
        .method_not_allowed_fallback(problem::other_method)
        .layer(enter());
    let authzen = authzen::operations()
        .split_for_parts()
        .0
        .route("/access/{*rest}", any(problem::nothing))
        .method_not_allowed_fallback(problem::other_method)
        .layer(enter())
        .layer(from_fn(authzen::echo));
    let open = authzen::open_operations()
        .split_for_parts()
        .0
        .route("/api/v1/openapi.json", get(spec::served))
        .method_not_allowed_fallback(problem::other_method);
    ours.merge(authzen).merge(open)
}
