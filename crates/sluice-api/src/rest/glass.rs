//! What passed through broken glass and nobody has looked at. Breaking it, and closing the review, are words like others.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_runtime::approvals::{Approver, Broken, open_review};
use utoipa::ToSchema;

use super::Asker;
use super::asking::asked;
use super::cursor::Listed;
use super::problem::Problem;
use super::scope::Scope;
use crate::house::House;
use crate::rights::may_see_broken;

/// The glass, broken.
#[derive(Serialize, ToSchema)]
pub(super) struct Glass {
    /// For which approval.
    approval: String,
    /// By whom.
    by: String,
    /// Why.
    because: String,
    /// Who was told.
    told: Vec<String>,
    /// When, in milliseconds since 1970.
    at_ms: u64,
    /// Who looked at it; nobody yet if there is none.
    reviewed_by: Option<String>,
    /// What they found.
    finding: Option<String>,
}

impl Glass {
    pub(super) fn of(broken: Broken) -> Self {
        let (reviewed_by, finding) = broken.review.map(|review| (review.by.to_string(), review.finding)).unzip();
        Self {
            approval: broken.approval,
            by: broken.statement.approver.to_string(),
            because: broken.reason,
            told: broken.told.iter().map(ToString::to_string).collect(),
            at_ms: broken.at_ms,
            reviewed_by,
            finding,
        }
    }
}

/// A review that is open.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenReview {
    /// What is to be looked at.
    #[serde(flatten)]
    glass: Glass,
    /// Whether whoever asks here may close it.
    is_yours: bool,
}

/// Lists open reviews: as long as there is one, nobody breaks the glass again.
#[utoipa::path(get, path = "/api/v1/reviews", tag = "approvals", operation_id = "list_reviews",
    responses((status = 200, description = "All of them", body = Listed<OpenReview>)))]
pub(super) async fn list(State(house): State<Arc<House>>, asker: Asker) -> Result<Json<Listed<OpenReview>>, Problem> {
    let listed = asked(house, asker, Scope::Read, |asking| {
        let (person, workspace) = (&asking.asker.principal, &asking.workspace);
        let open = open_review(asking.house.ledger())?;
        let open = open.filter(|open| asking.asker.is_person() && may_see_broken(workspace, person, open));
        let approver = Approver::new(workspace, asking.house.ledger());
        let shown = open.map(|open| {
            let is_yours = approver.may_review(&open, person).is_ok();
            OpenReview { glass: Glass::of(open), is_yours }
        });
        Ok(Listed { items: shown.into_iter().collect(), next: None })
    });
    listed.await.map(Json)
}
