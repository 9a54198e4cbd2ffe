//! Why something is not answered, as problem details (RFC 9457) with a code of ours.

use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sluice_runtime::approvals::ApprovalError;
use sluice_runtime::audit::AuditError;
use sluice_runtime::ledger::LedgerError;
use sluice_runtime::proposal::ProposalError;
use sluice_runtime::run::RunError;
use utoipa::ToSchema;

use super::proposals::Report;

/// Why something is not answered.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: u16,
    detail: String,
    report: Option<Box<Report>>,
    retry_after_s: Option<u64>,
}

/// Problem details.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Details {
    /// `urn:sluice:code:SL472`
    r#type: String,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// The stable code; `sluice explain` says what it means.
    #[schema(pattern = "^SL[0-9]{3}$")]
    code: String,
    /// What is wrong, and what to do.
    detail: String,
    /// What was found in a definition, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: u16, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), report: None, retry_after_s: None }
    }

    /// Words of a lower layer that begin with its code.
    pub(crate) fn told(status: StatusCode, fallback: u16, words: &str) -> Self {
        let coded = words.strip_prefix("SL").and_then(|rest| rest.split_once(": "));
        match coded.and_then(|(code, detail)| Some((code.parse().ok()?, detail))) {
            Some((code, detail)) => Self::new(status, code, detail),
            None => Self::new(status, fallback, words),
        }
    }

    pub(crate) fn nobody(why: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 470, why)
    }

    pub(crate) fn not_for_that(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, 471, why)
    }

    /// There is no such thing, or nothing that this caller may see: which of both is not said.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, 472, "there is nothing at this address, or nothing that you may see")
    }

    pub(crate) fn malformed(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 476, why)
    }

    pub(crate) fn broken(why: &str) -> Self {
        Self::told(StatusCode::SERVICE_UNAVAILABLE, 489, why)
    }

    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.report = Some(Box::new(report));
        self
    }

    pub(crate) const fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The status that it is answered with.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The same under another status.
    pub(crate) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = Details {
            r#type: format!("urn:sluice:code:SL{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            code: format!("SL{}", self.code),
            detail: self.detail,
            report: self.report.map(|report| *report),
        };
        let text = serde_json::to_string(&details).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(CONTENT_TYPE, kind)], text).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sluice\""));
        }
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::broken(&error.to_string())
    }
}

impl From<ProposalError> for Problem {
    fn from(error: ProposalError) -> Self {
        Self::broken(&error.to_string())
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Unknown { .. } => Self::not_found(),
            RunError::Drifted { .. } | RunError::NotVerified { .. } | RunError::NotInDoubt { .. } => {
                Self::told(StatusCode::CONFLICT, 483, &error.to_string())
            }
            other => Self::broken(&other.to_string()),
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::NoCheckpoint { .. } => Self::told(StatusCode::CONFLICT, 690, &error.to_string()),
            other => Self::broken(&other.to_string()),
        }
    }
}

impl From<ApprovalError> for Problem {
    fn from(error: ApprovalError) -> Self {
        match error {
            ApprovalError::Unknown { .. } => Self::not_found(),
            ApprovalError::Ledger(error) => error.into(),
            ApprovalError::Proposal(error) => error.into(),
            ApprovalError::Superseded { .. } | ApprovalError::Erased { .. } => {
                Self::told(StatusCode::CONFLICT, 445, &error.to_string())
            }
            ApprovalError::NoReview { .. } | ApprovalError::NoDelegation { .. } => {
                Self::told(StatusCode::NOT_FOUND, 472, &error.to_string())
            }
            ApprovalError::ReviewOpen { .. } | ApprovalError::NoGlass { .. } | ApprovalError::TooFewToTell { .. } => {
                Self::told(StatusCode::CONFLICT, 445, &error.to_string())
            }
            ApprovalError::Unreadable { .. } => Self::broken(&error.to_string()),
            other => Self::told(StatusCode::FORBIDDEN, 471, &other.to_string()),
        }
    }
}

/// Any other address.
pub(crate) async fn nothing() -> Problem {
    Problem::not_found()
}

/// Any other method. The router says in `Allow` which there are.
pub(crate) async fn other_method(method: Method, uri: Uri) -> Problem {
    let why = format!("`{}` does not take {method}; the header `Allow` says what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, 473, why)
}
