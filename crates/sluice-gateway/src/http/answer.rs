//! What a caller gets: the service's reply, or a problem (RFC 9457) with a code and never the reasons.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value as Json, json};
use sluice_engine::CallOutcome;

use super::Whole;
use crate::note::note;

/// After how many seconds asking again makes sense while a person thinks.
const ASK_AGAIN_AFTER: &str = "30";

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// The service's own.
    Reply(Json),
    /// A problem: status, code, title, more members.
    Problem { status: StatusCode, code: String, title: String, approval: Option<String> },
}

/// Why a request is not made a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// SL951. No token, or none of ours that still counts.
    Token,
    /// SL952. The token is not for this connector.
    Connector,
    /// SL953. No action of a contract is meant.
    NoAction,
    /// SL954. What was sent is no call.
    Malformed(String),
    /// SL955. It is too long.
    TooLong,
    /// SL956. Too many executions at once.
    Busy,
    /// The gate's own code.
    Denied(String),
    /// SL906. Nothing can be recorded.
    Ledger(String),
    /// SL962. Whose the token is cannot be known now.
    Unknowable,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let (status, code, title) = match refusal {
            Refusal::Token => (StatusCode::UNAUTHORIZED, "SL951", "a token of this gateway is needed".to_owned()),
            Refusal::Connector => {
                (StatusCode::FORBIDDEN, "SL952", "denied by policy: the token is not for this connector".to_owned())
            }
            Refusal::NoAction => {
                (StatusCode::NOT_FOUND, "SL953", "denied by policy: no contract has such a request".to_owned())
            }
            Refusal::Malformed(why) => (StatusCode::BAD_REQUEST, "SL954", why),
            Refusal::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "SL955", "the body is too long".to_owned()),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, "SL956", "too many executions at once".to_owned()),
            Refusal::Denied(code) => {
                let title = "denied by policy".to_owned();
                return Self::Problem { status: StatusCode::FORBIDDEN, code, title, approval: None };
            }
            Refusal::Unknowable => {
                let title = "whose the token is cannot be known now".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "SL962", title)
            }
            Refusal::Ledger(why) => {
                note(&format!("SL906: {why}"));
                (StatusCode::SERVICE_UNAVAILABLE, "SL906", "nothing can be recorded, so nothing is called".to_owned())
            }
        };
        Self::Problem { status, code: code.to_owned(), title, approval: None }
    }
}

impl Answer {
    /// A person must decide; the same request again asks whether they have.
    pub(super) fn held(approval: &str) -> Self {
        Self::Problem {
            status: StatusCode::CONFLICT,
            code: "held".to_owned(),
            title: format!("approval required: approval_id={approval}"),
            approval: Some(approval.to_owned()),
        }
    }

    /// What came back from a permitted call.
    pub(super) fn of(outcome: &CallOutcome) -> Self {
        let problem = |status, code: &str, title: &str| Self::Problem {
            status,
            code: code.to_owned(),
            title: title.to_owned(),
            approval: None,
        };
        match outcome {
            CallOutcome::Replied { reply, .. } => Self::Reply(reply.clone()),
            CallOutcome::Failed { detail } => {
                let status = detail.get("status").and_then(Json::as_u64).and_then(|code| u16::try_from(code).ok());
                let status = status.and_then(|code| StatusCode::from_u16(code).ok());
                let status = status.filter(|status| status.is_client_error() || status.is_server_error());
                problem(
                    status.unwrap_or(StatusCode::BAD_GATEWAY),
                    "SL957",
                    "the service refused the call, or could not be reached",
                )
            }
            CallOutcome::InDoubt { .. } => {
                problem(StatusCode::GATEWAY_TIMEOUT, "SL958", "nobody knows whether the call took effect")
            }
            CallOutcome::Breach { .. } => problem(StatusCode::BAD_GATEWAY, "SL508", "the reply breaks the contract"),
        }
    }

    /// The service's reply, if it is one.
    pub(super) const fn reply(&self) -> Option<&Json> {
        match self {
            Self::Reply(reply) => Some(reply),
            Self::Problem { .. } => None,
        }
    }

    pub(crate) fn into_response(self) -> Whole {
        let (status, kind, body, waits) = match self {
            Self::Reply(reply) => (StatusCode::OK, "application/json", reply, false),
            Self::Problem { status, code, title, approval } => {
                let mut body = json!({ "title": title, "status": status.as_u16(), "code": code });
                if let (Some(id), Json::Object(members)) = (&approval, &mut body) {
                    members.insert("approval_id".to_owned(), json!(id));
                }
                (status, "application/problem+json", body, approval.is_some())
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if waits {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(ASK_AGAIN_AFTER));
        }
        response
    }
}
