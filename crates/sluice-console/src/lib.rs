//! Pages where people see what they decide: made here, shown by a browser as they are, with one small script of ours.
//!
//! A page is asked for by a [`sluice_api::session::Caller`] and shows what that person may see. What outsiders wrote goes
//! through [`sluice_render::markup::Seen`], so that none of it is markup and nothing of it is hidden.
//!
//! Not here: who is asking and what counts (`sluice-api`, `sluice-runtime`).

mod approval;
mod assets;
mod connectors;
mod cosigned;
mod delegations;
mod enter;
mod glass;
mod halting;
mod health;
mod inbox;
mod ledger;
mod page;
mod people;
mod pins;
mod policies;
mod problem;
mod provider;
mod reading;
mod runs;
mod sight;
mod signing;
mod sort;
mod starting;
mod what_if;
mod words;
mod workflows;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use sluice_api::House;
use sluice_api::guard::guard;

/// Longest form: a reason in words and a passkey's answer.
const FORM_BYTES_MAX: usize = 256 << 10;

/// Everything that the console answers, and the API beside it.
pub fn router(house: Arc<House>) -> Router {
    Router::new()
        .route("/", get(inbox::page))
        .route("/approvals/{id}", get(approval::page))
        .route("/approvals/{id}/again", get(provider::again))
        .route("/approvals/{id}/say", post(approval::say))
        .route("/approvals/{id}/reveal", post(approval::reveal))
        .route("/reviews/{id}", post(glass::close))
        .route("/workflows", get(workflows::page))
        .route("/workflows/{id}", get(workflows::one))
        .route("/workflows/{id}/switch", post(halting::set))
        .route("/workflows/{id}/runs", post(starting::start))
        .route("/workflows/{id}/again", get(provider::again_to_start))
        .route("/runs", get(runs::page))
        .route("/runs/{id}", get(runs::one))
        .route("/ledger", get(ledger::page))
        .route("/ledger/{index}", get(ledger::one))
        .route("/ledger/{index}/proof", get(ledger::proof))
        .route("/policies", get(policies::page))
        .route("/connectors", get(connectors::page))
        .route("/connectors/switch", post(connectors::set))
        .route("/people", get(people::page))
        .route("/people/again", get(provider::anew))
        .route("/people/confirm", post(people::confirm))
        .route("/people/passkey", post(people::add))
        .route("/people/remove", post(people::remove))
        .route("/people/invite", post(people::invite))
        .route("/people/delegate", post(delegations::give))
        .route("/people/undelegate", post(delegations::back))
        .route("/people/delegations", post(delegations::say))
        .route("/health", get(health::page))
        .route("/health/checkpoint", get(health::checkpoint))
        .route("/login", get(enter::login))
        .route("/login/passkey", post(enter::with_passkey))
        .route("/login/provider", get(provider::go))
        .route("/login/provider/back", get(provider::back))
        .route("/login/demo/{code}", get(enter::demo).post(enter::with_demo))
        .route("/logout", post(enter::logout))
        .route("/enrol/{code}", get(enter::enrol).post(enter::enrolled))
        .route("/changes", get(page::changes))
        .route("/assets/{name}", get(assets::asset))
        .fallback(problem::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .merge(sluice_api::rest::router(&house))
        .layer(from_fn_with_state(Arc::clone(&house), guard))
        .with_state(house)
}
