//! Why a page is not shown, as a page.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use sluice_render::markup::Message;
use sluice_runtime::approvals::ApprovalError;
use sluice_runtime::audit::AuditError;
use sluice_runtime::ledger::LedgerError;
use sluice_runtime::proposal::ProposalError;
use sluice_runtime::run::RunError;

use crate::page::bare;

/// Why a page is not shown.
pub(crate) enum Problem {
    /// Nobody is logged in.
    LoggedOut,
    /// There is nothing of that name, or nothing that this person may see: which of both is not said.
    NotFound,
    /// It is not for this person, or not now.
    Refused(String),
    /// What was sent is none of ours.
    Malformed(&'static str),
    /// It cannot be done now: rules that do not count, a ledger that cannot be read.
    Broken(String),
}

impl From<String> for Problem {
    fn from(why: String) -> Self {
        Self::Broken(why)
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ProposalError> for Problem {
    fn from(error: ProposalError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Unknown { .. } => Self::NotFound,
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ApprovalError> for Problem {
    fn from(error: ApprovalError) -> Self {
        match error {
            ApprovalError::Unknown { .. } => Self::NotFound,
            ApprovalError::Ledger(error) => error.into(),
            ApprovalError::Proposal(error) => error.into(),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, why) = match self {
            Self::LoggedOut => return Redirect::to("/login").into_response(),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Not here",
                "There is nothing at this address, or nothing that you may see.".to_owned(),
            ),
            Self::Refused(why) => (StatusCode::FORBIDDEN, "This does not count", why),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, "This cannot be read", why.to_owned()),
            Self::Broken(why) => (StatusCode::SERVICE_UNAVAILABLE, "Not now", why),
        };
        let page = bare(
            title,
            html! {
                h1 { (title) }
                p { (Message(&why)) }
                p { a href="/" { "To the inbox" } }
            },
        );
        (status, Html(page.into_string())).into_response()
    }
}

/// Any other address.
pub(crate) async fn not_found() -> Problem {
    Problem::NotFound
}
